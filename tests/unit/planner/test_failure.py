"""A stop that is missing or has failed: restored at the ratchet price, and closed only where nothing protects."""

from dataclasses import replace

import pytest
from tests.worlds import BTC, D, Storyboard, opened, places, roles, world

from jumar.model.command import Plan
from jumar.model.mode import Mode
from jumar.model.order import OrderStatus, Role, Side
from jumar.model.trade import CloseReason
from jumar.model.world import Observed, Source

LOST = OrderStatus.CANCELED


def rules(result: Plan) -> list[str]:
    """The rules of a plan's emergencies; that others took a stop away is told beside them (P-2)."""
    return [alarm.rule for alarm in result.alarms if alarm.severity == "critical"]


def naked(side: Side = Side.BUY, code: int | None = None) -> Storyboard:
    """A position whose stops somebody took away, both layers; new ones are refused with a code, if any."""
    return opened(side).later(1000).bare(code)


def at_breakeven() -> Storyboard:
    """TP1 has filled and the stop rests at breakeven, 90 841.1, the old one gone."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(3)
    return story


# a missing stop: S-7


@pytest.mark.rule("S-7", "P-2")
@pytest.mark.parametrize("side", list(Side))
def test_a_missing_stop_is_restored_in_the_same_plan(side: Side) -> None:
    """The tick that misses it places it again, at its price and for the whole position, and alarms."""
    story = naked(side)
    found = story.tick()
    (stop,) = (place.request for place in places(found))
    price = D(90380) if side is Side.BUY else D(91220)
    assert (stop.role, stop.trigger_price, stop.quantity) == (Role.STOP, price, D("0.013"))
    assert rules(found) == ["S-7"]
    assert found.uncovered
    after = story.tick()
    assert (roles(after), rules(after), after.uncovered) == ([], [], False)


@pytest.mark.rule("S-7", "P-2", "S-3")
def test_a_stop_that_has_moved_is_restored_where_it_was() -> None:
    """Not at the initial stop, where the backstop rests: at the ratchet price."""
    story = at_breakeven()
    story.end(Role.STOP, LOST)
    (stop,) = (place.request for place in places(story.tick()))
    assert stop.trigger_price == D("90841.1")


@pytest.mark.rule("S-7")
def test_the_alarm_is_one_while_it_lasts() -> None:
    """Every look says the same alarm of the same subject: whoever hears it can tell it is one."""
    story = naked(code=-1111)
    plans = [story.later(250).tick() for _ in range(4)]
    alarms = [each for plan in plans for each in plan.alarms if each.severity == "critical"]
    assert len(alarms) == 4
    assert {(alarm.rule, alarm.subject) for alarm in alarms} == {("S-7", story.trade.key)}


@pytest.mark.rule("S-7", "S-8", "M-2")
def test_what_cannot_be_restored_within_the_deadline_is_closed() -> None:
    """Tried every 250 ms; 3 s after it was first seen uncovered: market, reduce-only, before any cancel."""
    story = naked(code=-1111)
    assert roles(story.tick()) == ["+S"]
    for _ in range(11):
        assert roles(story.later(250).tick()) == ["+S"]
    assert roles(story.later(249).tick()) == []
    closing = story.later(1).tick()
    assert roles(closing) == ["+X"]
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.EMERGENCY, "S-7")
    exit_ = places(closing)[0]
    assert exit_.request.reduce_only and exit_.request.quantity == D("0.013")
    assert "-1111" in next(note.text for note in closing.notes if note.rule == "S-7")


@pytest.mark.rule("S-7", "P-1")
def test_the_deadline_counts_from_where_something_could_be_done() -> None:
    """After a time in which the venue could not be reached the three seconds begin anew."""
    story = naked(code=-1111)
    story.tick()
    story.later(60_000)
    story.world = replace(story.world, uncovered_ms=None)
    assert sorted(roles(story.tick())) == ["+B", "+S"]
    assert story.trade.closing is None


@pytest.mark.rule("S-7", "S-4")
def test_an_unknown_stop_is_not_waited_for_while_cover_is_missing() -> None:
    """Another one at once, three presumed alive at most; none confirmed within the deadline: closed."""
    story = naked()
    story.silent.add(Role.STOP)
    assert story.run(5) == ["+S", "+S", "+S"]
    assert roles(story.later(2999).tick()) == []
    assert roles(story.later(1).tick()) == ["+X"]


@pytest.mark.rule("S-7")
@pytest.mark.parametrize("code", [-4045, -1015])
def test_targets_give_way_to_a_stop_without_room(code: int) -> None:
    """Conditional limit or order budget: our own targets go, the stop is tried again, targets come back."""
    story = naked(code=code)
    assert roles(story.tick()) == ["+S"]
    assert roles(story.tick()) == ["-P", "-Q"]
    story.refuse.clear()
    assert story.later(250).run(1) == ["+S"]
    assert sorted(story.run(2)) == ["+P", "+Q"]
    assert story.trade.closing is None


@pytest.mark.rule("S-7")
def test_targets_stay_away_while_the_stop_has_no_room() -> None:
    """What was taken away for the stop does not take the place again before it rests."""
    story = naked(code=-4045)
    story.run(2)
    words = [word for _ in range(8) for word in roles(story.later(250).tick())]
    assert words == ["+S"] * 8


@pytest.mark.rule("S-7", "S-10")
@pytest.mark.parametrize("code", [-4210, -4211])
@pytest.mark.parametrize("side", list(Side))
def test_a_trigger_too_far_from_mark_comes_nearer(side: Side, code: int) -> None:
    """The nearest allowed tighter price, rounded tighter; where it rests is the ratchet price from then on."""
    story = naked(side, code)
    narrow = replace(BTC, multiplier_up=D("1.002"), multiplier_down=D("0.998"))
    story.world = replace(story.world, instrument=narrow)
    story.tick()
    story.refuse.clear()
    (stop,) = (place.request for place in places(story.later(250).tick()))
    # mark 90820, nine tenths of 0.2 % away: 90656.524 or 90983.476
    price = D("90656.6") if side is Side.BUY else D("90983.4")
    assert stop.trigger_price == price
    story.run(2)
    assert story.trade.ratchet_price == price


@pytest.mark.rule("S-7", "S-3")
def test_too_far_never_leads_to_a_looser_price() -> None:
    """Where the venue's band is wider than the stop's distance the ratchet price is tried again."""
    story = naked(code=-4211)
    story.tick()
    (stop,) = (place.request for place in places(story.later(250).tick()))
    assert stop.trigger_price == D(90380)


@pytest.mark.rule("S-7", "S-2")
def test_a_missing_backstop_alone_is_never_an_emergency() -> None:
    """Beside a confirmed working stop it is placed again in its own rhythm, for however long."""
    story = opened().later(1000)
    story.end(Role.BACKSTOP, LOST)
    story.refuse[Role.BACKSTOP] = -4509
    for _ in range(20):
        result = story.later(1000).tick()
        assert not result.uncovered and rules(result) == []
    assert story.trade.closing is None


@pytest.mark.rule("S-7", "S-2", "P-2")
def test_lost_cover_comes_before_a_lost_backstop_that_lies_wider() -> None:
    """Both were taken away: for a second only the working stop is tried, then the backstop as well."""
    story = at_breakeven()
    story.end(Role.STOP, LOST).end(Role.BACKSTOP, LOST)
    story.later(6000)
    story.refuse[Role.STOP] = -1111
    assert roles(story.tick()) == ["+S"]
    assert [word for _ in range(3) for word in roles(story.later(250).tick())] == ["+S"] * 3
    assert sorted(roles(story.later(250).tick())) == ["+B", "+S"]


@pytest.mark.rule("S-7", "S-4", "Y-3")
def test_a_stop_too_small_for_the_position_does_not_cover() -> None:
    """A person bought more: one of the whole size is placed, the small one goes only afterwards."""
    story = opened().later(1000)
    story.by_hand(Side.BUY, "0.010")
    (stop,) = (place.request for place in places(story.tick()))
    assert (stop.quantity, stop.trigger_price) == (D("0.023"), D(90380))
    assert roles(story.tick()) == ["-S"]


@pytest.mark.rule("S-7", "S-13")
def test_an_invisible_stop_is_no_missing_one() -> None:
    """Presumed alive: no alarm S-7, no deadline, no close, however its replacement fares."""
    story = opened().later(10_000).forgets("S1")
    story.refuse[Role.STOP] = -1111
    for _ in range(20):
        result = story.later(1000).tick()
        assert not result.uncovered and "S-7" not in rules(result)
    assert story.trade.closing is None


# the ratchet price would trigger (S-6 c)


@pytest.mark.rule("S-6", "M-2")
def test_a_ratchet_price_that_would_trigger_is_closed_at_once() -> None:
    """Restoring at 90 841.1 is refused as triggering; the backstop further away does not count."""
    story = at_breakeven()
    story.end(Role.STOP, LOST)
    story.refuse[Role.STOP] = -2021
    assert story.run(2) == ["+S", "+X"]
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.EMERGENCY, "S-6")


@pytest.mark.rule("S-6", "S-13")
def test_a_replacement_that_would_trigger_is_no_reason_to_close() -> None:
    """The invisible stop at the ratchet price is presumed alive: the refused one is only its double."""
    story = opened().later(10_000).forgets("S1")
    story.refuse[Role.STOP] = -2021
    words = [word for _ in range(10) for word in roles(story.later(1000).tick())]
    assert "+X" not in words and story.trade.closing is None


# mark beyond the stop (S-8 a): 5 bps beyond 90 380 is 90 334.81, beyond 91 220 it is 91 265.61


def marked(story: Storyboard, *ago: tuple[int, str]) -> Plan:
    """Mark as it was so many milliseconds ago, oldest first; then one look."""
    now = story.world.now_ms
    marks = tuple(
        Observed(value=D(price), at_ms=now - ms, source=Source.STREAM) for ms, price in ago
    )
    story.world = replace(story.world, mark=marks[-1], marks=marks)
    return story.tick()


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(("side", "beyond"), [(Side.BUY, "90334.8"), (Side.SELL, "91265.7")])
def test_mark_beyond_the_stop_for_two_seconds_closes(side: Side, beyond: str) -> None:
    """Two readings, the first two seconds ago, and the position is still there: the stop has failed."""
    story = opened(side).later(5000)
    assert roles(marked(story, (3000, "90820"), (2000, beyond), (0, beyond))) == ["+X"]
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.EMERGENCY, "S-8")


@pytest.mark.rule("S-8")
def test_the_time_beyond_is_between_readings() -> None:
    """Oldest to newest, not oldest to now: the third reading closes once it is two seconds after the first."""
    story = opened().later(5000)
    early = ((2100, "90300"), (2000, "90300"))
    assert roles(marked(story, *early)) == []
    assert roles(marked(story, *early, (101, "90300"))) == []
    assert roles(marked(story, *early, (100, "90300"))) == ["+X"]
    assert story.trade.closing_rule == "S-8"


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, "90334.81"), (Side.SELL, "91265.61")])
def test_mark_exactly_on_the_limit_is_not_beyond(side: Side, limit: str) -> None:
    """Five basis points are still the stop's own time."""
    story = opened(side).later(5000)
    assert roles(marked(story, (4000, limit), (2000, limit), (0, limit))) == []


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    "ago",
    [
        ((5000, "90300"),),
        ((1999, "90300"), (0, "90300")),
        ((3000, "90300"), (1500, "90400"), (0, "90300")),
        ((3000, "90300"), (2500, "90300"), (0, "90400")),
        ((3000, "90400"), (0, "90300")),
        ((5000, "90300"), (4900, "90300")),
    ],
    ids=["one reading", "too short", "an excursion", "over again", "just begun", "then silence"],
)
def test_less_than_that_is_nothing(ago: tuple[tuple[int, str], ...]) -> None:
    """A single reading, a shorter time, a way back in between, or two readings close together and then none."""
    story = opened().later(8000)
    assert roles(marked(story, *ago)) == []
    assert story.trade.closing is None


