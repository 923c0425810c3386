"""Third-party clients work against the simulated exchange as they are: a table of clients and capabilities."""

import pytest
from tests.peers.capabilities import CAPABILITIES
from tests.peers.row import Foreign
from tests.peers.table import ABSENT, CELLS, ROWS, has
from tests.peers.venue import Venue


@pytest.mark.parametrize(
    ("row", "capability"), CELLS, ids=[f"{row.name}: {what}" for row, what in CELLS]
)
async def test_a_client_and_a_capability(row: Foreign, capability: str, venue: Venue) -> None:
    """The client's own object and the exchange's ledger say the same."""
    async with row.connected(venue) as client:
        await CAPABILITIES[capability][0](client, venue)


def test_every_empty_cell_has_a_reason_and_no_full_cell_has_one() -> None:
    """What a client cannot do is said in one place."""
    empty = {(row.name, what) for row in ROWS for what in CAPABILITIES if not has(row, what)}
    assert set(ABSENT) == empty
