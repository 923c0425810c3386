"""P-1 by the judge: what covers a position, how long nothing did, and what is excused.

Ledgers are written by hand, so every figure is known before the judge is asked.
"""

import pytest
from tests.unit.simulated.judge_ledger import GROUP, OTHER, Fields, Placed, Story

pytestmark = pytest.mark.rule("P-1")

ENTRY, STOP, SECOND, BACKSTOP, EXIT = (f"{GROUP}-{role}" for role in ("E1", "S1", "S2", "B1", "X1"))


def bare(verdict: Fields) -> tuple[int, int, int, bool]:
    """Longest unexcused, excused sum, number of gaps, the promise."""
    return (
        verdict["unprotected_ms_max"],
        verdict["unprotected_excused_ms"],
        verdict["cover_gap_events"],
        verdict["promises"]["P-1"],
    )


def armed(story: Story, quantity: str = "10") -> tuple[Placed, Placed]:
    """A stop and the resting entry that it covers."""
    stop = story.stop(STOP, "SELL", quantity, "49000")
    return stop, story.wait(1).order(ENTRY, "BUY", quantity)


def test_a_stop_armed_before_the_entry_leaves_no_time_bare() -> None:
    """The first lot is covered by the stop that rested before it."""
    story = Story()
    _, entry = armed(story)
    story.wait(50).fill(entry, "4", "6")
    story.wait(5000)
    assert bare(story.verdict(story.t)) == (0, 0, 0, True)
    assert story.verdict()["checks"]["P-1"] == 1


def test_a_ledger_without_a_position_says_nothing_of_cover() -> None:
    """A promise that had nothing to be checked on is absent, not true."""
    story = Story()
    armed(story)
    verdict = story.verdict()
    assert "P-1" not in verdict["promises"]
    assert verdict["checks"]["P-1"] == 0


def test_a_late_stop_is_measured_to_the_millisecond() -> None:
    """Bare time runs from the fill to the acceptance of the stop, and the violation carries it."""
    story = Story()
    story.enter("10")
    filled_at = story.t
    story.wait(412).stop(STOP, "SELL", "10", "49000")
    story.wait(1000)
    verdict = story.verdict(story.t)
    assert bare(verdict) == (412, 0, 1, False)
    (violation,) = verdict["violations"]
    assert violation["t"] == filled_at
    assert violation["promise"] == "P-1"
    gap = {"symbol": "BTCUSDT", "from_ms": filled_at, "to_ms": filled_at + 412, "excused": False}
    assert verdict["gaps"] == [gap]
    assert "412 ms" in violation["message"]


@pytest.mark.parametrize(
    ("side", "quantity", "fields"),
    [
        pytest.param("BUY", "10", {}, id="the opening side"),
        pytest.param("SELL", "10", {"reduce_only": False}, id="not reduce-only"),
        pytest.param("SELL", "10", {"kind": "TAKE_PROFIT_MARKET"}, id="a target"),
        pytest.param("SELL", None, {"kind": "TAKE_PROFIT_MARKET"}, id="a closePosition target"),
        pytest.param("SELL", "9.999", {}, id="smaller than the position"),
    ],
)
def test_an_order_that_cannot_close_at_a_loss_is_no_cover(
    side: str, quantity: str | None, fields: Fields
) -> None:
    """Side, flag, type and size must all be right for an order to count."""
    story = Story()
    story.stop(STOP, side, quantity, "49000", **fields)
    story.enter("10")
    assert bare(story.wait(70).verdict(story.t)) == (70, 0, 1, False)


def test_partial_stops_are_never_added_up() -> None:
    """Two stops of half the position each are no cover."""
    story = Story()
    for number in (1, 2):
        story.stop(f"{GROUP}-S{number}", "SELL", "5", "49000")
    story.enter("10")
    assert bare(story.wait(30).verdict(story.t))[0] == 30


def test_a_close_position_stop_covers_any_size() -> None:
    """A backstop grows with the position."""
    story = Story()
    _, entry = armed(story, "4")
    story.fill(entry, "4")
    story.stop(BACKSTOP, "SELL", None, "49000")
    story.wait(10).enter("96", client_id=f"{GROUP}-E2")
    assert bare(story.wait(10).verdict(story.t)) == (0, 0, 0, True)


