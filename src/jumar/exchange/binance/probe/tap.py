"""A second pair of ears: one more connection to the user stream, of which only the names of events are kept.

Promises that no task is left when it is closed. Its address holds the listen key and is never shown.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from jumar.exchange.binance.sockets import CONNECT_TIMEOUT_S


@asynccontextmanager
async def tapped(session: aiohttp.ClientSession, url: str) -> AsyncIterator[set[str]]:
    """Listen; the set grows by the names of the events. An address that cannot be opened hears nothing."""
    kinds: set[str] = set()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            socket = await session.ws_connect(URL(url, encoded=True))
    except (aiohttp.ClientError, OSError, TimeoutError):
        yield kinds
        return
    listening = asyncio.create_task(_listen(socket, kinds), name="probe-tap")
    try:
        yield kinds
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await socket.close()


async def _listen(socket: aiohttp.ClientWebSocketResponse, kinds: set[str]) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            found: Any = msgspec.json.decode(message.data)
            event = found.get("data", found) if isinstance(found, dict) else {}
            kinds.add(str(event.get("e", "")))
