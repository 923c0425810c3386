"""The REST face: raw bytes to parameters and payload, replies to bytes with the limiter's headers."""

from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from jumar.exchange.simulated.server.auth import unsigned
from jumar.exchange.simulated.server.gateway import Gateway


class Rest:
    """Handles everything under `/fapi/`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one HTTP request."""
        query = request.raw_path.partition("?")[2]
        body = (await request.read()).decode(errors="replace")
        pairs = parse_qsl(body, keep_blank_values=True) + parse_qsl(query, keep_blank_values=True)
        reply = self._gateway.answer(
            request.method,
            request.path,
            dict(pairs),
            api_key=request.headers.get("X-MBX-APIKEY"),
            payload=unsigned(query) + unsigned(body),
        )
        return web.Response(
            body=msgspec.json.encode(reply.body),
            status=reply.status,
            headers=reply.headers,
            content_type="application/json",
        )
