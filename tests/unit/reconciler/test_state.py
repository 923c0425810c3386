"""What one symbol's loop remembers: bounded, counted once, and never contradicting what the store holds."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.worlds import NOW, POLICY, D, decision

from jumar.model.account import PositionReport
from jumar.model.journal import EventSeen, OrderChanged, Snapshot, SymbolMemory
from jumar.model.order import (
    Channel,
    Fill,
    OrderReport,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
)
from jumar.model.policy import Policy
from jumar.model.standing import VenueBudget
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import Observed, Source
from jumar.ports.exchange import OrderEvent, PositionEvent, StreamEvent
from jumar.reconciler.executions import LOOSE_FILL_GRACE_MS
from jumar.reconciler.observe import Observer
from jumar.reconciler.pace import Pace
from jumar.reconciler.prices import MARKS_KEPT_MS
from jumar.reconciler.state import MUTE_MS, SymbolState

HAND = "web_1"


class Now:
    """A clock that stands still."""

    def now_ms(self) -> int:
        """The same moment."""
        return NOW


def reads(one: SymbolState, policy: Policy = POLICY) -> Observer:
    """What would be read; nothing is."""
    nothing = cast(Any, None)
    clock = cast(Any, Now())
    shared = cast(Any, SimpleNamespace(pace=Pace(VenueBudget)))
    return Observer(state=one, policy=policy, exchange=nothing, shared=shared, clock=clock)


def state() -> SymbolState:
    """What a start with an empty journal knows."""
    return SymbolState(
        account="main", store_id="s", memory=SymbolMemory(symbol="BTCUSDT"), journal_fresh=True
    )


def adopted(at_ms: int = NOW) -> Trade:
    """A long of 0.010 that was found."""
    return Trade(
        key="abcdefghij",
        symbol="BTCUSDT",
        side=Side.BUY,
        decision=decision(),
        planned_quantity=D(0),
        limit_price=D(90800),
        initial_stop=D(89900),
        tp1=D(0),
        tp2=None,
        armed_ms=at_ms,
        adopted_price=D(90800),
        adopted_quantity=D("0.010"),
    )


def stop(client_id: str = "jm-abcdefghij-S1") -> OwnOrder:
    """A working stop that rests."""
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id,
        role=Role.STOP,
        side=Side.SELL,
        type=OrderType.STOP_MARKET,
        quantity=D("0.010"),
        trigger_price=D(89900),
        reduce_only=True,
    )
    return OwnOrder(
        trade_key="abcdefghij",
        attempt=1,
        request=request,
        rule="Y-1",
        cause="found",
        journaled_ms=NOW,
        state=OrderState.OPEN,
        acked_ms=NOW,
    )


def fill(trade_id: int, at_ms: int, *, side: Side = Side.BUY, quantity: str = "0.010") -> Fill:
    """An execution by a hand."""
    return Fill(
        symbol="BTCUSDT",
        trade_id=trade_id,
        venue_order_id="77",
        client_id=HAND,
        side=side,
        price=D(90800),
        quantity=D(quantity),
        maker=False,
        fee=D(0),
        fee_asset="USDT",
        realized_pnl=D(0),
        time_ms=at_ms,
    )


def listed(order: OwnOrder, status: OrderStatus = OrderStatus.NEW) -> OrderReport:
    """The order as a list tells it."""
    request = order.request
    return OrderReport(
        symbol=request.symbol,
        channel=Channel.CONDITIONAL,
        client_id=order.client_id,
        venue_id="9",
        side=request.side,
        type=request.type,
        status=status,
        quantity=request.quantity,
        price=None,
        trigger_price=request.trigger_price,
        filled_quantity=D(0),
        reduce_only=True,
        close_position=False,
        updated_ms=NOW,
    )


def position(quantity: str, at_ms: int) -> Observed[PositionReport]:
    """A position read."""
    report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(90800))
    return Observed(value=report, at_ms=at_ms, source=Source.REST)


@pytest.mark.rule("X-6", "Y-1")
def test_the_execution_that_made_an_adopted_position_is_not_counted_again() -> None:
    """Adopted by its event, of the execution's own time: a later read of executions does not double it."""
    one = state()
    one.set_trade(adopted())
    one.saw_fill(fill(1, NOW))
    one.saw_fill(fill(2, NOW + 1, quantity="0.002"))
    later = one.world(NOW + LOOSE_FILL_GRACE_MS + 2)
    assert [each.trade_id for each in later.fills] == [2]


