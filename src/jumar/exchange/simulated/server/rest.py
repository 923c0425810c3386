"""The REST face: raw bytes to parameters and payload, replies to bytes with the limiter's headers.

Parameters count wherever they stand, in the query, in a form body or in both, for every verb; the query wins. Whatever
is sent is answered as the exchange would, an unknown path included.
"""

from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.server.auth import readable, unsigned
from jumar.exchange.simulated.server.gateway import Gateway


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
            refusal, path = Refusal(-1100), readable(request.path)
            return _response(
                self._gateway.exchange.refusal(request.method, path, {}, refusal, arrived_ms)
            )
        body = raw.decode(errors="replace")
        pairs = parse_qsl(body, keep_blank_values=True) + parse_qsl(query, keep_blank_values=True)
        reply = self._gateway.answer(
            request.method,
            readable(request.path),
            dict(pairs),
            api_key=request.headers.get("X-MBX-APIKEY"),
            payload=unsigned(query) + unsigned(body),
            arrived_ms=arrived_ms,
        )
        return _response(reply)


async def body_of(request: web.Request) -> bytes | None:
    """The body; None when it ends before its time or is not framed as its header says."""
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError):
        return None


def _response(reply: Reply) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(reply.body),
        status=reply.status,
        headers=reply.headers,
        content_type="application/json",
    )
