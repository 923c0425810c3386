"""Files that make no market but say more about one: mark prices and funding rates beside a recorded path.

Promises that a companion of another symbol or another time is refused, since it would be of no effect.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from jumar.exchange.simulated.market.folder import Tell
from jumar.exchange.simulated.market.formats import Kind, RecordedFile, recognise
from jumar.exchange.simulated.market.recording import Recording, rates_of
from jumar.exchange.simulated.market.records import MarkBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Companions:
    """What is played beside a recording; either may be absent.

    Attributes:
        mark: a file of mark prices.
        funding: a file of funding rates.
    """

    mark: Path | None = None
    funding: Path | None = None

    def beside(self, recordings: Sequence[Recording]) -> list[Recording]:
        """The recordings with their companions.

        Raises:
            ValueError: one holds something else, or belongs to another symbol; names the option and the fix.
        """
        given = [option for option in ("mark", "funding") if getattr(self, option) is not None]
        if given and len(recordings) > 1:
            named = ", ".join(str(each.symbol) for each in recordings)
            raise ValueError(
                f"--{_OPTIONS[given[0]]} belongs to one symbol, and {named} are played; choose one with --symbols"
            )
        if self.mark is not None:
            file = _companion(self.mark, Kind.MARKS, "mark", recordings[0])
            recordings = [replace(recordings[0], marks=[file])]
        if self.funding is not None:
            file = _companion(self.funding, Kind.FUNDING, "funding", recordings[0])
            recordings = [replace(recordings[0], rates=rates_of([file]))]
        return list(recordings)

    def check(self, recording: Recording, begin_ms: int, tell: Tell) -> None:
        """See whether they have anything to say from the path's beginning on.

        Raises:
            ValueError: one ends before it; names both times.
        """
        if self.mark is not None:
            first, last = _span_of(recording.marks[0])
            _reaches(self.mark, "mark", (first, last), begin_ms)
            if first > begin_ms:
                tell(f"{self.mark.name} begins at {iso(first)}: until then the mark price is made")
        if self.funding is not None and recording.rates is not None:
            _reaches(self.funding, "funding", recording.rates.span_ms, begin_ms)


_OPTIONS = {"mark": "mark", "funding": "funding-file"}


def good_for(file: RecordedFile) -> str:
    """What to do with a file, in words."""
    return {
        Kind.MARKS: "give it with --mark, beside a market of trades or bars",
        Kind.FUNDING: "give it with --funding-file, beside a market of trades or bars",
        Kind.QUOTES: "put it into one folder with the aggTrades of the same days and play the folder",
    }.get(file.kind, "play it with --market")


def iso(time_ms: int | None) -> str:
    """A time as a person writes it, UTC."""
    if time_ms is None:
        return "(not given)"
    moment = datetime.fromtimestamp(time_ms / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _companion(path: Path, kind: Kind, option: str, beside: Recording) -> RecordedFile:
    file = recognise(path)
    said = f"--{_OPTIONS[option]}: {path.name} holds"
    if file.kind is not kind:
        raise ValueError(f"{said} {file.kind}, no {kind}; {good_for(file)}")
    if None not in {file.symbol, beside.symbol} and file.symbol != beside.symbol:
        raise ValueError(f"{said} {kind} of {file.symbol}, but {beside.name} holds {beside.symbol}")
    return file


def _span_of(file: RecordedFile) -> tuple[int, int]:
    first, last = sys.maxsize, 0
    for bar in file.records():
        if isinstance(bar, MarkBar):
            first, last = min(first, bar.time_ms), max(last, bar.time_ms + bar.length_ms)
    return first, last


def _reaches(path: Path, option: str, span_ms: tuple[int, int] | None, begin_ms: int) -> None:
    if span_ms is None or span_ms[1] <= begin_ms:
        last = "is empty" if span_ms is None else f"ends at {iso(span_ms[1])}"
        raise ValueError(
            f"--{_OPTIONS[option]}: {path.name} {last}, and the market begins at {iso(begin_ms)}; give one of its time"
        )
