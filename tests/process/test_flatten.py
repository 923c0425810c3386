"""`jumar pause`, `flatten`, `resume` over real processes: a running engine, a killed one, a damaged database (M-6).

Reported is only what the exchange confirms; what really happened is read from the exchange's own ledger.
"""

import json
import os
import pty
import subprocess
import sys
from decimal import Decimal

import pytest
from tests.process import test_shutdown as shutdown
from tests.process.test_cli import CONFIG, SECONDS, wait_for
from tests.process.test_shutdown import Run

from jumar.model.mode import Mode
from jumar.store import queries
from jumar.store.asked import present
from jumar.store.lock import holder
from jumar.store.pause import pause_file
from jumar.store.records import ACCOUNT

run = shutdown.run


@pytest.fixture(autouse=True)
def no_pause_after_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """A close at market is a small loss, after which the next entry would have to wait."""
    limits = "[limits]\ncooldown_after_loss_s = 0"
    monkeypatch.setattr(shutdown, "CONFIG", CONFIG.replace("[limits]", limits))


def command(
    this: Run, *arguments: str, stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """Run a command on the folder, with the keys in its environment."""
    keys = {"JUMAR_KEY": this.urls["api_key"], "JUMAR_SECRET": this.urls["api_secret"]}
    return subprocess.run(
        [sys.executable, "-m", "jumar", *arguments, "--config", str(this.folder / "jumar.toml")],
        env=os.environ | keys | {"COLUMNS": "200"},
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def position(this: Run) -> Decimal:
    """What the exchange holds."""
    records = [json.loads(line) for line in this.get("/sim/ledger").splitlines()]
    moves = [record for record in records if record["kind"] == "position"]
    return Decimal(moves[-1]["quantity"]) if moves else Decimal(0)


def held(this: Run) -> subprocess.Popen[bytes]:
    """A running engine with a position, its stops and targets."""
    engine = this.start()
    this.decide()
    this.until_alive("S1", "E1")
    this.price("90780")
    this.until_alive("S1", "B1", "P1", "Q1")
    return engine


def killed(engine: subprocess.Popen[bytes]) -> None:
    """Nothing of it runs any more."""
    engine.kill()
    engine.wait(SECONDS)


def modes(this: Run) -> dict[str, Mode]:
    """What the database keeps."""
    return {name: state.mode for name, state in present(this.folder / "jumar.db").modes.items()}


@pytest.mark.rule("M-6", "P-1")
def test_flatten_with_a_killed_engine(run: Run) -> None:
    """The command itself closes, sweeps and confirms; it may be run again; `resume` is what a next start needs."""
    killed(held(run))
    result = command(run, "flatten", "--yes")
    assert result.returncode == 0, result.stderr
    assert position(run) == 0 and run.alive() == set()
    assert "flat: confirmed by the exchange" in result.stdout
    row = next(line for line in result.stdout.splitlines() if "BTCUSDT" in line)
    assert [cell.strip() for cell in row.strip("│┃ ").split("│")][:5] == [
        *("BTCUSDT", "0.013", "flat", "0", "0")
    ]
    again = command(run, "flatten", "--yes", "--symbol", "btcusdt")
    assert again.returncode == 0, again.stderr
    assert modes(run) == {"BTCUSDT": Mode.NO_ENTRIES, ACCOUNT: Mode.NO_ENTRIES}
    (trade,) = queries.trades(run.folder / "jumar.db")
    assert trade.summary is not None and trade.summary.exit_reason == "flatten"
    shown = json.loads(command(run, "status", "--json").stdout)
    assert shown["mode"] == "NO_ENTRIES" and "flatten" in shown["account_mode"]["cause"]
    assert command(run, "resume").returncode == 0
    run.start()
    wait_for(lambda: modes(run)[ACCOUNT] is Mode.NORMAL, run.engines[-1])
    run.price("90820")
    run.write()
    run.until_alive("S1", "E1")
    verdict = json.loads(run.get("/sim/judge"))
    assert all(verdict["promises"].values()), verdict["violations"]


@pytest.mark.rule("M-6")
def test_flatten_through_a_running_engine(run: Run) -> None:
    """The engine closes; the command watches until the exchange has confirmed it, and the engine goes on, paused."""
    engine = held(run)
    result = command(run, "flatten", "--yes")
    assert result.returncode == 0, result.stderr + result.stdout
    assert f"asked the engine (process {engine.pid})" in result.stderr
    assert position(run) == 0 and run.alive() == set()
    assert engine.poll() is None and holder(run.folder / "jumar.db") == engine.pid
    run.price("90820")
    run.write()
    answer = run.folder / "outcome.json"
    wait_for(lambda: "paused" in answer.read_text(), engine)
    assert run.alive() == set()
    assert "the engine (process" in command(run, "resume").stdout
    run.until_alive("S1", "E1")


@pytest.mark.rule("M-6", "G-12")
def test_pause_takes_back_an_entry_of_a_running_engine(run: Run) -> None:
    """Within a tick or two; the armed stop waits; `resume` has it rest again."""
    run.start()
    run.decide()
    run.until_alive("S1", "E1")
    assert command(run, "pause").returncode == 0
    run.until_alive("S1")
    shown = json.loads(command(run, "status", "--json").stdout)
    assert shown["symbols"]["BTCUSDT"]["mode"]["cause"] == "paused by cli"
    assert command(run, "resume").returncode == 0
    run.until_alive("S1", "E2")


@pytest.mark.rule("M-6", "Y-1")
def test_flatten_with_a_database_that_cannot_be_opened(run: Run) -> None:
    """By the exchange alone: position and orders go; the pause stands in a file and the next start obeys it."""
    killed(held(run))
    database = run.folder / "jumar.db"
    for name in ("jumar.db", "jumar.db-wal", "jumar.db-shm"):
        (run.folder / name).unlink(missing_ok=True)
    database.write_bytes(b"this is no database" * 400)
    result = command(run, "flatten", "--yes")
    assert result.returncode == 0, result.stderr
    assert "the database cannot be used" in result.stderr
    assert position(run) == 0 and run.alive() == set()
    assert pause_file(database).exists() and holder(database) is None
    database.unlink()
    engine = run.start()
    run.decide()
    answer = run.folder / "outcome.json"

    def told() -> bool:
        run.write()  # one that is not much newer than the lost journal's last entry is spent (Y-12)
        return answer.exists() and "paused" in answer.read_text()

    wait_for(told, engine)
    assert command(run, "resume").returncode == 0
    wait_for(lambda: not pause_file(database).exists(), engine)


@pytest.mark.rule("M-6")
def test_without_a_terminal_and_without_yes_nothing_is_done(run: Run) -> None:
    """Exit code 2 and the way out; with a terminal it asks, and anything but `yes` is a no."""
    killed(held(run))
    refused = command(run, "flatten")
    assert refused.returncode == 2 and "--yes" in refused.stderr
    ours, theirs = pty.openpty()
    os.write(ours, b"no\n")
    declined = command(run, "flatten", stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert declined.returncode == 2 and "nothing was done" in declined.stderr
    assert run.alive() == {"S1", "B1", "P1", "Q1"} and position(run) == Decimal("0.013")
    assert not pause_file(run.folder / "jumar.db").exists() and modes(run) == {}


@pytest.mark.rule("M-6")
def test_an_exchange_that_does_not_answer_is_said(run: Run) -> None:
    """Exit code 1; the request stays, so that the next start closes."""
    killed(held(run))
    killed(run.exchange)
    result = command(run, "flatten", "--yes")
    assert result.returncode == 1
    assert "does not answer" in result.stderr and "flat" not in result.stdout
    assert [each.request for each in present(run.folder / "jumar.db").requests] == ["flatten"]
