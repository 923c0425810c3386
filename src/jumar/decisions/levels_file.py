"""Watched levels: one file, or a folder with a file for each symbol (D-10).

Promises that `poll` never raises and that each content is told once; a half-written one is read again, as a
decision's is (see `watch.py`). An absent file tells nothing: the last levels stand until they are too old.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from jumar.decisions.levels import interpret_levels, nobodys
from jumar.decisions.watch import Broken, WatchedFile
from jumar.ports.levels import LevelsReceived

#: So named, they may lie in the folder of the decisions, too.
SUFFIX = ".levels.json"


def file_in(folder: Path, symbol: str) -> Path:
    """Return where the levels of a symbol stand in a folder."""
    return folder / f"{symbol}{SUFFIX}"


def symbol_of(file: Path) -> str | None:
    """Return the symbol that a file's name says, None where it says none."""
    return file.name.removesuffix(SUFFIX) if file.name.endswith(SUFFIX) else None


class FileLevels:
    """The levels that somebody writes (see `jumar.ports.levels.LevelsSource`)."""

    def __init__(self, path: Path, *, symbols: Collection[str], polls_per_tick: int = 1) -> None:
        """Watch `path`.

        Args:
            path: a file; or a folder that exists, in which `BTCUSDT.levels.json` holds the levels of BTCUSDT.
            symbols: the configured ones; levels of others are ignored.
            polls_per_tick: how often the engine looks within one tick.
        """
        self._symbols = tuple(symbols)
        files: dict[str | None, Path] = {None: path}
        if path.is_dir():
            files = {symbol: file_in(path, symbol) for symbol in self._symbols}
        self._files = {
            name: WatchedFile(file, polls_per_tick=polls_per_tick) for name, file in files.items()
        }

    def poll(self) -> tuple[LevelsReceived, ...]:
        """What is new since the last poll."""
        return tuple(self._news())

    def _news(self) -> Iterator[LevelsReceived]:
        for name, watched in self._files.items():
            news = watched.poll()
            if isinstance(news, Broken):
                yield nobodys(news.error, name)
            elif news is not None:
                yield from interpret_levels(news.value, symbols=self._symbols, name=name)
