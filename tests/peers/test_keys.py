"""The clients' other way to sign: with an Ed25519 key, by REST and over the WebSocket API."""

from decimal import Decimal

import pytest
from tests.peers.row import Foreign
from tests.peers.row_ccxt import Ccxt, CcxtPro
from tests.peers.row_python_binance import PythonBinance
from tests.peers.row_sdk import SdkRest, SdkWsApi
from tests.peers.venue import Venue

#: Not python-binance over sockets: it writes the signature into its frames as it would into an address (`%3D%3D`).
ROWS: list[Foreign] = [Ccxt, CcxtPro, SdkRest, SdkWsApi, PythonBinance]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_a_client_signs_with_an_ed25519_key(row: Foreign, venue: Venue) -> None:
    """The private key of the ready file opens the account."""
    async with row.connected(venue, ed25519=True) as client:
        assert await client.balance() == Decimal(venue.last("opened")["balance"])
