"""Orders over one persistent socket: requests with ids, answers matched by id.

Promises: a request is sent once or not at all. Not connected beforehand = not sent, and the caller is told so;
lost after the send = no answer, which proves nothing. A socket that left a request unanswered takes no other. Source: Binance USDⓈ-M "Websocket API General Info" (2026-05).
"""

import asyncio
from collections.abc import Callable

import aiohttp
import msgspec
import structlog

from jumar.exchange.binance import wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.lanes import SOCKET_OPENED, Lane, socket_cost_of
from jumar.exchange.binance.outcomes import Answer, NoAnswer, Reply
from jumar.exchange.binance.rest import describe
from jumar.exchange.binance.signing import Params, Signer
from jumar.exchange.binance.sockets import FirstFailure, Handlers, PersistentSocket, Reconnect
from jumar.model.errors import VenueUnavailable
from jumar.ports.clock import Clock

LOGON_TIMEOUT_S = 5.0
log = structlog.get_logger(__name__)


class WsApi:
    """The WebSocket API of one account."""

    def __init__(
        self,
        *,
        url: str,
        signer: Signer,
        clock: Clock,
        recv_window_ms: int,
        budget: Budget,
        on_code: Callable[[int], None],
    ) -> None:
        self._url = url
        self._signer = signer
        self._clock = clock
        self._recv_window_ms = recv_window_ms
        self._budget = budget
        self._on_code = on_code
        self._pending: dict[str, asyncio.Future[Reply]] = {}
        self._sent = 0
        self._logged_on = False
        self._draining = False
        self._dropping: asyncio.Task[None] | None = None
        handlers = Handlers(
            url=self._address, on_open=self._open, on_text=self._take, on_down=self._lost
        )
        self._socket = PersistentSocket("ws_api", handlers, clock=clock)

    @property
    def connected(self) -> bool:
        """Whether a request would be sent here."""
        return self._socket.connected and not self._draining

    def start(self, session: aiohttp.ClientSession) -> None:
        """Begin to connect."""
        self._socket.start(session)

    async def first_attempt(self) -> FirstFailure | None:
        """Wait for the end of the first attempt; None when it succeeded."""
        return await self._socket.first_attempt()

    async def close(self) -> None:
        """Close; what waits for an answer learns that none comes."""
        await self._socket.close()
        if self._dropping is not None:
            await asyncio.gather(self._dropping, return_exceptions=True)
            self._dropping = None

    async def request(
        self, method: str, params: Params, *, timestamp_ms: int, timeout_ms: int, lane: Lane
    ) -> Reply | None:
        """Send one request once and wait for its answer; None when this socket cannot take it.

        Where its lane has no room it is not sent, and must not go another way either (W-4).
        """
        if not self.connected:
            return None
        kept_back = self._budget.admit(lane, socket_cost_of(method), self._clock.now_ms())
        if kept_back is not None:
            return kept_back
        identity = self._next_id()
        frame = self._frame(identity, method, params, timestamp_ms)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[identity] = answer
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._socket.send(frame)
                return await answer
        except TimeoutError:
            self._give_up()
            return NoAnswer(reason=f"no answer within {timeout_ms} ms")
        except (aiohttp.ClientError, OSError) as error:
            return NoAnswer(reason=f"socket lost while sending: {describe(error)}")
        finally:
            self._pending.pop(identity, None)

    def _give_up(self) -> None:
        """Leave a socket that may be dead: pings take half a minute to find out, a stop cannot wait for that."""
        self._draining = True
        if self._dropping is None or self._dropping.done():
            self._dropping = asyncio.create_task(self._socket.drop(), name="binance-ws-api-drop")

    def _frame(self, identity: str, method: str, params: Params, timestamp_ms: int) -> str:
        full = {**params, "recvWindow": self._recv_window_ms, "timestamp": timestamp_ms}
        body = full if self._logged_on else self._signer.signed_frame(full)
        return _encode({"id": identity, "method": method, "params": body})

    def _next_id(self) -> str:
        self._sent += 1
        return str(self._sent)

    async def _address(self) -> str:
        """A handshake is a request like any other: a banned address that goes on knocking is banned for longer."""
        kept_back = self._budget.admit(Lane.EXIT, SOCKET_OPENED, self._clock.now_ms())
        if kept_back is not None:
            raise VenueUnavailable(
                f"not sent: {kept_back.reason}", retry_after_s=kept_back.retry_after_s
            )
        return self._url

    async def _open(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Authenticate the session where the key's kind allows it; else every request is signed."""
        self._logged_on = self._draining = False
        if not self._signer.can_log_on:
            return
        identity = self._next_id()
        params = self._signer.signed_frame({"timestamp": self._clock.now_ms()})
        await ws.send_str(_encode({"id": identity, "method": "session.logon", "params": params}))
        async with asyncio.timeout(LOGON_TIMEOUT_S):
            message = await ws.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise Reconnect("closed during session.logon")
        answer = _read(message.data)
        self._logged_on = answer is not None and answer.id == identity and answer.status == 200
        if not self._logged_on:
            log.warning("ws_api_logon_refused", status=answer.status if answer else None)

    def _take(self, text: str) -> None:
        answer = _read(text)
        if answer is None:
            return
        self._budget.read_rate_limits(answer.rate_limits, self._clock.now_ms())
        reply = Answer(status=answer.status, body=bytes(answer.result) or bytes(answer.error))
        error = None if reply.succeeded else reply.error()
        if error is not None:
            self._on_code(error.code)
        self._budget.heard(answer.status, error, self._clock.now_ms())
        self._deliver(answer, reply)
        if answer.event:
            # The venue announces that it will close: what comes next goes over REST until a new socket is up.
            self._draining = True
        if self._draining and not self._pending:
            raise Reconnect("the venue is about to close the connection")

    def _deliver(self, answer: wire.ApiAnswer, reply: Answer) -> None:
        waiting = self._pending.pop(str(answer.id), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)
        elif answer.id is None and not answer.event:
            log.warning("ws_api_session_error", status=answer.status)

    def _lost(self, reason: str) -> None:
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_result(NoAnswer(reason=f"socket lost after the send: {reason}"))
        self._pending.clear()


def _encode(frame: object) -> str:
    return msgspec.json.encode(frame).decode()


def _read(text: str) -> wire.ApiAnswer | None:
    try:
        return wire.decode(text, wire.ApiAnswer)
    except wire.WireError as error:
        log.warning("ws_api_frame_unreadable", error=str(error))
        return None
