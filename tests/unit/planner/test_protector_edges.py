"""The minimal protector in detail: what it believes is held, what it sends and in which words, and when it waits."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, held, lot, own, position, trade_of
from tests.worlds import NOW, POLICY, D, seen, world

from jumar.model.account import PositionReport
from jumar.model.command import Cause, Command, PlaceOrder
from jumar.model.mode import Mode
from jumar.model.order import OrderState, OrderType, OwnOrder, Side
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import Observed, Source, World
from jumar.planner import ladder
from jumar.planner.protector import protect
from jumar.planner.slots import cancel

both_sides = pytest.mark.parametrize("side", list(Side))
WOULD_TRIGGER = (-2021, -4142)


def of(side: Side, *orders: OwnOrder, trade: Trade | None = None, **changes: object) -> World:
    """0.013 are held by the example's trade, or by the trade that is given."""
    return held(*orders, side=side, trade=trade or trade_of(side), **changes)


def sent(found: World) -> list[Command]:
    """What leaves."""
    return [each.command for each in protect(found, POLICY).commands]


def stop_of(side: Side, name: str, words: str, **changes: object) -> PlaceOrder:
    """The command for a stop at the example's initial stop, or for a changed one."""
    order = own(name, side, **changes)
    return PlaceOrder(
        request=order.request,
        trade_key=KEY,
        attempt=order.attempt,
        cause=Cause(rule="S-7", text=words),
        ratchet=order.request.trigger_price,
    )


def exit_of(side: Side, name: str, rule: str, why: str, quantity: str = "0.013") -> PlaceOrder:
    """The command for a full exit at market."""
    order = own(name, side, quantity=D(quantity))
    words = f"{why}: {quantity} at market, reduce-only; the planner fails"
    return PlaceOrder(
        request=order.request,
        trade_key=KEY,
        attempt=order.attempt,
        cause=Cause(rule=rule, text=words),
    )


def marks(*readings: tuple[int, str]) -> tuple[Observed[Decimal], ...]:
    """Mark prices so many milliseconds ago."""
    return tuple(
        Observed(value=D(price), at_ms=NOW - ago_ms, source=Source.STREAM)
        for ago_ms, price in readings
    )


def told(quantity: str, at_ms: int) -> Observed[PositionReport]:
    """The position as an event tells it."""
    return replace(position(quantity, at_ms), source=Source.STREAM)


# what it sends


@pytest.mark.rule("O-4", "S-7", "S-11", "P-9")
@both_sides
def test_the_stop_that_it_restores_states_every_flag(side: Side) -> None:
    """A reduce-only stop market order by mark price, good till cancelled, at the ratchet price, with its reason."""
    at = "90380" if side is Side.BUY else "91220"
    plan = protect(of(side), POLICY)
    words = f"no stop covers 0.013 at {at} and the planner fails"
    assert [each.command for each in plan.commands] == [stop_of(side, "S1", words)]
    assert (plan.wake_in_ms, plan.uncovered, plan.trade) == (500, True, trade_of(side))


@pytest.mark.rule("O-4", "S-7", "X-1")
@both_sides
def test_the_next_stop_has_the_next_number_and_the_moved_price(side: Side) -> None:
    """The tightest price ever confirmed; numbers are never used again."""
    long = side is Side.BUY
    moved = trade_of(side, ratchet_price=D("90500.5") if long else D("91100.5"))
    lost = (ended(own("S1", side)), ended(own("S4", side)), own("B2", side))
    at = "90500.5" if long else "91100.5"
    words = f"no stop covers 0.013 at {at} and the planner fails"
    expected = stop_of(side, "S5", words, trigger_price=D(at))
    assert sent(of(side, *lost, trade=moved)) == [expected]


