"""From the model to the wire: the parameters of everything we send. Pure.

Promises that every flag is stated (S-11) and that numbers are plain decimal text. Conditional types go to the
algo endpoints (Binance derivatives change log, 2025-11-06).
"""

from dataclasses import dataclass

from jumar.model.account import MarginMode
from jumar.model.command import AmendRequest
from jumar.model.order import Channel, OrderRequest, OrderType, TimeInForce
from jumar.model.units import text

SELF_TRADE_PREVENTION = "EXPIRE_MAKER"
"""Of two own orders that meet, the resting one goes: a stop must never be stopped by our own entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, ready for either way; `socket_method` is None where the WebSocket API has none."""

    socket_method: str | None
    http_method: str
    path: str
    params: dict[str, str | int]


def placement(request: OrderRequest) -> Call:
    """Return the call that places one order.

    Raises:
        ValueError: the request contradicts itself; nothing may be sent.
    """
    if request.channel is Channel.CONDITIONAL:
        return _conditional(request)
    return _regular(request)


def _regular(request: OrderRequest) -> Call:
    if request.quantity is None or request.close_position:
        raise ValueError(
            "quantity: a regular order needs one and cannot close the position by flag"
        )
    if (request.type is OrderType.LIMIT) != (request.price is not None):
        raise ValueError(f"price: a limit order needs one, a {request.type} order has none")
    params: dict[str, str | int] = {
        "symbol": request.symbol,
        "side": request.side.value,
        "positionSide": "BOTH",
        "type": request.type.value,
        "quantity": text(request.quantity),
        "reduceOnly": _flag(request.reduce_only),
        "newClientOrderId": request.client_id,
        "newOrderRespType": "RESULT",
        "selfTradePreventionMode": SELF_TRADE_PREVENTION,
    }
    if request.price is not None:
        if request.time_in_force is None:
            raise ValueError("time_in_force: a limit order needs one")
        params |= {"price": text(request.price), "timeInForce": request.time_in_force.value}
    return Call(
        socket_method="order.place", http_method="POST", path="/fapi/v1/order", params=params
    )


def _conditional(request: OrderRequest) -> Call:
    if request.trigger_price is None or request.working_type is None:
        raise ValueError("trigger_price, working_type: a conditional order states both")
    if request.price is not None or request.time_in_force not in {None, TimeInForce.GTC}:
        raise ValueError("price, time_in_force: a conditional market order has no price and is GTC")
    params: dict[str, str | int] = {
        "algoType": "CONDITIONAL",
        "symbol": request.symbol,
        "side": request.side.value,
        "positionSide": "BOTH",
        "type": request.type.value,
        "triggerPrice": text(request.trigger_price),
        "workingType": request.working_type.value,
        # A protected stop may fail to fire exactly in the dislocation it is for.
        "priceProtect": "false",
        "timeInForce": "GTC",
        "selfTradePreventionMode": SELF_TRADE_PREVENTION,
        "clientAlgoId": request.client_id,
        "newOrderRespType": "RESULT",
    }
    params |= _size(request)
    return Call(
        socket_method="algoOrder.place",
        http_method="POST",
        path="/fapi/v1/algoOrder",
        params=params,
    )


def _size(request: OrderRequest) -> dict[str, str | int]:
    """Either closePosition alone, or quantity with reduceOnly: Binance refuses every mixture (-4137, -4138)."""
    if request.close_position:
        if request.quantity is not None or request.reduce_only:
            raise ValueError("close_position: neither quantity nor reduce_only may stand beside it")
        return {"closePosition": "true"}
    if request.quantity is None:
        raise ValueError("quantity: an order that does not close the position needs one")
    return {"quantity": text(request.quantity), "reduceOnly": _flag(request.reduce_only)}


def amendment(request: AmendRequest) -> Call:
    """Return the call that changes the price of one resting order.

    Price and quantity are both needed, and the quantity is the total one (Binance, Modify Order).
    """
    return Call(
        socket_method="order.modify",
        http_method="PUT",
        path="/fapi/v1/order",
        params={
            "symbol": request.symbol,
            "origClientOrderId": request.client_id,
            "side": request.side.value,
            "quantity": text(request.quantity),
            "price": text(request.price),
            "modifyId": request.number,
        },
    )


def cancellation(symbol: str, channel: Channel, client_id: str) -> Call:
    """Return the call that cancels one order by its client id."""
    if channel is Channel.CONDITIONAL:
        return Call(
            socket_method="algoOrder.cancel",
            http_method="DELETE",
            path="/fapi/v1/algoOrder",
            params={"clientAlgoId": client_id},
        )
    return Call(
        socket_method="order.cancel",
        http_method="DELETE",
        path="/fapi/v1/order",
        params={"symbol": symbol, "origClientOrderId": client_id},
    )


def cancellation_by_venue_id(symbol: str, venue_id: str) -> Call:
    """Return the call that cancels one regular order by the venue's id.

    Raises:
        ValueError: the id is not a number.
    """
    if not (venue_id.isascii() and venue_id.isdecimal()):
        raise ValueError(f"venue_id: {venue_id!r} is not an order id of this venue")
    return Call(
        socket_method="order.cancel",
        http_method="DELETE",
        path="/fapi/v1/order",
        params={"symbol": symbol, "orderId": int(venue_id)},
    )


def leverage(symbol: str, value: int) -> Call:
    """Return the call that sets the leverage."""
    return Call(
        socket_method=None,
        http_method="POST",
        path="/fapi/v1/leverage",
        params={"symbol": symbol, "leverage": value},
    )


def countdown(symbol: str, countdown_ms: int) -> Call:
    """Return the call that has a symbol's regular orders cancelled after a while; zero takes that back."""
    return Call(
        socket_method=None,
        http_method="POST",
        path="/fapi/v1/countdownCancelAll",
        params={"symbol": symbol, "countdownTime": countdown_ms},
    )


def margin_mode(symbol: str, mode: MarginMode) -> Call:
    """Return the call that sets the margin mode."""
    return Call(
        socket_method=None,
        http_method="POST",
        path="/fapi/v1/marginType",
        params={"symbol": symbol, "marginType": mode.value},
    )


def _flag(value: bool) -> str:
    return "true" if value else "false"
