"""P-3 and P-10: every order stands where the decision as written allows it, and nowhere else.

Exact: prices are rounded as D-4 and S-10 say, everything else is compared without tolerance.
"""

from decimal import Decimal

from jumar.audit.decisions import Written
from jumar.audit.evidence import AHEAD_MS, Evidence
from jumar.audit.ledger import Placed
from jumar.audit.verdict import Findings
from jumar.model.ids import parse_client_id
from jumar.model.order import Role
from jumar.model.policy import MIN_RR_FLOOR, MIN_STOP_PCT_FLOOR, MinStopPolicy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, text


def check_levels(evidence: Evidence, findings: Findings) -> None:
    """Look at every entry, as placed and as amended, every target and every full exit of the ledger."""
    amended = [order for order in evidence.ledger.amended if order.role is Role.ENTRY]
    for order in (*evidence.ledger.of_role(Role.ENTRY), *amended):
        _entry(order, evidence, findings)
    for order in evidence.ledger.of_role(Role.TP1, Role.TP2):
        _target(order, evidence, findings)
    for order in evidence.ledger.of_role(Role.FULL_EXIT):
        _full_exit(order, evidence, findings)


def _entry(order: Placed, evidence: Evidence, findings: Findings) -> None:
    findings.check("P-10")
    trade = evidence.journal.trades.get(order.key)
    if trade is None:
        return  # P-4 says so
    written = None if trade.adopted else evidence.decided(trade)
    if written is None or written.side is None:
        _undecided(order, trade, written, findings)
        return
    stop = evidence.ledger.initial_stops().get(order.key)
    if stop is not None and order.price is not None:
        findings.check("P-3")
    for promise, message in _judged(order, stop, trade, written, evidence):
        _broken(findings, promise, order, message)


def _judged(
    order: Placed, stop: Placed | None, trade: Trade, written: Written, evidence: Evidence
) -> list[tuple[str, str]]:
    """What is wrong with an entry, by promise: it obeys one of the decisions that owned its trade, and that one wholly.

    All of them have the stop that it was armed with: only a decision of the same plan takes a trade over (E-9).
    """
    owners = evidence.owners(trade)
    then = [each for each in owners if each.timestamp_ms <= order.t + AHEAD_MS]
    least = min((_by(order, stop, each, evidence) for each in then or [written]), key=len)
    stops = [wrong for each in owners for wrong in _stop(order, stop, each, evidence)]
    return least or [("P-10", wrong) for wrong in stops]


def _by(
    order: Placed, stop: Placed | None, written: Written, evidence: Evidence
) -> list[tuple[str, str]]:
    wrong = [("P-10", each) for each in _against_decision(order, stop, written, evidence)]
    tp1 = _tp1_at(order, written, evidence)
    if stop is None or stop.trigger is None or tp1 is None:
        return wrong
    poor = _not_worth_it(order, stop.trigger, tp1)
    return wrong if poor is None else [*wrong, ("P-3", poor)]


def _tp1_at(order: Placed, written: Written, evidence: Evidence) -> Decimal | None:
    """TP1 as decided, or where its order stood when the entry was sent, if a newer decision had it nearer (E-9)."""
    if written.tp1 is None:
        return None
    decided = evidence.grid(order.symbol).against(written.tp1, order.sign)
    before = [
        target.trigger
        for target in evidence.ledger.of_role(Role.TP1)
        if target.key == order.key and target.t <= order.t and target.trigger is not None
    ]
    return min((decided, *before[-1:]), key=lambda price: price * order.sign)


def _undecided(order: Placed, trade: Trade, written: Written | None, findings: Findings) -> None:
    if trade.adopted:
        why = "its trade was adopted: nobody decided to enter"
    elif written is None:
        why = f"no decision of {order.symbol} with time {trade.decision.timestamp_ms} was written"
    else:
        why = f"the decision of {order.symbol} with time {written.timestamp_ms} is flat"
    _broken(findings, "P-10", order, f"entry {order}, but {why}")


def _against_decision(
    order: Placed, stop: Placed | None, written: Written, evidence: Evidence
) -> list[str]:
    """What of an entry, and of the stop it was armed with, is not as decided."""
    if order.side is not written.side:
        return [f"entry {order}, decided was {written.side}"]
    wrong = []
    grid = evidence.grid(order.symbol)
    if written.zone is not None and order.price is not None:
        low, high = grid.above(written.zone[0]), grid.below(written.zone[1])
        if not low <= order.price <= high:
            zone = f"[{text(low)}, {text(high)}]"
            wrong.append(f"entry {order} is outside the zone {zone}")
        # E-3: of a long's zone the price itself is the worst, of a short's its lowest one
        worst = order.price if order.sign > 0 else low
        notional = worst * (order.quantity or Decimal(0))
        if notional > written.size:
            wrong.append(f"entry {order} is {text(notional)}, decided was {text(written.size)}")
    if order.price is None:
        wrong.append("entry without a limit price")
    return [*wrong, *_stop(order, stop, written, evidence)]


