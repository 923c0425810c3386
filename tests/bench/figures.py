"""What a bench measured, as lines for people and as one JSON object for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured thing.

    Attributes:
        name: what was measured.
        values: the figures by name, with their units in the names.
        aim: what it should come to, in words; empty where there is no aim.
        reached: whether it did, None where there is no aim.
    """

    name: str
    values: Mapping[str, float | int | str]
    aim: str = ""
    reached: bool | None = None


@dataclass(slots=True)
class Findings:
    """The figures of one run, told as they come.

    Attributes:
        quiet: told at the end only, as JSON.
    """

    quiet: bool
    figures: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        """Keep a figure and tell it."""
        self.figures.append(figure)
        if not self.quiet:
            print(_line(figure), flush=True)

    def note(self, words: str) -> None:
        """Tell people how to read what follows."""
        if not self.quiet:
            print(words, flush=True)

    def finish(self) -> None:
        """Print the JSON object, if that was asked for."""
        if self.quiet:
            print(json.dumps({"figures": [asdict(figure) for figure in self.figures]}))


def _line(figure: Figure) -> str:
    values = "  ".join(f"{name} {_shown(value)}" for name, value in figure.values.items())
    aim = f"  [{figure.aim}: {'yes' if figure.reached else 'NO'}]" if figure.aim else ""
    return f"  {figure.name:<34} {values}{aim}"


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which so large a share of the ordered values lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
