"""What all databases share: savepoints and the words for what went wrong.

Promises that every error names the database, never its password. Knows nothing of tables, and of what differs
between databases (see `sqlite.py` and `postgres.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError

from jumar.model.errors import StoreUnavailable
from jumar.store.place import Place, PostgresPlace

# How long a commit waits for another process that writes.
BUSY_TIMEOUT_MS = 2_000
# After these the database itself is in doubt, not what one caller wrote.
FATAL = (OperationalError, InternalError, InterfaceError)
_SAVEPOINT = "jumar"
# What PostgreSQL says of a table or column that is not there, and SQLite in words.
_MISSING = frozenset({"42P01", "42703"})
_MISSING_WORDS = ("no such table", "no such column")


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Take back what is written inside when it raises, and only that.

    After a fatal error nothing is taken back here: the database may already have rolled back the whole transaction,
    and asking for the savepoint would hide why.
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


def unavailable(place: Place | Path, error: Exception) -> StoreUnavailable:
    """Return the error of a database that failed, with its name and what it said."""
    said = str(getattr(error, "orig", None) or error).strip()
    return StoreUnavailable(f"{place}: {said}")


def failed(place: Place, error: Exception) -> StoreUnavailable:
    """Return the error of a database that failed, with the fix where it is a server that does not answer."""
    answered = not isinstance(error, OperationalError) or _sqlstate(error) is not None
    return unavailable(place, error) if answered else unreachable(place, error)


def unreachable(place: Place, error: Exception) -> StoreUnavailable:
    """Return the error of a database that cannot be opened; of a server with the way out."""
    failure = unavailable(place, error)
    if not isinstance(place, PostgresPlace):
        return failure
    said = str(failure)
    fix = "start the server, or correct [store] url"
    if "does not exist" in said:
        fix = "make the database and its user first, or correct [store] url"
    elif "password" in said:
        fix = "put the password into PGPASSWORD or a pgpass file, never into the configuration"
    return StoreUnavailable(f"{said}: {fix}")


def lacks_tables(error: DatabaseError) -> bool:
    """Whether a question failed because a table or column of this version is not there."""
    return _sqlstate(error) in _MISSING or str(error.orig).startswith(_MISSING_WORDS)


def _sqlstate(error: DatabaseError) -> str | None:
    """The code of a server's answer; None where it did not answer, and of SQLite."""
    return getattr(error.orig, "sqlstate", None)
