"""SIGTERM in the middle of things: entries go, positions keep their orders, and the end comes within 5 s (M-5).

Real processes on loopback: a simulated exchange with a manual market, and `jumar run`.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.engines import EXAMPLE
from tests.process.test_cli import CONFIG, SECONDS, wait_for

from jumar.store import queries

ADDRESSES = {"rest": "http", "stream": "ws", "ws_api": "ws"}
OVER = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "FINISHED"}


@dataclass
class Run:
    """An exchange process and the engine processes of one test."""

    folder: Path
    urls: dict[str, str]
    exchange: subprocess.Popen[bytes]
    engines: list[subprocess.Popen[bytes]] = field(default_factory=list)
    more_config: str = ""

    def get(self, path: str) -> bytes:
        """Read from the exchange."""
        with urllib.request.urlopen(f"{self.urls['rest']}{path}", timeout=SECONDS) as answer:
            data: bytes = answer.read()
            return data

    def price(self, last: str) -> None:
        """Move every price of BTCUSDT."""
        ask = f"{float(last) + 0.1:.1f}"
        self.post("/sim/price", symbol="BTCUSDT", last=last, mark=last, bid=last, ask=ask)

    def post(self, path: str, **body: str) -> None:
        """Have something happen at the exchange."""
        url = f"{self.urls['rest']}{path}"
        request = urllib.request.Request(url, data=json.dumps(body).encode(), method="POST")
        urllib.request.urlopen(request, timeout=SECONDS).close()

    def decide(self) -> None:
        """Write the example's decision with the exchange's present time, once the engine is ready for it."""
        wait_for(self._is_ready, self.engines[-1])
        self.write()

    def write(self, **changes: object) -> None:
        """Write the example's decision with the exchange's present time."""
        stamp = datetime.fromtimestamp(self.now_ms / 1000, tz=UTC).isoformat()
        part = self.folder / "part"
        part.write_text(json.dumps({**EXAMPLE, "timestamp_iso": stamp, **changes}))
        part.replace(self.folder / "decision.json")

    @property
    def now_ms(self) -> int:
        """The exchange's time."""
        return int(json.loads(self.get("/fapi/v1/time"))["serverTime"])

    def _is_ready(self) -> bool:
        """Whether the first reconciliation is in the journal: older decisions are spent with an empty one."""
        database = self.folder / "jumar.db"
        if not database.exists():
            return False
        connection = sqlite3.connect(database)
        try:
            told = "SELECT 1 FROM events WHERE rule = 'Y-9' AND message LIKE 'ready%'"
            return connection.execute(told).fetchone() is not None
        except sqlite3.OperationalError:
            return False  # its tables are just being made
        finally:
            connection.close()

    def alive(self) -> set[str]:
        """Role and attempt of what rests, by the exchange's own ledger."""
        return {client_id.split("-")[-1] for client_id in self.resting()}

    def resting(self) -> set[str]:
        """The client ids of what rests."""
        states: dict[str, str] = {}
        for line in self.get("/sim/ledger").splitlines():
            record = json.loads(line)
            own = record["kind"] in {"order", "conditional"} and not record.get("parent_algo_id")
            if own:
                states[record["client_id"]] = record["status"]
        return {name for name, status in states.items() if status not in OVER}

    def start(self) -> subprocess.Popen[bytes]:
        """Start `jumar run` on this run's folder."""
        config = self.folder / "jumar.toml"
        config.write_text(CONFIG.format(**self.urls) + self.more_config, encoding="utf-8")
        keys = {"JUMAR_KEY": self.urls["api_key"], "JUMAR_SECRET": self.urls["api_secret"]}
        log = self.folder / f"engine-{len(self.engines)}.log"
        with log.open("wb") as out:
            engine = subprocess.Popen(
                [sys.executable, "-m", "jumar", "run", "--config", str(config)],
                env=os.environ | keys,
                stdout=out,
                stderr=out,
            )
        self.engines.append(engine)
        return engine

    def until_alive(self, *names: str) -> None:
        """Wait until exactly these rest."""
        wait_for(lambda: self.alive() == set(names), self.engines[-1])


def stopped(engine: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> float:
    """Ask an engine to stop; return how many seconds it took, without those in which it waited for a processor."""
    before_s, began = starved_s(engine), time.perf_counter()
    engine.send_signal(number)
    os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)
    took = time.perf_counter() - began - (starved_s(engine) - before_s)
    engine.wait(SECONDS)
    return took


