"""How an answer is not given: silence, an orderly end, a reset; on HTTP and on the WebSocket API."""

from contextlib import suppress

from aiohttp import WSCloseCode, web

from jumar.exchange.simulated.server.faults.answers import Cut, Garbled
from jumar.ports.clock import Clock

LOOK_S = 0.05
SILENCE_S = 600.0


async def cut_off(request: web.Request, how: Cut, clock: Clock) -> None:
    """Leave an HTTP request without an answer; of silence, return when the client has given up."""
    ends_s = clock.monotonic() + SILENCE_S
    while how is Cut.SILENCE and _connected(request) and clock.monotonic() < ends_s:
        await clock.sleep(LOOK_S)
    if request.transport is None:
        return
    if how is Cut.CLOSE:
        request.transport.close()
    else:
        request.transport.abort()


async def cut_frame(
    how: Cut | Garbled, request: web.Request, socket: web.WebSocketResponse
) -> None:
    """Leave a frame without an answer that can be read; a page of another machine means the end of the connection."""
    if how is Cut.SILENCE:
        return
    if how is Cut.RESET:
        if request.transport is not None:
            request.transport.abort()
    elif isinstance(how, Garbled) and how.status < 500:
        with suppress(ConnectionResetError):  # the client left before its answer
            await socket.send_str(how.text)
    else:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)


def _connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()
