"""The ladder: one table of causes, what each mode lets through, and the page that is made of it (M-1)."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.worlds import NOW, D, Storyboard, opened, roles, world

from jumar.model.command import CancelOrder, Cause, SetCountdown, SetLeverage
from jumar.model.ids import client_id
from jumar.model.mode import Mode, ModeState
from jumar.model.order import Channel, OrderStatus, Role
from jumar.model.trade import CloseReason, Trade
from jumar.planner import ladder
from jumar.planner.ladder import Back, may_place, permitted

PAGE = Path(__file__).resolve().parents[3] / "docs" / "concepts" / "modes.md"
PROTECTIVE = {Role.STOP, Role.BACKSTOP, Role.FULL_EXIT}


def in_mode(mode: Mode, code: str = "paused") -> ModeState:
    """A mode that is kept."""
    return ModeState(mode=mode, rule="M-6", cause="for 1 test", since_ms=NOW, code=code)


def trade() -> Trade:
    """An open trade."""
    return opened().trade


def cancel(role: Role, rule: str = "T-2") -> CancelOrder:
    """The cancel of one order of a trade."""
    name = client_id(key="abcdefghij", role=role, attempt=1)
    cause = Cause(rule=rule, text="for 1 test")
    return CancelOrder(symbol="BTCUSDT", channel=Channel.CONDITIONAL, client_id=name, cause=cause)


@pytest.mark.rule("M-1")
def test_every_mode_but_normal_has_causes_of_its_own_name() -> None:
    """Names are unique; nothing leads to NORMAL; each row leads away from exactly the milder modes."""
    codes = [row.code for row in ladder.RUNGS]
    assert len(codes) == len(set(codes))
    assert {row.mode for row in ladder.RUNGS} == set(Mode) - {Mode.NORMAL}
    for row in ladder.RUNGS:
        assert row.from_modes == tuple(list(Mode)[: list(Mode).index(row.mode)])
        assert ladder.rung(row.code) is row


@pytest.mark.rule("M-1", "M-2", "M-4")
def test_flattening_ends_by_itself_and_protect_only_never_does() -> None:
    """As M-1's table says: FLATTENING once flat, PROTECT_ONLY by an operator."""
    assert {row.back for row in ladder.RUNGS if row.mode is Mode.FLATTENING} == {Back.FLAT}
    assert {row.back for row in ladder.RUNGS if row.mode is Mode.PROTECT_ONLY} == {Back.OPERATOR}


@pytest.mark.rule("M-1")
def test_the_page_is_made_of_the_table() -> None:
    """Diagram and table in docs/concepts/modes.md are what `diagram()` and `table()` return."""
    page = PAGE.read_text(encoding="utf-8")
    assert f"```mermaid\n{ladder.diagram()}\n```" in page, "paste what ladder.diagram() returns"
    assert ladder.table() in page, "paste what ladder.table() returns"
    assert ladder.table().startswith("| cause | what happened | rule | leads to |")


@pytest.mark.rule("M-1")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("mode", list(Mode))
def test_what_a_mode_lets_through(mode: Mode, role: Role) -> None:
    """NORMAL all, NO_ENTRIES all but entries, the others only what protects."""
    allowed = {
        Mode.NORMAL: set(Role),
        Mode.NO_ENTRIES: set(Role) - {Role.ENTRY},
        Mode.PROTECT_ONLY: PROTECTIVE,
        Mode.FLATTENING: PROTECTIVE,
    }
    assert may_place(mode, role) is (role in allowed[mode])


@pytest.mark.rule("M-1")
def test_protect_only_leaves_resting_targets_alone() -> None:
    """A target is not resized; entries, zone exits and superseded stops are cancelled."""
    commands = [
        cancel(role) for role in (Role.TP1, Role.TP2, Role.ENTRY, Role.ZONE_EXIT, Role.STOP)
    ]
    assert permitted(Mode.PROTECT_ONLY, commands, trade()) == tuple(commands[2:])
    for mode in (Mode.NORMAL, Mode.NO_ENTRIES, Mode.FLATTENING):
        assert permitted(mode, commands, trade()) == tuple(commands)


