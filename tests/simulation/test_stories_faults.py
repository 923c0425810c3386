"""Faults between engine, venue, store and sources: what protects goes on, nothing is doubled, nothing is forgotten.

Some of these cannot happen to a sound adapter or source: they are put in their place in the running engine.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from tests.simulation.disks import faulty_disks, refusing
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import PROTECT_DEADLINE_MS, armed, held, twice

from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import EventSeen, Incident, Intent, Record, TradeEnded
from jumar.model.order import Role
from jumar.ports.decisions import Answer, Received
from jumar.ports.exchange import StreamEvent
from jumar.reconciler.supervise import Engine
from jumar.simulation.host import Process
from jumar.store import queries


def process_of(s: Scene) -> Process:
    """The life that runs."""
    process = s.world.host.process
    assert process is not None
    return process


def engine_of(s: Scene) -> Engine:
    """The engine that runs."""
    return process_of(s).engine


# deaths


@pytest.mark.rule("X-4", "S-2")
@twice
def test_an_intent_that_a_crash_left_unsent_is_settled(seed: int) -> None:
    """Journaled, then the process died before the socket: presumed dead by id, another backstop rests."""
    with scene(seed) as s:
        armed(s)
        s.dies("before POST /fapi/v1/algoOrder")
        s.price_to("90786.5")
        s.expect_dead()
        assert not s.book.told("B")
        s.restart()
        s.expect_rests("B2 P1 Q1 S1", within_s=15)
        s.price_to("90370")
        assert s.verdict("P-1", "P-6").gaps == 0


@pytest.mark.rule("P-4", "D-7")
@twice
def test_a_crash_at_a_trades_end_leaves_its_decision_spent(seed: int) -> None:
    """The end and what it spends are one transaction: after a crash there the decision never enters again."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        held(s)
        disks[0].refuses = refusing(TradeEnded)
        s.price_to("90379")
        s.until("the end could not be written", lambda: disks[0].refused > 0)
        s.kill()
        s.price_to("90820")
        s.restart()
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        assert [row.summary is not None for row in queries.trades(s.database)] == [True]
        s.verdict("P-1", "P-4")


# reads


def break_reads(s: Scene, read: Callable[..., Any]) -> None:
    """Have every read of the running engine end like this one."""
    process_of(s).exchange._caller.read = read  # type: ignore[method-assign]  # a fault in its place


async def hangs(*_: Any, **__: Any) -> NoReturn:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def raises(*_: Any, **__: Any) -> NoReturn:
    """Raise something that the port does not name."""
    raise ValueError("a number nobody expected")


@pytest.mark.rule("P-1", "P-7", "O-1")
@pytest.mark.parametrize("read", [hangs, raises])
@twice
def test_failing_reads_do_not_delay_protection(seed: int, read: Callable[..., Any]) -> None:
    """Every read hangs, or raises something unforeseen: a lost stop is back within the deadline."""
    with scene(seed) as s:
        held(s)
        looks = len(s.witness.ticks)
        break_reads(s, read)
        s.wait(3.5)  # until the loop is inside a read of what grew old
        s.cancel_stop_by_hand()
        gone_ms = s.now_ms
        s.expect_rests("B1 P1 Q1 S2")
        assert s.book.one("S2")["t"] - gone_ms <= PROTECT_DEADLINE_MS
        assert len(s.witness.ticks) > looks


@pytest.mark.rule("W-1")
@twice
def test_a_reconnect_during_a_read_is_read_for_again(seed: int) -> None:
    """What was asked before the stream came back does not count as the reading that it calls for."""
    asked = 0
    with scene(seed, engine=False) as s:
        s.start()
        real = process_of(s).exchange._caller.read

        async def flapping(path: str, *rest: Any, **named: Any) -> Any:
            nonlocal asked
            asked += path == "/fapi/v3/positionRisk"
            if path == "/fapi/v3/positionRisk" and asked == 1:
                engine_of(s)._sink(StreamEvent(connected=True, at_ms=0, reason="connected"))
            return await real(path, *rest, **named)

        break_reads(s, flapping)
        s.until("asked again", lambda: asked >= 2, within_s=5)


# those who are told, and those who tell


