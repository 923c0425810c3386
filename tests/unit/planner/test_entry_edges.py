"""Why an entry may not be alive, behind which stop it may rest, and the order itself (E-2, E-5 … E-10, S-1)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import BEFORE, ended, lot, own, position, trade_of
from tests.unit.planner.test_propose_edges import both, with_filters
from tests.worlds import BTC, NOW, POLICY, D, decision, levels, quote, world

from jumar.model.command import (
    CancelOrder,
    Cause,
    Command,
    PlaceOrder,
    Refusal,
)
from jumar.model.order import (
    OrderRequest,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
)
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.entry import (
    RETRY_AFTER_REFUSAL_MS,
    armed_stop_confirmed,
    entry_commands,
    entry_orders_used_up,
)
from jumar.planner.facts import assess

# why no entry may be alive


def commands(
    found: World, trade: Trade, policy: Policy = POLICY, refusals: tuple[Refusal, ...] = ()
) -> tuple[Command, ...]:
    """What becomes of the entry."""
    return entry_commands(found, trade, assess(found, trade, policy), policy, refusals)


def cancelled(order: OwnOrder, rule: str, words: str) -> CancelOrder:
    """The cancel of an order that never triggered."""
    return CancelOrder(
        symbol="BTCUSDT",
        channel=order.request.channel,
        client_id=order.client_id,
        cause=Cause(rule=rule, text=words),
    )


@both
@pytest.mark.rule("S-1", "S-9", "E-7")
@pytest.mark.parametrize(
    ("changes", "stop", "rule", "words"),
    [
        ({}, {"echo_error": "price asked 1, got 2"}, "S-1", "no armed stop is confirmed alive"),
        ({"closing": CloseReason.FLAT}, {}, "S-9", "the trade is closing: flat"),
        (
            {"voided": "stop_hit_before_entry"},
            {},
            "S-1",
            "the set-up is void: stop_hit_before_entry",
        ),
        ({"entry_over": "flat decision"}, {}, "E-7", "the entry is over: flat decision"),
    ],
)
def test_an_entry_that_may_not_be_alive_is_cancelled_with_the_reason(
    side: Side, changes: dict[str, object], stop: dict[str, object], rule: str, words: str
) -> None:
    """Without a stop, on the way out, void or over: no price is asked for, the resting order goes."""
    entry = own("E1", side)
    found = world(orders=(own("S1", side, **stop), entry))
    assert commands(found, trade_of(side, **changes)) == (cancelled(entry, rule, words),)
    gone = replace(found, orders=(own("S1", side, **stop), ended(entry)))
    assert commands(gone, trade_of(side, **changes)) == ()


@both
@pytest.mark.rule("S-9")
def test_an_exit_that_filled_ends_the_entry(side: Side) -> None:
    """Part of the entry is held, part of it was sold: nothing is bought any more."""
    entry = own("E1", side, filled_quantity=D("0.005"))
    target = own("P1", side, filled_quantity=D("0.002"))
    fills = (
        lot(entry, "0.005", time_ms=BEFORE),
        lot(target, "0.002", time_ms=BEFORE),
    )
    signed = "0.003" if side is Side.BUY else "-0.003"
    found = world(orders=(own("S1", side), entry, target), fills=fills, position=position(signed))
    assert commands(found, trade_of(side)) == (cancelled(entry, "S-9", "an exit has filled"),)


@pytest.mark.rule("E-7", "P-9")
def test_a_refusal_cancels_with_its_own_rule_code_and_words() -> None:
    """The first of them is told."""
    entry = own("E1")
    found = world(orders=(own("S1"), entry))
    first = refuse("spread_too_wide", "G-5", "spread is 0.06 %")
    second = refuse("mark_diverged", "G-5", "apart")
    assert commands(found, trade_of(), refusals=(first, second)) == (
        cancelled(entry, "G-5", "spread_too_wide: spread is 0.06 %"),
    )


@pytest.mark.rule("X-4", "E-7")
@pytest.mark.parametrize(("sent_ago_ms", "again"), [(499, False), (500, True)])
def test_a_cancel_is_repeated_while_the_end_is_not_proven(sent_ago_ms: int, *, again: bool) -> None:
    """Every half a second, of each entry that may be alive."""
    first = own("E1", cancel_sent_ms=NOW - sent_ago_ms)
    second = own("E2")
    found = world(orders=(own("S1"), first, second))
    sent = [
        c.client_id
        for c in commands(found, trade_of(entry_over="stale"))
        if isinstance(c, CancelOrder)
    ]
    assert sent == [each.client_id for each in ((first, second) if again else (second,))]


# the armed stop


@both
@pytest.mark.rule("S-1", "P-1")
@pytest.mark.parametrize(
    ("by", "changes", "counts"),
    [
        ("0", {}, True),
        ("0.1", {}, True),
        ("-0.1", {}, False),
        ("0", {"quantity": D("0.0131")}, True),
        ("0", {"quantity": D("0.012")}, False),
        ("0", {"quantity": None, "close_position": True, "reduce_only": False}, False),
        ("0", {"echo_error": "price asked 1, got 2"}, False),
    ],
)
def test_which_stop_an_entry_may_rest_behind(
    side: Side, by: str, changes: dict[str, object], *, counts: bool
) -> None:
    """Confirmed, for the whole plan, at the initial stop or tighter; without it nothing is sent."""
    trade = trade_of(side)
    trigger = trade.initial_stop + D(by) * trade.sign
    found = world(orders=(own("S1", side, trigger_price=trigger, **changes),))
    assert armed_stop_confirmed(found, trade, assess(found, trade, POLICY)) is counts
    assert bool(commands(found, trade)) is counts
    late = replace(found, orders=(ended(own("S9", side)), *found.orders))
    assert armed_stop_confirmed(late, trade, assess(late, trade, POLICY)) is counts


@pytest.mark.rule("S-1", "Y-3")
def test_the_armed_stop_must_cover_what_is_held_too() -> None:
    """0.020 are told while 0.013 were planned: a stop for the plan alone is not enough."""
    found = world(orders=(own("S1"),), position=position("0.020"))
    trade = trade_of()
    seen_facts = assess(found, trade, POLICY)
    assert seen_facts.cover_size == D("0.020")
    assert not armed_stop_confirmed(found, trade, seen_facts)
    enough = replace(found, orders=(own("S1", quantity=D("0.020")),))
    assert armed_stop_confirmed(enough, trade, assess(enough, trade, POLICY))
    # the stop is large enough, and still no entry goes: a hand holds what no fill of ours explains
    assert commands(enough, trade) == ()


# the order itself


def placed(found: World, trade: Trade, policy: Policy = POLICY) -> PlaceOrder | None:
    """The entry that is placed, None without one."""
    sent = commands(found, trade, policy)
    assert len(sent) <= 1
    (command,) = sent or (None,)
    assert command is None or isinstance(command, PlaceOrder)
    return command


@pytest.mark.rule("E-2", "P-5", "X-1")
@pytest.mark.parametrize(
    ("side", "price", "words"),
    [
        (
            Side.BUY,
            "90786.6",
            "entry 0.013 at 90786.6, band [90700, 90786.6], stop 90380 is 0.448 % away",
        ),
        (
            Side.SELL,
            "90813.4",
            "entry 0.013 at 90813.4, band [90813.4, 90900], stop 91220 is 0.448 % away",
        ),
    ],
)
def test_the_entry_as_it_is_sent(side: Side, price: str, words: str) -> None:
    """Limit, post-only, at the edge of the band, with its numbers."""
    trade = trade_of(side)
    shown = quote("90820", "90820.1") if side is Side.BUY else quote("90780", "90780.1")
    found = world(orders=(own("S1", side),), quote=shown)
    assert placed(found, trade) == PlaceOrder(
        request=OrderRequest(
            symbol="BTCUSDT",
            client_id=f"jm-{trade.key}-E1",
            role=Role.ENTRY,
            side=side,
            type=OrderType.LIMIT,
            quantity=D("0.013"),
            price=D(price),
            time_in_force=TimeInForce.GTX,
        ),
        trade_key=trade.key,
        attempt=1,
        cause=Cause(rule="E-2", text=words),
    )


@both
@pytest.mark.rule("E-8", "P-4")
@pytest.mark.parametrize(
    ("filled", "asked"),
    [("0.005", "0.008"), ("0.0055", "0.007"), ("0.012", "0.001"), ("0.0125", None)],
)
def test_what_is_left_of_the_plan_is_asked_for(side: Side, filled: str, asked: str | None) -> None:
    """Planned less filled, floored to the step; less than the least quantity is left alone."""
    before = ended(own("E1", side), filled_quantity=D(filled))
    signed = filled if side is Side.BUY else f"-{filled}"
    shown = quote("90820", "90820.1") if side is Side.BUY else quote("90780", "90780.1")
    found = world(
        orders=(own("S1", side), before),
        fills=(lot(before, filled, time_ms=BEFORE),),
        position=position(signed),
        quote=shown,
    )
    sent = placed(found, trade_of(side))
    if asked is None:
        assert sent is None
    else:
        assert sent is not None
        assert (sent.request.quantity, sent.attempt) == (D(asked), 2)
        assert sent.cause.text.startswith(f"entry {asked} at ")


@pytest.mark.rule("E-2", "G-7")
@pytest.mark.parametrize(
    ("filters", "goes"),
    [
        ({"min_quantity": D("0.013")}, True),
        ({"min_quantity": D("0.014")}, False),
        ({"min_notional": D("1180.2258")}, True),  # 0.013 at 90 786.6
        ({"min_notional": D("1180.2259")}, False),
    ],
)
def test_nothing_below_the_venues_minimum_is_sent(
    filters: dict[str, Decimal], *, goes: bool
) -> None:
    """Filters that changed after arming are kept, too."""
    found = world(orders=(own("S1"),), instrument=with_filters(filters))
    assert (placed(found, trade_of()) is not None) is goes


@pytest.mark.rule("P-3", "W-3")
@pytest.mark.parametrize(("tp1", "goes"), [("91599.8", True), ("91599.7", False)])
def test_a_price_that_is_not_worth_its_risk_is_not_sent(tp1: str, *, goes: bool) -> None:
    """The levels the trade was armed with count beside the band: 2 R from 90 786.6 are 91 599.8."""
    found = world(orders=(own("S1"),))
    chosen = decision(levels=levels(tp1=D(91600)))
    trade = trade_of(decision=chosen, tp1=D(91600))
    assert placed(found, trade) is not None
    moved = placed(found, trade_of(decision=chosen, initial_stop=D(90380), tp1=D(tp1)))
    # a nearer target takes prices away, and what is left of the band is used
    assert moved is not None
    assert moved.request.price == (D("90786.6") if goes else D("90786.5"))


@both
@pytest.mark.rule("P-3", "W-3")
@pytest.mark.parametrize(("by", "goes"), [("0.1", True), ("0.2", False)])
def test_the_stop_that_is_armed_counts_not_the_one_that_was_decided(
    side: Side, by: str, *, goes: bool
) -> None:
    """A stop further away than the decision's makes the edge of the band too poor."""
    trade = trade_of(side)
    farther = replace(trade, initial_stop=trade.initial_stop - D(by) * trade.sign)
    shown = quote("90820", "90820.1") if side is Side.BUY else quote("90780", "90780.1")
    found = world(orders=(own("S1", side),), quote=shown)
    assert (placed(found, farther) is not None) is goes


