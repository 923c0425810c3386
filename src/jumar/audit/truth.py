"""P-7: if the truth is incomplete, nothing that adds exposure is sent.

Judged from the world that an entry was planned in: what had been read and how old it was, and whether the outcome of
another order was still open. The limits are those of G-13 and X-5.
"""

from collections.abc import Iterator

from jumar.model.order import TARGET_ROLES, Role
from jumar.model.policy import Policy
from jumar.model.world import World

_EXITS = TARGET_ROLES | {Role.ZONE_EXIT, Role.FULL_EXIT}


def why_not_known(world: World, policy: Policy) -> Iterator[str]:
    """What of the truth was missing for an entry; nothing when all was known."""
    if not world.ready:
        yield "the first reconciliation had not completed"
    parts = (
        ("position", world.position),
        ("order list", world.open_orders),
        ("conditional order list", world.conditional_orders),
    )
    for name, seen in parts:
        if seen is None:
            yield f"the {name} had not been read"
        elif world.now_ms - seen.at_ms > policy.max_truth_age_s * 1000:
            age = world.now_ms - seen.at_ms
            yield f"the {name} was {age} ms old, {policy.max_truth_age_s} s are allowed"
    for order in world.orders:
        waited = world.now_ms - order.journaled_ms
        entry = order.role is Role.ENTRY
        exit_late = order.role in _EXITS and waited > policy.protect_timeout_ms
        if order.unresolved and (entry or exit_late):
            yield f"the outcome of {order.client_id} had not been known for {waited} ms"
