"""What a person asks the engine to do: a row that its next tick obeys, written beside whatever it is doing.

Promises to wait for a writer that is busy, and never to make or migrate a database. Knows nothing of who obeys.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, insert
from sqlalchemy.exc import SQLAlchemyError

from jumar.store.database import BUSY_TIMEOUT_MS, unavailable
from jumar.store.reading import existing, read
from jumar.store.recall import operator_requests
from jumar.store.schema import operator_requests as table


def ask(
    database: str | Path, *, request: str, symbol: str | None, asked_by: str, at_ms: int
) -> int:
    """Leave a request; on return it is durable. Returns its number.

    Args:
        database: a URL as in `[store] url`, or a path.
        request: what is wanted: `pause`, `resume` or `flatten`.
        symbol: None for all symbols of the account.
        asked_by: who asked, for the record.
        at_ms: exchange time.

    Raises:
        ConfigError: there is no database, or it has not the tables of this version.
        StoreUnavailable: it cannot be written.
    """
    path = existing(database)
    read(path, operator_requests)  # an older database is told apart before anything is written
    address = f"{path.absolute().as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)

    engine = create_engine("sqlite://", creator=connect)
    values = {"symbol": symbol, "request": request, "asked_by": asked_by, "at_ms": at_ms}
    try:
        with engine.begin() as connection:
            left = connection.execute(insert(table).returning(table.c.seq), values)
            number: int = left.scalar_one()
            return number
    except SQLAlchemyError as error:
        raise unavailable(path, error) from error
    finally:
        engine.dispose()
