"""The history of funding rates, and the bars of the continuous contract: the same truth under other names."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor, at

from jumar.exchange.simulated.core.funding import ROWS_KEPT, no_fundings
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.core.treasury import FUNDING_MS

FIRST_MS = START_MS - START_MS % FUNDING_MS + FUNDING_MS
CONTINUOUS = {"pair": SYMBOL, "contractType": "PERPETUAL", "interval": "1m"}


@pytest.fixture
def funded() -> Floor:
    """Three fundings: at the terms' rate, at the path's, at the path's later one; each a second late."""
    floor = Floor(terms=Terms(funding_rate=Decimal("0.0001")))
    floor.advance(at("90000.0"), ms=FIRST_MS - START_MS + 1000)
    for price, rate in (("91000.0", "0.0003"), ("92000.0", "-0.0007")):
        floor.advance(replace(at(price), funding_rate=Decimal(rate)))
        floor.advance(at(price), ms=FUNDING_MS)
    return floor


def rates(floor: Floor, **params: str) -> list[dict[str, Any]]:
    """What GET fundingRate answers."""
    found: list[dict[str, Any]] = floor.ok("GET", "fundingRate", **params)
    return found


def test_every_funding_is_listed_with_its_rate_due_time_and_mark(funded: Floor) -> None:
    """Oldest first, whether a position was held or not."""
    assert rates(funded, symbol=SYMBOL) == [
        {
            "symbol": SYMBOL,
            "fundingRate": rate,
            "fundingTime": FIRST_MS + number * FUNDING_MS,
            "markPrice": mark,
            "rateType": "Regular",
        }
        for number, (rate, mark) in enumerate(
            [
                ("0.00010000", "90000.00000000"),
                ("0.00030000", "91000.00000000"),
                ("-0.00070000", "92000.00000000"),
            ]
        )
    ]
    assert rates(funded) == rates(funded, symbol=SYMBOL)
    assert rates(funded, symbol="ETHUSDT") == []


def test_times_and_limit_choose_rows(funded: Floor) -> None:
    """Both ends count; without times the latest rows come, with one the first ones."""
    first, second, third = rates(funded)
    middle = str(second["fundingTime"])
    assert rates(funded, startTime=middle, endTime=middle) == [second]
    assert rates(funded, limit="2") == [second, third]
    assert rates(funded, startTime=str(START_MS), limit="2") == [first, second]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "NOSUCH"}, -1121),
        ({"limit": "1001"}, -1130),
        ({"startTime": "2", "endTime": "1"}, -1023),
    ],
)
def test_what_cannot_be_asked_is_refused(funded: Floor, params: dict[str, str], code: int) -> None:
    """Symbol, limit, times."""
    assert funded.code("GET", "fundingRate", **params) == code


def test_the_history_is_bounded() -> None:
    """An exchange that runs for years keeps the newest rows."""
    assert no_fundings().maxlen == ROWS_KEPT


def test_no_symbol_has_funding_terms_of_its_own() -> None:
    """GET fundingInfo lists adjusted ones only."""
    assert Floor().ok("GET", "fundingInfo") == []


def test_the_continuous_contract_has_the_bars_of_the_perpetual(funded: Floor) -> None:
    """There is no other contract of the pair."""
    bars = funded.ok("GET", "klines", symbol=SYMBOL, interval="1m")
    assert bars and funded.ok("GET", "continuousKlines", **CONTINUOUS) == bars


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("pair", "NOSUCH", -1121),
        ("contractType", "CURRENT_QUARTER", -1130),
        ("interval", "7m", -1120),
        ("pair", "", -1102),
    ],
)
def test_another_contract_is_refused(name: str, value: str, code: int) -> None:
    """An unknown pair, a contract that does not exist, an odd interval, no pair."""
    assert Floor().code("GET", "continuousKlines", **{**CONTINUOUS, name: value}) == code
