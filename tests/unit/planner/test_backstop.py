"""The backstop (S-2): what is placed, in which words, beside what, and how soon again after a refusal."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, ended, held, own, position, trade_of
from tests.worlds import BTC, NOW, POLICY, D, world

from jumar.model.command import Cause, PlaceOrder
from jumar.model.order import OrderState, OrderType, OwnOrder, Role, Side
from jumar.model.policy import BackstopKind, Policy
from jumar.model.trade import Trade
from jumar.model.world import World
from jumar.planner.backstop import backstop_commands, backstop_wait_ms
from jumar.planner.facts import assess

BY_QUANTITY = replace(POLICY, backstop=BackstopKind.QUANTITY)


def placed(found: World, trade: Trade | None = None, policy: Policy = POLICY) -> PlaceOrder | None:
    """The backstop that is placed, None where none is."""
    trade = trade_of() if trade is None else trade
    made = backstop_commands(found, trade, assess(found, trade, policy), policy)
    assert len(made) <= 1
    for command in made:
        assert isinstance(command, PlaceOrder)
        return command
    return None


def refused(name: str, code: int, **changes: object) -> OwnOrder:
    """A backstop that the venue refused long ago."""
    given: dict[str, object] = {"journaled_ms": NOW - 60_000, **changes}
    return ended(own(name, **given), end_code=code, acked_ms=None)  # type: ignore[arg-type]  # by name


@pytest.mark.rule("S-2", "S-11", "P-9")
@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "90380"), (Side.SELL, "91220")])
def test_a_fill_brings_a_close_position_stop_at_the_initial_stop(side: Side, price: str) -> None:
    """Of the whole position, on the other side; it says so."""
    made = placed(held(own("S1", side), side=side), trade_of(side))
    assert made is not None
    assert made.cause == Cause(
        rule="S-2", text=f"backstop closePosition at the initial stop {price}"
    )
    request = made.request
    assert (request.role, request.type, request.side) == (
        Role.BACKSTOP,
        OrderType.STOP_MARKET,
        side.opposite,
    )
    assert (request.quantity, request.close_position, request.trigger_price) == (
        None,
        True,
        D(price),
    )


@pytest.mark.rule("S-2", "V-3", "V-4", "W-3")
def test_by_quantity_it_covers_what_may_still_fill() -> None:
    """0.004 are held and 0.009 may follow; on a coarser step that is rounded up."""
    entry = own("E1", filled_quantity=D("0.004"))
    found = replace(held(), orders=(entry,), fills=(replace(held().fills[0], quantity=D("0.004")),))
    found = replace(found, position=position("0.004"))
    made = placed(found, policy=BY_QUANTITY)
    assert made is not None
    assert made.cause.text == "backstop of 0.013 at the initial stop 90380"
    assert (made.request.quantity, made.request.reduce_only) == (D("0.013"), True)
    coarse = replace(found, instrument=replace(BTC, step_size=D("0.01")))
    again = placed(coarse, policy=BY_QUANTITY)
    assert again is not None and again.request.quantity == D("0.02")


@pytest.mark.rule("S-2", "Y-7")
def test_a_foreign_one_is_left_alone_and_stood_in_for() -> None:
    """-4130: one of a quantity beside it, though the policy would have closePosition; it says beside what."""
    made = placed(held(refused("B1", -4130)))
    assert made is not None
    assert made.cause.text == "backstop of 0.013 beside a foreign one at the initial stop 90380"
    assert made.request.quantity == D("0.013")
    # known from any earlier attempt, not from the newest alone
    later = placed(held(refused("B1", -4130), refused("B2", -1111)))
    assert later is not None and later.request.quantity == D("0.013")


@pytest.mark.rule("S-2")
def test_without_a_fill_or_after_the_end_there_is_no_backstop() -> None:
    """Not before the first lot, not when everything is sold, not while a stop executes."""
    assert placed(world(orders=(own("S1"), own("E1")))) is None
    sold = ended(own("X1"), filled_quantity=D("0.013"))
    assert placed(held(sold, position=position("0", NOW))) is None
    assert placed(held(sold, position=position("0", BEFORE - 1))) is None
    assert placed(held(own("S1", state=OrderState.TRIGGERED, triggered_ms=NOW))) is None


@pytest.mark.rule("S-2", "S-4", "S-11")
@pytest.mark.parametrize(
    ("order", "stands"),
    [
        (own("B1", quantity=None, close_position=True, reduce_only=False), True),
        (own("B1", quantity=D("0.013")), True),
        (own("B1", quantity=D("0.014")), True),
        (own("B1", quantity=D("0.012")), False),
        (own("B1", quantity=D("0.013"), state=OrderState.UNKNOWN), True),  # it may rest
        (own("B1", quantity=None, close_position=True, echo_error="trigger_price"), False),
        (own("B1", quantity=D("0.013"), echo_error="trigger_price"), False),
        (ended(own("B1", quantity=D("0.013"), journaled_ms=NOW - 60_000)), False),
        (own("S2"), False),
    ],
)
def test_one_that_covers_all_is_not_doubled(order: OwnOrder, stands: bool) -> None:
    """A closePosition one or at least the position, as it was asked for; anything else gets one beside it."""
    found = held(own("S1"), order)
    aged = tuple(replace(each, journaled_ms=NOW - 60_000) for each in found.orders)
    assert (placed(replace(found, orders=aged)) is None) is stands


# the working stop comes first


@pytest.mark.rule("S-2", "P-2", "S-7")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("moved", "uncovered_ms", "first"),
    [
        (True, None, True),  # seen just now
        (True, NOW - 999, True),
        (True, NOW - 1000, False),
        (False, None, False),  # it would rest where the backstop rests
    ],
)
def test_lost_cover_is_restored_before_the_looser_backstop(
    side: Side, moved: bool, uncovered_ms: int | None, first: bool
) -> None:
    """For a second the tighter stop is tried alone, where it has moved at all."""
    ratchet = D(90800) if moved else None  # tighter than 90 380 and than 91 220
    trade = trade_of(side, ratchet_price=ratchet)
    found = held(side=side, uncovered_ms=uncovered_ms)
    assert (placed(found, trade) is None) is first


@pytest.mark.rule("S-2", "P-2")
def test_behind_a_moved_stop_that_rests_the_backstop_comes_at_once() -> None:
    """Nothing is uncovered: it goes to the initial stop, not to where the working stop is now."""
    trade = trade_of(ratchet_price=D(90800))
    made = placed(held(own("S2", trigger_price=D(90800))), trade)
    assert made is not None and made.request.trigger_price == D(90380)


# the rhythm


@pytest.mark.rule("S-2", "W-4")
@pytest.mark.parametrize(
    ("codes", "pause_ms"),
    [
        ((-4509,), 250),
        ((-4509,) * 8, 250),
        ((-4509,) * 9, 5000),  # eight quick tries were enough
        ((-1111,), 5000),
        ((-4509, -1111), 5000),
        ((-1111, -4509), 250),
        ((-4130,), 250),  # the next is of a quantity and will pass
        ((-4130, -1111), 5000),
        ((*(-4509,) * 8, -4130), 250),
        ((-4509, -1111, *(-4509,) * 8), 250),  # counted since the last other answer
    ],
)
def test_the_pause_after_a_refusal(codes: tuple[int, ...], pause_ms: int) -> None:
    """250 ms where the position has not arrived there yet, eight times; else 5 s from when it was journaled."""
    for ago_ms in (0, pause_ms - 1, pause_ms, pause_ms + 1):
        orders = tuple(
            refused(f"B{n}", code, journaled_ms=NOW - ago_ms) for n, code in enumerate(codes, 1)
        )
        left_ms = max(pause_ms - ago_ms, 0)
        assert backstop_wait_ms(world(orders=orders)) == left_ms
        assert (placed(held(own("S1"), *orders)) is None) is (left_ms > 0)


@pytest.mark.rule("S-2")
def test_without_a_refusal_nothing_is_waited_for() -> None:
    """None was tried, or the newest is alive: whatever stands in the way, it is no pause."""
    assert backstop_wait_ms(world()) == 0
    fresh = own("B2", journaled_ms=NOW)
    assert backstop_wait_ms(world(orders=(refused("B1", -1111, journaled_ms=NOW), fresh))) == 0


@pytest.mark.rule("S-2")
def test_an_expired_backstop_counts_as_refused_for_the_pause() -> None:
    """It ended without a code: five seconds from its journal, then another one."""
    for ago_ms, left_ms in ((4999, 1), (5000, 0)):
        order = ended(own("B1", journaled_ms=NOW - ago_ms))
        assert backstop_wait_ms(world(orders=(order,))) == left_ms
