"""A position nobody's trade explains, and orders of a lost journal: adopted, protected, never loosened (Y-1)."""

from dataclasses import replace

import pytest
from tests.worlds import (
    NOW,
    POLICY,
    D,
    Storyboard,
    cancels,
    codes,
    opened,
    places,
    roles,
    seen,
    world,
)

from jumar.model.account import PositionReport
from jumar.model.journal import SymbolMemory
from jumar.model.mode import Mode
from jumar.model.order import (
    Channel,
    OrderReport,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.policy import OrphanPolicy
from jumar.model.trade import CloseReason
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source, World
from jumar.planner.plan import plan
from jumar.planner.summary import summarize
from jumar.reconciler.state import SymbolState

LOST = "jm-abcdefghij"


def held(*position: str, **changes: object) -> World:
    """A position by quantity and entry price that no trade explains, all lists read, a lost journal."""
    quantity, entry = (*position, *("0.5", "90000")[len(position) :])
    report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(entry))
    given: dict[str, object] = {"position": seen(report), "journal_fresh": True, "decision": None}
    return world(**{**given, **changes})


def stop(
    name: str, trigger: str, quantity: str | None = "0.5", side: Side = Side.SELL
) -> OrderReport:
    """A resting stop as the conditional list tells it; without a quantity it is closePosition."""
    return report_of(
        name,
        side=side,
        type=OrderType.STOP_MARKET.value,
        quantity=None if quantity is None else D(quantity),
        trigger_price=D(trigger),
        reduce_only=True,
        close_position=quantity is None,
        working_type=WorkingType.MARK_PRICE.value,
    )


