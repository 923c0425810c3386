"""The demo as other programs call it: one JSON object, an exit code, nothing left behind."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random  # noqa: TID251 - the writer's dice, with the run's seed
from typing import Any

import pytest

from jumar.ops.demo.strategy import Quote, SymbolView

KEYS = {
    "trades", "entries_armed", "entries_filled", "entries_refused", "exits", "unprotected_ms_max",
    "unprotected_excused_ms", "cover_gap_events", "stop_widened", "orders_sent", "orphan_orders",
    "unresolved_intents", "pnl_usdt", "checks", "promises", "restarts",
}  # fmt: skip
PROMISES = {"P-1", "P-2", "P-3", "P-4", "P-5", "P-6", "P-7", "P-8", "P-9", "P-10"}
ALWAYS = PROMISES - {"P-6"}
PATIENCE_S = 50.0
PAUSE_S = 0.05
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


def judged(state: Path, *arguments: str) -> dict[str, Any]:
    """The one JSON object of a demo that ran to its end with every checked promise kept; nothing is left of it."""
    result = subprocess.run(
        [*DEMO, "--json", "--state-dir", str(state), *arguments],
        capture_output=True,
        text=True,
        timeout=58,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("\n") == 1
    verdict: dict[str, Any] = json.loads(result.stdout)
    assert set(verdict) == KEYS
    assert verdict["checks"].keys() == PROMISES
    checked = {name for name, count in verdict["checks"].items() if count}
    assert verdict["promises"] == dict.fromkeys(checked, True), verdict
    assert verdict["unprotected_ms_max"] == 0
    assert verdict["orphan_orders"] == 0
    assert verdict["unresolved_intents"] == 0
    assert (state / "jumar.db").exists()
    assert left_over(state) == []
    return verdict


@pytest.mark.rule("P-4", "P-5", "P-9", "O-3")
def test_a_short_demo_keeps_what_it_checked(tmp_path: Path) -> None:
    """Three processes on real sockets, whatever was decided and filled; nobody was killed, so P-6 is not judged."""
    verdict = judged(tmp_path / "state", "--seconds", "10", "--seed", "1")
    assert verdict["restarts"] == 0
    assert "P-6" not in verdict["promises"]


# a market on which a position is certain

#: With this seed the writer's first four decisions are sound ones.
SOUND_SEED = 17
SPEED = 60
#: Moments of a swing, each a tenth of a second when played: half of them lead to its price, the others stay there.
SWING = 20
SWINGS = 60


def swinging(folder: Path) -> Path:
    """A recorded market in which every swing goes 0.04 % beyond the last one on its side.

    A zone begins at the price of its decision and is 0.03 % deep. So whichever side is decided, and whenever: within
    two swings the price stands before the zone, where the entry can be placed, and within two more it has passed
    through all of it. Nothing of that depends on how fast the machine is, as long as it ticks within a swing.
    """
    ends = [90_000 * (1 + (-1) ** n * (0.0006 + 0.0002 * n)) for n in range(SWINGS)]
    rows = ["agg_id,ts_us,price,qty,n_trades,buyer_is_maker"]
    for moment in range(SWING * (SWINGS - 1)):
        swing, place = divmod(moment, SWING)
        share = min(place * 2 / SWING, 1)
        price = ends[swing] + (ends[swing + 1] - ends[swing]) * share
        at_us = 1_764_929_040_000_000 + moment * SPEED * 100_000
        rows.append(f"{moment},{at_us},{price:.1f},2.000,1,{moment % 2}")
    market = folder / "BTCUSDT-swinging.csv"
    market.write_text("\n".join(rows) + "\n")
    return market


def test_the_seed_of_the_certain_position_draws_sound_decisions() -> None:
    """Its first four decisions enter a position, whether prices rose, fell or stood still before each."""
    for course in product((0, -300, 300), repeat=4):
        view = SymbolView(dice=Random(f"{SOUND_SEED}:BTCUSDT"))
        for turn, moved in enumerate((0, *course)):
            bid = Decimal(90_000 + moved)
            view.see(Quote(path_ms=turn, at_ms=turn, bid=bid, ask=bid + Decimal("0.1")))
            if turn:
                idea = view.decide()
                assert idea is not None and idea.flaw is None, (course, turn)


@pytest.mark.rule("P-1", "P-2", "P-3", "P-4", "P-5", "P-7", "P-8", "P-9", "P-10", "O-3")
def test_a_killed_engine_is_started_again_and_every_promise_is_checked(tmp_path: Path) -> None:
    """Decisions become protected positions and come home; the kill is part of the run, counted, and breaks nothing."""
    state, market = tmp_path / "state", str(swinging(tmp_path))
    arguments = ("--market", market, "--speed", str(SPEED), "--seed", str(SOUND_SEED))
    verdict = judged(state, *arguments, "--seconds", "26", "--restarts", "1")
    assert verdict["promises"].keys() >= ALWAYS, verdict
    assert verdict["entries_armed"] >= verdict["entries_filled"] >= 1
    assert verdict["restarts"] == 1
    record = (state / "jumar.db.ticks.jsonl").read_bytes()
    assert record.count(b'"kind":"start"') == 2


# ended by others


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C ends the three processes and says so."""
    state = tmp_path / "state"
    process = started(state)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
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
    deadline, pause = time.perf_counter() + PATIENCE_S, threading.Event()
    while not holds():
        assert process is None or process.poll() is None
        assert time.perf_counter() < deadline
        pause.wait(PAUSE_S)  # the processor is for those who are waited for


def test_a_killed_demo_takes_its_processes_with_it(tmp_path: Path) -> None:
    """Nobody is left to end them: they notice, and end by themselves within seconds."""
    state = tmp_path / "state"
    with started(state) as process:
        process.kill()
        process.wait()
        until(lambda: left_over(state) == [])


def test_bad_input_of_a_process_is_bad_input_of_the_demo() -> None:
    """What only the exchange could know is one message of the whole command."""
    result = subprocess.run(
        [*DEMO, "--json", "--symbols", "NOSUCH"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert "NOSUCH" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
