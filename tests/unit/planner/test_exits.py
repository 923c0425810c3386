"""Full exits: what is left of a closing trade is sold reduce-only, in S-8's rhythm, whatever the venue says."""

from dataclasses import replace

import pytest
from tests.worlds import BTC, D, Storyboard, cancels, decision, opened, places, roles

from jumar.model import fold
from jumar.model.decision import Action
from jumar.model.order import (
    STOP_ROLES,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    Role,
    Side,
    TimeInForce,
)
from jumar.model.policy import OnFlat, Policy
from jumar.model.trade import CloseReason
from jumar.model.units import ZERO

CLOSE = Policy(max_notional_usdt=D(5000), on_flat=OnFlat.CLOSE)


def closing(side: Side = Side.BUY, code: int | None = None) -> Storyboard:
    """A position that a flat decision closes; exits are refused with a code, if any."""
    story = opened(side, CLOSE).later(1000)
    flat = decision(id="d2", action=Action.FLAT, levels=None, timestamp_ms=story.world.now_ms)
    if code is not None:
        story.refuse[Role.FULL_EXIT] = code
    return story.decide(flat)


def exits(story: Storyboard, ms: int = 0) -> list[OrderRequest]:
    """The full exits of the next look."""
    planned = places(story.later(ms).tick() if ms else story.tick())
    return [place.request for place in planned if place.request.role is Role.FULL_EXIT]


@pytest.mark.rule("S-8", "P-5")
@pytest.mark.parametrize("side", list(Side))
def test_an_exit_is_market_reduce_only_and_before_any_cancel(side: Side) -> None:
    """The whole position, on the other side; nothing is cancelled beside it."""
    first = closing(side).tick()
    assert roles(first) == ["+X"]
    exit_ = places(first)[0].request
    assert (exit_.type, exit_.quantity, exit_.side) == (
        OrderType.MARKET,
        D("0.013"),
        side.opposite,
    )
    assert exit_.reduce_only and exit_.price is None


@pytest.mark.rule("S-8")
def test_the_rhythm_of_exits() -> None:
    """250 ms, each with a new id; after twenty tries once a second."""
    story = closing(code=-1111)
    first = story.tick()
    assert (roles(first), first.wake_in_ms) == (["+X"], 250)
    assert exits(story, 249) == []
    ids = [exit_.client_id[-3:] for _ in range(19) for exit_ in exits(story, 250)]
    assert ids[0] == "-X2" and len(set(ids)) == 19
    assert exits(story, 250) == []
    assert len(exits(story, 750)) == 1


@pytest.mark.rule("S-8", "X-4")
def test_an_exit_without_an_answer_is_not_waited_for() -> None:
    """A new one after 250 ms: both only reduce."""
    story = closing()
    story.silent.add(Role.FULL_EXIT)
    assert len(exits(story)) == 1
    assert exits(story, 100) == []
    assert len(exits(story, 150)) == 1


@pytest.mark.rule("S-8", "P-1")
@pytest.mark.parametrize("code", [-1016, -4141, -1015, -1003])
def test_a_halted_venue_is_waited_for_with_every_stop_kept(code: int) -> None:
    """Every two seconds, alarmed, no stop cancelled however long it lasts."""
    story = closing(code=code)
    story.tick()
    assert exits(story, 1750) == []
    assert len(exits(story, 250)) == 1
    for _ in range(30):
        result = story.later(1000).tick()
        assert cancels(result) == []
        assert [alarm.rule for alarm in result.alarms] == ["S-8"]
    assert {"S1", "B1"} <= set(story.alive())
    story.refuse.clear()
    story.later(2000).tick()
    assert story.tick().alarms == ()


@pytest.mark.rule("S-8")
def test_targets_that_keep_an_exit_out_go_first() -> None:
    """-4118: resting targets are cancelled, stops are not; then the exit is sent again."""
    story = closing(code=-4118)
    story.tick()
    assert roles(story.later(250).tick()) == ["-P", "-Q"]
    assert {"S1", "B1"} <= set(story.alive())
    story.refuse.clear()
    assert len(exits(story)) == 1


@pytest.mark.rule("S-8")
def test_a_blocked_exit_without_targets_is_sent_again() -> None:
    """-4118 though nothing of ours could be in the way: tried again, no stop gives way."""
    story = closing(code=-4118)
    story.tick()
    story.later(250).tick()
    for _ in range(3):
        result = story.later(250).tick()
        assert roles(result) == ["+X"]
    assert {"S1", "B1"} <= set(story.alive())


