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

from tests.properties.swarm_faults import PARTS, Dice, Faults, dice
from tests.properties.swarm_oracles import Judge, PromiseBroken
from tests.properties.swarm_shell import Shell
from tests.properties.swarm_venue import Venue
from tests.worlds import NOW, POLICY, D, decision, short_decision, world

from jumar.model.decision import Action, Decision
from jumar.model.order import STOP_ROLES, OrderStatus
from jumar.model.policy import MinStopPolicy, OnFlat
from jumar.model.units import ZERO
from jumar.model.world import DecisionState

CALM_TICKS, NAKED_TICKS, HOME_TICKS = 14, 3, 20
PAUSES_MS = (20, 100, 250, 500, 1000, 1000, 1000, 3000, 5000)
JUMPS = (-900, -400, -200, -100, -20, -5, 5, 20, 100, 200, 400, 900)
STALE_MS = 601_000

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
        venue = Venue(now_ms=NOW, price=D(90820) if make is decision else D(90780))
        first = _first_decision(make, chance)
        policy = replace(
            POLICY,
            on_flat=chance.choice(list(OnFlat)),
            min_stop_policy=chance.choice(list(MinStopPolicy)),
        )
        shell = Shell(
            venue=venue,
            judge=Judge(venue=venue, started_ms=NOW),
            chance=chance,
            faults=Faults.draw(chance),
            policy=policy,
            world=world(decision=DecisionState(decision=first)),
        )
        return cls(shell=shell, make=make, other=other)

    def live(self) -> None:
        """From arming to the end of the last trade."""
        self.start()
        self.weather()
        self.settle()
        self.go_home()

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
            hole = self.happen()
            self.trigger()
            shell.tick()
            if hole is not None and getattr(shell.world, hole[0]) is None:
                shell.world = replace(shell.world, **{hole[0]: hole[1]})  # type: ignore[arg-type]  # a part by name
        shell.calm = True
        shell.note("calm")

    def settle(self) -> None:
        """With an obedient venue what must rest comes to rest (P-1, P-2, X-4)."""
        shell = self.shell
        for tick in range(CALM_TICKS):
            self._calm_tick()
            if tick >= NAKED_TICKS:
                shell.judge.check_calm_tick()
        shell.judge.check_calm()
        unresolved = [order.client_id for order in shell.journal.values() if order.unresolved]
        if shell.world.trade is not None and unresolved:
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
            self.decide(_flat("the last word", shell.world.now_ms))
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

    def happen(self) -> tuple[str, object] | None:
        """One thing, drawn; a part of the world that it hides, by name and value, until after the tick."""
        shell = self.shell
        lot = shell.chance.random()
        if lot < 0.35:
            shell.venue.price += D(shell.chance.choice(JUMPS))
            shell.hear_market()
        elif lot < 0.60:
            self.fill_entry(told=shell.chance.random() < 0.8)
        elif lot < 0.66:
            self.person_cancels()
        elif lot < 0.72:
            self.decision_comes()
        elif lot < 0.77 and shell.faults.hands:
            self.person_trades()
        elif lot < 0.79:
            return self.hide()
        return None

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
        order.finish(OrderStatus.CANCELED)
        shell.note(f"a person cancels {order.request.client_id}")
        shell.seen["stop taken away"] += order.request.role in STOP_ROLES
        if shell.chance.random() < 0.8:
            shell.tell(order)

    def person_trades(self) -> None:
        """Somebody buys or sells on the same position, never to the other side of it."""
        shell, venue = self.shell, self.shell.venue
        if shell.world.trade is None:
            return
        sign = shell.judge.sign
        size = D(shell.chance.randrange(1, 10)) / 1000
        adds = shell.chance.random() < 0.5
        quantity = size if adds else -min(size, abs(venue.position))
        if quantity == ZERO:
            return
        shell.seen["bought by hand" if adds else "sold by hand"] += 1
        venue.trade_by_hand(quantity * sign)
        shell.hear_fills()
        shell.note(f"a person trades {quantity * sign}")

    def hide(self) -> tuple[str, object]:
        """A part of the world is unknown for one tick."""
        shell = self.shell
        name = shell.chance.choice(PARTS)
        value = getattr(shell.world, name)
        shell.world = replace(shell.world, **{name: None})  # type: ignore[arg-type]  # a part by name
        shell.note(f"{name} is not known")
        shell.seen["truth missing"] += 1
        return name, value

    def decision_comes(self) -> None:
        """The decision system or the operator speaks."""
        shell = self.shell
        now, name = shell.world.now_ms, f"of step {shell.step}"
        match shell.chance.choice(["same", "flat", "opposite", "refused", "drain", "none"]):
            case "same":
                self.decide(self.make(id=name, timestamp_ms=now))
            case "flat":
                self.decide(_flat(name, now))
            case "opposite":
                self.decide(self.other(id=name, timestamp_ms=now))
            case "refused" if shell.world.decision is not None:
                refused = replace(shell.world.decision, refusals=(("malformed", "unreadable"),))
                shell.world = replace(shell.world, decision=refused)
            case "drain":
                shell.world = replace(shell.world, draining=True)
            case "none" if shell.chance.random() < 0.3:
                shell.world = replace(shell.world, decision=None)

    def decide(self, newer: Decision) -> None:
        """A newer decision comes into force."""
        self.shell.note(f"decision {newer.id}: {newer.action}")
        self.shell.world = replace(self.shell.world, decision=DecisionState(decision=newer))

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
