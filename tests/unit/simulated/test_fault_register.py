"""Whom rules strike: dice of their own, counts, scopes, what an order is for, displaced prices."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, Hand, step

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.server.faults.kinds import Place
from jumar.exchange.simulated.server.faults.market import ONE_STEP_MS, Displacement, Shift, amount
from jumar.exchange.simulated.server.faults.register import Register, Standing
from jumar.exchange.simulated.server.faults.rule import rule_from
from jumar.exchange.simulated.server.faults.subject import (
    Ask,
    Subject,
    ask_of,
    at_endpoint,
    event_subjects,
    in_scope,
    role_of,
)


def an_exchange() -> Exchange:
    """One symbol with a market at 90000."""
    return Floor().exchange


def a_register() -> tuple[Register, Hand, Exchange]:
    """Without rules."""
    clock, exchange = Hand(), an_exchange()
    return Register(exchange, clock), clock, exchange


def set_rule(register: Register, **fields: Any) -> Standing:
    """Set one rule."""
    return register.add([rule_from(fields)])[0]


def pattern(seed: int, kind: str = "lost_answer", probability: float = 0.3) -> list[bool]:
    """Fifty throws of a rule."""
    register, _, _ = a_register()
    standing = set_rule(register, kind=kind, seed=seed, probability=str(probability))
    return [register.throws(standing) for _ in range(50)]


def test_dice_are_the_seeds_and_the_kinds() -> None:
    """Equal for equal seeds, different for another seed or another kind, about as frequent as asked."""
    assert pattern(3) == pattern(3)
    assert pattern(3) != pattern(4)
    assert pattern(3) != pattern(3, "lost_request")
    assert all(pattern(3, probability=1))
    assert 5 <= sum(pattern(3)) <= 25


def test_a_rule_strikes_no_more_often_than_it_may() -> None:
    """Spent, it is tried no more; it stays to be looked at."""
    register, _, exchange = a_register()
    standing = set_rule(register, kind="lost_answer", count=2)
    for _ in range(2):
        assert register.at(Place.REQUEST) == [standing]
        assert register.throws(standing)
        register.strike(standing)
    assert register.at(Place.REQUEST) == []
    assert (standing.row["tried"], standing.row["struck"]) == (2, 2)
    records = [row for row in exchange.ledger.records if row["kind"] == "fault"]
    assert [(row["rule"], row["fault"]) for row in records] == [(1, "lost_answer")] * 2


def test_a_rule_begins_when_it_is_told_to() -> None:
    """Not before `after_ms` of exchange time."""
    register, clock, _ = a_register()
    standing = set_rule(register, kind="lost_answer", after_ms=1000)
    clock.at_ms += 999
    assert register.at(Place.REQUEST) == []
    clock.at_ms += 1
    assert register.at(Place.REQUEST) == [standing]


@pytest.mark.parametrize(
    ("kind", "closes", "close_position", "role"),
    [
        ("LIMIT", False, False, "entry"),
        ("MARKET", True, False, "close"),
        ("STOP_MARKET", True, False, "stop"),
        ("TRAILING_STOP_MARKET", True, False, "stop"),
        ("STOP_MARKET", False, True, "backstop"),
        ("TAKE_PROFIT_MARKET", False, True, "target"),
        ("TAKE_PROFIT", True, False, "target"),
    ],
)
def test_what_an_order_is_for(kind: str, closes: bool, close_position: bool, role: str) -> None:
    """As far as an exchange can see it."""
    assert role_of(kind, closes=closes, close_position=close_position) == role


def asked(exchange: Exchange, method: str, path: str, **params: str) -> Subject:
    """What a request is about."""
    return ask_of(exchange, method, path, {"symbol": SYMBOL, **params}).subjects[0]


def test_a_request_that_names_an_order_by_its_id_is_about_that_order() -> None:
    """Cancels and queries take role and side of the order, whichever id they name."""
    exchange = an_exchange()
    terms = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "90000"}
    placed = {"symbol": SYMBOL, **terms, "quantity": "0.01", "newClientOrderId": "e1"}
    reply = exchange.request("POST", "/fapi/v1/order", placed, START_MS)
    expected = Subject(symbol=SYMBOL, side="BUY", role="entry", client_id="e1")
    order_id = str(reply.body["orderId"])
    assert asked(exchange, "POST", "/fapi/v1/order", **placed) == expected
    assert asked(exchange, "DELETE", "/fapi/v1/order", origClientOrderId="e1") == expected
    assert asked(exchange, "GET", "/fapi/v1/order", orderId=order_id) == expected
    unknown = asked(exchange, "GET", "/fapi/v1/order", orderId="9" * 400)
    assert (unknown.role, unknown.client_id) == (None, None)


@pytest.mark.parametrize(
    ("side", "position_side", "role"),
    [
        ("SELL", "LONG", "close"),
        ("BUY", "LONG", "entry"),
        ("BUY", "SHORT", "close"),
        ("SELL", "SHORT", "entry"),
    ],
)
def test_in_hedge_mode_the_sides_say_what_closes(side: str, position_side: str, role: str) -> None:
    """There nothing is reduce-only."""
    terms = {"side": side, "positionSide": position_side, "type": "MARKET"}
    subject = asked(an_exchange(), "POST", "/fapi/v1/order", **terms)
    assert (subject.role, subject.closing) == (role, role == "close")


def test_a_batch_is_about_each_of_its_orders() -> None:
    """Placements as terms, cancels by their lists; what cannot be read is about no order."""
    exchange = an_exchange()
    rows = '[{"symbol":"BTCUSDT","side":"SELL","type":"MARKET","reduceOnly":true},{"side":"BUY"}]'
    ask = ask_of(exchange, "POST", "/fapi/v1/batchOrders", {"batchOrders": rows})
    assert [each.role for each in ask.subjects] == ["close", None]
    for broken in ("[", "7", "[7]", '{"a":1}'):
        ask = ask_of(exchange, "POST", "/fapi/v1/batchOrders", {"batchOrders": broken})
        assert [each.role for each in ask.subjects] == [None]
    named = {"symbol": SYMBOL, "origClientOrderIdList": '["x","y"]'}
    ask = ask_of(exchange, "DELETE", "/fapi/v1/batchOrders", named)
    assert [each.client_id for each in ask.subjects] == ["x", "y"]


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ({}, True),
        ({"symbol": SYMBOL, "side": "SELL", "role": "stop"}, True),
        ({"symbol": "ETHUSDT"}, False),
        ({"side": "BUY"}, False),
        ({"role": "backstop"}, False),
    ],
)
def test_scopes_narrow(scope: dict[str, str], inside: bool) -> None:
    """All that is named must be so; what is not known of a subject is not so."""
    rule = rule_from({"kind": "lost_answer", "scope": scope})
    subject = Subject(symbol=SYMBOL, side="SELL", role="stop")
    assert in_scope(rule, subject) is inside
    assert in_scope(rule, Subject()) is (not scope)


@pytest.mark.parametrize(
    ("endpoint", "inside"),
    [
        ("/fapi/v1/order", True),
        ("POST /fapi/v1/order", True),
        ("order.place", True),
        ("DELETE /fapi/v1/order", False),
        ("/fapi/v1/orders", False),
        ("order.cancel", False),
    ],
)
def test_endpoints_are_paths_or_methods(endpoint: str, inside: bool) -> None:
    """The WebSocket API's name is that of one request, the path that of all."""
    rule = rule_from({"kind": "lost_answer", "scope": {"endpoint": endpoint}})
    params = {"symbol": SYMBOL}
    ask = Ask(
        method="POST",
        path="/fapi/v1/order",
        name="order.place",
        params=params,
        subjects=(Subject(),),
    )
    assert at_endpoint(rule, ask) is inside


