"""Whatever is asked, there is an answer in the exchange's shape, and the books stay whole."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, Hand

from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.terms import USUAL_TERMS
from jumar.exchange.simulated.core.usage import WEIGHT_LIMIT
from jumar.exchange.simulated.judge import judge
from jumar.exchange.simulated.server.auth import (
    Ed25519Verifier,
    Gate,
    HmacVerifier,
    key_pair,
)
from jumar.exchange.simulated.server.gateway import Gateway
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.exchange.simulated.server.rest import Rest
from jumar.exchange.simulated.server.ws_api import METHODS, Session, WsApi
from jumar.ports.clock import SystemClock

# Every parameter of the exchange with a value that makes sense.
PARAMETERS = {
    "symbol": SYMBOL,
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "price": "89000.0",
    "reduceOnly": "false",
    "positionSide": "BOTH",
    "newClientOrderId": "mine",
    "newOrderRespType": "RESULT",
    "priceMatch": "NONE",
    "selfTradePreventionMode": "EXPIRE_MAKER",
    "goodTillDate": "0",
    "orderId": "8000000001",
    "origClientOrderId": "mine",
    "modifyId": "1",
    "batchOrders": json.dumps([{"symbol": SYMBOL, "side": "BUY", "type": "MARKET"}]),
    "orderIdList": "[8000000001]",
    "origClientOrderIdList": '["mine"]',
    "countdownTime": "120000",
    "algoType": "CONDITIONAL",
    "triggerPrice": "85000.0",
    "workingType": "MARK_PRICE",
    "closePosition": "false",
    "priceProtect": "false",
    "activatePrice": "91000.0",
    "callbackRate": "1",
    "clientAlgoId": "stop",
    "algoId": "1",
    "leverage": "10",
    "marginType": "ISOLATED",
    "amount": "1",
    "dualSidePosition": "true",
    "multiAssetsMargin": "true",
    "feeBurn": "true",
    "incomeType": "COMMISSION",
    "autoCloseType": "ADL",
    "startTime": str(START_MS),
    "endTime": str(START_MS + 1),
    "fromId": "1",
    "limit": "5",
    "page": "1",
    "interval": "1m",
    "pair": SYMBOL,
    "contractType": "PERPETUAL",
}
ODD = (
    "",
    " ",
    "0",
    "-1",
    "-0",
    "1e5",
    "1e-7",
    "NaN",
    "Infinity",
    ".5",
    "0.",
    "0.0000000000000001",
    "99999999999999999999.99999999999999999999",
    "999999999999999999",
    "9" * 400,
    "٣",
    "null",
    "true",
    "[]",
    "[1]",
    "{}",
    '[{"symbol":1}]',
    "[[[[]]]]",
    "[" * 5000,
    "MARKET",
    "STOP_MARKET",
    "TRAILING_STOP_MARKET",
    "GTD",
    "GTE_GTC",
    "BTCUSDC",
    "btcusdt",
    "\x00",
    "\ufffd",
    "x" * 40,
    "'; drop table orders; --",
    "💥",
)
ROUTES = sorted(Floor().exchange._routes)


def busy() -> Floor:
    """An exchange on which there is something to break: a position, an order, a stop."""
    floor = Floor(terms=USUAL_TERMS)
    floor.buy("0.020")
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "88000.0", newClientOrderId="mine"))
    stop = floor.stop("SELL", "80000.0", quantity="0.020", clientAlgoId="stop")
    floor.ok("POST", "algoOrder", **stop)
    return floor


def bases(path: str) -> Iterator[dict[str, str]]:
    """Requests that make more or less sense: as little as possible, and everything at once."""
    order = ("symbol", "side", "type", "timeInForce", "quantity", "price")
    stop = ("symbol", "side", "quantity", "algoType", "triggerPrice", "workingType")
    if "algo" in path.lower():
        yield {name: PARAMETERS[name] for name in stop} | {"type": "STOP_MARKET", "side": "SELL"}
    yield {name: PARAMETERS[name] for name in order}
    yield PARAMETERS


def check(floor: Floor, reply: Reply, seen: int) -> None:
    """The answer has the exchange's shape; what was refused changed nothing."""
    assert msgspec.json.encode(reply.body)
    if reply.status != 200:
        assert 400 <= reply.status < 500
        assert reply.body["code"] < 0
        assert reply.body["msg"]
        fresh = floor.exchange.ledger.records[seen:]
        assert {record["kind"] for record in fresh} <= {"refused"}
    account = floor.exchange._engine.account
    assert account.wallet - 10_000 == sum(entry.amount for entry in account.journal)
    assert sum(_fills(floor)) == account.position(SYMBOL).quantity


