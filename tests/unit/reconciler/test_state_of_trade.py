"""What a symbol's loop remembers of the open trade alone: its best mark, its funding, its time without a stop."""

from dataclasses import replace

import pytest
from tests.unit.reconciler.test_state import adopted, reads, state, stop
from tests.worlds import NOW, D

from jumar.model.order import Fill, OrderType, Role, Side
from jumar.ports.exchange import MarkEvent
from jumar.reconciler.state import SymbolState


def first_fill(at_ms: int = NOW, side: Side = Side.BUY) -> Fill:
    """An execution of the entry of `adopted`'s key."""
    return Fill(
        symbol="BTCUSDT",
        trade_id=77,
        venue_order_id="5",
        client_id="jm-abcdefghij-E1",
        side=side,
        price=D(90800),
        quantity=D("0.010"),
        maker=True,
        fee=D(0),
        fee_asset="USDT",
        realized_pnl=D(0),
        time_ms=at_ms,
    )


def entered(side: Side = Side.BUY) -> SymbolState:
    """A trade with its entry at the venue, before the first fill; mark has been everywhere."""
    one = state()
    trade = replace(adopted(), side=side, adopted_price=None, adopted_quantity=D(0))
    one.set_trade(replace(trade, armed_ms=NOW - 1000))
    entry = stop("jm-abcdefghij-E1")
    request = replace(entry.request, role=Role.ENTRY, type=OrderType.LIMIT, trigger_price=None)
    request = replace(request, side=side)
    one.put(replace(entry, request=request), NOW)
    for price in (95000, 85000, 90800):
        one.apply(MarkEvent(symbol="BTCUSDT", mark=D(price), at_ms=NOW - 10), NOW)
    return one


@pytest.mark.rule("R-5")
@pytest.mark.parametrize("side", list(Side))
def test_the_best_mark_begins_with_the_first_fill(side: Side) -> None:
    """What was before it does not count; from then on the best one does, for either side."""
    one = entered(side)
    assert one.world(NOW).best_mark is None
    one.saw_fill(first_fill(side=side))
    assert one.world(NOW).best_mark == D(90800)
    for price in (91000, 90500):
        one.apply(MarkEvent(symbol="BTCUSDT", mark=D(price), at_ms=NOW + 1), NOW + 1)
    assert one.world(NOW).best_mark == (D(91000) if side is Side.BUY else D(90500))
    one.end_trade("abcdefghij", filled_ms=NOW, ended_ms=NOW + 2)
    assert one.world(NOW + 2).best_mark is None


@pytest.mark.rule("R-5", "Y-1")
def test_the_best_mark_of_an_adopted_position_begins_with_its_adoption() -> None:
    """There is no first fill of ours."""
    one = state()
    one.apply(MarkEvent(symbol="BTCUSDT", mark=D(95000), at_ms=NOW - 10), NOW)
    one.apply(MarkEvent(symbol="BTCUSDT", mark=D(90800), at_ms=NOW - 5), NOW)
    one.set_trade(adopted())
    assert one.world(NOW).best_mark == D(90800)


@pytest.mark.rule("T-4")
def test_the_funding_of_a_trade_is_known_where_no_funding_time_has_passed() -> None:
    """The mark stream tells the next one; after it the payments are to be read, and only while something is held."""
    one = entered()
    at_ms = NOW + 60_000
    told = MarkEvent(symbol="BTCUSDT", mark=D(90800), at_ms=NOW, next_funding_ms=at_ms)
    one.apply(told, NOW)
    assert one.world(NOW).funding is None
    one.saw_fill(first_fill())
    assert one.world(NOW).funding == ()
    assert one.world(at_ms).funding is None
    assert [name for name, _ in reads(one)._due(at_ms + 6000, entry_wanted=False)].count("funding")
    assert "funding" not in [name for name, _ in reads(one)._due(NOW, entry_wanted=False)]


@pytest.mark.rule("T-4")
def test_bare_time_goes_on_while_the_venue_is_out_of_reach() -> None:
    """The deadline of S-7 is not counted then; the time without a stop is."""
    one = state()
    one.saw_cover(uncovered=True, now_ms=NOW)
    assert (one.world(NOW).uncovered_ms, one.world(NOW).bare_ms) == (None, NOW)
    one.saw_cover(uncovered=True, now_ms=NOW + 5)
    assert one.world(NOW + 5).bare_ms == NOW + 5
    one.saw_cover(uncovered=False, now_ms=NOW + 9)
    assert one.world(NOW + 9).bare_ms is None
