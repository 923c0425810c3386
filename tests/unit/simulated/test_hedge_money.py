"""Money in hedge mode: margin, funding and liquidation of two positions of one symbol."""

from decimal import Decimal

from tests.unit.simulated.floor import START_MS, SYMBOL, at, step
from tests.unit.simulated.hedged import HedgedFloor

from jumar.exchange.simulated.core.terms import USUAL_TERMS, Terms
from jumar.exchange.simulated.core.treasury import FUNDING_MS

TO_FUNDING_MS = FUNDING_MS - START_MS % FUNDING_MS
LIQUIDATES = Terms(liquidation=True)


def crossed(balance: str = "10000", leverage: str = "20") -> HedgedFloor:
    """Hedge mode with crossed margin, on an exchange that liquidates."""
    floor = HedgedFloor(balance=balance, terms=LIQUIDATES)
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage=leverage)
    return floor


def income(floor: HedgedFloor, kind: str) -> list[Decimal]:
    """The amounts of one kind, oldest first."""
    rows = floor.ok("GET", "income", incomeType=kind, startTime=str(START_MS))
    return [Decimal(row["income"]) for row in rows]


def test_funding_is_due_for_both_sides() -> None:
    """LONG pays what SHORT receives, each on its own quantity, in records of their own."""
    floor = HedgedFloor(terms=USUAL_TERMS)
    floor.open("LONG", "0.010")
    floor.open("SHORT", "0.020")
    wallet = floor.wallet()
    floor.advance(at("90000.0"), ms=TO_FUNDING_MS)
    assert income(floor, "FUNDING_FEE") == [Decimal("-0.09"), Decimal("0.18")]
    assert floor.wallet() == wallet + Decimal("0.09")
    assert [record["position_side"] for record in floor.kinds("money")] == ["LONG", "SHORT"]
    bodies = [event["a"] for event in floor.events if event["e"] == "ACCOUNT_UPDATE"]
    assert [body["P"][0]["ps"] for body in bodies if body["m"] == "FUNDING_FEE"] == [
        "LONG",
        "SHORT",
    ]


def test_both_sides_need_margin() -> None:
    """A hedge is not free: each side has its initial margin, and the second is refused without it."""
    floor = crossed(balance="100")
    floor.open("LONG", "0.020")
    (asset,) = floor.ok("GET", "/fapi/v3/account")["assets"]
    assert Decimal(asset["positionInitialMargin"]) == 90
    sell = floor.market("SELL", "0.020", positionSide="SHORT")
    assert floor.code("POST", "order", **sell) == -2019
    floor.close("LONG", "0.020")
    assert floor.held() == {"LONG": "0", "SHORT": "0"}


def test_an_isolated_side_is_lost_alone() -> None:
    """A fall takes LONG and its orders, never more than its own wallet; SHORT and its order stay."""
    floor = HedgedFloor(terms=LIQUIDATES)
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="20")
    floor.open("LONG", "0.100")
    floor.open("SHORT", "0.100")
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "80000.0", positionSide="LONG"))
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "80000.0", positionSide="SHORT"))
    sides = floor.sides()
    own, wallet = Decimal(sides["LONG"]["isolatedWallet"]), floor.wallet()
    liquidation = Decimal(sides["LONG"]["liquidationPrice"])
    assert liquidation < 90000 < Decimal(sides["SHORT"]["liquidationPrice"])
    floor.advance(at("85000.0"))
    assert floor.held() == {"LONG": "0", "SHORT": "-0.1"}
    assert floor.wallet() == wallet - own
    (row,) = floor.ok("GET", "openOrders")
    assert row["positionSide"] == "SHORT"
    (forced,) = floor.ok("GET", "forceOrders")
    assert (forced["positionSide"], forced["side"]) == ("LONG", "SELL")


def test_a_cross_hedge_is_lost_together_or_not_at_all() -> None:
    """Both sides have one liquidation price; a move that would ruin one side alone leaves a hedged account whole."""
    floor = crossed(balance="500", leverage="50")
    floor.open("LONG", "0.100")
    floor.advance(at("90100.0"))
    floor.open("SHORT", "0.090")
    sides = floor.sides()
    assert sides["LONG"]["liquidationPrice"] == sides["SHORT"]["liquidationPrice"]
    price = Decimal(sides["LONG"]["liquidationPrice"]).quantize(Decimal("0.1"))
    assert price < 60000
    floor.advance(at(str(price + 1)))
    assert floor.held() == {"LONG": "0.1", "SHORT": "-0.09"}
    floor.advance(at(str(price - 1)))
    assert floor.held() == {"LONG": "0", "SHORT": "0"}


def test_the_profit_of_one_side_pays_for_the_other() -> None:
    """The insurance fund gives nothing for a loss that the other side has earned: what it pays is what is missing."""
    floor = crossed(balance="1000")
    floor.open("LONG", "0.100")
    floor.open("SHORT", "0.080")
    thin = (("10000.0", "100"),)
    floor.advance(step(bids=thin, asks=(("10000.1", "100"),), last="10000.0", mark="10000.0"))
    assert floor.held() == {"LONG": "0", "SHORT": "0"}
    assert floor.wallet() == 0
    trades = floor.ok("GET", "userTrades", symbol=SYMBOL)
    spent = sum(Decimal(trade["realizedPnl"]) - Decimal(trade["commission"]) for trade in trades)
    assert sum(income(floor, "INSURANCE_CLEAR")) == -(1000 + spent)
    assert 0 < -(1000 + spent) < 1000


def test_leverage_must_carry_both_sides() -> None:
    """Less leverage needs more margin for each of them: -2028."""
    floor = crossed(balance="1000")
    floor.open("LONG", "0.050")
    floor.open("SHORT", "0.050")
    assert floor.code("POST", "leverage", symbol=SYMBOL, leverage="5") == -2028
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="10")
    quantiles = floor.ok("GET", "adlQuantile")[0]["adlQuantile"]
    assert quantiles["LONG"] == quantiles["SHORT"]
    assert quantiles["HEDGE"] == 0


def test_a_margin_call_names_the_side() -> None:
    """Isolated, only the side in need is called; crossed, both are, because they share the margin."""
    floor = HedgedFloor(terms=LIQUIDATES)
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="20")
    floor.open("LONG", "0.100")
    floor.open("SHORT", "0.100")
    floor.advance(at("85900.0"))
    floor.advance(at("85900.0"))
    cross = crossed(balance="500", leverage="50")
    cross.open("LONG", "0.100")
    cross.open("SHORT", "0.090")
    cross.advance(at("43500.0"))
    calls = [
        [(row["ps"], row["pa"]) for row in event["p"]]
        for each in (floor, cross)
        for event in each.events
        if event["e"] == "MARGIN_CALL"
    ]
    assert calls == [[("LONG", "0.1")], [("LONG", "0.1"), ("SHORT", "-0.09")]]
