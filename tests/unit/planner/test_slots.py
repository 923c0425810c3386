"""Attempts of a slot and the commands that are made for it: every flag that leaves for the venue."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, own, trade_of
from tests.worlds import BTC, NOW, D, world

from jumar.model.command import (
    AmendOrder,
    AmendRequest,
    CancelOrder,
    Cause,
    Command,
    PlaceOrder,
    SetLeverage,
)
from jumar.model.order import (
    Channel,
    OrderRequest,
    OrderState,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.planner.sequence import in_sequence
from jumar.planner.slots import (
    alive,
    attempts,
    cancel,
    conditional,
    last,
    may_cancel,
    next_attempt,
    on_step,
    regular,
    since_journaled,
)

CAUSE = Cause(rule="S-2", text="a test")


# attempts


@pytest.mark.rule("X-1")
def test_attempts_are_told_oldest_first_wherever_they_stand() -> None:
    """By their number; the last one is the newest, those that ended are not alive, the next has a new number."""
    orders = (own("S3"), ended(own("S10")), own("P1"), own("S2"))
    seen = world(orders=orders)
    assert [order.attempt for order in attempts(seen, Role.STOP)] == [2, 3, 10]
    assert [order.attempt for order in alive(seen, Role.STOP)] == [2, 3]
    assert last(seen, Role.STOP) == orders[1]
    assert last(world(orders=(own("S2"), own("S1"))), Role.STOP) == own("S2")
    assert next_attempt(seen, Role.STOP) == 11


@pytest.mark.rule("X-1")
def test_a_slot_without_attempts_begins_with_one() -> None:
    """Nothing was tried: no last one, and the first is number one."""
    seen = world(orders=(own("P1"),))
    assert (attempts(seen, Role.STOP), alive(seen, Role.STOP)) == ((), ())
    assert last(seen, Role.STOP) is None
    assert next_attempt(seen, Role.STOP) == 1
    assert next_attempt(seen, Role.TP1) == 2


# what is placed


@pytest.mark.rule("S-11", "P-5", "S-3")
@pytest.mark.parametrize("side", list(Side))
def test_a_working_stop_states_every_flag(side: Side) -> None:
    """Reduce-only STOP_MARKET by mark, GTC, on the other side; with the ratchet price it may not be looser than."""
    trade = trade_of(side)
    moved = replace(trade, ratchet_price=trade.limit_price)
    seen = world(orders=(ended(own("S1", side)),))
    trigger = trade.limit_price
    made = conditional(seen, moved, Role.STOP, quantity=D("0.013"), trigger=trigger, cause=CAUSE)
    assert made == PlaceOrder(
        request=OrderRequest(
            symbol="BTCUSDT",
            client_id=f"jm-{KEY}-S2",
            role=Role.STOP,
            side=side.opposite,
            type=OrderType.STOP_MARKET,
            quantity=D("0.013"),
            trigger_price=trigger,
            time_in_force=TimeInForce.GTC,
            reduce_only=True,
            close_position=False,
            working_type=WorkingType.MARK_PRICE,
        ),
        trade_key=KEY,
        attempt=2,
        cause=CAUSE,
        ratchet=trigger,
    )


@pytest.mark.rule("S-2", "S-11", "T-1")
@pytest.mark.parametrize(
    ("role", "type_"),
    [
        (Role.BACKSTOP, OrderType.STOP_MARKET),
        (Role.TP1, OrderType.TAKE_PROFIT_MARKET),
        (Role.TP2, OrderType.TAKE_PROFIT_MARKET),
    ],
)
def test_without_a_quantity_it_is_close_position(role: Role, type_: OrderType) -> None:
    """And not reduce-only, which the venue refuses beside it; only working stops have a ratchet price."""
    made = conditional(
        world(),
        trade_of(),
        role,
        quantity=None,
        trigger=D(90380),
        cause=CAUSE,
        working_type=WorkingType.CONTRACT_PRICE,
    )
    request = made.request
    assert (request.role, request.type, request.quantity) == (role, type_, None)
    assert (request.close_position, request.reduce_only) == (True, False)
    assert request.working_type is WorkingType.CONTRACT_PRICE
    assert (made.ratchet, made.attempt) == (None, 1)


@pytest.mark.rule("E-2", "P-5")
def test_an_entry_is_the_only_order_that_adds() -> None:
    """A limit order with its time in force, number by number; a market order where no price is given."""
    made = regular(
        world(orders=(ended(own("E1")),)),
        trade_of(),
        Role.ENTRY,
        quantity=D("0.013"),
        side=Side.BUY,
        cause=CAUSE,
        price=D(90780),
        time_in_force=TimeInForce.GTX,
    )
    assert made == PlaceOrder(
        request=OrderRequest(
            symbol="BTCUSDT",
            client_id=f"jm-{KEY}-E2",
            role=Role.ENTRY,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=D("0.013"),
            price=D(90780),
            time_in_force=TimeInForce.GTX,
            reduce_only=False,
        ),
        trade_key=KEY,
        attempt=2,
        cause=CAUSE,
    )
    exit_ = regular(
        world(), trade_of(), Role.FULL_EXIT, quantity=D("0.013"), side=Side.SELL, cause=CAUSE
    )
    assert exit_.request == OrderRequest(
        symbol="BTCUSDT",
        client_id=f"jm-{KEY}-X1",
        role=Role.FULL_EXIT,
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=D("0.013"),
        reduce_only=True,
    )


@pytest.mark.rule("W-3")
@pytest.mark.parametrize(
    ("quantity", "rounded"), [("0.013", "0.013"), ("0.0131", "0.014"), ("0.0139", "0.014")]
)
def test_what_reduces_is_rounded_up_to_the_step(quantity: str, rounded: str) -> None:
    """More than the position the venue cuts; less would leave a rest. Without filters it stays as it is."""
    assert on_step(world(), D(quantity)) == D(rounded)
    assert on_step(world(instrument=None), D(quantity)) == D(quantity)
    whole: Decimal = on_step(world(instrument=replace(BTC, step_size=D(1))), D(quantity))
    assert whole == 1


# what is cancelled


@pytest.mark.rule("X-4", "X-9")
@pytest.mark.parametrize(
    ("order", "channel", "child"),
    [
        (own("E1"), Channel.REGULAR, None),
        (own("S1"), Channel.CONDITIONAL, None),
        (own("S1", child_venue_id="77"), Channel.CONDITIONAL, None),  # not executing
        (own("S1", child_venue_id="77", state=OrderState.TRIGGERED), Channel.CONDITIONAL, "77"),
    ],
)
def test_a_cancel_names_the_order_and_the_child_that_it_became(
    order: OwnOrder, channel: Channel, child: str | None
) -> None:
    """By client id, in the list where it rests; of a triggered one the child executes."""
    assert cancel(order, CAUSE) == CancelOrder(
        symbol="BTCUSDT",
        channel=channel,
        client_id=order.client_id,
        cause=CAUSE,
        child_venue_id=child,
    )


@pytest.mark.rule("X-4", "W-4")
@pytest.mark.parametrize(
    ("order", "due"),
    [
        (own("S1"), True),
        (own("S1", cancel_sent_ms=NOW - 499), False),
        (own("S1", cancel_sent_ms=NOW - 500), True),
        (ended(own("S1")), False),
        (ended(own("S1", cancel_sent_ms=NOW - 9000)), False),
    ],
)
def test_a_cancel_is_repeated_every_half_second_until_the_end_is_proven(
    order: OwnOrder, due: bool
) -> None:
    """Events may wake the loop many times a second; one is being answered."""
    assert may_cancel(world(), order) is due


@pytest.mark.rule("X-4")
def test_the_age_of_an_order_counts_from_its_journal() -> None:
    """5 s ago, whatever happened to it since."""
    assert since_journaled(world(), own("S1", acked_ms=NOW, updated_ms=NOW)) == NOW - BEFORE


# in which sequence they leave


def placed(name: str) -> PlaceOrder:
    """The command that would place it."""
    order = own(name)
    return PlaceOrder(request=order.request, trade_key=KEY, attempt=order.attempt, cause=CAUSE)


def amended() -> AmendOrder:
    """The command that would re-price the entry."""
    order = own("E1")
    request = AmendRequest(
        symbol="BTCUSDT",
        client_id=order.client_id,
        side=Side.BUY,
        price=D(90780),
        quantity=D("0.013"),
        number=1,
    )
    return AmendOrder(request=request, trade_key=KEY, cause=CAUSE)


@pytest.mark.rule("P-1", "S-1", "S-4", "C-2")
def test_protection_leaves_first_and_what_adds_leaves_last() -> None:
    """Cancels of entries, stops, full exits, targets, other cancels, settings, entries."""
    leverage = SetLeverage(symbol="BTCUSDT", leverage=3, cause=CAUSE)
    sequence: tuple[Command, ...] = (
        cancel(own("E1"), CAUSE),
        placed("S2"),
        placed("B2"),
        placed("X1"),
        placed("P1"),
        placed("Q1"),
        placed("L1"),
        cancel(own("S1"), CAUSE),
        cancel(own("P1"), CAUSE),
        leverage,
        placed("E2"),
        amended(),
    )
    assert in_sequence(sequence) == sequence
    assert in_sequence(reversed(sequence)) == tuple(_reversed_within(sequence))


@pytest.mark.rule("Y-7")
def test_the_cancel_of_somebody_elses_order_leaves_with_the_other_cancels() -> None:
    """Its name is none of ours: it is no entry, whatever it looks like."""
    foreign = CancelOrder(
        symbol="BTCUSDT", channel=Channel.REGULAR, client_id="web-E1", cause=CAUSE, foreign=True
    )
    stop = placed("S2")
    assert in_sequence((foreign, stop)) == (stop, foreign)


def _reversed_within(sequence: tuple[Command, ...]) -> list[Command]:
    """The same classes one after the other, each with its own given order turned round."""
    sizes = (1, 2, 1, 3, 2, 1, 2)  # how many of each the sequence above holds
    parts, taken = [], 0
    for size in sizes:
        parts.append(sequence[taken : taken + size])
        taken += size
    return [command for part in parts for command in reversed(part)]
