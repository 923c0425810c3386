"""What must hold in every enumerated state, one sentence each, about the state and not about the planner.

A sentence looks at how the state was made and at the commands; at nothing that the planner reckons. Each answers with
what is wrong, or None.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from tests.properties import planner_states as states
from tests.properties.planner_states import (
    ALIVE_OR_UNKNOWN,
    Asked,
    Backstop,
    Held,
    State,
    Stop,
    Unread,
)
from tests.properties.planner_states_world import world_of
from tests.worlds import POLICY

from jumar.model.command import CancelOrder, Command, PlaceOrder, Plan
from jumar.model.ids import parse_client_id
from jumar.model.mode import Mode
from jumar.model.order import STOP_ROLES, TARGET_ROLES, Role, Side
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner import invariants
from jumar.planner.plan import plan

PROTECTIVE = STOP_ROLES | {Role.FULL_EXIT}
NOT_FOR_ENTRY = frozenset({Asked.STALE, Asked.FLAT, Asked.OPPOSITE, Asked.REFUSED})


@dataclass(frozen=True, kw_only=True)
class Case:
    """One state, and what was planned in it."""

    state: State
    world: World
    plan: Plan
    commands: tuple[Command, ...]
    places: tuple[PlaceOrder, ...]
    cancels: tuple[CancelOrder, ...]

    @classmethod
    def of(cls, state: State) -> "Case":
        """Plan it, as the loop does."""
        world = world_of(state)
        planned = plan(world, POLICY)
        invariants.check(world, planned, POLICY)
        return cls.judged(state, world, planned, [each.command for each in planned.commands])

    @classmethod
    def judged(
        cls, state: State, world: World, planned: Plan, commands: Iterable[Command]
    ) -> "Case":
        """What is judged: the commands as they leave."""
        commands = tuple(commands)
        return cls(
            state=state,
            world=world,
            plan=planned,
            commands=commands,
            places=tuple(each for each in commands if isinstance(each, PlaceOrder)),
            cancels=tuple(each for each in commands if isinstance(each, CancelOrder)),
        )

    def placed(self, *roles: Role) -> list[PlaceOrder]:
        """The placements of some roles."""
        return [place for place in self.places if place.request.role in roles]

    def cancelled(self, *roles: Role) -> list[CancelOrder]:
        """The cancels of orders of some roles."""
        return [cancel for cancel in self.cancels if role_of(cancel) in roles]

    @cached_property
    def known(self) -> bool:
        """Whether anything tells what is held: a read, an event, or the journal's executions."""
        if self.state.has_trade:
            return True
        return self.state.held is not Held.UNREAD and self.state.unread is not Unread.POSITION

    @cached_property
    def held(self) -> Decimal:
        """What is held as far as it is known: on the trade's side, or without a trade on either."""
        if not self.known:
            return ZERO
        return max(self.state.size, ZERO) if self.state.has_trade else abs(self.state.size)

    @cached_property
    def sign(self) -> int:
        """Plus one where the trade, ours, found or about to be made, is a long."""
        state = self.state
        made = self.held == ZERO and state.asked is Asked.OPPOSITE
        turned = not state.has_trade and (state.size < ZERO or made)
        return -state.sign if turned else state.sign

    @cached_property
    def closes(self) -> bool:
        """Whether the position must be closed now: an emergency, or the opposite decision (M-2, C-2)."""
        opposite = self.state.asked is Asked.OPPOSITE
        return self.state.has_trade and (opposite or self.state.mode is Mode.FLATTENING)

    @cached_property
    def may_enter(self) -> bool:
        """Whether nothing that the state shows forbids an entry (sections 1 to 3)."""
        state = self.state
        read = state.unread is Unread.NOTHING and state.held is not Held.UNREAD
        other = (
            Asked.NOTHING if state.has_trade else Asked.OPPOSITE
        )  # of no trade it is just a decision
        wanted = state.asked in {Asked.SAME, other}
        return read and wanted and state.mode is Mode.NORMAL and state.by_hand == ZERO