@pytest.mark.rule("E-10", "X-8")
@pytest.mark.parametrize(
    ("end", "ago_ms", "goes"),
    [
        ({"end_code": -5022}, RETRY_AFTER_REFUSAL_MS - 1, False),
        ({"end_code": -5022}, RETRY_AFTER_REFUSAL_MS, True),
        ({"end_status": OrderStatus.REJECTED}, RETRY_AFTER_REFUSAL_MS - 1, False),
        ({"end_status": OrderStatus.EXPIRED}, RETRY_AFTER_REFUSAL_MS - 1, False),
        ({"end_status": OrderStatus.EXPIRED}, RETRY_AFTER_REFUSAL_MS, True),
        ({"end_status": OrderStatus.CANCELED}, 1, True),
    ],
)
def test_after_a_refusal_another_look_comes_first(
    end: dict[str, object], ago_ms: int, *, goes: bool
) -> None:
    """What post-only would not take is tried again after a second; what was cancelled, at once."""
    before = ended(own("E1", journaled_ms=NOW - ago_ms), **end)
    found = world(orders=(own("S1"), before))
    assert RETRY_AFTER_REFUSAL_MS == 1000
    assert (placed(found, trade_of()) is not None) is goes


@pytest.mark.rule("P-7", "G-13")
def test_what_is_not_known_keeps_the_entry_away() -> None:
    """Without filters, without a quote, or with fills that a report promises and nobody has told."""
    found = world(orders=(own("S1"),))
    assert placed(found, trade_of()) is not None
    assert placed(replace(found, instrument=None), trade_of()) is None
    assert placed(replace(found, quote=None), trade_of()) is None
    before = ended(own("E1"), filled_quantity=D("0.005"), updated_ms=NOW - 100)
    pending = replace(found, orders=(own("S1"), before))
    assert assess(pending, trade_of(), POLICY).fills_pending
    assert placed(pending, trade_of()) is None


