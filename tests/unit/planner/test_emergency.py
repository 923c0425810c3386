"""Full exits step by step (S-8): what is asked for, when the next one may go, and what a person reads of it."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, held, lot, own, position, trade_of
from tests.worlds import BTC, NOW, POLICY, D, seen, world

from jumar.model.command import CancelOrder, Command, PlaceOrder
from jumar.model.instrument import Instrument
from jumar.model.order import OrderState, OrderStatus, OrderType, OwnOrder, Side, TimeInForce
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import World
from jumar.planner.emergency import exit_alarms, exit_commands, exit_wait_ms
from jumar.planner.facts import assess


def closing(side: Side = Side.BUY, **changes: object) -> Trade:
    """The example's trade, being closed because no stop could be confirmed."""
    given = {"closing": CloseReason.EMERGENCY, "closing_rule": "S-7", **changes}
    return trade_of(side, **given)


def commands(found: World, trade: Trade) -> tuple[Command, ...]:
    """What the step does."""
    return exit_commands(found, trade, assess(found, trade, POLICY), POLICY)


def exit_of(found: World, side: Side = Side.BUY, **changes: object) -> PlaceOrder:
    """The one exit that is placed."""
    (command,) = commands(found, closing(side, **changes))
    assert isinstance(command, PlaceOrder)
    return command


def refused(name: str, code: int, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """An exit that the venue refused."""
    return ended(own(name, side), end_code=code, end_reason="not now", **changes)


# what is asked for


@pytest.mark.rule("S-8", "P-5", "P-9")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("rule", "told"), [("S-7", "S-7"), (None, "S-8")])
def test_an_exit_is_at_market_and_says_why(side: Side, rule: str | None, told: str) -> None:
    """All that is left, reduce-only, by the rule that began the close; by S-8 where none is known."""
    made = exit_of(held(side=side), side, closing_rule=rule)
    assert (made.cause.rule, made.cause.text) == (
        told,
        "emergency: 0.013 at market, reduce-only",
    )
    request = made.request
    assert (request.type, request.quantity, request.side) == (
        OrderType.MARKET,
        D("0.013"),
        side.opposite,
    )
    assert (request.price, request.time_in_force, request.reduce_only) == (None, None, True)


@pytest.mark.rule("S-8")
@pytest.mark.parametrize("code", [-4131, -4113])
@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "86733.2"), (Side.SELL, "94906.9")])
def test_outside_the_band_a_slice_takes_what_nine_tenths_of_it_allow(
    side: Side, price: str, code: int
) -> None:
    """4.5 % from mark 90 820.05 are 86 733.147 75 and 94 906.952 25: on the tick, inside the band."""
    found = held(refused("X1", code, side=side), side=side, mark=seen(D("90820.05")))
    made = exit_of(found, side)
    assert made.cause.text == (
        f"emergency: 0.013 at {price} or better, immediate or cancel, reduce-only"
    )
    request = made.request
    assert (request.type, request.price, request.time_in_force) == (
        OrderType.LIMIT,
        D(price),
        TimeInForce.IOC,
    )


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    ("instrument", "has_mark", "words"),
    [
        (replace(BTC, market_max_quantity=D("0.013")), True, "emergency: 0.013 at market"),
        (
            replace(BTC, market_max_quantity=D("0.012")),
            True,
            "emergency: 0.013 at 86733.1 or better, immediate or cancel",
        ),
        (
            replace(BTC, market_max_quantity=D("0.012"), max_quantity=D("0.010")),
            True,
            "emergency: 0.01 of 0.013 at 86733.1 or better, immediate or cancel",
        ),
        (
            replace(BTC, market_max_quantity=D("0.012")),
            False,
            "emergency: 0.012 of 0.013 at market",
        ),
    ],
    ids=["exactly the most", "a step more", "more than a limit order holds", "without a mark"],
)  # fmt: skip
def test_what_one_market_order_cannot_hold(
    instrument: Instrument, has_mark: bool, words: str
) -> None:
    """Limit slices at the band, of their own largest size; without a mark as much as one market order holds."""
    mark = seen(D(90820)) if has_mark else None
    made = exit_of(held(instrument=instrument, mark=mark))
    assert made.cause.text == f"{words}, reduce-only"


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    ("changes", "sliced"),
    [
        ({"end_status": OrderStatus.EXPIRED, "filled_quantity": D("0.004")}, True),
        ({"end_status": OrderStatus.CANCELED, "filled_quantity": D("0.004")}, True),
        ({"end_status": OrderStatus.FILLED, "filled_quantity": D("0.004")}, False),
        ({"end_status": OrderStatus.EXPIRED}, False),  # it sold nothing
        (
            {"end_status": OrderStatus.EXPIRED, "quantity": D("0.004"), "filled_quantity": D("0.004")},
            False,  # it sold all that it was asked to
        ),
        (
            {
                "end_status": OrderStatus.EXPIRED,
                "type": OrderType.LIMIT,
                "price": D(86000),
                "filled_quantity": D("0.004"),
            },
            False,  # a slice's rest is cancelled by its own time in force
        ),
    ],
)  # fmt: skip
def test_only_the_cancelled_rest_of_a_market_exit_leads_to_slices(
    changes: dict[str, object], sliced: bool
) -> None:
    """The venue stopped a market order at its band; anything else is tried at market again."""
    first = own("X1", **{k: v for k, v in changes.items() if k != "end_status"})  # type: ignore[arg-type]  # by name
    made = exit_of(held(ended(first, end_status=changes["end_status"])))
    assert (made.request.type is OrderType.LIMIT) is sliced


