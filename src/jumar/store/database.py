"""One database file: its URL, its connection and the words for its errors.

Promises that a commit is on the disk when it returns (WAL with `synchronous=FULL`), that foreign keys are
checked, that every error names the file, and that a statement is compiled once in a process, however many
databases it has open. Knows nothing of tables.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError
from sqlalchemy.util import LRUCache

from jumar.model.errors import ConfigError, StoreUnavailable

# Readers never block a writer in WAL mode; only a second writer (an operator's request, a backup) is waited for.
BUSY_TIMEOUT_MS = 2_000
# After these the database itself is in doubt, not what one caller wrote.
FATAL = (OperationalError, InternalError, InterfaceError)
_SAVEPOINT = "jumar"
# What a statement compiles to follows from the dialect alone: all databases of this process share it.
_COMPILED: LRUCache[Any, Any] = LRUCache(500)
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


def writer_engine(
    path: Path, *, busy_timeout_ms: int, opened: Callable[[sqlite3.Connection], None]
) -> Engine:
    """Return the engine of the one writer: one connection, every transaction holds the write lock from its start.

    Args:
        path: the database file; it is made when there is none.
        busy_timeout_ms: how long a commit waits for another process that writes.
        opened: called with each connection that the engine makes.
    """
    place = path.absolute()

    def connect() -> sqlite3.Connection:
        # sqlite3 must not open transactions by itself: BEGIN is ours, see `_begin`.
        connection = sqlite3.connect(
            place, timeout=busy_timeout_ms / 1000, check_same_thread=False, isolation_level=None
        )
        try:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()
            raise
        opened(connection)
        return connection

    engine = _engine(path, connect, spare=0)
    event.listen(engine, "begin", _begin)
    return engine


def reader_engine(path: Path) -> Engine:
    """Return an engine that cannot write; it may be used while the engine that trades runs, and afterwards."""
    address = f"{path.absolute().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)

    return _engine(path, connect, spare=10)


# `Any`: SQLAlchemy's protocol of a connection does not quite describe the one of `sqlite3`.
def _engine(path: Path, connect: Callable[[], Any], *, spare: int) -> Engine:
    pool = QueuePool(connect, pool_size=1, max_overflow=spare, dialect=_dialect())
    url = URL.create("sqlite", database=str(path))
    return Engine(pool, _dialect(), url, execution_options={"compiled_cache": _COMPILED})


@cache
def _dialect() -> Dialect:
    """The one dialect of this process: what is compiled for one is not found by another."""
    engine = create_engine("sqlite://")
    # Its first connection tells a dialect what this SQLite can do.
    engine.connect().close()
    engine.dispose()
    return engine.dialect


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def cut(connection: sqlite3.Connection) -> None:
    """Close a connection as the end of its process would: what was not committed is gone, the WAL stays as it is.

    One that is closed already stays so.
    """
    with suppress(sqlite3.ProgrammingError):  # it was closed before
        # Without this a statement that somebody has not read to its end would keep the transaction open.
        connection.rollback()
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
        connection.close()


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Take back what is written inside when it raises, and only that.

    After a fatal error nothing is taken back here: SQLite may already have rolled back the whole transaction, and
    asking for the savepoint would hide why.
    """
    connection.exec_driver_sql(f"SAVEPOINT {_SAVEPOINT}")
    try:
        yield
    except FATAL:
        raise
    except BaseException:
        connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        connection.exec_driver_sql(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        raise
    connection.exec_driver_sql(f"RELEASE SAVEPOINT {_SAVEPOINT}")


def unavailable(path: Path, error: Exception) -> StoreUnavailable:
    """Return the error of a database that failed, with its file and what it said."""
    said = getattr(error, "orig", None) or error
    return StoreUnavailable(f"{path}: {said}")
