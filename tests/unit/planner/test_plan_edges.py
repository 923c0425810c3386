"""The one page put together: what a whole plan holds at each turn of a trade's life, beside the commands."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, held, lot, own, position, trade_of
from tests.unit.planner.test_adopt import LOST, entry_of, listed, stop
from tests.unit.planner.test_adopt import held as found_held
from tests.unit.planner.test_passing import stranger
from tests.worlds import NOW, POLICY, D, decision, roles, seen, world

from jumar.model.account import AccountSettings, MarginMode, SymbolSettings
from jumar.model.command import Alarm, CancelOrder, Cause, PlaceOrder, Plan
from jumar.model.decision import Action
from jumar.model.ids import client_id, trade_key
from jumar.model.levels import BoundZone
from jumar.model.mode import Health, Mode
from jumar.model.order import OrderState, OrderStatus, OwnOrder, Role, Side
from jumar.model.policy import ForeignOrders, OnOpposite
from jumar.model.trade import CloseReason
from jumar.model.world import DecisionState, Source, World
from jumar.planner import ladder
from jumar.planner.adopt import adoption, latecomers, with_latecomers
from jumar.planner.modes import passing
from jumar.planner.plan import plan

both_sides = pytest.mark.parametrize("side", list(Side))
WHOLE: dict[str, Any] = {"quantity": None, "reduce_only": False, "close_position": True}
ASKED = ladder.state("flatten", "asked for by 1 person", NOW)
ALL_FILLED = Cause(rule="E-8", text="the planned 0.013 have filled")
FLAT = Cause(rule="Y-11", text="fills sum to zero and the position is read as zero")


def names(result: Plan) -> list[str]:
    """The client ids of a plan's placements and cancels, in their order."""
    commands = [approved.command for approved in result.commands]
    placed = [each.request.client_id for each in commands if isinstance(each, PlaceOrder)]
    return placed + [each.client_id for each in commands if isinstance(each, CancelOrder)]


def causes(result: Plan) -> list[tuple[str, str]]:
    """Rule and words of every command."""
    return [(each.command.cause.rule, each.command.cause.text) for each in result.commands]


def complete(side: Side = Side.BUY) -> tuple[OwnOrder, ...]:
    """Stop, backstop and both targets of the filled example."""
    second = D(92900) if side is Side.BUY else D(88700)
    return (
        own("S1", side),
        own("B1", side, **WHOLE),
        own("P1", side, quantity=D("0.006")),
        own("Q1", side, quantity=D("0.007"), trigger_price=second),
    )


def short_world(side: Side) -> dict[str, object]:
    """The decision that the example's trade of a side was made for."""
    return {"decision": DecisionState(decision=trade_of(side).decision)}


# a position that nobody's trade explains


@pytest.mark.rule("Y-1", "H-3", "P-9")
def test_an_adoption_is_recorded_told_and_protected_in_one_plan() -> None:
    """The note leads, the alarm is critical and names the new trade; what protects is sent at once."""
    found = found_held()
    made = adoption(found, POLICY)
    assert made is not None
    result = plan(found, POLICY)
    assert result.trade is not None
    key = made.trade.key
    assert (result.trade.key, result.adopted, result.notes) == (key, (), (made.note,))
    assert result.alarms == (
        Alarm(rule="Y-1", subject=key, text=made.note.text, severity="critical"),
        Alarm(rule="S-7", subject=key, text="no stop covers 0.5 BTCUSDT: restoring it"),
    )
    assert roles(result) == ["+S", "+B"]
    assert (result.uncovered, result.entry_wanted) == (True, False)
    assert result.mode is not None and result.mode.code == "foreign_position"


@pytest.mark.rule("Y-1", "M-6", "P-9")
def test_what_follows_from_an_adoption_is_told_behind_it() -> None:
    """An operator wants everything closed: adopted, and then closed, in the same plan."""
    found = found_held(account_mode=ASKED)
    made = adoption(found, POLICY)
    assert made is not None
    result = plan(found, POLICY)
    assert result.notes == (made.note, Cause(rule="M-6", text="asked for by 1 person"))
    assert [alarm.rule for alarm in result.alarms] == ["Y-1"]
    assert "+X" in roles(result)
    assert result.mode is not None and result.mode.code == "flatten"