@pytest.mark.rule("O-4", "C-2", "S-8", "P-9")
@pytest.mark.parametrize(
    ("closing", "rule", "told_rule", "words"),
    [
        (CloseReason.OPPOSITE, "C-2", "C-2", "closing already: opposite"),
        (CloseReason.EMERGENCY, None, "S-8", "closing already: emergency"),
    ],
)
@both_sides
def test_the_exit_that_it_sends_is_at_market_and_says_why(
    side: Side, closing: CloseReason, rule: str | None, told_rule: str, words: str
) -> None:
    """No price, no trigger, no time in force, reduce-only; by the rule that began the close, S-8 where none is known."""
    trade = trade_of(side, closing=closing, closing_rule=rule)
    plan = protect(of(side, own("S1", side), trade=trade), POLICY)
    command = exit_of(side, "X1", told_rule, words)
    assert [each.command for each in plan.commands] == [command]
    assert command.request.type is OrderType.MARKET
    assert (plan.wake_in_ms, plan.uncovered, plan.trade) == (None, False, trade)


@pytest.mark.rule("O-4", "P-9")
@both_sides
def test_an_entry_is_taken_back_with_a_reason(side: Side) -> None:
    """By its id, in its own list, once in half a second; what has ended is left."""
    cause = Cause(rule="O-4", text="the planner fails: no entry stays")
    entry = own("E2", side)
    for ago_ms, goes in ((None, True), (499, False), (500, True)):
        asked = replace(entry, cancel_sent_ms=None if ago_ms is None else NOW - ago_ms)
        expected = [cancel(entry, cause)] if goes else []
        assert sent(of(side, asked, own("S1", side))) == expected
    assert sent(of(side, ended(entry), own("S1", side))) == []


@pytest.mark.rule("O-4", "W-3")
@both_sides
def test_a_rest_below_the_step_is_covered_by_a_whole_step(side: Side) -> None:
    """0.0131 are asked as 0.014: what is more than the position the venue cuts, what is less would stay bare."""
    signed = "0.0131" if side is Side.BUY else "-0.0131"
    (command,) = sent(of(side, position=position(signed)))
    assert isinstance(command, PlaceOrder)
    assert command.request.quantity == D("0.014")
    assert command.cause.text.startswith("no stop covers 0.0131 at ")


# what is held


@pytest.mark.rule("O-4", "S-1")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"closing": CloseReason.OPPOSITE, "closing_rule": "C-2"},
        {"ratchet_price": D("90500")},
    ],
)
def test_where_nothing_is_held_nothing_is_placed_or_hurried(changes: dict[str, object]) -> None:
    """Neither stop nor exit, though no stop rests, it was closing, or a flatten is wanted."""
    flatten = ladder.state("flatten", "asked for", NOW)
    for mode in (None, flatten):
        empty = world(trade=trade_of(Side.BUY, **changes), mode=mode, uncovered_ms=BEFORE)
        plan = protect(empty, POLICY)
        assert (plan.commands, plan.wake_in_ms, plan.uncovered) == ((), None, False)
        assert plan.trade == empty.trade


@pytest.mark.rule("O-4", "Y-11")
@pytest.mark.parametrize(
    ("read", "event", "size"),
    [
        ("0.013", None, "0.013"),
        ("0.020", None, "0.02"),
        ("0.005", None, "0.013"),  # the largest counts
        ("-0.020", None, "0.013"),  # the other side is none of ours
        ("0.013", "0.030", "0.03"),
        (None, "0.030", "0.03"),
        (None, None, "0.013"),
    ],
)
@both_sides
def test_the_largest_that_any_source_tells_is_covered(
    side: Side, read: str | None, event: str | None, size: str
) -> None:
    """Fills, the position read and its event, on the trade's side."""
    sign = 1 if side is Side.BUY else -1

    def at(quantity: str | None) -> Observed[PositionReport] | None:
        return None if quantity is None else told(str(D(quantity) * sign), NOW - 100)

    (command,) = sent(of(side, position=at(read), position_event=at(event)))
    assert isinstance(command, PlaceOrder)
    assert command.cause.text.startswith(f"no stop covers {size} at ")


@pytest.mark.rule("O-4", "Y-11")
@pytest.mark.parametrize(("after_ms", "size"), [(-1, "0.013"), (0, "0.05"), (1, "0.05")])
def test_what_is_older_than_the_last_fill_tells_nothing(after_ms: int, size: str) -> None:
    """From the millisecond of the last execution on; before any, from when the trade was armed."""
    found = of(Side.BUY, position=position("0.05", BEFORE + after_ms))
    (command,) = sent(found)
    assert command.cause.text.startswith(f"no stop covers {size} at ")
    unfilled = sent(replace(found, fills=()))
    assert (unfilled != []) is (after_ms >= 0)


