"""Confirmed swings, found bar by bar: for a levels file that somebody makes of recorded prices (D-10).

Pure, and no part of the engine, which finds nothing by itself. A swing low is a bar whose low lies below the lows of
the `left` bars before it and not above those of the `right` bars after it (of equal lows the first is the swing); a
high mirrors it. Promises: no look-ahead: a swing is told when the last of its right-hand bars is complete, and what
was told never changes by what comes later; a bar with a missing minute is no bar, and no swing reaches over it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from jumar.decisions.levels import SWINGS_MAX
from jumar.model.levels import TIMEFRAMES, Swing, SwingKind

MINUTE_MS = 60_000
DAY_MS = TIMEFRAMES["1d"]


@dataclass(slots=True)
class _Bar:
    """One bar of the timeframe."""

    time_ms: int
    high: Decimal
    low: Decimal

    def take(self, high: Decimal, low: Decimal) -> None:
        self.high = max(self.high, high)
        self.low = min(self.low, low)


class SwingFinder:
    """Finds the swings of one timeframe; feed it every complete minute, in order.

    Attributes:
        bars: how many complete bars of the timeframe there were.
    """

    def __init__(
        self, timeframe: str, *, left: int = 2, right: int = 2, kept: int = SWINGS_MAX
    ) -> None:
        """Begin without bars.

        Args:
            timeframe: such as `15m`; a day at most.
            left: how many bars before it make a swing; at least one.
            right: how many bars after it; at least one.
            kept: how many lows, and how many highs, are remembered, the newest.

        Raises:
            ValueError: a timeframe or a number that cannot be used; the message says what can.
        """
        length_ms = TIMEFRAMES.get(timeframe, 0)
        if not 0 < length_ms <= DAY_MS:
            usable = ", ".join(name for name, each in TIMEFRAMES.items() if each <= DAY_MS)
            raise ValueError(f"{timeframe!r} is no timeframe of bars; use one of {usable}")
        if min(left, right) < 1:
            raise ValueError(f"a swing needs a bar on either side, not {left} and {right}")
        self.bars = 0
        self._timeframe = timeframe
        self._length_ms = length_ms
        self._right = right
        self._run: deque[_Bar] = deque(maxlen=left + 1 + right)
        self._forming: _Bar | None = None
        self._next_ms = 0
        self._lows: deque[Swing] = deque(maxlen=kept)
        self._highs: deque[Swing] = deque(maxlen=kept)

    @property
    def swings(self) -> tuple[Swing, ...]:
        """The confirmed swings, by time, a low before a high."""
        return tuple(sorted((*self._lows, *self._highs), key=lambda s: (s.time_ms, s.kind.value)))

    def add(self, time_ms: int, high: Decimal, low: Decimal) -> None:
        """Take in one complete minute: when it began, its highest and its lowest price.

        Raises:
            ValueError: it does not begin a minute, or not after the one before.
        """
        if time_ms % MINUTE_MS or time_ms < self._next_ms:
            raise ValueError(f"a minute that begins at {time_ms} does not follow those before it")
        if time_ms != self._next_ms:
            self._break()
        self._next_ms = time_ms + MINUTE_MS
        if self._forming is not None:
            self._forming.take(high, low)
        elif time_ms % self._length_ms == 0:
            self._forming = _Bar(time_ms, high, low)
        if self._forming is not None and self._next_ms % self._length_ms == 0:
            self._complete(self._forming)

    def _break(self) -> None:
        """A minute is missing: what was forming is no bar, and the run begins anew."""
        self._forming = None
        self._run.clear()

    def _complete(self, bar: _Bar) -> None:
        self.bars += 1
        self._forming = None
        self._run.append(bar)
        if len(self._run) < (self._run.maxlen or 0):
            return
        middle = len(self._run) - 1 - self._right
        turn = self._run[middle]
        others = [(n < middle, each) for n, each in enumerate(self._run) if n != middle]
        if all(turn.low < o.low if before else turn.low <= o.low for before, o in others):
            self._lows.append(self._swing(turn, SwingKind.LOW, turn.low))
        if all(turn.high > o.high if before else turn.high >= o.high for before, o in others):
            self._highs.append(self._swing(turn, SwingKind.HIGH, turn.high))

    def _swing(self, bar: _Bar, kind: SwingKind, price: Decimal) -> Swing:
        return Swing(
            timeframe=self._timeframe,
            kind=kind,
            price=price,
            time_ms=bar.time_ms,
            confirmed=True,
        )


def confirmed_swings(
    minutes: Iterable[tuple[int, Decimal, Decimal]],
    timeframe: str,
    *,
    as_of_ms: int,
    left: int = 2,
    right: int = 2,
) -> tuple[Swing, ...]:
    """Return the swings that were confirmed at a moment, from minutes (time, high, low); later ones are not looked at.

    Raises:
        ValueError: as `SwingFinder`.
    """
    finder = SwingFinder(timeframe, left=left, right=right)
    for time_ms, high, low in minutes:
        if time_ms + MINUTE_MS > as_of_ms:
            break
        finder.add(time_ms, high, low)
    return finder.swings