@pytest.mark.rule("S-8", "S-3")
def test_beyond_is_measured_from_the_stop_that_has_moved() -> None:
    """5 bps below breakeven 90 841.1 is 90 795.68."""
    story = at_breakeven().later(5000)
    assert roles(marked(story, (2000, "90795.6"), (0, "90795.6"))) == ["+X"]


@pytest.mark.rule("S-8")
def test_without_a_position_there_is_nothing_that_could_fail() -> None:
    """The armed stop waits for an entry: mark beyond it voids nothing by S-8."""
    story = opened().later(5000)
    story.trigger(Role.STOP, "90380")
    assert "+X" not in roles(marked(story, (2000, "90000"), (0, "90000")))


@pytest.mark.rule("S-8", "S-13")
def test_mark_beyond_is_the_guard_of_an_invisible_stop() -> None:
    """Invisible is no reason to close; mark beyond it with the position still there is."""
    story = opened().later(10_000).forgets("S1")
    assert roles(marked(story, (2000, "90300"), (0, "90300")))[-1] == "+X"
    assert story.trade.closing_rule == "S-8"


# a stop that triggered and left something (S-8 b)


@pytest.mark.rule("S-8", "S-9")
def test_a_triggered_stop_that_ended_incompletely() -> None:
    """It sold 0.005 of 0.013 and ended: the rest is closed at market at once, and soon told as S-8."""
    story = opened().later(1000)
    story.trigger(Role.STOP)
    story.fill(Role.STOP, "0.005", "90370")
    assert roles(story.tick()) == []
    story.later(100).end(Role.STOP, OrderStatus.FINISHED)
    closing = story.tick()
    assert [place.request.quantity for place in places(closing)] == [D("0.008")]
    assert story.trade.closing_rule == "S-9"
    assert "S-8" in rules(story.later(1000).tick())
    assert story.trade.closing_rule == "S-8"
    assert story.world.mode is not None and story.world.mode.mode is Mode.FLATTENING


