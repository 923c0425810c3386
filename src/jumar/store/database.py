"""One database file: its URL, its connection and the words for its errors.

Promises that a commit is on the disk when it returns (WAL with `synchronous=FULL`), that foreign keys are
checked, and that every error names the file. Knows nothing of tables.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from jumar.model.errors import ConfigError, StoreUnavailable

# Readers never block a writer in WAL mode; only a second writer (an operator's request, a backup) is waited for.
BUSY_TIMEOUT_MS = 2_000
# After these the database itself is in doubt, not what one caller wrote.
FATAL = (OperationalError, InternalError, InterfaceError)
_EXAMPLE = 'write url = "sqlite:///jumar.db" (three slashes: relative, four: absolute)'


def file_of(url: str) -> Path:
    """Return the file that a database URL names.

    Raises:
        ConfigError: it is no URL of a database in a file.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"[store] url = {url!r} is not a database URL: {_EXAMPLE}") from error
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        shown = parsed.render_as_string(hide_password=True)
        raise ConfigError(f"[store] url = {shown!r}: only SQLite is supported: {_EXAMPLE}")
    if not parsed.database or parsed.database == ":memory:" or parsed.host or parsed.query:
        raise ConfigError(f"[store] url = {url!r} names no file to keep the journal in: {_EXAMPLE}")
    return Path(parsed.database)


def check_place(path: Path) -> None:
    """Refuse a path at which no database can be made.

    Raises:
        ConfigError: its folder is missing or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise ConfigError(f"[store] url: the folder {path.parent} does not exist: make it first")
    if path.is_dir():
        raise ConfigError(f"[store] url: {path} is a folder: name a file in it")


def writer_engine(path: Path, *, busy_timeout_ms: int) -> Engine:
    """Return the engine of the one writer: one connection, every transaction holds the write lock from its start."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": busy_timeout_ms / 1000},
    )

    def connected(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        # sqlite3 must not open transactions by itself: BEGIN is ours, see `begun`.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def reader_engine(path: Path) -> Engine:
    """Return an engine that cannot write; it may be used while the engine that trades runs, and afterwards."""
    address = f"{path.absolute().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)

    return create_engine("sqlite://", creator=connect)


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Take back what is written inside when it raises, and only that.

    After a fatal error nothing is taken back here: SQLite may already have rolled back the whole transaction, and
    asking for the savepoint would hide why.
    """
    point = connection.begin_nested()
    try:
        yield
    except FATAL:
        raise
    except BaseException:
        point.rollback()
        raise
    point.commit()


def unavailable(path: Path, error: Exception) -> StoreUnavailable:
    """Return the error of a database that failed, with its file and what it said."""
    said = getattr(error, "orig", None) or error
    return StoreUnavailable(f"{path}: {said}")
