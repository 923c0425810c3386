"""One symbol's place on the ladder, kept: every transition is recorded and alerted once (M-1).

Promises that the stricter of two causes stays, that an alert is raised when a mode begins and a line written when one
that heals by itself is over, and that only an operator ends what only an operator may. Decides nothing about causes.
"""

from collections.abc import Callable
from dataclasses import replace

import structlog

from jumar.model.command import Plan
from jumar.model.errors import InvariantBroken
from jumar.model.journal import Incident
from jumar.model.mode import Mode, ModeState
from jumar.planner import ladder
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.modes")


class ModeKeeper:
    """Keeps the modes of one symbol."""

    def __init__(self, state: SymbolState, on_incident: Callable[[Incident], None]) -> None:
        self._state = state
        self._on_incident = on_incident
        self._passing: dict[str, ModeState] = {}
        self._failing: str | None = None

    @property
    def passing(self) -> tuple[ModeState, ...]:
        """What holds now and heals by itself, each since it began."""
        return tuple(self._passing.values())

    def follow(self, plan: Plan, now_ms: int) -> None:
        """Keep what a plan leads to, and say what began and what is over."""
        self._failing = None
        if plan.mode is not None and plan.mode != self._state.mode:
            self._keep(plan.mode)
        self._follow_passing({state.code: state for state in plan.passing}, now_ms)
        self.tell_account()

    def tell_account(self) -> None:
        """Alert of a mode of the account that nobody has been told of yet."""
        news = self._state.common.take_news()
        if news is not None and news.mode is not Mode.NORMAL:
            self._alert(news, "M-1", symbol=None)

    def failed(self, error: Exception, now_ms: int) -> None:
        """O-4, M-4: the planner raised: nothing is entered, after a broken invariant only protection leaves.

        One failure that lasts is told once.
        """
        broken = error if isinstance(error, InvariantBroken) else None
        kind = type(error).__name__ if broken is None else broken.promise
        if broken is None:
            words, rule, code = f"tick failed: {kind}: {error}", "O-4", "tick_failed"
        else:
            words, rule, code = f"nothing was sent: {error}", broken.promise, "invariant"
        if kind != self._failing:
            self._failing = kind
            _log.error("planner failed", symbol=self._state.symbol, exc_info=error)
            self._say("critical", rule, words, now_ms)
        found = ladder.stricter(self._state.mode, ladder.state(code, words, now_ms))
        if found is not None:
            self._keep(found)

    def _follow_passing(self, found: dict[str, ModeState], now_ms: int) -> None:
        for code, state in found.items():
            if code not in self._passing:
                self._passing[code] = state
                self._begin(state)
            else:
                since_ms = self._passing[code].since_ms
                self._passing[code] = replace(state, since_ms=since_ms)
        for code in [code for code in self._passing if code not in found]:
            over = self._passing.pop(code)
            seconds = (now_ms - over.since_ms) / 1000
            words = f"{code} is over after {seconds:.1f} s: {over.mode.value} no longer holds"
            self._state.note("M-1", words, now_ms)

    def _begin(self, state: ModeState) -> None:
        """Alert, except where the cause has an alarm of its own: then it is only recorded."""
        if state.code == "invisible_stop":
            words = f"mode {state.mode.value}: {state.cause}"
            self._state.note(state.rule, words, state.since_ms)
        else:
            self._alert(state, state.rule, symbol=self._state.symbol)

    def _keep(self, mode: ModeState) -> None:
        self._state.set_mode(mode)
        self._alert(mode, "M-1", symbol=self._state.symbol)

    def _alert(self, mode: ModeState, rule: str, *, symbol: str | None) -> None:
        severity = ladder.rung(mode.code).severity if mode.code else "critical"
        incident = Incident(
            symbol=symbol,
            severity=severity,
            rule=rule,
            message=f"mode {mode.mode.value}: {mode.cause}",
            at_ms=mode.since_ms,
        )
        self._on_incident(incident)

    def _say(self, severity: str, rule: str, message: str, now_ms: int) -> None:
        incident = Incident(
            symbol=self._state.symbol,
            severity=severity,
            rule=rule,
            message=message,
            at_ms=now_ms,
        )
        self._on_incident(incident)

    # what a person asks for

    def pause(self, asked_by: str, now_ms: int) -> str:
        """Enter nothing more until somebody resumes."""
        symbol, found = self._state.symbol, ladder.state("paused", f"paused by {asked_by}", now_ms)
        kept = ladder.stricter(self._state.mode, found)
        if kept is None:
            return f"{symbol}: is {_words(self._state.mode)} already"
        self._keep(kept)
        return f"{symbol}: paused"

    def flatten(self, asked_by: str, now_ms: int) -> str:
        """Close everything, then stay out until somebody resumes."""
        state = ladder.state("flatten", f"flatten asked for by {asked_by}", now_ms)
        kept = self._state.mode
        if kept is not None and kept.mode is Mode.FLATTENING and kept.code == state.code:
            return f"{self._state.symbol}: is being flattened already"
        self._keep(state)
        return f"{self._state.symbol}: flattening"

    def resume(self, asked_by: str, now_ms: int) -> str:
        """An operator looked and ends the mode; a close under way is not ended by that."""
        symbol, kept = self._state.symbol, self._state.mode
        if kept is None or kept.mode is Mode.NORMAL:
            return f"{symbol}: was NORMAL already"
        if kept.mode is Mode.FLATTENING:
            return f"{symbol}: is still being flattened; ask again once it is flat"
        words = resumed_words(asked_by, kept)
        self._state.set_mode(normal(words, now_ms))
        self._state.note("M-1", words, now_ms)
        return f"{symbol}: {words}"


def normal(words: str, now_ms: int) -> ModeState:
    """Return NORMAL, because an operator said so."""
    return ModeState(mode=Mode.NORMAL, rule="M-1", cause=words, since_ms=now_ms)


def resumed_words(asked_by: str, kept: ModeState) -> str:
    """Say what a resume ended."""
    return f"resumed by {asked_by}, after {kept.mode.value} ({kept.cause})"


def _words(kept: ModeState | None) -> str:
    return "NORMAL" if kept is None else f"{kept.mode.value} ({kept.cause})"
