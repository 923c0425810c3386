"""What a person asks later, answered by SQL (Q-3): read-only, while the engine trades and afterwards.

Every function opens the database, asks one question and closes it. `database` is a URL as in `[store] url`, or a
path. All of them raise `StoreUnavailable`, with the file's name, when it cannot be read, and `ConfigError` for a
URL that names no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from jumar.model.journal import EventSeen, Incident
from jumar.model.order import OrderState
from jumar.model.trade import Trade, TradeSummary
from jumar.store import records
from jumar.store.database import file_of, reader_engine, unavailable
from jumar.store.schema import events as events_table
from jumar.store.schema import fills, incidents, orders, refusals
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


def refusal_counts(database: str | Path) -> Mapping[str, int]:
    """How often each guard refused an entry, by code (counted once per change)."""
    codes = refusals.c.code
    return _counts(database, select(codes, func.count()).group_by(codes).order_by(codes))


def exit_counts(database: str | Path) -> Mapping[str, int]:
    """How many ended trades each exit closed, by exit reason."""
    reasons = trades_table.c.exit_reason
    ended = select(reasons, func.count()).where(reasons.is_not(None))
    return _counts(database, ended.group_by(reasons).order_by(reasons))


def unresolved_intents(database: str | Path) -> int:
    """How many journaled orders are in flight or unknown: it is not proven whether they exist."""
    states = (OrderState.IN_FLIGHT.value, OrderState.UNKNOWN.value)
    return int(_rows(database, select(func.count()).where(orders.c.state.in_(states)))[0][0])


def journaled_ids(database: str | Path) -> tuple[str, ...]:
    """The client ids of all orders whose intent is durable, oldest first."""
    ids = select(orders.c.client_id).order_by(orders.c.journaled_ms, orders.c.client_id)
    return tuple(row[0] for row in _rows(database, ids))


def trades(database: str | Path) -> tuple[TradeRow, ...]:
    """Every trade, oldest first."""
    entry_fills = (
        select(func.count())
        .select_from(fills.join(orders, orders.c.client_id == fills.c.order_client_id))
        .where(fills.c.trade_key == trades_table.c.key, orders.c.role == "E")
        .scalar_subquery()
        .label("entry_fills")
    )
    statement = select(trades_table, entry_fills).order_by(
        trades_table.c.armed_ms, trades_table.c.key
    )
    return tuple(
        TradeRow(
            trade=records.trade_from(row._mapping),  # noqa: SLF001 - the library's public name for it
            entry_fills=row.entry_fills,
            summary=records.summary_from(row._mapping),  # noqa: SLF001 - as above
        )
        for row in _rows(database, statement)
    )


def events(database: str | Path, trade_key: str) -> tuple[EventSeen, ...]:
    """The story of one trade, in the order in which it was written."""
    columns = events_table.c
    told = select(
        columns.symbol, columns.trade_key, columns.rule, columns.message, columns.at_ms
    ).where(columns.trade_key == trade_key)
    return tuple(EventSeen(**row._mapping) for row in _rows(database, told.order_by(columns.seq)))  # noqa: SLF001 - as above


def incidents_seen(database: str | Path) -> tuple[Incident, ...]:
    """Every incident, in the order in which it was written."""
    columns = incidents.c
    told = select(columns.symbol, columns.severity, columns.rule, columns.message, columns.at_ms)
    return tuple(Incident(**row._mapping) for row in _rows(database, told.order_by(columns.seq)))  # noqa: SLF001 - as above


def _counts(database: str | Path, statement: Select[Any]) -> Mapping[str, int]:
    return {row[0]: row[1] for row in _rows(database, statement)}


def _rows(database: str | Path, statement: Select[Any]) -> list[Any]:
    path = file_of(database) if isinstance(database, str) and "://" in database else Path(database)
    engine = reader_engine(path)
    try:
        with engine.connect() as connection:
            return list(connection.execute(statement).all())
    except SQLAlchemyError as error:
        raise unavailable(path, error) from error
    finally:
        engine.dispose()
