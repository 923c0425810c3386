"""The way between an engine and the exchange: what is executed, what is answered, what is heard, and by whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random  # noqa: TID251 - the tests' own dice, with fixed seeds
from typing import Any

import pytest
from tests.simulation.loops import SEEDS, born, forever, virtual

from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import Security
from jumar.exchange.binance.lanes import Lane
from jumar.exchange.binance.outcomes import Answer, NoAnswer, Reply
from jumar.exchange.simulated.core.exchange import Reply as VenueReply
from jumar.exchange.simulated.core.usage import Counts
from jumar.simulation.clock import VirtualClock
from jumar.simulation.line import Calm, Ear, Fate, Line, Request, Trip, Weather
from jumar.simulation.loop import Life, VirtualLoop

ORDER = "/fapi/v1/order"
PARAMS = {"symbol": "BTCUSDT", "newClientOrderId": "jm-1"}
COUNTS = Counts(weight_1m=7, orders_10s=0, orders_1m=0, ordered=False)
ORIGIN_MS = 1_764_929_090_000


@dataclass
class Trips(Calm):
    """Gives requests their trips in turn, the last one for ever; and frames their delays."""

    trips: list[Trip] = field(default_factory=lambda: [Trip()])
    delays: Callable[[], tuple[float, ...]] = lambda: (0.005,)
    places: Callable[[int], int] = lambda waiting: waiting
    refused: VenueReply | None = None

    def trip(self, request: Request) -> Trip:
        """The next one."""
        return self.trips.pop(0) if len(self.trips) > 1 else self.trips[0]

    def refusal(self, request: Request) -> VenueReply | None:
        """What was set."""
        return self.refused

    def frame(self, event: str, *, private: bool) -> tuple[float, ...]:
        """What was set."""
        return self.delays()

    def position(self, waiting: int, *, private: bool) -> int:
        """What was set."""
        return self.places(waiting)


class Rig:
    """An exchange that counts what it executes, and lines of several lives to it."""

    def __init__(self, loop: VirtualLoop, weather: Weather, *, status: int = 200) -> None:
        self.loop = loop
        self.weather = weather
        self.status = status
        self.executed: list[tuple[float, Request]] = []
        self.reached: list[tuple[str, str]] = []
        self.codes: list[int] = []
        self.counters = Budget()
        self.replies: list[tuple[float, Reply]] = []
        self.reach: Callable[[Life, str], None] = lambda *_: None

    def execute(self, request: Request) -> VenueReply:
        """Count and accept, or refuse."""
        self.executed.append((self.loop.time(), request))
        body = (
            {"executed": len(self.executed)} if self.status == 200 else {"code": -1021, "msg": ""}
        )
        return VenueReply(status=self.status, body=body, counts=COUNTS)

    def line(self, life: Life, clock: VirtualClock | None = None) -> Line:
        """A life's way here."""

        def reach(of: Life, point: str) -> None:
            self.reached.append((repr(of), point))
            self.reach(of, point)

        return Line(
            loop=self.loop,
            life=life,
            clock=clock or VirtualClock(self.loop, ORIGIN_MS),
            execute=self.execute,
            weather=lambda: self.weather,
            reach=reach,
            on_code=self.codes.append,
            counters=self.counters,
            recv_window_ms=3000,
        )

    def live(self, work: Callable[[Line], Any], number: int = 1) -> Life:
        """Begin a life that works with its line and keeps what it is told."""
        life = Life("engine", number)

        async def main() -> None:
            reply = await work(self.line(life))
            self.replies.append((round(self.loop.time(), 6), reply))

        self.loop.spawn(life, main())
        return life


def _post(line: Line, client_id: str = "jm-1") -> Any:
    params = {"symbol": "BTCUSDT", "newClientOrderId": client_id}
    return line.call("POST", ORDER, params, timeout_ms=2000)


def _get(line: Line) -> Any:
    return line.call("GET", ORDER, PARAMS, timeout_ms=2000)


def _told(reply: Reply) -> object:
    return reply.body if isinstance(reply, Answer) else reply.reason


