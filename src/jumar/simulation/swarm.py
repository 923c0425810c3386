"""One seeded run of everything with faults, and the verdict on it.

    safety     the faults of the plan befall the run; no promise is ever broken
    liveness   no faults any more: within a few ticks what is held is protected, and a flat decision, or a person who asks to
               flatten, brings it home

`live` makes a run; `failures` of its report says what broke, in the words of the judges, who look at the exchange's
truth and at the disk, never at the engine's memory.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from jumar.model.journal import Incident
from jumar.model.mode import Mode
from jumar.model.policy import BackstopKind, ForeignOrders, OnFlat, OnOpposite, Policy
from jumar.ports.observer import TickReport
from jumar.simulation.faults import Fault, FaultPlan
from jumar.simulation.leeway import told_readings
from jumar.simulation.line import Calm
from jumar.simulation.mishaps import START_S, Mishaps
from jumar.simulation.path import RestlessMarket
from jumar.simulation.sights import sights
from jumar.simulation.storm import Storm
from jumar.simulation.system import Restless
from jumar.simulation.truth import Excuses, is_covered, surplus_stops
from jumar.simulation.world import World
from jumar.store import queries, requests

SYMBOL = "BTCUSDT"
START_PRICE = Decimal(90800)
SAFETY_S = 120.0
#: So many ticks after the last fault everything held is protected.
CALM_TICKS = 10
HOME_S = 90.0
RESUMES_S = (1.0, 20.0)
AFTER_S = 11.0
_WEIGHT_MAX = 2400
#: How often the decision system writes new levels with a decision.
LEVELS_SHARE = 0.6
#: In how many runs, of those at a venue whose countdown leaves stops alone, the dead man's switch is used.
DEAD_MAN_SHARE = 0.5
#: In how many runs a person pauses, and flattens.
PAUSE_SHARE, FLATTEN_SHARE = 0.15, 0.1
#: What an engine says when its planner contradicted itself or a tick raised: never to be heard.
_SELF_MADE = ("nothing was sent: ", "tick failed: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of one run.

    Attributes:
        failures: what broke, one sentence each; empty when all is well.
        faults: how often each kind of fault happened.
        sights: how often each rare path was seen.
        checks: how often each promise was checked.
        kills: the points at which the engine was killed.
        fingerprint: equal for two runs of one plan.
        log: what happened, for people.
        held_s: for how long a position was held. simulated_s: how long the run was.
    """

    plan: FaultPlan
    failures: tuple[str, ...]
    faults: Mapping[Fault, int]
    sights: Mapping[str, int]
    checks: Mapping[str, int]
    kills: tuple[str, ...]
    fingerprint: str
    log: tuple[str, ...]
    held_s: float
    simulated_s: float


class _Ear:
    """Hears the engine's incidents, and how many ticks there were.

    Args:
        on_mode: called when entries are stopped until a person looks.
    """

    def __init__(self, on_mode: Callable[[], None]) -> None:
        self.ticks = 0
        self.incidents: list[Incident] = []
        self._on_mode = on_mode

    def tick(self, report: TickReport) -> None:
        """Count."""
        del report
        self.ticks += 1

    def incident(self, incident: Incident) -> None:
        """Keep."""
        self.incidents.append(incident)
        kept = tuple(f"mode {mode.value}" for mode in (Mode.NO_ENTRIES, Mode.PROTECT_ONLY))
        if incident.rule == "M-1" and incident.message.startswith(kept):
            self._on_mode()


def live(
    plan: FaultPlan,
    *,
    seconds: float = SAFETY_S,
    decide_every_s: tuple[float, float] = (5.0, 16.0),
    pace: float = 1.0,
    folder: Path | None = None,
) -> Report:
    """Live one run of a plan and judge it.

    Args:
        plan: seed and faults.
        seconds: virtual seconds with faults.
        decide_every_s: shortest and longest time between two decisions.
        pace: of the market; 1 reaches a stop or a target within a minute.
        folder: where the engine's disk is kept afterwards; by default nothing is kept.
    """
    return _Run(plan, seconds, decide_every_s, pace, folder).live()


