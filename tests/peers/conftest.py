"""Fixtures of the peers suite."""

from collections.abc import AsyncIterator

import pytest
from tests.peers import oracle
from tests.peers.venue import Venue, running_venue


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    """A fresh exchange. What it was asked and does not know fails the test, so does what the SDK cannot read."""
    async with running_venue() as running:
        yield running
    assert running.watch.faults == []
    assert oracle.complaints(running.watch) == []
