"""What is adopted, in full: the trade that is made of it, its orders field by field, and the words for it (Y-1)."""

from dataclasses import replace

import pytest
from tests.unit.planner.test_adopt import LOST, entry_of, held, listed, stop
from tests.worlds import NOW, POLICY, D, opened, seen

from jumar.model.decision import Action, Decision
from jumar.model.ids import TRADE_KEY_LENGTH
from jumar.model.order import (
    OrderReport,
    OrderRequest,
    OrderState,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.policy import OrphanPolicy, Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ONE, ZERO
from jumar.model.world import World
from jumar.planner.adopt import Adoption, adoption, latecomers, with_latecomers

CLOSE = replace(POLICY, orphan_policy=OrphanPolicy.CLOSE)


def adopted(found: World, policy: Policy = POLICY) -> Adoption:
    """What is made of it; there is something."""
    made = adoption(found, policy)
    assert made is not None
    return made


# the trade


@pytest.mark.rule("Y-1", "E-9")
@pytest.mark.parametrize(
    ("quantity", "side", "action", "price"),
    [("0.5", Side.BUY, Action.LONG, "89911.8"), ("-0.5", Side.SELL, Action.SHORT, "90900")],
)
def test_the_trade_of_a_bare_position(
    quantity: str, side: Side, action: Action, price: str
) -> None:
    """Of the side that is held, at the price the venue states; nobody decided it, so it wants nothing more."""
    trade = adopted(held(quantity)).trade
    at_ms = NOW - 100  # when the position was read
    assert trade == Trade(
        key=trade.key,
        symbol="BTCUSDT",
        side=side,
        decision=Decision(
            id=f"adopted-{trade.key}",
            symbol="BTCUSDT",
            timestamp_ms=at_ms,
            action=action,
            reason="adopted position",
            levels=None,
            notional=ZERO,
            leverage=ONE,
            confidence=ZERO,
            risk_checks=None,
        ),
        planned_quantity=ZERO,
        limit_price=D(90000),
        initial_stop=D(price),
        tp1=ZERO,
        tp2=None,
        armed_ms=at_ms,
        entry_over="adopted: no entry of ours",
        adopted_price=D(90000),
        adopted_quantity=D("0.5"),
    )


@pytest.mark.rule("Y-1", "X-1")
def test_the_key_tells_accounts_stores_symbols_and_moments_apart() -> None:
    """Two adoptions never share the ids of their orders; the same one found again has the same."""
    found = held()
    assert found.position is not None
    others = (
        replace(found, account="other"),
        replace(found, store_id="other"),
        replace(found, symbol="ETHUSDT"),
        replace(found, position=replace(found.position, at_ms=NOW - 99)),
    )
    keys = {adopted(each).trade.key for each in (found, *others)}
    assert len(keys) == 5
    assert {len(key) for key in keys} == {TRADE_KEY_LENGTH}
    assert adopted(held()).trade.key in keys


@pytest.mark.rule("Y-1", "P-2")
@pytest.mark.parametrize(
    ("quantity", "stops", "tightest"),
    [
        ("0.5", ("90300", "90500", "90400"), "90500"),
        ("-0.5", ("91400", "91200", "91300"), "91200"),
    ],
)
def test_the_tightest_of_several_stops_is_the_ratchet_price_and_the_initial_stop(
    quantity: str, stops: tuple[str, ...], tightest: str
) -> None:
    """Nearest to the market: the highest of a long, the lowest of a short; without a backstop nothing lies behind it."""
    side = Side.SELL if quantity == "0.5" else Side.BUY
    reports = [stop(f"{LOST}-S{n}", price, side=side) for n, price in enumerate(stops, 1)]
    trade = adopted(held(quantity, **listed(*reports))).trade
    assert (trade.ratchet_price, trade.initial_stop) == (D(tightest), D(tightest))


@pytest.mark.rule("Y-1")
@pytest.mark.parametrize(
    ("quantity", "entry", "mark", "price"),
    [
        ("0.5", "100000", "99000", "98010"),  # 1 % from the entry is the mark itself
        ("0.5", "99999.9", "99000", "98999.9"),  # a tick below it is not
        ("-0.5", "100000", "101000", "102010"),
        ("-0.5", "100000.1", "101000", "101000.2"),
    ],
)
def test_a_stop_exactly_at_the_mark_lies_through_it(
    quantity: str, entry: str, mark: str, price: str
) -> None:
    """It would trigger at once: 1 % from the mark is taken instead; beyond the mark by a tick it may rest."""
    found = held(quantity, entry, mark=seen(D(mark)))
    assert adopted(found).trade.initial_stop == D(price)


@pytest.mark.rule("Y-1", "M-2")
def test_closing_needs_something_to_close() -> None:
    """orphan_policy = close: a position is closed as Y-1; mere orders of ours are only swept."""
    position = adopted(held(), CLOSE).trade
    assert (position.closing, position.closing_rule) == (CloseReason.ORPHAN, "Y-1")
    orders = adopted(held("0", "0", **listed(entry_of())), CLOSE).trade
    assert (orders.closing, orders.closing_rule) == (None, None)


# its orders


@pytest.mark.rule("Y-1", "X-7", "X-1")
def test_adopted_orders_are_what_the_lists_told() -> None:
    """Every field of entry, backstop and stop; attempts count within their role; found now, of this trade."""
    reports = (
        entry_of(filled="0.004"),
        stop(f"{LOST}-S2", "90500"),
        replace(stop(f"{LOST}-B1", "90300", None), quantity=ZERO),  # as some lists write it
    )
    made = adopted(held(**listed(*reports)))
    requests = (
        OrderRequest(
            symbol="BTCUSDT",
            client_id=f"{LOST}-B1",
            role=Role.BACKSTOP,
            side=Side.SELL,
            type=OrderType.STOP_MARKET,
            quantity=None,
            trigger_price=D(90300),
            time_in_force=TimeInForce.GTC,
            close_position=True,  # which is never sent together with reduce-only
            working_type=WorkingType.MARK_PRICE,
        ),
        OrderRequest(
            symbol="BTCUSDT",
            client_id=f"{LOST}-E1",
            role=Role.ENTRY,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=D("0.013"),
            price=D("90786.6"),
            time_in_force=TimeInForce.GTX,
        ),
        OrderRequest(
            symbol="BTCUSDT",
            client_id=f"{LOST}-S2",
            role=Role.STOP,
            side=Side.SELL,
            type=OrderType.STOP_MARKET,
            quantity=D("0.5"),
            trigger_price=D(90500),
            time_in_force=TimeInForce.GTC,
            reduce_only=True,
            working_type=WorkingType.MARK_PRICE,
        ),
    )
    assert made.orders == tuple(
        OwnOrder(
            trade_key=made.trade.key,
            attempt=1,
            request=request,
            rule="Y-1",
            cause="found alive on the exchange",
            journaled_ms=NOW,
            state=OrderState.OPEN,
            venue_id=f"id of {request.client_id}",
            acked_ms=NOW,
            updated_ms=NOW - 5000,
            filled_quantity=D("0.004") if request.role is Role.ENTRY else ZERO,
        )
        for request in requests
    )
    assert made.trade.planned_quantity == D("0.013")
    assert made.trade.adopted_quantity == D("0.496")


@pytest.mark.rule("Y-1", "Y-7")
def test_an_order_of_ours_is_found_behind_somebody_elses() -> None:
    """Whatever stands before it in the list."""
    reports = (stop("by hand", "90000"), stop(f"{LOST}-S1", "90500"))
    assert [order.client_id for order in adopted(held(**listed(*reports))).orders] == [f"{LOST}-S1"]


@pytest.mark.rule("Y-1")
def test_words_that_this_version_does_not_know_are_left_out() -> None:
    """A time in force or a working type of tomorrow's venue: the order is adopted, the word is not."""
    strange = replace(stop(f"{LOST}-S1", "90500"), time_in_force="GTE_GTC", working_type="INDEX")
    (order,) = adopted(held(**listed(strange))).orders
    assert (order.request.time_in_force, order.request.working_type) == (None, None)


@pytest.mark.rule("Y-1", "X-7")
@pytest.mark.parametrize(
    ("found", "side"),
    [
        (entry_of(Side.BUY), Side.BUY),
        (entry_of(Side.SELL), Side.SELL),
        (stop(f"{LOST}-S1", "90380"), Side.BUY),
        (stop(f"{LOST}-S1", "91220", side=Side.BUY), Side.SELL),
    ],
)
def test_without_a_position_an_order_tells_the_side(found: OrderReport, side: Side) -> None:
    """An entry is of its own side, an exit protects the other one."""
    trade = adopted(held("0", "0", **listed(found))).trade
    assert (trade.side, trade.adopted_quantity) == (side, ZERO)


# what is listed later


@pytest.mark.rule("X-7", "Y-1", "X-1")
def test_orders_that_are_listed_later_follow_in_number_and_size() -> None:
    """The next attempt of its role; planned grows by what they may fill, found shrinks by what they had filled."""
    first = adopted(held("0.5", **listed(stop(f"{LOST}-S4", "90500"))))
    entries = (entry_of(filled="0.004"), stop(f"{LOST}-S4", "90500"), stop(f"{LOST}-S9", "90400"))
    then = replace(held("0.5", **listed(*entries)), trade=first.trade, orders=first.orders)
    late = latecomers(then, first.trade)
    assert [(order.client_id, order.attempt) for order in late] == [
        (f"{LOST}-E1", 1),
        (f"{LOST}-S9", 2),
    ]
    grown = with_latecomers(first.trade, late)
    assert grown == replace(first.trade, planned_quantity=D("0.013"), adopted_quantity=D("0.496"))


@pytest.mark.rule("Y-1")
def test_late_entries_never_leave_less_than_nothing() -> None:
    """They report more than is held, because an exit sold since: nothing is left that was found."""
    first = adopted(held("0.002"))
    late = latecomers(held("0.002", **listed(entry_of(filled="0.004"))), first.trade)
    assert with_latecomers(first.trade, late).adopted_quantity == ZERO


@pytest.mark.rule("X-7")
def test_a_trade_of_our_own_takes_no_latecomers() -> None:
    """What lists with our prefix and is not in its journal is a foreign writer's."""
    story = opened()
    found = held("0.013", orders=story.world.orders, **listed(entry_of()))
    assert latecomers(found, story.trade) == ()


# the words


@pytest.mark.rule("Y-1", "P-9")
@pytest.mark.parametrize(
    ("position", "reports", "words"),
    [
        (
            ("0.5", "90000"),
            (),
            (
                "found long 0.5 at 90000 that no trade explains, with no order of ours; "
                "stop 89911.8: it gets one"
            ),
        ),
        (
            ("-0.5", "90000"),
            (),
            (
                "found short 0.5 at 90000 that no trade explains, with no order of ours; "
                "stop 90900: it gets one"
            ),
        ),
        (
            ("0.5", "90000"),
            (stop(f"{LOST}-S2", "90500"), stop(f"{LOST}-B1", "90300", None)),
            (
                f"found long 0.5 at 90000 that no trade explains, with {LOST}-S2, {LOST}-B1; "
                "stop 90500: its stop is kept"
            ),
        ),
        (
            ("0.004", "90786.6"),
            (entry_of(filled="0.004"),),
            (
                f"found long 0.004 at 90786.6 that no trade explains, with {LOST}-E1; "
                "stop 89911.8: it gets one"
            ),
        ),
        (
            ("0", "0"),
            (entry_of(), stop(f"{LOST}-S1", "90380", "0.013")),
            f"found {LOST}-E1, {LOST}-S1 that no trade explains, and no position: they go",
        ),
    ],
    ids=["long", "short", "with stops", "with its entry", "orders alone"],
)
def test_what_a_person_is_told_of_an_adoption(
    position: tuple[str, ...], reports: tuple[OrderReport, ...], words: str
) -> None:
    """What is held, with which orders, and where its stop is or will be; or that mere orders go."""
    made = adopted(held(*position, **listed(*reports)))
    assert (made.note.rule, made.note.text) == ("Y-1", words)
