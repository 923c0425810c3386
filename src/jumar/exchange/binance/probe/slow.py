"""An order that arrives slowly: its body begins inside the receive window and ends outside.

Promises that it is sent once. Whether a host looks at the clock when a request begins or when it is complete, nobody
says; this is how to find out.
"""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from jumar.exchange.binance.outcomes import Answer
from jumar.exchange.binance.params import placement
from jumar.exchange.binance.probe.bench import ANSWER_MS, Bench
from jumar.exchange.binance.probe.saying import CannotTellError, Said, said
from jumar.exchange.binance.rest import describe
from jumar.model.order import OrderRequest

WINDOW_MS = 700
PAUSE_S = 1.5


async def send_late(bench: Bench, request: OrderRequest) -> Said:
    """Send an order slowly; a conditional one without `reduceOnly`, whose flag is another question.

    Raises:
        CannotTellError: no clear answer.
    """
    call = placement(request)
    sent = {name: value for name, value in call.params.items() if name != "reduceOnly"}
    stamped = {**sent, "recvWindow": WINDOW_MS, "timestamp": bench.lines.clock.now_ms()}
    body = bench.lines.signer.signed_query(stamped).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await bench.pause(PAUSE_S)
        yield body[len(body) // 2 :]

    url = URL(bench.lines.endpoints.rest_url.rstrip("/") + call.path)
    headers = {
        "X-MBX-APIKEY": bench.lines.signer.api_key,
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
    }
    try:
        async with (
            asyncio.timeout(PAUSE_S + ANSWER_MS / 1000),
            bench.lines.session.post(url, data=pieces(), headers=headers) as response,
        ):
            reply = Answer(status=response.status, body=await response.read())
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise CannotTellError(f"a slow request got no answer: {describe(error)}") from None
    answer = said(reply, f"POST {call.path}", request.client_id)
    bench.note(f"POST {call.path}, sent slowly", stamped, answer.code, answer.body)
    if answer.yes and request.trigger_price is not None:
        bench.placed.append(request.client_id)
    return answer
