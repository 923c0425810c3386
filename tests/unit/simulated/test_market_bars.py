"""Bars of one minute played second by second: the bar is kept exactly, the way through it is the seed's."""

import gzip
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from random import Random  # noqa: TID251 - seeded bars and nothing else

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jumar.bootstrap.serving import ServeOptions, open_course
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import RecordedMarket, open_market
from jumar.exchange.simulated.market.bars import STEPS, BarOrder, inside
from jumar.exchange.simulated.market.records import MINUTE_MS as BAR_MS
from jumar.exchange.simulated.market.records import Bar
from jumar.model.errors import ConfigError

HEADER = "open_time_ms,open,high,low,close,volume"
TICKS = {"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01")}
NAME = "usdm_ETHUSDT_1m.csv"
BEGIN_MS = 1_738_540_800_000
FLASH_DAY_MS = 1_738_540_800_000  # 2025-02-03
DAY_MS = 86_400_000

type Prices = tuple[Decimal, Decimal, Decimal, Decimal]


def row(minute: int, prices: str, volume: str = "60", *, off_ms: int = 0) -> str:
    """A row of the minute after the beginning; `prices` are open, high, low and close."""
    return ",".join([str(BEGIN_MS + minute * BAR_MS + off_ms), *prices.split(), volume])


def write(folder: Path, rows: Sequence[str], name: str = NAME) -> Path:
    """A file of bars; packed when the name ends in .gz."""
    path = folder / name
    data = "".join(f"{line}\n" for line in (HEADER, *rows)).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def market(path: Path, **options: int | None) -> RecordedMarket:
    """A market on that file."""
    return RecordedMarket(path, tick_sizes=TICKS, **options)  # type: ignore[arg-type]  # one helper for all options


def drawn(seed: int, count: int) -> list[str]:
    """Rows of many kinds: wide and narrow bars, still ones, gaps between bars."""
    dice = Random(seed)
    rows = []
    for minute in range(count):
        low = dice.randrange(250_000, 350_000)
        height = dice.choice((0, 0, 1, 2, 5, 50, 5_000))
        opened, close = (low + dice.randrange(height + 1) for _ in range(2))
        cents = (opened, low + height, low, close)
        rows.append(row(minute, " ".join(str(Decimal(cent) / 100) for cent in cents)))
    return rows


