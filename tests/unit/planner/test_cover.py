"""Two layers of stops: while none has moved either one covers the position; afterwards only the tighter one does."""

from dataclasses import replace

import pytest
from tests.worlds import POLICY, D, Storyboard, opened, places, roles, world

from jumar.model.command import Plan
from jumar.model.mode import Mode
from jumar.model.order import OrderState, OrderStatus, Role, Side
from jumar.model.trade import CloseReason
from jumar.planner.facts import assess
from jumar.planner.failure import is_uncovered

LOST = OrderStatus.CANCELED


def critical(result: Plan) -> list[str]:
    """The rules of a plan's emergencies; that others took a stop away is told beside them (P-2)."""
    return [alarm.rule for alarm in result.alarms if alarm.severity == "critical"]


def one_layer(side: Side = Side.BUY, code: int | None = None) -> Storyboard:
    """The working stop was taken away before it moved; new ones are refused with a code, if any."""
    story = opened(side).later(1000).end(Role.STOP, LOST)
    story.refuse |= {} if code is None else {Role.STOP: code}
    return story


def after_tp1(code: int) -> Storyboard:
    """The stop had moved to breakeven and was taken away; the backstop rests at the initial stop."""
    story = opened().later(1000).mark("91600").trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600").run(3)
    story.later(1000).end(Role.STOP, LOST)
    story.refuse[Role.STOP] = code
    assert set(story.alive()) == {"B1", "Q1"}
    return story


def assert_calm(story: Storyboard, result: Plan) -> None:
    """Nothing is bare: no alarm, no count, no mode, no close, and both targets rest."""
    assert (critical(result), result.uncovered) == ([], False)
    assert not is_uncovered(story.world, story.trade, assess(story.world, story.trade, POLICY))
    assert (story.world.mode, story.trade.closing) == (None, None)
    assert {"B1", "P1", "Q1"} <= set(story.alive())


@pytest.mark.rule("P-2")
def test_a_stop_that_others_took_is_told_and_one_that_went_by_rule_is_not() -> None:
    """A person's cancel is news even where the other layer covers; a stop of ours that we moved is none."""
    told = [alarm for alarm in one_layer().tick().alarms if alarm.rule == "P-2"]
    assert [(alarm.severity, alarm.subject[-2:]) for alarm in told] == [("warning", "S1")]
    moved = opened().later(1000).mark("91600").trigger(Role.TP1)
    moved.fill(Role.TP1, "0.006", "91600").run(3)
    assert "S2" in moved.alive()
    assert [alarm for alarm in moved.tick().alarms if alarm.rule == "P-2"] == []


# before the first move


@pytest.mark.rule("S-7", "P-2")
@pytest.mark.parametrize("side", list(Side))
def test_a_lost_working_stop_is_put_back_at_once_though_the_backstop_covers(side: Side) -> None:
    """In the plan that misses it, at its price and for the whole position, without an alarm."""
    story = one_layer(side)
    found = story.tick()
    (stop,) = (place.request for place in places(found))
    price = D(90380) if side is Side.BUY else D(91220)
    assert (stop.role, stop.trigger_price, stop.quantity) == (Role.STOP, price, D("0.013"))
    assert "no working stop" in places(found)[0].cause.text
    assert_calm(story, found)
    assert story.run(2) == []


@pytest.mark.rule("S-7", "S-6", "S-8", "M-2")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("code", [-1111, -2021, -4045, -1015, -4118])
def test_behind_a_backstop_at_its_price_a_refused_stop_is_no_emergency(
    side: Side, code: int
) -> None:
    """However it is refused, and as long as X-8 lets it: once a second again, targets stay, nothing is closed."""
    story = one_layer(side, code)
    first = story.tick()
    assert (roles(first), story.tick().wake_in_ms) == (["+S"], 1000)
    words = []
    for _ in range(68):
        result = story.later(250).tick()
        assert_calm(story, result)
        words += roles(result)
    assert words == ["+S"] * 17
    story.refuse.clear()
    assert story.later(1000).run(2) == ["+S"]


@pytest.mark.rule("S-7", "P-1")
def test_the_emergency_begins_when_the_backstop_goes_too() -> None:
    """The deadline counts from there: alarm and 250 ms at once, the close three seconds later, not before."""
    story = one_layer(code=-1111)
    for _ in range(5):
        assert_calm(story, story.later(1000).tick())
    story.bare(-1111)
    bare = story.later(250).tick()
    assert (critical(bare), bare.uncovered) == (["S-7"], True)
    assert story.tick().wake_in_ms == 250
    words = [roles(story.later(250).tick()) for _ in range(11)]
    assert words == [["+S"]] * 11
    assert roles(story.later(249).tick()) == []
    assert roles(story.later(1).tick()) == ["+X"]
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.EMERGENCY, "S-7")
    assert story.world.mode is not None and story.world.mode.mode is Mode.FLATTENING


