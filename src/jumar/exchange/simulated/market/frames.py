"""Raw combined-stream frames, `<local receive time in ns> <frame>`.

bookTicker and trade are read, every other frame (depth, snapshots) is passed over unread. Pure.
"""

import re
from decimal import Decimal

import msgspec

from jumar.exchange.simulated.market.fields import moment, positive, quote
from jumar.exchange.simulated.market.records import Record, Trade

FRAME = re.compile(r"\d+ \{")
"""How such a line begins."""
_HEAD = 100  # characters in which a frame's stream name stands


class _Ticker(msgspec.Struct):
    T: int
    b: Decimal
    B: Decimal
    a: Decimal
    A: Decimal


class _Trade(msgspec.Struct):
    T: int
    p: Decimal
    q: Decimal
    m: bool
    X: str = "MARKET"


class _TickerFrame(msgspec.Struct):
    data: _Ticker


class _TradeFrame(msgspec.Struct):
    data: _Trade


_decode_ticker = msgspec.json.Decoder(_TickerFrame).decode
_decode_trade = msgspec.json.Decoder(_TradeFrame).decode


def read_frame(line: str) -> Record | None:
    """What one line says; None when that is neither a quote nor a public trade.

    Raises:
        ValueError, msgspec.MsgspecError: it cannot be read.
    """
    if not FRAME.match(line):
        raise ValueError("not a frame '<local time in ns> {…}'")
    head, frame = line[:_HEAD], line[line.index(" ") + 1 :]
    if '@bookTicker"' in head:
        ticker = _decode_ticker(frame).data
        return quote(moment(ticker.T, "T"), ticker.b, ticker.B, ticker.a, ticker.A)
    if '@trade"' in head:
        trade = _decode_trade(frame).data
        if trade.X != "MARKET":  # insurance fund and ADL fills are no public market
            return None
        taker = "SELL" if trade.m else "BUY"
        return Trade(moment(trade.T, "T"), positive(trade.p, "p"), positive(trade.q, "q"), taker)
    return None
