"""The account as a client meets it: every form of a request, every version of an answer, what the control does."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from tests.contract.wire import SYMBOL, Client, exchange, limit_order, manual, market_order
from yarl import URL

from jumar.exchange.simulated.core.terms import USUAL_TERMS
from jumar.exchange.simulated.server.config import ServeConfig


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market whose account can be liquidated."""
    async with exchange(ServeConfig(market=manual(), terms=USUAL_TERMS)) as running:
        yield running


async def signed_by_form(client: Client, method: str, path: str, split: int, **params: str) -> int:
    """A signed request whose first `split` parameters stand in the query, the others in the body; the status."""
    stamped = {**params, "timestamp": str(await client.time())}
    pairs = list(stamped.items())
    query, body = urlencode(pairs[:split]), urlencode(pairs[split:])
    signature = f"signature={client.sign(query + body)}"
    if body:
        body += f"&{signature}"
    else:
        query += f"&{signature}"
    answer = await client.send(
        method, f"/fapi/v1/{path}", query=query, body=body or None, headers=client.key
    )
    return answer.status


@pytest.mark.parametrize("split", [0, 1, 2, 99])
async def test_every_verb_takes_its_parameters_wherever_they_stand(
    client: Client, split: int
) -> None:
    """POST, PUT, GET and DELETE: all in the query, all in the body, some here and some there."""
    order = limit_order("90000.0", "e1")
    assert await signed_by_form(client, "POST", "order", split, **order) == 200
    change = {"symbol": SYMBOL, "side": "BUY", "quantity": "0.013", "price": "89000.0"}
    name = {"origClientOrderId": "e1"}
    assert await signed_by_form(client, "PUT", "order", split, **change, **name) == 200
    assert await signed_by_form(client, "GET", "order", split, symbol=SYMBOL, **name) == 200
    assert await signed_by_form(client, "DELETE", "order", split, symbol=SYMBOL, **name) == 200
    assert await client.ok("GET", "openOrders", symbol=SYMBOL) == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/fapi/v1/nope", "/dapi/v1/order", "/sim/nope", "/a%00b"])
async def test_an_unknown_path_is_answered_in_the_exchanges_shape(
    client: Client, method: str, path: str
) -> None:
    """404, -5000, JSON."""
    answer = await client.send(method, path, body="x=1" if method == "POST" else None)
    assert (answer.status, answer.code) == (404, -5000)


async def test_bytes_that_are_no_text_are_refused_like_a_wrong_signature(client: Client) -> None:
    """In the path, the query, the body: an answer with a code, never a failure of the server's."""
    for target, body in (
        ("/fapi/v1/order?symbol=%FF%FE&signature=%FF&timestamp=1", b""),
        ("/fapi/v1/order?signature=a", b"\xff\xfe=\xff&symbol=\x00"),
        ("/fapi/v1/%FF%FE", b"\xff"),
    ):
        url = URL(client.urls["rest"] + target, encoded=True)
        async with client.session.post(url, data=body, headers=client.key) as response:
            assert 400 <= response.status < 500
            assert json.loads(await response.text())["code"] < 0


async def test_raw_bytes_in_the_request_line_are_answered(client: Client) -> None:
    """What no client library would send: bytes above 127 unescaped."""
    url = URL(client.urls["rest"])
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        head = b"GET /fapi/v1/openOrders?symbol=\xff\xfe&timestamp=1&signature=\xff HTTP/1.1\r\n"
        key = client.urls["api_key"].encode()
        writer.write(head + b"Host: x\r\nX-MBX-APIKEY: " + key + b"\r\n\r\n")
        status = await reader.readline()
        assert int(status.split()[1]) in range(400, 500)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
@pytest.mark.parametrize("path", ["/fapi/v1/order", "/sim/adl"])
async def test_a_body_counts_as_it_was_sent(client: Client, path: str, encoding: str) -> None:
    """An encoding that a header claims is not undone: the body is read as plain text and refused as such."""
    answer = await client.send("POST", path, body="abc", headers={"Content-Encoding": encoding})
    assert 400 <= answer.status < 500
    assert answer.body.keys() & {"code", "error"}


