"""What all positions of the account come to, and what the venue still lets it send (G-14, G-17)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from jumar.model.command import Refusal
from jumar.model.moments import iso
from jumar.model.policy import Policy
from jumar.model.standing import (
    CONDITIONAL_ORDERS_MAX,
    CONDITIONAL_ORDERS_OF_A_TRADE,
    Counter,
    VenueBudget,
)
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, percent_of, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.holding import loss_at_stop, strange_conditional_orders, worst_entry

#: Orders that one more trade may need within any window: twenty protective placements a minute are allowed (X-8).
ORDERS_TO_PROTECT = 20
#: Weight of one full look at an open position: the position and both order lists.
LOOK_WEIGHT = 7
#: Reads by id and of executions while something is not known.
QUESTIONS_WEIGHT = 30


def budget_refusals(world: World, policy: Policy, own: Trade | None) -> Iterator[Refusal]:
    """G-14: enough is left to protect one more trade. What the venue has not told refuses nothing."""
    budget = world.standing.budget or VenueBudget()
    if world.now_ms < budget.silent_until_ms:
        words = f"the exchange wants to hear nothing until {iso(budget.silent_until_ms)}"
        yield refuse("order_budget_low", "G-14", words)
    needed = 60 // policy.reconcile_open_s * LOOK_WEIGHT + QUESTIONS_WEIGHT
    yield from _counters(world, "orders", budget.orders, ORDERS_TO_PROTECT)
    yield from _counters(world, "request weight", budget.reads, needed)
    yield from _conditional(world, own)


def _counters(
    world: World, what: str, counters: Iterable[Counter], needed: int
) -> Iterator[Refusal]:
    for counter in counters:
        left = counter.left(world.now_ms)
        if left is not None and left < needed:
            yield refuse(
                "order_budget_low",
                "G-14",
                f"{left} of {counter.limit} {what} are left in this window of {counter.name}, "
                f"protecting one more trade may need {needed}",
            )


def _conditional(world: World, own: Trade | None) -> Iterator[Refusal]:
    """W-5: so many conditional orders rest at most in the account; what the other trades may still need is theirs."""
    others = sum(holding.conditional for holding in world.standing.others)
    left = CONDITIONAL_ORDERS_MAX - others - strange_conditional_orders(world, own)
    if left < CONDITIONAL_ORDERS_OF_A_TRADE:
        yield refuse(
            "order_budget_low",
            "G-14",
            f"{left} of {CONDITIONAL_ORDERS_MAX} conditional orders are left, "
            f"a trade reserves {CONDITIONAL_ORDERS_OF_A_TRADE}",
        )


def position_refusals(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-17: how many positions there are beside this one, resting entries counted as filled."""
    standing = world.standing
    if standing.unseen:
        words = f"what {', '.join(standing.unseen)} holds has not been read yet"
        yield refuse("truth_incomplete", "G-17", words)
    held = [each.symbol for each in standing.others if each.occupied]
    names = (*held, *standing.outside)
    if len(names) >= policy.max_open_positions:
        yield refuse(
            "max_open_positions",
            "G-17",
            f"{len(names)} positions are open or on their way ({', '.join(names)}), "
            f"{policy.max_open_positions} are allowed with this one",
        )


def risk_refusals(world: World, policy: Policy, trade: Trade) -> Iterator[Refusal]:
    """G-17: the loss at all stops, this trade wholly filled at its worst price included.

    A position whose loss is not bounded by a stop has an unknown risk, and that refuses. Positions of symbols that
    this engine does not manage are somebody else's risk.
    """
    if world.balance is None:
        return
    held = [each for each in world.standing.others if each.occupied]
    unknown = [each.symbol for each in held if each.risk is None]
    if unknown:
        words = (
            f"what {', '.join(unknown)} may lose is not known, no stop of it is confirmed: "
            f"all together may lose {text(policy.max_total_risk_pct)} % of equity"
        )
        yield refuse("max_total_risk", "G-17", words)
        return
    own = loss_at_stop(world, trade, trade.planned_quantity, worst_entry(world, trade, policy))
    others = sum((each.risk or ZERO for each in held), start=ZERO)
    equity, total = world.balance.value.equity, own + others
    if total > equity * policy.max_total_risk_pct * PERCENT:
        yield refuse(
            "max_total_risk",
            "G-17",
            f"{_rounded(total)} would be lost at all stops ({_rounded(own)} at this one's), "
            f"{_share(total, equity)} of equity {text(equity)}, "
            f"{text(policy.max_total_risk_pct)} % is allowed",
        )


def _rounded(amount: Decimal) -> str:
    return text(amount.quantize(PERCENT))


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{text(percent_of(part, whole))} %" if whole > ZERO else "more than all"
