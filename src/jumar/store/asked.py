"""What a person asks first: what is it doing now, and what happened in that trade (Q-3, H-5).

Promises values as they were recorded, in their order; decides nothing about how they are told. Read-only; errors
as in `queries.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, select, true

from jumar.model.journal import (
    DecisionSeen,
    EventSeen,
    FillSeen,
    Incident,
    OperatorRequest,
    RefusalSeen,
    Snapshot,
)
from jumar.model.mode import ModeState
from jumar.model.order import OwnOrder, Role
from jumar.store import records, schema
from jumar.store.place import Named
from jumar.store.queries import TradeRow, trade_row
from jumar.store.reading import read, rows
from jumar.store.recall import operator_requests
from jumar.store.records import Row

#: What follows the end of a trade by so little still belongs to its story.
AFTERMATH_MS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeStory:
    """Everything the journal knows of one trade, each part in the order in which it happened.

    Attributes:
        orders: with the intent and the present state of each.
        confirmed_ms: by client id, when a working stop was confirmed (S-3).
        decisions: its own, and those of its symbol that came while it was open.
        refusals: of its own decision, and of those others.
        incidents: of its symbol or of nobody's, from its decision to its end.
    """

    row: TradeRow
    orders: tuple[OwnOrder, ...]
    fills: tuple[FillSeen, ...]
    confirmed_ms: Mapping[str, int]
    decisions: tuple[DecisionSeen, ...]
    refusals: tuple[RefusalSeen, ...]
    events: tuple[EventSeen, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The newest picture of every symbol and what holds now.

    Attributes:
        modes: by symbol, as kept; a symbol without one is normal.
        requests: what people asked for and nobody has done yet.
    """

    snapshots: Mapping[str, Snapshot]
    modes: Mapping[str, ModeState]
    requests: tuple[OperatorRequest, ...]


def present(database: Named) -> Present:
    """Return what the engine wrote last."""
    return read(
        database,
        lambda connection: Present(
            snapshots={
                row["symbol"]: Snapshot(**row) for row in _all(connection, select(schema.snapshots))
            },
            modes={
                row["symbol"]: records.mode_from(row)
                for row in _all(connection, select(schema.modes))
            },
            requests=operator_requests(connection),
        ),
    )


def obeyed_ms(database: Named, number: int) -> int | None:
    """When a request was obeyed, exchange time; None while it was not."""
    table = schema.operator_requests.c
    found = rows(database, select(table.done_ms).where(table.seq == number))
    return found[0][0] if found else None


def incidents_since(database: Named, since_ms: int) -> tuple[Incident, ...]:
    """Incidents not before an exchange time, in the order in which they were written."""
    return read(
        database,
        lambda connection: _incidents(connection, schema.incidents.c.at_ms >= since_ms),
    )


def trade_keys(database: Named) -> tuple[str, ...]:
    """The keys of all trades, newest first."""
    columns = schema.trades.c
    newest = select(columns.key).order_by(columns.armed_ms.desc(), columns.key.desc())
    return tuple(row[0] for row in rows(database, newest))


def keys_meant(database: Named, wanted: str) -> tuple[str, ...]:
    """The keys that a word may mean: a key, the beginning of one, a client order id, or `last`.

    Empty when it means none; more than one when it is too short.
    """
    if wanted == "last":
        return trade_keys(database)[:1]
    owner = select(schema.orders.c.trade_key).where(schema.orders.c.client_id == wanted)
    if found := rows(database, owner):
        return (found[0][0],)
    keys = tuple(key for key in trade_keys(database) if wanted and key.startswith(wanted))
    return (wanted,) if wanted in keys else keys


def entry_fills(database: Named, key: str) -> tuple[FillSeen, ...]:
    """The executions of a trade's entry orders, oldest first."""
    return read(
        database,
        lambda connection: _fills(connection, key, schema.orders.c.role == Role.ENTRY.value),
    )


def trade_story(database: Named, key: str) -> TradeStory:
    """Everything of one trade that is there.

    Raises:
        KeyError: there is no such trade.
    """
    return read(database, lambda connection: _story(connection, key))


