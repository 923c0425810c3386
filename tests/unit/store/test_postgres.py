"""A journal on a server: durable, one writer, back after a restart of the server, and which server is refused."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from tests import postgres
from tests.databases import execute, rows

from jumar.model.errors import ConfigError, StoreUnavailable, Superseded
from jumar.model.journal import EventSeen, ModeChanged
from jumar.model.mode import Mode, ModeState
from jumar.store import asked, guard, pause, requests, schema
from jumar.store.backends import holder
from jumar.store.journal import SqlStore
from jumar.store.place import Place, PostgresPlace, parse
from jumar.store.writer import InlineExecutor

pytestmark = pytest.mark.xdist_group("postgresql")
NORMAL = ModeState(mode=Mode.NORMAL, rule="M-1", cause="resumed", since_ms=9)


@pytest.fixture
def place(server: postgres.Server, tmp_path: Path) -> Place:
    """A database of this version that nobody has opened."""
    return parse(server.fresh(template="blank"), tmp_path)


@pytest.fixture
def empty(server: postgres.Server, tmp_path: Path) -> Place:
    """A database without a table."""
    return parse(server.fresh(), tmp_path)


@pytest.fixture(scope="module")
def own_server() -> Iterator[postgres.Server]:
    """A server that a test may stop."""
    tools = postgres.binaries()
    if tools is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install -y postgresql")
    with postgres.running(tools) as running:
        yield running


def note(text: str) -> EventSeen:
    """A line of the trade's story."""
    return EventSeen(symbol="BTCUSDT", trade_key="abcdefghij", rule="S-1", message=text, at_ms=7)


def told(place: Place) -> list[str]:
    """The lines that another connection reads now."""
    return [row[0] for row in rows(place, "SELECT message FROM events ORDER BY seq")]


def session(place: Place) -> psycopg.Connection:
    """Somebody else on the same database."""
    assert isinstance(place, PostgresPlace)
    url = place.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


def end_of_the_writer(other: psycopg.Connection) -> None:
    """End the session that writes, as a lost network would, and return when the server has freed its lock."""
    found = guard.holder(other)
    assert found is not None
    other.execute("SELECT pg_terminate_backend(%s, 5000)", (found.backend,))
    assert guard.holder(other) is None


async def opened_and_closed(url: str) -> None:
    """As an engine's start and end."""
    store = SqlStore(url)
    await store.open()
    await store.close()


# durable


@pytest.mark.rule("Q-1", "X-2")
async def test_every_commit_reaches_the_servers_disk(place: Place) -> None:
    """Whatever server and role have set, and nothing waits for ever."""
    with session(place) as other:
        other.execute(f"ALTER DATABASE {other.info.dbname} SET synchronous_commit = off")
    store = SqlStore(place)
    await store.open()
    with store._engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("synchronous_commit", "fsync", "lock_timeout", "statement_timeout")
        }
    assert found == {
        "synchronous_commit": "on",
        "fsync": "on",
        "lock_timeout": "2s",
        "statement_timeout": "10s",
    }
    await store.close()


_KILLED = """
import asyncio, os, signal, sys
from jumar.model.journal import EventSeen
from jumar.store.journal import SqlStore
async def main():
    store = SqlStore(sys.argv[1])
    await store.open()
    await store.write([EventSeen(symbol=None, trade_key=None, rule="X-2", message="kept", at_ms=1)])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.rule("Q-1", "X-2", "X-7")
def test_a_killed_process_loses_nothing_and_frees_the_database(
    server: postgres.Server,
) -> None:
    """What `write` returned for is there, and the next engine opens."""
    url = server.fresh(template="blank")
    ended = subprocess.run([sys.executable, "-c", _KILLED, url], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert told(parse(url)) == ["kept"]
    # the server frees the lock as soon as it sees the closed socket
    with session(parse(url)) as other:
        while guard.holder(other) is not None:
            continue
    asyncio.run(opened_and_closed(url))


# one writer


@pytest.mark.rule("X-7")
async def test_a_second_engine_is_refused_and_told_who_holds_the_database(place: Place) -> None:
    """With the process, its machine and the server's own; looking takes nothing; closing frees it."""
    first, second = SqlStore(place), SqlStore(place)
    assert holder(place) is None
    await first.open()
    with pytest.raises(ConfigError) as caught:
        await second.open()
    message = str(caught.value)
    assert message.startswith(f"[store] url: {place} is in use by process {os.getpid()} on ")
    assert "(server process " in message
    assert message.endswith(": end that one first, or name another database")
    assert holder(place) == os.getpid()
    with pytest.raises(StoreUnavailable, match="not open"):
        await second.write([note("lost")])
    await first.open()
    await first.write([note("kept")])
    await first.close()
    assert holder(place) is None
    await second.open()
    await second.close()
    assert told(place) == ["kept"]


