"""The time window and page of a history query: at most seven days, the last seven by default."""

from dataclasses import dataclass

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.refusal import Refusal

WEEK_MS = 7 * 86_400_000
MAX_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Times in ms, both included; `limit` rows at most."""

    start_ms: int
    end_ms: int
    limit: int

    def holds(self, time_ms: int) -> bool:
        """Whether a row of that time belongs to the answer."""
        return self.start_ms <= time_ms <= self.end_ms


def window(params: Params, now_ms: int, *, everything: bool = False) -> Window:
    """The window asked for; `everything` when the page is named by an id instead.

    Raises:
        Refusal: -4165, the window is longer than seven days or ends before it starts.
    """
    limit = min(params.integer("limit", 500), MAX_ROWS)
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
