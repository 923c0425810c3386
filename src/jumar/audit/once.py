"""P-4: one decision leads to at most one trade, and what the exchange did is what the journal holds."""

from collections import defaultdict
from decimal import Decimal

from jumar.audit.evidence import Evidence
from jumar.audit.ledger import Execution, Placed
from jumar.audit.verdict import Findings
from jumar.model.ids import parse_client_id
from jumar.model.order import Role
from jumar.model.units import ZERO, text

#: What filled so shortly before the journal's last word may still have been on its way to it.
UNDERWAY_MS = 3000


def check_once(evidence: Evidence, findings: Findings) -> None:
    """Look at every group, every order and every fill of ours."""
    _groups(evidence, findings)
    _orders(evidence, findings)
    _amendments(evidence, findings)
    _fills(evidence, findings)


def _groups(evidence: Evidence, findings: Findings) -> None:
    entered: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in evidence.ledger.fills.values():
        parsed = parse_client_id(fill.order)
        if parsed is not None and parsed.role is Role.ENTRY:
            entered[parsed.key] += fill.quantity
    first: dict[str, Placed] = {}
    for order in evidence.ledger.placed:
        first.setdefault(order.key, order)
    traded: dict[str, str] = {}
    for key, order in first.items():
        findings.check("P-4")
        trade = evidence.journal.trades.get(key)
        if trade is None:
            message = f"orders of {order.symbol} from {order.client_id} on belong to no trade of the journal"
            findings.broken("P-4", t=order.t, what=key or order.client_id, message=message)
        elif key in entered:
            if entered[key] > trade.planned_quantity:
                message = f"entries filled {text(entered[key])}, planned were {text(trade.planned_quantity)}"
                findings.broken("P-4", t=order.t, what=key, message=message)
            other = traded.setdefault(trade.decision.id, key)
            if other != key:
                message = f"decision {trade.decision.id} was already traded by group {other}"
                findings.broken("P-4", t=order.t, what=key, message=message)

    for key in entered:
        _guide(key, traded, evidence, findings)


def _guide(key: str, traded: dict[str, str], evidence: Evidence, findings: Findings) -> None:
    """A decision that guided a position has had its trade (E-9): it opens no other."""
    trade = evidence.journal.trades.get(key)
    if trade is None or trade.guide is None:
        return
    other = traded.get(trade.guide.id, key)
    if other != key:
        message = f"decision {trade.guide.id} guided this trade and was traded by group {other}"
        findings.broken("P-4", t=trade.guide.timestamp_ms, what=key, message=message)


def _orders(evidence: Evidence, findings: Findings) -> None:
    for order in evidence.ledger.doubled:
        message = f"{order}: the exchange had accepted this client id before"
        findings.broken("P-4", t=order.t, what=order.client_id, message=message)
    journal = evidence.journal
    for order in evidence.ledger.placed:
        own = journal.orders.get(order.client_id)
        if own is None:
            message = f"{order} stands in no journal"
            findings.broken("P-4", t=order.t, what=order.client_id, message=message)
        elif own.trade_key != order.key and order.key in journal.trades:
            message = f"{order} is journaled as an order of trade {own.trade_key}"
            findings.broken("P-4", t=order.t, what=order.client_id, message=message)


def _amendments(evidence: Evidence, findings: Findings) -> None:
    """Only entries are re-priced, at a price that the journal had before, and none for another quantity."""
    asked = {order.client_id: order.quantity for order in evidence.ledger.placed}
    for order in evidence.ledger.amended:
        findings.check("P-4")
        own = evidence.journal.orders.get(order.client_id)
        wrong = None
        if order.role is not Role.ENTRY:
            wrong = "is no entry"
        elif order.quantity != asked.get(order.client_id):
            wrong = f"was placed for {text(asked.get(order.client_id) or ZERO)}"
        elif own is not None and order.price not in own.prices:
            wrong = "was never journaled so"
        if wrong is not None:
            message = f"amended to {order}, but {wrong}"
            findings.broken("P-4", t=order.t, what=order.client_id, message=message)


def _fills(evidence: Evidence, findings: Findings) -> None:
    journal, ledger = evidence.journal, evidence.ledger
    for place, fill in ledger.fills.items():
        found = journal.fills.get(place)
        if found is None:
            if not _underway(fill, evidence):
                message = (
                    f"fill {fill.trade_id} of {_of(fill.quantity, fill.price)} stands in no journal"
                )
                findings.broken("P-4", t=fill.t, what=fill.order, message=message)
        elif (found.order, found.fill.side, found.fill.price, found.fill.quantity) != (
            fill.order,
            fill.side,
            fill.price,
            fill.quantity,
        ):
            message = (
                f"fill {fill.trade_id} of {_of(fill.quantity, fill.price)} is journaled as "
                f"{_of(found.fill.quantity, found.fill.price)} of {found.order}"
            )
            findings.broken("P-4", t=fill.t, what=fill.order, message=message)
    for place, journaled in journal.fills.items():
        if place not in ledger.fills and parse_client_id(journaled.order) is not None:
            message = f"fill {place[1]} is journaled, the exchange has none"
            findings.broken("P-4", t=journaled.fill.time_ms, what=journaled.order, message=message)


def _underway(fill: Execution, evidence: Evidence) -> bool:
    """Whether the journal of an open trade ends too early to know the fill."""
    parsed = parse_client_id(fill.order)
    trade = None if parsed is None else evidence.journal.trades.get(parsed.key)
    is_open = trade is not None and trade.ended_ms is None
    return is_open and fill.t > evidence.journal.newest_ms - UNDERWAY_MS


def _of(quantity: Decimal, price: Decimal) -> str:
    return f"{text(quantity)} at {text(price)}"
