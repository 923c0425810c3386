"""P-8 by the judge: nothing of a trade is alive after ten seconds of serving from position zero."""

import pytest
from tests.unit.simulated.judge_ledger import GROUP, OTHER, Fields, Placed, Story

pytestmark = pytest.mark.rule("P-8")

DEADLINE_MS = 10_000


def left_over(verdict: Fields) -> tuple[int, int, bool | None]:
    """Orphans, trades checked, the promise (None: absent)."""
    return verdict["orphan_orders"], verdict["checks"]["P-8"], verdict["promises"].get("P-8")


def ended() -> tuple[Story, Placed]:
    """A trade that went home by a full exit while its stop still rests."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    story.enter("10")
    story.wait(100).leave()
    return story, stop


def test_a_swept_trade_is_checked_at_once() -> None:
    """As soon as nothing of it is alive the verdict stands, whatever comes later."""
    story, stop = ended()
    assert left_over(story.verdict()) == (0, 0, None)
    story.wait(30).cancel(stop)
    assert left_over(story.verdict()) == (0, 1, True)


@pytest.mark.parametrize(("ms", "expected"), [(10_000, (0, 1, True)), (10_001, (1, 1, False))])
def test_the_deadline_is_ten_seconds_from_position_zero(
    ms: int, expected: tuple[int, int, bool]
) -> None:
    """Gone at the deadline is in time; alive a millisecond later is an orphan, even if it went then."""
    story, stop = ended()
    story.wait(ms).cancel(stop)
    assert left_over(story.verdict(story.t + 99_999)) == expected


def test_an_orphan_is_named_with_the_time_at_which_it_became_one() -> None:
    """The violation stands at the deadline, not at the record that happened to follow it."""
    story, _ = ended()
    flat_at = story.t
    verdict = story.wait(60_000).verdict(story.t)
    assert left_over(verdict) == (1, 1, False)
    (violation,) = verdict["violations"]
    assert (violation["t"], violation["client_id"]) == (flat_at + DEADLINE_MS, f"{GROUP}-S1")


def test_only_serving_time_counts() -> None:
    """While the server does not answer nobody can sweep."""
    story, stop = ended()
    story.wait(4000).serving(on=False)
    story.wait(60_000).serving(on=True)
    story.wait(6000).cancel(stop)
    assert left_over(story.verdict()) == (0, 1, True)
    story, stop = ended()
    story.wait(4000).serving(on=False)
    story.wait(60_000).serving(on=True)
    story.wait(6001).cancel(stop)
    assert left_over(story.verdict()) == (1, 1, False)


def test_a_server_that_never_speaks_of_serving_counts_as_serving() -> None:
    """In doubt the deadline runs."""
    story, _ = ended()
    story.records = [r for r in story.records if r["kind"] != "serving"]
    for seq, record in enumerate(story.records, start=1):
        record["seq"] = seq
    assert left_over(story.verdict(story.t + DEADLINE_MS + 1)) == (1, 1, False)


def test_a_closed_server_runs_no_deadline() -> None:
    """After an orderly end nothing can be swept any more."""
    story, _ = ended()
    story.write("closed")
    assert left_over(story.verdict(story.t + 60_000)) == (0, 0, None)


def test_every_order_of_the_group_counts_once() -> None:
    """Stop, backstop, target and remainder: four orders, four orphans."""
    story = Story()
    entry = story.order(f"{GROUP}-E1", "BUY", "10")
    story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    story.fill(entry, "6")
    story.stop(f"{GROUP}-B1", "SELL", None, "49000")
    story.stop(f"{GROUP}-P1", "SELL", "6", "51000", kind="TAKE_PROFIT_MARKET")
    story.leave()
    assert left_over(story.wait(20_000).verdict(story.t)) == (4, 1, False)


def test_a_triggered_order_and_its_child_are_one_order() -> None:
    """An orphan stop that fires stays one orphan, under the name the client gave it."""
    story, stop = ended()
    story.wait(9000).trigger(stop)
    story.wait(2000).finish(stop, "fault")
    verdict = story.verdict(story.t)
    assert left_over(verdict) == (1, 1, False)


def test_an_orphan_that_lives_on_is_reported_once() -> None:
    """Later changes of the same order add no violation."""
    story, stop = ended()
    story.wait(11_000).trigger(stop)
    assert [v["promise"] for v in story.verdict()["violations"]] == ["P-8"]


def test_an_orphan_stop_that_opens_a_position_does_not_excuse_the_others() -> None:
    """Only an entry gives a group another trade to be judged by."""
    story, stop = ended()
    story.stop(f"{GROUP}-P1", "SELL", "10", "51000", kind="TAKE_PROFIT_MARKET")
    story.wait(10).fill(story.trigger(stop), "10")
    assert left_over(story.wait(20_000).verdict(story.t)) == (1, 1, False)


def test_a_late_entry_is_an_orphan_but_the_stop_of_its_trade_is_not() -> None:
    """Once the remainder has filled again, what protects it belongs to a trade that lives."""
    story = Story()
    entry = story.order(f"{GROUP}-E1", "BUY", "10")
    story.fill(entry, "4")
    story.leave()
    story.wait(11_000).fill(entry, "6")
    story.stop(f"{GROUP}-S2", "SELL", "6", "49000")
    assert left_over(story.verdict()) == (1, 1, False)


def test_the_same_group_on_another_symbol_restarts_nothing() -> None:
    """An entry elsewhere is no reason for leftovers here."""
    story, _ = ended()
    story.symbol = "ETHUSDT"
    story.enter("1", client_id=f"{GROUP}-E2")
    assert left_over(story.wait(20_000).verdict(story.t))[0] == 1


def test_a_triggered_order_whose_child_ended_is_gone() -> None:
    """What has executed or been rejected needs no sweeping."""
    story, stop = ended()
    story.trigger(stop)
    story.finish(stop)
    assert left_over(story.wait(20_000).verdict(story.t)) == (0, 1, True)


def test_orders_of_another_group_are_not_its_orphans() -> None:
    """The next trade's armed stop may rest as long as it likes."""
    story, stop = ended()
    story.cancel(stop)
    story.stop(f"{OTHER}-S1", "SELL", "10", "48000")
    story.order(f"{OTHER}-E1", "BUY", "10")
    assert left_over(story.wait(60_000).verdict(story.t)) == (0, 1, True)


