"""The main path as a story: armed, entered, covered twice, targets, breakeven, home, swept."""

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
    levels,
    opened,
    places,
    roles,
    seen,
    short_decision,
    world,
)

from jumar.model.account import MarginMode, SymbolSettings
from jumar.model.decision import Action, Decision
from jumar.model.order import Channel, OrderStatus, OrderType, Role, Side, TimeInForce, WorkingType
from jumar.model.policy import BackstopKind, OnFlat
from jumar.model.trade import CloseReason
from jumar.model.world import DecisionState


def board(**changes: object) -> Storyboard:
    """An idle world with the example decision."""
    return Storyboard(world=world(**changes))


@pytest.mark.rule("S-1", "P-1")
def test_the_stop_is_armed_and_confirmed_before_the_entry_is_sent() -> None:
    """First tick: the armed stop alone; second tick, once it is confirmed: the entry."""
    story = board()
    first = story.tick()
    assert roles(first) == ["+S"]
    stop = places(first)[0].request
    assert (stop.trigger_price, stop.quantity, stop.side) == (D(90380), D("0.013"), Side.SELL)
    second = story.tick()
    assert roles(second) == ["+E"]
    entry = places(second)[0].request
    assert (entry.price, entry.quantity) == (D("90786.6"), D("0.013"))
    assert entry.time_in_force is TimeInForce.GTX
    assert not entry.only_reduces


@pytest.mark.rule("S-1")
def test_no_entry_while_the_armed_stop_is_unknown() -> None:
    """An armed stop without an answer is not confirmed: nothing enters."""
    story = board()
    story.silent.add(Role.STOP)
    assert story.run(3) == ["+S"]


@pytest.mark.rule("S-11")
def test_every_flag_of_a_stop_is_stated() -> None:
    """Mark price, reduce-only with quantity, GTC, conditional channel."""
    stop = places(board().tick())[0].request
    assert stop.type is OrderType.STOP_MARKET
    assert stop.working_type is WorkingType.MARK_PRICE
    assert stop.reduce_only and not stop.close_position
    assert stop.time_in_force is TimeInForce.GTC
    assert stop.channel is Channel.CONDITIONAL


@pytest.mark.rule("E-4")
def test_margin_mode_and_leverage_are_set_before_arming() -> None:
    """What differs is set while flat; nothing is armed before it is read back."""
    settings = seen(SymbolSettings(leverage=20, margin_mode=MarginMode.CROSSED))
    story = board(settings=settings)
    assert roles(story.tick()) == ["SetMarginMode", "SetLeverage"]
    story.world = replace(story.world, settings=None)
    assert roles(story.tick()) == []
    good = seen(SymbolSettings(leverage=3, margin_mode=MarginMode.ISOLATED))
    story.world = replace(story.world, settings=good)
    assert roles(story.tick()) == ["+S"]


@pytest.mark.rule("S-2", "T-1", "T-2")
def test_a_fill_brings_the_backstop_and_both_targets() -> None:
    """The backstop is closePosition at the initial stop; targets split the fill by tp1_fraction."""
    story = board()
    story.run(2)
    done = story.fill(Role.ENTRY, "0.013", "90786.6").tick()
    assert roles(done) == ["+B", "+P", "+Q"]
    backstop, tp1, tp2 = (place.request for place in places(done))
    assert backstop.close_position and backstop.trigger_price == D(90380)
    assert (tp1.quantity, tp1.trigger_price) == (D("0.006"), D(91600))
    assert (tp2.quantity, tp2.trigger_price) == (D("0.007"), D(92900))
    assert tp1.type is OrderType.TAKE_PROFIT_MARKET and tp1.reduce_only
    assert tp1.working_type is WorkingType.CONTRACT_PRICE
    assert story.run(2) == []


@pytest.mark.rule("S-2")
def test_a_backstop_refused_for_lack_of_a_position_is_tried_again_soon() -> None:
    """-4509: after 250 ms, eight times, then every 5 s; the working stop decides meanwhile."""
    story = board()
    story.run(2)
    story.refuse[Role.BACKSTOP] = -4509
    story.fill(Role.ENTRY, "0.013", "90786.6")
    assert "+B" in roles(story.tick())
    tick = story.tick()
    assert "+B" not in roles(tick)
    assert tick.wake_in_ms == 250
    tries = sum("+B" in roles(story.later(250).tick()) for _ in range(20))
    assert tries == 8
    assert "+B" in roles(story.later(5000).tick())


