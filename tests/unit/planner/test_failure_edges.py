"""Stops that are missing or have failed, at the edges: exactly when, and in which words a person hears of it."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, held, lot, own, position, trade_of
from tests.worlds import NOW, POLICY, D, seen, world

from jumar.model.command import Alarm, Cause
from jumar.model.order import OrderState, OrderStatus, OwnOrder, Side
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import Observed, World
from jumar.planner.facts import assess
from jumar.planner.failure import (
    alarms,
    ended_incompletely,
    is_uncovered,
    why_emergency,
    with_bare_time,
)


def why(found: World, trade: Trade | None = None) -> Cause | None:
    """Why the position must be closed now."""
    trade = trade_of() if trade is None else trade
    return why_emergency(found, trade, assess(found, trade, POLICY), POLICY)


def told(found: World, trade: Trade | None = None, *, uncovered: bool = False) -> tuple[Alarm, ...]:
    """What a person must hear of."""
    trade = trade_of() if trade is None else trade
    return alarms(found, trade, assess(found, trade, POLICY), uncovered=uncovered)


def incomplete(found: World, trade: Trade | None = None) -> OwnOrder | None:
    """The triggered stop that left something."""
    trade = trade_of() if trade is None else trade
    return ended_incompletely(found, trade, assess(found, trade, POLICY))


def refused(name: str, code: int, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """A stop that the venue refused."""
    return ended(own(name, side, **changes), end_code=code, acked_ms=None)


# S-6 (c): it would trigger at once


@pytest.mark.rule("S-6")
@pytest.mark.parametrize("code", [-2021, -4142])
@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "90380"), (Side.SELL, "91220")])
def test_a_ratchet_price_that_would_trigger_is_told_with_its_code(
    side: Side, price: str, code: int
) -> None:
    """Nothing covers, and the newest stop was refused at exactly the price where one must rest."""
    found = why(held(refused("S1", code, side), side=side), trade_of(side))
    assert found == Cause(
        rule="S-6",
        text=f"the stop at {price} would trigger immediately ({code}): nothing rests at the ratchet price",
    )


@pytest.mark.rule("S-6")
@pytest.mark.parametrize(
    "orders",
    [
        (),
        (refused("S1", -1111),),
        (refused("S1", -2021, trigger_price=D(90381)),),  # a tighter one was only wished for
        (refused("S1", -2021), own("S2")),  # another rests
        (own("S1"), refused("S2", -2021)),
        (refused("S1", -2021), own("B1")),  # the backstop rests there too
        (refused("S1", -2021), refused("S2", -1111)),  # the newest was refused otherwise
    ],
    ids=["none", "other code", "other price", "newer", "older", "backstop", "newest"],
)
def test_anything_else_is_no_price_that_would_trigger(orders: tuple[OwnOrder, ...]) -> None:
    """Not restored yet is no reason to close."""
    assert why(held(*orders)) is None


@pytest.mark.rule("S-6", "R-1")
@pytest.mark.parametrize(("price", "closes"), [("90500", True), ("90380", False)])
def test_after_a_move_only_the_ratchet_price_counts(price: str, closes: bool) -> None:
    """The stop had moved to 90 500: that one must be restored, not the initial one."""
    order = refused("S2", -2021, trigger_price=D(price))
    assert (why(held(order), trade_of(ratchet_price=D(90500))) is not None) is closes


# S-7: missing too long


@pytest.mark.rule("S-7")
@pytest.mark.parametrize(
    ("orders", "ago_ms", "words"),
    [
        ((), 2999, None),
        ((), 3000, "no stop could be confirmed for 3.0 s, 3 s are allowed"),
        ((), 61_500, "no stop could be confirmed for 61.5 s, 3 s are allowed"),
        (
            (refused("S1", -1111),),
            3000,
            "no stop could be confirmed for 3.0 s (last refusal -1111), 3 s are allowed",
        ),
        (
            (refused("S1", -1111), own("S2", state=OrderState.UNKNOWN)),
            3000,
            "no stop could be confirmed for 3.0 s, 3 s are allowed",
        ),
        ((own("S1"),), 3000, None),
        ((own("B1"),), 3000, None),
    ],
)
def test_a_missing_stop_is_told_with_its_time_and_its_last_refusal(
    orders: tuple[OwnOrder, ...], ago_ms: int, words: str | None
) -> None:
    """Exactly at the deadline; while one covers there is none."""
    found = why(held(*orders, uncovered_ms=NOW - ago_ms))
    assert found == (None if words is None else Cause(rule="S-7", text=words))


@pytest.mark.rule("S-7", "P-1")
def test_without_a_position_nothing_is_uncovered() -> None:
    """Never filled, or proven flat; and a deadline that ran for it closes nothing."""
    flat = held(
        ended(own("X1"), filled_quantity=D("0.013")),
        position=position("0", NOW),
        now_ms=NOW,
        uncovered_ms=BEFORE,
    )
    never = world(uncovered_ms=BEFORE)
    for found in (flat, never):
        facts = assess(found, trade_of(), POLICY)
        assert not is_uncovered(found, trade_of(), facts)
        assert why(found) is None
    sold = replace(flat, position=None)  # all of it, and not proven yet
    assert not is_uncovered(sold, trade_of(), assess(sold, trade_of(), POLICY))
    bare = held()
    assert is_uncovered(bare, trade_of(), assess(bare, trade_of(), POLICY))


# S-8 (a): mark beyond it


def marks(*read: tuple[int, str]) -> tuple[Observed[object], ...]:
    """Marks by how long ago they were read, oldest first."""
    return tuple(seen(D(price), age_ms=ago_ms) for ago_ms, price in read)


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    ("side", "read", "words"),
    [
        # five basis points below 90 380 are 90 334.81
        (
            Side.BUY,
            ((2600, "90334.80"), (1000, "90300"), (600, "90334.80")),
            "mark 90334.8 is beyond the stop 90380 for 2.0 s in 3 readings and the position is still there",
        ),
        (
            Side.BUY,
            ((2600, "90300"), (100, "90200.5")),
            "mark 90200.5 is beyond the stop 90380 for 2.5 s in 2 readings and the position is still there",
        ),
        (
            Side.BUY,
            ((70_000, "90400"), (61_600, "90300"), (100, "90200")),
            "mark 90200 is beyond the stop 90380 for 61.5 s in 2 readings and the position is still there",
        ),
        (Side.BUY, ((2599, "90300"), (600, "90300")), None),  # a millisecond too few
        (Side.BUY, ((2600, "90334.81"), (1000, "90300"), (600, "90300")), None),  # on the limit
        (Side.BUY, ((5000, "90300"),), None),
        (Side.BUY, (), None),
        # a way back ends the run: only what came after it counts
        (Side.BUY, ((4000, "90300"), (1500, "90400"), (1000, "90300"), (0, "90300")), None),
        # and five above 91 220 are 91 265.61
        (
            Side.SELL,
            ((2100, "91265.62"), (100, "91300")),
            "mark 91300 is beyond the stop 91220 for 2.0 s in 2 readings and the position is still there",
        ),
        (Side.SELL, ((2100, "91265.61"), (100, "91300")), None),
    ],
)
def test_mark_beyond_the_stop_is_told_with_its_time(
    side: Side, read: tuple[tuple[int, str], ...], words: str | None
) -> None:
    """Between the first and the last of an unbroken run of readings; the newest price is named."""
    found = why(held(own("S1", side), side=side, marks=marks(*read)), trade_of(side))
    assert found == (None if words is None else Cause(rule="S-8", text=words))


@pytest.mark.rule("S-8", "R-1")
@pytest.mark.parametrize(("price", "closes"), [("90454.74", True), ("90454.75", False)])
def test_beyond_is_measured_from_where_the_stop_has_moved(price: str, closes: bool) -> None:
    """Five basis points below 90 500 are 90 454.75."""
    found = held(own("S2", trigger_price=D(90500)), marks=marks((2100, price), (100, price)))
    cause = why(found, trade_of(ratchet_price=D(90500)))
    assert (cause is not None and "beyond the stop 90500" in cause.text) is closes


@pytest.mark.rule("S-8", "P-1")
def test_mark_beyond_a_stop_without_a_position_is_nothing() -> None:
    """The armed stop waits for an entry: there is nothing that it should have closed."""
    found = world(orders=(own("S1"),), marks=marks((2600, "90000"), (100, "90000")))
    assert why(found) is None


# S-8 (b): ended incompletely


def stopped(sold: str, **changes: object) -> OwnOrder:
    """A working stop that triggered four seconds ago, sold so much, and ended."""
    given: dict[str, object] = {"triggered_ms": NOW - 4000, "filled_quantity": D(sold)}
    return ended(own("S1", **{**given, **changes}), ended_ms=NOW - 1000)  # type: ignore[arg-type]  # by name


@pytest.mark.rule("S-8")
def test_what_a_triggered_stop_left_is_told_when_its_fills_are_known() -> None:
    """It sold 0.005 of 0.013 and ended a second ago: told; a millisecond earlier its fills may still come."""
    stop = stopped("0.005")
    assert incomplete(held(stop)) == stop
    assert incomplete(held(ended(own("B1")), stop)) == stop  # others beside it ended otherwise
    assert incomplete(held(replace(stop, ended_ms=NOW - 999))) is None
    pending = held(replace(stop, updated_ms=NOW - 999, filled_quantity=D("0.006")))
    assert incomplete(replace(pending, fills=pending.fills[:1])) is None


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    "order",
    [
        stopped("0.005", triggered_ms=None),
        own("S1", triggered_ms=NOW - 4000, state=OrderState.TRIGGERED),
        stopped("0.013"),
    ],
    ids=["never triggered", "still executing", "sold everything"],
)
def test_a_stop_that_did_its_work_or_is_at_it_left_nothing(order: OwnOrder) -> None:
    """Only one that triggered and ended can have failed."""
    assert incomplete(held(order)) is None


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    ("bought_ms", "failed"),
    [(NOW - 4001, True), (NOW - 4000, False), (NOW - 3999, False)],
)
def test_what_the_entry_bought_after_the_trigger_is_not_the_stops_failure(
    bought_ms: int, failed: bool
) -> None:
    """From the millisecond of the trigger on; what was there before it, the stop had to sell."""
    found = held(stopped("0.013"))
    extra = lot(found.orders[0], "0.002", time_ms=bought_ms)
    entry = replace(found.orders[0], filled_quantity=D("0.015"))
    grown = replace(found, fills=(*found.fills, extra), orders=(entry, *found.orders[1:]))
    assert (incomplete(grown) is not None) is failed


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(("bought_ms", "failed"), [(NOW - 4501, True), (NOW - 4500, False)])
def test_its_first_execution_may_be_older_than_the_news_of_its_trigger(
    bought_ms: int, failed: bool
) -> None:
    """It sold from 4.5 s ago on, and was told as triggered 4 s ago: the earlier counts."""
    stop = stopped("0.013")
    found = held(stop)
    entry = replace(found.orders[0], filled_quantity=D("0.015"))
    fills = (
        found.fills[0],
        lot(entry, "0.002", time_ms=bought_ms),
        lot(stop, "0.013", time_ms=NOW - 4500),
    )
    grown = replace(found, fills=fills, orders=(entry, stop))
    assert (incomplete(grown) is not None) is failed


@pytest.mark.rule("S-8")
def test_what_a_full_exit_had_to_sell_shows_the_failure_afterwards() -> None:
    """Nothing is left any more: the exit sold the 0.008 that the stop had not."""
    stop = stopped("0.005")
    exit_ = ended(own("X1"), filled_quantity=D("0.008"))
    found = held(stop, exit_, position=position("0", NOW - 10))
    assert incomplete(found) == stop
    (alarm,) = told(found)
    assert alarm.text == f"the triggered stop jm-{KEY}-S1 filled 0.005: closed at market"


# the alarms


@pytest.mark.rule("S-7", "H-3")
def test_lost_cover_is_alarmed_with_the_size() -> None:
    """Critical, one for the trade; not while it closes and not while fills are still being told."""
    (alarm,) = told(held(), uncovered=True)
    assert alarm == Alarm(
        rule="S-7",
        subject=KEY,
        text="no stop covers 0.013 BTCUSDT: restoring it",
        severity="critical",
    )
    assert told(held(), uncovered=False) == ()

    assert told(held(), trade_of(closing=CloseReason.FLAT), uncovered=True) == ()
    sold = held(own("P1", filled_quantity=D("0.006"), updated_ms=NOW - 10))
    assert told(replace(sold, fills=sold.fills[:1]), uncovered=True) == ()


@pytest.mark.rule("S-13", "H-3")
@pytest.mark.parametrize("name", ["S1", "B1"])
def test_an_invisible_stop_is_alarmed_by_name(name: str) -> None:
    """Critical, one for the order: what no list tells is presumed alive."""
    order = own(name, unlisted=(BEFORE + 2000, BEFORE + 4000))
    (alarm,) = told(held(order))
    assert alarm == Alarm(
        rule="S-13",
        subject=f"jm-{KEY}-{name}",
        text=f"jm-{KEY}-{name} is in no list and not found by its id; presumed alive",
        severity="critical",
    )


@pytest.mark.rule("P-2", "H-3")
@pytest.mark.parametrize(
    ("order", "removed"),
    [
        (ended(own("S1"), end_status=OrderStatus.CANCELED), True),
        (ended(own("S1"), end_status=OrderStatus.EXPIRED), True),
        (ended(own("S1"), end_status=OrderStatus.REJECTED), False),
        (ended(own("S1"), end_code=-1111), False),
        (ended(own("S1", cancel_sent_ms=BEFORE), end_status=OrderStatus.CANCELED), False),
        (ended(own("S1", triggered_ms=BEFORE), end_status=OrderStatus.EXPIRED), False),
        (own("S1"), False),
        (ended(own("B1"), end_status=OrderStatus.CANCELED), True),
        (ended(own("B1", close_position=True), end_status=OrderStatus.CANCELED), True),
        # a closePosition stop goes with its position: by rule, nobody took it
        (ended(own("B1", close_position=True), end_status=OrderStatus.EXPIRED), False),
        (ended(own("P1"), end_status=OrderStatus.CANCELED), False),
    ],
)
def test_a_stop_that_others_took_is_a_warning(order: OwnOrder, removed: bool) -> None:
    """One that rested and ended without a trigger and without a cancel of ours, while something is held."""
    found = [alarm for alarm in told(held(order)) if alarm.rule == "P-2"]
    expected = Alarm(
        rule="P-2",
        subject=order.client_id,
        text=f"{order.client_id} was removed by the exchange or a person",
        severity="warning",
    )
    assert found == ([expected] if removed else [])
    flat = held(
        order,
        ended(own("X1"), filled_quantity=D("0.013")),
        position=position("0", NOW),
    )
    assert told(world(orders=(order,))) == told(flat) == ()


@pytest.mark.rule("Y-3", "H-3")
def test_what_a_hand_added_is_a_warning() -> None:
    """With the size that is covered and gets no targets."""
    found = held(own("S1", quantity=D("0.02")))
    (alarm,) = told(replace(found, fills=(*found.fills, lot(None, "0.007"))))
    assert alarm == Alarm(
        rule="Y-3",
        subject=KEY,
        text="0.007 were added by hand: covered, without targets",
        severity="warning",
    )


@pytest.mark.rule("S-8", "H-3")
def test_what_a_stop_left_is_alarmed_with_the_sizes() -> None:
    """Critical: what it sold, what is left, and what happens now."""
    (alarm,) = told(held(stopped("0.005")))
    assert alarm == Alarm(
        rule="S-8",
        subject=f"jm-{KEY}-S1",
        text=f"the triggered stop jm-{KEY}-S1 filled 0.005 and left 0.008: closing at market",
        severity="critical",
    )


# the time without a stop


@pytest.mark.rule("T-4", "P-1")
def test_the_time_without_a_stop_is_added_up() -> None:
    """From the look that found it bare until now; nothing where the last look found cover."""
    trade = trade_of(unprotected_ms=40)
    assert with_bare_time(world(bare_ms=NOW - 250), trade).unprotected_ms == 290
    assert with_bare_time(world(), trade) == trade
