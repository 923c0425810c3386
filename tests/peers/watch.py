"""A watch on the server: every request with the parameters nobody looked at, every answer, every frame sent.

A client that asks for something the exchange does not have would often not say so: it gets an error it swallows, a
parameter without effect, a stream that stays silent. `faults` names all of these.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import msgspec
from aiohttp import web

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.server.connection import Connection
from jumar.exchange.simulated.server.run import SimulatedServer
from jumar.exchange.simulated.server.topics import topic_of

type Json = dict[str, Any]
type Names = Mapping[str, frozenset[str] | None]
type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATIENCE_S = 40.0
UNKNOWN_PATH = -5000
#: Read before the request reaches its handler, or about the answer's form only.
CREDENTIALS = frozenset({"apiKey", "timestamp", "signature", "recvWindow", "returnRateLimits"})
#: ccxt leaves its own words beside the exchange's in a conditional order; production lets them pass, unread.
WITHOUT_MEANING = frozenset(
    ("/fapi/v1/algoOrder", word) for word in ("stopPrice", "stopLossPrice", "takeProfitPrice")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answered request of the REST surface."""

    method: str
    path: str
    status: int
    body: Any


class Read(Mapping[str, str]):
    """Parameters that remember which of them were looked at."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.looked_at: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.looked_at.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def ignored(self) -> set[str]:
        """Parameters nobody looked at."""
        return {name for name, value in self._values.items() if value} - self.looked_at


class Watch:
    """What one server was asked and what it said."""

    def __init__(self) -> None:
        self.answered: list[Answered] = []
        self.sent: list[Json] = []
        self.faults: list[str] = []
        self.names: set[str] = set()
        self._named = asyncio.Event()

    async def heard(self, count: int) -> None:
        """Wait until clients have subscribed to so many streams."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.names) < count:
                self._named.clear()
                await self._named.wait()

    def attach(self, server: SimulatedServer) -> None:
        """Watch a server that has not started yet."""
        application = server._runner.app
        assert application is not None
        application.middlewares.append(self._middleware)
        self._wrap(server)

    @contextmanager
    def sockets(self) -> Iterator[None]:
        """Note every frame the server's sockets send and every stream their clients name."""
        send, subscribe = web.WebSocketResponse.send_str, Connection.subscribe

        async def noted(socket: web.WebSocketResponse, text: str, *args: Any, **more: Any) -> None:
            assert socket._req is not None
            self._frame(socket._req.path, msgspec.json.decode(text))
            await send(socket, text, *args, **more)

        def named(connection: Connection, names: Names) -> None:
            self._subscribed(connection, names)
            subscribe(connection, names)

        with (
            mock.patch.object(web.WebSocketResponse, "send_str", noted),
            mock.patch.object(Connection, "subscribe", named),
        ):
            yield

    def _frame(self, path: str, frame: Json) -> None:
        self.sent.append(frame)
        if "error" in frame:
            self._unknown("frame", path, frame["error"])

    def _subscribed(self, connection: Connection, names: Names) -> None:
        self.names |= set(names)
        self._named.set()
        if not connection.private:
            self.faults += [f"no such stream: {name}" for name in names if topic_of(name) is None]

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            self.faults.append(f"{request.method} {request.path}: no such address")
            raise
        if isinstance(response, web.Response) and response.content_type == "application/json":
            assert isinstance(response.body, bytes)
            body = msgspec.json.decode(response.body)
            answer = Answered(
                method=request.method, path=request.path, status=response.status, body=body
            )
            self.answered.append(answer)
            self._unknown(request.method, request.path, body)
        return response

    def _unknown(self, method: str, path: str, body: Any) -> None:
        if isinstance(body, dict) and body.get("code") == UNKNOWN_PATH:
            self.faults.append(f"{method} {path}: {body['msg']}")

    def _wrap(self, server: SimulatedServer) -> None:
        """Have the exchange's handlers read parameters through `Read`."""
        request = server.exchange.request

        def read(method: str, path: str, params: Mapping[str, str], now_ms: int) -> Reply:
            seen = Read(params)
            reply = request(method, path, seen, now_ms)
            if reply.status == 200:
                ignored = seen.ignored - CREDENTIALS
                self.faults += [
                    f"{method} {path}: nobody looked at {name}={params[name]}"
                    for name in sorted(ignored)
                    if (path, name) not in WITHOUT_MEANING
                ]
            return reply

        server.exchange.request = read  # type: ignore[method-assign]  # this exchange only, for its life
