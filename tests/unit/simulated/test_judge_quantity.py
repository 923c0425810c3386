"""P-4 by the judge: whatever the number of orders, a group never fills more than its first entry asked for."""

import pytest
from tests.unit.simulated.judge_ledger import GROUP, OTHER, Story

pytestmark = pytest.mark.rule("P-4")


def test_the_planned_quantity_in_crumbs_and_pieces_is_within_the_promise() -> None:
    """A first order that filled in part and a second for the rest add up to the plan."""
    story = Story()
    first = story.order(f"{GROUP}-E1", "BUY", "10")
    story.fill(first, "1", "2")
    story.cancel(first)
    story.enter("7", client_id=f"{GROUP}-E2")
    verdict = story.verdict()
    assert verdict["promises"]["P-4"]
    assert verdict["checks"]["P-4"] == 1
    assert verdict["entries_filled"] == 1


def test_two_full_entries_of_one_group_are_one_violation_with_the_numbers() -> None:
    """Double quantity is said once, at the fill that went beyond the plan."""
    story = Story()
    story.enter("10")
    again = story.order(f"{GROUP}-E2", "BUY", "10")
    story.fill(again, "4", "6")
    verdict = story.verdict()
    assert not verdict["promises"]["P-4"]
    (violation,) = [v for v in verdict["violations"] if v["promise"] == "P-4"]
    assert violation["client_id"] == f"{GROUP}-E2"
    assert "filled 14" in violation["message"]
    assert "asked for 10" in violation["message"]


def test_an_enlarged_order_is_judged_by_what_it_first_asked_for() -> None:
    """An amendment of the first entry cannot raise the plan."""
    story = Story()
    entry = story.order(f"{GROUP}-E1", "BUY", "10")
    entry.fields["quantity"] = "12"
    story.cancel(entry, status="NEW")
    story.fill(entry, "12")
    assert not story.verdict()["promises"]["P-4"]


def test_every_group_has_a_plan_of_its_own() -> None:
    """Two groups on one symbol, or one after the other, are not added up."""
    story = Story()
    story.enter("10")
    story.enter("10", client_id=f"{OTHER}-E1")
    verdict = story.verdict()
    assert verdict["promises"]["P-4"]
    assert verdict["checks"]["P-4"] == 2


def test_exits_are_not_entries() -> None:
    """What a stop or an exit fills does not count against the plan."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    story.enter("10")
    story.execute(stop)
    assert story.verdict()["promises"]["P-4"]


def test_without_an_entry_fill_there_is_nothing_to_check() -> None:
    """A resting entry proves nothing about quantities."""
    story = Story()
    story.order(f"{GROUP}-E1", "BUY", "10")
    assert "P-4" not in story.verdict()["promises"]


def test_a_fill_that_stands_before_its_orders_first_record_is_understood() -> None:
    """A market order may be told by its fill first; group and plan are known all the same."""
    story = Story()
    story.enter("10")
    accepted = next(i for i, r in enumerate(story.records) if r["kind"] == "order")
    del story.records[accepted]
    for seq, record in enumerate(story.records, start=1):
        record["seq"] = seq
    verdict = story.verdict()
    assert verdict["promises"]["P-4"]
    assert verdict["checks"]["P-5"] == 1
    assert verdict["orders_sent"] == 1
