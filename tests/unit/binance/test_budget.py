"""The budget: lanes that close one after another, silences and bans, counts that answers correct."""

import pytest

from jumar.exchange.binance.budget import FIRST_BAN_MS, LONGEST_BAN_MS, Budget
from jumar.exchange.binance.lanes import Cost, Lane
from jumar.exchange.binance.wire import ErrorBody, RateLimit

pytestmark = pytest.mark.rule("W-4")

MINUTE = 60_000
NOW = 29_415_000 * MINUTE + 1000
ONE, ORDER = Cost(1), Cost(0, 1)
LIMITS = [
    RateLimit("REQUEST_WEIGHT", "MINUTE", 1, limit=2400),
    RateLimit("ORDERS", "SECOND", 10, limit=300),
    RateLimit("ORDERS", "MINUTE", 1, limit=1200),
]
BELOW_PROTECT = [lane for lane in Lane if lane is not Lane.PROTECT]


def _budget(weight: int = 0) -> Budget:
    budget = Budget()
    budget.read_limits(LIMITS)
    if weight:
        budget.read_headers({"X-MBX-USED-WEIGHT-1M": str(weight)}, NOW)
    return budget


def _open(budget: Budget, cost: Cost, now_ms: int = NOW) -> list[Lane]:
    """Which lanes would send; nothing is counted that is kept back, and one weight hardly matters."""
    return [lane for lane in reversed(Lane) if budget.admit(lane, cost, now_ms) is None]


@pytest.mark.parametrize(
    ("used", "lanes"),
    [
        (2160 - 5, list(reversed(Lane))),
        (2160, [Lane.ENTRY, Lane.CANCEL, Lane.EXIT, Lane.PROTECT]),
        (2280, [Lane.CANCEL, Lane.EXIT, Lane.PROTECT]),
        (2376, [Lane.EXIT, Lane.PROTECT]),
        (2400, [Lane.PROTECT]),
        (99_999, [Lane.PROTECT]),
    ],
)
def test_lanes_close_from_the_least_to_the_one_that_protects(used: int, lanes: list[Lane]) -> None:
    """At 90, 95, 99 and 100 per cent of the weight one lane after another stops; what protects never does."""
    assert _open(_budget(used), ONE) == lanes


def test_a_lane_ends_exactly_at_its_share() -> None:
    """2160 of 2400 for reads: the last one that fits is sent, the next one says when it may be asked again."""
    budget = _budget(2155)
    assert budget.admit(Lane.READ, Cost(5), NOW) is None
    kept_back = budget.admit(Lane.READ, ONE, NOW)
    assert kept_back is not None
    assert "2160 of 2400 request weight" in kept_back.reason
    assert "read may use 2160" in kept_back.reason
    assert kept_back.retry_after_s == 59


def test_our_own_requests_count_before_any_answer() -> None:
    """A burst that has had no answer yet stops at 60 per cent: our own reads never use more, though nobody else asks."""
    budget = _budget()
    sent = sum(budget.admit(Lane.READ, Cost(5), NOW) is None for _ in range(1000))
    assert sent == 1440 // 5


def test_a_new_minute_begins_empty() -> None:
    """What the last window used is nothing in the next one."""
    budget = _budget(2400)
    assert budget.admit(Lane.READ, ONE, NOW) is not None
    assert budget.admit(Lane.READ, ONE, NOW + MINUTE) is None


def test_an_answer_corrects_the_count_both_ways() -> None:
    """Others behind the same address count; a count that was too high comes down again, never below our own."""
    budget = _budget(2150)
    assert budget.admit(Lane.READ, Cost(30), NOW) is not None
    budget.read_headers({"X-MBX-USED-WEIGHT-1M": "100"}, NOW)
    assert budget.admit(Lane.READ, Cost(1300), NOW) is None
    budget.read_headers({"X-MBX-USED-WEIGHT-1M": "7"}, NOW)  # an answer that was on its way
    assert budget.admit(Lane.READ, Cost(141), NOW) is not None


