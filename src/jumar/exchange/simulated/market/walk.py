"""The drawn price behind a synthetic market: regimes, clustering volatility, jumps.

Pure but for its dice, which are handed in. Promises the same walk for the same dice on every machine:
only operations that IEEE 754 defines exactly are used (no `exp`, `log` or `gauss` of the C library).
Does not know ticks, quotes or symbols: it moves one number.

The parts, and what each is for:

- *regimes* of some minutes (walk, chop, trend, storm): a market that a decision can be right or wrong about;
- *clustering*: the variance of the next minute follows that of the last ones (GARCH(1,1), Bollerslev 1986),
  which also gives the fat tails;
- *jumps*: now and then the price runs several sigma within a second or two.
"""

from dataclasses import dataclass
from math import sqrt
from random import Random  # noqa: TID251 - the type only: the seeded dice come from the caller

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A mood of the market.

    Attributes:
        weight: share of the draws.
        minutes: shortest and longest stay.
        drift: weakest and strongest drift, in sigma per minute; the direction is drawn.
        pull: share of the distance to the regime's first price that is taken back per minute.
        loudness: factor on sigma.
    """

    weight: float
    minutes: tuple[float, float]
    drift: tuple[float, float]
    pull: float
    loudness: float


WALK = Regime(weight=0.25, minutes=(4, 15), drift=(0.0, 0.1), pull=0.0, loudness=0.8)
CHOP = Regime(weight=0.25, minutes=(6, 20), drift=(0.0, 0.0), pull=0.08, loudness=1.1)
TREND = Regime(weight=0.40, minutes=(6, 16), drift=(0.4, 0.9), pull=0.0, loudness=1.0)
STORM = Regime(weight=0.10, minutes=(2, 6), drift=(0.0, 0.6), pull=0.0, loudness=1.7)
REGIMES = (WALK, CHOP, TREND, STORM)

# The variance of a minute, in units of its long-run mean: next = rest + NEWS * (surprise/sigma)^2 + MEMORY * last
_NEWS, _MEMORY = 0.12, 0.84
_VARIANCE_MIN, _VARIANCE_MAX = 0.25, 8.0
_NEWS_MAX = (
    12.0  # one minute's square enters at most so: a jump excites the market, it does not explode it
)

_JUMPS_PER_HOUR = 0.5
_JUMP_SIGMAS = (3.0, 7.0)
_JUMP_SHARE = 0.35  # of what is left of a jump is run in each step: most of it within two seconds
_JUMP_DONE = 0.02

_HOME = 0.25  # a trend so far (as a share of the start) from the start always heads back


class PriceWalk:
    """One price, moved by `advance`."""

    def __init__(self, dice: Random, *, start: float, sigma_per_minute: float) -> None:
        self.price = start
        self._dice = dice
        self._start = start
        self._sigma = sigma_per_minute
        self._variance = 1.0
        self._jump_left = 0.0
        self._minute_left_ms = _MINUTE_MS
        self._minute_open = start
        self._enter_regime()

    @property
    def is_jumping(self) -> bool:
        """Whether a jump is being run: the book is thin and wide then."""
        return self._jump_left != 0.0

    def advance(self, elapsed_ms: int) -> float:
        """Move the price by the noise, drift, pull and jumps of `elapsed_ms`; return it."""
        minutes = elapsed_ms / _MINUTE_MS
        regime = self._regime
        move = self._scale * sqrt(minutes) * self._noise() + self._drift * minutes
        if regime.pull:
            move -= regime.pull * minutes * (self.price / self._anchor - 1.0)
        self.price *= 1.0 + move + self._jump(minutes)
        self._regime_left_ms -= elapsed_ms
        if self._regime_left_ms <= 0:
            self._enter_regime()
        self._minute_left_ms -= elapsed_ms
        if self._minute_left_ms <= 0:
            self._end_minute()
        return self.price

    def _noise(self) -> float:
        """Mean 0, variance 1: four uniform draws; tails are the business of variance and jumps."""
        draw = self._dice.random
        return (draw() + draw() + draw() + draw() - 2.0) * 1.7320508075688772

    def _jump(self, minutes: float) -> float:
        if self._jump_left == 0.0:
            if self._dice.random() >= _JUMPS_PER_HOUR * minutes / 60.0:
                return 0.0
            size = self._sigma * self._between(_JUMP_SIGMAS)
            self._jump_left = size if self._dice.random() < 0.5 else -size
        share = self._jump_left * _JUMP_SHARE
        self._jump_left -= share
        if abs(self._jump_left) < _JUMP_DONE * self._sigma:
            self._jump_left = 0.0
        return share

    def _end_minute(self) -> None:
        surprise = self.price / self._minute_open - 1.0 - self._drift
        sigmas = surprise / (self._sigma * self._regime.loudness)
        news = min(sigmas * sigmas, _NEWS_MAX)
        variance = (1.0 - _NEWS - _MEMORY) + _NEWS * news + _MEMORY * self._variance
        self._variance = min(max(variance, _VARIANCE_MIN), _VARIANCE_MAX)
        self._minute_open = self.price
        self._minute_left_ms += _MINUTE_MS
        self._rescale()

    def _enter_regime(self) -> None:
        self._regime = regime = self._dice.choices(REGIMES, [each.weight for each in REGIMES])[0]
        self._regime_left_ms = self._between(regime.minutes) * _MINUTE_MS
        self._anchor = self.price
        self._drift = self._between(regime.drift) * self._sigma * self._direction()
        self._rescale()

    def _direction(self) -> float:
        """Up or down, the more likely toward the start the further away: an endless path stays in sight."""
        away = (self.price / self._start - 1.0) / _HOME
        return 1.0 if self._dice.random() < 0.5 - 0.5 * away else -1.0

    def _rescale(self) -> None:
        self._scale = self._sigma * self._regime.loudness * sqrt(self._variance)

    def _between(self, limits: tuple[float, float]) -> float:
        low, high = limits
        return low + (high - low) * self._dice.random()
