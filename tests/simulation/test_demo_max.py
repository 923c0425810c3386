"""A demo in virtual time: the same seed gives the same result, all of a file is played, nothing is forgotten unjudged."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from random import Random  # noqa: TID251 - a market, with the test's seed
from typing import Any

import pytest

from jumar.bootstrap.serving import START_PRICES
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.market import SyntheticMarket
from jumar.model.errors import ConfigError
from jumar.ops.demo.options import MAX, WHOLE, DemoOptions, Files
from jumar.ops.demo.virtual import Played, play, run_virtual_demo
from jumar.reports.recorder import TickRecorder
from jumar.simulation.demo import once_a_second

DEMO = [sys.executable, "-m", "jumar", "demo", "--speed", "max"]
OPTIONS = DemoOptions(
    seconds=600,
    seed=5,
    market="synthetic",
    begin=None,
    end=None,
    speed=MAX,
    symbols=(),
    restarts=0,
    state_dir=None,
    json=True,
)
BEGIN_MS = 1_746_360_000_000  # 2025-05-04T12:00:00Z
MINUTES = 40


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty loud minutes in which trades are entered, stopped and given up."""
    dice, price = Random(3), 95_000.0
    rows = ["open_time_ms,open,high,low,close,volume"]
    for minute in range(MINUTES):
        ends = [price]
        ends += [price := price * (1 + dice.gauss(0, 0.0009)) for _ in range(3)]
        levels = [f"{level:.1f}" for level in (ends[0], max(ends), min(ends), ends[-1])]
        rows.append(f"{BEGIN_MS + minute * 60_000},{','.join(levels)},25.000")
    path = tmp_path_factory.mktemp("market") / "BTCUSDT-1m.csv"
    path.write_text("\n".join(rows) + "\n")
    return str(path)


def played(folder: Path, options: DemoOptions) -> Played:
    """A run to its end."""
    folder.mkdir()
    run = play(options, Files(folder=folder), name="")
    assert run is not None
    return run