def assert_slice(exit_: OrderRequest, side: Side, quantity: str) -> None:
    """LIMIT IOC, reduce-only, nine tenths of the way to the venue's band of 5 % around mark 90 820."""
    price = D("86733.1") if side is Side.BUY else D("94906.9")
    assert (exit_.type, exit_.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
    assert (exit_.price, exit_.quantity, exit_.reduce_only) == (price, D(quantity), True)


@pytest.mark.rule("S-8")
@pytest.mark.parametrize("side", list(Side))
def test_a_market_exit_outside_the_band_becomes_a_slice(side: Side) -> None:
    """-4131: the next one is a limit order that takes what the band allows."""
    story = closing(side, -4131)
    story.tick()
    story.refuse.clear()
    (exit_,) = exits(story, 250)
    assert_slice(exit_, side, "0.013")


@pytest.mark.rule("S-8")
def test_a_cancelled_remainder_is_sold_in_slices() -> None:
    """The venue filled 0.004 at market and expired the rest: 0.009 follow as a limit order."""
    story = closing()
    story.tick()
    story.fill(Role.FULL_EXIT, "0.004", "90800").end(Role.FULL_EXIT, OrderStatus.EXPIRED)
    (exit_,) = exits(story, 1000)
    assert_slice(exit_, Side.BUY, "0.009")


@pytest.mark.rule("S-8")
def test_what_no_market_order_may_hold_is_sold_in_slices() -> None:
    """Above MARKET_LOT_SIZE.maxQty: limit slices, none larger than LOT_SIZE.maxQty; the rest that fits at market."""
    story = closing()
    small = replace(BTC, market_max_quantity=D("0.004"), max_quantity=D("0.006"))
    story.world = replace(story.world, instrument=small)
    (exit_,) = exits(story)
    assert_slice(exit_, Side.BUY, "0.006")
    story.fill(Role.FULL_EXIT, "0.006", "90800")
    (exit_,) = exits(story, 250)
    assert_slice(exit_, Side.BUY, "0.006")
    story.fill(Role.FULL_EXIT, "0.006", "90800")
    (exit_,) = exits(story, 250)
    assert (exit_.type, exit_.quantity) == (OrderType.MARKET, D("0.001"))


@pytest.mark.rule("S-8")
def test_without_a_mark_large_positions_are_still_sold() -> None:
    """No band can be told: market orders of the largest allowed size."""
    story = closing()
    small = replace(BTC, market_max_quantity=D("0.010"))
    story.world = replace(story.world, instrument=small, mark=None)
    (exit_,) = exits(story)
    assert (exit_.type, exit_.quantity) == (OrderType.MARKET, D("0.010"))


@pytest.mark.rule("S-8", "Y-11", "Y-2")
def test_not_reducing_and_read_as_zero_is_done() -> None:
    """-2022: the position is read; zero: no further exit, and no stop is cancelled before the proof of flat."""
    story = closing(code=-2022)
    story.tick()
    story.later(250).reads("0")
    story.world = replace(story.world, position_event=None)
    for _ in range(6):
        assert roles(story.tick()) == []
        story.later(250).reads("0")
    assert {"S1", "B1"} <= set(story.alive())
    story.later(3000).reads("0").asks()
    assert sorted(roles(story.tick())) == ["-B", "-P", "-Q", "-S"]


@pytest.mark.rule("S-8")
def test_not_reducing_but_still_held_is_tried_again() -> None:
    """-2022 and a read that still says 0.013: the next exit follows."""
    story = closing(code=-2022)
    story.tick()
    assert len(exits(story, 250)) == 1


@pytest.mark.rule("S-8", "Y-11")
def test_an_answered_exit_waits_for_the_next_look_at_the_position() -> None:
    """After an exit was answered nothing is sold twice on a position read before it."""
    story = closing()
    story.tick()
    story.later(100)
    order = story.alive()["X1"]
    done = story._report(order, OrderStatus.FILLED, D("0.013"))
    story._put(fold.fold(order, done, story.world.now_ms))
    old = story.world.position
    story.later(2000)
    story.world = replace(story.world, position=old)
    story._sync()
    assert exits(story) == []


@pytest.mark.rule("S-8", "S-9")
def test_a_triggered_stop_is_waited_for_no_longer_than_the_deadline() -> None:
    """It sells by itself for up to 3 s; then the rest is closed beside it."""
    story = opened().later(1000)
    story.trigger(Role.STOP)
    assert exits(story) == []
    assert exits(story, 2999) == []
    assert len(exits(story, 1)) == 1


@pytest.mark.rule("S-9", "W-1")
def test_an_execution_of_a_stop_tells_that_it_triggered() -> None:
    """Its order event was lost, its fill was told: the trade is closing, targets stay, and it is waited for as ever."""
    story = opened().later(1000)
    stop = story.alive()["S1"]
    story.fill(Role.STOP, "0.005", "90379")
    told = story.journal[stop.client_id]
    silent = replace(told, state=OrderState.OPEN, filled_quantity=ZERO, triggered_ms=None)
    story._put(silent)
    plan = story.later(1200).tick()
    assert plan.trade is not None
    assert plan.trade.closing is CloseReason.STOP
    assert cancels(plan) == []
    assert exits(story) == []
    assert len(exits(story, 1800)) == 1


@pytest.mark.rule("S-8", "Y-11")
def test_stops_go_only_after_the_proof_of_flat() -> None:
    """Sold by fills: until an event or a later read says zero, every stop stays."""
    story = closing()
    story.tick()
    story.later(100).fill(Role.FULL_EXIT, "0.013", "90800")
    held = replace(story.world.position, at_ms=story.world.now_ms - 1000)  # type: ignore[type-var]  # it was read
    story.world = replace(story.world, position=held, position_event=None)
    assert cancels(story.tick()) == []
    story.later(2100)
    swept = story.tick()
    assert {parsed.client_id[-2] for parsed in cancels(swept)} == {"S", "B", "P", "Q"}


def test_an_exit_stands_above_no_stop() -> None:
    """While closing no new working stop is placed, and none is moved."""
    story = closing(code=-1111)
    words = [place for _ in range(10) for place in places(story.later(250).tick())]
    assert not [place for place in words if place.request.role in STOP_ROLES]
