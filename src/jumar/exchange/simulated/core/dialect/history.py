"""Public answers and streams about what happened: the book, its changes, trades, bars and the rolling day.

A bar or day without trades has the trade ids -1. Prices and quantities are plain decimals without trailing zeros.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.candles import Bar
from jumar.exchange.simulated.core.funding import Funded
from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.core.tape import PublicTrade
from jumar.exchange.simulated.core.text import ZERO, padded, text

type Json = dict[str, Any]
type Row = list[str]

PERPETUAL = "PERPETUAL"


def rows(levels: Iterable[Level]) -> list[Row]:
    """Levels of the book as pairs of price and quantity."""
    return [[text(level.price), text(level.quantity)] for level in levels]


def depth(step: MarketStep, update_id: int, limit: int, now_ms: int) -> Json:
    """The book, `limit` levels a side at most."""
    return {
        "lastUpdateId": update_id,
        "E": now_ms,
        "T": now_ms,
        "bids": rows(step.bids[:limit]),
        "asks": rows(step.asks[:limit]),
    }


def depth_event(
    symbol: str, ids: tuple[int, int, int], sides: tuple[list[Row], list[Row]], now_ms: int
) -> Json:
    """`<symbol>@depth…`: `ids` are U, u and pu, `sides` the rows of bids and asks."""
    return {
        "e": "depthUpdate",
        "E": now_ms,
        "T": now_ms,
        "s": symbol,
        "ps": symbol,
        "U": ids[0],
        "u": ids[1],
        "pu": ids[2],
        "b": sides[0],
        "a": sides[1],
        "st": 1,
    }


def recent_trade(trade: PublicTrade) -> Json:
    """One row of `trades`."""
    return {
        "id": trade.trade_id,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.price * trade.quantity),
        "time": trade.time_ms,
        "isBuyerMaker": trade.seller_took,
        "isRPITrade": False,
    }


def agg_trade(trade: PublicTrade) -> Json:
    """One row of `aggTrades`; every public trade is an aggregate of its own."""
    quantity = text(trade.quantity)
    return {
        "a": trade.trade_id,
        "p": text(trade.price),
        "q": quantity,
        "nq": quantity,
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.time_ms,
        "m": trade.seller_took,
    }


def agg_trade_event(symbol: str, trade: PublicTrade, now_ms: int) -> Json:
    """`<symbol>@aggTrade`."""
    return {"e": "aggTrade", "E": now_ms, "s": symbol, **agg_trade(trade), "st": 1}


def trade_event(symbol: str, trade: PublicTrade, now_ms: int) -> Json:
    """`<symbol>@trade`."""
    return {
        "e": "trade",
        "E": now_ms,
        "T": trade.time_ms,
        "s": symbol,
        "t": trade.trade_id,
        "p": text(trade.price),
        "q": text(trade.quantity),
        "X": "MARKET",
        "m": trade.seller_took,
        "st": 1,
    }


def kline(bar: Bar, close_ms: int) -> list[Any]:
    """One row of `klines`."""
    return [
        bar.open_ms,
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.close),
        text(bar.volume),
        close_ms,
        text(bar.quote),
        bar.trades,
        text(bar.taker_volume),
        text(bar.taker_quote),
        "0",
    ]


def kline_event(
    symbol: str, interval: str, bar: Bar, close_ms: int, *, closed: bool, now_ms: int
) -> Json:
    """`<symbol>@kline_<interval>`."""
    first_id, last_id = _ids(bar)
    row = {
        "t": bar.open_ms,
        "T": close_ms,
        "s": symbol,
        "i": interval,
        "f": first_id,
        "L": last_id,
        "o": text(bar.open),
        "c": text(bar.close),
        "h": text(bar.high),
        "l": text(bar.low),
        "v": text(bar.volume),
        "n": bar.trades,
        "x": closed,
        "q": text(bar.quote),
        "V": text(bar.taker_volume),
        "Q": text(bar.taker_quote),
        "B": "0",
    }
    return {"e": "kline", "E": now_ms, "s": symbol, "k": row}


def continuous_kline_event(event: Json) -> Json:
    """`<pair>_perpetual@continuousKline_<interval>`, made of the event of the one contract."""
    bar = dict(event["k"])
    pair = bar.pop("s")
    named = {"ps": pair, "ct": PERPETUAL}
    return {"e": "continuous_kline", "E": event["E"], **named, "k": bar}


def funding(of: Funded) -> Json:
    """One row of `fundingRate`."""
    return {
        "symbol": of.symbol,
        "fundingRate": padded(of.rate, 8),
        "fundingTime": of.due_ms,
        "markPrice": padded(of.mark, 8),
        "rateType": "Regular",
    }


def ticker(symbol: str, day: Bar, last_quantity: Decimal, now_ms: int) -> Json:
    """One row of `ticker/24hr`."""
    first_id, last_id = _ids(day)
    return {
        "symbol": symbol,
        "priceChange": text(day.close - day.open),
        "priceChangePercent": _percent(day),
        "weightedAvgPrice": _average(day),
        "lastPrice": text(day.close),
        "lastQty": text(last_quantity),
        "openPrice": text(day.open),
        "highPrice": text(day.high),
        "lowPrice": text(day.low),
        "volume": text(day.volume),
        "quoteVolume": text(day.quote),
        "openTime": day.open_ms,
        "closeTime": now_ms,
        "firstId": first_id,
        "lastId": last_id,
        "count": day.trades,
    }


def ticker_event(symbol: str, day: Bar, last_quantity: Decimal, now_ms: int) -> Json:
    """`<symbol>@ticker`."""
    first_id, last_id = _ids(day)
    return {
        "e": "24hrTicker",
        "E": now_ms,
        "s": symbol,
        "ps": symbol,
        "p": text(day.close - day.open),
        "P": _percent(day),
        "w": _average(day),
        "c": text(day.close),
        "Q": text(last_quantity),
        "o": text(day.open),
        "h": text(day.high),
        "l": text(day.low),
        "v": text(day.volume),
        "q": text(day.quote),
        "O": day.open_ms,
        "C": now_ms,
        "F": first_id,
        "L": last_id,
        "n": day.trades,
        "st": 1,
    }


def mini_ticker_event(symbol: str, day: Bar, now_ms: int) -> Json:
    """`<symbol>@miniTicker`."""
    return {
        "e": "24hrMiniTicker",
        "E": now_ms,
        "s": symbol,
        "ps": symbol,
        "c": text(day.close),
        "o": text(day.open),
        "h": text(day.high),
        "l": text(day.low),
        "v": text(day.volume),
        "q": text(day.quote),
        "st": 1,
    }


def force_order_event(order: Json, now_ms: int) -> Json:
    """`<symbol>@forceOrder`, from what the user stream says (`o`) of the order that closed the position."""
    kept = ("s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T")
    row = {name: order[name] for name in kept}
    return {"e": "forceOrder", "E": now_ms, "o": {**row, "ps": order["s"], "st": 1}}


def _ids(bar: Bar) -> tuple[int, int]:
    return (bar.first_id, bar.first_id + bar.trades - 1) if bar.trades else (-1, -1)


def _percent(day: Bar) -> str:
    return padded((day.close - day.open) / day.open * 100, 3)


def _average(day: Bar) -> str:
    return padded(day.quote / day.volume if day.volume else ZERO, 8)