@pytest.mark.rule("S-8")
def test_a_triggered_stop_that_was_rejected() -> None:
    """Nothing sold at all: closed at market; what a full exit had to sell shows that the stop failed."""
    story = opened().later(1000)
    story.trigger(Role.STOP)
    story.end(Role.STOP, OrderStatus.REJECTED)
    assert "+X" in roles(story.tick())
    story.later(100).fill(Role.FULL_EXIT, "0.013", "90300").tick()
    assert story.trade.closing_rule == "S-8"
    assert story.world.mode is not None and story.world.mode.mode is Mode.NO_ENTRIES


@pytest.mark.rule("S-8")
def test_the_rejected_twin_of_a_stop_that_closed_everything() -> None:
    """Both trigger, the working stop sells all, the backstop finds nothing: a normal stop-out."""
    story = opened().later(1000)
    story.trigger(Role.BACKSTOP)
    story.trigger(Role.STOP, "90375")
    story.end(Role.BACKSTOP, OrderStatus.REJECTED)
    story.world = replace(story.world, decision=None)
    words = story.run(3)
    assert "+X" not in words
    assert story.world.trade is None and story.world.mode is None


@pytest.mark.rule("S-8")
def test_a_rejected_twin_is_no_failure_while_the_other_stop_executes() -> None:
    """The rejection may be told before the executions of the stop that sells: no S-8, no mode."""
    story = opened().later(1000)
    story.trigger(Role.BACKSTOP)
    story.trigger(Role.STOP)
    story.end(Role.BACKSTOP, OrderStatus.REJECTED)
    early = story.tick()
    assert (roles(early), rules(early), story.trade.closing_rule) == ([], [], "S-9")
    story.fill(Role.STOP, "0.013", "90375")
    story.world = replace(story.world, decision=None)
    story.run(3)
    assert story.world.trade is None and story.world.mode is None


@pytest.mark.rule("S-9", "S-8")
def test_entry_lots_after_the_trigger_are_no_failure() -> None:
    """The stop sold what was held; a lot that still filled is closed at market as S-9, without a mode."""
    story = opened_partly("0.004")
    story.trigger(Role.STOP)
    story.later(10).fill(Role.ENTRY, "0.003", "90786.6")
    story.later(10).fill(Role.STOP, "0.004", "90375")
    story.end(Role.STOP, OrderStatus.FINISHED)
    closing = [place for _ in range(3) for place in places(story.later(1000).tick())]
    exits = [p.request.quantity for p in closing if p.request.role is Role.FULL_EXIT]
    assert exits[0] == D("0.003")
    assert story.trade.closing_rule == "S-9" and story.world.mode is None


def opened_partly(quantity: str) -> Storyboard:
    """A trade of which only a part has filled; its entry still rests."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, quantity, "90786.6")
    story.run(2)
    return story.later(1000)