@pytest.mark.rule("X-7")
async def test_databases_of_one_server_are_held_side_by_side(place: Place, empty: Place) -> None:
    """The lock is the database's, not the server's."""
    stores = [SqlStore(place), SqlStore(empty)]
    for store in stores:
        await store.open()
        await store.write([note("mine")])
    for store in stores:
        await store.close()
    assert told(place) == told(empty) == ["mine"]


@pytest.mark.rule("X-7")
async def test_a_session_that_was_lost_takes_the_lock_again_before_it_writes(place: Place) -> None:
    """Nobody came in between: the next write is made by a session that holds the lock."""
    store = SqlStore(place)
    await store.open()
    with session(place) as other:
        end_of_the_writer(other)
        await store.write([note("kept")])
        assert holder(place) == os.getpid()
    await store.close()
    assert told(place) == ["kept"]


@pytest.mark.rule("X-7")
async def test_who_lost_the_lock_to_another_writes_nothing(place: Place) -> None:
    """Neither a write nor a look is made any more: the other's name is told, and the way out."""
    store, following = SqlStore(place), SqlStore(place)
    await store.open()
    with session(place) as other:
        end_of_the_writer(other)
    await following.open()
    said = r"process \d+ on .* has taken over; its epoch is 2"
    for refused in (store.write([note("gone")]), store.requests(), store.load("BTCUSDT")):
        with pytest.raises(Superseded, match=said):
            await refused
    await following.write([note("kept")])
    await following.close()
    with pytest.raises(Superseded, match=r"it has epoch 2.*ours was 1"):
        await store.write([note("never again")])
    await store.close()
    assert told(place) == ["kept"]


@pytest.mark.parametrize("inline", [False, True])
async def test_an_abandoned_store_frees_the_database_at_once(place: Place, inline: bool) -> None:
    """As the end of its process would: what was committed stays, it refuses everything."""
    store = SqlStore(place, executor=InlineExecutor() if inline else None)
    await store.open()
    await store.write([note("kept")])
    store.abandon()
    with pytest.raises(StoreUnavailable):
        await store.write([note("gone")])
    following = SqlStore(place)
    with session(place) as other:
        while guard.holder(other) is not None:
            assert holder(place) in {None, os.getpid()}
    await following.open()
    await following.close()
    assert told(place) == ["kept"]


# the server goes and comes back


@pytest.mark.rule("Q-1", "X-7")
async def test_a_server_that_was_down_is_used_again(own_server: postgres.Server) -> None:
    """Crashed and started: what was written is there, the same store goes on and holds the lock again."""
    place = parse(own_server.fresh(template="blank"))
    store = SqlStore(place)
    await store.open()
    await store.write([note("before")])
    own_server.stop("immediate")
    for refused in (store.write([note("lost")]), store.load("BTCUSDT"), store.requests()):
        with pytest.raises(StoreUnavailable, match="start the server, or correct") as caught:
            await refused
        assert str(caught.value).startswith(f"{place}: ")
    own_server.start()
    await store.write([note("after")])
    assert told(place) == ["before", "after"]
    assert holder(place) == os.getpid()
    own_server.stop()
    own_server.start()
    await store.write([note("at once")])
    assert told(place) == ["before", "after", "at once"]
    await store.close()


@pytest.mark.rule("Q-1")
async def test_a_server_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    """At the start, to whoever asks and to whoever wants to know who runs; the password is told nowhere."""
    url = f"postgresql://me:hush@/db?host={tmp_path}&port=6000"
    said = f"^postgresql://me@{tmp_path}:6000/db: .*start the server, or correct"
    store = SqlStore(url)
    with pytest.raises(StoreUnavailable, match=f"(?s){said}") as caught:
        await store.open()
    assert "hush" not in str(caught.value)
    await store.close()
    for ask in (asked.present, holder):
        with pytest.raises(StoreUnavailable, match=f"(?s){said}"):
            ask(url)


