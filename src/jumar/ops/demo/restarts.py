"""When the engine is killed: moments drawn from the run's seed, best while there is something to lose.

The trading time is cut into equal parts, one for each kill. A moment is drawn in the first quarter of each part; most
kills then wait for a position, some are content with an armed set-up, and at the end of its part each comes whatever
there is. Promises that two kills are seconds apart and that none falls into the last, flat seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - the demo's dice, with the run's seed

from jumar.ops.demo.options import QUIET_S, DemoOptions
from jumar.ops.demo.watch import Picture

WAITS_FOR_POSITION = 0.7
#: Between the latest moment of one kill and the part of the next, so that an engine lives in between.
APART_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill, in seconds since trading began: not before `from_s`, in any case at `by_s`.

    Attributes:
        position: it waits for a position; otherwise any order that rests is enough.
    """

    from_s: float
    by_s: float
    position: bool


class Restarts:
    """The kills of one run; `done` counts those that were made."""

    def __init__(self, options: DemoOptions) -> None:
        dice = Random(f"{options.seed}:restarts")  # noqa: S311 - a demo, not a secret
        length_s = options.trading_s / max(options.restarts, 1)
        self.kills = [
            _drawn(QUIET_S + turn * length_s, length_s, dice) for turn in range(options.restarts)
        ]
        self.done = 0

    def due(self, elapsed_s: float, pictures: Iterable[Picture]) -> bool:
        """Whether the next kill must be made now."""
        if self.done == len(self.kills):
            return False
        kill = self.kills[self.done]
        if elapsed_s < kill.from_s:
            return False
        return elapsed_s >= kill.by_s or any(_at_stake(kill, picture) for picture in pictures)


def _drawn(begin_s: float, length_s: float, dice: Random) -> Kill:
    return Kill(
        from_s=begin_s + dice.uniform(0, length_s / 4),
        by_s=begin_s + length_s - APART_S,
        position=dice.random() < WAITS_FOR_POSITION,
    )


def _at_stake(kill: Kill, picture: Picture) -> bool:
    return not picture.is_flat or (not kill.position and bool(picture.orders))
