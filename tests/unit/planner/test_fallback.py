"""E-6: once the chases are used up, one bounded limit order that takes, or nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.test_chase import AFTER_MS, both, touch_away
from tests.worlds import (
    POLICY,
    D,
    Storyboard,
    cancels,
    decision,
    places,
    roles,
    short_decision,
    world,
)

from jumar.model import fold
from jumar.model.order import OrderStatus, OrderType, Role, Side, TimeInForce
from jumar.model.world import DecisionState, Quote
from jumar.planner.chase import chases_of

SURE = D("0.75")


def chased(
    side: Side = Side.BUY,
    confidence: Decimal = SURE,
    waited_ms: int = AFTER_MS,
    **limits: object,
) -> Storyboard:
    """An entry whose one chase is used up, at the touch; so long has gone by since."""
    chosen = decision if side is Side.BUY else short_decision
    policy = replace(POLICY, **{"max_chases": 1, **limits})  # type: ignore[arg-type]  # what differs
    state = DecisionState(decision=chosen(confidence=confidence))
    board = Storyboard(world=world(decision=state), policy=policy)
    board.mark("90760" if side is Side.BUY else "90840").run(2)
    if policy.max_chases:
        touch_away(board.later(AFTER_MS), "20").tick()
    assert chases_of(board.world) == policy.max_chases
    return touch_away(board.later(waited_ms), "20")


@pytest.mark.rule("E-6", "E-10")
@both
def test_the_resting_entry_goes_first_then_one_order_takes(side: Side) -> None:
    """Proven ended, then LIMIT IOC at most `max_slippage_pct` beyond the touch, never beyond the band."""
    board = chased(side)
    first = board.tick()
    assert (roles(first), cancels(first)[0].cause.rule) == (["-E"], "E-6")
    second = board.tick()
    (place,) = places(second)
    request = place.request
    assert (request.role, request.type) == (Role.ENTRY, OrderType.LIMIT)
    assert (request.time_in_force, request.side) == (TimeInForce.IOC, side)
    assert request.quantity == board.trade.planned_quantity
    # 0.05 % of 90 780.1 would be 90 825.4: the band's edge is nearer
    assert request.price == (D("90786.6") if side is Side.BUY else D("90813.4"))
    assert place.cause.rule == "E-6"


@pytest.mark.rule("E-6")
@both
def test_it_takes_no_further_than_the_slippage(side: Side) -> None:
    """Where the band is wide the touch bounds it: rounded toward the touch, never past it."""
    board = chased(side, max_slippage_pct=D("0.005"))
    board.tick()
    (place,) = places(board.tick())
    # 0.005 % of 90 780.1 are 4.539, of 90 820 4.541
    assert place.request.price == (D("90784.6") if side is Side.BUY else D("90815.5"))


@pytest.mark.rule("E-6")
def test_a_slippage_below_a_tick_still_reaches_the_touch() -> None:
    """Rounding never makes an order that takes nothing."""
    for side, touch in ((Side.BUY, "90780.1"), (Side.SELL, "90820")):
        board = chased(side, max_slippage_pct=D("0.00001"))
        board.tick()
        (place,) = places(board.tick())
        assert place.request.price == D(touch)


@pytest.mark.rule("E-6")
@both
@pytest.mark.parametrize(("confidence", "goes"), [("0.7499", False), ("0.75", True)])
def test_only_with_confidence(side: Side, confidence: str, goes: bool) -> None:
    """Below `fallback_confidence` the entry just rests on."""
    board = chased(side, D(confidence))
    assert roles(board.tick()) == (["-E"] if goes else [])


@pytest.mark.rule("E-6")
def test_only_after_the_last_price_had_its_time() -> None:
    """The last chase is given `chase_after_s` too; a fill begins it anew."""
    assert chased(waited_ms=AFTER_MS - 1).tick().commands == ()
    filled = chased().fill(Role.ENTRY, "0.004", "90780").later(AFTER_MS - 1)
    filled.run(3)
    assert "E1" in filled.alive()


@pytest.mark.rule("E-6")
def test_not_while_chases_are_left() -> None:
    """With one chase left, it waits for that."""
    board = chased()
    board.policy = replace(board.policy, max_chases=2)
    assert board.tick().commands == ()


@pytest.mark.rule("E-6")
def test_without_any_chase_it_follows_the_waiting() -> None:
    """`max_chases = 0` leaves the fallback alone, after the same time."""
    board = chased(max_chases=0)
    assert roles(board.tick()) == ["-E"]
    early = chased(max_chases=0, waited_ms=AFTER_MS - 1)
    assert early.tick().commands == ()


@pytest.mark.rule("E-6")
@both
def test_not_while_the_touch_is_outside_the_band(side: Side) -> None:
    """The other side's best price decides: a tick beyond the edge, or short of the band, nothing is done."""
    edges = (
        ("90786.6", "90786.7", "90699.9") if side is Side.BUY else ("90813.4", "90813.3", "90900.1")
    )
    for touch, goes in zip(edges, (True, False, False), strict=True):
        board = chased(side)
        assert board.world.quote is not None
        low, high = (
            (D(touch) - D("0.1"), D(touch)) if side is Side.BUY else (D(touch), D(touch) + D("0.1"))
        )
        shown = Quote(bid=low, ask=high, bid_quantity=D(5), ask_quantity=D(5))
        board.world = replace(board.world, quote=replace(board.world.quote, value=shown))
        assert roles(board.tick()) == (["-E"] if goes else []), touch


