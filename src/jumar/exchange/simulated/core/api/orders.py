"""Requests about regular orders and trades."""

from decimal import Decimal

from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import window
from jumar.exchange.simulated.core.conditional import ConditionalType
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.orders import (
    Cause,
    Order,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO

CONDITIONAL_TYPES = {*ConditionalType, "STOP", "TAKE_PROFIT", "TRAILING_STOP_MARKET"}


def instrument_of(engine: Engine, params: Params) -> Instrument:
    """The instrument named by `symbol` (-1102, -1121)."""
    instrument = engine.instruments.get(params.text("symbol"))
    if instrument is None:
        raise Refusal(-1121)
    return instrument


def side_of(params: Params) -> Side:
    """The `side` (-1102, -1117)."""
    value = params.text("side")
    if value not in Side:
        raise Refusal(-1117)
    return Side(value)


class OrdersApi:
    """Placement, cancel and queries of regular orders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def place(self, params: Params, now_ms: int) -> Json:
        """POST order."""
        order = self._parse(params, now_ms)
        step = self._engine.market(order.symbol)
        checks.order(order, self._engine.instruments[order.symbol], step.mark)
        self._engine.admit(order)
        self._engine.accept(order, Cause.CLIENT, now_ms)
        acknowledged = dialect.placed(order)
        self._engine.execute(order, now_ms)
        self._engine.sweep(order.symbol, now_ms)
        full = params.optional("newOrderRespType") == "RESULT"
        return dialect.placed(order) if full else acknowledged

    def cancel(self, params: Params, now_ms: int) -> Json:
        """DELETE order."""
        order = self._find(params)
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

    def query(self, params: Params, _now_ms: int) -> Json:
        """GET order."""
        order = self._find(params)
        if order is None:
            raise Refusal(-2013)
        return dialect.queried(order)

    def query_open(self, params: Params, _now_ms: int) -> Json:
        """GET openOrder."""
        order = self._find(params)
        if order is None or not order.alive:
            raise Refusal(-2013)
        return dialect.queried(order)

    def list_open(self, params: Params, _now_ms: int) -> list[Json]:
        """GET openOrders."""
        symbol = instrument_of(self._engine, params).symbol if params.has("symbol") else None
        return [dialect.queried(order) for order in self._engine.orders.open(symbol)]

    def list_all(self, params: Params, now_ms: int) -> list[Json]:
        """GET allOrders."""
        symbol = instrument_of(self._engine, params).symbol
        first = params.optional_integer("orderId")
        page = window(params, now_ms, everything=first is not None)
        rows = [
            order
            for order in self._engine.orders.all(symbol)
            if page.holds(order.created_ms) and order.order_id >= (first or 0)
        ]
        chosen = rows[: page.limit] if first is not None else rows[-page.limit :]
        return [{**dialect.queried(order), "pair": symbol} for order in chosen]

    def list_trades(self, params: Params, now_ms: int) -> list[Json]:
        """GET userTrades."""
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
        ]
        chosen = rows[: page.limit] if first is not None else rows[-page.limit :]
        return [dialect.trade(trade) for trade in chosen]

    def _find(self, params: Params) -> Order | None:
        symbol = instrument_of(self._engine, params).symbol
        order_id, client_id = (
            params.optional_integer("orderId"),
            params.optional("origClientOrderId"),
        )
        if order_id is None and client_id is None:
            message = (
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            )
            raise Refusal(-1102, message=message)
        return self._engine.orders.find(symbol, order_id=order_id, client_id=client_id)

    def _parse(self, params: Params, now_ms: int) -> Order:
        symbol = instrument_of(self._engine, params).symbol
        side = side_of(params)
        kind = _type(params)
        time_in_force, price = _terms(params, kind)
        quantity = params.decimal("quantity")
        checks.common(params, hedge_mode=self._engine.account.hedge_mode)
        order_id = self._engine.orders.next_id()
        return Order(
            order_id=order_id,
            client_id=checks.client_id(params, "newClientOrderId", f"sim-{order_id}"),
            symbol=symbol,
            side=side,
            type=kind,
            time_in_force=time_in_force,
            price=price,
            quantity=quantity,
            reduce_only=params.boolean("reduceOnly", default=False),
            created_ms=now_ms,
            updated_ms=now_ms,
            self_trade_prevention=checks.self_trade_prevention(params),
        )


def _type(params: Params) -> OrderType:
    value = params.text("type")
    if value in CONDITIONAL_TYPES:
        raise Refusal(-4120)
    if value not in OrderType:
        raise Refusal(-1116)
    return OrderType(value)


def _terms(params: Params, kind: OrderType) -> tuple[TimeInForce, Decimal]:
    if kind is OrderType.MARKET:
        params.forbid("timeInForce")
        params.forbid("price")
        return TimeInForce.GTC, ZERO
    value = params.text("timeInForce")
    if value not in TimeInForce:
        raise Refusal(-1115)
    return TimeInForce(value), params.decimal("price")