type Rule = Callable[[Case], str | None]


# entries


def one_entry(case: Case) -> str | None:
    """E-10: at most one entry order per symbol is alive or unknown."""
    entries = case.placed(Role.ENTRY)
    alive = case.state.entry in ALIVE_OR_UNKNOWN
    return f"{len(entries)} beside {case.state.entry}" if len(entries) + alive > 1 else None


def entry_of_the_plan(case: Case) -> str | None:
    """P-4: filled entry quantity never exceeds the plan; the next entry asks for planned - filled."""
    asked = sum((place.request.quantity or ZERO for place in case.placed(Role.ENTRY)), start=ZERO)
    wrong = asked > ZERO and asked + case.state.bought != states.PLANNED
    return f"{asked} after {case.state.bought} bought" if wrong else None


def entry_behind_a_stop(case: Case) -> str | None:
    """S-1: only when a stop for the planned quantity is confirmed is the entry sent."""
    confirmed = case.state.stop in {Stop.RATCHET, Stop.LOOSER}
    wrong = case.placed(Role.ENTRY) and not confirmed
    return "an entry without it" if wrong else None


def entry_allowed(case: Case) -> str | None:
    """P-7, D-3, M-1, S-9: no entry on incomplete truth, an old decision, in another mode, or after a hand."""
    return "an entry all the same" if case.placed(Role.ENTRY) and not case.may_enter else None


def entry_sent(case: Case) -> str | None:
    """S-1, E-8: armed, allowed and with something left to buy, the entry goes; what rests goes on."""
    state = case.state
    armed = state.stop is Stop.RATCHET and case.may_enter and not state.adopted
    left = state.bought < states.PLANNED and state.entry not in ALIVE_OR_UNKNOWN
    if armed and left and state.has_trade and not case.placed(Role.ENTRY):
        return "no entry"
    return "cancelled without a reason" if armed and case.cancelled(Role.ENTRY) else None


def entry_withdrawn(case: Case) -> str | None:
    """Section 2, S-1: an alive entry is cancelled when a guard fails or its stop is gone, before anything else."""
    state = case.state
    bare = state.stop not in {Stop.RATCHET, Stop.LOOSER}
    if state.entry not in ALIVE_OR_UNKNOWN or (case.may_enter and not bare):
        return None
    first = case.commands[0] if case.commands else None
    withdrawn = isinstance(first, CancelOrder) and role_of(first) is Role.ENTRY
    return None if withdrawn else "the entry stays"


# stops


def ratchet(case: Case) -> str | None:
    """S-3: the stop of a trade only gets tighter."""
    if not case.state.has_trade:
        return None
    for place in case.placed(Role.STOP):
        trigger = place.request.trigger_price
        if trigger is None or trigger * case.sign < case.state.ratchet * case.sign:
            return f"{trigger} is looser than {case.state.ratchet}"
    return None


def whole_stop(case: Case) -> str | None:
    """S-4, S-1: a working stop has the position and what may still fill; before the first fill the plan."""
    state = case.state
    needed = case.held + state.may_fill
    if not state.ever_held and case.held == ZERO:
        needed = states.PLANNED
    small = [p for p in case.placed(Role.STOP) if (p.request.quantity or ZERO) < needed]
    return f"{small[0].request.quantity} of {needed}" if small else None


def protected(case: Case) -> str | None:
    """P-1, S-7: without a stop at the ratchet price one is placed now and a person is told, or all is closed."""
    if case.held == ZERO or (case.state.has_trade and case.state.is_covered_at_ratchet):
        return None
    if case.closes:
        return None if case.placed(Role.FULL_EXIT) else "naked, and not closed"
    if not case.placed(Role.STOP):
        return "naked, and no stop is placed"
    return None if any(alarm.rule in {"S-7", "Y-1"} for alarm in case.plan.alarms) else "no alarm"


