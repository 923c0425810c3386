"""The way between one life of an engine and the exchange: requests there, answers and events back, and what befalls them.

Promises that every request is executed at most once, at the moment it arrives; that an answer or event never reaches
another life than the one it was meant for; that nothing leaves a life that has ended. What befalls a request or an
event is the weather's to say; without one everything arrives after `CALM_S`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import READ_TIMEOUT_MS, Caller, Security
from jumar.exchange.binance.lanes import Lane, cost_of
from jumar.exchange.binance.outcomes import Answer, NoAnswer, Reply
from jumar.exchange.binance.signing import Params
from jumar.exchange.simulated.core.exchange import Reply as VenueReply
from jumar.exchange.simulated.core.refusal import TEXTS
from jumar.exchange.simulated.core.usage import Counts
from jumar.exchange.simulated.server.ws_api import METHODS
from jumar.ports.clock import Clock
from jumar.simulation.loop import Life, VirtualLoop

CALM_S = 0.005
UNKNOWN_BODY = msgspec.json.encode({"code": -1007, "msg": TEXTS[-1007]})
UNKNOWN = Answer(status=408, body=UNKNOWN_BODY)


class Fate(StrEnum):
    """What becomes of one request.

    Attributes:
        ANSWERED: executed and answered.
        LOST: it never arrives.
        ANSWER_LOST: executed; nothing comes back.
        UNKNOWN_DONE, UNKNOWN_UNDONE: the venue answers -1007, after executing it and without.
    """

    ANSWERED = "answered"
    LOST = "lost"
    ANSWER_LOST = "answer lost"
    UNKNOWN_DONE = "-1007, executed"
    UNKNOWN_UNDONE = "-1007, not executed"


@dataclass(frozen=True, slots=True)
class Trip:
    """One request's way: seconds there and back, and what becomes of it."""

    there_s: float = CALM_S
    back_s: float = CALM_S
    fate: Fate = Fate.ANSWERED


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: HTTP method, path and parameters as text; `client_id` as far as one is named."""

    method: str
    path: str
    params: Mapping[str, str]

    @property
    def client_id(self) -> str | None:
        """The client id of the order that it is about."""
        params = self.params
        for name in ("newClientOrderId", "clientAlgoId", "origClientOrderId"):
            if name in params:
                return params[name]
        return None

    @property
    def changes(self) -> bool:
        """Whether it would change something at the exchange."""
        return self.method != "GET"


class Weather(Protocol):
    """What befalls requests, answers and events on the way."""

    def trip(self, request: Request) -> Trip:
        """How a request travels."""
        ...

    def answer(self, request: Request, reply: VenueReply) -> VenueReply:
        """What the exchange answers, given what is true."""
        ...

    def refusal(self, request: Request) -> VenueReply | None:
        """What the exchange answers instead of executing; None to execute."""
        ...

    def frame(self, event: str, *, private: bool) -> tuple[float, ...]:
        """After how many seconds an event's frame arrives: never (empty), once, or more often."""
        ...

    def position(self, waiting: int, *, private: bool) -> int:
        """Behind how many of the frames that are on their way a new one stands; `waiting` keeps the order."""
        ...


class Calm:
    """Nothing befalls anything."""

    def trip(self, request: Request) -> Trip:  # noqa: ARG002 - all travel alike
        """Five milliseconds each way."""
        return Trip()

    def answer(self, request: Request, reply: VenueReply) -> VenueReply:  # noqa: ARG002 - the truth, whatever is asked
        """The truth."""
        return reply

    def refusal(self, request: Request) -> VenueReply | None:  # noqa: ARG002 - none, whatever is asked
        """None."""
        return None

    def frame(self, event: str, *, private: bool) -> tuple[float, ...]:  # noqa: ARG002 - all travel alike
        """Once."""
        return (CALM_S,)

    def position(self, waiting: int, *, private: bool) -> int:  # noqa: ARG002 - in order
        """In order."""
        return waiting


