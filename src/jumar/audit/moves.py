"""P-10 and P-4 over what moves after the entry: stops that trail, and exits in a liquidation zone.

Promises that a reason which only a decision can give is looked for in the decision as it was written: that it trails,
in which way, and that it named a zone. Where mark stood when a zone exit was sent is told by the tick that sent it.
"""

from collections import defaultdict
from decimal import Decimal

from jumar.audit.decisions import Written
from jumar.audit.evidence import AHEAD_MS, Evidence
from jumar.audit.ledger import Placed
from jumar.audit.verdict import Findings
from jumar.model.decision import TrailMode
from jumar.model.ids import parse_client_id
from jumar.model.levels import BoundZone
from jumar.model.order import OwnOrder, Role
from jumar.model.policy import OnFlat
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text

#: Which ways of trailing a rule belongs to.
_MODES = {
    "R-2": frozenset({TrailMode.STRUCTURE, TrailMode.STRUCTURE_PLUS_LIQ}),
    "R-3": frozenset({TrailMode.STRUCTURE_PLUS_LIQ}),
    "R-5": frozenset({TrailMode.PERCENT}),
    "L-2": frozenset(TrailMode) - {TrailMode.NONE},
}


#: Rules whose stops have a reason of their own, besides those that trail.
_ASKED = frozenset({"T-3", "C-1", "E-9"})


def check_moves(evidence: Evidence, findings: Findings) -> None:
    """Look at every stop that was moved for a reason of the decision's, and at every zone exit of the ledger."""
    for order in evidence.journal.orders.values():
        trade = evidence.journal.trades.get(order.trade_key)
        if order.role is Role.STOP and trade is not None and order.rule in {*_MODES, *_ASKED}:
            findings.check("P-10")
            wrong = _unfounded(order, trade, evidence)
            if wrong:
                findings.broken("P-10", t=order.journaled_ms, what=order.client_id, message=wrong)
    exits = evidence.ledger.of_role(Role.ZONE_EXIT)
    for placed in exits:
        findings.check("P-10")
        for wrong in _undecided(placed, evidence):
            findings.broken("P-10", t=placed.t, what=placed.client_id, message=wrong)
    _once_a_zone(exits, evidence, findings)


def _unfounded(order: OwnOrder, trade: Trade, evidence: Evidence) -> str | None:
    """Why a stop had no reason to move, None where it had one."""
    if order.rule == "T-3":
        taken = _filled(evidence, trade.key, order.journaled_ms, Role.TP1, Role.ZONE_EXIT)
        return None if taken else "a stop at breakeven, and TP1 had not executed"
    if order.rule == "C-1":
        return _not_flat(order, trade, evidence)
    if order.rule == "E-9":
        return _not_newer(order, trade, evidence)
    modes = _MODES[order.rule]
    owners = evidence.owners(trade)
    if any(each.trails and each.trail_mode in modes for each in owners):
        return None
    ways = ", ".join(each.trail_mode if each.trails else "not at all" for each in owners)
    return f"a stop for {order.rule}; the decision trails: {ways or 'nobody decided'}"


def _not_flat(order: OwnOrder, trade: Trade, evidence: Evidence) -> str | None:
    policy = evidence.flight.policies.get(trade.symbol)
    if policy is None or policy.on_flat is not OnFlat.TIGHTEN:
        return "a stop for a flat decision, which the limits do not ask for"
    until_ms = order.journaled_ms + AHEAD_MS
    since_ms = order.journaled_ms - policy.max_age_s * 1000
    told = evidence.decisions.between(trade.symbol, since_ms, until_ms)
    flat = any(each.side is None for each in told)
    return None if flat else "a stop for a flat decision, and none was written"


