"""What a person asks the engine to do: a row that its next tick obeys, written beside whatever it is doing.

Promises to wait for a writer that is busy, and never to make or migrate a database. Knows nothing of who obeys.
"""

from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from jumar.store.backends import asking_engine
from jumar.store.database import failed
from jumar.store.place import Named
from jumar.store.reading import existing, read
from jumar.store.recall import operator_requests
from jumar.store.schema import operator_requests as table


def ask(database: Named, *, request: str, symbol: str | None, asked_by: str, at_ms: int) -> int:
    """Leave a request; on return it is durable. Returns its number.

    Args:
        database: a URL as in `[store] url`, a path or a place.
        request: what is wanted: `pause`, `resume` or `flatten`.
        symbol: None for all symbols of the account.
        asked_by: who asked, for the record.
        at_ms: exchange time.

    Raises:
        ConfigError: there is no database, or it has not the tables of this version.
        StoreUnavailable: it cannot be written.
    """
    place = existing(database)
    read(place, operator_requests)  # an older database is told apart before anything is written
    engine = asking_engine(place)
    values = {"symbol": symbol, "request": request, "asked_by": asked_by, "at_ms": at_ms}
    try:
        with engine.begin() as connection:
            left = connection.execute(insert(table).returning(table.c.seq), values)
            number: int = left.scalar_one()
            return number
    except SQLAlchemyError as error:
        raise failed(place, error) from error
    finally:
        engine.dispose()
