"""The watch and the third opinion see what they are for: shown a fault, they name it."""

import json
from typing import Any

import pytest
from tests.contract.wire import limit_order
from tests.peers import oracle
from tests.peers.venue import Venue, running_venue
from tests.peers.watch import Answered, Watch

ORDER: dict[str, Any] = {
    "clientOrderId": "one",
    "cumQty": "0",
    "executedQty": "0",
    "orderId": 22542179,
    "origQty": "10",
    "price": "0",
    "reduceOnly": False,
    "side": "SELL",
    "positionSide": "SHORT",
    "status": "NEW",
    "stopPrice": "0",
    "closePosition": False,
    "symbol": "BTCUSDT",
    "timeInForce": "GTD",
    "type": "LIMIT",
    "origType": "LIMIT",
    "updateTime": 1566818724722,
    "workingType": "CONTRACT_PRICE",
    "priceProtect": False,
    "priceMatch": "NONE",
    "selfTradePreventionMode": "NONE",
    "goodTillDate": 1693207680000,
}


def watched(body: Any, event: Any = None) -> Watch:
    """A watch that saw one answer about an order and, if given, one event."""
    watch = Watch()
    watch.answered.append(Answered(method="POST", path="/fapi/v1/order", status=200, body=body))
    watch.sent += [] if event is None else [event]
    return watch


def test_the_documented_answer_pleases_the_sdk() -> None:
    """The exchange's own sample has nothing against it."""
    assert oracle.complaints(watched(ORDER)) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"orderId": "22542179"}, "POST /fapi/v1/order ('orderId',): Input should be a valid"),
        ({"executedQty": 0}, "POST /fapi/v1/order ('executedQty',): Input should be a valid"),
        ({"status": None}, "POST /fapi/v1/order lacks status"),
    ],
)
def test_a_wrong_type_and_a_missing_field_are_named(change: dict[str, Any], complaint: str) -> None:
    """A number for a text, a text for a number, a field that is not there (None here)."""
    spoiled = {**ORDER, **change}
    body = {name: value for name, value in spoiled.items() if value is not None}
    (said,) = oracle.complaints(watched(body))
    assert said.startswith(complaint)


def test_an_event_is_held_against_its_model() -> None:
    """Raw or wrapped, an event lacks what its model declares."""
    event = {"stream": "key", "data": {"e": "ACCOUNT_CONFIG_UPDATE", "T": 1}}
    assert oracle.complaints(watched(ORDER, event)) == [
        "ACCOUNT_CONFIG_UPDATE lacks E",
        "ACCOUNT_CONFIG_UPDATE lacks ac",
        "ACCOUNT_CONFIG_UPDATE lacks ai",
    ]


def test_the_sdk_knows_a_model_for_every_answer_of_the_table() -> None:
    """The requests of the SDK were found in its source, those of an engine among them."""
    known = {path for _, path in oracle.answers()}
    assert {"/fapi/v1/order", "/fapi/v1/algoOrder", "/fapi/v3/positionRisk"} <= known


async def test_what_the_exchange_does_not_know_is_noted() -> None:
    """Unknown path, unread parameter, unknown method and stream, a stream by the wrong route, another product."""
    async with running_venue() as venue:
        await ask_for_the_unknown(venue)
        assert venue.watch.faults == [
            "address /fapi/v1/unknown of GET",
            "parameter icebergQty of POST /fapi/v1/order",
            "method order.guess of /ws-fapi/v1",
            "stream btcusdt@weather of /market",
            "stream btcusdt@depth of /market",
            "address /elsewhere of GET",
        ]


async def ask_for_the_unknown(venue: Venue) -> None:
    """One of each."""
    await venue.wire.signed("GET", "unknown")
    await venue.wire.ok("POST", "order", **limit_order("90000", "odd", icebergQty="1"))
    async with venue.wire.ws_api() as frames:
        await frames.raw(json.dumps({"id": 1, "method": "order.guess", "params": {}}))
    async with venue.wire.stream("/market/ws/btcusdt@weather/btcusdt@depth") as listener:
        assert await listener.silent()
    assert (await venue.wire.send("GET", "/elsewhere")).status == 404
