"""The tape: bars, trades and the rolling day of one symbol, within bounds."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.unit.simulated.floor import step

from jumar.exchange.simulated.core import tape as module
from jumar.exchange.simulated.core.candles import INTERVALS, Bar, next_ms, opens_ms
from jumar.exchange.simulated.core.market import Print
from jumar.exchange.simulated.core.tape import Tape

MINUTE = 60_000
DAY = 86_400_000
NOON = 1_764_936_000_000  # Friday, 2025-12-05 12:00 UTC


def exact(*numbers: int) -> tuple[Decimal, ...]:
    """Whole numbers as decimals."""
    return tuple(map(Decimal, numbers))


def trade(tape: Tape, at_ms: int, price: str, quantity: str = "1", side: str = "BUY") -> None:
    """A step with one public trade."""
    done = Print(price=Decimal(price), quantity=Decimal(quantity), taker_side=side)
    tape.add(replace(step(last=price), prints=(done,)), at_ms)


@pytest.fixture
def tape() -> Tape:
    """Three minutes: 100, 103, 99 · nothing · 101 (sold)."""
    tape = Tape()
    trade(tape, NOON, "100")
    trade(tape, NOON + 10_000, "103", "2")
    trade(tape, NOON + 59_999, "99", "3", "SELL")
    tape.add(step(last="99"), NOON + MINUTE)
    trade(tape, NOON + 2 * MINUTE, "101", "4", "SELL")
    return tape


def test_a_minute_holds_its_prices_volumes_and_trades(tape: Tape) -> None:
    """Open, high, low, close, both volumes and both takers' volumes, trades and their first id."""
    bar = tape.bar("1m", NOON)
    assert (bar.open, bar.high, bar.low, bar.close) == exact(100, 103, 99, 99)
    assert (bar.volume, bar.quote) == exact(6, 100 + 206 + 297)
    assert (bar.taker_volume, bar.taker_quote) == exact(3, 306)
    assert (bar.trades, bar.first_id) == (3, 1)


def test_a_minute_without_a_trade_is_flat_at_the_close_before(tape: Tape) -> None:
    """No row is left out: the quiet minute repeats 99 with no volume."""
    rows = tape.bars("1m", start_ms=None, end_ms=NOON + 2 * MINUTE, limit=500)
    assert [close_ms - bar.open_ms for close_ms, bar in rows] == [59_999] * 3
    assert tuple(bar.close for _, bar in rows) == exact(99, 99, 101)
    quiet = rows[1][1]
    assert (quiet.open, quiet.high, quiet.low, quiet.volume) == exact(99, 99, 99, 0)
    assert quiet.trades == 0


def test_a_bar_begins_with_the_first_price_of_its_own_time(tape: Tape) -> None:
    """The third minute opens at its first trade, not at the close before."""
    assert tape.bar("1m", NOON + 2 * MINUTE).open == Decimal(101)


def test_a_last_price_without_a_trade_moves_a_bar_without_volume(tape: Tape) -> None:
    """A market that only sets prices has bars, too."""
    tape.add(step(last="105"), NOON + 2 * MINUTE + 1)
    bar = tape.bar("1m", NOON + 2 * MINUTE)
    assert (bar.high, bar.close, bar.volume) == exact(105, 105, 4)
    assert bar.trades == 1


def test_longer_bars_are_their_minutes_joined(tape: Tape) -> None:
    """Five minutes: first open, extremes, last close, sums."""
    bar = tape.bar("5m", NOON)
    assert (bar.open, bar.high, bar.low, bar.close) == exact(100, 103, 99, 101)
    assert (int(bar.volume), bar.trades, bar.first_id) == (10, 4, 1)


