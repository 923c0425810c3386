"""Every small state of one symbol, planned once: no promise breaks in any, and each comes to rest.

`planner_states` enumerates, `planner_states_world` builds, `planner_states_rules` has the sentences. Complete states are
also played to their rest before an exchange that does what it is told, and mirrored for a short. A state that breaks a
sentence is printed as one line.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial

import pytest
from tests.properties.planner_states import (
    PLANNED,
    Asked,
    Held,
    State,
    Unread,
    every_combination,
    every_state,
    why_left_out,
)
from tests.properties.planner_states_rules import RULES, Case, broken
from tests.properties.planner_states_world import world_of
from tests.worlds import POLICY, D, Storyboard

from jumar.model import fold
from jumar.model.account import PositionReport
from jumar.model.command import CancelOrder, Cause, Command, PlaceOrder
from jumar.model.mode import Mode
from jumar.model.order import (
    STOP_ROLES,
    Fill,
    OrderState,
    OrderStatus,
    OwnOrder,
    Role,
    Side,
)
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source
from jumar.planner.plan import plan

#: A state space that shrinks unnoticed proves less than it says.
COMBINATIONS, LOOKED_AT, COMPLETE = 93_312, 36_054, 10_596
LEFT_OUT = {
    "a backstop follows the first fill (S-2)": 13_824,
    "an entry leaves behind a confirmed stop, and the journal forgets no order (S-1, X-1)": 11_232,
    "before the first fill no stop moves (S-1)": 1152,
    "FLATTENING is the emergency close of a position (M-2)": 1224,
    "FLATTENING is over before its trade is (M-1)": 144,
    "an entry that bought the whole plan ended as filled, not as cancelled": 2160,
    "a position that was never read is not missing twice": 1026,
    "what is missing forbids an entry already: NO_ENTRIES beside it adds nothing": 13_248,
    "what PROTECT_ONLY takes away it takes with everything read": 13_248,
}
#: So many looks, one second apart, and an obedient exchange has nothing left to be told.
WAKES, QUIET = 20, 2
SHOWN = 12
#: Every how-manieth state is planned twice, or tampered with: coprime to the length of every axis.
SAMPLED = 5
#: What is planned once is shared by the tests of one worker.
BY_HELD = [pytest.param(held, marks=pytest.mark.xdist_group(held.name)) for held in Held]


def complete(side: Side, held: Held) -> list[State]:
    """The states in which nothing is missing from the snapshot."""
    return list(every_state(side, held=[held], unread=[Unread.NOTHING]))


def fail_with(lines: Iterable[str]) -> None:
    """Fail with the first lines, if there are any."""
    found = list(lines)
    more = f"\n… and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    assert not found, "\n" + "\n".join(found[:SHOWN]) + more


def test_the_space_is_whole() -> None:
    """So many combinations, so many of them looked at, and each other one left out for a written reason."""
    reasons = Counter(why_left_out(state) for state in every_combination())
    looked_at = reasons.pop(None)
    assert (dict(reasons), looked_at) == (LEFT_OUT, LOOKED_AT)
    assert looked_at + reasons.total() == COMBINATIONS
    assert sum(len(complete(Side.BUY, held)) for held in Held) == COMPLETE


@cache
def complete_cases(held: Held) -> tuple[Case, ...]:
    """The complete states, planned; all that look at them share one plan."""
    return tuple(Case.of(state) for state in complete(Side.BUY, held))


def everything(held: Held) -> Iterator[Case]:
    """All states with one kind of position, planned."""
    yield from complete_cases(held)
    missing = [unread for unread in Unread if unread is not Unread.NOTHING]
    yield from (Case.of(state) for state in every_state(held=[held], unread=missing))


@pytest.mark.rule(
    *("P-1", "P-2", "P-4", "P-5", "P-7", "E-8", "E-10", "S-1", "S-2", "S-3", "S-4", "S-7", "S-8"),
    *("D-3", "T-2", "T-4", "C-1", "C-2", "C-3", "M-1", "M-2", "M-3", "X-1", "Y-1", "Y-3", "Y-11"),
)
@pytest.mark.parametrize("held", BY_HELD)
def test_every_state_keeps_the_promises(held: Held) -> None:
    """Whatever is held, rests, was decided and has been read: no planning fails and every sentence holds."""
    fail_with(line for case in everything(held) for line in broken(case))


@pytest.mark.parametrize("held", Held)
def test_a_short_is_a_mirrored_long(held: Held) -> None:
    """The rules are written for a long; a short mirrors them."""
    cases = (Case.of(state) for state in complete(Side.SELL, held))
    fail_with(line for case in cases for line in broken(case))


@pytest.mark.rule("P-9", "P-6")
@pytest.mark.parametrize("held", BY_HELD)
def test_a_plan_is_repeated(held: Held) -> None:
    """The same world gives the same plan, and a crash between recording the trade and sending changes no command."""
    wrong = []
    for number, case in enumerate(complete_cases(held)):
        planned = case.plan
        trade, mode = planned.trade or case.world.trade, planned.mode or case.world.mode
        recorded = replace(case.world, trade=trade, mode=mode)
        if trade is not None and trade.ended_ms is None and not planned.adopted:
            if plan(recorded, POLICY).commands != planned.commands:
                wrong.append(f"after the record was written: {case.state}")
        elif number % SAMPLED == 0 and plan(case.world, POLICY) != planned:
            wrong.append(f"at once: {case.state}")
    fail_with(wrong)


# played to their rest


@dataclass
class Obedient:
    """An exchange that tells everything and does what it is told, at once."""

    board: Storyboard
    state: State

    @classmethod
    def before(cls, state: State) -> "Obedient":
        """What is unknown to the engine in this state will be found resting."""
        world = world_of(state)
        board = Storyboard(world=world, journal={each.client_id: each for each in world.orders})
        return cls(board=board, state=state)

    def play(self) -> str | None:
        """Look every second until nothing is left to send; what is wrong with the rest, if anything."""
        quiet = 0
        for _ in range(WAKES):
            before = self.board.world
            quiet = 0 if self.board.tick().commands else quiet + 1
            self._execute_exits()
            self._spend(
                traded=bool(before.fills) or self.state.ever_held, had=before.trade is not None
            )
            if quiet == QUIET:
                return self.wrong()
            self._tell()
            self.board.later(1000)
        return f"still sends after {WAKES} looks"

    def _tell(self) -> None:
        """Reads by id find every order as it is; the position is read."""
        board, state = self.board, self.state
        for own in list(board.journal.values()):
            if own.state is OrderState.UNKNOWN or (own.role is Role.ENTRY and not own.ended):
                mine = own.role is Role.ENTRY and own.attempt == 1 and state.has_trade
                filled = max(own.filled_quantity, state.bought if mine else ZERO)
                status = OrderStatus.FILLED if filled == PLANNED else OrderStatus.NEW
                report = replace(board._report(own, status, filled))
                board._put(fold.fold(own, report, board.world.now_ms))
        board._sync()
        if board.world.position is None:
            board.reads(str(state.size * state.sign))

    def _execute_exits(self) -> None:
        for own in list(self.board.journal.values()):
            if own.role is Role.FULL_EXIT and not own.ended:
                self._execute(own)

    def _execute(self, own: OwnOrder) -> None:
        """A market exit sells what is held, and both event and read say so."""
        board, now = self.board, self.board.world.now_ms
        quantity = own.request.quantity or ZERO
        seen = board.world.position or board.world.position_event
        held = self.state.size * self.state.sign if seen is None else seen.value.quantity
        left = held + (quantity if own.request.side is Side.BUY else -quantity)
        board._put(fold.fold(own, board._report(own, OrderStatus.FILLED, quantity), now))
        sold = Fill(
            symbol="BTCUSDT",
            trade_id=board._id(),
            venue_order_id=own.client_id,
            client_id=own.client_id,
            side=own.request.side,
            price=D(90820),
            quantity=quantity,
            maker=False,
            fee=D("0.1"),
            fee_asset="USDT",
            realized_pnl=ZERO,
            time_ms=now,
        )
        report = PositionReport(symbol="BTCUSDT", quantity=left, entry_price=D(90820))
        event = Observed(value=report, at_ms=now, source=Source.STREAM)
        board.world = replace(board.world, fills=(*board.world.fills, sold), position_event=event)
        board._sync()
        board.reads(str(left))

    def _spend(self, *, traded: bool, had: bool) -> None:
        """D-7: a decision whose trade had a fill is spent with its end."""
        world = self.board.world
        ended = had and world.trade is None and world.decision is not None
        if ended and traded and world.decision is not None:
            spent = replace(world.decision, spent="its trade is over")
            self.board.world = replace(world, decision=spent)

    def wrong(self) -> str | None:
        """What must be true of a rest, and is not."""
        board = self.board
        alive = [own for own in board.journal.values() if own.alive_or_unknown]
        seen = board.world.position
        held = ZERO if seen is None else abs(seen.value.quantity)
        roles = Counter(own.role for own in alive if not own.invisible)
        if board.world.mode is not None and board.world.mode.mode is Mode.FLATTENING:
            return "still FLATTENING"
        if board.world.trade is None and (alive or held > ZERO):
            return f"no trade, {held} held, alive {sorted(roles)}"
        if roles[Role.ENTRY] and not self._may_enter():
            return "an entry rests"
        if held > ZERO:
            return self._wrongly_protected(alive, roles)
        armed = roles[Role.STOP] == 1 and roles.total() == 1 + roles[Role.ENTRY]
        return None if not alive or armed else f"flat, and {sorted(roles)} rest"

    def _may_enter(self) -> bool:
        """Whether the decision and the mode at rest allow an entry."""
        mode, asked = self.board.world.mode, self.state.asked
        wanted = asked in {Asked.SAME, Asked.NOTHING}
        wanted |= asked is Asked.OPPOSITE and not self.state.ever_held
        return wanted and (mode is None or mode.mode is Mode.NORMAL)

    def _wrongly_protected(self, alive: list[OwnOrder], roles: Counter[Role]) -> str | None:
        """S-2, S-4: one confirmed working stop for all that is held and may fill, and one backstop."""
        board, trade = self.board, self.board.trade
        if (roles[Role.STOP], roles[Role.BACKSTOP], roles[Role.FULL_EXIT]) != (1, 1, 0):
            return f"held, with {sorted(roles)}"
        if trade.closing is not None:
            return f"held though closing: {trade.closing}"
        stop = next(own for own in alive if own.role is Role.STOP and not own.invisible)
        seen = board.world.position
        held = ZERO if seen is None else abs(seen.value.quantity)
        entries = [own for own in alive if own.role is Role.ENTRY]
        left = sum(
            ((own.request.quantity or ZERO) - own.filled_quantity for own in entries), start=ZERO
        )
        if not stop.confirmed or (stop.request.quantity or ZERO) < held + left:
            return f"a stop of {stop.request.quantity} for {held} and {left} to come"
        floor = trade.tightest(trade.ratchet_price)
        looser = (stop.request.trigger_price or ZERO) * trade.sign < floor * trade.sign
        return f"the stop is at {stop.request.trigger_price}, ratchet {floor}" if looser else None


@pytest.mark.rule("P-1", "P-8", "S-2", "S-4", "X-9", "T-4", "M-1", "M-2")
@pytest.mark.parametrize("held", Held)
def test_every_state_comes_to_rest(held: Held) -> None:
    """Before an obedient exchange every state settles: protected, or flat and swept, and nothing more is sent.

    What is missing is read at the next look, and NO_ENTRIES only keeps an entry away: those states settle as others.
    """
    settling = (state for state in complete(Side.BUY, held) if state.mode is not Mode.NO_ENTRIES)
    played = ((state, Obedient.before(state).play()) for state in settling)
    fail_with(f"{words} | {state}" for state, words in played if words is not None)


# the sentences can be broken


type Tamper = Callable[[Case], Case]


def tampered(case: Case, commands: Iterable[Command]) -> Case:
    """The same state, with other commands."""
    return Case.judged(case.state, case.world, case.plan, commands)


def silenced(case: Case) -> Case:
    """Nothing leaves."""
    return tampered(case, ())


def backwards(case: Case) -> Case:
    """The last command leaves first."""
    return tampered(case, reversed(case.commands))


def turned(case: Case) -> Case:
    """Every placement has the other side."""
    return tampered(case, (_changed(p, side=p.request.side.opposite) for p in case.places))


def resized(case: Case, *, times: str) -> Case:
    """Every quantity is another."""
    sized = (p for p in case.places if p.request.quantity is not None)
    wrong = (_changed(p, quantity=(p.request.quantity or ZERO) * D(times)) for p in sized)
    return tampered(case, wrong)


def loosened(case: Case) -> Case:
    """Every trigger is one percent further down: looser for a long."""
    triggered = (p for p in case.places if p.request.trigger_price is not None)
    wrong = (
        _changed(p, trigger_price=(p.request.trigger_price or ZERO) * D("0.99")) for p in triggered
    )
    return tampered(case, wrong)


def renamed(case: Case) -> Case:
    """Every placement has the name of the first one."""
    return tampered(
        case, (_changed(p, client_id=p.request.client_id[:-1] + "1") for p in case.places)
    )


def doubled(case: Case, *, role: Role) -> Case:
    """One more order of a role, the same in every state."""
    return tampered(case, (*case.commands, _donated(role)))


def bared(case: Case) -> Case:
    """Every stop is cancelled."""
    stops = (each for each in case.world.orders if each.role in STOP_ROLES)
    cause = Cause(rule="S-4", text="tampered")
    gone = (
        CancelOrder(
            symbol="BTCUSDT", channel=own.request.channel, client_id=own.client_id, cause=cause
        )
        for own in stops
    )
    return tampered(case, (*case.commands, *gone))


def carefree(case: Case) -> Case:
    """No mode is kept."""
    planned = replace(case.plan, mode=None)
    return Case.judged(case.state, case.world, planned, case.commands)


def _changed(place: PlaceOrder, **changes: object) -> PlaceOrder:
    request = replace(place.request, **changes)  # type: ignore[arg-type]  # a tamper states what differs
    return replace(place, request=request, ratchet=None)


@cache
def _donated(role: Role) -> PlaceOrder:
    return next(p for held in Held for case in complete_cases(held) for p in case.placed(role))


TAMPERS: tuple[tuple[Tamper, set[str]], ...] = (
    (
        silenced,
        {
            *("entry_sent", "entry_withdrawn", "protected", "backstop", "closed"),
            *("targets_placed", "adopted"),
        },
    ),
    (backwards, {"order_of_leaving"}),
    (turned, {"only_reducing"}),
    (partial(resized, times="2"), {"entry_of_the_plan", "exits_fit"}),
    (partial(resized, times="0.5"), {"whole_stop"}),
    (loosened, {"ratchet"}),
    (renamed, {"ids"}),
    (
        partial(doubled, role=Role.ENTRY),
        {"one_entry", "entry_behind_a_stop", "entry_allowed", "at_rest"},
    ),
    (partial(doubled, role=Role.FULL_EXIT), {"nobody_closes"}),
    (bared, {"stops_stay"}),
    (partial(doubled, role=Role.TP1), {"only_protection"}),
    (carefree, {"foreign_mode"}),
)


@pytest.mark.xdist_group("tampered states")
@pytest.mark.parametrize(("tamper", "named"), TAMPERS)
def test_the_sentences_see_a_tampered_plan(tamper: Tamper, named: set[str]) -> None:
    """A sentence that notices nothing would let everything pass: each is broken by some change of the commands."""
    cases = [tamper(case) for held in Held for case in complete_cases(held)[::SAMPLED]]
    assert {rule.__name__ for rule in RULES for case in cases if rule(case) is not None} >= named


def test_no_sentence_is_without_its_tamper() -> None:
    """A new sentence must be shown to be able to fail."""
    named = {name for _, names in TAMPERS for name in names}
    assert {rule.__name__ for rule in RULES} == named