@pytest.mark.rule("Y-1", "Y-6", "X-7")
def test_orders_that_are_adopted_are_no_strays_any_more() -> None:
    """The stop that the list shows is taken in and kept; an entry that it does not show is cancelled by its id."""
    kept = own("S1", trade_key="another")
    entry = own("E1", trade_key="another")
    resting = stop(kept.client_id, "89100")
    found = found_held(strays=(kept, entry), journal_fresh=False, **listed(resting))
    made = adoption(found, POLICY)
    assert made is not None and [each.client_id for each in made.orders] == [kept.client_id]
    result = plan(found, POLICY)
    assert result.adopted == made.orders
    assert ("Y-6", "an order of ours that fits no open trade") in causes(result)
    cancelled = [
        each.command.client_id for each in result.commands if isinstance(each.command, CancelOrder)
    ]
    assert cancelled == [entry.client_id]
    assert result.uncovered is False
    assert [alarm.rule for alarm in result.alarms] == ["Y-1"]


@pytest.mark.rule("X-7", "Y-1", "P-9")
def test_what_is_listed_late_joins_its_trade() -> None:
    """Each order is named in a note of its own; trade and plan are as if it had been known before."""
    first = adoption(found_held(), POLICY)
    assert first is not None
    reports = (entry_of(filled="0.004"), stop(f"{LOST}-S1", "89950"))
    now = found_held(trade=first.trade, account_mode=ASKED, **listed(*reports))
    late = latecomers(now, first.trade)
    assert len(late) == 2
    result = plan(now, POLICY)
    assert result.adopted == late
    assert result.notes[:2] == tuple(
        Cause(rule="X-7", text=f"{order.client_id} was found alive") for order in late
    )
    assert result.notes[2:] == (Cause(rule="M-6", text="asked for by 1 person"),)
    grown = with_latecomers(first.trade, late)
    assert result.trade is not None
    assert result.trade.adopted_quantity == grown.adopted_quantity == D("0.496")
    assert result.trade.planned_quantity == grown.planned_quantity == D("0.013")
    assert f"{LOST}-E1" in names(result)
    assert result.uncovered is False


# without a trade


@pytest.mark.rule("Y-6", "Y-7", "P-1")
def test_what_is_left_over_is_swept_before_anything_is_entered() -> None:
    """Ours by the journal first, then somebody else's where that is wanted; a stop only once flat was read."""
    policy = replace(POLICY, foreign_orders=ForeignOrders.CANCEL)
    strays = (own("S1"), own("E1"))
    found = world(strays=strays, open_orders=seen((stranger("web_1"),)))
    swept = [f"jm-{KEY}-S1", f"jm-{KEY}-E1", "web_1"]
    assert names(plan(found, policy)) == swept
    assert names(plan(found, POLICY)) == swept[:2]
    unread = replace(found, position=None)
    assert names(plan(unread, policy)) == [*swept[1:]]
    result = plan(found, policy)
    codes = [refusal.code for refusal in result.refusals]
    assert codes == ["mode", "unresolved_order", "unresolved_order"]
    assert (result.trade, result.entry_wanted, result.mode) == (None, False, None)


@pytest.mark.rule("Y-6", "Y-11", "P-2")
@pytest.mark.parametrize(("apart_ms", "goes"), [(1999, False), (2000, True)])
def test_a_stop_of_an_ended_trade_stays_while_the_stream_says_held(
    apart_ms: int, goes: bool
) -> None:
    """A list that was asked within two seconds of the event may be the older news; the entry goes at once."""
    event = replace(position("0.013", NOW - 100 - apart_ms), source=Source.STREAM)
    found = world(
        decision=None,
        strays=(own("S1"), own("E1")),
        position_event=event,
        last_end_ms=event.at_ms + 1,
    )
    stop_, entry = f"jm-{KEY}-S1", f"jm-{KEY}-E1"
    assert names(plan(found, POLICY)) == ([stop_, entry] if goes else [entry])


@pytest.mark.rule("M-3", "G-12")
def test_every_plan_tells_what_holds_for_the_moment() -> None:
    """With a trade and without one."""
    health = Health(unanswered_ms=NOW - 11_000, clock_off_ms=1001)
    for found in (world(health=health), held(*complete(), trade=trade_of(), health=health)):
        assert len(passing(found)) == 2
        assert plan(found, POLICY).passing == passing(found)


