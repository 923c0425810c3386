"""What it is doing now: one picture for people and programs, honest about its age and about who runs."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console
from tests.journals import CONFIG, held, home, picture, records, write
from tests.worlds import NOW, world
from typer.testing import CliRunner

from jumar.model.command import Plan, Refusal
from jumar.model.journal import Incident, ModeChanged, Snapshot
from jumar.model.levels import BoundZone, MarketLevels
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderState, Role
from jumar.model.world import World
from jumar.ops.cli import status
from jumar.ops.cli.app import app
from jumar.ops.cli.asking import Asked, where
from jumar.ops.cli.status_screen import screen
from jumar.planner import ladder
from jumar.ports.clock import Clock
from jumar.reconciler.snapshot import snapshot
from jumar.store import pause, requests
from jumar.store.journal import SqlStore
from jumar.store.lock import WriterLock
from jumar.store.place import SqlitePlace


def file_of(asked: Asked) -> Path:
    """The file of the database that is asked."""
    assert asked.database.base is not None
    return asked.database.base


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """Where the tests look."""
    return Asked(
        account="main", database=SqlitePlace(tmp_path / "jumar.db"), symbols=("BTCUSDT", "ETHUSDT")
    )


def drawn(seen: dict[str, Any]) -> str:
    """The screen as text."""
    file = StringIO()
    Console(file=file, width=160, highlight=False).print(screen(seen))
    return file.getvalue()


def position() -> World:
    """The example, filled and protected."""
    return held().board.world


async def test_the_picture_and_what_follows_from_it(asked: Asked) -> None:
    """Position, cover and orders as written; distances from mark; an age; a symbol nobody has seen yet."""
    seen = position()
    await write(asked.database, picture(seen))
    told = status.look(asked, seen.now_ms + 3000)
    assert (told["account"], told["mode"], told["engine"]) == ("main", "NORMAL", {"pid": None})
    assert (told["as_of"], told["age_s"]) == ("2025-12-05T10:05:05.500Z", 3.0)
    btc = told["symbols"]["BTCUSDT"]
    assert btc["position"] == {"side": "long", "quantity": "0.013", "entry_price": "90786.6"}
    assert [(s["role"], s["price"], s["distance_pct"]) for s in btc["stops"]] == [
        ("stop", "90380", "-0.4845"),
        ("backstop", "90380", "-0.4845"),
    ]
    assert [(o["role"], o["distance_pct"]) for o in btc["orders"]] == [
        ("tp1", "0.8588"),
        ("tp2", "2.2902"),
    ]
    eth = told["symbols"]["ETHUSDT"]
    assert (eth["position"], eth["protected"], eth["cover"]) == (None, None, "unknown")
    assert json.loads(json.dumps(told)) == told
    assert "no picture yet" not in drawn(told)


async def test_the_strictest_mode_is_the_accounts(asked: Asked) -> None:
    """A mode as it is kept wins over the picture's, and the stricter of two symbols counts (M-1)."""
    none = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="closed at market", since_ms=NOW)
    flat = replace(none, mode=Mode.FLATTENING)
    await write(
        asked.database,
        picture(world()),
        ModeChanged(symbol="BTCUSDT", state=none),
        ModeChanged(symbol="ETHUSDT", state=flat),
    )
    told = status.look(asked, NOW)
    assert told["mode"] == "FLATTENING"
    assert told["symbols"]["BTCUSDT"]["mode"]["mode"] == "NO_ENTRIES"
    assert "NO_ENTRIES since 2025-12-05T10:05:05.000Z  S-8: closed at market" in drawn(told)


async def test_what_holds_the_account_holds_every_symbol(asked: Asked) -> None:
    """The account's row, or a pause that stands beside the database, beside what the symbol's own row says (M-6)."""
    held = ModeState(mode=Mode.NO_ENTRIES, rule="M-6", cause="paused by 1 person", since_ms=NOW)
    normal = replace(held, mode=Mode.NORMAL)
    await write(asked.database, picture(world()), ModeChanged(symbol="BTCUSDT", state=normal))
    assert status.look(asked, NOW)["account_mode"] is None
    await write(asked.database, ModeChanged(symbol=None, state=held))
    told = status.look(asked, NOW)
    assert told["mode"] == told["account_mode"]["mode"] == "NO_ENTRIES"
    assert {each["mode"]["cause"] for each in told["symbols"].values()} == {"paused by 1 person"}
    await write(asked.database, ModeChanged(symbol=None, state=normal))
    assert status.look(asked, NOW)["mode"] == "NORMAL"
    pause.leave(file_of(asked), cause="left beside it by 1 flatten", at_ms=NOW)
    assert "left beside it by 1 flatten" in drawn(status.look(asked, NOW))


