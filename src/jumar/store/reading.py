"""One look into a database that may be trading: a connection that cannot write, and words for what goes wrong.

`database` is a URL as in `[store] url`, a path or a place. Promises that looking changes, creates and migrates
nothing. Knows nothing of what is asked.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from jumar.model.errors import ConfigError
from jumar.store.backends import reader_engine
from jumar.store.database import failed, lacks_tables
from jumar.store.place import Named, Place, SqlitePlace, place_of


def existing(database: Named, folder: Path | None = None) -> Place:
    """Return the place of a database that is there; a server is asked later.

    Args:
        database: which one.
        folder: where the files beside a database on a server are kept.

    Raises:
        ConfigError: there is none; it says what makes one.
    """
    place = place_of(database, folder)
    if isinstance(place, SqlitePlace) and not place.file.is_file():
        raise ConfigError(f"[store] url: there is no database at {place}: `jumar run` makes it")
    return place


def read[T](database: Named, look: Callable[[Connection], T]) -> T:
    """Open the database, look, and close it.

    Raises:
        ConfigError: it has not the tables of this version.
        StoreUnavailable: it cannot be read.
    """
    place = place_of(database)
    engine = reader_engine(place)
    try:
        with engine.connect() as connection:
            return look(connection)
    except (OperationalError, ProgrammingError) as error:
        raise _explained(place, error) from error
    except SQLAlchemyError as error:
        raise failed(place, error) from error
    finally:
        engine.dispose()


def rows(database: Named, statement: Select[Any]) -> list[Any]:
    """Ask one question; errors as `read`."""
    return read(database, lambda connection: list(connection.execute(statement).all()))


def _explained(place: Place, error: OperationalError | ProgrammingError) -> Exception:
    if lacks_tables(error):
        said = str(error.orig).splitlines()[0]
        return ConfigError(
            f"[store] url: {place} is not a database of this version ({said}): "
            "`jumar run` brings an older one up to date"
        )
    return failed(place, error)
