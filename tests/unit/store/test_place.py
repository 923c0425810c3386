"""Where a journal is kept: what a URL names, what is wrong with one, and what is shown of it."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from jumar.model.errors import ConfigError
from jumar.store.place import PostgresPlace, SqlitePlace, parse, place_of


@pytest.mark.rule("Q-1")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me@host/db", "postgresql://me@host:5432/db"),
        ("postgresql://me:hush@host:6000/db", "postgresql://me@host:6000/db"),
        ("postgresql+psycopg://host/db", "postgresql://host:5432/db"),
        ("postgresql:///db", "postgresql://localhost:5432/db"),
        ("postgresql://me@/db?host=/run/pg&port=6000", "postgresql://me@/run/pg:6000/db"),
    ],
)
def test_a_server_is_shown_without_its_password(url: str, shown: str) -> None:
    """With user, host, port and database; the password stays inside."""
    place = parse(url)
    assert isinstance(place, PostgresPlace)
    assert str(place) == shown
    assert "hush" not in f"{place}{place!r}"
    assert place.url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:hush@host", "names no database"),
        ("postgresql://me:hush@host/", "names no database"),
        ("postgresql://me:hush@host/a/b", "names no database"),
        ("postgresql://me:hush@host/db?options=-cfsync", "options cannot be set there"),
        ("postgresql://me@host/db?password=hush", "password cannot be set there"),
        ("postgresql://me@h/db?host=a&host=b", "stands there twice"),
        ("postgresql://me:hush@host:port/db", "is not a database URL"),
        ("postgresql+asyncpg://me:hush@host/db", "only SQLite and PostgreSQL are supported"),
    ],
)
def test_a_wrong_server_is_named(url: str, said: str) -> None:
    """With the field and the fix, without the password."""
    with pytest.raises(ConfigError) as caught:
        parse(url)
    message = str(caught.value)
    assert message.startswith("[store] url = ")
    assert said in message
    assert "hush" not in message


def test_what_lies_beside_a_database(tmp_path: Path) -> None:
    """Beside a file; of a server in the folder that was given, under a name that tells which; nowhere without one."""
    url = "postgresql://me@host/db"
    assert SqlitePlace(tmp_path / "a.db").base == tmp_path / "a.db"
    assert parse(url).base is None
    assert parse(url, tmp_path).base == tmp_path / "host-5432-db"
    assert parse("postgresql:///my%20db?host=/run/pg", tmp_path).base == tmp_path / "pg-5432-my_db"


def test_a_place_may_be_named_in_three_ways(tmp_path: Path) -> None:
    """By a URL, by a path, and by itself."""
    file = SqlitePlace(tmp_path / "a.db")
    assert place_of(f"sqlite:///{tmp_path}/a.db") == place_of(tmp_path / "a.db") == file
    assert place_of(str(tmp_path / "a.db")) == place_of(file) == file
    server = PostgresPlace(make_url("postgresql+psycopg://me@host/db"), tmp_path)
    assert place_of("postgresql://me@host/db", tmp_path) == place_of(server) == server
