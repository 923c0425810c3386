"""What people are told against what the exchange says: a whole engine, real processes of the command line."""

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.engines import Stage, staged
from tests.journals import held as held_life
from tests.journals import picture, write

from jumar.store.asked import present

CONFIG = """
[account]
name = "main"
environment = "demo"
key_env = "JUMAR_KEY"
secret_env = "JUMAR_SECRET"
[store]
url = "sqlite:///jumar.db"
[decision]
path = "decision.json"
[limits]
max_notional_usdt = 5000
[symbols.BTCUSDT]
"""
KEYS = {"JUMAR_KEY", "JUMAR_SECRET"}
SECONDS = 45


async def jumar(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in the folder, without any key in its environment."""
    environ = {name: value for name, value in os.environ.items() if name not in KEYS}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "jumar", *arguments],
        cwd=folder,
        env=environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


async def status(folder: Path) -> dict[str, Any]:
    """What `jumar status --json` prints: one object."""
    result = await jumar(folder, "status", "--json")
    assert result.returncode == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


async def held(stage: Stage) -> None:
    """Enter the example, have it filled, wait until the picture shows it with its stops and targets."""
    (stage.folder / "jumar.toml").write_text(CONFIG)
    await stage.start_engine()
    stage.decide()
    await stage.until_alive("S1", "E1")
    await stage.price("90786.5")
    await stage.until_alive("S1", "B1", "P1", "Q1")

    async def pictured() -> bool:
        picture = present(stage.folder / "jumar.db").snapshots.get("BTCUSDT")
        shown = {} if picture is None else json.loads(picture.content)
        return bool(shown) and [len(shown["stops"]), len(shown["orders"])] == [2, 2]

    await stage.until(pictured)


@pytest.mark.rule("H-6")
async def test_status_agrees_with_the_exchange(tmp_path: Path) -> None:
    """Side, quantity and entry price are the exchange's own; every stop shown rests there at that trigger."""
    async with staged(tmp_path) as stage:
        await held(stage)
        told = await status(tmp_path)
        (theirs,) = [
            row
            for row in await stage.signed("GET", "/fapi/v3/positionRisk", {"symbol": "BTCUSDT"})
            if Decimal(row["positionAmt"])
        ]
        mine = told["symbols"]["BTCUSDT"]
        position = mine["position"]
        assert position["side"] == ("long" if Decimal(theirs["positionAmt"]) > 0 else "short")
        assert (
            Decimal(position["quantity"]) == abs(Decimal(theirs["positionAmt"])) == Decimal("0.013")
        )
        assert Decimal(position["entry_price"]) == Decimal(theirs["entryPrice"])
        assert mine["protected"] is True
        alive = {record["client_id"]: record for record in (await stage.alive()).values()}
        for stop in mine["stops"]:
            assert stop["confirmed"] and stop["visible"]
            assert Decimal(stop["price"]) == Decimal(alive[stop["client_id"]]["trigger"])
        assert {order["client_id"] for order in (*mine["stops"], *mine["orders"])} == set(alive)
        assert (told["account"], told["mode"]) == ("main", "NORMAL")
        assert told["engine"]["pid"] == os.getpid()
        assert mine["outcome"] == {"outcome": "accepted", "reasons": []}


async def test_status_answers_after_the_engine_ended(tmp_path: Path) -> None:
    """The position it left protected is still told, with the word that nobody is running."""
    async with staged(tmp_path) as stage:
        await held(stage)
        await stage.stop_engine()
        told = await status(tmp_path)
        assert told["engine"] == {"pid": None}
        assert told["symbols"]["BTCUSDT"]["position"]["side"] == "long"
        screen = (await jumar(tmp_path, "status")).stdout
        assert "no engine is running" in screen
        assert "was PROTECTED" in screen
        assert "LONG 0.013 at 90786.6" in screen


@pytest.mark.rule("H-5", "H-6")
async def test_a_real_trade_is_explained(tmp_path: Path) -> None:
    """Armed, entered, protected, TP1, stop to breakeven, home: each with its rule, from the journal alone."""
    async with staged(tmp_path) as stage:
        await held(stage)
        await stage.price("91600.0")

        async def at_breakeven() -> bool:
            stops = [r for n, r in (await stage.alive()).items() if n.startswith("S")]
            return [Decimal(stop["trigger"]) for stop in stops] == [Decimal("90841.1")]

        await stage.until(at_breakeven)
        await stage.price("92900.0")

        async def over() -> bool:
            return stage.idle() and not await stage.alive()

        await stage.until(over)
        await stage.stop_engine()
        result = await jumar(tmp_path, "explain", "last", "--json")
        assert result.returncode == 0, result.stderr
        story = json.loads(result.stdout)
        lines = [(line["kind"], line["rule"], line["text"]) for line in story["timeline"]]
        kinds = [kind for kind, _, _ in lines]
        assert kinds[0] == "decision" and kinds[-1] == "summary"
        told = "\n".join(" ".join(line) for line in lines)
        for words in (
            "order S-1 armed stop 90380 for 0.013 (confirmed after ",
            "order E-2 entry: buy 0.013 at 90786.6, GTX (confirmed after ",
            "fill E-2 entry: bought 0.013 at 90786.6 (maker, fee ",
            "order S-2 backstop 90380 for the whole position (confirmed after ",
            "order T-1 tp1: sell 0.006 when last reaches 91600 (confirmed after ",
            "trigger T-1 tp1 91600 triggered",
            "order T-3 stop 90380 -> ",
            " -> 90841.1 for 0.007 (confirmed after ",
            "cancel S-4 cancelled stop ",
            "note Y-11 ",
            "end X-9 swept: every one of its ",
        ):
            assert words in told, f"{words}\n--\n{told}"
        assert all(line["rule"] for line in story["timeline"])
        assert story["time_to_protect_ms"] == 0
        assert story["trade"]["reason"] == "tp2"
        listed = json.loads((await jumar(tmp_path, "trades", "--json")).stdout)
        assert [trade["key"] for trade in listed["trades"]] == [story["trade"]["key"]]
        assert (await jumar(tmp_path, "explain", story["trade"]["key"][:4])).returncode == 0


@contextmanager
def on_a_terminal(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command on a terminal of its own, and the terminal's other end; it hears Ctrl-C.

    What runs in the background of a shell, this test for one, may have been told to ignore it, and hands that on.
    """
    ours, theirs = pty.openpty()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "jumar", *arguments],
            cwd=folder,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(theirs)
    with process:
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def test_watching_on_a_terminal_ends_with_ctrl_c(tmp_path: Path) -> None:
    """The real command on a real terminal: it draws, and an interrupt is its ordinary end."""
    (tmp_path / "jumar.toml").write_text(CONFIG)
    asyncio.run(write(tmp_path / "jumar.db", picture(held_life().board.world)))
    with on_a_terminal(tmp_path, "status", "--watch") as (process, ours):
        drawn = b""
        while b"LONG 0.013 at 90786.6" not in drawn:
            ready, _, _ = select.select([ours], [], [], SECONDS)
            assert ready, drawn
            drawn += os.read(ours, 65_536)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=SECONDS)
        assert (process.returncode, complaints) == (0, b"")
