"""Stream connections: who listens to what, and how messages get out.

Routing is production's since 2026-04 (Binance derivatives change log): best bid and ask on `/public`, mark price and
trades on `/market`, user data on `/private`; un-routed paths deliver public streams only. A wrong route or a bogus
listen key is accepted and stays silent, as on the real exchange. A client that does not read is dropped when its queue
is full. Knows nothing of orders or prices: it gets JSON and names.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

QUEUE_MESSAGES_MAX = 20_000
PING_S = 180.0
CLOSE_S = 1.0
PREFIXES = ("public", "market", "private")
_KINDS = {
    "bookTicker": "public",
    "markPrice": "market",
    "markPrice@1s": "market",
    "aggTrade": "market",
}

type Json = dict[str, Any]


def kind_of(stream: str) -> str | None:
    """The route a stream belongs to; None for one this exchange does not have."""
    return _KINDS.get(stream.partition("@")[2])


class Connection:
    """One client of the streams."""

    def __init__(
        self, request: web.Request, socket: web.WebSocketResponse, route: str, *, combined: bool
    ) -> None:
        self._request = request
        self._socket = socket
        self._queue: deque[str] = deque()
        self._filled = asyncio.Event()
        self._combined = combined
        self.route = route
        self.names: dict[str, frozenset[str] | None] = {}

    def hears(self, stream: str) -> bool:
        """Whether a market stream is delivered here."""
        return stream in self.names and kind_of(stream) == self.route

    def send(self, message: str) -> None:
        """Queue one message, or drop a client whose queue is full."""
        if len(self._queue) < QUEUE_MESSAGES_MAX:
            self._queue.append(message)
            self._filled.set()
        elif self._request.transport is not None:
            self._request.transport.abort()

    def deliver(self, stream: str, payload: str) -> None:
        """Queue an event in the form of this connection: raw, or wrapped with its stream's name."""
        wrapped = f'{{"stream":"{stream}","data":{payload}}}'
        self.send(wrapped if self._combined else payload)

    async def close(self) -> None:
        """Say good-bye."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(self) -> None:
        """Read controls and write messages until the client leaves."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._control(message.data)
        finally:
            writer.cancel()
            # The client has left: what could not be written is of no interest to anybody.
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._queue:
                await self._socket.send_str(self._queue.popleft())

    def _control(self, text: str) -> None:
        try:
            frame = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            self._answer({"error": {"code": 3, "msg": "Invalid JSON: expected an object"}})
            return
        method, params, number = frame.get("method"), frame.get("params"), frame.get("id")
        names = (
            [name for name in params if isinstance(name, str)] if isinstance(params, list) else []
        )
        match method:
            case "SUBSCRIBE":
                self.names.update(dict.fromkeys(names))
                self._answer({"result": None, "id": number})
            case "UNSUBSCRIBE":
                for name in names:
                    self.names.pop(name, None)
                self._answer({"result": None, "id": number})
            case "LIST_SUBSCRIPTIONS":
                self._answer({"result": list(self.names), "id": number})
            case _:
                self._answer(
                    {
                        "error": {"code": 2, "msg": f"Invalid request: unknown method {method}"},
                        "id": number,
                    }
                )

    def _answer(self, body: Json) -> None:
        self.send(msgspec.json.encode(body).decode())


class Hub:
    """All stream connections.

    Args:
        valid: whether user events go out under a listen key now.
    """

    def __init__(self, valid: Callable[[str], bool]) -> None:
        self._valid = valid
        self._connections: set[Connection] = set()

    def wanted(self, stream: str) -> bool:
        """Whether anybody hears a market stream."""
        return any(connection.hears(stream) for connection in self._connections)

    def publish(self, stream: str, event: Json) -> None:
        """Send a market event to all who hear the stream."""
        listeners = [connection for connection in self._connections if connection.hears(stream)]
        if listeners:
            payload = msgspec.json.encode(event).decode()
            for connection in listeners:
                connection.deliver(stream, payload)

    def publish_user(self, event: Json) -> None:
        """Send a user event under every valid listen key."""
        payload = msgspec.json.encode(event).decode()
        for connection in self._private():
            for name, events in list(connection.names.items()):
                if self._valid(name) and (events is None or event["e"] in events):
                    connection.deliver(name, payload)

    def publish_expiry(self, listen_key: str, event: Json) -> None:
        """Tell those who listen under a key that it has ended; their sockets stay open, silent."""
        payload = msgspec.json.encode(event).decode()
        for connection in self._private():
            if listen_key in connection.names:
                connection.deliver(listen_key, payload)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one stream connection."""
        route, combined, names = parse_target(request.path, request.query_string)
        socket = web.WebSocketResponse(heartbeat=PING_S, compress=False, timeout=CLOSE_S)
        await socket.prepare(request)
        connection = Connection(request, socket, route, combined=combined)
        connection.names.update(names)
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
        return socket

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(connection.close() for connection in list(self._connections)))

    def _private(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.route == "private"]


def parse_target(path: str, query: str) -> tuple[str, bool, dict[str, frozenset[str] | None]]:
    """Route, whether messages are wrapped, and the streams named by the address.

    Streams stand in the path (`/ws/a/b`), in `streams=a/b`, and as `listenKey=K`, each key followed by its own
    `events=A/B`, if any.
    """
    parts = [part for part in path.split("/") if part]
    route = parts.pop(0) if parts and parts[0] in PREFIXES else "public"
    combined = bool(parts) and parts[0] == "stream"
    names: dict[str, frozenset[str] | None] = dict.fromkeys(parts[1:])
    key: str | None = None
    for name, value in parse_qsl(query):
        if name == "streams":
            names.update(dict.fromkeys(part for part in value.split("/") if part))
        elif name == "listenKey":
            key = value
            names[key] = None
        elif name == "events" and key is not None:
            names[key] = frozenset(value.split("/"))
    return route, combined, names
