"""Sending what enters or re-prices an entry: journaled first, looked at once more, and what became of it (E-5, E-6)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import pytest
from tests.unit.planner.test_chase import AFTER_MS, resting, touch_away
from tests.unit.planner.test_fallback import chased
from tests.worlds import NOW, POLICY, Storyboard, amends

from jumar.model import fold
from jumar.model.amendment import AmendmentState
from jumar.model.command import AmendRequest, Plan
from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import AmendIntent, Incident, Intent, Record, SymbolMemory
from jumar.model.mode import Mode
from jumar.model.order import OrderReport, OrderRequest, OrderStatus, OwnOrder, Role
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.model.world import Quote
from jumar.planner import ladder
from jumar.planner.sweep import request_dead_ms
from jumar.ports.clock import Clock
from jumar.ports.exchange import Exchange
from jumar.ports.store import SOLE_WRITER, Store, WriterState
from jumar.reconciler.execute import Executor
from jumar.reconciler.observe import Observer
from jumar.reconciler.state import SymbolState

D = Decimal


@dataclass
class StillClock:
    """Time stands."""

    at_ms: int

    def now_ms(self) -> int:
        """The same moment."""
        return self.at_ms

    def monotonic(self) -> float:
        """Its seconds."""
        return self.at_ms / 1000


@dataclass
class Scene:
    """An executor between a store and a venue that do what a test says.

    Attributes:
        events: what happened, in its order.
        on_write: called while records are being written.
    """

    state: SymbolState
    clock: StillClock
    outcome: Outcome = field(default_factory=Accepted)
    error: Exception | None = None
    on_write: Callable[[], None] = lambda: None
    events: list[str] = field(default_factory=list)
    asked: list[tuple[AmendRequest | OrderRequest, int, int]] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    reloads: int = 0
    report: OrderReport | None = None

    def writing(self) -> WriterState:
        """Nobody else writes."""
        return SOLE_WRITER

    async def write(self, records: Sequence[Record]) -> None:
        """The store."""
        intents = [r for r in records if isinstance(r, Intent | AmendIntent)]
        self.events += [type(record).__name__ for record in intents]
        self.on_write()
        if self.error is not None and intents:
            raise self.error

    async def amend(self, request: AmendRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """The venue amends."""
        self.events.append("amend")
        self.asked.append((request, timestamp_ms, timeout_ms))
        return self.outcome

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """The venue places."""
        self.events.append("place")
        self.asked.append((request, timestamp_ms, timeout_ms))
        return Unknown(reason="nothing came back")

    async def order(self, *_: object) -> OrderReport | None:
        """The venue reads by id."""
        return self.report

    def reload(self) -> None:
        """The filters are to be read again."""
        self.reloads += 1

    def executor(self) -> Executor:
        """The one under test."""
        return Executor(
            state=self.state,
            policy=POLICY,
            exchange=cast("Exchange", self),
            store=cast("Store", self),
            clock=cast("Clock", self.clock),
            on_incident=self.incidents.append,
            on_filter_error=self.reload,
        )

    @property
    def entry(self) -> OwnOrder:
        """The newest entry as it is remembered."""
        return [o for o in self.state.orders.values() if o.role is Role.ENTRY][-1]

    def states(self) -> list[AmendmentState]:
        """What became of its amendments."""
        return [each.state for each in self.entry.amendments]


def scene_of(board: Storyboard) -> Scene:
    """A process that remembers what the storyboard's did, and sees the same prices."""
    world = board.world
    memory = SymbolMemory(
        symbol="BTCUSDT", trade=world.trade, orders=world.orders, fills=world.fills
    )
    state = SymbolState(account="main", store_id="store", memory=memory)
    assert world.quote is not None
    state.prices.saw_quote(world.quote)
    return Scene(state=state, clock=StillClock(world.now_ms))


def due() -> tuple[Scene, Plan]:
    """An entry whose amendment has just been planned."""
    board = touch_away(resting().later(AFTER_MS), "20")
    plan = board.tick_only()
    assert len(amends(plan)) == 1
    return scene_of(board), plan


def shows(scene: Scene, price: str, status: OrderStatus = OrderStatus.NEW) -> OrderReport:
    """What the venue says of the entry."""
    own = scene.entry
    board = Storyboard(world=resting().world)
    return replace(board._report(own, status, own.filled_quantity), price=D(price))


