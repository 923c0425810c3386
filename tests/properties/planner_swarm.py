"""One seeded life of the planner before a faulty exchange: a good start, bad weather, calm, and the way home.

While faults are on no promise may break; after they end the trade must settle, protected; once nothing is wanted
any more it must come home. `swarm_venue` is the truth, `swarm_faults` the bad luck, `swarm_shell` the loop around
the real planner, `swarm_oracles` the judge. One seed again, from the project's folder:

    python -c "from tests.properties.planner_swarm import run; run(17)"
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.properties.planner_machine_moves import levels_at
from tests.properties.swarm_faults import PARTS, Dice, Faults, dice
from tests.properties.swarm_oracles import Judge, PromiseBroken
from tests.properties.swarm_shell import Shell
from tests.properties.swarm_venue import Venue
from tests.worlds import NOW, POLICY, D, decision, short_decision

from jumar.model.decision import Action, Decision, TrailMode
from jumar.model.mode import Mode
from jumar.model.order import STOP_ROLES
from jumar.model.policy import MinStopPolicy, OnFlat
from jumar.model.units import ZERO

CALM_TICKS, NAKED_TICKS, HOME_TICKS = 16, 4, 24
PAUSES_MS = (20, 100, 250, 500, 1000, 1000, 1000, 3000, 5000)
JUMPS = (-900, -400, -200, -100, -20, -5, 5, 20, 100, 200, 400, 900)
STALE_MS = 601_000

#: In some lives the stop trails; the others, and the seeds that once failed, live as they always did.
TRAILING = {3: TrailMode.PERCENT, 6: TrailMode.STRUCTURE_PLUS_LIQ}

type Maker = Callable[..., Decision]


@dataclass(slots=True, kw_only=True)
class Life:
    """One run: `make` writes decisions of its side, `other` of the opposite one."""

    shell: Shell
    make: Maker
    other: Maker

    @classmethod
    def begin(cls, seed: int) -> "Life":
        """Draw everything that differs between runs."""
        chance = dice(seed)
        make, other = chance.sample([decision, short_decision], 2)
        # in some lives the market is inside the band at first: the entry joins the touch and chases it
        away = D(-55) if seed % 5 == 4 else D(20)
        venue = Venue(now_ms=NOW, price=D(90800) + (away if make is decision else -away))
        trails = TRAILING.get(seed % 8, TrailMode.NONE)
        first = replace(_first_decision(make, chance), trail_mode=trails)
        policy = replace(
            POLICY,
            on_flat=chance.choice(list(OnFlat)),
            min_stop_policy=chance.choice(list(MinStopPolicy)),
            chase_after_s=3,
            max_chases=1,
            fallback_confidence=D("0.7"),
        )
        shell = Shell.start(
            venue=venue,
            judge=Judge(venue=venue, started_ms=NOW),
            chance=chance,
            faults=Faults.draw(chance),
            policy=policy,
            first=first,
        )
        return cls(shell=shell, make=make, other=other)

    def live(self) -> None:
        """From arming to the end of the last trade."""
        self.start()
        self.weather()
        self.settle()
        self.go_home()
        self.shell.judge.check_home(self.shell.state.mode, self.shell.modes)

    # the phases

    def start(self) -> None:
        """Arm and enter in peace; in most runs the first lot fills."""
        shell = self.shell
        shell.hear_market()
        shell.tick()
        if shell.chance.random() < 0.8:
            shell.later(100)
            self.fill_entry(told=True)
            shell.tick()

    def weather(self) -> None:
        """Things happen and go wrong."""
        shell = self.shell
        shell.calm = False
        for step in range(shell.chance.randrange(3, 60)):
            shell.step = step
            shell.later(shell.chance.choice(PAUSES_MS))
            self.happen()
            self.trigger()
            self._write_levels()
            shell.tick()
            shell.hidden = frozenset()
        shell.calm = True
        for order in shell.venue.orders.values():
            order.hidden_until = order.deaf_until = 0
        shell.note("calm")

    def _write_levels(self) -> None:
        """Where the stop trails by levels they are written now and then, around the price of the moment."""
        shell = self.shell
        trade = shell.state.trade
        by_levels = trade is not None and trade.decision.trail_mode is TrailMode.STRUCTURE_PLUS_LIQ
        if trade is not None and by_levels and shell.step % 4 == 0:
            sign = int(trade.sign)
            shell.state.levels = levels_at(shell.venue.price, sign, shell.now_ms)
            shell.seen["levels"] += 1

    def settle(self) -> None:
        """With an obedient venue what must rest comes to rest (P-1, P-2, X-4)."""
        shell = self.shell
        for tick in range(CALM_TICKS):
            self._calm_tick()
            if tick >= NAKED_TICKS:
                shell.judge.check_calm_tick()
        shell.judge.check_calm()
        orders = shell.state.orders.values()
        unresolved = [order.client_id for order in orders if order.unresolved]
        if shell.state.trade is not None and unresolved:
            raise PromiseBroken("X-4", f"still unknown: {unresolved}")

    def go_home(self) -> None:
        """Nothing is wanted any more: the trade ends, and all that belongs to it."""
        shell = self.shell
        if shell.idle():
            return
        if shell.venue.position == ZERO and shell.chance.random() < 0.5:
            shell.seen["stale, home"] += 1
            shell.later(STALE_MS)
        else:
            shell.seen["flat, home"] += 1
            shell.policy = replace(shell.policy, on_flat=OnFlat.CLOSE)
            shell.decide(_flat("the last word", shell.now_ms))
        for _ in range(HOME_TICKS):
            self._calm_tick()
            if shell.idle():
                return
        raise PromiseBroken("T-4", f"does not end in {HOME_TICKS} calm ticks")

    def _calm_tick(self) -> None:
        self.shell.later(1000)
        self.trigger()
        self.shell.tick()

    # what happens

    def happen(self) -> None:
        """One thing, drawn."""
        shell = self.shell
        lot = shell.chance.random()
        if lot < 0.33:
            shell.venue.price += D(shell.chance.choice(JUMPS))
            shell.hear_market()
        elif lot < 0.58:
            self.fill_entry(told=shell.chance.random() < 0.8)
        elif lot < 0.64:
            self.person_cancels()
        elif lot < 0.70:
            self.decision_comes()
        elif lot < 0.75 and shell.faults.hands:
            self.person_trades()
        elif lot < 0.77:
            self.hide()
        elif lot < 0.80:
            self.operator_resumes()
        elif lot < 0.92:
            self.fault()
        elif lot > 0.991:
            self.person_takes_stops()

    def fault(self) -> None:
        """The run's own kinds of misfortune."""
        shell, faults = self.shell, self.shell.faults
        lot = shell.chance.random()
        if lot < 0.3 and faults.crashes:
            shell.crash(loses_journal=False)
        elif lot < 0.4 and faults.amnesia and shell.stores == 1:
            shell.crash(loses_journal=True)
        elif lot < 0.7 and faults.forgetful:
            self._afflict("hidden_until", "is forgotten")
        elif faults.deaf:
            self._afflict("deaf_until", "does not trigger")

    def _afflict(self, what: str, words: str) -> None:
        """Something is wrong with the stops that rest now, for a while."""
        shell = self.shell
        until = shell.now_ms + shell.chance.choice([1500, 6000, 30_000])
        for order in shell.venue.of_role(*STOP_ROLES):
            if order.alive and shell.chance.random() < 0.7:
                setattr(order, what, until)
                shell.note(f"{order.request.client_id} {words} until {until}")
                shell.seen[words] += 1

    def operator_resumes(self) -> None:
        """Somebody looked: an emergency that is over keeps no entry away any longer."""
        state = self.shell.state
        if state.mode is not None and state.mode.mode is Mode.NO_ENTRIES:
            state.set_mode(replace(state.mode, mode=Mode.NORMAL, since_ms=self.shell.now_ms))
            self.shell.modes.append(Mode.NORMAL)
            self.shell.seen["resumed"] += 1

    def fill_entry(self, *, told: bool) -> None:
        """Some of the resting entry executes; the order event may be lost, the execution is not."""
        shell = self.shell
        entry = shell.venue.resting_entry()
        if entry is None:
            return
        shell.venue.fill(entry, D(shell.chance.randrange(1, 14)) / 1000)
        shell.hear_fills()
        shell.note(f"{entry.request.client_id} has filled {entry.filled}")
        if told:
            shell.tell(entry)

    def person_cancels(self) -> None:
        """Somebody takes one of our orders away."""
        shell = self.shell
        orders = list(shell.venue.orders.values())
        order = shell.chance.choice(orders) if orders else None
        if order is None or not order.alive or order.triggered:
            return
        shell.venue.cancel(order)
        shell.venue.moved_ms = shell.now_ms
        shell.note(f"a person cancels {order.request.client_id}")
        shell.seen["stop taken away"] += order.request.role in STOP_ROLES
        if shell.chance.random() < 0.8:
            shell.tell(order)

    def person_takes_stops(self) -> None:
        """Somebody takes every stop away, both layers at once, in some runs just before the price is through them."""
        shell = self.shell
        stops = [o for o in shell.venue.of_role(*STOP_ROLES) if o.alive and not o.triggered]
        for order in stops:
            shell.venue.cancel(order)
            shell.venue.moved_ms = shell.now_ms
            shell.note(f"a person cancels {order.request.client_id}")
            shell.tell(order)
        shell.seen["both layers taken away"] += len(stops) > 1
        ratchet = shell.judge.ratchet.get(shell.judge.key)
        if ratchet is not None and shell.chance.random() < 0.3:
            shell.venue.price = ratchet * shell.judge.sign - 20 * shell.judge.sign
            shell.hear_market()

    def person_trades(self) -> None:
        """Somebody buys or sells on the same position; in some runs through it to the other side."""
        shell, venue = self.shell, self.shell.venue
        if shell.state.trade is None:
            return
        sign = shell.judge.sign
        size = D(shell.chance.randrange(1, 10)) / 1000
        held = max(venue.position * sign, ZERO)
        name, quantity = shell.chance.choice(
            [
                ("bought", size),
                ("sold", -min(size, held)),
                ("closed", -held),
                ("turned", -held - size),
                ("vanished", -held),
            ]
        )
        if name == "vanished" and venue.position * sign > ZERO:
            venue.vanish()
            shell.judge.size_before = ZERO
            shell.seen["vanished"] += 1
            shell.note("the position vanishes")
            return
        if name == "vanished" or quantity == ZERO or (name == "turned" and not shell.faults.flips):
            return
        shell.seen[f"{name} by hand"] += 1
        venue.trade_by_hand(quantity * sign)
        shell.hear_fills()
        shell.note(f"a person trades {quantity * sign}")

    def hide(self) -> None:
        """A part of the world is unknown for one tick."""
        shell = self.shell
        name = shell.chance.choice(PARTS)
        shell.hidden = frozenset({name})
        shell.note(f"{name} is not known")
        shell.seen["truth missing"] += 1

    def decision_comes(self) -> None:
        """The decision system or the operator speaks."""
        shell = self.shell
        now, name = shell.now_ms, f"of step {shell.step}"
        match shell.chance.choice(["same", "flat", "opposite", "refused", "drain", "none"]):
            case "same":
                shell.decide(self.make(id=name, timestamp_ms=now))
            case "flat":
                shell.decide(_flat(name, now))
            case "opposite":
                shell.decide(self.other(id=name, timestamp_ms=now))
            case "refused" if shell.desk.state is not None:
                refusals = (("malformed", "unreadable"),)
                shell.decide(shell.desk.state.decision, refusals)
            case "drain" if shell.chance.random() < 0.5:
                shell.state.draining = True
            case "none" if shell.chance.random() < 0.3:
                shell.desk.state = None

    def trigger(self) -> None:
        """Triggered orders execute, now or at the next look."""
        shell, venue = self.shell, self.shell.venue
        waiting = [order for order in venue.orders.values() if order.alive and order.triggered]
        for order in venue.reached():
            order.triggered = True
            shell.note(f"{order.request.client_id} triggers")
            if shell.unlucky(0.3):
                shell.seen["trigger takes a while"] += 1
                shell.tell(order)
            else:
                waiting.append(order)
        for order in waiting:
            if order.request.role in STOP_ROLES and shell.faults.fragile and shell.unlucky(0.3):
                venue.reject(order)
                shell.seen["triggered stop rejected"] += 1
            else:
                venue.run(order, whole=not shell.unlucky(0.15))
            shell.hear_fills()
            shell.tell(order)
            shell.seen[f"{order.request.role.name} triggered"] += 1


def _first_decision(make: Maker, chance: Dice) -> Decision:
    """The example, in some runs with an odd split, without trailing or without a second target."""
    changes: dict[str, object] = {}
    if chance.random() < 0.3:
        changes["tp1_fraction"] = Decimal(chance.choice(["1", "0.01", "0.99", "0.3333"]))
    if chance.random() < 0.3:
        changes["enable_trailing"] = False
    levels = make().levels
    if chance.random() < 0.3 and levels is not None:
        changes["levels"] = replace(levels, tp2=None)
    return make(**changes)


def _flat(name: str, now_ms: int) -> Decision:
    return decision(id=name, timestamp_ms=now_ms, action=Action.FLAT, levels=None, notional=ZERO)


def run(seed: int) -> Counter[str]:
    """Live one life; return which paths it visited.

    Raises:
        PromiseBroken: an oracle saw a promise broken; any other error is the planner's. Both carry the seed
            and the last steps as a note.
    """
    life = Life.begin(seed)
    try:
        life.live()
    except Exception as error:
        steps = "\n".join(life.shell.log)
        error.add_note(f"seed {seed}, the last steps:\n{steps}")
        raise
    return life.shell.seen
