"""How long a recorded market is: known without drawing what happened inside its bars."""

from decimal import Decimal
from pathlib import Path

import pytest

from jumar.exchange.simulated.market import RecordedMarket

TICKS = {"BTCUSDT": Decimal("0.10")}
BEGIN_MS = 1_746_360_000_000
BARS = [
    "open_time_ms,open,high,low,close,volume",
    *(f"{BEGIN_MS + minute * 60_000},90000,90010,89990,90000,5" for minute in (0, 1, 2, 5)),
]
TRADES = [
    "agg_id,ts_us,price,qty,n_trades,buyer_is_maker",
    *(f"1,{BEGIN_MS + ms}000,90000,1,1,0" for ms in (0, 250, 4000, 3990)),
]


WINDOWS = [(None, None), (100, None), (None, 4000), (200, 3995)]


@pytest.mark.parametrize(
    ("lines", "begin_ms", "end_ms"),
    [(lines, *window) for window in WINDOWS for lines in (BARS, TRADES)]
    + [(BARS, 61_500, 125_001), (BARS, None, 300_000)],
)
def test_the_length_is_that_of_the_path(
    lines: list[str], begin_ms: int | None, end_ms: int | None, tmp_path: Path
) -> None:
    """Whatever window is cut, the length is the last step's path time."""
    path = tmp_path / "BTCUSDT.csv"
    path.write_text("\n".join(lines) + "\n")
    window = [None if ms is None else BEGIN_MS + ms for ms in (begin_ms, end_ms)]
    market = RecordedMarket(
        path, tick_sizes=TICKS, window_from_ms=window[0], window_to_ms=window[1]
    )
    assert market.last_ms() == list(market.steps())[-1].path_ms
