"""A folder of archive files from the command line to the verdict, and on the wire of a served exchange."""

import json
from pathlib import Path

import pytest
from aiohttp import ClientSession
from tests.unit.simulated.archives import (
    BARS_HEADER,
    BEGIN_MS,
    FUNDING_HEADER,
    QUOTES_HEADER,
    TICKS,
    TRADES_HEADER,
    mark,
    pack,
    quote,
    trade,
)
from typer.testing import CliRunner

from jumar.exchange.simulated.market import RecordedMarket
from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.run import SimulatedServer
from jumar.ops.cli.app import app

SECONDS = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two minutes of trades and quotes around 60,000, under a mark price of 60,010 and a rate of 0.00025."""
    moments = range(0, SECONDS * 1_000, 250)
    prices = [60_000 + (at // 1_000) % 7 for at in moments]
    trades = [trade(at, f"{p}.0", sold=True) for at, p in zip(moments, prices, strict=True)]
    quotes = [quote(at + 5, f"{p}.0", f"{p}.1") for at, p in zip(moments, prices, strict=True)]
    marks = [mark(minute, "60010 60020 60000 60010") for minute in range(2)]
    pack(tmp_path, "BTCUSDT-aggTrades-2024-03-05", [TRADES_HEADER, *trades])
    pack(tmp_path, "BTCUSDT-bookTicker-2024-03-05", [QUOTES_HEADER, *quotes])
    pack(tmp_path, "BTCUSDT-1m-2024-03-05", [BARS_HEADER, *marks])
    rate = f"{BEGIN_MS + 8 * 3_600_000},8,0.00025"
    pack(tmp_path, "BTCUSDT-fundingRate-2024-03", [FUNDING_HEADER, rate])
    return tmp_path


def test_a_folder_is_traded_to_its_end_and_judged(folder: Path) -> None:
    """What was taken stands on stderr, the whole path is played, and no promise is broken."""
    arguments = ["demo", "--market", str(folder), "--speed", "max", "--seed", "1", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    for kind in ("aggTrades: 2024-03-05", "bookTicker: 2024-03-05", "markPriceKlines: 2024-03-05"):
        assert f"BTCUSDT {kind}" in result.stderr
    assert "seed 1, 120 s of virtual time" in result.stderr
    assert json.loads(result.stdout)["orphan_orders"] == 0


async def test_mark_and_rate_of_a_folder_are_on_the_wire(folder: Path) -> None:
    """The served exchange shows the recorded mark price, the recorded quote and the next funding rate."""
    market = RecordedMarket(folder, tick_sizes=TICKS)
    config = ServeConfig(market=market, start_ms=market.origin_ms)
    async with (
        SimulatedServer(config) as server,
        ClientSession(server.urls["rest"]) as session,
        session.get("/fapi/v1/premiumIndex?symbol=BTCUSDT") as answer,
    ):
        shown = await answer.json()
    assert shown["markPrice"].startswith("600")
    assert float(shown["markPrice"]) >= 60_005
    assert shown["lastFundingRate"] == "0.00025000"
    assert shown["nextFundingTime"] == BEGIN_MS + 8 * 3_600_000