async def test_what_heals_by_itself_stands_in_the_picture(asked: Asked) -> None:
    """It counts beside a kept NORMAL, which is newer than the picture and knows nothing of it (M-3)."""
    away = ladder.state("unreachable", "no read was answered for 11.0 s", NOW)
    seen = world()
    content = json.dumps(snapshot(seen, Plan(), (away,)))
    shot = Snapshot(symbol=seen.symbol, content=content, at_ms=seen.now_ms)
    kept = ModeState(mode=Mode.NORMAL, rule="M-1", cause="resumed", since_ms=NOW)
    await write(asked.database, shot)
    for _ in range(2):
        mode = status.look(asked, NOW)["symbols"]["BTCUSDT"]["mode"]
        assert (mode["mode"], mode["rule"]) == ("NO_ENTRIES", "M-3")
        await write(asked.database, ModeChanged(symbol="BTCUSDT", state=kept))


async def test_who_runs_is_the_locks_word(asked: Asked) -> None:
    """The process that holds the writer's lock, or that nobody does."""
    await write(asked.database, picture(world()))
    lock = WriterLock(file_of(asked))
    lock.take()
    told = status.look(asked, NOW + 2000)
    lock.release()
    assert told["engine"] == {"pid": os.getpid()}
    assert f"engine: process {os.getpid()}" in drawn(told)
    assert "as of 10:05:05 UTC, 2.0 s ago" in drawn(told)
    assert "no engine is running" in drawn(status.look(asked, NOW))


async def test_an_old_picture_is_not_told_as_the_present(asked: Asked) -> None:
    """Without an engine, or with one that writes nothing, it says what was and how long ago."""
    await write(asked.database, picture(position()))
    assert "was PROTECTED" in drawn(status.look(asked, NOW))  # nobody runs
    lock = WriterLock(file_of(asked))
    lock.take()
    fresh, stale = status.look(asked, NOW + 1000), status.look(asked, NOW + 60_000)
    lock.release()
    assert "was PROTECTED" not in drawn(fresh) and "PROTECTED" in drawn(fresh)
    assert "was PROTECTED" in drawn(stale) and "when last seen, 60 s ago" in drawn(stale)


async def test_naked_cannot_be_overlooked(asked: Asked) -> None:
    """A position without a confirmed stop is said to be NAKED, and the wished stop is no stop (H-6)."""
    seen = position()
    orders = tuple(
        replace(o, state=OrderState.UNKNOWN, acked_ms=None) if o.role is Role.STOP else o
        for o in seen.orders
        if o.role is not Role.BACKSTOP
    )
    await write(asked.database, picture(replace(seen, orders=orders)))
    told = status.look(asked, NOW)
    assert told["symbols"]["BTCUSDT"]["protected"] is False
    text = drawn(told)
    assert "NAKED: no confirmed stop covers it" in text
    assert "wished, not confirmed: unknown" in text


async def test_the_decision_is_told_with_its_reasons(asked: Asked) -> None:
    """Outcome, rule, code and the message with the numbers."""
    refusal = Refusal(code="stale", rule="D-3", message="decision is 700.0 s old")
    await write(asked.database, picture(world(), Plan(refusals=(refusal,))))
    text = drawn(status.look(asked, NOW))
    assert "decision long of 2025-12-05T10:05:00.000Z: refused" in text
    assert "D-3 stale: decision is 700.0 s old" in text


@pytest.mark.rule("L-3")
async def test_a_bound_zone_and_the_age_of_the_levels_are_told(asked: Asked) -> None:
    """Where the position will be left, and whether an exit was made there."""
    seen = position()
    seen = replace(seen, levels=MarketLevels(as_of_ms=seen.now_ms - 7000))
    assert seen.trade is not None
    zone = BoundZone(id="cluster_1", low=Decimal(91500), high=Decimal(91650))
    for used, words in ((False, "91650\n"), (True, "91650, an exit was made there\n")):
        trade = replace(seen.trade, zone=replace(zone, used=used))
        await write(asked.database, picture(replace(seen, trade=trade)))
        text = re.sub(r" +\n", "\n", drawn(status.look(asked, seen.now_ms)))
        assert f"  leaves in cluster_1, 91500 to {words}" in text
        assert "levels 7.0 s" in text


