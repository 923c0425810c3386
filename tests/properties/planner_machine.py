"""The planner as a state machine: whatever happens in whatever order, after each thing no promise is broken.

Each rule is one thing that happens: to the market, the orders, the wire, the reads, the process, by a person, by the
decision system. Then the real planner looks until it has nothing more to send. `planner_machine_engine` is the loop,
`planner_machine_oracles` the witness, `swarm_venue` the truth. At the end everything heals: the position must come to
rest, and home.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.properties.planner_machine_engine import Engine, Fate
from tests.properties.planner_machine_moves import FRESH_MS, PLAIN, TRAILS, Trail, levels_at
from tests.properties.planner_machine_oracles import Witness
from tests.properties.planner_machine_wire import half_of
from tests.properties.swarm_faults import PARTS, Delivery
from tests.properties.swarm_oracles import PromiseBroken
from tests.properties.swarm_venue import SYMBOL, Venue, VenueOrder
from tests.standings import HARMLESS, REFUSING
from tests.worlds import NOW, POLICY, D, decision, short_decision

from jumar.model.decision import Action, Decision
from jumar.model.order import STOP_ROLES, TARGET_ROLES, Role
from jumar.model.policy import OnFlat
from jumar.model.units import ZERO
from jumar.ports.decisions import Received

HAND_MS = 2000
CALM_TICKS, HOME_TICKS = 12, 30
TICKS = st.integers(min_value=-12, max_value=12).map(lambda n: D(25) * n)
CHILD = st.sampled_from(["sells all", "sells all", "sells half", "waits", "is rejected"])
TOLD = st.sampled_from([True, True, True, False])
#: Whose requests a misfortune meets.
WHOSE: tuple[frozenset[Role | None], ...] = (
    frozenset({Role.ENTRY}),
    frozenset({Role.STOP}),
    frozenset({Role.BACKSTOP, *TARGET_ROLES, Role.FULL_EXIT}),
    frozenset({None}),
    frozenset({*Role, None}),
)
#: A refusal that each role may meet: would take, would trigger, no position yet, no room, too far, band, halted.
CODES: tuple[tuple[Role, int], ...] = (
    (Role.ENTRY, -5022),
    (Role.STOP, -2021),
    (Role.STOP, -4045),
    (Role.STOP, -4211),
    (Role.BACKSTOP, -4509),
    (Role.BACKSTOP, -4130),
    (Role.TP1, -2021),
    (Role.FULL_EXIT, -4131),
    (Role.FULL_EXIT, -4118),
    (Role.FULL_EXIT, -1016),
)
READS = ("position", "regular", "conditional", "by id", "fills", "stream", "prices")
STALE_MS = 601_000
PAUSES = st.sampled_from([20, 100, 300, 700, 1000, 1000, 1000, 2000, 3000, 6000, 6000, STALE_MS])
MOMENTS = st.sampled_from([500, 1500, 4000, 8000])


class PlannerMachine(RuleBasedStateMachine):
    """One symbol from its first decision on; `seen` counts what all runs visited."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        """A venue, a witness and an engine; nothing decided yet."""
        super().__init__()
        venue = Venue(now_ms=NOW, price=D(90820))
        self.witness = Witness(venue=venue, started_ms=NOW)
        self.engine = Engine(venue=venue, witness=self.witness, policy=POLICY, now_ms=NOW)
        self.venue = venue
        self.make: Callable[..., Decision] = decision
        self.other: Callable[..., Decision] = short_decision
        self.stamp_ms = NOW - 5000
        self.traded_ms = 0
        self.trail = PLAIN

    # the beginning

    @initialize(
        is_long=st.booleans(),
        on_flat=st.sampled_from(list(OnFlat)),
        lot=st.sampled_from([None, None, D("0.005"), D("0.013")]),
        meets=st.sampled_from([*[None] * 10, *CODES]),
        chases=st.sampled_from([5, 1, 0]),
        inside=st.booleans(),
        trail=TRAILS,
    )
    def begins(
        self,
        *,
        is_long: bool,
        on_flat: OnFlat,
        lot: Decimal | None,
        meets: tuple[Role, int] | None = None,
        chases: int = 5,
        inside: bool = False,
        trail: Trail = PLAIN,
    ) -> None:
        """A first decision is armed; in half of the runs something of it fills in peace."""
        if not is_long:
            self.make, self.other = self.other, self.make
            self.venue.price = D(90780)
        if inside:  # of the band, so that the entry joins the touch and may chase it
            self.venue.price = D(90745) if is_long else D(90855)
        # every decision is sure enough for the bounded fallback (E-6)
        self.engine.policy = replace(
            trail.limits(POLICY), on_flat=on_flat, max_chases=chases, fallback_confidence=D("0.7")
        )
        self.trail = trail
        self.engine.write_levels(trail.levels(self.make(), self.engine.now_ms))
        if meets is not None:
            self._refuse_next(meets, 1)
        self._decide(self._made("d0", self.stamp_ms))
        self._step()
        if lot is not None:
            self.engine.fill_entry(lot, told=True)
            self._step()

    # decisions

    @rule(
        kind=st.sampled_from(
            [
                *("same", "flat", "opposite", "refused", "older", "again", "unchecked"),
                *("other plan", "other levels", "poor levels"),
            ]
        )
    )
    def decision_comes(self, kind: str) -> None:
        """The decision system writes its file."""
        self.engine.seen[f"decision {kind}"] += 1
        now, name = self.engine.now_ms, f"d{self.engine.now_ms}"
        match kind:
            case "same":
                self._decide(self._made(name, now))
            case "other plan":
                self._decide(self._changed(name, zone_min=D(-5), zone_max=D(-150)))
            case "other levels":
                self._decide(self._changed(name, stop=D(70), tp1=D(100), tp2=D(-300)))
            case "poor levels":
                self._decide(self._changed(name, tp1=D(-300)))
            case "flat":
                flat = {"action": Action.FLAT, "levels": None, "notional": ZERO}
                self._decide(decision(id=name, timestamp_ms=now, **flat))
            case "opposite":
                self._decide(self.other(id=name, timestamp_ms=now))
            case "unchecked":
                self._decide(self.make(id=name, timestamp_ms=now, risk_checks=None))
            case "refused":
                self._refuse(now)
            case "older":
                self._decide(self.make(id=f"{name} old", timestamp_ms=self.stamp_ms - 1000))
            case _ if self.engine.received is not None:
                self.engine.deliver(self.engine.received)
        self._step()

    def _changed(self, name: str, **by: Decimal) -> Decision:
        """A decision of now on the run's side, some of its levels moved by so much, for a long upwards."""
        newer = self.make(id=name, timestamp_ms=self.engine.now_ms)
        assert newer.levels is not None
        levels = newer.levels
        moved = {n: getattr(levels, n) + each * self._sign() for n, each in by.items()}
        edges = sorted(
            (moved.get("zone_min", levels.zone_min), moved.get("zone_max", levels.zone_max))
        )
        changed = {**moved, "zone_min": edges[0], "zone_max": edges[1]}
        return replace(newer, levels=replace(levels, **changed))

    def _decide(self, newer: Decision) -> None:
        self.stamp_ms = max(self.stamp_ms, newer.timestamp_ms)
        received = Received(
            raw="{}", symbol=SYMBOL, timestamp_ms=newer.timestamp_ms, decision=newer
        )
        self.witness.decided(newer, 0)
        self.engine.deliver(received)

    def _refuse(self, stamp_ms: int) -> None:
        self.stamp_ms = stamp_ms
        received = Received(
            raw="{", symbol=SYMBOL, timestamp_ms=stamp_ms, decision=None, code="malformed"
        )
        self.witness.decided(None, stamp_ms)
        self.engine.deliver(received)

    # the market

    @rule(by=TICKS, child=CHILD)
    def price_moves(self, by: Decimal, child: str) -> None:
        """A little; what it reaches triggers."""
        self.venue.price += by
        self._step(child)

    @rule(age_ms=st.sampled_from([0, 0, 0, FRESH_MS, FRESH_MS + 1]))
    def levels_come(self, age_ms: int) -> None:
        """The levels file is written anew, around the price of the moment."""
        now, price = self.engine.now_ms, self.venue.price
        self.engine.write_levels(levels_at(price, self._sign(), now, age_ms=age_ms))
        self.engine.seen["levels"] += 1
        self._step()

    @rule(
        to=st.sampled_from(["stop", "tightest", "tp1", "tp2", "zone", "liquidations"]), child=CHILD
    )
    def price_jumps(self, to: str, child: str) -> None:
        """Through a level, with nothing in between."""
        self.venue.price = self._level(to)
        self._step(child)

    def _level(self, name: str) -> Decimal:
        levels = self.make().levels
        assert levels is not None
        sign = self._sign()
        through = D(30) * sign
        ratchet = self.witness.ratchet.get(self.witness.key)
        match name:
            case "stop":
                return levels.stop - through
            case "tightest" if ratchet is not None:
                return abs(ratchet) - through
            case "liquidations":
                return self.trail.inside(self.make())
            case "tp1":
                return levels.tp1 + through
            case "tp2" if levels.tp2 is not None:
                return levels.tp2 + through
        return levels.zone_min + D(120) if sign > 0 else levels.zone_max - D(120)

    def _made(self, name: str, at_ms: int) -> Decision:
        return self.make(id=name, timestamp_ms=at_ms, **self.trail.management)

    def _sign(self) -> int:
        return 1 if self.make is decision else -1

    @precondition(lambda self: self.venue.resting_entry() is not None)
    @rule(by=st.sampled_from([25, 25, 25, 5, -5]))
    def touch_drifts(self, by: int) -> None:
        """The touch goes away, or comes nearer, and nobody hits the entry for longer than it waits."""
        self.venue.price += D(by) * self._sign()
        self.engine.pass_time(12_000)

    @precondition(lambda self: self.venue.resting_entry() is not None)
    @rule(whole=st.booleans(), told=TOLD)
    def entry_fills(self, *, whole: bool, told: bool) -> None:
        """Partly or wholly; its own event may be lost, the execution is told."""
        entry = self.venue.resting_entry()
        assert entry is not None
        self.engine.fill_entry(entry.left if whole else half_of(entry), told=told)
        self._step()

    # the wire

    @rule(
        whose=st.sampled_from(WHOSE),
        delivery=st.sampled_from([Delivery.UNANSWERED, Delivery.LATE, Delivery.LOST]),
        times=st.integers(min_value=1, max_value=3),
    )
    def requests_get_no_answer(
        self, whose: frozenset[Role | None], delivery: Delivery, times: int
    ) -> None:
        """The next requests are executed without an answer, arrive late or never."""
        fate = Fate(roles=whose, delivery=delivery, code=None, left=times)
        self.engine.fates.append(fate)
        self._step()

    @rule(refusal=st.sampled_from(CODES), times=st.integers(min_value=1, max_value=4))
    def requests_are_refused(self, refusal: tuple[Role, int], times: int) -> None:
        """The next requests of a role are refused."""
        self._refuse_next(refusal, times)
        self._step()

    def _refuse_next(self, refusal: tuple[Role, int], times: int) -> None:
        role, code = refusal
        whose = frozenset({role})
        fate = Fate(roles=whose, delivery=Delivery.ANSWERED, code=code, left=times)
        self.engine.fates.append(fate)

    # the orders

    @precondition(lambda self: self._resting())
    @rule(which=st.integers(min_value=0, max_value=7), told=TOLD)
    def order_vanishes(self, which: int, *, told: bool) -> None:
        """A person, or the venue, takes an order of ours away."""
        resting = self._resting()
        self.engine.person_cancels(resting[which % len(resting)], told=told)
        self._step()

    def vanishes(self, role: Role) -> None:
        """The order of a role that rests is taken away, and the stream says so."""
        self.engine.person_cancels(self._resting(role)[0], told=True)
        self._step()

    @precondition(lambda self: self._resting(*STOP_ROLES))
    @rule(told=TOLD)
    def all_stops_vanish(self, *, told: bool) -> None:
        """Both layers at once."""
        self.engine.seen["both layers taken away"] += len(self._resting(*STOP_ROLES)) > 1
        for order in self._resting(*STOP_ROLES):
            self.engine.person_cancels(order, told=told)
        self._step()

    @precondition(lambda self: self._resting())
    @rule(which=st.integers(min_value=-1, max_value=7), ms=st.sampled_from([1500, 6000, 20_000]))
    def list_forgets(self, which: int, ms: int) -> None:
        """Lists and reads by id do not know an order that rests, or all stops."""
        resting = self._resting()
        found = [resting[which % len(resting)]] if which >= 0 else self._resting(*STOP_ROLES)
        for order in found:
            order.hidden_until = self.engine.now_ms + ms
        self.engine.seen["order forgotten"] += 1
        self._step()

    @precondition(lambda self: self._resting(*STOP_ROLES))
    @rule(ms=MOMENTS)
    def stops_sleep(self, ms: int) -> None:
        """Triggers do not fire though the price is through them."""
        for order in self._resting(*STOP_ROLES):
            order.deaf_until = self.engine.now_ms + ms
        self._step()

    def _resting(self, *roles: Role) -> list[VenueOrder]:
        orders = self.venue.of_role(*(roles or Role))
        return [order for order in orders if order.alive and not order.triggered]

    # the truth

    @rule(part=st.sampled_from(READS), ms=MOMENTS)
    def reads_fail(self, part: str, ms: int) -> None:
        """A part of the truth cannot be read for a while, or is not told."""
        self.engine.blind_until[part] = self.engine.now_ms + ms
        self.engine.seen[f"no {part}"] += 1
        self._step()

    @rule(part=st.sampled_from(PARTS))
    def part_is_missing(self, part: str) -> None:
        """A part of the world is not known at one look."""
        self.engine.hidden = frozenset({part})
        self._step()

    @rule(ms=MOMENTS)
    def position_lags(self, ms: int) -> None:
        """The position list answers as before the last change for a moment."""
        self.engine.lags_until = self.engine.now_ms + ms
        self._step()

    # the process, people, time

    @rule(instant=st.integers(min_value=-1, max_value=8))
    def process_dies(self, instant: int) -> None:
        """Now, or between two instructions of a later look."""
        if instant < 0:
            self.engine.restart()
        else:
            self.engine.dies_in = instant
        self._step()

    @precondition(lambda self: self.engine.now_ms - self.traded_ms >= HAND_MS)
    @rule(
        how=st.sampled_from(["buys", "sells", "closes", "turns"]),
        size=st.sampled_from([D("0.002"), D("0.007"), D("0.02")]),
        lots=st.integers(min_value=1, max_value=2),
    )
    def person_trades(self, how: str, size: Decimal, lots: int = 1) -> None:
        """On the same position; nobody is quick enough to do it twice while a list still lags."""
        self.traded_ms = self.engine.now_ms
        held = self.venue.position
        quantity = {"buys": size, "sells": -size, "closes": -held, "turns": -2 * held}[how]
        first = (quantity / lots).quantize(D("0.001"))
        for lot in (first, quantity - first):
            if lot != ZERO:
                self.engine.person_trades(lot)
        self._step()

    @rule(how=st.sampled_from(["harmless", "harmless", *REFUSING]))
    def account_stands(self, how: str) -> None:
        """Equity, the other symbols, or what is known of them keep entries away, or not any more."""
        self.engine.standing = REFUSING.get(how, HARMLESS)
        self.engine.seen[f"account {how}"] += 1
        self._step()

    @rule(code=st.sampled_from(["paused", "flatten", "invariant"]))
    def mode_is_kept(self, code: str) -> None:
        """Somebody pauses or flattens, or a promise was found broken."""
        self.engine.keep(code)
        self._step()

    @rule()
    def operator_resumes(self) -> None:
        """Somebody looked."""
        self.engine.resume()
        self._step()

    @rule(ms=PAUSES)
    def time_passes(self, ms: int) -> None:
        """In ticks of the loop; the longest makes every decision old while nobody looks."""
        if ms == STALE_MS:
            self.engine.sleep(ms)
        else:
            self.engine.pass_time(ms)
        self._step()

    @rule()
    def all_heals(self) -> None:
        """Nothing goes wrong any more, for now."""
        self.engine.heal()
        self._step()

    # what must hold

    def _step(self, child: str = "sells all") -> None:
        self.engine.pass_time(20, child=child)

    @invariant()
    def the_promises_hold(self) -> None:
        """P-1, P-8: covered or closed in time, swept in time; and what rests at the venue is what may rest there."""
        self.witness.looked()
        self._one_entry_is_alive()
        self._nothing_is_bought_beyond_the_plan()
        self._exits_only_reduce()
        self._backstops_stand_still()

    def _one_entry_is_alive(self) -> None:
        """E-10: at most one entry order per symbol is alive."""
        entries = [order for order in self.venue.of_role(Role.ENTRY) if order.alive]
        _demand("E-10", len(entries) <= 1, entries)

    def _nothing_is_bought_beyond_the_plan(self) -> None:
        """P-4: filled entry quantity never exceeds the plan."""
        for key, setup in self.witness.setups.items():
            bought = self.witness.bought(key)
            _demand("P-4", bought <= setup.planned, f"{bought} of {setup.planned}")

    def _exits_only_reduce(self) -> None:
        """P-5: what rests at the venue and is no entry only reduces."""
        orders = [order.request for order in self.venue.orders.values() if order.alive]
        adding = [r for r in orders if not r.only_reduces and r.role is not Role.ENTRY]
        _demand("P-5", not adding, adding)

    def _backstops_stand_still(self) -> None:
        """S-2: a backstop never moves from the initial stop."""
        for order in self.venue.of_role(Role.BACKSTOP):
            setup = self.witness.setups[order.trade_key]
            stays = order.request.trigger_price == setup.initial_stop
            _demand("S-2", stays, order.request.client_id)

    def teardown(self) -> None:
        """The calm after it: a position comes to rest protected, then all comes home."""
        type(self).seen.update(self.engine.seen)
        if (broken := sys.exception()) is not None:
            broken.add_note("\n".join(["the last steps:", *self.engine.log]))
            return
        try:
            self.engine.heal()
            self._settle()
            self._go_home()
        except Exception as error:
            error.add_note("\n".join(["the last steps:", *self.engine.log]))
            raise

    def _settle(self) -> None:
        self.engine.note("calm")
        self.engine.pass_time(CALM_TICKS * 1000)
        self.witness.at_rest()
        unresolved = [own.client_id for own in self.engine.state.orders.values() if own.unresolved]
        if self.engine.state.trade is not None and unresolved:
            raise PromiseBroken("X-4", f"still unknown: {unresolved}")

    def _go_home(self) -> None:
        engine = self.engine
        engine.policy = replace(engine.policy, on_flat=OnFlat.CLOSE)
        flat = {"action": Action.FLAT, "levels": None, "notional": ZERO}
        self._decide(decision(id="home", timestamp_ms=engine.now_ms, **flat))
        for _ in range(HOME_TICKS):
            engine.pass_time(1000)
            if engine.idle():
                return
        raise PromiseBroken("T-4", f"does not end in {HOME_TICKS} calm ticks")


def _demand(name: str, holds: object, words: object) -> None:
    if not holds:
        raise PromiseBroken(name, str(words))