@pytest.mark.rule("X-6")
def test_executions_from_before_the_trade_are_not_kept() -> None:
    """A week of executions is read for an adopted entry: only its own are remembered."""
    one = state()
    one.set_trade(adopted())
    for n in range(500):
        one.saw_fill(fill(n, NOW - 10_000 + n))
    assert one.executions.loose == {}


@pytest.mark.rule("X-6", "Y-1")
def test_what_an_adopted_entry_had_filled_is_read_until_it_is_known_and_no_longer() -> None:
    """Its executions are older than the adoption: they are asked for, counted as the entry's, and then all is told."""
    one = state()
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id="jm-zzzzzzzzzz-E1",
        role=Role.ENTRY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=D("0.013"),
        price=D(90800),
    )
    entry = replace(stop(), request=request, filled_quantity=D("0.004"), updated_ms=NOW - 60_000)
    one.set_trade(replace(adopted(), adopted_quantity=D("0.006")))
    one.adopt(entry, NOW)
    one.saw_position(position("0.010", NOW + 2000))
    due = reads(one)._missing_fills(NOW + 3000)
    assert [name for name, _ in due] == ["fills"]
    own = replace(fill(7, NOW - 3_600_000, quantity="0.004"), client_id=entry.client_id)
    one.saw_fill(own)
    assert reads(one)._missing_fills(NOW + 5000) == []


@pytest.mark.rule("S-8", "W-4")
def test_a_halted_venue_is_not_read_in_the_exits_rhythm() -> None:
    """While exits are tried everything is read four times a second; not after an answer that says to wait."""
    one = state()
    one.ready = True
    one.streaming = True
    one.set_trade(replace(adopted(), closing=CloseReason.EMERGENCY, closing_rule="S-7"))
    request = replace(stop().request, role=Role.FULL_EXIT, client_id="jm-abcdefghij-X1")
    tried = replace(stop(), request=request, state=OrderState.ENDED, end_code=-2022)
    one.orders[tried.client_id] = tried
    quick = reads(one)._interval_ms(entry_wanted=False)
    one.orders[tried.client_id] = replace(tried, end_code=-1003)
    waiting = reads(one)._interval_ms(entry_wanted=False)
    assert (quick, waiting) == (250, 1000)


@pytest.mark.rule("Y-1", "Y-3")
def test_a_position_without_a_trade_is_read_for_every_tick() -> None:
    """Idle is 30 s; as long as the newest word says that something is held, it is asked for every tick."""
    one = state()
    one.ready = True
    one.streaming = True
    one.saw_position(position("0", NOW))
    idle = reads(one)._interval_ms(entry_wanted=False)
    report = PositionReport(symbol="BTCUSDT", quantity=D("-0.010"), entry_price=D(90800))
    one.apply(PositionEvent(report=report, at_ms=NOW + 5), NOW + 10)
    found = reads(one)._interval_ms(entry_wanted=False)
    one.saw_position(position("0", NOW + 1000))
    after = reads(one)._interval_ms(entry_wanted=False)
    assert (idle, found, after) == (30_000, 1000, 30_000)


@pytest.mark.rule("X-6")
def test_an_execution_without_an_order_waits_for_its_owner() -> None:
    """A fill that came before its order's report is nobody's for a second, then the order's, counted once."""
    one = state()
    one.set_trade(adopted())
    early = replace(fill(1, NOW + 5, side=Side.SELL), client_id=None, venue_order_id="child")
    one.saw_fill(early)
    assert one.world(NOW + 10).fills == ()
    one.put(replace(stop(), child_venue_id="child"), NOW + 20)
    one.saw_fill(early)
    assert [each.client_id for each in one.world(NOW + 20).fills] == ["jm-abcdefghij-S1"]
    assert one.executions.loose == {}


def test_an_adopted_order_does_not_make_the_stream_mute() -> None:
    """It rested before: that no event tells of it for hours does not have everything read every tick."""
    one = state()
    one.apply(StreamEvent(connected=True, at_ms=NOW - 1000, reason="connected"), NOW - 1000)
    one.set_trade(adopted())
    one.adopt(stop(), NOW)
    assert not one.is_mute(NOW + MUTE_MS + 1)


def test_an_own_order_without_its_event_makes_the_stream_mute() -> None:
    """The same order, placed by us and accepted, whose event never came."""
    one = state()
    one.apply(StreamEvent(connected=True, at_ms=NOW - 1000, reason="connected"), NOW - 1000)
    one.put(stop(), NOW)
    assert one.is_mute(NOW + MUTE_MS + 1)
    one.apply(OrderEvent(report=listed(stop()), at_ms=NOW), NOW)
    assert not one.is_mute(NOW + MUTE_MS + 1)


