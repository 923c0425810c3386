"""Corners of the planner that a review found: refusals in a row, lost answers, hands, and crashes at bad moments."""

from dataclasses import replace

import pytest
from tests.worlds import (
    BTC,
    NOW,
    POLICY,
    D,
    Storyboard,
    cancels,
    codes,
    decision,
    opened,
    places,
    roles,
    world,
)

from jumar.model import fold
from jumar.model.account import PositionReport
from jumar.model.command import Approved, CancelOrder, Cause, Plan
from jumar.model.order import Fill, OrderState, OrderStatus, OrderType, OwnOrder, Role, Side
from jumar.model.trade import CloseReason
from jumar.model.world import DecisionState, Observed, Source
from jumar.planner import invariants
from jumar.planner.facts import assess


def board(**changes: object) -> Storyboard:
    """An idle world with the example decision."""
    return Storyboard(world=world(**changes))


def change(story: Storyboard, name: str, **changes: object) -> OwnOrder:
    """Rewrite one of the story's alive orders, by role and attempt."""
    order = replace(story.alive()[name], **changes)  # type: ignore[arg-type]  # a test states only what differs
    story.journal[order.client_id] = order
    story._sync()
    return order


def miss(story: Storyboard, *names: str) -> None:
    """Two reads by id did not find these orders."""
    for name in names:
        change(story, name, misses=(story.world.now_ms - 1000, story.world.now_ms))


def hand(story: Storyboard, quantity: str) -> None:
    """A person trades on the symbol: a fill that no order of ours explains."""
    size, now = D(quantity), story.world.now_ms
    by_hand = Fill(
        symbol="BTCUSDT",
        trade_id=story._id(),
        venue_order_id="7",
        client_id=None,
        side=Side.BUY if size > 0 else Side.SELL,
        price=D(90800),
        quantity=abs(size),
        maker=False,
        fee=D(0),
        fee_asset="USDT",
        realized_pnl=D(0),
        time_ms=now,
    )
    fills = (*story.world.fills, by_hand)
    held = sum((fill.signed_quantity for fill in fills), start=D(0))
    report = PositionReport(symbol="BTCUSDT", quantity=held, entry_price=D(90800))
    event = Observed(value=report, at_ms=now, source=Source.STREAM)
    read = Observed(value=report, at_ms=now, source=Source.REST)
    story.world = replace(story.world, fills=fills, position_event=event, position=read)


def at_tp1(mark: str = "91600") -> Storyboard:
    """TP1 has filled; the stop has not moved yet."""
    story = opened().later(1000).mark(mark)
    story.trigger(Role.TP1)
    return story.fill(Role.TP1, "0.006", mark)


@pytest.mark.rule("S-4", "P-1")
def test_a_refused_restore_is_tried_again_every_250_ms_not_at_once() -> None:
    """-4118 while cover is missing: no burst of attempts; the plan asks to be woken for the next one."""
    story = opened().later(1000).bare(-4118)
    assert roles(story.tick()) == ["+S"]
    waiting = story.tick()
    assert roles(waiting) == []
    assert waiting.wake_in_ms == 250
    story.refuse.clear()
    assert roles(story.later(250).tick()) == ["+S"]


@pytest.mark.rule("S-6", "S-4")
def test_a_move_refused_for_any_reason_waits_for_another_look() -> None:
    """-4045 on the way to breakeven: the old stop stays, the next attempt comes a second later."""
    story = at_tp1()
    story.refuse[Role.STOP] = -4045
    assert story.run(4) == ["+S"]
    assert roles(story.later(1000).tick()) == ["+S"]
    assert "S1" in story.alive()


@pytest.mark.rule("S-1")
def test_refusals_of_the_armed_stop_do_not_burn_its_attempts_at_once() -> None:
    """-1015 (too many orders) in one moment costs one attempt, not the decision."""
    story = board()
    story.refuse[Role.STOP] = -1015
    assert story.run(5) == ["+S"]
    story.refuse.clear()
    assert story.later(1000).run(2) == ["+S", "+E"]


@pytest.mark.rule("S-4")
def test_an_unknown_move_is_resolved_before_a_better_one_is_sent() -> None:
    """The old stop covers, the move has no answer, mark runs on: no second move beside it."""
    story = at_tp1("90850")
    story.silent.add(Role.STOP)
    assert roles(story.tick()) == ["+S"]
    story.later(500).mark("90880")
    assert story.run(2) == []