def _story(connection: Connection, key: str) -> TradeStory:
    found = _all(connection, select(schema.trades).where(schema.trades.c.key == key))
    if not found:
        raise KeyError(key)
    entries = _fills(connection, key, schema.orders.c.role == Role.ENTRY.value)
    row = trade_row({**found[0], "entry_fills": len(entries)})
    orders = _of_trade(connection, schema.orders, key)
    moves = _of_trade(connection, schema.stop_moves, key)
    told = schema.decisions.c
    armed_for = (told.symbol == row.trade.symbol) & (told.timestamp_ms == row.trade.origin_ms)
    own = (told.decision_id == row.trade.decision.id) | armed_for  # it may have passed on (E-9)
    first = [order["journaled_ms"] for order in orders[:1]]
    first += [each["at_ms"] for each in _all(connection, select(schema.decisions).where(own))]
    begin, end = min([row.trade.armed_ms, *first]), row.trade.ended_ms
    return TradeStory(
        row=row,
        orders=tuple(records.order_from(order) for order in orders),
        fills=_fills(connection, key, true()),
        confirmed_ms={
            move["client_id"]: move["confirmed_ms"]
            for move in moves
            if move["confirmed_ms"] is not None
        },
        decisions=_decisions(connection, row, begin, end),
        refusals=_refusals(connection, row, begin, end),
        events=tuple(_event(event) for event in _of_trade(connection, schema.events, key)),
        incidents=_incidents(connection, _within(schema.incidents, row, begin, end, anybodys=True)),
    )


def _within(
    table: Table, row: TradeRow, begin_ms: int, end_ms: int | None, *, anybodys: bool = False
) -> ColumnElement[bool]:
    """The records of the trade's symbol, and of nobody's where wanted, from its begin to shortly after its end."""
    of_symbol = table.c.symbol == row.trade.symbol
    concerned = of_symbol | table.c.symbol.is_(None) if anybodys else of_symbol
    during = concerned & (table.c.at_ms >= begin_ms)
    return during if end_ms is None else during & (table.c.at_ms <= end_ms + AFTERMATH_MS)


def _decisions(
    connection: Connection, row: TradeRow, begin_ms: int, end_ms: int | None
) -> tuple[DecisionSeen, ...]:
    table = schema.decisions
    told = select(table).where(_within(table, row, begin_ms, end_ms)).order_by(table.c.seq)
    return tuple(_decision(found) for found in _all(connection, told))


def _decision(row: Row) -> DecisionSeen:
    content = row["content"]
    return DecisionSeen(
        symbol=row["symbol"],
        decision_id=row["decision_id"],
        timestamp_ms=row["timestamp_ms"],
        outcome=row["outcome"],
        reasons=msgspec.json.decode(row["reasons"], type=tuple[str, ...]),
        raw=row["raw"],
        at_ms=row["at_ms"],
        decision=None if content is None else records.decision_from(content),
        zone=records.zone_from(row["zone"]),
    )


def _refusals(
    connection: Connection, row: TradeRow, begin_ms: int, end_ms: int | None
) -> tuple[RefusalSeen, ...]:
    """Refusals that follow from the end of the trade ("spent") are not part of its story."""
    table = schema.refusals
    during = _within(table, row, begin_ms, end_ms)
    if end_ms is not None:
        during &= table.c.at_ms <= end_ms
    told = select(table).where(during).order_by(table.c.seq)
    return tuple(
        RefusalSeen(**{name: found[name] for name in RefusalSeen.__slots__})
        for found in _all(connection, told)
    )


def _incidents(connection: Connection, wanted: ColumnElement[bool]) -> tuple[Incident, ...]:
    table = schema.incidents
    told = select(table).where(wanted).order_by(table.c.seq)
    return tuple(
        Incident(**{name: found[name] for name in Incident.__slots__})
        for found in _all(connection, told)
    )


def _fills(connection: Connection, key: str, wanted: ColumnElement[bool]) -> tuple[FillSeen, ...]:
    table, orders = schema.fills, schema.orders
    both = table.outerjoin(orders, orders.c.client_id == table.c.order_client_id)
    told = select(table).select_from(both).where(table.c.trade_key == key, wanted)
    return tuple(
        FillSeen(trade_key=key, client_id=row["order_client_id"], fill=records.fill_from(row))
        for row in _all(connection, told.order_by(table.c.time_ms, table.c.trade_id))
    )


def _event(row: Row) -> EventSeen:
    return EventSeen(**{name: row[name] for name in EventSeen.__slots__})


def _of_trade(connection: Connection, table: Table, key: str) -> list[Row]:
    """The rows of one trade, in the order in which they were written."""
    order = table.c.seq if "seq" in table.c else table.c.asked_ms
    return _all(connection, select(table).where(table.c.trade_key == key).order_by(order))


def _all(connection: Connection, statement: Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]