def report_of(name: str, **changes: object) -> OrderReport:
    """One line of a list."""
    base = OrderReport(
        symbol="BTCUSDT",
        channel=Channel.CONDITIONAL,
        client_id=name,
        venue_id=f"id of {name}",
        side=Side.SELL,
        type=OrderType.LIMIT.value,
        status=OrderStatus.NEW,
        quantity=D("0.5"),
        price=None,
        trigger_price=None,
        filled_quantity=ZERO,
        reduce_only=False,
        close_position=False,
        updated_ms=NOW - 5000,
        time_in_force=TimeInForce.GTC.value,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def entry_of(side: Side = Side.BUY, quantity: str = "0.013", filled: str = "0") -> OrderReport:
    """A resting entry of a lost journal."""
    return report_of(
        f"{LOST}-E1",
        channel=Channel.REGULAR,
        side=side,
        quantity=D(quantity),
        price=D("90786.6"),
        filled_quantity=D(filled),
        time_in_force=TimeInForce.GTX.value,
    )


def listed(*reports: OrderReport) -> dict[str, object]:
    """Both lists as just read."""
    regular = tuple(report for report in reports if report.channel is Channel.REGULAR)
    conditional = tuple(report for report in reports if report.channel is Channel.CONDITIONAL)
    return {"open_orders": seen(regular), "conditional_orders": seen(conditional)}


# a bare position


@pytest.mark.rule("Y-1", "P-1")
@pytest.mark.parametrize(
    ("quantity", "entry", "price"),
    [
        ("0.5", "90000", "89911.8"),  # 1 % from mark 90 820 is tighter than 1 % from the entry
        ("0.5", "91500", "90585"),  # 1 % from the entry is tighter
        ("0.5", "92000", "89911.8"),  # 1 % from the entry lies through the mark
        ("-0.5", "91500", "91728.2"),
        ("-0.5", "90000", "90900"),
        ("-0.5", "89000", "91728.2"),
        ("0.5", "0", "89911.8"),  # the venue states no entry price
    ],
)
def test_a_bare_position_gets_an_emergency_stop(quantity: str, entry: str, price: str) -> None:
    """1 % from mark or entry, whichever is tighter and not through the mark; backstop beside it; told once."""
    result = plan(held(quantity, entry), POLICY)
    assert roles(result) == ["+S", "+B"]
    working, backstop = (place.request for place in places(result))
    assert (working.trigger_price, working.quantity) == (D(price), D("0.5"))
    assert working.side is (Side.SELL if D(quantity) > 0 else Side.BUY)
    assert backstop.trigger_price == D(price) and backstop.close_position
    assert result.alarms[0].rule == "Y-1"
    assert result.trade is not None and result.trade.adopted_quantity == D("0.5")


@pytest.mark.rule("Y-1", "S-10")
@pytest.mark.parametrize(("quantity", "price"), [("0.5", "89911.8"), ("-0.5", "91728.3")])
def test_the_emergency_stop_is_on_the_tick_away_from_the_market(quantity: str, price: str) -> None:
    """90 820.05 less 1 % is 89 911.8495: down for a long; plus 1 %, up for a short."""
    result = plan(held(quantity, "0", mark=seen(D("90820.05"))), POLICY)
    assert places(result)[0].request.trigger_price == D(price)


@pytest.mark.rule("Y-1", "Y-5", "T-2")
def test_an_adopted_position_gets_no_entry_and_no_targets() -> None:
    """Nobody decided them; afterwards it is managed like any other."""
    story = Storyboard(world=held())
    assert story.run(4) == ["+S", "+B"]
    story.end(Role.STOP, OrderStatus.CANCELED)
    assert roles(story.tick()) == ["+S"]


@pytest.mark.rule("Y-1", "T-4")
def test_an_adopted_position_that_is_stopped_out_ends() -> None:
    """Its stop sells all: swept, ended, no mode, no adoption of what is no more."""
    story = Storyboard(world=held())
    story.run(2)
    story.later(5000).trigger(Role.STOP)
    story.fill(Role.STOP, "0.5", "89900")
    story.reads("0")
    story.world = replace(story.world, position_event=story.world.position)
    assert roles(story.tick()) == ["-B"]
    assert story.tick().trade is not None
    assert story.world.trade is None
    assert story.later(5000).tick().trade is None


@pytest.mark.rule("Y-1")
def test_the_policy_may_say_close() -> None:
    """orphan_policy = close: sold at market at once, told as Y-1: NO_ENTRIES for what a hand did, no emergency."""
    policy = replace(POLICY, orphan_policy=OrphanPolicy.CLOSE)
    result = plan(held(), policy)
    exits = [place for place in places(result) if place.request.role is Role.FULL_EXIT]
    assert [(place.request.quantity, place.cause.rule) for place in exits] == [(D("0.5"), "Y-1")]
    assert result.trade is not None and result.trade.closing is CloseReason.ORPHAN
    assert result.mode is not None
    assert (result.mode.mode, result.mode.rule) == (Mode.NO_ENTRIES, "Y-1")


@pytest.mark.rule("Y-1", "G-12")
def test_a_decision_does_not_enter_beside_what_was_adopted() -> None:
    """The decision in force is long, as the position is: nothing is added to it."""
    story = Storyboard(world=replace(held(), decision=world().decision))
    assert "+E" not in story.run(5)


# what must be known first


@pytest.mark.rule("Y-1", "Y-9")
@pytest.mark.parametrize("part", ["open_orders", "conditional_orders", "mark"])
def test_lists_and_mark_are_waited_for_a_while(part: str) -> None:
    """Two seconds from when the position was first read; then it is protected without them (P-1)."""
    early = held(position_since_ms=NOW - 1999, **{part: None})
    assert plan(early, POLICY).trade is None
    late = held(position_since_ms=NOW - 2000, **{part: None})
    assert roles(plan(late, POLICY)) == ["+S", "+B"]


@pytest.mark.rule("Y-1", "W-3")
def test_without_filters_no_valid_stop_can_be_placed() -> None:
    """A trigger off the tick would be refused for ever: the filters are waited for."""
    result = plan(held(instrument=None, position_since_ms=NOW - 60_000), POLICY)
    assert result.trade is None and places(result) == []


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize(("after_ms", "adopted"), [(-100, False), (1999, False), (2000, True)])
def test_a_read_that_may_be_older_than_the_last_end_is_not_adopted(
    after_ms: int, adopted: bool
) -> None:
    """Only a read requested 2 s or more after the last trade's last fill."""
    found = held(last_end_ms=NOW - 3000)
    assert found.position is not None
    position = replace(found.position, at_ms=NOW - 3000 + after_ms)
    result = plan(replace(found, position=position), POLICY)
    assert (result.trade is not None) is adopted


@pytest.mark.rule("Y-1", "Y-11", "W-1")
@pytest.mark.parametrize(("after_ms", "adopted"), [(0, False), (1, True)])
def test_an_event_of_its_own_time_may_be_younger(after_ms: int, adopted: bool) -> None:
    """An ACCOUNT_UPDATE after the last fill tells of something new; the one of that fill does not."""
    found = held("0", last_end_ms=NOW - 1000)
    held_now = PositionReport(symbol="BTCUSDT", quantity=D("0.5"), entry_price=D(90000))
    event = Observed(value=held_now, at_ms=NOW - 1000 + after_ms, source=Source.STREAM)
    assert found.position is not None
    read = replace(found.position, at_ms=NOW - 1500)
    result = plan(replace(found, position=read, position_event=event), POLICY)
    assert (result.trade is not None) is adopted


ENDED = NOW - 10_000


def late_list(read_ms: int, since_ms: int | None, event_ms: int = ENDED, told: str = "0") -> World:
    """A list shows 0.5; the event that ended the last trade says something else. Times are after that end."""
    found = held(last_end_ms=ENDED)
    assert found.position is not None
    event = PositionReport(symbol="BTCUSDT", quantity=D(told), entry_price=D(90000))
    return replace(
        found,
        position=replace(found.position, at_ms=ENDED + read_ms),
        position_since_ms=None if since_ms is None else ENDED + since_ms,
        position_event=Observed(value=event, at_ms=event_ms, source=Source.STREAM),
    )


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize(
    ("read_ms", "since_ms", "adopted"),
    [
        (2500, 2500, False),
        (4499, 2500, False),
        (4500, 2500, True),
        (3999, -5000, False),
        (4000, -5000, True),
    ],
    ids=["one read", "too close", "apart", "too close to the margin", "apart from the margin"],
)
def test_a_list_that_the_event_of_the_end_denies_may_be_late(
    read_ms: int, since_ms: int, adopted: bool
) -> None:
    """The event says zero, a later list still shows a position: only two reads 2 s apart are believed.

    Both must be past the margin of the end: what was read before it may be the trade's own position.
    """
    result = plan(late_list(read_ms, since_ms), POLICY)
    assert (result.trade is not None) is adopted


@pytest.mark.rule("Y-1", "Y-11")
def test_time_alone_does_not_make_a_late_list_true() -> None:
    """One read, however old it grows: nothing is adopted, and nothing is placed against it."""
    once = late_list(2500, 2500)
    for seconds in range(1, 8):
        result = plan(replace(once, now_ms=NOW + seconds * 1000), POLICY)
        assert (result.trade, places(result)) == (None, [])


@pytest.mark.rule("Y-1", "P-1")
@pytest.mark.parametrize(
    ("event_ms", "told"),
    [(ENDED - 1, "0"), (ENDED + 1, "0.5")],
    ids=["older than the end", "of the same position"],
)
def test_an_event_that_denies_nothing_delays_no_adoption(event_ms: int, told: str) -> None:
    """One from before the end, or one that shows the position itself: the first read past the margin is believed."""
    result = plan(late_list(2500, 2500, event_ms, told), POLICY)
    assert result.trade is not None and "+S" in roles(result)


@pytest.mark.rule("Y-1", "P-1")
def test_a_newer_event_ends_the_doubt() -> None:
    """The list was right: an event after it shows the position, and it is protected at once."""
    result = plan(late_list(2500, 2500, ENDED + 2600, "0.5"), POLICY)
    assert result.trade is not None and result.trade.adopted_quantity == D("0.5")


@pytest.mark.rule("Y-1")
def test_no_read_no_adoption() -> None:
    """An event alone, before the first read, adopts nothing."""
    event = seen(PositionReport(symbol="BTCUSDT", quantity=D("0.5"), entry_price=D(90000)))
    assert plan(held(position=None, position_event=event), POLICY).trade is None


# stops that rest already


@pytest.mark.rule("Y-1", "P-2", "X-7")
@pytest.mark.parametrize("side", list(Side))
def test_our_stops_of_a_lost_journal_are_kept(side: Side) -> None:
    """Working stop and backstop are adopted as they are: nothing is placed, moved or cancelled."""
    quantity = "0.5" if side is Side.BUY else "-0.5"
    tight, wide = ("90500", "90300") if side is Side.BUY else ("91200", "91400")
    stops = (
        stop(f"{LOST}-S2", tight, side=side.opposite),
        stop(f"{LOST}-B1", wide, None, side=side.opposite),
    )
    story = Storyboard(world=held(quantity, **listed(*stops)))
    first = story.tick()
    assert roles(first) == []
    assert [order.client_id for order in first.adopted] == [f"{LOST}-B1", f"{LOST}-S2"]
    assert story.trade.ratchet_price == D(tight)
    assert story.trade.initial_stop == D(wide)
    assert story.run(3) == []


@pytest.mark.rule("Y-1", "S-7", "P-2")
def test_a_lost_stop_of_an_adopted_position_comes_back_at_its_price() -> None:
    """The ratchet price was adopted with the stop."""
    story = Storyboard(world=held(**listed(stop(f"{LOST}-S1", "90500"))))
    story.run(2)
    story.end(Role.STOP, OrderStatus.CANCELED)
    assert places(story.tick())[0].request.trigger_price == D("90500")


@pytest.mark.rule("Y-1", "Y-7")
@pytest.mark.parametrize("quantity", ["0.5", "0.7", None])
def test_a_foreign_full_size_stop_is_never_undercut(quantity: str | None) -> None:
    """It is left alone; our working stop rests at its price, not at the looser 1 %."""
    story = Storyboard(world=held(**listed(stop("by hand", "90500", quantity))))
    first = story.tick()
    working = next(p.request for p in places(first) if p.request.role is Role.STOP)
    assert working.trigger_price == D("90500")
    assert cancels(first) == [] and first.adopted == ()


@pytest.mark.rule("Y-1", "P-2")
def test_the_tightest_full_size_stop_counts_whoever_placed_it() -> None:
    """Our backstop lies wide, a person's stop tight: the working stop rests at the tight one."""
    found = held(**listed(stop(f"{LOST}-B1", "89000", None), stop("by hand", "90500")))
    working = next(p.request for p in places(plan(found, POLICY)) if p.request.role is Role.STOP)
    assert working.trigger_price == D("90500")


@pytest.mark.rule("Y-1")
@pytest.mark.parametrize(
    "found",
    [
        stop("by hand", "90500", "0.499"),
        stop("by hand", "90500", side=Side.BUY),
        replace(stop("by hand", "90500"), reduce_only=False),
        replace(stop("by hand", "91500"), type="TAKE_PROFIT_MARKET"),
    ],
    ids=["too small", "other side", "could reverse", "a target"],
)
def test_what_does_not_cover_the_position_is_no_stop(found: OrderReport) -> None:
    """A part, the other side, an order that is not reduce-only, a target: the emergency stop comes all the same."""
    result = plan(held(**listed(found)), POLICY)
    assert places(result)[0].request.trigger_price == D("89911.8")


@pytest.mark.rule("Y-1", "S-4", "S-3", "Y-4")
def test_a_stop_of_ours_too_small_is_replaced_before_it_goes() -> None:
    """A person added to the position while the journal was lost: one of the whole size first, no looser."""
    small = stop(f"{LOST}-S1", "90500", "0.2")
    story = Storyboard(world=held(**listed(small)))
    first = story.tick()
    working = next(p.request for p in places(first) if p.request.role is Role.STOP)
    assert working.quantity == D("0.5")
    assert working.trigger_price is not None and working.trigger_price >= D("89911.8")
    assert cancels(first) == []
    assert [c.client_id for c in cancels(story.tick())] == [f"{LOST}-S1"]


# orders of a lost journal


@pytest.mark.rule("Y-1", "X-7", "P-4")
def test_an_entry_of_a_lost_journal_is_cancelled() -> None:
    """The position is covered including what the entry may add, and the entry goes in the same plan."""
    found = held("0.004", "90786.6", **listed(entry_of(filled="0.004")))
    result = plan(found, POLICY)
    assert roles(result) == ["-E", "+S", "+B"]
    working = next(p.request for p in places(result) if p.request.role is Role.STOP)
    assert working.quantity == D("0.013")


@pytest.mark.rule("X-7", "Y-1")
def test_an_entry_that_was_listed_late_is_cancelled_all_the_same() -> None:
    """The order list could not be read in time: the position was adopted without it."""
    story = Storyboard(world=held("0.004", open_orders=None, position_since_ms=NOW - 5000))
    assert story.run(2) == ["+S", "+B"]
    story.later(1000).lists(entry_of(filled="0.004"))
    late = story.tick()
    assert [order.client_id for order in late.adopted] == [f"{LOST}-E1"]
    assert roles(late) == ["-E", "+S"]
    assert places(late)[0].request.quantity == D("0.013")


@pytest.mark.rule("Y-1", "X-9")
def test_orders_without_a_position_are_swept() -> None:
    """Armed stop and entry of a lost journal, nothing held: both are cancelled by id and nothing is placed."""
    armed = stop(f"{LOST}-S1", "90380", "0.013")
    story = Storyboard(world=held("0", "0", **listed(entry_of(), armed)))
    assert story.run(2) == ["-E", "-S"]
    story.tick()
    assert story.world.trade is None


@pytest.mark.rule("Y-1", "X-7")
def test_orders_with_our_prefix_are_a_foreign_writers_where_the_journal_is_whole() -> None:
    """They are not adopted and not cancelled; a position beside them is."""
    armed = stop(f"{LOST}-S1", "90500")
    alone = plan(held("0", "0", journal_fresh=False, **listed(entry_of(), armed)), POLICY)
    assert (alone.trade, alone.commands) == (None, ())
    beside = plan(held(journal_fresh=False, **listed(armed)), POLICY)
    assert beside.trade is not None and beside.adopted == () and cancels(beside) == []


@pytest.mark.rule("Y-1", "Y-6")
def test_strays_of_the_journal_are_adopted_with_their_position() -> None:
    """A stop that the journal knows, of no open trade: it protects what was found."""
    story = opened()
    stray = story.alive()["S1"]
    report = replace(story.listed("S1"), quantity=D("0.5"))
    found = held(journal_fresh=False, strays=(stray,), **listed(report))
    result = plan(found, POLICY)
    assert [order.client_id for order in result.adopted] == [stray.client_id]
    assert "+S" not in roles(result) and "-S" not in roles(result)


@pytest.mark.rule("Y-1", "P-5")
def test_an_order_of_the_other_side_is_not_taken_for_cover() -> None:
    """A stop that would buy does not protect a long: it is not adopted, the emergency stop comes."""
    other = stop(f"{LOST}-S1", "91500", side=Side.BUY)
    result = plan(held(**listed(other)), POLICY)
    assert result.adopted == ()
    assert roles(result) == ["+S", "+B"]


@pytest.mark.rule("Y-1")
def test_orders_that_are_not_what_their_name_says_are_nobodys() -> None:
    """An entry that only reduces, an unknown type: nothing can be made of them, and nothing is, again and again."""
    odd = replace(entry_of(), reduce_only=True)
    strange = replace(stop(f"{LOST}-S1", "90000"), type="TRAILING_STOP_MARKET")
    assert plan(held("0", "0", **listed(odd, strange)), POLICY).trade is None


@pytest.mark.rule("Y-1", "X-1")
def test_names_of_several_lives_are_counted_anew() -> None:
    """Two S1 of two lost trades get attempts of their own; the next stop has the next number."""
    stops = (stop(f"{LOST}-S1", "90500"), stop("jm-klmnopqrst-S1", "90400"))
    story = Storyboard(world=held(**listed(*stops)))
    first = story.tick()
    assert [order.attempt for order in first.adopted] == [1, 2]
    story.end(Role.STOP, OrderStatus.CANCELED)
    restored = next(p for p in places(story.tick()) if p.request.role is Role.STOP)
    assert restored.attempt == 3


@pytest.mark.rule("Y-1", "P-4")
def test_an_adopted_entry_that_had_filled_has_traded() -> None:
    """Its executions lie before the adoption: the end of the trade is remembered, so that no old read is adopted."""
    story = Storyboard(world=held("0.013", "90786.6", **listed(entry_of(filled="0.013"))))
    story.run(2)
    story.later(5000).trigger(Role.STOP)
    story.fill(Role.STOP, "0.013", "89900")
    story.reads("0")
    story.world = replace(story.world, position_event=story.world.position)
    seen_last = story.tick()
    assert seen_last.trade is not None
    summary = summarize(story.world, seen_last.trade)
    assert summary is not None and summary.quantity == D("0.013")


# the engine's own memory around it


def state_after(
    orders: tuple[OwnOrder, ...], key: str, filled_ms: int | None, lists: World
) -> SymbolState:
    """The state after a trade has ended."""
    memory = SymbolMemory(symbol="BTCUSDT", orders=orders)
    state = SymbolState(account="main", store_id="store", memory=memory, journal_fresh=True)
    state.open_orders, state.conditional_orders = lists.open_orders, lists.conditional_orders
    state.end_trade(key, filled_ms=filled_ms, ended_ms=NOW)
    return state


@pytest.mark.rule("Y-1", "X-9")
def test_a_list_from_before_the_end_of_a_trade_adopts_nothing() -> None:
    """Swept orders still stand in it: what is left is only told by the next list."""
    state = state_after((), "abcdefghij", NOW, held(**listed(entry_of())))
    assert (state.open_orders, state.conditional_orders) == (None, None)


@pytest.mark.rule("X-1")
def test_attempts_of_an_unfilled_set_up_survive_an_adopted_trade() -> None:
    """The decision may arm again afterwards: its next stop must not have the id of the first one."""
    story = Storyboard(world=world())
    story.tick()
    story.end(Role.STOP, OrderStatus.CANCELED)
    (armed,) = story.journal.values()
    state = state_after((armed,), "another", NOW, world())
    assert armed.client_id in state.orders
    again = plan(replace(world(), orders=tuple(state.orders.values())), POLICY)
    assert places(again)[0].attempt == 2


@pytest.mark.rule("Y-1", "G-15")
def test_what_was_never_adoptable_still_refuses_entries() -> None:
    """Until it may be adopted a position of nobody's is `foreign_position`."""
    found = held(last_end_ms=NOW - 500, journal_fresh=False)
    result = plan(replace(found, decision=world().decision), POLICY)
    assert codes(result) == ["foreign_position"]
