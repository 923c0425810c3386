"""P-3 and P-10: every order stands where the decision as written allows it, and nowhere else.

Exact: prices are rounded as D-4 and S-10 say, everything else is compared without tolerance.
"""

from decimal import Decimal

from jumar.audit.decisions import Written
from jumar.audit.evidence import Evidence
from jumar.audit.ledger import Placed
from jumar.audit.verdict import Findings
from jumar.model.order import Role
from jumar.model.policy import MIN_RR_FLOOR, MIN_STOP_PCT_FLOOR, MinStopPolicy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, text


def check_levels(evidence: Evidence, findings: Findings) -> None:
    """Look at every entry, every target and every full exit of the ledger."""
    for order in evidence.ledger.of_role(Role.ENTRY):
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
    for wrong in _against_decision(order, stop, written, evidence):
        _broken(findings, "P-10", order, wrong)
    if stop is not None and stop.trigger is not None and written.tp1 is not None:
        tp1 = evidence.grid(order.symbol).against(written.tp1, order.sign)
        _worth_it(order, stop.trigger, tp1, findings)


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


def _worth_it(order: Placed, stop: Decimal, tp1: Decimal, findings: Findings) -> None:
    """P-3 at the limit price, from the ledger's stop and the decided first target."""
    if order.price is None:
        return
    findings.check("P-3")
    price = order.price
    risk, reward = (price - stop) * order.sign, (tp1 - price) * order.sign
    if risk < price * MIN_STOP_PCT_FLOOR * PERCENT:
        share = text((risk / price / PERCENT).quantize(Decimal("0.0001")))
        least = f"{text(MIN_STOP_PCT_FLOOR)} % is the least"
        message = f"the stop {text(stop)} is {share} % from the entry at {text(price)}, {least}"
        _broken(findings, "P-3", order, message)
    elif reward < MIN_RR_FLOOR * risk:
        ratio = text((reward / risk).quantize(Decimal("0.0001")))
        least = f"{text(MIN_RR_FLOOR)} is the least"
        message = f"the reward {text(reward)} to {text(tp1)} is {ratio} times the risk {text(risk)}, {least}"
        _broken(findings, "P-3", order, message)


def _target(order: Placed, evidence: Evidence, findings: Findings) -> None:
    trade = evidence.journal.trades.get(order.key)
    if trade is None or trade.adopted or order.trigger is None:
        return  # a target that was reached at once is sold without a trigger (T-5)
    findings.check("P-10")
    written = evidence.decided(trade)
    decided = None if written is None else written.tp1 if order.role is Role.TP1 else written.tp2
    if decided is None:
        _broken(findings, "P-10", order, f"target at {text(order.trigger)}, none was decided")
        return
    rounded = evidence.grid(order.symbol).against(decided, -order.sign)
    if order.trigger != rounded:
        message = f"target at {text(order.trigger)}, decided was {text(rounded)}"
        _broken(findings, "P-10", order, message)


def _full_exit(order: Placed, evidence: Evidence, findings: Findings) -> None:
    findings.check("P-10")
    trade = evidence.journal.trades.get(order.key)
    if trade is not None and trade.closing is None:
        message = f"full exit {order}, and the journal has no reason to close its trade"
        _broken(findings, "P-10", order, message)


def _broken(findings: Findings, promise: str, order: Placed, message: str) -> None:
    findings.broken(promise, t=order.t, what=order.client_id, message=message)
