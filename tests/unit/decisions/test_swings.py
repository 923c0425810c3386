"""Swings found bar by bar: on bars made by hand, and never by looking ahead."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - a market of the test's own seed

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jumar.decisions.swings import MINUTE_MS, SwingFinder, confirmed_swings
from jumar.model.levels import Swing, SwingKind

START_MS = 1_764_892_800_000  # 2025-12-05T00:00:00Z
type Minute = tuple[int, Decimal, Decimal]


def minutes_of(prices: Sequence[int], *, length: int = 1, start_ms: int = START_MS) -> list[Minute]:
    """Minutes of bars whose lows are the prices and whose highs lie 10 above; every bar is flat inside."""
    return [
        (start_ms + (bar * length + minute) * MINUTE_MS, Decimal(price + 10), Decimal(price))
        for bar, price in enumerate(prices)
        for minute in range(length)
    ]


def found(
    minutes: Sequence[Minute], timeframe: str = "1m", **how: int
) -> list[tuple[str, int, int]]:
    """Kind, number of the bar and price of every swing, all minutes being over."""
    length_ms = {"1m": 1, "3m": 3, "15m": 15}[timeframe] * MINUTE_MS
    swings = confirmed_swings(minutes, timeframe, as_of_ms=10**15, **how)
    return [(s.kind.value, (s.time_ms - START_MS) // length_ms, int(s.price)) for s in swings]


@pytest.mark.rule("D-10")
def test_lows_and_highs_made_by_hand() -> None:
    """Lower than the two bars before and not above the two after; a high mirrors it."""
    assert found(minutes_of([50, 40, 30, 45, 60, 80, 70, 65])) == [
        ("low", 2, 30),
        ("high", 5, 90),
    ]
    assert found(minutes_of([50, 40, 30, 45])) == []
    assert found(minutes_of([40, 30, 45, 60])) == []


@pytest.mark.rule("D-10")
def test_of_equal_lows_the_first_is_the_swing() -> None:
    """A flat bottom is one swing, at its first bar."""
    assert found(minutes_of([50, 40, 30, 30, 45, 60, 61])) == [("low", 2, 30)]
    assert found(minutes_of([50, 60, 70, 70, 55, 40, 39])) == [("high", 2, 80)]
    assert found(minutes_of([50, 50, 50, 50, 50, 50])) == []


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    ("left", "right", "expected"), [(1, 1, 2), (1, 2, 0), (2, 1, 1), (3, 1, 1), (4, 1, 0)]
)
def test_how_many_bars_confirm_it(left: int, right: int, expected: int) -> None:
    """Each side counts for itself."""
    lows = [50, 40, 45, 38, 60]
    swings = found(minutes_of(lows), left=left, right=right)
    assert len([swing for swing in swings if swing[0] == "low"]) == expected


@pytest.mark.rule("D-10")
def test_bars_are_made_of_whole_minutes() -> None:
    """Resampled bars begin on multiples of their length; a beginning or an end that is not whole makes none."""
    whole = minutes_of([50, 40, 30, 45, 60], length=15)
    assert found(whole, "15m") == [("low", 2, 30)]
    assert found(whole[:-1], "15m") == []
    assert found(whole[1:], "15m") == []
    finder = SwingFinder("15m")
    for minute in whole[7:]:
        finder.add(*minute)
    assert finder.bars == 4


@pytest.mark.rule("D-10")
def test_extremes_inside_a_bar_count() -> None:
    """A resampled bar has the highest and the lowest of its minutes."""
    whole = minutes_of([50, 40, 30, 45, 60], length=3)
    time_ms, high, _ = whole[7]
    whole[7] = (time_ms, high, Decimal(22))
    assert found(whole, "3m") == [("low", 2, 22)]


@pytest.mark.rule("D-10")
def test_no_swing_reaches_over_a_missing_minute() -> None:
    """With a minute gone nobody knows how low it went: the bar is no bar, and its neighbours are none."""
    whole = minutes_of([50, 40, 30, 45, 60, 30, 65, 70], length=3)
    assert found(whole, "3m") == [("low", 2, 30), ("low", 5, 30)]
    gone = [minute for minute in whole if minute[0] != whole[10][0]]
    assert found(gone, "3m") == []
    assert found(gone, "3m", left=1, right=1) == [("low", 5, 30)]


@pytest.mark.rule("D-10")
def test_a_swing_is_told_when_its_last_bar_is_complete() -> None:
    """Not a millisecond before the second bar after it is over."""
    minutes = minutes_of([50, 40, 30, 45, 60])
    over_ms = START_MS + 5 * MINUTE_MS
    assert confirmed_swings(minutes, "1m", as_of_ms=over_ms - 1) == ()
    (swing,) = confirmed_swings(minutes, "1m", as_of_ms=over_ms)
    assert swing == Swing(
        timeframe="1m",
        kind=SwingKind.LOW,
        price=Decimal(30),
        time_ms=START_MS + 2 * MINUTE_MS,
        confirmed=True,
    )


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    ("timeframe", "left", "right", "says"),
    [
        ("7m", 2, 2, "use one of 1m, 3m, .*, 12h, 1d$"),
        ("1w", 2, 2, "use one of 1m, 3m"),
        ("15m", 0, 2, "a bar on either side"),
        ("15m", 2, 0, "a bar on either side"),
    ],
)
def test_what_cannot_be_found(timeframe: str, left: int, right: int, says: str) -> None:
    """What no swing can be made of is refused."""
    with pytest.raises(ValueError, match=says):
        SwingFinder(timeframe, left=left, right=right)
    assert SwingFinder("1d", left=1, right=1).swings == ()


@pytest.mark.parametrize("time_ms", [START_MS - MINUTE_MS, START_MS, START_MS + MINUTE_MS + 1])
def test_minutes_must_rise(time_ms: int) -> None:
    """An earlier minute, the same again, or half a minute is refused."""
    finder = SwingFinder("1m")
    finder.add(START_MS, Decimal(2), Decimal(1))
    with pytest.raises(ValueError, match="does not follow"):
        finder.add(time_ms, Decimal(2), Decimal(1))


@pytest.mark.rule("D-10")
def test_two_bars_on_either_side_are_usual() -> None:
    """One on one side is not enough, three are not needed."""
    for lows, expected in (([40, 30, 45, 60], 0), ([50, 40, 30, 45], 0), ([50, 40, 30, 45, 60], 1)):
        finder = SwingFinder("1m")
        for minute in minutes_of(lows):
            finder.add(*minute)
        assert len(finder.swings) == expected


def test_only_the_newest_are_kept() -> None:
    """The memory of a long run is bounded."""
    finder = SwingFinder("1m", kept=3)
    for minute in minutes_of([50, 40, 30, 40] * 10):
        finder.add(*minute)
    assert [s.kind.value for s in finder.swings].count("low") == 3
    assert finder.swings[-1].time_ms > START_MS + 30 * MINUTE_MS


walks = st.lists(st.integers(min_value=1, max_value=9), min_size=5, max_size=80)


@pytest.mark.rule("D-10")
@given(prices=walks, left=st.integers(1, 3), right=st.integers(1, 3), data=st.data())
def test_no_look_ahead(prices: list[int], left: int, right: int, data: st.DataObject) -> None:
    """Cutting the future off, or writing another one, changes nothing that was confirmed before."""
    minutes = minutes_of(prices)
    cut = data.draw(st.integers(0, len(minutes)))
    as_of_ms = START_MS + cut * MINUTE_MS
    before = confirmed_swings(minutes[:cut], "1m", as_of_ms=as_of_ms, left=left, right=right)
    other = minutes[:cut] + minutes_of([5] * 20, start_ms=as_of_ms)
    for whole in (minutes, other):
        assert confirmed_swings(whole, "1m", as_of_ms=as_of_ms, left=left, right=right) == before
        later = confirmed_swings(whole, "1m", as_of_ms=10**15, left=left, right=right)
        assert set(before) <= set(later)


@pytest.mark.rule("D-10")
@given(prices=walks, left=st.integers(1, 3), right=st.integers(1, 3))
def test_every_swing_is_one(prices: list[int], left: int, right: int) -> None:
    """What is told is exactly what the definition says, looked at from the end."""
    told = found(minutes_of(prices), left=left, right=right)
    for kind, sign in (("low", 1), ("high", -1)):
        signed = [price * sign for price in prices]
        turns = [
            n
            for n in range(left, len(signed) - right)
            if all(signed[n] < each for each in signed[n - left : n])
            and all(signed[n] <= each for each in signed[n + 1 : n + 1 + right])
        ]
        assert [swing[1] for swing in told if swing[0] == kind] == turns


def test_a_long_replay_is_cheap() -> None:
    """A day of minutes, asked for its swings every five: what a replay of many days does, once a minute."""
    dice = Random(7)
    finder = SwingFinder("15m")
    price, told = 9000, 0
    for minute in range(1440):
        price += dice.randint(-9, 9)
        finder.add(START_MS + minute * MINUTE_MS, Decimal(price + 3), Decimal(price))
        told += len(finder.swings) if minute % 5 == 0 else 0
    assert finder.bars == 96
    assert told
