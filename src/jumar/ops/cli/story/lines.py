"""What a line of a trade's story is, and the order of lines."""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a line tells; of one moment the lower comes first."""

    DECISION = 0
    REFUSAL = 1
    TRIGGER = 2
    FILL = 3
    NOTE = 4
    ORDER = 5
    CANCEL = 6
    INCIDENT = 7
    END = 8
    SUMMARY = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened.

    Attributes:
        at_ms: exchange time.
        after_ms: what it cannot have come before, whatever the two clocks say: an execution follows its order.
        why: the recorded cause of an order; empty where the text says it all.
    """

    at_ms: int
    kind: Kind
    rule: str
    text: str
    why: str = ""
    after_ms: int | None = None

    @property
    def place(self) -> tuple[int, Kind]:
        """By which lines are sorted."""
        after = self.at_ms if self.after_ms is None else self.after_ms + 1
        return max(self.at_ms, after), self.kind
