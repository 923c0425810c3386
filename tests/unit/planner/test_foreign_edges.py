"""Somebody else's orders: which they are, and the one way in which they are touched (Y-7)."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, position, trade_of
from tests.unit.planner.test_passing import stranger
from tests.worlds import POLICY, seen, world

from jumar.model.command import CancelOrder, Cause
from jumar.model.order import Channel
from jumar.model.policy import ForeignOrders
from jumar.planner.foreign import foreign_cancels, foreign_orders

CANCELS = replace(POLICY, foreign_orders=ForeignOrders.CANCEL)


@pytest.mark.rule("Y-7", "P-9")
@pytest.mark.parametrize("channel", list(Channel))
def test_a_cancel_names_the_order_its_list_and_the_setting(channel: Channel) -> None:
    """By its id, in the list that it rests in, marked as nobody's of ours, with the words why."""
    report = stranger("web_1", channel=channel)
    cause = Cause(rule="Y-7", text='web_1 is not ours, foreign_orders = "cancel"')
    expected = CancelOrder(
        symbol="BTCUSDT", channel=channel, client_id="web_1", cause=cause, foreign=True
    )
    for name in ("open_orders", "conditional_orders"):
        found = replace(world(), **{name: seen((report,))})  # type: ignore[arg-type]  # either list
        assert foreign_cancels(found, CANCELS) == (expected,)
        assert foreign_cancels(found, POLICY) == ()


@pytest.mark.rule("Y-7", "X-1")
@pytest.mark.parametrize(
    ("name", "is_foreign"),
    [
        (f"jm-{KEY}-E1", False),
        (f"jm-{KEY}-S20", False),
        (f"jm-{KEY}-S0", True),
        (f"jm-{KEY}-Z1", True),
        ("jm-short-E1", True),
        ("web_1", True),
        ("", True),
    ],
)
def test_only_a_name_of_ours_is_ours(name: str, is_foreign: bool) -> None:
    """Whoever's trade it belongs to; anything else is somebody else's."""
    found = world(open_orders=seen((stranger(name),)))
    assert [report.client_id for report in foreign_orders(found)] == [name] * is_foreign


@pytest.mark.rule("Y-7")
def test_both_lists_are_looked_through_and_one_that_was_not_read_shows_nothing() -> None:
    """Regular orders first, then conditional ones."""
    regular, conditional = seen((stranger("a"), stranger("b"))), seen((stranger("c"),))

    def names(**changes: object) -> list[str]:
        return [report.client_id for report in foreign_orders(world(**changes))]

    assert names(open_orders=regular, conditional_orders=conditional) == ["a", "b", "c"]
    assert names(open_orders=None, conditional_orders=conditional) == ["c"]
    assert names(open_orders=regular, conditional_orders=None) == ["a", "b"]
    assert names(open_orders=None, conditional_orders=None) == []


@pytest.mark.rule("Y-7", "P-1")
@pytest.mark.parametrize(
    ("reduces", "whole", "while_held"),
    [(False, False, True), (True, False, False), (False, True, False), (True, True, False)],
)
@pytest.mark.parametrize("held", ["0.5", "-0.5"])
def test_what_may_protect_stays_until_the_position_is_read_as_flat(
    reduces: bool, whole: bool, while_held: bool, held: str
) -> None:
    """Long or short, or not read yet; what only adds goes at once."""
    report = stranger("web_1", reduce_only=reduces, close_position=whole)
    flat = world(open_orders=seen((report,)), trade=trade_of())
    assert len(foreign_cancels(flat, CANCELS)) == 1
    for unproven in (position(held), None):
        found = replace(flat, position=unproven)
        assert len(foreign_cancels(found, CANCELS)) == while_held
    late = replace(flat, position=position("0"), position_event=position(held, BEFORE))
    assert len(foreign_cancels(late, CANCELS)) == 1