@pytest.mark.parametrize(
    ("event", "symbols"),
    [
        ({"e": "bookTicker", "s": SYMBOL}, [SYMBOL]),
        ({"e": "ACCOUNT_UPDATE", "a": {"P": [{"s": "A"}, {"s": "B"}]}}, ["A", "B"]),
        ({"e": "ACCOUNT_UPDATE", "a": {"P": []}}, [None]),
        ({"e": "ACCOUNT_CONFIG_UPDATE", "ac": {"s": SYMBOL}}, [SYMBOL]),
        ({"e": "kline", "s": SYMBOL, "k": {}}, [SYMBOL]),
        ({"e": "aggTrade", "s": SYMBOL, "a": 5}, [SYMBOL]),
        ({"e": "forceOrder", "o": {"s": SYMBOL, "S": "SELL"}}, [None]),
        ({}, [None]),
    ],
)
def test_what_an_event_is_about(event: dict[str, Any], symbols: list[str | None]) -> None:
    """Orders have side and role beside it, see the wire tests."""
    assert [each.symbol for each in event_subjects(event)] == symbols


def test_prices_are_displaced_on_the_tick_and_come_back() -> None:
    """A dip moves the mark for one step; a gap moves all until its time; a rule that is gone moves nothing."""
    before, prices = step(), Displacement()
    by = amount(before.mark, Decimal("-0.00001"), Decimal("0.1"))
    assert by == Decimal("-0.1")
    prices.set(SYMBOL, 1, Shift(mark=by, price=by * 0, until_ms=ONE_STEP_MS))
    dipped = prices.shifted(before, START_MS)
    assert (dipped.mark, dipped.last, dipped.bids) == (Decimal("89999.9"), before.last, before.bids)
    assert prices.shifted(before, START_MS) == before
    assert not prices.active
    prices.set(SYMBOL, 2, Shift(mark=Decimal(10), price=Decimal(10), until_ms=START_MS + 5))
    moved = prices.shifted(before, START_MS + 4)
    assert [level.price for level in moved.bids] == [level.price + 10 for level in before.bids]
    assert moved.last == before.last + 10
    assert prices.shifted(before, START_MS + 5) == before
    prices.set(SYMBOL, 3, Shift(mark=Decimal(-90900), price=Decimal(-90900), until_ms=START_MS * 2))
    assert prices.shifted(before, START_MS) == before
    prices.end(3)
    assert not prices.active


def test_what_is_long_over_is_forgotten_some_day() -> None:
    """A rule that stands for days keeps no more than what still lasts, beyond a thousand entries."""
    register, _, _ = a_register()
    standing = set_rule(register, kind="lagging_list")
    for number in range(1000):
        standing.last(f"old-{number}", START_MS + number % 2 - 1, START_MS)
    standing.last("decided", -START_MS - 5, START_MS)
    assert (len(standing.lasting), standing.lasts("old-1", START_MS - 1)) == (1, False)
    standing.last("new", START_MS + 5, START_MS)
    assert standing.lasts("new", START_MS)
    assert not standing.lasts("decided", START_MS)
