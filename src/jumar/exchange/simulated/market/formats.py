"""Recorded market files: told by their first line, read line by line as a stream.

Promises to tell the format from the content, never from the name alone; to keep memory flat whatever the file's length;
and to name file and line of a row that cannot be read.

Plain, gzip or zip. What can be read: raw stream frames (`frames.py`), tables put together from recordings (`tables.py`)
and tables of Binance's public archive, with or without their header (`archived.py`; `archive.py` unpacks). Not all of
it makes a market: see `Kind`.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from decimal import InvalidOperation
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec

from jumar.exchange.simulated.market import archived, tables
from jumar.exchange.simulated.market.archive import ZIP_MAGIC, unpacked, verify
from jumar.exchange.simulated.market.frames import FRAME, read_frame
from jumar.exchange.simulated.market.records import Record
from jumar.exchange.simulated.market.tables import ReadLine
from jumar.exchange.simulated.market.weave import in_order

_GZIP_MAGIC = b"\x1f\x8b"
_FIRST_LINE_MAX = 1_000_000  # characters: a frame of a deep book is long, a file of other kind may have no line end


class Kind(StrEnum):
    """What a file is good for; the value says what it holds."""

    STREAM = "quotes and trades"
    TRADES = "trades"
    BARS = "bars of one minute"
    QUOTES = "quotes"
    MARKS = "mark prices"
    FUNDING = "funding rates"


MARKETS = frozenset({Kind.STREAM, Kind.TRADES, Kind.BARS})
"""What can be played by itself."""


@dataclass(frozen=True, slots=True)
class _Format:
    kind: Kind
    reader: Callable[[str | None], ReadLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """A file whose format is known.

    Attributes:
        symbol: the simulated symbol that its name or content speaks of (AVAXUSD_PERP and AVAXUSDC both
            stand in for AVAXUSDT); None where neither does.
        kind: what it holds.
        reader: makes, from the symbol, what turns one line after the other into what it says.
        has_header: whether the first line names the columns.
        warning: what a person should know about it, if anything.
    """

    path: Path
    symbol: str | None
    kind: Kind
    reader: Callable[[str | None], ReadLine]
    has_header: bool
    warning: str | None = None

    def records(self) -> Iterator[Record]:
        """What the file says, in its order.

        Raises:
            ValueError: a row that cannot be read, or a file that ends in the middle; names file and line.
        """
        read_line = self.reader(self.symbol)
        for number, line in _lines(self.path):
            if number == 1 and self.has_header:
                continue
            try:
                record = read_line(line)
            except (ValueError, InvalidOperation, msgspec.MsgspecError) as error:
                raise ValueError(f"{self.path.name}:{number}: {_reason(error)}") from error
            if record is not None:
                yield record

    def ordered(self) -> Iterator[Record]:
        """The same in the order of time, late by a second at most.

        Raises:
            ValueError: as above; or the file cannot be brought into that order.
        """
        return in_order(self.records, self.path.name)


def recognise(path: Path) -> RecordedFile:
    """Tell the format of the file from its first lines.

    Raises:
        ValueError: no such file, a wrong checksum, or none of the known formats; names the file and what is known.
    """
    if not path.is_file():
        raise ValueError(f"market file {path} does not exist; give a recorded file, or synthetic")
    warning = verify(path)
    first, second = _first_lines(path)
    named = _symbol_of(path.name)
    if FRAME.match(first):
        symbol = named or _symbol_of_frame(first)
        return RecordedFile(
            path=path, symbol=symbol, kind=Kind.STREAM, reader=_frames, has_header=False
        )
    bare = next((header for shape, header in archived.BARE if shape.fullmatch(first)), None)
    known = _TABLES.get(bare or first)
    if known is None:
        raise ValueError(f"{path.name}:1: unknown format {first[:80]!r}; known: {_KNOWN}")
    found = RecordedFile(
        path=path,
        symbol=named,
        kind=known.kind,
        reader=known.reader,
        has_header=bare is None,
        warning=warning,
    )
    return _of_marks(found, first if bare else second) if known is _KLINES else found


def _of_marks(file: RecordedFile, row: str) -> RecordedFile:
    """Klines of the mark price look like the contract's: the archive's folder tells them, or a price without volume.

    Raises:
        ValueError: klines of an index or a premium.
    """
    parts = file.path.parts
    for other in ("indexPriceKlines", "premiumIndexKlines"):
        if other in parts:
            raise ValueError(f"{file.path.name} holds {other}: nobody trades or marks at that")
    try:
        nobody_traded = archived.is_of_marks(row)
    except InvalidOperation:  # said with its line when it is read
        nobody_traded = False
    if "markPriceKlines" in parts or nobody_traded:
        return replace(file, kind=Kind.MARKS, reader=archived.mark_klines)
    return file


def _first_lines(path: Path) -> tuple[str, str]:
    lines = [line for _, line in islice(_lines(path), 2)]
    first, second, *_ = [*lines, "", ""]
    return first, second


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    with _open(path) as file:
        try:
            while line := file.readline(_FIRST_LINE_MAX):
                number += 1
                yield number, line.decode("utf-8", "replace").rstrip("\r\n")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path.name}:{number + 1}: broken packed data: {error}") from error


class _Readable(Protocol):
    def readline(self, size: int, /) -> bytes: ...


def _open(path: Path) -> AbstractContextManager[_Readable]:
    with path.open("rb") as file:
        begin = file.read(len(ZIP_MAGIC))
    if begin == ZIP_MAGIC:
        return unpacked(path)
    return gzip.open(path) if begin.startswith(_GZIP_MAGIC) else path.open("rb")


def _reason(error: Exception) -> str:
    return "a number is too large" if isinstance(error, InvalidOperation) else str(error)


# Symbols

_NAMED = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{2,}?)(?:USDT|USDC|USD_PERP)(?![A-Z0-9])")
_STREAM = re.compile(r'"stream":"([a-z0-9_]+)@')


def _symbol_of(text: str) -> str | None:
    """The contract that stands for a market: the dollar's other coats are read as USDT."""
    found = _NAMED.search(text)
    return f"{found[1]}USDT" if found else None


