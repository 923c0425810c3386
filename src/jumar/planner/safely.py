"""One look that never ends without a plan: the planner's, or the protector's where the planner or a promise breaks (O-4).

Used by the live loop and by whoever plans a recorded tick again, so that both do the same with the same world.
"""

from jumar.model.command import Plan
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner import invariants
from jumar.planner.plan import plan
from jumar.planner.protector import protect


def plan_or_protect(world: World, policy: Policy) -> tuple[Plan, Exception | None]:
    """Return a checked plan, and what went wrong where it is only the protector's.

    Raises:
        InvariantBroken: even the protector's plan contradicts a promise.
    """
    try:
        planned = plan(world, policy)
        invariants.check(world, planned, policy)
    except Exception as error:  # noqa: BLE001 - whatever it is, the position must be seen to
        return protect(world, policy), error
    return planned, None
