"""The machine's clock: a corrected wall clock must not move exchange time."""

import time

import pytest

from jumar.ports.clock import SystemClock


@pytest.mark.rule("W-2", "X-4")
@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_step_of_the_wall_clock_does_not_move_exchange_time(
    monkeypatch: pytest.MonkeyPatch, step_s: int
) -> None:
    """It is judged whether a lost request can still be executed: only time that passed may count."""
    clock = SystemClock()
    before = clock.now_ms()
    wall = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall() + step_s * 1_000_000_000)
    assert 0 <= clock.now_ms() - before < 1000


def test_the_offset_is_added() -> None:
    """Exchange time is this machine's plus the measured offset."""
    clock = SystemClock()
    before = clock.now_ms()
    clock.set_offset(5000)
    assert 5000 <= clock.now_ms() - before < 6000
