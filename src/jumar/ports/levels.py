"""Where levels come from: swings and liquidation zones that somebody else found (D-10)."""

from dataclasses import dataclass
from typing import Protocol

from jumar.model.decision import FieldError
from jumar.model.levels import MarketLevels


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsReceived:
    """What one new content of a source says of one symbol.

    Attributes:
        symbol: None where it could not be read: the content is nobody's.
        levels: None when refused.
        errors: why they were refused; empty otherwise.
    """

    symbol: str | None
    levels: MarketLevels | None
    errors: tuple[FieldError, ...] = ()


class LevelsSource(Protocol):
    """A watched place that somebody writes levels to."""

    def poll(self) -> tuple[LevelsReceived, ...]:
        """What is new since the last poll; never raises: an unreadable file is no levels."""
        ...
