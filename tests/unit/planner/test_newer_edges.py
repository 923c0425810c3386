"""What a newer decision is to an open trade, and what is taken from it (E-9)."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import BEFORE, ended, lot, own, position, trade_of
from tests.unit.planner.superseding import ZONE, both, holding, in_force, newer, waiting
from tests.worlds import NOW, POLICY, D, seen, world

from jumar.model.account import Balance
from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.command import Cause
from jumar.model.decision import Action
from jumar.model.order import Side
from jumar.model.trade import CloseReason
from jumar.planner.facts import assess
from jumar.planner.newer import (
    Followed,
    Stance,
    follow,
    newer_of,
    stance,
)

# which decision is newer


@both
@pytest.mark.rule("E-9", "D-7")
def test_which_decision_is_a_newer_one_of_the_trade(side: Side) -> None:
    """Another one, as new or newer, readable, of its side, of a trade that somebody decided."""
    chosen = newer(side)
    found, trade, _ = waiting(side, chosen)
    assert newer_of(found, trade) is chosen
    as_new = replace(chosen, timestamp_ms=trade.decision.timestamp_ms)
    assert newer_of(replace(found, decision=in_force(as_new)), trade) is as_new
    older = replace(as_new, timestamp_ms=as_new.timestamp_ms - 1)
    refused = in_force(chosen, refusals=(("malformed", "sl is missing"),))
    for state in (
        None,
        in_force(older),
        in_force(replace(chosen, id="d1")),
        refused,
        in_force(newer(side.opposite)),
        in_force(newer(side, action=Action.FLAT, levels=None)),
    ):
        assert newer_of(replace(found, decision=state), trade) is None
    assert newer_of(found, replace(trade, adopted_price=D(90000))) is None
    assert newer_of(found, replace(trade, guide=chosen)) is None


# its stance


@both
@pytest.mark.rule("E-9")
def test_its_stance_while_nothing_has_filled(side: Side) -> None:
    """The same plan passes, another replaces; nothing is said of a trade that is over, and nothing before all is read."""
    chosen = newer(side)
    found, trade, facts = waiting(side, chosen)
    stale = newer(side, timestamp_ms=NOW - 600_001)
    base = trade_of(side, decision=replace(trade.decision, timestamp_ms=NOW - 700_000))
    cases = (
        (found, trade, Stance.OWNS),
        (found, replace(trade, closing=CloseReason.FLAT), Stance.NONE),
        (found, replace(trade, entry_over="stale"), Stance.NONE),
        (found, replace(trade, voided="stop_not_placeable"), Stance.NONE),
        (replace(found, decision=None), trade, Stance.NONE),
        (replace(found, decision=in_force(stale)), base, Stance.REPLACES),
        (
            replace(found, decision=in_force(replace(chosen, risk_checks=None))),
            trade,
            Stance.REPLACES,
        ),
        (replace(found, balance=None), trade, Stance.WAITS),
        (replace(found, instrument=None), trade, Stance.WAITS),
        (replace(found, decision=in_force(newer(side, {"stop": "90381"}))), trade, Stance.REPLACES),
    )
    for each, known, expected in cases:
        assert stance(each, known, facts, POLICY) is expected


@both
@pytest.mark.rule("E-9", "Y-11")
def test_its_stance_while_something_is_held(side: Side) -> None:
    """It guides what is held; what is gone or was never ours it replaces; it waits for what it is judged by."""
    chosen = newer(side)
    found, trade, facts = holding(side, chosen)
    early = in_force(replace(chosen, timestamp_ms=NOW + 5001))
    cases = (
        (found, trade, facts, Stance.GUIDES),
        (found, replace(trade, entry_over="filled"), facts, Stance.GUIDES),
        (found, replace(trade, closing=CloseReason.STOP), facts, Stance.NONE),
        (found, trade, replace(facts, entered=D(0)), Stance.REPLACES),
        (found, trade, replace(facts, remaining=D(0)), Stance.REPLACES),
        (found, trade, replace(facts, seems_gone=True), Stance.REPLACES),
        (found, trade, replace(facts, average_entry=None), Stance.WAITS),
        (replace(found, mark=None), trade, facts, Stance.WAITS),
        (replace(found, instrument=None), trade, facts, Stance.WAITS),
        (replace(found, decision=early), trade, facts, Stance.WAITS),
        (replace(found, balance=None), trade, facts, Stance.GUIDES),
    )
    for each, known, judged, expected in cases:
        assert stance(each, known, judged, POLICY) is expected


@both
@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize(
    ("rests_at", "wish", "owns"),
    [
        ("90786.6", None, True),
        ("90700", None, True),
        ("90786.7", None, False),
        ("90699.9", None, False),
        ("90750", "90786.6", True),
        ("90750", "90786.7", False),
        ("90750", "90699.9", False),
    ],
)
def test_what_rests_must_be_inside_the_newer_band(
    side: Side, rests_at: str, wish: str | None, *, owns: bool
) -> None:
    """Where the entry is confirmed, and where it may have moved meanwhile; the ends belong to the band."""
    asked = Amendment(
        number=1,
        price=D(0) if wish is None else mirrored(side, wish),
        quantity=D("0.013"),
        rule="E-5",
        cause="chase",
        timestamp_ms=BEFORE,
        state=AmendmentState.ASKED,
    )
    entry = own(
        "E1", side, price=mirrored(side, rests_at), amendments=() if wish is None else (asked,)
    )
    found, trade, facts = waiting(side, newer(side), orders=(own("S1", side), entry))
    assert (stance(found, trade, facts, POLICY) is Stance.OWNS) is owns


@pytest.mark.rule("E-9", "G-8")
@pytest.mark.parametrize(
    ("available", "leverage", "owns"),
    [
        # 0.013 at 90 786.6 with 10 % in reserve need 432.75; 393.4086 of it are the entry's own
        ("39.4", "3", True),
        ("39.3", "3", False),
        # at 1 x: 1298.25 and 1180.2258
        ("118.1", "1.5", True),
        ("118", "1.5", False),
    ],
)
def test_the_entrys_own_margin_is_free_for_the_newer_decision(
    available: str, leverage: str, *, owns: bool
) -> None:
    """At the leverage of the trade, floored: exactly what the resting entry reserves, and no more."""
    money = seen(Balance(wallet=D(10000), equity=D(10000), available=D(available)))
    chosen = newer(Side.BUY, leverage=D(leverage))
    found, trade, facts = waiting(Side.BUY, chosen, balance=money)
    trade = replace(trade, decision=replace(trade.decision, leverage=D(leverage)))
    assert (stance(found, trade, facts, POLICY) is Stance.OWNS) is owns


@pytest.mark.rule("E-9", "G-8")
def test_an_entry_that_has_ended_reserves_nothing() -> None:
    """Between two attempts all of the margin must be there."""
    scarce = seen(Balance(wallet=D(10000), equity=D(10000), available=D("39.4")))
    plenty = seen(Balance(wallet=D(10000), equity=D(10000), available=D("432.8")))
    orders = (own("S1"), ended(own("E1")))
    for money, expected in ((scarce, Stance.REPLACES), (plenty, Stance.OWNS)):
        found, trade, facts = waiting(Side.BUY, newer(Side.BUY), balance=money, orders=orders)
        assert stance(found, trade, facts, POLICY) is expected


# what is taken from it


@both
@pytest.mark.rule("E-9", "L-3", "P-9")
def test_how_the_order_passes(side: Side) -> None:
    """Decision, targets and zone are the newer one's; the first decision's time stays with the trade."""
    chosen = newer(side, {"tp2": "93000"})
    found, trade, facts = waiting(side, chosen)
    price, stop = ("90786.6", "90380") if side is Side.BUY else ("90813.4", "91220")
    words = (
        f"0.013 at {price} with stop {stop}: the order passes from the decision of 2025-12-05T10:05:00.000Z "
        "to that of 2025-12-05T10:05:05.000Z"
    )
    passed = replace(
        trade, decision=chosen, origin_ms=NOW - 5000, tp1=trade.tp1, tp2=mirrored(side, "93000")
    )
    note = Cause(rule="E-9", text=words)
    assert follow(found, trade, facts, POLICY) == Followed(trade=passed, notes=(note,))
    zoned = replace(found, decision=in_force(chosen, zone=ZONE))
    bound = "liquidation zone cluster_1 is bound to [91500, 91650], by the decision of 2025-12-05T10:05:05.000Z"
    assert follow(zoned, trade, facts, POLICY) == Followed(
        trade=replace(passed, zone=ZONE), notes=(note, Cause(rule="L-3", text=bound))
    )
    again = follow(found, replace(trade, origin_ms=NOW - 90_000), facts, POLICY)
    assert again.trade.origin_ms == NOW - 90_000


@both
@pytest.mark.rule("E-9", "S-10", "T-1")
def test_both_targets_pass_with_the_order_on_the_tick(side: Side) -> None:
    """While nothing is held the newer targets are simply the trade's, rounded toward the entry."""
    plan = newer(side, {"tp1": "92000"}, id="d1", timestamp_ms=NOW - 5000)
    trade = trade_of(side, decision=plan, limit_price=D(90800), tp1=mirrored(side, "92000"))
    chosen = newer(side, {"tp1": "92100.05", "tp2": "93000.05"})
    orders = (own("S1", side), own("E1", side, price=D(90800)))
    found = world(orders=orders, decision=in_force(chosen))
    after = follow(found, trade, assess(found, trade, POLICY), POLICY).trade
    assert after.decision is chosen
    assert (after.tp1, after.tp2) == (mirrored(side, "92100"), mirrored(side, "93000"))


