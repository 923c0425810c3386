"""Names of market streams, and who hears them."""

import pytest

from jumar.exchange.simulated.core.candles import INTERVALS
from jumar.exchange.simulated.server.listeners import Listeners
from jumar.exchange.simulated.server.topics import Topic, topic_of

KNOWN = {
    "btcusdt@bookTicker": ("quote", "public", "BTCUSDT", 0, ""),
    "btcusdt@trade": ("trade", "public", "BTCUSDT", 0, ""),
    "btcusdt@depth": ("depth", "public", "BTCUSDT", 250, ""),
    "btcusdt@depth@100ms": ("depth", "public", "BTCUSDT", 100, ""),
    "btcusdt@depth@500ms": ("depth", "public", "BTCUSDT", 500, ""),
    "btcusdt@depth5": ("levels", "public", "BTCUSDT", 250, "5"),
    "btcusdt@depth20@100ms": ("levels", "public", "BTCUSDT", 100, "20"),
    "!bookTicker": ("quotes", "public", "", 5000, ""),
    "btcusdt@aggTrade": ("aggTrade", "market", "BTCUSDT", 0, ""),
    "btcusdt@markPrice@1s": ("mark", "market", "BTCUSDT", 0, ""),
    "1000pepeusdt@kline_1M": ("kline", "market", "1000PEPEUSDT", 250, "1M"),
    "btcusdt_perpetual@continuousKline_1m": ("continuousKline", "market", "BTCUSDT", 250, "1m"),
    "btcusdt@ticker": ("ticker", "market", "BTCUSDT", 2000, ""),
    "btcusdt@miniTicker": ("miniTicker", "market", "BTCUSDT", 2000, ""),
    "btcusdt@forceOrder": ("forceOrder", "market", "BTCUSDT", 1000, ""),
    "!markPrice@arr@1s": ("marks", "market", "", 1000, ""),
    "!miniTicker@arr": ("miniTickers", "market", "", 1000, ""),
    "!forceOrder@arr": ("forceOrder", "market", "", 1000, ""),
}


@pytest.mark.parametrize("stream", KNOWN)
def test_a_name_tells_content_route_and_pace(stream: str) -> None:
    """As published."""
    kind, route, symbol, every_ms, detail = KNOWN[stream]
    assert topic_of(stream) == Topic(
        kind=kind, route=route, symbol=symbol, every_ms=every_ms, detail=detail
    )


@pytest.mark.parametrize(
    "stream",
    [
        "BTCUSDT@bookTicker",
        "btcusdt",
        "btcusdt@depth7",
        "btcusdt@depth@200ms",
        "btcusdt@kline_7m",
        "btcusdt@kline_1minute",
        "btcusdt_current_quarter@continuousKline_1m",
        "!depth@arr",
        "",
    ],
)
def test_another_spelling_is_no_stream(stream: str) -> None:
    """Upper case, odd depths and paces, unknown bars."""
    assert topic_of(stream) is None


def test_every_interval_has_its_stream() -> None:
    """Minutes and months are told apart by their case only."""
    found = [topic_of(f"btcusdt@kline_{interval}") for interval in INTERVALS]
    assert [topic.detail for topic in found if topic] == list(INTERVALS)


class Ear:
    """A listener that keeps nothing."""

    def deliver(self, stream: str, payload: str) -> None:
        """Forget."""


def test_what_nobody_hears_is_not_listed() -> None:
    """A stream is there from its first listener to its last; watchers are told of the first."""
    listeners: Listeners[Ear] = Listeners()
    told: list[str] = []
    listeners.watchers.append(told.append)
    one, two = Ear(), Ear()
    listeners.add("a", one)
    listeners.add("a", two)
    listeners.remove("a", one)
    assert (listeners.streams, listeners.of("a"), told) == (("a",), (two,), ["a"])
    listeners.remove("a", two)
    listeners.remove("a", two)
    assert (listeners.streams, listeners.of("a")) == ((), ())
    listeners.add("a", one)
    assert told == ["a", "a"]
