"""P-5 by the judge: only an entry may open, add to or reverse; every exit can only reduce."""

import pytest
from tests.unit.simulated.judge_ledger import GROUP, Fields, Story

pytestmark = pytest.mark.rule("P-5")


def broken(verdict: Fields) -> list[str]:
    """The client ids that broke the promise, in order."""
    ids = [v["client_id"] for v in verdict["violations"] if v["promise"] == "P-5"]
    assert verdict["promises"]["P-5"] is not bool(ids)
    return ids


def test_an_entry_and_reduce_only_exits_keep_the_promise() -> None:
    """Every accepted order of the client is one check."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    story.enter("10")
    story.stop(f"{GROUP}-B1", "SELL", None, "49000")
    story.execute(stop)
    verdict = story.verdict()
    assert broken(verdict) == []
    assert verdict["checks"]["P-5"] == 3


@pytest.mark.parametrize("client_id", [f"{GROUP}-X1", "web_abc", "jm-short", f"{GROUP}_E1"])
def test_an_order_that_could_open_and_is_no_entry_breaks_it_when_accepted(client_id: str) -> None:
    """An exit without reduce-only is a breach before it fills, under whatever name."""
    story = Story()
    story.enter("10")
    story.order(client_id, "SELL", "10", kind="MARKET")
    assert broken(story.verdict()) == [client_id]


def test_a_stop_without_reduce_only_breaks_it_when_accepted() -> None:
    """A conditional order that could open a position is no stop."""
    story = Story()
    story.stop(f"{GROUP}-S1", "SELL", "10", "49000", reduce_only=False)
    assert broken(story.verdict()) == [f"{GROUP}-S1"]


def test_an_exit_that_reverses_breaks_it_even_if_it_says_reduce_only() -> None:
    """What a fill did counts, whatever the order's flags promised."""
    story = Story()
    story.enter("10")
    exit_ = story.order(f"{GROUP}-X1", "SELL", "12", kind="MARKET", reduce_only=True)
    story.fill(exit_, "12")
    verdict = story.verdict()
    assert broken(verdict) == [f"{GROUP}-X1"]
    assert "from 10 to -2" in verdict["violations"][-1]["message"]


def test_a_stop_that_opens_from_flat_breaks_it() -> None:
    """A triggered stop that filled without a position opened one; it stands under the stop's name."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    story.fill(story.trigger(stop), "10")
    assert broken(story.verdict()) == [f"{GROUP}-S1"]


def test_an_exit_dressed_as_an_entry_breaks_it() -> None:
    """An order named entry on the other side is noticed when accepted and again when it reduces."""
    story = Story()
    story.enter("10")
    story.enter("10", client_id=f"{GROUP}-E2", side="SELL")
    assert broken(story.verdict()) == [f"{GROUP}-E2"] * 2


def test_an_entry_of_another_group_that_reduces_is_an_exit_without_reduce_only() -> None:
    """A new decision's entry may not close the position of an older one."""
    story = Story()
    story.enter("10")
    story.enter("4", client_id="jm-abcdefghij-E1", side="SELL")
    assert broken(story.verdict()) == ["jm-abcdefghij-E1"]


def test_an_entry_that_meets_a_persons_position_is_no_exit() -> None:
    """What somebody else opened is not the client's to close; its entry stays an entry."""
    story = Story()
    story.fill(story.order("web_1", "SELL", "10", by="fault"), "10")
    story.enter("4")
    assert broken(story.verdict()) == []


def test_a_persons_conditional_order_stays_the_persons_when_it_fires() -> None:
    """The child belongs to whoever placed the parent."""
    story = Story()
    story.enter("10")
    foreign = story.stop("web_2", "BUY", "3", "51000", reduce_only=False, by="fault")
    story.fill(story.trigger(foreign), "3")
    assert broken(story.verdict()) == []


def test_a_child_order_is_judged_by_its_parents_name() -> None:
    """Whatever id the exchange gives the triggered order, role and group are the parent's."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "12", "49000")
    story.fill(story.trigger(stop), "12")
    for record in story.records:
        if record.get("parent_algo_id") is not None:
            record["client_id"] = f"{GROUP}-E9"
    assert broken(story.verdict()) == [f"{GROUP}-S1"]


@pytest.mark.parametrize("by", ["exchange", "fault"])
def test_orders_of_others_are_not_the_clients(by: str) -> None:
    """A liquidation or a person's order is no breach of the client's promise."""
    story = Story()
    story.enter("10")
    foreign = story.order("autoclose-1", "SELL", "10", kind="MARKET", by=by)
    story.fill(foreign, "10")
    verdict = story.verdict()
    assert broken(verdict) == []
    assert verdict["orders_sent"] == 1
