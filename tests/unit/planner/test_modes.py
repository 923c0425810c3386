"""Modes: an emergency close flattens and keeps entries away until a person looked; nothing else does (M-1, M-2)."""

from dataclasses import replace

import pytest
from tests.worlds import NOW, POLICY, D, Storyboard, codes, decision, opened, roles, world

from jumar.model.decision import Action
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderStatus, Role, Side
from jumar.model.policy import OnFlat
from jumar.planner.plan import plan


def kept(mode: Mode, since_ms: int = NOW - 60_000) -> ModeState:
    """A mode that is kept."""
    return ModeState(mode=mode, rule="S-7", cause="an emergency close", since_ms=since_ms)


def mode(story: Storyboard) -> Mode:
    """The mode that the story is in."""
    return Mode.NORMAL if story.world.mode is None else story.world.mode.mode


def emergency() -> Storyboard:
    """Both stops were lost and none could be restored within the deadline: the exit has been sent."""
    story = opened().later(1000).bare(-1111)
    story.tick()
    story.later(3000).tick()
    return story


@pytest.mark.rule("M-2", "M-1", "S-7")
def test_flattening_during_an_emergency_close_then_no_entries() -> None:
    """Set with the exit, with its rule; NO_ENTRIES as soon as all is proven flat."""
    story = emergency()
    assert mode(story) is Mode.FLATTENING
    assert story.world.mode is not None and story.world.mode.rule == "S-7"
    since_ms = story.world.mode.since_ms
    story.run(2)
    assert mode(story) is Mode.FLATTENING
    story.later(300).fill(Role.FULL_EXIT, "0.013", "90700")
    story.tick()
    assert mode(story) is Mode.NO_ENTRIES
    assert story.world.mode.since_ms == since_ms
    story.run(3)
    assert story.world.trade is None
    assert codes(story.tick()) == ["mode"]
    assert mode(story) is Mode.NO_ENTRIES


@pytest.mark.rule("M-2", "S-6")
def test_flattening_where_the_ratchet_price_would_trigger() -> None:
    """S-6 (c) is an emergency close too."""
    story = opened().later(1000).bare(-2021)
    story.run(2)
    assert mode(story) is Mode.FLATTENING


@pytest.mark.rule("M-1", "M-2", "S-7")
def test_a_lost_working_stop_before_a_backstop_at_its_price_changes_no_mode() -> None:
    """Nothing is bare: however long it cannot be restored, nothing is flattened."""
    story = opened().later(1000)
    story.end(Role.STOP, OrderStatus.CANCELED)
    story.refuse[Role.STOP] = -1111
    for _ in range(10):
        story.later(1000).tick()
    assert mode(story) is Mode.NORMAL and story.world.mode is None


@pytest.mark.rule("M-1")
def test_a_normal_stop_out_changes_no_mode() -> None:
    """The stop triggers and sells all: the next decision may enter."""
    story = opened().later(1000)
    story.trigger(Role.STOP, "90375")
    story.decide(decision(id="d2", timestamp_ms=story.world.now_ms))
    words = story.run(4)
    assert mode(story) is Mode.NORMAL
    assert "+E" in words


@pytest.mark.rule("M-1", "C-1")
def test_a_close_that_a_decision_asked_for_changes_no_mode() -> None:
    """Flat with on_flat = close is no emergency."""
    policy = replace(POLICY, on_flat=OnFlat.CLOSE)
    story = opened(policy=policy).later(1000)
    flat = decision(id="d2", action=Action.FLAT, levels=None, timestamp_ms=story.world.now_ms)
    assert roles(story.decide(flat).tick()) == ["+X"]
    story.fill(Role.FULL_EXIT, "0.013", "90800")
    story.run(3)
    assert mode(story) is Mode.NORMAL


