"""The flight recorder: which ticks get a line, how files change, and what a full disk does."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from structlog.testing import capture_logs
from tests.worlds import POLICY, Storyboard, world

from jumar.model.command import Plan
from jumar.model.world import World
from jumar.planner.plan import plan
from jumar.ports.observer import TickReport
from jumar.reports import recorder as recording
from jumar.reports import ticks
from jumar.reports.recorder import TickRecorder


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a journal would be."""
    return tmp_path / "jumar.db"


def made(database: Path, **limits: int) -> TickRecorder:
    return TickRecorder(database, account="main", policies={"BTCUSDT": POLICY}, **limits)


def report(seen: World, planned: Plan | None = None, tick: int = 1) -> TickReport:
    return TickReport(
        tick=tick,
        world=seen,
        plan=Plan() if planned is None else planned,
        executed=(),
        duration_ms=3,
        overrun=False,
    )


def kinds(database: Path) -> list[str]:
    """The lines of the record, a tick by its number."""
    lines = ticks.read(ticks.record_files(database))
    return [str(line.tick) if isinstance(line, ticks.TickLine) else "start" for line in lines]


@pytest.mark.rule("H-4")
def test_a_tick_with_commands_is_always_written(database: Path) -> None:
    """Every order must be found again with the world that led to it."""
    recorder = made(database)
    board = Storyboard(world=world())
    for number in range(8):
        at = board.world
        recorder.tick(report(at, board.tick(), number))
    lines = [x for x in ticks.read(ticks.record_files(database)) if isinstance(x, ticks.TickLine)]
    placed = [
        order["request"]["role"] for x in lines for order in ticks.placements(x.plan.commands)
    ]
    assert placed == ["S", "E"]
    assert [ticks.decode_world(line.world).trade is None for line in lines[:2]] == [True, False]


def test_a_quiet_tick_is_left_out_until_ten_seconds_went_by(database: Path) -> None:
    """After the first five nothing new is no line; a gap is never longer than 10 s."""
    recorder = made(database)
    quiet = world()
    for number in range(1, 9):
        recorder.tick(report(quiet, tick=number))
    recorder.tick(report(replace(quiet, now_ms=quiet.now_ms + 10_000), tick=9))
    assert kinds(database) == ["start", "1", "2", "3", "4", "5", "9"]


def test_a_change_is_written(database: Path) -> None:
    """Refusals that begin or end, notes, a mode: what a person will ask for."""
    recorder = made(database)
    refused = plan(world(decision=None), POLICY)
    for number in range(1, 8):
        recorder.tick(report(world(), refused, number))
    changed = plan(world(setup_error="no"), POLICY)
    assert changed.refusals
    for number in range(8, 11):
        recorder.tick(report(world(), changed, number))
    recorder.tick(report(world(), refused, 11))
    assert kinds(database)[6:] == ["8", "11"]


@pytest.mark.rule("H-4")
def test_five_ticks_are_written_from_where_the_position_became_readable(database: Path) -> None:
    """P-6 is judged on them."""
    recorder = made(database)
    for number in range(1, 8):
        recorder.tick(report(world(position=None), tick=number))
    for number in range(8, 15):
        recorder.tick(report(world(), tick=number))
    assert kinds(database) == ["start", *"12345", "8", "9", "10", "11", "12"]


@pytest.mark.rule("H-4")
def test_the_record_is_rotated_and_each_file_says_with_which_limits(database: Path) -> None:
    """The oldest file goes; every file begins with a start line of its own."""
    recorder = made(database, file_bytes_max=5000, files_max=3)
    for number in range(1, 30):
        recorder.tick(report(replace(world(), now_ms=number * 10_000), tick=number))
    files = ticks.record_files(database)
    assert len(files) == 3
    starts = []
    for file in files:
        first, *rest = ticks.read([file])
        assert isinstance(first, ticks.StartLine)
        assert {type(line) for line in rest} == {ticks.TickLine}
        assert first.policies == {"BTCUSDT": POLICY}
        starts.append(first)
    assert all(start.continued for start in starts)
    numbers = [start.file for start in starts]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert kinds(database)[-1] == "29"


@pytest.mark.rule("H-4")
def test_a_second_start_goes_on_in_the_same_file(database: Path) -> None:
    """A restart is a start line of its own, behind what a kill may have torn."""
    made(database).tick(report(world()))
    with ticks.record_file(database).open("ab") as file:
        file.write(b'{"kind": "tick", "sym')
    made(database).tick(report(world()))
    assert kinds(database) == ["start", "1", "start", "1"]


def test_nothing_is_touched_before_the_first_tick(database: Path) -> None:
    """An engine that is refused its database leaves no trace in the record."""
    made(database)
    assert ticks.record_files(database) == ()


def test_a_full_disk_is_said_once_and_asked_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine goes on trading; the record goes on when it can, whole lines only."""
    recorder, real, full = made(database), recording._whole, True

    def whole(file: BinaryIO, data: bytes) -> None:
        if full:
            file.write(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, data)

    monkeypatch.setattr(recording, "_whole", whole)
    with capture_logs() as said:
        for number in range(1, 4):
            recorder.tick(report(world(), tick=number))
        full = False
        for number in range(4, 6):
            recorder.tick(report(world(), tick=number))
    levels: list[Any] = [line["log_level"] for line in said]
    assert levels == ["warning", "info"]
    assert "No space left" in said[0]["error"]
    assert kinds(database) == ["start", "4", "5"]


def test_no_secret_is_in_a_line(database: Path) -> None:
    """A world knows no key."""
    made(database).tick(report(world()))
    text = ticks.record_file(database).read_text(encoding="utf-8").lower()
    assert "secret" not in text and "api_key" not in text