@pytest.mark.rule("C-3", "D-7")
def test_without_a_wish_nothing_is_refused() -> None:
    """No decision, or a flat one: nothing is wanted, whatever else would be in the way."""
    flat = DecisionState(decision=decision(action=Action.FLAT, levels=None))
    for state in (None, flat):
        assert plan(world(decision=state, draining=True), POLICY) == Plan()


@pytest.mark.rule("G-1", "G-13", "G-7", "P-9")
@pytest.mark.parametrize(
    ("changes", "codes", "wanted"),
    [
        ({"decision": DecisionState(decision=decision(), spent="entered")}, ["spent"], False),
        ({"open_orders": None}, ["truth_incomplete"], True),
        ({"draining": True}, ["mode"], False),
        ({"draining": True, "open_orders": None}, ["mode"], False),
        (
            {"draining": True, "decision": DecisionState(decision=decision(notional=D(10)))},
            ["quantity_too_small", "mode"],
            False,
        ),
        ({"settings": None}, [], True),
    ],
)
def test_why_no_trade_is_opened_and_whether_one_is_wanted(
    changes: dict[str, object], codes: list[str], wanted: bool
) -> None:
    """What only waits for a read is wanted all the same, so that the reads are made every tick."""
    result = plan(world(**changes), POLICY)
    assert [refusal.code for refusal in result.refusals] == codes
    assert (result.entry_wanted, result.trade, result.commands) == (wanted, None, ())


@pytest.mark.rule("E-4", "S-1")
def test_the_set_up_comes_before_the_trade() -> None:
    """Leverage as it is wanted first; the trade is opened by the look that reads it."""
    other = seen(SymbolSettings(leverage=5, margin_mode=MarginMode.ISOLATED))
    result = plan(world(settings=other), POLICY)
    assert causes(result) == [("E-4", "leverage 5 -> 3")]
    assert (result.trade, result.entry_wanted, result.refusals) == (None, True, ())


@pytest.mark.rule("X-1", "S-1", "E-3", "P-9")
def test_a_trade_is_opened_behind_its_stop_and_numbers_go_on() -> None:
    """An earlier set-up of the same decision used S1; orders of another decision do not count. Cuts are noted first."""
    key = trade_key(account="main", store_id="store", decision_id="d1")
    name = client_id(key=key, role=Role.STOP, attempt=1)
    earlier = ended(own("S1", trade_key=key, client_id=name))
    other = ended(own("S7"))
    cut = replace(POLICY, max_notional_usdt=D(1000))
    result = plan(world(orders=(earlier, other)), cut)
    assert names(result) == [f"jm-{key}-S2"]
    assert result.trade is not None
    assert (result.trade.key, result.trade.armed_ms) == (key, NOW)
    assert [note.rule for note in result.notes] == ["E-3"]
    assert result.notes[0].text.startswith("quantity cut to ")
    assert (result.entry_wanted, result.uncovered, result.wake_in_ms) == (True, False, None)


# with a trade


@pytest.mark.rule("P-1", "T-3", "S-2", "E-8")
@both_sides
def test_a_complete_position_is_left_alone(side: Side) -> None:
    """Nothing is sent, told or hurried; that the entry is over is recorded."""
    result = plan(
        held(*complete(side), side=side, trade=trade_of(side), **short_world(side)), POLICY
    )
    over = replace(
        trade_of(side), entry_over=ALL_FILLED.text, ratchet_price=trade_of(side).initial_stop
    )
    assert result == Plan(trade=over, notes=(ALL_FILLED,))


@pytest.mark.rule("S-7", "T-4", "P-2", "H-3")
@both_sides
def test_a_bare_position_is_told_hurried_and_counted(side: Side) -> None:
    """Stop and backstop are placed, the next look comes in a quarter second, the time without cover is kept."""
    bare = held(
        *complete(side)[2:], side=side, trade=trade_of(side), bare_ms=NOW - 700, **short_world(side)
    )
    result = plan(bare, POLICY)
    assert roles(result) == ["+S", "+B"]
    assert result.trade is not None and result.trade.unprotected_ms == 700
    words = "no stop covers 0.013 BTCUSDT: restoring it"
    assert result.alarms == (Alarm(rule="S-7", subject=KEY, text=words),)
    assert (result.uncovered, result.wake_in_ms) == (True, 250)


