"""A server that does nothing: what aiohttp itself costs. `python -m tests.bench.floor READY_FILE`.

It is set up like the simulated exchange's server and answers each request with a text of about the same length.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from aiohttp import WSMsgType, web

from jumar.bootstrap.common import run_async

#: As long as the answer to a placed order.
ANSWER = '{"id":1,"status":200,"result":"' + "x" * 620 + '"}'


async def rest(request: web.Request) -> web.Response:
    """Answer any request."""
    await request.read()
    return web.Response(body=ANSWER.encode(), content_type="application/json")


async def ws_api(request: web.Request) -> web.WebSocketResponse:
    """Answer any frame."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(ANSWER)
    return socket


async def serve(ready: Path) -> None:
    """Serve until SIGTERM."""
    application = web.Application()
    application.router.add_get("/ws-fapi/v1", ws_api)
    application.router.add_route("*", "/{rest:.*}", rest)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    draft = ready.with_suffix(".draft")
    draft.write_text(
        json.dumps(
            {
                "rest": f"http://127.0.0.1:{port}",
                "ws_api": f"ws://127.0.0.1:{port}/ws-fapi/v1",
                "api_key": "key",
                "api_secret": "secret",
            }
        )
    )
    draft.replace(ready)
    await stopped.wait()
    await runner.cleanup()


if __name__ == "__main__":
    run_async(serve(Path(sys.argv[1])))
