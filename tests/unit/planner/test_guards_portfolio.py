"""G-14 and G-17: what the venue still lets us send, how many positions there are, and what they lose together."""

from dataclasses import replace

import pytest
from tests.standings import equity
from tests.worlds import (
    NOW,
    POLICY,
    D,
    Storyboard,
    codes,
    decision,
    levels,
    opened,
    places,
    seen,
    short_decision,
    world,
)

from jumar.model.account import Balance, PositionReport
from jumar.model.command import Plan
from jumar.model.ids import client_id
from jumar.model.order import Channel, OrderReport, OrderStatus, Role, Side
from jumar.model.policy import Policy
from jumar.model.standing import Counter, Holding, Standing, VenueBudget
from jumar.model.world import DecisionState
from jumar.planner.guards.portfolio import ORDERS_TO_PROTECT
from jumar.planner.holding import holding_of, worst_entry
from jumar.planner.plan import plan

WEIGHT = 60 // 3 * 7 + 30


def stands(policy: Policy = POLICY, **parts: object) -> Plan:
    """The plan while the account stands so."""
    standing = replace(Standing(equity=equity()), **parts)  # type: ignore[arg-type]  # a test states only what differs
    return plan(world(standing=standing), policy)


def counter(
    used: int, limit: int | None = 1200, *, window_ms: int = 60_000, at_ms: int = NOW
) -> Counter:
    """What was used of a limit."""
    return Counter(name="1m", window_ms=window_ms, used=used, limit=limit, at_ms=at_ms)


def held(
    symbol: str, risk: str | None = "0", *, occupied: bool = True, conditional: int = 6
) -> Holding:
    """What another symbol holds."""
    loss = None if risk is None else D(risk)
    return Holding(symbol=symbol, occupied=occupied, risk=loss, conditional=conditional)


# the venue's counts


@pytest.mark.rule("G-14")
def test_orders_left_for_one_more_trade() -> None:
    """Twenty left in a window pass, nineteen do not."""
    enough = VenueBudget(orders=(counter(1200 - ORDERS_TO_PROTECT),))
    assert codes(stands(budget=enough)) == []
    result = stands(budget=VenueBudget(orders=(counter(1201 - ORDERS_TO_PROTECT),)))
    assert codes(result) == ["order_budget_low"]
    assert places(result) == []
    assert result.refusals[0].rule == "G-14"
    assert "19 of 1200 orders" in result.refusals[0].message


@pytest.mark.rule("G-14")
def test_every_window_counts() -> None:
    """The minute has room, the ten seconds have not."""
    ten = counter(290, 300, window_ms=10_000)
    assert codes(stands(budget=VenueBudget(orders=(counter(300), ten)))) == ["order_budget_low"]


@pytest.mark.rule("G-14")
def test_reads_left_for_one_more_trade() -> None:
    """A minute of looks at an open position must be left; the slower the looks the fewer."""
    assert codes(stands(budget=VenueBudget(reads=(counter(2400 - WEIGHT, 2400),)))) == []
    low = VenueBudget(reads=(counter(2401 - WEIGHT, 2400),))
    result = stands(budget=low)
    assert codes(result) == ["order_budget_low"]
    assert "request weight" in result.refusals[0].message
    assert codes(stands(replace(POLICY, reconcile_open_s=4), budget=low)) == []


@pytest.mark.rule("G-14")
def test_an_old_count_is_no_count() -> None:
    """Windows begin at whole multiples: what was used in the one before is over."""
    begin = NOW - NOW % 60_000
    last = counter(1200, at_ms=begin)
    assert codes(stands(budget=VenueBudget(orders=(last,)))) == ["order_budget_low"]
    before = replace(last, at_ms=begin - 1)
    assert codes(stands(budget=VenueBudget(orders=(before,)))) == []


@pytest.mark.rule("G-14")
def test_what_the_venue_has_not_told_refuses_nothing() -> None:
    """No budget, an empty one, and a count without a limit."""
    for budget in (None, VenueBudget(), VenueBudget(orders=(counter(9999, None),))):
        assert codes(stands(budget=budget)) == []


@pytest.mark.rule("G-14", "W-4")
def test_a_venue_that_wants_to_hear_nothing() -> None:
    """Until its time is over; the message names it."""
    result = stands(budget=VenueBudget(silent_until_ms=NOW + 1))
    assert codes(result) == ["order_budget_low"]
    assert "until 2025-12-05T10:05:05.001Z" in result.refusals[0].message
    assert codes(stands(budget=VenueBudget(silent_until_ms=NOW))) == []


# conditional orders


def listed(name: str) -> OrderReport:
    """A conditional order that rests."""
    return OrderReport(
        symbol="BTCUSDT",
        channel=Channel.CONDITIONAL,
        client_id=name,
        venue_id=name,
        side=Side.SELL,
        type="STOP_MARKET",
        status=OrderStatus.NEW,
        quantity=D("0.001"),
        price=None,
        trigger_price=D(80000),
        filled_quantity=D(0),
        reduce_only=True,
        close_position=False,
        updated_ms=NOW,
    )


