"""The tape: what happened in one symbol's market, kept within bounds. Pure.

Every step of the market has two update ids: `final_id` is the one at which the book became what it is, and the id after
it stands for what nobody sees. A snapshot is dated with the latter (`snapshot_id`), so that whatever is published next
begins at or before the snapshot and ends after it: the published recipe for building a book never finds a hole.

Bookkeeping per step is a few additions; longer bars, the rolling day and the book's changes are made when asked for.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from itertools import batched, count, islice
from typing import Any, NamedTuple

from jumar.exchange.simulated.core.candles import MINUTE_MS, Bar, join, next_ms, opens_ms
from jumar.exchange.simulated.core.market import MarketStep

MINUTES_KEPT = 7 * 1440
MINUTES_SLACK = 1440
TRADES_KEPT = 5000  # about twenty minutes of a lively path
DAY_MINUTES = 1440


class PublicTrade(NamedTuple):
    """One trade of the market with its id and time (Unix ms); `taker_side` is `BUY` or `SELL`."""

    trade_id: int
    time_ms: int
    price: Decimal
    quantity: Decimal
    taker_side: str

    @property
    def seller_took(self) -> bool:
        """Whether the buyer was the maker."""
        return self.taker_side == "SELL"


class Tape:
    """The recent past of one symbol.

    Attributes:
        steps: how many steps there were.
        last_trade_id: of the latest public trade; the first one has 1.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.last_trade_id = 0
        # Time, price, quantity and side one after the other, numbers as text: nothing that the garbage collector
        # would walk again and again (it does walk decimals).
        self._flat: deque[Any] = deque(maxlen=4 * TRADES_KEPT)
        self._minutes: list[Bar] = []

    @property
    def final_id(self) -> int:
        """The update id of the book as it stands."""
        return 2 * self.steps

    @property
    def snapshot_id(self) -> int:
        """The `lastUpdateId` of a snapshot taken now."""
        return 2 * self.steps + 1

    def add(self, step: MarketStep, now_ms: int) -> None:
        """Take down one step; `now_ms` never decreases."""
        self.steps += 1
        minutes, prints = self._minutes, step.prints
        if not prints and minutes and minutes[-1].close == step.last:
            return
        open_ms = now_ms - now_ms % MINUTE_MS
        if not minutes or minutes[-1].open_ms != open_ms:
            minutes.append(self._begin(open_ms, prints[0].price if prints else step.last))
            if len(minutes) > MINUTES_KEPT + MINUTES_SLACK:
                del minutes[:MINUTES_SLACK]
        bar = minutes[-1]
        for done in prints:
            price, quantity, side = done.price, done.quantity, done.taker_side
            self._flat.extend((now_ms, str(price), str(quantity), side))
            bar.trade(price, quantity, bought=side == "BUY")
        self.last_trade_id += len(prints)
        bar.move(step.last)

    def trades(self) -> Iterator[PublicTrade]:
        """The trades that are remembered, newest first."""
        ids = count(self.last_trade_id, -1)
        for trade_id, values in zip(ids, batched(reversed(self._flat), 4), strict=False):
            side, quantity, price, time_ms = values
            yield PublicTrade(trade_id, time_ms, Decimal(price), Decimal(quantity), side)

    def latest(self, number: int) -> list[PublicTrade]:
        """The last trades, `number` at most, oldest first."""
        return list(islice(self.trades(), number))[::-1]

    def bar(self, interval: str, open_ms: int) -> Bar:
        """The bar of an interval that begins at `open_ms`, as far as it has come."""
        return self._joined(open_ms, next_ms(interval, open_ms))

    def bars(
        self, interval: str, *, start_ms: int | None, end_ms: int, limit: int
    ) -> list[tuple[int, Bar]]:
        """Bars that begin within the times, oldest first, each with its last millisecond.

        With a start the first `limit`, without one the last. Nothing is older than the tape.
        """
        if not self._minutes or (start_ms is not None and start_ms > end_ms):
            return []
        oldest = opens_ms(interval, self._minutes[0].open_ms)
        rows: list[int] = []
        if start_ms is None:
            open_ms = opens_ms(interval, end_ms)
            while open_ms >= oldest and len(rows) < limit:
                rows.append(open_ms)
                open_ms = opens_ms(interval, open_ms - 1)
            rows.reverse()
        else:
            open_ms = opens_ms(interval, max(start_ms, oldest))
            if open_ms < start_ms:
                open_ms = next_ms(interval, open_ms)
            while open_ms <= end_ms and len(rows) < limit:
                rows.append(open_ms)
                open_ms = next_ms(interval, open_ms)
        return [(next_ms(interval, row) - 1, self.bar(interval, row)) for row in rows]

    def day(self, now_ms: int) -> Bar:
        """The last 24 hours as one bar: whole minutes and the present one, nothing older."""
        end_ms = opens_ms("1m", now_ms) + MINUTE_MS
        return self._joined(end_ms - DAY_MINUTES * MINUTE_MS, end_ms)

    def _begin(self, open_ms: int, price: Decimal) -> Bar:
        bar = Bar.flat(open_ms, price)
        bar.first_id = self.last_trade_id + 1
        return bar

    def _joined(self, start_ms: int, end_ms: int) -> Bar:
        first = bisect_left(self._minutes, start_ms, key=_open_ms)
        last = bisect_left(self._minutes, end_ms, key=_open_ms)
        before = self._minutes[first - 1].close if first else self._minutes[0].open
        return join(start_ms, self._minutes[first:last], before)


def _open_ms(bar: Bar) -> int:
    return bar.open_ms