@pytest.mark.rule("O-1", "P-1")
@twice
def test_a_broken_observer_does_not_end_the_engine(seed: int) -> None:
    """Whoever is told of an incident may fail: the loop goes on, the stop is restored."""
    heard: list[Incident] = []

    def deaf(incident: Incident) -> None:
        heard.append(incident)
        raise RuntimeError("the alarm is broken")

    with scene(seed) as s:
        s.witness.incident = deaf  # type: ignore[method-assign]  # a fault in its place
        held(s)
        s.cancel_stops_by_hand()
        s.expect_rests("B2 P1 Q1 S2")
        assert [incident.rule for incident in heard if incident.severity == "critical"] == ["S-7"]
        s.price_to("90370")
        s.verdict("P-1", "P-8")


class Failing:
    """A source that breaks its promise not to raise."""

    def __init__(self) -> None:
        self.polls = 0

    def poll(self) -> tuple[Received, ...]:
        """Raise."""
        self.polls += 1
        raise RecursionError("a file nobody foresaw")

    def answer(self, answer: Answer) -> None:
        """Nothing is answered: nothing was ever brought."""


@pytest.mark.rule("D-5", "P-1")
@twice
def test_a_source_that_raises_does_not_end_the_engine(seed: int) -> None:
    """No input stops the loops: an open position is managed on, the source is asked again."""
    with scene(seed) as s:
        held(s)
        source = engine_of(s)._source = Failing()
        s.until("asked twice", lambda: source.polls >= 2)
        s.cancel_stop_by_hand()
        s.expect_rests("B1 P1 Q1 S2", within_ticks=2)


# the journal


def an_intent_of(role: Role) -> Callable[[Record], bool]:
    """Says of a record whether it is the intent of an order of that role."""
    return lambda record: isinstance(record, Intent) and record.order.role is role


@pytest.mark.rule("X-2")
@twice
def test_an_armed_stop_that_cannot_be_journaled_is_not_sent(seed: int) -> None:
    """Before an entry there is nothing to protect: a stop nobody remembers would outlive its trade."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        disks[0].refuses = an_intent_of(Role.STOP)
        s.wait(1)
        s.decision(LONG)
        s.until("two alarms", lambda: sum(i.rule == "X-2" for i in s.witness.incidents) >= 2)
        assert not [each for each in s.script.sent if each.slot]


@pytest.mark.rule("X-2")
@twice
def test_records_kept_for_another_try_are_written_once(seed: int) -> None:
    """Of records written one by one only those that failed are kept: no intent is journaled twice."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        s.wait(1)
        away = [StoreUnavailable("jumar.db: locked")]

        def poisoned(record: Record) -> bool:
            """Refuse the poison for ever; be away once for what stood beside it."""
            message = record.message if isinstance(record, EventSeen) else ""
            if message == "poison":
                disks[0].error = InvariantBroken("X-2", "poison")
                return True
            if message == "away" and away:
                disks[0].error = away.pop()
                return True
            return False

        disks[0].refuses = poisoned
        loop = engine_of(s).loops["BTCUSDT"]
        for word in ("first", "poison", "away", "last"):
            loop.state.outbox.add(
                EventSeen(symbol="BTCUSDT", trade_key="k", rule="X-2", message=word, at_ms=1)
            )
        loop.wake()

        def told() -> list[str]:
            return [event.message for event in queries.events(s.database, "k")]

        s.until("all told", lambda: {"first", "away", "last"} <= set(told()))
        assert sorted(told()) == ["away", "first", "last"]
        assert not away


@pytest.mark.rule("D-7")
@twice
def test_a_restart_remembers_that_a_refused_decision_superseded(seed: int) -> None:
    """The older decision was superseded by a readable one that was refused: it stays so after a restart."""
    with scene(seed) as s:
        armed(s)
        s.wait(1)
        s.decision(LONG, sl=None)
        s.expect_rests("")
        s.expect_stopped()
        s.world.disk.decision.unlink()
        before = s.book.entries()
        s.start()
        s.ticks(4)
        codes = {refusal.code for refusal in s.witness.ticks[-1].report.plan.refusals}
        assert "superseded" in codes
        assert (s.book.slots, s.book.entries()) == ("", before)
