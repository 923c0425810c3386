"""An engine whose journal is on a PostgreSQL server: trades, outlives the server's restart, answers people (Q-1, H-5)."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests import postgres
from tests.databases import rows, server
from tests.engines import Stage, staged
from tests.journals import CONFIG
from typer.testing import CliRunner

from jumar.model.command import PlaceOrder
from jumar.ops.cli.app import app
from jumar.ports.store import Store
from jumar.store import queries
from jumar.store.backends import holder
from jumar.store.journal import SqlStore
from jumar.store.place import Place, parse

__all__ = ["server"]


@pytest.fixture
def place(server: postgres.Server, tmp_path: Path) -> Place:
    """A database of this version that nobody has opened."""
    return parse(server.fresh(template="blank"), tmp_path)


async def started(stage: Stage, place: Place) -> None:
    """An engine on the server."""

    def on_the_server(_: Store) -> Store:
        return SqlStore(place)

    await stage.start_engine(wrap_store=on_the_server)


def kept(verdict: dict[str, Any]) -> bool:
    """Whether every promise was kept, with no unprotected time."""
    return all(verdict["promises"].values()) and int(verdict["unprotected_ms_max"]) == 0


@pytest.mark.rule("Q-1", "X-2", "P-1", "P-4")
async def test_a_trade_comes_home_over_a_restart_of_the_engine(
    place: Place, tmp_path: Path
) -> None:
    """Entered, restarted with a position, both targets; the judge and the journal tell the same."""
    async with staged(tmp_path) as stage:
        await started(stage, place)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        await stage.stop_engine()
        assert holder(place) is None
        await started(stage, place)
        assert holder(place) == os.getpid()
        await stage.price("91600.0")
        await stage.price("92900.0")

        async def home() -> bool:
            return stage.idle() and not await stage.alive()

        await stage.until(home)
        verdict = await stage.verdict()
        assert kept(verdict), verdict
        await stage.stop_engine()
    (trade,) = queries.trades(place)
    assert trade.summary is not None and trade.summary.realized_pnl > 0
    assert queries.unresolved_intents(place) == 0


@pytest.mark.rule("Q-1", "X-2", "X-7", "P-1")
async def test_without_the_server_protection_goes_on_and_no_entry_is_sent(tmp_path: Path) -> None:
    """The server is down while the entry fills: stops rest all the time; back again, what happened is journaled."""
    tools = postgres.binaries()
    if tools is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install -y postgresql")
    with postgres.running(tools) as own:
        place = parse(own.fresh(template="blank"), tmp_path)
        async with staged(tmp_path) as stage:
            await started(stage, place)
            stage.decide()
            await stage.until_alive("S1", "E1")
            own.stop("immediate")
            await stage.price("90786.5")

            async def covered() -> bool:
                """A stop rests for what was filled, whatever can be written of it."""
                alive = await stage.alive()
                return bool(await stage.position()) and any(name[0] in "SB" for name in alive)

            await stage.until(covered)
            own.start()

            async def journaled() -> bool:
                return bool(rows(place, "SELECT * FROM fills"))

            await stage.until(journaled)
            assert holder(place) == os.getpid()
            verdict = await stage.verdict()
            assert kept(verdict), verdict
            sent = [a.command for r in stage.watcher.ticks for a in r.plan.commands]
            entries = {
                c.request.client_id
                for c in sent
                if isinstance(c, PlaceOrder) and c.request.role == "E"
            }
            assert len(entries) == 1


@pytest.mark.rule("Q-1", "H-5", "M-6")
async def test_people_are_answered_from_the_server(
    place: Place, server: postgres.Server, tmp_path: Path
) -> None:
    """Status, trades, explain, pause and resume read and write the database that the configuration names."""
    async with staged(tmp_path) as stage:
        await started(stage, place)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        await stage.stop_engine()
    (row,) = rows(place, "SELECT current_database()")
    config = tmp_path / "jumar.toml"
    config.write_text(CONFIG.replace("sqlite:///jumar.db", server.url(str(row[0]))))

    def said(*command: str) -> str:
        done = CliRunner().invoke(app, [*command, "--config", str(config)])
        assert done.exit_code == 0, done.output
        return done.output

    assert '"long"' in said("status", "--json")
    assert "BTCUSDT" in said("trades")
    assert "S-1" in said("explain", "last")
    assert "no engine is running" in said("pause", "--symbol", "BTCUSDT")
    assert "no engine is running" in said("resume", "--symbol", "BTCUSDT")
    asked = rows(place, "SELECT request, symbol FROM operator_requests ORDER BY seq")
    assert asked == [("pause", "BTCUSDT"), ("resume", "BTCUSDT")]
