"""Answers that do not tell the truth: lists that forget or lag, positions that lag or are missing, a halted symbol.

Only what is read is changed, never what is. Positions lag by answers that were noted after each execution, while a
rule wants them.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.server.faults.kinds import Kind, Place
from jumar.exchange.simulated.server.faults.register import Register, Standing
from jumar.exchange.simulated.server.faults.subject import (
    Ask,
    Subject,
    at_endpoint,
    in_scope,
    row_subject,
)

_LISTS = frozenset({"/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"})
_POSITIONS = (
    "/fapi/v1/positionRisk",
    "/fapi/v2/positionRisk",
    "/fapi/v3/positionRisk",
    "/fapi/v2/account",
    "/fapi/v3/account",
)
_ABOUT = "/fapi/v1/exchangeInfo"
_NOTED_MAX = 64
_HALTED_STATUS = {True: "PRE_SETTLE", False: "CLOSE"}


@dataclass(frozen=True, slots=True)
class _Note:
    """What the position requests answered from a time on."""

    at_ms: int
    answers: Mapping[str, Any]


class Views:
    """Changes answers of reads."""

    def __init__(self, register: Register, exchange: Exchange) -> None:
        self._register = register
        self._exchange = exchange
        self._notes: deque[_Note] = deque(maxlen=_NOTED_MAX)
        self._fills = -1

    @property
    def watching(self) -> bool:
        """Whether executions must be noted."""
        return bool(self._register.of(Kind.LAGGING_POSITION))

    def look(self) -> None:
        """Note the positions if there was an execution, and a rule wants to know."""
        if self._fills == self._exchange.fills or not self.watching:
            return
        self._fills, now_ms = self._exchange.fills, self._register.now_ms
        answers = {path: self._exchange.peek(path, {}, now_ms) for path in _POSITIONS}
        self._notes.append(_Note(now_ms, answers))

    def shown(self, ask: Ask, reply: Reply) -> Reply:
        """What a read shows instead of the truth."""
        if ask.method != "GET" or reply.status != 200:
            return reply
        if ask.path in _LISTS:
            return replace(reply, body=[row for row in reply.body if self._listed(ask, row)])
        if ask.path in _POSITIONS:
            return self._positions(ask, reply)
        if ask.path == _ABOUT:
            return replace(reply, body=self._about(reply.body))
        return reply

    def _rules(self, ask: Ask, *kinds: Kind) -> list[Standing]:
        return [
            each
            for each in self._register.at(Place.VIEW)
            if each.rule.kind in kinds and at_endpoint(each.rule, ask)
        ]

    # lists of open orders

    def _listed(self, ask: Ask, row: Mapping[str, Any]) -> bool:
        """Whether a list shows an order."""
        subject, now_ms = row_subject(row), self._register.now_ms
        name = subject.client_id or ""
        for standing in self._register.of(Kind.FORGETFUL_LIST, Kind.LAGGING_LIST):
            if standing.lasts(name, now_ms) and at_endpoint(standing.rule, ask):
                return False
        born_ms = row.get("createTime") or row.get("time") or 0
        for standing in self._rules(ask, Kind.FORGETFUL_LIST, Kind.LAGGING_LIST):
            if in_scope(standing.rule, subject) and self._forgets(standing, name, born_ms, now_ms):
                self._register.strike(standing, subject, ask=ask)
                return False
        return True

    def _forgets(self, standing: Standing, name: str, born_ms: int, now_ms: int) -> bool:
        """Whether a list begins to leave out an order; a list that lags decides once, when the order is new."""
        until_ms = now_ms + standing.rule.whole("for_ms")
        if standing.rule.kind is Kind.LAGGING_LIST:
            until_ms = born_ms + standing.rule.whole("for_ms")
            if until_ms <= now_ms or name in standing.lasting:
                return False
        struck = self._register.throws(standing)
        standing.last(name, until_ms if struck else -until_ms, now_ms)
        return struck

    # positions

    def _positions(self, ask: Ask, reply: Reply) -> Reply:
        body = reply.body
        for standing in self._rules(ask, Kind.LAGGING_POSITION, Kind.EMPTY_POSITION):
            rule, now_ms = standing.rule, self._register.now_ms
            since_ms = now_ms - rule.whole("for_ms")
            for symbol in self._asked(ask):
                subject = Subject(symbol=symbol)
                if not in_scope(rule, subject):
                    continue
                if not self._exchange.filled_since(symbol, since_ms + 1):
                    continue
                if rule.kind is Kind.EMPTY_POSITION:
                    rows = list[Any]()
                elif (note := self._noted(since_ms)) is not None:
                    rows = [row for row in _rows(note.answers[ask.path]) if row["symbol"] == symbol]
                else:
                    continue
                if not standing.spent and self._register.throws(standing):
                    self._register.strike(standing, subject, ask=ask)
                    body = _with(body, symbol, rows)
        return replace(reply, body=body)

    def _asked(self, ask: Ask) -> tuple[str, ...]:
        named = ask.params.get("symbol")
        return (named,) if named else self._exchange.symbols

    def _noted(self, at_ms: int) -> _Note | None:
        """What was so at a time, or the oldest that is known."""
        before = [note for note in self._notes if note.at_ms <= at_ms]
        if before:
            return before[-1]
        return self._notes[0] if self._notes else None

    # what is traded

    def _about(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        now_ms, rows = self._register.now_ms, []
        for row in body["symbols"]:
            status = row["status"]
            for standing in self._register.of(Kind.HALTED):
                if standing.lasts(row["symbol"], now_ms):
                    status = _HALTED_STATUS[standing.rule.parameters["closing_allowed"] is True]
            rows.append({**row, "status": status})
        return {**body, "symbols": rows}


def _rows(body: Any) -> list[Mapping[str, Any]]:
    """The positions of an answer: the whole of it, or a part of an account's."""
    rows: list[Mapping[str, Any]] = body if isinstance(body, list) else body["positions"]
    return rows


def _with(body: Any, symbol: str, rows: list[Mapping[str, Any]]) -> Any:
    """The answer with these rows for a symbol."""
    others = [row for row in _rows(body) if row["symbol"] != symbol]
    shown = sorted([*others, *rows], key=lambda row: str(row["symbol"]))
    return shown if isinstance(body, list) else {**body, "positions": shown}
