"""Where a journal is kept: an SQLite file or a database on a PostgreSQL server, from `[store] url` (Q-1).

Promises that a place tells itself without its password, that two names of one place are not compared by text alone
but by what they were parsed to, and that what lies beside a database (its pause, its tick record) is never put into
the current folder silently. Opens nothing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from jumar.model.errors import ConfigError

_EXAMPLE = 'write url = "sqlite:///jumar.db" (three slashes: relative, four: absolute)'
_OR_SERVER = 'or "postgresql://user@host:5432/database"'
_SQLITE = frozenset({"sqlite", "sqlite+pysqlite"})
_POSTGRESQL = frozenset({"postgresql", "postgresql+psycopg", "postgres"})
#: What libpq may be told in the query; options and names of sessions are the engine's own.
_QUERY = frozenset(
    {
        "channel_binding",
        "gssencmode",
        "host",
        "passfile",
        "port",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
    }
)


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """A database in one file."""

    file: Path

    @property
    def base(self) -> Path:
        """What the names of the files beside the database begin with: the file itself."""
        return self.file

    def __str__(self) -> str:
        return str(self.file)


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A database on a server.

    Attributes:
        url: for SQLAlchemy with psycopg; it may hold a password and is never shown.
        folder: where the pause and the tick record are kept; None where nobody said.
    """

    url: URL
    folder: Path | None = None

    @property
    def base(self) -> Path | None:
        """What the names of the files beside the database begin with; None without a folder."""
        if self.folder is None:
            return None
        host = _plain(self.host.rpartition("/")[2] if self.host.startswith("/") else self.host)
        return self.folder / f"{host}-{self.port}-{_plain(self.url.database or '')}"

    @property
    def host(self) -> str:
        """The server's host name, or the folder of its socket."""
        asked = self.url.query.get("host")
        return self.url.host or (asked if isinstance(asked, str) else None) or "localhost"

    @property
    def port(self) -> str:
        """The server's port, which is part of a socket's name too."""
        asked = self.url.query.get("port")
        return str(self.url.port or (asked if isinstance(asked, str) else None) or 5432)

    def __str__(self) -> str:
        user = f"{self.url.username}@" if self.url.username else ""
        return f"postgresql://{user}{self.host}:{self.port}/{self.url.database}"


type Place = SqlitePlace | PostgresPlace
#: How a place may be named: parsed, the path of an SQLite file, or a URL as in `[store] url`.
type Named = Place | Path | str


def place_of(database: Named, folder: Path | None = None) -> Place:
    """Return the place that a URL or a path names.

    Args:
        database: a URL as in `[store] url`, the path of a file, or a place, which stays itself.
        folder: where the files beside a database on a server are kept.

    Raises:
        ConfigError: it is a URL that names no file and no database of a server.
    """
    if isinstance(database, SqlitePlace | PostgresPlace):
        return database
    if isinstance(database, Path) or "://" not in database:
        return SqlitePlace(Path(database))
    return parse(database, folder)


def parse(url: str, folder: Path | None = None) -> Place:
    """Return the place that a URL names.

    Raises:
        ConfigError: it names none; the message holds no password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # What cannot be taken apart may hold a password anywhere.
        told = repr(url) if "@" not in url else "(not shown)"
        message = f"[store] url = {told} is not a database URL: {_EXAMPLE} {_OR_SERVER}"
        raise ConfigError(message) from error
    if parsed.drivername in _POSTGRESQL:
        return _on_a_server(parsed, folder)
    told = repr(_shown(parsed))
    if parsed.drivername not in _SQLITE:
        raise ConfigError(
            f"[store] url = {told}: only SQLite and PostgreSQL are supported: {_EXAMPLE} {_OR_SERVER}"
        )
    if not parsed.database or parsed.database == ":memory:" or parsed.host or parsed.query:
        raise ConfigError(
            f"[store] url = {told} names no file to keep the journal in: {_EXAMPLE} {_OR_SERVER}"
        )
    return SqlitePlace(Path(parsed.database))


def _on_a_server(parsed: URL, folder: Path | None) -> Place:
    told = _shown(parsed.set(drivername="postgresql", query={}))
    unknown = sorted(set(parsed.query) - _QUERY)
    if unknown:
        raise ConfigError(
            f"[store] url = {told!r}: {', '.join(unknown)} cannot be set there: take it out"
        )
    if any(not isinstance(value, str) for value in parsed.query.values()):
        raise ConfigError(f"[store] url = {told!r}: a parameter stands there twice: keep one")
    if not parsed.database or "/" in parsed.database:
        raise ConfigError(
            f"[store] url = {told!r} names no database: "
            'write url = "postgresql://user@host:5432/database"'
        )
    return PostgresPlace(parsed.set(drivername="postgresql+psycopg"), folder)


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)
