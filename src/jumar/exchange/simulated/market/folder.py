"""A folder of files of Binance's public archive as one market: what fits together is taken, and it is said what was.

The files may lie in the folder itself or below it, as in the archive (`data/futures/um/daily/aggTrades/BTCUSDT/…`).
Per symbol the finest trades there are: aggTrades, else trades, else 1m klines; beside trades the bookTicker files, beside
all of them those of the mark price and of the funding rates. Spot and COIN-M files, other kinds and other lengths of bars are left out.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from jumar.exchange.simulated.market.formats import Kind, RecordedFile, recognise
from jumar.exchange.simulated.market.recording import Name, Recording, name_of, rates_of

_BARS = "1m"
_PLAYED = ("aggTrades", "trades", _BARS)
_QUOTES, _MARKS, _RATES = "bookTicker", "markPriceKlines", "fundingRate"
_KLINES = ("klines", _MARKS, "indexPriceKlines", "premiumIndexKlines")
_SUFFIXES = frozenset({".zip", ".csv", ".gz"})

type Tell = Callable[[str], None]
type _Named = tuple[Name, Path]


def open_folder(
    folder: Path, symbols: Sequence[str], listed: Collection[str], tell: Tell
) -> list[Recording]:
    """What can be played of a folder, one recording a symbol.

    Args:
        folder: where to look, with everything below it.
        symbols: play only these; none: all that are listed and have trades or bars.
        listed: what the exchange could trade.
        tell: hears what was taken, and what is known to be missing.

    Raises:
        ValueError: nothing in it can be played, or not all of the symbols; a file that cannot be read.
    """
    sorted_out, left_out = _sorted_out(folder)
    recordings = []
    for symbol in symbols or sorted(sorted_out.keys() & set(listed)):
        taken = _taken(sorted_out.get(symbol, {}))
        if taken:
            recordings.append(_recording(folder, symbol, taken, tell))
            left_out -= sum(map(len, taken.values()))
        elif symbols:
            raise ValueError(f"--symbols: {folder} holds neither trades nor 1m bars of {symbol}")
    if not recordings:
        raise ValueError(
            f"--market: {folder} holds no trades or 1m bars of Binance's archive (BTCUSDT-aggTrades-2026-11-01.zip, …); "
            "fetch some with jumar market fetch, or name one recorded file"
        )
    if left_out:
        tell(f"{folder}: files left out, which do not fit: {left_out}")
    return recordings


def _sorted_out(folder: Path) -> tuple[dict[str, dict[str, list[_Named]]], int]:
    """The archive's files by symbol and kind, and how many files with tables there are in all."""
    found: dict[str, dict[str, list[_Named]]] = defaultdict(lambda: defaultdict(list))
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _SUFFIXES or not path.is_file():
            continue
        count += 1
        named, kind = name_of(path), _kind_of(path)
        if named is not None and kind is not None:
            found[named.symbol][kind].append((named, path))
    return found, count


def _taken(kinds: Mapping[str, list[_Named]]) -> dict[str, list[_Named]]:
    """What is played of one symbol's files, the finest trades first; nothing without trades or bars."""
    played = next((kind for kind in _PLAYED if kinds.get(kind)), None)
    if played is None:
        return {}
    beside = (_MARKS, _RATES) if played == _BARS else (_QUOTES, _MARKS, _RATES)
    return {kind: _once(kinds.get(kind, [])) for kind in (played, *beside)}


def _kind_of(path: Path) -> str | None:
    """What a file holds, by its name and by the archive's folders; None when it is not to be played."""
    named, parts = name_of(path), path.parts
    if named is None or "spot" in parts or "cm" in parts:
        return None
    folder = next((part for part in parts if part in _KLINES), None)
    kind = named.kind if folder in {"klines", None} else folder
    if kind == _BARS and folder is None and recognise(path).kind is Kind.MARKS:
        return _MARKS
    return kind if kind in {*_PLAYED, _QUOTES, _MARKS, _RATES} else None


def _once(files: list[_Named]) -> list[_Named]:
    """Every day once: a month's file goes before those of its days."""
    months = {named.date for named, _ in files if len(named.date) == 7}
    finest_last = sorted(files, key=lambda each: each[0].kind == _BARS)
    kept = {each[0].date: each for each in finest_last if each[0].date[:-3] not in months}
    return [kept[date] for date in sorted(kept)]


def _recording(
    folder: Path, symbol: str, taken: Mapping[str, list[_Named]], tell: Tell
) -> Recording:
    played, *_ = taken
    for kind, files in taken.items():
        dates = ", ".join(named.date for named, _ in files)
        tell(f"{symbol} {kind}: {dates or _INSTEAD[kind]}")
    opened = {kind: [_opened(path, tell) for _, path in files] for kind, files in taken.items()}
    return Recording(
        name=f"{folder} ({symbol})",
        symbol=symbol,
        played=opened[played],
        quotes=opened.get(_QUOTES, []),
        marks=opened[_MARKS],
        rates=rates_of(opened[_RATES]) if opened[_RATES] else None,
    )


_INSTEAD = {
    _QUOTES: "none; the quote is built around the trades",
    _MARKS: "none; the mark price is made of last price and quote",
    _RATES: "none; the rate is the exchange's own",
}


def _opened(path: Path, tell: Tell) -> RecordedFile:
    file = recognise(path)
    if file.warning:
        tell(file.warning)
    return file
