"""What anybody may ask: the book, trades, bars, tickers, their weights and their refusals."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, at, step

from jumar.exchange.simulated.core.api.history import DEPTH_WEIGHTS
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.market import Print
from jumar.exchange.simulated.core.terms import Terms

MINUTE = 60_000
ORIGIN = START_MS - START_MS % MINUTE + MINUTE


def bought(price: str, quantity: str, side: str = "BUY") -> Print:
    """One public trade."""
    return Print(price=Decimal(price), quantity=Decimal(quantity), taker_side=side)


@pytest.fixture
def floor() -> Floor:
    """Five levels a side, and six trades in three minutes: prices 90000 to 90005, quantity 1 to 6."""
    floor = Floor()
    bids = tuple((f"{89_999 - n}.9", str(n + 1)) for n in range(7))
    asks = tuple((f"{90_000 + n}.1", str(n + 1)) for n in range(7))
    for number in range(6):
        price = f"{90_000 + number}.0"
        book = step(bids=bids, asks=asks, last=price)
        done = bought(price, str(number + 1), "SELL" if number % 2 else "BUY")
        floor.now_ms = ORIGIN + number * 30_000 + 20_000
        floor.advance(replace(book, prints=(done,)), ms=0)
    return floor


def test_depth_tells_the_book_and_its_update_id(floor: Floor) -> None:
    """Best first, as many levels as asked for, an id that grows with the market."""
    book = floor.ok("GET", "depth", symbol=SYMBOL, limit="5")
    assert book.keys() == {"lastUpdateId", "E", "T", "bids", "asks"}
    assert book["bids"][:2] == [["89999.9", "1"], ["89998.9", "2"]]
    assert book["asks"][0] == ["90000.1", "1"]
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    assert len(floor.ok("GET", "depth", symbol=SYMBOL)["asks"]) == 7
    floor.advance(at("90010.0"))
    assert floor.ok("GET", "depth", symbol=SYMBOL)["lastUpdateId"] > book["lastUpdateId"]


def test_a_bar_has_twelve_places_in_their_order(floor: Floor) -> None:
    """Times as numbers, prices and volumes as text; the last row is the open bar."""
    rows = floor.ok("GET", "klines", symbol=SYMBOL, interval="1m")
    assert rows[-1] == [
        ORIGIN + 2 * MINUTE,
        "90004",
        "90005",
        "90004",
        "90005",
        "11",
        ORIGIN + 3 * MINUTE - 1,
        str(90_004 * 5 + 90_005 * 6),
        2,
        "5",
        str(90_004 * 5),
        "0",
    ]
    assert [(row[0] - ORIGIN) // MINUTE for row in rows] == [-1, 0, 1, 2]


def test_bars_can_be_cut_by_time_and_limit(floor: Floor) -> None:
    """A startTime gives the first, endTime the last; a time to come is now."""

    def opened(**params: str) -> list[int]:
        rows = floor.ok("GET", "klines", symbol=SYMBOL, interval="1m", **params)
        return [(row[0] - ORIGIN) // MINUTE for row in rows]

    assert opened(limit="1") == [2]
    assert opened(startTime=str(ORIGIN), limit="2") == [0, 1]
    assert opened(startTime="0", endTime=str(ORIGIN + MINUTE)) == [-1, 0, 1]
    assert opened(endTime=str(ORIGIN + MINUTE), limit="1") == [1]
    assert opened(startTime=str(10**17)) == []
    assert opened(endTime=str(10**17)) == [-1, 0, 1, 2]


def test_recent_and_aggregated_trades_agree(floor: Floor) -> None:
    """The same ids, prices and takers; the limit keeps the latest."""
    recent = floor.ok("GET", "trades", symbol=SYMBOL, limit="2")
    assert recent[-1] == {
        "id": 6,
        "price": "90005",
        "qty": "6",
        "quoteQty": str(90_005 * 6),
        "time": ORIGIN + 170_000,
        "isBuyerMaker": True,
        "isRPITrade": False,
    }
    latest = floor.ok("GET", "aggTrades", symbol=SYMBOL, limit="2")
    assert [row["a"] for row in latest] == [row["id"] for row in recent] == [5, 6]
    assert latest[-1] == {
        "a": 6,
        "p": "90005",
        "q": "6",
        "nq": "6",
        "f": 6,
        "l": 6,
        "T": ORIGIN + 170_000,
        "m": True,
    }


def test_aggregated_trades_from_an_id_or_a_time(floor: Floor) -> None:
    """An id and a start give the first ones after them, an end alone the last ones before it."""

    def ids(**params: str) -> list[int]:
        return [row["a"] for row in floor.ok("GET", "aggTrades", symbol=SYMBOL, **params)]

    assert ids(fromId="3", limit="2") == [3, 4]
    assert ids(startTime=str(ORIGIN + 50_000), limit="2") == [2, 3]
    assert ids(endTime=str(ORIGIN + 110_000), limit="2") == [3, 4]
    assert ids(startTime=str(ORIGIN + 50_000), endTime=str(ORIGIN + 80_000)) == [2, 3]


def test_old_trades_from_an_id_on(floor: Floor) -> None:
    """From an id the first ones, without one the latest, as `trades` spells them."""
    recent = floor.ok("GET", "trades", symbol=SYMBOL)
    assert floor.ok("GET", "historicalTrades", symbol=SYMBOL) == recent
    assert floor.ok("GET", "historicalTrades", symbol=SYMBOL, limit="2") == recent[-2:]
    old = floor.ok("GET", "historicalTrades", symbol=SYMBOL, fromId="2", limit="3")
    assert [row["id"] for row in old] == [2, 3, 4]
    assert floor.ok("GET", "historicalTrades", symbol=SYMBOL, fromId="7") == []


def test_the_days_ticker(floor: Floor) -> None:
    """Change, average, extremes, sums and ids of the last 24 hours, of one symbol or of all."""
    row = floor.ok("GET", "ticker/24hr", symbol=SYMBOL)
    value = sum((90_000 + n) * (n + 1) for n in range(6))
    assert row == {
        "symbol": SYMBOL,
        "priceChange": "5",
        "priceChangePercent": "0.006",
        "weightedAvgPrice": f"{value / Decimal(21):.8f}",
        "lastPrice": "90005",
        "lastQty": "6",
        "openPrice": "90000",
        "highPrice": "90005",
        "lowPrice": "90000",
        "volume": "21",
        "quoteVolume": str(value),
        "openTime": row["openTime"],
        "closeTime": floor.now_ms,
        "firstId": 1,
        "lastId": 6,
        "count": 6,
    }
    assert 0 <= row["openTime"] - (floor.now_ms - 86_400_000) <= MINUTE
    assert [other["symbol"] for other in floor.ok("GET", "ticker/24hr")] == [SYMBOL]


def test_a_day_without_trades_has_no_ids() -> None:
    """A market that only stands has a price, no volume and the ids -1."""
    row = Floor().ok("GET", "ticker/24hr", symbol=SYMBOL)
    assert (row["lastPrice"], row["volume"], row["count"]) == ("90000", "0", 0)
    assert (row["firstId"], row["lastId"], row["lastQty"]) == (-1, -1, "0")
    assert row["weightedAvgPrice"] == "0.00000000"


ONE = {"symbol": SYMBOL}
BARS = {**ONE, "interval": "1m"}
REFUSALS: list[tuple[str, dict[str, str], int]] = [
    ("depth", {}, -1102),
    ("depth", {"symbol": "XYZUSDT"}, -1121),
    ("depth", {"symbol": "ETHUSDT"}, -1122),
    ("depth", {**ONE, "limit": "7"}, -4021),
    ("depth", {**ONE, "limit": "1500"}, -1130),
    ("depth", {**ONE, "limit": "ten"}, -1102),
    ("klines", ONE, -1102),
    ("klines", {**ONE, "interval": "7m"}, -1120),
    ("klines", {**BARS, "limit": "0"}, -1130),
    ("klines", {**BARS, "limit": "1501"}, -1130),
    ("klines", {**BARS, "startTime": "noon"}, -1102),
    ("klines", {**BARS, "startTime": "2", "endTime": "1"}, -1023),
    ("trades", {**ONE, "limit": "1001"}, -1130),
    ("aggTrades", {**ONE, "limit": "1001"}, -1130),
    ("historicalTrades", {**ONE, "limit": "501"}, -1130),
    ("aggTrades", {**ONE, "fromId": "first"}, -1102),
    ("aggTrades", {**ONE, "startTime": "0", "endTime": "3600001"}, -1127),
    ("ticker/24hr", {"symbol": "XYZUSDT"}, -1121),
    ("ticker/price", {"symbol": "XYZUSDT"}, -1121),
    ("premiumIndex", {"symbol": "ETHUSDT"}, -1122),
]


@pytest.mark.parametrize(("name", "params", "code"), REFUSALS)
def test_bad_parameters_have_their_codes(
    floor: Floor, name: str, params: dict[str, str], code: int
) -> None:
    """Each fault by its own code."""
    assert floor.code("GET", name, **params) == code


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("depth", {**ONE, "limit": "7"}, "7 is not valid depth limit."),
        ("klines", {**BARS, "limit": "0"}, "Data sent for parameter 'limit' is not valid."),
        ("klines", {**BARS, "endTime": "x"}, "'endtime'"),
        ("klines", ONE, "'interval'"),
    ],
)
def test_a_refusal_names_the_parameter(
    floor: Floor, name: str, params: dict[str, str], words: str
) -> None:
    """The text says which one it was."""
    assert words in floor.request("GET", name, **params).body["msg"]


def weight(floor: Floor, path: str, **params: str) -> int:
    """The weight of one request by the table."""
    route = floor.exchange.route("GET", path)
    assert route is not None
    return route.weight(Params(params))


def test_weights_follow_limit_and_symbol(floor: Floor) -> None:
    """As published; a request that will be refused weighs, too."""
    found = {
        limit: weight(floor, "/fapi/v1/depth", limit=str(limit)) for limit in (*DEPTH_WEIGHTS, 7)
    }
    assert found == {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20, 7: 20}
    assert weight(floor, "/fapi/v1/depth") == 10
    bars = {
        limit: weight(floor, "/fapi/v1/klines", limit=limit)
        for limit in ("99", "100", "499", "500", "1000", "1001", "many")
    }
    assert list(bars.values()) == [1, 2, 2, 5, 5, 10, 10]
    assert weight(floor, "/fapi/v1/klines") == 5
    for path, one, every in (
        ("/fapi/v1/ticker/24hr", 1, 40),
        ("/fapi/v1/ticker/price", 1, 2),
        ("/fapi/v2/ticker/price", 1, 2),
        ("/fapi/v1/ticker/bookTicker", 2, 5),
        ("/fapi/v1/premiumIndex", 1, 10),
        ("/fapi/v1/aggTrades", 20, 20),
        ("/fapi/v1/trades", 5, 5),
    ):
        assert (weight(floor, path, symbol=SYMBOL), weight(floor, path)) == (one, every)


@pytest.mark.parametrize(
    "path",
    [
        "/fapi/v1/ticker/price",
        "/fapi/v2/ticker/price",
        "/fapi/v1/ticker/bookTicker",
        "/fapi/v1/ticker/24hr",
        "/fapi/v1/premiumIndex",
    ],
)
def test_one_symbol_is_an_object_and_all_are_a_list(floor: Floor, path: str) -> None:
    """With a symbol one row, without one a list of such rows."""
    one = floor.ok("GET", path, symbol=SYMBOL)
    (row,) = floor.ok("GET", path)
    assert row.keys() == one.keys()


def test_the_rate_of_the_next_funding_is_told() -> None:
    """With eight decimals, for a time on the next eight hours' boundary."""
    floor = Floor()
    assert floor.ok("GET", "premiumIndex", symbol=SYMBOL)["lastFundingRate"] == "0.00000000"
    floor.exchange._engine.account.terms = Terms(funding_rate=Decimal("0.0001"))
    row = floor.ok("GET", "premiumIndex", symbol=SYMBOL)
    assert row["lastFundingRate"] == "0.00010000"
    assert 0 < row["nextFundingTime"] - row["time"] <= 8 * 3_600_000
    assert row["nextFundingTime"] % (8 * 3_600_000) == 0


