"""One WebSocket that is always coming back.

Promises: whatever ends a connection (close, reset, silence, a handler's wish or a handler's bug) leads to a new
one after a growing pause, until `close()`, which leaves no task behind. Knows nothing of what is said on it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import structlog
from yarl import URL

from jumar.exchange.binance.rest import describe
from jumar.model.errors import VenueError
from jumar.ports.clock import Clock

CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
HEARTBEAT_S = 20.0
"""Our pings find a dead peer; the venue allows five a second (Binance "Websocket API General Info", 2026-05)."""

BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_S = 30.0
"""A connection that lived this long starts the backoff anew."""

_END = frozenset(
    {
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSMsgType.CLOSING,
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.ERROR,
    }
)
log = structlog.get_logger(__name__)


class Reconnect(Exception):  # noqa: N818 - a handler's wish, not an error
    """Raised by a handler that wants a new connection; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFailure:
    """Why the first attempt failed; `refused` when the address answered but is no such socket."""

    reason: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """What a user of the socket does.

    Attributes:
        url: the address, asked before every attempt; may raise `VenueError`.
        on_open: runs before the first frame is read; may talk and may raise `Reconnect`.
        on_text: one frame; may raise `Reconnect`.
        on_down: the connection that was open is gone.
    """

    url: Callable[[], Awaitable[str]]
    on_open: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]
    on_text: Callable[[str], None]
    on_down: Callable[[str], None]


class PersistentSocket:
    """Keeps one WebSocket open.

    Args:
        silence_s: reconnect when no data frame came for so long; None where silence is normal.
    """

    def __init__(
        self, name: str, handlers: Handlers, *, clock: Clock, silence_s: float | None = None
    ) -> None:
        self.name = name
        self._handlers = handlers
        self._clock = clock
        self._silence_s = silence_s
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[FirstFailure | None] | None = None

    @property
    def connected(self) -> bool:
        """Whether frames can be sent now, as far as this machine knows."""
        return self._ws is not None and not self._ws.closed

    def start(self, session: aiohttp.ClientSession) -> None:
        """Begin to connect."""
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(session), name=f"binance-{self.name}")

    async def first_attempt(self) -> FirstFailure | None:
        """Wait for the end of the first attempt; None when it succeeded."""
        if self._first is None:
            raise RuntimeError("start() comes first")
        return await asyncio.shield(self._first)

    async def send(self, text: str) -> None:
        """Send one frame.

        Raises:
            OSError: the socket is not open (any more).
        """
        if self._ws is None:
            raise ConnectionResetError("not connected")
        await self._ws.send_str(text)

    async def drop(self) -> None:
        """Give up the present connection; a new one follows."""
        if self._ws is not None:
            await self._ws.close()

    async def close(self) -> None:
        """Close for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._first is not None:
            self._first.cancel()
            self._first = None

    async def _run(self, session: aiohttp.ClientSession) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            reason = await self._live_once(session)
            lived_s = self._clock.monotonic() - began
            failures = 0 if lived_s >= STABLE_S else failures
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            failures += 1
            log.warning("socket_down", socket=self.name, reason=reason, retry_in_s=pause_s)
            await self._clock.sleep(pause_s)

    async def _live_once(self, session: aiohttp.ClientSession) -> str:
        try:
            ws = await self._connect(session)
        except (VenueError, aiohttp.ClientError, OSError) as error:
            # A VenueError's text is our own; a library's may carry the address and its key.
            reason = str(error) if isinstance(error, VenueError) else describe(error)
            self._settle(FirstFailure(reason=reason, refused=_is_refusal(error)))
            return reason
        reason = "closed by us"
        try:
            reason = await self._serve(ws)
        finally:
            was_open, self._ws = self._ws is not None, None
            if was_open:
                self._tell_down(reason)
            await ws.close()
        self._settle(FirstFailure(reason=reason, refused=False))
        return reason

    async def _connect(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        url = await self._handlers.url()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await session.ws_connect(
                URL(url, encoded=True),
                heartbeat=HEARTBEAT_S,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            )

    async def _serve(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        """Handle frames until the connection ends; returns why."""
        try:
            await self._handlers.on_open(ws)
            self._ws = ws
            self._settle(None)
            return await self._receive(ws)
        except Reconnect as wish:
            return str(wish)
        except TimeoutError:
            return "no frame in time"
        except (aiohttp.ClientError, OSError) as error:
            return describe(error)
        except Exception:
            # The stream must survive a bug in whoever listens: a reconnect makes the listener read everything.
            log.exception("socket_handler_failed", socket=self.name)
            return "a handler failed"

    async def _receive(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        while True:
            # Around receive(), whose own timeout starts again with every ping.
            async with asyncio.timeout(self._silence_s):
                message = await ws.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._handlers.on_text(message.data)
            elif message.type in _END:
                return f"closed with code {ws.close_code}"

    def _tell_down(self, reason: str) -> None:
        try:
            self._handlers.on_down(reason)
        except Exception:
            log.exception("socket_handler_failed", socket=self.name)

    def _settle(self, outcome: FirstFailure | None) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(outcome)


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, aiohttp.WSServerHandshakeError) and 400 <= error.status < 500
