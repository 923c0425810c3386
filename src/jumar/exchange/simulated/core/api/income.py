"""Requests about money that moved: income, orders the exchange made, isolated margin.

Income reaches back three months, forced orders 90 days (their pages, read 2026-09); what is older is not shown.
"""

from jumar.exchange.simulated.core.account import ASSET, Entry, IncomeKind, MarginMove
from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import WEEK_MS, within
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.account import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import FIRST_TRADE_ID, Forced
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import text

MEMORY_MS = 90 * 86_400_000
# What the real exchange also pays and takes, and this one never does: asked for, there is none.
_ELSEWHERE = (
    "WELCOME_BONUS REFERRAL_KICKBACK COMMISSION_REBATE API_REBATE CONTEST_REWARD "
    "CROSS_COLLATERAL_TRANSFER OPTIONS_PREMIUM_FEE OPTIONS_SETTLE_PROFIT INTERNAL_TRANSFER "
    "AUTO_EXCHANGE DELIVERED_SETTELMENT COIN_SWAP_DEPOSIT COIN_SWAP_WITHDRAW "
    "POSITION_LIMIT_INCREASE_FEE STRATEGY_UMFUTURES_TRANSFER FEE_RETURN BFUSD_REWARD "
    "SPECIAL_FUNDING_FEE"
)
INCOME_TYPES = frozenset({*IncomeKind, *_ELSEWHERE.split()})


class IncomeApi:
    """Queries of what happened to the wallets."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def income(self, params: Params, now_ms: int) -> list[Json]:
        """GET income: oldest first; the first rows of a window that has a start, else the newest."""
        symbol = self._symbol(params)
        kind = _choice(params, "incomeType", INCOME_TYPES)
        start_ms, end_ms = _window(params, now_ms)
        journal = self._engine.account.journal
        rows = [
            entry
            for entry in map(journal.__getitem__, within(journal, start_ms, end_ms))
            if symbol in (None, entry.symbol) and kind in (None, entry.kind)
        ]
        page = _whole(params, "page", 1) if params.has("page") else None
        return [self._income(entry) for entry in _page(rows, params, (100, 1000), page)]

    def force_orders(self, params: Params, now_ms: int) -> list[Json]:
        """GET forceOrders: what liquidation and auto-deleveraging did, oldest first."""
        symbol = self._symbol(params)
        why = _choice(params, "autoCloseType", frozenset(Forced))
        start_ms, end_ms = _window(params, now_ms)
        rows = [
            order
            for order in self._engine.orders.forced()
            if symbol in (None, order.symbol)
            and why in (None, order.forced)
            and start_ms <= order.created_ms <= end_ms
        ]
        return [dialect.listed(order) for order in _page(rows, params, (50, 100))]

    def margin_history(self, params: Params, now_ms: int) -> list[Json]:
        """GET positionMargin/history: isolated margin that was added or taken out by the client."""
        symbol = instrument_of(self._engine, params).symbol
        kind = _choice(params, "type", frozenset({"1", "2"}))
        start_ms, end_ms = _window(params, now_ms)
        rows = [
            _margin_move(move)
            for move in self._engine.account.margin_moves
            if move.symbol == symbol and start_ms <= move.time_ms <= end_ms
        ]
        chosen = [row for row in rows if kind in (None, str(row["type"]))]
        return _page(chosen, params, (500, 1000))

    def _symbol(self, params: Params) -> str | None:
        return instrument_of(self._engine, params).symbol if params.has("symbol") else None

    def _income(self, entry: Entry) -> Json:
        trade = "" if entry.fill is None else str(FIRST_TRADE_ID + entry.fill)
        return {
            "symbol": entry.symbol,
            "incomeType": entry.kind.value,
            "income": text(entry.amount),
            "asset": entry.asset,
            "info": trade or entry.kind.value,
            "time": entry.time_ms,
            "tranId": int(trade) if trade else entry.number,
            "tradeId": trade,
        }


def _margin_move(move: MarginMove) -> Json:
    return {
        "symbol": move.symbol,
        "type": 1 if move.amount > 0 else 2,
        "deltaType": "USER_ADJUST",
        "amount": text(abs(move.amount)),
        "asset": ASSET,
        "time": move.time_ms,
        "positionSide": move.position_side.value,
        "clientTranId": "",
    }


def _choice(params: Params, name: str, known: frozenset[str]) -> str | None:
    value = params.optional(name)
    if value is not None and value not in known:
        raise Refusal(-1130, name=name)
    return value


def _window(params: Params, now_ms: int) -> tuple[int, int]:
    """Start and end, both included: the last seven days unless told otherwise (-1130)."""
    end_ms = params.integer("endTime", now_ms)
    start_ms = params.integer("startTime", max(0, min(end_ms, now_ms) - WEEK_MS))
    if end_ms < start_ms:
        raise Refusal(-1130, name="endTime")
    return max(start_ms, now_ms - MEMORY_MS), end_ms


def _whole(params: Params, name: str, usual: int) -> int:
    """A number from one on (-1130)."""
    value = params.integer(name, usual)
    if value < 1:
        raise Refusal(-1130, name=name)
    return value


def _page[T](
    rows: list[T], params: Params, limits: tuple[int, int], page: int | None = None
) -> list[T]:
    """The page asked for: from the beginning when a start or a page is named, else the newest rows."""
    limit = min(_whole(params, "limit", limits[0]), limits[1])
    if params.has("startTime") or page is not None:
        first = ((page or 1) - 1) * limit
        return rows[first : first + limit]
    return rows[-limit:]