def _fills(floor: Floor) -> Iterator[Decimal]:
    for trade in floor.exchange._engine.trades:
        yield trade.quantity * trade.side.sign


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_parameter_may_be_odd(method: str, path: str) -> None:
    """Each request with each of its parameters in turn replaced by nonsense is answered or refused by its code."""
    floor = busy()
    for base in bases(path):
        for name in base:
            for odd in ODD:
                seen = len(floor.exchange.ledger.records)
                check(floor, floor.request(method, path, **{**base, name: odd}), seen)
    judge(floor.exchange.ledger.records, until_ms=floor.now_ms)


@settings(max_examples=300, deadline=None)
@given(
    route=st.sampled_from(ROUTES),
    params=st.dictionaries(
        st.sampled_from(sorted(PARAMETERS)) | st.text(max_size=8),
        st.sampled_from((*ODD, *PARAMETERS.values())) | st.text(max_size=20),
        max_size=12,
    ),
)
def test_any_mixture_is_answered(route: tuple[str, str], params: Mapping[str, str]) -> None:
    """Names and values without any sense, in any number."""
    floor = busy()
    seen = len(floor.exchange.ledger.records)
    check(floor, floor.request(*route, **params), seen)
    judge(floor.exchange.ledger.records, until_ms=floor.now_ms)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize(
    "path", ["/fapi/v1/nothing", "/fapi/v9/order", "/", "//", "/fapi/v1/order/"]
)
def test_an_unknown_path_is_named(method: str, path: str) -> None:
    """404 with -5000, whatever the verb."""
    reply = Floor().request(method, path)
    assert (reply.status, reply.body["code"]) == (404, -5000)
    assert path in reply.body["msg"]


@settings(max_examples=300, deadline=None)
@given(
    route=st.sampled_from(ROUTES),
    key=st.sampled_from([None, "", "hmac", "ed25519", "who"]),
    stamps=st.dictionaries(
        st.sampled_from(["timestamp", "recvWindow", "signature"]),
        st.sampled_from((*ODD, str(START_MS), "5000")) | st.text(max_size=20),
    ),
    payload=st.none() | st.text(max_size=20),
)
def test_any_credentials_are_answered(
    route: tuple[str, str], key: str | None, stamps: dict[str, str], payload: str | None
) -> None:
    """Keys, times, windows and signatures of any kind: refused by their codes, and nothing is changed."""
    floor = busy()
    gate = Gate({"hmac": HmacVerifier("s"), "ed25519": Ed25519Verifier(key_pair("s").public)})
    gateway = Gateway(floor.exchange, gate, ListenKeys(str), SystemClock())
    seen = len(floor.exchange.ledger.records)
    reply = gateway.answer(*route, {**PARAMETERS, **stamps}, api_key=key, payload=payload)
    check(floor, reply, seen)


@pytest.fixture(scope="module")
def api() -> WsApi:
    """The WebSocket API over an exchange, without sockets."""
    floor = busy()
    return WsApi(Gateway(floor.exchange, Gate({}), ListenKeys(str), SystemClock()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FRAMES = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=40),
    JSON.map(json.dumps),
    st.fixed_dictionaries(
        {
            "id": JSON,
            "method": st.sampled_from([*METHODS, "session.logon", "session.status"]) | JSON,
            "params": st.dictionaries(st.sampled_from(sorted(PARAMETERS)), JSON) | JSON,
        }
    ).map(json.dumps),
)