def test_the_next_trade_does_not_excuse_the_leftovers_of_the_last() -> None:
    """A new position of another group changes nothing for the old group's orders."""
    story, _ = ended()
    story.wait(100).enter("10", client_id=f"{OTHER}-E1")
    assert left_over(story.wait(20_000).verdict(story.t))[0] == 1


def test_a_remainder_that_fills_again_is_judged_from_the_later_end() -> None:
    """The same group's entry opens again: its stop is needed, and the deadline starts over at the next zero."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    entry = story.order(f"{GROUP}-E1", "BUY", "10")
    story.fill(entry, "4")
    story.leave()
    story.wait(100).fill(entry, "6")
    assert left_over(story.wait(20_000).verdict(story.t)) == (0, 0, None)
    story.leave(f"{GROUP}-X2")
    story.wait(9000).cancel(stop)
    assert left_over(story.verdict()) == (0, 1, True)


def test_an_order_that_arrives_after_the_deadline_is_an_orphan_at_once() -> None:
    """A late retransmission of an ended trade has no trade to belong to."""
    story, stop = ended()
    story.cancel(stop)
    story.wait(11_000).stop(f"{GROUP}-S2", "SELL", "10", "49000")
    assert left_over(story.verdict()) == (1, 1, False)


def test_the_group_of_an_order_that_traded_only_on_another_symbol_is_judged_there() -> None:
    """Groups are looked at symbol by symbol."""
    story, stop = ended()
    story.cancel(stop)
    story.symbol = "ETHUSDT"
    story.stop(f"{GROUP}-S3", "SELL", "10", "2900")
    assert left_over(story.wait(60_000).verdict(story.t)) == (0, 1, True)


def test_a_group_that_never_traded_has_no_deadline() -> None:
    """Judged from position zero: an armed stop without a fill is not an orphan."""
    story = Story()
    story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    assert left_over(story.wait(60_000).verdict(story.t)) == (0, 0, None)