@pytest.mark.rule("S-2")
def test_a_foreign_close_position_stop_is_left_alone_and_stood_in_for() -> None:
    """-4130 by somebody else's order: a full-size quantity stop takes the backstop's place."""
    story = board()
    story.run(2)
    story.refuse[Role.BACKSTOP] = -4130
    story.fill(Role.ENTRY, "0.013", "90786.6").tick()
    story.refuse.clear()
    done = story.later(300).tick()
    stand_in = next(p.request for p in places(done) if p.request.role is Role.BACKSTOP)
    assert stand_in.quantity == D("0.013")
    assert stand_in.reduce_only and not stand_in.close_position


@pytest.mark.rule("S-2", "V-3", "V-4")
def test_where_close_position_cannot_be_trusted_the_backstop_has_a_quantity() -> None:
    """Full-size, for what may still fill too, reduce-only, at the initial stop; and it is placed once."""
    story = board()
    story.policy = replace(story.policy, backstop=BackstopKind.QUANTITY)
    story.run(2)
    done = story.fill(Role.ENTRY, "0.005", "90786.6").tick()
    backstop = next(p.request for p in places(done) if p.request.role is Role.BACKSTOP)
    assert (backstop.quantity, backstop.trigger_price) == (D("0.013"), D(90380))
    assert backstop.reduce_only and not backstop.close_position
    assert story.run(2) == []


@pytest.mark.rule("E-8", "S-1", "T-2", "E-10")
def test_a_partial_fill_keeps_the_remainder_and_the_full_armed_stop() -> None:
    """The armed stop already covers the plan; the remainder rests on; one entry order, no second one."""
    story = board()
    story.run(2)
    done = story.fill(Role.ENTRY, "0.004", "90786.6").tick()
    assert roles(done) == ["+B", "+P", "+Q"]
    assert story.alive()["E1"].request.quantity == D("0.013")
    assert story.alive()["S1"].request.quantity == D("0.013")
    assert story.run(3) == []
    story.fill(Role.ENTRY, "0.009", "90786.6")
    assert story.run(3) == ["-P", "-Q", "+P", "+Q"]
    sizes = {name: o.request.quantity for name, o in story.alive().items()}
    assert (sizes["P2"], sizes["Q2"]) == (D("0.006"), D("0.007"))


@pytest.mark.rule("T-1")
def test_a_crumb_has_one_target() -> None:
    """A fill too small to split is sold whole at TP1."""
    story = board()
    story.run(2)
    done = story.fill(Role.ENTRY, "0.001", "90786.6").tick()
    targets = [p.request for p in places(done) if p.request.role in {Role.TP1, Role.TP2}]
    assert [(t.role, t.quantity) for t in targets] == [(Role.TP1, D("0.001"))]


@pytest.mark.rule("T-3", "S-4", "R-4", "P-2")
def test_after_tp1_the_stop_moves_to_breakeven_and_the_old_one_goes_only_then() -> None:
    """Placed and confirmed first, then the old one is cancelled; TP1 is never placed again."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    moved = story.tick()
    assert roles(moved) == ["+S"]
    stop = places(moved)[0].request
    # 90786.6 + maker fee paid 0.02 % + taker fee expected 0.04 %, rounded up to the tick
    assert stop.trigger_price == D("90841.1")
    assert stop.quantity == D("0.007")
    tidy = story.tick()
    assert roles(tidy) == ["-S"]
    assert cancels(tidy)[0].client_id.endswith("-S1")
    assert story.run(3) == []
    assert set(story.alive()) == {"S2", "B1", "Q1"}
    assert story.trade.ratchet_price == D("90841.1")


@pytest.mark.rule("T-3", "R-4", "S-10")
def test_breakeven_out_of_reach_goes_as_near_as_the_gap_allows() -> None:
    """With mark just above the entry the stop keeps 0.1 % to mark, and never moves back."""
    story = opened().later(1000)
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600").mark("90850")
    stop = places(story.tick())[0].request
    assert stop.trigger_price == D("90759.1")
    story.run(1)
    story.later(1000).mark("90800")
    assert story.run(2) == []
    assert story.alive()["S2"].request.trigger_price == D("90759.1")


@pytest.mark.rule("T-4", "X-9", "Y-11", "P-8")
def test_home_by_tp2_everything_is_swept_and_the_trade_ends() -> None:
    """Fills sum to zero and the event says zero: every order is cancelled by id, then the trade is over."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(3)
    story.later(1000).mark("92900").trigger(Role.TP2)
    story.fill(Role.TP2, "0.007", "92900")
    swept = story.tick()
    assert sorted(roles(swept)) == ["-B", "-S"]
    assert [note.rule for note in swept.notes] == ["Y-11"]
    last = story.tick()
    assert last.trade is not None and last.trade.ended_ms is not None
    assert story.alive() == {}