async def test_incidents_of_the_last_hour_and_the_day(asked: Asked) -> None:
    """Older ones and those of symbols that were not asked for are left out; today's result is net of fees."""
    life = home()
    recent = Incident(
        symbol="BTCUSDT", severity="critical", rule="S-7", message="no stop", at_ms=NOW
    )
    old = replace(recent, at_ms=NOW - 4_000_000, message="long ago")
    other = replace(recent, symbol="DOGEUSDT", message="elsewhere")
    account = replace(recent, symbol=None, severity="warning", message="of the account")
    await write(asked.database, *records(life), picture(life.world), recent, old, other, account)
    told = status.look(asked, life.world.now_ms)
    assert [each["message"] for each in told["incidents"]] == ["no stop", "of the account"]
    assert told["today"] == {
        "date": "2025-12-05",
        "ended": 1,
        "open": 0,
        "net_pnl": "-0.47602516",
        "fees": "0.47602516",
        "r_net": "-0.09",
    }
    assert "trades of 2025-12-05 (UTC): 1 ended, 0 open" in drawn(told)
    week = status.look(asked, life.world.now_ms + 7 * 86_400_000)
    assert week["today"]["ended"] == 1  # of an engine that ended, its last day


async def test_a_request_nobody_obeyed_yet_is_told(asked: Asked) -> None:
    """A person sees that what was asked for still waits."""
    await write(asked.database, picture(world()))
    requests.ask(asked.database, request="resume", symbol=None, asked_by="cli", at_ms=NOW)
    told = status.look(asked, NOW)
    assert told["requests"] == [{"symbol": None, "request": "resume", "asked_by": "cli"}]
    assert "asked, not yet obeyed: resume all symbols" in drawn(told)


def test_what_cannot_be_answered_is_one_message(tmp_path: Path) -> None:
    """No configuration, no database, an unknown symbol, another program's database: exit code 2 and the fix."""
    runner = CliRunner()

    def refused(*arguments: str) -> str:
        result = runner.invoke(app, list(arguments))
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        return result.stderr

    config = tmp_path / "jumar.toml"
    assert "cannot be read" in refused("status", "--config", str(config))
    config.write_text(CONFIG)
    here = ["--config", str(config)]
    for command in (["status"], ["trades"], ["explain", "last"], ["resume"]):
        assert f"there is no database at {tmp_path}/jumar.db" in refused(*command, *here)
    assert "--symbol: XRPUSDT is not configured" in refused("status", "--symbol", "XRPUSDT", *here)
    assert "leave --watch out" in refused("status", "--watch", "--json", *here)
    with sqlite3.connect(tmp_path / "jumar.db") as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    for command in (["status"], ["trades"], ["explain", "last"], ["resume"]):
        assert "is not a database of this version" in refused(*command, *here)
    assert not (tmp_path / "jumar.db-wal").exists()


async def test_a_database_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configuration every symbol of the database is told; the account's name is not known then."""
    monkeypatch.chdir(tmp_path)
    seen = world(symbol="SOLUSDT")
    await write(
        tmp_path / "other.db", Snapshot(symbol="SOLUSDT", content=picture(seen).content, at_ms=NOW)
    )
    told = status.look(where(None, database=f"sqlite:///{tmp_path}/other.db"), NOW)
    assert (told["account"], list(told["symbols"])) == (None, ["SOLUSDT"])
    (tmp_path / "jumar.toml").write_text(CONFIG)
    named = where(None, symbol="ethusdt", database=f"{tmp_path}/other.db")
    assert (named.account, named.symbols) == ("main", ("ETHUSDT",))


async def test_a_killed_engines_database_is_read_as_it_lies(tmp_path: Path, asked: Asked) -> None:
    """What was durable when the process went is told, from the files that it left behind."""
    store = SqlStore(f"sqlite:///{tmp_path}/alive.db")
    await store.open()
    await store.write([picture(position())])
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(tmp_path / f"alive.db{suffix}", tmp_path / f"jumar.db{suffix}")
    assert file_of(asked).with_name("jumar.db-wal").stat().st_size > 0
    told = status.look(asked, NOW)
    await store.close()
    assert told["engine"] == {"pid": None}
    assert told["symbols"]["BTCUSDT"]["position"]["side"] == "long"


class Impatient:
    """A clock whose owner presses Ctrl-C at the third look."""

    def __init__(self) -> None:
        self.looks = 0

    def now_ms(self) -> int:
        """Always the same moment."""
        return NOW

    async def sleep(self, seconds: float) -> None:
        """Wait for nothing."""
        self.looks += 1
        if self.looks == 3:
            raise KeyboardInterrupt


def test_watching_ends_with_ctrl_c(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """It looks again and again, and the end is no error."""
    asyncio.run(write(asked.database, picture(position())))
    clock = Impatient()
    status.watch(asked, cast("Clock", clock))
    assert clock.looks == 3
    assert "LONG 0.013 at 90786.6" in capsys.readouterr().out
