"""The only door to time and to drawn identities.

Exchange time is what rules are judged by; monotonic time only measures durations on this machine. `SystemClock`
is the one place in the project that reads the machine's clocks.
"""

import asyncio
import time
import uuid
from typing import Protocol


class Clock(Protocol):
    """Exchange time, durations and waiting."""

    def now_ms(self) -> int:
        """Exchange time in milliseconds since 1970, as well as it is known."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def set_offset(self, offset_ms: int) -> None:
        """Correct exchange time: the venue's clock minus this machine's."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """This machine's clock, corrected by the measured offset to the venue's.

    The wall clock is looked at once: when somebody sets it, no order becomes old or young by that. The venue's
    offset, measured again and again, takes up what the machine's ticks drift.
    """

    def __init__(self) -> None:
        self._offset_ms = 0
        self._start_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Exchange time in milliseconds since 1970."""
        wall_ns = self._start_ns + time.monotonic_ns()
        return wall_ns // 1_000_000 + self._offset_ms

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()  # noqa: TID251 - the door itself

    def set_offset(self, offset_ms: int) -> None:
        """Correct exchange time: the venue's clock minus this machine's."""
        self._offset_ms = offset_ms

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def new_identity() -> str:
    """Return a new random identity (32 hexadecimal digits), for things that must differ between two databases."""
    return uuid.uuid4().hex  # noqa: TID251 - the door itself
