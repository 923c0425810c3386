"""The playing server and a started adapter, for the tests of the Binance adapter."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.binance.venue import KEYS, Listener, PatientClock, Venue, serve

from jumar.exchange.binance import BinanceExchange


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    """A server on loopback that answers what a start asks."""
    async with serve() as running:
        yield running


@pytest.fixture
async def clock() -> PatientClock:
    """A clock whose waits the test controls."""
    return PatientClock()


@pytest.fixture
async def heard() -> Listener:
    """What the adapter reported."""
    return Listener()


@pytest.fixture
async def exchange(
    venue: Venue, clock: PatientClock, heard: Listener
) -> AsyncIterator[BinanceExchange]:
    """A started adapter."""
    adapter = BinanceExchange(endpoints=venue.endpoints, credentials=KEYS, clock=clock)
    await adapter.start(["BTCUSDT"], heard)
    yield adapter
    await adapter.close()
