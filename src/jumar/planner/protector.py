"""What keeps a position covered while the planner itself fails: S-7 and S-8 (with S-6 c), and nothing else (O-4).

Promises: no entry stays, the ratchet price is restored where no stop covers, what should have been closed, or was
asked to be, is closed, and no stop is ever cancelled. Small, pure, and built on the model alone, so that what breaks the planner's steps does
not break this; only the last gate (`approve.py`) is shared. Knows nothing of decisions, targets, adoption or sweeping:
a position that no trade of ours explains is left as it is.
"""

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from jumar.model.command import CancelOrder, Cause, Command, PlaceOrder, Plan
from jumar.model.ids import client_id
from jumar.model.mode import Mode
from jumar.model.order import (
    OrderRequest,
    OrderType,
    OwnOrder,
    Role,
    TimeInForce,
    WorkingType,
)
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ONE, ZERO, text
from jumar.model.world import World
from jumar.planner.approve import approve

#: One order of a role in so long, and one cancel of an entry.
AGAIN_MS = 500
#: So many stops are tried before the position is closed.
STOPS_MAX = 3
#: The venue's "would trigger immediately".
WOULD_TRIGGER = frozenset({-2021, -4142})
BPS = Decimal("0.0001")


def protect(world: World, policy: Policy) -> Plan:
    """Return the plan that keeps what is held covered, an empty one where nothing is.

    Raises:
        InvariantBroken: the last gate refuses a command; nothing may be sent.
    """
    trade = world.trade
    if trade is None:
        return Plan()
    held = _held(world, trade)
    commands: list[Command] = list(_entry_cancels(world))
    cover = _covering(world, trade, held)
    failed = None if held <= ZERO else _why_close(world, trade, policy, cover)
    if failed is not None and trade.closing is None:
        asked = failed.rule == "M-6"
        reason = CloseReason.FLATTEN if asked else CloseReason.EMERGENCY
        trade = replace(trade, closing=reason, closing_rule=failed.rule)
    if failed is not None and _may_send(world, Role.FULL_EXIT):
        commands.append(_exit(world, trade, held, failed))
    elif failed is None and held > ZERO and not cover and _may_send(world, Role.STOP):
        commands.append(_stop(world, trade, held))
    return Plan(
        trade=trade,
        commands=approve(commands, world, trade),
        wake_in_ms=AGAIN_MS if held > ZERO and not cover else None,
        uncovered=held > ZERO and not cover,
    )


def _held(world: World, trade: Trade) -> Decimal:
    """The largest size on the trade's side that fills, the position read or its event tell, base currency."""
    fills = sum((fill.signed_quantity for fill in world.fills), start=ZERO) * trade.sign
    since_ms = max((fill.time_ms for fill in world.fills), default=trade.armed_ms)
    seen = (part for part in (world.position, world.position_event) if part is not None)
    told = [part.value.quantity * trade.sign for part in seen if part.at_ms >= since_ms]
    return max(ZERO, trade.adopted_quantity + fills, *told)


def _entry_cancels(world: World) -> list[CancelOrder]:
    cause = Cause(rule="O-4", text="the planner fails: no entry stays")
    return [
        CancelOrder(
            symbol=world.symbol,
            channel=order.request.channel,
            client_id=order.client_id,
            cause=cause,
        )
        for order in world.orders
        if order.role is Role.ENTRY
        and not order.ended
        and world.now_ms - (order.cancel_sent_ms or 0) >= AGAIN_MS
    ]


def _covering(world: World, trade: Trade, held: Decimal) -> list[OwnOrder]:
    """The stops presumed alive that cover all of it at the ratchet price, and those that are being executed."""
    floor = trade.tightest(trade.ratchet_price)
    return [
        order
        for order in world.orders
        if order.role in {Role.STOP, Role.BACKSTOP}
        and (order.confirmed or order.executing)
        and (order.request.close_position or (order.request.quantity or ZERO) >= held)
        and order.request.trigger_price is not None
        and not trade.is_tighter(floor, than=order.request.trigger_price)
    ]