@pytest.mark.rule("G-14", "W-5")
def test_a_trade_reserves_six_of_two_hundred_conditional_orders() -> None:
    """The other symbols' reserves are theirs: 194 taken leave six, 195 leave five."""
    others = (held("ETHUSDT", conditional=190, occupied=False), held("SOLUSDT", conditional=4))
    assert codes(stands(others=others)) == []
    more = (others[0], replace(others[1], conditional=5))
    result = stands(others=more)
    assert codes(result) == ["order_budget_low"]
    assert "5 of 200" in result.refusals[0].message


@pytest.mark.rule("G-14", "W-5")
def test_listed_orders_of_nobody_count_as_they_are_and_own_ones_do_not() -> None:
    """While the entry rests its own stop is not held against it; others on the symbol are."""
    story = Storyboard(world=world())
    story.run(2)
    (own,) = [order.client_id for order in story.alive().values() if order.role is Role.STOP]
    others = (held("ETHUSDT", conditional=194),)
    standing = Standing(equity=equity(), others=others)
    story.world = replace(story.world, standing=standing, conditional_orders=seen((listed(own),)))
    assert codes(story.tick()) == []
    ended = client_id(key="abcdefghij", role=Role.STOP, attempt=1)
    story.world = replace(story.world, conditional_orders=seen((listed(own), listed(ended))))
    assert codes(story.tick()) == ["order_budget_low"]


# positions and their risk


@pytest.mark.rule("G-17")
def test_three_positions_with_this_one() -> None:
    """Two others pass, three refuse; flat symbols are none, positions outside the engine are some."""
    two = (held("ETHUSDT"), held("SOLUSDT"), held("XRPUSDT", occupied=False))
    assert codes(stands(others=two)) == []
    result = stands(others=(*two[:2], held("XRPUSDT")))
    assert codes(result) == ["max_open_positions"]
    assert places(result) == []
    assert result.refusals[0].rule == "G-17"
    assert "ETHUSDT, SOLUSDT, XRPUSDT" in result.refusals[0].message
    assert codes(stands(others=two, outside=("DOGEUSDT",))) == ["max_open_positions"]
    one = replace(POLICY, max_open_positions=1)
    assert codes(stands(one, others=two[:1])) == ["max_open_positions"]
    assert codes(stands(one, others=two[2:])) == []


@pytest.mark.rule("G-17", "P-7")
def test_a_symbol_that_was_not_looked_at_may_hold_anything() -> None:
    """Right after a start nothing is entered before every symbol was read."""
    result = stands(unseen=("ETHUSDT",))
    assert codes(result) == ["truth_incomplete"]
    assert "ETHUSDT" in result.refusals[0].message
    assert result.entry_wanted


@pytest.mark.rule("G-17")
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_loss_at_all_stops(side: Side) -> None:
    """3 % of equity: what the others lose and this one at the worst price of its band; exactly that passes."""
    chosen = decision() if side is Side.BUY else short_decision()
    worst, stop = (D("90786.6"), D(90380)) if side is Side.BUY else (D("90813.4"), D(91220))
    own = D("0.013") * (abs(worst - stop) + stop * D("0.0004"))

    def at(others: str) -> Plan:
        standing = Standing(equity=equity(), others=(held("ETHUSDT", others),))
        state = DecisionState(decision=chosen)
        return plan(world(standing=standing, decision=state), POLICY)

    exact = 300 - own
    assert codes(at(str(exact))) == []
    result = at(str(exact + D("0.0001")))
    assert codes(result) == ["max_total_risk"]
    assert result.refusals[0].rule == "G-17"
    assert "3 %" in result.refusals[0].message
    assert "5." in result.refusals[0].message


@pytest.mark.rule("G-17")
def test_an_unknown_risk_refuses() -> None:
    """A position without a confirmed stop; of positions that others manage only the number counts."""
    result = stands(others=(held("ETHUSDT", None),))
    assert codes(result) == ["max_total_risk"]
    assert "ETHUSDT" in result.refusals[0].message
    assert codes(stands(outside=("DOGEUSDT",))) == []
    assert codes(stands(others=(held("ETHUSDT", None, occupied=False),))) == []


@pytest.mark.rule("G-17")
def test_a_limit_that_begins_to_fail_cancels_the_resting_entry() -> None:
    """Equity falls, or another symbol takes the last place: the entry goes, its stop stays."""
    well = Standing(equity=equity())
    for standing in (
        replace(well, others=(held("ETHUSDT", "299"),)),
        replace(well, outside=("A", "B", "C")),
    ):
        story = Storyboard(world=world())
        story.run(2)
        story.world = replace(story.world, standing=standing)
        assert len(codes(story.tick())) == 1
        assert set(story.alive()) == {"S1"}


@pytest.mark.rule("G-17")
def test_an_account_without_equity_has_no_room_for_risk() -> None:
    """No division by it, and no entry."""
    nothing = Balance(wallet=D(0), equity=D(0), available=D(10000))
    story = Storyboard(world=world())
    story.run(2)
    story.world = replace(story.world, balance=seen(nothing))
    result = story.tick()
    assert "max_total_risk" in codes(result)
    assert any("more than all" in refusal.message for refusal in result.refusals)


