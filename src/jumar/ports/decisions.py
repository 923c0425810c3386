"""Where decisions come from."""

from dataclasses import dataclass
from typing import Protocol

from jumar.model.decision import Decision, FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One new content of a source.

    Attributes:
        raw: the text as read (cut to a sane length for the record).
        symbol, timestamp_ms: as far as they could be read, even of a refused one (D-7: it still supersedes).
        decision: None when refused.
        errors: why it was refused; empty otherwise.
        code: the guard's code when refused: `malformed` or `symbol_not_managed`.
    """

    raw: str
    symbol: str | None
    timestamp_ms: int | None
    decision: Decision | None
    errors: tuple[FieldError, ...] = ()
    code: str | None = None


class DecisionSource(Protocol):
    """A watched place."""

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll; never raises: an unreadable file is no decision (D-5)."""
        ...
