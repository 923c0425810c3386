"""Tables of Binance's public archive (USDⓈ-M futures): one line in, one record out.

Columns of aggTrades, trades and klines as documented in the README of github.com/binance/binance-public-data (commit
13ad8c5); the headers, which files have had since 2022, and the columns of bookTicker and fundingRate, which that README
does not list, as they stand in the published files. Mark price, index and premium klines have the columns of the
contract's, with nothing traded in them. Pure; `archive.py` unpacks.
"""

import re
from decimal import Decimal

from jumar.exchange.simulated.market.fields import (
    positive,
    quote,
    rate,
    side,
    split,
    time_ms,
)
from jumar.exchange.simulated.market.records import Funding, MarkBar, Quote, Record, Trade
from jumar.exchange.simulated.market.tables import ReadLine, mark_bar, minute_bars

AGG_TRADES = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
TRADES = "id,price,qty,quote_qty,time,is_buyer_maker"
BOOK_TICKER = (
    "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
)
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
FUNDING = "calc_time,funding_interval_hours,last_funding_rate"

# Older files begin with their first row.
BARE = (
    (re.compile(r"\d+(?:,[\d.]+){2}(?:,\d+){2},\d{13},(?i:true|false)"), AGG_TRADES),
    (re.compile(r"\d+(?:,[\d.]+){3},\d{13},(?i:true|false)"), TRADES),
    (re.compile(r"\d+(?:,[\d.]+){4}(?:,\d{13}){2}"), BOOK_TICKER),
    (re.compile(r"\d{13}(?:,[\d.]+){5},\d{13}(?:,[\d.]+){5}"), KLINES),
    (re.compile(r"\d{13},\d{1,2},-?[\d.]+"), FUNDING),
)
"""What a first row looks like, and the header that it goes without."""


def is_of_marks(row: str) -> bool:
    """Whether a row of klines belongs to a price that nobody trades at: it moved, or was sampled, without volume."""
    fields = row.split(",")
    if len(fields) != 12:
        return False
    _, _, high, low, _, volume, _, _, count, *_ = map(Decimal, fields)
    return not volume and bool(count or high != low)


def agg_trades(_: str | None) -> ReadLine:
    """Trades of one taker at one price and moment, put together."""

    def read(line: str) -> Trade:
        _, price, quantity, _, _, time, buyer_is_maker = split(line, 7)
        return _trade(time_ms(time, "transact_time"), price, quantity, buyer_is_maker, "quantity")

    return read


def trades(_: str | None) -> ReadLine:
    """Trades one by one."""

    def read(line: str) -> Trade:
        _, price, quantity, _, time, buyer_is_maker = split(line, 6)
        return _trade(time_ms(time, "time"), price, quantity, buyer_is_maker, "qty")

    return read


def book_ticker(_: str | None) -> ReadLine:
    """Every change of the best bid and ask, at the matching engine's time."""

    def read(line: str) -> Quote:
        _, bid, bid_quantity, ask, ask_quantity, time, _ = split(line, 7)
        return quote(time_ms(time, "transaction_time"), bid, bid_quantity, ask, ask_quantity)

    return read


def klines(symbol: str | None) -> ReadLine:
    """Bars of one minute."""
    read_bar = minute_bars(symbol)

    def read(line: str) -> Record | None:
        return read_bar(",".join(split(line, 12)[:6]))

    return read


def mark_klines(_: str | None) -> ReadLine:
    """Bars of the mark price, of any length in whole minutes."""

    def read(line: str) -> MarkBar:
        opens, *prices, _, closes, _, _, _, _, _ = split(line, 12)
        open_ms = time_ms(opens, "open_time")
        return mark_bar(open_ms, time_ms(closes, "close_time") + 1 - open_ms, prices)

    return read


def funding(_: str | None) -> ReadLine:
    """Funding rates, each with the moment it was reckoned, some milliseconds after it was due."""

    def read(line: str) -> Funding:
        time, _, paid = split(line, 3)
        return Funding(time_ms(time, "calc_time"), rate(paid, "last_funding_rate"))

    return read


def _trade(at_ms: int, price: str, quantity: str, buyer_is_maker: str, named: str) -> Trade:
    taker = side(buyer_is_maker.lower(), "is_buyer_maker", buy="false", sell="true")
    return Trade(at_ms, positive(price, "price"), positive(quantity, named), taker)
