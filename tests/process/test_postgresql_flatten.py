"""`jumar flatten` where the journal is on a server: through a running engine, and without engine and server (M-6)."""

from collections.abc import Iterator

import pytest
from tests import postgres
from tests.databases import rows
from tests.process import test_shutdown as shutdown
from tests.process.test_cli import CONFIG, wait_for
from tests.process.test_flatten import command, killed, position
from tests.process.test_shutdown import Run, run

from jumar.store import queries
from jumar.store.asked import present
from jumar.store.place import parse

__all__ = ["run"]


@pytest.fixture
def own_server() -> Iterator[postgres.Server]:
    """A server that a test may stop."""
    tools = postgres.binaries()
    if tools is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install -y postgresql")
    with postgres.running(tools) as running:
        yield running


@pytest.fixture
def url(own_server: postgres.Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the configuration names."""
    made = own_server.fresh(template="blank")
    monkeypatch.setattr(shutdown, "CONFIG", CONFIG.replace("sqlite:///jumar.db", made))
    return made


@pytest.mark.rule("M-6", "Q-1", "P-1")
def test_flatten_with_an_engine_and_without_server_and_engine(
    url: str, run: Run, own_server: postgres.Server
) -> None:
    """The engine closes what it holds; once both are gone the command closes the next position by the exchange alone."""
    engine = run.start()
    ready = "SELECT 1 FROM events WHERE rule = 'Y-9' AND message LIKE 'ready%%'"
    wait_for(lambda: bool(rows(url, ready)), engine)
    run.write()
    run.until_alive("S1", "E1")
    run.price("90780")
    run.until_alive("S1", "B1", "P1", "Q1")
    result = command(run, "flatten", "--yes")
    assert result.returncode == 0, result.stderr
    assert f"asked the engine (process {engine.pid})" in result.stderr
    assert position(run) == 0 and run.alive() == set()
    (trade,) = queries.trades(url)
    assert trade.summary is not None and trade.summary.exit_reason == "flatten"
    killed(engine)
    own_server.stop("immediate")
    alone = command(run, "flatten", "--yes")
    assert alone.returncode == 0, alone.stderr
    assert "going by the exchange alone" in alone.stderr
    base = parse(url, run.folder).base
    assert base is not None
    assert base.with_name(f"{base.name}.paused").exists()
    own_server.start()
    assert set(present(url).modes) == {"BTCUSDT", "*"}
