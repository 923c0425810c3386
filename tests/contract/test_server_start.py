"""A server that cannot start leaves nothing behind."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.run import SimulatedServer


async def test_a_ready_file_that_cannot_be_written_stops_what_was_started(tmp_path: Path) -> None:
    """The error is told, no task of the server goes on, the ledger is closed."""
    market = ManualMarket(
        ("BTCUSDT",),
        tick_sizes={"BTCUSDT": Decimal("0.10")},
        start_prices={"BTCUSDT": Decimal(90820)},
    )
    config = ServeConfig(market=market, ready_file=tmp_path / "absent" / "ready.json")
    server = SimulatedServer(config)
    before = asyncio.all_tasks()
    with pytest.raises(OSError, match="absent"):
        await server.start()
    assert asyncio.all_tasks() == before
    assert server.exchange.ledger.records[-1]["kind"] == "closed"
