"""One order's life: forward only, whatever comes late, twice or out of order."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest

from jumar.model import fold
from jumar.model.order import (
    TRANSITIONS,
    Channel,
    OrderReport,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)

D = Decimal
STOP = OrderRequest(
    symbol="BTCUSDT",
    client_id="jm-aaaaaaaaaa-S1",
    role=Role.STOP,
    side=Side.SELL,
    type=OrderType.STOP_MARKET,
    quantity=D("0.013"),
    trigger_price=D(90380),
    time_in_force=TimeInForce.GTC,
    reduce_only=True,
    working_type=WorkingType.MARK_PRICE,
)


def own(**changes: object) -> OwnOrder:
    """A stop that was just journaled."""
    base = OwnOrder(
        trade_key="aaaaaaaaaa", attempt=1, request=STOP, rule="S-1", cause="test", journaled_ms=1000
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def report(status: OrderStatus, **changes: object) -> OrderReport:
    """What the venue says of it."""
    base = OrderReport(
        symbol="BTCUSDT",
        channel=Channel.CONDITIONAL,
        client_id=STOP.client_id,
        venue_id="77",
        side=Side.SELL,
        type="STOP_MARKET",
        status=status,
        quantity=D("0.013"),
        price=None,
        trigger_price=D("90380.00"),
        filled_quantity=D(0),
        reduce_only=True,
        close_position=False,
        updated_ms=2000,
        working_type="MARK_PRICE",
        price_protect=False,
        time_in_force="GTC",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


@pytest.mark.rule("S-13")
def test_an_acknowledged_stop_is_open_and_confirmed() -> None:
    """NEW with an equal echo confirms it, whatever the spelling of the numbers."""
    order = fold.fold(own(), report(OrderStatus.NEW), 2001)
    assert order.confirmed
    assert (order.venue_id, order.acked_ms) == ("77", 2001)


@pytest.mark.rule("S-11")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", Side.BUY),
        ("type", "TAKE_PROFIT_MARKET"),
        ("quantity", D("0.012")),
        ("trigger_price", D(90381)),
        ("reduce_only", False),
        ("close_position", True),
        ("working_type", "CONTRACT_PRICE"),
        ("price_protect", True),
        ("time_in_force", "GTE_GTC"),
    ],
)
def test_every_field_of_the_echo_is_compared(field: str, value: object) -> None:
    """A stop whose echo differs in any field is open but never confirmed."""
    order = fold.fold(own(), report(OrderStatus.NEW, **{field: value}), 2001)
    assert order.state is OrderState.OPEN
    assert not order.confirmed
    assert order.echo_error is not None


def test_a_final_state_is_never_left() -> None:
    """A late NEW or TRIGGERED after the end changes nothing but what was filled."""
    ended = fold.fold(own(), report(OrderStatus.CANCELED), 2001)
    for status in OrderStatus:
        again = fold.fold(ended, report(status), 3000)
        assert again.state is OrderState.ENDED
        assert again.end_status is OrderStatus.CANCELED


@pytest.mark.rule("X-6")
def test_any_order_of_observations_ends_the_same() -> None:
    """NEW, TRIGGERING, TRIGGERED, the child's fill, FINISHED: every permutation ends the same way."""
    child = report(
        OrderStatus.FILLED,
        channel=Channel.REGULAR,
        venue_id="900",
        type="MARKET",
        filled_quantity=D("0.013"),
    )
    story = [
        report(OrderStatus.NEW),
        report(OrderStatus.TRIGGERING),
        report(OrderStatus.TRIGGERED, child_venue_id="900"),
        child,
        report(OrderStatus.FINISHED, child_venue_id="900"),
    ]
    for shuffled in permutations(story):
        order = own()
        for told in shuffled:
            order = fold.fold(order, told, 2500)
        assert order.ended
        assert order.end_status is OrderStatus.FINISHED
        assert order.child_venue_id == "900"
        assert order.filled_quantity == D("0.013")


def test_the_transition_table_is_total_and_ends_are_final() -> None:
    """Every state has its row, nothing leaves ENDED, nothing enters IN_FLIGHT."""
    assert set(TRANSITIONS) == set(OrderState)
    assert TRANSITIONS[OrderState.ENDED] == frozenset()
    assert all(OrderState.IN_FLIGHT not in after for after in TRANSITIONS.values())


@pytest.mark.rule("X-3")
def test_no_answer_is_unknown_unless_an_event_came_first() -> None:
    """A time-out after the event keeps what the event proved."""
    assert fold.mark_unknown(own()).state is OrderState.UNKNOWN
    opened = fold.fold(own(), report(OrderStatus.NEW), 2001)
    assert fold.mark_unknown(opened).state is OrderState.OPEN


def test_a_refusal_ends_it_with_its_code() -> None:
    """The code is kept for the rules that ask for it; an order proven alive cannot be refused."""
    refused = fold.end_refused(own(), -2021, "would trigger", 2001)
    assert (refused.state, refused.end_code) == (OrderState.ENDED, -2021)
