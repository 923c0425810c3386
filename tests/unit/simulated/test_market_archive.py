"""Files of Binance's public archive as markets: zipped tables, old and new, and their checksums."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.unit.simulated.archives import (
    BARS_HEADER,
    BEGIN_MS,
    QUOTES_HEADER,
    SINGLE_TRADES_HEADER,
    TICKS,
    TRADES_HEADER,
    bar,
    mark,
    pack,
    quote,
    trade,
)

from jumar.exchange.simulated.market import RecordedMarket

TRADES = [
    trade(35, "58161.0", "0.005", sold=True),
    trade(35, "58161.1", "1.2"),
    trade(1240, "58160.2", "0.500", sold=True),
]
BARS = [bar(0, "58161.0 58200.5 58100.0 58150.1"), bar(1, "58150.1 58160.0 58000.0 58010.0")]
TRADES_NAME, BARS_NAME = "BTCUSDT-aggTrades-2024-03-05", "BTCUSDT-1m-2024-03-05"


def _open(path: Path) -> RecordedMarket:
    return RecordedMarket(path, tick_sizes=TICKS)


@pytest.mark.parametrize("head", [[TRADES_HEADER], []])
def test_archived_trades_are_played(tmp_path: Path, head: list[str]) -> None:
    """With and without the header: price, size, taker and moment of each, for the symbol of the file's name."""
    market = _open(pack(tmp_path, TRADES_NAME, head + TRADES))
    prints = [
        (step.path_ms, trade.price, trade.quantity, trade.taker_side)
        for step in market.steps()
        for trade in step.prints
    ]
    assert market.symbols == ("BTCUSDT",)
    assert market.origin_ms == BEGIN_MS + 35
    assert prints == [
        (0, Decimal("58161.0"), Decimal("0.005"), "SELL"),
        (0, Decimal("58161.1"), Decimal("1.2"), "BUY"),
        (1205, Decimal("58160.2"), Decimal("0.5"), "SELL"),
    ]


@pytest.mark.parametrize("head", [[BARS_HEADER], []])
def test_archived_bars_are_played(tmp_path: Path, head: list[str]) -> None:
    """With and without the header: each minute's open, high, low and close are met."""
    steps = list(_open(pack(tmp_path, BARS_NAME, head + BARS)).steps())
    minute = [step.last for step in steps if step.path_ms < 60_000]
    ends = (minute[0], max(minute), min(minute), minute[-1])
    assert ends == tuple(map(Decimal, ("58161.0", "58200.5", "58100.0", "58150.1")))
    assert (len(steps), steps[-1].last) == (120, Decimal("58010.0"))


def test_a_table_taken_out_of_its_zip_is_played_too(tmp_path: Path) -> None:
    """The table itself is what is told, not how it was packed."""
    path = tmp_path / f"{TRADES_NAME}.csv"
    path.write_text("\n".join([TRADES_HEADER, *TRADES]) + "\n", encoding="utf-8")
    assert [step.last for step in _open(path).steps()][-1] == Decimal("58160.2")


def test_the_checksum_beside_a_file_is_obeyed(tmp_path: Path) -> None:
    """The published file is played; another is refused by both sums, and so is a checksum that is none."""
    path = pack(tmp_path, TRADES_NAME, TRADES)
    published = sha256(path.read_bytes()).hexdigest()
    assert list(_open(path).steps())
    pack(tmp_path, TRADES_NAME, TRADES[:1], checksum=False)
    found = sha256(path.read_bytes()).hexdigest()
    said = rf"\.zip is not what .*\.zip\.CHECKSUM says; fetch both .*file {found}, published {published}"
    with pytest.raises(ValueError, match=said):
        _open(path)
    path.with_name(f"{path.name}.CHECKSUM").write_text("<Error>NoSuchKey</Error>")
    with pytest.raises(ValueError, match=r"\.CHECKSUM holds no SHA-256; fetch it again"):
        _open(path)


def test_a_zip_without_a_checksum_is_played_with_a_warning(tmp_path: Path) -> None:
    """Whether it is what was published is not known, and that is said; of other files none is expected."""
    told: list[str] = []
    path = pack(tmp_path, TRADES_NAME, TRADES, checksum=False)
    RecordedMarket(path, tick_sizes=TICKS, tell=told.append)
    assert told == [
        f"{path.name} has no {path.name}.CHECKSUM beside it: whether it is what was published is not known"
    ]
    plain = tmp_path / f"{TRADES_NAME}.csv"
    plain.write_text("\n".join(TRADES))
    RecordedMarket(plain, tick_sizes=TICKS, tell=told.append)
    assert len(told) == 1