@pytest.mark.rule("O-4", "Y-1", "Y-3")
@both_sides
def test_what_was_adopted_and_what_was_traded_since_add_up(side: Side) -> None:
    """0.010 found, 0.013 bought, 0.003 sold: 0.02; and 0.007 where only the sale is known."""
    sold = lot(ended(own("P1", side)), "0.003")
    trade = trade_of(side, adopted_quantity=D("0.010"), adopted_price=D(90000))
    found = of(side, trade=trade, position=None)
    for fills, size in (((*found.fills, sold), "0.02"), ((sold,), "0.007")):
        (command,) = sent(replace(found, fills=fills))
        assert command.cause.text.startswith(f"no stop covers {size} at ")


# what covers


@pytest.mark.rule("O-4", "S-7", "S-9", "S-11")
@pytest.mark.parametrize(
    ("name", "changes", "covers"),
    [
        ("S1", {}, True),
        ("B1", {}, True),
        ("S1", {"quantity": D("0.014")}, True),
        ("S1", {"quantity": D("0.012")}, False),
        ("B1", {"quantity": None, "reduce_only": False, "close_position": True}, True),
        ("S1", {"quantity": None}, False),
        ("S1", {"state": OrderState.TRIGGERED}, True),
        ("S1", {"state": OrderState.IN_FLIGHT}, False),
        ("S1", {"state": OrderState.UNKNOWN}, False),
        ("S1", {"state": OrderState.ENDED}, False),
        ("S1", {"echo_error": "quantity 1 for 2"}, False),
        ("S1", {"trigger_price": None}, False),
        ("P1", {}, False),
        ("L1", {}, False),
    ],
)
@both_sides
def test_what_counts_as_cover(
    side: Side, name: str, changes: dict[str, object], covers: bool
) -> None:
    """A confirmed stop or backstop, or one that executes, for all that is held; nothing else."""
    order = own(name, side, **{"journaled_ms": NOW - 500, **changes})
    plan = protect(of(side, order), POLICY)
    assert plan.uncovered is not covers
    assert plan.wake_in_ms == (None if covers else 500)
    placed = [each.command for each in plan.commands]
    assert [isinstance(each, PlaceOrder) for each in placed] == [] if covers else [True]


@pytest.mark.rule("O-4", "P-2", "S-3")
@pytest.mark.parametrize(("tighter", "covers"), [("-0.1", False), ("0", True), ("0.1", True)])
@both_sides
def test_a_stop_covers_at_the_ratchet_price_or_tighter(
    side: Side, tighter: str, covers: bool
) -> None:
    """A tick looser is further away than was promised."""
    trade = trade_of(side)
    ratchet = trade.initial_stop + 100 * trade.sign
    stop = own("S1", side, trigger_price=ratchet + D(tighter) * trade.sign)
    plan = protect(of(side, stop, trade=replace(trade, ratchet_price=ratchet)), POLICY)
    assert plan.uncovered is not covers


# why it closes


@pytest.mark.rule("O-4", "M-6", "M-2")
@pytest.mark.parametrize(
    ("code", "rule", "reason"),
    [
        ("flatten", "M-6", CloseReason.FLATTEN),
        ("emergency_close", "M-2", CloseReason.EMERGENCY),
        ("daily_loss", "G-10", CloseReason.EMERGENCY),
    ],
)
@both_sides
def test_a_flattening_mode_closes_with_its_rule_and_words(
    side: Side, code: str, rule: str, reason: CloseReason
) -> None:
    """Recorded with the exit; a mode that only holds back closes nothing."""
    mode = ladder.state(code, "asked for by 1 person", NOW)
    covered = of(side, own("S1", side), mode=mode)
    plan = protect(covered, POLICY)
    command = exit_of(side, "X1", rule, "asked for by 1 person")
    assert [each.command for each in plan.commands] == [command]
    assert plan.trade is not None
    assert (plan.trade.closing, plan.trade.closing_rule) == (reason, rule)
    for milder in (Mode.NORMAL, Mode.NO_ENTRIES, Mode.PROTECT_ONLY):
        assert sent(replace(covered, mode=replace(mode, mode=milder))) == []


