"""One symbol's records on their way to a store that fails or hangs, with an emergency log beside it (M-4, X-2)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from tests.journals import held, records

from jumar.model.errors import StoreUnavailable
from jumar.model.journal import EventSeen, Intent, ModeChanged, Record, SymbolMemory
from jumar.model.order import Role
from jumar.ports.clock import Clock
from jumar.ports.store import EmergencyLog, Store
from jumar.reconciler.journaling import Journalist
from jumar.reconciler.state import SymbolState

SOON_S = 0.01


@dataclass
class Scene:
    """A journalist between a store and an emergency log that do what a test says.

    Attributes:
        gate: closed, the store's writes neither end nor fail.
        durable, rescued: what either of them has written, a batch each.
        emptied: how often the log heard that it is needed no longer.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False
    log_fails: bool = False
    durable: list[tuple[Record, ...]] = field(default_factory=list)
    rescued: list[tuple[Record, ...]] = field(default_factory=list)
    emptied: int = 0
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()
        memory = SymbolMemory(symbol="BTCUSDT")
        self.state = SymbolState(account="main", store_id="store", memory=memory)
        scene = self

        class Log:
            """The emergency log."""

            async def write(self, symbol: str, records: Sequence[Record]) -> None:
                """Write, or fail."""
                if scene.log_fails:
                    raise StoreUnavailable("full too")
                scene.rescued.append(tuple(records))

            async def committed(self, symbol: str) -> None:
                """Hear it."""
                scene.emptied += 1

        self.journalist = Journalist(
            state=self.state,
            store=cast("Store", self),
            clock=cast("Clock", self),
            say=lambda *words: self.said.append(words),
            emergency=cast("EmergencyLog", Log()),
        )

    def now_ms(self) -> int:
        """The clock."""
        return 7

    async def write(self, records: Sequence[Record]) -> None:
        """The store."""
        await self.gate.wait()
        if self.fails:
            raise StoreUnavailable("disk full")
        self.durable.append(tuple(records))

    async def sends(self, intent: Intent, wait_s: float | None = SOON_S) -> None:
        """What the executor does with an order that it sends whatever the store says."""
        kept = await self.journalist.written((*self.state.outbox.take(), intent), wait_s)
        self.state.outbox.give_back(kept or ())


def intent(role: Role) -> Intent:
    """The first intent of a role in the life of a trade."""
    found = [r for r in records(held()) if isinstance(r, Intent) and r.order.role is role]
    return found[0]


def event(message: str) -> EventSeen:
    """Something that happened before."""
    return EventSeen(symbol="BTCUSDT", trade_key=None, rule="S-1", message=message, at_ms=1)


STOP, BACKSTOP, ENTRY = (intent(role) for role in (Role.STOP, Role.BACKSTOP, Role.ENTRY))


@pytest.mark.rule("M-4", "X-2")
async def test_each_record_goes_into_the_emergency_log_once_and_the_intent_last() -> None:
    """What precedes it goes along, so does the mode; the second batch holds only what is new; then all is written."""
    scene = Scene(fails=True)
    before = event("before")
    scene.state.outbox.add(before)
    await scene.sends(STOP)
    await scene.sends(BACKSTOP)
    (first, second) = scene.rescued
    assert first[-2:] == (before, STOP)
    assert isinstance(first[0], ModeChanged)
    assert (second[-1], STOP in second, before in second) == (BACKSTOP, False, False)
    await scene.journalist.flush(SOON_S)
    assert (len(scene.rescued), scene.emptied) == (2, 0)
    scene.fails = False
    await scene.journalist.flush(SOON_S)
    (written,) = scene.durable
    assert [r for r in written if isinstance(r, Intent)] == [STOP, BACKSTOP]
    assert scene.emptied == 1


@pytest.mark.rule("M-4", "X-2")
async def test_what_a_hanging_store_is_still_writing_goes_along_and_comes_back_in_its_place() -> (
    None
):
    """The log must not lean on a transaction under way; when that fails, its records go before younger ones."""
    scene = Scene()
    scene.gate.clear()
    older, younger = event("older"), event("younger")
    scene.state.outbox.add(older)
    await scene.journalist.flush(SOON_S)
    await scene.sends(STOP)
    assert scene.rescued == [(older, STOP)]
    scene.state.outbox.add(younger)
    scene.fails = True
    scene.gate.set()
    await scene.journalist.flush(SOON_S)
    assert (scene.durable, scene.emptied) == ([], 0)
    scene.fails = False
    await scene.journalist.flush(SOON_S)
    (written,) = scene.durable
    assert [r for r in written if not isinstance(r, ModeChanged)] == [older, STOP, younger]
    assert scene.emptied == 1


@pytest.mark.rule("M-4", "X-2")
async def test_only_what_protects_what_is_exposed_is_rescued() -> None:
    """An entry does not leave without the database; a stop that only arms has nothing to protect yet."""
    scene = Scene(fails=True)
    await scene.sends(ENTRY)
    await scene.sends(STOP, wait_s=None)
    assert scene.rescued == []
    scene.fails = False
    await scene.journalist.flush(SOON_S)
    assert scene.emptied == 0


@pytest.mark.rule("M-4")
async def test_a_log_that_fails_too_is_told_and_tried_again() -> None:
    """Protection is not held up; the next try writes all that is missing."""
    scene = Scene(fails=True, log_fails=True)
    await scene.sends(STOP)
    assert any(s == "critical" and "protection leaves" in words for s, _, words in scene.said)
    scene.log_fails = False
    await scene.sends(BACKSTOP)
    (batch,) = scene.rescued
    assert [r for r in batch if isinstance(r, Intent)] == [STOP, BACKSTOP]
