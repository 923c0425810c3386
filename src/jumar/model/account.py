"""The account and its positions as the venue reports them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


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
    """

    wallet: Decimal
    equity: Decimal
    available: Decimal


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
