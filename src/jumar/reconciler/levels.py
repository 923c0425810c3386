"""Where levels come in: what a source brings becomes what the symbols' worlds know, or is refused and said (D-10).

Promises that refused levels replace nothing, and that an older content never replaces a newer one. How old the levels
in force are is the planner's to judge.
"""

from collections.abc import Mapping

import structlog

from jumar.model.decision import FieldError
from jumar.model.journal import Incident
from jumar.model.levels import MarketLevels, in_words
from jumar.model.moments import iso
from jumar.model.policy import Policy
from jumar.ports.levels import LevelsReceived, LevelsSource
from jumar.reconciler.loop import SymbolLoop

_log = structlog.get_logger("jumar.levels")


class LevelsFeed:
    """Hands levels to the loops of their symbols."""

    def __init__(self, source: LevelsSource | None, policies: Mapping[str, Policy]) -> None:
        """Without a source nothing ever comes."""
        self._source = source
        self._policies = policies
        self._refused: set[str | None] = set()

    def poll(self, loops: Mapping[str, SymbolLoop], now_ms: int) -> None:
        """Take in what is new; never raises, for no input may stop the loops (D-5)."""
        if self._source is None:
            return
        try:
            for received in self._source.poll():
                self._receive(received, loops, now_ms)
        except Exception:  # noqa: BLE001 - no input may stop the loops (D-5)
            _log.exception("levels could not be read")

    def _receive(
        self, received: LevelsReceived, loops: Mapping[str, SymbolLoop], now_ms: int
    ) -> None:
        # what is nobody's is recorded once, like a decision's file that cannot be read
        loop = loops.get(received.symbol or "") or next(iter(loops.values()))
        levels, errors = received.levels, received.errors
        if levels is not None:
            errors = ahead(levels, now_ms, self._policies[loop.state.symbol].future_skew_s)
        if levels is None or errors:
            self._refuse(received.symbol, loop, errors, now_ms)
            return
        self._refused -= {received.symbol, None}
        before = loop.state.levels
        if before is not None and levels.as_of_ms < before.as_of_ms:
            words = f"levels of {iso(levels.as_of_ms)} are ignored: those of {iso(before.as_of_ms)} are in force"
            loop.state.note("D-10", words, now_ms)
            return
        loop.state.levels = levels
        policy = self._policies[loop.state.symbol]
        for record in loop.desk.saw_levels(levels, now_ms, policy):
            loop.state.outbox.add(record)
        if before is None or (before.swings, before.zones) != (levels.swings, levels.zones):
            loop.state.note("D-10", in_words(levels), now_ms)
        loop.wake()

    def _refuse(
        self,
        symbol: str | None,
        loop: SymbolLoop,
        errors: tuple[FieldError, ...],
        now_ms: int,
    ) -> None:
        """Each refusal is recorded; the first of several in a row is alerted."""
        words = f"levels refused: {'; '.join(str(error) for error in errors)}"
        loop.state.note("D-10", words, now_ms)
        if symbol not in self._refused:
            self._refused.add(symbol)
            loop.report_incident(
                Incident(
                    symbol=symbol, severity="warning", rule="D-10", message=words, at_ms=now_ms
                )
            )


def ahead(levels: MarketLevels, now_ms: int, skew_s: int) -> tuple[FieldError, ...]:
    """Return what is wrong with levels that say they were made in the future; nothing within the allowed skew."""
    ahead_ms = levels.as_of_ms - now_ms
    if ahead_ms <= skew_s * 1000:
        return ()
    message = f"is {ahead_ms / 1000:g} s ahead of the exchange's time, at most {skew_s} s are allowed: set the writer's clock"
    return (FieldError(field="as_of", value=iso(levels.as_of_ms), message=message, rule="D-10"),)