@pytest.mark.rule("P-2", "S-6")
def test_lost_cover_is_restored_at_the_ratchet_price_before_it_moves() -> None:
    """TP1 filled and the stop lost at once: first the confirmed price again, then breakeven."""
    story = at_tp1()
    story.end(Role.STOP, OrderStatus.CANCELED)
    first, second = story.tick(), story.tick()
    assert places(first)[0].request.trigger_price == D(90380)
    assert places(second)[0].request.trigger_price == D("90841.1")


@pytest.mark.rule("S-6")
def test_a_lost_stop_that_cannot_be_restored_closes_even_when_a_move_was_due() -> None:
    """Mark is old and still says breakeven is in reach; the venue refuses the ratchet price: close."""
    story = at_tp1().bare(-2021)
    assert story.run(2) == ["+S", "+X"]
    assert story.trade.closing is CloseReason.EMERGENCY


@pytest.mark.rule("S-4", "X-4", "P-1")
def test_stops_that_nobody_finds_do_not_keep_a_new_one_away() -> None:
    """Both layers lost, three restores lost on the way, two reads find none: the oldest makes room for one more."""
    story = opened(policy=replace(POLICY, protect_deadline_s=60)).later(1000).bare()
    story.silent |= {Role.STOP, Role.BACKSTOP}
    story.run(4)
    story.silent.discard(Role.STOP)
    assert roles(story.later(6000).tick()) == ["+B"]
    miss(story, "S2", "S3", "S4")
    gone = story.tick()
    assert [c.client_id[-2:] for c in cancels(gone)] == ["S2"]
    assert roles(story.tick()) == ["+S"]


@pytest.mark.rule("X-4", "P-6")
def test_an_order_that_a_crash_left_in_flight_is_settled() -> None:
    """Journaled, never answered: past its receive window it is cancelled by id like any unknown one."""
    story = opened().later(1000)
    change(story, "P1", state=OrderState.IN_FLIGHT, acked_ms=None)
    settled = story.later(6000).tick()
    assert [(c.client_id[-2:], c.cause.rule) for c in cancels(settled)] == [("P1", "X-4")]


@pytest.mark.rule("P-2", "X-4")
def test_an_unknown_stop_of_a_position_is_asked_for_before_it_is_cancelled() -> None:
    """The move may rest and be the effective stop: only a read that does not find it lets it go."""
    story = at_tp1()
    story.silent.add(Role.STOP)
    assert roles(story.tick()) == ["+S"]
    assert roles(story.later(6000).tick()) == []
    miss(story, "S2")
    assert [c.client_id[-2:] for c in cancels(story.tick())] == ["S2"]


@pytest.mark.rule("P-2", "S-4")
def test_tidying_spares_an_unknown_stop_that_may_be_tighter() -> None:
    """Breakeven unknown, both old layers lost and restored: the unknown one is not cancelled unasked."""
    story = at_tp1()
    story.silent.add(Role.STOP)
    story.tick()
    story.silent.clear()
    for name in ("S1", "B1"):
        lost = fold.end_canceled(story.alive()[name], story.world.now_ms)
        story.journal[lost.client_id] = lost
    story._sync()
    story.later(100).mark("90400")
    assert roles(story.tick()) == ["+S"]
    assert story.run(2) == []
    assert {"S2", "S3"} <= set(story.alive())


@pytest.mark.rule("S-4", "X-4")
def test_an_unknown_restore_is_resolved_first_while_the_backstop_stands_there() -> None:
    """The working stop is gone, its restore unanswered: no second one beside a backstop at the same price, until it is settled."""
    story = opened().later(1000)
    story.end(Role.STOP, OrderStatus.CANCELED)
    story.silent.add(Role.STOP)
    assert roles(story.tick()) == ["+S"]
    story.silent.clear()
    assert story.later(1500).run(2) == []
    miss(story.later(6000), "S2")
    assert [c.client_id[-2:] for c in cancels(story.tick())] == ["S2"]
    assert roles(story.tick()) == ["+S"]


@pytest.mark.rule("P-7", "G-13")
def test_without_a_decision_the_guards_still_judge_the_trade() -> None:
    """No decision is known, truth is stale: the resting entry goes, and planning does not fail."""
    story = board()
    story.run(2)
    story.world = replace(story.world, decision=None, now_ms=story.world.now_ms + 4000)
    stale = story.tick()
    assert roles(stale) == ["-E"]
    assert "truth_incomplete" in codes(stale)
    assert story.run(1) == []