@pytest.mark.rule("M-1", "S-7", "S-8", "X-9")
def test_protect_only_takes_targets_that_are_in_the_way() -> None:
    """For want of room, for an exit that they keep out, and when their trade is over."""
    in_the_way = (cancel(Role.TP1, "S-7"), cancel(Role.TP2, "S-8"))
    assert permitted(Mode.PROTECT_ONLY, in_the_way, trade()) == in_the_way
    swept = (cancel(Role.TP1, "X-9"),)
    assert permitted(Mode.PROTECT_ONLY, swept, trade()) == ()
    for over in (
        None,
        replace(trade(), closing=CloseReason.STOP),
        replace(trade(), proven_flat_ms=NOW),
    ):
        assert permitted(Mode.PROTECT_ONLY, swept, over) == swept


@pytest.mark.rule("M-1", "E-4")
@pytest.mark.parametrize("mode", list(Mode))
def test_set_up_leaves_only_in_normal(mode: Mode) -> None:
    """Leverage is set for an entry, so it goes only where one may."""
    cause = Cause(rule="E-4", text="leverage 3 -> 2")
    command = SetLeverage(symbol="BTCUSDT", leverage=2, cause=cause)
    assert permitted(mode, [command], None) == ((command,) if mode is Mode.NORMAL else ())


@pytest.mark.rule("M-1", "E-7")
@pytest.mark.parametrize("mode", list(Mode))
def test_the_dead_mans_switch_is_set_and_unset_in_every_mode(mode: Mode) -> None:
    """It only takes entries back; one that stays set would take exits that rest."""
    cause = Cause(rule="E-7", text="the entry has ended: 0 s")
    command = SetCountdown(symbol="BTCUSDT", countdown_ms=0, cause=cause)
    assert permitted(mode, [command], None) == (command,)


@pytest.mark.rule("M-1")
@pytest.mark.parametrize("held", list(Mode))
@pytest.mark.parametrize("found", [Mode.NO_ENTRIES, Mode.PROTECT_ONLY, Mode.FLATTENING])
def test_the_stricter_of_two_stays(held: Mode, found: Mode) -> None:
    """A cause never makes a mode milder, and one of the same strictness changes nothing."""
    state, new = in_mode(held), in_mode(found, "flatten")
    modes = list(Mode)
    expected = new if modes.index(found) > modes.index(held) else None
    assert ladder.stricter(state, new) is expected
    assert ladder.stricter(None, new) is new
    assert ladder.strictest([state, new]) is max(held, found, key=modes.index)


@pytest.mark.rule("M-1")
def test_without_any_cause_it_is_normal() -> None:
    """Nothing is held back."""
    assert ladder.strictest([]) is Mode.NORMAL


@pytest.mark.rule("M-1", "M-4", "S-7")
@pytest.mark.parametrize("whose", ["mode", "account_mode"])
def test_protect_only_in_a_plan_restores_the_stop_and_adds_no_target(whose: str) -> None:
    """A position whose stop and targets were taken away: the stop comes back, targets do not."""
    story = opened().later(1000)
    kept = in_mode(Mode.PROTECT_ONLY, "invariant")
    story.world = replace(story.world, **{whose: kept})  # type: ignore[arg-type]  # either field
    before = set(story.alive())
    story.end(Role.TP1, OrderStatus.CANCELED)
    story.bare()
    placed = [word for word in story.run(4) if word.startswith("+")]
    assert "+S" in placed
    assert not {"+P", "+Q", "+E"} & set(placed)
    assert "P1" in before and "P2" not in story.alive()


@pytest.mark.rule("M-1", "M-4", "T-3")
def test_protect_only_still_moves_the_stop_and_drops_the_old_one() -> None:
    """Trailing protects: the better stop is placed, and the one it replaced is cancelled."""
    story = opened().later(1000)
    story.world = replace(story.world, mode=in_mode(Mode.PROTECT_ONLY, "invariant"))
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600").mark("91600")
    words = story.run(4)
    assert "+S" in words and "-S" in words
    assert [name for name in story.alive() if name.startswith("S")] == ["S2"]


@pytest.mark.rule("M-1", "M-4")
def test_protect_only_cancels_a_resting_entry_and_arms_nothing() -> None:
    """The entry goes; the stop of what has filled stays."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    story.world = replace(story.world, mode=in_mode(Mode.PROTECT_ONLY, "invariant"))
    assert "-E" in roles(story.tick())
    assert "S1" in story.alive() and "E1" not in story.alive()
    assert story.trade.closing is None and story.world.fills[0].quantity == D("0.004")
