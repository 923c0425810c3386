"""The demo as other programs call it: one JSON object, an exit code, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

KEYS = {
    "trades", "entries_armed", "entries_filled", "entries_refused", "exits", "unprotected_ms_max",
    "unprotected_excused_ms", "cover_gap_events", "stop_widened", "orders_sent", "orphan_orders",
    "unresolved_intents", "pnl_usdt", "checks", "promises", "restarts",
}  # fmt: skip
PROMISES = {"P-1", "P-2", "P-3", "P-4", "P-5", "P-6", "P-7", "P-8", "P-9", "P-10"}
ALWAYS = PROMISES - {"P-6"}
DEMO = [sys.executable, "-m", "jumar", "demo"]


def left_over(folder: Path) -> list[str]:
    """Processes that were started with this folder in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.rule("P-1", "P-2", "P-3", "P-4", "P-5", "P-7", "P-8", "P-9", "P-10", "O-3")
def test_a_short_demo_keeps_its_promises(tmp_path: Path) -> None:
    """Three processes on real sockets: decisions become protected positions and come home."""
    state = tmp_path / "state"
    arguments = ["--seconds", "20", "--seed", "1", "--json", "--state-dir", str(state)]
    result = subprocess.run(
        [*DEMO, *arguments], capture_output=True, text=True, timeout=58, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") == 1
    verdict = json.loads(result.stdout)
    assert set(verdict) == KEYS
    assert verdict["promises"].keys() == ALWAYS
    assert verdict["checks"].keys() == PROMISES
    assert verdict["restarts"] == 0
    assert all(verdict["promises"].values()), verdict
    assert verdict["entries_armed"] >= 1
    assert verdict["unprotected_ms_max"] == 0
    assert verdict["orphan_orders"] == 0
    assert verdict["unresolved_intents"] == 0
    assert (state / "jumar.db").exists()
    assert (state / "jumar.db.ticks.jsonl").exists()
    assert left_over(state) == []


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C ends the three processes and says so."""
    state = tmp_path / "state"
    process = started(state)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=25)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert left_over(state) == []


def started(state: Path, *arguments: str) -> subprocess.Popen[str]:
    """A demo whose three processes run."""
    process = subprocess.Popen(
        [*DEMO, "--seconds", "50", "--seed", "1", "--json", "--state-dir", str(state), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: len(left_over(state)) == 4, process)
    return process


def until(holds: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for a state."""
    deadline = time.perf_counter() + 30
    while not holds():
        assert process is None or process.poll() is None
        assert time.perf_counter() < deadline
        os.sched_yield()


def test_a_killed_demo_takes_its_processes_with_it(tmp_path: Path) -> None:
    """Nobody is left to end them: they notice, and end by themselves within seconds."""
    state = tmp_path / "state"
    with started(state) as process:
        process.kill()
        process.wait()
        until(lambda: left_over(state) == [])


def test_a_killed_engine_is_started_again(tmp_path: Path) -> None:
    """The kill is part of the run: the demo goes on, counts it, and every promise holds."""
    state = tmp_path / "state"
    arguments = ["--seconds", "22", "--seed", "3", "--restarts", "1", "--json"]
    result = subprocess.run(
        [*DEMO, *arguments, "--state-dir", str(state)],
        capture_output=True,
        text=True,
        timeout=58,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    verdict = json.loads(result.stdout)
    assert verdict["restarts"] == 1
    assert all(verdict["promises"].values()), verdict
    record = (state / "jumar.db.ticks.jsonl").read_bytes()
    assert record.count(b'"kind":"start"') == 2
    assert left_over(state) == []


def test_bad_input_of_a_process_is_bad_input_of_the_demo() -> None:
    """What only the exchange could know is one message of the whole command."""
    result = subprocess.run(
        [*DEMO, "--json", "--symbols", "NOSUCH"],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert "NOSUCH" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