@pytest.mark.rule("M-4")
def test_pictures_do_not_pile_up_while_the_store_is_away() -> None:
    """Of many pictures that could not be written only the newest is kept, in its place; every event is kept."""
    one = state()
    for n in range(100):
        one.outbox.add(Snapshot(symbol="BTCUSDT", content=str(n), at_ms=NOW + n))
        one.note("Y-9", f"note {n}", NOW + n)
        one.outbox.give_back(one.outbox.take())
    kept = one.outbox.take()
    assert [r.content for r in kept if isinstance(r, Snapshot)] == ["99"]
    assert len([r for r in kept if isinstance(r, EventSeen)]) == 100


def test_of_an_orders_states_only_the_newest_is_written() -> None:
    """Two changes between two writes are one record: the later."""
    one = state()
    one.put(stop(), NOW)
    one.put(replace(stop(), cancel_sent_ms=NOW + 1), NOW + 1)
    changed = [r.order for r in one.outbox.take() if isinstance(r, OrderChanged)]
    assert [order.cancel_sent_ms for order in changed] == [NOW + 1]


@pytest.mark.rule("S-8")
def test_marks_are_kept_for_seconds_whatever_their_order() -> None:
    """A day of mark prices leaves ten seconds of them, by their own time, the newest last and in force."""
    one = state()
    for n in range(2000):
        one.prices.saw_mark(Observed(value=D(n), at_ms=NOW + n * 100, source=Source.STREAM))
    one.prices.saw_mark(Observed(value=D(1), at_ms=NOW, source=Source.REST))
    newest = NOW + 1999 * 100
    assert [mark.at_ms for mark in one.prices.marks] == list(
        range(newest - MARKS_KEPT_MS + 100, newest + 1, 100)
    )
    assert one.prices.mark == one.prices.marks[-1]


@pytest.mark.rule("S-13")
def test_lists_that_lack_a_stop_are_two_times_and_no_more() -> None:
    """Absent from a thousand lists: the first and the last time are kept; one list that has it forgets both."""
    one = state()
    one.put(stop(), NOW)
    for n in range(1000):
        one.saw_list(Channel.CONDITIONAL, (), NOW + 1000 + n * 500, NOW + 1000 + n * 500)
    name = stop().client_id
    forgotten = one.orders[name]
    assert (len(forgotten.unlisted), forgotten.invisible) == (2, True)
    one.saw_list(Channel.CONDITIONAL, (listed(stop()),), NOW + 600_000, NOW + 600_000)
    found = one.orders[name]
    assert (found.unlisted, found.invisible) == ((), False)


@pytest.mark.rule("S-13")
def test_one_list_that_lacks_a_stop_is_not_enough() -> None:
    """Not before 2 s after its acknowledgement, and not twice within 2 s."""
    one = state()
    one.put(stop(), NOW)
    looks = []
    for after in (500, 1999, 2000, 3999, 4000):
        one.saw_list(Channel.CONDITIONAL, (), NOW + after, NOW + after)
        looks.append(one.orders[stop().client_id].invisible)
    assert looks == [False, False, False, False, True]


@pytest.mark.rule("S-7")
def test_the_deadline_counts_only_while_the_venue_can_be_reached() -> None:
    """Uncovered since the first look that could read the position; forgotten while nothing can be read."""
    one = state()
    counted: list[int | None] = []

    def look(after_ms: int, *, uncovered: bool = True) -> None:
        one.saw_cover(uncovered=uncovered, now_ms=NOW + after_ms)
        counted.append(one.uncovered_ms)

    look(0)
    one.saw_position(position("0.010", NOW))
    look(10)
    look(2000)
    look(3001)
    one.saw_position(position("0.010", NOW + 9000))
    look(9100)
    look(9200, uncovered=False)
    assert counted == [None, NOW + 10, NOW + 10, None, NOW + 9100, None]


@pytest.mark.rule("W-1", "Y-2")
def test_a_late_position_answer_takes_nothing_back() -> None:
    """Asked before the newest read: neither its value nor the beginning of the unbroken run is changed."""
    one = state()
    one.saw_position(position("0", NOW))
    one.saw_position(position("0", NOW + 2000))
    one.saw_position(position("0.010", NOW + 1000))
    assert one.position is not None
    assert one.position.value.quantity == 0
    assert one.position_since_ms == NOW