@pytest.mark.rule("P-4", "P-1")
def test_a_lot_bought_by_hand_neither_blocks_the_plan_nor_is_added_to() -> None:
    """The entry's remainder is not placed again on top of it; what protects still leaves."""
    story = board()
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    story.end(Role.ENTRY, OrderStatus.CANCELED)
    hand(story, "0.011")
    restored = story.later(1000).tick()
    assert "+E" not in roles(restored)
    assert places(restored)[0].request.quantity == D("0.015")
    assert "+E" not in story.run(3)
    assert set(story.alive()) >= {"S2", "B1"}


@pytest.mark.rule("W-3", "S-4")
def test_no_stop_is_planned_for_a_quantity_of_zero() -> None:
    """All sold while the outcome of the filled entry is still open: nothing is left to stop."""
    story = opened().later(1000).mark("91600")
    for role in (Role.TP1, Role.TP2):
        story.trigger(role)
    story.fill(Role.TP1, "0.006", "91600").fill(Role.TP2, "0.007", "91600")
    entry = next(o for o in story.journal.values() if o.role is Role.ENTRY)
    story.journal[entry.client_id] = replace(entry, state=OrderState.UNKNOWN, end_status=None)
    story._sync()
    assert "+S" not in story.run(2)


@pytest.mark.rule("P-1", "S-4")
def test_of_two_stops_at_one_price_either_may_go() -> None:
    """Cancelling a newer, smaller twin leaves the effective stop where it is: the plan stands."""
    story = opened()
    twin = replace(
        story.alive()["S1"],
        attempt=2,
        request=replace(story.alive()["S1"].request, client_id="twin"),
    )
    story.journal["twin"] = twin
    story._sync()
    cancel = CancelOrder(
        symbol="BTCUSDT",
        channel=twin.request.channel,
        client_id="twin",
        cause=Cause(rule="S-4", text="a twin"),
    )
    one = Plan(trade=story.trade, commands=(Approved(command=cancel),))
    invariants.check(story.world, one, POLICY)


@pytest.mark.rule("X-6", "Y-11")
def test_one_order_without_its_fills_does_not_hide_anothers() -> None:
    """An old report is overdue, a new one is not: fills are still awaited."""
    story = opened().later(5000)
    orders = list(story.journal.values())
    overdue = replace(orders[0], filled_quantity=D(1), updated_ms=NOW)
    fresh = replace(orders[-1], filled_quantity=D(1), updated_ms=story.world.now_ms)
    seen = replace(story.world, orders=(overdue, fresh))
    assert assess(seen, story.trade, POLICY).fills_pending


@pytest.mark.rule("T-5")
def test_a_refused_sale_of_a_reached_target_has_sold_nothing() -> None:
    """Refused twice: after a pause it is tried again, first LIMIT IOC, and sold once."""
    story = board()
    story.run(2)
    story.refuse[Role.TP1] = -2021
    story.fill(Role.ENTRY, "0.013", "90786.6").mark("91700").tick()
    story.refuse[Role.TP1] = -4118
    assert story.run(4).count("+P") == 1
    assert story.later(5000).run(2).count("+P") == 1
    story.refuse.clear()
    sale = next(p.request for p in places(story.later(5000).tick()) if p.request.role is Role.TP1)
    assert (sale.type, sale.quantity) == (OrderType.LIMIT, D("0.006"))


@pytest.mark.rule("G-7")
@pytest.mark.parametrize("notional", ["40", "6"])
def test_the_size_that_would_pass_does(notional: str) -> None:
    """On a fine step the minimum notional decides: the size named in the refusal is accepted."""
    fine = replace(BTC, step_size=D("0.0001"), min_quantity=D("0.0001"))
    fine = replace(fine, market_min_quantity=D("0.0001"))
    small = decision(notional=D(notional))
    refused = board(instrument=fine, decision=DecisionState(decision=small)).tick()
    assert [r.rule for r in refused.refusals] == ["G-7"]
    named = refused.refusals[0].message.split("position_size_usdt of ")[1].split()[0]
    passing = decision(notional=D(named))
    assert roles(board(instrument=fine, decision=DecisionState(decision=passing)).tick()) == ["+S"]
