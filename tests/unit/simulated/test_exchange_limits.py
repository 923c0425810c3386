"""The limiter: what is held back, for how long, and what it costs to keep asking."""

import pytest
from tests.unit.simulated.floor import START_MS

from jumar.exchange.simulated.core.usage import (
    FIRST_BAN_MS,
    NO_ORDER,
    ORDER_LIMIT_1M,
    ORDER_LIMIT_10S,
    PATIENCE,
    WEIGHT_LIMIT,
    HeldBack,
    OrderCount,
    Usage,
)

MINUTE_MS = 60_000
BEGIN_MS = START_MS - START_MS % MINUTE_MS
ONE = (1, 1)
MOST_10S = (ORDER_LIMIT_10S, ORDER_LIMIT_10S)


@pytest.fixture
def usage() -> Usage:
    """A limiter that holds back, at the beginning of a minute."""
    return Usage(enforced=True)


def held(usage: Usage, now_ms: int, *, weight: int = 1, orders: OrderCount = NO_ORDER) -> HeldBack:
    """What is said to a request that must be held back."""
    answer = usage.held_back(weight, orders, now_ms)
    assert answer is not None
    return answer


def banned(usage: Usage, now_ms: int) -> int:
    """Ask until banned; the time of the ban's end."""
    usage.count(WEIGHT_LIMIT, NO_ORDER, now_ms)
    for _ in range(PATIENCE):
        assert held(usage, now_ms).refusal.status == 429
    refusal = held(usage, now_ms).refusal
    assert refusal.status == 418
    return int(refusal.message.partition("until ")[2].partition(".")[0])


def test_what_is_not_enforced_holds_nobody_back() -> None:
    """By default requests are counted and told, whatever their number."""
    usage = Usage()
    usage.count(10 * WEIGHT_LIMIT, (10 * ORDER_LIMIT_1M, 10 * ORDER_LIMIT_1M), BEGIN_MS)
    assert usage.held_back(1, ONE, BEGIN_MS) is None


def test_the_last_weight_of_a_minute_is_given_and_no_more(usage: Usage) -> None:
    """2400 pass; one more is 429 with -1003 and the seconds to the minute's end; then it passes."""
    usage.count(WEIGHT_LIMIT - 1, NO_ORDER, BEGIN_MS)
    assert usage.held_back(1, NO_ORDER, BEGIN_MS) is None
    assert held(usage, BEGIN_MS, weight=2).refusal.code == -1003
    refused = held(usage, BEGIN_MS + 500)
    assert (refused.refusal.status, refused.counts.retry_after_s) == (429, 60)
    assert refused.counts.headers["Retry-After"] == "60"
    assert usage.held_back(1, NO_ORDER, BEGIN_MS + MINUTE_MS) is None


def test_orders_have_a_limit_of_their_own(usage: Usage) -> None:
    """The 301st order in ten seconds is -1015 until these are over; reads still pass."""
    usage.count(0, MOST_10S, BEGIN_MS)
    refused = held(usage, BEGIN_MS + 2_000, weight=0, orders=ONE)
    assert (refused.refusal.status, refused.refusal.code) == (429, -1015)
    assert f"{ORDER_LIMIT_10S} orders" in refused.refusal.message
    assert refused.counts.retry_after_s == 8
    assert usage.held_back(1, NO_ORDER, BEGIN_MS + 2_000) is None
    assert usage.held_back(0, ONE, BEGIN_MS + 10_000) is None


def test_the_minute_limit_of_orders_waits_for_the_minute(usage: Usage) -> None:
    """1200 orders spread over forty seconds: the next waits for the minute's end."""
    for part in range(4):
        usage.count(0, MOST_10S, BEGIN_MS + part * 10_000)
    refused = held(usage, BEGIN_MS + 40_000, weight=0, orders=ONE)
    assert f"{ORDER_LIMIT_1M} orders" in refused.refusal.message
    assert refused.counts.retry_after_s == 20


def test_a_batch_that_would_exceed_is_held_back_whole(usage: Usage) -> None:
    """Five orders do not pass when four are left in the ten seconds; four do."""
    usage.count(0, (ORDER_LIMIT_10S - 4, 0), BEGIN_MS)
    assert usage.held_back(5, (5, 1), BEGIN_MS) is not None
    assert usage.held_back(5, (4, 1), BEGIN_MS) is None


def test_the_windows_of_orders_count_for_themselves(usage: Usage) -> None:
    """What costs five of the ten seconds' orders may cost one of the minute's."""
    usage.count(0, (0, ORDER_LIMIT_1M - 1), BEGIN_MS)
    assert usage.held_back(5, (5, 1), BEGIN_MS) is None
    counts = usage.count(5, (5, 1), BEGIN_MS)
    assert (counts.orders_10s, counts.orders_1m, counts.ordered) == (5, ORDER_LIMIT_1M, True)
    assert held(usage, BEGIN_MS, weight=0, orders=ONE).refusal.code == -1015


def test_who_keeps_asking_is_banned_and_each_ban_is_twice_as_long(usage: Usage) -> None:
    """After ten 429 comes 418 "IP banned until"; every request meets it until then, and the next doubles."""
    until_ms = banned(usage, BEGIN_MS)
    assert until_ms == BEGIN_MS + FIRST_BAN_MS
    late = held(usage, until_ms - 1, weight=0)
    assert (late.refusal.status, late.counts.retry_after_s) == (418, 1)
    assert usage.held_back(1, NO_ORDER, until_ms) is None
    assert banned(usage, until_ms) == until_ms + 2 * FIRST_BAN_MS


def test_impatience_with_the_order_limit_bans_nobody(usage: Usage) -> None:
    """Only request weight leads to a ban."""
    usage.count(0, MOST_10S, BEGIN_MS)
    statuses = {
        held(usage, BEGIN_MS, weight=0, orders=ONE).refusal.status for _ in range(3 * PATIENCE)
    }
    assert statuses == {429}