def test_a_position_that_outgrows_its_stop_is_bare() -> None:
    """The remainder of an entry fills beyond the stop: bare from that fill on."""
    story = Story()
    story.stop(STOP, "SELL", "4", "49000")
    entry = story.order(ENTRY, "BUY", "10")
    story.wait(10).fill(entry, "4")
    story.wait(10).fill(entry, "1")
    story.wait(25).stop(SECOND, "SELL", "10", "49000")
    assert bare(story.wait(10).verdict(story.t)) == (25, 0, 1, False)


def test_a_move_that_places_before_it_cancels_is_never_bare() -> None:
    """Two stops at once are cover, and so is the one that stays."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    story.wait(10).stop(SECOND, "SELL", "10", "49500")
    story.wait(10).cancel(stop)
    assert bare(story.wait(10).verdict(story.t)) == (0, 0, 0, True)


@pytest.mark.parametrize("pause_ms", [0, 3])
def test_a_move_that_cancels_before_it_places_is_bare_however_short(pause_ms: int) -> None:
    """Between two commands nothing covers, even when both fall into the same millisecond."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    story.wait(10).cancel(stop)
    story.wait(pause_ms).stop(SECOND, "SELL", "10", "49500")
    assert bare(story.wait(10).verdict(story.t)) == (pause_ms, 0, 1, False)


def test_a_triggered_stop_covers_while_its_child_works() -> None:
    """From TRIGGERING to the last crumb the position is covered."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    child = story.wait(10).trigger(stop)
    story.wait(20).fill(child, "3")
    story.wait(20).fill(child, "7")
    story.finish(stop)
    assert bare(story.wait(10).verdict(story.t)) == (0, 0, 0, True)


def test_a_short_is_judged_as_a_long() -> None:
    """For a short the buying stop covers."""
    story = Story()
    story.stop(STOP, "BUY", "10", "51000")
    story.enter("10", side="SELL")
    assert bare(story.wait(99).verdict(story.t)) == (0, 0, 0, True)
    story.stop(SECOND, "SELL", "10", "49000")
    story.enter("1", client_id=f"{GROUP}-E2", side="SELL")
    assert bare(story.wait(99).verdict(story.t)) == (99, 0, 1, False)


def test_a_reversal_through_zero_needs_the_other_side_covered() -> None:
    """The stop of the old side is no cover for the new one."""
    story = Story()
    _, entry = armed(story)
    story.fill(entry, "10")
    story.wait(10).enter("15", client_id=f"{OTHER}-E1", side="SELL")
    verdict = story.wait(40).verdict(story.t)
    assert bare(verdict) == (40, 0, 1, False)
    assert verdict["checks"]["P-1"] == 2


def test_a_full_exit_covers_while_it_executes() -> None:
    """A reduce-only market order of the whole position stands in for a stop until it ends."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    exit_ = story.wait(10).order(EXIT, "SELL", "10", kind="MARKET", reduce_only=True)
    story.cancel(stop)
    story.wait(50).fill(exit_, "6")
    story.wait(50).fill(exit_, "4")
    assert bare(story.wait(10).verdict(story.t)) == (0, 0, 0, True)