@pytest.mark.rule("Y-2", "Y-3")
@pytest.mark.parametrize(
    ("held", "asked"), [("0.010", False), ("0.002", False), ("0", True), ("-0.003", True)]
)
def test_liquidations_are_asked_for_where_nothing_of_the_trades_side_is_held(
    held: str, asked: bool
) -> None:
    """Gone, or on the other side: both need the question for their proof of flat."""
    one = state()
    one.set_trade(adopted())
    one.saw_position(position(held, NOW))
    assert reads(one)._may_be_forced(NOW + 1) is asked


@pytest.mark.rule("Y-2", "Y-11")
@pytest.mark.parametrize("margin_s", [2, 5])
def test_liquidations_are_asked_for_until_they_count_for_the_proof_of_flat(margin_s: int) -> None:
    """The margin after the last fill counts, not the first empty read: a clock that was behind put that one before it."""
    one = state()
    policy = replace(POLICY, flat_margin_s=margin_s)
    one.set_trade(adopted())
    one.saw_fill(fill(1, NOW + 2000))
    one.saw_position(position("0", NOW + 1000))
    counts_from = NOW + 2000 + margin_s * 1000
    told = []
    for asked_ms in (counts_from - 1, counts_from, NOW + 60_000):
        one.executions.saw_forced((), asked_ms)
        told.append(reads(one, policy)._may_be_forced(asked_ms + 1))
    assert told == [True, False, False]


@pytest.mark.rule("Y-3", "W-2")
def test_the_end_of_the_trade_before_is_nobodys_hand() -> None:
    """Armed by a clock that was behind: an execution of the trade that ended is not taken for somebody's addition."""
    one = state()
    one.set_trade(adopted())
    one.end_trade(adopted().key, filled_ms=NOW + 1500, ended_ms=NOW + 1600)
    one.set_trade(replace(adopted(), key="bbbbbbbbbb", armed_ms=NOW + 100))
    one.saw_fill(fill(1, NOW + 1500))
    one.saw_fill(fill(2, NOW + 1501, quantity="0.002"))
    assert [each.trade_id for each in one.world(NOW + 9000).fills] == [2]


@pytest.mark.rule("Y-12")
def test_entries_of_the_history_are_compared_with_the_journal() -> None:
    """An entry that the journal knows spends nothing; one that it does not know says that it was replaced."""
    known, lost = "jm-abcdefghij-E1", "jm-zzzzzzzzzz-E1"
    memory = SymbolMemory(symbol="BTCUSDT", entry_ids=frozenset({known}))
    one = SymbolState(account="main", store_id="s", memory=memory)
    report = replace(listed(stop()), channel=Channel.REGULAR)
    one.saw_history([replace(report, client_id=known), replace(report, client_id="web_77")])
    told = [(one.history_read, one.journal_fresh, one.entries_through_ms)]
    one.saw_history([replace(report, client_id=lost, updated_ms=NOW - 5)])
    told.append((one.history_read, one.journal_fresh, one.entries_through_ms))
    assert told == [(True, False, None), (True, True, NOW - 5)]


@pytest.mark.rule("X-9", "Y-1")
def test_an_ended_trade_leaves_nothing_that_could_be_taken_for_another() -> None:
    """Fills, loose executions and lists go with it; an order that is not proven ended stays as a stray."""
    one = state()
    one.set_trade(adopted())
    one.put(stop(), NOW)
    ended = replace(stop("jm-abcdefghij-S2"), attempt=2, state=OrderState.ENDED)
    one.put(ended, NOW)
    one.saw_fill(fill(1, NOW + 1))
    one.saw_list(Channel.CONDITIONAL, (listed(stop()),), NOW, NOW)
    one.end_trade("abcdefghij", filled_ms=NOW + 1, ended_ms=NOW + 2)
    left = one.world(NOW + 5000)
    assert left.trade is None
    assert (left.fills, left.conditional_orders, one.executions.loose) == ((), None, {})
    assert [order.client_id for order in left.strays] == [stop().client_id]
    assert left.last_end_ms == NOW + 1
    one.saw_list(Channel.CONDITIONAL, (listed(ended),), NOW + 1, NOW + 10)
    assert one.world(NOW + 5000).conditional_orders is None, (
        "asked before the end, answered after it"
    )
    one.saw_list(Channel.CONDITIONAL, (), NOW + 2, NOW + 10)
    assert one.world(NOW + 5000).conditional_orders is not None


@pytest.mark.rule("W-1")
def test_an_older_position_event_is_not_news() -> None:
    """Two events out of order: the newer by its transaction time stays."""
    one = state()
    for quantity, at_ms in (("0.010", NOW + 5), ("0", NOW)):
        report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(90800))
        one.apply(PositionEvent(report=report, at_ms=at_ms), NOW + 10)
    assert one.position_event is not None
    assert one.position_event.value.quantity == D("0.010")
