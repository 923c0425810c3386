"""What the demo's decision system sees in past prices: swings of the path, zones behind them, in a file the engine reads."""

from decimal import Decimal
from typing import Any

import msgspec

from jumar.decisions.levels import decode_levels
from jumar.model.levels import MarketLevels, SwingKind
from jumar.ops.demo.chart import Chart
from jumar.ops.demo.strategy import Idea, Quote

D = Decimal
BEGIN_MS = 1_746_360_000_000  # 2025-05-04T12:00:00Z
AS_OF = "2025-05-04T18:00:00Z"
#: The price at each quarter of an hour: a high of 101 000 in the fourth, a low of 99 000 in the eighth.
QUARTERS = (100_000, 100_300, 100_600, 101_000, 100_500, 100_000, 99_500, 99_000, 99_400, 99_800, 100_000)  # fmt: skip


def quote(minute: float, price: int, speed: float) -> Quote:
    """A quote one tick wide."""
    path_ms = minute * 60_000
    at_ms = BEGIN_MS + int(path_ms / speed)
    return Quote(path_ms=path_ms, at_ms=at_ms, bid=D(price), ask=D(price) + D("0.1"))


def seen(speed: float = 1.0) -> tuple[Chart, Quote]:
    """A chart of the example's prices, and the last quote."""
    chart = Chart(speed)
    for quarter, price in enumerate(QUARTERS):
        for minute in range(15):
            chart.see(quote(quarter * 15 + minute, price, speed))
    return chart, quote(len(QUARTERS) * 15, QUARTERS[-1], speed)


def read(chart: Chart, now: Quote) -> MarketLevels:
    """The levels as the engine reads them."""
    block: dict[str, Any] = chart.levels(now, AS_OF)
    encoder = msgspec.json.Encoder(decimal_format="number")
    data = encoder.encode({"symbols": {"BTCUSDT": block}})
    (received,) = decode_levels(data, symbols=("BTCUSDT",))
    assert received.errors == () and received.levels is not None
    return received.levels


def test_swings_of_the_path_stand_in_exchange_time() -> None:
    """The high and the low are found when two bars stand on either side; at ten times the speed ten times closer."""
    for speed in (1.0, 10.0):
        levels = read(*seen(speed))
        (high,) = [s for s in levels.swings if s.kind is SwingKind.HIGH and s.timeframe == "15m"]
        (low,) = [s for s in levels.swings if s.kind is SwingKind.LOW and s.timeframe == "15m"]
        assert (high.price, low.price) == (D("101000.1"), D(99_000))
        assert high.time_ms == BEGIN_MS + int(3 * 15 * 60_000 / speed)
        assert low.time_ms == BEGIN_MS + int(7 * 15 * 60_000 / speed)


def test_zones_lie_behind_the_swings_that_still_hold() -> None:
    """One above the high, one below the low, the newer swing's the stronger: cluster_1 is below."""
    levels = read(*seen())
    first, second = levels.zones
    assert (first.id, second.id) == ("cluster_1", "cluster_2")
    assert first.high < 99_000 and second.low > 101_000
    assert not first.explicit and first.strength > second.strength


def test_a_zone_that_the_price_has_passed_is_gone() -> None:
    """Above the high only the zone below is left."""
    chart, _ = seen()
    levels = read(chart, quote(len(QUARTERS) * 15, 102_000, 1.0))
    assert [zone.high < 100_000 for zone in levels.zones] == [True]


def test_the_zone_ahead_is_named_as_the_engine_names_it() -> None:
    """A long names the zone above, a short the one below; none beyond the last target."""
    chart, now = seen()
    levels = read(chart, now)
    names = {}
    for sign, reach in ((1, 2_000), (-1, 2_000), (1, 500)):
        entry = D(100_000)
        idea = Idea(
            sign=sign,
            zone_min=entry,
            zone_max=entry,
            stop=entry - sign * 400,
            tp1=entry + sign * 800,
            tp2=entry + sign * reach,
            since_ms=0,
        )
        names[sign, reach] = chart.zone_ahead(now, idea)
    long_zone, short_zone = levels.zone(names[1, 2_000] or ""), levels.zone(names[-1, 2_000] or "")
    assert long_zone is not None and long_zone.low > 101_000
    assert short_zone is not None and short_zone.high < 99_000
    assert names[1, 500] is None
