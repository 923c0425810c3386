"""What the commands that ask have in common: which database, whose, and the words for figures and times.

Promises that no key is needed to ask. Knows nothing of what is asked.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from jumar.config import load_outline
from jumar.model.errors import ConfigError
from jumar.model.units import text
from jumar.store.place import Place
from jumar.store.reading import existing

CONFIG = Path("jumar.toml")
"""The configuration that is meant when none is named: in the current folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where to look.

    Attributes:
        account: the account's name, None when only a database was named.
        symbols: those of the configuration, in its order; all of them, or the one that was asked for.
    """

    account: str | None
    database: Place
    symbols: tuple[str, ...]


def where(config: Path | None, *, symbol: str | None = None, database: str | None = None) -> Asked:
    """Find the database of a configuration, or the one that is named.

    Raises:
        ConfigError: no such configuration, database or symbol.
    """
    if config is None and database is not None and not CONFIG.is_file():
        symbols = () if symbol is None else (symbol.upper(),)
        return Asked(account=None, database=existing(database), symbols=symbols)
    outline = load_outline(config or CONFIG)
    if symbol is not None and symbol.upper() not in outline.policies:
        known = ", ".join(outline.policies)
        raise ConfigError(f"--symbol: {symbol} is not configured; known here: {known}")
    return Asked(
        account=outline.account,
        database=existing(database or outline.store_url, outline.folder),
        symbols=tuple(outline.policies) if symbol is None else (symbol.upper(),),
    )


def figure(value: Decimal | str | None, places: int = 8) -> str:
    """An amount for people, cut to so many decimals; empty where there is none."""
    if value is None:
        return ""
    return text(Decimal(value).quantize(Decimal(1).scaleb(-places)))


def signed(value: Decimal | str | None, places: int = 4) -> str:
    """As `figure`, with a plus before a gain."""
    said = figure(value, places)
    return f"+{said}" if said and Decimal(said) > 0 else said


def lasting(seconds: float) -> str:
    """A duration in the unit a person would use: `350 ms`, `3.2 s`, `12 min`, `5 h`, `12 days`."""
    for unit, size, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if 1 <= seconds < until:
            shown = f"{seconds:.1f}" if size == 1 and seconds < 10 else f"{seconds / size:.0f}"
            return f"{shown} {unit}"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds / 86_400:.0f} days"
