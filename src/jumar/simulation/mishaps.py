"""What befalls a run at moments of its own: kills, people, broken streams, half-written files, clocks that are set.

Moments are drawn per kind before the run begins, so that one kind never moves another's.
"""

from collections.abc import Callable, Sequence
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed

from jumar.exchange.simulated.core.conditional import Conditional, ConditionalType
from jumar.simulation.faults import Fault, FaultPlan
from jumar.simulation.loop import Life
from jumar.simulation.storm import Storm, Window
from jumar.simulation.world import World

_KILLS = (Fault.KILL_AT_STEP, Fault.KILL_AT_SEND, Fault.KILL_AT_COMMIT)
#: How many steps, sends or commits a planned kill lets go by at most.
_PATIENCE = {Fault.KILL_AT_STEP: 400, Fault.KILL_AT_SEND: 8, Fault.KILL_AT_COMMIT: 12}
_AWAY_S = ((0.02, 0.5), (0.02, 0.5), (0.5, 3.0), (3.0, 9.0))
#: How long a new life may take to find its way: clock, instruments, first reads.
START_S = 4.0


class Mishaps:
    """Plans and makes the mishaps of one run.

    Attributes:
        dead: when no engine was running, each with the seconds in which the next one finds its way.
        kills: the points at which the engine was killed.
    """

    def __init__(self, plan: FaultPlan, world: World, storm: Storm, symbol: str) -> None:
        self.dead: list[Window] = []
        self.kills: list[str] = []
        self._plan = plan
        self._world = world
        self._storm = storm
        self._symbol = symbol
        self._dice = {fault: plan.dice(f"mishaps:{fault}") for fault in Fault}
        self._countdown: dict[Fault, int] = {}
        self._killed_s: float | None = None
        self._off = False

    def plan(self, seconds: float) -> None:
        """Draw the moments of the first seconds."""
        acts: dict[Fault, Callable[[Random], None]] = {
            Fault.OUTAGE: self._outage,
            Fault.SILENT_USER_STREAM: lambda dice: self._mute(dice, private=True),
            Fault.SILENT_MARKET_STREAM: lambda dice: self._mute(dice, private=False),
            Fault.DROPPED_STREAM: self._drop,
            Fault.FORGETFUL_LIST: self._forget,
            Fault.STOP_TAKEN: self._take_stop,
            Fault.ORDER_TAKEN: self._take_order,
            Fault.STOP_SPOILED: self._spoil,
            Fault.CLOCK_STEP: self._set_clock,
        }
        for fault, act in acts.items():
            for moment in self._moments(fault, seconds):
                self._world.after(moment, self._unless_off, act, self._dice[fault])
        for fault in _KILLS:
            for moment in self._moments(fault, seconds):
                self._world.after(moment, self._plan_kill, fault)
        self._world.on_point = self._at_point
        self._world.loop.before_step = self._at_step

    def end(self) -> None:
        """No mishap from now on; an engine that is dead is started."""
        self._off = True
        self._countdown.clear()
        self._world.loop.before_step = None
        self._world.on_point = lambda _: False
        if self._killed_s is not None:
            self._restart()

    def _moments(self, fault: Fault, seconds: float) -> Sequence[float]:
        rate = self._plan.strength(fault) / 60
        found, moment, dice = [], 0.0, self._dice[fault]
        while rate:
            moment += dice.expovariate(rate)
            if moment >= seconds:
                break
            found.append(moment)
        return found

    def _unless_off(self, act: Callable[[Random], None], dice: Random) -> None:
        if not self._off:
            act(dice)

    def _count(self, fault: Fault, words: str = "") -> None:
        self._storm.visits[fault] += 1
        self._world.note(f"{fault} {words}")

    # streams and network

    def _outage(self, dice: Random) -> None:
        seconds = dice.uniform(0.5, 6.0)
        self._world.note(f"{Fault.OUTAGE} for {seconds:.1f} s")
        self._storm.outage(seconds)
        self._world.host.drop_streams("the network is away", seconds)

    def _mute(self, dice: Random, *, private: bool) -> None:
        seconds = dice.uniform(1.0, 12.0)
        stream = "user" if private else "market"
        self._world.note(f"{stream} stream silent for {seconds:.1f} s")
        self._storm.mute(seconds, private=private)

    def _drop(self, dice: Random) -> None:
        self._count(Fault.DROPPED_STREAM)
        self._world.host.drop_streams("reset", dice.uniform(0.2, 4.0))

    # people

    def _stops(self) -> list[Conditional]:
        found = self._world.venue.core.conditionals(self._symbol)
        return [each for each in found if each.type is ConditionalType.STOP_MARKET]

    def _take_stop(self, dice: Random) -> None:
        stops = self._stops()
        if stops:
            taken = stops if dice.random() < 0.25 else [dice.choice(stops)]
            for stop in taken:
                self._remove(stop.client_id, Fault.STOP_TAKEN)

    def _take_order(self, dice: Random) -> None:
        core = self._world.venue.core
        names = [order.client_id for order in core.orders(self._symbol)]
        names += [order.client_id for order in core.conditionals(self._symbol)]
        if names:
            self._remove(dice.choice(names), Fault.ORDER_TAKEN)

    def _remove(self, client_id: str, fault: Fault) -> None:
        self._world.venue.core.remove(self._symbol, client_id, self._world.clock.now_ms())
        self._count(fault, client_id)

    def _forget(self, dice: Random) -> None:
        orders = self._world.venue.core.conditionals(self._symbol)
        if orders:
            client_id = dice.choice(orders).client_id
            self._world.note(f"{Fault.FORGETFUL_LIST} {client_id}")
            self._storm.forget(client_id)

    def _spoil(self, dice: Random) -> None:
        stops = self._stops()
        if stops:
            client_id = dice.choice(stops).client_id
            self._world.venue.core.spoil(self._symbol, client_id)
            self._count(Fault.STOP_SPOILED, client_id)

    def _set_clock(self, dice: Random) -> None:
        ms = dice.choice((-1, 1)) * dice.randrange(200, 3000)
        self._world.host.clock.step(ms)
        self._count(Fault.CLOCK_STEP, f"by {ms} ms")

    # kills

    def _plan_kill(self, fault: Fault) -> None:
        if not self._off:
            self._countdown[fault] = self._dice[fault].randrange(_PATIENCE[fault])

    def _counts_down(self, fault: Fault) -> bool:
        left = self._countdown.get(fault)
        if left is None:
            return False
        if left:
            self._countdown[fault] = left - 1
            return False
        del self._countdown[fault]
        return True

    def _at_step(self, life: Life) -> bool:
        if life.name == "engine" and self._counts_down(Fault.KILL_AT_STEP):
            self._world.note("killed at a step")
            self._died(Fault.KILL_AT_STEP, "step")
            self._world.host.kill()
        return life.alive

    def _at_point(self, point: str) -> bool:
        fault = Fault.KILL_AT_COMMIT if " commit " in point else Fault.KILL_AT_SEND
        if not self._counts_down(fault):
            return False
        self._died(fault, point)
        return True

    def _died(self, fault: Fault, point: str) -> None:
        self._storm.visits[fault] += 1
        self.kills.append(point)
        dice = self._dice[fault]
        self._killed_s = self._world.now_s
        self._world.after(dice.uniform(*dice.choice(_AWAY_S)), self._restart)

    def _restart(self) -> None:
        if self._killed_s is None or self._world.host.process is not None:
            return
        self.dead.append(Window(self._killed_s, self._world.now_s + START_S))
        self._killed_s = None
        self._world.note("started again")
        self._world.host.start()
