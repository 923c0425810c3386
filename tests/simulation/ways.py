"""The ways to a state worth disturbing, for both sides, and what stories ask at their end."""

from decimal import Decimal

import pytest
from tests.lives import LONG as LONG_ROAD
from tests.lives import SHORT as SHORT_ROAD
from tests.lives import Road
from tests.simulation.storyboard import LONG, Scene

from jumar.store import queries

__all__ = ["LONG_ROAD", "SHORT_ROAD", "Road"]

PROTECT_DEADLINE_MS = 3000
FLAT_MARGIN_MS = 2000

#: One story of each side, each under a seed of its own.
both_sides = pytest.mark.parametrize(
    ("road", "seed"),
    [pytest.param(LONG_ROAD, 1, id="long"), pytest.param(SHORT_ROAD, 2, id="short")],
)
twice = pytest.mark.parametrize("seed", [1, 2])


def into(road: Road) -> str:
    """The side that adds to the position."""
    return "BUY" if road.sign > 0 else "SELL"


def out_of(road: Road) -> str:
    """The side that takes from it."""
    return "SELL" if road.sign > 0 else "BUY"


def signed(road: Road, quantity: str) -> str:
    """A position of the road's side."""
    return str(Decimal(quantity) * road.sign)


# the ways there


def armed(s: Scene, road: Road = LONG_ROAD) -> None:
    """The entry rests behind its stop."""
    s.price_to(road.quiet)
    s.wait(1)
    s.decision(LONG, **road.decision)
    s.expect_armed()


def held(s: Scene, road: Road = LONG_ROAD) -> None:
    """The position is open behind stops and targets."""
    armed(s, road)
    s.price_to(road.enter)
    s.expect_held(signed(road, "0.013"))


def runner(s: Scene, road: Road = LONG_ROAD) -> Decimal:
    """TP1 has filled and the stop stands beyond the entry; returns where."""
    held(s, road)
    s.price_to(road.tp1)
    s.until("one stop beyond the entry", lambda: _beyond(s.book.stops(), road))
    s.expect_roles("BQS")
    return s.book.stops()[0]


def _beyond(stops: list[Decimal], road: Road) -> bool:
    return len(stops) == 1 and (stops[0] - road.average) * road.sign > 0


def reborn(s: Scene) -> None:
    """The engine dies, its database is lost, it begins again and protects within three ticks."""
    s.kill()
    s.lose_database()
    s.restart()
    s.expect_recovered()


# what is asked


def enters_no_second_time(s: Scene, road: Road = LONG_ROAD) -> None:
    """The price is where the spent decision would enter, and looked at: no entry follows."""
    s.price_to(road.quiet)
    s.expect_outcome("spent", "spent")
    s.expect_no_entry(for_ticks=3)


def result_is_true(s: Scene) -> None:
    """The trades' result is the sum of the exchange's own executions."""
    summaries = [r.summary for r in queries.trades(s.database) if r.summary is not None]
    fills = s.book.fills()
    told = sum(each.realized_pnl for each in summaries), sum(each.fees for each in summaries)
    true = (
        sum(Decimal(f["realized_pnl"]) for f in fills),
        sum(Decimal(f["fee"]) for f in fills),
    )
    assert told == true
