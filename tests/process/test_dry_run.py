"""`jumar run --dry-run` as a person runs it: everything is planned, everything is told, nothing is sent.

Real processes on loopback. What left is asked of the exchange's own ledger.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from tests.process.test_cli import CONFIG, KEYS, NOWHERE, SECONDS, inside, refused, wait_for, write
from tests.process.test_shutdown import Run, run, stopped

__all__ = ["run"]
#: What the exchange writes down by itself.
OF_ITSELF = {"market", "serving"}
PROTECT_DEADLINE_MS = 3000


@dataclass
class DryRun:
    """One process that sends nothing, and what it said."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """Everything on stderr."""
        return (self.folder / "dry.log").read_text(encoding="utf-8")

    @property
    def wishes(self) -> list[dict[str, Any]]:
        """The whole lines on stdout."""
        lines = (self.folder / "dry.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wished(self, words: str) -> list[dict[str, Any]]:
        """The wishes that begin with these words."""
        return [wish for wish in self.wishes if wish["would"].startswith(words)]

    def until(self, words: str) -> dict[str, Any]:
        """Wait for a wish; returns its first line."""
        wait_for(lambda: bool(self.wished(words)), self.process)
        return self.wished(words)[0]


@contextmanager
def dry(run: Run, out: IO[bytes] | None = None) -> Iterator[DryRun]:
    """A dry run on the folder of an engine, once it is ready; its wishes go to a file unless `out` is given."""
    config = run.folder / "jumar.toml"
    config.write_text(CONFIG.format(**run.urls), encoding="utf-8")
    keys = {"JUMAR_KEY": run.urls["api_key"], "JUMAR_SECRET": run.urls["api_secret"]}
    command = [sys.executable, "-m", "jumar", "run", "--config", str(config)]
    lines, log = run.folder / "dry.jsonl", run.folder / "dry.log"
    with lines.open("wb") as kept, log.open("wb") as said:
        options = ("--dry-run", "--json", "--log-format", "json")
        process = subprocess.Popen(
            [*command, *options], env=os.environ | keys, stdout=out or kept, stderr=said
        )
    this = DryRun(run.folder, process)
    try:
        wait_for(lambda: '"ready: ' in this.log, process)
        yield this
    finally:
        process.kill()
        process.wait(SECONDS)


def happened(run: Run) -> list[bytes]:
    """What the exchange saw anybody do, or let happen to an account."""
    lines = run.get("/sim/ledger").splitlines()
    return [line for line in lines if json.loads(line)["kind"] not in OF_ITSELF]


def held(run: Run) -> subprocess.Popen[bytes]:
    """An engine with a position; returns its process."""
    engine = run.start()
    run.decide()
    run.until_alive("S1", "E1")
    run.price("90780")
    run.until_alive("S1", "B1", "P1", "Q1")
    return engine


@pytest.mark.rule("H-1", "P-9")
def test_an_entry_is_planned_to_its_first_stop_and_nothing_leaves(run: Run) -> None:
    """Settings and the armed stop are told once with rule and numbers, and what would follow; the ledger stays as it was."""
    with dry(run) as this:
        before = happened(run)
        run.write()
        stop = this.until("place stop")
        assert stop["rule"] == "S-1"
        assert stop["would"].endswith(" 0.013 at 90380")
        assert "entry 0.013 at 90786.6" in stop["then"]
        assert "backstop at 90380, TP1 at 91600, TP2 at 92900" in stop["then"]
        assert this.wished("set leverage 3")
        run.write(sl=90370)  # by then it was planned many times
        wait_for(lambda: len(this.wished("place stop")) == 2, this.process)
        assert this.wished("place stop")[1]["would"].endswith(" at 90370")
        assert stopped(this.process, signal.SIGINT) < 5
        assert not this.wished("place entry")
        assert this.process.returncode == 0, this.log
        assert happened(run) == before
        assert "DRY RUN: nothing is sent" in this.log
        assert f"would {stop['would']}" in this.log
    names = {path.name for path in run.folder.iterdir()}
    assert not {name for name in names if "jumar.db" in name or name == "outcome.json"}


@pytest.mark.rule("H-1", "Y-1")
def test_a_bare_position_is_told_of_and_left_alone(run: Run) -> None:
    """It would get an emergency stop; that the stop never comes is no reason to wish for a close."""
    engine = held(run)
    engine.kill()
    for client_id in run.resting():
        run.post("/sim/cancel", symbol="BTCUSDT", client_id=client_id)
    with dry(run) as this:
        before = happened(run)
        stop = this.until("place stop")
        assert stop["rule"] in {"Y-1", "S-7"}
        told_ms = run.now_ms
        wait_for(lambda: run.now_ms > told_ms + PROTECT_DEADLINE_MS + 1000, this.process)
        assert not this.wished("place full exit")
        assert happened(run) == before


@pytest.mark.rule("H-1", "X-7")
def test_it_runs_beside_an_engine_on_the_same_database(run: Run) -> None:
    """No lock is in its way, and the engine's position, orders, database and answer stay as they are."""
    engine = held(run)
    answer = (run.folder / "outcome.json").read_bytes()
    with dry(run) as this:
        before = happened(run)
        run.write(action="flat", entry_zone=[], sl=None, tp1=None, tp2=None)
        wait_for(lambda: (run.folder / "outcome.json").read_bytes() != answer, engine)
        assert this.process.poll() is None
        assert happened(run) == before
    assert engine.poll() is None
    assert "in use by process" not in this.log


@pytest.mark.rule("M-5")
def test_a_reader_that_has_seen_enough_ends_it(run: Run) -> None:
    """`jumar run --dry-run --json | head -1` ends in order once its next wish finds nobody."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as out, dry(run, out=out) as this:
        os.close(reader)
        run.write()
        assert this.process.wait(SECONDS) == 0, this.log
        assert "Traceback" not in this.log


def test_json_belongs_to_a_dry_run(tmp_path: Path) -> None:
    """An engine that trades prints nothing on stdout: the option is refused with the way out."""
    config = write(tmp_path, CONFIG.format(**NOWHERE))
    refused(inside("run", "--config", config, "--json", **KEYS), "add --dry-run")
