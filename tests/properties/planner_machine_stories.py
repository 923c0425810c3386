"""Short stories told to the planner's machine: what is rare in a search, and where planted faults show.

Each is a few rules in a fixed order; the machine's witness judges them as it judges every run.
"""

from collections.abc import Callable

from tests.properties.planner_machine import PlannerMachine
from tests.properties.planner_machine_moves import FRESH_MS, Trail
from tests.properties.swarm_faults import Delivery
from tests.worlds import D

from jumar.model.decision import TrailMode
from jumar.model.order import Role
from jumar.model.policy import OnFlat

type Story = Callable[[PlannerMachine], None]


def tell(story: Story) -> PlannerMachine:
    """Tell a story to a machine, to its end: rest and home."""
    machine = PlannerMachine()
    story(machine)
    machine.teardown()
    return machine


def half_out(machine: PlannerMachine) -> None:
    """A whole position, then its first target is hit: the stop moves."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.price_jumps(to="tp1", child="sells all")


def stops_lost_after_tp1(machine: PlannerMachine) -> None:
    """And somebody takes both layers away."""
    half_out(machine)
    machine.all_stops_vanish(told=True)


def move_lost_after_tp1(machine: PlannerMachine) -> None:
    """The stop's move never arrives."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.requests_get_no_answer(whose=frozenset({Role.STOP}), delivery=Delivery.LOST, times=1)
    machine.price_jumps(to="tp1", child="sells all")


def climbs_by_structure(machine: PlannerMachine) -> None:
    """The rest follows a swing."""
    trail = Trail(mode=TrailMode.STRUCTURE)
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"), trail=trail)
    machine.price_jumps(to="tp1", child="sells all")
    machine.time_passes(ms=6000)
    machine.levels_come(age_ms=0)
    machine.time_passes(ms=6000)


def follows_by_percent(machine: PlannerMachine) -> None:
    """The rest of a short follows the best mark, and a restart forgets that."""
    trail = Trail(mode=TrailMode.PERCENT)
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=D("0.013"), trail=trail)
    machine.price_jumps(to="tp1", child="sells all")
    machine.time_passes(ms=6000)
    machine.price_moves(by=D(-300), child="sells all")
    machine.time_passes(ms=6000)
    machine.process_dies(instant=-1)


def levels_of_yesterday(machine: PlannerMachine) -> None:
    """The levels file has not been written for longer than it counts."""
    trail = Trail(mode=TrailMode.STRUCTURE_PLUS_LIQ)
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"), trail=trail)
    machine.price_jumps(to="tp1", child="sells all")
    machine.time_passes(ms=6000)
    machine.levels_come(age_ms=FRESH_MS + 1)
    machine.time_passes(ms=6000)


def tightened_at_a_loss(machine: PlannerMachine) -> None:
    """A flat decision against a position that is under water."""
    machine.begins(is_long=False, on_flat=OnFlat.TIGHTEN, lot=D("0.013"))
    machine.price_moves(by=D(150), child="sells all")
    machine.decision_comes(kind="flat")
    machine.time_passes(ms=6000)


def sold_in_the_zone(machine: PlannerMachine) -> None:
    """Before TP1: the zone's exit takes its place, its answer is lost, and the rest follows."""
    trail = Trail(mode=TrailMode.PERCENT, zone=200)
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"), trail=trail)
    whose: frozenset[Role | None] = frozenset({Role.ZONE_EXIT})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.UNANSWERED, times=1)
    machine.price_jumps(to="liquidations", child="sells all")
    machine.time_passes(ms=6000)


def sold_beyond_tp1(machine: PlannerMachine) -> None:
    """After TP1: half of the rest in the zone, the process dies on the way, and nothing goes twice."""
    trail = Trail(mode=TrailMode.STRUCTURE, zone=1200, fraction=D("0.5"))
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=D("0.013"), trail=trail)
    machine.price_jumps(to="tp1", child="sells all")
    machine.process_dies(instant=4)
    machine.price_jumps(to="liquidations", child="sells all")
    machine.time_passes(ms=6000)


def entry_unanswered(machine: PlannerMachine) -> None:
    """The first entry rests, and nobody says so."""
    whose: frozenset[Role | None] = frozenset({Role.ENTRY})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.UNANSWERED, times=1)
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=None)


def chased(machine: PlannerMachine, *, chases: int = 1) -> None:
    """The entry has joined the touch and follows it."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None, chases=chases, inside=True)
    machine.touch_drifts(by=25)


def chased_after_a_lot(machine: PlannerMachine) -> None:
    """Some of the entry has filled before it follows the touch."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.005"), inside=True)
    machine.touch_drifts(by=25)


def chased_to_the_edge(machine: PlannerMachine) -> None:
    """The touch goes on beyond the band; the entry stays at its edge."""
    chased(machine, chases=5)
    machine.touch_drifts(by=25)
    machine.touch_drifts(by=25)


