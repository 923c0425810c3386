"""From a request's parameters to an order: type, time in force, price or price match, ids."""

from decimal import Decimal

from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.conditional import ConditionalType
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.matching import matched_price
from jumar.exchange.simulated.core.orders import Order, OrderType, SelfTrade, Side, TimeInForce
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO

GOOD_TILL_AHEAD_MS = 600_000
GOOD_TILL_LAST_MS = 253_402_300_799_000


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


def parse(engine: Engine, params: Params, now_ms: int, self_trade: SelfTrade) -> Order:
    """The order that a request asks for, filters checked; `self_trade` is the mode when none is sent.

    Raises:
        Refusal: whatever is wrong with a parameter.
    """
    instrument = instrument_of(engine, params)
    side, kind = side_of(params), _type(params)
    time_in_force = _time_in_force(params, kind)
    match = checks.price_match(params, allowed=kind is OrderType.LIMIT)
    quantity = params.decimal("quantity")
    position_side = checks.common(params, hedge_mode=engine.account.hedge_mode)
    order_id = engine.orders.next_id()
    order = Order(
        order_id=order_id,
        client_id=checks.client_id(params, "newClientOrderId", f"sim-{order_id}"),
        symbol=instrument.symbol,
        side=side,
        type=kind,
        time_in_force=time_in_force,
        price=ZERO if kind is OrderType.MARKET else price_of(engine, params, side, match),
        quantity=quantity,
        reduce_only=checks.reduce_only(params, side, position_side),
        created_ms=now_ms,
        updated_ms=now_ms,
        position_side=position_side,
        self_trade_prevention=checks.self_trade_prevention(params, self_trade),
        price_match=match,
        good_till_ms=good_till(params, time_in_force, now_ms),
    )
    checks.order(order, instrument, engine.market(instrument.symbol).mark)
    return order


def price_of(engine: Engine, params: Params, side: Side, match: str) -> Decimal:
    """The limit: as sent, or from the book when a price match is wanted (-1106 for both, -5041)."""
    if match == "NONE":
        return params.decimal("price")
    params.forbid("price")
    return matched_price(side, match, engine.market(params.text("symbol")))


def good_till(params: Params, time_in_force: TimeInForce, now_ms: int) -> int:
    """When a GTD order expires, whole seconds; zero for any other (-1102, -1106, -5040)."""
    if time_in_force is not TimeInForce.GTD:
        if params.integer("goodTillDate", 0):
            raise Refusal(-1106, name="goodtilldate")
        return 0
    value = params.integer("goodTillDate")
    if not now_ms + GOOD_TILL_AHEAD_MS < value < GOOD_TILL_LAST_MS:
        raise Refusal(-5040)
    return value - value % 1000


def _type(params: Params) -> OrderType:
    value = params.text("type")
    if value in ConditionalType:
        raise Refusal(-4120)
    if value not in OrderType:
        raise Refusal(-1116)
    return OrderType(value)


def _time_in_force(params: Params, kind: OrderType) -> TimeInForce:
    if kind is OrderType.MARKET:
        params.forbid("timeInForce")
        params.forbid("price")
        return TimeInForce.GTC
    value = params.text("timeInForce")
    if value not in TimeInForce or value == TimeInForce.GTE_GTC:
        raise Refusal(-1115)
    return TimeInForce(value)
