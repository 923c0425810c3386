"""A folder of files of Binance's archive as one market: trades, quotes, marks and rates of the same days together."""

import tracemalloc
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.unit.simulated.archives import (
    BARS_HEADER,
    BEGIN_MS,
    FUNDING_HEADER,
    QUOTES_HEADER,
    TICKS,
    TRADES_HEADER,
    TREE,
    bar,
    mark,
    pack,
    quote,
    trade,
)

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import RecordedMarket

DAY_MS = 86_400_000
NEXT_DAY = "2024-03-06"
TRADES = [
    trade(40, "60000.0", sold=True),
    trade(1_500, "60000.1"),
    trade(1_500, "60000.3"),
    trade(61_000, "60010.0"),
]
QUOTES = [
    quote(50, "59999.9", "60000.1"),
    quote(1_500, "60000.3", "60000.4"),
    quote(61_001, "60009.9", "60010.0"),
]
MARKS = [mark(0, "60005.5 60006.0 60004.0 60005.0"), mark(1, "60020.0 60021.0 60012.0 60012.0")]


def day(folder: Path, kind: str, lines: list[str], date: str = "2024-03-05") -> Path:
    """One day's file where the archive has it."""
    bars = kind in {"klines", "markPriceKlines", "indexPriceKlines"}
    place = f"{TREE}/{kind}/BTCUSDT{'/1m' if bars else ''}"
    return pack(folder, f"BTCUSDT-{'1m' if bars else kind}-{date}", lines, tree=place)


def play(folder: Path, *symbols: str, **window: int) -> tuple[list[MarketStep], list[str]]:
    """Every step of a folder, and what was told of it."""
    told: list[str] = []
    market = RecordedMarket(
        folder,
        tick_sizes=TICKS,
        symbols=symbols,
        window_from_ms=window.get("begin"),
        window_to_ms=window.get("end"),
        tell=told.append,
    )
    return list(market.steps()), told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One day of trades, quotes and marks."""
    day(tmp_path, "aggTrades", [TRADES_HEADER, *TRADES])
    day(tmp_path, "bookTicker", [QUOTES_HEADER, *QUOTES])
    day(tmp_path, "markPriceKlines", [BARS_HEADER, *MARKS])
    return tmp_path


def test_trades_quotes_and_marks_of_a_day_are_one_path(folder: Path) -> None:
    """Trades are prints, quotes come from bookTicker, the mark from its klines; the last trade ends it."""
    steps, told = play(folder)
    seen = [
        (step.path_ms, step.bids[0].price, step.asks[0].price, step.last, len(step.prints))
        for step in steps
    ]
    bid, ask = Decimal("59999.9"), Decimal("60000.1")
    assert seen == [
        (0, Decimal("60000.0"), Decimal("60000.1"), Decimal("60000.0"), 1),  # built: no quote yet
        (10, bid, ask, Decimal("60000.0"), 0),
        (1_460, Decimal("60000.3"), Decimal("60000.4"), Decimal("60000.3"), 2),
        (59_960, Decimal("60000.3"), Decimal("60000.4"), Decimal("60000.3"), 0),  # the mark alone
        (60_960, Decimal("60000.3"), Decimal("60000.4"), Decimal("60010.0"), 1),
    ]
    assert told == [
        "BTCUSDT aggTrades: 2024-03-05",
        "BTCUSDT bookTicker: 2024-03-05",
        "BTCUSDT markPriceKlines: 2024-03-05",
        "BTCUSDT fundingRate: none; the rate is the exchange's own",
    ]


def test_the_mark_begins_each_minute_where_it_was_and_stays_in_its_bar(folder: Path) -> None:
    """Its distance from the contract's price is the recorded one, not a made one."""
    steps, _ = play(folder)
    assert steps[0].mark == Decimal("60005.5")
    assert {Decimal("60004.0") <= step.mark <= Decimal("60006.0") for step in steps[:3]} == {True}
    assert steps[3].mark == Decimal("60020.0")
    assert steps[4].mark > Decimal("60012.0")