@pytest.mark.parametrize(
    ("fate", "executed", "at_s", "told"),
    [
        (Fate.ANSWERED, 1, 0.7, b'{"executed":1}'),
        (Fate.LOST, 0, 2.0, "no answer within 2000 ms"),
        (Fate.ANSWER_LOST, 1, 2.0, "no answer within 2000 ms"),
        (Fate.UNKNOWN_DONE, 1, 0.7, b'"code":-1007'),
        (Fate.UNKNOWN_UNDONE, 0, 0.7, b'"code":-1007'),
    ],
)
def test_what_becomes_of_a_request(fate: Fate, executed: int, at_s: float, told: Any) -> None:
    """A lost request is not executed, one whose answer is lost is; each when it arrives, once, with its own answer."""
    with virtual() as loop:
        rig = Rig(loop, Trips([Trip(0.5, 0.2, fate)]))
        rig.live(_post)
        loop.run(until_s=30)
        assert [at for at, _ in rig.executed] == [0.5] * executed
        [(answered_s, reply)] = rig.replies
        assert answered_s == pytest.approx(at_s)
        assert told in _told(reply)  # type: ignore[operator]  # text in text, bytes in bytes


def test_nothing_is_executed_twice() -> None:
    """Whatever befalls many requests on their way, none is executed more than once, and each is answered once."""
    dice = Random(11)
    for seed in range(10):
        with virtual(seed) as loop:
            trips = [
                Trip(dice.uniform(0, 3), dice.uniform(0, 3), dice.choice(tuple(Fate)))
                for _ in range(60)
            ]
            rig = Rig(loop, Trips([*trips, Trip()]))
            for number in range(60):
                rig.live(partial(_post, client_id=f"jm-{number}"))
            loop.run(until_s=60)
            done = [request.client_id for _, request in rig.executed]
            silent = (Fate.LOST, Fate.UNKNOWN_UNDONE)
            assert len(done) == len(set(done)) == sum(t.fate not in silent for t in trips)
            assert len(rig.replies) == 60


def test_a_late_answer_is_no_answer() -> None:
    """An answer that comes after the caller gave up changes nothing; the request was executed all the same."""
    with virtual() as loop:
        rig = Rig(loop, Trips([Trip(0.1, 5.0)]))
        rig.live(_post)
        loop.run(until_s=30)
        assert len(rig.executed) == 1
        assert rig.replies == [(2.0, NoAnswer(reason="no answer within 2000 ms"))]
        assert loop.errors == []


def test_a_request_outlives_its_sender() -> None:
    """What was sent before a death is executed after it; its answer reaches nobody, least of all the next life."""
    for seed in SEEDS:
        with virtual(seed) as loop:
            rig = Rig(loop, Trips([Trip(1.0, 1.0), Trip(0.1, 0.1)]))
            first = rig.live(_post, 1)
            loop.run(until_s=0.5)
            loop.kill(first)
            loop.run(until_s=1.5)
            assert len(rig.executed) == 1
            rig.live(_post, 2)
            loop.run(until_s=30)
            assert len(rig.executed) == 2
            assert [_told(reply) for _, reply in rig.replies] == [b'{"executed":2}']
            assert rig.replies[0][0] == pytest.approx(1.7)


@pytest.mark.parametrize(("point", "executed"), [("before", 0), ("after", 1)])
def test_a_death_at_a_send(point: str, executed: int) -> None:
    """A life that ends before a send sends nothing; one that ends after it has sent; neither comes any further."""
    with virtual() as loop:
        rig = Rig(loop, Calm())

        def reach(life: Life, at: str) -> None:
            if at.startswith(point):
                loop.kill(life)

        rig.reach = reach
        rig.live(_post)
        loop.run(until_s=30)
        assert len(rig.executed) == executed
        assert rig.replies == []


def test_points_are_told_for_changes_only() -> None:
    """Before and after each request that changes something, and at no other, its life may end."""
    with virtual() as loop:
        rig = Rig(loop, Calm())

        async def work(line: Line) -> Reply:
            await _get(line)
            await line.call("DELETE", ORDER, PARAMS)
            reply = await line.request(
                "order.place", PARAMS, timestamp_ms=1, timeout_ms=1000, lane=Lane.PROTECT
            )
            assert reply is not None
            return reply

        rig.live(work)
        loop.run(until_s=5)
        names = ("before DELETE", "after DELETE", "before POST", "after POST")
        assert rig.reached == [("Life(engine 1)", f"{name} {ORDER}") for name in names]


