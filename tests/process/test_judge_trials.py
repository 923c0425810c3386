"""Judge trials: scripts that know only the wire break one promise each, and the exchange's judge must say so.

The exchange is a real process on a loopback socket. The scripts run without site-packages, so that they cannot
import anything of this project even by mistake.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVE = [sys.executable, "-m", "jumar", "exchange", "serve", "--port", "0", "--market", "manual"]
PATIENCE_S = 50.0
PAUSE_S = 0.05

type Json = dict[str, Any]


class Exchange:
    """A running exchange and its control surface."""

    def __init__(self, ready_file: Path) -> None:
        self.ready_file = ready_file
        self._rest: str = json.loads(ready_file.read_text(encoding="utf-8"))["rest"]

    def run(self, trial: str) -> Json:
        """Let a trial do its work; returns what it says it did."""
        command = [
            sys.executable,
            "-S",
            "-m",
            f"tests.process.trials.{trial}",
            str(self.ready_file),
        ]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        said: Json = json.loads(done.stdout)
        return said

    def verdict(self) -> Json:
        """GET /sim/judge."""
        with urlopen(f"{self._rest}/sim/judge", timeout=PATIENCE_S) as response:
            verdict: Json = json.load(response)
        return verdict

    def ledger(self) -> list[Json]:
        """GET /sim/ledger."""
        with urlopen(f"{self._rest}/sim/ledger", timeout=PATIENCE_S) as response:
            return [json.loads(line) for line in response]


def wait_until(reached: Callable[[], bool]) -> None:
    """Ask again and again until a state is reached."""
    pause = threading.Event()
    for _ in range(round(PATIENCE_S / PAUSE_S)):
        if reached():
            return
        pause.wait(PAUSE_S)
    raise AssertionError(f"not reached within {PATIENCE_S} s")


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """An exchange process with a manual market."""
    ready, log = tmp_path / "ready.json", tmp_path / "exchange.log"
    command = [*SERVE, "--symbols", "BTCUSDT", "--ready-file", str(ready)]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output) as server,
    ):
        try:
            wait_until(lambda: ready.exists() or server.poll() is not None)
            assert server.poll() is None, log.read_text(encoding="utf-8")
            yield Exchange(ready)
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)


def kept_but(verdict: Json, broken: str) -> bool:
    """Whether exactly one promise is broken, and every violation speaks of it."""
    false = [promise for promise, held in verdict["promises"].items() if not held]
    return false == [broken] and {v["promise"] for v in verdict["violations"]} == {broken}


@pytest.mark.rule("P-1", "P-2", "P-4", "P-5", "P-8")
def test_an_honest_trade_keeps_every_promise(exchange: Exchange) -> None:
    """Armed, entered, protected, half sold, trailed, stopped and swept: five promises checked, five kept."""
    exchange.run("honest")
    verdict = exchange.verdict()
    assert verdict["promises"] == dict.fromkeys(["P-1", "P-2", "P-4", "P-5", "P-8"], True)
    assert verdict["violations"] == []
    exits = {name: count for name, count in verdict["exits"].items() if count}
    assert exits == {"tp1": 1, "stop": 1}
    figures = ("trades", "entries_armed", "entries_filled", "initial_stop_outs", "orders_sent")
    assert [verdict[name] for name in figures] == [1, 1, 1, 0, 5]
    bad = (
        "unprotected_ms_max",
        "unprotected_excused_ms",
        "cover_gap_events",
        "stop_widened",
        "orphan_orders",
    )
    assert [verdict[name] for name in bad] == [0, 0, 0, 0, 0]


@pytest.mark.rule("P-1")
def test_a_stop_400_ms_late_is_measured_as_the_ledger_shows_it(exchange: Exchange) -> None:
    """The judge's figure is the distance between the ledger's own records of fill and stop."""
    exchange.run("late_stop")
    verdict, ledger = exchange.verdict(), exchange.ledger()
    filled = next(record["t"] for record in ledger if record["kind"] == "fill")
    stopped = next(record["t"] for record in ledger if record["kind"] == "conditional")
    assert kept_but(verdict, "P-1")
    assert verdict["unprotected_ms_max"] == stopped - filled
    assert verdict["unprotected_ms_max"] >= 400
    assert (verdict["unprotected_excused_ms"], verdict["cover_gap_events"]) == (0, 1)


@pytest.mark.rule("P-2")
def test_widening_by_cancel_and_place_is_one_widening(exchange: Exchange) -> None:
    """With a backstop resting the position stays covered; only the ratchet is broken, once."""
    exchange.run("widened_stop")
    verdict = exchange.verdict()
    assert kept_but(verdict, "P-2")
    assert (verdict["stop_widened"], verdict["unprotected_ms_max"]) == (1, 0)


@pytest.mark.rule("P-4")
def test_double_quantity_is_named_with_both_numbers(exchange: Exchange) -> None:
    """The second entry of a group fills beyond what the first asked for."""
    exchange.run("double_quantity")
    verdict = exchange.verdict()
    assert kept_but(verdict, "P-4")
    (violation,) = verdict["violations"]
    assert violation["client_id"].endswith("-E2")
    assert "filled 0.02," in violation["message"]
    assert "asked for 0.01" in violation["message"]


@pytest.mark.rule("P-5")
def test_an_exit_without_reduce_only_is_noticed_though_it_only_closed(exchange: Exchange) -> None:
    """It happened to have the right size; it could have opened a position."""
    exchange.run("open_exit")
    verdict = exchange.verdict()
    assert kept_but(verdict, "P-5")
    assert [v["client_id"][-2:] for v in verdict["violations"]] == ["X1"]


@pytest.mark.rule("P-8")
def test_a_stop_left_behind_is_an_orphan_after_ten_seconds(exchange: Exchange) -> None:
    """Until the deadline there is no verdict; from then on one order is an orphan."""
    exchange.run("orphan")
    assert "P-8" not in exchange.verdict()["promises"]
    wait_until(lambda: exchange.verdict()["orphan_orders"] == 1)
    verdict, ledger = exchange.verdict(), exchange.ledger()
    assert kept_but(verdict, "P-8")
    flat = [r["t"] for r in ledger if r["kind"] == "position"][-1]
    (violation,) = verdict["violations"]
    assert violation["t"] == flat + 10_000
