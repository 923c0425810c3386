"""From a request's parameters to a conditional order.

A closePosition order is reduce-only, which it is on the real exchange too. MARKET_LOT_SIZE bounds the quantity of what
will execute at market, LOT_SIZE that of a STOP or TAKE_PROFIT. A trailing stop's `triggerPrice` is read as its
`activatePrice`, because the real exchange was seen to answer -2021 to it.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.order_terms import good_till, instrument_of, side_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.conditional import Conditional, ConditionalType, WorkingType
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.orders import OrderType, PositionSide, Side, TimeInForce
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO

CALLBACK_LEAST, CALLBACK_MOST = Decimal("0.1"), Decimal(20)
CALLBACK_STEP = Decimal("0.1")  # finer ones were seen to be refused
CLOSING_TYPES = (ConditionalType.STOP_MARKET, ConditionalType.TAKE_PROFIT_MARKET)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prices:
    """What fires the order and where it executes; zero where it does not apply."""

    trigger: Decimal = ZERO
    limit: Decimal = ZERO
    match: str = "NONE"
    activate: Decimal = ZERO
    callback: Decimal = ZERO


def parse(engine: Engine, params: Params, now_ms: int) -> Conditional:
    """The conditional order that a request asks for, filters checked.

    Raises:
        Refusal: whatever is wrong with a parameter.
    """
    if params.text("algoType") != "CONDITIONAL":
        raise Refusal(-4500)
    instrument = instrument_of(engine, params)
    side, kind = side_of(params), _type(params)
    time_in_force = _time_in_force(params, kind)
    position_side = checks.common(params, hedge_mode=engine.account.hedge_mode)
    prices = (
        _trailing(params, instrument) if _trails(kind) else _fixed(params, instrument, side, kind)
    )
    if engine.readings.algo_reduce_only == "-1106":
        params.forbid("reduceOnly")
    value = prices.limit or prices.trigger or prices.activate
    quantity, reduce_only = _size(params, kind, instrument, value, (side, position_side))
    algo_id = engine.conditionals.next_id()
    return Conditional(
        algo_id=algo_id,
        client_id=checks.client_id(params, "clientAlgoId", f"sim-{algo_id}"),
        symbol=instrument.symbol,
        side=side,
        type=kind,
        trigger=prices.trigger,
        working_type=_working_type(params),
        quantity=quantity,
        reduce_only=reduce_only,
        price_protect=params.boolean("priceProtect", default=False),
        created_ms=now_ms,
        updated_ms=now_ms,
        position_side=position_side,
        time_in_force=time_in_force,
        price=prices.limit,
        price_match=prices.match,
        good_till_ms=good_till(params, time_in_force, now_ms),
        activate_price=prices.activate,
        callback_rate=prices.callback,
        self_trade_prevention=checks.self_trade_prevention(params),
    )


def _fixed(params: Params, instrument: Instrument, side: Side, kind: ConditionalType) -> _Prices:
    trigger = params.decimal("triggerPrice")
    checks.price(trigger, instrument)
    match = checks.price_match(params, allowed=kind.child is OrderType.LIMIT)
    if kind.child is OrderType.MARKET:
        return _Prices(trigger=trigger)
    if match != "NONE":
        params.forbid("price")
        return _Prices(trigger=trigger, match=match)
    limit = params.decimal("price")
    checks.price(limit, instrument)
    checks.near_trigger(limit, trigger, side, instrument)
    return _Prices(trigger=trigger, limit=limit)


def _trailing(params: Params, instrument: Instrument) -> _Prices:
    checks.price_match(params, allowed=False)
    callback = params.decimal("callbackRate")
    if not CALLBACK_LEAST <= callback <= CALLBACK_MOST or callback % CALLBACK_STEP:
        raise Refusal(-2007)
    name = "activatePrice" if params.has("activatePrice") else "triggerPrice"
    if not params.has(name):
        return _Prices(callback=callback)
    activate = params.decimal(name)
    if activate <= 0:
        raise Refusal(-4135)
    checks.price(activate, instrument)
    return _Prices(activate=activate, callback=callback)


def _size(
    params: Params,
    kind: ConditionalType,
    instrument: Instrument,
    value: Decimal,
    sides: tuple[Side, PositionSide],
) -> tuple[Decimal | None, bool]:
    """Quantity (None for closePosition) and whether the order only reduces."""
    if params.boolean("closePosition", default=False):
        if kind not in CLOSING_TYPES:
            raise Refusal(-4136, kind=kind.value)
        params.forbid("reduceOnly")
        if params.has("quantity"):
            raise Refusal(-4137)
        return None, True
    quantity = params.decimal("quantity")
    checks.quantity(quantity, instrument, at_market=kind.child is OrderType.MARKET)
    reduce_only = checks.reduce_only(params, *sides)
    if not reduce_only and value:
        checks.minimum_notional(quantity * value, instrument)
    return quantity, reduce_only


def _trails(kind: ConditionalType) -> bool:
    return kind is ConditionalType.TRAILING_STOP_MARKET


def _type(params: Params) -> ConditionalType:
    value = params.text("type")
    if value not in ConditionalType:
        raise Refusal(-1116)
    return ConditionalType(value)


def _time_in_force(params: Params, kind: ConditionalType) -> TimeInForce:
    """GTC without one; what executes at market takes no other but GTE_GTC (-1115)."""
    value = params.optional("timeInForce") or TimeInForce.GTC.value
    if value not in TimeInForce:
        raise Refusal(-1115)
    chosen = TimeInForce(value)
    if kind.child is OrderType.MARKET and chosen not in (TimeInForce.GTC, TimeInForce.GTE_GTC):
        raise Refusal(-1115)
    return chosen


def _working_type(params: Params) -> WorkingType:
    value = params.optional("workingType") or WorkingType.CONTRACT_PRICE.value
    if value not in WorkingType:
        raise Refusal(-1102, name="workingtype")
    return WorkingType(value)