def chase_lost(machine: PlannerMachine) -> None:
    """The amendment never arrives; later one does, and fills in two lots."""
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=None, inside=True)
    whose: frozenset[Role | None] = frozenset({Role.ENTRY})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.LOST, times=1)
    machine.touch_drifts(by=25)
    machine.touch_drifts(by=0)
    machine.entry_fills(whole=False, told=True)
    machine.entry_fills(whole=True, told=True)


def chase_refused(machine: PlannerMachine) -> None:
    """The first amendment is refused, the next one, ten seconds later, is not."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None, inside=True)
    machine.requests_are_refused(refusal=(Role.ENTRY, -5026), times=1)
    machine.touch_drifts(by=25)
    machine.touch_drifts(by=0)


def chase_late(machine: PlannerMachine) -> None:
    """The amendment arrives late, when the touch is below its price: the venue ends the order instead."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None, inside=True)
    whose: frozenset[Role | None] = frozenset({Role.ENTRY})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.LATE, times=1)
    machine.price_moves(by=D(25), child="sells all")
    machine.time_passes(ms=6000)
    machine.time_passes(ms=6000)
    machine.price_moves(by=D(-25), child="sells all")


def fallback_taken(machine: PlannerMachine) -> None:
    """The chases are used up: the entry gives way and one order takes."""
    chased(machine)
    machine.touch_drifts(by=0)


def fallback_lost(machine: PlannerMachine) -> None:
    """The order that takes is executed, and nobody says so."""
    chased(machine)
    whose: frozenset[Role | None] = frozenset({Role.ENTRY})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.UNANSWERED, times=1)
    machine.touch_drifts(by=0)


def entry_lost(machine: PlannerMachine) -> None:
    """Some of the entry fills, then somebody takes its rest away."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.005"))
    machine.vanishes(Role.ENTRY)


def hand_adds(machine: PlannerMachine) -> None:
    """Somebody adds to a position whose entry still rests."""
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=D("0.005"))
    machine.person_trades(how="sells", size=D("0.02"))


def stopped_out(machine: PlannerMachine) -> None:
    """The stop closes all, and the price comes back into the zone."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.price_jumps(to="stop", child="sells all")
    machine.time_passes(ms=6000)
    machine.price_jumps(to="zone", child="sells all")
    machine.time_passes(ms=3000)


def position_unread(machine: PlannerMachine) -> None:
    """A newer decision comes while the position cannot be read."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None)
    machine.decision_comes(kind="flat")
    machine.reads_fail(part="position", ms=8000)
    machine.time_passes(ms=6000)
    machine.decision_comes(kind="same")


def hand_was_there(machine: PlannerMachine) -> None:
    """Somebody adds and closes all; then a newer decision comes."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.person_trades(how="buys", size=D("0.002"))
    machine.time_passes(ms=3000)
    machine.person_trades(how="closes", size=D("0.002"))
    machine.time_passes(ms=6000)
    machine.decision_comes(kind="same")


def partly_out(machine: PlannerMachine) -> None:
    """A target of the first lot is hit while the rest of the entry rests."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.005"))
    machine.price_jumps(to="tp1", child="sells all")


def backstop_lost_after_tp1(machine: PlannerMachine) -> None:
    """The stop has moved, and the backstop is taken away."""
    half_out(machine)
    machine.vanishes(Role.BACKSTOP)
    machine.time_passes(ms=6000)


# rare in a search


def entry_refused(machine: PlannerMachine) -> None:
    """Post-only would have taken; the next attempt rests."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None, meets=(Role.ENTRY, -5022))
    machine.time_passes(ms=2000)


def entry_never_arrived(machine: PlannerMachine) -> None:
    """Its absence is proven before the next one goes."""
    whose: frozenset[Role | None] = frozenset({Role.ENTRY})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.LOST, times=1)
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=None)
    machine.time_passes(ms=6000)
    machine.time_passes(ms=6000)


def target_reached(machine: PlannerMachine) -> None:
    """A target is refused because the price is there already: its quantity is sold."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None)
    machine.requests_are_refused(refusal=(Role.TP1, -2021), times=1)
    machine.entry_fills(whole=True, told=True)
    machine.time_passes(ms=2000)


def stop_rejected(machine: PlannerMachine) -> None:
    """The price jumps through the stops, and the venue rejects what they trigger."""
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.price_jumps(to="stop", child="is rejected")
    machine.time_passes(ms=3000)


def closed_by_flat(machine: PlannerMachine) -> None:
    """A flat decision closes where the policy says so."""
    machine.begins(is_long=True, on_flat=OnFlat.CLOSE, lot=D("0.013"))
    machine.decision_comes(kind="flat")


def stops_forgotten(machine: PlannerMachine) -> None:
    """No list and no read by id tells any stop: one more is placed."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.list_forgets(which=-1, ms=20_000)
    machine.time_passes(ms=6000)
    machine.time_passes(ms=6000)


