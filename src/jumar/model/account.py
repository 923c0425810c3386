"""The account and its positions as the venue reports them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.order import Side


class MarginMode(StrEnum):
    """How a position is margined."""

    ISOLATED = "ISOLATED"
    CROSSED = "CROSSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The account's money in the quote asset.

    Attributes:
        wallet: wallet balance.
        equity: margin balance: wallet and unrealised profit.
        available: what new margin may be taken from.
        cross_wallet, cross_unrealized: wallet and unrealised profit without those of isolated positions; None where the
            venue does not tell.
        maintenance: maintenance margin of all positions; None where the venue does not tell.
    """

    wallet: Decimal
    equity: Decimal
    available: Decimal
    cross_wallet: Decimal | None = None
    cross_unrealized: Decimal | None = None
    maintenance: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money that was moved into the account (above zero) or out of it; no result of trading.

    Attributes:
        id: the venue's own; a transfer told twice counts once.
    """

    id: str
    amount: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReport:
    """One symbol's position in one-way mode.

    Attributes:
        quantity: base currency, signed: long is positive, zero is flat.
        entry_price: average entry in quote currency, zero when flat.
        liquidation_price: None where the source does not tell.
    """

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    liquidation_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """Where the venue would liquidate a position: its own price, quote currency, and the side that was held then."""

    side: Side
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Account-wide modes that the engine needs to be one certain way."""

    hedge_mode: bool
    multi_assets: bool
    can_trade: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSettings:
    """Leverage and margin mode of one symbol, as read back."""

    leverage: int
    margin_mode: MarginMode
