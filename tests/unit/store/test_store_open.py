"""Opening: who the database is, which one is refused, and that its history ends at the schema in use."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.journal import Incident
from jumar.store import queries, schema
from jumar.store.journal import SqlStore

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
        ("sqlite+aiosqlite:///jumar.db", "only SQLite is supported"),
        ("mysql://u:secret@h/db", "only SQLite is supported"),
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