def quoted(scene: Scene, bid: str, ask: str) -> None:
    """The touch moves."""
    known = scene.state.prices.quote
    assert known is not None
    value = Quote(bid=D(bid), ask=D(ask), bid_quantity=D(1), ask_quantity=D(1))
    scene.state.prices.saw_quote(replace(known, value=value, at_ms=known.at_ms + 1))


@pytest.mark.rule("X-2", "X-7", "E-5")
async def test_an_amendment_is_durable_before_it_leaves() -> None:
    """The intent first, then one request with the same timestamp; its echo settles it."""
    scene, plan = due()
    scene.outcome = Accepted(report=shows(scene, "90780"))
    (executed,) = await scene.executor().run(plan)
    assert scene.events == ["AmendIntent", "amend"]
    ((request, timestamp_ms, timeout_ms),) = scene.asked
    assert request == amends(plan)[0].request
    assert (timestamp_ms, timeout_ms) == (scene.clock.at_ms, POLICY.recv_window_ms)
    assert executed.outcome == scene.outcome
    assert (scene.states(), scene.entry.price) == ([AmendmentState.DONE], D("90780"))
    assert "90760 -> 90780" in scene.entry.amendments[0].cause


@pytest.mark.rule("X-3", "X-4")
@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted(already=True), AmendmentState.DONE),
        (Rejected(code=-5026, message="limit"), AmendmentState.REFUSED),
        (Unknown(reason="no answer"), AmendmentState.ASKED),
    ],
)
async def test_what_becomes_of_an_amendment(outcome: Outcome, state: AmendmentState) -> None:
    """So already is done; refused leaves the price; without an answer it stays asked."""
    scene, plan = due()
    scene.outcome = outcome
    await scene.executor().run(plan)
    assert scene.states() == [state]
    price = D("90780") if state is AmendmentState.DONE else D("90760")
    assert scene.entry.price == price
    assert scene.entry.confirmed


@pytest.mark.rule("W-3")
@pytest.mark.parametrize(("code", "reloads"), [(-4014, 1), (-5026, 0)])
async def test_a_refused_number_has_the_filters_read_again(code: int, reloads: int) -> None:
    """Filters have changed where the venue refuses the price."""
    scene, plan = due()
    scene.outcome = Rejected(code=code, message="no")
    await scene.executor().run(plan)
    assert (scene.entry.amendments[0].code, scene.reloads) == (code, reloads)


@pytest.mark.rule("E-5", "E-10")
async def test_an_order_that_the_venue_ended_instead_has_ended() -> None:
    """The answer shows its end: it counts as a chase, and nothing is unknown about it."""
    scene, plan = due()
    scene.outcome = Accepted(report=shows(scene, "90760", OrderStatus.CANCELED))
    await scene.executor().run(plan)
    assert scene.entry.ended
    assert (scene.entry.amending, scene.entry.chases) == (None, 1)


def _crosses(scene: Scene) -> None:
    quoted(scene, "90779.9", "90780")


def _cancelled(scene: Scene) -> None:
    scene.state.put(replace(scene.entry, cancel_sent_ms=scene.clock.at_ms), scene.clock.at_ms)


def _bare(scene: Scene) -> None:
    (stop,) = [o for o in scene.state.orders.values() if o.role is Role.STOP]
    scene.state.put(fold.end_canceled(stop, scene.clock.at_ms), scene.clock.at_ms)


def _filled(scene: Scene) -> None:
    ended = shows(scene, "90760", OrderStatus.FILLED)
    scene.state.saw_order(ended, scene.clock.at_ms)


def _paused(scene: Scene) -> None:
    state = ladder.state("paused", "asked for", scene.clock.at_ms)
    assert state.mode is Mode.NO_ENTRIES
    scene.state.set_mode(state)


CHANGES = pytest.mark.parametrize(
    "change", [_crosses, _cancelled, _bare, _filled, _paused], ids=lambda each: each.__name__
)


@pytest.mark.rule("E-5", "S-1", "S-9")
@CHANGES
async def test_it_looks_once_more_before_the_journal(
    change: Callable[[Scene], None],
) -> None:
    """The touch came back, a cancel is on its way, the stop is gone, it has filled, a person paused: nothing is sent."""
    scene, plan = due()
    change(scene)
    assert await scene.executor().run(plan) == ()
    assert scene.events == []
    assert scene.entry.amendments == ()


