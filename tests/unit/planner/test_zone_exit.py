"""Exits in the bound liquidation zone: one a zone, in TP1's place or after it, and never two of them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import NOW, POLICY, D, Storyboard, cancels, opened, places, roles

from jumar.model import fold
from jumar.model.command import Cause, PlaceOrder
from jumar.model.errors import InvariantBroken
from jumar.model.levels import BoundZone
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderState, OrderStatus, OrderType, Role, Side
from jumar.model.policy import Policy
from jumar.planner.approve import approve
from jumar.planner.breakeven import breakeven_price
from jumar.planner.facts import assess
from jumar.planner.slots import regular
from jumar.planner.summary import summarize

BOTH = pytest.mark.parametrize("side", list(Side))
#: A zone before TP1 and one beyond it; marks inside the first, inside the second, and before both.
NEAR = {Side.BUY: ("91300", "91400"), Side.SELL: ("90200", "90300")}
BEYOND = {Side.BUY: ("92000", "92200"), Side.SELL: ("89400", "89600")}
IN_NEAR = {Side.BUY: "91350", Side.SELL: "90250"}
IN_BEYOND = {Side.BUY: "92100", Side.SELL: "89500"}
BEFORE = {Side.BUY: "91200", Side.SELL: "90400"}
TP1 = {Side.BUY: "91600", Side.SELL: "90000"}


def bound(
    side: Side = Side.BUY,
    zone: dict[Side, tuple[str, str]] = NEAR,
    policy: Policy = POLICY,
) -> Storyboard:
    """A position with stops and targets, and a zone that is bound and not used."""
    story = opened(side, policy).later(1000).mark(BEFORE[side])
    low, high = zone[side]
    trade = replace(story.trade, zone=BoundZone(id="z", low=D(low), high=D(high)))
    story.world = replace(story.world, trade=trade)
    assert story.run(1) == []
    return story


def after_tp1(
    side: Side = Side.BUY,
    zone: dict[Side, tuple[str, str]] = BEYOND,
    policy: Policy = POLICY,
) -> Storyboard:
    """TP1 has filled outside the zone; the stop is at breakeven."""
    story = bound(side, zone, policy).mark(TP1[side]).trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", TP1[side])
    story.run(3)
    return story.later(6000)


def zone_of(story: Storyboard) -> BoundZone:
    """The zone as it is recorded."""
    assert story.trade.zone is not None
    return story.trade.zone


# before TP1


@pytest.mark.rule("L-1", "T-3", "P-5")
@BOTH
def test_before_tp1_the_exit_is_tp1(side: Side) -> None:
    """TP1 is cancelled first; once its end is proven its quantity goes at market; then breakeven, then no second."""
    story = bound(side).mark(IN_NEAR[side])
    first = story.tick()
    assert roles(first) == ["-P"]
    assert cancels(first)[0].cause.rule == "L-1"
    assert [note.rule for note in first.notes] == ["L-1"]
    second = story.tick()
    (exit_,) = places(second)
    request = exit_.request
    assert (request.role, request.type, request.quantity) == (
        Role.ZONE_EXIT,
        OrderType.MARKET,
        D("0.006"),
    )
    assert (request.side, request.reduce_only) == (side.opposite, True)
    assert exit_.cause.rule == "L-1"
    assert f"mark {IN_NEAR[side]} is inside the zone z" in exit_.cause.text
    assert exit_.cause.text.endswith("0.006 of 0.013 at market, in TP1's place")
    story.fill(Role.ZONE_EXIT, "0.006", IN_NEAR[side])
    moved = places(story.tick())[0]
    assert moved.cause.rule in {"T-3", "L-2"}
    story.run(3)
    assert set(story.alive()) == {"S2", "B1", "Q1"}
    assert story.later(60_000).mark(IN_NEAR[side]).run(3) == []


@pytest.mark.rule("L-1")
@BOTH
def test_the_use_is_recorded_with_what_is_sent_for_it(side: Side) -> None:
    """The plan that cancels TP1, and the one that sends the exit, both say that the zone is used."""
    story = bound(side).mark(IN_NEAR[side])
    assert not zone_of(story).used
    for _ in range(2):
        planned = story.tick()
        assert planned.trade is not None
        assert planned.trade.zone is not None
        assert planned.trade.zone.used


@pytest.mark.rule("L-1")
@BOTH
@pytest.mark.parametrize(("edge", "inside"), [(0, True), (-1, False)])
def test_the_edges_of_the_zone_are_inside(side: Side, edge: int, inside: bool) -> None:
    """At the near edge there is an exit, a tick before it there is none; the same at the far edge."""
    sign = 1 if side is Side.BUY else -1
    low, high = (D(each) for each in NEAR[side])
    for price in (low + D("0.1") * edge, high - D("0.1") * edge):
        story = bound(side).mark(str(price))
        assert roles(story.tick()) == (["-P"] if inside else []), (price, sign)


@pytest.mark.rule("L-1")
@pytest.mark.parametrize(
    ("side", "low", "high", "mark", "goes"),
    [
        (Side.BUY, "90841.1", "91000", "90900", True),
        (Side.BUY, "90841.0", "91000", "90900", False),
        (Side.SELL, "90600", "90758.9", "90700", True),
        (Side.SELL, "90600", "90759.0", "90700", False),
    ],
)
def test_all_of_the_zone_lies_beyond_the_entry_and_its_fees(
    side: Side, low: str, high: str, mark: str, goes: bool
) -> None:
    """Breakeven, fees included, is 90 841.08 for the long: a zone that begins before it is none to exit in."""
    story = bound(side, {side: (low, high)}).mark(mark)
    assert roles(story.tick()) == (["-P"] if goes else [])


@pytest.mark.rule("L-1")
@BOTH
def test_a_zone_that_begins_at_breakeven_is_not_beyond_it(side: Side) -> None:
    """To the last digit: at that edge nothing would be won."""
    story = bound(side)
    price = breakeven_price(story.world, story.trade, assess(story.world, story.trade, POLICY))
    assert price is not None
    low, high = sorted((price, D(IN_BEYOND[side])))
    trade = replace(story.trade, zone=BoundZone(id="z", low=low, high=high))
    story.world = replace(story.world, trade=trade)
    assert story.mark(IN_NEAR[side]).run(1) == []


@pytest.mark.rule("L-1")
def test_an_old_mark_is_no_reason() -> None:
    """`max_quote_age_s` counts here too: nothing is sold for a price of long ago."""
    story = bound().mark(IN_NEAR[Side.BUY])
    mark = story.world.mark
    assert mark is not None
    for age_ms, word in ((5001, []), (5000, ["-P"])):
        old = replace(mark, at_ms=story.world.now_ms - age_ms)
        story.world = replace(story.world, mark=old)
        assert roles(story.tick()) == word


@pytest.mark.rule("L-1", "X-4")
@BOTH
def test_nothing_is_sold_until_the_end_of_tp1_is_known(side: Side) -> None:
    """Its cancel is not answered: it is repeated, and no exit goes; when TP1's end is proven, it does."""
    story = bound(side).mark(IN_NEAR[side])
    name = story.alive()["P1"].client_id
    unknown = replace(story.journal[name], cancel_sent_ms=story.world.now_ms)
    story.tick()
    story.journal[name] = unknown
    story.world = replace(
        story.world,
        orders=tuple(unknown if o.client_id == name else o for o in story.world.orders),
    )
    assert roles(story.tick()) == []
    story.later(500).mark(IN_NEAR[side])
    assert roles(story.tick()) == ["-P"]
    assert roles(story.tick()) == ["+L"]


