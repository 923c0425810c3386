"""What the store remembers of a symbol, read on one connection.

Promises values equal to those written. Knows nothing of what to do with them.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    ScalarResult,
    Select,
    bindparam,
    func,
    or_,
    select,
    union,
)

from jumar.model.decision import Decision
from jumar.model.journal import OperatorRequest, SymbolMemory
from jumar.model.mode import ModeState
from jumar.model.order import WATCH_MS, Fill, OrderState, OwnOrder, Role
from jumar.model.trade import CloseReason, Trade
from jumar.store import records
from jumar.store.records import Row
from jumar.store.schema import decisions, fills, modes, orders, trades
from jumar.store.schema import operator_requests as requests

#: More entries than can be sent in the seven days that the exchange's order history is read back.
ENTRY_IDS_MAX = 20_000


# Questions are made once: what they are told apart by, and compiled to, is then found at once.
_SYMBOL: BindParameter[str] = bindparam("symbol")
_REQUESTS = (
    select(requests.c.seq, requests.c.symbol, requests.c.request, requests.c.asked_by)
    .where(requests.c.done_ms.is_(None))
    .order_by(requests.c.seq)
)
_FLATTENED = select(func.max(requests.c.done_ms)).where(
    requests.c.request == "flatten",
    or_(requests.c.symbol == _SYMBOL, requests.c.symbol.is_(None)),
)
_MODE = select(modes).where(modes.c.symbol == _SYMBOL)
_ENTRY_IDS = (
    select(orders.c.client_id)
    .where(orders.c.symbol == _SYMBOL, orders.c.role == Role.ENTRY.value)
    .order_by(orders.c.journaled_ms.desc())
    .limit(ENTRY_IDS_MAX)
)
_OPEN_TRADE = select(trades).where(trades.c.symbol == _SYMBOL, trades.c.ended_ms.is_(None)).limit(1)
_ALIVE = (orders.c.symbol == _SYMBOL) & (orders.c.state != OrderState.ENDED.value)
_ORDERS_ALIVE = select(orders).where(_ALIVE).order_by(orders.c.seq)
_ORDERS_OF_TRADE = (
    select(orders)
    .where(or_(_ALIVE, orders.c.trade_key == bindparam("trade")))
    .order_by(orders.c.seq)
)
# A set-up that ended unfilled may be made again: its attempts must keep their numbers.
_AGAIN = select(trades.c.key).where(
    trades.c.decision_id == bindparam("decision"), trades.c.first_fill_ms.is_(None)
)
_ORDERS_OF_DECISION = (
    select(orders).where(or_(_ALIVE, orders.c.trade_key.in_(_AGAIN))).order_by(orders.c.seq)
)
# An end that was only presumed (`OwnOrder.end_presumed`), from a day before the newest end on (X-4 c).
_ENDS = select(func.max(orders.c.ended_ms)).where(orders.c.symbol == _SYMBOL).scalar_subquery()
_WATCHED = (
    select(orders)
    .where(
        orders.c.symbol == _SYMBOL,
        orders.c.state == OrderState.ENDED.value,
        orders.c.end_status.is_(None),
        orders.c.end_code.is_(None),
        orders.c.cancel_unknown_ms.is_not(None),
        orders.c.ended_ms > _ENDS - WATCH_MS,
    )
    .order_by(orders.c.seq)
)
_FILLS = select(fills).where(fills.c.trade_key == bindparam("trade")).order_by(fills.c.trade_id)
# Of two with one timestamp the first stays (D-7).
_NEWEST = (
    select(decisions.c.content, decisions.c.zone, decisions.c.seq)
    .where(
        decisions.c.symbol == _SYMBOL,
        decisions.c.outcome == "accepted",
        decisions.c.content.is_not(None),
    )
    .order_by(decisions.c.timestamp_ms.desc(), decisions.c.seq)
    .limit(1)
)
_SUPERSEDED = select(func.max(decisions.c.timestamp_ms)).where(
    decisions.c.seq > bindparam("seq"),
    decisions.c.symbol == _SYMBOL,
    decisions.c.outcome.in_(("refused", "spent")),
    decisions.c.timestamp_ms > bindparam("timestamp_ms"),
)
_LAST_FILLED = (
    select(trades.c.last_fill_ms, trades.c.closing, trades.c.closed_by)
    .where(
        trades.c.symbol == _SYMBOL,
        trades.c.ended_ms.is_not(None),
        trades.c.last_fill_ms.is_not(None),
    )
    .order_by(trades.c.last_fill_ms.desc())
    .limit(1)
)
_FILLED = trades.c.ended_ms.is_not(None) & trades.c.first_fill_ms.is_not(None)
_CLOSED = trades.c.ended_ms.is_not(None) & trades.c.closing.is_not(None)
_OVER = _FILLED | trades.c.voided.is_not(None) | _CLOSED
_SPENT = union(
    select(trades.c.decision_id).where(trades.c.symbol == _SYMBOL, _OVER),
    # One that guided a trade has had its trade (E-9, P-4).
    select(trades.c.guide_id).where(
        trades.c.symbol == _SYMBOL, trades.c.guide_id.is_not(None), _OVER
    ),
    # Once spent, always spent: of a replaced journal too (D-7).
    select(decisions.c.decision_id).where(
        decisions.c.symbol == _SYMBOL,
        decisions.c.outcome == "spent",
        decisions.c.decision_id.is_not(None),
    ),
)


def symbol_memory(connection: Connection, symbol: str) -> SymbolMemory:
    """Return everything a start needs to know of one symbol."""
    trade = _open_trade(connection, symbol)
    newest = _first(connection, _NEWEST, symbol=symbol)
    decision = None if newest is None else records.decision_from(newest["content"])
    last = _last_filled(connection, symbol)
    opposite = last is not None and last["closing"] == CloseReason.OPPOSITE
    return SymbolMemory(
        symbol=symbol,
        trade=trade,
        orders=_orders(connection, symbol, trade, decision),
        fills=() if trade is None else _fills(connection, trade.key),
        decision=decision,
        zone=None if newest is None else records.zone_from(newest["zone"]),
        superseded_ms=(
            None
            if decision is None or newest is None
            else _superseded(connection, decision, newest["seq"])
        ),
        last_end_ms=None if last is None else last["last_fill_ms"],
        ended_by=last["closed_by"] if last is not None and opposite else None,
        spent=_spent(connection, symbol),
        mode=mode_of(connection, symbol),
        flattened_ms=connection.execute(_FLATTENED, {"symbol": symbol}).scalar(),
        entry_ids=_entry_ids(connection, symbol),
        watched=_watched(connection, symbol),
    )


def operator_requests(connection: Connection) -> tuple[OperatorRequest, ...]:
    """Return what people asked for and nobody has done yet, oldest first."""
    return tuple(OperatorRequest(**row) for row in _rows(connection, _REQUESTS))


def mode_of(connection: Connection, symbol: str) -> ModeState | None:
    """Return the mode that is kept of a symbol, or of the account (`records.ACCOUNT`)."""
    row = _first(connection, _MODE, symbol=symbol)
    return None if row is None else records.mode_from(row)


def _entry_ids(connection: Connection, symbol: str) -> frozenset[str]:
    return frozenset(connection.execute(_ENTRY_IDS, {"symbol": symbol}).scalars())


def _rows(connection: Connection, question: Select[Any], **asked: Any) -> tuple[Row, ...]:
    return tuple(connection.execute(question, asked).mappings())


def _first(connection: Connection, question: Select[Any], **asked: Any) -> Row | None:
    return connection.execute(question, asked).mappings().first()


def _open_trade(connection: Connection, symbol: str) -> Trade | None:
    row = _first(connection, _OPEN_TRADE, symbol=symbol)
    return None if row is None else records.trade_from(row)


def _orders(
    connection: Connection, symbol: str, trade: Trade | None, decision: Decision | None
) -> tuple[OwnOrder, ...]:
    if trade is not None:
        rows = _rows(connection, _ORDERS_OF_TRADE, symbol=symbol, trade=trade.key)
    elif decision is not None:
        rows = _rows(connection, _ORDERS_OF_DECISION, symbol=symbol, decision=decision.id)
    else:
        rows = _rows(connection, _ORDERS_ALIVE, symbol=symbol)
    return tuple(records.order_from(row) for row in rows)


def _watched(connection: Connection, symbol: str) -> tuple[OwnOrder, ...]:
    ended = (records.order_from(row) for row in _rows(connection, _WATCHED, symbol=symbol))
    return tuple(order for order in ended if order.end_presumed)


def _fills(connection: Connection, trade_key: str) -> tuple[Fill, ...]:
    return tuple(records.fill_from(row) for row in _rows(connection, _FILLS, trade=trade_key))


def _superseded(connection: Connection, decision: Decision, seq: int) -> int | None:
    asked = {"symbol": decision.symbol, "seq": seq, "timestamp_ms": decision.timestamp_ms}
    found: int | None = connection.execute(_SUPERSEDED, asked).scalar()
    return found


def _last_filled(connection: Connection, symbol: str) -> Row | None:
    return _first(connection, _LAST_FILLED, symbol=symbol)


def _spent(connection: Connection, symbol: str) -> frozenset[str]:
    found: ScalarResult[Any] = connection.execute(_SPENT, {"symbol": symbol}).scalars()
    return frozenset(found)
