"""Before anything leaves: whether this engine still owns the database, asked after the request's time was taken (X-7)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.planner.test_chase import resting
from tests.unit.reconciler.test_amend import Scene, due, scene_of
from tests.worlds import NOW, Storyboard, decision, world

from jumar.model.command import Plan
from jumar.model.decision import Action
from jumar.model.errors import StoreUnavailable, Superseded
from jumar.model.mode import Mode
from jumar.model.order import Channel, OrderRequest, Role
from jumar.model.outcome import Accepted, Outcome
from jumar.model.world import DecisionState
from jumar.ports.store import WriterState

pytestmark = pytest.mark.rule("X-7", "M-4")

EXPIRED, YOUNG = WriterState(expired=True), WriterState(entries_wait_s=4.0)


@dataclass
class Leased(Scene):
    """A scene whose store has a lease.

    Attributes:
        states_of_writer: what it says of the lease, one after another; the last one from then on.
        renewal: what a renewal raises; moves is called while it is under way.
    """

    states_of_writer: list[WriterState] = field(default_factory=lambda: [WriterState()])
    renewal: Exception | None = None
    moves: Callable[[], None] = lambda: None
    renewals: int = 0

    def writing(self) -> WriterState:
        """What it says now."""
        states = self.states_of_writer
        return states.pop(0) if len(states) > 1 else states[0]

    async def renew(self) -> None:
        """Ask the database."""
        self.renewals += 1
        self.moves()
        if self.renewal is not None:
            raise self.renewal
        self.states_of_writer = [WriterState()]

    async def cancel(self, symbol: str, channel: Channel, client_id: str, **_: Any) -> Outcome:
        """The venue cancels."""
        del symbol, channel
        self.events.append(f"cancel {client_id[-2:]}")
        return Accepted()


def leased(scene: Scene, *states: WriterState, renewal: Exception | None = None) -> Leased:
    """A scene, with a lease."""
    return Leased(
        state=scene.state,
        clock=scene.clock,
        states_of_writer=list(states),
        renewal=renewal,
    )


def first_stop() -> tuple[Scene, Plan]:
    """The armed stop of a set-up has just been planned."""
    board = Storyboard(world=world(decision=DecisionState(decision=decision())))
    return scene_of(board), board.tick_only()


def entry() -> tuple[Scene, Plan]:
    """Its entry has just been planned: the stop is confirmed."""
    board = Storyboard(world=world(decision=DecisionState(decision=decision())))
    board.tick()
    scene, plan = scene_of(board), board.tick_only()
    return scene, plan


def withdrawn() -> tuple[Scene, Plan]:
    """The cancel of a resting entry has just been planned."""
    board = resting()
    board.decide(decision(id="d2", action=Action.FLAT, levels=None, timestamp_ms=NOW - 1000))
    return scene_of(board), board.tick_only()


ALL = pytest.mark.parametrize("planned", [first_stop, entry, due, withdrawn])


@ALL
async def test_nothing_leaves_an_engine_that_was_followed(
    planned: Callable[[], tuple[Scene, Plan]],
) -> None:
    """Neither stop nor entry, amendment or cancel; nothing is journaled, and the engine hears of it."""
    scene, plan = planned()
    followed = leased(scene, EXPIRED, renewal=Superseded("another engine has taken over"))
    assert plan.commands
    with pytest.raises(Superseded):
        await followed.executor().run(plan)
    assert followed.events == []


@ALL
async def test_a_lease_that_can_be_renewed_stops_nothing(
    planned: Callable[[], tuple[Scene, Plan]],
) -> None:
    """A pause that nobody used: one renewal, then everything leaves."""
    scene, plan = planned()
    late = leased(scene, EXPIRED)
    await late.executor().run(plan)
    assert late.renewals == 1
    assert [name for name in late.events if name not in {"Intent", "AmendIntent"}]


@pytest.mark.parametrize(
    ("planned", "leaves"), [(first_stop, True), (entry, False), (due, False), (withdrawn, True)]
)
async def test_where_nobody_can_be_asked_only_what_protects_leaves(
    planned: Callable[[], tuple[Scene, Plan]], leaves: bool
) -> None:
    """The database is gone and the lease is over: stops and cancels go on, entries and amendments do not."""
    scene, plan = planned()
    alone = leased(scene, EXPIRED, renewal=StoreUnavailable("gone"))
    alone.state.common.writing = alone.writing
    await alone.executor().run(plan)
    sent = [name for name in alone.events if name not in {"Intent", "AmendIntent"}]
    assert bool(sent) == leaves
    mode = alone.state.common.mode
    assert mode is not None and (mode.mode, mode.code) == (Mode.PROTECT_ONLY, "lease_unrenewed")
    assert "cannot be renewed: gone" in mode.cause


@pytest.mark.parametrize(
    ("planned", "leaves"), [(first_stop, True), (entry, False), (due, False), (withdrawn, True)]
)
async def test_after_another_engine_entries_wait(
    planned: Callable[[], tuple[Scene, Plan]], leaves: bool
) -> None:
    """What the engine before sent may still arrive: nothing adds exposure until it cannot."""
    scene, plan = planned()
    young = leased(scene, YOUNG)
    await young.executor().run(plan)
    sent = [name for name in young.events if name not in {"Intent", "AmendIntent"}]
    assert bool(sent) == leaves
    assert young.renewals == 0


@pytest.mark.parametrize("planned", [first_stop, due])
async def test_the_time_of_a_request_is_older_than_the_question(
    planned: Callable[[], tuple[Scene, Plan]],
) -> None:
    """Standing still while asking makes a request old, never the answer young: the venue refuses it."""
    scene, plan = planned()
    taken_ms = scene.clock.at_ms
    paused = leased(scene, EXPIRED)

    def stands_still() -> None:
        paused.clock.at_ms += 60_000

    paused.moves = stands_still
    await paused.executor().run(plan)
    ((request, timestamp_ms, _),) = paused.asked
    assert timestamp_ms == taken_ms
    assert not isinstance(request, OrderRequest) or request.role is Role.STOP


async def test_it_is_asked_again_between_journal_and_socket() -> None:
    """A process that stood still while its intent was written asks before it sends."""
    scene, plan = first_stop()
    followed = leased(
        scene, WriterState(), WriterState(), EXPIRED, renewal=Superseded("another engine")
    )
    with pytest.raises(Superseded):
        await followed.executor().run(plan)
    assert followed.events == ["Intent"]
