"""What the store remembers of the account over all symbols: equity, trades of the last days, the newest loss (G-10, G-11).

Promises values equal to those written. Knows nothing of limits.
"""

from sqlalchemy import BindParameter, Connection, Float, bindparam, cast, func, select

from jumar.model.journal import AccountMemory, EquitySeen
from jumar.model.standing import DAY_MS, TradeBegun, TradeLost, day_begin, week_begin
from jumar.store.records import Row
from jumar.store.schema import equity, fills, trades

#: How long ago a trade may have begun, or ended, to matter: the longest pause after a loss is a day.
BACK_MS = 2 * DAY_MS

_AT: BindParameter[int] = bindparam("at_ms")
# Nothing can be compared with an empty account. Only the sign is asked for: a float shows it.
_FUNDED = cast(equity.c.equity, Float) > 0
_COLUMNS = (equity.c.equity, equity.c.wallet, equity.c.at_ms)


_BEFORE = (
    select(*_COLUMNS).where(equity.c.at_ms < _AT, _FUNDED).order_by(equity.c.at_ms.desc()).limit(1)
)
_AFTER = select(*_COLUMNS).where(equity.c.at_ms >= _AT, _FUNDED).order_by(equity.c.at_ms).limit(1)
_FIRST_FILL = (
    select(func.min(fills.c.time_ms)).where(fills.c.trade_key == trades.c.key).scalar_subquery()
)
_TRADES = (
    select(
        trades.c.key,
        trades.c.symbol,
        trades.c.armed_ms,
        trades.c.ended_ms,
        trades.c.adopted_quantity,
        trades.c.first_fill_ms,
        trades.c.realized_pnl,
        trades.c.fees,
        _FIRST_FILL.label("seen_ms"),
    )
    .where(trades.c.ended_ms.is_(None) | (trades.c.ended_ms >= _AT))
    .order_by(trades.c.armed_ms, trades.c.key)
)


def account_memory(connection: Connection, now_ms: int) -> AccountMemory:
    """Return what a start needs to know of the account."""
    records = {
        EquitySeen(**row)
        for at_ms in (day_begin(now_ms), week_begin(now_ms))
        for question in (_BEFORE, _AFTER)
        for row in connection.execute(question, {"at_ms": at_ms}).mappings()
    }
    since_ms = now_ms - BACK_MS
    rows = connection.execute(_TRADES, {"at_ms": since_ms}).mappings().all()
    begun = (_begun(row) for row in rows)
    lost = [found for row in rows if (found := _lost(row)) is not None]
    return AccountMemory(
        equity=tuple(sorted(records, key=lambda record: record.at_ms)),
        begun=tuple(t for t in begun if t is not None and t.first_fill_ms >= since_ms),
        lost=max(lost, key=lambda trade: trade.ended_ms, default=None),
    )


def _begun(row: Row) -> TradeBegun | None:
    """What was found counts from its adoption; a trade whose fills were never itemised from what its summary says."""
    found = row["seen_ms"] if row["first_fill_ms"] is None else row["first_fill_ms"]
    first_ms = row["armed_ms"] if row["adopted_quantity"] else found
    if first_ms is None:
        return None
    return TradeBegun(key=row["key"], symbol=row["symbol"], first_fill_ms=first_ms)


def _lost(row: Row) -> TradeLost | None:
    if row["ended_ms"] is None or row["realized_pnl"] is None:
        return None
    net = row["realized_pnl"] - row["fees"]
    if net >= 0:
        return None
    return TradeLost(key=row["key"], symbol=row["symbol"], net=net, ended_ms=row["ended_ms"])
