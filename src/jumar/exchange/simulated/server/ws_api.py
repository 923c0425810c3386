"""The WebSocket API: the same requests as REST under other names, one frame each, answered in order.

A frame's parameters are signed sorted by name. `session.logon` takes Ed25519 keys only (-4056 otherwise); after it
key and signature may be left out. Numbers are kept as the text that was sent, because the signature covers it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.server.auth import Ed25519Verifier, sorted_payload
from jumar.exchange.simulated.server.gateway import LISTEN_KEY_PATH, Gateway

PING_S = 180.0
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
SESSION_WEIGHT = 2
HANDSHAKE_WEIGHT = 5


@dataclass(slots=True)
class Session:
    """One connection: the key it logged on with, if any."""

    connected_ms: int
    api_key: str | None = None
    authorized_ms: int | None = None


class WsApi:
    """Handles `/ws-fapi/v1`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._sockets: set[web.WebSocketResponse] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        socket = web.WebSocketResponse(heartbeat=PING_S, compress=False, timeout=CLOSE_S)
        await socket.prepare(request)
        limits = request.query.get("returnRateLimits") != "false"
        session = Session(self._gateway.clock.now_ms())
        self._gateway.exchange.count(HANDSHAKE_WEIGHT, session.connected_ms)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    answer = self.answer(message.data, session, limits=limits)
                    await socket.send_str(msgspec.json.encode(answer).decode())
        except ConnectionResetError:
            return socket  # the client left before its answer: for it the outcome is unknown
        finally:
            self._sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """Close all connections."""
        for socket in list(self._sockets):
            await socket.close()

    def answer(self, text: str | bytes, session: Session, *, limits: bool = True) -> dict[str, Any]:
        """Answer one frame."""
        number: Any = None
        try:
            number, method, params = _decode(text)
            reply = self._dispatch(method, params, session)
        except Refusal as refusal:
            counts = self._gateway.exchange.count(1, self._gateway.clock.now_ms())
            body = {"code": refusal.code, "msg": refusal.message}
            reply, params = Reply(status=refusal.status, body=body, counts=counts), {}
        frame: dict[str, Any] = {"id": number, "status": reply.status}
        frame["result" if reply.status == 200 else "error"] = reply.body
        if limits and params.get("returnRateLimits") != "false":
            frame["rateLimits"] = reply.counts.rate_limits
        return frame

    def _dispatch(self, method: str, params: Mapping[str, str], session: Session) -> Reply:
        if method.startswith("session."):
            now_ms = self._gateway.clock.now_ms()
            held = self._gateway.exchange.held_back(SESSION_WEIGHT, 0, now_ms)
            return held or self._session(method, params, session, now_ms)
        target = METHODS.get(method)
        if target is None:
            raise Refusal(-5000, message=f"Method {method} is invalid", status=404)
        logged_on = session.api_key is not None and "apiKey" not in params
        return self._gateway.answer(
            *target,
            params,
            api_key=session.api_key if logged_on else params.get("apiKey"),
            payload=None if logged_on else sorted_payload(params),
        )

    def _session(
        self, method: str, params: Mapping[str, str], session: Session, now_ms: int
    ) -> Reply:
        match method:
            case "session.logon":
                self._logon(params, session, now_ms)
            case "session.logout":
                session.api_key = session.authorized_ms = None
            case "session.status":
                pass
            case _:
                raise Refusal(-5000, message=f"Method {method} is invalid", status=404)
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


def _decode(text: str | bytes) -> tuple[Any, str, dict[str, str]]:
    try:
        frame = json.loads(text, parse_float=str)
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
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else _clean(str(value))


def _clean(text: str) -> str:
    """JSON can spell halves of characters, which no answer could carry back."""
    return text.encode("utf-8", "replace").decode()