def starved_s(process: subprocess.Popen[bytes]) -> float:
    """For how long others had the processor that it wanted, where the system tells; also of one that just ended."""
    told = Path(f"/proc/{process.pid}/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """An exchange that stands still at 90 820."""
    ready = tmp_path / "ready.json"
    serve = [sys.executable, "-m", "jumar", "exchange", "serve", "--market", "manual"]
    exchange = subprocess.Popen([*serve, "--symbols", "BTCUSDT", "--ready-file", str(ready)])
    wait_for(ready.exists, exchange)
    this = Run(folder=tmp_path, urls=json.loads(ready.read_bytes()), exchange=exchange)
    try:
        this.price("90820")
        yield this
    finally:
        exchange.send_signal(signal.SIGCONT)
        for process in (*this.engines, exchange):
            process.kill()
            process.wait(SECONDS)


@pytest.mark.rule("M-5")
def test_a_resting_entry_and_its_armed_stop_go(run: Run) -> None:
    """Nothing of an unfilled set-up is left, the trade is ended in the journal, exit code 0."""
    engine = run.start()
    run.decide()
    run.until_alive("S1", "E1")
    assert stopped(engine) < 5
    assert engine.returncode == 0
    assert run.alive() == set()
    (row,) = queries.trades(run.folder / "jumar.db")
    assert row.trade.ended_ms is not None
    assert row.summary is None


@pytest.mark.rule("M-5", "P-1")
def test_a_position_keeps_its_stops_and_targets(run: Run) -> None:
    """The engine leaves a position as protected as it was, and the next start goes on with it."""
    engine = run.start()
    run.decide()
    run.until_alive("S1", "E1")
    run.price("90780")
    run.until_alive("S1", "B1", "P1", "Q1")
    assert stopped(engine, signal.SIGINT) < 5
    assert engine.returncode == 0
    assert run.alive() == {"S1", "B1", "P1", "Q1"}
    run.start()
    run.price("92950")
    run.until_alive()
    wait_for(lambda: queries.trades(run.folder / "jumar.db")[0].summary is not None, run.exchange)
    verdict = json.loads(run.get("/sim/judge"))
    assert all(verdict["promises"].values()), verdict["violations"]


@pytest.mark.rule("M-5", "X-4")
def test_what_cannot_be_proven_is_said(run: Run) -> None:
    """An exchange that hangs cannot confirm a cancel: exit code 3 within 5 s; the next start sees to it."""
    engine = run.start()
    run.decide()
    run.until_alive("S1", "E1")
    run.exchange.send_signal(signal.SIGSTOP)
    took = stopped(engine)
    run.exchange.send_signal(signal.SIGCONT)
    assert took < 5
    assert engine.returncode == 3, (run.folder / "engine-0.log").read_text()
    (run.folder / "decision.json").unlink()
    run.start()

    def ended() -> bool:
        return queries.trades(run.folder / "jumar.db")[0].trade.ended_ms is not None

    run.price("90821")
    wait_for(ended, run.engines[-1])
    assert queries.unresolved_intents(run.folder / "jumar.db") == 0


@pytest.mark.rule("M-5")
def test_a_start_that_hangs_can_be_stopped(tmp_path: Path) -> None:
    """A venue that takes the connection and never answers delays no end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        urls = {name: f"{kind}://127.0.0.1:{port}" for name, kind in ADDRESSES.items()}
        keys = {"api_key": "k" * 64, "api_secret": "s" * 64}
        this = Run(folder=tmp_path, urls=urls | keys, exchange=subprocess.Popen(["true"]))
        engine = this.start()
        silent.settimeout(SECONDS)
        connection, _ = silent.accept()
        with connection:
            assert stopped(engine) < 5
    assert this.exchange.wait(SECONDS) == 0
    assert engine.returncode == 0, (tmp_path / "engine-0.log").read_text()


@pytest.mark.rule("M-5")
def test_a_second_signal_ends_at_once(run: Run) -> None:
    """Whoever asks twice does not want to wait."""
    engine = run.start()
    run.decide()
    run.until_alive("S1", "E1")
    run.exchange.send_signal(signal.SIGSTOP)
    engine.send_signal(signal.SIGTERM)
    log = run.folder / "engine-0.log"
    wait_for(lambda: "stopping" in log.read_text(), engine)
    took = stopped(engine)
    run.exchange.send_signal(signal.SIGCONT)
    assert took < 1
    assert engine.returncode == -signal.SIGTERM  # who waits for what cannot be proven ends with 3