@pytest.mark.rule("Y-11")
def test_without_proof_of_flat_no_stop_is_cancelled() -> None:
    """Fills sum to zero, but event and read still say something else: nothing is swept."""
    story = opened().later(1000).mark("91600")
    held = story.world.position_event
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.trigger(Role.TP2)
    story.fill(Role.TP2, "0.007", "91600")
    story.world = replace(story.world, position_event=held)
    assert "-S" not in story.run(3)
    assert "-B" not in story.run(1)
    story.later(2500)
    assert "-S" in story.run(1)


@pytest.mark.rule("S-9", "S-1")
def test_a_stop_that_triggers_ends_the_entry_in_the_same_tick() -> None:
    """Partly filled, the stop fires: the remainder is cancelled and never placed again."""
    story = board()
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6")
    story.run(2)
    story.trigger(Role.STOP)
    fired = story.tick()
    assert "-E" in roles(fired)
    assert story.trade.closing is CloseReason.STOP
    assert "+E" not in story.run(5)


@pytest.mark.rule("S-9")
def test_what_a_triggered_stop_leaves_is_closed_at_market_before_any_cancel() -> None:
    """The child ended short of the position: MARKET reduce-only for the rest, stops stay."""
    story = opened()
    story.trigger(Role.STOP)
    story.fill(Role.STOP, "0.005", "90380")
    story.end(Role.STOP, OrderStatus.FINISHED)
    done = story.later(300).tick()
    assert roles(done)[0] == "+X"
    exit_ = places(done)[0].request
    assert (exit_.type, exit_.quantity, exit_.reduce_only) == (OrderType.MARKET, D("0.008"), True)
    assert "-B" not in roles(done)


@pytest.mark.rule("S-9")
def test_an_exit_that_fills_cancels_the_remainder() -> None:
    """TP1 filled while the entry still rests: the remainder goes in the same tick."""
    story = board()
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6")
    story.run(3)
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.002", "91600").mark("91600")
    assert "-E" in roles(story.tick())
    assert "+E" not in story.run(5)


@pytest.mark.rule("S-1")
def test_a_lost_armed_stop_cancels_the_entry_before_anything_else() -> None:
    """Cancelled by a person: the entry goes first, then the stop is armed again, then the entry."""
    story = board()
    story.run(2)
    story.end(Role.STOP, OrderStatus.CANCELED)
    lost = story.tick()
    assert roles(lost) == ["-E", "+S"]
    assert story.run(2) == ["+E"]


@pytest.mark.rule("S-1")
def test_the_stop_is_armed_again_at_most_twice() -> None:
    """The third loss voids the set-up: nothing enters any more and the trade ends unfilled."""
    story = board()
    done = []
    for _ in range(8):
        done += story.run(1)
        story.end(Role.STOP, OrderStatus.CANCELED)
    assert done.count("+S") == 3
    assert story.world.trade is None


@pytest.mark.rule("S-1", "S-6")
@pytest.mark.parametrize("status", [OrderStatus.TRIGGERED, OrderStatus.REJECTED])
def test_a_stop_hit_before_the_entry_voids_the_setup(status: OrderStatus) -> None:
    """Triggered or rejected before any fill: entry cancelled, decision spent, trade swept."""
    story = board()
    story.run(2)
    if status is OrderStatus.TRIGGERED:
        story.trigger(Role.STOP)
    else:
        story.end(Role.STOP, status)
    hit = story.tick()
    assert roles(hit) == ["-E"]
    assert hit.trade is not None
    assert hit.trade.voided == "stop_hit_before_entry"
    assert "+E" not in story.run(3)


@pytest.mark.rule("S-6", "G-16")
def test_an_armed_stop_refused_means_no_entry() -> None:
    """-2021 while flat: no entry; after the attempts are used up the set-up is void."""
    story = board()
    story.refuse[Role.STOP] = -2021
    done = [word for _ in range(6) for word in roles(story.later(1000).tick())]
    assert done.count("+S") == 3
    assert "+E" not in done


