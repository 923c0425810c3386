"""The minimal protector: while the planner fails, what is held stays covered or is closed (O-4, S-7, S-8)."""

from dataclasses import replace

import pytest
from tests.worlds import NOW, POLICY, D, Storyboard, opened, roles, world

from jumar.model.command import PlaceOrder
from jumar.model.order import OrderState, OrderStatus, Role, Side
from jumar.model.trade import CloseReason
from jumar.planner import ladder, protector
from jumar.planner.protector import protect

both_sides = pytest.mark.parametrize("side", [Side.BUY, Side.SELL])


class Failing(Storyboard):
    """A storyboard whose planner fails: the protector plans every tick."""

    @classmethod
    def of(cls, story: Storyboard) -> "Failing":
        """Go on with a story."""
        return cls(
            world=story.world,
            policy=story.policy,
            next_id=story.next_id,
            journal=story.journal,
            refuse=story.refuse,
            silent=story.silent,
        )


@pytest.fixture(autouse=True)
def planned_by_the_protector(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a failing story asks the protector."""

    def planned(self: Storyboard) -> object:
        result = protect(self.world, self.policy)
        self._remember(result)
        for approved in result.commands:
            command = approved.command
            if isinstance(command, PlaceOrder):
                self._place(command)
            else:
                self.end(Role.ENTRY, OrderStatus.CANCELED)
        self._sync()
        return result

    monkeypatch.setattr(Failing, "tick", planned)


def failing(side: Side = Side.BUY) -> Failing:
    """A position with everything that belongs to it, a second later."""
    story = opened(side)
    return Failing.of(story.later(1000))


@pytest.mark.rule("O-4")
@both_sides
def test_a_covered_position_is_left_as_it_is(side: Side) -> None:
    """Nothing is sent, nothing is cancelled, however often it is asked."""
    story = failing(side)
    for _ in range(3):
        assert roles(story.later(600).tick()) == []
    assert story.trade.closing is None


@pytest.mark.rule("O-4", "S-7", "P-2")
@both_sides
def test_a_missing_stop_is_restored_at_the_ratchet_price(side: Side) -> None:
    """Reduce-only, for all that is held, at the tightest price ever confirmed."""
    story = failing(side)
    ratchet = story.trade.initial_stop + 100 * story.trade.sign
    story.world = replace(story.world, trade=replace(story.trade, ratchet_price=ratchet))
    result = story.bare().tick()
    (command,) = [a.command for a in result.commands if isinstance(a.command, PlaceOrder)]
    request = command.request
    assert (request.role, request.trigger_price, request.quantity) == (
        Role.STOP,
        ratchet,
        D("0.013"),
    )
    assert request.reduce_only and request.side is story.trade.side.opposite
    assert request.client_id.endswith("-S2")
    assert result.uncovered
    assert roles(story.later(600).tick()) == []


@pytest.mark.rule("O-4", "S-7")
def test_a_backstop_covers_only_until_the_stop_has_moved() -> None:
    """At the initial price it is cover; behind a moved stop it is further away than allowed."""
    story = failing()
    story.end(Role.STOP, OrderStatus.CANCELED)
    assert roles(story.tick()) == []
    moved = replace(story.trade, ratchet_price=story.trade.initial_stop + 100)
    story.world = replace(story.world, trade=moved)
    assert roles(story.tick()) == ["+S"]


@pytest.mark.rule("O-4", "S-7")
def test_a_stop_for_less_than_is_held_is_no_cover() -> None:
    """The largest size that fills, read and event tell counts."""
    story = failing()
    story.end(Role.BACKSTOP, OrderStatus.CANCELED)
    assert roles(story.tick()) == []
    story.later(100).reads("0.020")
    result = story.tick()
    assert roles(result) == ["+S"]
    (command,) = [a.command for a in result.commands if isinstance(a.command, PlaceOrder)]
    assert command.request.quantity == D("0.020")


@pytest.mark.rule("O-4", "S-7", "S-8")
@both_sides
def test_what_cannot_be_covered_in_time_is_closed(side: Side) -> None:
    """After the protect deadline, reduce-only at market, journaled as closing first; once per half second."""
    story = failing(side).bare(-1111)
    assert isinstance(story, Failing)
    story.tick()
    words = [word for _ in range(5) for word in roles(story.later(600).tick())]
    assert words[:4] == ["+S", "+S", "+S", "+S"] and words[4:] == ["+X"]
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.EMERGENCY, "S-7")
    assert roles(story.later(400).tick()) == []
    assert roles(story.later(100).tick()) == ["+X"]


@pytest.mark.rule("O-4", "S-6")
def test_a_stop_that_would_trigger_closes_at_once() -> None:
    """Nothing rests at the ratchet price and the venue refuses one there."""
    story = failing().bare(-2021)
    assert roles(story.tick()) == ["+S"]
    assert roles(story.later(100).tick()) == ["+X"]
    assert story.trade.closing_rule == "S-6"


@pytest.mark.rule("O-4", "S-8")
@both_sides
def test_a_stop_that_fails_is_closed_past(side: Side) -> None:
    """Mark beyond it by more than 5 bps for 2 s in two readings; not before."""
    story = failing(side)
    stop = story.trade.initial_stop
    beyond = stop * (1 - D("0.0006") * story.trade.sign)
    story.mark(str(beyond))
    assert roles(story.tick()) == []
    assert roles(story.later(1900).mark(str(beyond)).tick()) == []
    assert roles(story.later(100).mark(str(beyond)).tick()) == ["+X"]
    assert story.trade.closing_rule == "S-8"


@pytest.mark.rule("O-4", "S-8")
def test_a_mark_just_beyond_the_stop_is_no_failure() -> None:
    """Within 5 bps, however long."""
    story = failing()
    near = story.trade.initial_stop * D("0.9996")
    for _ in range(5):
        assert roles(story.later(1000).mark(str(near)).tick()) == []


@pytest.mark.rule("O-4", "C-2")
def test_a_trade_that_was_closing_goes_on_closing() -> None:
    """Whatever had begun it, with its rule; a covered position too."""
    story = failing()
    closing = replace(story.trade, closing=CloseReason.OPPOSITE, closing_rule="C-2")
    story.world = replace(story.world, trade=closing)
    assert roles(story.tick()) == ["+X"]
    assert story.trade == closing


@pytest.mark.rule("O-4", "M-6")
@both_sides
def test_a_flatten_is_obeyed_though_the_planner_fails(side: Side) -> None:
    """A covered position is closed at market, with the rule of the mode; another mode closes nothing."""
    story = failing(side)
    for code, words in (("paused", []), ("invariant", []), ("flatten", ["+X"])):
        story.world = replace(story.world, mode=ladder.state(code, "for 1 test", NOW))
        assert roles(story.tick()) == words
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.FLATTEN, "M-6")


@pytest.mark.rule("O-4", "S-1")
def test_no_entry_stays_and_none_is_placed() -> None:
    """The resting entry is cancelled once per half second; its armed stop stays."""
    story = Storyboard(world=world())
    story.run(2)
    resting = Failing.of(story)
    assert roles(protect(resting.world, POLICY)) == ["-E"]
    asked = replace(resting.journal[_name(resting, "E1")], cancel_sent_ms=resting.world.now_ms)
    others = [order for order in resting.world.orders if order.client_id != asked.client_id]
    again = replace(resting.world, orders=(*others, asked))
    assert protect(again, POLICY).commands == ()
    later = replace(again, now_ms=again.now_ms + 500)
    assert roles(protect(later, POLICY)) == ["-E"]


@pytest.mark.rule("O-4")
def test_at_most_three_stops_are_tried_at_once() -> None:
    """Unknown ones are presumed alive."""
    story = failing().bare()
    story.silent.add(Role.STOP)
    words = [word for _ in range(6) for word in roles(story.later(600).tick())]
    assert words[:4] == ["+S", "+S", "+S", "+X"]


@pytest.mark.rule("O-4", "P-9")
def test_without_a_trade_nothing_is_done() -> None:
    """What no trade of ours explains is the planner's to adopt."""
    assert protect(world(), POLICY).commands == ()
    held = Storyboard(world=world(decision=None)).reads("0.5")
    assert protect(held.world, POLICY).commands == ()


@pytest.mark.rule("O-4", "S-9")
def test_a_triggered_stop_is_left_to_its_work() -> None:
    """While it executes it covers."""
    story = failing()
    story.end(Role.BACKSTOP, OrderStatus.CANCELED)
    stop = replace(story.alive()["S1"], state=OrderState.TRIGGERED)
    story.journal[stop.client_id] = stop
    story._sync()
    assert roles(story.tick()) == []


@pytest.mark.rule("O-4", "W-3")
def test_quantities_are_rounded_up_to_the_step() -> None:
    """What is more than the position the venue cuts; without filters it is asked as it is."""
    story = failing().bare()
    for instrument, expected in ((story.world.instrument, "0.014"), (None, "0.0135")):
        story.later(10).reads("0.0135")
        seen = replace(story.world, instrument=instrument)
        (command,) = [a.command for a in protect(seen, POLICY).commands]
        assert isinstance(command, PlaceOrder) and command.request.quantity == D(expected)


def _name(story: Storyboard, slot: str) -> str:
    return story.alive()[slot].client_id


@pytest.mark.rule("O-4")
def test_it_leans_on_nothing_but_the_model_and_the_last_gate() -> None:
    """What breaks a step of the planner must not break it."""
    names = {
        module.__module__
        for module in vars(protector).values()
        if getattr(module, "__module__", "").startswith("jumar.planner")
    }
    assert names == {"jumar.planner.protector", "jumar.planner.approve"}
