"""What follows from orders, fills and position reads about the open trade, figure by figure (Y-11, Y-3, Y-5)."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, ended, held, lot, own, position, trade_of
from tests.worlds import NOW, POLICY, D, world

from jumar.model.account import PositionReport
from jumar.model.order import OrderState, OrderStatus, Role, Side
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source, World
from jumar.planner.facts import Facts, are_itemised, assess, filled_of, filled_of_role


def facts(found: World, side: Side = Side.BUY, **changes: object) -> Facts:
    """The trade, assessed."""
    return assess(found, trade_of(side, **changes), POLICY)


def event(quantity: str, at_ms: int) -> Observed[PositionReport]:
    """The position as an event tells it."""
    report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(90000))
    return Observed(value=report, at_ms=at_ms, source=Source.STREAM)


def signed(side: Side, quantity: str) -> str:
    """As the venue writes it: negative for a short; a leading minus turns it round."""
    value = D(quantity) if side is Side.BUY else -D(quantity)
    return str(value)


# sizes


@pytest.mark.rule("P-4", "X-6", "Y-11")
def test_what_an_order_has_filled_is_the_larger_of_fills_and_report() -> None:
    """Fills count by their trade id; a report may be ahead of them, or behind."""
    entry = own("E1", filled_quantity=D("0.004"))
    behind = world(orders=(entry, own("E2")), fills=(lot(entry, "0.003"), lot(entry, "0.002")))
    ahead = world(orders=(entry,), fills=(lot(entry, "0.003"),))
    assert (filled_of(behind, entry), filled_of(ahead, entry)) == (D("0.005"), D("0.004"))
    both = replace(behind, orders=(entry, own("E2", filled_quantity=D("0.001"))))
    assert filled_of_role(both, Role.ENTRY) == D("0.006")
    assert filled_of_role(both, Role.STOP) == ZERO


@pytest.mark.rule("Y-11", "Y-3", "P-4")
@pytest.mark.parametrize("side", list(Side))
def test_the_sizes_of_a_partly_filled_partly_sold_trade(side: Side) -> None:
    """0.010 of 0.013 bought (0.008 told), 0.003 sold (0.002 told), 0.001 added by a hand."""
    entry = own("E1", side, filled_quantity=D("0.010"))
    target = own("P1", side, filled_quantity=D("0.003"))
    hand = lot(None, "0.001", side=side, time_ms=NOW - 900)
    fills = (
        lot(entry, "0.005", "90700", time_ms=NOW - 2000),
        lot(entry, "0.003", "90780", time_ms=NOW - 1900),
        lot(target, "0.002", "91600", time_ms=NOW - 1000),
        hand,
    )
    found = world(orders=(entry, target), fills=fills, position=None)
    assert facts(found, side) == Facts(
        entered=D("0.010"),
        remaining=D("0.009"),  # 0.010 less 0.002 told, and the hand's 0.001
        own_remaining=D("0.007"),  # without the hand's, and less what TP1 only reports
        seems_gone=False,
        oversold=ZERO,
        foreign_size=D("0.001"),
        cover_size=D("0.009"),
        may_fill=D("0.003"),
        average_entry=D("90730"),
        last_fill_ms=NOW - 900,
        had_fill=True,
        entry_alive=True,
        exit_filled=True,
        stop_triggered=False,
        tp1_hit=True,
        fills_pending=False,
        flat=False,
    )


@pytest.mark.rule("Y-11")
def test_a_set_up_that_waits_for_its_entry_has_nothing_and_may_fill_all() -> None:
    """Nothing is held, nothing sold; flat only when the entry can no longer fill."""
    armed = world(orders=(own("S1"), own("E1")))
    assert facts(armed) == Facts(
        entered=ZERO,
        remaining=ZERO,
        own_remaining=ZERO,
        seems_gone=True,
        oversold=ZERO,
        foreign_size=ZERO,
        cover_size=ZERO,
        may_fill=D("0.013"),
        average_entry=None,
        last_fill_ms=None,
        had_fill=False,
        entry_alive=True,
        exit_filled=False,
        stop_triggered=False,
        tp1_hit=False,
        fills_pending=False,
        flat=False,
    )
    over = facts(replace(armed, orders=(own("S1"), ended(own("E1")))))
    assert (over.flat, over.may_fill, over.entry_alive) == (True, ZERO, False)


@pytest.mark.rule("P-4", "Y-3")
def test_an_entry_that_overfilled_may_fill_no_more() -> None:
    """0.014 of 0.013: never less than nothing."""
    entry = own("E1", filled_quantity=D("0.014"))
    assert facts(world(orders=(entry,))).may_fill == ZERO


@pytest.mark.rule("Y-3")
def test_more_sold_than_was_bought_tells_of_a_hand() -> None:
    """0.015 sold of 0.013, once the entry has ended and all of it is told; before that it may yet be explained."""
    sold = ended(own("X1"), filled_quantity=D("0.015"))
    found = held(sold)
    assert facts(found).oversold == D("0.002")
    assert facts(found).remaining == ZERO
    alive = replace(found.orders[0], state=OrderState.OPEN)
    assert facts(replace(found, orders=(alive, sold))).oversold == ZERO
    ahead = replace(found.orders[0], filled_quantity=D("0.0131"))
    assert facts(replace(found, orders=(ahead, sold))).oversold == ZERO
    assert facts(held()).oversold == ZERO


@pytest.mark.rule("Y-1", "Y-3")
def test_what_was_adopted_is_held_without_a_fill() -> None:
    """At the price that the venue states, whatever the entry of a lost journal paid since."""
    entry = own("E1", filled_quantity=D("0.001"))
    found = world(orders=(entry,), fills=(lot(entry, "0.001", "91000"),), position=None)
    seen = facts(found, adopted_price=D(90000), adopted_quantity=D("0.5"))
    assert (seen.remaining, seen.average_entry) == (D("0.501"), D(90000))
    bare = facts(world(position=None), adopted_price=D(90000), adopted_quantity=D("0.5"))
    assert (bare.had_fill, bare.remaining, bare.flat) == (True, D("0.5"), False)


# what other sources say


@pytest.mark.rule("Y-11")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("source", [Source.REST, Source.STREAM])
@pytest.mark.parametrize(
    ("quantity", "after_ms", "cover"),
    [
        ("0.020", 0, "0.020"),
        ("0.020", -1, "0.013"),  # older than the last fill
        ("0.005", 0, "0.013"),  # smaller: the fills say more
        ("-0.020", 0, "0.013"),  # the other side is not ours
    ],
)
def test_cover_is_for_the_largest_that_any_source_reports(
    side: Side, source: Source, quantity: str, after_ms: int, cover: str
) -> None:
    """Not older than the last fill; too much cover only reduces."""
    found = held(side=side)
    told = Observed(
        value=position(signed(side, quantity)).value, at_ms=BEFORE + after_ms, source=source
    )
    parts = (told, None) if source is Source.REST else (None, told)
    found = replace(found, position=parts[0], position_event=parts[1])
    seen = facts(found, side, armed_ms=BEFORE - 9000)
    assert seen.cover_size == D(cover)


@pytest.mark.rule("Y-11")
@pytest.mark.parametrize(("at_ms", "cover"), [(BEFORE, "0.5"), (BEFORE - 1, "0")])
def test_before_the_first_fill_what_is_held_since_arming_counts(at_ms: int, cover: str) -> None:
    """Somebody bought beside the set-up: it is covered, and it counts as filled."""
    seen = facts(world(orders=(own("S1"),), position=position("0.5", at_ms)))
    assert seen.cover_size == D(cover)
    assert seen.had_fill is (cover != "0")


@pytest.mark.rule("Y-3", "Y-5")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("source", "quantity", "after_ms", "own_remaining", "gone"),
    [
        (Source.STREAM, "0.005", 0, "0.005", False),
        (Source.STREAM, "0.005", -1, "0.013", False),  # from before the last fill
        (Source.REST, "0.005", 2000, "0.005", False),
        (Source.REST, "0.005", 1999, "0.013", False),  # the list may lag behind the fill
        (Source.STREAM, "0.020", 0, "0.013", False),
        # what seems gone leaves the targets as they are
        (Source.STREAM, "0", 0, "0.013", True),
        (Source.STREAM, "-0.005", 0, "0.013", True),
        (Source.REST, "0", 2000, "0.013", True),
        (Source.REST, "0", 1999, "0.013", False),
    ],
)
def test_targets_go_by_what_a_later_look_says_is_left(
    *, side: Side, source: Source, quantity: str, after_ms: int, own_remaining: str, gone: bool
) -> None:
    """An event from the last fill on, a list from two seconds after it."""
    found = held(side=side)
    told = Observed(
        value=position(signed(side, quantity)).value, at_ms=BEFORE + after_ms, source=source
    )
    parts = (told, None) if source is Source.REST else (None, told)
    found = replace(found, position=parts[0], position_event=parts[1])
    seen = facts(found, side, armed_ms=BEFORE - 9000)
    assert (seen.own_remaining, seen.seems_gone) == (D(own_remaining), gone)


@pytest.mark.rule("Y-3")
def test_of_two_later_looks_the_latest_counts() -> None:
    """By its own time, whichever source it is."""
    found = held()
    read, told = position("0.005", BEFORE + 2500), event("0.004", BEFORE + 2400)
    assert facts(replace(found, position=read, position_event=told)).own_remaining == D("0.005")
    later = event("0.004", BEFORE + 2600)
    assert facts(replace(found, position=read, position_event=later)).own_remaining == D("0.004")


# stops and targets


@pytest.mark.rule("S-9")
@pytest.mark.parametrize("name", ["S1", "B1"])
@pytest.mark.parametrize(
    ("changes", "triggered"),
    [
        ({}, False),
        ({"state": OrderState.TRIGGERED}, True),
        ({"triggered_ms": NOW}, True),
        ({"state": OrderState.ENDED, "end_status": OrderStatus.FINISHED}, True),
        ({"state": OrderState.ENDED, "end_status": OrderStatus.CANCELED}, False),
    ],
)
def test_a_stop_has_triggered_by_any_word_of_it(
    name: str, changes: dict[str, object], triggered: bool
) -> None:
    """Its state, the time, how it ended, or an execution; without a fill of the trade it is none of its stops."""
    order = replace(own(name), **changes)  # type: ignore[arg-type]  # by name
    assert facts(held(order)).stop_triggered is triggered
    assert not facts(world(orders=(order,))).stop_triggered
    sold = held(order)
    sold = replace(sold, fills=(*sold.fills, lot(order, "0.001")))
    assert facts(sold).stop_triggered


@pytest.mark.rule("T-3", "L-1")
@pytest.mark.parametrize(
    ("name", "hit"), [("P1", True), ("L1", True), ("Q1", False), ("S1", False), ("X1", False)]
)
def test_tp1_or_the_zone_exit_in_its_place_is_the_first_target(name: str, hit: bool) -> None:
    """By report or by fill; every exit that filled counts as one."""
    order = own(name, filled_quantity=D("0.001"))
    assert facts(held(order)).tp1_hit is hit
    silent = own(name)
    found = held(silent)
    found = replace(found, fills=(*found.fills, lot(silent, "0.001")))
    assert facts(found).tp1_hit is hit
    reported = replace(held(order), fills=held(order).fills[:1])
    assert facts(found).exit_filled and facts(reported).exit_filled
    assert not facts(held(silent)).exit_filled


@pytest.mark.rule("P-4", "X-6")
def test_a_trade_that_sold_all_it_bought_had_a_fill() -> None:
    """By its fills, or by what an exit reports alone: it has traded, and nothing is left of it."""
    gone = facts(sold(position=position("0", NOW)))
    assert (gone.remaining, gone.had_fill) == (ZERO, True)
    only_exit = world(orders=(ended(own("X1"), filled_quantity=D("0.001")),))
    assert facts(only_exit).had_fill


@pytest.mark.rule("Y-3")
def test_a_hands_sale_is_an_exit() -> None:
    """Nobody's order of ours, on the other side."""
    found = held()
    assert facts(
        replace(found, fills=(*found.fills, lot(None, "0.001", side=Side.SELL)))
    ).exit_filled