@pytest.mark.rule("S-6")
def test_a_refused_move_keeps_the_old_stop_and_is_planned_again() -> None:
    """-2021 on the way to breakeven: the confirmed stop stays; the next look tries at the gap again."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.refuse[Role.STOP] = -2021
    assert roles(story.tick()) == ["+S"]
    assert story.run(2) == []
    assert story.trade.closing is None
    assert "S1" in story.alive()
    story.refuse.clear()
    assert roles(story.later(1100).tick()) == ["+S"]


@pytest.mark.rule("S-6")
def test_a_restore_that_would_trigger_closes_at_market() -> None:
    """Both stops are gone, their price is beyond mark: a market exit."""
    story = opened().later(1000).mark("90300").bare(-2021)
    assert roles(story.tick()) == ["+S"]
    done = story.tick()
    assert roles(done) == ["+X"]
    assert story.trade.closing is CloseReason.EMERGENCY


@pytest.mark.rule("S-3", "S-4", "P-2")
def test_a_lost_stop_is_restored_at_the_ratchet_price_never_looser() -> None:
    """After breakeven a vanished stop comes back at breakeven, not at the initial stop."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(3)
    story.end(Role.STOP, OrderStatus.CANCELED)
    restored = places(story.later(1000).tick())[0].request
    assert (restored.role, restored.trigger_price) == (Role.STOP, D("90841.1"))


@pytest.mark.rule("S-4")
def test_missing_cover_does_not_wait_for_an_unknown_stop() -> None:
    """Restoring while answers are lost: another is placed at once, at most three presumed alive."""
    story = opened().later(1000).bare()
    story.silent.add(Role.STOP)
    assert story.run(5).count("+S") == 3


@pytest.mark.rule("S-13")
def test_a_stop_the_lists_forget_is_presumed_alive() -> None:
    """Absent from both lists is no end: nothing is placed beside it or cancelled."""
    story = opened().later(1000)
    assert story.world.conditional_orders is not None
    assert story.world.conditional_orders.value == ()
    assert story.run(3) == []


@pytest.mark.rule("C-1")
def test_a_flat_decision_holds_the_position_by_default() -> None:
    """on_flat = hold: the position keeps its orders; an entry remainder is cancelled."""
    story = board()
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6")
    story.run(2)
    story.decide(_flat())
    assert story.run(3) == ["-E"]
    assert story.trade.closing is None


@pytest.mark.rule("C-1")
def test_a_flat_decision_closes_when_asked_to() -> None:
    """on_flat = close: market, reduce-only, stops stay until flat is proven."""
    story = opened(policy=replace(POLICY, on_flat=OnFlat.CLOSE))
    story.decide(_flat())
    assert roles(story.tick()) == ["+X"]
    story.fill(Role.FULL_EXIT, "0.013", "90800")
    assert sorted(roles(story.later(100).tick())) == ["-B", "-P", "-Q", "-S"]


@pytest.mark.rule("C-2")
def test_the_opposite_decision_closes_first_and_arms_only_after_the_sweep() -> None:
    """Close at market, prove flat, sweep; only then the new side arms its stop."""
    story = opened()
    story.decide(short_decision(id="d2", timestamp_ms=NOW))
    assert roles(story.tick()) == ["+X"]
    story.fill(Role.FULL_EXIT, "0.013", "90800").later(100)
    assert sorted(roles(story.tick())) == ["-B", "-P", "-Q", "-S"]
    assert roles(story.tick()) == []
    assert story.world.trade is None
    story.world = replace(story.world, fills=(), orders=())
    story.journal.clear()
    armed = story.tick()
    assert roles(armed) == ["+S"]
    assert places(armed)[0].request.side is Side.BUY


@pytest.mark.rule("C-3", "E-7")
def test_a_flat_decision_without_a_position_cancels_and_idles() -> None:
    """The entry is cancelled, then its stop is swept, then nothing."""
    story = board()
    story.run(2)
    story.decide(_flat())
    assert story.run(4) == ["-E", "-S"]
    assert story.world.trade is None


@pytest.mark.rule("E-7", "D-7")
def test_a_newer_decision_ends_an_unfilled_entry_before_a_new_one_starts() -> None:
    """The old entry is proven ended and its stop swept before the newer decision arms."""
    story = board()
    story.run(2)
    other = levels(zone_max=D(90750))
    story.decide(decision(id="d2", timestamp_ms=NOW, levels=other))
    assert story.run(4) == ["-E", "-S", "+S"]
    assert story.trade.decision.id == "d2"


