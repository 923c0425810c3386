"""Problems of a configuration: collected, so that a person mends the file once, not line by line.

Promises that every problem names its field and what to do. Knows nothing of any particular key.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from jumar.model.errors import ConfigError

_WORDS: dict[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    Decimal: "a number",
    dict: "a table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """The problems of one file, in the order in which they were found."""

    file: Path
    found: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Note one problem; `where` names the field, for example `[account] name`."""
        self.found.append(f"{where}: {message}")

    def raise_if_any(self) -> None:
        """Stop here when something was found.

        Raises:
            ConfigError: with every problem, one a line.
        """
        if not self.found:
            return
        if len(self.found) == 1:
            raise ConfigError(f"{self.file}: {self.found[0]}")
        lines = "\n".join(f"  - {problem}" for problem in self.found)
        raise ConfigError(f"{self.file}: {len(self.found)} problems\n{lines}")

    def unknown(self, section: str, key: str, known: Collection[str], hint: str = "") -> None:
        """Note a key that nobody reads, with the nearest one that is read."""
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"
        self.add(named(section, key), f"unknown key; {hint or advice}")

    def table(self, data: Mapping[str, Any], section: str) -> dict[str, Any]:
        """Return a section of the file; an absent one is empty, something else in its place a problem."""
        value = data.get(section, {})
        if isinstance(value, dict):
            return value
        self.add(f"[{section}]", f"must be a table, not {shown(value)}; write it as [{section}]")
        return {}

    def convert(self, where: str, value: Any, kind: type) -> Any:
        """Return the value as `kind`, or None with a problem noted. Text is never taken for a number."""
        fits = kind is not Decimal or not isinstance(value, str)
        try:
            if fits:
                return msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError:
            pass  # said below, in the words of the file instead of the library's
        self.add(f"{where} = {shown(value)}", f"wrong type; it must be {_WORDS[kind]}")
        return None


def named(section: str, key: str) -> str:
    """`[account] name`, or the key alone at the top of the file."""
    return f"[{section}] {key}" if section else key


def shown(value: Any) -> str:
    """A value as it stands in the file, cut to a readable length."""
    match value:
        case bool():
            spelled = str(value).lower()
        case str():
            spelled = f'"{value}"'
        case _:
            spelled = str(value)
    return spelled if len(spelled) <= 60 else f"{spelled[:57]}..."


def listed(values: Iterable[str]) -> str:
    """`"a", "b" or "c"`."""
    quoted = [f'"{value}"' for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
