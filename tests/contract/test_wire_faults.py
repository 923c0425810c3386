"""Faults on order through real sockets: each kind seen from outside and in the ledger; the control surface; the file."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from tests.contract import faults_of_orders, faults_of_requests, faults_of_streams
from tests.contract.wire import (
    SYMBOL,
    Client,
    Frames,
    exchange,
    limit_order,
    manual,
    market_order,
    stop_order,
)
from tests.contract.wire_faults import FAR, ORDER, SCENES, SOON_S, exists, fault, place
from yarl import URL

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.judge import judge
from jumar.exchange.simulated.market import open_market
from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.faults.kinds import FORMS, Kind, Place
from jumar.exchange.simulated.server.faults.rule import RuleError, rules_from
from jumar.exchange.simulated.server.run import SimulatedServer

#: The scenes stand in these modules, one for each kind.
STAGES = (faults_of_requests, faults_of_streams, faults_of_orders)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market at 90900."""
    async with exchange() as running:
        yield running


def test_every_kind_has_a_scene() -> None:
    """A kind that nobody looks at is noticed."""
    assert SCENES.keys() == set(Kind)
    assert {each.__module__ for each in SCENES.values()} == {stage.__name__ for stage in STAGES}


@pytest.mark.parametrize("kind", list(Kind))
async def test_each_kind_is_seen_from_outside_and_in_the_ledger(client: Client, kind: Kind) -> None:
    """The scene sees the effect; records name rule and kind; the judge reads them without a word."""
    await SCENES[kind](client)
    records = await client.ledger()
    told = [row for row in records if row["kind"] == "fault"]
    assert {row["fault"] for row in told} == {kind.value}
    assert all(isinstance(row["rule"], int) for row in told)
    assert (await client.judge())["promises"] == judge(records)["promises"]


async def _frame(frames: Frames, client_id: str = "e1") -> Any:
    """Ask for a resting bid; the answer."""
    terms = limit_order(FAR, client_id, timeInForce="GTC")
    return await frames.signed("order.place", **terms)


async def _without_answer(frames: Frames) -> str:
    try:
        async with asyncio.timeout(SOON_S):
            answer = await _frame(frames)
    except TimeoutError:
        return "silence"
    except (TypeError, aiohttp.ClientError):  # aiohttp's word for a frame that is no text
        return "closed"
    return json.dumps(answer)


@pytest.mark.parametrize(
    ("kind", "fields", "seen", "executed"),
    [
        (Kind.LOST_REQUEST, {}, "silence", False),
        (Kind.LOST_REQUEST, {"how": "close"}, "closed", False),
        (Kind.LOST_REQUEST, {"how": "reset"}, "closed", False),
        (Kind.LOST_ANSWER, {}, "silence", True),
        (Kind.LOST_ANSWER, {"how": "reset"}, "closed", True),
        (Kind.UNKNOWN_EXECUTED, {}, '"status": 408', True),
        (Kind.UNKNOWN_NOT_EXECUTED, {"form": "503"}, '"status": 503', False),
        (Kind.OUTAGE, {"form": "throttled"}, '"code": -1008', False),
        (Kind.TOO_MANY_REQUESTS, {}, '"status": 429', False),
        (Kind.BANNED, {}, '"status": 418', False),
        (Kind.REFUSE, {"code": -2019}, '"code": -2019', False),
        (Kind.PROXY_ERROR, {}, "closed", False),
        (Kind.ALTERED_ORDER, {"percent": "0.0001"}, '"price": "80000.1"', True),
        (Kind.WRONG_ECHO, {"percent": "0.0001"}, '"price": "80000.1"', True),
    ],
)
async def test_requests_of_the_websocket_api_meet_the_same_faults(
    client: Client, kind: Kind, fields: dict[str, Any], seen: str, executed: bool
) -> None:
    """Named by the method, seen in the frame, executed or not as over HTTP."""
    await fault(client, kind, {"endpoint": "order.place"}, **fields)
    assert (
        await place(client, "rest")
    ).status == 200  # the same request over HTTP is another endpoint
    async with client.ws_api() as frames:
        assert seen in await _without_answer(frames)
    assert await exists(client) is executed


async def test_a_late_frame_does_not_hold_up_the_next_one(client: Client) -> None:
    """Two requests on one connection: the second is answered first."""
    await fault(client, Kind.LATE_ANSWER, {"endpoint": "ticker.book"}, delay_ms=200)
    async with client.session.ws_connect(client.urls["ws_api"]) as socket:
        for method in ("ticker.book", "ticker.price"):
            await socket.send_json({"id": method, "method": method, "params": {"symbol": SYMBOL}})
        async with asyncio.timeout(10):
            answered = [(await socket.receive_json())["id"] for _ in range(2)]
    assert answered == ["ticker.price", "ticker.book"]


async def test_an_unreadable_frame_is_sent_as_it_is(client: Client) -> None:
    """What the client gets is not JSON; the order rests."""
    await fault(client, Kind.UNREADABLE_ANSWER, {"endpoint": "order.place"})
    async with client.ws_api() as frames:
        with pytest.raises(json.JSONDecodeError):
            await _frame(frames)
    assert await exists(client)


