"""Bars of the market: one minute as it is traded, longer intervals joined from minutes. Pure.

A bar begins with the first price of its minute; a minute without a trade or a change of the last price has none and is
shown flat at the close before it. Times are Unix milliseconds, UTC; weeks begin on Monday, three-day bars are counted
from 1970.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Self

from jumar.exchange.simulated.core.text import ZERO

MINUTE_MS = 60_000
DAY_MS = 86_400_000
_MONDAY_MS = 4 * DAY_MS  # 1970 began on a Thursday
_LENGTHS_MS = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
}
INTERVALS = (*_LENGTHS_MS, "1M")


def opens_ms(interval: str, at_ms: int) -> int:
    """When the bar that holds `at_ms` begins; `interval` is one of `INTERVALS`."""
    if interval == "1M":
        first = datetime.fromtimestamp(at_ms / 1000, UTC).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        return round(first.timestamp()) * 1000
    shift = _MONDAY_MS if interval == "1w" else 0
    return at_ms - (at_ms - shift) % _LENGTHS_MS[interval]


def next_ms(interval: str, open_ms: int) -> int:
    """When the bar after the one that begins at `open_ms` begins."""
    if interval == "1M":
        return opens_ms(interval, open_ms + 32 * DAY_MS)
    return open_ms + _LENGTHS_MS[interval]


@dataclass(slots=True, kw_only=True)
class Bar:
    """Prices and trades of one stretch of time.

    Attributes:
        open_ms: its beginning.
        volume, taker_volume: base currency; of all trades, and of those whose taker bought.
        quote, taker_quote: the same in quote currency.
        trades: how many.
        first_id: of the first trade; with `trades` zero, of the next one to come.
    """

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote: Decimal = ZERO
    taker_volume: Decimal = ZERO
    taker_quote: Decimal = ZERO
    trades: int = 0
    first_id: int = 0

    @classmethod
    def flat(cls, open_ms: int, price: Decimal) -> Self:
        """A bar in which nothing has happened yet."""
        return cls(open_ms=open_ms, open=price, high=price, low=price, close=price)

    def written(self) -> str:
        """The bar as one text, which takes a tenth of the room of its numbers."""
        return " ".join([str(getattr(self, name)) for name in self.__slots__])

    @classmethod
    def read(cls, text: str) -> Self:
        """The bar of a text."""
        values = text.split()
        return cls(
            open_ms=int(values[0]),
            open=Decimal(values[1]),
            high=Decimal(values[2]),
            low=Decimal(values[3]),
            close=Decimal(values[4]),
            volume=Decimal(values[5]),
            quote=Decimal(values[6]),
            taker_volume=Decimal(values[7]),
            taker_quote=Decimal(values[8]),
            trades=int(values[9]),
            first_id=int(values[10]),
        )

    @staticmethod
    def written_open_ms(text: str) -> int:
        """When the bar of a text begins."""
        return int(text.partition(" ")[0])

    def trade(self, price: Decimal, quantity: Decimal, *, bought: bool) -> None:
        """Count one public trade."""
        value = price * quantity
        self.volume += quantity
        self.quote += value
        self.trades += 1
        if bought:
            self.taker_volume += quantity
            self.taker_quote += value
        self.move(price)

    def move(self, price: Decimal) -> None:
        """Take a new last price."""
        self.close = price
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price


def join(open_ms: int, bars: Iterable[Bar], before: Decimal) -> Bar:
    """One bar from consecutive ones; flat at the close `before` when there are none."""
    joined: Bar | None = None
    for bar in bars:
        if joined is None:
            joined = replace(bar, open_ms=open_ms)
            continue
        joined.first_id = joined.first_id if joined.trades else bar.first_id
        joined.high, joined.low = max(joined.high, bar.high), min(joined.low, bar.low)
        joined.close = bar.close
        joined.volume += bar.volume
        joined.quote += bar.quote
        joined.taker_volume += bar.taker_volume
        joined.taker_quote += bar.taker_quote
        joined.trades += bar.trades
    return Bar.flat(open_ms, before) if joined is None else joined
