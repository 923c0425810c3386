"""The user stream and the market streams.

Promises events in the order of the frames, `StreamEvent` whenever the user stream goes down or comes up (there is
no replay: everything must be read again then), and that no frame is fatal: what cannot be read is counted and
logged. Routed paths since 2026-04-23 (Binance derivatives change log 2026-03-05); an unrouted socket opens and
stays silent, so that market data has a watchdog.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
import structlog

from jumar.exchange.binance import events, frames, wire
from jumar.exchange.binance.caller import Caller, Security
from jumar.exchange.binance.lanes import Lane
from jumar.exchange.binance.sockets import FirstFailure, Handlers, PersistentSocket, Reconnect
from jumar.model.errors import VenueError
from jumar.ports.clock import Clock
from jumar.ports.exchange import (
    BalanceEvent,
    ClockEvent,
    EventSink,
    OrderEvent,
    PositionEvent,
    StreamEvent,
    VenueEvent,
)

LISTEN_KEY_PATH = "/fapi/v1/listenKey"
LISTEN_KEY_GONE = -1125
KEEPALIVE_S = 20 * 60.0
"""A listen key lives 60 minutes."""

KEEPALIVE_RETRY_S = 60.0
PUBLIC_SILENCE_S = 30.0
MARKET_SILENCE_S = 10.0
"""The mark price comes every second."""

log = structlog.get_logger(__name__)


class FrameReader:
    """Turns frames into events of the wanted symbols.

    Attributes:
        unreadable: how many frames could not be read.
    """

    def __init__(self, sink: EventSink, *, symbols: Sequence[str], quote_asset: str) -> None:
        self.unreadable = 0
        self._sink = sink
        self._symbols = frozenset(symbols)
        self._quote_asset = quote_asset

    def take(self, text: str) -> frames.Message | None:
        """Hand the frame's events to the sink; returns the message, None for an unknown or unreadable one."""
        try:
            message = frames.decode_frame(text)
            found = () if message is None else events.events_of(message, self._quote_asset)
        except wire.WireError as error:
            self._count(error)
            return None
        for event in found:
            symbol = symbol_of(event)
            if symbol is None or symbol in self._symbols:
                self._sink(event)
        return message

    def _count(self, error: wire.WireError) -> None:
        self.unreadable += 1
        # At 1, 2, 4, 8 …: a venue that changed its wire must not fill the disk.
        if self.unreadable & (self.unreadable - 1) == 0:
            log.warning("frame_unreadable", error=str(error), count=self.unreadable)


def symbol_of(event: VenueEvent) -> str | None:
    """Return the symbol an event is about, None for the account."""
    match event:
        case OrderEvent() | PositionEvent():
            return event.report.symbol
        case BalanceEvent() | ClockEvent() | StreamEvent():
            return None
        case _:
            return event.symbol


class UserStream:
    """Orders, fills, positions and balance of the account, as they happen."""

    def __init__(
        self, *, url: str, caller: Caller, clock: Clock, reader: FrameReader, sink: EventSink
    ) -> None:
        self._base_url = url.rstrip("/")
        self._caller = caller
        self._clock = clock
        self._reader = reader
        self._sink = sink
        self._key = ""
        self._keepalive: asyncio.Task[None] | None = None
        handlers = Handlers(
            url=self._address, on_open=self._up, on_text=self._take, on_down=self._down
        )
        self._socket = PersistentSocket("user_stream", handlers, clock=clock)

    def start(self, session: aiohttp.ClientSession) -> None:
        """Begin to connect."""
        self._socket.start(session)
        self._keepalive = asyncio.create_task(self._keep_alive(), name="binance-keepalive")

    async def first_attempt(self) -> FirstFailure | None:
        """Wait for the end of the first attempt; None when it succeeded."""
        return await self._socket.first_attempt()

    async def close(self) -> None:
        """Close. The listen key is left to expire: deleting it would cut off every process of the account."""
        if self._keepalive is not None:
            self._keepalive.cancel()
            await asyncio.gather(self._keepalive, return_exceptions=True)
            self._keepalive = None
        await self._socket.close()

    async def _address(self) -> str:
        self._key = await self._listen_key("POST")
        return f"{self._base_url}/private/ws?listenKey={self._key}"

    async def _listen_key(self, method: str) -> str:
        # A start with an open position waits for it, and without a stream everything is asked for: no mere question.
        reply = await self._caller.call(
            method, LISTEN_KEY_PATH, {}, security=Security.KEY, lane=Lane.CANCEL
        )
        return self._caller.unwrap(reply, LISTEN_KEY_PATH, wire.ListenKey).listen_key

    async def _up(self, _: aiohttp.ClientWebSocketResponse) -> None:
        self._tell(connected=True, reason="connected")

    def _down(self, reason: str) -> None:
        self._tell(connected=False, reason=reason)

    def _tell(self, *, connected: bool, reason: str) -> None:
        now_ms = self._clock.now_ms()
        self._sink(StreamEvent(connected=connected, at_ms=now_ms, reason=reason))

    def _take(self, text: str) -> None:
        if isinstance(self._reader.take(text), frames.ListenKeyExpired):
            raise Reconnect("the listen key expired")

    async def _keep_alive(self) -> None:
        pause_s = KEEPALIVE_S
        while True:
            await self._clock.sleep(pause_s)
            pause_s = KEEPALIVE_S if await self._extend() else KEEPALIVE_RETRY_S

    async def _extend(self) -> bool:
        """Extend the key; a key that is gone or another one means that the socket hears nothing any more."""
        key = self._key
        try:
            same = await self._listen_key("PUT") == key
        except VenueError as error:
            log.warning("listen_key_not_extended", error=str(error))
            if getattr(error, "code", None) != LISTEN_KEY_GONE:
                return False
            same = False
        if not same and key == self._key:
            await self._socket.drop()
        return True


class MarketStreams:
    """Best bid and ask, mark price and last price of the symbols."""

    def __init__(
        self, *, url: str, symbols: Sequence[str], clock: Clock, reader: FrameReader
    ) -> None:
        self._reader = reader
        names = [symbol.lower() for symbol in symbols]
        book = "/".join(f"{name}@bookTicker" for name in names)
        prices = "/".join(f"{name}@markPrice@1s/{name}@aggTrade" for name in names)
        base = url.rstrip("/")
        self._sockets = (
            self._socket(
                "public_stream", f"{base}/public/stream?streams={book}", PUBLIC_SILENCE_S, clock
            ),
            self._socket(
                "market_stream", f"{base}/market/stream?streams={prices}", MARKET_SILENCE_S, clock
            ),
        )

    def start(self, session: aiohttp.ClientSession) -> None:
        """Begin to connect."""
        for socket in self._sockets:
            socket.start(session)

    async def first_attempt(self) -> FirstFailure | None:
        """Wait for the first attempts; returns the first failure, None when all succeeded."""
        failures = [await socket.first_attempt() for socket in self._sockets]
        return next((failure for failure in failures if failure is not None), None)

    async def close(self) -> None:
        """Close both."""
        await asyncio.gather(*(socket.close() for socket in self._sockets))

    def _socket(self, name: str, url: str, silence_s: float, clock: Clock) -> PersistentSocket:
        async def address() -> str:
            return url

        async def opened(_: aiohttp.ClientWebSocketResponse) -> None:
            return

        handlers = Handlers(url=address, on_open=opened, on_text=self._take, on_down=lambda _: None)
        return PersistentSocket(name, handlers, clock=clock, silence_s=silence_s)

    def _take(self, text: str) -> None:
        self._reader.take(text)
