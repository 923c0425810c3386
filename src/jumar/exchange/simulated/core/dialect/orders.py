"""Answers about orders, conditional orders and trades.

The immediate answer of a placement or cancel has no `avgPrice` and no `cumQuote` (Binance CM-UM integration notice,
2026-06); the queries keep them. `code` of a conditional cancel is a string, as the real exchange sends it.
"""

from typing import Any

from jumar.exchange.simulated.core.account import ASSET
from jumar.exchange.simulated.core.amendments import Amendment
from jumar.exchange.simulated.core.conditional import Conditional
from jumar.exchange.simulated.core.orders import Order, Side, Trade
from jumar.exchange.simulated.core.text import text

type Json = dict[str, Any]

CANCELLED_ALL: Json = {"code": 200, "msg": "The operation of cancel all open order is done."}


def placed(order: Order) -> Json:
    """The immediate answer of a placement or a cancel."""
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status.value,
        "clientOrderId": order.client_id,
        "price": text(order.price),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "cumQty": text(order.filled),
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.value,
        "positionSide": order.position_side.value,
        "stopPrice": text(order.trigger),
        "workingType": order.working_type,
        "priceProtect": order.price_protect,
        "origType": order.orig_type or order.type.value,
        "priceMatch": order.price_match,
        "selfTradePreventionMode": order.self_trade_prevention.value,
        "goodTillDate": order.good_till_ms,
        "updateTime": order.updated_ms,
    }


def queried(order: Order) -> Json:
    """The answer of a query."""
    row = placed(order)
    del row["cumQty"]
    return {**row, **_trailing(order), **paid(order), "time": order.created_ms}


def _trailing(order: Order) -> Json:
    if not order.callback_rate:
        return {}
    return {"activatePrice": text(order.activate_price), "priceRate": text(order.callback_rate)}


def paid(order: Order) -> Json:
    """What the order has paid so far: what queries tell and immediate answers no longer do."""
    return {
        "avgPrice": text(order.average) if order.filled else "0.00000",
        "cumQuote": text(order.paid),
    }


def listed(order: Order) -> Json:
    """One row of the account's orders."""
    return {**queried(order), "pair": order.symbol, "cumBase": text(order.filled)}


def modified(order: Order, modify_id: int | None) -> Json:
    """The immediate answer of a modification; `modify_id` as the client sent it."""
    echo = {} if modify_id is None else {"modifyId": modify_id}
    return {**placed(order), "pair": order.symbol, **echo}


def amendment(of: Amendment) -> Json:
    """One row of an order's modifications."""
    echo = {} if of.modify_id is None else {"modifyId": of.modify_id}
    return {
        "amendmentId": of.amendment_id,
        "symbol": of.symbol,
        "pair": of.symbol,
        "orderId": of.order_id,
        "clientOrderId": of.client_id,
        "time": of.time_ms,
        "amendment": {
            "price": {"before": text(of.price[0]), "after": text(of.price[1])},
            "origQty": {"before": text(of.quantity[0]), "after": text(of.quantity[1])},
            "count": of.count,
            **echo,
        },
        "priceMatch": of.price_match,
    }


def conditional_placed(order: Conditional) -> Json:
    """The immediate answer of a conditional placement."""
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": order.type.value,
        "symbol": order.symbol,
        "side": order.side.value,
        "positionSide": order.position_side.value,
        "timeInForce": order.time_in_force.value,
        "quantity": "0" if order.quantity is None else text(order.quantity),
        "algoStatus": order.status.value,
        "triggerPrice": text(order.trigger),
        "price": text(order.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": order.self_trade_prevention.value,
        "workingType": order.working_type.value,
        "priceMatch": order.price_match,
        "closePosition": order.close_position,
        "priceProtect": order.price_protect,
        "reduceOnly": order.reduce_only,
        "activatePrice": text(order.activate_price) if order.trails else "",
        "callbackRate": text(order.callback_rate) if order.trails else "",
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": order.good_till_ms,
    }


def conditional_queried(order: Conditional) -> Json:
    """The answer of a conditional query; unlike the immediate answer it has no empty terms of a trail."""
    triggered = order.child_order_id is not None
    row = conditional_placed(order)
    if not order.trails:
        del row["activatePrice"], row["callbackRate"]
    return {
        **row,
        "actualOrderId": str(order.child_order_id) if triggered else "",
        "actualPrice": text(order.average) if order.executed else "0.00000",
        "actualType": order.type.child.value,
        "actualQty": text(order.executed),
        "tpOrderType": "",
    }


def conditional_listed(order: Conditional) -> Json:
    """One row of a list of conditional orders; none of them is two in one, which those fields are for."""
    return {
        **conditional_queried(order),
        "tpTriggerPrice": "0",
        "tpPrice": "0",
        "slTriggerPrice": "0",
        "slPrice": "0",
    }


def conditional_cancelled(order: Conditional) -> Json:
    """The answer of a conditional cancel."""
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_id,
        "code": "200",
        "msg": "success",
    }


def trade(of: Trade) -> Json:
    """One row of the account's trades."""
    return {
        "buyer": of.side is Side.BUY,
        "commission": text(of.fee),
        "commissionAsset": of.fee_asset,
        "id": of.trade_id,
        "maker": of.maker,
        "orderId": of.order_id,
        "price": text(of.price),
        "qty": text(of.quantity),
        "quoteQty": text(of.price * of.quantity),
        "baseQty": text(of.quantity),
        "marginAsset": ASSET,
        "realizedPnl": text(of.realized),
        "side": of.side.value,
        "positionSide": of.position_side.value,
        "symbol": of.symbol,
        "pair": of.symbol,
        "time": of.time_ms,
    }
