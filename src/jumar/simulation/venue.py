"""The exchange in process: the simulated exchange's core with its market, and the port on it for one life of an engine.

Nothing of the core is left out or replaced: requests are the adapter's own, answers and frames are the JSON that the
server would send, and both are read by the adapter's own translation. What is missing are sockets and signatures.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any

import msgspec

from jumar.exchange.binance.account import BinanceAccount
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.streams import FrameReader
from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.market import MarketSource, MarketStep
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.exchange.simulated.core.shelf import Packer
from jumar.exchange.simulated.server.auth import Gate
from jumar.exchange.simulated.server.config import BALANCE
from jumar.exchange.simulated.server.feed import MarketFeed
from jumar.exchange.simulated.server.gateway import Gateway
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.exchange.simulated.server.pacer import Pacer
from jumar.exchange.simulated.server.packing import InMemory
from jumar.ports.clock import Clock
from jumar.ports.exchange import EventSink, StreamEvent
from jumar.simulation.line import Ear, Line, Request, Weather
from jumar.simulation.loop import Life, VirtualLoop

RECV_WINDOW_MS = 3000
RECONNECT_S = 0.25


class Venue:
    """One simulated exchange in virtual time.

    Attributes:
        core: the exchange itself: ledger, orders, market.
        weather: what befalls everything that is sent; may be replaced at any time.
    """

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        clock: Clock,
        market: MarketSource,
        weather: Weather,
        speed: float = 1.0,
        readings: Readings = DEFAULT_READINGS,
        pack: Packer | None = None,
    ) -> None:
        self.weather = weather
        self.clock = clock
        self.core = Exchange(
            symbols=market.symbols,
            balance=BALANCE,
            account="simulated",
            now_ms=clock.now_ms(),
            readings=readings,
            pack=InMemory() if pack is None else pack,
        )
        self._loop = loop
        self._ears: list[Ear] = []
        self._private: list[Ear] = []
        self._feed = MarketFeed(self.core, self, clock)
        self._pacer = Pacer(market, self._advance, clock, speed)
        self._gateway = Gateway(self.core, Gate({}), ListenKeys(str), clock)
        self._listeners: list[Callable[[MarketStep], None]] = []
        self.core.subscribe(self._publish_user)

    def open(self) -> None:
        """Give every symbol its first price, and let time and market go on.

        Raises:
            ValueError: the market has no beginning for a symbol.
        """
        self._pacer.prime()
        self.core.serving(on=True, now_ms=self.clock.now_ms())
        for work in (self._pacer.run(), self._pacer.repeat(), self._feed.run()):
            # What it raises must be heard: a market that stands still looks like a quiet one.
            self._loop.create_task(work).add_done_callback(asyncio.Task.result)

    def on_step(self, listener: Callable[[MarketStep], None]) -> None:
        """Have a listener hear every further step of the market, after the exchange has worked on it."""
        self._listeners.append(listener)

    def set_market(self, step: MarketStep) -> None:
        """Make a step the present, beside the path; what follows from it belongs to the world, whoever asks."""
        Context().run(self._pacer.apply, step)

    def execute(self, request: Request) -> Reply:
        """Execute one request now; its receive window counts, signatures are taken as right."""
        return self._gateway.answer(
            request.method, request.path, request.params, api_key=None, payload=None
        )

    def connect(self, ears: Sequence[Ear], private: Ear | None = None) -> None:
        """Add the stream connections of one life; whoever has no key has no private one."""
        self._ears = [*(ear for ear in self._ears if ear.listens), *ears]
        if private is not None:
            self._private = [*(ear for ear in self._private if ear.listens), private]

    # what the market feed asks of its hub

    def wanted(self, stream: str) -> bool:  # noqa: ARG002 - whoever listens hears all
        """Whether anybody hears market streams."""
        return bool(self._ears)

    def publish(self, stream: str, event: dict[str, Any]) -> None:
        """Send a market event to all who hear the stream."""
        if self._ears:
            frame = f'{{"stream":"{stream}","data":{msgspec.json.encode(event).decode()}}}'
            for ear in self._ears:
                ear.tell(event["e"], frame)

    def _publish_user(self, event: dict[str, Any]) -> None:
        if self._private:
            frame = msgspec.json.encode(event).decode()
            for ear in self._private:
                ear.tell(event["e"], frame)

    def _advance(self, step: MarketStep) -> None:
        self.core.advance(step, self.clock.now_ms())
        self._feed.stepped(step)
        for listener in self._listeners:
            listener(step)


class InProcessExchange(BinanceAccount):
    """The exchange port of one life; satisfies `jumar.ports.exchange.Exchange`.

    Args:
        venue: the exchange.
        life: whose port it is.
        clock: the engine's.
        reach: told of every send, see `Line`.
    """

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        venue: Venue,
        life: Life,
        clock: Clock,
        reach: Callable[[Life, str], None],
    ) -> None:
        self._loop = loop
        self._venue = venue
        self._life = life
        self._sink: EventSink | None = None
        self._reader: FrameReader | None = None
        self._market: Ear | None = None
        self._user: Ear | None = None
        counters = Budget()
        line = Line(
            loop=loop,
            life=life,
            clock=clock,
            execute=venue.execute,
            weather=lambda: venue.weather,
            reach=reach,
            on_code=self._on_code,
            counters=counters,
            recv_window_ms=RECV_WINDOW_MS,
        )
        super().__init__(
            caller=line, socket=line, clock=clock, quote_asset="USDT", counters=counters
        )

    async def start(self, symbols: Sequence[str], sink: EventSink) -> None:
        """Measure the clock, load instruments, open the streams; raises as the port says."""
        await self._learn(symbols)
        self._sink = sink
        self._reader = FrameReader(sink, symbols=self._symbols, quote_asset=self._quote_asset)
        self._time.start()
        self._open_streams()

    async def close(self) -> None:
        """Hear nothing any more; leaves all orders as they are."""
        self._cut()
        self._reader = None  # a stream that is on its way back finds nobody
        await self._time.close()

    def drop_streams(self, reason: str, away_s: float = RECONNECT_S) -> None:
        """Have the streams break and come back, as the world does to them."""
        if self._sink is None or self._user is None or not self._user.connected:
            return
        self._cut()
        self._tell(connected=False, reason=reason)
        self._loop.call_for(self._life, away_s, self._open_streams)

    def _open_streams(self) -> None:
        if self._reader is None:
            return
        self._market, self._user = self._ear(private=False), self._ear(private=True)
        self._venue.connect([self._market], self._user)
        self._tell(connected=True, reason="connected")

    def _ear(self, *, private: bool) -> Ear:
        if self._reader is None:
            raise RuntimeError("start() comes first")
        return Ear(
            loop=self._loop,
            life=self._life,
            hear=self._reader.take,
            private=private,
            weather=lambda: self._venue.weather,
        )

    def _cut(self) -> None:
        for ear in (self._market, self._user):
            if ear is not None:
                ear.cut()

    def _tell(self, *, connected: bool, reason: str) -> None:
        if self._sink is not None:
            now_ms = self._clock.now_ms()
            self._sink(StreamEvent(connected=connected, at_ms=now_ms, reason=reason))