def test_what_clients_of_the_whole_exchange_ask_first(floor: Floor) -> None:
    """Spot's ping and time, and two lists that are empty here."""
    answers: list[Any] = [
        floor.ok("GET", path)
        for path in (
            "/api/v3/ping",
            "/api/v3/time",
            "/sapi/v1/capital/config/getall",
            "/sapi/v1/margin/allPairs",
        )
    ]
    assert answers == [{}, {"serverTime": floor.now_ms - 2}, [], []]


def test_exchange_info_lists_what_can_be_ordered(floor: Floor) -> None:
    """Every type and every time in force that an order may have, and the request limits."""
    info = floor.ok("GET", "exchangeInfo")
    assert [row["rateLimitType"] for row in info["rateLimits"]] == [
        "REQUEST_WEIGHT",
        "ORDERS",
        "ORDERS",
    ]
    assert [row["asset"] for row in info["assets"]] == ["USDT"]
    symbol = info["symbols"][0]
    assert symbol["orderTypes"] == [
        "LIMIT",
        "MARKET",
        "STOP",
        "STOP_MARKET",
        "TAKE_PROFIT",
        "TAKE_PROFIT_MARKET",
        "TRAILING_STOP_MARKET",
    ]
    assert symbol["timeInForce"] == ["GTC", "IOC", "FOK", "GTX", "GTD"]
    assert "RPI" in symbol["permissionSets"]