@pytest.mark.rule("E-5", "S-1", "S-9", "X-2")
@CHANGES
async def test_it_looks_once_more_before_the_socket(
    change: Callable[[Scene], None],
) -> None:
    """The same while the journal was written: the intent is there, and never left."""
    scene, plan = due()

    def happens() -> None:
        scene.on_write = lambda: None
        change(scene)

    scene.on_write = happens
    assert await scene.executor().run(plan) == ()
    assert scene.events == ["AmendIntent"]
    assert scene.states() == [AmendmentState.ABSENT]


@pytest.mark.rule("X-2", "M-4")
async def test_what_cannot_be_journaled_is_not_sent() -> None:
    """A store that fails stops an amendment; the order stands as read."""
    scene, plan = due()
    scene.error = StoreUnavailable("disk full")
    assert await scene.executor().run(plan) == ()
    assert scene.events == ["AmendIntent"]
    assert scene.states() == [AmendmentState.ABSENT]
    refused, plan = due()
    refused.error = InvariantBroken("X-2", "never journaled")
    with pytest.raises(InvariantBroken):
        await refused.executor().run(plan)
    assert (refused.events, refused.states()) == (["AmendIntent"], [AmendmentState.ABSENT])


@pytest.mark.rule("E-6")
@pytest.mark.parametrize(("ask", "sent"), [("90786.6", True), ("90786.7", False)])
async def test_an_entry_that_takes_looks_at_the_touch_once_more(ask: str, *, sent: bool) -> None:
    """Within its limit it goes, a tick beyond it does not: not before the journal, not after it."""
    board = chased()
    board.tick()
    plan = board.tick_only()
    scene = scene_of(board)
    quoted(scene, "90780", ask)
    await scene.executor().run(plan)
    assert scene.events == (["Intent", "place"] if sent else [])
    late = scene_of(board)
    late.on_write = lambda: quoted(late, "90780", ask)
    await late.executor().run(plan)
    assert late.events == (["Intent", "place"] if sent else ["Intent"])
    if not sent:
        assert late.entry.ended
        assert late.entry.acked_ms is None


# reads that tell


@pytest.mark.rule("X-4", "E-5")
@pytest.mark.parametrize(
    ("price", "late_ms", "state"),
    [
        ("90780", 400, AmendmentState.DONE),
        ("90760", 0, AmendmentState.ASKED),
        ("90760", 1, AmendmentState.ABSENT),
    ],
)
async def test_a_read_by_id_tells_what_became_of_it(
    price: str, late_ms: int, state: AmendmentState
) -> None:
    """Its price shown is done; the old one proves nothing until the request can not be executed any more."""
    scene, plan = due()
    scene.outcome = Unknown(reason="no answer")
    await scene.executor().run(plan)
    asked_ms = scene.entry.amendments[0].timestamp_ms
    observer = observer_of(scene)
    scene.clock.at_ms = asked_ms + 299
    assert not observer._must_ask(scene.entry, scene.clock.at_ms)
    scene.clock.at_ms = asked_ms + 300
    assert observer._must_ask(scene.entry, scene.clock.at_ms)
    if state is not AmendmentState.DONE:
        scene.clock.at_ms = request_dead_ms(asked_ms, POLICY) + late_ms
    scene.report = shows(scene, price)
    await observer._ask(scene.entry)
    assert scene.states() == [state]
    assert scene.entry.price == D(price)
    assert scene.entry.confirmed


def observer_of(scene: Scene) -> Observer:
    """What reads for it."""
    return Observer(
        state=scene.state,
        policy=POLICY,
        exchange=cast("Exchange", scene),
        shared=cast("Any", None),
        clock=cast("Clock", scene.clock),
    )


@pytest.mark.rule("X-4", "P-6")
def test_a_start_remembers_what_is_unknown() -> None:
    """An amendment that a crash cut off is asked about, not sent again."""
    scene, plan = due()
    (command,) = amends(plan)
    asked = fold.ask_amendment(scene.entry, command.journaled(NOW))
    memory = SymbolMemory(
        symbol="BTCUSDT",
        trade=scene.state.trade,
        orders=tuple(
            asked if o.client_id == asked.client_id else o for o in scene.state.orders.values()
        ),
    )
    again = SymbolState(account="main", store_id="store", memory=memory)
    assert again.orders[asked.client_id].amending == asked.amendments[0]
