"""Requests about money that moved: income, orders the exchange made, isolated margin.

Income reaches back three months, forced orders 90 days (their pages, read 2026-09); what is older is not shown.
"""

from decimal import Decimal

from jumar.exchange.simulated.core.account import ASSET, Entry, IncomeKind
from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import WEEK_MS
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.account import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import Forced
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import text

MEMORY_MS = 90 * 86_400_000
# What the real exchange also pays and takes, and this one never does: asked for, there is none.
_ELSEWHERE = (
    "TRANSFER WELCOME_BONUS REFERRAL_KICKBACK COMMISSION_REBATE API_REBATE CONTEST_REWARD "
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
        rows = [
            entry
            for entry in self._engine.account.journal
            if start_ms <= entry.time_ms <= end_ms
            and symbol in (None, entry.symbol)
            and kind in (None, entry.kind)
        ]
        return [self._income(entry) for entry in _page(rows, params, 100, 1000)]

    def force_orders(self, params: Params, now_ms: int) -> list[Json]:
        """GET forceOrders: what liquidation and auto-deleveraging did, oldest first."""
        symbol = self._symbol(params)
        why = _choice(params, "autoCloseType", frozenset(Forced))
        start_ms, end_ms = _window(params, now_ms)
        symbols = [symbol] if symbol else list(self._engine.instruments)
        rows = [
            order
            for name in symbols
            for order in self._engine.orders.all(name)
            if order.forced is not None
            and why in (None, order.forced)
            and start_ms <= order.created_ms <= end_ms
        ]
        rows.sort(key=lambda order: order.order_id)
        return [dialect.listed(order) for order in _page(rows, params, 50, 100)]

    def margin_history(self, params: Params, now_ms: int) -> list[Json]:
        """GET positionMargin/history: isolated margin that was added or taken out by the client."""
        symbol = instrument_of(self._engine, params).symbol
        kind = _choice(params, "type", frozenset({"1", "2"}))
        start_ms, end_ms = _window(params, now_ms)
        rows = [
            _margin_move(*move)
            for move in self._engine.account.margin_moves
            if move[1] == symbol and start_ms <= move[0] <= end_ms
        ]
        return _page([row for row in rows if kind in (None, str(row["type"]))], params, 500, 1000)

    def _symbol(self, params: Params) -> str | None:
        return instrument_of(self._engine, params).symbol if params.has("symbol") else None

    def _income(self, entry: Entry) -> Json:
        trade = "" if entry.fill is None else str(self._engine.trades[entry.fill].trade_id)
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


def _margin_move(time_ms: int, symbol: str, amount: Decimal) -> Json:
    return {
        "symbol": symbol,
        "type": 1 if amount > 0 else 2,
        "deltaType": "USER_ADJUST",
        "amount": text(abs(amount)),
        "asset": ASSET,
        "time": time_ms,
        "positionSide": "BOTH",
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


def _page[T](rows: list[T], params: Params, usual: int, most: int) -> list[T]:
    """The page asked for: from the beginning when a start or a page is named, else the newest rows."""
    limit, page = min(params.integer("limit", usual), most), params.integer("page", 1)
    for name, value in (("limit", limit), ("page", page)):
        if value < 1:
            raise Refusal(-1130, name=name)
    if params.has("startTime") or params.has("page"):
        return rows[(page - 1) * limit : page * limit]
    return rows[-limit:]
