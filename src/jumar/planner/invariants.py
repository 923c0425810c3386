"""The promises as checks on one plan: used live before anything is sent, in tests, and in simulation.

A broken one raises `InvariantBroken`: nothing of the plan is sent, what rests on the exchange keeps resting.
Independent of the steps on purpose: it reads only the world and the plan.
"""

from collections.abc import Iterable
from decimal import Decimal

from jumar.model.command import AmendOrder, CancelOrder, PlaceOrder, Plan
from jumar.model.errors import InvariantBroken
from jumar.model.order import OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, text
from jumar.model.world import World


def check(world: World, plan: Plan, policy: Policy) -> None:
    """Check a plan against the promises.

    Raises:
        InvariantBroken: the plan would break one.
    """
    places = [a.command for a in plan.commands if isinstance(a.command, PlaceOrder)]
    cancels = [a.command for a in plan.commands if isinstance(a.command, CancelOrder)]
    amends = [a.command for a in plan.commands if isinstance(a.command, AmendOrder)]
    entries = [place for place in places if place.request.role is Role.ENTRY]
    _exits_only_reduce(places)
    _ids_are_new(world, places)
    if entries or amends:
        _truth_is_complete(world, policy)
        prices = [each.request.price for each in entries]
        prices += [each.request.price for each in amends]
        _is_worth_it(plan.trade, policy, prices)
    if entries:
        _one_entry_of_the_plan(world, plan.trade, entries, amends)
    if amends:
        _one_amendment_of_the_plan(world, plan.trade, amends)
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


def _one_entry_of_the_plan(
    world: World, trade: Trade | None, entries: list[PlaceOrder], amends: list[AmendOrder]
) -> None:
    if trade is None or len(entries) > 1 or amends:
        raise InvariantBroken("P-4", f"{len(entries) + len(amends)} entries in one plan")
    if _tightest_stop(world.orders, trade, ZERO) is None:
        raise InvariantBroken("P-1", "an entry without a confirmed armed stop")
    quantity = entries[0].request.quantity or ZERO
    ours = {order.client_id for order in world.orders if order.role is Role.ENTRY}
    filled = sum((f.quantity for f in world.fills if f.client_id in ours), start=ZERO)
    if filled + quantity > trade.planned_quantity:
        raise InvariantBroken("P-4", f"{text(filled + quantity)} is more than planned")


def _one_amendment_of_the_plan(world: World, trade: Trade | None, amends: list[AmendOrder]) -> None:
    """It leaves side and total quantity of the one entry that rests as they are, behind a confirmed stop."""
    request = amends[0].request
    resting = [o for o in world.orders if o.role is Role.ENTRY and o.alive_or_unknown]
    if trade is None or len(amends) > 1 or [o.client_id for o in resting] != [request.client_id]:
        raise InvariantBroken("P-4", f"{len(amends)} amendments, {len(resting)} entries rest")
    asked = resting[0].request
    if (asked.side, asked.quantity) != (request.side, request.quantity):
        raise InvariantBroken("P-4", f"{request.client_id} would become another order")
    if _tightest_stop(world.orders, trade, ZERO) is None:
        raise InvariantBroken("P-1", "an entry is amended without a confirmed armed stop")


def _is_worth_it(trade: Trade | None, policy: Policy, prices: list[Decimal | None]) -> None:
    """P-3 at every limit price that is asked for: far enough from the stop, with enough reward to TP1."""
    for price in prices:
        if trade is None or price is None:
            raise InvariantBroken("P-3", "an entry without a trade or a limit price")
        risk = (price - trade.initial_stop) * trade.sign
        reward = (trade.tp1 - price) * trade.sign
        if risk < price * policy.min_stop_pct * PERCENT or reward < policy.min_rr * risk:
            raise InvariantBroken(
                "P-3", f"at {text(price)} the risk is {text(risk)}, the reward {text(reward)}"
            )


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
        raise InvariantBroken(
            "P-1", f"the tightest stop of the position, at {text(before)}, would go"
        )


def _tightest_stop(orders: Iterable[OwnOrder], trade: Trade, size: Decimal) -> Decimal | None:
    """The trigger of the tightest confirmed working stop of at least a size, None without one."""
    triggers = [
        order.request.trigger_price
        for order in orders
        if order.role is Role.STOP and order.confirmed and (order.request.quantity or ZERO) >= size
    ]
    known = [trigger for trigger in triggers if trigger is not None]
    return max(known, key=lambda trigger: trigger * trade.sign, default=None)