@pytest.mark.rule("S-6", "S-7")
def test_a_refusal_as_triggering_closes_once_the_backstop_has_gone() -> None:
    """Restoring was refused with -2021 while the backstop covered; without it nothing rests there: closed at once."""
    story = one_layer(code=-2021)
    story.tick()
    assert story.later(500).run(1) == []
    story.end(Role.BACKSTOP, LOST)
    assert story.run(1) == ["+X"]
    assert story.trade.closing_rule == "S-6"


@pytest.mark.rule("S-7", "S-13")
def test_an_invisible_backstop_is_presumed_to_cover() -> None:
    """Lists forgot it: presumed alive like any stop, so that a lost working stop is still no emergency."""
    story = opened().later(10_000).end(Role.STOP, LOST)
    story.refuse[Role.STOP] = -1111
    for _ in range(10):
        result = story.forgets("B1").later(1000).tick()
        assert not result.uncovered
        assert set(critical(result)) == {"S-13"}
    assert story.trade.closing is None


@pytest.mark.rule("S-7", "S-2")
@pytest.mark.parametrize(
    "changes",
    [
        {"state": OrderState.UNKNOWN, "acked_ms": None},
        {"state": OrderState.IN_FLIGHT, "acked_ms": None},
        {"echo_error": "triggerPrice 90300, asked 90380"},
    ],
    ids=["no answer", "in flight", "wrong echo"],
)
def test_a_backstop_that_is_not_confirmed_covers_nothing(changes: dict[str, object]) -> None:
    """Nobody knows that it rests where it should: the lost working stop is an emergency."""
    story = one_layer(code=-1111)
    doubted = replace(story.alive()["B1"], **changes)  # type: ignore[arg-type]  # a test states only what differs
    story.world = replace(
        story.world,
        orders=tuple(
            doubted if o.client_id == doubted.client_id else o for o in story.world.orders
        ),
    )
    story.journal[doubted.client_id] = doubted
    result = story.tick()
    assert result.uncovered
    assert "S-7" in {alarm.rule for alarm in result.alarms}


@pytest.mark.rule("S-7", "S-8")
def test_a_restored_stop_without_an_answer_is_no_emergency_either() -> None:
    """Three are presumed alive at most; the deadline passes and nothing is closed."""
    story = one_layer()
    story.silent.add(Role.STOP)
    words = story.run(5)
    for _ in range(5):
        result = story.later(1000).tick()
        assert_calm(story, result)
        words += roles(result)
    assert 1 <= words.count("+S") <= 3
    assert set(words) == {"+S"}


@pytest.mark.rule("S-7", "S-1", "E-7")
def test_a_resting_entry_goes_all_the_same() -> None:
    """The backstop covers what has filled, not what S-1 asks for: the entry is cancelled until the stop is back."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    story.later(1000).end(Role.STOP, LOST)
    story.refuse[Role.STOP] = -1111
    lost = story.tick()
    assert roles(lost) == ["-E", "+S"]
    assert (critical(lost), lost.uncovered) == ([], False)
    assert "+E" not in [word for _ in range(8) for word in roles(story.later(500).tick())]


# after the move


@pytest.mark.rule("S-7", "S-8", "P-2", "M-2")
def test_after_the_move_a_backstop_further_away_covers_nothing() -> None:
    """Alarm at once, 250 ms between tries, closed at market after three seconds: it lies at the initial stop."""
    story = after_tp1(-1111)
    words = []
    for _ in range(12):
        result = story.tick()
        assert (critical(result), result.uncovered) == (["S-7"], True)
        words += roles(result)
        story.later(250)
    assert words == ["+S"] * 12
    closing = story.tick()
    assert roles(closing) == ["+X"]
    assert places(closing)[0].request.quantity == D("0.007")
    assert story.trade.closing_rule == "S-7"
    assert story.world.mode is not None and story.world.mode.mode is Mode.FLATTENING


@pytest.mark.rule("S-7")
@pytest.mark.parametrize("code", [-4045, -1015])
def test_after_the_move_targets_give_way_to_a_stop_without_room(code: int) -> None:
    """The backstop further away saves no target: they go, and the stop is tried again."""
    story = after_tp1(code)
    assert story.run(2) == ["+S", "-Q"]
