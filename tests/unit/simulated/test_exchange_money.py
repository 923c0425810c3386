"""Money that moves by itself: funding, liquidation, auto-deleveraging, fees in BNB; and nothing is ever lost."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, at, step

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.terms import USUAL_TERMS, Terms
from jumar.exchange.simulated.core.treasury import FUNDING_MS
from jumar.exchange.simulated.judge import judge

TO_FUNDING_MS = FUNDING_MS - START_MS % FUNDING_MS


@pytest.fixture
def floor() -> Floor:
    """An exchange that funds and liquidates; isolated at 3x, at 90000."""
    return Floor(terms=USUAL_TERMS)


def crossed(leverage: str = "20", **terms: Any) -> Floor:
    """The same with crossed margin."""
    floor = Floor(terms=Terms(**{"liquidation": True, **terms}))
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage=leverage)
    floor.events.clear()
    return floor


def income(floor: Floor, *kinds: str) -> list[tuple[str, str]]:
    """Kind and amount of every income row, oldest first; only these kinds, if any are named."""
    rows = floor.ok("GET", "income", startTime=str(START_MS), limit="1000")
    found = [(row["incomeType"], row["income"]) for row in rows]
    return [row for row in found if not kinds or row[0] in kinds]


def updates(floor: Floor, reason: str) -> list[dict[str, Any]]:
    """The bodies of the account updates of one reason."""
    events = [event["a"] for event in floor.events if event["e"] == "ACCOUNT_UPDATE"]
    return [body for body in events if body["m"] == reason]


def test_a_long_pays_funding_once_at_its_time(floor: Floor) -> None:
    """0.010 BTC at a mark of 90000 costs 0.09 USDT at 08:00 UTC: wallet, isolated wallet, event, ledger, income."""
    floor.buy("0.010")
    wallet, own = floor.wallet(), Decimal(floor.position()["isolatedWallet"])
    floor.advance(at("90000.0"), ms=TO_FUNDING_MS)
    floor.advance(at("90000.0"))
    assert income(floor, "FUNDING_FEE") == [("FUNDING_FEE", "-0.09")]
    assert floor.wallet() == wallet - Decimal("0.09")
    assert Decimal(floor.position()["isolatedWallet"]) == own - Decimal("0.09")
    (body,) = updates(floor, "FUNDING_FEE")
    assert (body["S"], body["B"][0]["bc"], len(body["P"])) == (SYMBOL, "-0.09", 1)
    (record,) = floor.kinds("money")
    assert (record["income"], record["amount"]) == ("FUNDING_FEE", "-0.09")
    assert Decimal(record["wallet"]) == floor.wallet()


def test_a_crossed_short_is_paid_and_sees_no_position_in_the_event() -> None:
    """Funding of crossed margin tells the balance only."""
    floor = crossed(funding_rate=Decimal("0.0001"))
    floor.ok("POST", "order", **floor.market("SELL", "0.010"))
    floor.advance(at("90000.0"), ms=TO_FUNDING_MS)
    assert income(floor, "FUNDING_FEE") == [("FUNDING_FEE", "0.09")]
    assert updates(floor, "FUNDING_FEE")[0]["P"] == []


def test_nothing_is_funded_without_a_position_or_a_rate(floor: Floor) -> None:
    """A flat account and an account without terms pass the funding time untouched."""
    plain = Floor()
    plain.buy("0.010")
    for each in (floor, plain):
        each.advance(at("90000.0"), ms=TO_FUNDING_MS)
        assert income(each, "FUNDING_FEE") == []


def test_an_isolated_position_without_margin_is_taken(floor: Floor) -> None:
    """At its liquidation price the long is closed by `autoclose-…`, told as CALCULATED, listed as a forced order."""
    floor.buy("0.010")
    edge = Decimal(floor.position()["liquidationPrice"])
    floor.advance(at(str((edge + 1).quantize(Decimal("0.1")))))
    assert floor.position()["positionAmt"] == "0.01"
    floor.advance(at(str((edge - 1).quantize(Decimal("0.1")))))
    assert floor.position()["positionAmt"] == "0"
    (row,) = floor.ok("GET", "forceOrders", autoCloseType="LIQUIDATION")
    assert row["clientOrderId"].startswith("autoclose-")
    assert (row["status"], row["side"], row["type"]) == ("FILLED", "SELL", "LIMIT")
    orders = [event["o"] for event in floor.events if event["e"] == "ORDER_TRADE_UPDATE"]
    last = [order for order in orders if order["c"] == row["clientOrderId"]][-1]
    assert (last["x"], last["X"], last["er"]) == ("CALCULATED", "FILLED", "5")
    assert floor.ok("GET", "forceOrders", autoCloseType="ADL") == []


def test_a_liquidated_isolated_position_costs_its_own_margin_at_most(floor: Floor) -> None:
    """A gap far through the bankruptcy price: the insurance fund pays what is missing, no more."""
    before = floor.wallet()
    floor.buy("0.010")
    own = Decimal(floor.position()["isolatedWallet"])
    free = floor.wallet() - own
    floor.advance(at("30000.0"))
    assert floor.wallet() == free
    assert before - floor.wallet() < Decimal(301)
    (cleared,) = income(floor, "INSURANCE_CLEAR")
    assert Decimal(cleared[1]) > 0


def test_what_is_left_of_the_margin_pays_the_clearance_fee(floor: Floor) -> None:
    """Just inside the maintenance margin: 1.25 % of the notional are wanted, what is left is taken."""
    floor.buy("0.010")
    free = floor.wallet() - Decimal(floor.position()["isolatedWallet"])
    edge = Decimal(floor.position()["liquidationPrice"])
    floor.advance(at(str((edge - 1).quantize(Decimal("0.1")))))
    (cleared,) = income(floor, "INSURANCE_CLEAR")
    assert Decimal(cleared[1]) < 0
    assert floor.wallet() == free
    (body,) = updates(floor, "INSURANCE_CLEAR")
    assert Decimal(body["B"][0]["wb"]) == floor.wallet()


def test_resting_orders_expire_before_a_liquidation(floor: Floor) -> None:
    """They end with `er` 5, by the exchange."""
    floor.buy("0.010")
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "93000.0"))
    floor.advance(at("45000.0"))
    expired = [
        event["o"]
        for event in floor.events
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["X"] == "EXPIRED"
    ]
    assert [(order["p"], order["er"]) for order in expired] == [("93000", "5")]
    assert floor.ok("GET", "openOrders") == []


def test_crossed_margin_stands_for_all_and_the_wallet_never_falls_below_zero() -> None:
    """At 20x with the whole wallet behind it, a five per cent fall is survived, a gap is not."""
    floor = crossed()
    floor.buy("1.000")
    floor.advance(at("85500.0"))
    assert floor.position()["positionAmt"] == "1"
    floor.advance(at("70000.0"))
    assert floor.position()["positionAmt"] == "0"
    assert floor.wallet() == 0


def test_a_thin_book_is_taken_step_by_step(floor: Floor) -> None:
    """The exchange's order takes what is there, expires, and comes again; only the margin of what was taken is used."""
    floor.buy("0.010")
    free = floor.wallet() - Decimal(floor.position()["isolatedWallet"])
    thin = at("45000.0")
    level = replace(thin.bids[0], quantity=Decimal("0.004"))
    for left in ("0.006", "0.002", "0"):
        floor.advance(replace(thin, bids=(level,)))
        position = floor.position()
        assert position["positionAmt"] == left
        assert floor.wallet() - Decimal(position["isolatedWallet"]) == free
    assert len(floor.ok("GET", "forceOrders", symbol=SYMBOL)) == 3


