"""The names of market streams: what each one carries, by which route and how often. Pure.

Routes and paces are the published ones (Binance USDⓈ-M stream pages, 2026-09). A name that is spelt differently, an
upper-case symbol included, is no stream: subscribing to it is answered and stays silent.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from jumar.exchange.simulated.core.candles import INTERVALS

PUBLIC, MARKET, PRIVATE = "public", "market", "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One market stream.

    Attributes:
        kind: what it carries, see `_FORMS`.
        symbol: in upper case; empty when it carries all of them.
        every_ms: how often it is sent; zero: as things happen.
        detail: the interval of bars, the number of levels of a book, or nothing.
    """

    kind: str
    route: str
    symbol: str = ""
    every_ms: int = 0
    detail: str = ""


_PACE = "[@MSms]"
# name, kind, route, milliseconds
_NAMES = (
    ("SYMBOL@bookTicker", "quote", PUBLIC, 0),
    ("SYMBOL@trade", "trade", PUBLIC, 0),
    (f"SYMBOL@depth{_PACE}", "depth", PUBLIC, 250),
    (f"SYMBOL@depthLEVELS{_PACE}", "levels", PUBLIC, 250),
    ("!bookTicker", "quotes", PUBLIC, 5000),
    ("SYMBOL@aggTrade", "aggTrade", MARKET, 0),
    ("SYMBOL@markPrice[@1s]", "mark", MARKET, 0),
    ("SYMBOL@kline_INTERVAL", "kline", MARKET, 250),
    ("SYMBOL_perpetual@continuousKline_INTERVAL", "continuousKline", MARKET, 250),
    ("SYMBOL@miniTicker", "miniTicker", MARKET, 2000),
    ("SYMBOL@ticker", "ticker", MARKET, 2000),
    ("SYMBOL@forceOrder", "forceOrder", MARKET, 1000),
    ("!markPrice@arr", "marks", MARKET, 3000),
    ("!markPrice@arr@1s", "marks", MARKET, 1000),
    ("!miniTicker@arr", "miniTickers", MARKET, 1000),
    ("!ticker@arr", "tickers", MARKET, 1000),
    ("!forceOrder@arr", "forceOrder", MARKET, 1000),
)
_BLANKS = {
    _PACE: r"(@(?P<ms>100|250|500)ms)?",
    "[@1s]": "(@1s)?",
    "SYMBOL": "(?P<symbol>[a-z0-9]+)",
    "LEVELS": "(?P<detail>5|10|20)",
    "INTERVAL": f"(?P<detail>{'|'.join(INTERVALS)})",
}


def forms() -> list[tuple[str, str, int]]:
    """Every kind of name with its route and how often it is sent in ms; blanks in capitals, options in brackets."""
    return [(name, route, every_ms) for name, _, route, every_ms in _NAMES]


def _pattern(name: str) -> re.Pattern[str]:
    for blank, pattern in _BLANKS.items():
        name = name.replace(blank, pattern)
    return re.compile(name)


_FORMS = tuple((_pattern(name), kind, route, every_ms) for name, kind, route, every_ms in _NAMES)


@lru_cache(maxsize=4096)
def topic_of(stream: str) -> Topic | None:
    """What a name stands for; None for a stream this exchange does not have."""
    for pattern, kind, route, every_ms in _FORMS:
        match = pattern.fullmatch(stream)
        if match is not None:
            found = match.groupdict()
            return Topic(
                kind=kind,
                route=route,
                symbol=(found.get("symbol") or "").upper(),
                every_ms=int(found.get("ms") or every_ms),
                detail=found.get("detail") or "",
            )
    return None
