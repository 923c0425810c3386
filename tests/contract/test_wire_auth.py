"""Keys, signatures and time, on the bytes that travel."""

import asyncio
import base64
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.contract.wire import (
    SYMBOL,
    Client,
    Ed25519Key,
    exchange,
    keyed,
    limit_order,
    manual,
    market_order,
    stop_order,
)
from yarl import URL

from jumar.exchange.simulated.core.readings import Readings
from jumar.exchange.simulated.server.auth import HmacVerifier
from jumar.exchange.simulated.server.config import ServeConfig


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market with an Ed25519 key beside the drawn one."""
    async with exchange(keyed()) as running:
        yield running


def test_the_published_test_vector_verifies() -> None:
    """Key, payload and signature as printed in Binance's documentation."""
    verifier = HmacVerifier("2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9")
    payload = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
        "&recvWindow=5000&timestamp=1591702613943"
    )
    signature = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
    assert verifier.verify(payload, signature)
    assert not verifier.verify(payload + "0", signature)


async def test_a_request_without_key_or_with_a_strange_one_is_refused(client: Client) -> None:
    """401 with -2014 without a key, -2015 with an unknown one."""
    none = await client.send("GET", "/fapi/v3/balance", query="timestamp=1&signature=0")
    assert (none.status, none.code) == (401, -2014)
    strange = await client.send(
        "GET", "/fapi/v3/balance", query="timestamp=1&signature=0", headers={"X-MBX-APIKEY": "who"}
    )
    assert (strange.status, strange.code) == (401, -2015)


async def test_a_wrong_signature_changes_nothing(client: Client) -> None:
    """-1022, no order, and the refusal stands in the ledger."""
    query = urlencode({**market_order("BUY"), "timestamp": await client.time(), "signature": "00"})
    answer = await client.send("POST", "/fapi/v1/order", query=query, headers=client.key)
    assert (answer.status, answer.code) == (400, -1022)
    kinds = [row["kind"] for row in await client.ledger()]
    assert "order" not in kinds
    assert kinds[-1] == "refused"


@pytest.mark.parametrize(
    ("shift_ms", "window", "code"),
    [(-5001, None, -1021), (6000, None, -1021), (-3500, "3000", -1021), (0, "60001", -1131)],
)
async def test_time_outside_the_window_is_refused(
    client: Client, shift_ms: int, window: str | None, code: int
) -> None:
    """More than a second ahead, older than the window, or a window over a minute."""
    params = {"timestamp": str(await client.time() + shift_ms)}
    params |= {"recvWindow": window} if window else {}
    payload = urlencode(params)
    query = f"{payload}&signature={client.sign(payload)}"
    answer = await client.send("GET", "/fapi/v3/balance", query=query, headers=client.key)
    assert answer.code == code


@pytest.mark.parametrize("missing", ["timestamp", "signature"])
async def test_time_and_signature_are_mandatory(client: Client, missing: str) -> None:
    """-1102 names what is missing."""
    params = {"timestamp": str(await client.time()), "signature": "00"}
    del params[missing]
    query = urlencode(params)
    answer = await client.send("GET", "/fapi/v3/balance", query=query, headers=client.key)
    assert (answer.code, f"'{missing}'" in answer.body["msg"]) == (-1102, True)


async def test_a_signature_may_cover_query_and_body(client: Client) -> None:
    """The payload is the query string followed by the body, byte for byte, without a joint."""
    query = urlencode({"symbol": SYMBOL, "side": "BUY", "type": "MARKET"})
    body = urlencode({"quantity": "0.013", "timestamp": await client.time()})
    signed = f"{body}&signature={client.sign(query + body)}"
    answer = await client.send(
        "POST", "/fapi/v1/order", query=query, body=signed, headers=client.key
    )
    assert answer.status == 200


async def test_the_signature_covers_the_bytes_as_sent(client: Client) -> None:
    """An escaped colon in an id stays escaped under the signature and is decoded for the order."""
    order = limit_order("90000.0", "jm:1")
    payload = urlencode({**order, "timestamp": await client.time()})
    assert "jm%3A1" in payload
    query = f"{payload}&signature={client.sign(payload)}"
    answer = await client.send("POST", "/fapi/v1/order", query=query, headers=client.key)
    assert answer.body["clientOrderId"] == "jm:1"


