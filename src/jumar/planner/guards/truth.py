"""Whether the truth is complete: read lately, and nothing of ours unresolved (G-13)."""

from collections.abc import Iterable, Iterator

from jumar.model.command import Refusal
from jumar.model.order import TARGET_ROLES, Role
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner.approve import refuse

#: Guards that only say "not read yet": an entry is still wanted, so the books are read every tick (section 11).
TRUTH_CODES = frozenset({"truth_incomplete", "unresolved_order"})
#: Unknown orders that keep an entry away. The entry itself is not judged by its own outcome: it is settled by
#: X-4, and while it is alive or unknown there is no second one; stops have rules of their own.
_BLOCKING = TARGET_ROLES | {Role.ZONE_EXIT, Role.FULL_EXIT}


def truth_refusals(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-13: both lists and the position read lately, nothing of ours unresolved."""
    limit = policy.max_truth_age_s * 1000
    if not world.ready:
        yield refuse("truth_incomplete", "Y-9", "the first reconciliation has not completed")
    parts = (
        ("position", world.position),
        ("order list", world.open_orders),
        ("conditional order list", world.conditional_orders),
    )
    for name, seen in parts:
        if seen is None:
            yield refuse("truth_incomplete", "G-13", f"the {name} has not been read yet")
        elif world.now_ms - seen.at_ms > limit:
            yield refuse(
                "truth_incomplete",
                "G-13",
                f"the {name} was read {(world.now_ms - seen.at_ms) / 1000:.1f} s ago, "
                f"{policy.max_truth_age_s} s are allowed",
            )
    for order in world.orders:
        waited = world.now_ms - order.journaled_ms
        if order.role in _BLOCKING and order.unresolved and waited > policy.protect_timeout_ms:
            yield refuse(
                "unresolved_order",
                "G-13",
                f"the outcome of {order.client_id} is not known for {waited / 1000:.1f} s",
            )
    for order in world.strays:
        words = f"{order.client_id} of an earlier trade is not proven ended"
        yield refuse("unresolved_order", "X-9", words)


def without_slow_reads(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Leave out how old the reads are, beside refusals that stand without that.

    While another guard refuses, no entry is wanted and nothing is read every tick (section 11): that it was
    not read lately is the engine's own rhythm then, and would only hide the reason.
    """
    return tuple(r for r in refusals if (r.code, r.rule) != ("truth_incomplete", "G-13"))
