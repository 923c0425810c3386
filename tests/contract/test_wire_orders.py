"""Orders of every kind over real sockets: REST, WebSocket API and the user stream tell the same story."""

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from tests.contract.wire import SYMBOL, Client, exchange, limit_order, market_order, stop_order


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market at 90900."""
    async with exchange() as running:
        yield running


async def test_a_modification_by_rest_and_by_the_websocket_api(client: Client) -> None:
    """Both change the resting order; the user stream tells AMENDMENT with each `modifyId`."""
    await client.ok("POST", "order", **limit_order("90000.0", "e"))
    wish = {"symbol": SYMBOL, "side": "BUY", "quantity": "0.013"}
    async with client.stream(f"/private/ws?listenKey={await client.listen_key()}") as stream:
        answer = await client.ok(
            "PUT", "order", **wish, price="89990.0", origClientOrderId="e", modifyId="4"
        )
        async with client.ws_api() as frames:
            frame = await frames.signed(
                "order.modify", **wish, price="89980.0", orderId=answer["orderId"], modifyId=5
            )
        assert (frame["status"], frame["result"]["price"]) == (200, "89980")
        assert frame["result"]["modifyId"] == 5
        numbers = []
        for _ in range(2):
            event = await stream.until(lambda message: message.get("e") == "ORDER_TRADE_UPDATE")
            numbers.append((event["o"]["x"], event["o"]["M"], event["o"]["p"]))
    assert numbers == [("AMENDMENT", "4", "89990"), ("AMENDMENT", "5", "89980")]
    rows = await client.ok("GET", "orderAmendment", symbol=SYMBOL)
    assert [row["amendment"]["count"] for row in rows] == [2, 1]


async def test_a_batch_by_query_and_by_body(client: Client) -> None:
    """The JSON text of a batch survives both ways; an element's refusal keeps the answer at 200."""
    orders = [limit_order("90000.0", "a"), limit_order("90000.05", "b")]
    first, second = await client.ok("POST", "batchOrders", batchOrders=json.dumps(orders))
    assert (first["clientOrderId"], second["code"]) == ("a", -4014)
    fields = {"symbol": SYMBOL, "origClientOrderIdList": '["a","x"]'}
    payload = urlencode({**fields, "timestamp": str(await client.time())})
    body = f"{payload}&signature={client.sign(payload)}"
    answer = await client.send("DELETE", "/fapi/v1/batchOrders", body=body, headers=client.key)
    assert (answer.status, answer.body[0]["status"]) == (200, "CANCELED")
    assert answer.body[1]["code"] == -2011


async def test_a_batch_counts_as_five_orders_and_as_one(client: Client) -> None:
    """Weight 5, five orders of the ten seconds and one of the minute, whatever its size; a test order counts nothing."""
    rows = json.dumps([limit_order("90000.0", "a")])
    answer = await client.signed("POST", "batchOrders", batchOrders=rows)
    counts = [answer.headers[f"X-MBX-ORDER-COUNT-{window}"] for window in ("10S", "1M")]
    assert counts == ["5", "1"]
    tested = await client.signed("POST", "order/test", **limit_order("90000.0", "t"))
    assert (tested.status, "X-MBX-ORDER-COUNT-10S" in tested.headers) == (200, False)
    assert len(await client.ok("GET", "openOrders", symbol=SYMBOL)) == 1


async def test_the_judge_follows_modified_orders_and_stop_limits(client: Client) -> None:
    """A ledger with an amendment, a limit child and a trailing stop can be judged."""
    await client.ok("POST", "order", **market_order("BUY"))
    stop = stop_order("90380", "s", quantity="0.013", type="STOP", price="90300")
    await client.ok("POST", "algoOrder", **stop)
    trail = stop_order("", "t", quantity="0.013", type="TRAILING_STOP_MARKET", callbackRate="1")
    await client.ok("POST", "algoOrder", **trail)
    await client.price(bid="90200.0", ask="90201.0", last="90200.0", mark="90200.0")
    (row,) = await client.ok("GET", "openOrders", symbol=SYMBOL)
    assert (row["origType"], row["price"]) == ("STOP", "90300")
    wish = {"symbol": SYMBOL, "side": "SELL", "quantity": "0.013", "price": "90250.0"}
    await client.ok("PUT", "order", **wish, orderId=str(row["orderId"]))
    await client.price(last="90260.0", mark="90260.0")
    found = await client.ok("GET", "algoOrder", clientAlgoId="s")
    assert (found["algoStatus"], found["actualPrice"]) == ("FINISHED", "90250")
    assert await client.ok("GET", "/fapi/v3/positionRisk") == []
    verdict = await client.judge()
    assert verdict["trades"] == 1


async def test_a_countdown_runs_out_without_another_request(client: Client) -> None:
    """The stream tells the cancel; nobody asked again after the countdown began."""
    await client.ok("POST", "order", **limit_order("90000.0", "e"))
    async with client.stream(f"/private/ws?listenKey={await client.listen_key()}") as stream:
        answer = await client.ok("POST", "countdownCancelAll", symbol=SYMBOL, countdownTime="50")
        assert answer == {"symbol": SYMBOL, "countdownTime": "50"}
        event = await stream.until(lambda message: message.get("e") == "ORDER_TRADE_UPDATE")
    assert (event["o"]["c"], event["o"]["X"]) == ("e", "CANCELED")
