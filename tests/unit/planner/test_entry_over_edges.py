"""When a set-up is void, and why an entry is over: each reason with its rule, word for word (S-1, E-7)."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, ended, held, lot, own, position, trade_of
from tests.unit.planner.test_lifecycle_edges import (
    FULL,
    HOLDS,
    OLD_MS,
    armed,
    both,
    decided,
    flat,
    in_force,
    looked,
    told,
)
from tests.worlds import NOW, POLICY, D, world

from jumar.model.command import Cause
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderState, OrderStatus, Side
from jumar.model.world import Source
from jumar.planner.approve import refuse
from jumar.planner.lifecycle import Advance

# void


@both
@pytest.mark.rule("S-1")
@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"state": OrderState.TRIGGERED}, "triggered"),
        ({"triggered_ms": NOW - 50}, "triggered"),
        ({"state": OrderState.ENDED, "end_status": OrderStatus.FINISHED}, "FINISHED"),
        ({"state": OrderState.ENDED, "end_status": OrderStatus.REJECTED}, "REJECTED"),
        ({"state": OrderState.ENDED, "end_status": OrderStatus.EXPIRED}, "EXPIRED"),
        ({"state": OrderState.ENDED, "end_status": OrderStatus.CANCELED}, None),
    ],
)
def test_an_armed_stop_that_was_hit_voids_the_set_up(
    side: Side, changes: dict[str, object], how: str | None
) -> None:
    """Before any fill: told, refused under its code, and the entry is over; a stop that was cancelled voids nothing."""
    found, trade = armed(side, own("S1", side), own("S2", side, **changes), own("E1", side))
    after = looked(found, trade)
    if how is None:
        assert (after.trade.voided, after.refusals) == (None, ())
        return
    code = "stop_hit_before_entry"
    words = f"the armed stop jm-abcdefghij-S2 ended as {how} before a fill"
    assert (after.trade.voided, after.trade.entry_over) == (code, code)
    assert after.notes == (Cause(rule="S-1", text=words), Cause(rule="S-1", text=code))
    assert after.refusals == (refuse(code, "S-1", words),)
    assert looked(found, after.trade) == Advance(trade=after.trade, notes=())


@pytest.mark.rule("S-1", "G-16")
@pytest.mark.parametrize(
    ("tried", "resting", "end", "words"),
    [
        (2, False, {}, None),
        (3, True, {}, None),
        (
            3,
            False,
            {"end_code": -4120, "end_reason": "not supported"},
            "the armed stop could not be kept after 3 attempts (-4120: not supported)",
        ),
        (
            4,
            False,
            {"end_reason": "cancelled by a hand"},
            "the armed stop could not be kept after 4 attempts (cancelled by a hand)",
        ),
    ],
)
def test_a_stop_that_cannot_be_kept_voids_the_set_up(
    tried: int, resting: bool, end: dict[str, object], words: str | None
) -> None:
    """`max_rearms` more than the first, all of them ended: with what the venue said of the last."""
    stops = [ended(own(f"S{number}")) for number in range(1, tried)]
    newest = own(f"S{tried}")
    found, trade = armed(Side.BUY, *stops, newest if resting else ended(newest, **end))
    after = looked(found, trade)
    assert POLICY.max_rearms == 2
    if words is None:
        assert after.trade.voided is None
    else:
        assert after.trade.voided == "stop_not_placeable"
        assert after.notes[0] == Cause(rule="G-16", text=words)
        assert after.refusals == (refuse("stop_not_placeable", "G-16", words),)


@pytest.mark.rule("E-5")
def test_entries_that_are_used_up_without_a_fill_void_the_set_up() -> None:
    """As many as are allowed, all ended; with a fill it is only the entry that is over."""
    policy = replace(POLICY, max_entry_orders=2)
    entries = (ended(own("E1")), ended(own("E2")))
    found, trade = armed(Side.BUY, own("S1"), *entries)
    after = looked(found, trade, policy)
    words = "2 entry orders are used up without a fill"
    assert after.trade.voided == "entry_orders_used_up"
    assert after.notes[0] == Cause(rule="E-5", text=words)
    assert after.refusals == (refuse("entry_orders_used_up", "E-5", words),)
    filled = ended(own("E2"), filled_quantity=D("0.005"))
    partly = replace(
        found,
        orders=(own("S1"), entries[0], filled),
        fills=(lot(filled, "0.005", time_ms=BEFORE),),
        position=position("0.005"),
    )
    assert told(partly, trade, policy) == ["E-5 2 entry orders are used up"]
    assert looked(partly, trade, policy).trade.voided is None
    assert told(partly, trade) == []


@both
@pytest.mark.rule("S-1", "Y-1")
def test_what_is_held_or_was_adopted_is_never_void(side: Side) -> None:
    """A stop that was hit closes a position; a position that was found has no set-up."""
    hit = own("S1", side, state=OrderState.TRIGGERED)
    assert looked(held(hit, side=side), trade_of(side)).trade.voided is None
    adopted = trade_of(side, adopted_price=D(90000))
    assert looked(world(orders=(hit,)), adopted).trade.voided is None


# the entry is over


@both
@pytest.mark.rule("E-7", "D-3", "D-7", "M-5", "E-9", "C-3")
def test_why_an_unfilled_entry_is_over(side: Side) -> None:
    """Each reason alone, with its rule, and word for word."""
    found, trade = armed(side)
    asked = ModeState(
        mode=Mode.FLATTENING, rule="M-6", cause="asked by an operator", since_ms=NOW, code="flatten"
    )
    other = "short" if side is Side.BUY else "long"
    against = "-0.002" if side is Side.BUY else "0.002"
    old = replace(trade.decision, timestamp_ms=OLD_MS - 1)
    cases: tuple[tuple[dict[str, object], dict[str, object], str], ...] = (
        ({}, {"voided": "stop_not_placeable"}, "S-1 stop_not_placeable"),
        ({"draining": True}, {}, "M-5 the engine is being stopped"),
        ({"mode": asked}, {}, "M-6 asked by an operator"),
        (
            {"position": position(against)},
            {},
            f"Y-3 {against} is held on the other side and is not ours",
        ),
        ({"decision": in_force(trade.decision, spent="tp1 reached")}, {}, "D-7 spent: tp1 reached"),
        ({}, {"decision": old}, "D-3 stale: decision is older than 600 s"),
        ({"decision": in_force(flat())}, {}, "C-3 flat decision"),
        (
            {"decision": in_force(decided(side.opposite))},
            {},
            f"D-7 superseded by a newer decision: {other}",
        ),
        (
            {"decision": in_force(decided(side), refusals=(("malformed", "sl is missing"),))},
            {},
            "D-7 superseded by a refused decision: malformed",
        ),
        (
            {"decision": in_force(decided(side, notional=D(900)))},
            {},
            "E-9 superseded by a newer decision that starts anew",
        ),
    )
    for changes, of_trade, expected in cases:
        each = replace(found, **changes)  # type: ignore[arg-type]  # a test states only what differs
        known = replace(trade, **of_trade)  # type: ignore[arg-type]  # as above
        after = looked(each, known)
        assert [f"{note.rule} {note.text}" for note in after.notes] == [expected]
        assert after.trade.entry_over == after.notes[0].text
        assert looked(each, after.trade).notes == ()


@both
@pytest.mark.rule("E-8", "S-9", "C-1", "C-2")
def test_why_the_rest_of_a_filled_entry_is_over(side: Side) -> None:
    """All of it has filled, an exit has, or the decision in force wants something else."""
    entry = own("E1", side, filled_quantity=D("0.005"))
    signed = "0.005" if side is Side.BUY else "-0.005"
    base = trade_of(side, ratchet_price=trade_of(side).initial_stop)
    found = world(
        orders=(own("S1", side), entry),
        fills=(lot(entry, "0.005", time_ms=BEFORE),),
        position=position(signed),
        decision=in_force(base.decision),
    )
    assert told(found, base) == []
    other = "short" if side is Side.BUY else "long"
    assert told(replace(found, decision=in_force(flat())), base) == ["C-1 flat decision"]
    assert told(replace(found, decision=in_force(decided(side.opposite))), base, HOLDS) == [
        f"C-2 superseded by a newer decision: {other}"
    ]
    target = own("P1", side, filled_quantity=D("0.002"))
    sold = replace(
        found,
        orders=(*found.orders, target),
        fills=(*found.fills, lot(target, "0.002", time_ms=BEFORE)),
    )
    assert told(sold, base) == ["S-9 an exit has filled"]
    whole = replace(entry, filled_quantity=D("0.013"))
    all_of_it = replace(
        found,
        fills=(lot(entry, "0.013", time_ms=BEFORE),),
        position=position("0.013" if side is Side.BUY else "-0.013"),
    )
    alive = replace(all_of_it, orders=(own("S1", side), whole))
    assert told(alive, base) == []
    assert told(replace(alive, orders=(own("S1", side), ended(whole))), base) == [f"E-8 {FULL}"]


@both
@pytest.mark.rule("D-7", "Y-12")
def test_whose_end_counts_for_the_entry(side: Side) -> None:
    """Spent is what is said of the decision that the entry goes on for; another's end is nothing to it."""
    found, trade = armed(side)
    older = replace(trade.decision, id="d0", timestamp_ms=OLD_MS)
    assert told(replace(found, decision=in_force(older, spent="tp1 reached")), trade) == []
    assert told(replace(found, decision=None), trade) == []
    same = in_force(trade.decision, spent="stop_not_placeable")
    assert told(replace(found, decision=same), trade) == ["D-7 spent: stop_not_placeable"]


