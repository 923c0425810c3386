"""The instrument's filters and the shape of ids. Pure; every failure is a `Refusal` with the exchange's code.

Trailing zeros do not count as precision. Minimum notional uses the mark price for market orders and exempts
reduce-only orders (Binance common definitions, MIN_NOTIONAL).
"""

import re
from decimal import Decimal

from jumar.exchange.simulated.core.admission import limit_band
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.orders import (
    Order,
    OrderType,
    PositionSide,
    SelfTrade,
    Side,
)
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import text

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
# OPPONENT_10 and OPPONENT_20 are out of service: Binance derivatives change log, 2025-10-21
PRICE_MATCHES = ("OPPONENT", "OPPONENT_5", "QUEUE", "QUEUE_5", "QUEUE_10", "QUEUE_20")


def client_id(params: Params, name: str, default: str) -> str:
    """The client's id for an order, or the exchange's own (-4015)."""
    value = params.optional(name)
    if value is None:
        return default
    if not _CLIENT_ID.fullmatch(value):
        raise Refusal(-4015)
    return value


def common(params: Params, *, hedge_mode: bool) -> PositionSide:
    """Parameters every order shares: the position side, which it returns, and the response type (-1136)."""
    side = position_side(params, hedge_mode=hedge_mode)
    if (params.optional("newOrderRespType") or "ACK") not in ("ACK", "RESULT"):
        raise Refusal(-1136)
    return side


def position_side(params: Params, *, hedge_mode: bool) -> PositionSide:
    """Which position is meant: LONG or SHORT in hedge mode, BOTH or nothing said in one-way mode (-4061)."""
    value = params.optional("positionSide") or PositionSide.BOTH.value
    if value not in PositionSide or (value != PositionSide.BOTH) != hedge_mode:
        raise Refusal(-4061)
    return PositionSide(value)


def reduce_only(params: Params, side: Side, of: PositionSide) -> bool:
    """Whether an order only reduces: as it says in one-way mode, as its sides say in hedge mode (-1106 when sent)."""
    if of is PositionSide.BOTH:
        return params.boolean("reduceOnly", default=False)
    params.forbid("reduceOnly")
    return of.reduced_by(side)


def price_match(params: Params, *, allowed: bool) -> str:
    """The price match, NONE without one: -5037, or -5038 where the order's type does not allow any."""
    value = params.optional("priceMatch") or "NONE"
    if value == "NONE":
        return value
    if value not in PRICE_MATCHES:
        raise Refusal(-5037)
    if not allowed:
        raise Refusal(-5038)
    return value


def self_trade_prevention(params: Params, default: SelfTrade = SelfTrade.EXPIRE_MAKER) -> SelfTrade:
    """The self-trade prevention mode (-5039)."""
    value = params.optional("selfTradePreventionMode") or default.value
    if value not in SelfTrade:
        raise Refusal(-5039)
    return SelfTrade(value)


def quantity(value: Decimal, instrument: Instrument, *, at_market: bool) -> None:
    """LOT_SIZE or MARKET_LOT_SIZE: -4003, -1111, -4004, -4005, -4023."""
    if value <= 0:
        raise Refusal(-4003)
    _precision(value, instrument.quantity_precision)
    if value < instrument.min_quantity:
        raise Refusal(-4004)
    if value > (instrument.market_max_quantity if at_market else instrument.max_quantity):
        raise Refusal(-4005)
    if (value - instrument.min_quantity) % instrument.step_size:
        raise Refusal(-4023)


def price(value: Decimal, instrument: Instrument) -> None:
    """PRICE_FILTER, for limits and triggers alike: -1111, -4013, -4002, -4014."""
    _precision(value, instrument.price_precision)
    if value < instrument.min_price:
        raise Refusal(-4013)
    if value > instrument.max_price:
        raise Refusal(-4002)
    if (value - instrument.min_price) % instrument.tick_size:
        raise Refusal(-4014)


def order(of: Order, instrument: Instrument, mark: Decimal, *, small: int = -4164) -> None:
    """All filters of a regular order; `small` is the code of one below the minimum notional."""
    at_market = of.type is OrderType.MARKET
    quantity(of.quantity, instrument, at_market=at_market)
    if not at_market:
        price(of.price, instrument)
        limit_band(of, instrument, mark)
    if not of.reduce_only:
        minimum_notional(of.quantity * (mark if at_market else of.price), instrument, small)


def minimum_notional(notional: Decimal, instrument: Instrument, code: int = -4164) -> None:
    """MIN_NOTIONAL: -4164, or the code of a modification."""
    if notional < instrument.min_notional:
        raise Refusal(code, notional=text(instrument.min_notional))


def near_trigger(limit: Decimal, trigger: Decimal, side: Side, instrument: Instrument) -> None:
    """A conditional order's limit stays near its trigger: -4183 for a buyer, -4184 for a seller."""
    highest, lowest = trigger * instrument.price_up, trigger * instrument.price_down
    if side is Side.BUY and limit > highest:
        raise Refusal(-4183, limit=text(highest))
    if side is Side.SELL and limit < lowest:
        raise Refusal(-4184, limit=text(lowest))


def _precision(value: Decimal, places: int) -> None:
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise Refusal(-1111)
