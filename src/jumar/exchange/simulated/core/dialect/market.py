"""Public answers and market streams about the present: exchangeInfo, mark price, best bid and ask, last price.

Index price, estimated settle price and the mark price's average repeat the mark price: no index is simulated. The
past and the book's depth are in `history.py`.
"""

from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.account import ASSET
from jumar.exchange.simulated.core.conditional import ConditionalType
from jumar.exchange.simulated.core.dialect.history import PERPETUAL
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import OrderType
from jumar.exchange.simulated.core.text import padded, text
from jumar.exchange.simulated.core.usage import RATE_LIMITS

type Json = dict[str, Any]

FUNDING_MS = 8 * 3_600_000


def exchange_info(instruments: list[tuple[Instrument, bool]], now_ms: int) -> Json:
    """All instruments, each with whether it trades."""
    limits = [
        {"rateLimitType": kind, "interval": unit, "intervalNum": number, "limit": limit}
        for kind, unit, number, limit in RATE_LIMITS
    ]
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": limits,
        "exchangeFilters": [],
        "assets": [{"asset": ASSET, "marginAvailable": True, "autoAssetExchange": "-100"}],
        "symbols": [_symbol(instrument, trading) for instrument, trading in instruments],
    }


def _symbol(instrument: Instrument, trading: bool) -> Json:
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": PERPETUAL,
        "deliveryDate": 4133404800000,
        "onboardDate": instrument.onboard_ms,
        "status": "TRADING" if trading else "PENDING_TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_precision,
        "quantityPrecision": instrument.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": str(instrument.trigger_protect),
        "liquidationFee": str(instrument.liquidation_fee),
        "marketTakeBound": str(instrument.market_take_bound),
        "maxMoveOrderLimit": 10000,
        "orderTypes": sorted(kind.value for kind in (*OrderType, *ConditionalType)),
        # the live list, which names no RPI (2026-09); that a symbol takes it is a permission
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY", "RPI", "DCA"],
        "filters": _filters(instrument),
    }


def _filters(instrument: Instrument) -> list[Json]:
    lot = {"minQty": str(instrument.min_quantity), "stepSize": str(instrument.step_size)}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": str(instrument.min_price),
            "maxPrice": str(instrument.max_price),
            "tickSize": str(instrument.tick_size),
        },
        {"filterType": "LOT_SIZE", **lot, "maxQty": str(instrument.max_quantity)},
        {"filterType": "MARKET_LOT_SIZE", **lot, "maxQty": str(instrument.market_max_quantity)},
        {"filterType": "MAX_NUM_ORDERS", "limit": instrument.max_orders},
        {"filterType": "MIN_NOTIONAL", "notional": str(instrument.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": str(instrument.price_up),
            "multiplierDown": str(instrument.price_down),
            "multiplierDecimal": "4",
        },
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
    ]


def premium_index(step: MarketStep, rate: Decimal, now_ms: int) -> Json:
    """The mark price of one symbol and the rate of its next funding."""
    mark = padded(step.mark, 8)
    return {
        "symbol": step.symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": padded(_rate(step, rate), 8),
        "interestRate": "0.00010000",
        "nextFundingTime": _next_funding(now_ms),
        "time": now_ms,
    }


def book_ticker(step: MarketStep, update_id: int, now_ms: int) -> Json:
    """Best bid and ask; the id stands in live answers (2026-09), though the REST page does not show it."""
    return {
        "symbol": step.symbol,
        "bidPrice": text(step.bids[0].price),
        "bidQty": text(step.bids[0].quantity),
        "askPrice": text(step.asks[0].price),
        "askQty": text(step.asks[0].quantity),
        "time": now_ms,
        "lastUpdateId": update_id,
    }


def price(step: MarketStep, now_ms: int) -> Json:
    """The last price."""
    return {"symbol": step.symbol, "price": text(step.last), "time": now_ms}


def book_ticker_event(step: MarketStep, update_id: int, now_ms: int) -> Json:
    """`<symbol>@bookTicker`."""
    return {
        "e": "bookTicker",
        "u": update_id,
        "E": now_ms,
        "T": now_ms,
        "s": step.symbol,
        "ps": step.symbol,
        "b": text(step.bids[0].price),
        "B": text(step.bids[0].quantity),
        "a": text(step.asks[0].price),
        "A": text(step.asks[0].quantity),
        "st": 1,
    }


def mark_price_event(step: MarketStep, rate: Decimal, now_ms: int) -> Json:
    """`<symbol>@markPrice` and `<symbol>@markPrice@1s`."""
    mark = padded(step.mark, 8)
    return {
        "e": "markPriceUpdate",
        "E": now_ms,
        "s": step.symbol,
        "p": mark,
        "ap": mark,
        "i": mark,
        "P": mark,
        "r": padded(_rate(step, rate), 8),
        "T": _next_funding(now_ms),
        "st": 1,
    }


def _rate(step: MarketStep, usual: Decimal) -> Decimal:
    return usual if step.funding_rate is None else step.funding_rate


def _next_funding(now_ms: int) -> int:
    return (now_ms // FUNDING_MS + 1) * FUNDING_MS