def test_an_answer_of_the_minute_before_corrects_nothing() -> None:
    """A request sent at the end of one minute and answered in the next tells a count that is over."""
    budget = _budget()
    end, begin = NOW - NOW % MINUTE - 10, NOW - NOW % MINUTE + 10
    budget.read_headers({"X-MBX-USED-WEIGHT-1M": "2300"}, begin, asked_ms=end)
    assert budget.admit(Lane.READ, ONE, begin) is None


def test_the_weight_of_the_socket_counts_too() -> None:
    """Whether the two counters are one is not certain: the higher one holds back."""
    budget = _budget(100)
    budget.read_rate_limits([RateLimit("REQUEST_WEIGHT", "MINUTE", 1, limit=2400, count=2160)], NOW)
    assert budget.admit(Lane.READ, ONE, NOW) is not None


def test_a_low_count_of_the_socket_hides_no_high_one_of_the_address() -> None:
    """Whichever was told last: others behind this address have used nearly all of it, until the minute is over."""
    budget = _budget(2300)
    budget.read_rate_limits([RateLimit("REQUEST_WEIGHT", "MINUTE", 1, limit=2400, count=5)], NOW)
    assert budget.admit(Lane.READ, ONE, NOW) is not None
    assert budget.admit(Lane.READ, ONE, NOW + MINUTE) is None


@pytest.mark.parametrize(("header", "ten", "lanes"), [
    ("X-MBX-ORDER-COUNT-10S", 180, [Lane.CANCEL, Lane.EXIT, Lane.PROTECT]),
    ("X-MBX-ORDER-COUNT-10S", 240, [Lane.PROTECT]),
    ("X-MBX-ORDER-COUNT-1M", 720, [Lane.CANCEL, Lane.EXIT, Lane.PROTECT]),
    ("X-MBX-ORDER-COUNT-1M", 960, [Lane.PROTECT]),
])  # fmt: skip
def test_orders_have_a_reserve_as_well(header: str, ten: int, lanes: list[Lane]) -> None:
    """Entries end at 60, exits at 80 per cent of either order limit; the rest is for protection."""
    budget = _budget()
    budget.read_headers({header: str(ten)}, NOW)
    assert _open(budget, ORDER) == lanes


def test_an_order_that_is_kept_back_counts_nowhere() -> None:
    """Neither in the other order window nor in the weight."""
    budget = _budget()
    budget.read_headers({"X-MBX-ORDER-COUNT-10S": "180"}, NOW)
    for _ in range(5000):
        assert budget.admit(Lane.ENTRY, Cost(1, 1), NOW) is not None
    assert _open(budget, Cost(1, 1), NOW + 10_000) == list(reversed(Lane))


def test_what_the_venue_has_not_told_holds_nothing_back() -> None:
    """Before exchangeInfo was read no limit is known."""
    budget = Budget()
    assert all(budget.admit(Lane.READ, Cost(500, 1), NOW) is None for _ in range(100))


def _wait_s(budget: Budget, now_ms: int, text: str = "", header_s: float | None = None) -> float:
    wait_s = budget.heard(429, ErrorBody(-1003, text), now_ms, header_s)
    assert wait_s is not None
    return wait_s


def test_a_429_silences_all_but_what_protects() -> None:
    """During the silence reads, entries, cancels and exits are kept back; afterwards nothing is."""
    budget = _budget()
    assert _wait_s(budget, NOW) == 2
    for cost in (ONE, ORDER):
        assert _open(budget, cost, NOW + 1999) == [Lane.PROTECT]
        assert _open(budget, cost, NOW + 2000) == list(reversed(Lane))
    assert budget.value().silent_until_ms == NOW + 2000


def test_the_header_comes_before_the_text_and_the_text_before_doubling() -> None:
    """Retry-After if sent, else the time in the text; a time that is over, or none, is no time."""
    text = f"Way too many requests; IP banned until {NOW + 9000}."
    assert _wait_s(_budget(), NOW, text, 7) == 7
    assert _wait_s(_budget(), NOW, text) == 9
    assert _wait_s(_budget(), NOW, f"IP banned until {NOW - 1}.") == 2
    assert _wait_s(_budget(), NOW, text, 0) == 9


