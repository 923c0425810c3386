"""Where decisions come from, and where the answer to each goes."""

from dataclasses import dataclass
from typing import Protocol

from jumar.model.decision import Decision, FieldError

#: How often the engine looks at its source within one tick, so that a decision waits half a tick at most.
POLLS_PER_TICK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One new content of a source.

    Attributes:
        raw: the text as read (cut to a sane length for the record).
        symbol, timestamp_ms: as far as they could be read, even of a refused one (D-7: it still supersedes).
        decision: None when refused.
        errors: why it was refused; empty otherwise.
        code: the guard's code when refused: `malformed` or `symbol_not_managed`.
        quarantine: path of the copy of a content that could not be parsed (D-5), None when there is none.
    """

    raw: str
    symbol: str | None
    timestamp_ms: int | None
    decision: Decision | None
    errors: tuple[FieldError, ...] = ()
    code: str | None = None
    quarantine: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a decision was not simply accepted: a guard's code, the rule behind it, and a message with the numbers."""

    code: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was done with one decision (D-8).

    Attributes:
        symbol, decision_id, timestamp_ms: as far as they could be read.
        outcome: `accepted`, `refused`, `superseded` or `spent`.
        reasons: empty when accepted.
        at_ms: exchange time of the answer.
    """

    symbol: str | None
    decision_id: str | None
    timestamp_ms: int | None
    outcome: str
    reasons: tuple[Reason, ...]
    at_ms: int


class DecisionSource(Protocol):
    """A watched place that is told what became of what it brought."""

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll; never raises: an unreadable file is no decision (D-5)."""
        ...

    def answer(self, answer: Answer) -> None:
        """Tell the writer what was done (D-8); never raises: what cannot be delivered is logged once."""
        ...