@both
@pytest.mark.rule("E-9", "L-3", "P-9")
def test_how_a_position_is_guided(side: Side) -> None:
    """What is held is told; owner and plan stay; targets and zone follow, each with a note."""
    chosen = newer(side, {"tp1": "91700"})
    found, trade, facts = holding(side, chosen)
    found = replace(found, decision=in_force(chosen, zone=ZONE))
    after = follow(found, trade, facts, POLICY)
    assert after.trade == replace(trade, guide=chosen, tp1=mirrored(side, "91700"), zone=ZONE)
    old, new = trade.tp1, mirrored(side, "91700")
    assert [f"{note.rule} {note.text}" for note in after.notes] == [
        "E-9 the decision of 2025-12-05T10:05:05.000Z guides 0.013 from now on",
        f"E-9 tp1 {old} -> {new}, as the newer decision says",
        "L-3 liquidation zone cluster_1 is bound to [91500, 91650], by the decision of 2025-12-05T10:05:05.000Z",
    ]


@both
@pytest.mark.rule("E-9")
def test_nothing_is_taken_from_what_waits_or_replaces(side: Side) -> None:
    """The trade stays as it is, and nothing is noted here."""
    found, trade, facts = waiting(side, newer(side))
    for each in (
        replace(found, decision=None),
        replace(found, instrument=None),
        replace(found, balance=None),
        replace(found, decision=in_force(newer(side, {"stop": "90381"}), zone=ZONE)),
    ):
        assert follow(each, trade, facts, POLICY) == Followed(trade=trade)


@pytest.mark.rule("E-9", "Y-3")
def test_a_partly_filled_trade_is_guided_by_what_is_left_of_it() -> None:
    """0.005 of 0.013 are held, and that is what is told."""
    entry = own("E1", filled_quantity=D("0.005"))
    chosen = newer(Side.BUY)
    found, trade, _ = holding(
        Side.BUY,
        chosen,
        orders=(own("S1"), entry),
        fills=(lot(entry, "0.005", time_ms=BEFORE),),
        position=position("0.005"),
    )
    after = follow(found, trade, assess(found, trade, POLICY), POLICY)
    assert [note.text for note in after.notes] == [
        "the decision of 2025-12-05T10:05:05.000Z guides 0.005 from now on"
    ]
