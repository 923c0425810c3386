"""One record, one or two statements, inside the caller's transaction.

Promises that the database refuses a second intent of one client id (X-1), a stop looser than the tightest
confirmed one (S-3), a fill counted twice (X-6) and a change of an order that was never journaled (X-2).
Knows nothing of commits: `writer.py` owns them. Only statements that SQLite and PostgreSQL share.
"""

from decimal import Decimal
from functools import cache
from typing import Any, assert_never

from sqlalchemy import (
    Column,
    Connection,
    Insert,
    Table,
    Update,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from jumar.model.errors import InvariantBroken
from jumar.model.journal import (
    AmendIntent,
    DecisionSeen,
    EquitySeen,
    EventSeen,
    FillSeen,
    Incident,
    Intent,
    ModeChanged,
    OrderAdopted,
    OrderChanged,
    Record,
    RefusalSeen,
    RequestDone,
    Snapshot,
    StopConfirmed,
    TradeChanged,
    TradeEnded,
    ZoneBound,
)
from jumar.model.order import OwnOrder
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.store import records, schema
from jumar.store.database import savepoint
from jumar.store.records import Values

_PLAIN: dict[type[Record], Table] = {
    RefusalSeen: schema.refusals,
    Incident: schema.incidents,
    EquitySeen: schema.equity,
    EventSeen: schema.events,
}

# Statements are made once: what they are told apart by, and compiled to, is then found at once.
_MOVES, _FILLS = schema.stop_moves.c, schema.fills.c
_FLOOR = (
    select(func.max(_MOVES.tightness))
    .where(_MOVES.trade_key == bindparam("of_trade"), _MOVES.confirmed_ms.is_not(None))
    .scalar_subquery()
)
_FLOOR_ALONE = select(_FLOOR)
_MOVE = insert(schema.stop_moves).values(floor=_FLOOR)
_CONFIRM = (
    update(schema.stop_moves)
    .where(_MOVES.client_id == bindparam("of_order"), _MOVES.trade_key == bindparam("of_trade"))
    .values(confirmed_ms=func.coalesce(_MOVES.confirmed_ms, bindparam("now_ms")))
)
_SEEN = exists().where(
    _FILLS.symbol == bindparam("fill_symbol"), _FILLS.trade_id == bindparam("fill_trade_id")
)
_COUNT = insert(schema.fills).from_select(
    _FILLS.keys(),
    select(*(bindparam(f"fill_{c.name}", type_=c.type) for c in _FILLS)).where(~_SEEN),
)


def apply(connection: Connection, record: Record) -> None:
    """Write one record.

    Raises:
        InvariantBroken: the database refused it.
        sqlalchemy.exc.SQLAlchemyError: it could not be written.
    """
    match record:
        case (
            Intent()
            | AmendIntent()
            | OrderAdopted()
            | OrderChanged()
            | StopConfirmed()
            | FillSeen()
        ):
            _apply_to_orders(connection, record)
        case TradeChanged():
            _upsert_trade(connection, record.trade, {})
        case TradeEnded():
            _trade_ended(connection, record)
        case DecisionSeen():
            _add(connection, schema.decisions, records.decision_seen_values(record))
        case ZoneBound():
            zone = {"zone": records.zone_text(record.zone)}
            _change(connection, schema.decisions.c.decision_id, record.decision_id, zone)
        case RefusalSeen() | Incident() | EquitySeen() | EventSeen():
            _add(connection, _PLAIN[type(record)], records.plain_values(record))
        case ModeChanged():
            _upsert(connection, schema.modes, records.mode_values(record))
        case Snapshot():
            _upsert(connection, schema.snapshots, records.plain_values(record))
        case RequestDone():
            _request_done(connection, record)
        case _:
            assert_never(record)


def _apply_to_orders(
    connection: Connection,
    record: Intent | AmendIntent | OrderAdopted | OrderChanged | StopConfirmed | FillSeen,
) -> None:
    match record:
        case Intent():
            _intent(connection, record)
        case OrderAdopted():
            _order_adopted(connection, record)
        case AmendIntent() | OrderChanged():
            _order_changed(connection, record)
        case StopConfirmed():
            _stop_confirmed(connection, record)
        case FillSeen():
            _fill_seen(connection, record)


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


@cache
def _update_where(key: Column[Any]) -> Update:
    return update(key.table).where(key == bindparam("of_key", type_=key.type))


def _add(connection: Connection, table: Table, values: Values) -> None:
    connection.execute(_insert_into(table), values)


def _change(connection: Connection, key: Column[Any], value: str | int, values: Values) -> bool:
    """Change the row whose key has this value; whether there is one."""
    return connection.execute(_update_where(key), values | {"of_key": value}).rowcount != 0


def _upsert(connection: Connection, table: Table, values: Values) -> None:
    """Keep one row per symbol, the newest."""
    if not _change(connection, table.c.symbol, values["symbol"], values):
        _add(connection, table, values)


def _request_done(connection: Connection, record: RequestDone) -> None:
    done = {"done_ms": record.at_ms, "outcome": record.outcome}
    _change(connection, schema.operator_requests.c.seq, record.seq, done)


def _intent(connection: Connection, intent: Intent) -> None:
    order = intent.order
    try:
        _add(connection, schema.orders, records.order_values(order))
    except IntegrityError as error:
        raise _refused_order(order, error) from error
    if intent.tightness is not None:
        _stop_move(connection, records.stop_move_values(intent))


def _refused_order(order: OwnOrder, error: IntegrityError) -> InvariantBroken:
    """What the database has against an order: it will never take it, however often it is tried."""
    if "foreign key" in str(error.orig).lower():
        message = f"{order.client_id}: trade {order.trade_key} must be recorded before its orders"
        return InvariantBroken("X-2", message)
    message = f"{order.client_id} was journaled before: one id, one order"
    return InvariantBroken("X-1", message)


def _order_adopted(connection: Connection, record: OrderAdopted) -> None:
    """An id that an earlier trade journaled passes to the new one, which sweeps it."""
    order = record.order
    values = records.order_values(order)
    try:
        if not _change(connection, schema.orders.c.client_id, order.client_id, values):
            _add(connection, schema.orders, values)
    except IntegrityError as error:
        raise _refused_order(order, error) from error
    if record.tightness is None:
        return
    move = records.stop_move_values(Intent(order=order, tightness=record.tightness))
    passed = {"trade_key": order.trade_key, "floor": None}
    if not _change(connection, _MOVES.client_id, order.client_id, passed):
        # What was found rests already, in no order of tightness: the floor holds back only what is asked for.
        _add(connection, schema.stop_moves, move)


def _stop_move(connection: Connection, values: Values) -> None:
    # The database finds the floor itself, so that a wrong ratchet in memory cannot pass (S-3, fourth place).
    of_trade = {"of_trade": values["trade_key"]}
    try:
        # A savepoint, so that the floor can still be read for the message after the refusal.
        with savepoint(connection):
            connection.execute(_MOVE, values | of_trade)
    except IntegrityError as error:
        if schema.RATCHET_CHECK not in str(error.orig):
            raise
        confirmed = connection.execute(_FLOOR_ALONE, of_trade).scalar_one()
        tightest = text(abs(Decimal(confirmed or 0).scaleb(-schema.TIGHTNESS_DECIMALS)))
        stop = f"{values['client_id']} at {text(values['trigger_price'])}"
        message = f"stop {stop} is looser than the tightest confirmed one at {tightest}"
        raise InvariantBroken("S-3", message) from error


def _stop_confirmed(connection: Connection, record: StopConfirmed) -> None:
    of = {"of_order": record.client_id, "of_trade": record.trade_key}
    if connection.execute(_CONFIRM, of | {"now_ms": record.at_ms}).rowcount == 0:
        message = (
            f"{record.client_id} of trade {record.trade_key} was confirmed but never journaled"
        )
        raise InvariantBroken("S-3", message)


def _order_changed(connection: Connection, record: AmendIntent | OrderChanged) -> None:
    order = record.order
    changes = records.order_changes(order)
    if not _change(connection, schema.orders.c.client_id, order.client_id, changes):
        raise InvariantBroken("X-2", f"{order.client_id} changed but was never journaled")


def _trade_ended(connection: Connection, record: TradeEnded) -> None:
    if record.trade.ended_ms is None:
        raise InvariantBroken("X-9", f"trade {record.trade.key} ended without the time of its end")
    summary = {} if record.summary is None else records.summary_values(record.summary)
    _upsert_trade(connection, record.trade, summary)


def _upsert_trade(connection: Connection, trade: Trade, summary: Values) -> None:
    values = records.trade_values(trade) | summary
    try:
        if not _change(connection, schema.trades.c.key, trade.key, values):
            _add(connection, schema.trades, values)
    except IntegrityError as error:
        # SQLite names the column of a partial index, PostgreSQL the index.
        if not any(name in str(error.orig) for name in ("trades.symbol", schema.OPEN_TRADE_INDEX)):
            raise
        message = f"{trade.symbol} has another open trade, {trade.key} cannot be opened"
        raise InvariantBroken("X-9", message) from error


def _fill_seen(connection: Connection, record: FillSeen) -> None:
    values = records.fill_values(record)
    connection.execute(_COUNT, {f"fill_{name}": value for name, value in values.items()})
