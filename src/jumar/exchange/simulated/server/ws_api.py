"""The WebSocket API: the same requests as REST under other names, one frame each, answered in order.

A frame's parameters are signed sorted by name. `session.logon` takes Ed25519 keys only (-4056 otherwise); after it
key and signature may be left out. Numbers are kept as the text that was sent, because the signature covers it.
"""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.usage import NO_ORDER
from jumar.exchange.simulated.server.auth import Ed25519Verifier, sorted_payload
from jumar.exchange.simulated.server.faults.answers import Cut, Garbled
from jumar.exchange.simulated.server.faults.sockets import cut_frame
from jumar.exchange.simulated.server.gateway import LISTEN_KEY_PATH, Gateway
from jumar.exchange.simulated.server.keeper import Keeper

PINGS_PER_SECOND = 5
CLOSE_S = 1.0
METHODS = {
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
    "account.balance": ("GET", "/fapi/v2/balance"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "account.status": ("GET", "/fapi/v2/account"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "depth": ("GET", "/fapi/v1/depth"),
    "ticker.price": ("GET", "/fapi/v1/ticker/price"),
    "ticker.book": ("GET", "/fapi/v1/ticker/bookTicker"),
    "userDataStream.start": ("POST", LISTEN_KEY_PATH),
    "userDataStream.ping": ("PUT", LISTEN_KEY_PATH),
    "userDataStream.stop": ("DELETE", LISTEN_KEY_PATH),
}
SESSION_METHODS = ("session.logon", "session.status", "session.logout")
SESSION_WEIGHT = 2
_JSON = json.JSONDecoder(parse_float=str)  # made once: `loads` would make one for each frame
HANDSHAKE_WEIGHT = 5


@dataclass(slots=True)
class Session:
    """One connection: the key it logged on with, if any."""

    connected_ms: int
    api_key: str | None = None
    authorized_ms: int | None = None


class WsApi:
    """Handles `/ws-fapi/v1`.

    Args:
        gateway: answers requests.
        limits: send away clients that ping or pong more than five times a second.
    """

    def __init__(self, gateway: Gateway, *, limits: bool = False) -> None:
        self._gateway = gateway
        self._most = PINGS_PER_SECOND if limits else None
        self._sockets: set[web.WebSocketResponse] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until its client leaves or its time is over."""
        socket = web.WebSocketResponse(autoping=False, compress=False, timeout=CLOSE_S)
        await socket.prepare(request)
        keeper = Keeper(socket, self._gateway.clock, partial(_drop, request), self._most)
        keeping = asyncio.create_task(keeper.run())
        limits = request.query.get("returnRateLimits") != "false"
        session = Session(self._gateway.clock.now_ms())
        with self._gateway.exchange.over_socket():
            self._gateway.exchange.count(HANDSHAKE_WEIGHT, session.connected_ms)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await _beat(message, socket, keeper)
                elif self._gateway.faults is not None and self._gateway.faults.active:
                    self._start(self._disturbed(message.data, session, request, socket, limits))
                else:
                    answer = self.answer(message.data, session, limits=limits)
                    await socket.send_str(msgspec.json.encode(answer).decode())
        except ConnectionResetError:
            return socket  # the client left before its answer: for it the outcome is unknown
        finally:
            self._sockets.discard(socket)
            keeping.cancel()
            # The client has left: what could not be written is of no interest to anybody.
            with suppress(asyncio.CancelledError, ConnectionError):
                await keeping
        return socket

    async def _disturbed(
        self,
        text: str | bytes,
        session: Session,
        request: web.Request,
        socket: web.WebSocketResponse,
        limits: bool,
    ) -> None:
        """Answer one frame as the faults on order let it be; one that is late does not hold up the next."""
        faults = self._gateway.faults
        try:
            number, method, params = _decode(text)
        except Refusal:
            number, method, params = None, "", {}
        target = METHODS.get(method)
        if target is None or faults is None:
            frame = self.answer(text, session, limits=limits)
        else:
            ask = faults.ask(*target, params, method)
            outcome = await faults.carry(ask, partial(self._dispatch, method, params, session))
            if isinstance(outcome, Cut | Garbled):
                await cut_frame(outcome, request, socket)
                return
            frame = _frame(number, params, outcome, limits=limits)
        with suppress(ConnectionResetError):  # the client left before its answer
            await socket.send_str(msgspec.json.encode(frame).decode())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()  # what went wrong must be heard

    async def close(self) -> None:
        """Close all connections."""
        for task in list(self._tasks):
            task.cancel()
        for socket in list(self._sockets):
            await socket.close()

    def answer(self, text: str | bytes, session: Session, *, limits: bool = True) -> dict[str, Any]:
        """Answer one frame."""
        number: Any = None
        method, params = "", dict[str, str]()
        try:
            number, method, params = _decode(text)
            reply = self._dispatch(method, params, session)
        except Refusal as refusal:
            reply = self._refused(refusal, SESSION_WEIGHT if method in SESSION_METHODS else 1)
        return _frame(number, params, reply, limits=limits)

    def _refused(self, refusal: Refusal, weight: int) -> Reply:
        """What is refused here and not by the exchange; it counts all the same."""
        now_ms, exchange = self._gateway.clock.now_ms(), self._gateway.exchange
        with exchange.over_socket():
            held = exchange.held_back(weight, NO_ORDER, now_ms)
            if held is not None:
                return held
            body = {"code": refusal.code, "msg": refusal.message}
            counts = exchange.count(weight, now_ms)
        return Reply(status=refusal.status, body=body, counts=counts)

    def _dispatch(
        self,
        method: str,
        params: Mapping[str, str],
        session: Session,
        *,
        changed: Mapping[str, str] | None = None,
        arrived_ms: int | None = None,
    ) -> Reply:
        if method in SESSION_METHODS:
            now_ms = self._gateway.clock.now_ms()
            with self._gateway.exchange.over_socket():
                held = self._gateway.exchange.held_back(SESSION_WEIGHT, NO_ORDER, now_ms)
                return held or self._session(method, params, session, now_ms)
        target = METHODS.get(method)
        if target is None:
            if self._gateway.unknown is not None:
                self._gateway.unknown.method(method)
            raise Refusal(-5000, message=f"Method {method} is invalid", status=404)
        logged_on = session.api_key is not None and "apiKey" not in params
        with self._gateway.exchange.over_socket():
            return self._gateway.answer(
                *target,
                params if not changed else {**params, **changed},
                api_key=session.api_key if logged_on else params.get("apiKey"),
                payload=None if logged_on else sorted_payload(params),
                arrived_ms=arrived_ms,
            )

    def _session(
        self, method: str, params: Mapping[str, str], session: Session, now_ms: int
    ) -> Reply:
        match method:
            case "session.logon":
                self._logon(params, session, now_ms)
            case "session.logout":
                session.api_key = session.authorized_ms = None
            case _:
                pass  # whoever asks for the status is told what everybody is told
        body = {
            "apiKey": session.api_key,
            "authorizedSince": session.authorized_ms,
            "connectedSince": session.connected_ms,
            "returnRateLimits": True,
            "serverTime": now_ms,
        }
        counts = self._gateway.exchange.count(SESSION_WEIGHT, now_ms)
        return Reply(status=200, body=body, counts=counts)

    def _logon(self, params: Mapping[str, str], session: Session, now_ms: int) -> None:
        api_key = params.get("apiKey")
        if not isinstance(self._gateway.gate.verifier(api_key), Ed25519Verifier):
            raise Refusal(-4056)
        self._gateway.gate.check(api_key, Params(params), sorted_payload(params), now_ms)
        session.api_key, session.authorized_ms = api_key, now_ms


async def _beat(message: WSMessage, socket: web.WebSocketResponse, keeper: Keeper) -> None:
    """Answer a ping, note a pong; too many of them end the connection."""
    if await keeper.crowded():
        return
    if message.type is WSMsgType.PING:
        await socket.pong(message.data)
    elif message.type is WSMsgType.PONG:
        keeper.pong()


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _frame(number: Any, params: Mapping[str, str], reply: Reply, *, limits: bool) -> dict[str, Any]:
    """A reply as a frame; without the limits where the connection or the request wants none."""
    frame: dict[str, Any] = {"id": number, "status": reply.status}
    frame["result" if reply.status == 200 else "error"] = reply.body
    if limits and params.get("returnRateLimits") != "false":
        frame["rateLimits"] = reply.counts.rate_limits
    return frame


def _decode(text: str | bytes) -> tuple[Any, str, dict[str, str]]:
    try:
        frame = _JSON.decode(text) if isinstance(text, str) else json.loads(text, parse_float=str)
    except (ValueError, RecursionError):  # ValueError: no JSON, no UTF-8, or a number without end
        raise Refusal(-1135) from None
    if not isinstance(frame, dict) or not isinstance(frame.get("method"), str):
        raise Refusal(-1135)
    params = {} if frame.get("params") is None else frame["params"]
    if not isinstance(params, dict) or not _is_number(frame.get("id")):
        raise Refusal(-1135)
    values = {_clean(name): _text(value) for name, value in params.items()}
    return _echo(frame.get("id")), _clean(frame["method"]), values


def _is_number(value: Any) -> bool:
    """Whether a frame may be numbered so: a text, a whole number of 64 bits, or nothing."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str)


def _echo(value: Any) -> Any:
    return _clean(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else _clean(str(value))


def _clean(text: str) -> str:
    """JSON can spell halves of characters, which no answer could carry back."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
