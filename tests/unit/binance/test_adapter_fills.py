"""Executions since a moment: windows of seven days, full pages, three months."""

import itertools
from typing import Any

import pytest
from tests.unit.binance import samples
from tests.unit.binance.venue import Asked, PatientClock, Venue

from jumar.exchange.binance import BinanceExchange

PATH = "/fapi/v1/userTrades"
DAY_MS = 24 * 60 * 60 * 1000


def _trade(number: int, time_ms: int) -> dict[str, Any]:
    return samples.USER_TRADE | {"id": number, "time": time_ms}


@pytest.mark.rule("X-6")
async def test_recent_fills_take_one_question(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A short span is one window; the list comes back oldest first."""
    now = clock.now_ms()
    venue.route("GET", PATH, [_trade(8, now), _trade(7, now - 5)])
    found = await exchange.fills("BTCUSDT", now - 1000)
    assert [fill.trade_id for fill in found] == [7, 8]
    (asked,) = venue.requests("GET", PATH)
    assert int(asked.query["startTime"]) == now - 1000
    assert int(asked.query["endTime"]) >= now
    assert "fromId" not in asked.query


async def test_a_long_span_is_asked_in_windows(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """No window is longer than seven days, none is left out, and three months are the most."""
    now = clock.now_ms()
    venue.route("GET", PATH, [])
    assert await exchange.fills("BTCUSDT", now - 400 * DAY_MS) == ()
    spans = [
        (int(one.query["startTime"]), int(one.query["endTime"]))
        for one in venue.requests("GET", PATH)
    ]
    assert all(end - start <= 7 * DAY_MS for start, end in spans)
    pairs = itertools.pairwise(spans)
    assert all(following == end + 1 for (_, end), (following, _) in pairs)
    assert 88 * DAY_MS < now - spans[0][0] < 90 * DAY_MS
    assert spans[-1][1] >= now


@pytest.mark.rule("X-6")
@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_full_page_loses_nothing(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, *, newest_first: bool
) -> None:
    """Whichever end of a window a full page leaves out, every execution is found; ids are never sent with times."""
    start = clock.now_ms() - 10_000
    rows = [_trade(number, start + number) for number in range(1, 2501)]

    def play(asked: Asked) -> list[dict[str, Any]]:
        query = {name: int(value) for name, value in asked.query.items() if value.isdecimal()}
        if "fromId" in query:
            assert not query.keys() & {"startTime", "endTime"}
            return [row for row in rows if row["id"] >= query["fromId"]][:1000]
        found = [row for row in rows if query["startTime"] <= row["time"] <= query["endTime"]]
        return found[-1000:] if newest_first else found[:1000]

    venue.route("GET", PATH, play)
    found = await exchange.fills("BTCUSDT", start)
    assert [fill.trade_id for fill in found] == list(range(1, 2501))
    assert len(venue.requests("GET", PATH)) <= 5


async def test_many_executions_of_one_millisecond_are_continued_by_id(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """More executions in one millisecond than a page holds do not end the reading and are not repeated."""
    now = clock.now_ms()

    def play(asked: Asked) -> list[dict[str, Any]]:
        first = int(asked.query.get("fromId", "1"))
        return [_trade(number, now) for number in range(first, 2501)][:1000]

    venue.route("GET", PATH, play)
    found = await exchange.fills("BTCUSDT", now - 1000)
    assert [fill.trade_id for fill in found] == list(range(1, 2501))


async def test_a_venue_that_repeats_its_page_is_asked_no_more(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A full page without a new execution ends the reading, backwards and forwards."""
    now = clock.now_ms()
    venue.route("GET", PATH, [_trade(number, now) for number in range(1, 1001)])
    assert len(await exchange.fills("BTCUSDT", now - 1000)) == 1000
    assert len(venue.requests("GET", PATH)) == 3