async def test_a_client_that_leaves_in_the_middle_of_its_request_disturbs_nobody(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a body and good-bye: no order, no complaint in the log, and the next client is served."""
    url = URL(client.urls["rest"])
    for path in (b"/fapi/v1/order", b"/sim/adl"):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nab")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert (await client.send("GET", "/fapi/v1/ping")).status == 200
    assert [record.getMessage() for record in caplog.records] == []


async def test_all_versions_tell_one_position(client: Client) -> None:
    """Versions 1, 2 and 3 of positionRisk, account 2 and 3, balance 2 and 3, and their twins on the WebSocket."""
    await client.ok("POST", "order", **market_order("BUY"))
    risks = [await client.ok("GET", f"/fapi/v{n}/positionRisk", symbol=SYMBOL) for n in (1, 2, 3)]
    accounts = [await client.ok("GET", f"/fapi/v{n}/account") for n in (2, 3)]
    amounts = {rows[0]["positionAmt"] for rows in (*risks, *(a["positions"] for a in accounts))}
    assert amounts == {"0.013"}
    assert len({account["totalWalletBalance"] for account in accounts}) == 1
    balances = [await client.ok("GET", f"/fapi/v{n}/balance") for n in (2, 3)]
    assert balances[0] == balances[1]
    async with client.ws_api() as api:
        for method, rest in (
            ("account.status", accounts[0]),
            ("v2/account.status", accounts[1]),
            ("v2/account.position", risks[2]),
            ("account.balance", balances[0]),
        ):
            assert (await api.signed(method))["result"] == rest


async def test_a_gap_through_the_margin_liquidates_and_the_wire_tells_it(client: Client) -> None:
    """`autoclose-…`, CALCULATED, INSURANCE_CLEAR, the forceOrders row, the income row, and the judge still follows."""
    await client.ok("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    await client.ok("POST", "order", **market_order("BUY"))
    async with client.stream(f"/private/ws/{await client.listen_key()}") as private:
        await client.price(last="80000", mark="80000", bid="79999.9", ask="80000.1")
        order = await private.until(lambda event: event.get("o", {}).get("x") == "CALCULATED")
        assert order["o"]["c"].startswith("autoclose-")
        account = await private.until(lambda event: event.get("a", {}).get("m") != "ORDER")
        assert account["a"]["m"] == "INSURANCE_CLEAR"
    (row,) = await client.ok("GET", "forceOrders", symbol=SYMBOL)
    assert row["orderId"] == order["o"]["i"]
    (cleared,) = await client.ok("GET", "income", incomeType="INSURANCE_CLEAR")
    assert cleared["symbol"] == SYMBOL
    assert await client.ok("GET", "/fapi/v3/positionRisk") == []
    assert (await client.judge())["trades"] == 1


async def test_the_control_can_deleverage(client: Client) -> None:
    """A part by `adl_autoclose`; nonsense and a flat symbol are named."""
    await client.ok("POST", "order", **market_order("BUY"))
    taken = await client.sim("adl", {"symbol": SYMBOL, "quantity": "0.003"})
    assert taken.body == {"symbol": SYMBOL, "quantity": "0.003"}
    (row,) = await client.ok("GET", "forceOrders", autoCloseType="ADL")
    assert (row["clientOrderId"], row["executedQty"]) == ("adl_autoclose", "0.003")
    for fields, status, said in (
        ({"symbol": SYMBOL, "quantity": "-1"}, 400, "quantity"),
        ({"symbol": SYMBOL, "quantity": "NaN"}, 400, "quantity"),
        ({"symbol": "NOSUCH"}, 404, "NOSUCH"),
        ({"symbol": SYMBOL, "much": 1}, 400, "much"),
    ):
        refused = await client.sim("adl", fields)
        assert refused.status == status
        assert said in refused.body["error"]
