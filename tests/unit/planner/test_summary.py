"""What a finished trade was: fees, funding, time without a stop; and how long its end waits for the funding."""

from dataclasses import replace

import pytest
from tests.worlds import NOW, D, Storyboard, opened

from jumar.model.funding import FundingPayment
from jumar.model.order import Role, Side
from jumar.model.trade import TradeSummary
from jumar.planner.summary import summarize

BOTH = pytest.mark.parametrize("side", list(Side))


def paid(amount: str) -> tuple[FundingPayment, ...]:
    """One payment, a moment after the entry."""
    return (FundingPayment(payment_id=1, amount=D(amount), time_ms=NOW + 10),)


def home(side: Side = Side.BUY) -> Storyboard:
    """Both targets have filled; nothing has been looked at since."""
    tp1, tp2 = ("91600", "92900") if side is Side.BUY else ("90000", "88700")
    story = opened(side).later(1000).mark(tp1).trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", tp1).run(3)
    story.later(6000).mark(tp2).trigger(Role.TP2)
    return story.fill(Role.TP2, "0.007", tp2)


def of(story: Storyboard) -> TradeSummary:
    """The summary as it would be now."""
    found = summarize(story.world, story.trade)
    assert found is not None
    return found


@pytest.mark.rule("T-4")
@BOTH
@pytest.mark.parametrize("amount", ["-5.2858", "5.2858"])
def test_funding_counts_in_the_net_result(side: Side, amount: str) -> None:
    """5.2858 USDT are one R of 0.013 with a stop 406.6 away; gross is without fees and funding."""
    story = home(side)
    before = of(story)
    story.world = replace(story.world, funding=paid(amount))
    after = of(story)
    assert (before.funding, after.funding) == (D(0), D(amount))
    assert after.r_gross == before.r_gross
    assert after.r_net - before.r_net == D(1 if D(amount) > 0 else -1)
    assert after.net == after.realized_pnl - after.fees + D(amount)


@pytest.mark.rule("T-4")
def test_funding_that_is_not_known_is_no_zero() -> None:
    """It is left out of the net result, and stays None."""
    story = home()
    story.world = replace(story.world, funding=None)
    found = of(story)
    assert found.funding is None
    assert found.net == found.realized_pnl - found.fees


@pytest.mark.rule("T-4")
@pytest.mark.parametrize(("waited_ms", "ends"), [(9999, False), (10_000, True)])
def test_the_end_waits_a_little_for_the_funding(waited_ms: int, ends: bool) -> None:
    """Swept and proven flat: ten seconds at most, then the trade ends without it."""
    story = home()
    story.world = replace(story.world, funding=None)
    story.run(3)
    assert story.alive() == {}
    flat_ms = story.trade.proven_flat_ms
    assert flat_ms is not None
    story.later(waited_ms - (story.world.now_ms - flat_ms))
    planned = story.tick()
    assert planned.trade is not None
    assert (planned.trade.ended_ms is not None) is ends


@pytest.mark.rule("T-4")
def test_the_end_comes_as_soon_as_the_funding_is_known() -> None:
    """Nothing else is waited for."""
    story = home()
    story.world = replace(story.world, funding=None)
    story.run(3)
    story.world = replace(story.world, funding=())
    planned = story.tick()
    assert planned.trade is not None
    assert planned.trade.ended_ms is not None


@pytest.mark.rule("T-4", "P-1")
def test_the_time_without_a_stop_is_counted_look_by_look() -> None:
    """From the look that finds the position bare to the one that finds it covered; it is part of the trade."""
    story = opened().later(1000)
    assert story.trade.unprotected_ms == 0
    story.bare(-4045)
    story.run(1)
    assert story.trade.unprotected_ms == 0
    story.later(700).run(1)
    assert story.trade.unprotected_ms == 700
    story.refuse.clear()
    story.later(300).run(1)
    assert story.trade.unprotected_ms == 1000
    story.later(5000).run(2)
    assert of(story).unprotected_ms == story.trade.unprotected_ms == 6000
    story.later(5000).run(2)
    assert story.trade.unprotected_ms == 6000


@pytest.mark.rule("T-4")
def test_a_restart_keeps_the_time_that_was_counted() -> None:
    """The trade carries it; what passed while nobody looked is not known."""
    story = opened().later(1000)
    story.bare(-4045)
    story.run(1)
    story.later(700).run(1)
    story.world = replace(story.world, bare_ms=None, uncovered_ms=None)
    story.later(100).run(1)
    assert story.trade.unprotected_ms == 700