@pytest.mark.rule("L-1", "T-3")
@BOTH
def test_tp1_that_executes_while_it_is_cancelled_was_the_exit(side: Side) -> None:
    """The fill wins, wherever it was: breakeven, L-2, and nothing more is sold in the zone."""
    story = bound(side).mark(IN_NEAR[side])
    name = story.alive()["P1"].client_id
    resting = story.journal[name]
    assert roles(story.tick()) == ["-P"]
    story.journal[name] = resting
    story.trigger(Role.TP1)
    assert roles(story.tick()) == []
    story.fill(Role.TP1, "0.006", TP1[side])
    done = [word for _ in range(6) for word in roles(story.tick())]
    assert "+L" not in done
    assert "+S" in done
    assert "+L" not in story.later(40_000).mark(IN_NEAR[side]).run(4)
    assert zone_of(story).used


@pytest.mark.rule("L-1")
@BOTH
def test_tp1_that_executed_inside_the_zone_was_the_exit(side: Side) -> None:
    """Nobody cancelled it, mark comes into the zone a moment later: what is left stays, and trails."""
    zone = {Side.BUY: ("91600", "92100"), Side.SELL: ("89500", "90000")}
    story = bound(side, zone).trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", TP1[side])
    noted = story.tick()
    assert [note.rule for note in noted.notes if note.rule == "L-1"] == ["L-1"]
    assert zone_of(story).used
    assert "+L" not in story.mark(TP1[side]).run(5)


