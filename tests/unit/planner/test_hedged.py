"""Hedge mode switched on between arming and entering: no attempt of the armed stop is spent on it (E-4, S-1)."""

from dataclasses import replace

import pytest
from tests.worlds import Storyboard, decision, roles, seen, short_decision, world

from jumar.model.account import AccountSettings
from jumar.model.decision import Decision
from jumar.model.order import Role
from jumar.model.world import DecisionState


def modes(story: Storyboard, *, hedge: bool) -> Storyboard:
    """The account's modes are read now, and say this."""
    value = AccountSettings(hedge_mode=hedge, multi_assets=False, can_trade=True)
    story.world = replace(story.world, account_settings=seen(value))
    return story


@pytest.mark.rule("E-4", "S-1")
@pytest.mark.parametrize("wanted", [decision(), short_decision()], ids=["long", "short"])
def test_a_refused_armed_stop_waits_until_the_mode_is_one_way_again(wanted: Decision) -> None:
    """Refused for its position side: none is sent while the account is hedged, the next one after it is not."""
    story = Storyboard(world(decision=DecisionState(decision=wanted)))
    story.refuse[Role.STOP] = -4061
    assert roles(story.tick()) == ["+S"]
    story.refuse.clear()
    for _ in range(3):
        assert roles(modes(story.later(1500), hedge=True).tick()) == []
    assert story.world.trade is not None and story.world.trade.voided is None
    assert roles(modes(story.later(1500), hedge=False).tick()) == ["+S"]
    assert roles(story.later(1500).tick()) == ["+E"]
