"""Four hours around the crash of ETHUSDT on 2025-02-03, as recorded: the price lost a quarter in half an hour and turned.

The decision system beside the engine trades on, in both orders of each bar's extremes; the engine is killed on the way.
"""

from pathlib import Path

import pytest

from jumar.ops.demo.options import MAX, WHOLE, DemoOptions, Files
from jumar.ops.demo.virtual import play

ETH = "usdm_ETHUSDT_1m_20250131_20250205.csv.gz"
#: Before the crash and into it; out of it and the hours after.
HALVES = (
    ("2025-02-03T00:00:00Z", "2025-02-03T02:05:00Z"),
    ("2025-02-03T02:00:00Z", "2025-02-03T04:00:00Z"),
)


@pytest.mark.rule("P-1", "P-2", "P-3", "P-4", "P-5", "P-6", "P-7", "P-8", "P-9", "P-10")
@pytest.mark.parametrize("half", HALVES, ids=["into it", "out of it"])
@pytest.mark.parametrize("order", ["low-first", "high-first"])
def test_every_promise_holds_through_the_crash(
    recorded_data: Path, tmp_path: Path, order: str, half: tuple[str, str]
) -> None:
    """Some trades, several ways out, two kills, and not a millisecond without cover."""
    options = DemoOptions(
        seconds=WHOLE,
        seed=1,
        market=str(recorded_data / ETH),
        begin=half[0],
        end=half[1],
        bar_order=order,
        speed=MAX,
        symbols=(),
        restarts=2,
        state_dir=None,
        json=True,
    )
    run = play(options, Files(folder=tmp_path), name="")
    assert run is not None
    result = run.result
    assert result["promises"] == {f"P-{number}": True for number in range(1, 11)}, run.broken
    assert result["trades"] >= 5
    assert sum(count > 0 for count in result["exits"].values()) >= 2
    assert result["restarts"] == 2
    assert result["unprotected_ms_max"] == result["cover_gap_events"] == 0
    assert result["unresolved_intents"] == result["orphan_orders"] == 0
