"""How often books are read when many symbols want to be: all that fits, and no more (section 11)."""

import pytest

from jumar.model.standing import Counter, VenueBudget
from jumar.reconciler.pace import (
    BALANCE_EVERY,
    CALM_SHARE,
    INCOME_WEIGHT,
    LISTS_WEIGHT,
    POSITIONS_WEIGHT,
    RATION_WEIGHT,
    READ_SHARE,
    SLOW_WEIGHT,
    WEIGHT_A_MINUTE,
    Pace,
)

TICK, OPEN, IDLE = 1000, 2000, 30_000


def granted(pace: Pace, *, urgent: int = 0, held: int = 0, idle: int = 0) -> dict[str, int]:
    """The interval of the last symbol of each kind, once all have said what they want."""
    kinds = (
        ("urgent", urgent, TICK, True),
        ("held", held, OPEN, False),
        ("idle", idle, IDLE, False),
    )
    given = {}
    for _ in range(2):
        for kind, count, wanted, hurries in kinds:
            for number in range(count):
                given[kind] = pace.interval_ms(f"{kind}{number}", wanted, urgent=hurries)
    return given


def weight_a_minute(intervals: dict[str, int], **counts: int) -> float:
    """What the reads of so many symbols cost at these intervals, with what is read for all and what is read slowly."""
    lists = sum(counts[kind] * LISTS_WEIGHT * 60_000 / ms for kind, ms in intervals.items())
    shortest = min(intervals.values())
    slow = sum(counts.values()) * SLOW_WEIGHT + INCOME_WEIGHT + RATION_WEIGHT
    return lists + POSITIONS_WEIGHT * (1 + 1 / BALANCE_EVERY) * 60_000 / shortest + slow


@pytest.mark.rule("W-4")
@pytest.mark.parametrize(
    "counts", [{"held": 1}, {"urgent": 1}, {"held": 5, "urgent": 2, "idle": 9}]
)
def test_few_symbols_are_read_as_often_as_they_want(counts: dict[str, int]) -> None:
    """No interval is longer than wished while all fit."""
    wished = {"urgent": TICK, "held": OPEN, "idle": IDLE}
    assert granted(Pace(VenueBudget), **counts) == {kind: wished[kind] for kind in counts}


@pytest.mark.rule("W-4")
@pytest.mark.parametrize("counts", [{"held": 33}, {"held": 20, "urgent": 10}, {"urgent": 60}])
def test_what_does_not_fit_stretches_until_it_does(counts: dict[str, int]) -> None:
    """Reads never use more than their share of the weight."""
    given = granted(Pace(VenueBudget), **counts)
    assert weight_a_minute(given, **counts) <= WEIGHT_A_MINUTE * READ_SHARE * 1.001


@pytest.mark.rule("W-4")
def test_symbols_with_an_entry_are_stretched_last() -> None:
    """As long as the others can wait, an entry is read for every tick."""
    given = granted(Pace(VenueBudget), urgent=2, held=20)
    assert given["urgent"] == TICK
    assert given["held"] > OPEN


@pytest.mark.rule("W-4")
def test_positions_keep_a_share_however_many_entries_are_wanted() -> None:
    """Entries wait as well before positions are read for less than their part."""
    given = granted(Pace(VenueBudget), urgent=60, held=10)
    assert given["urgent"] > TICK
    lists_of_held = 10 * LISTS_WEIGHT * 1000 / given["held"]
    slow = 70 * SLOW_WEIGHT + INCOME_WEIGHT + RATION_WEIGHT
    free = (WEIGHT_A_MINUTE * READ_SHARE - slow) / 60
    assert lists_of_held == pytest.approx(free * CALM_SHARE, rel=0.01)


@pytest.mark.rule("W-4")
def test_the_venues_own_limit_counts() -> None:
    """Half the weight is half the room."""
    low = VenueBudget(
        reads=(Counter(name="1m", window_ms=60_000, used=0, limit=WEIGHT_A_MINUTE // 2, at_ms=0),)
    )
    wide, narrow = granted(Pace(VenueBudget), held=20), granted(Pace(lambda: low), held=20)
    assert narrow["held"] > 2 * wide["held"] - OPEN
    assert weight_a_minute(narrow, held=20) <= WEIGHT_A_MINUTE / 2 * READ_SHARE * 1.001


@pytest.mark.rule("W-4")
def test_a_symbol_that_calms_down_makes_room_for_the_others() -> None:
    """Only what each wanted last counts."""
    pace = Pace(VenueBudget)
    crowded = granted(pace, urgent=5, held=25)["held"]
    for number in range(5):
        pace.interval_ms(f"urgent{number}", IDLE, urgent=False)
    assert pace.interval_ms("held0", OPEN, urgent=False) < crowded


@pytest.mark.rule("T-3", "W-4")
def test_what_is_dear_and_can_wait_is_rationed() -> None:
    """So much at once, then as much a minute, never more for having waited longer."""
    pace = Pace(VenueBudget)
    at_once = [pace.takes_ration(INCOME_WEIGHT, 1000) for _ in range(6)]
    assert at_once == [True] * 5 + [False]
    turn_ms = 60_000 * INCOME_WEIGHT // RATION_WEIGHT
    assert not pace.takes_ration(INCOME_WEIGHT, 1000 + turn_ms - 1)
    assert pace.takes_ration(INCOME_WEIGHT, 1000 + turn_ms)
    later = [pace.takes_ration(INCOME_WEIGHT, 10_000_000) for _ in range(6)]
    assert later == [True] * 5 + [False]


@pytest.mark.rule("W-2", "W-4")
def test_a_clock_that_is_set_back_takes_no_ration_away() -> None:
    """Time that seems to go backwards neither fills nor empties it."""
    pace = Pace(VenueBudget)
    assert pace.takes_ration(RATION_WEIGHT, 100_000)
    assert not pace.takes_ration(INCOME_WEIGHT, 50_000)
    assert pace.takes_ration(INCOME_WEIGHT, 62_000)