def _why_close(world: World, trade: Trade, policy: Policy, cover: list[OwnOrder]) -> Cause | None:
    """Why it must be closed: somebody wants it flat, mark is beyond the stop, or no stop could be restored."""
    if trade.closing is not None:
        return Cause(rule=trade.closing_rule or "S-8", text=f"closing already: {trade.closing}")
    if world.mode is not None and world.mode.mode is Mode.FLATTENING:
        return Cause(rule=world.mode.rule, text=world.mode.cause)
    stop = trade.tightest(trade.ratchet_price)
    limit = stop * (ONE - policy.stop_fail_bps * BPS * trade.sign)
    beyond: list[int] = []
    for mark in reversed(world.marks):
        if not trade.is_tighter(limit, than=mark.value):
            break
        beyond.append(mark.at_ms)
    if len(beyond) > 1 and beyond[0] - beyond[-1] >= policy.stop_fail_s * 1000:
        words = f"mark is beyond the stop {text(stop)} for {(beyond[0] - beyond[-1]) / 1000:.1f} s"
        return Cause(rule="S-8", text=words)
    newest = max(
        (order for order in world.orders if order.role is Role.STOP),
        key=lambda order: order.attempt,
        default=None,
    )
    if not cover and newest is not None and newest.end_code in WOULD_TRIGGER:
        words = f"the stop at {text(stop)} would trigger immediately ({newest.end_code})"
        return Cause(rule="S-6", text=words)
    since_ms = world.uncovered_ms
    waited_ms = 0 if since_ms is None or cover else world.now_ms - since_ms
    if waited_ms >= policy.protect_deadline_s * 1000:
        words = f"no stop could be confirmed for {waited_ms / 1000:.1f} s"
        return Cause(rule="S-7", text=words)
    return None


def _may_send(world: World, role: Role) -> bool:
    """Whether the last order of a role is old enough; of stops only so many are tried."""
    tried = [order for order in world.orders if order.role is role]
    alive = [order for order in tried if not order.ended]
    if role is Role.STOP and len(alive) >= STOPS_MAX:
        return False
    return all(world.now_ms - order.journaled_ms >= AGAIN_MS for order in tried)


def _stop(world: World, trade: Trade, held: Decimal) -> PlaceOrder:
    floor = trade.tightest(trade.ratchet_price)
    words = f"no stop covers {text(held)} at {text(floor)} and the planner fails"
    return _order(world, trade, Role.STOP, held, floor, Cause(rule="S-7", text=words))


def _exit(world: World, trade: Trade, held: Decimal, cause: Cause) -> PlaceOrder:
    words = f"{cause.text}: {text(held)} at market, reduce-only; the planner fails"
    return _order(world, trade, Role.FULL_EXIT, held, None, Cause(rule=cause.rule, text=words))


def _order(  # noqa: PLR0917 - the one place that makes an order here
    world: World, trade: Trade, role: Role, held: Decimal, trigger: Decimal | None, cause: Cause
) -> PlaceOrder:
    attempt = max((order.attempt for order in world.orders if order.role is role), default=0) + 1
    request = OrderRequest(
        symbol=trade.symbol,
        client_id=client_id(key=trade.key, role=role, attempt=attempt),
        role=role,
        side=trade.side.opposite,
        type=OrderType.MARKET if trigger is None else OrderType.STOP_MARKET,
        quantity=_on_step(world, held),
        trigger_price=trigger,
        time_in_force=None if trigger is None else TimeInForce.GTC,
        reduce_only=True,
        working_type=None if trigger is None else WorkingType.MARK_PRICE,
    )
    return PlaceOrder(
        request=request, trade_key=trade.key, attempt=attempt, cause=cause, ratchet=trigger
    )


def _on_step(world: World, quantity: Decimal) -> Decimal:
    """Rounded up to the step: what is more than the position the venue cuts."""
    step = None if world.instrument is None else world.instrument.step_size
    if step is None:
        return quantity
    return (quantity / step).to_integral_value(ROUND_CEILING) * step
