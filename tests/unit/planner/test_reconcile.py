"""The exchange says otherwise: a position that is gone, changed by a hand, or on the other side (Y-2, Y-3, Y-5, Y-6)."""

from dataclasses import replace

import pytest
from tests.worlds import D, Storyboard, cancels, codes, decision, opened, places, roles, seen, world

from jumar.model import fold
from jumar.model.account import PositionReport
from jumar.model.mode import Mode
from jumar.model.order import OrderState, OrderStatus, Role, Side
from jumar.model.units import ZERO
from jumar.planner.facts import assess
from jumar.planner.plan import plan
from jumar.planner.summary import summarize

SWEPT = ["-B", "-P", "-Q", "-S"]


def gone(story: Storyboard, ms: int) -> Storyboard:
    """Time passes and a read says that nothing is held; no event, no execution explains it."""
    story.later(ms).reads("0")
    story.world = replace(story.world, position_event=None)
    return story


# Y-2


@pytest.mark.rule("Y-2", "Y-11")
@pytest.mark.parametrize("side", list(Side))
def test_two_reads_and_both_questions_prove_that_a_position_is_gone(side: Side) -> None:
    """Reads 2 s apart say zero, executions and liquidations were asked for since: swept, told as manual."""
    story = opened(side)
    gone(story, 5000)
    assert roles(story.tick()) == []
    gone(story, 2000)
    assert roles(story.tick()) == []
    story.asks()
    result = story.tick()
    assert sorted(roles(result)) == SWEPT
    assert [note.rule for note in result.notes] == ["Y-2"]
    summary = summarize(story.world, story.trade)
    assert summary is not None
    assert (summary.exit_reason, summary.realized_pnl) == ("manual", ZERO)


@pytest.mark.rule("Y-2", "Y-11", "P-1")
def test_one_read_is_never_enough() -> None:
    """However old it grows and whatever was asked: no stop is cancelled."""
    story = opened()
    gone(story, 5000).asks()
    read, first_ms = story.world.position, story.world.position_since_ms
    for _ in range(5):
        story.later(2000)
        story.world = replace(story.world, position=read, position_since_ms=first_ms)
        assert roles(story.asks().tick()) == []


@pytest.mark.rule("Y-2")
def test_two_reads_less_than_two_seconds_apart_are_one() -> None:
    """1999 ms are not enough, one more is."""
    story = opened()
    gone(story, 5000)
    gone(story, 1999).asks()
    assert roles(story.tick()) == []
    gone(story, 1).asks()
    assert sorted(roles(story.tick())) == SWEPT


@pytest.mark.rule("Y-2")
@pytest.mark.parametrize("asked", ["fills_read_ms", "forced_read_ms"])
def test_both_questions_must_have_been_asked(asked: str) -> None:
    """Executions alone or liquidations alone do not do, and neither do questions from before the first read."""
    story = opened()
    gone(story, 5000)
    first_ms = story.world.now_ms
    gone(story, 3000).asks()
    story.world = replace(story.world, **{asked: first_ms - 1})  # type: ignore[arg-type]  # a part by name
    assert roles(story.tick()) == []
    story.world = replace(story.world, **{asked: first_ms})  # type: ignore[arg-type]  # a part by name
    assert sorted(roles(story.tick())) == SWEPT


@pytest.mark.rule("Y-2")
def test_a_read_that_still_holds_it_begins_the_count_anew() -> None:
    """Zero, 0.013, zero: the first zero no longer counts."""
    story = opened()
    gone(story, 5000)
    story.later(1000).reads("0.013")
    gone(story, 1500).asks()
    assert roles(story.tick()) == []
    gone(story, 1999).asks()
    assert roles(story.tick()) == []
    gone(story, 1).asks()
    assert sorted(roles(story.tick())) == SWEPT


@pytest.mark.rule("Y-2", "Y-11")
def test_reads_soon_after_the_last_fill_do_not_count() -> None:
    """A read requested within 2 s of the last known fill may not show it yet."""
    story = opened()
    gone(story, 100)
    gone(story, 2000).asks()
    assert roles(story.tick()) == []
    gone(story, 1899).asks()
    assert roles(story.tick()) == []
    gone(story, 200).asks()
    assert sorted(roles(story.tick())) == SWEPT