def stops_stay(case: Case) -> str | None:
    """Y-11, S-1, S-4: no stop is cancelled while something is held or may fill and no other one is confirmed."""
    needed = case.held > ZERO or case.state.entry in ALIVE_OR_UNKNOWN
    gone = case.cancelled(*STOP_ROLES)
    return f"{gone[0].client_id} goes" if needed and gone else None


def backstop(case: Case) -> str | None:
    """S-2: as soon as a fill is known, closePosition at the initial stop; a lost tighter stop comes first (P-2)."""
    state = case.state
    missing = state.backstop is Backstop.NONE and case.held > ZERO and state.has_trade
    placed = case.placed(Role.BACKSTOP)
    if missing and not placed and state.stop is not Stop.LOOSER:
        return "no backstop"
    initial = states.mirrored(states.INITIAL, state.side)
    for place in placed:
        request = place.request
        if not request.close_position or (state.has_trade and request.trigger_price != initial):
            return f"at {request.trigger_price}, closePosition {request.close_position}"
    return "a second one" if placed and state.backstop is not Backstop.NONE else None


# exits


def only_reducing(case: Case) -> str | None:
    """P-5: every exit is reduce-only or closePosition, against the position."""
    exit_side = Side.SELL if case.sign > 0 else Side.BUY
    for place in case.places:
        request = place.request
        if request.role is Role.ENTRY:
            continue
        if not request.only_reduces or request.side is not exit_side:
            return f"{request.client_id} {request.side}"
    return None


def exits_fit(case: Case) -> str | None:
    """S-8, T-2: a full exit is of the position's size, targets never more than is left of what was bought."""
    for place in case.placed(Role.FULL_EXIT):
        if place.request.quantity != case.held or case.held == ZERO:
            return f"an exit of {place.request.quantity}, {case.held} held"
    targets = case.placed(*TARGET_ROLES)
    total = sum((place.request.quantity or ZERO for place in targets), start=ZERO)
    own = ZERO if case.state.adopted else min(case.state.bought, case.held)
    return f"targets of {total}, {own} are ours" if total > own else None


def closed(case: Case) -> str | None:
    """M-2, C-2: FLATTENING or an opposite decision closes what is held, in this tick."""
    wrong = case.closes and case.held > ZERO and not case.placed(Role.FULL_EXIT)
    return "nothing is closed" if wrong else None


def nobody_closes(case: Case) -> str | None:
    """P-10, C-1: nothing else closes a position."""
    wrong = case.placed(Role.FULL_EXIT) and not case.closes
    return "closed without being asked" if wrong else None


def targets_placed(case: Case) -> str | None:
    """T-2, M-1: placed as soon as there is a position of ours; none in PROTECT_ONLY."""
    state = case.state
    wants = state.has_trade and not state.adopted and state.bought > ZERO and case.held > ZERO
    if not wants or case.closes:
        return None
    total = sum((p.request.quantity or ZERO for p in case.placed(*TARGET_ROLES)), start=ZERO)
    wanted = ZERO if state.mode is Mode.PROTECT_ONLY else min(state.bought, case.held)
    return None if total == wanted else f"targets of {total}, {wanted} wanted"


def at_rest(case: Case) -> str | None:
    """T-4, C-3: flat and with nothing to enter, only sweeping is left."""
    state = case.state
    over = state.has_trade and (state.ever_held or state.asked in NOT_FOR_ENTRY)
    idle = not state.has_trade and not case.may_enter
    if case.held > ZERO or state.entry in ALIVE_OR_UNKNOWN or not (over or idle):
        return None
    return f"{case.places[0].request.client_id} is placed" if case.places else None


def only_protection(case: Case) -> str | None:
    """M-1, M-4: in PROTECT_ONLY nothing leaves but what protects, and cancels; no resting target goes."""
    if case.state.mode is not Mode.PROTECT_ONLY:
        return None
    placed = [place for place in case.places if place.request.role not in PROTECTIVE]
    others = [c for c in case.commands if not isinstance(c, PlaceOrder | CancelOrder)]
    return f"{len(placed) + len(others)} other commands" if placed or others else None