@pytest.mark.rule("D-3", "E-7")
def test_a_stale_decision_cancels_the_entry_and_keeps_a_position() -> None:
    """Ten minutes later: the unfilled entry goes; with a position everything stays managed."""
    story = board()
    story.run(2)
    story.later(600_000)
    assert story.run(3) == ["-E", "-S"]
    held = opened().later(600_000)
    assert held.run(3) == []
    assert set(held.alive()) == {"S1", "B1", "P1", "Q1"}


@pytest.mark.rule("E-5")
def test_post_only_refusals_are_counted_and_end_the_setup() -> None:
    """-5022 again and again: one try a second, six a minute, at most max_entry_orders, then the trade ends."""
    story = board()
    story.refuse[Role.ENTRY] = -5022
    done = [word for _ in range(480) for word in roles(story.later(500).tick())]
    assert done.count("+E") == POLICY.max_entry_orders
    assert story.world.trade is None


@pytest.mark.rule("E-10", "X-4", "P-4")
def test_an_unknown_entry_is_never_followed_by_a_second_one() -> None:
    """No answer to the entry: nothing is sent again; past its receive window it is cancelled by id."""
    story = board()
    story.silent.add(Role.ENTRY)
    assert story.run(2) == ["+S", "+E"]
    for _ in range(4):
        assert roles(story.later(1000).tick()) == []
    settled = story.later(1000).tick()
    assert roles(settled) == ["-E"]
    assert cancels(settled)[0].cause.rule == "X-4"