@pytest.mark.rule("Y-2", "Y-11")
def test_an_entry_that_may_still_fill_keeps_the_stops() -> None:
    """Nothing is proven flat while an entry is alive or unknown."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    story.world = replace(story.world, decision=None)
    for _ in range(4):
        gone(story, 3000).asks()
        assert not {"-S", "-B"} & set(roles(story.tick()))


@pytest.mark.rule("Y-2")
@pytest.mark.parametrize(
    ("client_id", "reason"),
    [
        ("autoclose-17", "liquidation"),
        ("adl_autoclose", "adl"),
        ("settlement_autoclose-3", "settlement"),
        ("web_x", "manual"),
        (None, "manual"),
    ],
)
def test_who_closed_it_is_read_from_the_execution(client_id: str | None, reason: str) -> None:
    """By the names that the venue gives its own orders."""
    story = opened().later(5000).by_hand(Side.SELL, "0.013")
    fills = (*story.world.fills[:-1], replace(story.world.fills[-1], client_id=client_id))
    story.world = replace(story.world, fills=fills)
    summary = summarize(story.world, story.trade)
    assert summary is not None and summary.exit_reason == reason


# Y-3


@pytest.mark.rule("Y-3", "S-4", "M-1")
def test_an_increase_by_hand_is_covered_without_targets() -> None:
    """Stop for all of it, targets for ours alone, a warning, and no entries until somebody looked."""
    story = opened().later(1000).by_hand(Side.BUY, "0.010")
    result = story.tick()
    assert [place.request.quantity for place in places(result)] == [D("0.023")]
    assert [alarm.rule for alarm in result.alarms if alarm.severity == "warning"] == ["Y-3"]
    story.run(3)
    targets = [o.request.quantity for n, o in story.alive().items() if n[0] in "PQ"]
    assert targets == [D("0.006"), D("0.007")]
    assert story.world.mode is not None and story.world.mode.mode is Mode.NO_ENTRIES


@pytest.mark.rule("Y-3", "T-3")
def test_targets_of_an_increased_position_sell_only_what_is_ours() -> None:
    """After TP1 filled the rest of ours stays with TP2; what the hand bought is left to the hand."""
    story = opened().later(1000).by_hand(Side.BUY, "0.010")
    story.run(3)
    story.later(1000).mark("91600").trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(4)
    assert story.alive()["Q1"].request.quantity == D("0.007")


@pytest.mark.rule("Y-3", "G-12")
def test_an_increase_by_hand_cancels_the_remainder() -> None:
    """While the entry rests it goes with the code `mode`, in the plan that sees the hand."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    result = story.later(100).by_hand(Side.BUY, "0.010").tick()
    assert "mode" in codes(result) and "-E" in roles(result)


@pytest.mark.rule("Y-3", "T-2", "S-9")
@pytest.mark.parametrize("told", [True, False])
def test_a_decrease_by_hand_resizes_the_targets(told: bool) -> None:
    """By its execution, or by a position read alone while that is not known: together never above what is held."""
    story = opened().later(5000).by_hand(Side.SELL, "0.005")
    if not told:
        story.world = replace(story.world, fills=story.world.fills[:-1], position_event=None)
    story.run(4)
    sizes = {n: o.request.quantity for n, o in story.alive().items()}
    assert (sizes["P2"], sizes["Q2"]) == (D("0.004"), D("0.004"))
    assert sizes["S1"] == D("0.013")


@pytest.mark.rule("Y-3", "Y-11")
def test_a_smaller_read_does_not_cut_the_cover() -> None:
    """Fills say 0.013, one read says 0.005: the stop that is restored covers the larger."""
    story = opened().later(5000).reads("0.005")
    story.world = replace(story.world, position_event=None)
    story.end(Role.STOP, OrderStatus.CANCELED)
    (stop,) = (p.request for p in places(story.tick()) if p.request.role is Role.STOP)
    assert stop.quantity == D("0.013")


