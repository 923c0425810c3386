"""Both kinds of database behind one fixture: what is promised of the store is tried on each (Q-1).

`database` is an empty place, `rows` and `execute` look and write past the store as somebody else's program would.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import postgres

from jumar.store import schema
from jumar.store.backends import asking_engine, reader_engine
from jumar.store.place import Named, Place, SqlitePlace, parse, place_of

KINDS = (
    "sqlite",
    # one server is enough: all tests that need it share a worker
    pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
)


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """The PostgreSQL server of this worker."""
    tools = postgres.binaries()
    if tools is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install -y postgresql")
    with postgres.running(tools) as running:
        yield running


@pytest.fixture(scope="session")
def reused(server: postgres.Server) -> str:
    """One database for many tests: to make and remove one for each would cost more than the tests."""
    return server.fresh(template="blank")


@pytest.fixture
def emptied(reused: str) -> str:
    """The database that is used again, as if nobody had opened it."""
    names = ", ".join(schema.metadata.tables)
    with psycopg.connect(reused) as connection:
        connection.execute(f"TRUNCATE {names} RESTART IDENTITY")
    return reused


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database of each kind; what lies beside it lies in the test's folder."""
    if request.param == "sqlite":
        return SqlitePlace(tmp_path / "jumar.db")
    url: str = request.getfixturevalue("emptied")
    return parse(url, tmp_path)


def rows(database: Named, statement: str) -> list[tuple[Any, ...]]:
    """What another connection sees now."""
    engine = reader_engine(place_of(database))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]
    finally:
        engine.dispose()


def execute(database: Named, statement: str) -> None:
    """Change something past the store."""
    engine = asking_engine(place_of(database))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
