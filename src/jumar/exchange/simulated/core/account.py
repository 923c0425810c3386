"""The account: one-way positions, wallet, fees and realized profit, all in USDT.

Promises: the wallet changes by realized profit minus fee, to the last digit, and by nothing else. Money is kept to
eight decimals, as the exchange does. Isolated margin follows what real user-stream records show: opening moves
notional / leverage from the cross wallet into the position's own, which pays the fee; reducing gives back its share
together with the profit. Fee rates: Binance's published regular-user rates for USDⓈ-M as answered by
`GET /fapi/v1/commissionRate` (sample in the official connector, 2026-08): maker 0.02 %, taker 0.04 %.

It does not know funding, liquidation or hedge-mode positions.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from jumar.exchange.simulated.core.orders import Side
from jumar.exchange.simulated.core.text import ZERO

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0004")
ASSET = "USDT"
DEFAULT_LEVERAGE = 20
_MONEY = Decimal("0.00000001")


def money(value: Decimal) -> Decimal:
    """The value to eight decimals, the exchange's smallest unit."""
    return value.quantize(_MONEY, rounding=ROUND_HALF_EVEN)


@dataclass(slots=True, kw_only=True)
class Position:
    """One symbol's position and settings. `quantity` is signed: long > 0.

    Attributes:
        entry_price: average entry, zero when flat.
        isolated_wallet: margin that belongs to the position alone; zero when flat or crossed.
        realized: profit realized on the symbol so far, before fees.
        costs: fees minus realized profit since the position was opened, for the break-even price.
    """

    symbol: str
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    isolated: bool = False
    leverage: int = DEFAULT_LEVERAGE
    isolated_wallet: Decimal = ZERO
    realized: Decimal = ZERO
    costs: Decimal = ZERO
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What one fill cost and earned."""

    fee: Decimal
    realized: Decimal


@dataclass(slots=True)
class Account:
    """Wallet and positions of the one account."""

    wallet: Decimal
    positions: dict[str, Position] = field(default_factory=dict)
    hedge_mode: bool = False
    updated_ms: int = 0

    def position(self, symbol: str) -> Position:
        """The position of a symbol, flat when it was never traded."""
        if symbol not in self.positions:
            self.positions[symbol] = Position(symbol=symbol)
        return self.positions[symbol]

    @property
    def cross_wallet(self) -> Decimal:
        """The wallet without what belongs to isolated positions."""
        return self.wallet - sum((p.isolated_wallet for p in self.positions.values()), ZERO)

    def settle(
        self,
        symbol: str,
        side: Side,
        price: Decimal,
        quantity: Decimal,
        *,
        maker: bool,
        now_ms: int,
    ) -> Settled:
        """Apply one fill: position, wallet, isolated margin.

        A fill larger than an opposite position closes it and opens the rest the other way.
        """
        position = self.position(symbol)
        rate = MAKER_FEE if maker else TAKER_FEE
        fee = money(price * quantity * rate)
        closing = min(quantity, position.closable(side))
        closing_fee = money(price * closing * rate)
        realized = _close(position, closing, price, closing_fee) if closing else ZERO
        if quantity > closing:
            _open(position, (quantity - closing) * side.sign, price, fee - closing_fee)
        self.wallet += realized - fee
        position.updated_ms = self.updated_ms = now_ms
        return Settled(fee=fee, realized=realized)


def _close(position: Position, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
    held = abs(position.quantity)
    direction = 1 if position.quantity > 0 else -1
    realized = money((price - position.entry_price) * quantity * direction)
    position.isolated_wallet -= money(position.isolated_wallet * quantity / held)
    position.quantity -= quantity * direction
    position.realized += realized
    position.costs += fee - realized
    if not position.quantity:
        position.entry_price = position.isolated_wallet = position.costs = ZERO
    return realized


def _open(position: Position, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
    notional = position.entry_price * abs(position.quantity) + price * abs(quantity)
    position.quantity += quantity
    position.entry_price = money(notional / abs(position.quantity))
    position.costs += fee
    if position.isolated:
        position.isolated_wallet += money(price * abs(quantity) / position.leverage) - fee
