"""What a market source tells the simulated exchange, step by step.

Pure values. A source knows nothing of orders; the exchange knows nothing of files or dice. Path time is
the time inside the recorded or drawn path; the server maps it to the exchange's clock (the speed compresses
the path, never the clock).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One price level of the book: price in quote currency, quantity in base currency."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One public trade since the previous step; `taker_side` is `BUY` or `SELL`."""

    price: Decimal
    quantity: Decimal
    taker_side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStep:
    """The market of one symbol after one step of its path.

    Attributes:
        path_ms: milliseconds since the path began; never decreases within a source.
        bids, asks: best first, at least one level each, `bids[0].price < asks[0].price`.
        last: price of the latest public trade.
        mark: mark price; recorded files have none, see `market/mark.py` for how it is made.
        prints: public trades since the previous step of this symbol, oldest first.
        funding_rate: rate of the symbol's next funding, where the path brings one; None: that of the terms.
    """

    symbol: str
    path_ms: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    last: Decimal
    mark: Decimal
    prints: tuple[Print, ...] = ()
    funding_rate: Decimal | None = None


class MarketSource(Protocol):
    """A path of prices for one or several symbols."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the path, in a fixed order."""
        ...

    def steps(self) -> Iterator[MarketStep]:
        """The steps in the order of `path_ms`; ends with the path (then the last step is repeated)."""
        ...
