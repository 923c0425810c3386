"""Modes: what a symbol may send at all (M-1). Plain flags, each with its cause.

A mode that is kept here is left only as M-1 says: FLATTENING by itself to NO_ENTRIES, the others by an operator.
What heals by itself (stale data, an invisible stop) is no kept mode: guards refuse with the code `mode` meanwhile.
"""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What may be sent, from everything to full exits only."""

    NORMAL = "NORMAL"
    NO_ENTRIES = "NO_ENTRIES"
    FLATTENING = "FLATTENING"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeState:
    """A symbol's mode and why.

    Attributes:
        rule, cause: the rule id and the sentence with the numbers that led to it.
        since_ms: exchange time of the transition.
    """

    mode: Mode
    rule: str
    cause: str
    since_ms: int
