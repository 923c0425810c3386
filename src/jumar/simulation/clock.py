"""Clocks on virtual time: the exchange's, which is right, and an engine's, which may be off and drift."""

import asyncio

from jumar.simulation.loop import VirtualLoop


class VirtualClock:
    """A clock of one machine of the simulation (see `jumar.ports.clock.Clock`).

    Args:
        loop: where time passes.
        origin_ms: exchange time at the loop's beginning, milliseconds since 1970.
        ahead_ms: how far this machine's clock is ahead.
        drift: how much faster it runs, as a share: 0.0001 gains 100 ms in 1000 s.
    """

    def __init__(
        self, loop: VirtualLoop, origin_ms: int, *, ahead_ms: int = 0, drift: float = 0.0
    ) -> None:
        self._loop = loop
        self._origin_ms = origin_ms + ahead_ms
        self._pace = 1.0 + drift
        self._offset_ms = 0

    def now_ms(self) -> int:
        """Exchange time in milliseconds since 1970, as this machine knows it."""
        return self._origin_ms + self._offset_ms + int(self.monotonic() * 1000 + 1e-6)

    def monotonic(self) -> float:
        """Seconds since the loop's beginning on this machine's clock."""
        return self._loop.time() * self._pace

    def seconds(self, at_ms: int) -> float:
        """The loop's time of a moment of this clock, as long as nobody set it and it does not drift."""
        return (at_ms - self._origin_ms) / 1000

    def set_offset(self, offset_ms: int) -> None:
        """Correct exchange time: the venue's clock minus this machine's."""
        self._offset_ms = offset_ms

    def step(self, ms: int) -> None:
        """Have somebody set this machine's clock; nobody who uses it is told."""
        self._origin_ms += ms

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this machine's."""
        await asyncio.sleep(seconds / self._pace)