@pytest.mark.rule("L-1")
@BOTH
@pytest.mark.parametrize(("past", "was_exit"), [("0", True), ("-0.1", False), ("250", True)])
def test_tp1_that_executed_as_far_as_the_zone_was_the_exit(
    side: Side, past: str, was_exit: bool
) -> None:
    """At the near edge or beyond it, even past the zone; a tick before it the zone has an exit of its own."""
    sign = 1 if side is Side.BUY else -1
    low, high = NEAR[side]
    near = D(low if side is Side.BUY else high)
    story = bound(side).trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", str(near + sign * D(past)))
    story.run(4)
    assert ("+L" in story.later(6000).mark(IN_NEAR[side]).run(2)) is not was_exit


@pytest.mark.rule("L-1", "T-3")
@BOTH
def test_a_tp1_that_is_executing_when_the_zone_is_entered_is_the_exit(side: Side) -> None:
    """Its trigger fired, its fill is not told: nothing is cancelled, nothing is sent, and its fill was the exit."""
    story = bound(side).trigger(Role.TP1).mark(IN_NEAR[side])
    assert story.run(2) == []
    assert zone_of(story).used
    story.fill(Role.TP1, "0.006", BEFORE[side])
    assert "+L" not in story.run(6)
    assert "+L" not in story.later(40_000).mark(IN_NEAR[side]).run(3)


@pytest.mark.rule("L-1")
@BOTH
def test_a_tp1_that_fired_and_sold_nothing_leaves_the_exit_to_the_zone(side: Side) -> None:
    """Its child was rejected: its end is proven, and its quantity goes in the zone."""
    story = bound(side).trigger(Role.TP1).mark(IN_NEAR[side])
    story.run(1)
    story.end(Role.TP1, OrderStatus.FINISHED)
    assert story.run(1) == ["+L"]


@pytest.mark.rule("L-1")
@BOTH
def test_a_mark_that_leaves_the_zone_again_gives_tp1_back(side: Side) -> None:
    """TP1 was cancelled, the exit not sent yet: TP1 is placed again, and the exit goes when mark comes back."""
    story = bound(side).mark(IN_NEAR[side])
    assert roles(story.tick()) == ["-P"]
    assert story.mark(BEFORE[side]).run(2) == ["+P"]
    assert story.later(1000).mark(IN_NEAR[side]).run(2) == ["-P", "+L"]


@pytest.mark.rule("L-1", "T-1")
def test_a_single_target_is_sold_whole() -> None:
    """TP1 was for everything: so is the exit."""
    story = bound()
    whole = replace(story.trade.decision, tp1_fraction=D(1))
    story.world = replace(story.world, trade=replace(story.trade, decision=whole))
    story.run(4)
    story.later(1000).mark(IN_NEAR[Side.BUY])
    words = story.run(2)
    assert words[-1] == "+L"
    exit_ = next(o for o in story.journal.values() if o.role is Role.ZONE_EXIT)
    assert exit_.request.quantity == D("0.013")


# after TP1


