"""Logs: structured lines on stderr, for people (console) or programs (JSON, one object a line).

Promises: each line of a tick carries the tick's id; a refusal is said when it begins and when it ends, not at
every tick; every command appears with its rule, its numbers and its outcome; known secrets are blotted out of
every line, whoever wrote it. Does not know what a line means.
"""

import logging
import sys
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from jumar.model.command import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    SetCountdown,
    SetLeverage,
    SetMarginMode,
)
from jumar.model.journal import Incident
from jumar.model.order import Fill
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.planner.summary import summarize
from jumar.ports.observer import TickReport
from jumar.reports.formats import LogFormat

BLOT = "[secret]"
_LIBRARIES = ("aiohttp", "alembic", "asyncio", "sqlalchemy")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


@dataclass(frozen=True, slots=True)
class _Blot:
    """A processor that keeps secrets out of every line."""

    secrets: tuple[str, ...]

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in event.items():
            if isinstance(value, str | BaseException):
                event[key] = self._clean(str(value))
        return event

    def _clean(self, value: str) -> str:
        for secret in self.secrets:
            value = value.replace(secret, BLOT)
        return value


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A processor that writes down the time of a clock of its own."""

    now_ms: Callable[[], int]

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        moment = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event["timestamp"] = stamp
        return event


def configure(
    log_format: LogFormat,
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    now_ms: Callable[[], int] | None = None,
) -> None:
    """Send all lines, those of libraries included, to one stream in one format.

    Args:
        log_format: console or JSON.
        secrets: texts that must never appear in a line.
        stream: stderr when not given, so that stdout stays free for results.
        now_ms: the clock of each line, milliseconds since 1970; this machine's when not given.
    """
    out = stream if stream is not None else sys.stderr
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        stamp if now_ms is None else _Stamp(now_ms),
    ]
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _Blot(tuple(secret for secret in secrets if secret)),
        _renderer(log_format, out),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def _renderer(log_format: LogFormat, stream: TextIO) -> structlog.typing.Processor:
    if log_format is LogFormat.JSON:
        return structlog.processors.JSONRenderer(default=str)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=34)


@dataclass(slots=True)
class _Heard:
    """What was already said of one symbol."""

    refusals: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()
    trade_key: str | None = None
    fills: set[int] = field(default_factory=set)


class LogObserver:
    """Says in lines what ticks did."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("jumar")
        self._heard: dict[str, _Heard] = {}

    def tick(self, report: TickReport) -> None:
        """Hear of a tick."""
        symbol = report.world.symbol
        heard = self._heard.setdefault(symbol, _Heard())
        log = self._log.bind(tick=f"{symbol}-{report.tick}")
        self._trade(log, report, heard)
        self._refusals(log, report, heard)
        self._notes(log, report, heard)
        for executed in report.executed:
            _say_command(log, executed.command, executed.outcome)
        if report.overrun:
            log.warning("tick overran", duration_ms=report.duration_ms, rule="O-2")

    def incident(self, incident: Incident) -> None:
        """Hear of an incident."""
        level = _LEVELS.get(incident.severity, logging.WARNING)
        self._log.log(level, incident.message, rule=incident.rule, symbol=incident.symbol)

    def _trade(self, log: Any, report: TickReport, heard: _Heard) -> None:
        trade = report.plan.trade or report.world.trade
        key = None if trade is None or trade.ended_ms is not None else trade.key
        if key != heard.trade_key and heard.trade_key is not None:
            log.info("trade over", trade=heard.trade_key, **_result(report))
        if trade is not None and key is not None and key != heard.trade_key:
            _say_begun(log, trade, resumed=report.world.trade is not None)
            heard.fills.clear()
        heard.trade_key = key
        for fill in report.world.fills:
            if fill.trade_id not in heard.fills:
                heard.fills.add(fill.trade_id)
                _say_fill(log, fill)

    def _refusals(self, log: Any, report: TickReport, heard: _Heard) -> None:
        now = {refusal.code: refusal for refusal in report.plan.refusals}
        for code in sorted(now.keys() - heard.refusals):
            log.info("entry refused", code=code, rule=now[code].rule, why=now[code].message)
        for code in sorted(heard.refusals - now.keys()):
            log.info("entry no longer refused", code=code)
        heard.refusals = frozenset(now)

    def _notes(self, log: Any, report: TickReport, heard: _Heard) -> None:
        for note in report.plan.notes:
            if str(note) not in heard.notes:
                log.info(note.text, rule=note.rule)
        heard.notes = frozenset(str(note) for note in report.plan.notes)


def _result(report: TickReport) -> dict[str, str]:
    """How the trade that ended in this tick came out; nothing for one that never filled."""
    trade = report.plan.trade
    if trade is None or trade.ended_ms is None:
        return {}
    summary = summarize(report.world, trade)
    if summary is None:
        return {"exit": "none: it never filled"}
    return {"exit": summary.exit_reason, "net": text(summary.net), "r_net": text(summary.r_net)}


def _say_command(log: Any, command: Command, outcome: Outcome) -> None:
    result, detail = _outcome(outcome)
    say = log.info if isinstance(outcome, Accepted) else log.warning
    say(
        told_command(command),
        outcome=result,
        **detail,
        rule=command.cause.rule,
        why=command.cause.text,
    )


def _say_begun(log: Any, trade: Trade, *, resumed: bool) -> None:
    what = {"trade": trade.key, "side": trade.side.value, "stop": text(trade.initial_stop)}
    if trade.adopted:
        held = {"quantity": text(trade.adopted_quantity), "entry": text(trade.limit_price)}
        log.info("trade resumed" if resumed else "trade adopted", **what, **held)
        return
    plan = {"quantity": text(trade.planned_quantity), "limit": text(trade.limit_price)}
    log.info("trade resumed" if resumed else "trade set up", **what, **plan, tp1=text(trade.tp1))


def _say_fill(log: Any, fill: Fill) -> None:
    log.info(
        "filled",
        side=fill.side.value.lower(),
        quantity=text(fill.quantity),
        price=text(fill.price),
        order=fill.client_id or fill.venue_order_id,
        fee=text(fill.fee),
        pnl=text(fill.realized_pnl),
    )


def _outcome(outcome: Outcome) -> tuple[str, dict[str, Any]]:
    match outcome:
        case Accepted(already=already):
            return ("already so" if already else "accepted"), {}
        case Rejected(code=code, message=message):
            return "rejected", {"code": code, "said": message}
        case Unknown(reason=reason):
            return "unknown", {"reason": reason}


def told_command(command: Command) -> str:
    """A command in words: `place stop jm-…-S1 0.013 at 90380`."""
    match command:
        case PlaceOrder(request=request):
            quantity = "position" if request.quantity is None else text(request.quantity)
            price = request.trigger_price or request.price
            at = "market" if price is None else text(price)
            role = request.role.name.lower().replace("_", " ")
            return f"place {role} {request.client_id} {quantity} at {at}"
        case AmendOrder(request=request):
            return f"amend entry {request.client_id} to {text(request.quantity)} at {text(request.price)}"
        case CancelOrder():
            return f"cancel {command.client_id}"
        case SetMarginMode():
            return f"set margin mode {command.mode.value.lower()}"
        case SetLeverage():
            return f"set leverage {command.leverage}"
        case SetCountdown(countdown_ms=lasts_ms):
            return f"set the dead man's switch to {lasts_ms / 1000:g} s"
