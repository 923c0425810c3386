"""Wishes: what an engine that sends nothing would send, said once per change.

Promises that a wish is told when it begins, with its rule and its numbers, and again only after it had ended or when
anything but its reason changed. What would follow is told as far as the trade already says it; how much fills, and when,
nobody knows.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog

from jumar.model.command import (
    Cause,
    Command,
    PlaceOrder,
    Plan,
    SetLeverage,
    SetMarginMode,
)
from jumar.model.journal import Incident
from jumar.model.order import Role
from jumar.model.units import text
from jumar.ports.observer import TickReport
from jumar.reports.logs import told_command

_NO_CAUSE = Cause(rule="", text="")


class WishObserver:
    """Says what ticks would have sent.

    Args:
        tell: hears each wish as a value that can be printed as JSON; None where only the log is wanted.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._tell = tell
        self._log = structlog.get_logger("jumar")
        self._wished: dict[str, frozenset[Command]] = {}
        self._ready: set[str] = set()

    def tick(self, report: TickReport) -> None:
        """Hear of a tick."""
        symbol = report.world.symbol
        if report.world.ready and symbol not in self._ready:
            self._ready.add(symbol)
            self._log.info("ready: what is decided from now on is planned", symbol=symbol)
        before = self._wished.get(symbol, frozenset())
        wishes = {
            replace(each.command, cause=_NO_CAUSE): each.command for each in report.plan.commands
        }
        self._wished[symbol] = frozenset(wishes)
        for bare, command in wishes.items():
            if bare not in before:
                self._say(report, command)

    def incident(self, incident: Incident) -> None:
        """Incidents are the log's."""

    def _say(self, report: TickReport, command: Command) -> None:
        words, then = told_command(command), _then(report, command)
        cause = command.cause
        tick = f"{report.world.symbol}-{report.tick}"
        self._log.info(f"would {words}", tick=tick, rule=cause.rule, why=cause.text, then=then)
        if self._tell is not None:
            moment = datetime.fromtimestamp(report.world.now_ms / 1000, tz=UTC)
            self._tell(
                {
                    "at_iso": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    "tick": tick,
                    "symbol": report.world.symbol,
                    "would": words,
                    "rule": cause.rule,
                    "why": cause.text,
                    "then": then,
                }
            )


def _then(report: TickReport, command: Command) -> str:
    """What would come next if the venue confirmed this."""
    if isinstance(command, SetLeverage | SetMarginMode):
        return "it is read back, then the stop is armed"
    arms = isinstance(command, PlaceOrder) and command.request.role is Role.STOP
    return _after_arming(report.plan) if arms and not report.world.fills else ""


def _after_arming(plan: Plan) -> str:
    trade = plan.trade
    if trade is None or trade.adopted:
        return ""
    targets = f"TP1 at {text(trade.tp1)}"
    if trade.tp2 is not None:
        targets = f"{targets}, TP2 at {text(trade.tp2)}"
    return (
        f"once it is confirmed: entry {text(trade.planned_quantity)} at {text(trade.limit_price)}, post-only; "
        f"from its first fill on: backstop at {text(trade.initial_stop)}, {targets}"
    )
