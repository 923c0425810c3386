"""What one row of the error table says, and how rows become a table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What to do with a request that got this code.

    RETRY: the same wish may be sent again, after a wait or a correction of the clock. ASK: read the truth, then
    decide. REFUSE: never again unchanged. SUCCESS: it was so already. HALT: stop, wait or call a person.
    """

    RETRY = "retry"
    ASK = "ask"
    REFUSE = "refuse"
    SUCCESS = "success"
    HALT = "halt"


class Remedy(StrEnum):
    """What the adapter itself does about a code."""

    MEASURE_CLOCK = "measure_clock"
    RELOAD_FILTERS = "reload_filters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One code's meaning.

    Attributes:
        not_executed: whether the code proves that the request did nothing.
    """

    code: int
    action: Action
    not_executed: bool
    meaning: str
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Codes that are treated alike; `meanings` says what each means."""

    action: Action
    not_executed: bool
    meanings: Mapping[int, str]
    remedy: Remedy | None = None

    def rows(self) -> Iterable[Row]:
        """Yield one row per code."""
        for code, meaning in self.meanings.items():
            yield Row(
                code=code,
                action=self.action,
                not_executed=self.not_executed,
                meaning=meaning,
                remedy=self.remedy,
            )


def table_of(groups: Iterable[Group]) -> dict[int, Row]:
    """Return the rows of all groups by code.

    Raises:
        ValueError: two groups claim one code, so that nobody could say which of them counts.
    """
    table: dict[int, Row] = {}
    for row in (row for group in groups for row in group.rows()):
        earlier = table.setdefault(row.code, row)
        if earlier is not row:
            raise ValueError(f"{row.code} stands twice: {earlier.meaning!r} and {row.meaning!r}")
    return table