@pytest.mark.rule("E-6")
def test_not_once_the_ask_has_left_the_band_meanwhile() -> None:
    """Between the cancel and the order the touch went: an order rests again instead."""
    board = chased()
    board.tick()
    board.mark("90790").later(100)
    (place,) = places(board.tick())
    assert place.request.time_in_force is TimeInForce.GTX
    assert place.request.price == D("90786.6")


@pytest.mark.rule("E-6", "G-5")
def test_not_while_the_spread_is_wide() -> None:
    """G-5 refuses any entry then: the resting one is cancelled for that, and none follows."""
    board = chased()
    assert board.world.quote is not None
    wide = Quote(bid=D("90730"), ask=D("90780"), bid_quantity=D(5), ask_quantity=D(5))
    board.world = replace(board.world, quote=replace(board.world.quote, value=wide))
    result = board.tick()
    assert cancels(result)[0].cause.rule == "G-5"
    assert places(board.tick()) == []


@pytest.mark.rule("E-6", "E-8", "P-4")
def test_its_rest_ends_and_no_second_follows() -> None:
    """What it took is held; the rest of the plan rests post-only again, and never takes."""
    board = chased()
    board.run(2)
    board.fill(Role.ENTRY, "0.005", "90780.1").end(Role.ENTRY, OrderStatus.EXPIRED)
    board.later(2000).run(3)
    rest = board.alive()["E3"].request
    assert (rest.time_in_force, rest.quantity) == (TimeInForce.GTX, D("0.008"))
    board.later(10 * AFTER_MS)
    touch_away(board, "20").run(3)
    assert board.alive()["E3"].request == rest


@pytest.mark.rule("E-6")
def test_a_refused_one_is_spent_an_unsent_one_is_not() -> None:
    """A refusal is not tried again; what never left, or is proven absent, was no fallback."""
    board = chased()
    board.refuse[Role.ENTRY] = -2019
    board.run(2)
    board.refuse.clear()
    board.later(AFTER_MS).run(2)
    assert board.alive()["E3"].request.time_in_force is TimeInForce.GTX
    other = chased()
    other.silent.add(Role.ENTRY)
    other.run(2)
    other.silent.clear()
    other._put(fold.end_absent(other.alive()["E2"], "never sent", other.world.now_ms))
    other._sync()
    touch_away(other.later(AFTER_MS), "20").run(1)
    assert other.alive()["E3"].request.time_in_force is TimeInForce.GTX
    touch_away(other.later(AFTER_MS), "20").run(1)
    (place,) = places(other.tick())
    assert place.request.time_in_force is TimeInForce.IOC


@pytest.mark.rule("E-6", "X-5")
def test_an_unknown_one_is_waited_for() -> None:
    """While its outcome is not known no other entry goes (E-10)."""
    board = chased()
    board.silent.add(Role.ENTRY)
    board.run(2)
    board.later(1000)
    assert places(board.tick()) == []


@pytest.mark.rule("E-6", "P-7")
def test_an_order_that_was_ended_before_its_time_opens_no_way() -> None:
    """Only an entry that had its time unfilled gives way to one that takes, however long ago it ended."""
    board = chased(waited_ms=AFTER_MS - 1)
    board.end(Role.ENTRY, OrderStatus.CANCELED).later(AFTER_MS)
    (place,) = places(touch_away(board, "20").tick())
    assert place.request.time_in_force is TimeInForce.GTX
