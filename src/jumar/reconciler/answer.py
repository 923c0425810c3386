"""What became of the decision in force: the answer that its writer gets (D-8). Pure."""

from collections.abc import Sequence

from jumar.model.command import Plan
from jumar.model.decision import Action
from jumar.model.journal import DecisionSeen, Record, RefusalSeen
from jumar.model.world import World
from jumar.planner.guards import TRUTH_CODES
from jumar.ports.decisions import Answer, Reason


def answer_of(world: World, plan: Plan) -> Answer | None:
    """Return the answer to the decision in force, None while nothing can be said about it yet.

    A newer decision that was refused when it came has been answered then: it is not in force.
    """
    state = world.decision
    if state is None or state.refusals:
        return None
    decision, trade = state.decision, plan.trade
    own = trade is not None and decision.id in {trade.decision.id, trade.guiding.id}
    refusals = [refusal for refusal in plan.refusals if refusal.code not in TRUTH_CODES]
    reasons = tuple(Reason(code=r.code, rule=r.rule, message=r.message) for r in refusals)
    filled = own and bool(world.fills)
    if decision.action is Action.FLAT or filled:
        outcome, reasons = "accepted", ()
    elif state.spent is not None:
        outcome, reasons = "spent", (Reason(code="spent", rule="D-7", message=state.spent),)
    elif reasons:
        outcome = "refused"
    elif own:
        outcome = "accepted"
    else:
        return None  # what the guards must know is still being read
    return Answer(
        symbol=decision.symbol,
        decision_id=decision.id,
        timestamp_ms=decision.timestamp_ms,
        outcome=outcome,
        reasons=reasons,
        at_ms=world.now_ms,
    )


def answer_on_arrival(records: Sequence[Record]) -> Answer | None:
    """Return the answer to what was not taken into force; what was is answered by the tick that looks at it.

    Args:
        records: what the desk recorded of one arrival; a refusal among them names code and rule.
    """
    seen = next((record for record in records if isinstance(record, DecisionSeen)), None)
    if seen is None or seen.outcome == "accepted":
        return None
    refusal = next((record for record in records if isinstance(record, RefusalSeen)), None)
    code, rule = (seen.outcome, "D-7") if refusal is None else (refusal.code, refusal.rule)
    return Answer(
        symbol=seen.symbol,
        decision_id=seen.decision_id,
        timestamp_ms=seen.timestamp_ms,
        outcome=seen.outcome,
        reasons=tuple(Reason(code=code, rule=rule, message=each) for each in seen.reasons),
        at_ms=seen.at_ms,
    )
