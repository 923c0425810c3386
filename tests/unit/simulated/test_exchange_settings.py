"""Settings of account and symbols, isolated margin, and the queries that tell of them."""

from decimal import Decimal

import pytest
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, at

from jumar.exchange.simulated.core.api.income import MEMORY_MS


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000; BTCUSDT isolated at 3x."""
    return Floor()


def crossed(balance: str = "10000") -> Floor:
    """The same with crossed margin."""
    floor = Floor(balance=balance)
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    return floor


def move(floor: Floor, kind: str, amount: str) -> dict[str, str]:
    """Parameters of positionMargin."""
    return {"symbol": SYMBOL, "type": kind, "amount": amount}


def test_isolated_margin_can_be_added_and_taken_out(floor: Floor) -> None:
    """The wallet stays, its parts move; an event tells of it, and the history lists both."""
    floor.buy("0.010")
    wallet, own = floor.wallet(), Decimal(floor.position()["isolatedWallet"])
    added = floor.ok("POST", "positionMargin", **move(floor, "1", "100"))
    assert (added["code"], added["type"], added["amount"]) == (200, 1, 100.0)
    assert Decimal(floor.position()["isolatedWallet"]) == own + 100
    floor.ok("POST", "positionMargin", **move(floor, "2", "40.5"))
    assert Decimal(floor.position()["isolatedWallet"]) == own + Decimal("59.5")
    assert floor.wallet() == wallet
    bodies = [event["a"] for event in floor.events if event["e"] == "ACCOUNT_UPDATE"]
    assert [body["m"] for body in bodies] == ["ORDER", "MARGIN_TRANSFER", "MARGIN_TRANSFER"]
    assert Decimal(bodies[-1]["P"][0]["iw"]) == own + Decimal("59.5")
    history = floor.ok("GET", "positionMargin/history", symbol=SYMBOL)
    assert [(row["type"], row["amount"]) for row in history] == [(1, "100"), (2, "40.5")]
    only = floor.ok("GET", "positionMargin/history", symbol=SYMBOL, type="2")
    assert [row["amount"] for row in only] == ["40.5"]


def test_added_margin_moves_the_liquidation_price_away(floor: Floor) -> None:
    """That is what it is for."""
    floor.buy("0.010")
    before = Decimal(floor.position()["liquidationPrice"])
    floor.ok("POST", "positionMargin", **move(floor, "1", "100"))
    assert Decimal(floor.position()["liquidationPrice"]) < before - 9_000


@pytest.mark.parametrize(
    ("kind", "amount", "code"),
    [
        ("1", "0", -4055),
        ("1", "-5", -4055),
        ("3", "5", -1130),
        ("1", "9800", -4050),
        ("2", "1", -4051),
        ("1", "much", -1102),
    ],
)
def test_isolated_margin_has_its_bounds(floor: Floor, kind: str, amount: str, code: int) -> None:
    """Not more than is free, not less than the initial margin, no nonsense."""
    floor.buy("0.010")
    assert floor.code("POST", "positionMargin", **move(floor, kind, amount)) == code


def test_isolated_margin_belongs_to_an_isolated_position(floor: Floor) -> None:
    """-4054 while flat, -4049 while crossed, -4061 for a side of hedge mode."""
    assert floor.code("POST", "positionMargin", **move(floor, "1", "5")) == -4054
    sided = {**move(floor, "1", "5"), "positionSide": "LONG"}
    assert floor.code("POST", "positionMargin", **sided) == -4061
    assert crossed().code("POST", "positionMargin", **move(floor, "1", "5")) == -4049


def test_leverage_must_carry_what_is_held() -> None:
    """-2027 when the bracket is too small, -2028 when the margin is; neither changes anything."""
    floor = crossed(balance="40000")
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="20")
    floor.buy("1.000")
    assert floor.code("POST", "leverage", symbol=SYMBOL, leverage="125") == -2027
    assert floor.code("POST", "leverage", symbol=SYMBOL, leverage="2") == -2028
    assert floor.position()["leverage"] == "20"
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="3")
    assert floor.position()["leverage"] == "3"


def test_multi_assets_mode_is_a_setting_with_conditions(floor: Floor) -> None:
    """-4171 when set already, -4167 with isolated symbols, -4170 with open orders; then -4168 for isolation."""
    url = "multiAssetsMargin"
    assert floor.code("POST", url, multiAssetsMargin="false") == -4171
    assert floor.code("POST", url, multiAssetsMargin="true") == -4167
    floor = crossed()
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0"))
    assert floor.code("POST", url, multiAssetsMargin="true") == -4170
    floor.ok("DELETE", "allOpenOrders", symbol=SYMBOL)
    floor.ok("POST", url, multiAssetsMargin="true")
    assert floor.events[-1]["ai"] == {"j": True}
    assert floor.ok("GET", url) == {"multiAssetsMargin": True}
    assert floor.ok("GET", "accountConfig")["multiAssetsMargin"] is True
    answer = floor.ok("GET", "/fapi/v2/account")
    assert (answer["multiAssetsMargin"], answer["feeBurn"]) == (True, False)
    assert floor.code("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED") == -4168


def test_a_fresh_wallet_has_been_updated(floor: Floor) -> None:
    """Clients leave out an asset whose `updateTime` is 0: the deposit was its first update."""
    for version in (2, 3):
        (asset,) = floor.ok("GET", f"/fapi/v{version}/account")["assets"]
        assert asset["updateTime"] == START_MS
        (row,) = floor.ok("GET", f"/fapi/v{version}/balance")
        assert row["updateTime"] == START_MS


def test_hedge_mode_shows_both_sides(floor: Floor) -> None:
    """Versions 1 and 2 list LONG and SHORT of every symbol, version 3 nothing while flat."""
    floor.ok("POST", "positionSide/dual", dualSidePosition="true")
    for version in (1, 2):
        rows = floor.ok("GET", f"/fapi/v{version}/positionRisk", symbol=SYMBOL)
        assert [row["positionSide"] for row in rows] == ["LONG", "SHORT"]
    assert floor.ok("GET", "/fapi/v3/positionRisk") == []


def test_the_account_tells_its_own_limits(floor: Floor) -> None:
    """Orders in ten seconds and in a minute; weight is not the account's."""
    rows = floor.ok("GET", "rateLimit/order")
    assert [(row["interval"], row["limit"]) for row in rows] == [("MINUTE", 1200), ("SECOND", 300)]