# when there is none


@pytest.mark.rule("S-8", "Y-11")
def test_without_a_close_a_position_or_filters_there_is_no_exit() -> None:
    """Nobody wants it, nothing is held, it is proven flat, or no quantity of ours could be valid."""
    assert commands(held(), trade_of()) == ()
    assert commands(held(instrument=None), closing()) == ()
    stop = ended(own("S1"), filled_quantity=D("0.013"))
    sold = held(stop, position=position("0"))
    assert commands(sold, closing()) == ()
    unproven = replace(sold, position=position("0", BEFORE - 1))
    assert commands(unproven, closing()) == ()
    assert len(commands(held(), closing())) == 1


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    ("after_ms", "goes"), [(-1, False), (0, True)], ids=["before", "in that millisecond"]
)
def test_after_an_answer_the_position_is_read_before_the_next_exit(
    after_ms: int, goes: bool
) -> None:
    """What was read before the answer may still show what that exit sold; without any read nothing is sent."""
    answered = ended(own("X1"), ended_ms=NOW - 500)
    found = held(answered, position=position("0.013", NOW - 500 + after_ms))
    assert (commands(found, closing()) != ()) is goes
    assert commands(replace(found, position=None), closing()) == ()


@pytest.mark.rule("S-8", "X-4")
@pytest.mark.parametrize("state", [OrderState.IN_FLIGHT, OrderState.UNKNOWN])
def test_an_exit_without_an_answer_needs_no_read(state: OrderState) -> None:
    """It is not waited for: after the pause the next one goes on what is known."""
    found = held(own("X1", state=state, updated_ms=NOW), position=position("0.013", BEFORE - 1))
    assert len(commands(found, closing())) == 1


@pytest.mark.rule("S-8", "Y-11")
@pytest.mark.parametrize(
    ("code", "read", "after_ms", "goes"),
    [
        (-2022, "0", 0, False),
        (-2022, "-0.001", 0, False),  # turned: nothing of ours is left
        (-2022, "0.001", 0, True),
        (-1111, "0", 0, True),  # another refusal says nothing of what is held
    ],
)
def test_not_reducing_is_believed_with_a_read_of_nothing(
    code: int, read: str, after_ms: int, goes: bool
) -> None:
    """An exit that would not have reduced, and nothing held as read since: it is done, whatever fills say."""
    found = held(refused("X1", code, ended_ms=BEFORE), position=position(read, BEFORE + after_ms))
    assert (commands(found, closing()) != ()) is goes


@pytest.mark.rule("S-8", "Y-11")
def test_a_short_that_would_not_reduce_is_read_by_its_own_side() -> None:
    """-0.013 is still held, +0.001 is none of ours."""
    first = refused("X1", -2022, side=Side.SELL)
    for read, goes in (("-0.013", True), ("0.001", False)):
        found = held(first, side=Side.SELL, position=position(read))
        assert (commands(found, closing(Side.SELL)) != ()) is goes


# a stop that sells by itself


@pytest.mark.rule("S-9", "S-8")
@pytest.mark.parametrize("name", ["S1", "B1"])
@pytest.mark.parametrize(("ago_ms", "goes"), [(2999, False), (3000, True)])
def test_a_triggered_stop_is_waited_for_until_the_deadline(
    name: str, ago_ms: int, goes: bool
) -> None:
    """Three seconds from its trigger, by its own word, whichever stop it is."""
    stop = own(name, state=OrderState.TRIGGERED, triggered_ms=NOW - ago_ms)
    assert (commands(held(stop), closing()) != ()) is goes


