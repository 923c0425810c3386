"""The present of the real market, from Binance's public streams: the book's best levels, trades, mark price and funding rate.

Promises that no price is invented: every step is what a frame said, and while no frames come the market stands still and
it is said so, once for each silence, as is its end. Whatever ends a connection leads to a new one after a growing pause.
Only prices are read, no key is used. Knows no order: what is filled here moved nothing there.

Streams as in Binance's documents of USDⓈ-M futures, "WebSocket Market Streams": `@bookTicker` and `@depth20@100ms` on `/public`,
`@aggTrade` and `@markPrice@1s` on `/market`, combined (`{"stream", "data"}`).
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import aiohttp
import msgspec

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market.book import Book
from jumar.exchange.simulated.market.fields import moment, positive, quote
from jumar.exchange.simulated.market.records import Depth, Mark, Moment, Quote, Trade
from jumar.ports.clock import Clock

STREAMS_URL = "wss://fstream.binance.com"
_STREAMS = {"public": ("bookTicker", "depth20@100ms"), "market": ("aggTrade", "markPrice@1s")}
BEGIN_S = 10.0
"""So long every symbol may take to have its first prices."""
SILENCE_S = 10.0
"""A connection without a frame for so long is given up: quotes change many times a second, marks come every second."""
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_CONNECT_S = 10.0
_HEARTBEAT_S = 20.0


class NoPricesError(Exception):
    """The real market cannot be reached, or did not say enough to begin with."""


class _BookTicker(msgspec.Struct, tag_field="e", tag="bookTicker"):
    T: int
    s: str
    b: Decimal
    B: Decimal
    a: Decimal
    A: Decimal

    def record(self) -> Moment:
        return quote(moment(self.T, "T"), self.b, self.B, self.a, self.A)


class _Depth(msgspec.Struct, tag_field="e", tag="depthUpdate"):
    T: int
    s: str
    b: tuple[tuple[Decimal, Decimal], ...]
    a: tuple[tuple[Decimal, Decimal], ...]

    def record(self) -> Moment:
        bids, asks = (
            tuple((positive(price, "price"), positive(size, "quantity")) for price, size in side)
            for side in (self.b, self.a)
        )
        return Depth(moment(self.T, "T"), bids, asks)


class _AggTrade(msgspec.Struct, tag_field="e", tag="aggTrade"):
    T: int
    s: str
    p: Decimal
    q: Decimal
    m: bool

    def record(self) -> Moment:
        taker = "SELL" if self.m else "BUY"
        return Trade(moment(self.T, "T"), positive(self.p, "p"), positive(self.q, "q"), taker)


class _MarkPrice(msgspec.Struct, tag_field="e", tag="markPriceUpdate"):
    E: int
    s: str
    p: Decimal
    r: Decimal

    def record(self) -> Moment:
        return Mark(moment(self.E, "E"), positive(self.p, "p"), self.r)


class _Frame(msgspec.Struct):
    data: _BookTicker | _Depth | _AggTrade | _MarkPrice


_decode = msgspec.json.Decoder(_Frame).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How to reach the real market.

    Attributes:
        url: where its streams are, without a path.
        silence_s: how long a connection may say nothing.
        tell: hears that prices ceased, and that they came again.
    """

    clock: Clock
    tell: Callable[[str], None]
    url: str = STREAMS_URL
    silence_s: float = SILENCE_S

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            ValueError: names the option and the fix.
        """
        if not self.url.startswith(("ws://", "wss://")):
            raise ValueError(
                f"--live-url: {self.url!r} is no stream address; it begins with wss://"
            )


class LiveMarket:
    """The market of some symbols as it is now. `begin`, then `follow`; `close` in the end."""

    def __init__(
        self, symbols: Sequence[str], *, tick_sizes: Mapping[str, Decimal], link: Link
    ) -> None:
        self._link = link
        self._symbols = {
            symbol: _Symbol(symbol, tick_size=tick_sizes[symbol]) for symbol in symbols
        }
        self._ready = asyncio.Event()
        self._apply: Callable[[MarketStep], None] | None = None
        self._lines: list[_Line] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in the order they were given."""
        return tuple(self._symbols)

    @property
    def silent_s(self) -> dict[str, float]:
        """For how many seconds which streams have said nothing usable; empty while all is well."""
        now_s = self._link.clock.monotonic()
        lost = {line.part: line.lost_s for line in self._lines}
        return {part: round(now_s - at_s, 1) for part, at_s in lost.items() if at_s is not None}

    def steps(self) -> Iterator[MarketStep]:
        """The present of each symbol, then the end: what follows is applied as it comes."""
        known = (symbol.latest for symbol in self._symbols.values())
        yield from [step for step in known if step is not None]

    async def begin(self) -> None:
        """Connect, and wait until every symbol has a quote and a mark price.

        Raises:
            NoPricesError: that took too long; names the address.
        """
        names = [symbol.lower() for symbol in self._symbols]
        for part, streams in _STREAMS.items():
            wanted = "/".join(f"{name}@{stream}" for name in names for stream in streams)
            line = _Line(part, f"{self._link.url.rstrip('/')}/{part}/stream?streams={wanted}")
            self._lines.append(line)
            self._tasks.append(asyncio.create_task(self._listen(line)))
        try:
            async with asyncio.timeout(BEGIN_S):
                await self._ready.wait()
        except TimeoutError:
            await self.close()
            missing = ", ".join(name for name, each in self._symbols.items() if not each.latest)
            raise NoPricesError(
                f"no prices of {missing} from {self._link.url} within {BEGIN_S:g} s; is there internet?"
            ) from None

    async def follow(self, apply: Callable[[MarketStep], None]) -> None:
        """Apply every further step, for ever."""
        self._apply = apply
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Leave no task and no connection behind."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, line: "_Line") -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
        failures = 0
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            while True:
                heard = line.heard
                why = await self._hear(session, line)
                self._lost(line, why)
                failures = 0 if line.heard != heard else failures + 1
                await self._link.clock.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])

    async def _hear(self, session: aiohttp.ClientSession, line: "_Line") -> str:
        """One connection from its beginning to its end; why it ended."""
        connecting = session.ws_connect(line.url, heartbeat=_HEARTBEAT_S)
        try:
            socket = await asyncio.wait_for(connecting, _CONNECT_S)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return str(error) or f"no answer within {_CONNECT_S:g} s"
        async with socket:
            while True:
                try:
                    frame = await socket.receive(timeout=self._link.silence_s)
                except TimeoutError:
                    return f"nothing was said for {self._link.silence_s:g} s"
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    return f"the connection was closed ({socket.close_code or frame.type.name})"
                try:
                    data = _decode(frame.data).data
                    record = data.record()
                except (ValueError, msgspec.MsgspecError) as error:
                    return f"a frame cannot be read: {error}"
                self._take(data.s, record)
                self._heard(line)

    def _take(self, name: str, record: Moment) -> None:
        symbol = self._symbols.get(name)
        if symbol is None:
            return
        step = symbol.take(record)
        if step is not None and self._apply is not None:
            self._apply(step)
        if not self._ready.is_set() and all(each.latest for each in self._symbols.values()):
            self._ready.set()

    def _heard(self, line: "_Line") -> None:
        line.heard += 1
        if line.lost_s is not None:
            seconds = self._link.clock.monotonic() - line.lost_s
            line.lost_s = None
            self._link.tell(
                f"live market: {line.part} prices have come again after {seconds:.1f} s"
            )

    def _lost(self, line: "_Line", why: str) -> None:
        if line.lost_s is None:
            line.lost_s = self._link.clock.monotonic()
            self._link.tell(
                f"live market: no {line.part} prices from {self._link.url}: {why}; "
                "the market stands still until they come"
            )


class _Line:
    """One connection: its address, how much was heard, since when it is lost."""

    def __init__(self, part: str, url: str) -> None:
        self.part = part
        self.url = url
        self.heard = 0
        self.lost_s: float | None = None


class _Symbol:
    """What is known of one symbol; a market once it has a quote and a mark price."""

    def __init__(self, symbol: str, *, tick_size: Decimal) -> None:
        self.latest: MarketStep | None = None
        self._symbol = symbol
        self._tick_size = tick_size
        self._waiting: list[Moment] = []
        self._book: Book | None = None
        self._begin_ms = 0
        self._now_ms = 0

    def take(self, record: Moment) -> MarketStep | None:
        """The market after one more record; None until it is one."""
        self._now_ms = max(self._now_ms, record.time_ms)
        if self._book is None:
            self._waiting.append(record)
            price = next((each.bid for each in self._waiting if isinstance(each, Quote)), None)
            if price is None or not any(isinstance(each, Mark) for each in self._waiting):
                return None
            self._book = Book(self._symbol, self._tick_size, price)
            self._begin_ms = self._now_ms
            run, self._waiting = self._waiting, []
        else:
            run = [record]
        self.latest = self._book.step(self._now_ms, self._now_ms - self._begin_ms, run)
        return self.latest