@pytest.mark.rule("Y-6", "P-2")
def test_a_stray_stop_goes_only_while_another_one_covers() -> None:
    """It may be the one that protects; a stray entry goes at once."""
    strays = (own("S9", trade_key="another"), own("E9", trade_key="another"))
    covered = plan(held(*complete(), trade=trade_of(), strays=strays), POLICY)
    assert names(covered) == [f"jm-{KEY}-E9", f"jm-{KEY}-S9"]
    bare = plan(held(*complete()[2:], trade=trade_of(), strays=strays), POLICY)
    assert f"jm-{KEY}-E9" in names(bare) and f"jm-{KEY}-S9" not in names(bare)


@pytest.mark.rule("S-11", "P-2")
def test_a_stop_with_a_wrong_echo_goes_only_while_another_one_covers() -> None:
    """What rests may still protect: it is replaced first."""
    _, *others = complete()
    wrong = own("S1", echo_error="quantity 0.012 for 0.013")
    covered = plan(held(wrong, own("S2"), *others, trade=trade_of()), POLICY)
    assert names(covered) == [f"jm-{KEY}-S1"]
    assert causes(covered)[0][0] == "S-11"
    alone = plan(held(wrong, *others[1:], trade=trade_of()), POLICY)
    assert f"jm-{KEY}-S1" not in names(alone)
    assert f"jm-{KEY}-S2" in names(alone)


@pytest.mark.rule("X-4", "S-13")
def test_a_stop_without_an_answer_goes_only_where_it_was_missed_and_another_one_covers() -> None:
    """Asked for by its id first, after it could still be on its way."""
    lost = own("S2", state=OrderState.UNKNOWN, misses=(NOW - 10,))
    sent_ms = NOW - 60_000
    late = replace(lost, timestamp_ms=sent_ms, journaled_ms=sent_ms)
    result = plan(held(*complete(), late, trade=trade_of()), POLICY)
    assert names(result) == [f"jm-{KEY}-S2"]
    assert causes(result) == [("X-4", "outcome unknown after its receive window")]
    unseen = replace(late, misses=())
    assert names(plan(held(*complete(), unseen, trade=trade_of()), POLICY)) == []
    alone = plan(held(late, *complete()[2:], trade=trade_of()), POLICY)
    assert f"jm-{KEY}-S2" not in names(alone)


@pytest.mark.rule("M-1", "M-4", "T-2")
def test_protect_only_leaves_a_target_of_an_open_trade_as_it_is() -> None:
    """One that sells more than it should is resized in NORMAL, and left alone where only protection may leave."""
    stop_, backstop, first, second = complete()
    found = held(stop_, backstop, own("P1", quantity=D("0.010")), second, trade=trade_of())
    assert f"jm-{KEY}-P1" in names(plan(found, POLICY))
    assert first.request.quantity == D("0.006")
    protect_only = ladder.state("invariant", "for 1 test", NOW)
    assert names(plan(replace(found, mode=protect_only), POLICY)) == []


@pytest.mark.rule("Y-7")
def test_somebody_elses_order_is_cancelled_beside_a_trade_too() -> None:
    """Where that is wanted."""
    policy = replace(POLICY, foreign_orders=ForeignOrders.CANCEL)
    found = held(*complete(), trade=trade_of(), open_orders=seen((stranger("web_1"),)))
    assert names(plan(found, policy)) == ["web_1"]
    assert names(plan(found, POLICY)) == []


def entering(*orders: OwnOrder, **changes: object) -> World:
    """The example's set-up: armed stop and entry rest, nothing has filled."""
    given: dict[str, object] = {"trade": trade_of(), "orders": (own("S1"), own("E1"), *orders)}
    return world(**{**given, **changes})


