"""Recorded market files, line by line: text in, quotes, trades or bars out.

Promises to tell the format from the first line, never from the name alone; to keep memory flat whatever
the file's length; and to name file and line of a row that it cannot read. Times leave here in
milliseconds of the *exchange's* clock (a recorder's own clock may be seconds off), quantities in base
currency. Does not know ticks, windows or steps: see recorded.py.

The formats, all plain, gzip or zip:

- raw combined-stream frames, `<local receive time in ns> <frame>`, of which bookTicker and trade are read
  and every other frame (depth, snapshots) is passed over unread;
- COIN-M trades, CSV, quantity in contracts of 10 USD (BTC: 100 USD, Binance COIN-M contract specifications);
- spot aggTrades, CSV, times in microseconds;
- top of book (kind B) and trades (kind T) in one CSV;
- bars of one minute, CSV: what happens inside a bar is for bars.py to say;
- aggTrades and 1m klines of Binance's public archive (USDⓈ-M), with or without their header (archive.py unpacks).
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Protocol

import msgspec

from jumar.exchange.simulated.market.archive import ZIP_MAGIC, unpacked, verify

BAR_MS = 60_000
"""Length of a bar."""

_GZIP_MAGIC = b"\x1f\x8b"
_YEAR_10000_MS = 253_402_300_800_000
_EIGHT_PLACES = Decimal("0.00000001")
_FIRST_LINE_MAX = 1_000_000  # characters: a frame of a deep book is long, a file of other kind may have no line end


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask at one moment of exchange time."""

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