# waiting for executions


@pytest.mark.rule("Y-5", "Y-11")
@pytest.mark.parametrize(
    ("updated_ms", "ended_ms", "pending"),
    [
        (NOW - 999, None, True),
        (NOW - 1000, None, False),
        (BEFORE, NOW - 999, True),  # the news of its end is the newest
        (BEFORE, NOW - 1000, False),
    ],
)
def test_a_report_that_is_ahead_of_its_fills_is_waited_for_a_second(
    updated_ms: int, ended_ms: int | None, pending: bool
) -> None:
    """From its newest news; and an order without more than its fills is not waited for."""
    order = own("P1", filled_quantity=D("0.006"), updated_ms=updated_ms, ended_ms=ended_ms)
    found = held(order)
    assert not facts(found).fills_pending
    assert are_itemised(found)
    behind = replace(found, fills=found.fills[:1])
    assert facts(behind).fills_pending is pending
    assert not are_itemised(behind)


# flat


def flat(found: World, side: Side = Side.BUY, **changes: object) -> bool:
    """Whether it is proven flat."""
    return facts(found, side, **changes).flat


def sold(side: Side = Side.BUY, quantity: str = "0.013", **changes: object) -> World:
    """Bought five seconds ago, sold 3.5 s ago."""
    exit_ = ended(own("X1", side), filled_quantity=D(quantity))
    found = held(exit_, side=side, position=None)
    return replace(found, **changes)  # type: ignore[arg-type]  # by name