# what a symbol counts for


def holding(story: Storyboard) -> Holding:
    """What the others see of it."""
    return holding_of(story.world, story.world.trade, story.policy)


@pytest.mark.rule("G-17", "W-5")
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_resting_entry_counts_as_filled(side: Side) -> None:
    """From arming on, at the worst price of the band; a fill, better or not, counts at its own price."""
    chosen = decision() if side is Side.BUY else short_decision()
    story = Storyboard(world=world(decision=DecisionState(decision=chosen)))
    worst, stop = (D("90786.6"), D(90380)) if side is Side.BUY else (D("90813.4"), D(91220))
    fee = stop * D("0.0004")
    full = D("0.013") * (abs(worst - stop) + fee)
    story.tick()
    armed = Holding(symbol="BTCUSDT", occupied=True, risk=full, conditional=6)
    assert holding(story) == armed
    story.tick()
    assert holding(story) == armed
    better = worst - 100 if side is Side.BUY else worst + 100
    story.fill(Role.ENTRY, "0.004", str(better))
    some = D("0.004") * (abs(better - stop) + fee) + D("0.009") * (abs(worst - stop) + fee)
    assert holding(story).risk == some


@pytest.mark.rule("G-17")
def test_a_stop_beyond_the_entry_leaves_no_risk() -> None:
    """After breakeven nothing is lost at the stop; a locked profit pays for nobody else."""
    board = opened()
    assert (holding(board).risk or 0) > 5
    board.fill(Role.TP1, "0.006", "91600")
    board.mark("91600")
    board.run(3)
    found = holding(board)
    assert found.occupied
    assert found.risk == 0


@pytest.mark.rule("G-17")
def test_a_position_without_a_confirmed_stop_has_an_unknown_risk() -> None:
    """Bare, or nobody's: not known, and occupied."""
    board = opened()
    board.bare(code=-4045)
    assert holding(board) == Holding(symbol="BTCUSDT", occupied=True, risk=None, conditional=6)
    strange = PositionReport(symbol="BTCUSDT", quantity=D("-0.5"), entry_price=D(90000))
    nobody = holding_of(world(position=seen(strange)), None, POLICY)
    assert (nobody.occupied, nobody.risk) == (True, None)
    unread = holding_of(world(position=None), None, POLICY)
    assert (unread.occupied, unread.risk) == (True, None)


@pytest.mark.rule("G-17", "W-5")
def test_a_flat_symbol_counts_for_nothing_but_what_is_listed() -> None:
    """No trade and no position: free; conditional orders of anybody still take room."""
    strange = world(conditional_orders=seen((listed("web_1"), listed("web_2"))))
    free = Holding(symbol="BTCUSDT", occupied=False, risk=D(0), conditional=2)
    assert holding_of(strange, None, POLICY) == free


@pytest.mark.rule("G-17")
def test_a_trade_whose_entry_is_over_unfilled_is_no_position() -> None:
    """Only its sweep is left: it gives its place free."""
    story = Storyboard(world=world())
    story.run(2)
    over = replace(story.trade, entry_over="superseded")
    ended = replace(story.world, orders=(), trade=over)
    found = holding_of(ended, over, POLICY)
    assert not found.occupied
    assert found.risk == 0
    assert holding_of(story.world, over, POLICY).occupied  # its entry is still alive


@pytest.mark.rule("G-14", "W-5")
@pytest.mark.parametrize(("own", "strange", "counted"), [(0, 2, 8), (6, 0, 6), (7, 2, 9)])
def test_a_trade_counts_with_its_reserve_or_with_what_rests(
    own: int, strange: int, counted: int
) -> None:
    """Six, or more where more of it rest; orders of others come on top."""
    story = Storyboard(world=world())
    story.run(2)
    ours = [
        listed(client_id(key=story.trade.key, role=Role.STOP, attempt=n + 1)) for n in range(own)
    ]
    others = [listed(f"web_{n}") for n in range(strange)]
    seen_now = replace(story.world, conditional_orders=seen((*ours, *others)))
    assert holding_of(seen_now, story.trade, POLICY).conditional == counted


@pytest.mark.rule("G-17")
def test_the_worst_price_is_that_of_the_band() -> None:
    """Not where the entry is aimed; without a band, after filters changed or of a found position, it is."""
    narrow = decision(levels=levels(zone_max=D(90760)))
    story = Storyboard(world=world(decision=DecisionState(decision=narrow)))
    story.tick()
    trade = story.trade
    assert (trade.limit_price, worst_entry(story.world, trade, POLICY)) == (D(90730), D(90760))
    stricter = replace(POLICY, min_rr=D(20))
    assert worst_entry(story.world, trade, stricter) == D(90730)
    assert worst_entry(replace(story.world, instrument=None), trade, POLICY) == D(90730)
    undecided = replace(trade, decision=replace(narrow, levels=None))
    assert worst_entry(story.world, undecided, POLICY) == D(90730)