def gap_without_stops(machine: PlannerMachine) -> None:
    """Both layers are taken away while the price jumps through them: restoring would trigger at once."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.reads_fail(part="stream", ms=1500)
    machine.stops_sleep(ms=4000)
    machine.price_jumps(to="stop", child="sells all")
    machine.all_stops_vanish(told=True)
    machine.time_passes(ms=3000)


STORIES: tuple[Story, ...] = (
    stops_lost_after_tp1,
    move_lost_after_tp1,
    backstop_lost_after_tp1,
    climbs_by_structure,
    follows_by_percent,
    levels_of_yesterday,
    tightened_at_a_loss,
    sold_in_the_zone,
    sold_beyond_tp1,
    entry_unanswered,
    entry_lost,
    chase_lost,
    chase_refused,
    chase_late,
    fallback_taken,
    fallback_lost,
    hand_adds,
    hand_was_there,
    stopped_out,
    position_unread,
    partly_out,
    entry_refused,
    entry_never_arrived,
    target_reached,
    stop_rejected,
    closed_by_flat,
    stops_forgotten,
    gap_without_stops,
)


# each once broke a promise


def lots_of_a_hand(machine: PlannerMachine) -> None:
    """Y-11: two lots by hand while idle; the events tell both, the list lags at the first: cover is for both."""
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=None)
    machine.decision_comes(kind="flat")
    machine.position_lags(ms=4000)
    machine.person_trades(how="sells", size=D("0.02"), lots=2)


def armed_beside_a_hand(machine: PlannerMachine) -> None:
    """Y-3: a hand sold unseen just before a long was armed: the entry goes, what was sold gets its stop."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None)
    machine.decision_comes(kind="flat")
    machine.time_passes(ms=1000)
    machine.reads_fail(part="stream", ms=500)
    machine.reads_fail(part="position", ms=500)
    machine.person_trades(how="sells", size=D("0.002"))
    machine.decision_comes(kind="same")


def event_before_a_list(machine: PlannerMachine) -> None:
    """G-15: the event told of a position, the list lags and says none: nothing is armed beside it."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None)
    machine.decision_comes(kind="flat")
    machine.time_passes(ms=1000)
    machine.position_lags(ms=4000)
    machine.person_trades(how="sells", size=D("0.002"))
    machine.decision_comes(kind="same")


def outgrown_stops(machine: PlannerMachine) -> None:
    """S-4, Y-4: three stops that a hand outgrew must not keep a whole one out."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=D("0.013"))
    machine.time_passes(ms=3000)
    whose: frozenset[Role | None] = frozenset({Role.STOP})
    machine.requests_get_no_answer(whose=whose, delivery=Delivery.LATE, times=2)
    machine.all_stops_vanish(told=True)
    machine.person_trades(how="buys", size=D("0.007"))


def hand_closed_before_it_counted(machine: PlannerMachine) -> None:
    """O-1, D-7: an exit closed what a hand bought, before that execution counted: the end spends the decision."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None, meets=(Role.STOP, -2021))
    machine.person_trades(how="buys", size=D("0.002"))
    machine.time_passes(ms=1000)
    machine.operator_resumes()


def turned_twice(machine: PlannerMachine) -> None:
    """Y-11: a hand turns the position and turns it back; a list that lags shows it turned: ours is not over."""
    machine.begins(is_long=False, on_flat=OnFlat.HOLD, lot=None)
    machine.entry_fills(whole=False, told=True)
    machine.list_forgets(which=0, ms=1500)
    machine.person_trades(how="turns", size=D("0.002"))
    machine.all_stops_vanish(told=True)
    machine.decision_comes(kind="same")
    machine.time_passes(ms=1000)
    for _ in range(9):
        machine.all_heals()
    machine.time_passes(ms=700)
    machine.position_lags(ms=500)
    machine.person_trades(how="turns", size=D("0.002"))


def resumed_after_a_hand(machine: PlannerMachine) -> None:
    """D-7: our stop sold what a hand held before that hand's execution was told: the decision is spent."""
    machine.begins(is_long=True, on_flat=OnFlat.HOLD, lot=None)
    machine.decision_comes(kind="opposite")
    machine.person_trades(how="sells", size=D("0.002"))
    machine.price_jumps(to="tp1", child="sells all")
    for _ in range(20):
        machine.all_heals()
    machine.operator_resumes()
    machine.time_passes(ms=1000)
    machine.price_jumps(to="stop", child="sells all")


ONCE_BROKEN: tuple[Story, ...] = (
    turned_twice,
    resumed_after_a_hand,
    lots_of_a_hand,
    armed_beside_a_hand,
    event_before_a_list,
    outgrown_stops,
    hand_closed_before_it_counted,
)