def test_silences_double_to_a_minute_and_a_success_ends_that() -> None:
    """2, 4, 8, 16, 32, 60, 60 seconds for refusals that each follow a silence; after a success 2 again."""
    budget, now, waits = _budget(), NOW, []
    for _ in range(7):
        waits.append(_wait_s(budget, now))
        now = budget.silent_until_ms
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    budget.heard(200, None, now)
    assert _wait_s(budget, now) == 2


def test_one_storm_is_one_refusal() -> None:
    """Requests that were on their way together are refused together: the wait does not double for each."""
    budget = _budget()
    assert [_wait_s(budget, NOW) for _ in range(5)] == [2] * 5
    budget.heard(200, None, NOW)  # sent before the refusal: no sign that it is over
    assert _wait_s(budget, NOW + 2000) == 4


@pytest.mark.parametrize("code", [-1003, -1015, -9999])
def test_a_429_counts_whatever_its_code(code: int) -> None:
    """The order limiter's refusal asks for silence as well."""
    assert _budget().heard(429, ErrorBody(code), NOW) == 2


@pytest.mark.parametrize(("status", "code"), [(400, -1021), (500, -1003), (503, -1008)])
def test_other_refusals_silence_nobody(status: int, code: int) -> None:
    """Only the two statuses and a client error with the limiter's own code do."""
    budget = _budget()
    assert budget.heard(status, ErrorBody(code), NOW) is None
    assert _open(budget, ONE) == list(reversed(Lane))
    assert _budget().heard(400, ErrorBody(-1003), NOW) == 2


def test_a_418_stops_everything_and_says_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent, not even what protects, until the time; it stands in the log and in the budget's value."""
    budget = _budget()
    until_ms = NOW + 300_000
    assert budget.heard(418, ErrorBody(-1003, f"IP banned until {until_ms}."), NOW) == 300
    assert _open(budget, ONE, until_ms - 1) == []
    assert _open(budget, ORDER, until_ms - 1) == []
    assert _open(budget, ORDER, until_ms) == list(reversed(Lane))
    assert budget.value().silent_until_ms == until_ms
    assert "exchange_bans_this_address" in capsys.readouterr().out
    kept_back = budget.admit(Lane.PROTECT, ORDER, until_ms - 500)
    assert kept_back is not None and kept_back.retry_after_s == 0.5
    assert "banned until" in kept_back.reason


def test_a_ban_without_a_time_lasts_as_long_as_the_shortest() -> None:
    """And none lasts longer than the longest the venue knows, whatever a text says."""
    budget = _budget()
    assert budget.heard(418, None, NOW) == FIRST_BAN_MS / 1000
    far = ErrorBody(-1003, "IP banned until 9999999999999.")
    assert budget.heard(418, far, NOW) == LONGEST_BAN_MS / 1000
    assert budget.heard(418, None, NOW, 1.0) == LONGEST_BAN_MS / 1000  # it never gets shorter


class Common:
    """What all engines used, as a test says it; None: it cannot be had."""

    def __init__(self, used: int | None) -> None:
        self.used = used
        self.asked: list[tuple[int, int | None]] = []

    def take(self, weight: int, *, minute: int, known: int, ceiling: int | None) -> int | None:
        """Say it."""
        assert minute == NOW // MINUTE
        assert known >= 0
        self.asked.append((weight, ceiling))
        return self.used

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(("used", "fits"), [(None, True), (1435, True), (1436, False)])
def test_the_common_count_of_the_machine_closes_lanes(used: int | None, *, fits: bool) -> None:
    """Reads end where all engines together reach the share; without a common count our own one decides."""
    common = Common(used)
    budget = Budget(host=common)
    budget.read_limits(LIMITS)
    assert (budget.admit(Lane.READ, Cost(5), NOW) is None) == fits
    assert budget.admit(Lane.PROTECT, Cost(1), NOW) is None
    assert common.asked == [(5, 1440), (1, None)]