async def test_rules_are_shown_with_their_counts_and_taken_away(client: Client) -> None:
    """POST answers with ids; GET says how often; DELETE by id, then all; an unknown id is 404."""
    answer = await client.sim(
        "faults",
        [
            {"kind": "refuse", "code": -2019, "scope": {"side": "SELL"}},
            {"kind": "late_answer", "delay_ms": 1, "count": 1, "probability": 1},
        ],
    )
    assert [row["id"] for row in answer.body["rules"]] == [1, 2]
    await place(client)
    rows = (await client.send("GET", "/sim/faults")).body["rules"]
    assert [(row["kind"], row["tried"], row["struck"]) for row in rows] == [
        ("refuse", 0, 0),
        ("late_answer", 1, 1),
    ]
    assert rows[1]["probability"] == 1
    assert (await client.send("DELETE", "/sim/faults", query="id=7")).status == 404
    assert (await client.send("DELETE", "/sim/faults", query="id=x")).status == 400
    assert (await client.send("DELETE", "/sim/faults", query="id=1")).body == {"removed": [1]}
    assert (await client.send("DELETE", "/sim/faults")).body == {"removed": [2]}
    assert (await client.send("GET", "/sim/faults")).body == {"rules": []}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ("{", "not JSON"),
        ([], "no rule"),
        ([{"kind": "refuse", "code": -2019}, {"kind": "lost"}], "rule 2: kind: 'lost' is unknown"),
        (
            {"kind": "lost_event", "scope": {"endpoint": "tick"}},
            "scope.endpoint: 'tick' is no event",
        ),
        ({"kind": "halted", "scope": {"symbol": "XYZ"}}, "scope.symbol: 'XYZ' is not traded here"),
        (
            {"kind": "lost_answer", "scope": {"endpoint": "/fapi/v1/oder"}},
            "scope.endpoint: '/fapi/v1/oder' is no path",
        ),
        (
            {"kind": "changed_filters", "tick_size": "0.15"},
            "tick_size: 0.15 is not a whole multiple",
        ),
    ],
)
async def test_a_bad_rule_names_its_field_and_sets_nothing(
    client: Client, fields: Any, error: str
) -> None:
    """400 with number, field and fix; of a list with one bad rule none is set."""
    answer = await client.sim("faults", fields)
    assert (answer.status, answer.body["error"][: len(error)]) == (400, error)
    assert (await client.send("GET", "/sim/faults")).body == {"rules": []}


async def _refused(seed: int) -> list[int]:
    """Which of thirty requests a rule of one in three strikes."""
    async with exchange(ServeConfig(market=manual())) as client:
        await fault(
            client, Kind.REFUSE, {"role": "entry"}, code=-2019, probability="0.3", seed=seed
        )
        return [number for number in range(30) if (await place(client, f"e{number}")).status == 400]


async def test_the_same_seed_and_requests_give_the_same_faults() -> None:
    """Two exchanges, one seed: the same requests are refused; another seed: others."""
    first = await _refused(7)
    assert 3 <= len(first) <= 17
    assert first == await _refused(7)
    assert first != await _refused(8)


async def test_a_moment_comes_again_until_its_rule_is_spent(client: Client) -> None:
    """Not before it begins; then one order after the other, as many as it may."""
    for name in ("e1", "e2", "e3"):
        await place(client, name)
    await fault(client, Kind.CANCELLED_ORDER, {"role": "entry"}, count=2, after_ms=100, every_ms=30)
    assert len(await client.ok("GET", "openOrders")) == 3
    async with asyncio.timeout(10):
        while len(await client.ok("GET", "openOrders")) > 1:  # noqa: ASYNC110 - the state is in the exchange's hands
            await asyncio.sleep(0.01)
    struck = [row["t"] for row in await client.ledger() if row["kind"] == "fault"]
    assert struck[1] - struck[0] >= 30
    assert (await client.send("GET", "/sim/faults")).body["rules"][0]["tried"] == 2


async def test_what_finds_nothing_to_strike_does_not_strike(client: Client) -> None:
    """No connection, no key, no position, no order: tried or not, nothing is counted or recorded."""
    for kind in ("dropped_stream", "expired_listen_key", "deleveraged", "spoiled_order"):
        await client.sim("faults", {"kind": kind})
    rows = (await client.send("GET", "/sim/faults")).body["rules"]
    assert [row["struck"] for row in rows] == [0] * 4
    assert not [row for row in await client.ledger() if row["kind"] == "fault"]


async def test_without_rules_nothing_stands_in_the_way(client: Client) -> None:
    """Neither requests nor events nor steps come by the faults before a rule or after the last one."""
    faults, hub = client.server.faults, client.server._hub

    def calm() -> bool:
        return not (faults.requests.active or faults.stepping or hub.disturb)

    assert calm()
    rules = [{"kind": kind} for kind in ("lost_event", "lagging_list", "lagging_position")]
    await client.sim("faults", rules)
    assert faults.requests.active
    assert faults.stepping
    assert hub.disturb
    await client.send("DELETE", "/sim/faults")
    assert calm()


