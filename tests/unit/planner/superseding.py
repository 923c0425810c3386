"""A trade that rests or is held, and the newer decision that meets it: for tests of a single step (E-9)."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import held, own, trade_of
from tests.worlds import NOW, POLICY, D, decision, short_decision, world

from jumar.model.decision import Decision, Levels
from jumar.model.levels import BoundZone
from jumar.model.order import Side
from jumar.model.trade import Trade
from jumar.model.world import DecisionState, World
from jumar.planner.facts import Facts, assess

both = pytest.mark.parametrize("side", list(Side))
ZONE = BoundZone(id="cluster_1", low=D(91500), high=D(91650))


def levels_of(side: Side, **prices: str) -> Levels:
    """The example's levels; prices are those of the long one, whatever the side."""
    base = trade_of(side).decision.levels
    assert base is not None
    changed = {name: mirrored(side, price) for name, price in prices.items()}
    if side is Side.SELL:
        turned = {"zone_min": "zone_max", "zone_max": "zone_min"}
        changed = {turned.get(name, name): price for name, price in changed.items()}
    return replace(base, **changed)


def newer(side: Side, prices: dict[str, str] | None = None, **changes: object) -> Decision:
    """A decision of this moment with other prices, those of the long example."""
    made = decision if side is Side.BUY else short_decision
    base = {"id": "d2", "timestamp_ms": NOW, "levels": levels_of(side, **(prices or {}))}
    return made(**{**base, **changes})


def in_force(chosen: Decision, **changes: object) -> DecisionState:
    """The decision as the newest one."""
    return replace(DecisionState(decision=chosen), **changes)  # type: ignore[arg-type]  # a test states only what differs


def waiting(side: Side, chosen: Decision, **changes: object) -> tuple[World, Trade, Facts]:
    """The entry rests, nothing has filled, and this decision came."""
    trade = trade_of(side)
    base = {"orders": (own("S1", side), own("E1", side)), "decision": in_force(chosen)}
    found = world(**{**base, **changes})
    return found, trade, assess(found, trade, POLICY)


def holding(side: Side, chosen: Decision, **changes: object) -> tuple[World, Trade, Facts]:
    """The whole plan is held, and this decision came."""
    trade = trade_of(side)
    found = held(own("S1", side), side=side, **{"decision": in_force(chosen), **changes})
    return found, trade, assess(found, trade, POLICY)
