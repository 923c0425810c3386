"""Requests: every documented refusal by its code, the history queries, weights and the ledger's `refused`."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, at

from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Exchange, UnknownSymbol
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.ledger import Ledger
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.server.auth import check_time


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000."""
    return Floor()


ENTRY = {
    "symbol": SYMBOL,
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "price": "89000.0",
}
EXIT = {"symbol": SYMBOL, "side": "SELL", "type": "MARKET", "quantity": "0.010"}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": SYMBOL,
    "side": "SELL",
    "type": "STOP_MARKET",
    "triggerPrice": "89000",
    "quantity": "0.010",
    "reduceOnly": "true",
}
TRAILING = {
    "algoType": "CONDITIONAL",
    "symbol": SYMBOL,
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "callbackRate": "1",
    "quantity": "0.010",
    "reduceOnly": "true",
}

REFUSALS = [
    ("order", ENTRY, {"symbol": "XYZUSDT"}, -1121),
    ("order", ENTRY, {"side": "LONG"}, -1117),
    ("order", ENTRY, {"type": "ICEBERG"}, -1116),
    ("order", ENTRY, {"type": "STOP_MARKET"}, -4120),
    ("order", ENTRY, {"timeInForce": "FOREVER"}, -1115),
    ("order", ENTRY, {"quantity": "ten"}, -1102),
    ("order", ENTRY, {"quantity": "1e-2"}, -1102),
    ("order", ENTRY, {"quantity": "0"}, -4003),
    ("order", ENTRY, {"quantity": "-1"}, -4003),
    ("order", ENTRY, {"quantity": "0.0105"}, -1111),
    ("order", ENTRY, {"quantity": "1001"}, -4005),
    ("order", EXIT, {"quantity": "121"}, -4005),
    ("order", ENTRY, {"price": "89000.005"}, -1111),
    ("order", ENTRY, {"price": "89000.05"}, -4014),
    ("order", ENTRY, {"price": "100.0"}, -4013),
    ("order", ENTRY, {"price": "5000000"}, -4002),
    ("order", ENTRY, {"price": "94600.0"}, -4016),
    ("order", ENTRY, {"side": "SELL", "price": "85000.0"}, -4024),
    ("order", ENTRY, {"price": "89000", "quantity": "0.000"}, -4003),
    ("order", {**ENTRY, "symbol": "ETHUSDT"}, {"quantity": "0.0001", "price": "3000"}, -1122),
    ("order", ENTRY, {"newClientOrderId": "a" * 37}, -4015),
    ("order", ENTRY, {"newClientOrderId": "with space"}, -4015),
    ("order", ENTRY, {"positionSide": "LONG"}, -4061),
    ("order", ENTRY, {"priceMatch": "OPPONENT_10"}, -5037),
    ("order", ENTRY, {"priceMatch": "QUEUE"}, -1106),
    ("order", {**ENTRY, "price": ""}, {"priceMatch": "OPPONENT_5"}, -5041),
    ("order", EXIT, {"priceMatch": "QUEUE"}, -5038),
    ("order", ENTRY, {"timeInForce": "GTE_GTC"}, -1115),
    ("order", ENTRY, {"goodTillDate": "1764939090000"}, -1106),
    ("order", ENTRY, {"timeInForce": "GTD"}, -1102),
    ("order", ENTRY, {"timeInForce": "GTD", "goodTillDate": "1764929690000"}, -5040),
    ("order", ENTRY, {"timeInForce": "GTD", "goodTillDate": "253402300799000"}, -5040),
    ("order", ENTRY, {"timeInForce": "FOK"}, -5021),
    ("order", ENTRY, {"selfTradePreventionMode": "MAYBE"}, -5039),
    ("order", ENTRY, {"newOrderRespType": "FULL"}, -1136),
    ("order", ENTRY, {"reduceOnly": "perhaps"}, -1102),
    ("order", ENTRY, {"reduceOnly": "true"}, -2022),
    ("order", EXIT, {"reduceOnly": "true"}, -2022),
    ("order", EXIT, {"price": "89000"}, -1106),
    ("order", EXIT, {"timeInForce": "GTC"}, -1106),
    ("algoOrder", STOP, {"algoType": "VP"}, -4500),
    ("algoOrder", STOP, {"type": "OCO"}, -1116),
    ("algoOrder", STOP, {"type": "TRAILING_STOP_MARKET"}, -1102),
    ("algoOrder", STOP, {"type": "TRAILING_STOP_MARKET", "callbackRate": "0.09"}, -2007),
    ("algoOrder", STOP, {"type": "TRAILING_STOP_MARKET", "callbackRate": "20.1"}, -2007),
    ("algoOrder", TRAILING, {"callbackRate": "0.68"}, -2007),
    ("algoOrder", TRAILING, {"activatePrice": "90000"}, -2021),
    ("algoOrder", TRAILING, {"triggerPrice": "90000"}, -2021),
    ("algoOrder", TRAILING, {"side": "BUY", "activatePrice": "90000"}, -2021),
    ("algoOrder", TRAILING, {"activatePrice": "0"}, -4135),
    ("algoOrder", TRAILING, {"activatePrice": "90100.05"}, -4014),
    ("algoOrder", TRAILING, {"quantity": "", "reduceOnly": "", "closePosition": "true"}, -4136),
    ("algoOrder", STOP, {"type": "STOP"}, -1102),
    ("algoOrder", STOP, {"type": "STOP", "price": "84500"}, -4184),
    ("algoOrder", STOP, {"type": "STOP", "price": "89000", "priceMatch": "QUEUE"}, -1106),
    ("algoOrder", STOP, {"priceMatch": "QUEUE"}, -5038),
    ("algoOrder", STOP, {"timeInForce": "GTE_GTC"}, -4509),
    ("algoOrder", STOP, {"goodTillDate": "1764939090000"}, -1106),
    ("algoOrder", STOP, {"timeInForce": "IOC"}, -1115),
    ("algoOrder", STOP, {"triggerPrice": "89000.05"}, -4014),
    ("algoOrder", STOP, {"quantity": "121"}, -4005),
    ("algoOrder", STOP, {"closePosition": "true"}, -1106),
    ("algoOrder", {**STOP, "reduceOnly": ""}, {"closePosition": "true"}, -4137),
    ("algoOrder", STOP, {"clientAlgoId": "no spaces"}, -4015),
    ("algoOrder", STOP, {"workingType": "INDEX"}, -1102),
]


