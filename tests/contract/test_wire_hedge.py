"""Hedge mode over the wire: both sides by every way of asking, told by the stream, and what the control says of it."""

from collections.abc import AsyncIterator

import pytest
from tests.contract.wire import SYMBOL, Client, exchange, manual, market_order

from jumar.exchange.simulated.server.config import ServeConfig


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market with an account in hedge mode."""
    async with exchange(ServeConfig(market=manual())) as running:
        await running.ok("POST", "positionSide/dual", dualSidePosition="true")
        yield running


async def both(client: Client) -> None:
    """A position on either side."""
    await client.ok("POST", "order", **market_order("BUY"), positionSide="LONG")
    await client.ok("POST", "order", **market_order("SELL"), positionSide="SHORT")


async def test_both_sides_are_told_by_every_way_of_asking(client: Client) -> None:
    """REST and the WebSocket API list LONG and SHORT; the private stream names the side of each fill."""
    async with client.stream(f"/private/ws/{await client.listen_key()}") as private:
        await both(client)
        for side in ("LONG", "SHORT"):
            account = await private.until(lambda event: event["e"] == "ACCOUNT_UPDATE")
            assert [row["ps"] for row in account["a"]["P"]] == [side]
            order = await private.until(lambda event: event.get("o", {}).get("X") == "FILLED")
            assert order["o"]["ps"] == side
    rows = await client.ok("GET", "/fapi/v3/positionRisk")
    async with client.ws_api() as frames:
        answer = await frames.signed("v2/account.position", symbol=SYMBOL)
    for shown in (rows, answer["result"]):
        assert [row["positionSide"] for row in shown] == ["LONG", "SHORT"]
        assert [row["positionAmt"] for row in shown] == ["0.013", "-0.013"]


async def test_the_judge_says_that_it_does_not_judge_hedge_mode(client: Client) -> None:
    """Before the first order it judges; then it refuses and says why, and claims no promise."""
    assert (await client.judge())["promises"] == {}
    await both(client)
    answer = await client.send("GET", "/sim/judge")
    assert answer.status == 409
    assert answer.body.keys() == {"error"}
    assert "hedge mode" in answer.body["error"]


async def test_the_control_deleverages_the_side_that_is_named(client: Client) -> None:
    """Without a side nothing is found; a word that is none is 400."""
    await both(client)
    for fields, status, said in (
        ({"symbol": SYMBOL}, 404, "position_side"),
        ({"symbol": SYMBOL, "position_side": "UP"}, 400, "position_side"),
        ({"symbol": SYMBOL, "position_side": ["LONG"]}, 400, "position_side"),
    ):
        answer = await client.sim("adl", fields)
        assert answer.status == status
        assert said in answer.body["error"]
    taken = await client.sim("adl", {"symbol": SYMBOL, "position_side": "SHORT"})
    assert taken.body == {"symbol": SYMBOL, "quantity": "0.013"}
    (row,) = await client.ok("GET", "/fapi/v3/positionRisk")
    assert row["positionSide"] == "LONG"
