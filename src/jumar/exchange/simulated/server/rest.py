"""The REST face: raw bytes to parameters and payload, replies to bytes with the limiter's headers.

Parameters count wherever they stand, in the query, in a form body or in both, for every verb; the query wins. One that
stands twice in the same place is refused (-1101). Whatever is sent is answered as the exchange would, an unknown path
included.
"""

from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.server.auth import readable, unsigned
from jumar.exchange.simulated.server.faults.answers import Cut, Garbled
from jumar.exchange.simulated.server.faults.sockets import cut_off
from jumar.exchange.simulated.server.gateway import Gateway

BATCHES = "/fapi/v1/batchOrders"
#: ccxt and others send these in small letters, and the demo host takes them so (ccxt pull request 22890, 2024).
SPELLINGS = {
    "orderidlist": "orderIdList",
    "origclientorderidlist": "origClientOrderIdList",
}


class Rest:
    """Handles every request that no other handler takes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one HTTP request."""
        arrived_ms = self._gateway.clock.now_ms()
        query = readable(request.raw_path.partition("?")[2])
        raw = await body_of(request)
        if raw is None:
            path = readable(request.path)
            return _response(self._gateway.refuse(request.method, path, Refusal(-1100)))
        method, path = request.method, readable(request.path)
        body, api_key = raw.decode(errors="replace"), request.headers.get("X-MBX-APIKEY")
        reply = partial(self.reply, method, path, query=query, body=body, api_key=api_key)
        faults = self._gateway.faults
        if faults is None or not faults.active:
            return _response(reply(arrived_ms=arrived_ms))
        ask = faults.ask(method, path, dict(parse_qsl(body) + parse_qsl(query)))
        outcome = await faults.carry(ask, reply, arrived_ms)
        if isinstance(outcome, Cut):
            await cut_off(request, outcome, self._gateway.clock)
            return web.Response()  # nobody is there to read it
        return _response(outcome)

    def reply(
        self,
        method: str,
        path: str,
        *,
        query: str,
        body: str,
        api_key: str | None,
        arrived_ms: int | None = None,
        changed: Mapping[str, str] | None = None,
    ) -> Reply:
        """Answer one request whose query and form body stand as they were sent, some parameters `changed` on the way."""
        params: dict[str, str] = {}
        for part in (body, query):
            pairs = _pairs(part)
            if len(pairs) > len(dict(pairs)):
                return self._gateway.refuse(method, path, Refusal(-1101))
            params.update(pairs)
        if path == BATCHES:
            params = {SPELLINGS.get(name, name): value for name, value in params.items()}
        params.update(changed or {})
        return self._gateway.answer(
            method,
            path,
            params,
            api_key=api_key,
            payload=unsigned(query) + unsigned(body),
            arrived_ms=arrived_ms,
        )


def _pairs(part: str) -> list[tuple[str, str]]:
    """Names and values of a query or a form body; one without an escape, as nearly all are, is merely cut up."""
    if "%" in part or "+" in part:
        return parse_qsl(part, keep_blank_values=True)
    cut = (pair.partition("=") for pair in part.split("&") if pair)
    return [(name, value) for name, _, value in cut]


async def body_of(request: web.Request) -> bytes | None:
    """The body; None when it ends before its time or is not framed as its header says."""
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError):
        return None


def _response(reply: Reply | Garbled) -> web.Response:
    if isinstance(reply, Garbled):
        content_type, status = reply.content_type, reply.status
        return web.Response(text=reply.text, status=status, content_type=content_type)
    return web.Response(
        body=msgspec.json.encode(reply.body),
        status=reply.status,
        headers=reply.headers,
        content_type="application/json",
    )
