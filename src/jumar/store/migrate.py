"""Bring a database to the schema of this version.

Promises that a database of a newer version, or of another program, is refused untouched, and that one which is
current costs two questions and no more.
"""

import sqlite3
from functools import cache

from sqlalchemy import Connection, StaticPool, create_engine

#: The newest revision under `migrations/versions`.
HEAD = "0003"


def migrate(connection: Connection) -> None:
    """Run the missing revisions in the connection's transaction.

    Raises:
        ConfigError: the database is not ours, or newer than this version.
    """
    if _current(connection):
        return
    from jumar.store.upgrade import upgrade  # noqa: PLC0415 - alembic is for a database that lacks something

    upgrade(connection)


def _current(connection: Connection) -> bool:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return False
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
    return list(found.scalars()) == [HEAD]


@cache
def blank_database() -> bytes:
    """Return a database file of this version that nobody has opened yet.

    Written to a path where neither a database nor the `-wal` file of one is, it spares `SqlStore.open` the
    revisions. It holds no identity: each copy is given one of its own when it is opened for the first time.
    """
    database = sqlite3.connect(":memory:")
    engine = create_engine("sqlite://", creator=lambda: database, poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            migrate(connection)
        return database.serialize()
    finally:
        engine.dispose()