@pytest.mark.parametrize("send", [_post, _get])
def test_nothing_leaves_a_dead_life(send: Callable[[Line], Any]) -> None:
    """What a life still asks in the callback in which it ended is not sent, be it a change or a question."""
    with virtual() as loop:
        rig = Rig(loop, Calm())

        async def work(line: Line) -> Reply:
            loop.kill(life)
            reply: Reply = await send(line)
            return reply

        life = rig.live(work)
        loop.run(until_s=30)
        assert rig.executed == []
        assert rig.replies == []


def test_signed_requests_carry_time_and_window() -> None:
    """A signed request carries the given time or the sender's own, and its window; an open one carries neither."""
    with virtual() as loop:
        rig = Rig(loop, Calm())
        clock = VirtualClock(loop, ORIGIN_MS, ahead_ms=70)
        line = rig.line(born(loop, forever()), clock)

        async def work() -> None:
            await line.call("GET", ORDER, {"symbol": "BTCUSDT"})
            await line.call("POST", ORDER, {"symbol": "BTCUSDT"}, timestamp_ms=42)
            await line.call("GET", "/fapi/v1/time", {}, security=Security.NONE)

        loop.run_until_complete(work())
        assert [request.params for _, request in rig.executed] == [
            {"symbol": "BTCUSDT", "recvWindow": "3000", "timestamp": str(ORIGIN_MS + 70)},
            {"symbol": "BTCUSDT", "recvWindow": "3000", "timestamp": "42"},
            {},
        ]


def test_refusals_are_heeded() -> None:
    """The code of a refusal is told to whoever must act on it, once per answer that arrives; a success has none."""
    with virtual() as loop:
        rig = Rig(loop, Trips([Trip(), Trip(back_s=9), Trip(), Trip()]), status=400)

        async def work(line: Line) -> Reply:
            await _post(line)
            await _post(line)
            rig.status = 200
            reply: Reply = await _get(line)
            return reply

        rig.live(work)
        loop.run(until_s=30)
        assert rig.codes == [-1021]
        assert len(rig.replies) == 1


def test_the_weather_may_refuse() -> None:
    """A request that the weather refuses is answered so and not executed."""
    body = {"code": -4509, "msg": "no position"}
    with virtual() as loop:
        rig = Rig(loop, Trips(refused=VenueReply(status=400, body=body, counts=COUNTS)))
        rig.live(_post)
        loop.run(until_s=5)
        assert rig.executed == []
        assert rig.codes == [-4509]


# frames


def _ear(loop: VirtualLoop, weather: Weather, heard: list[str], life: Life | None = None) -> Ear:
    owner = life or born(loop, forever())
    return Ear(loop=loop, life=owner, hear=heard.append, private=True, weather=lambda: weather)


def _drawn(seed: int, copies: Sequence[int] = (1,)) -> Callable[[], tuple[float, ...]]:
    dice = Random(seed)
    return lambda: tuple(dice.uniform(0, 2) for _ in range(dice.choice(copies)))


def test_frames_keep_their_order() -> None:
    """Frames of one connection are heard in the order in which they were sent, however long each takes."""
    for seed in SEEDS:
        heard: list[str] = []
        with virtual(seed) as loop:
            ear = _ear(loop, Trips(delays=_drawn(seed)), heard)
            for number in range(30):
                loop.call_at(number * 0.1, ear.tell, "e", f"{number:02}")
            loop.run(until_s=60)
        assert heard == [f"{number:02}" for number in range(30)]


@pytest.mark.parametrize("seed", range(10))
def test_frames_may_be_lost_and_doubled(seed: int) -> None:
    """A frame is heard as often as the weather says, never before it was sent, and still in order."""
    delays = _drawn(seed, (0, 1, 1, 2))
    sent_at: list[float] = []
    copies: list[int] = []
    heard: list[tuple[float, int]] = []
    with virtual(seed) as loop:

        def counted() -> tuple[float, ...]:
            found = delays()
            copies.extend([len(sent_at)] * len(found))
            return found

        def hear(frame: str) -> None:
            heard.append((loop.time(), int(frame)))

        life = born(loop, forever())
        weather = Trips(delays=counted)
        ear = Ear(loop=loop, life=life, hear=hear, private=True, weather=lambda: weather)

        def tell() -> None:
            ear.tell("e", str(len(sent_at)))
            sent_at.append(loop.time())

        for number in range(30):
            loop.call_at(number * 0.1, tell)
        loop.run(until_s=60)
    assert [number for _, number in heard] == copies
    assert len(copies) != len(set(copies)) < 30
    assert all(at_s >= sent_at[number] for at_s, number in heard)