def command(*arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """What the command says on stdout."""
    result = subprocess.run(
        [*DEMO, "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, **(environ or {})},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("\n") == 1
    return result.stdout


@pytest.mark.rule("P-1", "P-2", "P-3", "P-4", "P-5", "P-6", "P-7", "P-8", "P-9", "P-10")
def test_a_recorded_file_is_played_to_its_end_and_judged(bars: str, tmp_path: Path) -> None:
    """Without --seconds the whole path is played, kills included, and every promise is checked and holds."""
    run = played(tmp_path / "run", replace(OPTIONS, market=bars, seconds=WHOLE, restarts=3))
    assert run.options.seconds == MINUTES * 60 - 1  # the last of the bar's trades
    assert run.virtual_s >= run.options.seconds
    assert run.result["promises"] == {f"P-{number}": True for number in range(1, 11)}, run.broken
    assert run.result["trades"] >= 2
    assert run.result["restarts"] == 3
    assert run.result["unprotected_ms_max"] == 0
    assert run.result["unresolved_intents"] == run.result["orphan_orders"] == 0


def test_a_seed_is_a_whole_run_whatever_hashes(bars: str) -> None:
    """Two processes with different hash seeds print the same object; another seed prints another one."""
    arguments = ("--market", bars, "--restarts", "1", "--seconds", "900")
    first = command(*arguments, "--seed", "8", environ={"PYTHONHASHSEED": "1"})
    assert command(*arguments, "--seed", "8", environ={"PYTHONHASHSEED": "2"}) == first
    assert command(*arguments, "--seed", "9", environ={"PYTHONHASHSEED": "1"}) != first


def test_drawn_prices_of_two_symbols_are_traded_for_the_seconds_asked(tmp_path: Path) -> None:
    """The seconds are virtual ones, at the path's own speed, and decisions come every five minutes of it."""
    run = played(tmp_path / "run", replace(OPTIONS, seconds=700))
    written = (tmp_path / "run" / "decisions.jsonl").read_text().splitlines()
    decisions = [json.loads(line) for line in written]
    assert 700 <= run.virtual_s < 730
    assert {decision["symbol"] for decision in decisions} == {"BTCUSDT", "ETHUSDT"}
    # from 10:04:50 on: a first look of three minutes, then every five; in the last ten seconds flat, again and again
    moments = [decision["timestamp_iso"][11:19] for decision in decisions]
    assert moments[:3] == ["10:07:49", "10:12:49", "10:16:19"]
    assert {decision["action"] for decision in decisions[2:]} == {"flat"}


def test_the_exchange_keeps_the_time_of_the_record(bars: str, tmp_path: Path) -> None:
    """Decisions, log and database speak of the days in which the prices were recorded."""
    played(tmp_path / "run", replace(OPTIONS, market=bars, seconds=400))
    log = (tmp_path / "run" / "engine.log").read_text().splitlines()
    decisions = (tmp_path / "run" / "decisions.jsonl").read_text().splitlines()
    assert {json.loads(line)["timestamp"][:13] for line in log} == {"2025-05-04T12"}
    assert {json.loads(line)["timestamp_iso"][:13] for line in decisions} == {"2025-05-04T12"}


@pytest.mark.rule("P-9")
def test_ticks_that_the_record_has_forgotten_were_judged(
    bars: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tick record that keeps a fraction of the run the verdict is the same as with all of it."""
    options = replace(OPTIONS, market=bars, seconds=1200, restarts=1)
    whole = played(tmp_path / "whole", options)
    small = partial(TickRecorder, file_bytes_max=90_000)
    monkeypatch.setattr("jumar.simulation.host.TickRecorder", small)
    kept = played(tmp_path / "kept", options)
    assert kept.result == whole.result
    assert bytes_of(tmp_path / "kept") < bytes_of(tmp_path / "whole") / 2


def bytes_of(folder: Path) -> int:
    """The size of a run's tick record."""
    return sum(path.stat().st_size for path in folder.glob("*.ticks*.jsonl"))


def test_a_broken_promise_ends_with_code_1(
    bars: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict decides the exit code, as in a demo of processes."""

    def broken(run: Any, *arguments: Any, **options: Any) -> Any:
        result = combine(run, *arguments, **options)
        return result | {"promises": result["promises"] | {"P-1": False}}

    combine = sys.modules["jumar.ops.demo.virtual"].combine
    monkeypatch.setattr("jumar.ops.demo.virtual.combine", broken)
    assert run_virtual_demo(replace(OPTIONS, market=bars, seconds=60)) == 1
    assert json.loads(capsys.readouterr().out)["promises"]["P-1"] is False


def test_a_row_that_cannot_be_read_ends_the_run(bars: str, tmp_path: Path) -> None:
    """A market that broke off is no quiet market: file and line are named, wherever the row stands."""
    lines = Path(bars).read_text().splitlines()
    lines[20] = lines[20].replace(",", ";")
    market = tmp_path / "BTCUSDT-torn.csv"
    market.write_text("\n".join(lines) + "\n")
    for seconds in (WHOLE, 5000):
        with pytest.raises(ConfigError, match=r"BTCUSDT-torn.csv:21: "):
            played(
                tmp_path / f"run{seconds}", replace(OPTIONS, market=str(market), seconds=seconds)
            )


def test_a_drawn_market_moves_once_a_second() -> None:
    """The path is that of the seed at every speed; of its steps those between are left out."""
    symbols = ("BTCUSDT", "ETHUSDT")
    market = SyntheticMarket(
        symbols,
        seed=4,
        start_prices=START_PRICES,
        tick_sizes={symbol: INSTRUMENTS[symbol].tick_size for symbol in symbols},
    )
    whole = list(takewhile(lambda step: step.path_ms < 60_000, market.steps()))
    heard = list(once_a_second(whole))
    for symbol in symbols:
        own = [step for step in heard if step.symbol == symbol]
        assert [step.path_ms // 1000 for step in own] == list(range(60))
        assert set(own) < {step for step in whole if step.symbol == symbol}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C ends it with its own code, says so, and prints no result."""
    state = tmp_path / "state"
    process = subprocess.Popen(
        [*DEMO, "--seconds", "86400", "--seed", "1", "--json", "--state-dir", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (state / "decision.json").exists():  # it is in the middle of the run
        assert process.poll() is None, process.communicate()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=50)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
