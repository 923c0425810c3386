"""The promises as checks on one plan: used live before anything is sent, in tests, and in simulation.

A broken one raises `InvariantBroken`: nothing of the plan is sent, what rests on the exchange keeps resting.
Independent of the steps on purpose: it reads only the world and the plan.
"""

from collections.abc import Iterable
from decimal import Decimal

from jumar.model.command import CancelOrder, PlaceOrder, Plan
from jumar.model.errors import InvariantBroken
from jumar.model.order import OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World


def check(world: World, plan: Plan, policy: Policy) -> None:
    """Check a plan against the promises.

    Raises:
        InvariantBroken: the plan would break one.
    """
    places = [a.command for a in plan.commands if isinstance(a.command, PlaceOrder)]
    cancels = [a.command for a in plan.commands if isinstance(a.command, CancelOrder)]
    entries = [place for place in places if place.request.role is Role.ENTRY]
    _exits_only_reduce(places)
    _ids_are_new(world, places)
    if entries:
        _one_entry_of_the_plan(world, plan.trade, entries)
        _truth_is_complete(world, policy)
    _no_stop_is_taken_from_a_position(world, plan.trade, cancels)


def _exits_only_reduce(places: list[PlaceOrder]) -> None:
    for place in places:
        if place.request.role is not Role.ENTRY and not place.request.only_reduces:
            raise InvariantBroken("P-5", f"{place.request.client_id} could add exposure")


def _ids_are_new(world: World, places: list[PlaceOrder]) -> None:
    known = {order.client_id for order in world.orders}
    planned = [place.request.client_id for place in places]
    for client_id in planned:
        if client_id in known or planned.count(client_id) > 1:
            raise InvariantBroken("P-4", f"{client_id} was used before")


def _one_entry_of_the_plan(world: World, trade: Trade | None, entries: list[PlaceOrder]) -> None:
    if trade is None or len(entries) > 1:
        raise InvariantBroken("P-4", f"{len(entries)} entries in one plan")
    if _tightest_stop(world.orders, trade, ZERO) is None:
        raise InvariantBroken("P-1", "an entry without a confirmed armed stop")
    quantity = entries[0].request.quantity or ZERO
    ours = {order.client_id for order in world.orders if order.role is Role.ENTRY}
    filled = sum((f.quantity for f in world.fills if f.client_id in ours), start=ZERO)
    if filled + quantity > trade.planned_quantity:
        raise InvariantBroken("P-4", f"{text(filled + quantity)} is more than planned")


def _truth_is_complete(world: World, policy: Policy) -> None:
    oldest = world.now_ms - policy.max_truth_age_s * 1000
    for seen in (world.position, world.open_orders, world.conditional_orders):
        if seen is None or seen.at_ms < oldest:
            raise InvariantBroken("P-7", "an entry on incomplete truth")


def _no_stop_is_taken_from_a_position(
    world: World, trade: Trade | None, cancels: list[CancelOrder]
) -> None:
    """While the position may be non-zero, no cancel leaves its tightest full-size stop looser (P-2)."""
    if not cancels or trade is None or trade.proven_flat_ms is not None:
        return
    size = sum((fill.signed_quantity for fill in world.fills), start=ZERO) * trade.sign
    if size <= ZERO:
        return
    gone = {cancel.client_id for cancel in cancels}
    kept = [order for order in world.orders if order.client_id not in gone]
    before = _tightest_stop(world.orders, trade, size)
    after = _tightest_stop(kept, trade, size)
    if before is not None and (after is None or trade.is_tighter(before, than=after)):
        raise InvariantBroken("P-1", f"the tightest stop of the position, at {before}, would go")


def _tightest_stop(orders: Iterable[OwnOrder], trade: Trade, size: Decimal) -> Decimal | None:
    """The trigger of the tightest confirmed working stop of at least a size, None without one."""
    triggers = [
        order.request.trigger_price
        for order in orders
        if order.role is Role.STOP and order.confirmed and (order.request.quantity or ZERO) >= size
    ]
    known = [trigger for trigger in triggers if trigger is not None]
    return max(known, key=lambda trigger: trigger * trade.sign, default=None)
