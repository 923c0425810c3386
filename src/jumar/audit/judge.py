"""The audit on one page: read everything once, then check promise by promise."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jumar.audit.causes import check_causes, check_truth
from jumar.audit.decisions import DecisionRecord
from jumar.audit.evidence import Evidence, Gap
from jumar.audit.flight import FlightReader
from jumar.audit.journal import read_journal
from jumar.audit.ledger import read_ledger
from jumar.audit.levels import check_levels
from jumar.audit.moves import check_moves
from jumar.audit.once import check_once
from jumar.audit.restarts import check_restarts
from jumar.audit.text import whole, words
from jumar.audit.verdict import AuditVerdict, Findings


def audit(
    ledger: Iterable[Mapping[str, Any]],
    decisions: Iterable[str],
    database: Path,
    ticks: Sequence[Path],
    *,
    gaps: Iterable[Mapping[str, Any]] = (),
) -> AuditVerdict:
    """Judge P-3, P-4, P-6, P-7, P-9 and P-10, as docs/reference/audit.md says.

    Args:
        ledger: the exchange's records from the first one on.
        decisions: the decisions as their writer wrote them, oldest first.
        database: the engine's database.
        ticks: the files of its tick record, oldest first.
        gaps: the intervals without cover that the exchange's judge found.

    Raises:
        EvidenceError: ledger, gaps or tick record cannot be read.
        StoreUnavailable: the database cannot be read.
    """
    return Auditor().verdict(ledger, decisions, database, ticks, gaps=gaps)


class Auditor:
    """The same audit for a run whose tick record is longer than what the engine keeps of it: read as it is written."""

    def __init__(self) -> None:
        self._findings = Findings()
        self._flight = FlightReader(self._findings)

    def read_ticks(self, files: Sequence[Path]) -> None:
        """Read the next files of the tick record, oldest first; each only when nothing is added to it any more.

        Raises:
            EvidenceError: they cannot be read.
        """
        self._flight.read(files)

    def verdict(
        self,
        ledger: Iterable[Mapping[str, Any]],
        decisions: Iterable[str],
        database: Path,
        ticks: Sequence[Path],
        *,
        gaps: Iterable[Mapping[str, Any]] = (),
    ) -> AuditVerdict:
        """Judge by everything; arguments and errors are those of `audit`, `ticks` being what was not read before."""
        findings = self._findings
        evidence = Evidence(
            ledger=read_ledger(ledger),
            decisions=DecisionRecord(decisions),
            journal=read_journal(database),
            flight=self._flight.read(ticks),
            gaps=tuple(
                Gap(
                    symbol=words(gap, "symbol"),
                    from_ms=whole(gap, "from_ms"),
                    to_ms=whole(gap, "to_ms"),
                )
                for gap in gaps
            ),
        )
        check_levels(evidence, findings)
        check_moves(evidence, findings)
        check_once(evidence, findings)
        check_restarts(evidence, findings)
        check_truth(evidence, findings)
        check_causes(evidence, findings)
        return findings.verdict()
