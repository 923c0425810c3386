"""What the exchange does at a time, without being asked: expiries and countdowns.

Work is due at the first step or request at or after its time, in the order of the times. Deterministic; work that
has become pointless must see so itself, because nothing is taken back.
"""

import heapq
from collections.abc import Callable

type Work = Callable[[int], None]


class Deadlines:
    """Work that waits for its time (ms)."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Work]] = []
        self._count = 0

    def at(self, due_ms: int, work: Work) -> None:
        """Do `work(now_ms)` once `due_ms` is reached."""
        self._count += 1
        heapq.heappush(self._waiting, (due_ms, self._count, work))

    def run(self, now_ms: int) -> None:
        """Do all that is due."""
        while self._waiting and self._waiting[0][0] <= now_ms:
            heapq.heappop(self._waiting)[2](now_ms)