# the rest


def ids(case: Case) -> str | None:
    """X-1: deterministic, of the pattern, its letter the role, its number the attempt, never used before."""
    used = {order.client_id for order in case.world.orders}
    for place in case.places:
        name = place.request.client_id
        parsed = parse_client_id(name)
        if parsed is None or (parsed.role, parsed.attempt) != (role_of(place), place.attempt):
            return f"{name} is attempt {place.attempt}"
        if name in used or len(name) > 36:
            return f"{name} a second time"
        used.add(name)
    return None


def order_of_leaving(case: Case) -> str | None:
    """S-1, S-4, S-8: protect before cancel, close before any cancel but the entry's, enter last."""
    last = {
        kind: max((n for n, each in enumerate(case.commands) if fits(each)), default=-1)
        for kind, fits in (("protect", _protects), ("any", lambda _: True))
    }
    for number, command in enumerate(case.commands):
        role = role_of(command) if isinstance(command, PlaceOrder | CancelOrder) else None
        early = isinstance(command, CancelOrder) and role is not Role.ENTRY
        if early and number < last["protect"]:
            return "cancelled before it protects"
        if isinstance(command, PlaceOrder) and role is Role.ENTRY and number != last["any"]:
            return "entered before the rest"
    return None


def _protects(command: Command) -> bool:
    return isinstance(command, PlaceOrder) and command.request.role in PROTECTIVE


def foreign_mode(case: Case) -> str | None:
    """M-3, Y-1, Y-3: what a hand added, or a position that nobody's trade explains, means NO_ENTRIES."""
    found = not case.state.has_trade and case.held > ZERO
    if case.state.by_hand <= ZERO and not found:
        return None
    kept = case.plan.mode or case.world.mode
    return None if kept is not None and kept.mode is not Mode.NORMAL else "entries are allowed"


def adopted(case: Case) -> str | None:
    """Y-1: a position without a trade is adopted, with an emergency stop that does not lie through the mark."""
    if case.state.has_trade or case.held == ZERO:
        return None
    trade, stops = case.plan.trade, case.placed(Role.STOP)
    if trade is None or not trade.adopted or trade.adopted_quantity != case.held:
        return f"not adopted: {trade}"
    mark = states.mirrored(states.MARK, case.state.side)
    trigger = stops[0].request.trigger_price if stops else None
    through = trigger is None or (mark - trigger) * case.sign <= ZERO
    return f"its stop is {trigger}" if through else None


RULES: tuple[Rule, ...] = (
    one_entry,
    entry_of_the_plan,
    entry_behind_a_stop,
    entry_allowed,
    entry_sent,
    entry_withdrawn,
    ratchet,
    whole_stop,
    protected,
    stops_stay,
    backstop,
    only_reducing,
    exits_fit,
    closed,
    nobody_closes,
    targets_placed,
    only_protection,
    at_rest,
    ids,
    order_of_leaving,
    foreign_mode,
    adopted,
)


def broken(case: Case) -> Iterator[str]:
    """A readable line for each sentence that does not hold."""
    for rule in RULES:
        if (words := rule(case)) is not None:
            said = " ".join(_word(command) for command in case.commands) or "nothing"
            yield f"{(rule.__doc__ or '').split(':')[0]} {rule.__name__}: {words} | {case.state} | {said}"


def _word(command: Command) -> str:
    if isinstance(command, PlaceOrder):
        return f"+{command.request.role}"
    return f"-{role_of(command)}" if isinstance(command, CancelOrder) else type(command).__name__


def role_of(command: PlaceOrder | CancelOrder) -> Role:
    """What a placement or a cancel is about."""
    if isinstance(command, PlaceOrder):
        return command.request.role
    return Role(command.client_id.split("-")[2][0])
