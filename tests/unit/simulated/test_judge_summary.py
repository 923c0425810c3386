"""The judge's figures, and what it refuses to judge."""

import json
from decimal import Decimal

import pytest
from tests.unit.simulated.judge_ledger import GROUP, OTHER, Fields, Placed, Story

from jumar.exchange.simulated.judge import LedgerError, judge


def position() -> tuple[Story, Placed]:
    """A covered long of ten."""
    story = Story()
    stop = story.stop(f"{GROUP}-S1", "SELL", "10", "49000")
    story.enter("10")
    return story, stop


def exits(verdict: Fields) -> Fields:
    """The exits that were counted."""
    return {name: count for name, count in verdict["exits"].items() if count}


def test_an_empty_ledger_has_figures_and_no_promises() -> None:
    """Nothing happened, nothing was checked, nothing is promised."""
    verdict = judge([])
    assert verdict["promises"] == {}
    assert verdict["checks"] == {"P-1": 0, "P-2": 0, "P-4": 0, "P-5": 0, "P-8": 0}
    assert (verdict["trades"], verdict["pnl_usdt"], verdict["violations"]) == (0, "0", [])


def test_a_trade_home_by_both_targets() -> None:
    """Each target is one exit, at its first fill and once, however many crumbs."""
    story, stop = position()
    first = story.stop(f"{GROUP}-P1", "SELL", "5", "51000", kind="TAKE_PROFIT_MARKET")
    second = story.stop(f"{GROUP}-Q1", "SELL", "5", "52000", kind="TAKE_PROFIT_MARKET")
    child = story.wait(10).trigger(first)
    story.fill(child, "2", "3", realized="2.5", fee="0.1")
    story.finish(first)
    story.wait(10).execute(second, realized="10")
    story.wait(10).cancel(stop)
    verdict = story.verdict()
    assert exits(verdict) == {"tp1": 1, "tp2": 1}
    assert (verdict["trades"], verdict["entries_armed"], verdict["entries_filled"]) == (1, 1, 1)
    assert (verdict["orders_sent"], verdict["initial_stop_outs"]) == (4, 0)
    assert Decimal(verdict["pnl_usdt"]) == Decimal("14.8")
    assert verdict["promises"] == dict.fromkeys(["P-1", "P-2", "P-4", "P-5", "P-8"], True)


@pytest.mark.parametrize(("quantity", "name"), [("10", "stop"), (None, "backstop")])
def test_a_stop_before_any_target_is_an_initial_stop_out(quantity: str | None, name: str) -> None:
    """Working stop or backstop, the trade ended at its initial risk."""
    story = Story()
    story.enter("10")
    stop = story.stop(f"{GROUP}-{'S1' if quantity else 'B1'}", "SELL", quantity, "49000")
    story.execute(stop)
    verdict = story.verdict()
    assert exits(verdict) == {name: 1}
    assert verdict["initial_stop_outs"] == 1


def test_a_stop_after_the_first_target_is_no_initial_stop_out() -> None:
    """From TP1 on the stop carries the profit home."""
    story, stop = position()
    story.execute(story.stop(f"{GROUP}-P1", "SELL", "5", "51000", kind="TAKE_PROFIT_MARKET"))
    story.execute(stop)
    verdict = story.verdict()
    assert exits(verdict) == {"tp1": 1, "stop": 1}
    assert verdict["initial_stop_outs"] == 0


@pytest.mark.parametrize(("role", "name"), [("X", "emergency"), ("L", "liq_zone")])
def test_other_exits_are_counted_by_their_role(role: str, name: str) -> None:
    """A full exit is an emergency as far as the ledger can tell; several slices are one exit."""
    story, _ = position()
    for number in (1, 2):
        slice_ = story.order(f"{GROUP}-{role}{number}", "SELL", "5", reduce_only=True)
        story.fill(slice_, "5")
    assert exits(story.verdict()) == {name: 1}