@pytest.mark.parametrize(("name", "good", "change", "code"), REFUSALS)
def test_each_fault_has_its_code_and_leaves_no_order(
    floor: Floor, name: str, good: dict[str, str], change: dict[str, str], code: int
) -> None:
    """One fault in an otherwise good request: its code, no order, one `refused` record."""
    assert floor.code("POST", name, **{**good, **change}) == code
    assert not floor.kinds("order", "conditional")
    (refused,) = floor.kinds("refused")
    assert (refused["code"], refused["method"], refused["path"]) == (
        code,
        "POST",
        f"/fapi/v1/{name}",
    )


@pytest.mark.parametrize(
    ("quantity", "code"), [("0.009", -4004), ("0.012", -4023), ("0.010", None), ("0.015", None)]
)
def test_a_lot_is_at_least_the_minimum_and_on_the_step(quantity: str, code: int | None) -> None:
    """Where the step is coarser than the precision, the minimum and the step have codes of their own."""
    coarse = replace(INSTRUMENTS[SYMBOL], min_quantity=Decimal("0.010"), step_size=Decimal("0.005"))
    if code is None:
        checks.quantity(Decimal(quantity), coarse, at_market=False)
        return
    with pytest.raises(Refusal) as refusal:
        checks.quantity(Decimal(quantity), coarse, at_market=False)
    assert refusal.value.code == code


def test_minimum_notional_spares_reduce_only(floor: Floor) -> None:
    """0.001 BTC at 45 USDT would be -4164 for an entry; the same size may always reduce."""
    floor.buy("0.010")
    floor.advance(at("45000.0"))
    small = {"symbol": SYMBOL, "side": "SELL", "type": "MARKET", "quantity": "0.001"}
    reply = floor.request("POST", "order", **small)
    assert (reply.body["code"], "no smaller than 50" in reply.body["msg"]) == (-4164, True)
    floor.ok("POST", "order", **small, reduceOnly="true")


@pytest.mark.parametrize("name", ["symbol", "side", "type", "timeInForce", "quantity", "price"])
def test_a_missing_parameter_is_named_in_lower_case(floor: Floor, name: str) -> None:
    """-1102 says which parameter is missing, spelled as the exchange spells it."""
    params = {key: value for key, value in ENTRY.items() if key != name}
    reply = floor.request("POST", "order", **params)
    assert reply.body["code"] == -1102
    assert f"'{name.lower()}'" in reply.body["msg"]


