"""The pace: which step of the market is due when.

A step with `path_ms` is due at start + path_ms / speed; the path's first moment is the server's start. When late,
steps are worked off in short runs between which the sockets are served: no step is skipped. A symbol without a step for
a second, be it a gap, the path's end or the manual market, repeats its quote and mark (without trades) every second.
"""

from collections.abc import Callable
from dataclasses import replace

from jumar.exchange.simulated.core.market import MarketSource, MarketStep
from jumar.ports.clock import Clock

RUN_S = 0.004
SOON_S = 0.001
REPEAT_S = 1.001  # a hair more than a second: a path of one step a second stands never still


class Pacer:
    """Feeds a source's steps to `apply` when they are due."""

    def __init__(
        self, source: MarketSource, apply: Callable[[MarketStep], None], clock: Clock, speed: float
    ) -> None:
        self._source = source
        self._steps = iter(source.steps())
        self._apply = apply
        self._clock = clock
        self._speed = speed
        self._latest: dict[str, tuple[MarketStep, float]] = {}
        self._primed_ms = 0

    def prime(self) -> None:
        """Apply the path's beginning until every symbol has a market; the pace starts from there.

        Raises:
            ValueError: the source ends before that.
        """
        missing = set(self._source.symbols)
        while missing:
            step = next(self._steps, None)
            if step is None:
                raise ValueError(f"market: the path has no step for {', '.join(sorted(missing))}")
            self.apply(step)
            self._primed_ms = step.path_ms
            missing.discard(step.symbol)

    def apply(self, step: MarketStep) -> None:
        """Make a step the present now."""
        self._latest[step.symbol] = (step, self._clock.monotonic())
        self._apply(step)

    def again(self, symbol: str) -> None:
        """Make a symbol's latest step the present once more, without its trades."""
        if symbol in self._latest:
            self.apply(replace(self._latest[symbol][0], prints=()))

    async def run(self) -> None:
        """Play the path to its end."""
        start_s = self._clock.monotonic()
        rested_s = start_s
        for step in self._steps:
            due_s = start_s + (step.path_ms - self._primed_ms) / 1000 / self._speed
            now_s = self._clock.monotonic()
            if due_s - now_s > SOON_S:
                await self._clock.sleep(due_s - now_s)
                rested_s = self._clock.monotonic()
            elif now_s - rested_s > RUN_S:
                await self._clock.sleep(0)
                rested_s = self._clock.monotonic()
            self.apply(step)

    async def repeat(self) -> None:
        """Repeat what has stood still for a second, for ever."""
        while True:
            now_s = self._clock.monotonic()
            waits = [REPEAT_S]
            for step, at_s in list(self._latest.values()):
                if at_s + REPEAT_S <= now_s:
                    self.apply(replace(step, prints=()))
                else:
                    waits.append(at_s + REPEAT_S - now_s)
            await self._clock.sleep(min(waits))
