"""Recorded files played as markets: four formats, windows, and rows that cannot be read."""

import gzip
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path

import pytest

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import RecordedMarket

TICKS = {"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01"), "AVAXUSDT": Decimal("0.001")}
RAW, COINM = "usdm_BTCUSDT_raw.jsonl", "coinm_AVAXUSD_PERP_trades.csv"
SPOT, TOP = "spot_BTCUSDC_aggTrades.csv", "usdm_ETHUSDT_top.csv"
COINM_HEADER = "ts_ms,recv_delay_us,trade_id,taker_side,price,qty"
SPOT_HEADER = "agg_id,ts_us,price,qty,n_trades,buyer_is_maker"
TOP_HEADER = "kind,recv_us,transact_ms,event_ms,id,p1,q1,p2_or_m,q2_or_X"

type Write = Callable[[str, Sequence[str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines to a file of that name; packed when the name ends in .gz."""

    def write_lines(name: str, lines: Sequence[str]) -> Path:
        path = tmp_path / name
        data = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write_lines


def _ticker(time_ms: int, bid: str, bid_size: str, ask: str, ask_size: str) -> str:
    data = f'"e":"bookTicker","u":1,"s":"BTCUSDT","b":"{bid}","B":"{bid_size}","a":"{ask}","A":"{ask_size}"'
    return f'17{time_ms} {{"stream":"btcusdt@bookTicker","data":{{{data},"T":{time_ms},"E":{time_ms}}}}}'


def _trade(time_ms: int, price: str, size: str, *, sold: bool, kind: str = "MARKET") -> str:
    maker = "true" if sold else "false"
    data = f'"e":"trade","T":{time_ms},"s":"BTCUSDT","t":1,"p":"{price}","q":"{size}","X":"{kind}","m":{maker}'
    return f'17{time_ms} {{"stream":"btcusdt@trade","data":{{{data}}}}}'


DEPTH = '171 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","T":1,"b":[["1","2"]]}}'
SNAPSHOT = '172 {"lastUpdateId":5,"bids":[],"asks":[]}'


def _open(path: Path, **options: int | list[str] | None) -> RecordedMarket:
    return RecordedMarket(path, tick_sizes=TICKS, **options)  # type: ignore[arg-type]  # one helper for all options


def _touch(step: MarketStep) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    bid, ask = step.bids[0], step.asks[0]
    return bid.price, bid.quantity, ask.price, ask.quantity


def _assert_valid(steps: Sequence[MarketStep], tick: Decimal) -> None:
    assert steps[0].path_ms == 0
    assert all(before.path_ms <= after.path_ms for before, after in pairwise(steps))
    for step in steps:
        assert step.bids[0].price < step.asks[0].price
        prices = [step.bids[0].price, step.asks[0].price, step.last]
        assert all(price > 0 and price % tick == 0 for price in prices)
        assert all(level.quantity > 0 for level in (*step.bids, *step.asks))
        assert all(trade.quantity > 0 for trade in step.prints)


# The raw stream


def test_raw_frames_become_quotes_and_prints(write: Write) -> None:
    """Exchange time T is path time, the taker is the one who was not the maker, depth is passed over."""
    path = write(
        RAW,
        [
            DEPTH,
            _ticker(1_000, "61800.20", "2.507", "61800.30", "2.510"),
            SNAPSHOT,
            _trade(1_009, "61800.30", "0.006", sold=False),
            _ticker(1_030, "61800.20", "2.507", "61800.30", "2.504"),
            _trade(1_050, "61800.20", "0.100", sold=True),
        ],
    )
    market = _open(path)
    steps = list(market.steps())
    assert (market.symbols, market.origin_ms) == (("BTCUSDT",), 1_000)
    assert [step.path_ms for step in steps] == [0, 9, 30, 50]
    assert _touch(steps[0]) == (
        Decimal("61800.20"),
        Decimal("2.507"),
        Decimal("61800.30"),
        Decimal("2.510"),
    )
    assert _touch(steps[2])[3] == Decimal("2.504")
    assert [step.last for step in steps] == [
        Decimal(t) for t in ("61800.2", "61800.3", "61800.3", "61800.2")
    ]
    sides = [[trade.taker_side for trade in step.prints] for step in steps]
    assert sides == [[], ["BUY"], [], ["SELL"]]
    assert steps[1].prints[0].quantity == Decimal("0.006")
    assert steps[0].mark == Decimal("61800.25")


def test_a_late_record_belongs_to_the_step_before_it(write: Write) -> None:
    """Quotes and trades reach a recorder out of order; path time does not run back."""
    path = write(
        RAW,
        [
            _ticker(1_000, "100.0", "1.000", "100.1", "1.000"),
            _ticker(1_100, "101.0", "1.000", "101.1", "1.000"),
            _trade(1_040, "100.1", "0.010", sold=False),
            _ticker(1_100, "102.0", "1.000", "102.1", "1.000"),
        ],
    )
    steps = list(_open(path).steps())
    assert [step.path_ms for step in steps] == [0, 100]
    assert (steps[1].bids[0].price, steps[1].last) == (Decimal(102), Decimal("100.1"))
    assert len(steps[1].prints) == 1


def test_the_end_of_a_sweep_stands_as_last(write: Write) -> None:
    """Trades of one millisecond are one step until the taker changes sides."""
    path = write(
        RAW,
        [
            _trade(1_000, "100.0", "0.010", sold=True),
            _trade(1_000, "90.0", "0.010", sold=True),
            _trade(1_000, "100.0", "0.010", sold=False),
        ],
    )
    steps = list(_open(path).steps())
    assert [(step.path_ms, step.last, len(step.prints)) for step in steps] == [
        (0, Decimal(90), 2),
        (0, Decimal(100), 1),
    ]


def test_fills_that_are_no_market_are_passed_over(write: Write) -> None:
    """Insurance fund and ADL trades leave last price and prints alone."""
    lines = [
        _trade(1_000, "100.0", "0.010", sold=True),
        _trade(1_001, "50.0", "9.000", sold=True, kind="INSURANCE_FUND"),
    ]
    assert [step.last for step in _open(write(RAW, lines)).steps()] == [Decimal(100)]


def test_the_symbol_is_read_from_the_frames(write: Write) -> None:
    """A raw stream knows its symbol where its name does not; a caller may name another."""
    path = write("stream.jsonl", [_trade(1_000, "100.0", "0.010", sold=True)])
    assert _open(path).symbols == ("BTCUSDT",)
    assert _open(path, symbols=["ETHUSDT"]).symbols == ("ETHUSDT",)


# Files of trades only


def test_coin_margined_contracts_become_base_quantity(write: Write) -> None:
    """105 contracts of 10 USD at 28.41 are 36.96 AVAX: 37 whole units; the name's contract becomes AVAXUSDT."""
    path = write(COINM, [COINM_HEADER, "1760054401433,4753,1,buy,28.41,105"])
    market = _open(path)
    (step,) = market.steps()
    assert (market.symbols, market.origin_ms) == (("AVAXUSDT",), 1_760_054_401_433)
    assert (step.prints[0].price, step.prints[0].quantity) == (Decimal("28.41"), Decimal(37))
    assert str(step.last) == "28.410"


def test_a_bitcoin_contract_is_worth_a_hundred_dollars(write: Write) -> None:
    """21 contracts of 100 USD at 100,000 are 0.021 BTC."""
    path = write("coinm_BTCUSD_PERP.csv", [COINM_HEADER, "1000,1,1,sell,100000.0,21"])
    (step,) = _open(path).steps()
    assert step.prints[0].quantity == Decimal("0.021")


def test_a_buyer_makes_the_ask_and_a_seller_the_bid(write: Write) -> None:
    """A quote built around a trade stands one tick wide on the side that was hit, with the mean size."""
    path = write(
        COINM,
        [COINM_HEADER, "1000,1,1,buy,20.000,40", "1500,1,2,sell,20.000,80", "2000,1,3,buy,20.1,60"],
    )
    steps = list(_open(path).steps())
    assert _touch(steps[0]) == (Decimal("19.999"), Decimal(20), Decimal("20.000"), Decimal(20))
    assert _touch(steps[1]) == (Decimal("20.000"), Decimal(30), Decimal("20.001"), Decimal(30))
    assert _touch(steps[2])[2] == Decimal("20.100")
    assert steps[1].mark == Decimal("20.0000")


def test_the_size_of_a_built_quote_follows_the_latest_trades(write: Write) -> None:
    """The mean is that of the latest 64 trades: an old giant is forgotten."""
    rows = [f"{1_000 + index},1,1,buy,10.000,10" for index in range(64)]
    steps = list(_open(write(COINM, [COINM_HEADER, "999,1,1,buy,10.000,640", *rows])).steps())
    assert steps[0].asks[0].quantity == Decimal(640)
    assert steps[-2].asks[0].quantity == Decimal(20)  # (640 + 63 * 10) / 64 = 19.8
    assert steps[-1].asks[0].quantity == Decimal(10)


def test_spot_trades_are_microseconds_and_rounded_to_the_tick(write: Write) -> None:
    """BTCUSDC stands in for BTCUSDT: times in µs, cents rounded to the contract's tick."""
    path = write(
        SPOT,
        [
            SPOT_HEADER,
            "1,1759924800578296,122937.61,0.01294,1,1",
            "2,1759924801578999,122937.66,0.00005,1,0",
        ],
    )
    market = _open(path)
    steps = list(market.steps())
    assert (market.symbols, market.origin_ms) == (("BTCUSDT",), 1_759_924_800_578)
    assert [step.path_ms for step in steps] == [0, 1_000]
    assert [str(step.last) for step in steps] == ["122937.60", "122937.70"]
    assert [step.prints[0].taker_side for step in steps] == ["SELL", "BUY"]
    assert [step.prints[0].quantity for step in steps] == [Decimal("0.013"), Decimal("0.001")]


def test_top_of_book_and_trades_in_one_file(write: Write) -> None:
    """B rows quote, T rows trade, transaction time counts."""
    path = write(
        TOP,
        [
            TOP_HEADER,
            "B,9,1000,1001,5,2681.62,1.165,2681.63,73.077",
            "T,9,1250,1250,6,2681.63,1.000,0,MARKET",
        ],
    )
    steps = list(_open(path).steps())
    assert [step.path_ms for step in steps] == [0, 250]
    assert _touch(steps[1]) == (
        Decimal("2681.62"),
        Decimal("1.16"),
        Decimal("2681.63"),
        Decimal("73.08"),
    )
    assert (steps[1].last, steps[1].prints[0].taker_side) == (Decimal("2681.63"), "BUY")


def test_a_quote_is_rounded_outwards(write: Write) -> None:
    """A tick coarser than the recorded one never crosses or locks the book."""
    lines = [_ticker(1_000, "100.04", "1.000", "100.06", "1.000")]
    (step,) = _open(write(RAW, lines)).steps()
    assert (step.bids[0].price, step.asks[0].price) == (Decimal("100.0"), Decimal("100.1"))


def test_packed_and_plain_files_read_alike(write: Write) -> None:
    """Gzip is told by the content, not by the name."""
    lines = [COINM_HEADER, "1000,1,1,buy,20.000,40", "1500,1,2,sell,20.000,80"]
    packed = write(f"{COINM}.gz", lines)
    renamed = packed.with_suffix("")
    packed.rename(renamed)
    packed_steps = list(_open(renamed).steps())
    assert packed_steps == list(_open(write(COINM, lines)).steps())
    assert len(packed_steps) == 2


# Windows


@pytest.fixture
def minutes(write: Write) -> Path:
    """A trade at 2025-10-10T21:00:00Z and at each of the nine minutes after it."""
    start = 1_760_130_000_000
    rows = [f"{start + 60_000 * i},1,{i},buy,{20 + i}.000,40" for i in range(10)]
    return write(COINM, [COINM_HEADER, *rows])


def test_a_window_is_cut_by_exchange_time(minutes: Path) -> None:
    """From is inclusive, to is exclusive, path time begins with the window's first record."""
    market = _open(minutes, window_from_ms=1_760_130_090_000, window_to_ms=1_760_130_300_000)
    steps = list(market.steps())
    assert market.origin_ms == 1_760_130_120_000
    assert [(step.path_ms, step.last) for step in steps] == [
        (0, Decimal(22)),
        (60_000, Decimal(23)),
        (120_000, Decimal(24)),
    ]


def test_half_a_window_runs_to_the_end_of_the_file(minutes: Path) -> None:
    """Either end of the window may be left open."""
    assert len(list(_open(minutes, window_from_ms=1_760_130_300_000).steps())) == 5
    assert len(list(_open(minutes, window_to_ms=1_760_130_300_000).steps())) == 5


def test_an_empty_window_names_the_range_of_the_file(minutes: Path) -> None:
    """One clear message with the window asked for and the range that there is."""
    expected = (
        r"no records of coinm_AVAXUSD_PERP_trades\.csv between --from 2025-10-11T00:00:00\.000Z and "
        r"--to \(not given\); the file runs from 2025-10-10T21:00:00\.000Z to 2025-10-10T21:09:00\.000Z"
    )
    with pytest.raises(ValueError, match=expected):
        _open(minutes, window_from_ms=1_760_140_800_000)


def test_a_file_without_records_is_refused(write: Write) -> None:
    """A header alone is no market."""
    with pytest.raises(ValueError, match="holds no quotes, trades or bars"):
        _open(write(COINM, [COINM_HEADER]))


# Rows that cannot be read


@pytest.mark.parametrize(
    ("name", "header", "row", "why"),
    [
        (COINM, COINM_HEADER, "1000,1,1,buy,20.0", "5 fields where 6 belong"),
        (COINM, COINM_HEADER, "1000,1,1,buy,abc,40", "price 'abc' is not a number"),
        (COINM, COINM_HEADER, "1000,1,1,buy,1,1e40", "a number is too large"),
        (COINM, COINM_HEADER, "1000,1,1,buy,NaN,40", "price NaN is not a finite number"),
        (COINM, COINM_HEADER, "1000,1,1,buy,20.0,0", "qty 0 is not a finite number above zero"),
        (COINM, COINM_HEADER, "1000,1,1,BOTH,20.0,40", "taker_side 'BOTH' is neither buy nor sell"),
        (COINM, COINM_HEADER, "-5,1,1,buy,20.0,40", "ts_ms '-5' is not a time"),
        (
            COINM,
            COINM_HEADER,
            "9999999999999999,1,1,buy,20,4",
            "is not a time between 1970 and 9999",
        ),
        (SPOT, SPOT_HEADER, "1,soon,100.0,0.1,1,1", "ts_us 'soon' is not a time"),
        (
            SPOT,
            SPOT_HEADER,
            "1,1000000,100.0,0.1,1,maybe",
            "buyer_is_maker 'maybe' is neither 0 nor 1",
        ),
        (TOP, TOP_HEADER, "Q,1,1000,1,1,1,1,1,1", "kind 'Q' is neither B nor T"),
        (TOP, TOP_HEADER, "B,1,1000,1,1,5.00,1,5.00,1", r"bid 5\.00 is not below ask 5\.00"),
        (RAW, DEPTH, "garbage", "not a frame"),
        (RAW, DEPTH, '17 {"stream":"btcusdt@trade","data":{"T":1}}', "missing required field"),
        (RAW, DEPTH, '17 {"stream":"btcusdt@trade","data":{"T":1', "truncated"),
        (RAW, DEPTH, _trade(1_000, "-4", "1", sold=True), "p -4 is not a finite number above zero"),
        (RAW, DEPTH, _ticker(1_000, "5", "1", "4", "1"), "bid 5 is not below ask 4"),
    ],
)
def test_a_malformed_row_names_file_and_line(
    write: Write, name: str, header: str, row: str, why: str
) -> None:
    """The first line is fine, the second is not: the message says where and what."""
    with pytest.raises(ValueError, match=rf"^{name}:2: .*{why}"):
        _open(write(name, [header, row]))


def test_a_malformed_row_later_ends_the_path_with_its_place(write: Write) -> None:
    """What was read before is played; then the same clear message."""
    path = write(COINM, [COINM_HEADER, "1000,1,1,buy,20.0,40", "2000,1,1,buy,20.1,40", "oops"])
    steps = _open(path).steps()
    assert next(steps).last == Decimal(20)
    with pytest.raises(ValueError, match=rf"^{COINM}:4: 1 fields where 6 belong"):
        list(steps)


def test_a_cut_off_archive_names_file_and_line(write: Write) -> None:
    """A download that broke off is told as such."""
    rows = [
        f"{1_000 + i},{i * i % 977},{i},buy,{20 + i % 7}.{i % 10},{i % 50 + 1}"
        for i in range(5_000)
    ]
    path = write(f"{COINM}.gz", [COINM_HEADER, *rows])
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(ValueError, match=rf"^{COINM}\.gz:\d+: broken packed data"):
        list(_open(path).steps())


@pytest.mark.parametrize("first", ["", "open_time_ms,mark,index", "\x00\x01"])
def test_an_unknown_format_is_told(write: Write, first: str) -> None:
    """The message shows the first line and names what can be read."""
    with pytest.raises(ValueError, match=r"bars\.csv:1: unknown format .*known: raw stream"):
        _open(write("bars.csv", [first]))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The path that was given stands in the message."""
    with pytest.raises(ValueError, match=r"nowhere\.csv does not exist"):
        _open(tmp_path / "nowhere.csv")


def test_a_file_that_names_no_symbol_needs_one(write: Write) -> None:
    """The message says how to give it."""
    path = write("trades.csv", [SPOT_HEADER, "1,1000000,100.0,0.1,1,1"])
    with pytest.raises(ValueError, match=r"trades\.csv names no symbol; give one with --symbols"):
        _open(path)
    assert _open(path, symbols=["ETHUSDT"]).symbols == ("ETHUSDT",)


def test_a_symbol_that_is_not_listed_is_told(write: Write) -> None:
    """A file of a symbol without instrument cannot be played."""
    path = write("coinm_LUNAUSD_PERP.csv", [COINM_HEADER, "1000,1,1,buy,20.0,40"])
    with pytest.raises(
        ValueError, match="LUNAUSDT, which is not listed; listed: AVAXUSDT, BTCUSDT"
    ):
        _open(path)


# The recorded files themselves; each has its hand-written twin above


def test_the_recorded_raw_stream_plays(recorded_data: Path) -> None:
    """345 s of BTCUSDT: valid steps, one tick wide nearly always, moving 0.4 % in all."""
    market = _open(next(recorded_data.glob("usdm_BTCUSDT_rawstream_*.jsonl.gz")))
    steps = list(market.steps())
    _assert_valid(steps, TICKS["BTCUSDT"])
    assert market.origin_ms == 1_723_161_256_313
    assert sum(len(step.prints) for step in steps) == 21_313
    assert 340_000 < steps[-1].path_ms < 346_000
    lasts = [step.last for step in steps]
    assert Decimal("0.003") < max(lasts) / min(lasts) - 1 < Decimal("0.005")


def test_the_recorded_crash_plays_in_its_window(recorded_data: Path) -> None:
    """AVAX, 2025-10-10, 21:05 to 21:35: from above 25 to near 6 and back over 12."""
    path = next(recorded_data.glob("coinm_AVAXUSD_PERP_trades_*.csv.gz"))
    market = _open(path, window_from_ms=1_760_130_300_000, window_to_ms=1_760_132_100_000)
    steps = list(market.steps())
    _assert_valid(steps, TICKS["AVAXUSDT"])
    assert 0 <= market.origin_ms - 1_760_130_300_000 < 5_000
    assert sum(len(step.prints) for step in steps) == 24_273
    low = min(steps, key=lambda step: step.last)
    assert steps[0].last > 25
    assert low.last < 7
    assert steps[-1].last > 12


def test_the_recorded_spot_day_plays(recorded_data: Path) -> None:
    """Eight hours of BTCUSDC as BTCUSDT: every trade is printed, no gap over five minutes."""
    steps = list(_open(next(recorded_data.glob("spot_BTCUSDC_*.csv.gz"))).steps())
    _assert_valid(steps, TICKS["BTCUSDT"])
    assert sum(len(step.prints) for step in steps) == 122_447
    assert max(after.path_ms - before.path_ms for before, after in pairwise(steps)) < 300_000


def test_the_recorded_top_of_book_plays(recorded_data: Path) -> None:
    """ETHUSDT: quotes and trades of the same 345 s."""
    steps = list(
        islice(_open(next(recorded_data.glob("usdm_ETHUSDT_top_*.csv.gz"))).steps(), 20_000)
    )
    _assert_valid(steps, TICKS["ETHUSDT"])
    assert any(step.prints for step in steps)