async def test_an_ed25519_key_signs_rest_requests(client: Client) -> None:
    """Base64, escaped in the query; a signature by another payload is refused."""
    payload = urlencode({"timestamp": await client.time()})
    good = quote(Ed25519Key().sign(payload), safe="")
    bad = quote(Ed25519Key().sign(payload + "x"), safe="")
    header = {"X-MBX-APIKEY": "ed"}
    answers = [
        await client.send(
            "GET", "/fapi/v3/balance", query=f"{payload}&signature={s}", headers=header
        )
        for s in (good, bad, "notbase64")
    ]
    assert [answer.status for answer in answers] == [200, 400, 400]
    assert {answer.code for answer in answers[1:]} == {-1022}


async def test_public_requests_need_no_key(client: Client) -> None:
    """Connectivity, time and prices are for everybody."""
    for path in ("ping", "time", "exchangeInfo", "premiumIndex", "ticker/bookTicker"):
        assert (await client.send("GET", f"/fapi/v1/{path}")).status == 200


async def test_listen_keys_need_the_key_only(client: Client) -> None:
    """POST twice is the same key, PUT prolongs it, DELETE ends it, then PUT is -1125."""
    first = await client.listen_key()
    assert await client.listen_key() == first
    path = "/fapi/v1/listenKey"
    assert (await client.send("PUT", path, headers=client.key)).body == {"listenKey": first}
    assert (await client.send("DELETE", path, headers=client.key)).body == {}
    assert (await client.send("PUT", path, headers=client.key)).code == -1125
    assert (await client.send("POST", path)).code == -2014
    assert (await client.send("GET", path, headers=client.key)).status == 404
    assert await client.listen_key() != first


async def test_the_drawn_ed25519_key_signs_and_logs_on(client: Client) -> None:
    """The ready file's second key: REST, and a session in which key and signature may be left out."""
    key = load_pem_private_key(client.urls["ed25519_private_key"].encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    name = client.urls["ed25519_api_key"]

    def sign(payload: str) -> str:
        return base64.b64encode(key.sign(payload.encode())).decode()

    payload = urlencode({"timestamp": await client.time()})
    query = f"{payload}&{urlencode({'signature': sign(payload)})}"
    answer = await client.send(
        "GET", "/fapi/v3/balance", query=query, headers={"X-MBX-APIKEY": name}
    )
    assert answer.status == 200
    async with client.ws_api() as api:
        assert (await api.signed_by(name, sign, "session.logon", {}))["status"] == 200
        assert (await api.plain("session.status"))["result"]["apiKey"] == name
        assert (await api.plain("v2/account.balance"))["result"] == answer.body


async def test_two_servers_draw_different_keys(client: Client) -> None:
    """Keys are made fresh."""
    async with exchange() as other:
        for name in ("api_key", "api_secret", "ed25519_api_key", "ed25519_private_key"):
            assert other.urls[name] != client.urls[name]


async def late(client: Client, path: str, order: dict[str, str]) -> str:
    """The raw answer to a signed request whose head came in time and whose body comes after its window."""
    stamp = await client.time() + 100
    body = urlencode({**order, "recvWindow": 1, "timestamp": stamp})
    body += f"&signature={client.sign(body)}"
    url = URL(client.urls["rest"])
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"X-MBX-APIKEY: {client.urls['api_key']}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode())
    await writer.drain()
    while await client.time() <= stamp + 1:
        pass
    writer.write(body.encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_order_that_reaches_the_engine_late_is_refused_there(client: Client) -> None:
    """-5028 and no order; a read has no second check."""
    market = await late(client, "POST /fapi/v1/order", market_order("BUY"))
    stop = await late(client, "POST /fapi/v1/algoOrder", stop_order("80000", "s", quantity="0.013"))
    assert '"code":-5028' in market
    assert '"code":-5028' in stop
    assert "HTTP/1.1 200" in await late(client, "GET /fapi/v3/balance", {})
    assert await client.ok("GET", "/fapi/v3/positionRisk") == []
    assert await client.ok("GET", "openAlgoOrders") == []


async def test_whether_conditional_orders_are_timed_at_the_engine_is_a_reading() -> None:
    """The same stop is accepted where the engine does not look."""
    config = ServeConfig(market=manual(), readings=Readings(algo_recv_window="ignore"))
    async with exchange(config) as client:
        order = stop_order("80000", "s", quantity="0.013")
        assert "HTTP/1.1 200" in await late(client, "POST /fapi/v1/algoOrder", order)
        (row,) = await client.ok("GET", "openAlgoOrders")
        assert row["clientAlgoId"] == "s"
