"""Clocks in virtual time: right, ahead, drifting, corrected, set by somebody."""

import pytest
from tests.simulation.loops import virtual

from jumar.simulation.clock import VirtualClock
from jumar.simulation.loop import VirtualLoop

ORIGIN_MS = 1_764_929_090_000


def _after(loop: VirtualLoop, seconds: float) -> None:
    loop.run(until_s=loop.time() + seconds)


def test_the_exchange_knows_the_time() -> None:
    """A clock without a fault shows its origin plus what has passed, to the millisecond, whatever the steps."""
    with virtual() as loop:
        clock = VirtualClock(loop, ORIGIN_MS)
        assert clock.now_ms() == ORIGIN_MS
        for number in range(1, 2001):
            _after(loop, 0.001)
            assert clock.now_ms() == ORIGIN_MS + number
        _after(loop, 86_400)
        assert clock.now_ms() == ORIGIN_MS + 2000 + 86_400_000
        assert clock.monotonic() == loop.time()


@pytest.mark.parametrize("drift", [0.0004, -0.0004, 0.01])
def test_a_clock_drifts_by_its_share(drift: float) -> None:
    """A drifting clock gains or loses its share of what passes, in exchange time and in durations."""
    with virtual() as loop:
        right, wrong = VirtualClock(loop, ORIGIN_MS), VirtualClock(loop, ORIGIN_MS, drift=drift)
        assert wrong.now_ms() == ORIGIN_MS
        for seconds in (10.0, 990.0, 9000.0):
            _after(loop, seconds)
            gained_ms = round(loop.time() * drift * 1000)
            assert abs(wrong.now_ms() - right.now_ms() - gained_ms) <= 1
            gained_s = wrong.monotonic() - right.monotonic()
            assert gained_s == pytest.approx(loop.time() * drift)


@pytest.mark.parametrize("ahead_ms", [700, -2500])
def test_an_offset_puts_it_right(ahead_ms: int) -> None:
    """A clock that is off is right after the measured offset was set; a second offset replaces the first."""
    with virtual() as loop:
        right, wrong = (
            VirtualClock(loop, ORIGIN_MS),
            VirtualClock(loop, ORIGIN_MS, ahead_ms=ahead_ms),
        )
        _after(loop, 5)
        assert wrong.now_ms() - right.now_ms() == ahead_ms
        wrong.set_offset(123)
        wrong.set_offset(-ahead_ms)
        _after(loop, 5)
        assert wrong.now_ms() == right.now_ms()


def test_an_offset_holds_until_the_drift_has_grown() -> None:
    """An offset corrects what a drifting clock has gained so far, not what it will gain."""
    with virtual() as loop:
        right, wrong = VirtualClock(loop, ORIGIN_MS), VirtualClock(loop, ORIGIN_MS, drift=0.001)
        _after(loop, 100)
        wrong.set_offset(right.now_ms() - wrong.now_ms())
        assert wrong.now_ms() == right.now_ms()
        _after(loop, 100)
        assert wrong.now_ms() - right.now_ms() == 100


def test_somebody_sets_the_clock() -> None:
    """A clock that is set jumps, keeps its offset, and measures durations as before."""
    with virtual() as loop:
        clock = VirtualClock(loop, ORIGIN_MS)
        clock.set_offset(40)
        before = clock.monotonic()
        clock.step(-2000)
        assert clock.now_ms() == ORIGIN_MS - 2000 + 40
        assert clock.monotonic() == before


@pytest.mark.parametrize("drift", [0.0, 0.01, -0.01])
def test_a_machine_waits_by_its_own_clock(drift: float) -> None:
    """Who waits until a moment of a clock wakes at that moment of it, however it drifts."""
    with virtual() as loop:
        clock = VirtualClock(loop, ORIGIN_MS, drift=drift)

        async def wait() -> None:
            for deadline in (0.3, 7.0, 1000.0):
                while clock.monotonic() < deadline:
                    await clock.sleep(deadline - clock.monotonic())
                assert clock.monotonic() == pytest.approx(deadline, abs=1e-9)

        loop.run_until_complete(wait())
        assert loop.steps < 20
