"""A recorded file played as a market.

Promises: path time is the exchange's time since the first record of the window, and never runs back
(records of one millisecond, or late by some, belong to the step before them); prices stand on the tick;
quantities are whole units; memory stays flat. Does not know orders: what is replayed does not react.

A file without quotes gets one around its trades: a buyer hit the ask, so the ask is the last price and
the bid one tick below; a seller the other way round. Its size is the mean of the latest trades. The mark
price comes from mark.py. A file of bars is played as the trades that bars.py draws inside them.
"""

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path

from jumar.exchange.simulated.core.market import Level, MarketStep, Print
from jumar.exchange.simulated.market.bars import STEPS, inside
from jumar.exchange.simulated.market.formats import (
    BAR_MS,
    Bar,
    Quote,
    RecordedFile,
    Trade,
    recognise,
)
from jumar.exchange.simulated.market.grid import (
    ceil_to_tick,
    floor_to_tick,
    nearest_tick,
    nearest_unit,
    quantity_unit,
)
from jumar.exchange.simulated.market.mark import MarkPrice

_LATE_MS_MAX = 1_000  # quotes and trades of one moment reach a recorder that far apart at most
_SIZE_TRADES = 64  # latest trades whose mean size a built quote carries


class RecordedMarket:
    """One symbol's recorded path."""

    def __init__(
        self,
        path: Path,
        *,
        tick_sizes: Mapping[str, Decimal],
        symbol: str | None = None,
        seed: int = 1,
        window_from_ms: int | None = None,
        window_to_ms: int | None = None,
    ) -> None:
        """Open the file, tell its format, find the window's first record.

        Args:
            path: the recorded file, plain or gzip.
            tick_sizes: price steps by symbol; must hold this file's.
            symbol: the symbol to play it as; by default what the file's name or content says.
            seed: dice of what happens inside a bar; the other formats throw none.
            window_from_ms: exchange time of the first record wanted, inclusive; None: the file's first.
            window_to_ms: exchange time at which to end, exclusive; None: the file's end.

        Raises:
            ValueError: unknown file, format or symbol; a malformed row before the window's first
                record; a window without records (names the file's range).
        """
        self._file = recognise(path)
        self._symbol = _playable(self._file, symbol, tick_sizes)
        self._tick_size = tick_sizes[self._symbol]
        self._seed = seed
        self._from_ms = window_from_ms
        self._to_ms = window_to_ms
        first = next(self._window(), None)
        if first is None:
            raise ValueError(_no_records(self._file, window_from_ms, window_to_ms))
        self._origin_ms = first.time_ms

    @property
    def symbols(self) -> tuple[str, ...]:
        """The file's one symbol."""
        return (self._symbol,)

    @property
    def origin_ms(self) -> int:
        """Exchange time of the first record of the window, in Unix milliseconds: path time 0."""
        return self._origin_ms

    def steps(self) -> Iterator[MarketStep]:
        """The path from the window's first record to its last; a malformed row raises ValueError."""
        window = self._window()
        first = next(window)
        book = _Book(self._symbol, self._tick_size, first)
        run: list[Quote | Trade] = []
        run_ms = 0
        for record in chain([first], window):
            path_ms = max(record.time_ms - self._origin_ms, run_ms)
            if run and (path_ms != run_ms or _turns(run[-1], record)):
                yield book.step(run_ms, run)
                run = []
            run.append(record)
            run_ms = path_ms
        yield book.step(run_ms, run)

    def last_ms(self) -> int:
        """Path time of the window's last record, in milliseconds; reads the file once more, draws nothing."""
        low = 0 if self._from_ms is None else self._from_ms
        high = sys.maxsize if self._to_ms is None else self._to_ms
        last = self._origin_ms
        for record in self._file.records():
            if record.time_ms >= high + _LATE_MS_MAX:
                break
            time_ms = record.time_ms
            if isinstance(record, Bar) and time_ms < high:
                # its trades are even steps; the last of them may lie behind the window's end
                time_ms += min(STEPS - 1, (high - 1 - time_ms) * STEPS // BAR_MS) * BAR_MS // STEPS
            if low <= time_ms < high:
                last = max(last, time_ms)
        return last - self._origin_ms

    def _window(self) -> Iterator[Quote | Trade]:
        """The records whose own time lies in the window (a late one may stand after the window's end)."""
        low = 0 if self._from_ms is None else self._from_ms
        high = sys.maxsize if self._to_ms is None else self._to_ms
        for record in self._played(low):
            if low <= record.time_ms < high:
                yield record
            elif record.time_ms >= high + _LATE_MS_MAX:
                return

    def _played(self, low: int) -> Iterator[Quote | Trade]:
        """The quotes and trades of the file, or inside its bars, from the bar that holds `low` on."""
        for record in self._file.records():
            if not isinstance(record, Bar):
                yield record
            elif record.time_ms + BAR_MS > low:
                yield from inside(record, seed=self._seed, symbol=self._symbol)


def _turns(before: Quote | Trade, after: Quote | Trade) -> bool:
    """Whether the taker changed sides: the end of a sweep must stand as a last price of its own."""
    if isinstance(before, Quote) or isinstance(after, Quote):
        return False
    return before.taker_side != after.taker_side


class _Book:
    """What is known of the market after each record, on the instrument's grids."""

    def __init__(self, symbol: str, tick_size: Decimal, first: Quote | Trade) -> None:
        price = first.bid if isinstance(first, Quote) else first.price
        self._symbol = symbol
        self._tick = tick_size
        self._unit = quantity_unit(price)
        self._mark = MarkPrice()
        self._last = nearest_tick(price, tick_size)  # until the first trade: the first bid
        self._bid = Level(price=self._last, quantity=self._unit)
        self._ask = Level(price=self._last + tick_size, quantity=self._unit)
        self._is_quoted = False
        self._sizes: deque[Decimal] = deque(maxlen=_SIZE_TRADES)
        self._sizes_sum = Decimal(0)

    def step(self, path_ms: int, run: list[Quote | Trade]) -> MarketStep:
        prints = []
        for record in run:
            if isinstance(record, Quote):
                self._take_quote(record)
            else:
                prints.append(self._take_trade(record))
        mark = self._mark.update(
            path_ms=path_ms, bid=self._bid.price, ask=self._ask.price, last=self._last
        )
        return MarketStep(
            symbol=self._symbol,
            path_ms=path_ms,
            bids=(self._bid,),
            asks=(self._ask,),
            last=self._last,
            mark=mark,
            prints=tuple(prints),
        )

    def _take_quote(self, quote: Quote) -> None:
        """Rounded outwards: a coarser tick than the recorded one must not cross the book."""
        self._is_quoted = True
        bid = max(floor_to_tick(quote.bid, self._tick), self._tick)
        ask = max(ceil_to_tick(quote.ask, self._tick), bid + self._tick)
        self._bid = Level(price=bid, quantity=nearest_unit(quote.bid_quantity, self._unit))
        self._ask = Level(price=ask, quantity=nearest_unit(quote.ask_quantity, self._unit))

    def _take_trade(self, trade: Trade) -> Print:
        price = nearest_tick(trade.price, self._tick)
        self._last = price
        if not self._is_quoted:
            self._quote_around(price, trade)
        quantity = nearest_unit(trade.quantity, self._unit)
        return Print(price=price, quantity=quantity, taker_side=trade.taker_side)

    def _quote_around(self, price: Decimal, trade: Trade) -> None:
        size = self._mean_size(trade.quantity)
        bid = price - self._tick if trade.taker_side == "BUY" else price
        bid = max(bid, self._tick)
        self._bid = Level(price=bid, quantity=size)
        self._ask = Level(price=bid + self._tick, quantity=size)

    def _mean_size(self, quantity: Decimal) -> Decimal:
        if len(self._sizes) == _SIZE_TRADES:
            self._sizes_sum -= self._sizes[0]
        self._sizes.append(quantity)
        self._sizes_sum += quantity
        return nearest_unit(self._sizes_sum / len(self._sizes), self._unit)


def _playable(file: RecordedFile, symbol: str | None, tick_sizes: Mapping[str, Decimal]) -> str:
    wanted = symbol or file.symbol
    if wanted is None:
        raise ValueError(f"{file.path.name} names no symbol; give one with --symbols")
    if wanted not in tick_sizes:
        known = ", ".join(sorted(tick_sizes))
        raise ValueError(f"{file.path.name} holds {wanted}, which is not listed; listed: {known}")
    return wanted


def _no_records(file: RecordedFile, low: int | None, high: int | None) -> str:
    first = last = None
    for record in file.records():
        first = record.time_ms if first is None else min(first, record.time_ms)
        last = record.time_ms if last is None else max(last, record.time_ms)
    if first is None or last is None:
        return f"{file.path.name} holds no quotes, trades or bars"
    return (
        f"no records of {file.path.name} between --from {_iso(low)} and --to {_iso(high)}; "
        f"the file runs from {_iso(first)} to {_iso(last)}"
    )


def _iso(time_ms: int | None) -> str:
    if time_ms is None:
        return "(not given)"
    moment = datetime.fromtimestamp(time_ms / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