@pytest.mark.parametrize(
    ("side", "quantity", "reduce_only", "kind"),
    [
        ("SELL", "9", True, "MARKET"),
        ("SELL", "10", False, "MARKET"),
        ("SELL", "10", True, "LIMIT"),
        ("BUY", "10", True, "MARKET"),
    ],
)
def test_an_order_that_is_no_full_exit_covers_nothing(
    side: str, quantity: str, reduce_only: bool, kind: str
) -> None:
    """A part, an order that might reverse or one with a price limit is no cover while it works."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    story.order(EXIT, side, quantity, kind=kind, reduce_only=reduce_only)
    story.cancel(stop)
    assert bare(story.wait(5).verdict(story.t))[0] == 5


def test_a_gap_still_open_counts_until_the_end() -> None:
    """Without a later record the gap is as long as the judge is told to look."""
    story = Story()
    story.enter("10")
    assert bare(story.verdict()) == (0, 0, 0, True)
    assert bare(story.verdict(story.t + 900)) == (900, 0, 1, False)
    assert bare(story.verdict(story.t - 900)) == (0, 0, 0, True)


def test_each_symbol_is_covered_by_its_own_stop() -> None:
    """A stop of another symbol is no cover."""
    story = Story()
    story.stop(STOP, "SELL", "10", "49000")
    story.symbol = "ETHUSDT"
    story.enter("10")
    verdict = story.wait(8).verdict(story.t)
    assert bare(verdict)[0] == 8
    assert verdict["violations"][0]["symbol"] == "ETHUSDT"


# (a) the armed stop was taken away while the entry rested


@pytest.mark.parametrize(
    ("by", "status"), [("market", "REJECTED"), ("exchange", "EXPIRED"), ("fault", "CANCELED")]
)
def test_lots_after_others_took_the_armed_stop_are_excused(by: str, status: str) -> None:
    """(a): the stop went while the entry rested; the time until the close stands apart and the promise holds."""
    story = Story()
    stop, entry = armed(story)
    story.wait(10).cancel(stop, by, status)
    story.wait(10).fill(entry, "4")
    story.wait(60).cancel(entry)
    story.wait(40).leave()
    assert bare(story.verdict()) == (0, 100, 1, True)


def test_a_lot_after_the_stop_executed_for_an_earlier_lot_is_excused() -> None:
    """(a): the stop closed what had filled, then the remainder of the entry fills again."""
    story = Story()
    stop, entry = armed(story)
    story.wait(10).fill(entry, "3")
    story.wait(10).execute(stop)
    story.wait(10).fill(entry, "7")
    story.wait(80).leave()
    verdict = story.verdict()
    assert bare(verdict) == (0, 80, 1, True)
    assert verdict["trades"] == 2


def test_the_excuse_runs_out_after_the_entry_has_ended() -> None:
    """(a): from the entry's end the position must be covered or closed within the deadline of serving."""
    story = Story()
    stop, entry = armed(story)
    story.cancel(stop, "fault")
    story.wait(10).fill(entry, "4")
    story.wait(9000).cancel(entry)
    assert bare(story.verdict(story.t + 3000)) == (0, 12_000, 1, True)
    assert bare(story.verdict(story.t + 3001)) == (0, 12_001, 1, False)


def test_taking_the_armed_stop_away_oneself_is_no_excuse() -> None:
    """A client that cancels the stop of its own resting entry answers for the lot that fills then."""
    story = Story()
    stop, entry = armed(story)
    story.wait(10).cancel(stop)
    story.wait(10).fill(entry, "4")
    assert bare(story.wait(33).verdict(story.t)) == (33, 0, 1, False)


def test_a_new_stop_ends_the_excuse() -> None:
    """Once armed again, the loss of the first stop excuses nothing any more."""
    story = Story()
    stop, entry = armed(story)
    story.cancel(stop, "fault")
    again = story.wait(5).stop(SECOND, "SELL", "10", "49000")
    story.wait(5).cancel(again)
    story.wait(5).fill(entry, "10")
    assert bare(story.wait(21).verdict(story.t)) == (21, 0, 1, False)


def test_an_entry_that_was_never_armed_is_not_excused_by_the_loss_of_a_small_stop() -> None:
    """A stop smaller than the entry did not cover it, so its loss explains nothing."""
    story = Story()
    stop = story.stop(STOP, "SELL", "4", "49000")
    entry = story.order(ENTRY, "BUY", "10")
    story.cancel(stop, "fault")
    story.fill(entry, "10")
    assert bare(story.wait(11).verdict(story.t)) == (11, 0, 1, False)


def test_a_stop_too_small_for_position_and_remainder_together_did_not_cover_the_entry() -> None:
    """Its loss is (c) for the position it covered, and no excuse for the lots that fill later."""
    story = Story()
    stop = story.stop(STOP, "SELL", "7", "49000")
    entry = story.order(ENTRY, "BUY", "10")
    story.fill(entry, "3")
    story.wait(10).cancel(stop, "fault")
    story.wait(20).leave()
    story.wait(10).fill(entry, "7")
    assert bare(story.wait(30).verdict(story.t)) == (30, 20, 2, False)


