"""A server on loopback that plays the answers it is told and keeps what it was asked.

It knows nothing of the exchange: no orders, no positions. Beside it the clock and the listener that the adapter's
tests share. Waiting is always for a state, with a limit.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from tests.unit.binance import samples

from jumar.exchange.binance import Credentials, Endpoints
from jumar.ports.clock import SystemClock
from jumar.ports.exchange import ClockEvent, VenueEvent

PATIENCE_S = 10.0
LONG_S = 15.0
KEYS = Credentials(key="the-visible-key", secret="the-hidden-secret")
TIME = "/fapi/v1/time"
ORDER = "/fapi/v1/order"
LISTEN_KEY = "/fapi/v1/listenKey"
SOCKET_API = "/ws-fapi/v1"
PRIVATE = "/private/ws"
PUBLIC = "/public/stream"
MARKET = "/market/stream"

type Reply = Mapping[str, Any] | list[Any] | web.Response
type Handler = Callable[["Asked"], Reply]
type Frame = dict[str, Any]


class Reset(Exception):  # noqa: N818 - a wish, not an error
    """Raised by a handler: break the connection without an answer."""


class Silence(Exception):  # noqa: N818 - a wish, not an error
    """Raised by a handler: never answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One HTTP request as it came."""

    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]


class Signal:
    """Lets a test wait until something became true."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Something changed."""
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds, looking at every change."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


class Listener(Signal):
    """A sink that keeps the events; measurements of the clock, which come at any time, apart."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[VenueEvent] = []
        self.measured: list[ClockEvent] = []

    def __call__(self, event: VenueEvent) -> None:
        """Keep one event."""
        if isinstance(event, ClockEvent):
            self.measured.append(event)
            return
        self.events.append(event)
        self.notify()


class PatientClock(SystemClock):
    """The machine's clock whose short waits take no time and whose long ones end on `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.offset_ms = 0
        self.slept: list[float] = []
        self.changed = Signal()
        self._released = asyncio.Event()

    def set_offset(self, offset_ms: int) -> None:
        """Keep the offset where a test can see it."""
        self.offset_ms = offset_ms
        self.changed.notify()
        super().set_offset(offset_ms)

    async def sleep(self, seconds: float) -> None:
        """Wait for a release when the wait is long, for a turn of the loop when it is short."""
        self.slept.append(seconds)
        self.changed.notify()
        if seconds < LONG_S:
            await asyncio.sleep(0)
            return
        await self._released.wait()
        self._released.clear()

    def release(self) -> None:
        """End one long wait."""
        self._released.set()


def error(status: int, code: int, msg: str = "text", **headers: str) -> web.Response:
    """Return a refusal in the venue's form."""
    return web.json_response({"code": code, "msg": msg}, status=status, headers=headers)


@dataclass(eq=False)
class Venue(Signal):
    """The server; routes and frame handlers may be replaced at any time."""

    routes: dict[tuple[str, str], Handler] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    sockets: dict[str, list[web.WebSocketResponse]] = field(default_factory=dict)
    on_frame: Callable[[Frame], Frame | None] = lambda _: None
    port: int = 0
    answers_pings: bool = True

    def __post_init__(self) -> None:
        """Begin without a change to wait for."""
        super().__init__()

    @property
    def endpoints(self) -> Endpoints:
        """Where it answers."""
        return Endpoints(
            rest_url=f"http://127.0.0.1:{self.port}",
            stream_url=f"ws://127.0.0.1:{self.port}",
            ws_api_url=f"ws://127.0.0.1:{self.port}{SOCKET_API}",
        )

    def route(self, method: str, path: str, reply: Reply | Handler) -> None:
        """Answer one kind of request from now on."""
        self.routes[method, path] = reply if callable(reply) else lambda _: reply

    def requests(self, method: str, path: str) -> list[Asked]:
        """Return what was asked of one route."""
        return [one for one in self.asked if (one.method, one.path) == (method, path)]

    def opened(self, path: str) -> list[web.WebSocketResponse]:
        """Return the sockets ever opened on a path."""
        return self.sockets.get(path, [])

    async def push(self, path: str, frame: Any) -> None:
        """Send one frame on the newest socket of a path, as text when it is text already."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.opened(path)[-1].send_str(text)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one request."""
        asked = Asked(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            raw_query=request.rel_url.raw_query_string,
            headers=dict(request.headers),
        )
        self.asked.append(asked)
        self.notify()
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, asked)
        return await self._plain(request, asked)

    async def _plain(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        handler = self.routes.get((asked.method, asked.path))
        try:
            reply = web.Response(status=404, text="<html>") if handler is None else handler(asked)
        except Reset:
            _abort(request)
            return web.Response()
        except Silence:
            await asyncio.Event().wait()
            raise
        return reply if isinstance(reply, web.Response) else web.json_response(reply)

    async def _socket(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        handler = self.routes.get(("WS", asked.path))
        if handler is not None:
            reply = handler(asked)
            if isinstance(reply, web.Response):
                return reply
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        self.sockets.setdefault(asked.path, []).append(socket)
        self.notify()
        async for message in socket:
            if message.type is WSMsgType.PING:
                continue  # only where it is not to be answered
            if message.type is not WSMsgType.TEXT:
                break
            frame = json.loads(message.data)
            self.frames.append(frame)
            self.notify()
            try:
                answer = self.on_frame(frame)
            except Reset:
                _abort(request)
                break
            if answer is not None:
                await socket.send_json(answer)
        return socket


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


@asynccontextmanager
async def serve() -> AsyncIterator[Venue]:
    """Run a server that answers what a start asks."""
    venue = Venue()
    clock = SystemClock()
    venue.route("GET", TIME, lambda _: {"serverTime": clock.now_ms()})
    venue.route("GET", "/fapi/v1/exchangeInfo", {"symbols": [samples.SYMBOL_INFO]})
    venue.route("GET", "/fapi/v1/leverageBracket", [samples.BRACKETS])
    venue.route("GET", "/fapi/v1/commissionRate", samples.COMMISSION)
    venue.route("GET", "/fapi/v1/accountConfig", samples.ACCOUNT_CONFIG)
    venue.route("POST", LISTEN_KEY, {"listenKey": "first"})
    venue.route("PUT", LISTEN_KEY, {"listenKey": "first"})
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", venue.handle)
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        venue.port = runner.addresses[0][1]
        yield venue
    finally:
        await runner.cleanup()
