"""A run with a long past: what lies far back is answered over the wire as if it were new."""

from collections.abc import AsyncIterator

import pytest
from tests.contract.wire import SYMBOL, Client, exchange, limit_order

from jumar.exchange.simulated.core import register, shelf
from jumar.exchange.simulated.server import control

ORDERS = 40


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """An exchange for which a few rows are a long past, after so many orders that were placed and cancelled."""
    monkeypatch.setattr(shelf, "BLOCK", 4)
    monkeypatch.setattr(register, "LINGERING", 4)
    monkeypatch.setattr(control, "PORTION", 3)
    async with exchange() as running:
        for number in range(ORDERS):
            await running.ok("POST", "/fapi/v1/order", **limit_order("80000", f"o-{number}"))
            name = {"symbol": SYMBOL, "origClientOrderId": f"o-{number}"}
            await running.ok("DELETE", "/fapi/v1/order", **name)
        yield running


async def test_the_ledger_goes_out_whole_in_portions(client: Client) -> None:
    """All records in order, and only the later ones when the earlier were read before."""
    records = await client.ledger()
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    named = [record["client_id"] for record in records if record["kind"] == "order"]
    assert named == [f"o-{number // 2}" for number in range(2 * ORDERS)]
    for after in (0, 1, 7, len(records) - 1, len(records), len(records) + 5):
        later = await client.ledger(after=after)
        assert later[: len(records) - after] == records[after:]


async def test_the_judge_reads_what_was_packed(client: Client) -> None:
    """Every order that was sent is counted."""
    assert (await client.judge())["orders_sent"] == ORDERS


async def test_old_orders_are_found_by_name_and_by_id(client: Client) -> None:
    """The first one, cancelled long ago, and all of them in a list."""
    rows = await client.ok("GET", "/fapi/v1/allOrders", symbol=SYMBOL, limit="1000")
    assert [row["clientOrderId"] for row in rows] == [f"o-{number}" for number in range(ORDERS)]
    first = {"symbol": SYMBOL, "origClientOrderId": "o-0"}
    by_name = await client.ok("GET", "/fapi/v1/order", **first)
    by_id = await client.ok("GET", "/fapi/v1/order", symbol=SYMBOL, orderId=str(rows[0]["orderId"]))
    assert by_name == by_id
    assert by_name["status"] == "CANCELED"
    refused = await client.signed("DELETE", "/fapi/v1/order", **first)
    assert refused.code == -2011
