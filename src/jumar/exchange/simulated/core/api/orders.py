"""Requests about regular orders and trades, one at a time."""

from itertools import islice

from jumar.exchange.simulated.core.api.order_terms import instrument_of, parse, side_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import Window, window, within
from jumar.exchange.simulated.core.countdown import Countdown
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import (
    FIRST_TRADE_ID,
    Cause,
    Order,
    OrderStatus,
    SelfTrade,
)
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.retention import remembered
from jumar.exchange.simulated.core.triggers import Triggers

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

    def __init__(self, engine: Engine, triggers: Triggers) -> None:
        self._engine = engine
        self._triggers = triggers
        self._countdown = Countdown(engine, triggers)

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
        if params.optional("newOrderRespType") != "RESULT":
            return acknowledged
        priced = self._engine.readings.result_avg_price == "yes"
        return dialect.placed(order) | (dialect.paid(order) if priced else {})

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
        if self._engine.readings.allopenorders_cancels_conditional == "yes":
            for conditional in self._engine.conditionals.open(instrument.symbol):
                self._triggers.cancel(conditional, Cause.CLIENT, now_ms)
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
        by_name = params.optional_integer("orderId") is None
        if order is not None and by_name and self._engine.readings.reused_id_query == "oldest":
            order = self._engine.orders.oldest(order.symbol, order.client_id)
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
        chosen = page.rows(
            self._engine.orders,
            first,
            lambda order: symbol in (None, order.symbol) and _remembered(order, now_ms),
        )
        return [dialect.listed(order) for order in chosen]

    def list_trades(self, params: Params, now_ms: int) -> list[Json]:
        """GET userTrades: of the last ninety days."""
        symbol = instrument_of(self._engine, params).symbol
        order_id, first = params.optional_integer("orderId"), params.optional_integer("fromId")
        page = window(params, now_ms, everything=order_id is not None or first is not None)
        trades, places = self._engine.trades, self._trade_places(symbol, order_id, page)
        if first is not None:
            places = range(max(places.start, first - FIRST_TRADE_ID), places.stop)
        way = places if first is not None else reversed(places)
        fitting = (
            trade
            for trade in map(trades.__getitem__, way)
            if trade.symbol == symbol
            and order_id in (None, trade.order_id)
            and remembered(trade.time_ms, now_ms, ended_empty=False)
        )
        chosen = sorted(islice(fitting, page.limit), key=lambda trade: trade.trade_id)
        return [dialect.trade(trade) for trade in chosen]

    def _trade_places(self, symbol: str, order_id: int | None, page: Window) -> range:
        """Where among the trades those of a window lie, or those of an order: within its life."""
        if order_id is None:
            return within(self._engine.trades, page.start_ms, page.end_ms)
        order = self._engine.orders.find(symbol, order_id=order_id, client_id=None)
        if order is None:
            return range(0)
        return within(self._engine.trades, order.created_ms, order.updated_ms)


def _remembered(order: Order, now_ms: int) -> bool:
    return remembered(order.created_ms, now_ms, ended_empty=order.ended_empty)