def test_trading_status_and_risks_are_calm(floor: Floor) -> None:
    """No quantitative rule broken, the risk of auto-deleveraging low: an object for one symbol, else a list."""
    assert floor.ok("GET", "apiTradingStatus")["indicators"] == {}
    assert floor.code("GET", "apiTradingStatus", symbol="NOSUCH") == -1121
    assert floor.ok("GET", "symbolAdlRisk", symbol=SYMBOL)["adlRisk"] == "low"
    assert len(floor.ok("GET", "symbolAdlRisk")) == 2


def test_the_queue_of_auto_deleveraging_follows_profit_over_margin(floor: Floor) -> None:
    """Flat symbols are not listed; a position climbs from 1 to 4; positionRisk says the same."""
    assert floor.ok("GET", "adlQuantile") == []
    floor.buy("0.010")
    for price, quantile in (("89000.0", 1), ("91000.0", 2), ("105000.0", 3), ("150000.0", 4)):
        floor.advance(at(price))
        (row,) = floor.ok("GET", "adlQuantile", symbol=SYMBOL)
        assert row["adlQuantile"] == {"LONG": 0, "SHORT": 0, "BOTH": quantile}
        assert floor.ok("GET", "/fapi/v3/positionRisk")[0]["adl"] == quantile


def test_income_can_be_cut_by_type_window_and_page(floor: Floor) -> None:
    """The newest rows without a start, the first with one; pages follow each other; ids are the trades'."""
    for _ in range(3):
        floor.buy("0.010")
    rows = floor.ok("GET", "income", incomeType="COMMISSION")
    assert [int(row["tradeId"]) for row in rows] == [row["tranId"] for row in rows]
    assert floor.ok("GET", "income", limit="1") == rows[-1:]
    start = {"startTime": str(START_MS)}
    assert floor.ok("GET", "income", limit="1", **start) == rows[:1]
    assert floor.ok("GET", "income", limit="1", page="2", **start) == rows[1:2]
    assert floor.ok("GET", "income", startTime=str(rows[1]["time"])) == rows[1:]
    assert floor.ok("GET", "income", endTime=str(rows[1]["time"])) == rows[:2]
    assert floor.ok("GET", "income", symbol="ETHUSDT") == []
    assert floor.ok("GET", "income", incomeType="TRANSFER") == []


@pytest.mark.parametrize(
    "params",
    [
        {"incomeType": "GIFT"},
        {"limit": "0"},
        {"page": "0"},
        {"startTime": "2000", "endTime": "1000"},
    ],
)
def test_income_refuses_nonsense(floor: Floor, params: dict[str, str]) -> None:
    """-1130 names the parameter."""
    reply = floor.request("GET", "income", **params)
    assert reply.body["code"] == -1130
    assert any(name in reply.body["msg"] for name in params)


@pytest.mark.parametrize("path", ["income", "forceOrders"])
def test_what_is_older_than_three_months_is_forgotten(floor: Floor, path: str) -> None:
    """Even with a start before it."""
    floor.buy("0.010")
    floor.exchange.deleverage(SYMBOL, None, floor.now_ms)
    start = {"startTime": str(START_MS)}
    assert floor.ok("GET", path, **start) != []
    floor.now_ms += 8 * 86_400_000
    assert floor.ok("GET", path) == []
    assert floor.ok("GET", path, **start) != []
    floor.now_ms += MEMORY_MS
    assert floor.ok("GET", path, **start) == []


def test_brackets_are_a_list_with_bare_numbers(floor: Floor) -> None:
    """One row for one symbol, all without."""
    (one,) = floor.ok("GET", "leverageBracket", symbol=SYMBOL)
    assert (one["brackets"][0]["initialLeverage"], one["brackets"][0]["notionalFloor"]) == (125, 0)
    assert len(floor.ok("GET", "leverageBracket")) == 2


def test_commission_rates_are_told_per_symbol(floor: Floor) -> None:
    """Maker, taker and RPI; the symbol is mandatory."""
    rates = floor.ok("GET", "commissionRate", symbol=SYMBOL)
    assert (rates["makerCommissionRate"], rates["takerCommissionRate"]) == ("0.0002", "0.0004")
    assert floor.code("GET", "commissionRate") == -1102
