"""G-9: where a planned position would be liquidated, against the simulated exchange's own word and at every threshold."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at
from tests.worlds import BTC, D, Storyboard, codes, decision, places, seen, short_decision, world

from jumar.exchange.simulated.core.terms import Terms
from jumar.model.account import Balance, MarginMode, PositionReport, SymbolSettings
from jumar.model.command import Plan
from jumar.model.instrument import Instrument, LeverageBracket
from jumar.model.order import Side
from jumar.model.policy import Policy
from jumar.model.units import ZERO
from jumar.model.world import DecisionState
from jumar.planner.margin import (
    Planned,
    crossed_margin,
    isolated_margin,
    liquidation_price,
    maintenance,
)
from jumar.planner.plan import plan

TENTH = D("0.1")
LIQUIDATES = Terms(liquidation=True)
sides = pytest.mark.parametrize("side", [Side.BUY, Side.SELL])


def brackets(floor: Floor) -> tuple[LeverageBracket, ...]:
    """The exchange's own table, as it answers it."""
    (table,) = floor.ok("GET", "leverageBracket", symbol=SYMBOL)
    return tuple(
        LeverageBracket(
            bracket=row["bracket"],
            max_leverage=row["initialLeverage"],
            notional_floor=D(row["notionalFloor"]),
            notional_cap=D(row["notionalCap"]),
            maintenance_margin_rate=D(str(row["maintMarginRatio"])),
            cumulative=D(str(row["cum"])),
        )
        for row in table["brackets"]
    )


def entered(floor: Floor, side: Side, quantity: str) -> Planned:
    """Enter at market; the position as it was planned."""
    floor.ok("POST", "order", **floor.market(side.value, quantity))
    return Planned(side=side, quantity=D(quantity), entry=D(floor.position()["entryPrice"]))


@pytest.mark.rule("G-9")
@sides
@pytest.mark.parametrize("leverage", ["3", "20", "50"])
@pytest.mark.parametrize("quantity", ["0.02", "5"])
def test_isolated_as_the_simulated_exchange_says(side: Side, leverage: str, quantity: str) -> None:
    """Two implementations that share nothing name one price, in the first bracket and in the second."""
    floor = Floor(balance="1000000", terms=LIQUIDATES)
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage=leverage)
    planned = entered(floor, side, quantity)
    margin = isolated_margin(planned, int(leverage), taker_fee=D("0.0004"))
    own = liquidation_price(planned, margin, brackets(floor))
    assert own is not None
    # it counts with the bracket of the present notional: it is asked when the mark is nearly there
    before, beyond = either_side(own, side)
    floor.advance(at(before))
    assert abs(D(floor.position()["liquidationPrice"]) - own) < TENTH
    assert D(floor.position()["positionAmt"]) != ZERO
    floor.advance(at(beyond))
    assert D(floor.position()["positionAmt"]) == ZERO


def either_side(price: Decimal, side: Side) -> tuple[str, str]:
    """Five before a liquidation price and five beyond it."""
    mark, toward = price.quantize(TENTH), 5 if side is Side.BUY else -5
    return str(mark + toward), str(mark - toward)


@pytest.mark.rule("G-9")
@sides
def test_crossed_as_the_simulated_exchange_says(side: Side) -> None:
    """A crossed position is carried by the wallet: liquidated just beyond the price, not before it."""
    floor = Floor(balance="3000", terms=LIQUIDATES)
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="20")
    before = balance_of(floor)
    planned = entered(floor, side, "0.3")
    of = replace(BTC, brackets=brackets(floor))
    margin = crossed_margin(before, planned, None, D(90000), of)
    own = liquidation_price(planned, margin, of.brackets)
    assert own is not None
    assert abs(D(floor.position()["liquidationPrice"]) - own) < TENTH
    before_it, beyond = either_side(own, side)
    floor.advance(at(before_it))
    assert D(floor.position()["positionAmt"]) != ZERO
    floor.advance(at(beyond))
    assert D(floor.position()["positionAmt"]) == ZERO


