"""One look into a database that may be trading: a connection that cannot write, and words for what goes wrong.

`database` is a URL as in `[store] url`, or a path. Promises that looking changes, creates and migrates nothing.
Knows nothing of what is asked.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from jumar.model.errors import ConfigError
from jumar.store.database import file_of, reader_engine, unavailable


def place_of(database: str | Path) -> Path:
    """Return the file of a database.

    Raises:
        ConfigError: it is a URL that names no file.
    """
    return file_of(database) if isinstance(database, str) and "://" in database else Path(database)


def existing(database: str | Path) -> Path:
    """Return the file of a database that is there.

    Raises:
        ConfigError: there is none; it says what makes one.
    """
    path = place_of(database)
    if not path.is_file():
        raise ConfigError(f"[store] url: there is no database at {path}: `jumar run` makes it")
    return path


def read[T](database: str | Path, look: Callable[[Connection], T]) -> T:
    """Open the database, look, and close it.

    Raises:
        ConfigError: it has not the tables of this version.
        StoreUnavailable: it cannot be read.
    """
    path = place_of(database)
    engine = reader_engine(path)
    try:
        with engine.connect() as connection:
            return look(connection)
    except OperationalError as error:
        raise _explained(path, error) from error
    except SQLAlchemyError as error:
        raise unavailable(path, error) from error
    finally:
        engine.dispose()


def rows(database: str | Path, statement: Select[Any]) -> list[Any]:
    """Ask one question; errors as `read`."""
    return read(database, lambda connection: list(connection.execute(statement).all()))


def _explained(path: Path, error: OperationalError) -> Exception:
    if str(error.orig).startswith(("no such table", "no such column")):
        return ConfigError(
            f"[store] url: {path} is not a database of this version ({error.orig}): "
            "`jumar run` brings an older one up to date"
        )
    return unavailable(path, error)