SOLD = NOW - 3500


@pytest.mark.rule("Y-11")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("read", "told", "proven"),
    [
        (None, None, False),
        (None, ("0", SOLD), True),  # the event of the last fill itself
        (None, ("0", SOLD - 1), False),
        (("0", SOLD + 2000), None, True),
        (("0", SOLD + 1999), None, False),
        (("0.001", SOLD + 2000), None, False),
        # an event that says held, and no list young enough to refute it
        (("0", SOLD + 2000), ("0.001", SOLD + 1), False),
        (("0", SOLD + 2000), ("0.001", SOLD), True),
        # a list that says held does not refute the event of the end
        (("0.001", SOLD + 100), ("0", SOLD), True),
        (None, ("-0.001", SOLD), True),  # turned by a hand: ours is over
    ],
)
def test_fills_that_sum_to_zero_need_one_more_word(
    side: Side, read: tuple[str, int] | None, told: tuple[str, int] | None, proven: bool
) -> None:
    """An event not before the last fill, or a list asked for two seconds after it."""
    found = sold(
        side,
        position=None if read is None else position(signed(side, read[0]), read[1]),
        position_event=None if told is None else event(signed(side, told[0]), told[1]),
    )
    assert flat(found, side) is proven


@pytest.mark.rule("Y-11", "Y-3")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("quantity", "read", "at_ms", "proven"),
    [
        ("0.014", "-0.001", SOLD, True),  # the fills say turned, and so does a list
        ("0.014", "-0.001", SOLD - 1, False),
        ("0.014", "0", SOLD, False),  # nothing at all may be a late answer
        ("0.014", "0", SOLD + 2000, True),
        ("0.013", "-0.001", SOLD, False),  # the fills do not explain the other side
        ("0.014", "0.001", SOLD, False),
    ],
)
def test_a_list_of_the_other_side_is_believed_with_fills_that_explain_it(
    side: Side, quantity: str, read: str, at_ms: int, proven: bool
) -> None:
    """It can be no late answer: then it needs no margin."""
    found = sold(side, quantity, position=position(signed(side, read), at_ms))
    assert flat(found, side) is proven