def test_a_backstop_does_not_cover_a_resting_entry() -> None:
    """A closePosition order ends with the position; lots that fill after that were never covered."""
    story = Story()
    entry = story.order(ENTRY, "BUY", "10")
    stop = story.stop(STOP, "SELL", "4", "49000")
    story.fill(entry, "4")
    backstop = story.stop(BACKSTOP, "SELL", None, "49000")
    story.wait(10).execute(stop)
    story.cancel(backstop, "exchange", "EXPIRED")
    story.wait(10).fill(entry, "6")
    assert bare(story.wait(30).verdict(story.t)) == (30, 0, 1, False)


# (b) a triggered stop that ended incompletely


@pytest.mark.parametrize("crumbs", [[], ["2"], ["2", "3"]])
def test_a_triggered_stop_that_ends_early_is_excused(crumbs: list[str]) -> None:
    """(b): the child ended and left a position; until it is closed the time is excused, without a deadline."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    child = story.wait(10).trigger(stop)
    story.fill(child, *crumbs)
    story.wait(10).finish(stop)
    story.wait(5000).leave()
    assert bare(story.verdict()) == (0, 5000, 1, True)


def test_a_stop_rejected_at_its_trigger_is_excused() -> None:
    """(b): the engine of the exchange refused the triggered order."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    story.cancel(stop, "market", "TRIGGERING")
    story.cancel(stop, "exchange", "REJECTED")
    story.wait(5000).leave()
    assert bare(story.verdict()) == (0, 5000, 1, True)


def test_cancelling_a_triggered_stop_oneself_is_no_excuse() -> None:
    """A client that cancels the working child of its stop answers for it."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    child = story.trigger(stop)
    story.wait(10).cancel(child)
    assert bare(story.wait(44).verdict(story.t)) == (44, 0, 1, False)


# (c) a stop removed by the exchange or a fault


def lost_stop() -> Story:
    """A covered position whose stop a fault removes."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    story.wait(10).cancel(stop, "fault")
    return story


@pytest.mark.parametrize(("ms", "kept"), [(3000, True), (3001, False)])
def test_a_removed_stop_must_be_restored_within_three_seconds(ms: int, kept: bool) -> None:
    """(c): the time is excused, the deadline is not."""
    story = lost_stop()
    story.wait(ms).stop(SECOND, "SELL", "10", "49000")
    assert bare(story.wait(10).verdict(story.t)) == (0, ms, 1, kept)


def test_the_deadline_runs_only_while_the_server_answers() -> None:
    """(c): what cannot be reached cannot be restored; the measured time runs on."""
    story = lost_stop()
    story.wait(2000).serving(on=False)
    story.wait(60_000).serving(on=True)
    story.wait(1000).stop(SECOND, "SELL", "10", "49000")
    assert bare(story.wait(10).verdict(story.t)) == (0, 63_000, 1, True)


def test_an_exit_that_ends_incompletely_does_not_renew_the_excuse() -> None:
    """(c): closing instead of restoring counts against the same deadline when the exit leaves a remainder."""
    for ms, kept in ((1000, True), (1001, False)):
        story = lost_stop()
        exit_ = story.wait(1900).order(EXIT, "SELL", "10", kind="MARKET", reduce_only=True)
        story.wait(100).fill(exit_, "4")
        story.cancel(exit_, "exchange", "EXPIRED")
        story.wait(ms).leave(f"{GROUP}-X2")
        assert bare(story.verdict()) == (0, 1900 + ms, 2, kept)


def test_a_backstop_left_standing_makes_no_gap_of_a_removed_stop() -> None:
    """With the second layer alive, the loss of the first is no gap at all."""
    story = Story()
    stop, entry = armed(story)
    story.fill(entry, "10")
    story.stop(BACKSTOP, "SELL", None, "49000")
    story.wait(10).cancel(stop, "fault")
    assert bare(story.wait(9000).verdict(story.t)) == (0, 0, 0, True)
