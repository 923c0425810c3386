"""Opening: who the database is, which one is refused, and that its history ends at the schema in use."""

import sqlite3
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.journal import Incident
from jumar.store import migrations, queries, schema
from jumar.store.journal import SqlStore
from jumar.store.migrate import HEAD, blank_database
from jumar.store.writer import InlineExecutor

TABLES = """decisions refusals trades orders fills stop_moves reconciliations incidents equity events
operator_requests lease probes meta alembic_version"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "jumar.db"


def definitions(path: Path) -> dict[str, list[str]]:
    """Every table and index as SQLite keeps it, blanks and the order of columns and constraints aside."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    kept = {
        name: sorted(" ".join(sql.split()).removesuffix(")").rstrip().split(", "))
        for name, sql in found.fetchall()
    }
    connection.close()
    return kept


@pytest.mark.rule("Q-2")
async def test_the_migrations_end_at_the_schema(path: Path, tmp_path: Path) -> None:
    """Running all revisions gives the tables, columns, checks and indexes of the metadata."""
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    await store.close()
    direct = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{direct}")
    schema.metadata.create_all(engine)
    engine.dispose()
    migrated = definitions(path)
    assert set(TABLES.split()) <= set(migrated)
    del migrated["alembic_version"]
    assert migrated == definitions(direct)


@pytest.mark.rule("Q-1")
def test_the_newest_revision_is_known() -> None:
    """The revision that a current database is told by is the one that the scripts lead to."""
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head() == HEAD


@pytest.fixture
def without_alembic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants to run revisions fails."""
    monkeypatch.setitem(sys.modules, "jumar.store.upgrade", None)


async def open_and_close(path: Path, store_id: str = "given") -> tuple[str, bool]:
    """Open a database once; who it is and whether it is fresh."""
    store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor(), new_store_id=lambda: store_id)
    try:
        found = await store.open()
    finally:
        await store.close()
    return found.store_id, found.fresh


@pytest.mark.usefixtures("without_alembic")
async def test_a_new_database_needs_the_revisions(path: Path) -> None:
    """What the next two tests rely on: without the revisions no database is made."""
    with pytest.raises(ImportError):
        await open_and_close(path)


async def test_a_current_database_needs_no_revision(
    path: Path, request: pytest.FixtureRequest
) -> None:
    """A start on a database of this version does not even load what would bring it up to date."""
    await open_and_close(path)
    request.getfixturevalue("without_alembic")
    assert await open_and_close(path, "another") == ("given", True)


async def test_an_older_database_is_brought_up_to_date(path: Path, tmp_path: Path) -> None:
    """A database of the first revision gets what it lacks, and stays who it was."""
    config = Config()
    config.set_main_option("script_location", "jumar.store:migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO meta VALUES ('store_id', 'old')")
    engine.dispose()
    assert "snapshots" not in definitions(path)
    assert await open_and_close(path) == ("old", True)
    await open_and_close(tmp_path / "new.db")
    assert definitions(path) == definitions(tmp_path / "new.db")


@pytest.mark.rule("X-1", "Q-2")
async def test_copies_of_the_blank_database_are_databases_of_their_own(
    path: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A copy opens without revisions, has the tables of a new database, and an identity that no other copy has."""
    await open_and_close(tmp_path / "new.db")
    blank = blank_database()
    request.getfixturevalue("without_alembic")
    assert blank_database() == blank
    for name in ("one", "two"):
        copy = tmp_path / f"{name}.db"
        copy.write_bytes(blank)
        assert await open_and_close(copy, name) == (name, True)
        assert await open_and_close(copy, "third") == (name, True)
        assert definitions(copy) == definitions(tmp_path / "new.db")


@pytest.mark.rule("X-1")
async def test_a_database_keeps_its_identity(path: Path, tmp_path: Path) -> None:
    """The identity is made once with the database, kept by later starts, and differs from another database's."""
    url = f"sqlite:///{path}"
    identities = []
    for address in (url, url, f"sqlite:///{tmp_path / 'other.db'}"):
        store = SqlStore(address)
        identities.append(await store.open())
        await store.close()
    assert identities[0] == identities[1]
    assert identities[0].store_id != identities[2].store_id


@pytest.mark.rule("D-7")
async def test_a_database_without_a_journal_is_fresh(path: Path) -> None:
    """A database stays fresh until its first intent, whatever else it holds."""
    store = SqlStore(f"sqlite:///{path}")
    assert (await store.open()).fresh
    await store.write([Incident(symbol=None, severity="info", rule="Y-9", message="x", at_ms=1)])
    assert (await store.open()).fresh
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(
        "INSERT INTO orders (client_id, trade_key, symbol, role, attempt, side, type, reduce_only,"
        " close_position, rule, cause, journaled_ms, state, updated_ms, filled_quantity, misses)"
        " VALUES ('x', 'k', 'BTCUSDT', 'E', 1, 'BUY', 'LIMIT', 0, 0, '', '', 1, 'ended', 1, '0', '[]')"
    )
    connection.commit()
    connection.close()
    assert not (await store.open()).fresh
    await store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is not a database URL"),
        ("jumar.db", "is not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://jumar.db", "names no file"),
        ("sqlite:///jumar.db?mode=memory", "names no file"),
        ("sqlite+aiosqlite:///jumar.db", "only SQLite and PostgreSQL are supported"),
        ("mysql://u:secret@h/db", "only SQLite and PostgreSQL are supported"),
    ],
)
def test_a_wrong_url_is_named(url: str, said: str) -> None:
    """A URL that names no database file is one error with the field and an example of the fix, without its secret."""
    with pytest.raises(ConfigError) as caught:
        SqlStore(url)
    message = str(caught.value)
    assert message.startswith("[store] url = ")
    assert said in message
    assert 'write url = "sqlite:///jumar.db"' in message
    assert "secret" not in message


async def test_a_wrong_place_is_named(tmp_path: Path) -> None:
    """A missing folder, a folder, a file that is no database and a foreign database are refused at start."""
    letter, foreign = tmp_path / "letter.txt", tmp_path / "foreign.db"
    letter.write_text("Dear Sir or Madam, " * 100)
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    for place, said in (
        (tmp_path / "none" / "jumar.db", "does not exist: make it first"),
        (tmp_path, "is a folder: name a file in it"),
        (letter, "is not an SQLite database"),
        (foreign, "database of another program"),
    ):
        store = SqlStore(f"sqlite:///{place}")
        with pytest.raises(ConfigError, match=said):
            await store.open()
        await store.close()
    assert set(definitions(foreign)) == {"recipes"}


async def test_a_newer_database_is_refused(path: Path) -> None:
    """A database of a later version is not touched: the fix is to upgrade."""
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigError, match="newer version \\(schema 9999\\): upgrade Jumar"):
        await store.open()
    await store.close()


async def test_a_failed_migration_leaves_nothing(path: Path) -> None:
    """A start that fails while it makes the tables leaves no half-made database behind."""
    store = SqlStore(f"sqlite:///{path}", new_store_id=lambda: 1 / 0)  # type: ignore[arg-type,return-value]  # breaks on purpose
    with pytest.raises(ZeroDivisionError):
        await store.open()
    assert definitions(path) == {}
    await store.close()


def test_a_reader_names_the_file_it_cannot_read(path: Path) -> None:
    """Asking a database that does not exist names the file and does not make one."""
    with pytest.raises(StoreUnavailable, match=r"jumar\.db"):
        queries.unresolved_intents(path)
    assert not path.exists()
