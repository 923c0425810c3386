"""Mark prices and funding rates in files of their own, played beside a recorded market."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.simulated.archives import (
    BARS_HEADER,
    BEGIN_MS,
    TICKS,
    TRADES_HEADER,
    mark,
    pack,
    trade,
)

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.market import Companions, open_market

MINUTE_MS = 60_000
MARKS_HEADER = "open_time_ms,open,high,low,close,samples"
RATES_HEADER = "funding_time_ms,funding_rate"


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    """A trade each minute for eleven minutes."""
    rows = [trade(n * MINUTE_MS, f"600{n:02}.0") for n in range(11)]
    return pack(tmp_path, "BTCUSDT-aggTrades-2024-03-05", [TRADES_HEADER, *rows])


def write(folder: Path, name: str, *lines: str) -> Path:
    """A plain file."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def marks(folder: Path, *bars: tuple[int, str], name: str = "BTCUSDT_markprice5m.csv") -> Path:
    """Mark prices of five minutes, each from so many minutes into the day on."""
    rows = [f"{BEGIN_MS + at * MINUTE_MS},{prices.replace(' ', ',')},300" for at, prices in bars]
    return write(folder, name, MARKS_HEADER, *rows)


def play(
    path: Path, *, told: list[str] | None = None, companions: Companions | None = None
) -> MarketSource:
    """The file with its companions."""
    return open_market(
        str(path),
        symbols=(),
        seed=1,
        tick_sizes=TICKS,
        start_prices={},
        companions=companions,
        tell=(told if told is not None else []).append,
    )


