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
from itertools import count, islice
from typing import NamedTuple

from jumar.exchange.simulated.core.candles import MINUTE_MS, Bar, join, next_ms, opens_ms
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.text import ZERO

MINUTES_KEPT = 7 * 1440
MINUTES_SLACK = 1440
TRADES_KEPT = 4000  # about a quarter of an hour of a lively path
DAY_MINUTES = 1440
LONG_MINUTES = 30
WHOLES_KEPT = 32


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
        # Each trade as one text of time, price, quantity and side: little room, and nothing that the garbage collector
        # would walk again and again (it does walk decimals).
        self._trades: deque[str] = deque(maxlen=TRADES_KEPT)
        self._minute: Bar | None = None
        self._past: list[str] = []  # the minutes before it, oldest first, as texts
        self._wholes: dict[int, tuple[int, int, Bar]] = {}

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
        bar, prints = self._minute, step.prints
        if not prints and bar is not None and bar.close == step.last:
            return
        open_ms = now_ms - now_ms % MINUTE_MS
        if bar is None or bar.open_ms != open_ms:
            bar = self._begin(open_ms, prints[0].price if prints else step.last)
        for done in prints:
            price, quantity, side = done.price, done.quantity, done.taker_side
            self._trades.append(f"{now_ms} {price!s} {quantity!s} {side}")
            bar.trade(price, quantity, bought=side == "BUY")
        self.last_trade_id += len(prints)
        bar.move(step.last)

    def own(self, price: Decimal, quantity: Decimal, taker_side: str, now_ms: int) -> None:
        """Take down a trade of the account's; the last price stays the market's. Not before the first step."""
        bar = self._minute
        if bar is None:
            raise ValueError("no trade without a market")
        last, open_ms = bar.close, now_ms - now_ms % MINUTE_MS
        if bar.open_ms != open_ms:
            bar = self._begin(open_ms, last)
        self._trades.append(f"{now_ms} {price!s} {quantity!s} {taker_side}")
        self.last_trade_id += 1
        bar.trade(price, quantity, bought=taker_side == "BUY")
        bar.move(last)

    def trades(self) -> Iterator[PublicTrade]:
        """The trades that are remembered, newest first."""
        ids = count(self.last_trade_id, -1)
        for trade_id, trade in zip(ids, reversed(self._trades), strict=False):
            time_ms, price, quantity, side = trade.split()
            yield PublicTrade(trade_id, int(time_ms), Decimal(price), Decimal(quantity), side)

    def latest(self, number: int) -> list[PublicTrade]:
        """The last trades, `number` at most, oldest first."""
        return list(islice(self.trades(), number))[::-1]

    def since(self, trade_id: int) -> list[PublicTrade]:
        """The trades from an id on, oldest first."""
        return self.latest(max(0, self.last_trade_id + 1 - trade_id))

    def bar(self, interval: str, open_ms: int) -> Bar:
        """The bar of an interval that begins at `open_ms`, as far as it has come."""
        return self._joined(open_ms, next_ms(interval, open_ms))

    def bars(
        self, interval: str, *, start_ms: int | None, end_ms: int, limit: int
    ) -> list[tuple[int, Bar]]:
        """Bars that begin within the times, oldest first, each with its last millisecond.

        With a start the first `limit`, without one the last. Nothing is older than the tape.
        """
        if self._minute is None or (start_ms is not None and start_ms > end_ms):
            return []
        oldest = opens_ms(interval, self._first(self._minute).open_ms)
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
        if self._minute is not None:
            self._past.append(self._minute.written())
            if len(self._past) > MINUTES_KEPT + MINUTES_SLACK:
                del self._past[:MINUTES_SLACK]
        self._minute = Bar.flat(open_ms, price)
        self._minute.first_id = self.last_trade_id + 1
        return self._minute

    def _joined(self, start_ms: int, end_ms: int) -> Bar:
        """The minutes that begin within the times as one bar; there was one minute at least."""
        if self._minute is None:
            raise ValueError("no bar without a market")
        first = bisect_left(self._past, start_ms, key=Bar.written_open_ms)
        last = bisect_left(self._past, end_ms, key=Bar.written_open_ms)
        bars = [self._whole(start_ms, first, last)] if first < last else []
        if start_ms <= self._minute.open_ms < end_ms:
            bars.append(self._minute)
        if self._minute.open_ms < start_ms:
            before = self._minute.close
        elif first:
            before = Bar.read(self._past[first - 1]).close
        else:
            before = self._first(self._minute).open
        return join(start_ms, bars, before)

    def _whole(self, start_ms: int, first: int, last: int) -> Bar:
        """Minutes of the past, one at least, as one bar; a long one is kept, because it is asked for every second."""
        known = self._wholes.get(start_ms)
        if known is not None and known[:2] == (first, last):
            return known[2]
        bars = map(Bar.read, self._past[first:last])
        bar = join(start_ms, bars, ZERO)
        if last - first >= LONG_MINUTES:
            if len(self._wholes) >= WHOLES_KEPT:
                self._wholes.clear()
            self._wholes[start_ms] = (first, last, bar)
        return bar

    def _first(self, present: Bar) -> Bar:
        return Bar.read(self._past[0]) if self._past else present


class TapeReader:
    """Reads the trades of a tape as they come, each one once; those from before it are not read."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._read_id = tape.last_trade_id

    def read(self) -> list[PublicTrade]:
        """The trades since the last look, oldest first."""
        fresh = self._tape.last_trade_id - self._read_id
        self.skip()
        return self._tape.latest(fresh) if fresh else []

    def skip(self) -> None:
        """Look, without asking what there is."""
        self._read_id = self._tape.last_trade_id
