"""Modes: what a symbol or the account may send at all (M-1). Plain flags, each with its cause.

A mode that is kept here is left only as M-1 says: FLATTENING by itself to NO_ENTRIES, the others by an operator.
What heals by itself (stale data, an invisible stop) is no kept mode: it is found anew at every look.
"""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What may be sent, from everything to full exits only; a later one is stricter."""

    NORMAL = "NORMAL"
    NO_ENTRIES = "NO_ENTRIES"
    PROTECT_ONLY = "PROTECT_ONLY"
    FLATTENING = "FLATTENING"

    @property
    def strictness(self) -> int:
        """Zero for NORMAL; of two modes the larger one counts (M-1)."""
        return list(Mode).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeState:
    """The mode of a symbol or of the account, and why.

    Attributes:
        rule, cause: the rule id and the sentence with the numbers that led to it.
        since_ms: exchange time of the transition.
        code: which row of the ladder led to it (`jumar.planner.ladder`); empty where none did.
    """

    mode: Mode
    rule: str
    cause: str
    since_ms: int
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the engine knows of its own senses and memory: reasons to add nothing while they last (M-3, M-4).

    Attributes:
        unanswered_ms: exchange time since which no read of the symbol was answered, None while they are.
        hears: whether the user stream is up and tells what happens.
        unknown_ms: when requests of the account ended with an unknown outcome in the last minutes, oldest first.
        clock_off_ms: how far exchange time may be off after the last measurement.
        not_writer: why another engine may be writing to this database, None while it is ours alone (X-7).
        lease_wait_ms: for how long what an earlier engine sent may still be executed; zero for not at all.
    """

    unanswered_ms: int | None = None
    hears: bool = True
    unknown_ms: tuple[int, ...] = ()
    clock_off_ms: int = 0
    not_writer: str | None = None
    lease_wait_ms: int = 0


#: What an engine with nothing to complain of knows of itself.
HEALTHY = Health()
