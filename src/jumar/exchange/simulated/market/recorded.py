"""Recorded files played as a market.

Promises: path time is the exchange's time since the first record of the window, and never runs back
(records of one millisecond, or late by some, belong to the step before them); prices stand on the tick;
quantities are whole units; memory stays flat. Does not know orders: what is replayed does not react.

What is known after each record is for book.py to say, which files belong together for folder.py. A file of bars is
played as the trades that bars.py draws inside them.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import merge
from itertools import chain
from pathlib import Path

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market.bars import STEPS, BarOrder, inside
from jumar.exchange.simulated.market.book import Book
from jumar.exchange.simulated.market.companions import Companions, good_for, iso
from jumar.exchange.simulated.market.folder import Tell, open_folder
from jumar.exchange.simulated.market.formats import MARKETS, recognise
from jumar.exchange.simulated.market.recording import Recording
from jumar.exchange.simulated.market.records import (
    MINUTE_MS,
    Bar,
    Depth,
    Funding,
    Mark,
    MarkBar,
    Moment,
    Quote,
    Trade,
)
from jumar.exchange.simulated.market.weave import LATE_MS_MAX


def _unheard(_: str) -> None:
    return


class RecordedMarket:
    """The recorded path of one symbol, or of several beside one another."""

    def __init__(
        self,
        path: Path,
        *,
        tick_sizes: Mapping[str, Decimal],
        symbols: Sequence[str] = (),
        seed: int = 1,
        bar_order: BarOrder = BarOrder.DRAWN,
        window_from_ms: int | None = None,
        window_to_ms: int | None = None,
        companions: Companions | None = None,
        tell: Tell = _unheard,
    ) -> None:
        """Open the file, or what fits together in a folder, and find the window's first record.

        Args:
            path: the recorded file, plain, gzip or zip; or a folder of files of Binance's archive.
            tick_sizes: price steps by symbol; must hold those played.
            symbols: of a file: the symbol to play it as, by default what its name or content says; of a folder: what
                to play, by default everything.
            seed: dice of what happens inside a bar; the other formats throw none.
            bar_order: which extreme of a bar comes first.
            window_from_ms: exchange time of the first record wanted, inclusive; None: the file's first.
            window_to_ms: exchange time at which to end, exclusive; None: the file's end.
            companions: mark prices and funding rates to go by.
            tell: hears what a person should know of the files.

        Raises:
            ValueError: unknown file, format or symbol; a malformed row before the window's first
                record; a window without records (names the file's range).
        """
        companions = companions or Companions()
        if path.is_dir():
            found = open_folder(path, symbols, tick_sizes, tell)
        else:
            found = [_one_file(path, tell)]
        recordings = companions.beside(found)
        low = 0 if window_from_ms is None else window_from_ms
        self._high = sys.maxsize if window_to_ms is None else window_to_ms
        self._tracks = [
            _Track(
                each, _playable(each, symbols, tick_sizes), tick_sizes, seed=seed, order=bar_order
            )
            for each in recordings
        ]
        firsts = [track.first_ms(low, self._high) for track in self._tracks]
        for recording, first in zip(recordings, firsts, strict=True):
            if first is None:
                raise ValueError(_no_records(recording, window_from_ms, window_to_ms))
        # where the last of them begins: a market has prices of all its symbols from its first moment on
        self._origin_ms = max(first for first in firsts if first is not None)
        self._low = low if len(self._tracks) == 1 else self._origin_ms
        for recording, track in zip(recordings, self._tracks, strict=True):
            if track.first_ms(self._low, self._high) is None:
                raise ValueError(_no_records(recording, self._low, window_to_ms))
        companions.check(recordings[0], self._origin_ms, tell)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that are played."""
        return tuple(track.symbol for track in self._tracks)

    @property
    def origin_ms(self) -> int:
        """Exchange time of the first record of the window, in Unix milliseconds: path time 0."""
        return self._origin_ms

    def steps(self) -> Iterator[MarketStep]:
        """The path from the window's first record to its last; a malformed row raises ValueError."""
        paths = [track.steps(self._low, self._high, self._origin_ms) for track in self._tracks]
        return paths[0] if len(paths) == 1 else merge(*paths, key=lambda step: step.path_ms)

    def last_ms(self) -> int:
        """Path time of the window's last trade, bar or quote of a stream, in milliseconds.

        Reads the last file once more, and draws nothing.
        """
        lasts = (track.last_ms(self._low, self._high) for track in self._tracks)
        return max(self._origin_ms, *lasts) - self._origin_ms


class _Track:
    """One symbol's part of the path."""

    def __init__(
        self,
        recording: Recording,
        symbol: str,
        tick_sizes: Mapping[str, Decimal],
        *,
        seed: int,
        order: BarOrder,
    ) -> None:
        self.symbol = symbol
        self._recording = recording
        self._tick_size = tick_sizes[symbol]
        self._seed = seed
        self._order = order

    def first_ms(self, low: int, high: int) -> int | None:
        """When the first record with a price stands, if any does."""
        first = next(self._window(low, high), None)
        return None if first is None else first.time_ms

    def steps(self, low: int, high: int, origin_ms: int) -> Iterator[MarketStep]:
        """What happens between two moments of exchange time."""
        window = self._window(low, high)
        first = next(window, None)
        if first is None:
            return
        book = Book(self.symbol, self._tick_size, _price(first), rate_at=self._recording.funding_at)
        run: list[Moment] = []
        run_ms = origin_ms
        for record in chain([first], window):
            at_ms = max(record.time_ms, run_ms)
            if run and (at_ms != run_ms or _turns(run[-1], record)):
                yield book.step(run_ms, run_ms - origin_ms, run)
                run = []
            run.append(record)
            run_ms = at_ms
        yield book.step(run_ms, run_ms - origin_ms, run)

    def last_ms(self, low: int, high: int) -> int:
        """When the last record stands that is played; 0 when none does."""
        last = 0
        for record in self._recording.last_played(low, high):
            if record.time_ms >= high + LATE_MS_MAX:
                break
            at_ms = record.time_ms
            if isinstance(record, Bar) and at_ms < high:
                # its trades are even steps; the last of them may lie behind the window's end
                at_ms += (
                    min(STEPS - 1, (high - 1 - at_ms) * STEPS // MINUTE_MS) * MINUTE_MS // STEPS
                )
            if low <= at_ms < high:
                last = max(last, at_ms)
        return last

    def _window(self, low: int, high: int) -> Iterator[Moment]:
        """What lies in the window by its own time, from the first price on (a late record may stand behind its end)."""
        begun, bar = False, None
        for record in self._played(low, high):
            if record.time_ms >= high + LATE_MS_MAX:
                return
            if not begun and isinstance(record, MarkBar):
                bar = record  # it leads the first price that lies in it
            elif low <= record.time_ms < high:
                yield record
                if not begun and bar is not None and record.time_ms < bar.time_ms + bar.length_ms:
                    yield bar
                begun = True

    def _played(self, low: int, high: int) -> Iterator[Moment]:
        """Quotes, trades and marks, those inside bars from the bar that holds `low` on."""
        for record in self._recording.records(low, high):
            match record:
                case Bar():
                    if record.time_ms + MINUTE_MS > low:
                        yield from inside(
                            record, seed=self._seed, symbol=self.symbol, order=self._order
                        )
                case Funding():
                    continue
                case _:
                    yield record


def _price(record: Moment) -> Decimal:
    match record:
        case Quote():
            return record.bid
        case Trade() | Mark():
            return record.price
        case MarkBar():
            return record.open
        case Depth():
            return record.bids[0][0]


def _turns(before: Moment, after: Moment) -> bool:
    """Whether the taker changed sides: the end of a sweep must stand as a last price of its own."""
    if not (isinstance(before, Trade) and isinstance(after, Trade)):
        return False
    return before.taker_side != after.taker_side


def _one_file(path: Path, tell: Tell) -> Recording:
    file = recognise(path)
    if file.kind not in MARKETS:
        raise ValueError(
            f"--market: {path.name} holds {file.kind}, which make no market; {good_for(file)}"
        )
    if file.warning:
        tell(file.warning)
    return Recording(name=path.name, symbol=file.symbol, played=[file])


def _playable(recording: Recording, symbols: Sequence[str], ticks: Mapping[str, Decimal]) -> str:
    named = recording.symbol
    if named is None and not symbols:
        raise ValueError(f"{recording.name} names no symbol; give one with --symbols")
    wanted = symbols[0] if len(symbols) == 1 else named or symbols[0]
    if wanted not in ticks:
        known = ", ".join(sorted(ticks))
        raise ValueError(f"{recording.name} holds {wanted}, which is not listed; listed: {known}")
    return wanted


def _no_records(recording: Recording, low: int | None, high: int | None) -> str:
    first = last = None
    for record in recording.records(0, sys.maxsize):
        first = record.time_ms if first is None else min(first, record.time_ms)
        last = record.time_ms if last is None else max(last, record.time_ms)
    if first is None or last is None:
        return f"{recording.name} holds no quotes, trades or bars"
    return (
        f"no records of {recording.name} between --from {iso(low)} and --to {iso(high)}; "
        f"the file runs from {iso(first)} to {iso(last)}"
    )
