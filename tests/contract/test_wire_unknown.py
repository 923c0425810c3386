"""What clients ask in vain is told: once on the line to people, counted for programs."""

import json

from tests.contract.wire import START, Client, exchange, limit_order, manual

from jumar.exchange.simulated.server.config import ServeConfig, parse_start
from jumar.exchange.simulated.server.unknown import KEPT_MAX, Unknown


async def test_each_unknown_thing_is_told_once_and_counted() -> None:
    """Addresses, parameters, methods and streams, by what they were part of; the second time only counts."""
    lines: list[str] = []
    config = ServeConfig(market=manual(), start_ms=parse_start(START), tell=lines.append)
    async with exchange(config) as client:
        for number in ("one", "two"):
            await _ask_in_vain(client, number)
        rows = (await client.send("GET", "/sim/unknown")).body
    assert [(row["what"], row["name"], row["at"]) for row in rows] == [
        ("address", "/fapi/v1/weather", "GET"),
        ("parameter", "icebergQty", "POST /fapi/v1/order"),
        ("method", "order.guess", "/ws-fapi/v1"),
        ("stream", "btcusdt@weather", "/market"),
        ("stream", "btcusdt@depth", "/market"),
    ]
    assert {row["times"] for row in rows} == {2}
    assert lines[1] == "unknown parameter 'icebergQty' of POST /fapi/v1/order"
    assert len(lines) == len(rows)


async def test_what_is_known_is_not_told() -> None:
    """Credentials, parameters that were read, empty ones, a refused request, a listen key where it belongs."""
    async with exchange() as client:
        await client.ok("POST", "order", **limit_order("90000", "one"), priceMatch="")
        refused = await client.signed("POST", "order", **limit_order("1", "two", icebergQty="1"))
        assert refused.status == 400
        key = await client.listen_key()
        async with client.stream(f"/private/ws/{key}"):
            assert (await client.send("GET", "/sim/unknown")).body == []


async def test_a_listen_key_by_the_wrong_route_is_told_without_the_key() -> None:
    """It stays silent there; the list names no secret."""
    async with exchange() as client:
        key = await client.listen_key()
        async with client.stream(f"/market/ws/{key}") as listener:
            assert await listener.silent()
        rows = (await client.send("GET", "/sim/unknown")).body
    assert rows == [{"what": "stream", "name": "listenKey", "at": "/market", "times": 1}]


def test_a_client_that_makes_up_names_fills_no_memory() -> None:
    """What comes after the first thousand names is neither told nor kept; what is known already still counts."""
    lines: list[str] = []
    unknown = Unknown(lines.append)
    for number in range(KEPT_MAX + 1):
        unknown.method(f"guess.{number}")
    unknown.method("guess.0")
    assert len(unknown.rows) == len(lines) == KEPT_MAX
    assert unknown.rows[0]["times"] == 2


async def _ask_in_vain(client: Client, client_id: str) -> None:
    """One of each."""
    await client.send("GET", "/fapi/v1/weather")
    await client.ok("POST", "order", **limit_order("90000", client_id, icebergQty="1"))
    async with client.ws_api() as frames:
        await frames.raw(json.dumps({"id": 1, "method": "order.guess", "params": {}}))
    async with client.stream("/market/ws/btcusdt@weather/btcusdt@depth") as listener:
        assert await listener.silent()
