"""What is said of a liquidation zone that is bound, moves or is lost, word for word (L-3)."""

import pytest
from tests.unit.planner.pieces import trade_of
from tests.unit.planner.superseding import ZONE, in_force, newer
from tests.worlds import NOW, POLICY, D, decision, world

from jumar.model.command import Cause
from jumar.model.levels import LiquidationZone, MarketLevels
from jumar.model.order import Side
from jumar.planner.binding import bind, follow_levels, handed_over, moved, taken_over

# zones, word for word


def market(*zones: LiquidationZone, age_ms: int = 0) -> MarketLevels:
    """Levels of so long ago."""
    return MarketLevels(as_of_ms=NOW - age_ms, zones=zones)


def cluster(
    name: str = "cluster_1", *, explicit: bool = False, low: str = "91500"
) -> LiquidationZone:
    """A zone of 150."""
    return LiquidationZone(
        id=name,
        explicit=explicit,
        side=None,
        low=D(low),
        high=D(low) + 150,
        price=D(low),
        strength=D(1),
    )


@pytest.mark.rule("L-3", "P-9")
def test_what_is_said_of_a_zone_that_a_decision_names() -> None:
    """Bound, or why not, with the time of the levels and at most a dozen of their names."""
    named = decision(liq_tp_zone_id="cluster_1")
    many = tuple(cluster(f"x{number}") for number in range(1, 14))
    dozen = ", ".join(f"x{number}" for number in range(1, 13))
    unbound = "liquidation zone cluster_1 stays unbound:"
    cases = (
        (
            market(cluster()),
            "liquidation zone cluster_1 is bound to [91500, 91650], by the levels of 2025-12-05T10:05:05.000Z",
        ),
        (None, f"{unbound} no levels have come yet"),
        (
            market(cluster(), age_ms=1_800_001),
            f"{unbound} the levels of 2025-12-05T09:35:04.999Z are too old",
        ),
        (market(), f"{unbound} the levels of 2025-12-05T10:05:05.000Z name no zone"),
        (market(*many), f"{unbound} the levels of 2025-12-05T10:05:05.000Z name {dozen}"),
    )
    for known, words in cases:
        binding = bind(named, known, NOW, POLICY)
        assert binding is not None
        assert binding.cause == Cause(rule="L-3", text=words)


@pytest.mark.rule("L-3", "P-9")
def test_what_is_said_of_a_zone_that_moves() -> None:
    """From where to where, by which levels or which decision."""
    fresh = market(cluster(explicit=True, low="92300"))
    there = "liquidation zone cluster_1 is bound to [92300, 92450], by the levels of 2025-12-05T10:05:05.000Z"
    for before, words in ((None, "it was unbound"), (ZONE, "it was [91500, 91650]")):
        binding = moved("cluster_1", before, fresh)
        assert binding is not None
        assert binding.cause == Cause(rule="L-3", text=f"{there}; {words}")
    trade = trade_of(decision=decision(liq_tp_zone_id="cluster_1"), zone=ZONE)
    _, notes = follow_levels(world(levels=fresh), trade, POLICY)
    assert notes == (Cause(rule="L-3", text=f"{there}; it was [91500, 91650]"),)
    as_decided = "liquidation zone cluster_1 is bound to [91500, 91650], as its decision has it"
    assert taken_over(ZONE) == Cause(rule="L-3", text=as_decided)
    gone, told = handed_over(trade, in_force(newer(Side.BUY)))
    assert gone.zone is None
    assert told == (
        Cause(
            rule="L-3",
            text="liquidation zone is bound no more, by the decision of 2025-12-05T10:05:05.000Z",
        ),
    )