class _Run:
    """One run."""

    def __init__(
        self,
        plan: FaultPlan,
        seconds: float,
        decide_every_s: tuple[float, float],
        pace: float,
        folder: Path | None,
    ) -> None:
        self._plan = plan
        self._seconds = seconds
        self._decide_every_s = decide_every_s
        self._ear = _Ear(self._person_will_look)
        self._policy = _policy(plan)
        self._failures: list[str] = []
        self._held_s = 0.0
        self._faulty = True
        self._ended = False
        gaps = plan.strength(Fault.GAP)
        self._market = RestlessMarket(
            SYMBOL,
            dice=plan.dice("market"),
            start_price=START_PRICE,
            gaps_per_minute=gaps,
            pace=pace,
        )
        self._dice = plan.dice("system")
        self._system = Restless(dice=self._dice, symbol=SYMBOL)
        self._people = plan.dice("people")
        self._half = plan.dice(f"writer:{Fault.HALF_WRITTEN}")
        clock = plan.dice("clock")
        ahead, drift = plan.strength(Fault.CLOCK_AHEAD), plan.strength(Fault.CLOCK_DRIFT)
        self._world = World(
            seed=plan.seed,
            market=self._market,
            policies={SYMBOL: self._policy},
            ahead_ms=int(ahead) * clock.choice((-1, 1)),
            drift=drift * clock.choice((-1, 1)) / 1_000_000,
            observers=(self._ear,),
            folder=folder,
            readings=plan.readings,
        )
        harmless = plan.readings.countdown_cancels_conditional == "no"
        if harmless and plan.dice("dead man").random() < DEAD_MAN_SHARE:
            self._world.host.no_dead_man = None
        self._storm = Storm(plan, now_s=self._world.loop.time, note=self._world.note)
        self._storm.watch(self._world.venue)
        self._mishaps = Mishaps(plan, self._world, self._storm, SYMBOL)

    def live(self) -> Report:
        """Live and judge."""
        with self._world as world:
            self._contained(self._safety)
            self._contained(self._liveness)
            self._contained(self._home)
            report = self._report(world)
            self._contained(world.close)
        return replace(report, failures=tuple(self._failures))

    def _contained(self, phase: Callable[[], None]) -> None:
        """Whatever ends a phase is a verdict on the run; what comes after it would only repeat it."""
        if self._ended:
            return
        try:
            phase()
        except Exception as error:  # noqa: BLE001 - kept as the run's verdict
            self._ended = True
            self._failures.append(f"the run ended by {type(error).__name__}: {error}")

    # the phases

    def _safety(self) -> None:
        world = self._world
        world.venue.open()
        world.host.start()
        world.run(3.0)
        world.venue.weather = self._storm
        self._count_standing_faults()
        self._mishaps.plan(self._seconds)
        world.after(0, self._decide)
        world.after(1.0, self._look)
        self._plan_people()
        world.run(self._seconds)

    def _liveness(self) -> None:
        """No faults any more: what is held is protected within a few ticks, and by no more stops than it needs."""
        world = self._world
        world.note("the faults end")
        self._faulty = False
        self._mishaps.end()
        self._market.calm = True
        world.venue.weather = Calm()
        world.host.drop_streams("the faults end", 0.2)
        before = self._ear.ticks
        seconds = CALM_TICKS * float(self._policy.loop_interval_s) + START_S
        world.run(seconds / 2)
        surplus: Sequence[str] = ()
        for part in range(CALM_TICKS):  # one that is being moved is two for a moment
            world.run(seconds / 2 / CALM_TICKS)
            found = surplus_stops(world.venue.core, SYMBOL)
            surplus = found if surplus or not part else ()
        if surplus:
            self._failures.append(f"S-4: these stops stay side by side without faults: {surplus}")
        if self._ear.ticks < before + CALM_TICKS // 2:
            self._failures.append(f"liveness: {self._ear.ticks - before} ticks in {seconds:g} s")
        if not is_covered(world.venue.core, SYMBOL):
            self._failures.append("liveness: the position is not protected without faults")

    def _home(self) -> None:
        """A flat decision: the position is closed, the orders are gone, the engine ends when it is asked to."""
        world, core = self._world, self._world.venue.core
        self._decide_every_s = (0.0, 0.0)
        if self._policy.on_flat is OnFlat.CLOSE:
            world.decide(self._system.flat(world.clock.now_ms()))
        else:
            self._ask("flatten")
        world.run(5.0)
        waited_s = 0.0
        while waited_s < HOME_S and not self._is_home():
            world.run(1.0)
            waited_s += 1.0
        if not self._is_home():
            left = [order.client_id for order in core.orders(SYMBOL)]
            left += [order.client_id for order in core.conditionals(SYMBOL)]
            self._failures.append(
                f"liveness: not home {HOME_S:g} s after the flat decision: "
                f"position {core.position(SYMBOL)}, orders {left}"
            )
        world.run(AFTER_S)
        process = world.host.process
        world.host.ask_to_stop()
        world.run(6.0)
        if process is None or not process.ended:
            self._failures.append("liveness: the engine does not end when it is asked to")

    def _is_home(self) -> bool:
        core = self._world.venue.core
        return not (core.position(SYMBOL) or core.orders(SYMBOL) or core.conditionals(SYMBOL))

    # what the decision system does

    def _decide(self) -> None:
        shortest, longest = self._decide_every_s
        if longest == 0:
            return
        step = self._world.venue.core.step(SYMBOL)
        if step is not None:
            now_ms = self._world.clock.now_ms()
            if self._dice.random() < LEVELS_SHARE:
                self._world.disk.levels.write_bytes(self._system.levels(step.mark, now_ms))
            content = self._system.decide(step.mark, now_ms)
            if self._faulty and self._half.random() < self._plan.strength(Fault.HALF_WRITTEN):
                self._write_half(content)
            else:
                self._world.decide(content)
        self._world.after(self._dice.uniform(shortest, longest), self._decide)

    def _write_half(self, content: bytes) -> None:
        """A writer that does not write in one move, and may never come to the end."""
        self._storm.visits[Fault.HALF_WRITTEN] += 1
        self._world.note(Fault.HALF_WRITTEN)
        cut = self._half.randrange(1, len(content))
        self._world.decide(content[:cut], whole=False)
        if self._half.random() < 0.8:
            self._world.after(self._half.uniform(0.05, 5.0), self._write_rest, content)

    def _write_rest(self, content: bytes) -> None:
        if self._faulty:
            self._world.decide(content)

    def _plan_people(self) -> None:
        """Now and then somebody pauses or flattens, and resumes later."""
        for request, share in (("pause", PAUSE_SHARE), ("flatten", FLATTEN_SHARE)):
            if self._people.random() < share:
                at_s = self._people.uniform(0.1, 0.8) * self._seconds
                self._world.after(at_s, self._ask, request)
                self._world.after(at_s + self._people.uniform(*RESUMES_S), self._resume)

    def _person_will_look(self) -> None:
        """M-1: entries are stopped until somebody resumes; somebody does after a while."""
        self._world.after(self._people.uniform(*RESUMES_S), self._resume)

    def _resume(self) -> None:
        self._ask("resume")

    def _ask(self, request: str) -> None:
        """A person leaves a request."""
        self._world.note(f"a person asks to {request}")
        requests.ask(
            self._world.disk.database,
            request=request,
            symbol=None,
            asked_by="person",
            at_ms=self._world.clock.now_ms(),
        )

    def _look(self) -> None:
        """Once a second: is something held?"""
        self._held_s += bool(self._world.venue.core.position(SYMBOL))
        self._world.after(1.0, self._look)

    def _count_standing_faults(self) -> None:
        for fault in (Fault.CLOCK_AHEAD, Fault.CLOCK_DRIFT):
            self._storm.visits[fault] += bool(self._plan.strength(fault))

    # the verdict

    def _report(self, world: World) -> Report:
        self._storm.visits[Fault.GAP] += self._market.gaps
        verdict = world.judge()
        checks = Counter[str](verdict["checks"])
        excuses = self._excuses(verdict)
        self._blame_exchange(verdict, excuses)
        seen: Counter[str] = Counter()
        if world.disk.database.exists():
            checks += self._blame_disk(world, verdict, excuses)
            seen = sights(world, self._ear.incidents, self._mishaps, self._storm)
        seen.update(f"reading {name}={value}" for name, value in _answers(self._plan))
        self._blame_engine()
        return Report(
            plan=self._plan,
            failures=tuple(self._failures),
            faults=dict(self._storm.visits),
            sights=seen,
            checks=checks,
            kills=tuple(self._mishaps.kills),
            fingerprint=world.fingerprint(),
            log=tuple(world.log),
            held_s=self._held_s,
            simulated_s=world.now_s,
        )

    def _blame_exchange(self, verdict: Mapping[str, Any], excuses: Excuses) -> None:
        for violation in verdict["violations"]:
            if not excuses.cover(violation):
                self._failures.append(f"{violation['promise']}: {json.dumps(violation)}")

    def _excuses(self, verdict: Mapping[str, Any]) -> Excuses:
        return Excuses(
            records=self._world.venue.core.ledger.records,
            gaps=verdict["gaps"],
            windows=[*self._storm.disturbed, *self._storm.muted, *self._mishaps.dead],
            cancels=self._storm.cancels,
            clock=self._world.clock,
        )

    def _blame_disk(
        self, world: World, verdict: Mapping[str, Any], excuses: Excuses
    ) -> Counter[str]:
        audited = world.audit(verdict)
        for each in audited.violations:
            if each.promise != "P-6" or not excuses.late(each.message):
                self._failures.append(f"{each.promise}: {each.what}: {each.message}")
        unresolved = queries.unresolved_intents(world.disk.database)
        if unresolved:
            self._failures.append(f"journal: {unresolved} intents without an end")
        return Counter(audited.checks)

    def _blame_engine(self) -> None:
        """What it said of itself, and what it used of the venue's limits."""
        for incident in self._ear.incidents:
            if incident.message.startswith(_SELF_MADE):
                self._failures.append(f"{incident.rule}: {incident.message}")
        if self._storm.weight_max > _WEIGHT_MAX:
            self._failures.append(f"W-4: request weight {self._storm.weight_max} in a minute")