def test_a_group_is_armed_once_and_only_while_flat() -> None:
    """Arming again, or moving a stop of a position, arms no further entry."""
    story, _ = position()
    story.stop(f"{GROUP}-S2", "SELL", "10", "49500")
    story.stop(f"{OTHER}-S1", "SELL", "10", "49500")
    assert story.verdict()["entries_armed"] == 1
    story.leave()
    story.stop(f"{OTHER}-S2", "SELL", "10", "49500")
    story.stop(f"{OTHER}-S3", "SELL", "10", "49500")
    assert story.verdict()["entries_armed"] == 2


def test_a_reversal_is_an_end_and_a_beginning() -> None:
    """One fill through zero ends a trade and begins another."""
    story, _ = position()
    story.enter("15", client_id=f"{OTHER}-E1", side="SELL")
    assert story.verdict()["trades"] == 2


def test_an_exit_that_reverses_counts_for_the_trade_it_ended() -> None:
    """The same role in the next trade is an exit of its own."""
    story, _ = position()
    reversing = story.order(f"{GROUP}-X1", "SELL", "12", kind="MARKET")
    story.fill(reversing, "12")
    story.leave(f"{GROUP}-X2")
    assert exits(story.verdict()) == {"emergency": 2}


def test_an_order_that_was_never_accepted_was_not_sent() -> None:
    """A first record that already says REJECTED is no accepted order."""
    story = Story()
    refused = story.order(f"{GROUP}-E1", "BUY", "10")
    story.records.pop()
    story.cancel(refused, "market", "REJECTED")
    assert story.verdict()["orders_sent"] == 0


def test_the_verdict_is_plain_json_and_always_the_same() -> None:
    """Two readings of one ledger are equal to the byte."""
    story, _ = position()
    story.enter("10", client_id=f"{GROUP}-E2")
    story.wait(20_000)
    first, second = (json.dumps(story.verdict(story.t)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        pytest.param("seq", 99, "records are missing", id="gap"),
        pytest.param("t", 5, "runs backwards", id="time"),
        pytest.param("kind", "rumour", "unknown kind 'rumour'", id="kind"),
        pytest.param("quantity", 0.5, "must be decimal text", id="binary number"),
        pytest.param("quantity", "NaN", "must be decimal text", id="not a number"),
        pytest.param("side", "LONG", "BUY or SELL", id="side"),
        pytest.param("reduce_only", "true", "must be true or false", id="flag"),
        pytest.param("order_id", "7", "must be an integer", id="id"),
        pytest.param("client_id", None, "must be text", id="text"),
        pytest.param("parent_algo_id", 77, "has no record", id="parent"),
    ],
)
def test_a_malformed_record_is_refused_by_number_and_field(
    field: str, value: object, message: str
) -> None:
    """The judge says which record it cannot read, and why; it never guesses."""
    story = Story()
    story.order(f"{GROUP}-E1", "BUY", "10")
    story.records[-1][field] = value
    with pytest.raises(LedgerError, match=message):
        story.verdict()


def test_a_missing_field_is_refused() -> None:
    """An absent field is named."""
    story = Story()
    story.order(f"{GROUP}-E1", "BUY", "10")
    del story.records[-1]["by"]
    with pytest.raises(LedgerError, match=r"record 3 \(order\): field 'by' is missing"):
        story.verdict()


def test_a_position_that_its_fills_do_not_explain_is_refused() -> None:
    """The ledger must agree with itself before it can speak against anybody."""
    story = Story()
    story.enter("10")
    next(r for r in story.records if r["kind"] == "position")["quantity"] = "9"
    with pytest.raises(LedgerError, match="its fills sum to 10"):
        story.verdict()


def test_a_fill_of_an_order_that_never_was_is_refused() -> None:
    """Every fill needs its order's record, before or after it."""
    story = Story()
    story.enter("10")
    records = [r for r in story.records if r["kind"] != "order"]
    with pytest.raises(LedgerError, match="has no record of its own"):
        judge([{**r, "seq": seq} for seq, r in enumerate(records, start=1)])


def test_a_fill_of_nothing_is_refused() -> None:
    """A fill without a quantity is not an execution."""
    story = Story()
    entry = story.order(f"{GROUP}-E1", "BUY", "10")
    story.fill(entry, "0")
    with pytest.raises(LedgerError, match="must not be zero"):
        story.verdict()
