"""E-9: a newer decision of the same side while nothing has filled: who owns the order."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import (
    SIDES,
    armed,
    mirrored,
    newer,
    told,
)
from tests.worlds import (
    D,
    decision,
    places,
)

from jumar.model.account import Balance
from jumar.model.order import Role, Side

# nothing has filled: the order passes


@SIDES
@pytest.mark.rule("E-9", "P-4")
def test_the_order_passes_to_a_newer_decision_of_the_same_plan(side: Side) -> None:
    """Nothing is sent; the trade keeps its key and is the newer decision's from then on."""
    board = armed(side)
    key, chosen = board.trade.key, newer(board, side)
    (note,) = told(board, chosen)
    assert note.startswith("E-9 0.013 at ")
    assert "passes from the decision of 2025-12-05T10:05:00" in note
    assert board.trade.key == key
    assert board.trade.decision is chosen
    assert board.trade.origin_ms == decision().timestamp_ms
    assert board.run(2) == []
    assert set(board.alive()) == {"E1", "S1"}
    board.later(5000)
    last = newer(board, side)
    told(board, last)
    assert board.trade.decision is last
    assert board.trade.origin_ms == decision().timestamp_ms


@SIDES
@pytest.mark.rule("E-9", "T-1")
def test_targets_of_the_newer_decision_count_when_the_order_has_passed(side: Side) -> None:
    """TP2 is no part of the plan that must be the same: it is where the newest decision has it."""
    board = armed(side)
    told(board, newer(board, side, tp2="93000"))
    assert board.trade.tp2 == mirrored(side, "93000")
    board.fill(Role.ENTRY, "0.013", str(mirrored(side, "90786.6")))
    placed = [p.request.trigger_price for p in places(board.tick()) if p.request.role is Role.TP2]
    assert placed == [mirrored(side, "93000")]


@SIDES
@pytest.mark.rule("E-9")
@pytest.mark.parametrize(
    "changes",
    [
        {"stop": "90380.1"},
        {"stop": "90379.9"},
        {"low": "90702", "high": "90750"},
        {"high": "90700", "low": "90600"},
        {"tp1": "91598"},
    ],
    ids=["tighter", "looser", "price", "zone", "target"],
)
def test_another_plan_ends_the_trade_and_starts_anew(side: Side, changes: dict[str, str]) -> None:
    """Entry, then stop, are proven ended; then the newer decision arms under a key of its own."""
    board = armed(side)
    key, chosen = board.trade.key, newer(board, side, **changes)
    (note,) = told(board, chosen)
    assert note == "E-9 superseded by a newer decision that starts anew"
    assert board.trade.decision.id == "d1"
    assert set(board.alive()) == {"S1"}
    board.later(500).tick()
    assert not board.alive()
    board.run(4)
    assert board.trade.key != key
    assert board.trade.decision is chosen
    assert board.trade.origin_ms is None


@pytest.mark.rule("E-9", "E-3")
@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"notional": D(1200)}, True),
        ({"notional": D(1210)}, True),  # floored to the same quantity
        ({"notional": D(1300)}, False),
        ({"leverage": D("3.9")}, True),
        ({"leverage": D(2)}, False),
        ({"risk_checks": (("news_ok", False),)}, False),
        ({"risk_checks": None}, False),
        ({"confidence": D("0.1"), "reason": "other"}, True),
    ],
)
def test_quantity_and_leverage_belong_to_the_plan(
    changes: dict[str, object], *, passes: bool
) -> None:
    """Both rounded as they are used; one whose own checks say no starts anew, and is refused there."""
    board = armed()
    chosen = replace(newer(board), **changes)  # type: ignore[arg-type]  # a test states only what differs
    told(board, chosen)
    assert (board.trade.decision is chosen) is passes
    assert (board.trade.entry_over is None) is passes


@pytest.mark.rule("E-9", "G-8")
def test_the_margin_that_the_entry_itself_reserves_makes_no_other_plan() -> None:
    """What is available is judged as if the entry did not rest."""
    board = armed()
    money = board.world.balance
    assert money is not None
    reserved = D("0.013") * D("90786.6") / 3
    scarce = Balance(wallet=D(10000), equity=D(10000), available=D(433) - reserved)
    board.world = replace(board.world, balance=replace(money, value=scarce))
    chosen = newer(board)
    told(board, chosen)
    assert board.trade.decision is chosen


@pytest.mark.rule("E-9", "G-13")
@pytest.mark.parametrize("unread", ["balance", "instrument"])
def test_nothing_is_decided_before_all_is_read(unread: str) -> None:
    """After a restart the newer decision waits for the numbers; the entry does not rest meanwhile."""
    board = armed()
    known, chosen = board.world, newer(board)
    board.world = replace(board.world, **{unread: None})  # type: ignore[arg-type]  # one part of the world
    told(board, chosen)
    assert board.trade.decision.id == "d1"
    assert board.trade.entry_over is None
    assert "E1" not in board.alive()
    board.world = replace(board.world, balance=known.balance, instrument=known.instrument)
    board.tick()
    assert board.trade.decision is chosen


@pytest.mark.rule("E-9", "P-3")
def test_an_order_outside_the_newer_band_does_not_pass() -> None:
    """The planned price is the same; where the order was chased to, the newer band ends."""
    board = armed()
    (entry,) = [o for n, o in board.journal.items() if "-E1" in n]
    board.journal[entry.client_id] = replace(
        entry, request=replace(entry.request, price=D("90786.7"))
    )
    board._sync()
    told(board, newer(board))
    assert board.trade.entry_over is not None


@pytest.mark.rule("E-9", "D-3")
@pytest.mark.parametrize(("offset_ms", "passes"), [(5000, True), (5001, False)])
def test_only_a_fresh_decision_takes_over(offset_ms: int, *, passes: bool) -> None:
    """One too far ahead ends the trade as any other decision does."""
    board = armed()
    chosen = newer(board)
    told(board, replace(chosen, timestamp_ms=chosen.timestamp_ms + offset_ms))
    assert (board.trade.entry_over is None) is passes


@SIDES
@pytest.mark.rule("E-9", "Y-3")
def test_what_a_hand_holds_is_no_fill_of_ours(side: Side) -> None:
    """Somebody traded while the entry rested: the newer decision neither takes over nor guides, the entry ends."""
    board = armed(side)
    board.by_hand(side, "0.002")
    chosen = newer(board, side)
    assert "E-9 superseded by a newer decision that starts anew" in told(board, chosen)
    assert board.trade.decision.id == "d1"
    assert board.trade.guide is None


@pytest.mark.rule("E-9", "D-7")
@pytest.mark.parametrize(("by_ms", "follows"), [(0, True), (-1, False)])
def test_an_older_decision_is_never_followed(by_ms: int, *, follows: bool) -> None:
    """Whatever a restart finds in force: what the trade follows is at least as new."""
    board = armed()
    stamp = board.trade.decision.timestamp_ms + by_ms
    told(board, replace(newer(board), timestamp_ms=stamp))
    assert (board.trade.decision.id != "d1") is follows
    assert board.trade.entry_over is None


@pytest.mark.rule("E-9", "S-1")
def test_a_void_set_up_passes_to_nobody() -> None:
    """The armed stop was hit before the newer decision came: the older one is spent, not the newer."""
    board = armed()
    chosen = newer(board)
    board.trigger(Role.STOP)
    told(board, chosen)
    assert board.trade.voided == "stop_hit_before_entry"
    assert board.trade.decision.id == "d1"
