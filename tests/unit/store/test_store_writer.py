"""The writer: durable on return, never in the loop's thread, many callers in one flush, nobody's error another's."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.journals import held, home, records

from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.ids import client_id
from jumar.model.journal import EquitySeen, EventSeen, Intent, StopConfirmed
from jumar.model.order import OwnOrder, Role
from jumar.store import queries
from jumar.store.journal import SqlStore
from jumar.store.migrate import blank_database
from jumar.store.place import Named, Place
from jumar.store.sqlite import _COMPILED
from jumar.store.writer import InlineExecutor

KEY = "abcdefghij"
# Refused by the database: no such stop was journaled.
WRONG = StopConfirmed(trade_key=KEY, client_id="jm-abcdefghij-S1", at_ms=1)


def note(text: str) -> EventSeen:
    """A line of the trade's story."""
    return EventSeen(symbol="BTCUSDT", trade_key=KEY, rule="S-1", message=text, at_ms=7)


def told(path: Named) -> list[str]:
    """The lines that another connection reads now."""
    return [line.message for line in queries.events(path, KEY)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "jumar.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    """An open store."""
    opened = SqlStore(f"sqlite:///{path}")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def shared(database: Place) -> AsyncIterator[SqlStore]:
    """An open store on each kind of database."""
    opened = SqlStore(database)
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.rule("Q-1")
async def test_every_commit_reaches_the_disk(store: SqlStore, path: Path) -> None:
    """The writing connection uses WAL, full sync and foreign keys."""
    with store._engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


_KILLED = """
import asyncio, os, signal, sys
from jumar.model.journal import EquitySeen
from jumar.store.journal import SqlStore
from decimal import Decimal
async def main():
    store = SqlStore(sys.argv[1])
    await store.open()
    await store.write([EquitySeen(equity=Decimal("10.5"), wallet=Decimal(10), at_ms=1)])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.rule("Q-1", "X-2")
def test_a_killed_process_loses_nothing_it_wrote(path: Path) -> None:
    """What `write` returned for is there after the process was killed in the next instruction."""
    command = [sys.executable, "-c", _KILLED, f"sqlite:///{path}"]
    ended = subprocess.run(command, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT equity FROM equity").fetchall() == [("10.5",)]
    connection.close()


async def test_the_loop_never_waits_for_the_disk(shared: SqlStore) -> None:
    """Every statement, and so every flush, runs on the store's own thread."""
    seen: set[str] = set()
    event.listen(shared._engine, "commit", lambda _: seen.add(threading.current_thread().name))
    event.listen(shared._engine, "begin", lambda _: seen.add(threading.current_thread().name))
    await shared.write([note("one")])
    await shared.load("BTCUSDT")
    assert len(seen) == 1
    assert seen.pop().startswith("jumar-store")


async def hold(store: SqlStore) -> threading.Event:
    """Keep the writer busy, so that the next writes wait together, until the event is set."""
    held, release = threading.Event(), threading.Event()

    def wait() -> None:
        held.set()
        release.wait(10)

    store._executor.submit(wait)
    await asyncio.to_thread(held.wait, 10)
    return release


async def test_one_callers_error_is_not_anothers(shared: SqlStore, database: Place) -> None:
    """Of many callers that share one commit, only the one that broke a rule hears of it."""
    release = await hold(shared)
    calls = [
        shared.write([note("first")]),
        shared.write([note("gone"), WRONG]),
        shared.write(
            [note("gone too"), EquitySeen(equity=Decimal("NaN"), wallet=Decimal(1), at_ms=1)]
        ),
        shared.write([note("last")]),
    ]
    gathered = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    release.set()
    outcomes = await gathered
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        InvariantBroken,
        StoreUnavailable,
        type(None),
    ]
    assert told(database) == ["first", "last"]


def another_stop(order: OwnOrder, attempt: int, trigger: Decimal) -> Intent:
    """A further stop of the same long."""
    name = client_id(key=order.trade_key, role=order.role, attempt=attempt)
    request = replace(order.request, client_id=name, trigger_price=trigger)
    return Intent(order=replace(order, attempt=attempt, request=request), tightness=trigger)


@pytest.mark.rule("S-3")
async def test_a_looser_stop_in_a_shared_commit_is_one_callers_error(
    shared: SqlStore, database: Place
) -> None:
    """The caller with the looser stop hears what the tightest is, and those before and after it are written."""
    life = held()
    await shared.write(records(life))
    resting = next(o for o in life.journal().values() if o.role is Role.STOP)
    price = resting.request.trigger_price or Decimal(0)
    release = await hold(shared)
    calls = [
        shared.write([note("first"), another_stop(resting, 7, price)]),
        shared.write([note("gone"), another_stop(resting, 8, price - Decimal("0.1"))]),
        shared.write([note("last"), another_stop(resting, 9, price)]),
    ]
    gathered = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    release.set()
    first, second, third = await gathered
    assert (first, third) == (None, None)
    assert isinstance(second, InvariantBroken)
    assert str(second).endswith(f"is looser than the tightest confirmed one at {price}")
    assert told(database) == ["first", "last"]
    kept = {order.attempt for order in (await shared.load("BTCUSDT")).orders}
    assert {7, 8, 9} & kept == {7, 9}


async def test_statements_are_compiled_once_for_all_stores(tmp_path: Path) -> None:
    """A second store of the process compiles nothing that the first one needed."""
    compiled = []
    for name in ("one.db", "two.db"):
        (tmp_path / name).write_bytes(blank_database())
        store = SqlStore(f"sqlite:///{tmp_path / name}", executor=InlineExecutor())
        await store.open()
        await store.write(records(home()))
        await store.load("BTCUSDT")
        await store.requests()
        await store.close()
        compiled.append(set(_COMPILED))
    assert compiled[0]
    assert compiled[0] == compiled[1]


async def test_callers_share_one_commit(shared: SqlStore, database: Place) -> None:
    """Twenty callers that wait together are flushed together, in their order."""
    commits: list[object] = []
    event.listen(shared._engine, "commit", commits.append)
    release = await hold(shared)
    gathered = asyncio.gather(*(shared.write([note(str(n))]) for n in range(20)))
    await asyncio.sleep(0)
    release.set()
    await gathered
    assert len(commits) == 1
    assert told(database) == [str(n) for n in range(20)]


async def test_a_cancelled_write_is_still_written(shared: SqlStore, database: Place) -> None:
    """Whoever stops waiting does not take back what was handed over."""
    release = await hold(shared)
    task = asyncio.create_task(shared.write([note("kept")]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await shared.close()
    assert told(database) == ["kept"]


async def test_an_inline_executor_needs_no_thread(path: Path) -> None:
    """On a loop of its own the store does everything in the caller's thread, durable on return."""
    before = threading.active_count()
    store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor(), new_store_id=lambda: "one")
    assert (await store.open()).store_id == "one"
    await store.write([note("kept")])
    with pytest.raises(InvariantBroken, match="S-3"):
        await store.write([note("gone"), WRONG])
    assert told(path) == ["kept"]
    assert (await store.load("BTCUSDT")).trade is None
    assert threading.active_count() == before
    await store.close()


async def test_a_database_held_by_another_is_unavailable(path: Path) -> None:
    """While another process holds the write lock, a write fails naming the file, and the next one succeeds."""
    store = SqlStore(f"sqlite:///{path}", busy_timeout_ms=20)
    await store.open()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"jumar\.db: database is locked"):
        await store.write([note("lost")])
    with pytest.raises(StoreUnavailable, match=r"jumar\.db: database is locked"):
        await store.load("BTCUSDT")
    other.execute("ROLLBACK")
    other.close()
    await store.write([note("kept")])
    assert told(path) == ["kept"]
    await store.close()


async def test_a_full_disk_is_unavailable_to_all(path: Path) -> None:
    """When the file cannot grow, every caller of the commit hears it, nothing is half written, and room heals it."""
    store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor())
    await store.open()
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match=r"jumar\.db: database or disk is full"):
        await store.write([note("small"), note("x" * 100_000)])
    assert told(path) == []
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    await store.write([note("small")])
    await store.close()


async def test_of_a_failed_commit_each_caller_hears_the_nearest_reason(
    store: SqlStore, path: Path
) -> None:
    """When the disk is full, the one that broke a rule before hears that, the others that nothing was written."""
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    release = await hold(store)
    calls = [
        store.write([note("first")]),
        store.write([WRONG]),
        store.write([note("x" * 100_000)]),
        store.write([note("last")]),
    ]
    gathered = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    release.set()
    full, broken = "StoreUnavailable", "InvariantBroken"
    outcomes = [type(outcome).__name__ for outcome in await gathered]
    assert outcomes == [full, broken, full, full]
    assert told(path) == []


@pytest.mark.parametrize("inline", [False, True])
async def test_a_closed_store_refuses(path: Path, inline: bool) -> None:
    """After closing, once or twice, reads, writes and opening are unavailable instead of hanging."""
    store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor() if inline else None)
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable, match=r"jumar\.db"):
        await store.write([note("late")])
    for refused in (store.load("BTCUSDT"), store.requests(), store.open()):
        with pytest.raises(StoreUnavailable, match=r"jumar\.db: the store is closed"):
            await refused