@pytest.mark.rule("L-1")
@BOTH
@pytest.mark.parametrize(("fraction", "sold"), [("1", "0.007"), ("0.5", "0.003")])
def test_after_tp1_a_share_of_the_remainder_goes(side: Side, fraction: str, sold: str) -> None:
    """`liq_exit_fraction` of what is left, floored to the step; TP2 follows what remains."""
    policy = replace(POLICY, liq_exit_fraction=D(fraction))
    story = after_tp1(side, policy=policy).mark(IN_BEYOND[side])
    placed = [p for p in places(story.tick()) if p.request.role is Role.ZONE_EXIT]
    assert [(p.request.quantity, p.request.reduce_only) for p in placed] == [(D(sold), True)]
    assert placed[0].cause.text.endswith(f"{fraction} of what is left after TP1")
    story.fill(Role.ZONE_EXIT, sold, IN_BEYOND[side])
    story.run(4)
    resting = [
        o.request.quantity for o in story.journal.values() if o.role is Role.TP2 and not o.ended
    ]
    assert resting == ([D("0.004")] if fraction == "0.5" else [])
    assert "+L" not in story.later(60_000).mark(IN_BEYOND[side]).run(3)


@pytest.mark.rule("L-1")
def test_less_than_a_step_is_not_sold() -> None:
    """A tenth of 0.007 is below the step: nothing goes, and the zone is not used."""
    story = after_tp1(policy=replace(POLICY, liq_exit_fraction=D("0.1")))
    assert "+L" not in story.mark(IN_BEYOND[Side.BUY]).run(2)
    assert not zone_of(story).used


@pytest.mark.rule("L-1", "X-4")
@BOTH
def test_a_lost_answer_leads_to_no_second_exit(side: Side) -> None:
    """The exit is unknown: it is settled by id, and while it may exist no other goes."""
    story = after_tp1(side)
    story.silent.add(Role.ZONE_EXIT)
    assert "+L" in story.mark(IN_BEYOND[side]).run(1)
    story.silent.clear()
    assert "+L" not in story.later(31_000).mark(IN_BEYOND[side]).run(1)


@pytest.mark.rule("L-1", "X-4")
@BOTH
@pytest.mark.parametrize(("after_ms", "again"), [(29_999, False), (30_000, True)])
def test_an_exit_that_sold_nothing_is_tried_again_after_a_while(
    side: Side, after_ms: int, again: bool
) -> None:
    """Refused by the venue: half a minute later, if mark is still in the zone."""
    story = after_tp1(side)
    story.refuse[Role.ZONE_EXIT] = -2022
    assert "+L" in story.mark(IN_BEYOND[side]).run(1)
    story.refuse.clear()
    assert "+L" not in story.run(3)
    story.later(after_ms).mark(IN_BEYOND[side])
    assert ("+L" in story.run(1)) is again


@pytest.mark.rule("L-1", "T-2")
def test_a_refused_exit_gives_tp1_back_meanwhile() -> None:
    """Before TP1: the target rests again until the next try."""
    story = bound().mark(IN_NEAR[Side.BUY])
    story.refuse[Role.ZONE_EXIT] = -2022
    assert story.run(3) == ["-P", "+L", "+P"]
    story.refuse.clear()
    story.later(30_000).mark(IN_NEAR[Side.BUY])
    assert story.run(2) == ["-P", "+L"]


@pytest.mark.rule("L-1", "L-3")
def test_another_zone_has_an_exit_of_its_own() -> None:
    """A newer decision bound another zone: an exit in the first one does not use it up."""
    story = after_tp1(policy=replace(POLICY, liq_exit_fraction=D("0.5")))
    assert "+L" in story.mark(IN_BEYOND[Side.BUY]).run(1)
    story.fill(Role.ZONE_EXIT, "0.003", IN_BEYOND[Side.BUY]).run(4)
    other = BoundZone(id="y", low=D(92400), high=D(92500))
    story.world = replace(story.world, trade=replace(story.trade, zone=other))
    story.later(6000).mark("92450")
    assert "+L" in story.run(1)
    assert zone_of(story).id == "y"
    assert zone_of(story).used


