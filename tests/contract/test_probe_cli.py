"""`jumar exchange probe` as a process: the plan, the yes, the report, the exit codes, and an end in the middle."""

import asyncio
import inspect
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.wire import PATIENCE_S, SYMBOL, Client, exchange, limit_order

from jumar.config import load_venue
from jumar.exchange.binance.probe import Outcome, Plan
from jumar.model.errors import ConfigError
from jumar.ops.cli import probe_run
from jumar.ops.cli.probe import probe

QUICK = ("--only", "id-namespace,position-row")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market at 90900."""
    async with exchange() as running:
        yield running


@asynccontextmanager
async def started(
    client: Client, folder: Path, *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A probe of the served exchange, in a folder of its own."""
    urls = client.urls
    where = ("--rest-url", urls["rest"], "--stream-url", urls["stream"])
    venue = ("--environment", "custom", *where, "--ws-api-url", urls["ws_api"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jumar", "exchange", "probe", *venue, *arguments),
        env=os.environ | {"JUMAR_KEY": urls["api_key"], "JUMAR_SECRET": urls["api_secret"]},
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def probed(client: Client, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a probe that ran to its end."""
    async with asyncio.timeout(PATIENCE_S), started(client, folder, *arguments) as process:
        out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


def files(folder: Path) -> list[Path]:
    """What lies in a folder."""
    return list(folder.iterdir())


async def test_a_probe_writes_its_report(client: Client, tmp_path: Path) -> None:
    """Plan, a line for each answer, the conclusion and a dated file; it ends with 0 and keeps the keys to itself."""
    code, out, error = await probed(client, tmp_path, "--yes", *QUICK)
    assert (code, error) == (0, "")
    (file,) = files(tmp_path)
    assert file.match("jumar-probe-*Z.json")
    report = json.loads(file.read_bytes())
    for word in ("2 questions on BTCUSDT", "[2/2] position-row", "V-1 not asked", "clean:"):
        assert word in out
    assert f"report: {file.name}" in out
    assert report["readings"] == {"id_namespace": "separate", "conditional_position_row": "no"}
    told = out + file.read_text()
    assert client.urls["api_key"] not in told
    assert client.urls["api_secret"] not in told


async def test_the_report_on_stdout(client: Client, tmp_path: Path) -> None:
    """With --json stdout is the report alone; --report names the file, and a file that exists is not overwritten."""
    arguments = ("--yes", "--json", "--report", "mine.json", *QUICK)
    code, out, error = await probed(client, tmp_path, *arguments)
    assert (code, json.loads(out)) == (0, json.loads((tmp_path / "mine.json").read_bytes()))
    assert "[2/2] position-row" in error
    before = len(await client.ledger())
    code, out, error = await probed(client, tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert "--report: mine.json: File exists; name a new file" in error
    assert [r for r in await client.ledger(before) if r["kind"] != "market"] == []


async def test_without_a_yes_nothing_is_sent(client: Client, tmp_path: Path) -> None:
    """No terminal and no --yes: the plan is printed, exit code 2, no file, no order."""
    before = len(await client.ledger())
    code, out, error = await probed(client, tmp_path)
    assert code == 2
    assert "settings: nothing is changed" in out
    assert "add --yes to begin" in error
    assert files(tmp_path) == []
    assert [r for r in await client.ledger(before) if r["kind"] != "market"] == []


async def test_a_symbol_in_use_ends_with_two(client: Client, tmp_path: Path) -> None:
    """An order that is there is named; nothing is planned."""
    await client.ok("POST", "order", **limit_order("80000.0", "theirs"))
    code, out, error = await probed(client, tmp_path, "--yes")
    assert (code, out) == (2, "")
    assert f"{SYMBOL} is in use: order theirs" in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_clean(
    client: Client, tmp_path: Path, number: signal.Signals
) -> None:
    """In the middle of a question it takes back what rests and ends with 130, without a report."""
    simulated = client.server.exchange
    async with (
        asyncio.timeout(PATIENCE_S),
        started(client, tmp_path, "--yes", "--only", "rests-flat") as process,
    ):
        while not simulated.conditionals(SYMBOL):
            await client.time()
        process.send_signal(number)
        _, error = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert simulated.conditionals(SYMBOL) == ()
    assert files(tmp_path) == []


class Left:
    """A probe that could not take something back, with a question that broke."""

    async def plan(self) -> Plan:
        """No plan."""
        return Plan(lines=())

    async def run(self, say: object) -> Outcome:
        """One order left."""
        return Outcome(report={"clean": False}, left=("order jmp-1",), failed=("beside",))


def test_what_is_left_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, both told on stderr; the report is written all the same."""
    monkeypatch.setattr(probe_run, "open_probe", lambda venue, **options: Left())
    monkeypatch.setattr(probe_run, "configure", lambda *_, **__: None)
    monkeypatch.setenv("JUMAR_KEY", "key")
    monkeypatch.setenv("JUMAR_SECRET", "hush")
    venue = {"environment": "demo", "key_env": "JUMAR_KEY", "secret_env": "JUMAR_SECRET"}
    command = probe_run.ProbeCommand(
        venue=dict(venue),
        symbol=SYMBOL,
        only=(),
        spend_cap="20",
        yes=True,
        json=False,
        report=tmp_path / "r.json",
    )
    assert probe_run.probe(command) == 1
    error = capsys.readouterr().err
    assert "left at the exchange: order jmp-1" in error
    assert "the question beside broke" in error
    assert json.loads((tmp_path / "r.json").read_bytes()) == {"clean": False}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "--environment: missing"),
        ({"environment": "live"}, '--environment = "live": refused'),
        ({"environment": "custom"}, "--rest-url: missing"),
        (
            {"environment": "custom", "rest_url": "https://fapi.binance.com"},
            '--rest-url = "https://fapi.binance.com": belongs to the production venue',
        ),
        ({"environment": "demo", "rest_url": "http://h"}, "--rest-url: the demo exchange has"),
        ({"environment": "demo"}, '--key-env: the environment variable "JUMAR_KEY" is not set'),
        ({"environment": "demo"}, '--secret-env: the environment variable "JUMAR_SECRET" is'),
    ],
)
def test_a_venue_that_cannot_be_used(given: dict[str, str], said: str) -> None:
    """Every problem is named by its option; the demo needs its keys, real money is refused."""
    keys = {"key_env": "JUMAR_KEY", "secret_env": "JUMAR_SECRET"}
    with pytest.raises(ConfigError) as refused:
        load_venue({**keys, **given}, {})
    assert said in str(refused.value)
    assert "[account]" not in str(refused.value)


def test_the_reference_names_every_option_and_member() -> None:
    """What can be typed and what the report holds stands in the reference of the command line."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
    section = page.partition("## `jumar exchange probe`")[2].partition("\n## ")[0]
    options = [f"`--{name.replace('_', '-')}" for name in inspect.signature(probe).parameters]
    options[options.index("`--listing")] = "`--list"
    assert [name for name in options if name not in section] == []


def test_the_questions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with what it asks and decides, for people and for programs; no key is needed."""
    probe_run.show_questions(as_json=False)
    lines = capsys.readouterr().out.splitlines()
    probe_run.show_questions(as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [line.split()[0] for line in lines] == [row["question"] for row in rows]
    (row,) = [row for row in rows if row["question"] == "oversize"]
    assert row["decides"] == ["oversize_stop", "V-2"]