@both
@pytest.mark.rule("E-9", "D-3")
def test_the_age_of_the_decision_that_guides_counts(side: Side) -> None:
    """The owner is old, the guide is young: the rest goes on; both are known to the trade and end nothing."""
    entry = own("E1", side, filled_quantity=D("0.005"))
    guide = decided(side)
    owner = replace(trade_of(side).decision, timestamp_ms=OLD_MS - 1)
    base = trade_of(side, decision=owner, guide=guide, ratchet_price=trade_of(side).initial_stop)
    found = world(
        orders=(own("S1", side), entry),
        fills=(lot(entry, "0.005", time_ms=BEFORE),),
        position=position("0.005" if side is Side.BUY else "-0.005"),
    )
    for known in (owner, guide):
        assert told(replace(found, decision=in_force(known)), base) == []
    alone = replace(base, guide=None)
    assert told(replace(found, decision=in_force(owner)), alone) == [
        "D-3 stale: decision is older than 600 s"
    ]


@both
@pytest.mark.rule("Y-3", "Y-1")
def test_only_a_hand_on_the_other_side_makes_the_set_up_give_room(side: Side) -> None:
    """What a hand holds on our side is covered; once something of ours has filled the other side is another matter."""
    for signed, over in (("0.002", side is Side.SELL), ("-0.002", side is Side.BUY), ("0", False)):
        found, trade = armed(side, position=position(signed))
        words = f"Y-3 {signed} is held on the other side and is not ours"
        assert (words in told(found, trade)) is over
        assert (looked(found, trade).trade.entry_over is not None) is over
    found, trade = armed(side, position=None)
    assert told(found, trade) == []
    # the event of a moment ago says more than the list that is requested after it
    more = replace(
        position("-0.004" if side is Side.BUY else "0.004", NOW - 600), source=Source.STREAM
    )
    found, trade = armed(side, position=position("0"), position_event=more)
    assert told(found, trade) == [
        f"Y-3 {more.value.quantity} is held on the other side and is not ours"
    ]
    entry = own("E1", side, filled_quantity=D("0.005"))
    beside = replace(
        found,
        orders=(own("S1", side), entry),
        fills=(lot(entry, "0.005", time_ms=BEFORE),),
    )
    assert told(beside, trade) == []