@pytest.mark.rule("L-1")
@pytest.mark.parametrize("what", ["draining", "closing", "executing", "protect only"])
def test_when_no_exit_is_made(what: str) -> None:
    """The engine is stopping, the trade is closing, a target is executing, or the mode forbids it."""
    story = after_tp1().mark(IN_BEYOND[Side.BUY])
    if what == "draining":
        story.world = replace(story.world, draining=True)
    elif what == "closing":
        story.trigger(Role.STOP)
    elif what == "executing":
        story.trigger(Role.TP2)
    else:
        state = ModeState(mode=Mode.PROTECT_ONLY, rule="M-4", cause="test", since_ms=NOW)
        story.world = replace(story.world, mode=state)
    assert "+L" not in story.run(1)
    assert not zone_of(story).used


@pytest.mark.rule("L-1", "T-5")
@BOTH
def test_a_tp1_that_was_reached_at_once_is_sold_by_its_own_rule(side: Side) -> None:
    """-2021 for TP1: T-5 sells its quantity once; the zone does not sell it too."""
    story = bound(side)
    name = story.alive()["P1"].client_id
    resting = replace(story.journal[name], state=OrderState.IN_FLIGHT)
    story.journal[name] = fold.end_refused(resting, -2021, "would trigger", story.world.now_ms)
    story.later(6000).mark(IN_NEAR[side])
    story.world = replace(story.world, orders=tuple(story.journal.values()))
    assert story.run(1) == ["+P"]
    assert not zone_of(story).used
    story.fill(Role.TP1, "0.006", IN_NEAR[side])
    assert "+L" not in story.run(4)


@pytest.mark.rule("L-1", "Y-2")
@BOTH
def test_nothing_is_sold_of_a_position_that_seems_gone(side: Side) -> None:
    """The newest look says zero: only its proof is waited for."""
    story = after_tp1(side).mark(IN_BEYOND[side])
    story.later(3000).reads("0").mark(IN_BEYOND[side])
    story.world = replace(story.world, position_event=None)
    assert "+L" not in story.run(1)
    assert not zone_of(story).used


@pytest.mark.rule("L-1")
@BOTH
def test_a_restart_after_the_cancel_goes_on(side: Side) -> None:
    """TP1's cancel left with the zone recorded as used; the new process sends the exit, once."""
    story = bound(side).mark(IN_NEAR[side])
    assert roles(story.tick()) == ["-P"]
    story.world = replace(story.world, best_mark=None, marks=(), uncovered_ms=None)
    assert roles(story.tick()) == ["+L"]
    unknown = {
        name: fold.mark_unknown(order) if order.role is not Role.ZONE_EXIT else order
        for name, order in story.journal.items()
    }
    story.journal = unknown
    story.fill(Role.ZONE_EXIT, "0.006", IN_NEAR[side])
    assert "+L" not in story.run(5)


# the last gate


def _exit_of(story: Storyboard) -> PlaceOrder:
    return regular(
        story.world,
        story.trade,
        Role.ZONE_EXIT,
        quantity=Decimal("0.001"),
        side=story.trade.side.opposite,
        cause=Cause(rule="L-1", text="0.001 at market"),
    )


@pytest.mark.rule("L-1", "P-5")
def test_an_exit_that_is_not_recorded_or_not_alone_is_never_approved() -> None:
    """Without `used`, or beside a TP1 that may still execute, it is a broken promise."""
    story = after_tp1()
    with pytest.raises(InvariantBroken, match="not recorded"):
        approve((_exit_of(story),), story.world, story.trade)
    used = replace(story.trade, zone=replace(zone_of(story), used=True))
    assert approve((_exit_of(story),), story.world, used)
    early = bound()
    used = replace(early.trade, zone=replace(zone_of(early), used=True))
    with pytest.raises(InvariantBroken, match="may still execute"):
        approve((_exit_of(early),), early.world, used)


@pytest.mark.rule("T-3", "T-4", "L-1")
def test_the_end_is_named_after_the_zone() -> None:
    """The rest went in the zone: the trade ends by `liq_zone`, swept."""
    story = after_tp1().mark(IN_BEYOND[Side.BUY])
    story.run(1)
    story.fill(Role.ZONE_EXIT, "0.007", IN_BEYOND[Side.BUY])
    found = summarize(story.world, story.trade)
    assert found is not None
    assert found.exit_reason == "liq_zone"
    assert "-S" in story.run(2)