def _answers(plan: FaultPlan) -> Iterator[tuple[str, str]]:
    """The readings of a run that are not the usual ones; of a time only that it is not zero."""
    for name, value in told_readings(plan.readings).items():
        yield name, value if isinstance(value, str) else "some ms"


def _policy(plan: FaultPlan) -> Policy:
    dice = plan.dice("policy")
    may_reverse = plan.readings.closeposition_may_reverse == "yes"
    return Policy(
        max_notional_usdt=Decimal(5000),
        on_flat=dice.choice((OnFlat.CLOSE, OnFlat.CLOSE, OnFlat.HOLD, OnFlat.TIGHTEN)),
        on_opposite=dice.choice((OnOpposite.CLOSE, OnOpposite.CLOSE, OnOpposite.HOLD)),
        foreign_orders=dice.choice(tuple(ForeignOrders)),
        max_trades_per_day=1000,
        cooldown_after_loss_s=dice.choice((0, 0, 10)),
        chase_after_s=dice.choice((1, 3, 10)),
        max_chases=dice.choice((0, 2, 5)),
        trail_activate_r=dice.choice((Decimal(0), Decimal("0.5"))),
        trail_pct=Decimal("0.2"),
        liq_exit_fraction=dice.choice((Decimal(1), Decimal("0.5"))),
        backstop=BackstopKind.QUANTITY if may_reverse else BackstopKind.CLOSE_POSITION,
        loop_interval_s=dice.choice((Decimal(1), Decimal(1), Decimal(2), Decimal(3))),
    )