@pytest.mark.parametrize("name", ["algoType", "symbol", "side", "type", "triggerPrice", "quantity"])
def test_a_missing_conditional_parameter_is_named_too(floor: Floor, name: str) -> None:
    """The same holds for conditional orders."""
    params = {key: value for key, value in STOP.items() if key != name}
    reply = floor.request("POST", "algoOrder", **params)
    assert (reply.body["code"], f"'{name.lower()}'" in reply.body["msg"]) == (-1102, True)


def test_cancel_and_query_of_what_is_not_there(floor: Floor) -> None:
    """A cancel of nothing is -2011, a query -2013, without any id -1102."""
    nothing = {"symbol": SYMBOL, "origClientOrderId": "none"}
    assert floor.code("DELETE", "order", **nothing) == -2011
    assert floor.code("GET", "order", **nothing) == -2013
    assert floor.code("GET", "openOrder", **nothing) == -2013
    assert floor.code("GET", "order", symbol=SYMBOL) == -1102
    assert floor.code("DELETE", "algoOrder", symbol=SYMBOL) == -1102


def test_a_cancelled_order_is_found_and_cannot_be_cancelled_again(floor: Floor) -> None:
    """The finished order answers queries; openOrder no longer knows it."""
    floor.ok("POST", "order", **ENTRY, newClientOrderId="e")
    answer = floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="e")
    assert (answer["status"], "avgPrice" in answer) == ("CANCELED", False)
    assert floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="e")["status"] == "CANCELED"
    assert floor.code("GET", "openOrder", symbol=SYMBOL, origClientOrderId="e") == -2013
    assert floor.code("DELETE", "order", symbol=SYMBOL, origClientOrderId="e") == -2011


def test_histories_are_windows_of_a_week(floor: Floor) -> None:
    """Trades and orders can be paged by id or by time; a window over a week is -4165."""
    for _ in range(3):
        floor.buy("0.010")
    trades = floor.ok("GET", "userTrades", symbol=SYMBOL)
    assert [trade["qty"] for trade in trades] == ["0.01"] * 3
    second = trades[1]
    assert floor.ok("GET", "userTrades", symbol=SYMBOL, fromId=str(second["id"]))[0] == second
    assert floor.ok("GET", "userTrades", symbol=SYMBOL, orderId=str(second["orderId"])) == [second]
    assert floor.ok("GET", "userTrades", symbol=SYMBOL, limit="1") == [trades[2]]
    orders = floor.ok("GET", "allOrders", symbol=SYMBOL, orderId=str(second["orderId"]))
    assert [order["orderId"] for order in orders] == [trades[1]["orderId"], trades[2]["orderId"]]
    assert floor.ok("GET", "userTrades", symbol=SYMBOL, endTime=str(START_MS)) == []
    wide = {"startTime": "1", "endTime": str(8 * 86_400_000)}
    assert floor.code("GET", "userTrades", symbol=SYMBOL, **wide) == -4165
    conditional = floor.ok("POST", "algoOrder", **STOP)
    (row,) = floor.ok("GET", "allAlgoOrders", symbol=SYMBOL)
    assert row["algoId"] == conditional["algoId"]


def test_weights_and_order_counts_follow_the_table(floor: Floor) -> None:
    """Placements count as orders and not as weight; lists without a symbol cost forty."""
    first = floor.request("GET", "openOrders").counts
    assert floor.request("GET", "openOrders").counts.weight_1m - first.weight_1m == 40
    placed = floor.request("POST", "order", **ENTRY)
    assert placed.headers == {
        "X-MBX-USED-WEIGHT-1M": str(first.weight_1m + 40),
        "X-MBX-ORDER-COUNT-10S": "1",
        "X-MBX-ORDER-COUNT-1M": "1",
    }
    floor.now_ms += 60_000
    assert floor.request("GET", "time").headers == {"X-MBX-USED-WEIGHT-1M": "1"}