def test_auto_deleveraging_takes_what_it_is_told(floor: Floor) -> None:
    """A part, then the rest, by `adl_autoclose`; a flat position has nothing to take."""
    floor.buy("0.010")
    exchange = floor.exchange
    assert exchange.deleverage(SYMBOL, Decimal("0.0047"), floor.now_ms) == Decimal("0.004")
    assert floor.position()["positionAmt"] == "0.006"
    assert exchange.deleverage(SYMBOL, None, floor.now_ms) == Decimal("0.006")
    assert exchange.deleverage(SYMBOL, None, floor.now_ms) == 0
    rows = floor.ok("GET", "forceOrders", autoCloseType="ADL")
    assert [row["clientOrderId"] for row in rows] == ["adl_autoclose"] * 2
    assert income(floor, "INSURANCE_CLEAR") == []


def test_fees_are_paid_in_bnb_while_there_is_some() -> None:
    """A tenth cheaper, from the other wallet, on every answer; when it is not enough, in USDT."""
    terms = Terms(bnb=Decimal("0.001"), bnb_price=Decimal(600))
    floor = Floor(terms=terms)
    before = floor.wallet()
    floor.buy("0.010")
    fee = Decimal("0.00054")
    assert floor.wallet() == before
    bnb = floor.ok("GET", "/fapi/v3/balance")[1]
    assert (bnb["asset"], Decimal(bnb["balance"])) == ("BNB", Decimal("0.001") - fee)
    (trade,) = floor.ok("GET", "userTrades", symbol=SYMBOL)
    assert (trade["commissionAsset"], Decimal(trade["commission"])) == ("BNB", fee)
    filled = [event["o"] for event in floor.events if event["e"] == "ORDER_TRADE_UPDATE"][-1]
    assert (filled["N"], Decimal(filled["n"])) == ("BNB", fee)
    assert [row["a"] for row in updates(floor, "ORDER")[-1]["B"]] == ["USDT", "BNB"]
    own = Decimal(floor.position()["isolatedWallet"])
    assert own == Decimal("900.001") / 3 // Decimal("0.00000001") * Decimal("0.00000001")
    assert judge(floor.exchange.ledger.records, until_ms=floor.now_ms)["pnl_usdt"] == "0"
    floor.buy("0.010")
    assert floor.wallet() < before


