"""What is remembered of the dead man's switch, and what a person can read of it."""

import pytest
from tests.worlds import NOW, world

from jumar.model.command import Cause, Plan, SetCountdown
from jumar.model.countdown import NOT_PROBED
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.reconciler.dead_man import UNDERWAY_MS, DeadMan
from jumar.reconciler.snapshot import snapshot

ON, OFF = "on", "off"
YES, NO, SILENCE = Accepted(), Rejected(code=-1000, message="no"), Unknown(reason="timeout")


def set_to(lasts_ms: int) -> SetCountdown:
    """A request."""
    words = ON if lasts_ms else OFF
    return SetCountdown(
        symbol="BTCUSDT", countdown_ms=lasts_ms, cause=Cause(rule="E-7", text=words)
    )


@pytest.mark.rule("E-7")
def test_switching_on_and_off_is_told_renewals_are_not() -> None:
    """A person asks later when it was on, not how often it was put off."""
    switch = DeadMan()
    told = [switch.saw(set_to(ms), YES, NOW) for ms in (60_000, 60_000, 0, 0, 60_000)]
    assert told == [ON, None, OFF, None, ON]


@pytest.mark.rule("E-7")
def test_a_refusal_is_told_once_while_it_lasts() -> None:
    """With the venue's own words."""
    switch = DeadMan()
    told = [switch.saw(set_to(60_000), outcome, NOW) for outcome in (NO, NO, YES, NO)]
    refused = "the dead man's switch was refused: -1000 no"
    assert told == [refused, None, ON, refused]


@pytest.mark.rule("E-7")
@pytest.mark.parametrize(
    ("outcomes", "until_ms"),
    [
        ([(60_000, YES)], NOW + 60_000 + UNDERWAY_MS),
        ([(60_000, SILENCE)], NOW + 60_000 + UNDERWAY_MS),
        ([(60_000, NO)], 0),
        ([(60_000, YES), (0, YES)], 0),
        ([(60_000, YES), (0, SILENCE)], NOW + 60_000 + UNDERWAY_MS),
        ([(60_000, YES), (0, NO)], NOW + 60_000 + UNDERWAY_MS),
        ([(60_000, YES), (60_000, NO)], NOW + 60_000 + UNDERWAY_MS),
    ],
)
def test_it_may_run_until_the_venue_says_otherwise(
    outcomes: list[tuple[int, Outcome]], until_ms: int
) -> None:
    """An unknown request may have arrived; only an accepted zero takes it away."""
    switch = DeadMan()
    for lasts_ms, outcome in outcomes:
        switch.saw(set_to(lasts_ms), outcome, NOW)
    assert switch.asked is not None
    assert switch.asked.until_ms == until_ms
    assert switch.may_run is (until_ms > 0)


@pytest.mark.rule("E-7")
def test_status_says_why_there_is_none() -> None:
    """Unproven, refused, or in use."""
    switch = DeadMan()
    assert snapshot(world(), Plan())["dead_man"] == {"on": False, "why_not": NOT_PROBED}
    switch.saw(set_to(60_000), NO, NOW)
    refused = world(no_dead_man=None, countdown=switch.asked)
    assert snapshot(refused, Plan())["dead_man"] == {"on": False, "why_not": "-1000 no"}
    switch.saw(set_to(60_000), YES, NOW)
    used = world(no_dead_man=None, countdown=switch.asked)
    assert snapshot(used, Plan())["dead_man"] == {"on": True, "why_not": None}
    idle = world(no_dead_man=None)
    assert snapshot(idle, Plan())["dead_man"] == {"on": False, "why_not": None}
