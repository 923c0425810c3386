"""What a person asks later, answered by SQL (Q-3): read-only, while the engine trades and afterwards.

Every function opens the database, asks one question and closes it; what a person asks of one trade or of this
moment stands in `asked.py`. `database` is a URL as in `[store] url`, a path or a place. All of them raise
`StoreUnavailable`, with the file's name, when it cannot be read, and `ConfigError` for a URL that names no database or
a database that has not the tables of this version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from jumar.model.journal import EventSeen
from jumar.model.order import OrderState, Role
from jumar.model.trade import Trade, TradeSummary
from jumar.store import records
from jumar.store.place import Named
from jumar.store.reading import rows
from jumar.store.records import Row
from jumar.store.schema import events as events_table
from jumar.store.schema import fills, orders, refusals
from jumar.store.schema import trades as trades_table


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """One trade of the journal.

    Attributes:
        entry_fills: how many executions its entry orders had; zero for one that was armed and never filled.
        summary: None while it is open, and when it never had a fill.
    """

    trade: Trade
    entry_fills: int
    summary: TradeSummary | None


def refusal_counts(database: Named) -> Mapping[str, int]:
    """How often each guard refused an entry, by code (counted once per change)."""
    codes = refusals.c.code
    return _counts(database, select(codes, func.count()).group_by(codes).order_by(codes))


def exit_counts(database: Named) -> Mapping[str, int]:
    """How many ended trades each exit closed, by exit reason."""
    reasons = trades_table.c.exit_reason
    ended = select(reasons, func.count()).where(reasons.is_not(None))
    return _counts(database, ended.group_by(reasons).order_by(reasons))


def order_causes(database: Named) -> Mapping[tuple[str, str], int]:
    """How many orders were journaled for each role and rule."""
    role, rule = orders.c.role, orders.c.rule
    counted = select(role, rule, func.count()).group_by(role, rule).order_by(role, rule)
    return {(row[0], row[1]): row[2] for row in rows(database, counted)}


def event_causes(database: Named) -> Mapping[str, int]:
    """How many events were written for each rule."""
    rule = events_table.c.rule
    return _counts(database, select(rule, func.count()).group_by(rule).order_by(rule))


def unresolved_intents(database: Named) -> int:
    """How many journaled orders are in flight or unknown: it is not proven whether they exist."""
    states = (OrderState.IN_FLIGHT.value, OrderState.UNKNOWN.value)
    return int(rows(database, select(func.count()).where(orders.c.state.in_(states)))[0][0])


def journaled_ids(database: Named) -> tuple[str, ...]:
    """The client ids of all orders whose intent is durable, oldest first."""
    ids = select(orders.c.client_id).order_by(orders.c.journaled_ms, orders.c.client_id)
    return tuple(row[0] for row in rows(database, ids))


def trades(
    database: Named,
    *,
    symbol: str | None = None,
    since_ms: int | None = None,
    last: int | None = None,
) -> tuple[TradeRow, ...]:
    """Trades, oldest first.

    Args:
        database: where to ask.
        symbol: only of this symbol.
        since_ms: only those that are open, or whose last fill is not before this exchange time.
        last: only so many, the newest.
    """
    columns = trades_table.c
    entry_fills = (
        select(func.count())
        .select_from(fills.join(orders, orders.c.client_id == fills.c.order_client_id))
        .where(fills.c.trade_key == columns.key, orders.c.role == Role.ENTRY.value)
        .scalar_subquery()
        .label("entry_fills")
    )
    statement = select(trades_table, entry_fills)
    if symbol is not None:
        statement = statement.where(columns.symbol == symbol)
    if since_ms is not None:
        statement = statement.where(columns.ended_ms.is_(None) | (columns.last_fill_ms >= since_ms))
    newest = statement.order_by(columns.armed_ms.desc(), columns.key.desc()).limit(last)
    return tuple(trade_row(row._mapping) for row in reversed(rows(database, newest)))  # noqa: SLF001 - the library's public name for it


def trade_row(row: Row) -> TradeRow:
    """Return the trade of a row that has an `entry_fills` beside the columns of the table."""
    return TradeRow(
        trade=records.trade_from(row),
        entry_fills=row["entry_fills"],
        summary=records.summary_from(row),
    )


def events(database: Named, trade_key: str) -> tuple[EventSeen, ...]:
    """The story of one trade, in the order in which it was written."""
    columns = events_table.c
    told = select(
        columns.symbol, columns.trade_key, columns.rule, columns.message, columns.at_ms
    ).where(columns.trade_key == trade_key)
    return tuple(EventSeen(**row._mapping) for row in rows(database, told.order_by(columns.seq)))  # noqa: SLF001 - as above


def _counts(database: Named, statement: Select[Any]) -> Mapping[str, int]:
    return {row[0]: row[1] for row in rows(database, statement)}