@pytest.mark.rule("M-1", "M-3", "Y-3", "G-12")
def test_what_is_found_in_this_look_holds_in_this_look() -> None:
    """A hand has added to the position: the entry that rests goes in the same plan, and the words say why."""
    entry = own("E1", filled_quantity=D("0.004"))
    found = held(
        own("S1", quantity=D("0.020")),
        own("B1", **WHOLE),
        trade=trade_of(),
        position=position("0.006"),
    )
    bought = (lot(entry, "0.004", time_ms=BEFORE), lot(None, "0.002", time_ms=NOW - 3000))
    result = plan(replace(found, orders=(entry, *found.orders[1:]), fills=bought), POLICY)
    words = f"foreign_size: 0.002 were added to trade {KEY} by hand"
    assert result.mode == ladder.state("foreign_size", words, NOW)
    assert [(each.code, each.rule) for each in result.refusals] == [("mode", "M-1")]
    message = result.refusals[0].message
    assert message.startswith(f"NO_ENTRIES since Y-3: {words}; ")
    assert causes(result)[0] == ("M-1", f"mode: {message}")
    assert names(result)[-1] == f"jm-{KEY}-E1"


@pytest.mark.rule("G-12", "G-1", "S-1")
@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"draining": True}, []),  # its entry is over with that, nothing is refused
        ({"health": Health(clock_off_ms=1001)}, ["mode"]),
        ({"open_orders": None}, ["truth_incomplete"]),
        (
            {
                "account_settings": seen(
                    AccountSettings(hedge_mode=True, multi_assets=False, can_trade=True)
                )
            },
            ["position_mode_hedge"],
        ),
    ],
)
def test_a_resting_entry_is_judged_at_every_look(
    changes: dict[str, object], codes: list[str]
) -> None:
    """The first refusal takes it back, in its words; one whose time is over is taken back with no refusal."""
    result = plan(entering(**changes), POLICY)
    assert [refusal.code for refusal in result.refusals] == codes
    assert (f"jm-{KEY}-E1" in names(result)) is (changes != {})
    if codes:
        first = result.refusals[0]
        assert causes(result)[0] == (first.rule, f"{first.code}: {first.message}")


@pytest.mark.rule("X-4", "S-1", "G-12")
def test_two_reasons_for_one_cancel_send_it_once() -> None:
    """The entry is refused and its outcome is unknown for too long: the first reason is told."""
    lost = own("E1", state=OrderState.UNKNOWN, timestamp_ms=0)
    found = entering(orders=(own("S1"), lost), health=Health(clock_off_ms=1001))
    result = plan(found, POLICY)
    first = result.refusals[0]
    assert causes(result) == [("M-3", f"{first.code}: {first.message}")]
    alone = plan(replace(found, health=Health()), POLICY)
    assert causes(alone) == [("X-4", "outcome unknown after its receive window")]


@pytest.mark.rule("S-1", "P-9")
def test_a_set_up_that_is_void_says_so() -> None:
    """The armed stop was hit before a fill: refused with a code, noted, ended; what is left is swept first."""
    hit = ended(own("S1"), end_status=OrderStatus.FINISHED, triggered_ms=NOW - 100)
    found = entering(orders=(hit, ended(own("E1")), own("B1", **WHOLE)))
    words = f"the armed stop jm-{KEY}-S1 ended as FINISHED before a fill"
    void = Cause(rule="S-1", text=words)
    over = Cause(rule="S-1", text="stop_hit_before_entry")
    result = plan(found, POLICY)
    assert result.notes == (void, over)
    assert [(each.code, each.message) for each in result.refusals] == [
        ("stop_hit_before_entry", words)
    ]
    assert causes(result) == [("X-9", "the trade is over")]
    assert result.trade is not None and result.trade.ended_ms is None
    swept = plan(replace(found, orders=found.orders[:2]), POLICY)
    assert (swept.notes, swept.refusals) == (result.notes, result.refusals)
    assert swept.trade is not None and swept.trade.ended_ms == NOW
    assert swept.commands == ()
    waiting = plan(replace(found, orders=(hit, own("E1"))), POLICY)
    assert (waiting.refusals, waiting.entry_wanted) == (result.refusals, True)
    assert names(waiting) == [f"jm-{KEY}-E1"]
    nothing_rests = plan(replace(found, orders=(hit, *found.orders[1:2]), position=None), POLICY)
    assert nothing_rests.entry_wanted is False


@pytest.mark.rule("C-2")
def test_an_opposite_decision_that_is_held_out_is_told_beside_the_trade() -> None:
    """A refusal that follows from the trade itself comes with the plan."""
    short = decision(
        id="d2", action=Action.SHORT, levels=trade_of(Side.SELL).decision.levels, timestamp_ms=NOW
    )
    found = held(*complete(), trade=trade_of(), decision=DecisionState(decision=short))
    hold = plan(found, replace(POLICY, on_opposite=OnOpposite.HOLD))
    assert [(each.code, each.rule) for each in hold.refusals] == [("position_held", "C-2")]
    assert hold.commands == ()
    close = plan(found, replace(POLICY, on_opposite=OnOpposite.CLOSE))
    assert (close.refusals, roles(close)) == ((), ["+X"])


