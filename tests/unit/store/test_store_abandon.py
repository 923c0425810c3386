"""A store whose process is gone: what it committed is there, nothing else, and the next one opens at once."""

import asyncio
import sqlite3
import threading
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.journal import EventSeen
from jumar.store import queries
from jumar.store.journal import SqlStore
from jumar.store.lock import holder
from jumar.store.sqlite import cut
from jumar.store.writer import InlineExecutor

KEY = "abcdefghij"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "jumar.db"


def note(text: str) -> EventSeen:
    """A line of the trade's story."""
    return EventSeen(symbol="BTCUSDT", trade_key=KEY, rule="S-1", message=text, at_ms=7)


def told(path: Path) -> list[str]:
    """The lines that another connection reads now."""
    return [line.message for line in queries.events(path, KEY)]


def inline(path: Path) -> SqlStore:
    """A store that does everything in the caller's thread and never waits for another writer."""
    return SqlStore(f"sqlite:///{path}", executor=InlineExecutor(), busy_timeout_ms=0)


def wal(path: Path) -> Path:
    """The log of a database."""
    return path.with_name(f"{path.name}-wal")


def content(file: Path) -> bytes:
    """What stands in a file, nothing when it is not there."""
    return file.read_bytes() if file.exists() else b""


class Killed(BaseException):
    """The end of a life."""


@pytest.mark.rule("P-6", "X-7")
async def test_lives_follow_each_other_on_one_database(path: Path) -> None:
    """Three lives that are never closed: each finds what the ones before it wrote, and who the database is."""
    stores, identities = [], set()
    for life in ("one", "two", "three"):
        store = inline(path)
        identities.add((await store.open()).store_id)
        await store.write([note(life)])
        assert holder(path) is not None
        store.abandon()
        assert holder(path) is None
        stores.append(store)
    assert len(identities) == 1
    assert told(path) == ["one", "two", "three"]


async def test_an_abandoned_store_leaves_the_wal_to_the_next(path: Path) -> None:
    """Nothing is tidied up: the next opening recovers from the log, as after a killed process."""
    store = inline(path)
    await store.open()
    await store.write([note("kept")])
    before = content(path), content(wal(path))
    assert before[1]
    store.abandon()
    assert (content(path), content(wal(path))) == before
    following = inline(path)
    await following.open()
    await following.close()
    assert not content(wal(path))
    assert told(path) == ["kept"]


async def test_an_abandoned_store_refuses_everything(path: Path) -> None:
    """What is left of the dead engine neither reads nor writes, nor takes the lock from the living one."""
    dead, alive = inline(path), inline(path)
    await dead.open()
    dead.abandon()
    await alive.open()
    for refused in (dead.write([note("late")]), dead.load("BTCUSDT"), dead.requests(), dead.open()):
        with pytest.raises(StoreUnavailable, match=r"jumar\.db"):
            await refused
    dead.abandon()
    await dead.close()
    with pytest.raises(ConfigError, match="in use by"):
        await inline(path).open()
    await alive.write([note("kept")])
    assert told(path) == ["kept"]
    await alive.close()


@pytest.mark.rule("X-2")
@pytest.mark.parametrize("raised", [None, Killed])
async def test_what_was_not_committed_is_gone(
    path: Path, raised: type[BaseException] | None
) -> None:
    """A store abandoned in the middle of a write commits nothing of it, whether the caller is stopped there or goes on."""
    store, following = inline(path), inline(path)
    await store.open()
    await store.write([note("kept")])

    def kill(_: Connection) -> None:
        store.abandon()
        if raised is not None:
            raise raised

    event.listen(store._engine, "commit", kill)
    with pytest.raises(raised or StoreUnavailable):
        await store.write([note("gone")])
    await following.open()
    await following.write([note("next")])
    await following.close()
    assert told(path) == ["kept", "next"]


async def test_a_statement_that_is_still_read_keeps_nothing_open(path: Path) -> None:
    """A cut connection gives the write lock back even while somebody holds rows of it."""
    store, following = inline(path), inline(path)
    await store.open()
    await store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO meta VALUES ('a', 'b')")
    rows = connection.execute("SELECT * FROM meta")
    assert next(rows)
    cut(connection)
    await following.open()
    await following.write([note("kept")])
    await following.close()
    cut(connection)
    assert told(path) == ["kept"]


async def test_before_opening_there_is_nothing_to_let_go(path: Path) -> None:
    """A store that was never opened, or failed to, is abandoned without a trace."""
    inline(path).abandon()
    assert list(path.parent.iterdir()) == []
    other = path.with_name("letter.txt")
    other.write_text("Dear Sir or Madam, " * 100)
    store = inline(other)
    with pytest.raises(ConfigError, match="not an SQLite database"):
        await store.open()
    store.abandon()
    assert holder(other) is None


def wait_until_shut(executor: Executor) -> None:
    """Return once nothing that was queued will run any more."""
    with suppress(RuntimeError):
        while True:
            executor.submit(lambda: None)


async def test_writes_that_wait_in_a_thread_are_never_made(path: Path) -> None:
    """With a thread of its own the work under way is waited for; what is queued behind it is dropped unheard."""
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    await store.write([note("kept")])
    held, release = threading.Event(), threading.Event()

    def wait() -> None:
        held.set()
        release.wait(10)

    store._executor.submit(wait)
    await asyncio.to_thread(held.wait, 10)
    waiting = asyncio.ensure_future(store.write([note("gone")]))
    await asyncio.sleep(0)
    ending = asyncio.ensure_future(asyncio.to_thread(store.abandon))
    await asyncio.to_thread(wait_until_shut, store._executor)
    assert holder(path) is not None
    release.set()
    await ending
    assert holder(path) is None
    assert not waiting.done()
    waiting.cancel()
    following = inline(path)
    await following.open()
    await following.close()
    assert told(path) == ["kept"]