@pytest.mark.parametrize("head", [[SINGLE_TRADES_HEADER], []])
def test_single_trades_are_played(tmp_path: Path, head: list[str]) -> None:
    """The table of trades one by one, with and without its header."""
    rows = [
        f"5260000001,58161.1,0.250,14540.2,{BEGIN_MS + 7},False",
        f"2,58161.0,1,1,{BEGIN_MS + 8},true",
    ]
    (first, second) = _open(pack(tmp_path, "BTCUSDT-trades-2024-03-05", head + rows)).steps()
    assert [(each.price, each.taker_side) for each in first.prints] == [(Decimal("58161.1"), "BUY")]
    assert (second.path_ms, second.last) == (1, Decimal("58161.0"))


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        (
            "BTCUSDT-bookTicker-2024-03-05",
            [QUOTES_HEADER, quote(0, "58161.0", "58161.1")],
            "holds quotes, which make no market; put it into one folder with the aggTrades",
        ),
        (BARS_NAME, [BARS_HEADER, mark(0, "1 3 1 2")], "holds mark prices, .*give it with --mark"),
        (BARS_NAME, [mark(0, "1 1 1 1")], "holds mark prices, .*give it with --mark"),
    ],
)
def test_what_makes_no_market_is_told_what_it_is_good_for(
    tmp_path: Path, name: str, lines: list[str], said: str
) -> None:
    """Quotes without trades, and mark prices, whose table looks like the contract's but has no volume."""
    with pytest.raises(ValueError, match=f"--market: {name}.zip {said}"):
        _open(pack(tmp_path, name, lines))


def test_klines_nobody_trades_at_are_refused_by_their_folder(tmp_path: Path) -> None:
    """Index and premium look like klines too."""
    path = pack(tmp_path, BARS_NAME, BARS, tree="indexPriceKlines/BTCUSDT/1m")
    with pytest.raises(ValueError, match="holds indexPriceKlines: nobody trades or marks at that"):
        _open(path)


def test_a_still_minute_of_the_contract_stays_a_bar(tmp_path: Path) -> None:
    """No volume and no trade: nothing moved, and nothing was sampled."""
    still = bar(0, "5 5 5 5", "0").replace(",1,60,", ",0,0,")
    assert {step.last for step in _open(pack(tmp_path, BARS_NAME, [still, *BARS[1:]])).steps()} >= {
        Decimal(5)
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (TRADES[0].replace("true", "maybe"), "3: is_buyer_maker 'maybe' is neither false nor true"),
        (TRADES[0] + ",0", "3: 8 fields where 7 belong"),
        (TRADES[0].replace("58161.0", "0"), "3: price 0 is not a finite number above zero"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, row: str, said: str) -> None:
    """File, line and field."""
    market = _open(pack(tmp_path, TRADES_NAME, [TRADES_HEADER, TRADES[0], row]))
    with pytest.raises(ValueError, match=f"{TRADES_NAME}.zip:{said}"):
        list(market.steps())


def test_bars_of_another_length_are_refused(tmp_path: Path) -> None:
    """Only minutes are played: the second row of a five minute file tells."""
    later = BARS[1].replace(str(BEGIN_MS + 60_000), str(BEGIN_MS + 300_000))
    market = _open(pack(tmp_path, "BTCUSDT-5m-2024-08-05", [BARS_HEADER, BARS[0], later]))
    with pytest.raises(ValueError, match="bars of 300 s; only bars of one minute"):
        list(market.steps())


def test_a_zip_that_is_no_table_is_named(tmp_path: Path) -> None:
    """Two files in one, a byte that changed, and a download that broke off."""
    two = tmp_path / "two.zip"
    with ZipFile(two, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(ValueError, match=r"two\.zip holds 2 files; one table belongs in it"):
        _open(two)
    path = pack(tmp_path, TRADES_NAME, TRADES, checksum=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:80] + bytes([whole[80] ^ 255]) + whole[81:])
    with pytest.raises(ValueError, match=r"\.zip: ?.*broken (zip|packed) data"):
        list(_open(path).steps())
    path.write_bytes(whole[:-30])
    with pytest.raises(ValueError, match="broken zip data: File is not a zip file"):
        _open(path)
