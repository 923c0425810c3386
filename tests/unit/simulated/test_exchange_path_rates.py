"""Funding rates that the market's path brings with it: shown as the next one, paid as the last one."""

from dataclasses import replace
from decimal import Decimal

from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, at

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.core.treasury import FUNDING_MS

TO_FUNDING_MS = FUNDING_MS - START_MS % FUNDING_MS


def _with_rate(rate: str) -> MarketStep:
    return replace(at("90000.0"), funding_rate=Decimal(rate))


def _funded(floor: Floor) -> list[str]:
    return [row["income"] for row in floor.ok("GET", "income", incomeType="FUNDING_FEE")]


def test_the_rate_of_the_path_is_told_and_paid() -> None:
    """What the path said before the funding time is paid then, although the step at that time brings the next rate."""
    floor = Floor(terms=Terms(funding_rate=Decimal("0.0001")))
    floor.buy("0.010")
    floor.advance(_with_rate("0.0003"))
    assert floor.ok("GET", "premiumIndex", symbol=SYMBOL)["lastFundingRate"] == "0.00030000"
    floor.advance(_with_rate("-0.0007"), ms=TO_FUNDING_MS)
    assert _funded(floor) == ["-0.27"]
    assert floor.ok("GET", "premiumIndex", symbol=SYMBOL)["lastFundingRate"] == "-0.00070000"


def test_where_the_path_knows_no_rate_the_terms_hold() -> None:
    """From its beginning, and again once its rates have ended."""
    floor = Floor(terms=Terms(funding_rate=Decimal("0.0001")))
    floor.buy("0.010")
    floor.advance(at("90000.0"), ms=TO_FUNDING_MS)
    assert _funded(floor) == ["-0.09"]
    floor.advance(_with_rate("0.0003"))
    floor.advance(at("90000.0"))
    assert floor.ok("GET", "premiumIndex", symbol=SYMBOL)["lastFundingRate"] == "0.00010000"
    floor.advance(at("90000.0"), ms=FUNDING_MS)
    assert _funded(floor) == ["-0.09", "-0.09"]