def test_bnb_is_worth_what_its_own_market_says() -> None:
    """Where BNBUSDT is traded, its mark is the price of a fee; at 300 a fee of 0.36 USDT is 0.00108 BNB."""
    exchange = Exchange(
        symbols=[SYMBOL, "BNBUSDT"],
        balance=Decimal(10_000),
        account="t",
        now_ms=START_MS,
        terms=Terms(bnb=Decimal(1)),
    )
    bid, ask = ("299.99", "9"), ("300.01", "9")
    exchange.advance(step(symbol="BNBUSDT", bids=(bid,), asks=(ask,), mark="300"), START_MS)
    exchange.advance(step(asks=(("90000.0", "9"),), bids=(("89999.9", "9"),)), START_MS)
    exchange.request("POST", "/fapi/v1/order", order(SYMBOL, "0.010"), START_MS)
    (trade,) = exchange.request("GET", "/fapi/v1/userTrades", {"symbol": SYMBOL}, START_MS).body
    assert (trade["commissionAsset"], trade["commission"]) == ("BNB", "0.00108")


def order(symbol: str, quantity: str) -> dict[str, str]:
    """Parameters of a market buy."""
    return {"symbol": symbol, "side": "BUY", "type": "MARKET", "quantity": quantity}


def test_fee_burn_is_a_setting() -> None:
    """Switched off, fees are paid in USDT though BNB is there."""
    floor = Floor(terms=Terms(bnb=Decimal(1)))
    assert floor.ok("GET", "feeBurn") == {"feeBurn": True}
    floor.ok("POST", "feeBurn", feeBurn="false")
    floor.buy("0.010")
    assert floor.wallet() < 10_000


STEPS = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 300)),
    st.tuples(st.just("price"), st.just(""), st.integers(20_000, 200_000)),
    st.tuples(st.just("margin"), st.sampled_from(["1", "2"]), st.integers(1, 900)),
    st.tuples(st.just("leverage"), st.just(""), st.integers(1, 50)),
    st.tuples(st.just("mode"), st.sampled_from(["ISOLATED", "CROSSED"]), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.just(0)),
    st.tuples(st.just("adl"), st.just(""), st.integers(1, 100)),
)


def _do(floor: Floor, each: tuple[str, str, int]) -> None:
    """One step; what the exchange refuses is refused."""
    what, word, number = each
    size = str(Decimal(number) / 1000)
    match what:
        case "trade":
            floor.request("POST", "order", **floor.market(word, size))
        case "price":
            floor.advance(at(f"{number}.0"))
        case "margin":
            fields = {"symbol": SYMBOL, "type": word, "amount": str(number)}
            floor.request("POST", "positionMargin", **fields)
        case "leverage":
            floor.request("POST", "leverage", symbol=SYMBOL, leverage=str(number))
        case "mode":
            floor.request("POST", "marginType", symbol=SYMBOL, marginType=word)
        case "wait":
            floor.advance(at("90000.0"), ms=FUNDING_MS)
        case _:
            floor.exchange.deleverage(SYMBOL, Decimal(size), floor.now_ms)


def _moved(record: dict[str, Any]) -> Decimal:
    """What a ledger record did to the USDT wallet."""
    if record["kind"] == "money":
        return Decimal(record["amount"])
    fee = Decimal(record["fee"]) if record["fee_asset"] == "USDT" else Decimal(0)
    return Decimal(record["realized_pnl"]) - fee


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=25), bnb=st.sampled_from([0, 1]))
def test_every_change_of_a_wallet_is_an_income_row(
    steps: list[tuple[str, str, int]], bnb: int
) -> None:
    """Whatever happens, the wallets' changes are the sums of their income rows, to the last digit."""
    floor = Floor(
        terms=Terms(funding_rate=Decimal("0.00012345"), liquidation=True, bnb=Decimal(bnb) / 1000)
    )
    begun = {row["asset"]: Decimal(row["balance"]) for row in floor.ok("GET", "/fapi/v3/balance")}
    for each in steps:
        _do(floor, each)
        sums: Counter[str] = Counter()
        for row in floor.ok("GET", "income", startTime=str(START_MS), limit="1000"):
            sums[row["asset"]] += Decimal(row["income"])  # type: ignore[assignment]  # sums of decimals
        in_ledger = sum((_moved(record) for record in floor.kinds("fill", "money")), Decimal(0))
        assert in_ledger == sums["USDT"]
        for row in floor.ok("GET", "/fapi/v3/balance"):
            assert Decimal(row["balance"]) - begun[row["asset"]] == sums[row["asset"]]
        if floor.position()["positionAmt"] == "0":
            assert Decimal(floor.position()["isolatedWallet"]) == 0
    judge(floor.exchange.ledger.records, until_ms=floor.now_ms)
