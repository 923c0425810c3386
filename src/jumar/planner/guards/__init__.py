"""Guards: why an entry is refused. Each has a code, its rule, and a message with the numbers (section 2).

All are evaluated every tick, so that a resting entry is cancelled when one begins to fail. Each judges as if the
trade's own entry, position, margin and count were not there. A decision that is no longer in force (G-1) is answered
with that alone: what the market looks like no longer matters to it.

`decision`, `market`, `mode`, `truth`, `exchange`, `account` and `portfolio` hold the guards, `jumar.planner.drawdown`
G-10; here they are asked.
"""

from jumar.model.command import Refusal
from jumar.model.decision import Action
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.world import World
from jumar.planner.drawdown import drawdown_refusals
from jumar.planner.guards.account import (
    equity_refusals,
    liquidation_refusals,
    trade_refusals,
)
from jumar.planner.guards.decision import (
    is_fresh,
    leverage_refusal,
    notional_refusals,
    risk_checks,
    standing_refusals,
)
from jumar.planner.guards.exchange import exchange_state
from jumar.planner.guards.market import mark_near_stop, market_data, prices
from jumar.planner.guards.mode import mode_refusals
from jumar.planner.guards.portfolio import budget_refusals, position_refusals, risk_refusals
from jumar.planner.guards.truth import TRUTH_CODES, truth_refusals, without_slow_reads

__all__ = [
    "TRUTH_CODES",
    "is_fresh",
    "leverage_refusal",
    "market_refusals",
    "planned_refusals",
    "standing_refusals",
    "without_slow_reads",
]


def market_refusals(world: World, policy: Policy, own: Trade | None) -> tuple[Refusal, ...]:
    """Judge everything else: of an entry that may rest (`own`) also what needs its planned quantity."""
    state = world.decision
    decision = own.guiding if own is not None else None if state is None else state.decision
    if decision is None or decision.action is Action.FLAT:
        return ()
    return (
        *risk_checks(decision),
        *prices(world, decision, policy),
        *market_data(world, policy),
        *mode_refusals(world),
        *truth_refusals(world, policy),
        *exchange_state(world, policy, own),
        *budget_refusals(world, policy, own),
        *equity_refusals(world, policy),
        *drawdown_refusals(world, policy),
        *trade_refusals(world, policy, own),
        *position_refusals(world, policy),
        *(() if own is None else planned_refusals(world, policy, own)),
    )


def planned_refusals(
    world: World, policy: Policy, trade: Trade, leverage: int | None = None
) -> tuple[Refusal, ...]:
    """Judge what follows from price, quantity and stop: of an entry that rests, or of one that is planned.

    Args:
        world: the world.
        policy: the symbol's limits.
        trade: with the planned quantity.
        leverage: what the set-up of a planned one will make it; None: as read back.
    """
    near = mark_near_stop(world, policy, trade)
    return (
        *(() if near is None else (near,)),
        *notional_refusals(world, policy, trade, leverage),
        *liquidation_refusals(world, policy, trade, leverage),
        *risk_refusals(world, policy, trade),
    )
