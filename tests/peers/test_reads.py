"""What clients read besides the table's capabilities: the exchange's state and funding."""

from tests.peers.row import number
from tests.peers.row_ccxt import SYMBOL as CCXT_SYMBOL
from tests.peers.row_ccxt import Ccxt
from tests.peers.venue import SYMBOL, Venue


async def test_ccxt_finds_the_exchange_in_order(venue: Venue) -> None:
    """No maintenance."""
    async with Ccxt.connected(venue) as row:
        assert (await row._client.fetch_status())["status"] == "ok"


async def test_ccxt_reads_funding(venue: Venue) -> None:
    """The next rate with its time and mark price, and the rates that were paid: none yet."""
    async with Ccxt.connected(venue) as row:
        funding = await row._client.fetch_funding_rate(CCXT_SYMBOL)
        history = await row._client.fetch_funding_rate_history(CCXT_SYMBOL)
    step = venue.server.exchange.step(SYMBOL)
    assert step is not None
    assert number(funding["markPrice"]) == step.mark
    assert number(funding["fundingRate"]) == venue.server.exchange.funding_rate
    assert funding["fundingTimestamp"] > venue.last("opened")["t"]
    assert history == []