def _not_newer(order: OwnOrder, trade: Trade, evidence: Evidence) -> str | None:
    """E-9: a stop may come as near as a newer decision of the trade's side has it, to the tick, and no nearer."""
    trigger, grid = order.request.trigger_price, evidence.grid(trade.symbol)
    stops = [each.stop for each in evidence.guides(trade, order.journaled_ms)]
    decided = [grid.against(stop, -trade.sign) for stop in stops if stop is not None]
    if trigger is None or any((stop - trigger) * trade.sign >= ZERO for stop in decided):
        return None
    nearest = ", ".join(text(stop) for stop in decided) or "none"
    return f"a stop at {text(trigger)} for a newer decision; decided were: {nearest}"


def _undecided(order: Placed, evidence: Evidence) -> list[str]:
    """What of a zone exit nobody decided."""
    trade = evidence.journal.trades.get(order.key)
    zone = None if trade is None else trade.zone
    # what a newer decision guides may have another zone by now (E-9): then the tick that sent it tells
    kept = trade is not None and (trade.guide is not None or (zone is not None and zone.used))
    if trade is None or not kept:
        return [f"zone exit {order}, and the journal knows no zone that was used for it"]
    named: list[Written] = [*evidence.owners(trade), *evidence.guides(trade, order.t)]
    if all(each.zone_id is None for each in named):
        return [f"zone exit {order}, and no decision names a zone"]
    sent = evidence.flight.zone_exits.get(order.client_id)
    if sent is None:
        own = evidence.journal.orders.get(order.client_id)
        sent_ms = order.t if own is None else own.journaled_ms
        early = order.t < evidence.flight.since_ms
        excused = early or evidence.flight.cut_short(order.symbol, sent_ms)
        return [] if excused else [f"no recorded tick sent this zone exit: {order}"]
    zone = sent.zone
    wrong = [] if zone.used else [f"zone exit {order}, and its tick left the zone unused"]
    if not zone.low <= sent.mark <= zone.high:
        where = f"[{text(zone.low)}, {text(zone.high)}]"
        wrong.append(f"zone exit {order} with mark {text(sent.mark)}, which is not in {where}")
    average = _average(evidence, order.key, order.t)
    near = zone.low if order.sign < ZERO else zone.high
    if average is not None and (near - average) * order.sign >= ZERO:
        wrong.append(f"zone exit {order}: the zone is not beyond the entry {text(average)}")
    return wrong


def _once_a_zone(exits: list[Placed], evidence: Evidence, findings: Findings) -> None:
    """L-1: an exit already made is not repeated, neither where a zone moved to nor where a newer decision names it again."""
    made: defaultdict[str, list[BoundZone]] = defaultdict(list)
    executed = {fill.order for fill in evidence.ledger.fills.values()}
    for order in exits:
        sent = evidence.flight.zone_exits.get(order.client_id)
        if sent is None or order.client_id not in executed:
            continue
        findings.check("P-4")
        if any(sent.zone.is_same(each) for each in made[order.key]):
            message = f"a second exit in the zone {sent.zone.id}: {order}"
            findings.broken("P-4", t=order.t, what=order.client_id, message=message)
        made[order.key].append(sent.zone)


def _filled(evidence: Evidence, key: str, until_ms: int, *roles: Role) -> bool:
    """Whether an order of a role of the group had executed by a moment, as the exchange has it.

    The engine's clock may be a little behind the exchange's.
    """
    for fill in evidence.ledger.fills.values():
        parsed = parse_client_id(fill.order)
        ours = parsed is not None and parsed.key == key and parsed.role in roles
        if ours and fill.t <= until_ms + AHEAD_MS:
            return True
    return False


def _average(evidence: Evidence, key: str, until_ms: int) -> Decimal | None:
    """The average entry of a group up to a moment, None without one."""
    lots = []
    for fill in evidence.ledger.fills.values():
        parsed = parse_client_id(fill.order)
        if (
            parsed is not None
            and (parsed.key, parsed.role) == (key, Role.ENTRY)
            and fill.t <= until_ms
        ):
            lots.append((fill.quantity, fill.price))
    quantity = sum((lot for lot, _ in lots), start=ZERO)
    return sum((lot * price for lot, price in lots), start=ZERO) / quantity if quantity else None