@pytest.mark.rule("S-9", "S-8")
@pytest.mark.parametrize(("filled_ms", "goes"), [(NOW - 2999, False), (NOW - 3000, True)])
def test_its_first_execution_tells_when_it_triggered(filled_ms: int, goes: bool) -> None:
    """The news of the trigger is late or lost; the oldest of its executions counts."""
    for stop in (own("S1"), own("S1", state=OrderState.TRIGGERED, triggered_ms=NOW - 10)):
        found = held(stop)
        lots = (
            lot(stop, "0.001", time_ms=NOW - 1000),
            lot(stop, "0.001", time_ms=filled_ms),
        )
        selling = replace(found, fills=(*found.fills, *lots))
        assert (commands(selling, closing()) != ()) is goes


@pytest.mark.rule("S-9", "S-8")
def test_a_stop_that_has_ended_or_rests_sells_nothing_more() -> None:
    """Neither is waited for, and neither is a target that executes."""
    done = ended(own("S1", triggered_ms=NOW - 10), filled_quantity=D("0.004"))
    target = own("P1", state=OrderState.TRIGGERED, triggered_ms=NOW - 10)
    for order in (done, own("S1"), target):
        assert len(commands(held(order), closing())) == 1


@pytest.mark.rule("S-8", "Y-5")
def test_reported_executions_are_waited_for() -> None:
    """A target says it sold 0.006 a moment ago: how much is left is known when its executions are."""
    target = own("P1", filled_quantity=D("0.006"), updated_ms=NOW - 999)
    found = held(target)
    pending = replace(found, fills=found.fills[:1])
    assert commands(pending, closing()) == ()
    late = replace(target, updated_ms=NOW - 1000)
    assert len(commands(replace(pending, orders=(pending.orders[0], late)), closing())) == 1


# what keeps it out


@pytest.mark.rule("S-8")
def test_targets_go_first_where_they_keep_the_exit_out() -> None:
    """Each one alive, with the words why; not again while its cancel is being answered, and no stop."""
    resting = (own("P1"), own("Q1"), own("S1"), own("L1"), ended(own("P2")))
    found = held(refused("X1", -4118), *resting)
    made = [each for each in commands(found, closing()) if isinstance(each, CancelOrder)]
    assert {each.client_id for each in made} >= {f"jm-{KEY}-P1", f"jm-{KEY}-Q1"}
    assert not {each.client_id for each in made} & {f"jm-{KEY}-S1", f"jm-{KEY}-P2"}
    assert {(each.cause.rule, each.cause.text) for each in made} == {
        ("S-8", "reduce-only orders keep the exit out: targets go first")
    }
    asked = tuple(replace(each, cancel_sent_ms=NOW - 499) for each in found.orders)
    assert commands(replace(found, orders=asked), closing()) == ()


# when the next one may go


@pytest.mark.rule("S-8", "W-4")
@pytest.mark.parametrize(
    ("attempt", "code", "pause_ms"),
    [
        (1, None, 250),
        (19, -1111, 250),
        (20, -1111, 1000),
        (1, -1003, 2000),
        (1, -1015, 2000),
        (1, -1016, 2000),
        (1, -4088, 2000),
        (1, -4141, 2000),
        (20, -4141, 2000),
    ],
)
def test_the_pause_between_exits(attempt: int, code: int | None, pause_ms: int) -> None:
    """A quarter of a second, a second after twenty, two where the venue takes none: from when it was journaled."""
    for ago_ms in (0, pause_ms - 1, pause_ms, pause_ms + 1):
        order = ended(own(f"X{attempt}", journaled_ms=NOW - ago_ms), end_code=code, ended_ms=BEFORE)
        left_ms = max(pause_ms - ago_ms, 0)
        assert exit_wait_ms(world(orders=(order,))) == left_ms
        assert (commands(held(order), closing()) == ()) is (left_ms > 0)
    assert exit_wait_ms(world()) == 0


@pytest.mark.rule("S-8", "H-3")
def test_a_venue_that_takes_no_exit_is_told() -> None:
    """Once for the trade, with the venue's own words; nothing where it is not closing or was refused otherwise."""
    found = held(refused("X1", -4141))
    (alarm,) = exit_alarms(found, closing())
    assert (alarm.rule, alarm.subject, alarm.severity) == ("S-8", f"{KEY} halted", "critical")
    assert alarm.text == "the venue takes no exit (-4141: not now); every stop is kept"
    assert exit_alarms(found, trade_of()) == ()
    assert exit_alarms(held(refused("X1", -1111)), closing()) == ()
    assert exit_alarms(held(), closing()) == ()