def bars_of(steps: Sequence[MarketStep], origin_ms: int) -> dict[int, Prices]:
    """The last prices put together again, minute by minute."""
    seen: dict[int, Prices] = {}
    for time_ms, group in groupby(steps, lambda s: (origin_ms + s.path_ms) // BAR_MS * BAR_MS):
        lasts = [step.last for step in group]
        seen[time_ms] = (lasts[0], max(lasts), min(lasts), lasts[-1])
    return seen


def written(rows: Sequence[str]) -> dict[int, Prices]:
    """The rows as they stand in the file."""
    kept: dict[int, Prices] = {}
    for line in rows:
        time, *prices, _ = line.split(",")
        opened, high, low, close = map(Decimal, prices)
        kept[int(time)] = (opened, high, low, close)
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_every_bar_comes_out_as_it_went_in(tmp_path: Path, seed: int) -> None:
    """Of two hundred drawn bars open, high, low and close are the path's, exactly; every step is valid."""
    rows = drawn(seed, 200)
    source = market(write(tmp_path, rows), seed=seed)
    steps = list(source.steps())
    assert bars_of(steps, source.origin_ms) == written(rows)
    assert [step.path_ms for step in steps] == [1_000 * second for second in range(200 * STEPS)]
    for step in steps:
        assert step.bids[0].price < step.asks[0].price
        assert step.last in {step.bids[0].price, step.asks[0].price}
        assert step.bids[0].quantity > 0
        assert step.prints[-1].price == step.last
        assert all(price % TICKS["ETHUSDT"] == 0 for price in (step.last, step.bids[0].price))


@given(
    cents=st.lists(st.integers(1, 10**7), min_size=4, max_size=4),
    seed=st.integers(),
)
def test_no_bar_is_left(cents: list[int], seed: int) -> None:
    """Whatever the bar and the seed, the first, highest, lowest and last trade are the bar's own."""
    low, opened, close, high = sorted(Decimal(cent) / 100 for cent in cents)
    for bar in (
        Bar(BEGIN_MS, opened, high, low, close, Decimal(1)),
        Bar(BEGIN_MS, close, high, low, opened, Decimal(1)),
        Bar(BEGIN_MS, low, low, low, low, Decimal(0)),
        Bar(BEGIN_MS, low, high, low, high, Decimal(1)),
    ):
        prices = [trade.price for trade in inside(bar, seed=seed, symbol="ETHUSDT")]
        assert len(prices) == STEPS
        assert (prices[0], prices[-1]) == (bar.open, bar.close)
        assert (max(prices), min(prices)) == (bar.high, bar.low)


def test_both_orders_occur_about_as_often() -> None:
    """In a bar that opens in its middle the high comes first by an even coin, whatever the close."""
    firsts: dict[Decimal, int] = defaultdict(int)
    for minute in range(1_000):
        close = Decimal(109 if minute % 2 else 91)
        bar = Bar(minute * BAR_MS, Decimal(100), Decimal(110), Decimal(90), close, Decimal(1))
        prices = [trade.price for trade in inside(bar, seed=7, symbol="ETHUSDT")]
        firsts[close] += prices.index(bar.high) < prices.index(bar.low)
    assert all(200 < count < 300 for count in firsts.values())  # 250 ± 4.5 sigma


@pytest.mark.parametrize("seed", range(20))
def test_an_order_can_be_asked_for(seed: int) -> None:
    """Low first and high first hold in every bar; one of them is the drawn path, to the last price."""
    bar = Bar(BEGIN_MS, Decimal(100), Decimal(110), Decimal(90), Decimal(105), Decimal(6))
    paths = {
        order: [
            trade.price for trade in inside(bar, seed=seed, symbol="BTCUSDT", order=BarOrder(order))
        ]
        for order in ("drawn", "low-first", "high-first")
    }
    low, high = paths["low-first"], paths["high-first"]
    assert low.index(bar.low) < low.index(bar.high)
    assert high.index(bar.high) < high.index(bar.low)
    assert paths["drawn"] in (low, high)


def test_the_order_reaches_the_bars(tmp_path: Path) -> None:
    """A file is played as asked; a market without bars of its own refuses the wish."""
    path = write(tmp_path, [row(0, "100 110 90 105")])
    played = RecordedMarket(path, tick_sizes=TICKS, seed=2, bar_order=BarOrder.HIGH_FIRST)
    prices = [step.last for step in played.steps()]
    assert prices.index(Decimal(110)) < prices.index(Decimal(90))
    with pytest.raises(ValueError, match="--bar-order goes with recorded bars"):
        open_market(
            "synthetic",
            symbols=("BTCUSDT",),
            seed=1,
            tick_sizes=TICKS,
            start_prices={},
            bar_order=BarOrder.LOW_FIRST,
        )
    with pytest.raises(ConfigError, match="--bar-order: worst is none of drawn, low-first, high"):
        open_course(ServeOptions(market=str(path), bar_order="worst"))


def test_the_same_seed_draws_the_same_path(tmp_path: Path) -> None:
    """Twice the same with one seed, another with another; and a bar's path does not know the window."""
    path = write(tmp_path, drawn(1, 20))
    first, again, other = (list(market(path, seed=seed).steps()) for seed in (3, 3, 4))
    assert first == again
    assert [step.last for step in first] != [step.last for step in other]
    late = market(path, seed=3, window_from_ms=BEGIN_MS + 10 * BAR_MS)
    assert [step.last for step in late.steps()] == [step.last for step in first[10 * STEPS :]]


def test_the_path_is_the_same_on_every_machine() -> None:
    """The seconds of one bar, by heart: a change of the dice or of the arithmetic is noticed."""
    bar = Bar(BEGIN_MS, Decimal(100), Decimal(110), Decimal(90), Decimal(105), Decimal(6))
    trades = list(inside(bar, seed=1, symbol="BTCUSDT"))
    seconds = [str(round(trade.price, 3)) for trade in trades[1:6]]
    assert seconds == ["96.933", "97.446", "96.995", "95.403", "95.829"]


def test_the_seed_of_the_command_line_reaches_the_bars(tmp_path: Path) -> None:
    """`--market FILE --seed N` gives another path for another seed, in the same bars."""
    rows = drawn(2, 5)
    path = write(tmp_path, rows, f"{NAME}.gz")
    paths = []
    for seed in (1, 2):
        source = open_market(str(path), symbols=(), seed=seed, tick_sizes=TICKS, start_prices={})
        steps = list(source.steps())
        assert source.symbols == ("ETHUSDT",)
        assert bars_of(steps, BEGIN_MS) == written(rows)
        paths.append([step.last for step in steps])
    assert paths[0] != paths[1]


def test_a_gap_between_bars_is_one_jump_and_a_missing_minute_passes(tmp_path: Path) -> None:
    """The next bar opens where it opens; over missing minutes time goes on and nothing happens."""
    rows = [
        row(0, "100 101 99 100"),
        row(1, "150 151 149 150"),
        row(4, "120 121 119 120"),
    ]
    steps = list(market(write(tmp_path, rows)).steps())
    assert (steps[59].last, steps[60].last) == (Decimal(100), Decimal(150))
    assert (steps[119].path_ms, steps[120].path_ms) == (119_000, 240_000)
    assert steps[120].last == Decimal(120)


def test_the_volume_is_spread_evenly(tmp_path: Path) -> None:
    """A bar of 600 coins prints ten a second and quotes as much; one without volume still has a market."""
    steps = list(
        market(
            write(tmp_path, [row(0, "100 101 99 100", "600"), row(1, "100 100 100 100", "0")])
        ).steps()
    )
    assert {step.prints[0].quantity for step in steps[:60]} == {Decimal(10)}
    assert {step.asks[0].quantity for step in steps[:60]} == {Decimal(10)}
    assert steps[-1].last == Decimal(100)
    assert steps[-1].prints[0].quantity > 0


def test_who_took_follows_the_price() -> None:
    """A rise was bought, a fall sold, a standstill goes with the trade before."""
    bar = Bar(BEGIN_MS, Decimal(100), Decimal(110), Decimal(90), Decimal(105), Decimal(6))
    for before, after in pairwise(inside(bar, seed=5, symbol="BTCUSDT")):
        if after.price == before.price:
            assert after.taker_side == before.taker_side
        else:
            assert after.taker_side == ("BUY" if after.price > before.price else "SELL")


def test_a_coarser_tick_keeps_the_bar_on_the_grid(tmp_path: Path) -> None:
    """A file finer than the contract's tick is rounded to it, the extremes with it."""
    path = write(tmp_path, [row(0, "100.04 100.26 99.97 100.11")], "BTCUSDT_1m.csv")
    steps = list(market(path).steps())
    assert bars_of(steps, BEGIN_MS)[BEGIN_MS] == tuple(
        map(Decimal, ("100.0", "100.3", "100.0", "100.1"))
    )


def test_windows_cut_to_the_second(tmp_path: Path) -> None:
    """From inside one bar to inside another; the path begins at its first second, an empty one is refused."""
    path = write(tmp_path, drawn(4, 4))
    source = market(path, window_from_ms=BEGIN_MS + 30_500, window_to_ms=BEGIN_MS + 2 * BAR_MS)
    steps = list(source.steps())
    assert source.origin_ms == BEGIN_MS + 31_000
    assert [step.path_ms for step in steps] == [1_000 * second for second in range(89)]
    with pytest.raises(
        ValueError, match=r"runs from 2025-02-03T00:00:00\.000Z to 2025-02-03T00:03"
    ):
        market(path, window_from_ms=BEGIN_MS + 4 * BAR_MS)


def test_a_file_without_bars_is_refused(tmp_path: Path) -> None:
    """Columns and no row: nothing to play."""
    with pytest.raises(ValueError, match="holds no quotes, trades or bars"):
        market(write(tmp_path, []))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1738540920000,1,1,1,1", "5 fields where 6 belong"),
        (row(2, "1 1 1 1") + ",1", "7 fields where 6 belong"),
        (row(2, "x 1 1 1"), "open 'x' is not a number"),
        (row(2, "1 nan 1 1"), "high nan is not a finite number above zero"),
        (row(2, "1 2 -1 1"), "low -1 is not a finite number above zero"),
        (row(2, "1 1 1 0"), "close 0 is not a finite number above zero"),
        (row(2, "3 2 1 2"), "open 3 and close 2 are not between 1 and 2"),
        (row(2, "2 3 2 1"), "open 2 and close 1 are not between 2 and 3"),
        (row(2, "1 1 2 1"), "open 1 and close 1 are not between 2 and 1"),
        (row(2, "1 1 1 1", "-1"), "volume -1 is not a finite number of at least zero"),
        (row(2, "1 1 1 1", "inf"), "volume inf is not a finite number of at least zero"),
        (row(2, "1 1 1 1", "much"), "volume 'much' is not a number"),
        (row(2, "1 1 1 1", off_ms=1), "open_time_ms 1738540920001 is not a whole minute"),
        (row(1, "1 1 1 1"), "open_time_ms 1738540860000 is not after 1738540860000, the bar above"),
        (row(0, "1 1 1 1"), "open_time_ms 1738540800000 is not after 1738540860000, the bar above"),
        ("2025-02-03,1,1,1,1,1", "open_time_ms '2025-02-03' is not a time"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, line: str, said: str) -> None:
    """Every fault ends the path with file, line and reason, after the good bars above it."""
    path = write(tmp_path, [row(0, "1 1 1 1"), row(1, "1 1 1 1"), line])
    steps = market(path).steps()
    for _ in range(2 * STEPS - 1):
        next(steps)
    with pytest.raises(ValueError, match=r"^usdm_ETHUSDT_1m\.csv:4: ") as caught:
        list(steps)
    assert said in str(caught.value)


def test_longer_bars_are_refused(tmp_path: Path) -> None:
    """Bars of five minutes are not played as minutes."""
    path = write(tmp_path, [row(0, "1 1 1 1"), row(5, "1 1 1 1")])
    with pytest.raises(ValueError, match=r":3: bars of 300 s; only bars of one minute"):
        list(market(path).steps())


def test_a_recorded_crash_day_is_kept_to_the_cent(recorded_data: Path) -> None:
    """Every minute of 2025-02-03 in ETHUSDT, put together again from the path, is the recorded bar."""
    recorded = recorded_data / "usdm_ETHUSDT_1m_20250131_20250205.csv.gz"
    _assert_kept(recorded, FLASH_DAY_MS, FLASH_DAY_MS + DAY_MS, 1_440)


def test_recorded_hours_of_another_symbol_are_kept(recorded_data: Path) -> None:
    """The same for six hours of BTCUSDT from the end of May 2025, on its coarser tick."""
    recorded = recorded_data / "usdm_BTCUSDT_1m_20250504_20250603.csv.gz"
    begin = 1_748_563_200_000  # 2025-05-30
    _assert_kept(recorded, begin, begin + DAY_MS // 4, 360)


def _assert_kept(recorded: Path, low: int, high: int, minutes: int) -> None:
    with gzip.open(recorded, "rt", encoding="utf-8") as file:
        rows = [line.strip() for line in file if line[0].isdigit()]
    wanted = {time: bar for time, bar in written(rows).items() if low <= time < high}
    source = market(recorded, seed=11, window_from_ms=low, window_to_ms=high)
    assert len(wanted) == minutes
    assert bars_of(list(source.steps()), source.origin_ms) == wanted
