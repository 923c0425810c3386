"""A journal in one SQLite file: its connections, its lock, and what is only true of files.

Promises that a commit is on the disk when it returns (WAL with `synchronous=FULL`), that foreign keys are checked,
that of all engines on one file one writes (X-7), and that a statement is compiled once in a process, however many
databases it has open. Knows nothing of tables.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.util import LRUCache

from jumar.model.errors import ConfigError
from jumar.ports.store import SOLE_WRITER, WriterState
from jumar.store.database import BUSY_TIMEOUT_MS
from jumar.store.lock import WriterLock

# What a statement compiles to follows from the dialect alone: all databases of this process share it.
_COMPILED: LRUCache[Any, Any] = LRUCache(500)


class SqliteWriter:
    """The one writer of a file (see `jumar.store.backends.Writer`)."""

    def __init__(self, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path
        self._lock = WriterLock(path)
        self._database: sqlite3.Connection | None = None
        self._opened_file: tuple[int, int] | None = None
        self.engine = writer_engine(path, busy_timeout_ms=busy_timeout_ms, opened=self._opened)

    @property
    def held(self) -> bool:
        """Whether the lock is held."""
        return self._lock.held

    def take(self) -> None:
        """Look at the file's place and take its lock.

        Raises:
            ConfigError: no database can be made there, or another engine holds the lock.
        """
        check_place(self._path)
        self._lock.take()

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def check(self, connection: Connection) -> None:  # noqa: ARG002 - as the interface says
        """Remember which file was opened."""
        found = self._path.stat()
        self._opened_file = (found.st_dev, found.st_ino)

    def enter(self, connection: Connection) -> None:
        """The lock is all: it is held as long as the process lives."""

    def assert_mine(self, connection: Connection) -> None:
        """Nobody takes a lock that is held."""

    def renew(self, connection: Connection) -> None:
        """It needs no renewal."""

    @property
    def renewal_due(self) -> bool:
        """Never."""
        return False

    @property
    def state(self) -> WriterState:
        """Whoever holds the lock writes alone."""
        return SOLE_WRITER

    def lost(self) -> str | None:
        """Whether lock or database were replaced underneath (X-7)."""
        try:
            place = self._path.stat()
        except OSError as error:
            return f"{self._path} cannot be found ({error.strerror})"
        if (place.st_dev, place.st_ino) != self._opened_file:
            return f"{self._path} was replaced"
        return self._lock.lost()

    def others_commits(self) -> tuple[sqlite3.Connection, int] | None:
        """What changes with every commit of another connection (SQLite's `data_version`)."""
        if self._database is None:
            return None
        try:
            (version,) = self._database.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None  # the question itself will say what is wrong
        return self._database, version

    def close(self) -> None:
        """Close the connection."""
        self.engine.dispose()

    def cut(self) -> None:
        """Close the connection as the end of the process would."""
        if self._database is not None:
            cut(self._database)

    def refused(self, error: DatabaseError) -> ConfigError | None:
        """What a person must change when the file is no database."""
        if "not a database" not in str(error.orig):
            return None
        return ConfigError(f"[store] url: {self._path} is not an SQLite database: name a new file")

    def _opened(self, database: sqlite3.Connection) -> None:
        self._database = database


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
    return _uri_engine(path, "ro", spare=10)


def asking_engine(path: Path) -> Engine:
    """Return an engine for what people leave beside the engine that trades; it makes no file."""
    return _uri_engine(path, "rw", spare=0)


def _uri_engine(path: Path, mode: str, *, spare: int) -> Engine:
    address = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)

    return _engine(path, connect, spare=spare)


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
