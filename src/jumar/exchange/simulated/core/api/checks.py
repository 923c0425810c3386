"""The instrument's filters and the shape of ids. Pure; every failure is a `Refusal` with the exchange's code.

Trailing zeros do not count as precision. Minimum notional uses the mark price for market orders and exempts
reduce-only orders (Binance common definitions, MIN_NOTIONAL).
"""

import re
from decimal import Decimal

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.orders import Order, OrderType, Side
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import text

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
SELF_TRADE_PREVENTION = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")


def client_id(params: Params, name: str, default: str) -> str:
    """The client's id for an order, or the exchange's own (-4015)."""
    value = params.optional(name)
    if value is None:
        return default
    if not _CLIENT_ID.fullmatch(value):
        raise Refusal(-4015)
    return value


def common(params: Params, *, hedge_mode: bool) -> None:
    """Parameters every order shares: position side (-4061), price match (-5037), response type (-1136)."""
    if hedge_mode or (params.optional("positionSide") or "BOTH") != "BOTH":
        raise Refusal(-4061)
    if (params.optional("priceMatch") or "NONE") != "NONE":
        raise Refusal(-5037)
    if (params.optional("newOrderRespType") or "ACK") not in ("ACK", "RESULT"):
        raise Refusal(-1136)


def self_trade_prevention(params: Params) -> str:
    """The self-trade prevention mode, `EXPIRE_MAKER` by default (-5039)."""
    value = params.optional("selfTradePreventionMode") or "EXPIRE_MAKER"
    if value not in SELF_TRADE_PREVENTION:
        raise Refusal(-5039)
    return value


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


def order(of: Order, instrument: Instrument, mark: Decimal) -> None:
    """All filters of a regular order."""
    at_market = of.type is OrderType.MARKET
    quantity(of.quantity, instrument, at_market=at_market)
    if not at_market:
        price(of.price, instrument)
        _percent_price(of, instrument, mark)
    if not of.reduce_only:
        minimum_notional(of.quantity * (mark if at_market else of.price), instrument)


def minimum_notional(notional: Decimal, instrument: Instrument) -> None:
    """MIN_NOTIONAL: -4164."""
    if notional < instrument.min_notional:
        raise Refusal(-4164, notional=text(instrument.min_notional))


def _percent_price(of: Order, instrument: Instrument, mark: Decimal) -> None:
    highest, lowest = mark * instrument.price_up, mark * instrument.price_down
    if of.side is Side.BUY and of.price > highest:
        raise Refusal(-4016, limit=text(highest))
    if of.side is Side.SELL and of.price < lowest:
        raise Refusal(-4024, limit=text(lowest))


def _precision(value: Decimal, places: int) -> None:
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise Refusal(-1111)