def test_a_start_gives_the_first_rows_and_an_end_the_last(tape: Tape) -> None:
    """Start and end bound the opening times, both included; a limit cuts at the right side."""

    def opened(start_ms: int | None, end_ms: int, limit: int = 500) -> list[int]:
        rows = tape.bars("1m", start_ms=start_ms, end_ms=end_ms, limit=limit)
        return [(bar.open_ms - NOON) // MINUTE for _, bar in rows]

    end = NOON + 2 * MINUTE
    assert opened(None, end, 2) == [1, 2]
    assert opened(0, end, 2) == [0, 1]
    assert opened(NOON + 1, end) == [1, 2]
    assert opened(NOON, NOON) == [0]
    assert opened(end + 1, end) == []
    assert opened(None, NOON - 1) == []


def test_an_empty_tape_has_no_rows() -> None:
    """Before the first step there is nothing to tell."""
    tape = Tape()
    assert tape.bars("1d", start_ms=None, end_ms=NOON, limit=5) == []
    assert tape.latest(5) == []


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_touch_and_hold_their_times(interval: str) -> None:
    """Every moment lies in exactly one bar, and the next bar begins where one ends."""
    open_ms = opens_ms(interval, NOON + 1)
    assert open_ms <= NOON < next_ms(interval, open_ms)
    for _ in range(40):
        following = next_ms(interval, open_ms)
        assert opens_ms(interval, following) == following
        assert opens_ms(interval, following - 1) == open_ms
        open_ms = following


def test_weeks_begin_on_monday_and_months_on_their_first_day() -> None:
    """2025-12-05 was a Friday."""
    assert (NOON - opens_ms("1w", NOON)) // DAY == 4
    assert (NOON - opens_ms("1M", NOON)) // DAY == 4
    first = opens_ms("1M", NOON)
    assert [(b - a) // DAY for a, b in pairwise([first, next_ms("1M", first)])] == [31]


def test_trades_have_consecutive_ids_and_their_times(tape: Tape) -> None:
    """The latest are told oldest first, all of them newest first."""
    assert [(t.trade_id, t.time_ms - NOON) for t in tape.latest(2)] == [(3, 59_999), (4, 120_000)]
    assert [t.trade_id for t in tape.trades()] == [4, 3, 2, 1]
    assert [t.seller_took for t in tape.latest(9)] == [False, False, True, True]


def test_the_day_leaves_out_what_is_older(tape: Tape) -> None:
    """24 hours to the minute; afterwards it is flat at the last close."""
    assert tape.day(NOON + DAY - 1).trades == 4
    late = tape.day(NOON + DAY)
    assert (late.trades, int(late.open), int(late.high)) == (1, 101, 101)
    last = tape.day(NOON + 2 * DAY)
    assert (last.trades, int(last.open), int(last.close)) == (0, 101, 101)


def test_the_past_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old minutes and old trades are forgotten; what remains is unchanged."""
    monkeypatch.setattr(module, "MINUTES_KEPT", 10)
    monkeypatch.setattr(module, "MINUTES_SLACK", 5)
    monkeypatch.setattr(module, "TRADES_KEPT", 8)
    tape = Tape()
    for minute in range(100):
        trade(tape, NOON + minute * MINUTE, str(100 + minute))
    assert len(tape._past) <= 15
    rows = tape.bars("1m", start_ms=None, end_ms=NOON + 99 * MINUTE, limit=10)
    assert [int(bar.open) for _, bar in rows] == list(range(190, 200))
    assert [t.trade_id for t in tape.latest(50)] == list(range(93, 101))


def test_a_bar_comes_back_from_its_text_as_it_was() -> None:
    """Every field, to the last digit and zero."""
    bar = Bar.flat(NOON, Decimal("100.10"))
    for number, name in enumerate(Bar.__slots__[1:-2]):
        setattr(bar, name, Decimal(f"{number}.10"))
    bar.trades, bar.first_id = 7, 12_345
    assert Bar.read(bar.written()) == bar
    assert repr(Bar.read(bar.written())) == repr(bar)
    assert Bar.written_open_ms(bar.written()) == NOON


def test_what_was_asked_before_does_not_change_what_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tape that is asked all the time tells the same as one that was never asked, also when it forgets."""
    monkeypatch.setattr(module, "MINUTES_KEPT", 100)
    monkeypatch.setattr(module, "MINUTES_SLACK", 40)
    monkeypatch.setattr(module, "WHOLES_KEPT", 3)
    asked = Tape()
    for minute in range(400):
        at_ms = NOON + minute * MINUTE
        trade(asked, at_ms, str(100 + minute * 7 % 31))
        hour_ms = opens_ms("1h", at_ms)
        hours_ms = (hour_ms, hour_ms - 60 * MINUTE)
        said = [asked.day(at_ms), *(asked.bar("1h", each_ms) for each_ms in hours_ms)]
        if minute % 57 == 0:
            fresh = Tape()
            for earlier in range(minute + 1):
                trade(fresh, NOON + earlier * MINUTE, str(100 + earlier * 7 % 31))
            assert said == [fresh.day(at_ms), *(fresh.bar("1h", each_ms) for each_ms in hours_ms)]