# the end of a trade


def sold(**changes: Any) -> World:
    """The stop has sold all of it, told by fills and a read; nothing rests any more."""
    done = ended(
        own("S1"),
        filled_quantity=D("0.013"),
        end_status=OrderStatus.FINISHED,
        triggered_ms=NOW - 3500,
    )
    given: dict[str, Any] = {"trade": trade_of(entry_over="filled"), "position": position("0")}
    return held(done, **{**given, **changes})


@pytest.mark.rule("X-9", "Y-11", "T-4")
def test_a_trade_ends_when_all_is_proven() -> None:
    """Proof of flat and the end in one look, with the words; nothing is sent and nothing hurried."""
    found = sold(bare_ms=NOW - 50)
    assert found.trade is not None
    stop_price = found.trade.initial_stop
    expected = replace(
        found.trade,
        proven_flat_ms=NOW,
        ended_ms=NOW,
        unprotected_ms=50,
        ratchet_price=stop_price,
    )
    assert plan(found, POLICY) == Plan(trade=expected, notes=(FLAT,))
    waits = plan(replace(found, funding=None), POLICY)
    assert waits == Plan(trade=replace(expected, ended_ms=None), notes=(FLAT,))


@pytest.mark.rule("X-9", "P-8")
def test_what_rests_after_the_end_is_swept_first() -> None:
    """Every order that is not proven ended, by its id; the trade ends in a later look."""
    found = sold()
    left = replace(found, orders=(*found.orders, own("P1"), own("B1", **WHOLE)))
    result = plan(left, POLICY)
    assert causes(result) == [("X-9", "the trade is over")] * 2
    assert names(result) == [f"jm-{KEY}-P1", f"jm-{KEY}-B1"]
    assert result.notes == (FLAT,)
    assert result.trade is not None
    assert (result.trade.proven_flat_ms, result.trade.ended_ms) == (NOW, None)


@pytest.mark.rule("M-2", "M-1")
def test_the_mode_after_an_emergency_comes_with_the_end() -> None:
    """NO_ENTRIES in the look that proves flat, whether something is left to sweep or not."""
    trade = trade_of(entry_over="x", closing=CloseReason.EMERGENCY, closing_rule="S-7")
    found = sold(trade=trade)
    for orders in (found.orders, (*found.orders, own("P1"))):
        mode = plan(replace(found, orders=orders), POLICY).mode
        assert mode is not None
        assert (mode.mode, mode.code) == (Mode.NO_ENTRIES, "emergency_close")


# when to look again


def refused(name: str, code: int, ago_ms: int, **changes: Any) -> OwnOrder:
    """An order that the venue refused so long ago."""
    return ended(own(name, journaled_ms=NOW - ago_ms, **changes), end_code=code)


@pytest.mark.rule("S-2", "S-7", "S-8")
@pytest.mark.parametrize(
    ("orders", "wake_ms"),
    [
        (complete(), None),
        ((own("S1"), refused("B1", -4509, 100, **WHOLE)), 150),
        ((own("S1"), refused("B1", -4509, 250, **WHOLE)), None),
        ((own("S1"), refused("B1", -1111, 100, **WHOLE)), 4900),
        ((own("B1", **WHOLE), own("S1"), refused("S2", -1111, 400)), 600),
        ((refused("S1", -1111, 100), refused("B1", -1111, 100, **WHOLE)), 150),
        ((refused("S1", -1111, 249), refused("B1", -4509, 100, **WHOLE)), 1),
        ((refused("S1", -1111, 300), refused("B1", -1111, 300, **WHOLE)), 250),
    ],
)
def test_a_stop_that_was_refused_is_tried_again_in_time(
    orders: tuple[OwnOrder, ...], wake_ms: int | None
) -> None:
    """The next look comes when the first of them may go; a bare position is looked at every quarter second."""
    assert plan(held(*orders, trade=trade_of()), POLICY).wake_in_ms == wake_ms


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(
    ("exits", "wake_ms"),
    [
        ((), 250),
        ((own("X1", state=OrderState.UNKNOWN, journaled_ms=NOW - 100),), 150),
        ((own("X1", state=OrderState.UNKNOWN, journaled_ms=NOW - 250),), 250),
        ((refused("X1", -4141, 500),), 1500),
    ],
)
def test_an_exit_that_waits_is_tried_again_in_time(
    exits: tuple[OwnOrder, ...], wake_ms: int
) -> None:
    """When the pause is over, and every quarter second until flat is proven; stops do not matter then."""
    trade = trade_of(entry_over="x", closing=CloseReason.EMERGENCY, closing_rule="S-7")
    late_backstop = refused("B1", -4509, 200, **WHOLE)
    assert plan(held(own("S1"), late_backstop, *exits, trade=trade), POLICY).wake_in_ms == wake_ms