@pytest.mark.rule("M-1", "G-12")
@pytest.mark.parametrize("held", [Mode.NO_ENTRIES, Mode.FLATTENING])
def test_a_kept_mode_refuses_entries_and_names_its_cause(held: Mode) -> None:
    """Code `mode`, with the rule, the cause and the way out."""
    result = plan(world(mode=kept(held)), POLICY)
    assert codes(result) == ["mode"]
    message = result.refusals[0].message
    assert "S-7" in message and "an emergency close" in message and "jumar resume" in message


@pytest.mark.rule("M-1")
def test_normal_again_enters_again() -> None:
    """What an operator ended holds nothing back."""
    assert codes(plan(world(mode=kept(Mode.NORMAL)), POLICY)) == []


@pytest.mark.rule("M-1", "M-2")
def test_flattening_without_a_trade_is_over() -> None:
    """After a restart between the end and the next look nothing is left to flatten."""
    result = plan(world(mode=kept(Mode.FLATTENING)), POLICY)
    assert result.mode is not None and result.mode.mode is Mode.NO_ENTRIES
    assert result.mode.cause == "an emergency close"


@pytest.mark.rule("M-1")
def test_a_resume_while_orders_are_still_swept_is_not_undone() -> None:
    """Flat, NO_ENTRIES, an operator resumes before the last order is proven ended: it stays NORMAL."""
    story = emergency()
    story.later(300).fill(Role.FULL_EXIT, "0.013", "90700")
    story.tick()
    assert story.world.trade is not None and mode(story) is Mode.NO_ENTRIES
    story.later(100)
    story.world = replace(story.world, mode=kept(Mode.NORMAL, story.world.now_ms))
    story.tick()
    assert mode(story) is Mode.NORMAL


@pytest.mark.rule("M-1", "M-2")
def test_the_next_emergency_after_a_resume_flattens_again() -> None:
    """What an operator ended for the last trade does not excuse the next one."""
    story = opened().later(1000)
    story.world = replace(story.world, mode=kept(Mode.NORMAL, story.world.now_ms))
    story.bare(-1111).tick()
    story.later(3000).tick()
    assert mode(story) is Mode.FLATTENING


@pytest.mark.rule("M-1", "M-3")
def test_no_entries_cancels_a_resting_entry_and_keeps_everything_else() -> None:
    """The remainder goes; stops and targets of the position stay."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    before = set(story.alive())
    story.world = replace(story.world, mode=kept(Mode.NO_ENTRIES))
    assert roles(story.tick()) == ["-E"]
    assert set(story.alive()) == before - {"E1"}


@pytest.mark.rule("M-3", "Y-3", "M-1")
@pytest.mark.parametrize("name", ["autoclose-1", "adl_autoclose", "settlement_autoclose-9"])
def test_what_the_exchange_forces_stops_entries_until_somebody_looked(name: str) -> None:
    """Part of the position was liquidated or deleveraged: told once, and not again after a resume."""
    story = opened().later(1000).by_hand(Side.SELL, "0.005")
    *rest, forced = story.world.fills
    story.world = replace(story.world, fills=(*rest, replace(forced, client_id=name)))
    story.tick()
    assert story.world.mode is not None and story.world.mode.code == "forced"
    assert name in story.world.mode.cause and "0.005" in story.world.mode.cause
    story.later(100)
    story.world = replace(story.world, mode=kept(Mode.NORMAL, story.world.now_ms))
    story.tick()
    assert mode(story) is Mode.NORMAL


@pytest.mark.rule("M-3", "Y-3")
def test_what_a_hand_sells_stops_no_entries() -> None:
    """A decrease by hand resizes targets and nothing else."""
    story = opened().later(1000).by_hand(Side.SELL, "0.005")
    story.tick()
    assert mode(story) is Mode.NORMAL


@pytest.mark.rule("P-9")
def test_the_mode_names_numbers_and_trade() -> None:
    """Its cause can be looked up."""
    story = emergency()
    assert story.world.mode is not None
    assert story.trade.key in story.world.mode.cause
    assert D(story.world.mode.since_ms) == story.world.now_ms
