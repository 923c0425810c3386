"""E-7: the venue cancels the entry of a dead engine where that is proven to leave stops alone; elsewhere it is never asked."""

from itertools import pairwise

import pytest
from tests.simulation.storyboard import FLAT, Scene, scene
from tests.simulation.ways import armed, twice

from jumar.store import asked

COUNTDOWN = "POST /fapi/v1/countdownCancelAll"


def proven(s: Scene) -> None:
    """An engine that has been told that V-6 holds on this host."""
    s.world.host.no_dead_man = None
    s.start()


def countdowns(s: Scene) -> list[int]:
    """When the switch was asked for anything, in seconds of the scenario."""
    return [each.at_ms // 1000 for each in s.script.sent if each.request == COUNTDOWN]


@twice
@pytest.mark.rule("E-7", "P-1")
def test_a_dead_engines_entry_is_cancelled_and_its_stops_stay(seed: int) -> None:
    """Half filled and killed: sixty seconds later the rest is gone, every stop and target rests; the next life goes on."""
    with scene(seed, engine=False) as s:
        proven(s)
        armed(s)
        s.fill("0.005")
        s.expect_roles("BEPQS")
        s.wait(5)
        s.kill()
        s.wait(35)
        s.expect_roles("BEPQS")
        s.until("the rest is cancelled", lambda: not s.book.resting("E"), within_s=30)
        s.expect_roles("BPQS")
        s.wait(10)
        s.expect_protected()
        s.restart()
        s.expect_recovered()
        s.until("the entry goes on", lambda: bool(s.book.resting("E")))
        s.wait(1)
        s.decision(FLAT)
        s.price_to("90370")
        found = s.verdict("P-1", "P-4", "P-6")
        assert found.reasons == ["stop"]


@twice
@pytest.mark.rule("E-7")
def test_it_is_put_off_while_the_entry_lives_and_taken_away_after(seed: int) -> None:
    """Three times a minute; once it has ended nothing of somebody else is taken with it."""
    with scene(seed, engine=False) as s:
        proven(s)
        armed(s)
        s.wait(65)
        times = countdowns(s)
        assert len(times) == 4
        assert {later - earlier for earlier, later in pairwise(times)} <= {
            20,
            21,
        }
        told = asked.present(s.database).snapshots["BTCUSDT"].content
        assert '"dead_man": {"on": true, "why_not": null}' in told
        s.decision(FLAT)
        s.expect_rests("")
        s.until("taken away", lambda: len(countdowns(s)) == 5)
        hand = s.rest_by_hand()
        s.wait(70)
        assert s.book.slots == hand
        assert len(countdowns(s)) == 5
        s.verdict("P-4", home=False)


@twice
@pytest.mark.rule("E-7")
def test_beside_an_order_of_somebody_else_it_is_taken_away(seed: int) -> None:
    """What would go with ours is a reason not to use it; that order is still there a minute later."""
    with scene(seed, engine=False) as s:
        proven(s)
        armed(s)
        s.wait(5)
        assert len(countdowns(s)) == 1
        hand = s.rest_by_hand()
        s.until("taken away", lambda: len(countdowns(s)) == 2)
        s.wait(70)
        assert hand in s.book.slots
        assert len(countdowns(s)) == 2
        s.verdict("P-4", home=False)


@twice
@pytest.mark.rule("E-7", "V-6", "P-1")
def test_where_it_would_take_stops_it_is_never_asked_for(seed: int) -> None:
    """Unproven, at a venue whose countdown cancels everything: a dead engine's position keeps its stops."""
    with scene(seed, readings=["countdown_cancels_conditional=yes"]) as s:
        armed(s)
        s.fill("0.005")
        s.expect_roles("BEPQS")
        s.wait(25)
        told = asked.present(s.database).snapshots["BTCUSDT"].content
        assert "no probe report says what it does to stops" in told
        s.kill()
        s.wait(90)
        s.expect_roles("BEPQS")
        assert not countdowns(s)
        s.restart()
        s.expect_recovered()
        s.decision(FLAT)
        s.price_to("90370")
        s.verdict("P-1")


@twice
@pytest.mark.rule("E-7", "M-5")
def test_an_engine_that_stops_takes_it_away(seed: int) -> None:
    """Asked to stop with the entry half filled: the rest is cancelled, and no countdown is left behind."""
    with scene(seed, engine=False) as s:
        proven(s)
        armed(s)
        s.fill("0.005")
        s.expect_roles("BEPQS")
        s.wait(3)
        s.expect_stopped()
        assert not s.book.resting("E")
        assert len(countdowns(s)) == 2
        hand = s.rest_by_hand()
        s.wait(70)
        assert hand in s.book.slots
        s.verdict("P-1", home=False)
