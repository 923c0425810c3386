"""The venue's clock, measured.

Promises that exchange time is set from the round trip with the least delay of several, again every few minutes and
whenever the venue says that a timestamp was wrong. The error is at most half of that round trip, and grows with every
second that passes until the next measurement.
"""

import asyncio
from collections.abc import Callable

import structlog

from jumar.exchange.binance import wire
from jumar.exchange.binance.caller import Caller, Security
from jumar.exchange.binance.lanes import Lane
from jumar.model.errors import VenueError, VenueUnavailable
from jumar.ports.clock import Clock

PATH = "/fapi/v1/time"
SAMPLES = 5
INTERVAL_S = 180.0
PAUSE_S = 5.0
"""Least time between two measurements: a venue that keeps refusing must not be asked in a loop."""

DRIFT_PPM = 500.0
"""How fast a machine's ticks may go wrong: a time daemon corrects them by up to so much (Linux adjtimex)."""

log = structlog.get_logger(__name__)


class TimeSync:
    """Keeps `clock` on the venue's time; nobody else may set the offset of that clock.

    Attributes:
        on_measured: told how far exchange time may be off after every measurement, and after every one that failed.
    """

    def __init__(self, caller: Caller, clock: Clock) -> None:
        self.on_measured: Callable[[float], None] | None = None
        self._caller = caller
        self._clock = clock
        self._offset_ms = 0
        self._half_trip_ms = 0.0
        self._measured_s: float | None = None
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def uncertainty_ms(self) -> float:
        """How far exchange time may be off: half of the best round trip and the drift since; 0 before the first one."""
        if self._measured_s is None:
            return 0.0
        age_s = self._clock.monotonic() - self._measured_s
        return self._half_trip_ms + age_s * DRIFT_PPM / 1000

    async def measure(self) -> None:
        """Measure and set the offset; a round trip that fails is made again, once in all.

        Raises:
            VenueUnavailable: a second round trip failed.
            VenueRefused: the venue answered with a code.
        """
        samples: list[tuple[float, float]] = []
        failed = False
        while len(samples) < SAMPLES:
            try:
                samples.append(await self._sample())
            except VenueUnavailable:
                if failed:
                    raise
                failed = True
        round_trip_ms, ahead_ms = min(samples)
        self._offset_ms += round(ahead_ms)
        self._clock.set_offset(self._offset_ms)
        self._half_trip_ms, self._measured_s = round_trip_ms / 2, self._clock.monotonic()
        self._tell()

    def _tell(self) -> None:
        if self.on_measured is not None:
            self.on_measured(self.uncertainty_ms)

    async def _sample(self) -> tuple[float, float]:
        """Return one round trip's duration and how far the venue is ahead of exchange time as we know it."""
        asked_ms, began = self._clock.now_ms(), self._clock.monotonic()
        answer = await self._caller.read(
            PATH, {}, wire.ServerTime, security=Security.NONE, lane=Lane.EXIT
        )
        round_trip_ms = (self._clock.monotonic() - began) * 1000
        return round_trip_ms, answer.server_time - (asked_ms + round_trip_ms / 2)

    def request(self) -> None:
        """Ask for a measurement soon."""
        self._wanted.set()

    def start(self) -> None:
        """Begin to re-measure from time to time."""
        self._wanted.clear()
        self._task = asyncio.create_task(self._run(), name="binance-time")

    async def close(self) -> None:
        """Stop measuring."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await self._pause()
            self._wanted.clear()
            try:
                await self.measure()
            except VenueError as error:
                log.warning("clock_not_measured", error=str(error))
                self._wanted.set()
                self._tell()
            await self._clock.sleep(PAUSE_S)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(INTERVAL_S):
                await self._wanted.wait()
        except TimeoutError:
            return
