"""What was recorded of one symbol, put together from its files: records in the order of the exchange's time.

Promises that every file is a stream: of each no more than a record is held, whatever its length. A file of the archive
that lies outside the window by the date in its name is not opened. Knows no tick and no order.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import merge
from pathlib import Path

from jumar.exchange.simulated.market.formats import RecordedFile
from jumar.exchange.simulated.market.records import MINUTE_MS, Funding, MarkBar, Quote, Record

_ARCHIVED = re.compile(r"(?P<symbol>[A-Z0-9]+)-(?P<kind>\w+)-(?P<date>\d{4}-\d\d(-\d\d)?)\.\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What the name of a file in Binance's archive says.

    Attributes:
        kind: `aggTrades`, `bookTicker`, …; of klines the interval, `1m`.
        date: a day, `2026-11-01`, or a month, `2026-11`.
        begin_ms, end_ms: the time that it covers.
    """

    symbol: str
    kind: str
    date: str
    begin_ms: int
    end_ms: int


def name_of(path: Path) -> Name | None:
    """Read the name of a file of the archive; None for any other."""
    found = _ARCHIVED.fullmatch(path.name)
    if found is None:
        return None
    is_day = len(found["date"]) == 10
    try:
        begin = datetime.fromisoformat(found["date"] if is_day else f"{found['date']}-01")
    except ValueError:
        return None
    end = begin + timedelta(days=1) if is_day else (begin + timedelta(days=31)).replace(day=1)
    begin_ms, end_ms = (round(at.replace(tzinfo=UTC).timestamp() * 1_000) for at in (begin, end))
    return Name(
        symbol=found["symbol"],
        kind=found["kind"],
        date=found["date"],
        begin_ms=begin_ms,
        end_ms=end_ms,
    )


class FundingRates:
    """Recorded funding rates: which one is the next at a moment."""

    def __init__(self, records: Iterable[Funding]) -> None:
        """Take them all; the exchange reckons some milliseconds after a rate is due, so the full minute counts."""
        rates = sorted((each.time_ms // MINUTE_MS * MINUTE_MS, each.rate) for each in records)
        self._times = [at_ms for at_ms, _ in rates]
        self._rates = [rate for _, rate in rates]

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """The times of the first and the last one."""
        return (self._times[0], self._times[-1]) if self._times else None

    def next_at(self, at_ms: int) -> Decimal | None:
        """The rate of the first funding after a moment; None after the last and where eight hours hold none."""
        place = bisect_right(self._times, at_ms)
        if place == len(self._times) or self._times[place] - at_ms > 8 * 60 * MINUTE_MS:
            return None
        return self._rates[place]


def rates_of(files: Sequence[RecordedFile]) -> FundingRates:
    """The funding rates of some files.

    Raises:
        ValueError: a row cannot be read; names file and line.
    """
    records = (record for file in files for record in file.records())
    return FundingRates(each for each in records if isinstance(each, Funding))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The files of one symbol.

    Attributes:
        name: for messages.
        symbol: None where the files name none.
        played: trades, bars, or quotes and trades, one file after the other.
        quotes, marks: beside them; may be empty.
        rates: of funding, where they are known.
    """

    name: str
    symbol: str | None
    played: Sequence[RecordedFile]
    quotes: Sequence[RecordedFile] = ()
    marks: Sequence[RecordedFile] = ()
    rates: FundingRates | None = None

    def records(self, from_ms: int, to_ms: int) -> Iterator[Record]:
        """Everything from one moment on, as far as the files' names tell, and not far beyond another.

        Records of one millisecond come in the order mark, trade, quote: a quote is what the trades left. The end of
        what is played is the end of all: nobody trades on marks or quotes alone.

        Raises:
            ValueError: a row that cannot be read; names file and line.
        """
        if not self.marks and not self.quotes:
            yield from _lane(self.played, from_ms, to_ms, alone=True)
            return
        played = _Lane(_lane(self.played, from_ms, to_ms))
        beside = (_lane(files, from_ms, to_ms) for files in (self.marks, self.quotes))
        for record in merge(played, *beside, key=_place):
            if played.over:
                return
            yield record

    def last_played(self, from_ms: int, to_ms: int) -> Iterator[Record]:
        """What is played of the last file that has anything between two moments: enough to know when it all ends.

        Raises:
            ValueError: a row that cannot be read; names file and line.
        """
        for file in reversed(self.played):
            records = _lane([file], from_ms, to_ms, alone=True)
            reaches = (each for each in records if from_ms - MINUTE_MS < each.time_ms < to_ms)
            first = next(reaches, None)
            if first is not None:
                yield first
                yield from records
                return

    def funding_at(self, at_ms: int) -> Decimal | None:
        """The rate of the next funding at a moment; None where it is not known."""
        return None if self.rates is None else self.rates.next_at(at_ms)


class _Lane:
    """Records, and whether there are no more of them."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self.over = False

    def __iter__(self) -> Iterator[Record]:
        yield from self._records
        self.over = True


def _lane(
    files: Sequence[RecordedFile], from_ms: int, to_ms: int, *, alone: bool = False
) -> Iterator[Record]:
    for file in files:
        named = name_of(file.path)
        if named is None or (named.begin_ms < to_ms and named.end_ms > from_ms):
            yield from file.records() if alone else file.ordered()


def _place(record: Record) -> tuple[int, int]:
    rank = 0 if isinstance(record, MarkBar) else 2 if isinstance(record, Quote) else 1
    return record.time_ms, rank
