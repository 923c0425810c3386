"""The named scenarios of a drawn market: each an endless script of what happens to price, mark and book.

Pure but for the dice, which are handed in. A script speaks of levels, as shares of the start price: it knows no
symbol, tick or quote, and each comes home again, so that an endless path stays in sight of its start. `staged.py`
plays them. Something worth seeing happens at least every three minutes of path time, the first time within one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from random import Random  # noqa: TID251 - the type only: the seeded dice come from the caller

PREFIX = "synthetic:"
"""What stands before a scenario's name where a market is named."""


class Depth(Enum):
    """What the book holds near the price."""

    FULL = auto()
    THIN = auto()
    """Crumbs at every level, behind a wide spread."""
    HOLE = auto()
    """Nothing near the price, crumbs far away, and nobody trades."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a script, led to in a straight line from the end of the one before.

    Attributes:
        seconds: its length in path time; none is a jump, with nothing in between.
        level: where the price stands at its end, as a share of the start price above or below it.
        mark: where the mark price stands at its end, as a share above or below where it belongs.
        depth: the book throughout.
    """

    seconds: float
    level: float
    mark: float = 0.0
    depth: Depth = Depth.FULL


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named script.

    Attributes:
        script: the phases, without end, drawn from the dice.
        noise: sigma of a minute around the script, as a share of the price.
    """

    script: Callable[[Random], Iterator[Phase]]
    noise: float


def _between(dice: Random, low: float, high: float) -> float:
    return low + (high - low) * dice.random()


def _sign(dice: Random) -> int:
    return 1 if dice.random() < 0.5 else -1


def _calm(_: Random) -> Iterator[Phase]:
    """A quiet market within a few hundredths of a percent: nothing should happen, and nothing does."""
    while True:
        yield Phase(60, 0.0)


def _trend(dice: Random) -> Iterator[Phase]:
    """Legs of ten minutes and 2 % in stairs, up and down in turn: targets are met and a stop follows.

    Legs of seven stairs, each with a pullback; the next leg heads back over the start.
    """
    level, direction = 0.0, _sign(dice)
    while True:
        for _ in range(7):
            level += direction * _between(dice, 0.0025, 0.0045)
            yield Phase(_between(dice, 40, 70), level)
            level -= direction * _between(dice, 0.0003, 0.0010)
            yield Phase(_between(dice, 12, 25), level)
        direction = -1 if level > 0 else 1


def _chop(dice: Random) -> Iterator[Phase]:
    """To and fro by half a percent around the start: stops on both sides are met and nothing is gained."""
    side = _sign(dice)
    while True:
        yield Phase(_between(dice, 20, 45), side * _between(dice, 0.0025, 0.0060))
        side = -side


def _flash_crash(dice: Random) -> Iterator[Phase]:
    """A fall of 4 to 7 % within four seconds through a thin book, most of it made good in ten more."""
    while True:
        yield Phase(_between(dice, 30, 55), 0.0)
        fall = _between(dice, 0.04, 0.07)
        yield Phase(_between(dice, 2, 4), -fall, depth=Depth.THIN)
        yield Phase(_between(dice, 1, 2), -0.9 * fall, depth=Depth.THIN)
        yield Phase(_between(dice, 5, 9), -0.25 * fall, depth=Depth.THIN)
        yield Phase(_between(dice, 20, 40), 0.0)


def _gap(dice: Random) -> Iterator[Phase]:
    """A jump of 1.2 to 2.5 % with no trade and no quote in between: a stop fills far beyond its trigger.

    Every other gap leads home, so that longs and shorts meet theirs in turn.
    """
    while True:
        far = _sign(dice) * _between(dice, 0.012, 0.025)
        for before, after in ((0.0, far), (far, 0.0)):
            yield Phase(_between(dice, 35, 55), before)
            yield Phase(0, after)
            yield Phase(_between(dice, 20, 40), after)


def _divergence(dice: Random) -> Iterator[Phase]:
    """The mark price parts from the last price by about 1 % for half a minute, up or down, and comes back."""
    while True:
        yield Phase(_between(dice, 30, 55), 0.0)
        away = _sign(dice) * _between(dice, 0.008, 0.015)
        yield Phase(_between(dice, 4, 8), 0.0, away)
        yield Phase(_between(dice, 15, 25), 0.0, away)
        yield Phase(_between(dice, 4, 8), 0.0)
        yield Phase(_between(dice, 10, 20), 0.0)


def _hole(dice: Random) -> Iterator[Phase]:
    """For about ten seconds nothing rests within 0.4 % of the price and nobody trades: a market order pays for it."""
    while True:
        yield Phase(_between(dice, 30, 55), 0.0)
        yield Phase(_between(dice, 8, 15), 0.0, depth=Depth.HOLE)
        yield Phase(_between(dice, 3, 6), 0.0, depth=Depth.THIN)
        yield Phase(_between(dice, 15, 40), 0.0)


SCENARIOS: Mapping[str, Scenario] = {
    "calm": Scenario(_calm, noise=0.0002),
    "trend": Scenario(_trend, noise=0.0005),
    "chop": Scenario(_chop, noise=0.0005),
    "flash-crash": Scenario(_flash_crash, noise=0.0005),
    "gap-through-stop": Scenario(_gap, noise=0.0005),
    "mark-divergence": Scenario(_divergence, noise=0.0005),
    "liquidity-hole": Scenario(_hole, noise=0.0005),
}
"""What a market may be called behind `PREFIX`, and what that means."""


def scenario_of(market: str) -> Scenario:
    """Return the scenario that a market's name means.

    Raises:
        ValueError: there is none of that name; lists those there are.
    """
    name = market.removeprefix(PREFIX)
    scenario = SCENARIOS.get(name)
    if scenario is None:
        known = ", ".join(SCENARIOS)
        raise ValueError(f"--market {market}: there is no scenario {name!r}; known: {known}")
    return scenario