@pytest.mark.rule("O-4", "S-8")
@pytest.mark.parametrize(
    ("readings", "seconds"),
    [
        (((2000, "90000"), (0, "90000")), "2.0"),
        (((60_000, "90000"), (30_000, "90000"), (0, "90000")), "60.0"),
        (((2100, "90000"), (1000, "90000"), (0, "90000")), "2.1"),
        (((9000, "90000"), (2500, "90800"), (2000, "90000"), (0, "90000")), "2.0"),
        (((1999, "90000"), (0, "90000")), None),
        (((0, "90000"),), None),
        (((2000, "90000"), (1000, "90800"), (0, "90000")), None),
        (((2000, "90000"), (1000, "90000"), (0, "90800")), None),
        ((), None),
    ],
)
@both_sides
def test_a_stop_that_does_nothing_while_mark_is_beyond_it(
    side: Side, readings: tuple[tuple[int, str], ...], seconds: str | None
) -> None:
    """At least two readings in a row, 2 s from first to last; one back inside begins anew."""
    long = side is Side.BUY
    mirrored = [(ago, price if long else str(181_600 - int(price))) for ago, price in readings]
    found = of(side, own("S1", side), marks=marks(*mirrored))
    at = "90380" if long else "91220"
    expected = [exit_of(side, "X1", "S-8", f"mark is beyond the stop {at} for {seconds} s")]
    assert sent(found) == (expected if seconds else [])


@pytest.mark.rule("O-4", "S-8", "S-3")
@pytest.mark.parametrize(
    ("side", "ratchet", "price", "closes"),
    [
        (Side.BUY, None, "90334.81", False),  # 5 bps from 90 380
        (Side.BUY, None, "90334.8", True),
        (Side.BUY, D("90600"), "90554.7", False),  # 5 bps from the stop as it was moved
        (Side.BUY, D("90600"), "90554.6", True),
        (Side.SELL, None, "91265.61", False),
        (Side.SELL, None, "91265.7", True),
        (Side.SELL, D("91000"), "91045.5", False),
        (Side.SELL, D("91000"), "91045.6", True),
    ],
)
def test_mark_is_beyond_by_more_than_five_basis_points(
    side: Side, ratchet: Decimal | None, price: str, closes: bool
) -> None:
    """Of the stop where it stands now, exactly five are not enough."""
    trade = trade_of(side, ratchet_price=ratchet)
    stop = own("S1", side, trigger_price=ratchet or trade.initial_stop)
    found = of(side, stop, trade=trade, marks=marks((3000, price), (0, price)))
    assert (sent(found) != []) is closes


@pytest.mark.rule("O-4", "S-6")
@pytest.mark.parametrize("code", WOULD_TRIGGER)
@both_sides
def test_a_stop_that_would_trigger_is_answered_with_an_exit(side: Side, code: int) -> None:
    """The newest refusal counts, and only while nothing covers."""
    refused = ended(own("S2", side), end_code=code)
    at = "90380" if side is Side.BUY else "91220"
    words = f"the stop at {at} would trigger immediately ({code})"
    expected = [exit_of(side, "X1", "S-6", words)]
    assert sent(of(side, ended(own("S1", side)), refused)) == expected
    assert sent(of(side, refused, ended(own("S1", side)))) == expected
    assert sent(of(side, refused, own("B1", side))) == []
    later = ended(own("S3", side), end_code=-1111)
    (command,) = sent(of(side, refused, later))
    assert isinstance(command, PlaceOrder)
    assert command.request.client_id == f"jm-{KEY}-S4"
    backstop = ended(own("B1", side), end_code=code)
    assert sent(of(side, backstop, own("S1", side))) == []


