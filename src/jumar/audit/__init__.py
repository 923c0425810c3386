"""The audit judge: what the exchange saw, against what was decided, journaled and recorded.

    ledger ──────┐
    decisions ───┤            ┌► levels    P-3, P-10
    database ────┼► Evidence ─┼► once      P-4
    tick record ─┘            ├► restarts  P-6
                              ├► truth     P-7
                              └► causes    P-9

Promises that the engine's word is never taken for the exchange's: orders, fills and positions are the ledger's, the
levels are those that the decision system wrote, and what the engine wrote down only has to agree with them. Reads,
and changes nothing. It shares no code with the exchange's own judge. What each verdict means is in
docs/reference/audit.md; begin with `judge.py`.
"""

from jumar.audit.judge import Auditor, audit
from jumar.audit.text import EvidenceError
from jumar.audit.verdict import AuditVerdict, Violation

__all__ = ["AuditVerdict", "Auditor", "EvidenceError", "Violation", "audit"]