def _symbol_of_frame(line: str) -> str | None:
    found = _STREAM.search(line)
    return _symbol_of(found[1].upper()) if found else None


# Formats


def _frames(_: str | None) -> ReadLine:
    return read_frame


_KLINES = _Format(Kind.BARS, archived.klines)
_TABLES = {
    "ts_ms,recv_delay_us,trade_id,taker_side,price,qty": _Format(Kind.TRADES, tables.coin_margined),
    "agg_id,ts_us,price,qty,n_trades,buyer_is_maker": _Format(Kind.TRADES, tables.spot_aggregate),
    "kind,recv_us,transact_ms,event_ms,id,p1,q1,p2_or_m,q2_or_X": _Format(
        Kind.STREAM, tables.top_and_trades
    ),
    "open_time_ms,open,high,low,close,volume": _Format(Kind.BARS, tables.minute_bars),
    "open_time_ms,open,high,low,close,samples": _Format(Kind.MARKS, tables.mark_bars),
    "funding_time_ms,funding_rate": _Format(Kind.FUNDING, tables.funding_rates),
    archived.AGG_TRADES: _Format(Kind.TRADES, archived.agg_trades),
    archived.TRADES: _Format(Kind.TRADES, archived.trades),
    archived.BOOK_TICKER: _Format(Kind.QUOTES, archived.book_ticker),
    archived.KLINES: _KLINES,
    archived.FUNDING: _Format(Kind.FUNDING, archived.funding),
}
_KNOWN = (
    "raw stream frames, COIN-M trades, spot aggTrades, top of book with trades, 1m bars, mark prices of 5m, funding rates; "
    "of Binance's archive aggTrades, trades, bookTicker, 1m klines, markPriceKlines and fundingRate of USDⓈ-M"
)