@pytest.mark.rule("T-5")
def test_a_target_that_is_already_reached_is_sold_once() -> None:
    """-2021 on TP1: LIMIT IOC near the touch, the rest at market, never conditional again."""
    story = board()
    story.run(2)
    story.refuse[Role.TP1] = -2021
    story.fill(Role.ENTRY, "0.013", "90786.6").mark("91700")
    assert "+P" in roles(story.tick())
    story.refuse.clear()
    sale = next(p.request for p in places(story.tick()) if p.request.role is Role.TP1)
    assert (sale.type, sale.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
    assert sale.price == D("91654.2")
    assert (sale.quantity, sale.reduce_only) == (D("0.006"), True)
    story.fill(Role.TP1, "0.004", "91700").end(Role.TP1, OrderStatus.EXPIRED)
    rest = [p.request for p in places(story.tick()) if p.request.role is Role.TP1]
    assert [(r.type, r.quantity) for r in rest] == [(OrderType.MARKET, D("0.002"))]
    story.fill(Role.TP1, "0.002", "91690")
    assert "+P" not in story.run(3)


@pytest.mark.rule("G-13", "P-7")
def test_stale_truth_cancels_a_resting_entry_but_not_protection() -> None:
    """Books not read for more than 3 s: the entry goes, the stop stays; when read again it may return."""
    story = board()
    story.run(2)
    now = story.world.now_ms + 4000
    story.world = replace(story.world, now_ms=now)
    stale = story.tick()
    assert roles(stale) == ["-E"]
    assert "truth_incomplete" in codes(stale)
    assert "S1" in story.alive()
    assert story.later(100).run(1) == ["+E"]


@pytest.mark.rule("S-11")
def test_a_stop_whose_echo_differs_is_replaced_and_cancelled() -> None:
    """ReduceOnly false in the echo: never confirmed, cancelled, another one is armed; no entry."""
    story = board()
    story.tick()
    stop = story.journal[next(iter(story.journal))]
    bad = replace(stop, echo_error="reduceOnly asked True, got False")
    story.journal[stop.client_id] = bad
    story._sync()
    assert roles(story.tick()) == ["-S"]
    assert roles(story.later(1000).tick()) == ["+S"]
    assert story.run(1) == ["+E"]


@pytest.mark.rule("X-1")
def test_ids_are_deterministic_and_never_reused() -> None:
    """Two engines with the same account, store and decision name an order the same; attempts count up."""
    first, second = board(), board()
    assert places(first.tick())[0].request == places(second.tick())[0].request
    first.end(Role.STOP, OrderStatus.CANCELED)
    assert places(first.tick())[0].request.client_id.endswith("-S2")


@pytest.mark.rule("P-5")
def test_everything_but_the_entry_only_reduces() -> None:
    """Over a whole trade no other order could open, add or reverse."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(3)
    assert {o.role for o in story.journal.values() if not o.request.only_reduces} == {Role.ENTRY}


def test_a_short_is_managed_as_the_mirror() -> None:
    """Stop above, targets below, breakeven below the entry, everything bought back."""
    story = opened(Side.SELL).later(1000).mark("90000")
    assert story.alive()["S1"].request.trigger_price == D(91220)
    assert story.alive()["P1"].request.side is Side.BUY
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "90000")
    stop = places(story.tick())[0].request
    assert (stop.side, stop.trigger_price) == (Side.BUY, D("90758.9"))
    assert story.run(1) == ["-S"]


def test_draining_cancels_the_entry_and_the_armed_stop_and_leaves_a_position() -> None:
    """Stopping the engine: an unfilled set-up is taken back, a position keeps its orders."""
    story = board()
    story.run(2)
    story.world = replace(story.world, draining=True)
    assert story.run(3) == ["-E", "-S"]
    held = opened()
    held.world = replace(held.world, draining=True)
    assert held.run(3) == []


@pytest.mark.rule("Y-9")
def test_before_the_first_reconciliation_nothing_enters_but_cover_is_restored() -> None:
    """Not ready: no arming; a position without its stop gets one all the same."""
    assert codes(board(ready=False).tick()) == ["truth_incomplete"]
    held = opened()
    held.end(Role.STOP, OrderStatus.CANCELED)
    held.world = replace(held.world, ready=False)
    assert roles(held.tick()) == ["+S"]


def test_the_same_world_gives_the_same_plan() -> None:
    """Planning twice from one world is equal to the last byte."""
    story = opened()
    assert repr(story.tick()) == repr(story.tick())


@pytest.mark.rule("W-3")
def test_numbers_are_on_their_grids() -> None:
    """Every price is on the tick, every quantity on the step."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(3)
    for order in story.journal.values():
        request = order.request
        for price in (request.price, request.trigger_price):
            assert price is None or price % BTC.tick_size == 0
        assert request.quantity is None or request.quantity % BTC.step_size == 0


def _flat() -> Decision:
    return decision(id="d2", timestamp_ms=NOW, action=Action.FLAT, levels=None, notional=D(0))


def test_a_spent_decision_is_answered_with_that_alone() -> None:
    """What the market looks like no longer matters to it."""
    story = board(decision=DecisionState(decision=decision(), spent="its trade is over"))
    assert codes(story.tick()) == ["spent"]


@pytest.mark.rule("T-3", "T-1")
def test_without_a_second_target_what_tp1_leaves_is_asked_for_at_tp1() -> None:
    """tp2 null and no trailing: all at TP1; its child ended short, the rest waits at the same price."""
    some = decision(enable_trailing=False, levels=replace(levels(), tp2=None))
    story = board(decision=DecisionState(decision=some))
    story.run(2)
    story.fill(Role.ENTRY, "0.013", "90786.6")
    story.run(2)
    story.later(1000).mark("91600").trigger(Role.TP1)
    story.fill(Role.TP1, "0.010", "91600").end(Role.TP1, OrderStatus.FINISHED)
    story.run(3)
    rest = story.alive()["Q1"].request
    assert (rest.quantity, rest.trigger_price) == (D("0.003"), D(91600))


@pytest.mark.rule("W-3", "P-1")
def test_a_position_off_the_step_is_covered_whole() -> None:
    """The step has grown under an open trade: a restored stop is rounded up, never down."""
    story = opened().later(1000)
    story.world = replace(story.world, instrument=replace(BTC, step_size=D("0.005")))
    story.end(Role.STOP, OrderStatus.CANCELED)
    assert places(story.tick())[0].request.quantity == D("0.015")


@pytest.mark.rule("S-11", "P-1")
def test_a_wrong_echo_under_a_position_is_kept_until_another_stop_covers() -> None:
    """What rests may still protect: it goes only when its replacement is confirmed."""
    story = opened().later(1000)
    stop = story.alive()["S1"]
    story.journal[stop.client_id] = replace(stop, echo_error="workingType differs")
    story._sync()
    assert roles(story.later(1000).tick()) == ["+S"]
    assert roles(story.tick()) == ["-S"]
    assert set(story.alive()) == {"S2", "B1", "P1", "Q1"}
