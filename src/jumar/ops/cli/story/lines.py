"""What a line of a trade's story is, and the order of lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from jumar.model.moments import clock


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
        quiet: it repeats what was in force, or only came by: a reader misses nothing without it.
    """

    at_ms: int
    kind: Kind
    rule: str
    text: str
    why: str = ""
    after_ms: int | None = None
    quiet: bool = False

    @property
    def place(self) -> tuple[int, Kind]:
        """By which lines are sorted."""
        after = self.at_ms if self.after_ms is None else self.after_ms + 1
        return max(self.at_ms, after), self.kind


def folded(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines with every stretch of quiet ones, but a single one, told as one."""
    found: list[Line] = []
    for quiet, each in groupby(lines, key=lambda line: line.quiet):
        stretch = tuple(each)
        found += [_as_one(stretch)] if quiet and len(stretch) > 1 else stretch
    return tuple(found)


def _as_one(lines: Sequence[Line]) -> Line:
    decisions = sum(line.kind is Kind.DECISION for line in lines)
    levels = sum(line.rule == "D-10" for line in lines)
    words = [
        _count(decisions, "decision repeated the one before", "decisions repeated the one before"),
        _count(levels, "levels file came", "levels files came"),
    ]
    said = ", ".join(each for each in words if each) or f"{len(lines)} notes that changed nothing"
    last = clock(lines[-1].at_ms)
    until = "" if clock(lines[0].at_ms) == last else f", until {last}"
    first = next((line for line in lines if line.kind is Kind.DECISION), lines[0])
    return Line(at_ms=lines[0].at_ms, kind=Kind.NOTE, rule=first.rule, text=f"{said}{until}")


def _count(number: int, one: str, many: str) -> str:
    return "" if number == 0 else f"{number} {one if number == 1 else many}"
