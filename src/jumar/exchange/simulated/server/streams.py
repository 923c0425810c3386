"""Stream connections: who listens to what, and how messages get out.

Routing is production's since 2026-04 (Binance derivatives change log): the book on `/public`, prices, trades and bars
on `/market`, user data on `/private`; un-routed paths deliver public streams only, unless the exchange is to route as
the demo host does: there un-routed paths deliver everything. A wrong route or a bogus listen key is accepted and stays
silent, as on the real exchange. Knows nothing of orders or prices: it gets JSON and names.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from jumar.exchange.simulated.server.auth import readable
from jumar.exchange.simulated.server.config import Routes
from jumar.exchange.simulated.server.connection import EVERY_ROUTE, Connection, Names
from jumar.exchange.simulated.server.faults.events import USER, Disturb
from jumar.exchange.simulated.server.listeners import Listeners
from jumar.exchange.simulated.server.topics import MARKET, PRIVATE, PUBLIC
from jumar.exchange.simulated.server.unknown import Unknown
from jumar.ports.clock import Clock

CLOSE_S = 1.0
PREFIXES = (PUBLIC, MARKET, PRIVATE)

type Json = dict[str, Any]


class Hub:
    """All stream connections.

    Args:
        valid: whether user events go out under a listen key now.
        clock: the server's.
        routes: whose routing of un-routed paths it is.
        limits: send away clients that exceed the limits of a connection.
        unknown: is told of streams that stay silent.
        everything: deliver all user events where an address names none of them.

    Attributes:
        disturb: gets every event with its stream and how to send it, while faults on order befall events.
    """

    def __init__(
        self,
        valid: Callable[[str], bool],
        clock: Clock,
        routes: Routes = "production",
        *,
        limits: bool = False,
        unknown: Unknown,
        everything: bool = True,
    ) -> None:
        self._valid = valid
        self._clock = clock
        self._limits = limits
        self._unknown = unknown
        self._everything = everything
        self._unrouted = PUBLIC if routes == "production" else EVERY_ROUTE
        self._connections: set[Connection] = set()
        self.listeners: Listeners[Connection] = Listeners()
        self.disturb: Disturb | None = None

    @property
    def streams(self) -> tuple[str, ...]:
        """The market streams that somebody hears."""
        return self.listeners.streams

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Tell of every market stream that somebody begins to hear."""
        self.listeners.watchers.append(watcher)

    def wanted(self, stream: str) -> bool:
        """Whether anybody hears a market stream."""
        return bool(self.listeners.of(stream))

    def publish(self, stream: str, event: Json | list[Json]) -> None:
        """Send a market event to all who hear the stream."""
        listeners = self.listeners.of(stream)
        if not listeners:
            return
        payload = msgspec.json.encode(event).decode()
        if self.disturb is None:
            _deliver(listeners, stream, payload)
        else:
            self.disturb(
                stream, event, lambda: _deliver(self.listeners.of(stream), stream, payload)
            )

    def publish_user(self, event: Json) -> None:
        """Send a user event under every valid listen key."""
        if self.disturb is None and not self._private():
            return  # not even spelt: nobody would hear it
        payload, kind = msgspec.json.encode(event).decode(), event["e"]
        if self.disturb is None:
            self._send_user(kind, payload)
        else:
            self.disturb(USER, event, lambda: self._send_user(kind, payload))

    def cut(self, *, private: bool) -> int:
        """Reset the connections that deliver user data, or those that deliver market streams; how many there were."""
        cut = [c for c in self._connections if (c.private if private else c.public)]
        for connection in cut:
            connection.drop()
        return len(cut)

    def publish_expiry(self, listen_key: str, event: Json) -> None:
        """Tell those who listen under a key that it has ended; their sockets stay open, silent."""
        payload = msgspec.json.encode(event).decode()
        if self.disturb is None:
            self._send_expiry(listen_key, payload)
        else:
            self.disturb(USER, event, lambda: self._send_expiry(listen_key, payload))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one stream connection."""
        path, query = readable(request.path), readable(request.query_string)
        route, combined, names = parse_target(path, query)
        socket = web.WebSocketResponse(autoping=False, compress=False, timeout=CLOSE_S)
        await socket.prepare(request)
        connection = Connection(
            request,
            socket,
            self._unrouted if route is None else route,
            combined=combined,
            listeners=self.listeners,
            clock=self._clock,
            limits=self._limits,
            unheard=self._unheard,
        )
        self._connections.add(connection)
        connection.subscribe(names)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
            connection.unsubscribe(list(connection.names))
        return socket

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(connection.close() for connection in list(self._connections)))

    def _send_user(self, kind: str, payload: str) -> None:
        for connection in self._private():
            for name, events in list(connection.names.items()):
                wanted = self._everything if events is None else kind in events
                if wanted and self._valid(name):
                    connection.deliver(name, payload)

    def _send_expiry(self, listen_key: str, payload: str) -> None:
        for connection in self._private():
            if listen_key in connection.names:
                connection.deliver(listen_key, payload)

    def _unheard(self, name: str, route: str) -> None:
        """Note what stays silent: everything but a valid listen key where user data are delivered."""
        valid = self._valid(name)
        if not valid or route not in (PRIVATE, EVERY_ROUTE):
            self._unknown.stream("listenKey" if valid else name, route)

    def _private(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.private]


def _deliver(listeners: Iterable[Connection], stream: str, payload: str) -> None:
    for connection in listeners:
        connection.deliver(stream, payload)


def parse_target(path: str, query: str) -> tuple[str | None, bool, Names]:
    """Route (None on un-routed paths), whether messages are wrapped, and the streams named by the address.

    Streams stand in the path (`/ws/a/b`), in `streams=a/b`, and as `listenKey=K`, each key followed by its own
    `events=A/B`, if any. A bare number in the path is a client's own count of its connections.
    """
    parts = [part for part in path.split("/") if part]
    route = parts.pop(0) if parts and parts[0] in PREFIXES else None
    combined = bool(parts) and parts[0] == "stream"
    names: Names = dict.fromkeys(part for part in parts[1:] if not part.isdecimal())
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