def test_frames_may_overtake() -> None:
    """Where the weather says so, a frame goes ahead of others that are on their way; all arrive."""
    heard: list[str] = []
    with virtual() as loop:
        ear = _ear(loop, Trips(places=lambda _: 0), heard)
        for number, name in enumerate("abc"):
            loop.call_at(1 + number / 1000, ear.tell, "e", name)
        loop.run(until_s=9)
    assert heard == ["c", "b", "a"]


def test_nothing_is_heard_early() -> None:
    """A frame that is quick waits for the slow one before it; neither is heard before its own way is over."""
    delays = iter([(2.0,), (0.1,), (3.0,)])
    heard: list[tuple[float, str]] = []
    with virtual() as loop:
        life, weather = born(loop, forever()), Trips(delays=lambda: next(delays))

        def hear(frame: str) -> None:
            heard.append((loop.time(), frame))

        ear = Ear(loop=loop, life=life, hear=hear, private=True, weather=lambda: weather)
        for name in "abc":
            ear.tell("e", name)
        loop.run(until_s=9)
    assert heard == [(2.0, "a"), (2.0, "b"), (3.0, "c")]


def test_a_cut_takes_what_is_on_its_way() -> None:
    """A connection that is cut brings nothing any more; the one after it brings what is sent on it."""
    heard: list[str] = []
    with virtual() as loop:
        weather, life = Trips(delays=lambda: (1.0,)), born(loop, forever())
        ear = _ear(loop, weather, heard, life)
        ear.tell("e", "in time")
        loop.call_at(0.5, ear.tell, "e", "on its way")
        loop.call_at(1.2, ear.cut)
        loop.call_at(1.3, ear.tell, "e", "afterwards")
        loop.run(until_s=1.25)
        again = _ear(loop, weather, heard, life)
        again.tell("e", "on the next one")
        loop.run(until_s=9)
        assert not ear.listens
        assert again.listens
    assert heard == ["in time", "on the next one"]


def test_the_dead_hear_nothing() -> None:
    """Frames for a life that has ended are heard by nobody; the next life hears those of its own connection."""
    first_heard: list[str] = []
    second_heard: list[str] = []
    with virtual() as loop:
        weather = Trips(delays=lambda: (1.0,))
        first = born(loop, forever(), 1)
        ear = _ear(loop, weather, first_heard, first)
        ear.tell("e", "on its way")
        loop.run(until_s=0.5)
        loop.kill(first)
        assert not ear.listens
        second = _ear(loop, weather, second_heard, born(loop, forever(), 2))
        for each in (ear, second):
            each.tell("e", "after the death")
        loop.run(until_s=9)
    assert first_heard == []
    assert second_heard == ["after the death"]


@pytest.mark.parametrize(
    ("params", "client_id"),
    [
        ({"newClientOrderId": "a", "symbol": "BTCUSDT"}, "a"),
        ({"clientAlgoId": "b"}, "b"),
        ({"origClientOrderId": "c"}, "c"),
        ({"orderId": "1"}, None),
    ],
)
def test_a_request_names_its_order(params: dict[str, str], client_id: str | None) -> None:
    """Whatever the request calls it, the client id of its order is found."""
    assert Request("DELETE", ORDER, params).client_id == client_id


@pytest.mark.rule("G-14")
def test_every_answer_tells_what_was_used() -> None:
    """When it arrives, and not before."""
    with virtual(SEEDS[0]) as loop:
        rig = Rig(loop, Trips(trips=[Trip(there_s=0.1, back_s=0.4)]))
        rig.live(lambda line: line.call("GET", "/fapi/v1/time", {}))
        loop.run(until_s=0.4)
        assert rig.counters.value().reads == ()
        loop.run(until_s=1)
        assert [each.used for each in rig.counters.value().reads] == [COUNTS.weight_1m]
