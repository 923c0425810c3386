"""Files of Binance's public archive as markets: zipped tables, old and new, and their checksums."""

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from jumar.exchange.simulated.market import RecordedMarket

TICKS = {"BTCUSDT": Decimal("0.10")}
BEGIN_MS = 1_722_816_000_000
TRADES_HEADER = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
)
TRADES = [
    f"2261000001,58161.0,0.005,5260000001,5260000001,{BEGIN_MS + 35},true",
    f"2261000002,58161.1,1.2,5260000002,5260000004,{BEGIN_MS + 35},false",
    f"2261000003,58160.2,0.500,5260000005,5260000005,{BEGIN_MS + 1240},true",
]
BARS_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
BARS = [
    f"{BEGIN_MS},58161.0,58200.5,58100.0,58150.1,120.5,{BEGIN_MS + 59_999},7008000.1,2500,60.1,3500000.2,0",
    f"{BEGIN_MS + 60_000},58150.1,58160.0,58000.0,58010.0,99,{BEGIN_MS + 119_999},5750000,2100,40,2330000,0",
]
TRADES_NAME, BARS_NAME = "BTCUSDT-aggTrades-2024-08-05", "BTCUSDT-1m-2024-08-05"

type Pack = Callable[[str, list[str]], Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Zip lines as the archive does: one table of the zip's own name."""

    def pack_lines(name: str, lines: list[str]) -> Path:
        path = tmp_path / f"{name}.zip"
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.csv", "".join(f"{line}\n" for line in lines))
        return path

    return pack_lines


def _open(path: Path) -> RecordedMarket:
    return RecordedMarket(path, tick_sizes=TICKS)


@pytest.mark.parametrize("head", [[TRADES_HEADER], []])
def test_archived_trades_are_played(pack: Pack, head: list[str]) -> None:
    """With and without the header: price, size, taker and moment of each, for the symbol of the file's name."""
    market = _open(pack(TRADES_NAME, head + TRADES))
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
def test_archived_bars_are_played(pack: Pack, head: list[str]) -> None:
    """With and without the header: each minute's open, high, low and close are met."""
    steps = list(_open(pack(BARS_NAME, head + BARS)).steps())
    minute = [step.last for step in steps if step.path_ms < 60_000]
    ends = (minute[0], max(minute), min(minute), minute[-1])
    assert ends == tuple(map(Decimal, ("58161.0", "58200.5", "58100.0", "58150.1")))
    assert (len(steps), steps[-1].last) == (120, Decimal("58010.0"))


def test_a_table_taken_out_of_its_zip_is_played_too(tmp_path: Path) -> None:
    """The table itself is what is told, not how it was packed."""
    path = tmp_path / f"{TRADES_NAME}.csv"
    path.write_text("\n".join([TRADES_HEADER, *TRADES]) + "\n", encoding="utf-8")
    assert [step.last for step in _open(path).steps()][-1] == Decimal("58160.2")


def test_the_checksum_beside_a_file_is_obeyed(pack: Pack) -> None:
    """The published file is played, another is refused by both names, and so is a checksum that is none."""
    path = pack(TRADES_NAME, TRADES)
    beside = path.with_name(path.name + ".CHECKSUM")
    beside.write_text(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    assert list(_open(path).steps())
    path = pack(TRADES_NAME, TRADES[:1])
    with pytest.raises(ValueError, match=r"\.zip is not what .*\.zip\.CHECKSUM says; fetch both"):
        _open(path)
    beside.write_text("<Error>NoSuchKey</Error>")
    with pytest.raises(ValueError, match=r"\.CHECKSUM holds no SHA-256; fetch it again"):
        _open(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (TRADES[0].replace("true", "maybe"), "3: is_buyer_maker 'maybe' is neither false nor true"),
        (TRADES[0] + ",0", "3: 8 fields where 7 belong"),
        (TRADES[0].replace("58161.0", "0"), "3: price 0 is not a finite number above zero"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(pack: Pack, row: str, said: str) -> None:
    """File, line and field."""
    market = _open(pack(TRADES_NAME, [TRADES_HEADER, TRADES[0], row]))
    with pytest.raises(ValueError, match=f"{TRADES_NAME}.zip:{said}"):
        list(market.steps())


def test_bars_of_another_length_are_refused(pack: Pack) -> None:
    """Only minutes are played: the second row of a five minute file tells."""
    later = BARS[1].replace(str(BEGIN_MS + 60_000), str(BEGIN_MS + 300_000))
    market = _open(pack("BTCUSDT-5m-2024-08-05", [BARS_HEADER, BARS[0], later]))
    with pytest.raises(ValueError, match="bars of 300 s; only bars of one minute"):
        list(market.steps())


def test_a_zip_that_is_no_table_is_named(tmp_path: Path, pack: Pack) -> None:
    """Two files in one, a byte that changed, and a download that broke off."""
    two = tmp_path / "two.zip"
    with ZipFile(two, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(ValueError, match=r"two\.zip holds 2 files; one table belongs in it"):
        _open(two)
    path = pack(TRADES_NAME, TRADES)
    whole = path.read_bytes()
    path.write_bytes(whole[:80] + bytes([whole[80] ^ 255]) + whole[81:])
    with pytest.raises(ValueError, match=r"\.zip: ?.*broken (zip|packed) data"):
        list(_open(path).steps())
    path.write_bytes(whole[:-30])
    with pytest.raises(ValueError, match="broken zip data: File is not a zip file"):
        _open(path)
