"""What the store remembers of a symbol, read on one connection.

Promises values equal to those written. Knows nothing of what to do with them.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarResult,
    Select,
    func,
    or_,
    select,
    union,
)

from jumar.model.decision import Decision
from jumar.model.journal import OperatorRequest, SymbolMemory
from jumar.model.mode import ModeState
from jumar.model.order import Fill, OrderState, OwnOrder, Role
from jumar.model.trade import CloseReason, Trade
from jumar.store import records
from jumar.store.records import Row
from jumar.store.schema import decisions, fills, modes, orders, trades
from jumar.store.schema import operator_requests as requests

#: More entries than can be sent in the seven days that the exchange's order history is read back.
ENTRY_IDS_MAX = 20_000


def symbol_memory(connection: Connection, symbol: str) -> SymbolMemory:
    """Return everything a start needs to know of one symbol."""
    trade = _open_trade(connection, symbol)
    decision, seq = _newest_decision(connection, symbol)
    last = _last_filled(connection, symbol)
    opposite = last is not None and last["closing"] == CloseReason.OPPOSITE
    return SymbolMemory(
        symbol=symbol,
        trade=trade,
        orders=_orders(connection, symbol, trade, decision),
        fills=() if trade is None else _fills(connection, trade.key),
        decision=decision,
        superseded_ms=None if decision is None else _superseded(connection, decision, seq),
        last_end_ms=None if last is None else last["last_fill_ms"],
        ended_by=last["closed_by"] if last is not None and opposite else None,
        spent=_spent(connection, symbol),
        mode=_mode(connection, symbol),
        entry_ids=_entry_ids(connection, symbol),
    )


def operator_requests(connection: Connection) -> tuple[OperatorRequest, ...]:
    """Return what people asked for and nobody has done yet, oldest first."""
    columns = requests.c
    asked = select(columns.seq, columns.symbol, columns.request, columns.asked_by)
    rows = _rows(connection, asked.where(columns.done_ms.is_(None)).order_by(columns.seq))
    return tuple(OperatorRequest(**row) for row in rows)


def _mode(connection: Connection, symbol: str) -> ModeState | None:
    row = _first(connection, select(modes).where(modes.c.symbol == symbol))
    return None if row is None else records.mode_from(row)


def _entry_ids(connection: Connection, symbol: str) -> frozenset[str]:
    entries = select(orders.c.client_id).where(
        orders.c.symbol == symbol, orders.c.role == Role.ENTRY.value
    )
    newest = entries.order_by(orders.c.journaled_ms.desc()).limit(ENTRY_IDS_MAX)
    return frozenset(connection.execute(newest).scalars())


def _rows(connection: Connection, statement: Select[Any]) -> tuple[Row, ...]:
    return tuple(connection.execute(statement).mappings())


def _first(connection: Connection, statement: Select[Any]) -> Row | None:
    return connection.execute(statement.limit(1)).mappings().first()


def _open_trade(connection: Connection, symbol: str) -> Trade | None:
    still = select(trades).where(trades.c.symbol == symbol, trades.c.ended_ms.is_(None))
    row = _first(connection, still)
    return None if row is None else records.trade_from(row)


def _orders(
    connection: Connection, symbol: str, trade: Trade | None, decision: Decision | None
) -> tuple[OwnOrder, ...]:
    alive = (orders.c.symbol == symbol) & (orders.c.state != OrderState.ENDED.value)
    wanted: ColumnElement[bool] = alive
    if trade is not None:
        wanted = or_(alive, orders.c.trade_key == trade.key)
    elif decision is not None:
        # A set-up that ended unfilled may be made again: its attempts must keep their numbers.
        again = select(trades.c.key).where(
            trades.c.decision_id == decision.id, trades.c.first_fill_ms.is_(None)
        )
        wanted = or_(alive, orders.c.trade_key.in_(again))
    rows = _rows(connection, select(orders).where(wanted).order_by(orders.c.seq))
    return tuple(records.order_from(row) for row in rows)


def _fills(connection: Connection, trade_key: str) -> tuple[Fill, ...]:
    counted = select(fills).where(fills.c.trade_key == trade_key)
    rows = _rows(connection, counted.order_by(fills.c.trade_id))
    return tuple(records.fill_from(row) for row in rows)


def _newest_decision(connection: Connection, symbol: str) -> tuple[Decision | None, int]:
    """Return the decision and when it came, as the number of its record."""
    accepted = select(decisions.c.content, decisions.c.seq).where(
        decisions.c.symbol == symbol,
        decisions.c.outcome == "accepted",
        decisions.c.content.is_not(None),
    )
    # Of two with one timestamp the first stays (D-7).
    newest = accepted.order_by(decisions.c.timestamp_ms.desc(), decisions.c.seq)
    row = _first(connection, newest)
    return (None, 0) if row is None else (records.decision_from(row["content"]), row["seq"])


def _superseded(connection: Connection, decision: Decision, seq: int) -> int | None:
    newer = select(func.max(decisions.c.timestamp_ms)).where(
        decisions.c.seq > seq,
        decisions.c.symbol == decision.symbol,
        decisions.c.outcome.in_(("refused", "spent")),
        decisions.c.timestamp_ms > decision.timestamp_ms,
    )
    found: int | None = connection.execute(newer).scalar()
    return found


def _last_filled(connection: Connection, symbol: str) -> Row | None:
    ended = select(trades.c.last_fill_ms, trades.c.closing, trades.c.closed_by).where(
        trades.c.symbol == symbol,
        trades.c.ended_ms.is_not(None),
        trades.c.last_fill_ms.is_not(None),
    )
    return _first(connection, ended.order_by(trades.c.last_fill_ms.desc()))


def _spent(connection: Connection, symbol: str) -> frozenset[str]:
    filled = trades.c.ended_ms.is_not(None) & trades.c.first_fill_ms.is_not(None)
    by_trade = select(trades.c.decision_id).where(
        trades.c.symbol == symbol, filled | trades.c.voided.is_not(None)
    )
    # Once spent, always spent: of a replaced journal too (D-7).
    by_verdict = select(decisions.c.decision_id).where(
        decisions.c.symbol == symbol,
        decisions.c.outcome == "spent",
        decisions.c.decision_id.is_not(None),
    )
    found: ScalarResult[Any] = connection.execute(union(by_trade, by_verdict)).scalars()
    return frozenset(found)
