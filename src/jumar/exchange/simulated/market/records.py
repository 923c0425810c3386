"""What a recording says, record by record: quotes, trades, bars and marks, each at its moment of the exchange's time.

Pure values, in milliseconds, quote currency and base currency. They know no tick, no window and no file.
"""

from dataclasses import dataclass
from decimal import Decimal

MINUTE_MS = 60_000
"""Length of the bars that are played."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask at one moment."""

    time_ms: int
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade; `taker_side` is `BUY` or `SELL`."""

    time_ms: int
    price: Decimal
    quantity: Decimal
    taker_side: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute from `time_ms` on: prices in quote currency, volume in base currency."""

    time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class MarkBar:
    """Where the mark price began at `time_ms`, and between which prices it stayed for `length_ms`."""

    time_ms: int
    length_ms: int
    open: Decimal
    high: Decimal
    low: Decimal


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark price at one moment, and the rate of the next funding."""

    time_ms: int
    price: Decimal
    funding_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Depth:
    """Levels of the book at one moment, best first, as pairs of price and quantity."""

    time_ms: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Funding:
    """The rate that was paid at `time_ms`, as a part of the notional."""

    time_ms: int
    rate: Decimal


type Moment = Quote | Trade | MarkBar | Mark | Depth
"""What a book takes."""
type Record = Moment | Bar | Funding
"""What a file says."""
