"""What may go wrong in a run, and how badly: drawn from the seed, printed with a failure, taken away one by one.

Every kind of fault has dice of its own, so that a run without one kind meets the others just as before.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed

from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.simulation.leeway import drawn_readings

#: A kind takes part in a run with this probability: runs with few kinds go deeper than runs with all of them.
SHARE = 0.45


class Fault(StrEnum):
    """The kinds of faults."""

    SLOW_ANSWER = "slow answer"
    SLOW_REQUEST = "slow request"
    LOST_REQUEST = "lost request"
    LOST_ANSWER = "lost answer"
    UNKNOWN_DONE = "unknown but executed"
    UNKNOWN_UNDONE = "unknown and not executed"
    OUTAGE = "outage"
    DOUBLED_EVENT = "doubled event"
    LATE_EVENT = "late event"
    REORDERED_EVENT = "reordered event"
    SILENT_USER_STREAM = "silent user stream"
    SILENT_MARKET_STREAM = "silent market stream"
    DROPPED_STREAM = "dropped stream"
    FORGETFUL_LIST = "forgetful list"
    LAGGING_LIST = "lagging list"
    LAGGING_POSITION = "lagging position"
    EMPTY_POSITION = "empty position"
    CLOSE_REFUSED = "closePosition refused after a fill"
    STOP_TAKEN = "stop cancelled by a person"
    ORDER_TAKEN = "order cancelled by a person"
    STOP_SPOILED = "stop rejected at its trigger"
    GAP = "price gap"
    CLOCK_AHEAD = "clock ahead or behind"
    CLOCK_DRIFT = "clock drift"
    CLOCK_STEP = "clock set by somebody"
    KILL_AT_STEP = "killed at a step"
    KILL_AT_SEND = "killed at a send"
    KILL_AT_COMMIT = "killed at a commit"
    HALF_WRITTEN = "half-written decision"


#: How strong a kind may be: a probability per request or event, or a number of times per minute; the clock's in ms and ppm.
STRENGTHS: Mapping[Fault, tuple[float, float]] = {
    Fault.SLOW_ANSWER: (0.02, 0.15),
    Fault.SLOW_REQUEST: (0.01, 0.06),
    Fault.LOST_REQUEST: (0.01, 0.10),
    Fault.LOST_ANSWER: (0.01, 0.10),
    Fault.UNKNOWN_DONE: (0.01, 0.08),
    Fault.UNKNOWN_UNDONE: (0.01, 0.08),
    Fault.OUTAGE: (0.3, 1.5),
    Fault.DOUBLED_EVENT: (0.05, 0.5),
    Fault.LATE_EVENT: (0.02, 0.2),
    Fault.REORDERED_EVENT: (0.05, 0.5),
    Fault.SILENT_USER_STREAM: (0.5, 2.0),
    Fault.SILENT_MARKET_STREAM: (0.5, 2.0),
    Fault.DROPPED_STREAM: (0.5, 3.0),
    Fault.FORGETFUL_LIST: (0.5, 3.0),
    Fault.LAGGING_LIST: (0.2, 0.8),
    Fault.LAGGING_POSITION: (0.3, 1.0),
    Fault.EMPTY_POSITION: (0.2, 0.8),
    Fault.CLOSE_REFUSED: (0.3, 1.0),
    Fault.STOP_TAKEN: (0.5, 3.0),
    Fault.ORDER_TAKEN: (0.5, 3.0),
    Fault.STOP_SPOILED: (0.5, 3.0),
    Fault.GAP: (0.5, 3.0),
    Fault.CLOCK_AHEAD: (100.0, 3000.0),
    Fault.CLOCK_DRIFT: (20.0, 400.0),
    Fault.CLOCK_STEP: (0.3, 1.0),
    Fault.KILL_AT_STEP: (0.4, 1.5),
    Fault.KILL_AT_SEND: (0.4, 1.5),
    Fault.KILL_AT_COMMIT: (0.4, 1.5),
    Fault.HALF_WRITTEN: (0.2, 0.8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """The faults of one run.

    Attributes:
        seed: of the whole run.
        strengths: the kinds that take part, each with its strength (see `STRENGTHS`).
        readings: how the exchange answers what Binance's documents leave open.
    """

    seed: int
    strengths: Mapping[Fault, float]
    readings: Readings = DEFAULT_READINGS

    @classmethod
    def drawn(cls, seed: int) -> "FaultPlan":
        """The plan of a seed."""
        strengths = {}
        for fault, (low, high) in STRENGTHS.items():
            dice = Random(f"{seed}:plan:{fault}")  # noqa: S311 - a simulation, not a secret
            if dice.random() < SHARE:
                strengths[fault] = round(low + (high - low) * dice.random() ** 2, 4)
        dice = Random(f"{seed}:readings")  # noqa: S311 - a simulation, not a secret
        return cls(seed=seed, strengths=strengths, readings=drawn_readings(dice))

    @classmethod
    def calm(cls, seed: int) -> "FaultPlan":
        """No fault at all."""
        return cls(seed=seed, strengths={})

    def only(self, faults: Collection[Fault]) -> "FaultPlan":
        """The same run with these kinds alone."""
        kept = {fault: value for fault, value in self.strengths.items() if fault in faults}
        return replace(self, strengths=kept)

    def without(self, fault: Fault) -> "FaultPlan":
        """The same run without one kind."""
        return self.only(set(self.strengths) - {fault})

    def dice(self, what: str) -> Random:
        """Dice of this run for one purpose."""
        return Random(f"{self.seed}:{what}")  # noqa: S311 - a simulation, not a secret

    def strength(self, fault: Fault) -> float:
        """How strong a kind is; 0 when it takes no part."""
        return self.strengths.get(fault, 0.0)

    def told(self) -> str:
        """The plan for people and for `--only`: JSON."""
        return json.dumps({fault.value: value for fault, value in self.strengths.items()})
