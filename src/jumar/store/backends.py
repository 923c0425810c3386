"""Which database a place is, and what the store asks of each kind.

Promises one interface for both kinds, and that psycopg is loaded only where a server is meant. Knows nothing of tables.
"""

from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from jumar.model.errors import ConfigError
from jumar.ports.store import WriterState
from jumar.store import lock, sqlite
from jumar.store.lease import LeaseTerms
from jumar.store.place import Named, Place, SqlitePlace, place_of


class Writer(Protocol):
    """The one connection that writes, and the right to it (X-7)."""

    engine: Engine

    @property
    def held(self) -> bool:
        """Whether the right to write was taken and not given back."""
        ...

    def take(self) -> None:
        """Take the right to write; one that is held stays held.

        Raises:
            ConfigError: another engine has it, or no journal can be kept there.
            StoreUnavailable: the database cannot be reached.
        """
        ...

    def release(self) -> None:
        """Give it back; one that is not held stays so."""
        ...

    def check(self, connection: Connection) -> None:
        """Called in the transaction that opens and migrates, before anything else."""
        ...

    def enter(self, connection: Connection) -> None:
        """Called at the end of that transaction: from its commit on this one writes."""
        ...

    def assert_mine(self, connection: Connection) -> None:
        """Called in every transaction that writes, before anything else.

        Raises:
            Superseded: another engine has taken over.
        """
        ...

    def renew(self, connection: Connection) -> None:
        """Keep the right for longer, in a transaction of its own.

        Raises:
            Superseded: another engine has taken over.
        """
        ...

    @property
    def renewal_due(self) -> bool:
        """Whether it is time to."""
        ...

    @property
    def state(self) -> WriterState:
        """How sure it is that this one alone writes."""
        ...

    def lost(self) -> str | None:
        """Why others are no longer kept out, None while they are."""
        ...

    def others_commits(self) -> object | None:
        """What changes with every commit of another connection; None where that is not told."""
        ...

    def close(self) -> None:
        """Close every connection in an orderly way."""
        ...

    def cut(self) -> None:
        """Close the connection as the end of the process would: nothing is flushed."""
        ...

    def refused(self, error: DatabaseError) -> ConfigError | None:
        """What a person must change, where that is why the database cannot be opened."""
        ...


def writer_of(place: Place, *, busy_timeout_ms: int, terms: LeaseTerms) -> Writer:
    """Return the writer of a place; nothing is opened yet.

    Args:
        place: which database.
        busy_timeout_ms: how long a commit waits for others that write.
        terms: of the lease, where there is one.
    """
    if isinstance(place, SqlitePlace):
        return sqlite.SqliteWriter(place.file, busy_timeout_ms=busy_timeout_ms)
    from jumar.store import postgres  # noqa: PLC0415 - only where a server is meant

    return postgres.PostgresWriter(place, busy_timeout_ms=busy_timeout_ms, terms=terms)


def reader_engine(place: Place) -> Engine:
    """Return an engine that cannot write; it may be used while the engine that trades runs, and afterwards."""
    if isinstance(place, SqlitePlace):
        return sqlite.reader_engine(place.file)
    from jumar.store import postgres  # noqa: PLC0415 - only where a server is meant

    return postgres.reader_engine(place)


def asking_engine(place: Place) -> Engine:
    """Return an engine for what people leave beside the engine that trades; it makes no database."""
    if isinstance(place, SqlitePlace):
        return sqlite.asking_engine(place.file)
    from jumar.store import postgres  # noqa: PLC0415 - only where a server is meant

    return postgres.asking_engine(place)


def holder(database: Named) -> int | None:
    """Return the id of the process whose engine holds a database; None when none does.

    Raises:
        ConfigError: the URL names no database, or the system has no such locks.
        StoreUnavailable: it cannot be found out.
    """
    place = place_of(database)
    if isinstance(place, SqlitePlace):
        return lock.holder(place.file)
    from jumar.store import postgres  # noqa: PLC0415 - only where a server is meant

    return postgres.holder(place)