@pytest.mark.rule("Y-3", "Y-1", "P-1")
def test_the_other_side_is_another_trade() -> None:
    """A person sold 0.020 of 0.013: ours is over and swept, the short is adopted with a stop of its own."""
    story = opened().later(5000)
    story.world = replace(story.world, decision=None)
    story.by_hand(Side.SELL, "0.020", "90800")
    assert sorted(roles(story.tick())) == SWEPT
    story.tick()
    assert story.world.trade is None
    story.later(1000).reads("-0.007", "90800")
    assert story.tick().trade is None
    story.later(1000).reads("-0.007", "90800")
    adopted = story.tick()
    assert roles(adopted) == ["+S", "+B"]
    stop = places(adopted)[0].request
    assert (stop.side, stop.quantity, stop.trigger_price) == (Side.BUY, D("0.007"), D("91708"))


@pytest.mark.rule("Y-3", "P-1", "P-6")
def test_what_a_hand_bought_beside_an_unfilled_set_up_keeps_its_stops() -> None:
    """After a restart its execution is not known, our entry is over and never filled: what is held is covered."""
    story = Storyboard(world=world())
    story.run(2)
    story.world = replace(story.world, draining=True)
    assert roles(story.tick()) == ["-E"]
    story.later(1000).reads("0.007")
    assert roles(story.tick()) == ["+B"]
    assert {"S1", "B1"} == set(story.alive())
    story.later(1000)
    story.world = replace(story.world, position=None)
    assert cancels(story.tick()) == []


@pytest.mark.rule("Y-3", "P-5")
def test_our_exits_never_touch_the_other_side() -> None:
    """Turned by hand while closing: no exit of ours follows it."""
    story = opened().later(1000)
    story.trigger(Role.STOP)
    story.tick()
    story.end(Role.STOP, OrderStatus.REJECTED)
    story.later(500).by_hand(Side.SELL, "0.020")
    assert "+X" not in story.run(2)


# T-2 and Y-5: what targets go by


@pytest.mark.rule("T-2", "Y-5")
def test_no_target_for_what_an_exit_reports_as_sold() -> None:
    """TP1 is told as finished, its executions are not known for long: TP2 is not enlarged by them."""
    story = opened().later(1000)
    order = story.alive()["P1"]
    done = story._report(order, OrderStatus.FINISHED, D("0.006"))
    story._put(fold.fold(order, done, story.world.now_ms))
    story._sync()
    words = [word for _ in range(5) for word in roles(story.later(1000).tick())]
    assert "+P" not in words
    assert story.alive()["Q1"].request.quantity == D("0.007")
    facts = assess(story.world, story.trade, story.policy)
    assert (facts.own_remaining, facts.cover_size) == (D("0.007"), D("0.013"))


@pytest.mark.rule("T-2", "Y-2")
def test_targets_of_what_seems_gone_are_left_as_they_are() -> None:
    """A read of zero proves nothing: what rests stays, what is missing waits."""
    story = opened().later(5000)
    story.end(Role.TP1, OrderStatus.CANCELED)
    for _ in range(3):
        assert roles(gone(story, 1000).tick()) == []
    assert "Q1" in story.alive()
    story.later(1000).reads("0.013")
    assert roles(story.tick()) == ["+P"]


@pytest.mark.rule("T-2", "P-6")
def test_after_a_restart_targets_go_by_the_position() -> None:
    """What a hand sold is not in the journal: until its execution is read the position's size counts."""
    story = opened().later(60_000).reads("0.005")
    story.world = replace(story.world, position_event=None)
    story.end(Role.TP1, OrderStatus.CANCELED).end(Role.TP2, OrderStatus.CANCELED)
    planned = [word for _ in range(3) for word in places(story.later(2000).reads("0.005").tick())]
    sizes = [place.request.quantity for place in planned]
    assert sum(size for size in sizes if size is not None) == D("0.005")


# the end of a trade


def unitemised() -> Storyboard:
    """The stop sold everything, but what the entry bought is only in its report."""
    story = opened().later(60_000)
    story.trigger(Role.STOP, "90375")
    exits = tuple(fill for fill in story.world.fills if fill.side is Side.SELL)
    story.world = replace(story.world, fills=exits)
    return story


@pytest.mark.rule("T-4", "Y-2", "P-4")
def test_the_end_waits_for_executions_that_reports_promise() -> None:
    """The summary would lack them: swept at once, ended when they are told, or after ten seconds without."""
    story = unitemised()
    for _ in range(10):
        assert story.tick().trade is not None
        story.later(999)
    assert story.world.trade is not None
    last_look = story.later(1000).tick().trade
    assert last_look is not None and last_look.ended_ms is not None


