"""Where the checks write down what they looked at and what they found broken."""

from collections.abc import Mapping
from dataclasses import dataclass

PROMISES = ("P-3", "P-4", "P-6", "P-7", "P-9", "P-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise was broken.

    Attributes:
        t: exchange time in milliseconds at which it was, or is known to have been.
        what: the order, group, fill, record or tick it is about.
        message: one sentence with the numbers.
    """

    promise: str
    t: int
    what: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What the audit found.

    Attributes:
        promises: whether each held; one that had nothing to be checked on is absent.
        checks: on how many things each was checked.
        violations: in the order of time.
    """

    promises: Mapping[str, bool]
    checks: Mapping[str, int]
    violations: tuple[Violation, ...]


class Findings:
    """Collects checks and violations."""

    def __init__(self) -> None:
        self._checks = dict.fromkeys(PROMISES, 0)
        self._violations: list[Violation] = []

    def check(self, promise: str, count: int = 1) -> None:
        """Count things that a promise was checked on."""
        self._checks[promise] += count

    def broken(self, promise: str, *, t: int, what: str, message: str) -> None:
        """Write down a violation."""
        self._violations.append(Violation(promise=promise, t=t, what=what, message=message))

    def verdict(self) -> AuditVerdict:
        """All of it."""
        broken = {violation.promise for violation in self._violations}
        held = {p: p not in broken for p, n in self._checks.items() if n or p in broken}
        ordered = sorted(self._violations, key=lambda v: (v.t, v.promise, v.what, v.message))
        return AuditVerdict(promises=held, checks=dict(self._checks), violations=tuple(ordered))