@pytest.mark.rule("S-1")
def test_before_a_fill_nothing_is_hurried() -> None:
    """An armed stop that was refused waits for the loop's own interval."""
    found = entering(orders=(refused("S1", -1111, 100),))
    assert plan(found, POLICY).wake_in_ms is None
    assert plan(found, POLICY).uncovered is False


@pytest.mark.rule("S-2", "Y-11")
def test_after_the_last_sale_no_stop_is_hurried() -> None:
    """Both targets have sold all of it, flat is not yet proven: a backstop that was refused waits."""
    first, second = (ended(order) for order in complete()[2:])
    late = refused("B1", -4509, 100, **WHOLE)
    for share, wake_ms in ((D("0.007"), None), (D("0.006"), 150)):
        targets = (
            replace(first, filled_quantity=D("0.006")),
            replace(second, filled_quantity=share),
        )
        unread = position("0", BEFORE - 1)
        found = held(own("S1"), late, *targets, trade=trade_of(), position=unread)
        result = plan(found, POLICY)
        assert result.trade is not None and result.trade.closing is None
        assert (result.trade.proven_flat_ms, result.wake_in_ms) == (None, wake_ms)


# what a person hears


def with_a_hands(found: World) -> World:
    """The same, with 0.002 that a hand has added."""
    added = lot(None, "0.002", time_ms=NOW - 3000)
    return replace(found, fills=(*found.fills, added), position=position("0.015"))


@pytest.mark.rule("H-3", "S-8", "Y-3")
def test_a_venue_that_takes_no_exit_is_told_behind_the_cover() -> None:
    """What concerns the protection comes first."""
    halted = refused("X1", -4141, 2500, ended_ms=NOW - 2000, end_reason="closed")
    trade = trade_of(entry_over="x", closing=CloseReason.EMERGENCY, closing_rule="S-7")
    result = plan(with_a_hands(held(halted, *complete(), trade=trade)), POLICY)
    told = [(alarm.rule, alarm.subject) for alarm in result.alarms]
    assert told == [("Y-3", KEY), ("S-8", f"{KEY} halted")]


@pytest.mark.rule("H-3", "X-8", "Y-3")
def test_what_is_left_out_is_told_last() -> None:
    """The seventh TP1 within a minute is not sent; everything else is."""
    tried = tuple(refused(f"P{n}", -1111, 6000 + n, quantity=D("0.006")) for n in range(1, 7))
    stops = (own("S1", quantity=D("0.020")), own("B1", **WHOLE))
    result = plan(with_a_hands(held(*stops, *tried, trade=trade_of())), POLICY)
    told = [(alarm.rule, alarm.subject) for alarm in result.alarms]
    assert told == [("Y-3", KEY), ("X-8", f"{KEY} tp1")]
    assert roles(result) == ["+Q"]


@pytest.mark.rule("L-1", "P-9")
def test_the_zones_exit_is_noted_behind_the_trades_own_news() -> None:
    """What advanced first, then the exit that was taken in the zone."""
    zone = BoundZone(id="z1", low=D(90950), high=D(91050))
    stop_, backstop, *_ = complete()
    found = held(stop_, backstop, trade=trade_of(zone=zone), mark=seen(D(91000)))
    result = plan(found, POLICY)
    assert result.notes[0] == ALL_FILLED
    assert [note.rule for note in result.notes] == ["E-8", "L-1"]
    assert result.trade is not None and result.trade.zone is not None and result.trade.zone.used
    assert "+L" in roles(result)