def balance_of(floor: Floor) -> Balance:
    """The account's money as the exchange tells it."""
    row = next(a for a in floor.ok("GET", "/fapi/v3/account")["assets"] if a["asset"] == "USDT")
    return Balance(
        wallet=D(row["walletBalance"]),
        equity=D(row["marginBalance"]),
        available=D(row["availableBalance"]),
        cross_wallet=D(row["crossWalletBalance"]),
        cross_unrealized=D(row["crossUnPnl"]),
        maintenance=D(row["maintMargin"]),
    )


@pytest.mark.rule("G-9")
@sides
def test_what_is_there_of_the_own_position_does_not_count(side: Side) -> None:
    """The margin of a half-entered crossed position is what it was before the first lot, but for the paid fee."""
    floor = Floor(balance="30000")
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    of = replace(BTC, brackets=brackets(floor))
    before, whole = balance_of(floor), Planned(side=side, quantity=D("0.4"), entry=D(90000))
    planned = entered(floor, side, "0.2")
    floor.advance(at("89700"))
    row = floor.position()
    own = PositionReport(
        symbol=SYMBOL, quantity=D(row["positionAmt"]), entry_price=D(row["entryPrice"])
    )
    fee = planned.entry * planned.quantity * D("0.0004")
    again = crossed_margin(balance_of(floor), whole, own, D(89700), of)
    assert abs(crossed_margin(before, whole, None, D(90000), of) - fee - again) < D("0.000001")


def test_without_the_cross_wallet_what_is_available_counts() -> None:
    """A venue that does not tell it is answered with less, never with more; the entry's fee is taken off."""
    told = Balance(wallet=D(1000), equity=D(1000), available=D(700))
    planned = Planned(side=Side.BUY, quantity=D(1), entry=D(1000))
    of = replace(BTC, taker_fee=D("0.001"))
    assert crossed_margin(told, planned, None, D(1000), of) == 699
    whole = replace(told, cross_wallet=D(900), cross_unrealized=D(30), maintenance=D(50))
    assert crossed_margin(whole, planned, None, D(1000), of) == 900 + 30 - 50 - 1


def test_maintenance_margin_is_the_largest_that_a_bracket_asks_for() -> None:
    """Continuous where two brackets meet; nothing without brackets."""
    assert maintenance(BTC.brackets, D(50000)) == 200
    assert maintenance(BTC.brackets, D(40000)) == 160
    assert maintenance(BTC.brackets, D(100000)) == 450
    assert maintenance((), D(100000)) == 0


def test_a_position_that_cannot_be_liquidated() -> None:
    """A long whose margin is worth more than itself has no such price; a short always has one."""
    long = Planned(side=Side.BUY, quantity=D(1), entry=D(100))
    assert liquidation_price(long, D(101), ()) is None
    assert liquidation_price(long, D(100), ()) is None
    assert liquidation_price(long, D(99), ()) == 1
    short = replace(long, side=Side.SELL)
    assert liquidation_price(short, D(101), ()) == 201


# the guard


def judged(side: Side, leverage: int, *, buffer: str = "25", instrument: Instrument = BTC) -> Plan:
    """The plan for the example at a leverage that is set already."""
    chosen = decision if side is Side.BUY else short_decision
    settings = SymbolSettings(leverage=leverage, margin_mode=MarginMode.ISOLATED)
    policy = Policy(
        max_notional_usdt=D(5000), max_leverage=leverage, liquidation_buffer_pct=D(buffer)
    )
    placed = world(
        decision=DecisionState(decision=chosen(leverage=D(leverage))),
        settings=seen(settings),
        instrument=instrument,
    )
    return plan(placed, policy)


@pytest.mark.rule("G-9")
@sides
def test_much_leverage_puts_liquidation_inside_the_stop(side: Side) -> None:
    """At 100x liquidation comes after 0.6 %, the stop is 0.45 % away: refused with the numbers; at 50x it passes."""
    result = judged(side, 100, buffer="100")
    assert codes(result) == ["liquidation_inside_stop"]
    assert places(result) == []
    message = result.refusals[0].message
    assert "leverage 100" in message
    assert "isolated" in message
    assert result.refusals[0].rule == "G-9"
    assert codes(judged(side, 50, buffer="100")) == []


