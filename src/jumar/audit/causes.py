"""P-9 and P-7 over what was recorded: every order, refusal and stop move has a cause, every entry a known world.

That ticks plan again to the same commands is judged where they are read, in `flight.py`.
"""

import re

from jumar.audit.evidence import Evidence
from jumar.audit.verdict import Findings
from jumar.model.order import Role

_RULE = re.compile(r"^[A-Z]-\d+$")
_NUMBER = re.compile(r"\d")

#: An order that was found has no number that led to it.
ADOPTED = "Y-1"
#: Refusals that a number decided: their message must show it.
MEASURED = frozenset(
    {
        "stale",
        "future",
        "stop_too_close",
        "price_too_far",
        "spread_too_wide",
        "mark_diverged",
        "leverage_too_high",
        "notional_too_high",
        "notional_too_low",
        "quantity_too_small",
        "margin_insufficient",
        "equity_below_min",
        "liquidation_inside_stop",
        "mark_near_stop",
        "daily_drawdown",
        "weekly_drawdown",
        "max_trades_per_day",
        "cooldown",
        "order_budget_low",
        "symbol_delisting",
        "max_open_positions",
        "max_total_risk",
    }
)


def check_causes(evidence: Evidence, findings: Findings) -> None:
    """P-9: look at every order, refusal and stop move of the journal."""
    journal = evidence.journal
    for order in journal.orders.values():
        findings.check("P-9")
        wrong = _wrong(order.rule, order.cause, measured=order.rule != ADOPTED)
        if wrong:
            _broken(findings, order.journaled_ms, order.client_id, wrong)
        for each in order.amendments:
            findings.check("P-9")
            wrong = _wrong(each.rule, each.cause, measured=True)
            if wrong:
                what = f"amendment {each.number} of {order.client_id}"
                _broken(findings, each.timestamp_ms, what, wrong)
    for refusal in journal.refusals:
        findings.check("P-9")
        wrong = _wrong(refusal.rule, refusal.message, measured=refusal.code in MEASURED)
        if wrong:
            _broken(findings, refusal.at_ms, f"refusal {refusal.code} of {refusal.symbol}", wrong)
    for client_id, asked_ms in journal.stop_moves.items():
        findings.check("P-9")
        if client_id not in journal.orders:
            _broken(
                findings, asked_ms, f"stop move {client_id}", "no order of the journal is its cause"
            )


def check_truth(evidence: Evidence, findings: Findings) -> None:
    """P-7: look at every entry that was sent, and that the world of each was recorded."""
    flight = evidence.flight
    for sent in (*flight.entries.values(), *flight.amendments.values()):
        findings.check("P-7")
        if sent.unknown:
            message = f"an entry was sent although {'; '.join(sent.unknown)}"
            findings.broken("P-7", t=sent.now_ms, what=sent.client_id, message=message)
    _amendments_are_recorded(evidence, findings)
    for order in evidence.ledger.of_role(Role.ENTRY):
        recorded = order.client_id in flight.entries or order.t < flight.since_ms
        journaled = evidence.journal.orders.get(order.client_id)
        sent_ms = order.t if journaled is None else journaled.journaled_ms
        if not recorded and not flight.cut_short(order.symbol, sent_ms):
            message = f"no recorded tick sent this entry: {order}"
            findings.broken("P-7", t=order.t, what=order.client_id, message=message)


def _amendments_are_recorded(evidence: Evidence, findings: Findings) -> None:
    flight = evidence.flight
    for order in evidence.ledger.amended:
        own = evidence.journal.orders.get(order.client_id)
        asked = [each for each in (own.amendments if own else ()) if each.price == order.price]
        sent_ms = min((each.timestamp_ms for each in asked), default=order.t)
        known = (order.client_id, order.price) in flight.amendments or order.t < flight.since_ms
        if not known and not flight.cut_short(order.symbol, sent_ms):
            message = f"no recorded tick sent this amendment: {order}"
            findings.broken("P-7", t=order.t, what=order.client_id, message=message)


def _wrong(rule: str, cause: str, *, measured: bool) -> str | None:
    if not _RULE.match(rule):
        return f"its rule is {rule!r}: {cause}"
    if not cause.strip() or (measured and not _NUMBER.search(cause)):
        return f"its cause {cause!r} ({rule}) has no number"
    return None


def _broken(findings: Findings, t: int, what: str, message: str) -> None:
    findings.broken("P-9", t=t, what=what, message=message)