@pytest.mark.rule("O-4", "S-7")
@pytest.mark.parametrize(
    ("since_ms", "seconds"),
    [
        (NOW - 2999, None),
        (NOW - 3000, "3.0"),
        (NOW - 4260, "4.3"),
        (NOW - 60_000, "60.0"),
        (None, None),
    ],
)
@both_sides
def test_after_the_protect_deadline_it_is_closed(
    side: Side, since_ms: int | None, seconds: str | None
) -> None:
    """Three seconds without a confirmed stop; cover found in the meantime keeps it open."""
    found = of(side, ended(own("S1", side)), uncovered_ms=since_ms)
    command = exit_of(side, "X1", "S-7", f"no stop could be confirmed for {seconds} s")
    if seconds is None:
        (made,) = sent(found)
        assert isinstance(made, PlaceOrder)
        assert made.request.client_id == f"jm-{KEY}-S2"
    else:
        assert sent(found) == [command]
    assert sent(of(side, own("S1", side), uncovered_ms=since_ms)) == []


@pytest.mark.rule("O-4", "C-2")
def test_what_was_closing_keeps_its_own_reason() -> None:
    """Another reason that holds by now changes neither what is recorded nor what is told."""
    trade = trade_of(closing=CloseReason.OPPOSITE, closing_rule="C-2")
    mode = ladder.state("flatten", "asked for", NOW)
    plan = protect(of(Side.BUY, trade=trade, mode=mode, uncovered_ms=BEFORE), POLICY)
    assert plan.trade == trade
    command = exit_of(Side.BUY, "X1", "C-2", "closing already: opposite")
    assert [each.command for each in plan.commands] == [command]


# when it waits


@pytest.mark.rule("O-4", "S-8")
@pytest.mark.parametrize(("ago_ms", "goes"), [(499, False), (500, True)])
@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.OPEN, OrderState.ENDED])
def test_one_exit_in_half_a_second(state: OrderState, ago_ms: int, goes: bool) -> None:
    """Whatever became of the one before; however many there were, the next one may go."""
    trade = trade_of(closing=CloseReason.OPPOSITE, closing_rule="C-2")
    tried = [own(f"X{n}", state=state, journaled_ms=NOW - ago_ms) for n in range(1, 6)]
    found = of(Side.BUY, *tried, own("S1"), trade=trade)
    expected = exit_of(Side.BUY, "X6", "C-2", "closing already: opposite")
    assert sent(found) == ([expected] if goes else [])
    old = [replace(order, journaled_ms=BEFORE) for order in tried[1:]]
    newest_first = of(Side.BUY, tried[0], *old, own("S1"), trade=trade)
    assert sent(newest_first) == ([expected] if goes else [])


@pytest.mark.rule("O-4", "S-7")
@pytest.mark.parametrize(("ago_ms", "goes"), [(499, False), (500, True)])
def test_one_stop_in_half_a_second(ago_ms: int, goes: bool) -> None:
    """After a refused one as after one without an answer; an exit of a moment ago does not hold it up."""
    for state in (OrderState.ENDED, OrderState.UNKNOWN):
        tried = own("S1", state=state, journaled_ms=NOW - ago_ms)
        assert (sent(of(Side.BUY, tried, ended(own("X1", journaled_ms=NOW)))) != []) is goes


@pytest.mark.rule("O-4", "S-4")
@pytest.mark.parametrize(("count", "goes"), [(2, True), (3, False), (4, False)])
def test_three_stops_without_an_answer_are_enough(count: int, goes: bool) -> None:
    """They may all rest; ended ones and backstops do not count."""
    unknown = [own(f"S{n}", state=OrderState.UNKNOWN) for n in range(1, count + 1)]
    beside = (ended(own("S8")), ended(own("S9")), own("B1", state=OrderState.UNKNOWN))
    assert (sent(of(Side.BUY, *unknown, *beside)) != []) is goes


@pytest.mark.rule("O-4")
def test_the_position_may_be_known_from_its_event_alone() -> None:
    """After a restart nothing was read yet: what the stream tells is covered."""
    event = seen(position("0.013").value, source=Source.STREAM)
    found = world(trade=trade_of(), position=None, position_event=event)
    words = "no stop covers 0.013 at 90380 and the planner fails"
    assert sent(found) == [stop_of(Side.BUY, "S1", words)]
