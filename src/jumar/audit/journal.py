"""What the engine wrote down: trades, orders, fills, refusals and stop moves, read once from its database.

Read-only. Nothing here is believed: it is what the other evidence is compared with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from jumar.model.order import Fill, OwnOrder
from jumar.model.trade import Trade
from jumar.store import records
from jumar.store.place import Named
from jumar.store.reading import read
from jumar.store.schema import events, fills, orders, refusals, stop_moves, trades


@dataclass(frozen=True, slots=True, kw_only=True)
class JournaledFill:
    """A fill and the client id of the order that it was counted for."""

    order: str
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A refusal: code, rule and message as recorded."""

    symbol: str
    code: str
    rule: str
    message: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """All of it.

    Attributes:
        trades: by key. orders: by client id. fills: by symbol and trade id.
        stop_moves: when each working stop was asked for, by client id.
        newest_ms: the latest moment that the journal knows of, exchange time.
    """

    trades: Mapping[str, Trade]
    orders: Mapping[str, OwnOrder]
    fills: Mapping[tuple[str, int], JournaledFill]
    refusals: tuple[Told, ...]
    stop_moves: Mapping[str, int]
    newest_ms: int


def read_journal(database: Named) -> Journal:
    """Read a database, while the engine runs or afterwards.

    Raises:
        ConfigError: it has not the tables of this version.
        StoreUnavailable: it cannot be read; the message names it.
    """
    return read(database, _read)


def _read(connection: Connection) -> Journal:
    def rows(table: Any) -> list[Any]:
        return list(connection.execute(select(table)).mappings())

    fills_read = [
        JournaledFill(order=row["order_client_id"], fill=records.fill_from(row))
        for row in rows(fills)
    ]
    own = [records.order_from(row) for row in rows(orders)]
    told = ("symbol", "code", "rule", "message", "at_ms")
    return Journal(
        trades={row["key"]: records.trade_from(row) for row in rows(trades)},
        orders={order.client_id: order for order in own},
        fills={(each.fill.symbol, each.fill.trade_id): each for each in fills_read},
        refusals=tuple(Told(**{name: row[name] for name in told}) for row in rows(refusals)),
        stop_moves={row["client_id"]: row["asked_ms"] for row in rows(stop_moves)},
        newest_ms=max(
            connection.execute(select(func.max(events.c.at_ms))).scalar() or 0,
            max((order.ended_ms or order.journaled_ms for order in own), default=0),
            max((each.fill.time_ms for each in fills_read), default=0),
        ),
    )
