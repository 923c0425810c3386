"""A watch on the server: what it was asked in vain, every answer, every frame sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import msgspec
from aiohttp import web

from jumar.exchange.simulated.server.connection import Connection
from jumar.exchange.simulated.server.run import SimulatedServer
from jumar.exchange.simulated.server.unknown import Json as Row

type Json = dict[str, Any]
type Names = Mapping[str, frozenset[str] | None]
type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATIENCE_S = 40.0
#: ccxt leaves its own words beside the exchange's in a conditional order; production lets them pass, unread.
WITHOUT_MEANING = frozenset({"stopPrice", "stopLossPrice", "takeProfitPrice"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answered request of the REST surface."""

    method: str
    path: str
    status: int
    body: Any


def faults_of(rows: Iterable[Row]) -> list[str]:
    """What a server was asked in vain, but for words without meaning."""
    return [
        f"{row['what']} {row['name']} of {row['at']}"
        for row in rows
        if (row["at"], row["name"] in WITHOUT_MEANING) != ("POST /fapi/v1/algoOrder", True)
    ]


class Watch:
    """What one server was asked and what it said."""

    def __init__(self) -> None:
        self.answered: list[Answered] = []
        self.sent: list[Json] = []
        self.names: set[str] = set()
        self._named = asyncio.Event()
        self._rows: Callable[[], Iterable[Row]] = list

    @property
    def faults(self) -> list[str]:
        """What the server was asked in vain."""
        return faults_of(self._rows())

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
        self._rows = lambda: server.unknown.rows

    @contextmanager
    def sockets(self) -> Iterator[None]:
        """Note every frame the server's sockets send and every stream their clients name."""
        send, subscribe = web.WebSocketResponse.send_str, Connection.subscribe

        async def noted(socket: web.WebSocketResponse, text: str, *args: Any, **more: Any) -> None:
            self.sent.append(msgspec.json.decode(text))
            await send(socket, text, *args, **more)

        def named(connection: Connection, names: Names) -> None:
            self.names |= set(names)
            self._named.set()
            subscribe(connection, names)

        with (
            mock.patch.object(web.WebSocketResponse, "send_str", noted),
            mock.patch.object(Connection, "subscribe", named),
        ):
            yield

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if isinstance(response, web.Response) and response.content_type == "application/json":
            assert isinstance(response.body, bytes)
            body = msgspec.json.decode(response.body)
            answer = Answered(
                method=request.method, path=request.path, status=response.status, body=body
            )
            self.answered.append(answer)
        return response