async def test_a_drawn_market_goes_on_from_where_a_gap_left_it() -> None:
    """Every further price is displaced, the book stays a book; the rule taken away, the path is its own again."""
    ticks = {symbol: instrument.tick_size for symbol, instrument in INSTRUMENTS.items()}
    prices = {SYMBOL: Decimal(90000)}
    market = open_market(
        "synthetic", symbols=(SYMBOL,), seed=1, tick_sizes=ticks, start_prices=prices
    )
    async with exchange(ServeConfig(market=market, speed=50)) as client:
        before = await _quote(client)
        await fault(client, Kind.PRICE_GAP, percent=-10)
        async with client.stream(f"/public/ws/{SYMBOL.lower()}@bookTicker") as quotes:
            for _ in range(3):
                quote = await quotes.next()
                assert Decimal(quote["b"]) < Decimal(quote["a"]) < before * Decimal("0.95")
        await client.send("DELETE", "/sim/faults")
        async with client.stream(f"/public/ws/{SYMBOL.lower()}@bookTicker") as quotes:
            await quotes.until(lambda quote: Decimal(quote["b"]) > before * Decimal("0.95"))


async def _quote(client: Client) -> Decimal:
    path, query = "/fapi/v1/ticker/bookTicker", f"symbol={SYMBOL}"
    return Decimal((await client.send("GET", path, query=query)).body["bidPrice"])


async def test_faults_of_the_configuration_hold_from_the_start() -> None:
    """What a server is started with strikes its first request."""
    rules = tuple(rules_from([{"kind": "refuse", "code": -2019, "scope": {"role": "entry"}}]))
    async with exchange(ServeConfig(market=manual(), faults=rules)) as client:
        assert (await place(client)).code == -2019
    with pytest.raises(RuleError, match=r"rule 1: scope\.symbol: 'XYZ' is not"):
        SimulatedServer(
            ServeConfig(
                market=manual(),
                faults=tuple(rules_from([{"kind": "halted", "scope": {"symbol": "XYZ"}}])),
            )
        )


READS = ("v1/openOrders", "v1/openAlgoOrders", "v3/positionRisk", "v3/account", "v1/exchangeInfo")
ALL_AT_ONCE: dict[Kind, dict[str, Any]] = {
    Kind.LOST_REQUEST: {"how": "reset"},
    Kind.LOST_ANSWER: {"how": "close"},
    Kind.TOO_MANY_REQUESTS: {"for_ms": 10},
    Kind.BANNED: {"for_ms": 10},
    Kind.REFUSE: {"code": -2019},
    Kind.WRONG_ECHO: {"percent": 1},
    Kind.ALTERED_ORDER: {"percent": 1},
    Kind.LATE_REQUEST: {"delay_ms": 5},
    Kind.LATE_ANSWER: {"delay_ms": 5},
    Kind.LATE_EVENT: {"delay_ms": 5},
    Kind.MARK_DIP: {"percent": -1},
    Kind.PRICE_GAP: {"percent": -1, "for_ms": 20},
    Kind.CRUMBS: {"quantity": "0.002"},
    Kind.HALTED: {"for_ms": 10},
    Kind.CHANGED_FILTERS: {"tick_size": "0.2"},
}


@pytest.mark.parametrize("seed", range(3))
async def test_all_kinds_at_once_leave_an_exchange_and_its_ledger_whole(
    client: Client, seed: int
) -> None:
    """No answer is an error of the server's own, no work of it dies, the judge understands what is left."""
    key, now_ms = await client.listen_key(), client.server._clock.now_ms
    rules = []
    for kind, form in FORMS.items():
        often = {"every_ms": 10} if form.place is Place.MOMENT else {}
        common = {"kind": kind, "probability": 0.2, "count": 50, "seed": seed}
        rules.append({**common, **often, **ALL_AT_ONCE.get(kind, {})})
    assert (await client.sim("faults", rules)).status == 200
    asked = [
        ("POST", ORDER, market_order("BUY", "0.006")),
        ("POST", "/fapi/v1/algoOrder", stop_order("90380", "s", quantity="0.006")),
        ("POST", ORDER, market_order("SELL", "0.004", reduceOnly="true")),
        *(("GET", f"/fapi/{path}", dict[str, str]()) for path in READS),
    ]
    statuses = set[int]()
    async with client.stream(f"/private/ws/{key}"):
        for number in range(60):
            method, path, params = asked[number % len(asked)]
            payload = urlencode({**params, "timestamp": str(now_ms())})
            query = f"{payload}&signature={client.sign(payload)}"
            url = URL(f"{client.urls['rest']}{path}?{query}", encoded=True)
            with suppress(aiohttp.ClientConnectionError):  # one of the faults
                async with client.session.request(method, url, headers=client.key) as answer:
                    statuses.add(answer.status)
    assert 200 in statuses
    assert 500 not in statuses
    assert not [task for task in client.server._tasks if task.done() and task.exception()]
    assert len({row["fault"] for row in await client.ledger() if row["kind"] == "fault"}) > 15
    assert "promises" in await client.judge()
