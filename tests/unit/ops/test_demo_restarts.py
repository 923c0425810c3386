"""When the demo kills its engine: drawn from the seed, apart, before the flat seconds, best with a position."""

from dataclasses import replace
from itertools import pairwise

import pytest

from jumar.ops.demo.options import DemoOptions
from jumar.ops.demo.restarts import Kill, Restarts
from jumar.ops.demo.watch import LiveOrder, Picture

OPTIONS = DemoOptions(
    seconds=60,
    seed=7,
    market="synthetic",
    begin=None,
    end=None,
    speed=60,
    symbols=(),
    restarts=3,
    state_dir=None,
    json=False,
)
FLAT = Picture()
ARMED = Picture(orders={("conditional", 1): LiveOrder(role="S", price="1", quantity="1")})
HELD = Picture(position="-0.5")


def test_the_same_seed_kills_at_the_same_moments() -> None:
    """A run can be repeated."""
    assert Restarts(OPTIONS).kills == Restarts(OPTIONS).kills
    assert Restarts(OPTIONS).kills != Restarts(replace(OPTIONS, seed=8)).kills


@pytest.mark.parametrize(("seconds", "restarts"), [(19, 1), (30, 2), (60, 9), (600, 20)])
def test_kills_are_apart_and_before_the_flat_seconds(seconds: float, restarts: int) -> None:
    """Each engine lives for a while, and the last one brings everything home."""
    for seed in range(20):
        options = replace(OPTIONS, seconds=seconds, restarts=restarts, seed=seed)
        kills = Restarts(options).kills
        assert len(kills) == restarts
        assert kills[0].from_s >= 4
        assert kills[-1].by_s <= seconds - options.flat_s - 2
        for kill, following in pairwise(kills):
            assert kill.from_s < kill.by_s <= following.from_s - 2


@pytest.mark.parametrize(
    ("position", "elapsed_s", "picture", "due"),
    [
        (True, 4.9, HELD, False),
        (True, 5.0, HELD, True),
        (True, 9.9, ARMED, False),
        (True, 9.9, FLAT, False),
        (True, 10.0, FLAT, True),
        (False, 5.0, ARMED, True),
        (False, 5.0, FLAT, False),
    ],
)
def test_a_kill_waits_for_something_to_lose(
    position: bool, elapsed_s: float, picture: Picture, due: bool
) -> None:
    """From its moment on it comes with a position, or an armed set-up; at the latest at its limit."""
    restarts = Restarts(OPTIONS)
    restarts.kills = [Kill(from_s=5, by_s=10, position=position)]
    assert restarts.due(elapsed_s, [FLAT, picture]) is due


def test_each_kill_is_made_once() -> None:
    """Without one that is left nothing is due."""
    restarts = Restarts(OPTIONS)
    restarts.done = 3
    assert not restarts.due(59, [HELD])
    assert not Restarts(replace(OPTIONS, restarts=0)).due(59, [HELD])
