"""What the exchange does at a time, without being asked: expiries and countdowns.

Work is due at the first step or request at or after its time, in the order of the times. Deterministic; work that
has become pointless must see so itself, because nothing is taken back. Whoever schedules far ahead says how that is
seen, so that what is pointless does not pile up: it is thrown away now and then.
"""

import heapq
from collections.abc import Callable

type Work = Callable[[int], None]
type Test = Callable[[], bool]

_SWEEP_AT = 256


class Deadlines:
    """Work that waits for its time (ms)."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Work, Test | None]] = []
        self._count = 0
        self._sweep_at = _SWEEP_AT

    def __len__(self) -> int:
        """How much waits."""
        return len(self._waiting)

    def at(self, due_ms: int, work: Work, pointless: Test | None = None) -> None:
        """Do `work(now_ms)` once `due_ms` is reached; `pointless` tells when it would do nothing any more."""
        self._count += 1
        heapq.heappush(self._waiting, (due_ms, self._count, work, pointless))
        if len(self._waiting) > self._sweep_at:
            self._sweep()

    def run(self, now_ms: int) -> None:
        """Do all that is due."""
        while self._waiting and self._waiting[0][0] <= now_ms:
            heapq.heappop(self._waiting)[2](now_ms)

    def _sweep(self) -> None:
        """Throw away what is pointless; the next time only when twice as much waits, so that it costs next to nothing."""
        self._waiting = [each for each in self._waiting if each[3] is None or not each[3]()]
        heapq.heapify(self._waiting)
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._waiting))
