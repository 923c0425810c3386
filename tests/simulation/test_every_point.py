"""Killed at every point of a trade's way: before and after every commit and every request that changes something.

The market does not wait: prices move at fixed times, whether an engine lives or not. One run without a death counts
the points; then each of them is the end of a life in a run of its own, which is judged like every other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import LONG_ROAD, SHORT_ROAD, Road, enters_no_second_time

#: Every so many points are one test.
SHARES = 4
POINTS_MIN = 50
AWAY_S = 0.7


def walked(s: Scene, road: Road) -> None:
    """A decision, its fill, TP1, breakeven, and back through the stop: at the same times in every run."""
    s.price_to(road.quiet)
    s.at("10:05:00")
    s.decision(LONG, **road.decision)
    s.at("10:05:01.6")
    s.price_to(road.enter)
    s.at("10:05:03.2")
    s.price_to(road.tp1)
    s.at("10:05:08")
    s.price_to(road.average)
    s.at("10:05:12")
    s.price_to(road.stopped)
    s.wait(1)


@contextmanager
def mortal(s: Scene, last: int, *, robbed: bool = False) -> Iterator[list[str]]:
    """Count the points; at the last the life ends, and the next begins a moment later, whatever the market does.

    Args:
        s: the scenario.
        last: the point at which the life ends; 0 for none.
        robbed: whether somebody cancels every stop while nobody is there.
    """
    points: list[str] = []

    def reached(point: str) -> bool:
        points.append(point)
        if len(points) != last:
            return False
        if robbed:
            s.world.after(AWAY_S / 2, rob, s)
        s.world.after(AWAY_S, s.start)
        return True

    s.world.on_point = reached
    yield points
    s.world.on_point = lambda _: False


def rob(s: Scene) -> None:
    """Every stop that rests is cancelled by somebody."""
    s.book.refresh()
    for order in s.book.resting("B") + s.book.resting("S"):
        s.world.venue.core.remove(order["symbol"], order["client_id"], s.now_ms)


def points_of(road: Road) -> int:
    """How many points the way has when nobody dies."""
    with scene(1) as s, mortal(s, 0) as points:
        walked(s, road)
    return len(points)


def died(road: Road, last: int, *, robbed: bool = False) -> None:
    """One run that is cut at a point; a decision that never came to a fill is brought home by the next one."""
    with scene(1) as s:
        with mortal(s, last, robbed=robbed) as points:
            walked(s, road)
        s.note(f"was killed {points[last - 1]}, point {last}")
        assert s.world.host.lives == 2
        found = s.verdict("P-9")
        filled = bool(s.book.fills())
        assert found.trades == filled
        assert robbed or found.gaps == 0
        if filled:
            enters_no_second_time(s, road)


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8", "X-1", "X-2", "X-4", "X-9", "Y-5", "Y-8")
@pytest.mark.parametrize("share", range(SHARES))
def test_killed_at_every_point(share: int) -> None:
    """Every life ends at another point: never bare, never doubled, home by what rests, nothing left over."""
    count = points_of(LONG_ROAD)
    assert count > POINTS_MIN
    for last in range(1 + share, count + 1, SHARES):
        died(LONG_ROAD, last)


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8")
def test_killed_at_every_fourth_point_of_a_short() -> None:
    """The mirror image."""
    count = points_of(SHORT_ROAD)
    assert count > POINTS_MIN
    for last in range(2, count + 1, SHARES):
        died(SHORT_ROAD, last)


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8", "S-7")
def test_killed_at_every_fourth_point_and_robbed_of_its_stops() -> None:
    """While nobody is there somebody cancels all that protects: covered or closed in time, and nothing is doubled."""
    for last in range(3, points_of(LONG_ROAD) + 1, SHARES):
        died(LONG_ROAD, last, robbed=True)
