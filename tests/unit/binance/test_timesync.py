"""The clock's doubt: measured, told, and growing until it is measured again."""

import asyncio

import pytest
from tests.unit.binance.venue import Signal

from jumar.exchange.binance import timesync
from jumar.exchange.binance.caller import READ_TIMEOUT_MS, Caller, Security
from jumar.exchange.binance.lanes import Lane
from jumar.exchange.binance.outcomes import Answer, NoAnswer, Reply
from jumar.exchange.binance.signing import Params
from jumar.exchange.binance.timesync import TimeSync

pytestmark = pytest.mark.rule("W-2")


class Hands:
    """A clock that a test moves; its waits take no time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.offset_ms = 0

    def now_ms(self) -> int:
        """Exchange time."""
        return int(self.seconds * 1000) + self.offset_ms

    def monotonic(self) -> float:
        """Seconds."""
        return self.seconds

    def set_offset(self, offset_ms: int) -> None:
        """Correct exchange time."""
        self.offset_ms = offset_ms

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and others have their turn."""
        self.seconds += seconds
        turn = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turn.set_result, None)
        await turn


class Line(Caller, Signal):
    """Answers after 40 ms with a clock that is ahead, or not at all."""

    def __init__(self, clock: Hands) -> None:
        super().__init__()
        self.clock = clock
        self.ahead_ms = 7000
        self.answers = True
        self.lanes: list[Lane] = []

    async def call(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        security: Security = Security.SIGNED,
        timestamp_ms: int | None = None,
        timeout_ms: int = READ_TIMEOUT_MS,
        lane: Lane = Lane.READ,
    ) -> Reply:
        """Answer."""
        self.lanes.append(lane)
        self.notify()
        if not self.answers:
            return NoAnswer(reason="gone")
        at_ms = int(self.clock.seconds * 1000) + 20 + self.ahead_ms
        self.clock.seconds += 0.04
        return Answer(status=200, body=b'{"serverTime":%d}' % at_ms)


async def test_the_doubt_grows_with_the_age_of_the_measurement() -> None:
    """Half a round trip at first, half a millisecond more with every second; nothing is claimed before the first."""
    clock = Hands()
    sync = TimeSync(Line(clock), clock)
    assert sync.uncertainty_ms == 0
    await sync.measure()
    assert clock.offset_ms == 7000
    assert sync.uncertainty_ms == pytest.approx(20)
    clock.seconds += 180
    assert sync.uncertainty_ms == pytest.approx(20 + 90)
    await sync.measure()
    assert sync.uncertainty_ms == pytest.approx(20)


async def test_time_is_measured_in_a_lane_above_the_reads() -> None:
    """A stop with a wrong stamp is refused: what sets the clock right goes before questions."""
    clock = Hands()
    line = Line(clock)
    await TimeSync(line, clock).measure()
    assert line.lanes == [Lane.EXIT] * timesync.SAMPLES


async def test_it_is_measured_again_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock drifts or jumps is put right without anybody's complaint."""
    monkeypatch.setattr(timesync, "INTERVAL_S", 0.01)
    clock = Hands()
    line = Line(clock)
    sync = TimeSync(line, clock)
    await sync.measure()
    line.ahead_ms = -3000
    sync.start()
    try:
        await line.until(lambda: clock.offset_ms == -3000)
    finally:
        await sync.close()


async def test_a_measurement_that_fails_tells_the_grown_doubt() -> None:
    """While the venue does not say the time, whoever listens hears that ours becomes less certain (M-3)."""
    clock = Hands()
    line = Line(clock)
    sync = TimeSync(line, clock)
    told: list[float] = []
    sync.on_measured = told.append
    await sync.measure()
    line.answers = False
    clock.seconds += 600
    sync.start()
    sync.request()
    try:
        await line.until(lambda: len(told) >= 3)
    finally:
        await sync.close()
    assert told[0] == pytest.approx(20)
    assert told[1] == pytest.approx(20 + 300)
    assert told[2] == pytest.approx(20 + 300 + timesync.PAUSE_S / 2)
