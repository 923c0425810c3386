"""One symbol as a person sees it: confirmed prices apart from wished ones, and never a guess."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.planner.test_chase import AFTER_MS, resting, touch_away
from tests.worlds import AMEND, NOW, Storyboard, opened, world

from jumar.model.account import PositionReport
from jumar.model.command import Plan, Refusal
from jumar.model.levels import BoundZone, MarketLevels
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderState, OwnOrder, Role, Side
from jumar.model.world import DecisionState, Observed, Source, World
from jumar.reconciler.snapshot import material, snapshot

D = Decimal


def changed(seen: World, role: Role, **changes: object) -> World:
    """The world with the orders of a role changed."""
    orders = tuple(
        replace(o, **changes) if o.role is role else o  # type: ignore[arg-type]  # a test states only what differs
        for o in seen.orders
    )
    return replace(seen, orders=orders)


def without(seen: World, *roles: Role) -> World:
    """The world without the orders of some roles."""
    return replace(seen, orders=tuple(o for o in seen.orders if o.role not in roles))


def order(seen: World, role: Role) -> OwnOrder:
    """The order of a role."""
    return next(o for o in seen.orders if o.role is role)


def listed(content: dict[str, object], part: str) -> list[dict[str, Any]]:
    """The orders of one part."""
    found = content[part]
    assert isinstance(found, list)
    return found


def table(content: dict[str, object], part: str) -> dict[str, Any]:
    """A part that has members."""
    found = content[part]
    assert isinstance(found, dict)
    return found


def roles(content: dict[str, object], part: str) -> list[str]:
    """The roles of the orders of one part."""
    return [entry["role"] for entry in listed(content, part)]


def test_an_open_position_is_told_with_its_stops_and_targets() -> None:
    """Side, unsigned quantity and entry price of the exchange; each confirmed order with its numbers."""
    seen = opened().world
    content = snapshot(seen, Plan())
    assert content["position"] == {"side": "long", "quantity": "0.013", "entry_price": "90786.6"}
    assert (content["cover"], content["protected"]) == ("stop", True)
    assert content["unrealised"] == "0.4342"
    stop, backstop = listed(content, "stops")
    assert stop == {
        "client_id": order(seen, Role.STOP).client_id,
        "role": "stop",
        "price": "90380",
        "quantity": "0.013",
        "confirmed": True,
        "visible": True,
        "state": "open",
    }
    assert (backstop["role"], backstop["price"], backstop["quantity"]) == (
        "backstop",
        "90380",
        None,
    )
    assert roles(content, "orders") == ["tp1", "tp2"]
    assert content["wished"] == []
    trade = table(content, "trade")
    assert (trade["side"], trade["filled"], trade["average_entry"]) == ("long", "0.013", "90786.6")
    assert trade["armed_at"] == "2025-12-05T10:05:05.000Z"


def test_a_short_is_told_as_one() -> None:
    """The quantity is unsigned, the stop above covers it."""
    content = snapshot(opened(Side.SELL).world, Plan())
    assert content["position"] == {"side": "short", "quantity": "0.013", "entry_price": "90813.4"}
    assert content["protected"] is True


@pytest.mark.rule("H-6")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": OrderState.IN_FLIGHT, "acked_ms": None}, "in_flight"),
        ({"state": OrderState.UNKNOWN, "acked_ms": None}, "unknown"),
        ({"echo_error": "triggerPrice"}, "echo differs: triggerPrice"),
    ],
)
def test_a_stop_nobody_confirmed_is_only_wished(changes: dict[str, object], why: str) -> None:
    """Its price never stands among the stops, and it covers nothing."""
    seen = without(changed(opened().world, Role.STOP, **changes), Role.BACKSTOP)
    content = snapshot(seen, Plan())
    assert content["stops"] == []
    (wish,) = listed(content, "wished")
    assert (wish["role"], wish["trigger"], wish["why"]) == ("stop", "90380", why)
    assert (content["cover"], content["protected"]) == ("naked", False)


@pytest.mark.rule("H-6")
def test_a_move_shows_the_old_price_until_the_new_one_is_confirmed() -> None:
    """While the tighter stop is in flight the confirmed one is the stop, the other a wish."""
    seen = opened().world
    old = order(seen, Role.STOP)
    request = replace(old.request, client_id="jm-aaaaaaaaaa-S2", trigger_price=D("90840"))
    moved = replace(old, attempt=2, request=request, state=OrderState.IN_FLIGHT, acked_ms=None)
    moving = replace(seen, orders=(*seen.orders, moved))
    content = snapshot(moving, Plan())
    prices = [(s["role"], s["price"]) for s in listed(content, "stops")]
    assert prices == [("stop", "90380"), ("backstop", "90380")]
    assert [w["trigger"] for w in listed(content, "wished")] == ["90840"]
    arrived = replace(moved, state=OrderState.OPEN, acked_ms=NOW)
    content = snapshot(replace(seen, orders=(*seen.orders, arrived)), Plan())
    assert ("stop", "90840") in [(s["role"], s["price"]) for s in listed(content, "stops")]
    assert content["wished"] == []


def test_a_stop_for_less_than_the_position_is_no_cover() -> None:
    """Partial stops do not protect; a closePosition order alone does."""
    seen = opened().world
    part = replace(order(seen, Role.STOP).request, quantity=D("0.012"))
    small = changed(seen, Role.STOP, request=part)
    assert snapshot(small, Plan())["cover"] == "stop"  # the backstop covers all
    assert snapshot(without(small, Role.BACKSTOP), Plan())["cover"] == "naked"
    assert snapshot(without(seen, Role.STOP), Plan())["cover"] == "stop"


def test_an_invisible_stop_is_presumed_alive_and_said_to_be_invisible() -> None:
    """S-13: absent from two lists it still covers, but a person sees that nobody tells of it."""
    unlisted = (NOW + 3000, NOW + 6000)
    content = snapshot(changed(opened().world, Role.STOP, unlisted=unlisted), Plan())
    stop = listed(content, "stops")[0]
    assert (stop["visible"], stop["confirmed"]) == (False, True)
    assert content["protected"] is True


def test_an_executing_exit_is_closing() -> None:
    """A triggered stop that has not ended, with the position still there, is told as closing."""
    board = opened()
    board.trigger(Role.STOP)
    content = snapshot(board.world, Plan())
    assert (content["cover"], content["protected"]) == ("closing", True)
    assert listed(content, "stops")[0]["state"] == "triggered"


def test_the_newer_word_of_the_exchange_counts() -> None:
    """Of read and event the newer one is the position; fills newer than both keep it from being called flat."""
    seen = opened().world
    flat = PositionReport(symbol="BTCUSDT", quantity=D(0), entry_price=D(0))
    older = Observed(value=flat, at_ms=NOW - 5000, source=Source.REST)
    newer = Observed(value=flat, at_ms=NOW + 5000, source=Source.REST)
    assert snapshot(replace(seen, position=older), Plan())["position"] != {
        "side": "flat",
        "quantity": "0",
        "entry_price": "0",
    }
    told = snapshot(replace(seen, position=newer), Plan())
    assert (told["cover"], told["protected"]) == ("flat", True)
    behind = without(replace(seen, position=older, position_event=None), Role.STOP, Role.BACKSTOP)
    assert snapshot(behind, Plan())["cover"] == "naked"


def test_what_nobody_has_read_is_none() -> None:
    """Before the first reads there is no position, no cover, no price, no age."""
    blank = World(now_ms=NOW, account="main", store_id="s", symbol="BTCUSDT", ready=False)
    content = snapshot(blank, Plan())
    for name in ("position", "protected", "unrealised", "decision", "outcome", "trade", "equity"):
        assert content[name] is None, name
    assert content["cover"] == "unknown"
    assert set(table(content, "ages_s").values()) == {None}
    assert set(table(content, "prices").values()) == {None}


def test_ages_are_told_for_each_part() -> None:
    """Seconds of exchange time since each part was asked for or told."""
    known = MarketLevels(as_of_ms=NOW - 100)
    ages = snapshot(world(levels=known), Plan())["ages_s"]
    assert ages == dict.fromkeys(
        ("position", "order_list", "conditional_list", "quote", "mark", "last", "levels"), 0.1
    )


@pytest.mark.rule("L-3")
def test_the_bound_zone_is_told_with_the_trade() -> None:
    """Where the position will be left, and whether it was left there already."""
    seen = opened()
    assert table(snapshot(seen.world, Plan()), "trade")["zone"] is None
    zone = BoundZone(id="cluster_1", low=Decimal(91500), high=Decimal(91650), used=True)
    bound = replace(seen.world, trade=replace(seen.trade, zone=zone))
    assert table(snapshot(bound, Plan()), "trade")["zone"] == {
        "id": "cluster_1",
        "min": "91500",
        "max": "91650",
        "used": True,
    }


def outcome_of(state: DecisionState, plan: Plan) -> tuple[str, list[str]]:
    """The word and the codes."""
    told = table(snapshot(world(decision=state), plan), "outcome")
    return told["outcome"], [reason["code"] for reason in told["reasons"]]


def test_the_outcome_of_the_decision_is_told_with_its_reasons() -> None:
    """Accepted, refused by guards, spent, or superseded by a newer one that could not be read."""
    state = DecisionState(decision=opened().trade.decision)
    stale = Refusal(code="stale", rule="D-3", message="decision is 700.0 s old")
    assert outcome_of(state, Plan()) == ("accepted", [])
    assert outcome_of(state, Plan(refusals=(stale,))) == ("refused", ["stale"])
    assert outcome_of(replace(state, spent="its trade is over"), Plan()) == ("spent", ["spent"])
    newer = replace(state, refusals=(("malformed", "sl = -1: must be above zero"),))
    assert outcome_of(newer, Plan()) == ("superseded", ["malformed"])


def test_only_what_matters_is_material() -> None:
    """Ages, prices and numbers in messages change nothing; a mode, a code or a stop does."""
    board: Storyboard = opened()
    refusal = Refusal(code="stale", rule="D-3", message="decision is 700.0 s old")
    first = snapshot(board.world, Plan(refusals=(refusal,)))
    older = replace(refusal, message="decision is 701.0 s old")
    board.later(1000).mark("90900")
    assert material(snapshot(board.world, Plan(refusals=(older,)))) == material(first)
    assert material(snapshot(board.world, Plan())) != material(first)
    state = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="closed", since_ms=NOW)
    held = replace(board.world, mode=state)
    assert material(snapshot(held, Plan(refusals=(older,)))) != material(first)
    bare = without(board.world, Role.STOP)
    assert material(snapshot(bare, Plan(refusals=(older,)))) != material(first)


def test_it_is_ready_for_json() -> None:
    """Its text reads back as the same values; a kept mode is told with its cause and time."""
    board = opened()
    state = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="closed", since_ms=NOW)
    seen = replace(board.world, mode=state)
    content = snapshot(seen, Plan())
    assert json.loads(json.dumps(content)) == content
    assert content["mode"] == {
        "mode": "NO_ENTRIES",
        "rule": "S-8",
        "cause": "closed",
        "since": "2025-12-05T10:05:05.000Z",
    }


@pytest.mark.rule("H-6", "E-5")
def test_an_amended_entry_is_told_at_its_last_confirmed_price() -> None:
    """What is only asked for stands beside it, marked as such; once the venue shows it, it is the price."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.silent.add(AMEND)
    board.tick()
    (entry,) = listed(snapshot(board.world, Plan()), "orders")
    assert (entry["price"], entry["asked_price"]) == ("90760", "90780")
    shown = replace(board.listed("E1"), price=D("90780"))
    (entry,) = listed(snapshot(board.lists(shown).world, Plan()), "orders")
    assert (entry["price"], entry["asked_price"]) == ("90780", None)
