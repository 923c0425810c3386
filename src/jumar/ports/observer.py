"""Who is told what a tick did: logs now, metrics and alerts beside them."""

from dataclasses import dataclass
from typing import Protocol

from jumar.model.command import Command, Plan
from jumar.model.journal import Incident
from jumar.model.outcome import Outcome
from jumar.model.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """One command and what became of it."""

    command: Command
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """One pass of the loop.

    Attributes:
        tick: counts per symbol from 1.
        duration_ms: how long it took on this machine.
        overrun: it took longer than its deadline (O-2).
    """

    tick: int
    world: World
    plan: Plan
    executed: tuple[Executed, ...]
    duration_ms: int
    overrun: bool


class Observer(Protocol):
    """Someone who is told."""

    def tick(self, report: TickReport) -> None:
        """Hear of a tick; must not block and not raise."""
        ...

    def incident(self, incident: Incident) -> None:
        """Hear of an incident; must not block and not raise."""
        ...
