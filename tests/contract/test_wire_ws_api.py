"""The WebSocket API: frames, signatures, session, and the same exchange behind it as behind REST."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.contract.wire import (
    SYMBOL,
    Client,
    Ed25519Key,
    exchange,
    keyed,
    limit_order,
    stop_order,
)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market with an Ed25519 key beside the drawn one."""
    async with exchange(keyed()) as running:
        yield running


async def test_orders_over_the_websocket_are_the_orders_of_rest(client: Client) -> None:
    """Placed, asked and cancelled here, seen there; the answer carries id, status, result, limits."""
    async with client.ws_api() as api:
        placed = await api.signed("order.place", **limit_order("90786.6", "e1"))
        assert (placed["id"], placed["status"]) == (5, 200)
        assert placed["result"]["clientOrderId"] == "e1"
        assert not {"avgPrice", "cumQuote"} & placed["result"].keys()
        kinds = [(row["rateLimitType"], row["interval"]) for row in placed["rateLimits"]]
        assert kinds == [("REQUEST_WEIGHT", "MINUTE"), ("ORDERS", "MINUTE"), ("ORDERS", "SECOND")]
        (row,) = await client.ok("GET", "openOrders", symbol=SYMBOL)
        status = await api.signed("order.status", symbol=SYMBOL, orderId=row["orderId"])
        assert status["result"] == row
        gone = await api.signed("order.cancel", symbol=SYMBOL, origClientOrderId="e1")
        assert gone["result"]["status"] == "CANCELED"
    assert await client.ok("GET", "openOrders", symbol=SYMBOL) == []


async def test_conditional_orders_are_placed_and_cancelled(client: Client) -> None:
    """`algoOrder.cancel` answers code "200" as text."""
    async with client.ws_api() as api:
        placed = await api.signed("algoOrder.place", **stop_order("90380", "s1", quantity="0.013"))
        assert placed["result"]["algoStatus"] == "NEW"
        gone = await api.signed("algoOrder.cancel", algoId=placed["result"]["algoId"])
        assert (gone["result"]["code"], gone["result"]["clientAlgoId"]) == ("200", "s1")


async def test_account_methods_answer_as_their_rest_twins(client: Client) -> None:
    """Position and balance in both versions."""
    async with client.ws_api() as api:
        balance = await api.signed("v2/account.balance")
        assert balance["result"] == await client.ok("GET", "/fapi/v3/balance")
        assert (await api.signed("v2/account.position"))["result"] == []
        assert (await api.signed("account.position"))["result"][0]["symbol"] == SYMBOL


async def test_errors_carry_code_message_and_status(client: Client) -> None:
    """A refused order, a wrong signature, a missing key, an unknown method, a broken frame."""
    async with client.ws_api() as api:
        refused = await api.signed("order.place", **limit_order("90900.1", "e1"))
        assert (refused["status"], refused["error"]["code"]) == (400, -5022)
        forged = await api.signed_by(
            client.urls["api_key"], lambda _: "00", "v2/account.balance", {}
        )
        assert (forged["status"], forged["error"]["code"]) == (400, -1022)
        nobody = await api.plain("v2/account.balance")
        assert (nobody["status"], nobody["error"]["code"]) == (401, -2014)
        unknown = await api.signed("order.guess")
        assert (unknown["status"], unknown["error"]["code"]) == (404, -5000)
        broken = await api.raw("{")
        assert (broken["id"], broken["error"]["code"]) == (None, -1135)
        for odd in ("[]", '{"id":1}', '{"id":1,"method":"order.place","params":[]}'):
            assert (await api.raw(odd))["error"]["code"] == -1135


async def test_rate_limits_can_be_left_out(client: Client) -> None:
    """`returnRateLimits=false` in the address."""
    async with client.ws_api("?returnRateLimits=false") as api:
        assert "rateLimits" not in await api.signed("v2/account.balance")


async def test_a_session_is_for_ed25519_keys(client: Client) -> None:
    """HMAC keys cannot log on (-4056); after an Ed25519 logon key and signature may be left out."""
    async with client.ws_api() as api:
        refused = await api.signed("session.logon")
        assert refused["error"]["code"] == -4056
        logged_on = await api.signed_by("ed", Ed25519Key().sign, "session.logon", {})
        assert (logged_on["status"], logged_on["result"]["apiKey"]) == (200, "ed")
        placed = await api.plain("order.place", **limit_order("90786.6", "e1"))
        assert placed["status"] == 200
        late = {"id": 1, "method": "v2/account.balance", "params": {"timestamp": 1}}
        assert (await api.raw(json.dumps(late)))["error"]["code"] == -1021
        assert (await api.plain("session.logout"))["result"]["apiKey"] is None
        assert (await api.plain("v2/account.balance"))["error"]["code"] == -2014


async def test_listen_keys_over_the_websocket(client: Client) -> None:
    """start, ping and stop need the key only; the key is REST's."""
    async with client.ws_api() as api:
        key = {"apiKey": client.urls["api_key"]}
        started = await api.plain("userDataStream.start", **key)
        assert started["result"]["listenKey"] == await client.listen_key()
        assert (await api.plain("userDataStream.ping", **key))["status"] == 200
        assert (await api.plain("userDataStream.stop", **key))["result"] == {}
        assert (await api.plain("userDataStream.ping", **key))["error"]["code"] == -1125


async def test_integers_and_booleans_are_signed_as_json_spells_them(client: Client) -> None:
    """A JSON number or boolean counts under the signature as its own text."""
    order = {**stop_order("90380", "s1", quantity="0.013"), "reduceOnly": True, "recvWindow": 3000}
    async with client.ws_api() as api:
        assert (await api.signed("algoOrder.place", **order))["result"]["reduceOnly"] is True