@pytest.mark.rule("Y-11", "P-1")
def test_nothing_is_flat_while_an_entry_may_fill_or_fills_are_missing() -> None:
    """Alive, or reported as having filled more than is told."""
    proven = sold(position=position("0", NOW))
    assert flat(proven)
    alive = replace(proven.orders[0], state=OrderState.UNKNOWN)
    assert not flat(replace(proven, orders=(alive, proven.orders[1])))
    ahead = replace(proven.orders[0], filled_quantity=D("0.014"))
    assert not flat(replace(proven, orders=(ahead, proven.orders[1])))


@pytest.mark.rule("Y-2", "Y-11")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("first_ms", "read_ms", "fills_ms", "forced_ms", "proven"),
    [
        (BEFORE + 2000, BEFORE + 4000, BEFORE + 2000, BEFORE + 2000, True),
        (BEFORE + 2000, BEFORE + 3999, BEFORE + 4000, BEFORE + 4000, False),  # too close
        (BEFORE + 2001, BEFORE + 4000, BEFORE + 4000, BEFORE + 4000, False),
        (BEFORE, BEFORE + 4000, BEFORE + 4000, BEFORE + 4000, True),  # counted from the margin
        (BEFORE, BEFORE + 3999, BEFORE + 4000, BEFORE + 4000, False),
        (BEFORE + 2000, BEFORE + 4000, BEFORE + 1999, BEFORE + 4000, False),  # asked too early
        (BEFORE + 2000, BEFORE + 4000, BEFORE + 4000, BEFORE + 1999, False),
        (None, BEFORE + 4000, BEFORE + 4000, BEFORE + 4000, False),
    ],
)
def test_what_no_fill_explains_needs_two_reads_and_both_questions(
    *,
    side: Side,
    first_ms: int | None,
    read_ms: int,
    fills_ms: int,
    forced_ms: int,
    proven: bool,
) -> None:
    """Two reads two seconds apart, both from two seconds after the last fill, everything asked for since the first."""
    found = replace(
        held(side=side),
        position=position("0", read_ms),
        position_since_ms=first_ms,
        fills_read_ms=fills_ms,
        forced_read_ms=forced_ms,
    )
    assert flat(found, side) is proven
    assert not flat(replace(found, position=position(signed(side, "0.001"), read_ms)), side)
    assert not flat(replace(found, position=None), side)


@pytest.mark.rule("Y-2", "Y-1")
@pytest.mark.parametrize(("armed_ms", "proven"), [(BEFORE, True), (BEFORE + 1, False)])
def test_without_any_fill_the_arming_is_counted_from(armed_ms: int, proven: bool) -> None:
    """An adopted position that has vanished: two seconds after it was found the first read counts."""
    found = world(
        position=position("0", BEFORE + 4000),
        position_since_ms=BEFORE + 1000,
        fills_read_ms=NOW,
        forced_read_ms=NOW,
    )
    adopted = {"adopted_price": D(90000), "adopted_quantity": D("0.5"), "armed_ms": armed_ms}
    assert flat(found, Side.BUY, **adopted) is proven
