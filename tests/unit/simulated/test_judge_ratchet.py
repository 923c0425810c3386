"""P-2 by the judge: the effective stop gets tighter only, as far as the client has a say in it."""

import pytest
from tests.unit.simulated.judge_ledger import GROUP, Fields, Placed, Story

pytestmark = pytest.mark.rule("P-2")

STOPS = [f"{GROUP}-S{n}" for n in range(9)]
BACKSTOP = f"{GROUP}-B1"


def covered(trigger: str = "49500", backstop: str | None = "49000") -> tuple[Story, Placed]:
    """A position of ten under a stop and, further away, a backstop."""
    story = Story()
    stop = story.stop(STOPS[1], "SELL", "10", trigger)
    story.wait(1).enter("10")
    if backstop is not None:
        story.wait(1).stop(BACKSTOP, "SELL", None, backstop)
    story.wait(1)
    return story, stop


def widened(verdict: Fields) -> tuple[int, bool]:
    """How often the stop became looser, and the promise."""
    return verdict["stop_widened"], verdict["promises"]["P-2"]


def test_tightening_is_what_a_ratchet_does() -> None:
    """Place tighter, cancel the old one: nothing to say, checked once per trade."""
    story, stop = covered()
    story.stop(STOPS[2], "SELL", "10", "49800")
    story.wait(1).cancel(stop)
    verdict = story.verdict()
    assert widened(verdict) == (0, True)
    assert verdict["checks"]["P-2"] == 1


def test_widening_by_cancel_and_place_is_counted_once() -> None:
    """The cancel already leaves the looser backstop in charge; the looser stop after it is the same widening."""
    story, stop = covered()
    story.cancel(stop)
    story.wait(2).stop(STOPS[2], "SELL", "10", "49200")
    verdict = story.verdict()
    assert widened(verdict) == (1, False)
    assert verdict["unprotected_ms_max"] == 0
    assert verdict["promises"]["P-1"]
    (violation,) = verdict["violations"]
    assert violation["client_id"] == STOPS[1]
    assert "from 49500 to 49000" in violation["message"]


def test_widening_by_place_and_cancel_is_counted_at_the_cancel() -> None:
    """A looser stop beside the tight one changes nothing until the tight one goes."""
    story, stop = covered(backstop=None)
    story.stop(STOPS[2], "SELL", "10", "49200")
    assert widened(story.verdict()) == (0, True)
    story.wait(1).cancel(stop)
    assert widened(story.verdict()) == (1, False)


def test_a_second_loosening_in_the_same_excursion_is_counted_again() -> None:
    """Each command that loosens the effective stop is one widening."""
    story, stop = covered()
    story.cancel(stop)
    looser = story.wait(1).stop(STOPS[2], "SELL", "10", "49200")
    story.wait(1).cancel(looser)
    assert widened(story.verdict()) == (2, False)


def test_an_excursion_ends_at_the_old_best() -> None:
    """Back at the ratchet price the next looser replacement is a widening of its own."""
    story, stop = covered()
    story.cancel(stop)
    assert widened(story.verdict()) == (1, False)
    again = story.wait(1).stop(STOPS[2], "SELL", "10", "49500")
    story.wait(1).cancel(again, "fault")
    story.wait(1).stop(STOPS[3], "SELL", "10", "49499.9")
    assert widened(story.verdict()) == (2, False)


@pytest.mark.parametrize("by", ["exchange", "fault"])
def test_what_others_loosen_is_not_the_clients_doing(by: str) -> None:
    """A stop removed by others leaves the backstop in charge; restored at its price the promise holds."""
    story, stop = covered()
    story.cancel(stop, by)
    story.wait(500).stop(STOPS[2], "SELL", "10", "49500")
    assert widened(story.verdict()) == (0, True)


@pytest.mark.parametrize("backstop", [None, "49000"])
def test_a_lost_stop_restored_looser_is_a_widening(backstop: str | None) -> None:
    """After a loss the stop must come back at the tightest price it ever had."""
    story, stop = covered(backstop=backstop)
    story.cancel(stop, "fault")
    story.wait(500).stop(STOPS[2], "SELL", "10", "49400")
    verdict = story.verdict()
    assert widened(verdict) == (1, False)
    assert "already had 49500" in verdict["violations"][-1]["message"]


def test_a_stop_of_less_than_the_position_is_not_the_effective_one() -> None:
    """A tighter partial stop may come and go; it never was in charge."""
    story, _ = covered()
    part = story.stop(STOPS[2], "SELL", "5", "49900")
    story.wait(1).cancel(part)
    assert widened(story.verdict()) == (0, True)


def test_a_partial_stop_takes_charge_when_the_position_shrinks_to_it() -> None:
    """After a partial exit the tighter stop covers all; taking it away then is a widening."""
    story, _ = covered()
    part = story.stop(STOPS[2], "SELL", "5", "49900")
    target = story.order(f"{GROUP}-P1", "SELL", "5", kind="MARKET", reduce_only=True)
    story.fill(target, "5")
    story.wait(1).cancel(part)
    assert widened(story.verdict()) == (1, False)


def test_the_armed_stop_may_move_before_the_first_fill() -> None:
    """The ratchet begins with the first fill."""
    story = Story()
    first = story.stop(STOPS[1], "SELL", "10", "49500")
    story.stop(STOPS[2], "SELL", "10", "49000")
    story.cancel(first)
    story.wait(1).enter("10")
    assert widened(story.verdict()) == (0, True)


def test_every_trade_has_a_ratchet_of_its_own() -> None:
    """The next trade may begin with a looser stop."""
    story, stop = covered(backstop=None)
    story.leave()
    story.cancel(stop)
    story.wait(1).stop(STOPS[2], "SELL", "10", "48000")
    story.enter("10", client_id="jm-abcdefghij-E1")
    verdict = story.verdict()
    assert widened(verdict) == (0, True)
    assert verdict["checks"]["P-2"] == 2


def test_a_triggered_stop_that_leaves_a_remainder_is_the_markets_doing() -> None:
    """When the tight stop ends incompletely the backstop takes over, and nobody widened anything."""
    story, stop = covered()
    child = story.trigger(stop)
    story.fill(child, "4")
    story.finish(stop)
    assert widened(story.verdict()) == (0, True)


def test_cancelling_the_working_child_of_the_tight_stop_is_a_widening() -> None:
    """The child belongs to its stop: taking it out of the book loosens the stop."""
    story, stop = covered()
    story.cancel(story.trigger(stop))
    assert widened(story.verdict()) == (1, False)


def test_for_a_short_looser_is_higher() -> None:
    """Mirrored, the same replacement is judged by the other direction."""
    for trigger, expected in (("50500", (0, True)), ("51500", (1, False))):
        story = Story()
        stop = story.stop(STOPS[1], "BUY", "10", "51000")
        story.enter("10", side="SELL")
        story.stop(STOPS[2], "BUY", "10", trigger)
        assert widened(story.verdict()) == (0, True)
        story.wait(1).cancel(stop)
        assert widened(story.verdict()) == expected


def test_a_trade_that_never_had_a_stop_is_no_check_of_the_ratchet() -> None:
    """Without any full-size stop the promise is absent; P-1 has something to say instead."""
    story = Story()
    story.enter("10")
    assert "P-2" not in story.wait(5).verdict(story.t)["promises"]
