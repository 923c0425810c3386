"""What a symbol counts for while its entry is partly filled, over, or of somebody else, at the edges; long and short."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, ended, held, lot, own, position, trade_of
from tests.worlds import BTC, POLICY, D, world

from jumar.model.order import OrderState, Side
from jumar.model.standing import Holding
from jumar.planner.holding import holding_of, loss_at_stop, planned_band, worst_entry

LONG, SHORT = Side.BUY, Side.SELL
sides = pytest.mark.parametrize("side", [LONG, SHORT])


@pytest.mark.rule("G-17")
@sides
def test_what_an_entry_that_is_over_left_unfilled_is_no_risk(side: Side) -> None:
    """0.005 of 0.013 were filled: they alone can lose; while the entry goes on, the rest can, too."""
    price = "90786.6" if side is LONG else "90813.4"
    entry = ended(own("E1", side), filled_quantity=D("0.005"))
    around = held(
        own("S1", side),
        side=side,
        orders=(entry, own("S1", side)),
        fills=(lot(entry, "0.005", price, time_ms=BEFORE),),
        position=position("0.005" if side is LONG else "-0.005"),
    )
    one = D("406.6") + (D(90380) if side is LONG else D(91220)) * D("0.0004")
    going_on = trade_of(side)
    over = replace(going_on, entry_over="it took too long")
    assert holding_of(replace(around, trade=going_on), going_on, POLICY).risk == one * D("0.013")
    assert holding_of(replace(around, trade=over), over, POLICY).risk == one * D("0.005")
    late = replace(around, trade=over, orders=(own("E1", side), own("S1", side)))
    assert holding_of(late, over, POLICY).risk == one * D("0.013")  # it is not known to be gone


@pytest.mark.rule("G-17")
@sides
def test_only_a_confirmed_stop_bounds_a_risk(side: Side) -> None:
    """A target is none, nor is a stop whose outcome is not known; a backstop is one."""
    trade = trade_of(side, entry_over="filled")
    one = D("406.6") + (D(90380) if side is LONG else D(91220)) * D("0.0004")
    price = "90786.6" if side is LONG else "90813.4"
    entry = ended(own("E1", side), filled_quantity=D("0.013"))
    unknown = replace(own("S1", side), state=OrderState.UNKNOWN, acked_ms=None)
    for orders, risk in (
        ((), None),
        ((own("P1", side),), None),
        ((unknown,), None),
        ((own("B1", side),), one * D("0.013")),
        ((unknown, own("B1", side)), one * D("0.013")),
    ):
        fills = (lot(entry, "0.013", price, time_ms=BEFORE),)
        around = held(side=side, orders=(entry, *orders), fills=fills, trade=trade)
        found = holding_of(around, trade, POLICY)
        assert found == Holding(symbol="BTCUSDT", occupied=True, risk=risk, conditional=6)


@pytest.mark.rule("G-17")
@pytest.mark.parametrize(
    ("side", "entry", "loss"),
    [
        # 20 and the fee of 36.152, for 2
        (LONG, "90400", "112.304"),
        (LONG, "90343.848", "0"),  # the fee is all that the stop had won
        (LONG, "90343.849", "0.002"),
        (SHORT, "91200", "112.976"),
        (SHORT, "91256.488", "0"),
        (SHORT, "91256.487", "0.002"),
    ],
)
def test_the_loss_at_the_stop_has_the_fee_in_it(side: Side, entry: str, loss: str) -> None:
    """Taker's fee of the stop's price included, and never below zero; without filters no fee is known."""
    trade = trade_of(side)
    assert loss_at_stop(world(), trade, D(2), D(entry)) == D(loss)
    bare = world(instrument=None)
    assert loss_at_stop(bare, trade, D(2), D(90400 if side is LONG else 91200)) == 40


@pytest.mark.rule("G-17", "P-2")
@sides
def test_the_tightest_stop_that_was_confirmed_counts(side: Side) -> None:
    """A ratchet price that is tighter than the initial stop; one that is looser changes nothing."""
    tighter, looser = (D(90500), D(90000)) if side is LONG else (D(91100), D(91600))
    entry = D(90800)
    for ratchet, stop in ((tighter, tighter), (looser, trade_of(side).initial_stop)):
        trade = trade_of(side, ratchet_price=ratchet)
        distance = abs(entry - stop) + stop * D("0.0004")
        assert loss_at_stop(world(), trade, D(1), entry) == distance


@pytest.mark.rule("G-17")
@sides
def test_the_band_a_trade_was_planned_for_may_be_gone(side: Side) -> None:
    """Then its limit price is the worst that is known; with it, the band's end."""
    trade = trade_of(side, limit_price=D(90750) if side is LONG else D(90850))
    band = planned_band(world(), trade, POLICY)
    assert band is not None
    worst = D("90786.6") if side is LONG else D("90813.4")
    assert (band.side, band.worst) == (side, worst)
    assert worst_entry(world(), trade, POLICY) == worst
    coarse = replace(BTC, tick_size=D(5000))
    assert planned_band(world(instrument=coarse), trade, POLICY) is None
    assert worst_entry(world(instrument=coarse), trade, POLICY) == trade.limit_price