def test_exchange_info_says_what_is_enforced(floor: Floor) -> None:
    """The filters of the answer are the numbers the checks use; a symbol without a market is pending."""
    symbols = {row["symbol"]: row for row in floor.ok("GET", "exchangeInfo")["symbols"]}
    filters = {row["filterType"]: row for row in symbols[SYMBOL]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.10"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    assert filters["MARKET_LOT_SIZE"]["maxQty"] == "120"
    assert filters["MIN_NOTIONAL"]["notional"] == "50"
    assert (symbols[SYMBOL]["status"], symbols["ETHUSDT"]["status"]) == (
        "TRADING",
        "PENDING_TRADING",
    )


@pytest.mark.parametrize("symbol", list(INSTRUMENTS))
def test_every_instrument_has_continuous_brackets(symbol: str) -> None:
    """Brackets touch, leverage falls, and maintenance margin has no jump at a bracket's edge."""
    rows = INSTRUMENTS[symbol].brackets
    for lower, upper in pairwise(rows):
        assert lower.cap == upper.floor
        assert lower.leverage > upper.leverage
        assert lower.cap * lower.ratio - lower.cum == upper.floor * upper.ratio - upper.cum


def test_market_answers_tell_the_step(floor: Floor) -> None:
    """Mark price, best bid and ask and last price come from the current step."""
    assert floor.ok("GET", "premiumIndex", symbol=SYMBOL)["markPrice"] == "90000.00000000"
    assert floor.ok("GET", "ticker/price", symbol=SYMBOL)["price"] == "90000"
    quote = floor.ok("GET", "ticker/bookTicker", symbol=SYMBOL)
    assert (quote["bidPrice"], quote["askPrice"]) == ("89999.9", "90000.1")
    assert len(floor.ok("GET", "premiumIndex")) == 1
    assert floor.code("GET", "premiumIndex", symbol="ETHUSDT") == -1122


def test_an_unknown_path_is_named(floor: Floor) -> None:
    """404 with -5000, the path and the method."""
    reply = floor.request("GET", "algoOrders")
    assert (reply.status, reply.body["code"]) == (404, -5000)
    assert "/fapi/v1/algoOrders" in reply.body["msg"]


def test_a_symbol_outside_the_table_is_refused_at_the_start() -> None:
    """The message names the symbol and the known ones."""
    with pytest.raises(UnknownSymbol, match=r"'XYZUSDT'.*BTCUSDT"):
        Exchange(symbols=["XYZUSDT"], balance=Decimal(1), account="t", now_ms=1)


def test_the_ledger_opens_counts_and_closes(floor: Floor) -> None:
    """`opened` is first, sequence numbers have no gap, time never runs backwards."""
    floor.exchange.serving(on=True, now_ms=floor.now_ms)
    floor.buy("0.010")
    floor.exchange.serving(on=False, now_ms=floor.now_ms - 5_000)
    floor.exchange.close(floor.now_ms)
    records = floor.records
    assert records[0] == {
        "seq": 1,
        "t": START_MS,
        "kind": "opened",
        "schema": 1,
        "account": "t",
        "balance": "10000",
        "symbols": [SYMBOL, "ETHUSDT"],
        "origin_ms": START_MS,
    }
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    times = [record["t"] for record in records]
    assert times == sorted(times)
    assert [record["kind"] for record in records[-2:]] == ["serving", "closed"]


def test_the_ledger_refuses_time_that_runs_backwards() -> None:
    """An earlier record is an error, not a silent lie."""
    ledger = Ledger()
    ledger.append("serving", 2, on=True)
    with pytest.raises(ValueError, match="backwards"):
        ledger.append("serving", 1, on=False)


def test_subscribers_of_the_ledger_see_every_record() -> None:
    """A subscriber gets what is appended after it subscribed, in order."""
    ledger, seen = Ledger(), list[object]()
    ledger.append("serving", 1, on=True)
    ledger.subscribe(seen.append)
    record = ledger.append("closed", 2)
    assert seen == [record]


@pytest.mark.parametrize(
    ("timestamp", "accepted"), [(10_999, True), (11_000, False), (5_000, True), (4_999, False)]
)
def test_the_receive_window_is_exact_to_the_millisecond(timestamp: int, *, accepted: bool) -> None:
    """At 10000 ms: less than a second ahead, at most 5000 ms old."""
    params = Params({"timestamp": str(timestamp)})
    if accepted:
        check_time(params, 10_000)
        return
    with pytest.raises(Refusal, match="-1021"):
        check_time(params, 10_000)