def test_mark_prices_of_five_minutes_lead_the_mark(trades: Path, tmp_path: Path) -> None:
    """Each bar begins at its open and is not left; where none is, the mark is made as ever."""
    bars = [(0, "60500 60501 60499 60500"), (10, "59000 59000 59000 59000")]
    steps = list(play(trades, companions=Companions(mark=marks(tmp_path, *bars))).steps())
    by_minute = {step.path_ms // MINUTE_MS: step.mark for step in steps}
    assert by_minute[0] == Decimal(60500)
    assert by_minute[4] == Decimal(60501)  # the price rose by 4, the bar ends at 60501
    assert Decimal(60000) < by_minute[7] < Decimal(60010)  # no bar: made
    assert by_minute[10] == Decimal(59000)


def test_archived_mark_klines_are_a_companion_too(trades: Path, tmp_path: Path) -> None:
    """Told from the contract's klines by their volume, which is none."""
    rows = [mark(minute, "60700 60700 60700 60700") for minute in range(11)]
    path = pack(tmp_path, "BTCUSDT-1m-2024-03-05", [BARS_HEADER, *rows])
    assert {step.mark for step in play(trades, companions=Companions(mark=path)).steps()} == {
        Decimal(60700)
    }


def test_marks_that_begin_later_are_told(trades: Path, tmp_path: Path) -> None:
    """The path goes by them from then on."""
    told: list[str] = []
    path = marks(tmp_path, (5, "60700 60700 60700 60700"))
    steps = list(play(trades, told=told, companions=Companions(mark=path)).steps())
    assert told == [
        "BTCUSDT_markprice5m.csv begins at 2024-03-05T00:05:00.000Z: until then the mark price is made"
    ]
    assert (steps[4].mark < 60100, steps[5].mark) == (True, Decimal(60700))


def test_funding_rates_are_the_next_ones(trades: Path, tmp_path: Path) -> None:
    """A rate holds until it is paid; where the file leaves eight hours out there is none."""
    rates = [
        f"{BEGIN_MS + 5 * MINUTE_MS},0.0001",
        f"{BEGIN_MS + 7 * MINUTE_MS},-0.0002",
        f"{BEGIN_MS + 9 * 60 * MINUTE_MS},0.5",
    ]
    path = write(tmp_path, "BTCUSDT_funding8h.csv", RATES_HEADER, *rates)
    seen = [step.funding_rate for step in play(trades, companions=Companions(funding=path)).steps()]
    assert seen == [Decimal("0.0001")] * 5 + [Decimal("-0.0002")] * 2 + [None] * 4


@pytest.mark.parametrize(
    ("option", "file", "said"),
    [
        (
            "mark",
            ["BTCUSDT.csv", RATES_HEADER, "1,0"],
            "--mark: BTCUSDT.csv holds funding rates, no mark prices; give it with --funding-file",
        ),
        (
            "funding",
            ["BTCUSDT.csv", MARKS_HEADER, f"{BEGIN_MS},1,1,1,1,3"],
            "--funding-file: BTCUSDT.csv holds mark prices, no funding rates; give it with --mark",
        ),
        (
            "mark",
            ["ETHUSDT.csv", MARKS_HEADER],
            "--mark: ETHUSDT.csv holds mark prices of ETHUSDT, but BTCUSDT-agg.* holds BTCUSDT",
        ),
        (
            "mark",
            ["BTCUSDT.csv", MARKS_HEADER, "300000,1,1,1,1,300"],
            "--mark: BTCUSDT.csv ends at 1970-01-01T00:10:00.000Z, and the market begins at 2024",
        ),
        (
            "funding",
            ["BTCUSDT.csv", RATES_HEADER],
            "--funding-file: BTCUSDT.csv is empty, and the market begins at 2024",
        ),
        (
            "funding",
            ["BTCUSDT.csv", RATES_HEADER, "1709596800000,2"],
            "BTCUSDT.csv:2: funding_rate 2 is no rate; 0.0001 is one",
        ),
        (
            "mark",
            ["BTCUSDT.csv", MARKS_HEADER, f"{BEGIN_MS + 1},1,1,1,1,300"],
            "BTCUSDT.csv:2: open_time .* make no bar",
        ),
    ],
)
def test_a_companion_that_would_be_of_no_effect_is_refused(
    trades: Path, tmp_path: Path, option: str, file: list[str], said: str
) -> None:
    """Another kind, another symbol, another time, or a row that cannot be read: option, file and fix."""
    with pytest.raises(ValueError, match=said):
        play(trades, companions=Companions(**{option: write(tmp_path, *file)}))


@pytest.mark.parametrize("market", ["manual", "synthetic"])
def test_companions_need_a_recorded_market(tmp_path: Path, market: str) -> None:
    """What has no dates cannot be joined by date."""
    ticks = {symbol: row.tick_size for symbol, row in INSTRUMENTS.items()}
    with pytest.raises(ValueError, match="--mark and --funding-file go with a recorded file"):
        open_market(
            market,
            symbols=("BTCUSDT",),
            seed=1,
            tick_sizes=ticks,
            start_prices={"BTCUSDT": Decimal(90000)},
            companions=Companions(mark=tmp_path),
        )


def test_a_companion_belongs_to_one_symbol(trades: Path, tmp_path: Path) -> None:
    """A folder of two symbols must say which one is meant."""
    pack(tmp_path, "ETHUSDT-aggTrades-2024-03-05", [trade(0, "3500.00")])
    with pytest.raises(
        ValueError, match="--mark belongs to one symbol, and BTCUSDT, ETHUSDT are played"
    ):
        play(trades.parent, companions=Companions(mark=marks(tmp_path, (0, "1 1 1 1"))))


def test_the_recorded_marks_go_with_the_recorded_day(recorded_data: Path) -> None:
    """Eight hours of spot trades under the futures' mark prices: never outside their bars."""
    path = recorded_data / "spot_BTCUSDC_aggTrades_20251008_12h_20h.csv.gz"
    market = play(
        path, companions=Companions(mark=recorded_data / "usdm_BTCUSDT_markprice5m_2025Q4.csv.gz")
    )
    steps = [step for _, step in zip(range(12_000), market.steps(), strict=False)]
    assert max(abs(step.mark - step.last) / step.last for step in steps) < Decimal("0.003")
    assert min(step.mark - step.last for step in steps) < -100  # a made mark keeps within the quote


def test_the_recorded_rates_go_with_the_recorded_bars(recorded_data: Path) -> None:
    """The rate of the hours before 2025-05-04T16:00Z, as it was paid."""
    path = recorded_data / "usdm_BTCUSDT_1m_20250504_20250603.csv.gz"
    market = play(
        path,
        companions=Companions(funding=recorded_data / "usdm_BTCUSDT_funding8h_2019_2025.csv.gz"),
    )
    assert next(iter(market.steps())).funding_rate is not None


MARKETS = {
    "coinm_AVAXUSD_PERP_trades_20251010": "AVAXUSDT",
    "spot_BTCUSDC_aggTrades_20251008_12h_20h": "BTCUSDT",
    "usdm_BTCUSDT_1m_20250504_20250603": "BTCUSDT",
    "usdm_BTCUSDT_1m_20250603_20250624": "BTCUSDT",
    "usdm_BTCUSDT_rawstream_20240808T2354Z": "BTCUSDT",
    "usdm_ETHUSDT_1m_20250131_20250205": "ETHUSDT",
    "usdm_ETHUSDT_top_trades_20240808T2354Z": "ETHUSDT",
}
COMPANIONS = {
    "usdm_BTCUSDT_funding8h_2019_2025": "give it with --funding-file",
    "usdm_BTCUSDT_markprice5m_2025Q4": "give it with --mark",
}


def test_every_recorded_file_is_a_market_or_says_what_it_is_good_for(recorded_data: Path) -> None:
    """Nothing in the folder of recorded data is of no use, and nothing is unknown."""
    ticks = {symbol: row.tick_size for symbol, row in INSTRUMENTS.items()}
    unknown = []
    for path in sorted(recorded_data.glob("*.gz")):
        name = path.name.split(".", 1)[0]
        if name in MARKETS:
            market = open_market(str(path), symbols=(), seed=1, tick_sizes=ticks, start_prices={})
            steps = [step for step, _ in zip(market.steps(), range(500), strict=False)]
            assert {step.symbol for step in steps} == {MARKETS[name]}
            assert len(steps) == 500
        elif name in COMPANIONS:
            with pytest.raises(ValueError, match=COMPANIONS[name]):
                open_market(str(path), symbols=(), seed=1, tick_sizes=ticks, start_prices={})
        else:
            unknown.append(path.name)
    assert unknown == []
