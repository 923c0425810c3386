"""Transfers from the income history, the wallet's reasons, and the request limits as one value (G-10, G-14)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.binance import samples
from tests.unit.binance.venue import Asked, PatientClock, Venue

from jumar.exchange.binance import BinanceExchange, frames, wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.events import events_of
from jumar.model.account import Transfer
from jumar.model.standing import Counter
from jumar.ports.exchange import BalanceEvent

PATH = "/fapi/v1/income"


def row(kind: str, amount: str, at_ms: int, number: int, asset: str = "USDT") -> dict[str, Any]:
    """A row of the income history."""
    return {
        "symbol": "" if kind.endswith("TRANSFER") else "BTCUSDT",
        "incomeType": kind,
        "income": amount,
        "asset": asset,
        "info": kind,
        "time": at_ms,
        "tranId": number,
        "tradeId": "",
    }


@pytest.mark.rule("G-10")
async def test_only_money_that_was_moved_is_a_transfer(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """Under any of its names; what trading earned and cost, gifts and other assets are left out; oldest first."""
    now = clock.now_ms()
    venue.route(
        "GET",
        PATH,
        [
            row("TRANSFER", "-0.375", now - 1, 7),
            row("REALIZED_PNL", "5", now, 7),
            row("COMMISSION", "-1", now, 8),
            row("FUNDING_FEE", "-1", now, 9),
            row("REFERRAL_KICKBACK", "1", now, 10),
            row("TRANSFER", "3", now, 11, asset="BNB"),
            row("INTERNAL_TRANSFER", "100", now - 5, 7),
        ],
    )
    assert await exchange.transfers(now - 1000) == (
        Transfer(id="INTERNAL_TRANSFER 7", amount=Decimal(100), time_ms=now - 5),
        Transfer(id="TRANSFER 7", amount=Decimal("-0.375"), time_ms=now - 1),
    )
    (asked,) = venue.requests("GET", PATH)
    assert int(asked.query["startTime"]) == now - 1000
    assert "incomeType" not in asked.query


@pytest.mark.rule("G-10")
async def test_a_full_page_of_income_hides_no_transfer(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """Commissions fill the page: the window is halved until each half fits."""
    start = clock.now_ms() - 10_000
    rows = [row("COMMISSION", "-1", start + number * 4, number) for number in range(1500)]
    rows.insert(900, row("TRANSFER", "-50", start + 3600, 1))

    def play(asked: Asked) -> list[dict[str, Any]]:
        first, last = int(asked.query["startTime"]), int(asked.query["endTime"])
        return [each for each in rows if first <= each["time"] <= last][-1000:]

    venue.route("GET", PATH, play)
    found = await exchange.transfers(start)
    assert [each.amount for each in found] == [-50]


@pytest.mark.rule("G-10")
@pytest.mark.parametrize(
    ("reason", "traded"),
    [("ORDER", True), ("FUNDING_FEE", True), ("DEPOSIT", False), ("WITHDRAW", False), ("", False)],
)
def test_the_wallets_event_says_whether_trading_changed_it(reason: str, *, traded: bool) -> None:
    """Everything else may be money that was moved, and makes the engine ask."""
    update = samples.ACCOUNT_UPDATE
    update = {**update, "a": {**update["a"], "m": reason}}
    message = frames.decode_frame(json.dumps(update))
    assert message is not None
    events = [each for each in events_of(message, "USDT") if isinstance(each, BalanceEvent)]
    assert [each.traded for each in events] == [traded]


# limits


def test_counters_and_limits_become_one_value() -> None:
    """Used from headers, limits from exchangeInfo; a window whose limit was never told has none."""
    budget = Budget()
    budget.read_headers(
        {"X-MBX-USED-WEIGHT-1M": "40", "X-MBX-ORDER-COUNT-10S": "2", "x-mbx-order-count-1h": "9"},
        1000,
    )
    budget.read_limits(
        [
            wire.RateLimit("REQUEST_WEIGHT", "MINUTE", 1, limit=2400),
            wire.RateLimit("ORDERS", "SECOND", 10, limit=300),
        ]
    )
    budget.heard(429, None, 1000, wait_s=7)
    told = budget.value()
    assert told.orders == (
        Counter(name="10s", window_ms=10_000, used=2, limit=300, at_ms=1000),
        Counter(name="1h", window_ms=3_600_000, used=9, limit=None, at_ms=1000),
    )
    assert told.reads == (Counter(name="1m", window_ms=60_000, used=40, limit=2400, at_ms=1000),)
    assert told.silent_until_ms == 8000


def test_an_answer_of_the_socket_tells_counts_and_limits() -> None:
    """Its own weight beside that of REST; each counter has its own time."""
    budget = Budget()
    budget.read_headers({"X-MBX-USED-WEIGHT-1M": "40"}, 1000)
    rows = [
        wire.RateLimit("REQUEST_WEIGHT", "MINUTE", 1, limit=6000, count=7),
        wire.RateLimit("ORDERS", "MINUTE", 1, limit=1200, count=3),
    ]
    budget.read_rate_limits(rows, 2000)
    told = budget.value()
    assert [(each.used, each.limit, each.at_ms) for each in told.reads] == [
        (40, 6000, 1000),
        (7, 6000, 2000),
    ]
    assert [(each.name, each.used, each.limit) for each in told.orders] == [("1m", 3, 1200)]


@pytest.mark.rule("G-14", "W-3")
async def test_the_limits_of_exchange_info_are_heeded(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Whoever reads the filters again has the newest limits too."""
    limits = [{"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200}]
    info = {"symbols": [samples.SYMBOL_INFO], "rateLimits": limits}
    venue.route("GET", "/fapi/v1/exchangeInfo", info)
    exchange._book.invalidate()
    await exchange.instruments()
    exchange.counters.read_headers({"X-MBX-ORDER-COUNT-1M": "5"}, 1000)
    assert [(each.used, each.limit) for each in exchange.budget().orders] == [(5, 1200)]
