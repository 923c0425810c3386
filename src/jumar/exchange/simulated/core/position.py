"""One position: what is held of a symbol, at which price and with which margin of its own.

Money is kept to eight decimals, as the exchange does. Isolated margin follows what real user-stream records show:
opening moves notional / leverage from the cross wallet into the position's own, which pays the fee; reducing gives back
its share together with the profit. Knows no wallet but its own.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from jumar.exchange.simulated.core.orders import PositionSide, Side
from jumar.exchange.simulated.core.text import ZERO

DEFAULT_LEVERAGE = 20
_MONEY = Decimal("0.00000001")


def money(value: Decimal) -> Decimal:
    """The value to eight decimals, the exchange's smallest unit."""
    return value.quantize(_MONEY, rounding=ROUND_HALF_EVEN)


@dataclass(slots=True, kw_only=True)
class Position:
    """A position of one symbol and the symbol's settings. `quantity` is signed: long > 0.

    Attributes:
        side: BOTH of one-way mode may be long or short; LONG and SHORT of hedge mode are what they are called.
        entry_price: average entry, zero when flat.
        isolated_wallet: margin that belongs to the position alone; zero when flat or crossed.
        realized: profit realized on the symbol so far, before fees.
        costs: fees minus realized profit since the position was opened, for the break-even price.
        opened_ms: when it last began.
    """

    symbol: str
    side: PositionSide = PositionSide.BOTH
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    isolated: bool = False
    leverage: int = DEFAULT_LEVERAGE
    isolated_wallet: Decimal = ZERO
    realized: Decimal = ZERO
    costs: Decimal = ZERO
    opened_ms: int = 0
    updated_ms: int = 0

    @property
    def break_even(self) -> Decimal:
        """The price at which closing would leave neither profit nor loss, exit fee aside; zero when flat."""
        return money(self.entry_price + self.costs / self.quantity) if self.quantity else ZERO

    def unrealized(self, mark: Decimal) -> Decimal:
        """Profit at the mark price, not yet realized."""
        return money((mark - self.entry_price) * self.quantity)

    def closable(self, side: Side) -> Decimal:
        """How much an order of `side` may reduce: the whole position, or nothing."""
        return abs(self.quantity) if side.closes(self.quantity) else ZERO

    def reduce(self, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Give up `quantity` of what is held; the profit, before the fee."""
        held = abs(self.quantity)
        direction = 1 if self.quantity > 0 else -1
        realized = money((price - self.entry_price) * quantity * direction)
        self.isolated_wallet -= money(self.isolated_wallet * quantity / held)
        self.quantity -= quantity * direction
        self.realized += realized
        self.costs += fee - realized
        if not self.quantity:
            self.entry_price = self.isolated_wallet = self.costs = ZERO
        return realized

    def enlarge(self, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Take a (signed) `quantity` more of what is held, or begin with it."""
        notional = self.entry_price * abs(self.quantity) + price * abs(quantity)
        self.quantity += quantity
        self.entry_price = money(notional / abs(self.quantity))
        self.costs += fee
        if self.isolated:
            self.isolated_wallet += money(price * abs(quantity) / self.leverage) - fee