type Record = Quote | Trade | Bar
type ReadLine = Callable[[str], Record | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """A file whose format is known.

    Attributes:
        symbol: the simulated symbol that its name or content speaks of (AVAXUSD_PERP and AVAXUSDC both
            stand in for AVAXUSDT); None where neither does.
        reader: makes, from the symbol, what turns one line after the other into what it says (None for a line
            that says nothing of quotes, trades or bars).
        has_header: whether the first line names the columns.
    """

    path: Path
    symbol: str | None
    reader: Callable[[str | None], ReadLine]
    has_header: bool

    def records(self) -> Iterator[Record]:
        """The quotes and trades, or the bars, in the file's order.

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


def recognise(path: Path) -> RecordedFile:
    """Tell the format of the file from its first line.

    Raises:
        ValueError: no such file, or none of the known formats; names the file and what is known.
    """
    if not path.is_file():
        raise ValueError(f"market file {path} does not exist; give a recorded file, or synthetic")
    verify(path)
    header = next((line for _, line in _lines(path)), "")
    named = _symbol_of(path.name)
    if _FRAME.match(header):
        symbol = named or _symbol_of_frame(header)
        return RecordedFile(path=path, symbol=symbol, reader=_frames, has_header=False)
    bare = next((each for shape, each in _HEADERLESS if shape.fullmatch(header)), None)
    if bare is not None:
        return RecordedFile(path=path, symbol=named, reader=bare, has_header=False)
    reader = _CSV.get(header)
    if reader is None:
        raise ValueError(f"{path.name}:1: unknown format {header[:80]!r}; known: {_KNOWN}")
    return RecordedFile(path=path, symbol=named, reader=reader, has_header=True)


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
    return "a field is not a number" if isinstance(error, InvalidOperation) else str(error)


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


# Fields


def _positive(text: str | Decimal, field: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{field} {text!r} is not a number") from None
    if not value.is_finite() or value <= 0:
        raise ValueError(f"{field} {text} is not a finite number above zero")
    return value


def _not_negative(text: str, field: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or value < 0:
        raise ValueError(f"{field} {text} is not a finite number of at least zero")
    return value


def _time_ms(text: str, field: str, *, per_ms: int = 1) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{field} {text!r} is not a time")
    return _moment(int(text) // per_ms, field)


def _moment(time_ms: int, field: str) -> int:
    if not 0 < time_ms < _YEAR_10000_MS:
        raise ValueError(f"{field} {time_ms} ms is not a time between 1970 and 9999")
    return time_ms


def _fields(line: str, count: int) -> list[str]:
    fields = line.split(",")
    if len(fields) != count:
        raise ValueError(f"{len(fields)} fields where {count} belong")
    return fields


def _side(text: str, field: str, *, buy: str, sell: str) -> str:
    if text == buy:
        return "BUY"
    if text == sell:
        return "SELL"
    raise ValueError(f"{field} {text!r} is neither {buy} nor {sell}")


# Raw stream frames


class _Ticker(msgspec.Struct):
    T: int
    b: Decimal
    B: Decimal
    a: Decimal
    A: Decimal


class _Trade(msgspec.Struct):
    T: int
    p: Decimal
    q: Decimal
    m: bool
    X: str = "MARKET"


class _TickerFrame(msgspec.Struct):
    data: _Ticker


class _TradeFrame(msgspec.Struct):
    data: _Trade


_FRAME = re.compile(r"\d+ \{")
_HEAD = 100  # characters in which a frame's stream name stands
_decode_ticker = msgspec.json.Decoder(_TickerFrame).decode
_decode_trade = msgspec.json.Decoder(_TradeFrame).decode


def _frames(_: str | None) -> ReadLine:
    return _read_frame


def _read_frame(line: str) -> Record | None:
    if not _FRAME.match(line):
        raise ValueError("not a frame '<local time in ns> {…}'")
    head, frame = line[:_HEAD], line[line.index(" ") + 1 :]
    if '@bookTicker"' in head:
        ticker = _decode_ticker(frame).data
        return _quote(_moment(ticker.T, "T"), ticker.b, ticker.B, ticker.a, ticker.A)
    if '@trade"' in head:
        trade = _decode_trade(frame).data
        if trade.X != "MARKET":  # insurance fund and ADL fills are no public market
            return None
        side = "SELL" if trade.m else "BUY"
        return Trade(_moment(trade.T, "T"), _positive(trade.p, "p"), _positive(trade.q, "q"), side)
    return None


def _quote(
    time_ms: int,
    bid: str | Decimal,
    bid_quantity: str | Decimal,
    ask: str | Decimal,
    ask_quantity: str | Decimal,
) -> Quote:
    quote = Quote(
        time_ms,
        _positive(bid, "bid"),
        _positive(bid_quantity, "bid quantity"),
        _positive(ask, "ask"),
        _positive(ask_quantity, "ask quantity"),
    )
    if quote.bid >= quote.ask:
        raise ValueError(f"bid {bid} is not below ask {ask}")
    return quote


# CSV


def _coin_margined(symbol: str | None) -> ReadLine:
    contract = Decimal(100 if symbol == "BTCUSDT" else 10)  # USD a contract

    def read(line: str) -> Trade:
        time, _, _, side, price_text, contracts = _fields(line, 6)
        price = _positive(price_text, "price")
        quantity = (_positive(contracts, "qty") * contract / price).quantize(_EIGHT_PLACES)
        taker = _side(side, "taker_side", buy="buy", sell="sell")
        return Trade(_time_ms(time, "ts_ms"), price, quantity, taker)

    return read


def _spot_aggregate(_: str | None) -> ReadLine:
    def read(line: str) -> Trade:
        _, time, price, quantity, _, buyer_is_maker = _fields(line, 6)
        return Trade(
            _time_ms(time, "ts_us", per_ms=1_000),
            _positive(price, "price"),
            _positive(quantity, "qty"),
            _side(buyer_is_maker, "buyer_is_maker", buy="0", sell="1"),
        )

    return read


def _archived_trades(_: str | None) -> ReadLine:
    def read(line: str) -> Trade:
        _, price, quantity, _, _, time, buyer_is_maker = _fields(line, 7)
        return Trade(
            _time_ms(time, "transact_time"),
            _positive(price, "price"),
            _positive(quantity, "quantity"),
            _side(buyer_is_maker.lower(), "is_buyer_maker", buy="false", sell="true"),
        )

    return read


def _archived_bars(symbol: str | None) -> ReadLine:
    read_bar = _minute_bars(symbol)

    def read(line: str) -> Record | None:
        return read_bar(",".join(_fields(line, 12)[:6]))

    return read


def _minute_bars(_: str | None) -> ReadLine:
    before: list[int] = []  # when the bars above open

    def read(line: str) -> Bar:
        time, *prices, volume = _fields(line, 6)
        time_ms = _time_ms(time, "open_time_ms")
        _follows(before, time_ms)
        before[:] = [*before[-1:], time_ms]
        opened, high, low, close = map(_positive, prices, ("open", "high", "low", "close"))
        if not low <= min(opened, close) <= max(opened, close) <= high:
            raise ValueError(f"open {opened} and close {close} are not between {low} and {high}")
        return Bar(time_ms, opened, high, low, close, _not_negative(volume, "volume"))

    return read


def _follows(before: list[int], time_ms: int) -> None:
    """Minutes may be missing further down; the first two rows must be neighbours, which tells a bar's length."""
    if time_ms % BAR_MS:
        raise ValueError(f"open_time_ms {time_ms} is not a whole minute")
    if before and time_ms <= before[-1]:
        raise ValueError(f"open_time_ms {time_ms} is not after {before[-1]}, the bar above")
    if len(before) == 1 and time_ms - before[0] != BAR_MS:
        seconds = (time_ms - before[0]) // 1_000
        raise ValueError(f"bars of {seconds} s; only bars of one minute (1m) are played")


def _top_and_trades(_: str | None) -> ReadLine:
    def read(line: str) -> Record:
        kind, _, time, _, _, p1, q1, third, fourth = _fields(line, 9)
        time_ms = _time_ms(time, "transact_ms")
        if kind == "B":
            return _quote(time_ms, p1, q1, third, fourth)
        if kind == "T":
            side = _side(third, "p2_or_m", buy="0", sell="1")
            return Trade(time_ms, _positive(p1, "p1"), _positive(q1, "q1"), side)
        raise ValueError(f"kind {kind!r} is neither B nor T")

    return read


_KNOWN = "raw stream frames, COIN-M trades, spot aggTrades, top of book with trades, 1m bars, archived aggTrades and 1m klines"
_CSV: dict[str, Callable[[str | None], ReadLine]] = {
    "ts_ms,recv_delay_us,trade_id,taker_side,price,qty": _coin_margined,
    "agg_id,ts_us,price,qty,n_trades,buyer_is_maker": _spot_aggregate,
    "kind,recv_us,transact_ms,event_ms,id,p1,q1,p2_or_m,q2_or_X": _top_and_trades,
    "open_time_ms,open,high,low,close,volume": _minute_bars,
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker": _archived_trades,
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore": (
        _archived_bars
    ),
}
# The archive's older files begin with their first row.
_HEADERLESS = (
    (re.compile(r"\d+(?:,[\d.]+){2}(?:,\d+){2},\d{13},(?i:true|false)"), _archived_trades),
    (re.compile(r"\d{13}(?:,[\d.]+){5},\d{13}(?:,[\d.]+){5}"), _archived_bars),
)
