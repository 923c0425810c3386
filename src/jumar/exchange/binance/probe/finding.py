"""Questions and what is found out about them: plain values, and the one exception that ends a question early."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from jumar.exchange.binance.probe.bench import Bench


class Verdict(StrEnum):
    """What became of a question.

    Confirmed and refuted judge what Jumar and the simulated exchange take for usual; found names a value that has no
    usual one.
    """

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    FOUND = "found"
    UNTOLD = "could not tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question.

    Attributes:
        value: what was found, in words of the readings where there is one; empty when it could not be told.
        why: what else should be known; of a question that could not be told the reason.
        readings: the readings of the simulated exchange that behave as was found.
        failed: the question itself broke: a fault of the probe.
    """

    verdict: Verdict
    value: str = ""
    why: str = ""
    readings: Mapping[str, str | int] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that the documents leave open.

    Attributes:
        name: how it is chosen on the command line.
        asks: the question in one sentence.
        decides: the readings it answers.
        assumption: the V-number it answers, empty for none.
        item: its number in the list of what is unconfirmed, such as 9.4.
        turnover: how many smallest sizes it buys and sells at most.
        seconds: how long it may take at most.
    """

    name: str
    asks: str
    answer: Callable[[Bench], Awaitable[Finding]]
    decides: tuple[str, ...] = ()
    assumption: str = ""
    item: str = ""
    turnover: int = 0
    seconds: int = 10

    @property
    def steps(self) -> str:
        """What is done to answer it, in a sentence."""
        return (self.answer.__doc__ or "").partition("\n")[0]


def decided(reading: str, value: str, usual: str, why: str = "") -> Finding:
    """A reading with a usual value: confirmed when it is that one."""
    verdict = Verdict.CONFIRMED if value == usual else Verdict.REFUTED
    return Finding(verdict=verdict, value=f"{reading}={value}", why=why, readings={reading: value})


def both(one: Finding, other: Finding | None) -> Finding:
    """Two readings that one question told: confirmed when both are the usual ones."""
    if other is None:
        return one
    usual = one.verdict is other.verdict is Verdict.CONFIRMED
    return Finding(
        verdict=Verdict.CONFIRMED if usual else Verdict.REFUTED,
        value=f"{one.value}, {other.value}",
        why=one.why or other.why,
        readings={**one.readings, **other.readings},
    )


def measured(reading: str, ms: int, why: str = "") -> Finding:
    """A reading that is a time in milliseconds."""
    return Finding(
        verdict=Verdict.FOUND, value=f"{reading} ≈ {ms}", why=why, readings={reading: ms}
    )


def untold(why: str, *, failed: bool = False) -> Finding:
    """Nothing was found out, and why."""
    return Finding(verdict=Verdict.UNTOLD, why=why, failed=failed)