@settings(max_examples=500, deadline=None)
@given(frame=FRAMES, logged_on=st.booleans())
def test_any_frame_is_answered(api: WsApi, frame: str | bytes, *, logged_on: bool) -> None:
    """Text, bytes, half a JSON, a JSON of anything: one frame back, with a status, that can be sent."""
    session = Session(START_MS, api_key="me" if logged_on else None)
    answer = api.answer(frame, session)
    assert msgspec.json.encode(answer)
    assert answer["status"] == 200 or answer["error"]["code"] < 0


@pytest.mark.parametrize(
    ("frame", "weight"),
    [
        ("{", 1),
        ('{"id":1,"method":"order.guess"}', 1),
        ('{"id":1,"method":"session.guess"}', 1),
        ('{"id":1,"method":"session.logon"}', 2),
        ('{"id":1,"method":"session.status"}', 2),
    ],
)
def test_every_frame_costs_and_is_held_back(frame: str, weight: int) -> None:
    """Refused or not it counts its weight; who has used all is told so, whatever the frame says."""
    exchange = Exchange(
        symbols=[SYMBOL], balance=Decimal(1), account="t", now_ms=START_MS, limits=True
    )
    hand = Hand()
    api = WsApi(Gateway(exchange, Gate({}), ListenKeys(str), hand))
    answer = api.answer(frame, Session(START_MS))
    assert answer["status"] in (200, 400, 401, 404)
    assert answer["rateLimits"][0]["count"] == weight
    exchange.count(WEIGHT_LIMIT - weight, START_MS)
    held = api.answer(frame, Session(START_MS))
    assert (held["status"], held["error"]["code"]) == (429, -1003)


def test_a_request_that_stands_wrong_costs_and_is_held_back() -> None:
    """A parameter that stands twice is -1101 with its request's weight, and 429 for who has used all."""
    exchange = Exchange(
        symbols=[SYMBOL], balance=Decimal(1), account="t", now_ms=START_MS, limits=True
    )
    rest = Rest(Gateway(exchange, Gate({}), ListenKeys(str), Hand()))
    for query, body, used in (("symbol=a&symbol=a", "", 5), ("symbol=a", "limit=5&limit=5", 10)):
        reply = rest.reply("GET", "/fapi/v1/trades", query=query, body=body, api_key=None)
        assert (reply.status, reply.body["code"]) == (400, -1101)
        assert reply.counts.weight_1m == used
    exchange.count(WEIGHT_LIMIT - 10, START_MS)
    reply = rest.reply("GET", "/fapi/v1/trades", query="a=1&a=1", body="", api_key=None)
    assert (reply.status, reply.body["code"]) == (429, -1003)


def test_the_query_wins_over_the_body() -> None:
    """A parameter that stands in both places is not one that stands twice."""
    rest = Rest(Gateway(Floor().exchange, Gate({}), ListenKeys(str), Hand()))
    path, symbol = "/fapi/v1/ticker/price", f"symbol={SYMBOL}"
    assert rest.reply("GET", path, query=symbol, body="symbol=x", api_key=None).status == 200
    assert rest.reply("GET", path, query="symbol=x", body=symbol, api_key=None).status == 400


@pytest.mark.parametrize(
    "frame",
    [
        "[" * 100_000,
        '{"id":' + "9" * 5000 + ',"method":"session.status"}',
        '{"id":"\\ud800","method":"\\ud800","params":{"\\ud800":"\\ud800"}}',
        '{"id":1e400,"method":"session.status"}',
        '{"id":NaN,"method":"session.status"}',
        b"\xff\xfe\x00",
        "",
    ],
)
def test_frames_that_break_decoders_are_answered(api: WsApi, frame: str | bytes) -> None:
    """Depth without end, numbers without end, halves of characters, bytes that are no text."""
    answer = api.answer(frame, Session(START_MS))
    assert msgspec.json.encode(answer)
    assert answer["status"] in (200, 400, 404)
