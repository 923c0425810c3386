"""A market in which much happens: every few seconds a leg up or down that reaches zones, stops and targets.

It resembles no real market (`market-paths.md` is about those): its use is that a trade is entered, moved and over within
a minute. Promises valid steps, the same ones for the same dice.
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed

from jumar.exchange.simulated.core.market import Level, MarketStep, Print

STEP_MS = 250
_TICK = Decimal("0.1")
_UNIT = Decimal("0.001")
_LEG_S = (4.0, 22.0)
_LEG = (0.002, 0.014)  # of the price
_QUIET = 0.5  # so many legs lead nowhere
_NOISE = 0.00012  # of the price, each step
_CRUMBS = 0.25  # so many books hold only crumbs, in which orders fill bit by bit


class RestlessMarket:
    """One symbol's path.

    Args:
        dice: of the path.
        gaps_per_minute: how often the price jumps by more than a stop's distance.
        pace: how far it goes in a step, as a share of what it does by default.
    """

    def __init__(
        self,
        symbol: str,
        *,
        dice: Random,
        start_price: Decimal,
        gaps_per_minute: float = 0.0,
        pace: float = 1.0,
    ) -> None:
        self.gaps = 0
        self.calm = False
        self._symbol = symbol
        self._dice = dice
        self._price = self._start = float(start_price)
        self._pace = pace
        self._gap_share = gaps_per_minute / 60_000 * STEP_MS

    @property
    def symbols(self) -> tuple[str, ...]:
        """The one symbol."""
        return (self._symbol,)

    def steps(self) -> Iterator[MarketStep]:
        """The path, without end: a step every 250 ms."""
        path_ms, left, drift = 0, 0, 0.0
        while True:
            yield self._step(path_ms)
            path_ms += STEP_MS
            if left == 0:
                left, drift = self._leg()
            left -= 1
            self._move(drift)

    def _leg(self) -> tuple[int, float]:
        """How many steps a leg has, and how far each goes."""
        dice = self._dice
        steps = int(dice.uniform(*_LEG_S) * 1000 / STEP_MS)
        if dice.random() < _QUIET:
            return steps, 0.0
        home = (self._start - self._price) / self._start
        up = dice.random() < 0.5 + max(min(home * 10, 0.4), -0.4)
        return steps, dice.uniform(*_LEG) / steps * (1 if up else -1)

    def _move(self, drift: float) -> None:
        dice = self._dice
        self._price *= 1 + self._pace * (drift + dice.gauss(0, _NOISE))
        if not self.calm and dice.random() < self._gap_share:
            self._price *= 1 + dice.choice((-1, 1)) * dice.uniform(0.003, 0.02)
            self.gaps += 1

    def _step(self, path_ms: int) -> MarketStep:
        dice = self._dice
        middle = int(self._price * 10)
        bid, ask = _TICK * middle, _TICK * (middle + 1)
        crumbs = dice.random() < _CRUMBS
        depth = 8 if crumbs else 2000
        sizes = [_UNIT * (1 + int(dice.random() * depth)) for _ in range(3)]
        taken = "BUY" if dice.random() < 0.5 else "SELL"
        last = ask if taken == "BUY" else bid
        return MarketStep(
            symbol=self._symbol,
            path_ms=path_ms,
            bids=(Level(price=bid, quantity=sizes[0]), Level(price=bid - 5, quantity=_UNIT * 5000)),
            asks=(Level(price=ask, quantity=sizes[1]), Level(price=ask + 5, quantity=_UNIT * 5000)),
            last=last,
            mark=_TICK * (middle + int(dice.gauss(0, 60))),
            prints=(Print(price=last, quantity=sizes[2], taker_side=taken),),
        )
