"""The account: one-way positions, wallet, fees and realized profit, in USDT; fees in BNB where that is chosen.

Promises: every change of a wallet is an entry of the journal, so that the sum of the entries is the wallet's change to
the last digit. Money is kept to eight decimals, as the exchange does. Isolated margin follows what real user-stream records show: opening moves
notional / leverage from the cross wallet into the position's own, which pays the fee; reducing gives back its share
together with the profit. Fee rates: Binance's published regular-user rates for USDⓈ-M as answered by
`GET /fapi/v1/commissionRate` (sample in the official connector, 2026-08): maker 0.02 %, taker 0.04 %.

It does not know when funding is due, when a position is liquidated, or hedge-mode positions.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from jumar.exchange.simulated.core.orders import Side
from jumar.exchange.simulated.core.terms import PLAIN_TERMS, Terms
from jumar.exchange.simulated.core.text import ZERO

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0004")
ASSET = "USDT"
BNB = "BNB"
BNB_DISCOUNT = Decimal("0.9")  # USDⓈ-M fees in BNB cost a tenth less (Binance fee schedule, 2026)
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
    """What one fill cost and earned: the fee in `fee_asset`, the profit in USDT."""

    fee: Decimal
    realized: Decimal
    fee_asset: str = ASSET


class IncomeKind(StrEnum):
    """Why a wallet changed; the exchange's words."""

    REALIZED_PNL = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change of one wallet.

    Attributes:
        number: 1, 2, 3 … in the order of the changes.
        fill: which fill of the account's caused it, counted from zero; None if none did.
    """

    number: int
    time_ms: int
    symbol: str
    kind: IncomeKind
    amount: Decimal
    asset: str
    fill: int | None


@dataclass(slots=True)
class Account:
    """Wallets, positions and settings of the one account.

    Attributes:
        wallet: USDT. bnb: BNB, which pays fees while `fee_burn` is on and nothing else.
        bnb_price: USDT for one BNB.
        journal: every change of a wallet, oldest first.
        fills: how many fills were settled.
        terms: what the account pays and what may befall it.
        margin_moves: isolated margin that was added (above zero) or taken out, oldest first: time, symbol, amount.
    """

    wallet: Decimal
    positions: dict[str, Position] = field(default_factory=dict)
    hedge_mode: bool = False
    multi_assets: bool = False
    fee_burn: bool = False
    updated_ms: int = 0
    bnb: Decimal = ZERO
    bnb_price: Decimal = ZERO
    journal: list[Entry] = field(default_factory=list)
    fills: int = 0
    margin_moves: list[tuple[int, str, Decimal]] = field(default_factory=list)
    terms: Terms = PLAIN_TERMS

    def begin(self, terms: Terms, now_ms: int) -> None:
        """Take the terms over, with the BNB that they bring; from now on the wallets are valid.

        Clients take a wallet that was never updated for none at all.
        """
        self.terms, self.updated_ms = terms, now_ms
        self.bnb, self.bnb_price, self.fee_burn = terms.bnb, terms.bnb_price, terms.bnb > 0

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
        paid, asset = self._fee(fee)
        closing = min(quantity, position.closable(side))
        closing_fee = money(price * closing * rate)
        realized = _close(position, closing, price, closing_fee) if closing else ZERO
        if quantity > closing:
            opening_fee = fee - closing_fee
            _open(position, (quantity - closing) * side.sign, price, opening_fee)
            if position.isolated and asset != ASSET:
                position.isolated_wallet += opening_fee  # it was paid from elsewhere
        self.change(symbol, IncomeKind.REALIZED_PNL, realized, now_ms, fill=self.fills)
        self.change(symbol, IncomeKind.COMMISSION, -paid, now_ms, asset=asset, fill=self.fills)
        self.fills += 1
        position.updated_ms = self.updated_ms = now_ms
        return Settled(fee=paid, realized=realized, fee_asset=asset)

    def change(
        self,
        symbol: str,
        kind: IncomeKind,
        amount: Decimal,
        now_ms: int,
        *,
        asset: str = ASSET,
        fill: int | None = None,
    ) -> None:
        """Change a wallet and say why; nothing for an amount of zero."""
        if not amount:
            return
        if asset == ASSET:
            self.wallet += amount
        else:
            self.bnb += amount
        self.updated_ms = now_ms
        entry = Entry(
            number=len(self.journal) + 1,
            time_ms=now_ms,
            symbol=symbol,
            kind=kind,
            amount=amount,
            asset=asset,
            fill=fill,
        )
        self.journal.append(entry)

    def _fee(self, fee: Decimal) -> tuple[Decimal, str]:
        """What a fee of so many USDT costs in which asset: BNB while it is chosen and suffices."""
        if self.fee_burn and self.bnb_price:
            in_bnb = money(fee * BNB_DISCOUNT / self.bnb_price)
            if in_bnb <= self.bnb:
                return in_bnb, BNB
        return fee, ASSET


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