async def test_a_missing_database_is_named(server: postgres.Server) -> None:
    """With the fix."""
    store = SqlStore(server.url("nothing"))
    with pytest.raises(StoreUnavailable, match="make the database and its user first"):
        await store.open()
    await store.close()


# which database is ours


@pytest.mark.rule("Q-1", "Q-2")
async def test_the_migrations_end_at_the_schema(empty: Place) -> None:
    """All revisions give the tables, columns, indexes and keys of the metadata, the ratchet and the open trade's too."""
    store = SqlStore(empty)
    assert (await store.open()).fresh
    await store.close()
    assert isinstance(empty, PostgresPlace)
    engine = create_engine(empty.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()
    checks = rows(empty, "SELECT conname FROM pg_constraint WHERE contype = 'c'")
    assert (schema.RATCHET_CHECK,) in checks
    index = rows(
        empty, f"SELECT indexdef FROM pg_indexes WHERE indexname = '{schema.OPEN_TRADE_INDEX}'"
    )
    assert "UNIQUE" in index[0][0] and "ended_ms IS NULL" in index[0][0]


async def test_foreign_and_newer_databases_are_refused(place: Place, empty: Place) -> None:
    """Untouched, by the engine and by whoever asks."""
    execute(empty, "CREATE TABLE cats (name TEXT)")
    execute(place, "UPDATE alembic_version SET version_num = '9999'")
    for refused, said in ((empty, "database of another program"), (place, "upgrade Jumar")):
        store = SqlStore(refused)
        with pytest.raises(ConfigError, match=said):
            await store.open()
        assert holder(refused) is None
        await store.close()
    with pytest.raises(ConfigError, match="is not a database of this version"):
        asked.present(empty)
    with pytest.raises(ConfigError, match="is not a database of this version"):
        requests.ask(empty, request="pause", symbol=None, asked_by="cli", at_ms=1)
    tables = rows(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert tables == [("cats",)]


async def test_a_failed_migration_leaves_nothing(empty: Place) -> None:
    """A start that fails while it makes the tables leaves no half-made database behind."""
    store = SqlStore(empty, new_store_id=lambda: 1 / 0)  # type: ignore[arg-type,return-value]  # breaks on purpose
    with pytest.raises(ZeroDivisionError):
        await store.open()
    assert rows(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    await store.close()


async def test_a_database_that_cannot_keep_any_text_is_refused(server: postgres.Server) -> None:
    """The reason of a trade may be written in any language."""
    url = server.fresh(encoding="LATIN1")
    store = SqlStore(url)
    with pytest.raises(ConfigError, match="server_encoding is LATIN1: make the database with"):
        await store.open()
    await store.close()


async def test_a_server_without_fsync_is_refused(own_server: postgres.Server) -> None:
    """Its commits are lost with the power: no order may rely on them."""
    own_server.stop("immediate")
    own_server.start("fsync=off")
    store = SqlStore(own_server.fresh())
    with pytest.raises(ConfigError, match="fsync is off: set fsync = on"):
        await store.open()
    await store.close()
    own_server.stop("immediate")
    own_server.start()


# beside it


@pytest.mark.rule("M-6")
async def test_a_pause_lies_in_the_configured_folder(place: Place, tmp_path: Path) -> None:
    """A start reads it, and the resume of the account takes it away."""
    assert place.base is not None and place.base.parent == tmp_path
    left = pause.leave(place.base, cause="flattened by 1 person", at_ms=70)
    store = SqlStore(place)
    mode = (await store.open()).mode
    assert mode is not None and mode.code == "all_paused"
    await store.write([ModeChanged(symbol=None, state=NORMAL)])
    await store.close()
    assert not left.exists()


@pytest.mark.rule("M-6")
async def test_without_a_folder_nothing_is_kept_beside(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is put into the current folder, and a resume goes on without."""
    monkeypatch.chdir(tmp_path)
    assert isinstance(place, PostgresPlace)
    store = SqlStore(PostgresPlace(place.url))
    assert (await store.open()).mode is None
    await store.write([ModeChanged(symbol=None, state=NORMAL)])
    await store.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - an empty folder is asked for its names