def test_days_follow_one_another(folder: Path) -> None:
    """The second day is played after the first; a quote of yesterday does not stand for today's."""
    day(folder, "aggTrades", [trade(DAY_MS + 5, "61000.0", sold=True)], NEXT_DAY)
    steps, told = play(folder)
    assert (steps[-1].path_ms, steps[-1].last) == (DAY_MS - 35, Decimal("61000.0"))
    assert steps[-1].bids[0].price == Decimal("61000.0")
    assert told[0] == "BTCUSDT aggTrades: 2024-03-05, 2024-03-06"


def test_a_window_opens_only_the_days_it_touches(folder: Path) -> None:
    """A file of a day outside is not read: here it could not be."""
    day(folder, "aggTrades", [TRADES_HEADER, "no,row"], NEXT_DAY)
    steps, _ = play(folder, begin=BEGIN_MS + 1_000, end=BEGIN_MS + 10_000)
    assert [step.path_ms for step in steps] == [0]
    with pytest.raises(ValueError, match=r"2024-03-06\.zip:2: 2 fields where 7 belong"):
        play(folder)


def test_the_length_is_that_of_the_path(folder: Path) -> None:
    """Marks and quotes behind the last trade do not lengthen it."""
    day(folder, "markPriceKlines", [mark(1440, "61000 61000 61000 61000")], NEXT_DAY)
    market = RecordedMarket(folder, tick_sizes=TICKS)
    assert market.last_ms() == list(market.steps())[-1].path_ms == 60_960


def test_bars_are_played_with_their_marks(tmp_path: Path) -> None:
    """Without trades the bars; the mark of each minute begins where it was; quotes do not fit to drawn trades."""
    day(
        tmp_path,
        "klines",
        [BARS_HEADER, bar(0, "60000 60050 59950 60010"), bar(1, "60010 60020 60000 60015")],
    )
    day(tmp_path, "markPriceKlines", [BARS_HEADER, *MARKS])
    day(tmp_path, "bookTicker", [QUOTES_HEADER, *QUOTES])
    steps, told = play(tmp_path)
    marks = [step.mark for step in steps]
    assert (len(steps), marks[0], marks[60]) == (120, Decimal("60005.5"), Decimal("60020.0"))
    assert max(marks[:60]) <= Decimal(60006)
    assert told == [
        "BTCUSDT 1m: 2024-03-05",
        "BTCUSDT markPriceKlines: 2024-03-05",
        "BTCUSDT fundingRate: none; the rate is the exchange's own",
        f"{tmp_path}: files left out, which do not fit: 1",
    ]


def test_the_finest_trades_are_taken_and_the_rest_is_left_out(folder: Path) -> None:
    """One kind of trades, one file a day, USDⓈ-M only; what is left out is counted."""
    day(folder, "klines", [BARS_HEADER, bar(0, "1 1 1 1")])
    day(folder, "aggTrades", [TRADES_HEADER, *TRADES], "2024-03")
    day(folder, "indexPriceKlines", [BARS_HEADER, mark(0, "1 1 1 1")])
    coarse = f"{TREE}/markPriceKlines/BTCUSDT/5m"
    pack(folder, "BTCUSDT-5m-2024-03-05", [mark(0, "1 1 1 1")], tree=coarse)
    pack(folder, "PEPEUSDT-aggTrades-2024-03-05", [trade(0, "1.0")])  # not listed
    pack(folder, "BTCUSDT-aggTrades-2024-03-09", [], tree="data/spot/daily/aggTrades/BTCUSDT")
    (folder / "notes.txt").write_text("mine")
    steps, told = play(folder)
    assert (steps[0].last, steps[0].mark) == (Decimal("60000.0"), Decimal("60005.5"))
    assert {step.symbol for step in steps} == {"BTCUSDT"}
    assert told[0] == "BTCUSDT aggTrades: 2024-03"
    assert told[-1] == f"{folder}: files left out, which do not fit: 6"


def test_funding_rates_of_the_folder_reach_the_steps(folder: Path) -> None:
    """The rate is that of the next funding, which the archive dates some milliseconds late."""
    rows = [f"{BEGIN_MS + 2},8,0.00031", f"{BEGIN_MS + 8 * 3_600_000 + 7},8,-0.00012"]
    lines = [FUNDING_HEADER, *rows]
    pack(
        folder,
        "BTCUSDT-fundingRate-2024-03",
        lines,
        tree="data/futures/um/monthly/fundingRate/BTCUSDT",
    )
    steps, told = play(folder)
    assert {step.funding_rate for step in steps} == {Decimal("-0.00012")}
    assert told[3] == "BTCUSDT fundingRate: 2024-03"


