"""The tick record's form: what was written is what is read, and plans again to the same bytes."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from tests.properties import planner_swarm, swarm_shell
from tests.properties.swarm_oracles import PromiseBroken
from tests.unit.planner.test_chase import AFTER_MS, resting, touch_away
from tests.worlds import AMEND, NOW, POLICY, Storyboard, opened, world

from jumar.model.account import MarginMode
from jumar.model.command import Approved, Cause, Command, Plan, SetLeverage, SetMarginMode
from jumar.model.mode import Mode, ModeState
from jumar.model.order import Role, Side
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner.plan import plan
from jumar.reports import ticks


def recorded(seen: World, policy: Policy) -> ticks.TickLine:
    """A tick as it is read back from its line."""
    line = ticks.encode_tick(tick=1, duration_ms=3, world=seen, plan=plan(seen, policy))
    assert b"\n" not in line
    return msgspec.json.decode(line, type=ticks.TickLine)


def assert_replayed(seen: World, policy: Policy) -> bytes:
    """The world reads back equal and plans to the recorded bytes; returns the commands'."""
    line = recorded(seen, policy)
    again = ticks.decode_world(line.world)
    assert again == seen
    commands = ticks.encode_commands(plan(again, policy))
    assert commands == bytes(line.plan.commands)
    assert ticks.encode_plan(plan(again, policy)) == ticks.encode_plan(plan(seen, policy))
    return commands


@pytest.mark.rule("H-4", "P-9")
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_every_tick_of_a_story_plans_again_to_the_same_bytes(side: Side) -> None:
    """From arming over fills and targets to the sweep, both sides."""
    board = opened(side)
    first = Storyboard(world=world())
    sent = set()
    for step in (first, board):
        for _ in range(3):
            sent.add(assert_replayed(step.world, POLICY)[:10])
            step.tick()
    board.fill(Role.TP1, "0.006", "91600" if side is Side.BUY else "90000")
    sent.add(assert_replayed(board.world, POLICY)[:10])
    board.tick()
    board.trigger(Role.STOP, "90380" if side is Side.BUY else "91220")
    board.later(3000)
    assert_replayed(board.world, POLICY)
    assert b'[{"place":' in sent


@pytest.mark.rule("H-4", "P-9")
@pytest.mark.parametrize("seed", range(40))
def test_worlds_under_faults_plan_again_to_the_same_bytes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost answers, unknown outcomes, partial fills, restarts: any world the planner saw reads back whole."""
    seen = 0

    def watched(at: World, policy: Policy) -> Plan:
        nonlocal seen
        seen += 1
        if seen % 7 == 0:
            assert_replayed(at, policy)
        return plan(at, policy)

    monkeypatch.setattr(swarm_shell, "plan", watched)
    with suppress(PromiseBroken):  # what the planner made of it is the swarm's own test
        planner_swarm.run(seed)
    assert seen > 7


@pytest.mark.rule("H-4", "P-9", "E-5")
def test_a_chase_reads_back_and_plans_again() -> None:
    """The amendment among the commands, and the world in which its outcome is not known."""
    board = touch_away(resting().later(AFTER_MS), "20")
    (found,) = ticks.amendments(ticks.encode_commands(board.tick_only()))
    assert (found["request"]["price"], found["request"]["quantity"]) == ("90780", "0.013")
    board.silent.add(AMEND)
    board.tick()
    assert board.alive()["E1"].amending is not None
    assert_replayed(board.world, POLICY)


def test_every_kind_of_command_carries_its_kind() -> None:
    """Settings have fields alike: the kind tells them apart."""
    cause = Cause(rule="E-4", text="leverage 1 -> 3")
    commands = (
        SetLeverage(symbol="BTCUSDT", leverage=3, cause=cause),
        SetMarginMode(symbol="BTCUSDT", mode=MarginMode.ISOLATED, cause=cause),
    )
    approved = tuple(
        Approved(command=command)  # a plan that never meets a venue
        for command in commands
    )
    raw = ticks.encode_commands(Plan(commands=approved))
    assert [list(each) for each in json.loads(raw)] == [["set_leverage"], ["set_margin_mode"]]
    assert list(ticks.placements(raw)) == []


def test_parts_that_stories_leave_empty_are_kept_too() -> None:
    """A kept mode, the marks of S-8, the end of the last trade."""
    state = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="closed", since_ms=NOW)
    mark = world().mark
    assert mark is not None
    full = world(mode=state, marks=(mark, mark), last_end_ms=7)
    assert ticks.decode_world(ticks.encode_world(full)) == full


def test_a_start_line_brings_the_limits_back() -> None:
    """A file can be planned again by itself."""
    policy = replace(POLICY, max_truth_age_s=2)
    raw = ticks.encode_start(
        version="1", account="main", policies={"A": policy}, at_ms=5, file=3, continued=True
    )
    line = msgspec.json.decode(raw, type=ticks.StartLine)
    assert (line.policies, line.continued, line.file) == ({"A": policy}, True, 3)


def test_a_torn_line_is_left_out_and_a_strange_one_is_named(tmp_path: Path) -> None:
    """A lost machine tears a line; another version writes another form."""
    start = ticks.encode_start(
        version="1", account="main", policies={}, at_ms=5, file=1, continued=False
    )
    file = tmp_path / "jumar.db.ticks.jsonl"
    file.write_bytes(start[:20] + b"\n\n" + start + b"\n")
    assert [type(line) for line in ticks.read([file])] == [ticks.StartLine]
    file.write_bytes(start + b'\n{"kind": "tick", "symbol": 5}\n')
    with pytest.raises(ticks.TickRecordError, match=r"ticks\.jsonl, line 2"):
        list(ticks.read([file]))
    with pytest.raises(ticks.TickRecordError, match="nowhere"):
        list(ticks.read([tmp_path / "nowhere"]))
    with pytest.raises(ticks.TickRecordError, match="world"):
        ticks.decode_world(b"{}")


def test_no_kind_of_command_is_forgotten() -> None:
    """A new command must be able to be recorded."""
    assert set(ticks._KINDS) == set(get_args(Command.__value__))
