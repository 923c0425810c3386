"""One stream connection: what its client is subscribed to, and how messages get in and out.

It ends after a day, or when its client answers no ping for ten minutes; a client that does not read is dropped when its
queue is full. Where the request limits are enforced, one that sends more than ten messages in a second is sent away,
and no connection hears more than 1024 streams.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from jumar.exchange.simulated.server.listeners import Listeners
from jumar.exchange.simulated.server.topics import PRIVATE, topic_of
from jumar.ports.clock import Clock

QUEUE_MESSAGES_MAX = 20_000
PING_S = 180.0
PONG_S = 600.0
LIFE_S = 86_400.0
MESSAGES_PER_SECOND = 10
STREAMS_MAX = 1024
EVERY_ROUTE = ""

type Json = dict[str, Any]
type Names = dict[str, frozenset[str] | None]


class Connection:
    """One client of the streams.

    Attributes:
        names: what it is subscribed to; of a listen key the events that are wanted, None for all.
    """

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        route: str,
        *,
        combined: bool,
        listeners: "Listeners[Connection]",
        clock: Clock,
        limits: bool,
    ) -> None:
        self._request = request
        self._socket = socket
        self._queue: deque[str] = deque()
        self._filled = asyncio.Event()
        self._combined = combined
        self._route = route
        self._listeners = listeners
        self._clock = clock
        self._limits = limits
        self._answered_s = clock.monotonic()
        self._second, self._messages = 0, 0
        self.names: Names = {}

    @property
    def private(self) -> bool:
        """Whether user data are delivered here."""
        return self._route in (PRIVATE, EVERY_ROUTE)

    def subscribe(self, names: Mapping[str, frozenset[str] | None]) -> None:
        """Hear more, as far as the route delivers it."""
        self.names.update(names)
        for name in names:
            topic = topic_of(name)
            if topic is not None and self._route in (topic.route, EVERY_ROUTE):
                self._listeners.add(name, self)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Hear less."""
        for name in names:
            self.names.pop(name, None)
            self._listeners.remove(name, self)

    def send(self, message: str) -> None:
        """Queue one message, or drop a client whose queue is full."""
        if len(self._queue) < QUEUE_MESSAGES_MAX:
            self._queue.append(message)
            self._filled.set()
        else:
            self._drop()

    def deliver(self, stream: str, payload: str) -> None:
        """Queue an event in the form of this connection: raw, or wrapped with its stream's name."""
        wrapped = f'{{"stream":"{stream}","data":{payload}}}'
        self.send(wrapped if self._combined else payload)

    async def close(self) -> None:
        """Say good-bye."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(self) -> None:
        """Read controls and write messages until the client leaves or its time is over."""
        tasks = [asyncio.create_task(work) for work in (self._write(), self._keep())]
        try:
            async for message in self._socket:
                if self._limits and self._too_many():
                    code = WSCloseCode.POLICY_VIOLATION
                    await self._socket.close(code=code, message=b"Too many requests")
                    return
                await self._take(message)
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                # The client has left: what could not be written is of no interest to anybody.
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._queue:
                await self._socket.send_str(self._queue.popleft())

    async def _keep(self) -> None:
        """Ping; end what is not answered for too long, and what is a day old."""
        began_s = self._clock.monotonic()
        while (left_s := began_s + LIFE_S - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(PING_S, left_s))
            if self._clock.monotonic() - self._answered_s > PONG_S:
                self._drop()
                return
            await self._socket.ping()
        await self.close()

    def _too_many(self) -> bool:
        """Count one message of the client's."""
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        return self._messages > MESSAGES_PER_SECOND

    def _drop(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _take(self, message: WSMessage) -> None:
        match message.type:
            case WSMsgType.TEXT:
                self._control(message.data)
            case WSMsgType.PING:
                await self._socket.pong(message.data)
            case WSMsgType.PONG:
                self._answered_s = self._clock.monotonic()

    def _control(self, text: str) -> None:
        try:
            frame = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            self._answer({"error": {"code": 3, "msg": "Invalid JSON: expected an object"}})
            return
        method, params, number = frame.get("method"), frame.get("params"), frame.get("id")
        listed = params if isinstance(params, list) else []
        names = [name for name in listed if isinstance(name, str)]
        result: Any = None
        too_many = self._limits and len(self.names.keys() | set(names)) > STREAMS_MAX
        match method:
            case "SUBSCRIBE" if not too_many:
                self.subscribe(dict.fromkeys(names))
            case "UNSUBSCRIBE":
                self.unsubscribe(names)
            case "LIST_SUBSCRIPTIONS":
                result = list(self.names)
            case "SET_PROPERTY" if listed in (["combined", True], ["combined", False]):
                self._combined = listed[1]
            case "GET_PROPERTY" if listed == ["combined"]:
                result = self._combined
            case _:
                fault = {"code": 2, "msg": f"Invalid request: {method} with {len(listed)} params"}
                self._answer({"error": fault, "id": number})
                return
        self._answer({"result": result, "id": number})

    def _answer(self, body: Json) -> None:
        self.send(msgspec.json.encode(body).decode())
