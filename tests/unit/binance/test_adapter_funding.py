"""Funding by the income history: signed amounts, once each, of the symbol's position alone."""

from typing import Any

import pytest
from tests.unit.binance.venue import PatientClock, Venue, error

from jumar.exchange.binance import BinanceExchange
from jumar.exchange.binance.history import DAY_MS
from jumar.model.errors import VenueRefused, VenueUnavailable
from jumar.model.funding import FundingPayment
from jumar.model.units import ZERO

INCOME = "/fapi/v1/income"


def _row(number: int, at_ms: int, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "incomeType": "FUNDING_FEE",
        "income": "-0.37500000",
        "asset": "USDT",
        "info": "FUNDING_FEE",
        "time": at_ms,
        "tranId": number,
        "tradeId": "",
    } | changes


@pytest.mark.rule("T-3")
async def test_payments_are_read_signed_and_oldest_first(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """Paid is negative, received positive; the question names type, symbol and times."""
    now = clock.now_ms()
    rows = [_row(9689322392, now, income="0.1"), _row(9689322391, now - 10)]
    venue.route("GET", INCOME, rows)
    found = await exchange.funding("BTCUSDT", now - 1000)
    assert [(each.payment_id, str(each.amount)) for each in found] == [
        (9689322391, "-0.37500000"),
        (9689322392, "0.1"),
    ]
    assert isinstance(found[0], FundingPayment)
    (asked,) = venue.requests("GET", INCOME)
    assert asked.query["incomeType"] == "FUNDING_FEE"
    assert (asked.query["symbol"], asked.query["startTime"]) == ("BTCUSDT", str(now - 1000))


@pytest.mark.rule("T-3")
@pytest.mark.parametrize(
    "other", [{"symbol": "ETHUSDT"}, {"incomeType": "COMMISSION"}, {"asset": "BNB"}]
)
async def test_other_income_is_not_funding(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, other: dict[str, str]
) -> None:
    """Another symbol, another kind, another asset: left out, whatever was asked for."""
    now = clock.now_ms()
    venue.route("GET", INCOME, [_row(1, now, **other), _row(2, now)])
    found = await exchange.funding("BTCUSDT", now - 1000)
    assert [each.payment_id for each in found] == [2]


@pytest.mark.rule("T-3", "X-6")
async def test_a_payment_told_by_two_windows_counts_once(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A long trade is asked for in windows of seven days."""
    now = clock.now_ms()
    venue.route("GET", INCOME, [_row(1, now)])
    found = await exchange.funding("BTCUSDT", now - 9 * DAY_MS)
    assert len(venue.requests("GET", INCOME)) == 2
    assert sum((each.amount for each in found), start=ZERO) == found[0].amount


@pytest.mark.rule("T-3")
async def test_what_cannot_be_read_is_raised(exchange: BinanceExchange, venue: Venue) -> None:
    """A refusal by its code, a broken row as unavailable: never an empty list."""
    venue.route("GET", INCOME, lambda _: error(400, -1130))
    with pytest.raises(VenueRefused):
        await exchange.funding("BTCUSDT", 0)
    venue.route("GET", INCOME, [_row(1, 5, income="much")])
    with pytest.raises(VenueUnavailable):
        await exchange.funding("BTCUSDT", exchange._clock.now_ms() - 5)