def test_several_symbols_are_played_beside_one_another(folder: Path) -> None:
    """From the moment on at which all have a price, in the order of time; or only those that are named."""
    pack(folder, "ETHUSDT-aggTrades-2024-03-05", [trade(1_400, "3500.00"), trade(9_000, "3501.00")])
    market = RecordedMarket(folder, tick_sizes=TICKS)
    steps = list(market.steps())
    assert (market.symbols, market.origin_ms) == (("BTCUSDT", "ETHUSDT"), BEGIN_MS + 1_400)
    assert [(step.symbol, step.path_ms) for step in steps[:3]] == [
        ("ETHUSDT", 0),
        ("BTCUSDT", 100),
        ("ETHUSDT", 7_600),
    ]
    assert all(one.path_ms <= two.path_ms for one, two in pairwise(steps))
    assert {step.symbol for step in play(folder, "ETHUSDT")[0]} == {"ETHUSDT"}


def test_a_day_whose_end_is_interleaved_with_its_beginning_is_put_in_order(tmp_path: Path) -> None:
    """As the archive has some busy days: rows of the last minutes between those of the first hours."""
    early = [quote(n * 40_000, f"6{n:04}.0", "70000.0") for n in range(1, 1_500)]
    late = [quote(70_000_000 + n * 100, f"5{n:04}.0", "70000.0") for n in range(1_200)]
    woven = [row for pair in zip(early, late, strict=False) for row in pair] + early[1_200:]
    day(tmp_path, "aggTrades", [trade(0, "60000.0"), trade(80_000_000, "60000.0")])
    day(tmp_path, "bookTicker", [QUOTES_HEADER, *woven])
    steps, _ = play(tmp_path)
    quoted = [step.bids[0].price for step in steps[1:-1]]
    wanted = [f"6{n:04}.0" for n in range(1, 1_500)] + [f"5{n:04}.0" for n in range(1_200)]
    assert quoted == [Decimal(price) for price in wanted]


def test_quotes_out_of_order_are_refused(folder: Path) -> None:
    """What cannot be put in order by that is not played wrongly."""
    rows = [quote(ms, "60000.0", "60000.1") for ms in (0, 30_000, 10_000, 40_000)]
    day(folder, "bookTicker", [QUOTES_HEADER, *rows])
    said = r"bookTicker-2024-03-05\.zip: a record stands 10\.000 s behind one of a later time; sort"
    with pytest.raises(ValueError, match=said):
        play(folder)


@pytest.mark.parametrize(
    ("symbols", "said"),
    [
        (
            (),
            "holds no trades or 1m bars of Binance's archive .*; fetch some with jumar market fetch",
        ),
        (("BTCUSDT",), "--symbols: .* holds neither trades nor 1m bars of BTCUSDT"),
    ],
)
def test_a_folder_without_trades_is_told(
    tmp_path: Path, symbols: tuple[str, ...], said: str
) -> None:
    """Quotes alone are no market, and neither is an empty folder."""
    day(tmp_path, "bookTicker", [QUOTES_HEADER, *QUOTES])
    with pytest.raises(ValueError, match=said):
        play(tmp_path, *symbols)


def test_a_wrong_checksum_refuses_the_folder(folder: Path) -> None:
    """Whichever of its files is not what was published."""
    path = day(folder, "bookTicker", [QUOTES_HEADER, *QUOTES])
    path.with_name(f"{path.name}.CHECKSUM").write_text("0" * 64)
    with pytest.raises(ValueError, match=f"{path.name} is not what .* says"):
        play(folder)


def test_a_long_day_is_played_in_flat_memory(tmp_path: Path) -> None:
    """Three times the rows take no more room: each file is a stream, whatever a zip would unpack to."""

    def peak(rows: int) -> int:
        folder = tmp_path / str(rows)
        day(folder, "aggTrades", [trade(n * 2, f"6000{n % 9}.0") for n in range(rows // 2)])
        day(folder, "bookTicker", [quote(n, f"6000{n % 9}.0", "60010.0") for n in range(rows)])
        market = RecordedMarket(folder, tick_sizes=TICKS)
        tracemalloc.start()
        for _ in market.steps():
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(15_000) < 1.2 * peak(5_000)