def _stop(order: Placed, stop: Placed | None, written: Written, evidence: Evidence) -> list[str]:
    if stop is None or stop.trigger is None or written.stop is None:
        return ["entry without a stop of its group in the ledger"]
    decided = evidence.grid(order.symbol).against(written.stop, order.sign)
    policy = evidence.flight.policies.get(order.symbol)
    may_widen = policy is not None and policy.min_stop_policy is MinStopPolicy.WIDEN_AND_SHRINK
    if stop.trigger == decided or (may_widen and (decided - stop.trigger) * order.sign > 0):
        return []
    return [f"initial stop {text(stop.trigger)}, decided was {text(decided)}"]


def _not_worth_it(order: Placed, stop: Decimal, tp1: Decimal) -> str | None:
    """P-3 at the limit price, from the ledger's stop and the first target; None where it holds."""
    if order.price is None:
        return None
    price = order.price
    risk, reward = (price - stop) * order.sign, (tp1 - price) * order.sign
    if risk < price * MIN_STOP_PCT_FLOOR * PERCENT:
        share = text((risk / price / PERCENT).quantize(Decimal("0.0001")))
        least = f"{text(MIN_STOP_PCT_FLOOR)} % is the least"
        return f"the stop {text(stop)} is {share} % from the entry at {text(price)}, {least}"
    if reward < MIN_RR_FLOOR * risk:
        ratio = text((reward / risk).quantize(Decimal("0.0001")))
        least = f"{text(MIN_RR_FLOOR)} is the least"
        return f"the reward {text(reward)} to {text(tp1)} is {ratio} times the risk {text(risk)}, {least}"
    return None


def _target(order: Placed, evidence: Evidence, findings: Findings) -> None:
    trade = evidence.journal.trades.get(order.key)
    if trade is None or trade.adopted or order.trigger is None:
        return  # a target that was reached at once is sold without a trigger (T-5)
    findings.check("P-10")
    written = evidence.decided(trade)
    decided = None if written is None else _wanted(written, order)
    if decided is None:
        _broken(findings, "P-10", order, f"target at {text(order.trigger)}, none was decided")
        return
    grid = evidence.grid(order.symbol)
    rounded = grid.against(decided, -order.sign)
    if order.trigger == rounded:
        return
    moved = [_wanted(each, order) for each in evidence.guides(trade, order.t)]
    if order.trigger not in {grid.against(p, -order.sign) for p in moved if p is not None}:
        message = f"target at {text(order.trigger)}, decided was {text(rounded)}"
        _broken(findings, "P-10", order, message)
    elif not _is_worth_moving(order, order.trigger, evidence):
        message = f"target moved to {text(order.trigger)}, which is less than {text(MIN_RR_FLOOR)} R from the entry"
        _broken(findings, "P-10", order, message)


def _wanted(written: Written, order: Placed) -> Decimal | None:
    return written.tp1 if order.role is Role.TP1 else written.tp2


def _is_worth_moving(order: Placed, trigger: Decimal, evidence: Evidence) -> bool:
    """E-9: at least twice the initial risk from the average entry as it was at some moment before the order."""
    stop = evidence.ledger.initial_stops().get(order.key)
    if stop is None or stop.trigger is None:
        return False
    quantity = cost = Decimal(0)
    for fill in evidence.ledger.fills.values():
        parsed = parse_client_id(fill.order)
        if parsed is None or parsed.key != order.key or parsed.role is not Role.ENTRY:
            continue
        if fill.t > order.t:
            break
        quantity, cost = quantity + fill.quantity, cost + fill.quantity * fill.price
        average = cost / quantity
        # a target is of the other side than its trade
        if (average + MIN_RR_FLOOR * (average - stop.trigger) - trigger) * order.sign >= 0:
            return True
    return False


def _full_exit(order: Placed, evidence: Evidence, findings: Findings) -> None:
    findings.check("P-10")
    trade = evidence.journal.trades.get(order.key)
    if trade is not None and trade.closing is None:
        message = f"full exit {order}, and the journal has no reason to close its trade"
        _broken(findings, "P-10", order, message)


def _broken(findings: Findings, promise: str, order: Placed, message: str) -> None:
    findings.broken(promise, t=order.t, what=order.client_id, message=message)