@pytest.mark.rule("E-10", "Y-3")
def test_nothing_is_added_to_what_no_fill_explains() -> None:
    """0.005 bought and told, 0.006 read: a hand's lot keeps the rest of the entry away."""
    before = ended(own("E1"), filled_quantity=D("0.005"))
    found = world(
        orders=(own("S1"), before),
        fills=(lot(before, "0.005", time_ms=BEFORE),),
        position=position("0.005"),
    )
    assert placed(found, trade_of()) is not None
    assert placed(replace(found, position=position("0.006")), trade_of()) is None


@pytest.mark.rule("E-1")
def test_a_trade_without_a_price_left_places_nothing() -> None:
    """The filters changed, and no price of the zone lies on the tick any more."""
    found = world(orders=(own("S1"),), instrument=replace(BTC, tick_size=D(7000)))
    assert placed(found, trade_of()) is None
    entry = own("E1")
    assert commands(replace(found, orders=(own("S1"), entry)), trade_of()) == ()


@pytest.mark.rule("E-5")
@pytest.mark.parametrize(
    ("tried", "alive", "over"),
    [(3, False, True), (2, False, False), (3, True, False), (4, False, True)],
)
def test_when_the_entry_orders_are_used_up(tried: int, alive: bool, over: bool) -> None:
    """As many as are allowed, and every one of them proven ended."""
    orders = [ended(own(f"E{number}")) for number in range(1, tried)]
    newest = own(f"E{tried}")
    found = world(orders=(*orders, newest if alive else ended(newest), own("S1")))
    assert entry_orders_used_up(found, replace(POLICY, max_entry_orders=3)) is over
