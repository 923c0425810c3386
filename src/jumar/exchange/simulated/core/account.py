"""The account: positions, wallet, fees and realized profit, in USDT; fees in BNB where that is chosen.

Promises: every change of a wallet is an entry of the journal, so that the sum of the entries is the wallet's change to
the last digit. In hedge mode a symbol has two positions, LONG and SHORT, which share its leverage and margin mode and
nothing else. Fee rates: Binance's published regular-user rates for USDⓈ-M as answered by `GET /fapi/v1/commissionRate`
(sample in the official connector, 2026-08): maker 0.02 %, taker 0.04 %.

It does not know when funding is due or when a position is liquidated.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from jumar.exchange.simulated.core.orders import PositionSide, Side
from jumar.exchange.simulated.core.position import DEFAULT_LEVERAGE, Position, money
from jumar.exchange.simulated.core.shelf import Shelf
from jumar.exchange.simulated.core.terms import PLAIN_TERMS, Terms
from jumar.exchange.simulated.core.text import ZERO

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0004")
ASSET = "USDT"
BNB = "BNB"
BNB_DISCOUNT = Decimal("0.9")  # USDⓈ-M fees in BNB cost a tenth less (Binance fee schedule, 2026)


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
    TRANSFER = "TRANSFER"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginMove:
    """Isolated margin that the client added to a position (above zero) or took out."""

    time_ms: int
    symbol: str
    position_side: PositionSide
    amount: Decimal


@dataclass(slots=True)
class Account:
    """Wallets, positions and settings of the one account.

    Attributes:
        wallet: USDT. bnb: BNB, which pays fees while `fee_burn` is on and nothing else.
        bnb_price: USDT for one BNB.
        journal: every change of a wallet, oldest first.
        fills: how many fills were settled.
        positions: those of a symbol: one, or in hedge mode LONG and SHORT.
        terms: what the account pays and what may befall it.
        margin_moves: isolated margin that was added or taken out, oldest first.
    """

    wallet: Decimal
    positions: dict[str, tuple[Position, ...]] = field(default_factory=dict)
    hedge_mode: bool = False
    multi_assets: bool = False
    fee_burn: bool = False
    updated_ms: int = 0
    bnb: Decimal = ZERO
    bnb_price: Decimal = ZERO
    journal: Shelf[Entry] = field(default_factory=lambda: Shelf(Entry))
    fills: int = 0
    margin_moves: Shelf[MarginMove] = field(default_factory=lambda: Shelf(MarginMove))
    terms: Terms = PLAIN_TERMS

    def begin(self, terms: Terms, now_ms: int) -> None:
        """Take the terms over, with the BNB that they bring; from now on the wallets are valid.

        Clients take a wallet that was never updated for none at all.
        """
        self.terms, self.updated_ms = terms, now_ms
        self.bnb, self.bnb_price, self.fee_burn = terms.bnb, terms.bnb_price, terms.bnb > 0

    def sides(self, symbol: str) -> tuple[Position, ...]:
        """The positions of a symbol, flat when it was never traded: one, or in hedge mode LONG and SHORT."""
        if symbol not in self.positions:
            self.positions[symbol] = self._flat(symbol)
        return self.positions[symbol]

    def position(self, symbol: str, side: PositionSide = PositionSide.BOTH) -> Position:
        """The position of a symbol; `side` is LONG or SHORT in hedge mode."""
        held = self.positions.get(symbol) or self.sides(symbol)
        return held[1] if side is PositionSide.SHORT else held[0]

    def every(self) -> Iterator[Position]:
        """Every position of every symbol, held or flat."""
        return (position for held in self.positions.values() for position in held)

    def set_hedge_mode(self, *, on: bool) -> None:
        """Change the position mode of an account that holds nothing; leverage and margin modes stay."""
        self.hedge_mode = on
        for symbol, (old, *_) in self.positions.items():
            self.positions[symbol] = self._flat(
                symbol, isolated=old.isolated, leverage=old.leverage
            )

    def _flat(
        self, symbol: str, *, isolated: bool = False, leverage: int = DEFAULT_LEVERAGE
    ) -> tuple[Position, ...]:
        modes = (PositionSide.LONG, PositionSide.SHORT) if self.hedge_mode else (PositionSide.BOTH,)
        return tuple(
            Position(symbol=symbol, side=side, isolated=isolated, leverage=leverage)
            for side in modes
        )

    @property
    def cross_wallet(self) -> Decimal:
        """The wallet without what belongs to isolated positions."""
        own = (p.isolated_wallet for held in self.positions.values() for p in held)
        return self.wallet - sum(own, ZERO)

    def settle(
        self,
        symbol: str,
        side: Side,
        price: Decimal,
        quantity: Decimal,
        *,
        maker: bool,
        now_ms: int,
        position_side: PositionSide = PositionSide.BOTH,
    ) -> Settled:
        """Apply one fill: position, wallet, isolated margin.

        A fill larger than an opposite position closes it and opens the rest the other way; in hedge mode the engine
        lets no order execute more than that position.
        """
        position = self.position(symbol, position_side)
        rate = MAKER_FEE if maker else TAKER_FEE
        fee = money(price * quantity * rate)
        paid, asset = self._fee(fee)
        closing = min(quantity, position.closable(side))
        closing_fee = money(price * closing * rate)
        realized = position.reduce(closing, price, closing_fee) if closing else ZERO
        if quantity > closing:
            opening_fee = fee - closing_fee
            position.enlarge((quantity - closing) * side.sign, price, opening_fee)
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
