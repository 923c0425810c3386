"""One stream connection: what its client is subscribed to, and how messages get in and out.

It ends after a day, or when its client answers no ping for ten minutes; a client that does not read is dropped when its
queue is full. Where the request limits are enforced, one that sends more than ten messages in a second is sent away,
and no connection hears more than 1024 streams.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from jumar.exchange.simulated.server.controls import Control, Misunderstood, parse
from jumar.exchange.simulated.server.keeper import Keeper
from jumar.exchange.simulated.server.listeners import Listeners
from jumar.exchange.simulated.server.topics import PRIVATE, topic_of
from jumar.ports.clock import Clock

QUEUE_MESSAGES_MAX = 20_000
MESSAGES_PER_SECOND = 10
STREAMS_MAX = 1024
EVERY_ROUTE = ""

type Json = dict[str, Any]
type Names = dict[str, frozenset[str] | None]


class Connection:
    """One client of the streams.

    Args:
        request, socket: the connection.
        route: what is delivered here: a path's prefix, or every route.
        combined: whether messages are wrapped with their stream's name.
        listeners: who hears what.
        clock: the server's.
        limits: send away a client that exceeds the limits of a connection.
        unheard: is told name and route of what was subscribed to and is no market stream of this route.

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
        unheard: Callable[[str, str], None],
    ) -> None:
        self._request = request
        self._socket = socket
        self._queue: deque[str] = deque()
        self._filled = asyncio.Event()
        self._combined = combined
        self._route = route
        self._listeners = listeners
        self._limits = limits
        self._unheard = unheard
        self._keeper = Keeper(socket, clock, self.drop, MESSAGES_PER_SECOND if limits else None)
        self.names: Names = {}

    @property
    def private(self) -> bool:
        """Whether user data are delivered here."""
        return self._route in (PRIVATE, EVERY_ROUTE)

    @property
    def public(self) -> bool:
        """Whether market streams are delivered here."""
        return self._route != PRIVATE

    def subscribe(self, names: Mapping[str, frozenset[str] | None]) -> None:
        """Hear more, as far as the route delivers it."""
        self.names.update(names)
        for name in names:
            topic = topic_of(name)
            if topic is not None and self._route in (topic.route, EVERY_ROUTE):
                self._listeners.add(name, self)
            else:
                self._unheard(name, self._route)

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
            self.drop()

    def deliver(self, stream: str, payload: str) -> None:
        """Queue an event in the form of this connection: raw, or wrapped with its stream's name."""
        wrapped = f'{{"stream":"{stream}","data":{payload}}}'
        self.send(wrapped if self._combined else payload)

    async def close(self) -> None:
        """Say good-bye."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(self) -> None:
        """Read controls and write messages until the client leaves or its time is over."""
        tasks = [asyncio.create_task(work) for work in (self._write(), self._keeper.run())]
        try:
            async for message in self._socket:
                if await self._keeper.crowded():
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

    def drop(self) -> None:
        """Reset the connection."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _take(self, message: WSMessage) -> None:
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                self._control(message.data)
            case WSMsgType.PING:
                await self._socket.pong(message.data)
            case WSMsgType.PONG:
                self._keeper.pong()

    def _control(self, text: str | bytes) -> None:
        try:
            control = parse(text)
            result = self._obey(control)
        except Misunderstood as why:
            self._answer(why.answer)
        else:
            self._answer({"result": result, "id": control.number})

    def _obey(self, control: Control) -> Any:
        match control.method:
            case "SUBSCRIBE":
                wanted = dict.fromkeys(control.names)
                if self._limits and len(self.names.keys() | wanted) > STREAMS_MAX:
                    raise control.invalid(f"more than {STREAMS_MAX} streams")
                self.subscribe(wanted)
            case "UNSUBSCRIBE":
                self.unsubscribe(control.names)
            case "LIST_SUBSCRIPTIONS":
                return list(self.names)
            case "SET_PROPERTY":
                self._combined = control.wish()
            case _:
                control.question()
                return self._combined
        return None

    def _answer(self, body: Json) -> None:
        self.send(msgspec.json.encode(body).decode())
