"""Breakeven: fees paid and expected, funding paid, after TP1 or because of a flat decision."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import NOW, POLICY, D, Storyboard, decision, opened, places, roles, world

from jumar.model.command import PlaceOrder
from jumar.model.decision import Action
from jumar.model.funding import FundingPayment
from jumar.model.order import Role, Side
from jumar.model.policy import OnFlat
from jumar.model.world import DecisionState
from jumar.planner.breakeven import breakeven_price
from jumar.planner.facts import assess

BOTH = pytest.mark.parametrize("side", list(Side))
BREAKEVENS = {Side.BUY: D("90841.1"), Side.SELL: D("90758.9")}
TP1 = {Side.BUY: "91600", Side.SELL: "90000"}
TIGHTEN = replace(POLICY, on_flat=OnFlat.TIGHTEN)


def paid(amount: str, at_ms: int, number: int = 1) -> FundingPayment:
    """What the position paid (negative) or got."""
    return FundingPayment(payment_id=number, amount=D(amount), time_ms=at_ms)


def hit(side: Side) -> Storyboard:
    """TP1 has just filled; nothing has been moved yet."""
    story = opened(side).later(1000).mark(TP1[side]).trigger(Role.TP1)
    return story.fill(Role.TP1, "0.006", TP1[side])


def stop(story: Storyboard) -> PlaceOrder:
    """The stop that the next tick places."""
    (found,) = (place for place in places(story.tick()) if place.request.role is Role.STOP)
    return found


def price(story: Storyboard) -> Decimal:
    """Breakeven, not on the tick."""
    found = breakeven_price(
        story.world, story.trade, assess(story.world, story.trade, story.policy)
    )
    assert found is not None
    return found


@pytest.mark.rule("T-3")
@BOTH
@pytest.mark.parametrize(("amount", "moves"), [("-1.3", True), ("0", False), ("1.3", False)])
def test_funding_paid_moves_breakeven(side: Side, amount: str, moves: bool) -> None:
    """1.3 USDT for 0.013 are 100 a unit against the trade; what was received does not loosen it."""
    sign = 1 if side is Side.BUY else -1
    story = hit(side)
    fees_only = price(story)
    story.world = replace(story.world, funding=(paid(amount, NOW + 10),))
    expected = 100 / (1 - D("0.0004") * sign) if moves else D(0)
    assert abs((price(story) - fees_only) * sign - expected) < D("0.0001")


@pytest.mark.rule("T-3")
@BOTH
def test_each_payment_counts_for_the_size_held_then(side: Side) -> None:
    """Before TP1 for 0.013, after it for 0.007: 100 and 10 a unit."""
    sign = 1 if side is Side.BUY else -1
    story = hit(side)
    fees_only = price(story)
    later = (paid("-1.3", NOW + 10, 1), paid("-0.07", story.world.now_ms + 1, 2))
    story.world = replace(story.world, funding=later)
    moved = (price(story) - fees_only) * sign * (1 - D("0.0004") * sign)
    assert abs(moved - 110) < D("0.0001")


@pytest.mark.rule("T-3")
def test_a_payment_before_the_entry_counts_for_nothing() -> None:
    """Nothing was held then: no division by nothing, no price."""
    story = hit(Side.BUY)
    fees_only = price(story)
    story.world = replace(story.world, funding=(paid("-5", 1),))
    assert price(story) == fees_only


@pytest.mark.rule("T-3", "P-9")
@BOTH
def test_funding_that_is_not_known_is_left_out_and_said_so(side: Side) -> None:
    """Fees only; the cause tells what it was made of."""
    story = hit(side)
    story.world = replace(story.world, funding=None)
    found = stop(story)
    assert found.request.trigger_price == BREAKEVENS[side]
    assert (found.cause.rule, "funding not known" in found.cause.text) == ("T-3", True)
    known = stop(hit(side))
    assert "funding 0" in known.cause.text
    assert "fees 5" in known.cause.text


@pytest.mark.rule("T-3", "S-5")
@BOTH
def test_a_funding_minute_moves_the_stop_at_once(side: Side) -> None:
    """Not throttled: the payment is known, the stop is at the new breakeven with the next look."""
    sign = 1 if side is Side.BUY else -1
    story = hit(side)
    story.run(3)
    story.later(100).mark(TP1[side])
    story.world = replace(story.world, funding=(paid("-0.007", story.world.now_ms),))
    found = stop(story)
    assert found.cause.rule == "T-3"
    # one a unit, and the taker fee on it, rounded tighter
    assert found.request.trigger_price == BREAKEVENS[side] + sign * D("1.0")


@pytest.mark.rule("T-3")
@pytest.mark.parametrize("missing", ["instrument", "fills"])
def test_without_fees_or_a_fill_there_is_no_breakeven(missing: str) -> None:
    """The filters are not known, or nothing has filled yet."""
    story = hit(Side.BUY) if missing == "instrument" else Storyboard(world=world())
    story.run(1)
    seen = replace(story.world, instrument=None) if missing == "instrument" else story.world
    facts = assess(seen, story.trade, POLICY)
    assert breakeven_price(seen, story.trade, facts) is None


@pytest.mark.rule("T-3")
@BOTH
@pytest.mark.parametrize("what", ["other asset", "adopted", "partly"])
def test_fees_that_are_not_told_are_taken_at_the_dearer_rate(side: Side, what: str) -> None:
    """Paid in BNB, all or in part, or by a position that was found: entry and exit at 0.04 %."""
    sign = 1 if side is Side.BUY else -1
    story = hit(side)
    average = story.world.fills[0].price
    if what == "other asset":
        fills = tuple(replace(fill, fee_asset="BNB") for fill in story.world.fills)
    elif what == "partly":
        first = story.world.fills[0]
        more = replace(first, trade_id=first.trade_id + 1000, fee_asset="BNB", fee=D("0.00001"))
        fills = (*story.world.fills, more)
    else:
        fills = story.world.fills[1:]
        found = replace(story.trade, adopted_price=average, adopted_quantity=D("0.013"))
        story.world = replace(story.world, trade=found)
    story.world = replace(story.world, fills=fills)
    expected = average * (1 + D("0.0004") * sign) / (1 - D("0.0004") * sign)
    assert abs(price(story) - expected) < D("0.0001")


# a flat decision


def flat(story: Storyboard, age_s: int = 1) -> Storyboard:
    """A flat decision comes into force."""
    newer = decision(
        id="flat",
        action=Action.FLAT,
        levels=None,
        timestamp_ms=story.world.now_ms - age_s * 1000,
    )
    story.world = replace(story.world, decision=DecisionState(decision=newer))
    return story


@pytest.mark.rule("C-1", "P-5")
@BOTH
def test_flat_tightens_to_breakeven(side: Side) -> None:
    """In profit: breakeven, before TP1; the targets stay, nothing is sold."""
    story = flat(opened(side, TIGHTEN).later(1000).mark(TP1[side]))
    found = story.tick()
    assert roles(found) == ["+S"]
    (place,) = places(found)
    assert (place.cause.rule, place.request.trigger_price) == ("C-1", BREAKEVENS[side])
    assert "flat decision" in place.cause.text
    assert story.run(5) == ["-S"]
    assert story.trade.closing is None


@pytest.mark.rule("C-1", "R-4", "S-5")
@BOTH
def test_flat_at_a_loss_tightens_as_near_as_the_gap_allows(side: Side) -> None:
    """0.1 % from mark at once, then in steps; never closer, and never at market."""
    near, nearer = ("90600", "90700") if side is Side.BUY else ("91000", "90900")
    gap = D("90509.4") if side is Side.BUY else D("91091.0")
    story = flat(opened(side, TIGHTEN).later(1000).mark(near))
    assert stop(story).request.trigger_price == gap
    story.run(2)
    story.later(4000).mark(nearer)
    assert story.run(2) == []
    story.later(1000).mark(nearer)
    assert story.run(2) == ["+S", "-S"]
    assert {o.role for o in story.journal.values()}.isdisjoint({Role.FULL_EXIT, Role.ZONE_EXIT})


@pytest.mark.rule("C-1")
@pytest.mark.parametrize("on_flat", [OnFlat.HOLD, OnFlat.CLOSE])
def test_other_answers_to_flat_move_no_stop(on_flat: OnFlat) -> None:
    """`hold` changes nothing, `close` closes."""
    policy = replace(POLICY, on_flat=on_flat)
    words = flat(opened(policy=policy).later(1000).mark("91600")).run(1)
    assert words == ([] if on_flat is OnFlat.HOLD else ["+X"])


@pytest.mark.rule("C-1", "D-3")
@pytest.mark.parametrize("what", ["stale", "refused", "opposite"])
def test_only_a_flat_decision_in_force_tightens(what: str) -> None:
    """An old one, one that was refused, and one of another kind move nothing."""
    story = flat(opened(policy=TIGHTEN).later(1000).mark("91600"), 601 if what == "stale" else 1)
    state = story.world.decision
    assert state is not None
    if what == "refused":
        state = replace(state, refusals=(("conflict", "no"),))
    if what == "opposite":
        state = replace(state, decision=story.trade.decision)
    story.world = replace(story.world, decision=state)
    assert "+S" not in story.run(2)


@pytest.mark.rule("C-1", "Y-1")
@pytest.mark.parametrize(("ahead_ms", "tightens"), [(1, True), (0, False), (-1, False)])
def test_a_flat_decision_older_than_an_adopted_position_did_not_know_of_it(
    ahead_ms: int, tightens: bool
) -> None:
    """Only one that was made after the position was found speaks of it."""
    story = opened(policy=TIGHTEN).later(10_000).mark("91600")
    at_ms = story.world.now_ms - 1000
    adopted = replace(
        story.trade, adopted_price=D("90786.6"), armed_ms=at_ms - ahead_ms, adopted_quantity=D(0)
    )
    story.world = replace(story.world, trade=adopted)
    assert ("+S" in flat(story).run(1)) is tightens
