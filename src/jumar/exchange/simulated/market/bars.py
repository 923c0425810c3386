"""What happened inside a bar, drawn: one bar in, a trade for each of its seconds out.

Pure but for its dice. Promises that the first trade is at the open and the last at the close, that the lowest is at
the low and the highest at the high, all four exactly, and that no trade leaves them; that the same seed draws the
same path of a bar, on every machine and whatever the window around it. Does not know ticks or quotes.

A bar does not say which of its extremes came first. An even coin of the seed's decides, although real minutes that
rise more often turn low first: whether a stop or a target inside one bar was met first is not known, so that it
should depend on the seed and on nothing else. Who wants to know what hangs on it plays all bars low first and once
more high first.

Between open, the two extremes and the close stand three Brownian bridges, folded back into the bar where they would
leave it. Only arithmetic that IEEE 754 defines exactly moves the price.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate, pairwise
from random import Random  # noqa: TID251 - dice with the run's seed, as for the drawn market

from jumar.exchange.simulated.market.records import MINUTE_MS, Bar, Trade


class BarOrder(StrEnum):
    """Which extreme of a bar comes first: by the seed's coin, always the low, always the high."""

    DRAWN = "drawn"
    LOW_FIRST = "low-first"
    HIGH_FIRST = "high-first"


STEPS = 60
"""Trades inside a bar: one each second of path time."""

# A walk of 60 steps covers 1.596 * sqrt(60) sigma of a step on average (Feller 1951): so the share of its own range
# that a bar moves in a second.
_SIGMA = 0.081


def inside(
    bar: Bar, *, seed: int, symbol: str, order: BarOrder = BarOrder.DRAWN
) -> Iterator[Trade]:
    """Yield the trades of a bar, each with an even share of its volume (base currency).

    A trade above the one before it was bought, one below it sold; one at the same price goes with the one before.
    """
    dice = Random(f"{seed}:{symbol}:{bar.time_ms}")  # noqa: S311 - a market, not a secret
    side = "BUY" if dice.random() < 0.5 else "SELL"
    quantity = bar.volume / STEPS
    before = bar.open
    for step, price in enumerate(_prices(bar, dice, order)):
        if price != before:
            side = "BUY" if price > before else "SELL"
        yield Trade(bar.time_ms + step * MINUTE_MS // STEPS, price, quantity, side)
        before = price


def _prices(bar: Bar, dice: Random, order: BarOrder) -> Iterator[Decimal]:
    coin = (
        dice.random() < 0.5
    )  # thrown in any case: the rest of the path is the same in every order
    high_first = coin if order is BarOrder.DRAWN else order is BarOrder.HIGH_FIRST
    first, second = (bar.high, bar.low) if high_first else (bar.low, bar.high)
    turn, back = _two_between(dice)
    corners = ((0, bar.open), (turn, first), (back, second), (STEPS - 1, bar.close))
    for (begin, start), (end, goal) in pairwise(corners):
        yield start
        yield from _bridge(bar, dice, start, goal, end - begin)
    yield bar.close


def _two_between(dice: Random) -> tuple[int, int]:
    """Two different steps strictly between the first and the last, the earlier first."""
    inner = STEPS - 2
    one = 1 + int(inner * dice.random())
    other = 1 + int((inner - 1) * dice.random())
    if other >= one:
        other += 1
    return min(one, other), max(one, other)


def _bridge(bar: Bar, dice: Random, start: Decimal, goal: Decimal, steps: int) -> Iterator[Decimal]:
    """The prices strictly between two corners that lie `steps` apart."""
    height = bar.high - bar.low
    if height == 0:
        yield from [start] * (steps - 1)
        return
    begin, end = (float((corner - bar.low) / height) for corner in (start, goal))
    walk = list(accumulate((_SIGMA * _noise(dice) for _ in range(steps)), initial=0.0))
    for step in range(1, steps):
        share = step / steps
        place = begin + (end - begin) * share + walk[step] - walk[steps] * share
        yield bar.low + height * Decimal(_folded(place))


def _noise(dice: Random) -> float:
    """Mean 0, variance 1: four uniform draws."""
    draw = dice.random
    return (draw() + draw() + draw() + draw() - 2.0) * 1.7320508075688772


def _folded(place: float) -> float:
    """A place mirrored at 0 and 1 until it lies between them."""
    place = abs(place) % 2.0
    return 2.0 - place if place > 1.0 else place