@pytest.mark.rule("P-4", "D-7", "T-4")
def test_a_trade_known_only_by_reports_has_traded() -> None:
    """It has a summary, at the entry's price: its decision is spent."""
    story = unitemised()
    summary = summarize(story.world, story.trade)
    assert summary is not None
    assert (summary.quantity, summary.average_entry) == (D("0.013"), story.trade.limit_price)


@pytest.mark.rule("D-7", "E-7", "Y-12")
def test_a_set_up_whose_decision_turns_out_to_be_spent_is_given_up() -> None:
    """The exchange's history was read after arming: the armed stop goes too, and the trade ends."""
    story = Storyboard(world=world())
    story.run(2)
    state = story.world.decision
    assert state is not None
    story.world = replace(story.world, decision=replace(state, spent="it is in the history"))
    assert [word for _ in range(3) for word in roles(story.tick())] == ["-E", "-S"]
    assert story.world.trade is None


# Y-6


@pytest.mark.rule("Y-6", "X-9")
def test_strays_are_swept() -> None:
    """Orders of the journal that fit no open trade go by id, whatever they are, when nothing is held."""
    story = opened()
    strays = tuple(story.alive().values())
    result = plan(world(decision=None, strays=strays), story.policy)
    assert {command.client_id for command in cancels(result)} == {o.client_id for o in strays}
    assert {command.cause.rule for command in cancels(result)} == {"Y-6"}


@pytest.mark.rule("Y-6", "P-1")
def test_a_stray_stop_goes_only_when_another_one_covers() -> None:
    """It may be all that protects: first the stop of the open trade is confirmed."""
    story = opened().later(1000)
    stray = replace(story.alive()["S1"], trade_key="elsewhere")
    other = replace(story.alive()["Q1"], trade_key="elsewhere")
    story.bare()
    strays = tuple(
        replace(order, request=replace(order.request, client_id=f"jm-abcdefghij-{name}1"))
        for name, order in (("S", stray), ("Q", other))
    )
    story.world = replace(story.world, strays=strays)
    first = plan(story.world, story.policy)
    assert [c.client_id for c in cancels(first)] == ["jm-abcdefghij-Q1"]
    assert "+S" in roles(first)
    story.world = replace(story.world, strays=())
    story.tick()
    story.world = replace(story.world, strays=strays)
    after = plan(story.world, story.policy)
    assert {c.client_id for c in cancels(after)} == {"jm-abcdefghij-S1", "jm-abcdefghij-Q1"}


@pytest.mark.rule("Y-6", "X-5")
def test_a_stray_keeps_entries_away() -> None:
    """Until its end is proven nothing new is armed."""
    stray = replace(opened().alive()["S1"], cancel_sent_ms=world().now_ms)
    result = plan(world(strays=(stray,)), opened().policy)
    assert "unresolved_order" in codes(result) and places(result) == []


@pytest.mark.rule("Y-8", "X-4", "P-6")
def test_what_a_crash_left_in_flight_is_settled_after_its_window() -> None:
    """Unknown after a restart: asked for; past the window of its request it is cancelled by id."""
    story = opened().later(1000)
    target = replace(story.alive()["P1"], state=OrderState.UNKNOWN, acked_ms=None)
    story._put(target)
    story._sync()
    assert roles(story.tick()) == []
    late = story.later(6000).tick()
    assert [c.client_id for c in cancels(late)] == [target.client_id]


@pytest.mark.rule("Y-1", "Y-2")
def test_a_position_that_comes_back_after_the_end_is_somebody_elses() -> None:
    """Ours was proven gone; what is held later is adopted, not taken for ours."""
    story = opened()
    story.world = replace(story.world, decision=None)
    gone(story, 5000)
    gone(story, 2500).asks()
    story.run(2)
    assert story.world.trade is None
    story.later(5000)
    held = PositionReport(symbol="BTCUSDT", quantity=D("0.013"), entry_price=D(90000))
    story.world = replace(
        story.world, position=replace(seen(held), at_ms=story.world.now_ms), position_since_ms=None
    )
    adopted = story.tick().trade
    assert adopted is not None and adopted.adopted
    assert adopted.decision.id != decision().id
