"""The time window and page of a history query: at most seven days, the last seven by default."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Protocol

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.refusal import Refusal

WEEK_MS = 7 * 86_400_000
MAX_ROWS = 1000


class Created(Protocol):
    """What has a beginning (ms)."""

    created_ms: int


class Timed(Protocol):
    """What happened at a time (ms)."""

    @property
    def time_ms(self) -> int:
        """When."""
        ...


class Book[T: Created](Protocol):
    """What is kept by number, in the order of creation."""

    def since(self, number: int, /) -> Iterator[T]:
        """All from a number on."""
        ...

    def newest_first(self) -> Iterator[T]:
        """All, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Times in ms, both included; `limit` rows at most."""

    start_ms: int
    end_ms: int
    limit: int

    def holds(self, time_ms: int) -> bool:
        """Whether a row of that time belongs to the answer."""
        return self.start_ms <= time_ms <= self.end_ms

    def rows[T: Created](
        self, book: Book[T], first: int | None, fits: Callable[[T], bool]
    ) -> list[T]:
        """The first rows from a number on that fit, or the last ones where no number is given; oldest first."""
        if first is not None:
            return list(islice(filter(fits, book.since(first)), self.limit))
        recent = takewhile(lambda row: row.created_ms >= self.start_ms, book.newest_first())
        fitting = (row for row in recent if row.created_ms <= self.end_ms and fits(row))
        return list(islice(fitting, self.limit))[::-1]


def within(rows: Sequence[Timed], start_ms: int, end_ms: int) -> range:
    """The places of the rows between two times, both included; the rows are in the order of their times.

    They are sought by halves: of a long history hardly anything is unpacked.
    """
    first = bisect_left(rows, start_ms, key=_time_ms)
    return range(first, bisect_right(rows, end_ms, lo=first, key=_time_ms))


def _time_ms(row: Timed) -> int:
    return row.time_ms


def window(params: Params, now_ms: int, *, everything: bool = False) -> Window:
    """The window asked for; `everything` when the page is named by an id instead.

    Raises:
        Refusal: -4165, the window is longer than seven days or ends before it starts; -1130, no row is wanted.
    """
    limit = min(params.integer("limit", 500), MAX_ROWS)
    if limit < 1:
        raise Refusal(-1130, name="limit")
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    if everything:
        return Window(start_ms=0, end_ms=now_ms, limit=limit)
    if end is None:
        end = now_ms if start is None else min(now_ms, start + WEEK_MS)
    if start is None:
        start = max(0, end - WEEK_MS)
    if not 0 <= end - start <= WEEK_MS:
        raise Refusal(-4165)
    return Window(start_ms=start, end_ms=end, limit=limit)
