"""What a person sees while a demo runs in virtual time."""

import pytest
from rich.console import Console

from jumar.ops.demo.progress import Progress
from jumar.ports.clock import SystemClock

BEGIN_MS = 1_746_360_000_000  # 2025-05-04T12:00:00Z


class Wall(SystemClock):
    """A machine's clock that a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


def progress(wall: Wall, *, live: bool = False) -> Progress:
    return Progress(wall, seconds=7200, begin_ms=BEGIN_MS, live=live, name="may  ")


def test_a_line_says_how_far_it_is() -> None:
    """Percent of the path, virtual date, trades, and the pace since the beginning."""
    wall = Wall()
    shown = progress(wall)
    wall.now_s += 3
    assert shown.line(3600, 4) == " 50%  2025-05-04 13:00  4 trades  1,200 times real time"
    assert shown.line(7210, 4).startswith("100%")


def test_plain_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is asked, a file or a pipe gets few lines, on stderr, with the run's name."""
    wall = Wall()
    with progress(wall, live=True) as shown:
        for _ in range(100):
            wall.now_s += 0.1
            shown.show(60, 1)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].startswith("may    1%  2025-05-04 12:01  1 trades")


def test_a_terminal_has_one_line_that_changes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is drawn again a few times a second and gone at the end."""
    monkeypatch.setattr(Console, "is_terminal", True)
    wall = Wall()
    with progress(wall, live=True) as shown:
        for _ in range(20):
            wall.now_s += 0.1
            shown.show(60 * wall.now_s, 1)
    drawn = capsys.readouterr().err
    assert 5 <= drawn.count("times real time") <= 8
    assert "\x1b[2K" in drawn  # a line is taken back