class Line(Caller):
    """Carries one life's requests to the exchange.

    Args:
        execute: the exchange: executes one request now.
        reach: told before and after every send, by a name such as `before POST /fapi/v1/order`; may end the life.
        on_code: told the code of every refusal.
        counters: told what every answer says of the limits.
    """

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        life: Life,
        clock: Clock,
        execute: Callable[[Request], VenueReply],
        weather: Callable[[], Weather],
        reach: Callable[[Life, str], None],
        on_code: Callable[[int], None],
        counters: Budget,
        recv_window_ms: int,
    ) -> None:
        self._loop = loop
        self._life = life
        self._clock = clock
        self._execute = execute
        self._weather = weather
        self._reach = reach
        self._on_code = on_code
        self._counters = counters
        self._recv_window_ms = recv_window_ms

    async def call(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        security: Security = Security.SIGNED,
        timestamp_ms: int | None = None,
        timeout_ms: int = READ_TIMEOUT_MS,
        lane: Lane = Lane.READ,
    ) -> Reply:
        """Send one request once, or not at all where its lane has no room."""
        kept_back = self._counters.admit(lane, cost_of(method, path), self._clock.now_ms())
        if kept_back is not None:
            return kept_back
        values = {name: str(value) for name, value in params.items()}
        if security is Security.SIGNED:
            stamp = self._clock.now_ms() if timestamp_ms is None else timestamp_ms
            values |= {"recvWindow": str(self._recv_window_ms), "timestamp": str(stamp)}
        return await self._send(Request(method, path, values), timeout_ms)

    async def request(
        self, method: str, params: Params, *, timestamp_ms: int, timeout_ms: int, lane: Lane
    ) -> Reply | None:
        """Send one request of the WebSocket API once."""
        http_method, path = METHODS[method]
        return await self.call(
            http_method,
            path,
            params,
            timestamp_ms=timestamp_ms,
            timeout_ms=timeout_ms,
            lane=lane,
        )

    async def _send(self, request: Request, timeout_ms: int) -> Reply:
        await self._point("before", request)
        answer: asyncio.Future[Reply] = self._loop.create_future()
        trip = self._weather().trip(request)
        if trip.fate is not Fate.LOST:
            self._loop.call_for(self._loop.world, trip.there_s, self._arrive, request, trip, answer)
        await self._point("after", request)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return self._heed(await answer)
        except TimeoutError:
            return NoAnswer(reason=f"no answer within {timeout_ms} ms")

    def _heed(self, reply: Reply) -> Reply:
        """Tell the code of a refusal and what it says of limits, as the adapter's own ways to the venue do."""
        if not isinstance(reply, Answer):
            return reply
        error = None if reply.succeeded else reply.error()
        if error is not None:
            self._on_code(error.code)
        self._counters.heard(reply.status, error, self._clock.now_ms())
        return reply

    async def _point(self, when: str, request: Request) -> None:
        """A moment at which the process may end, when it is about a change; a dead one comes no further."""
        if self._life.alive and request.changes:
            self._reach(self._life, f"{when} {request.method} {request.path}")
        if not self._life.alive:
            await self._loop.create_future()

    def _arrive(self, request: Request, trip: Trip, answer: "asyncio.Future[Reply]") -> None:
        """At the exchange: execute, answer, send the answer back to the life that asked."""
        reply: Reply = UNKNOWN
        counts: Counts | None = None
        if trip.fate is not Fate.UNKNOWN_UNDONE:
            weather = self._weather()
            said = weather.refusal(request) or weather.answer(request, self._execute(request))
            if trip.fate is Fate.ANSWERED:
                reply = Answer(status=said.status, body=msgspec.json.encode(said.body))
                counts = said.counts
        if trip.fate is not Fate.ANSWER_LOST:
            self._loop.call_for(self._life, trip.back_s, self._settle, answer, reply, counts)

    def _settle(self, answer: "asyncio.Future[Reply]", reply: Reply, counts: Counts | None) -> None:
        if counts is not None:
            self._counters.read_headers(counts.headers, self._clock.now_ms())
        if not answer.done():
            answer.set_result(reply)


class Ear:
    """One stream connection of one life: frames out of the exchange, in order unless the weather says otherwise."""

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        life: Life,
        hear: Callable[[str], Any],
        private: bool,
        weather: Callable[[], Weather],
    ) -> None:
        self.connected = True
        self._loop = loop
        self._life = life
        self._hear = hear
        self._private = private
        self._weather = weather
        self._frames: deque[str] = deque()
        self._last_s = 0.0

    @property
    def listens(self) -> bool:
        """Whether anybody is at the other end."""
        return self.connected and self._life.alive

    def tell(self, event: str, frame: str) -> None:
        """Send one frame of an event of that name."""
        if not self.listens:
            return
        weather = self._weather()
        for delay_s in weather.frame(event, private=self._private):
            place = weather.position(len(self._frames), private=self._private)
            self._frames.insert(place, frame)
            # One connection: what was sent later never comes before what was sent earlier.
            self._last_s = max(self._last_s, self._loop.time() + delay_s)
            self._loop.call_for(self._life, self._last_s - self._loop.time(), self._next)

    def cut(self) -> None:
        """The connection is gone, with what was on its way."""
        self.connected = False
        self._frames.clear()

    def _next(self) -> None:
        if self._frames:
            self._hear(self._frames.popleft())
