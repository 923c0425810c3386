"""The report: one JSON object that a user can read and send, and the lines that are printed of it.

Promises that it holds no key, signature, listen key or balance: what might be one is blotted out wherever it stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jumar.exchange.binance.probe.assumptions import ASSUMPTIONS
from jumar.exchange.binance.probe.finding import Finding, Question, Verdict
from jumar.exchange.binance.probe.saying import Json
from jumar.model.units import text

SCHEMA = 1
EVIDENCE_MAX, TEXT_MAX = 60, 600
BLOT = "***"
HIDDEN = frozenset({"signature", "apiKey", "listenKey"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question with its answer.

    Attributes:
        evidence: requests with their answers and events of the user stream, as they came, oldest first.
        left: what could not be taken back after it.
    """

    question: Question
    finding: Finding
    seconds: float
    evidence: Sequence[Json] = ()
    left: Sequence[str] = ()


def answered_json(of: Answered) -> Json:
    """One question in the report."""
    return {
        "question": of.question.name,
        "asks": of.question.asks,
        "steps": of.question.steps,
        "item": of.question.item,
        "assumption": of.question.assumption,
        "decides": list(of.question.decides),
        "verdict": of.finding.verdict.value,
        "value": of.finding.value,
        "why": of.finding.why,
        "readings": dict(of.finding.readings),
        "seconds": round(of.seconds, 1),
        "left": list(of.left),
        "evidence": list(of.evidence),
    }


def readings_of(answers: Iterable[Answered]) -> dict[str, str | int]:
    """How the simulated exchange is started to behave as was found."""
    return {name: value for each in answers for name, value in each.finding.readings.items()}


def assumptions_of(answers: Iterable[Answered]) -> list[Json]:
    """What the answers mean for Jumar, one row for each assumption."""
    found = {each.question.assumption: each.finding for each in answers}
    return [
        {
            "assumption": row.number,
            "holds": row.holds,
            "verdict": found[row.number].verdict.value if row.number in found else "not asked",
            "otherwise": row.otherwise,
        }
        for row in ASSUMPTIONS
    ]


def verdict_line(of: Answered) -> str:
    """One question on the terminal."""
    finding = of.finding
    told = "; ".join(part for part in (finding.value, finding.why) if part)
    return f"{of.question.name:<25}{finding.verdict.value:<16}{told}"


def conclusion(answers: Sequence[Answered]) -> list[str]:
    """The block about the assumptions on the terminal."""
    lines = ["What it means for Jumar:"]
    for row in assumptions_of(answers):
        lines.append(f"  {row['assumption']} {row['verdict']}: {row['holds']}")
        if row["verdict"] == Verdict.REFUTED:
            lines.append(f"      so: {row['otherwise']}")
        elif row["verdict"] != Verdict.CONFIRMED:
            lines.append(f"      if not so: {row['otherwise']}")
    return lines


def trimmed(evidence: Sequence[Json]) -> list[Json]:
    """The beginning and the end of long evidence."""
    rows = list(evidence)
    if len(rows) <= EVIDENCE_MAX:
        return rows
    half = EVIDENCE_MAX // 2
    return [*rows[:half], {"left out": len(rows) - 2 * half}, *rows[-half:]]


def blotted(report: Json, secrets: Iterable[str]) -> Json:
    """The report without what must not be told, its texts cut to a readable length."""
    clean: Json = _clean(report, tuple(secret for secret in secrets if secret))
    return clean


def _clean(value: Any, hidden: tuple[str, ...]) -> Any:
    match value:
        case Mapping():
            return {
                _clean(name, hidden): BLOT if name in HIDDEN else _clean(each, hidden)
                for name, each in value.items()
            }
        case list() | tuple():
            return [_clean(each, hidden) for each in value]
        case str():
            for secret in hidden:
                value = value.replace(secret, BLOT)
            return value if len(value) <= TEXT_MAX else f"{value[:TEXT_MAX]}…"
        case Decimal():
            return text(value)
        case _:
            return value