def distance(side: Side, leverage: int) -> tuple[Decimal, Decimal]:
    """By hand: how far liquidation lies beyond the stop at the worst price of the band, and the stop's distance."""
    quantity = D("0.013")
    worst, stop = (D("90786.6"), D(90380)) if side is Side.BUY else (D("90813.4"), D(91220))
    margin = worst * quantity / leverage - worst * quantity * D("0.0004")
    sign = 1 if side is Side.BUY else -1
    price = (sign * quantity * worst - margin) / (quantity * (sign - D("0.004")))
    return (stop - price) * sign, abs(worst - stop)


@pytest.mark.rule("G-9")
@sides
def test_exactly_the_buffer_passes(side: Side) -> None:
    """A limit made of the distance itself passes, the next larger one is refused: judged at the band's worst price."""
    beyond, stop_distance = distance(side, 60)
    percent = beyond / stop_distance * 100
    assert percent > 0
    exact = percent.quantize(D("0.000001"), rounding="ROUND_FLOOR")
    assert codes(judged(side, 60, buffer=str(exact))) == []
    assert codes(judged(side, 60, buffer=str(exact + D("0.000002")))) == ["liquidation_inside_stop"]


@pytest.mark.rule("G-9")
def test_before_the_set_up_the_wanted_leverage_counts() -> None:
    """What the symbol is set to by now says nothing: 125x and crossed are about to be changed, and read back first."""
    wild = SymbolSettings(leverage=125, margin_mode=MarginMode.CROSSED)
    result = plan(world(settings=seen(wild)), Policy(max_notional_usdt=D(5000)))
    assert codes(result) == []
    assert len(result.commands) == 2


@pytest.mark.rule("G-9")
@sides
def test_leverage_that_a_hand_raises_cancels_a_resting_entry(side: Side) -> None:
    """As read back: 125x while the entry rests cancels it, and the armed stop stays."""
    chosen = decision() if side is Side.BUY else short_decision()
    story = Storyboard(world=world(decision=DecisionState(decision=chosen)))
    story.run(2)
    assert set(story.alive()) == {"E1", "S1"}
    raised = SymbolSettings(leverage=125, margin_mode=MarginMode.ISOLATED)
    story.world = replace(story.world, settings=seen(raised))
    story.policy = replace(story.policy, liquidation_buffer_pct=D(100))
    assert codes(story.tick()) == ["liquidation_inside_stop"]
    assert set(story.alive()) == {"S1"}


@pytest.mark.rule("G-9", "P-7")
def test_settings_that_are_not_read_back_are_incomplete_truth() -> None:
    """After a restart with a resting entry nothing is taken for granted."""
    story = Storyboard(world=world())
    story.run(2)
    story.world = replace(story.world, settings=None)
    assert codes(story.tick()) == ["truth_incomplete"]


@pytest.mark.rule("G-9")
def test_a_crossed_position_is_carried_by_the_account() -> None:
    """Crossed, 100x and a rich account: far away. The same with hardly more than its margin: inside the stop."""
    policy = Policy(
        max_notional_usdt=D(5000),
        max_leverage=100,
        margin_mode=MarginMode.CROSSED,
        max_risk_pct=D(10),
    )
    settings = seen(SymbolSettings(leverage=100, margin_mode=MarginMode.CROSSED))

    def money(cross: str) -> Balance:
        return Balance(
            wallet=D(10000),
            equity=D(10000),
            available=D(10000),
            cross_wallet=D(cross),
            cross_unrealized=ZERO,
            maintenance=ZERO,
        )

    chosen = DecisionState(decision=decision(leverage=D(100)))
    rich = world(decision=chosen, settings=settings, balance=seen(money("2000")))
    assert codes(plan(rich, policy)) == []
    poor = world(decision=chosen, settings=settings, balance=seen(money("9")))
    assert codes(plan(poor, policy)) == ["liquidation_inside_stop"]
    assert "crossed" in plan(poor, policy).refusals[0].message
