"""Levels files made of recorded bars, and levels files judged offline (D-10)."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jumar.bootstrap.common import moment
from jumar.config import Outline, load_outline
from jumar.decisions.beside import write_whole
from jumar.decisions.fields import is_word
from jumar.decisions.levels import KINDS, decode_levels
from jumar.decisions.levels_file import symbol_of
from jumar.decisions.parse import SIZE_MAX, JsonObject, Parsed, parse
from jumar.decisions.swings import MINUTE_MS, SwingFinder
from jumar.exchange.simulated.market.formats import Kind, RecordedFile, recognise
from jumar.exchange.simulated.market.records import Bar
from jumar.model.errors import ConfigError
from jumar.model.levels import Swing
from jumar.model.moments import iso
from jumar.model.units import text
from jumar.ports.levels import LevelsReceived

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class KlinesOptions:
    """What the command line says about a levels file to be made.

    Attributes:
        files: recorded bars of one minute, in order of time; `-` is stdin.
        timeframes: of the swings.
        left, right: bars on either side that make a swing.
        symbol: by default the one that the first file's name says.
        as_of: ISO time: what is not over by then is not looked at; by default the end of the last bar.
        out: the file to write; None: nothing is written.
    """

    files: Sequence[str]
    timeframes: Sequence[str] = ("15m",)
    left: int = 2
    right: int = 2
    symbol: str | None = None
    as_of: str | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A levels file that was made.

    Attributes:
        content: as it is written, JSON values.
        bars: how many complete bars each timeframe had.
        swings: what was found in each.
    """

    symbol: str
    as_of_ms: int
    content: Mapping[str, Any]
    bars: Mapping[str, int]
    swings: Mapping[str, tuple[Swing, ...]]

    def as_data(self) -> dict[str, Any]:
        """Return what it holds for programs, JSON values only."""
        frames = {name: {"bars": self.bars[name], **self._counts(name)} for name in self.bars}
        return {"symbol": self.symbol, "as_of": iso(self.as_of_ms), "timeframes": frames}

    def in_words(self) -> str:
        """Return what it holds for people, one line."""
        frames = []
        for name, bars in self.bars.items():
            counts = self._counts(name)
            frames.append(f"{name} {bars} bars, {counts['lows']} lows, {counts['highs']} highs")
        return f"{self.symbol} as of {iso(self.as_of_ms)}: {'; '.join(frames)}"

    def _counts(self, name: str) -> dict[str, int]:
        kinds = [swing.kind for swing in self.swings[name]]
        return {field: kinds.count(kind) for field, kind in KINDS.items()}


def levels_from_klines(options: KlinesOptions) -> Derived:
    """Derive confirmed swings from recorded bars and write them as a levels file, in one move.

    Raises:
        ConfigError: an option or a file that cannot be used; the message names it.
    """
    try:
        finders = {
            name: SwingFinder(name, left=options.left, right=options.right)
            for name in options.timeframes
        }
        symbol, end_ms = _feed(options, tuple(finders.values()))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read: {error.strerror}") from error
    as_of_ms = moment("--as-of", options.as_of) or end_ms
    found = {name: finder.swings for name, finder in finders.items()}  # confirmed, the newest
    derived = Derived(
        symbol=symbol,
        as_of_ms=as_of_ms,
        content=_content(symbol, as_of_ms, found),
        bars={name: finder.bars for name, finder in finders.items()},
        swings=found,
    )
    if options.out is not None:
        _write(options.out, derived.content)
    return derived


def _feed(options: KlinesOptions, finders: Sequence[SwingFinder]) -> tuple[str, int]:
    """Show every minute that was over in time to the finders; return the symbol and the end of the last one."""
    as_of_ms = moment("--as-of", options.as_of)
    symbol, end_ms = options.symbol, 0
    for name in options.files:
        with _opened(name) as file:
            symbol = symbol or file.symbol
            for bar in _bars(file):
                if as_of_ms is not None and bar.time_ms + MINUTE_MS > as_of_ms:
                    break
                end_ms = bar.time_ms + MINUTE_MS
                for finder in finders:
                    finder.add(bar.time_ms, bar.high, bar.low)
    if symbol is None:
        raise ConfigError("--symbol: no file's name says it; name the contract, like BTCUSDT")
    if not end_ms:
        raise ConfigError("no complete bar: give files that begin before --as-of")
    return symbol, end_ms


@contextmanager
def _opened(name: str) -> Iterator[RecordedFile]:
    """Recognise a file; what comes through stdin is put down first, because its format is told by its beginning.

    Raises:
        ValueError: it holds no bars.
    """
    with TemporaryDirectory(prefix="jumar-levels-") as folder:
        path = Path(name)
        if name == STDIN:
            path = Path(folder) / "stdin"
            with path.open("wb") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
        file = recognise(path)
        if file.kind is not Kind.BARS:
            raise ValueError(f"{path.name} holds {file.kind}; {Kind.BARS} are needed")
        yield file


def _bars(file: RecordedFile) -> Iterator[Bar]:
    return (record for record in file.records() if isinstance(record, Bar))


def _content(symbol: str, as_of_ms: int, found: Mapping[str, Sequence[Swing]]) -> Mapping[str, Any]:
    """Swings as a levels file says them."""
    return {
        "symbol": symbol,
        "as_of": iso(as_of_ms),
        "swings": {
            timeframe: {
                field: [
                    {"price": text(swing.price), "time": iso(swing.time_ms), "confirmed": True}
                    for swing in swings
                    if swing.kind is kind
                ]
                for field, kind in KINDS.items()
            }
            for timeframe, swings in found.items()
        },
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    data = (json.dumps(content, indent=2) + "\n").encode()
    try:
        write_whole(path, data)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise ConfigError(f"--out: {path}: cannot be written: {words}") from error


# judged offline


def check_levels(file: Path, config: Path | None) -> tuple[LevelsReceived, ...]:
    """Return what an engine would take in of a levels file; without a configuration every symbol in it is managed.

    Raises:
        ConfigError: the file or the configuration cannot be read.
    """
    outline = None if config is None else load_outline(config)
    data = read_file(file, "a levels file")
    if outline is None:
        return decode_levels(data, symbols=_symbols_in(data, file))
    return decode_levels(data, symbols=tuple(outline.policies), name=name_in_folder(outline, file))


def read_file(path: Path, what: str) -> bytes:
    """Return a file's bytes, no more of them than tell that it is too large.

    Raises:
        ConfigError: it cannot be read; `what` should be named.
    """
    try:
        with path.open("rb") as file:
            return file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {words}; name {what}") from error


def name_in_folder(outline: Outline, file: Path) -> str | None:
    """Return the symbol that the name of a file says, where the configuration watches a folder."""
    watched = outline.levels_path
    return symbol_of(file) if watched is not None and watched.is_dir() else None


def _symbols_in(data: bytes, file: Path) -> tuple[str, ...]:
    """Every symbol that a file speaks of; one that names none is an only symbol's, told by the file's name."""
    parsed = parse(data)
    value = parsed.value if isinstance(parsed, Parsed) else None
    if isinstance(value, JsonObject):
        blocks, symbol = value.get("symbols"), value.get("symbol")
        if isinstance(blocks, JsonObject):
            return tuple(blocks)
        if is_word(symbol):
            return (str(symbol),)
    return (symbol_of(file) or file.stem,)
