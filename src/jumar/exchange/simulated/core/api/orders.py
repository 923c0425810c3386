"""Requests about regular orders and trades, one at a time."""

from jumar.exchange.simulated.core.api.order_terms import instrument_of, parse, side_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import window
from jumar.exchange.simulated.core.countdown import Countdown
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import Cause, Order, OrderStatus, SelfTrade
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.retention import remembered

__all__ = ["OrdersApi", "find_order", "instrument_of", "side_of"]


def find_order(engine: Engine, params: Params) -> Order | None:
    """The order that `orderId`, else `origClientOrderId`, names on `symbol` (-1102 without either)."""
    symbol = instrument_of(engine, params).symbol
    order_id, client_id = params.optional_integer("orderId"), params.optional("origClientOrderId")
    if order_id is None and client_id is None:
        message = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        raise Refusal(-1102, message=message)
    return engine.orders.find(symbol, order_id=order_id, client_id=client_id)


class OrdersApi:
    """Placement, cancel and queries of regular orders."""

    def __init__(self, engine: Engine, countdown: Countdown) -> None:
        self._engine = engine
        self._countdown = countdown

    def place(
        self, params: Params, now_ms: int, self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    ) -> Json:
        """POST order; `self_trade` is the prevention mode when none is sent."""
        order = parse(self._engine, params, now_ms, self_trade)
        self._engine.admit(order)
        self._engine.accept(order, Cause.CLIENT, now_ms)
        acknowledged = dialect.placed(order)
        self._engine.execute(order, now_ms)
        self._engine.sweep(order.symbol, now_ms)
        full = params.optional("newOrderRespType") == "RESULT"
        return dialect.placed(order) if full else acknowledged

    def test(self, params: Params, now_ms: int) -> Json:
        """POST order/test: parameters and filters are checked, books and money are not; the order id is 0."""
        order = parse(self._engine, params, now_ms, SelfTrade.EXPIRE_MAKER)
        return {**dialect.placed(order), "orderId": 0}

    def cancel(self, params: Params, now_ms: int) -> Json:
        """DELETE order."""
        order = find_order(self._engine, params)
        if order is None or not order.alive:
            raise Refusal(-2011)
        self._engine.end(order, OrderStatus.CANCELED, Cause.CLIENT, now_ms)
        return dialect.placed(order)

    def cancel_all(self, params: Params, now_ms: int) -> Json:
        """DELETE allOpenOrders."""
        instrument = instrument_of(self._engine, params)
        for order in self._engine.orders.open(instrument.symbol):
            self._engine.end(order, OrderStatus.CANCELED, Cause.CLIENT, now_ms)
        return dialect.CANCELLED_ALL

    def count_down(self, params: Params, now_ms: int) -> Json:
        """POST countdownCancelAll."""
        symbol = instrument_of(self._engine, params).symbol
        countdown_ms = params.integer("countdownTime")
        self._countdown.set(symbol, countdown_ms, now_ms)
        return {"symbol": symbol, "countdownTime": str(countdown_ms)}

    def query(self, params: Params, now_ms: int) -> Json:
        """GET order."""
        order = find_order(self._engine, params)
        if order is None or not _remembered(order, now_ms):
            raise Refusal(-2013)
        return dialect.queried(order)

    def query_open(self, params: Params, _now_ms: int) -> Json:
        """GET openOrder."""
        order = find_order(self._engine, params)
        if order is None or not order.alive:
            raise Refusal(-2013)
        return dialect.queried(order)

    def list_open(self, params: Params, _now_ms: int) -> list[Json]:
        """GET openOrders."""
        symbol = instrument_of(self._engine, params).symbol if params.has("symbol") else None
        return [dialect.queried(order) for order in self._engine.orders.open(symbol)]

    def list_all(self, params: Params, now_ms: int) -> list[Json]:
        """GET allOrders, of one symbol or of all."""
        symbol = instrument_of(self._engine, params).symbol if params.has("symbol") else None
        first = params.optional_integer("orderId")
        page = window(params, now_ms, everything=first is not None)
        rows = [
            order
            for order in self._engine.orders.all(symbol)
            if page.holds(order.created_ms)
            and order.order_id >= (first or 0)
            and _remembered(order, now_ms)
        ]
        chosen = rows[: page.limit] if first is not None else rows[-page.limit :]
        return [dialect.listed(order) for order in chosen]

    def list_trades(self, params: Params, now_ms: int) -> list[Json]:
        """GET userTrades: of the last ninety days."""
        symbol = instrument_of(self._engine, params).symbol
        order_id, first = params.optional_integer("orderId"), params.optional_integer("fromId")
        page = window(params, now_ms, everything=order_id is not None or first is not None)
        rows = [
            trade
            for trade in self._engine.trades
            if trade.symbol == symbol
            and page.holds(trade.time_ms)
            and trade.trade_id >= (first or 0)
            and order_id in (None, trade.order_id)
            and remembered(trade.time_ms, now_ms, ended_empty=False)
        ]
        chosen = rows[: page.limit] if first is not None else rows[-page.limit :]
        return [dialect.trade(trade) for trade in chosen]


def _remembered(order: Order, now_ms: int) -> bool:
    return remembered(order.created_ms, now_ms, ended_empty=order.ended_empty)
