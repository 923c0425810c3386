"""Files as Binance's public archive publishes them, written by hand: headers, rows, zips and checksums."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

TICKS = {"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01")}
DAY = "2024-03-05"
BEGIN_MS = 1_709_596_800_000
"""The day's first moment."""
TREE = "data/futures/um/daily"
TRADES_HEADER = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
)
SINGLE_TRADES_HEADER = "id,price,qty,quote_qty,time,is_buyer_maker"
QUOTES_HEADER = (
    "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
)
BARS_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
FUNDING_HEADER = "calc_time,funding_interval_hours,last_funding_rate"


def trade(ms: int, price: str, size: str = "0.500", *, sold: bool = False) -> str:
    """A row of aggTrades, so many milliseconds into the day."""
    return f"{2261000001 + ms},{price},{size},1,1,{BEGIN_MS + ms},{str(sold).lower()}"


def quote(ms: int, bid: str, ask: str) -> str:
    """A row of bookTicker."""
    return f"{4183452554160 + ms},{bid},2.000,{ask},3.000,{BEGIN_MS + ms},{BEGIN_MS + ms + 4}"


def bar(minute: int, prices: str, volume: str = "60") -> str:
    """A row of 1m klines; `prices` are open, high, low and close."""
    opens = BEGIN_MS + minute * 60_000
    return ",".join(
        [str(opens), *prices.split(), volume, str(opens + 59_999), "1", "60", "0", "0", "0"]
    )


def mark(minute: int, prices: str) -> str:
    """A row of markPriceKlines: nothing is traded in it."""
    return bar(minute, prices, volume="0").replace(",1,60,0,0,0", ",0,60,0,0,0")


def pack(
    folder: Path, name: str, lines: Sequence[str], *, checksum: bool = True, tree: str = ""
) -> Path:
    """Zip lines as the archive does, one table of the zip's own name, and put the checksum beside it."""
    path = folder / tree / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", "".join(f"{line}\n" for line in lines))
    if checksum:
        said = f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        path.with_name(f"{path.name}.CHECKSUM").write_text(said)
    return path
