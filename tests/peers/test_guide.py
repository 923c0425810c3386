"""The guide is true: its programs run against an exchange served by the command line, its table is the suite's."""

import asyncio
import gc
import json
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.peers.table import as_markdown

from jumar.ops.cli.served import CLIENTS, program

GUIDE = Path(__file__).resolve().parents[2] / "docs/how-to/point-your-client-at-it.md"
PROGRAMS = re.findall(
    r"## ([^\n]+)\n+```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
)
#: Has an environment of its own, where `make peers-nautilus` runs it.
ELSEWHERE = "NautilusTrader"
HERE = [program for program in PROGRAMS if program[0] != ELSEWHERE]
PATIENCE_S = 40
PAUSE_S = 0.02


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """`jumar exchange serve` as the guide starts it, in the present folder."""
    monkeypatch.chdir(tmp_path)
    ready = tmp_path / "ready.json"
    serve = [sys.executable, "-m", "jumar", "exchange", "serve", "--market", "manual"]
    process = subprocess.Popen([*serve, "--symbols", "BTCUSDT", "--ready-file", str(ready)])
    try:
        _wait_for(ready, process)
        yield json.loads(ready.read_bytes())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("program", HERE, ids=[title for title, _ in HERE])
def test_the_program_of_the_guide_runs(program: tuple[str, str], served: dict[str, str]) -> None:
    """It places an order and a stop and cancels both, as the exchange's ledger tells."""
    with warnings.catch_warnings():
        # Short programs leave closing to the end: it has to come here, not in somebody else's test.
        warnings.simplefilter("ignore", ResourceWarning)
        exec(compile(program[1], program[0], "exec"), {"__name__": "guide"})
        gc.collect()
    records = asyncio.run(_ledger(served["rest"]))
    told = [(each["kind"], each["status"]) for each in records if "status" in each]
    assert sorted(told) == [
        ("conditional", "CANCELED"),
        ("conditional", "NEW"),
        ("order", "CANCELED"),
        ("order", "NEW"),
    ]


def test_the_command_prints_the_programs_of_the_guide() -> None:
    """`jumar exchange client NAME`: what the guide shows, word for word, with the ready file that was named."""
    shown = [text for _, text in PROGRAMS]
    assert [program(name) for name in CLIENTS] == shown
    assert 'Path("other.json")' in program("ccxt", Path("other.json"))


def test_there_is_a_program_for_each_client() -> None:
    """Four clients, four programs; three of them run in this environment."""
    assert [title for title, _ in HERE] == ["ccxt", "The official SDK", "python-binance"]
    assert [title for title, _ in PROGRAMS] == [*(title for title, _ in HERE), ELSEWHERE]


def test_the_table_of_the_guide_is_the_one_that_is_tried() -> None:
    """Row by row; a changed table has to be written there."""
    assert as_markdown() in GUIDE.read_text(encoding="utf-8")


async def _ledger(rest: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{rest}/sim/ledger") as response:
        return [json.loads(line) for line in (await response.text()).splitlines()]


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for the ready file, as long as the process lives and `pytest-timeout` allows."""
    pause = threading.Event()
    while not file.exists():
        assert process.poll() is None, f"ended with {process.returncode}"
        pause.wait(PAUSE_S)  # the processor is for the one who is waited for
