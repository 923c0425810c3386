"""Targets: conditional take-profits, resized with the position, never added again once hit (T-1 … T-5).

Promises: the sum of resting targets never exceeds the position; TP1 is never placed again after its first
fill. A target refused as "would trigger" has been reached and is sold once (T-5).
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.command import Cause, Command
from jumar.model.instrument import Instrument
from jumar.model.order import TARGET_ROLES, OrderType, OwnOrder, Role, Side, TimeInForce
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, PERCENT, ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts, filled_by, filled_of_role
from jumar.planner.slots import (
    WOULD_TRIGGER,
    alive,
    attempts,
    cancel,
    conditional,
    last,
    may_cancel,
    regular,
    since_journaled,
)
from jumar.planner.stop import stop_needs_room
from jumar.planner.zone import is_pending

RETRY_AFTER_REFUSAL_MS = 5000
#: X-4 d: one that is only presumed dead may be alive: its slot stays empty for so long after it was sent.
RETRY_AFTER_UNKNOWN_MS = 30_000
REPLACE_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much each target should close, base currency; zero is none."""

    tp1: Decimal
    tp2: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target slot: how much it should close, and where."""

    role: Role
    quantity: Decimal
    trigger: Decimal

    @property
    def name(self) -> str:
        """For people."""
        return "TP1" if self.role is Role.TP1 else "TP2"


def target_commands(
    world: World, trade: Trade, facts: Facts, policy: Policy
) -> tuple[Command, ...]:
    """Withdraw what has the wrong size, else place what is missing (T-2).

    Nothing is placed while more than the position would rest: the sum of targets never exceeds it.
    """
    instrument = world.instrument
    if instrument is None or trade.closing is not None or not facts.had_fill:
        return ()
    if trade.adopted:
        return ()  # nobody decided targets for it; those that were found keep resting
    if stop_needs_room(world, trade, facts):
        return _make_room(world)
    wanted = wanted_targets(world, trade, facts, instrument)
    targets = (
        Target(role=Role.TP1, quantity=wanted.tp1, trigger=trade.tp1),
        Target(role=Role.TP2, quantity=wanted.tp2, trigger=trade.tp2 or trade.tp1),
    )
    commands: list[Command] = []
    resting = sum((_resting(world, target.role) for target in targets), start=ZERO)
    for target in targets:
        if target.role is Role.TP1 and is_pending(world, trade, facts, policy):
            continue  # the zone exit takes its place (L-1)
        if alive(world, target.role):
            commands += _resize(world, facts, policy, target)
        elif not facts.seems_gone and resting + target.quantity <= facts.own_remaining:
            commands += _place(world, trade, facts, policy, target)
    return tuple(commands)


def _make_room(world: World) -> tuple[Command, ...]:
    """S-7: targets give way to a stop that the venue has no place for."""
    cause = Cause(rule="S-7", text="the stop was refused for want of room: targets give way")
    targets = (order for role in sorted(TARGET_ROLES) for order in alive(world, role))
    return tuple(cancel(order, cause) for order in targets if may_cancel(world, order))


def _resting(world: World, role: Role) -> Decimal:
    """What the alive or unknown orders of a target may still sell."""
    return sum(
        (
            max((order.request.quantity or ZERO) - filled_by(world, order), ZERO)
            for order in alive(world, role)
        ),
        start=ZERO,
    )


def wanted_targets(world: World, trade: Trade, facts: Facts, instrument: Instrument) -> Wanted:
    """Split what is held into TP1 and TP2 (T-1); after TP1's first fill only its order's rest and TP2 (T-3)."""
    if facts.tp1_hit:
        return _after_tp1(world, trade, facts, instrument)
    total = instrument.floor_quantity(min(facts.entered, facts.own_remaining))
    first = instrument.floor_quantity(trade.decision.tp1_fraction * total)
    if trade.tp2 is None:
        rest_trails = trade.decision.enable_trailing and _enough(first, instrument)
        return Wanted(tp1=first if rest_trails else total, tp2=ZERO)
    second = total - first
    if not _enough(first, instrument) or not _enough(second, instrument):
        return Wanted(tp1=total, tp2=ZERO)
    return Wanted(tp1=first, tp2=second)


def _after_tp1(world: World, trade: Trade, facts: Facts, instrument: Instrument) -> Wanted:
    resting = _resting(world, Role.TP1)
    reached = _reached_rest(world, Role.TP1)
    rest = max(resting, reached)
    rest_trails = trade.tp2 is None and trade.decision.enable_trailing
    second = ZERO if rest_trails else instrument.floor_quantity(facts.own_remaining - rest)
    return Wanted(tp1=rest, tp2=max(second, ZERO))


def _enough(quantity: Decimal, instrument: Instrument) -> bool:
    """Reduce-only orders are exempt from the minimum notional, not from the minimum quantity."""
    return quantity >= max(instrument.market_min_quantity, instrument.step_size)


def _place(
    world: World, trade: Trade, facts: Facts, policy: Policy, target: Target
) -> tuple[Command, ...]:
    if target.quantity <= ZERO or facts.fills_pending:
        return ()
    if _was_reached(world, target.role):
        return _sell_reached(world, trade, policy, target)
    if _held_back(world, target.role) or (target.role is Role.TP1 and facts.tp1_hit):
        return ()
    held, trigger = text(facts.own_remaining), text(target.trigger)
    words = f"{target.name} {text(target.quantity)} of {held} at {trigger}"
    command = conditional(
        world,
        trade,
        target.role,
        quantity=target.quantity,
        trigger=target.trigger,
        cause=Cause(rule="T-1", text=words),
        working_type=policy.target_working_type,
    )
    return (command,)


def _resize(world: World, facts: Facts, policy: Policy, target: Target) -> tuple[Command, ...]:
    """An order of another size or price goes first; the right one comes once its end is proven."""
    cancels: list[Command] = []
    for order in alive(world, target.role):
        left = (order.request.quantity or ZERO) - filled_by(world, order)
        moved = order.request.trigger_price not in {None, target.trigger}
        if order.executing or order.unresolved or (left == target.quantity and not moved):
            continue
        young = since_journaled(world, order) < policy.target_resize_interval_s * 1000
        if facts.entry_alive and young and left < target.quantity and not moved:
            continue
        if may_cancel(world, order):
            cancels.append(cancel(order, _why_withdrawn(order, left, target, moved=moved)))
    return tuple(cancels)


def _why_withdrawn(order: OwnOrder, left: Decimal, target: Target, *, moved: bool) -> Cause:
    if moved:
        present = text(order.request.trigger_price or ZERO)
        words = f"{target.name} is at {present}, {text(target.trigger)} is wanted"
        return Cause(rule="E-9", text=words)
    words = f"{target.name} is {text(left)}, {text(target.quantity)} is wanted"
    return Cause(rule="T-2", text=words)


def _held_back(world: World, role: Role) -> bool:
    """After a refusal that is not T-5 the slot rests a while, longer after an unknown end; a vanished order is restored soon."""
    newest = last(world, role)
    if newest is None:
        return False
    if newest.presumed_dead:
        return since_journaled(world, newest) < RETRY_AFTER_UNKNOWN_MS
    if newest.cancel_sent_ms is not None:
        return False
    pause = REPLACE_MS if newest.end_code is None else RETRY_AFTER_REFUSAL_MS
    return since_journaled(world, newest) < pause


def is_reached(world: World, role: Role) -> bool:
    """Whether a target is being sold or was: by its trigger, by a fill, or because it would have triggered at once."""
    return _was_reached(world, role) or any(
        order.executing or order.triggered_ms is not None or order.filled_quantity > ZERO
        for order in attempts(world, role)
    )


def _was_reached(world: World, role: Role) -> bool:
    return any(order.end_code in WOULD_TRIGGER for order in attempts(world, role))


def _sales(world: World, role: Role) -> tuple[OwnOrder, ...]:
    """The sales of a reached target that came to the book, or may have: a refused or absent one sold nothing."""
    return tuple(
        order for order in attempts(world, role) if _is_sale(order) and not _sold_nothing(order)
    )


def _is_sale(order: OwnOrder) -> bool:
    return order.request.type in {OrderType.LIMIT, OrderType.MARKET}


def _sold_nothing(order: OwnOrder) -> bool:
    return _is_sale(order) and order.ended and order.acked_ms is None


def _reached_rest(world: World, role: Role) -> Decimal:
    """What a reached target has still to sell: its refused quantity less its fills; zero once both sales are spent."""
    if not _was_reached(world, role) or len(_sales(world, role)) >= 2:
        return ZERO
    refused = [order for order in attempts(world, role) if order.end_code in WOULD_TRIGGER]
    return max((refused[-1].request.quantity or ZERO) - filled_of_role(world, role), ZERO)


def _sell_reached(
    world: World, trade: Trade, policy: Policy, target: Target
) -> tuple[Command, ...]:
    """T-5: once LIMIT IOC at most `max_slippage_pct` from the touch, then at market."""
    role, instrument, sales = target.role, world.instrument, _sales(world, target.role)
    rest = min(target.quantity, _reached_rest(world, role))
    if instrument is None or world.quote is None or rest <= ZERO:
        return ()
    newest = last(world, role)
    if newest is not None and _sold_nothing(newest) and _held_back(world, role):
        return ()
    side = trade.side.opposite
    if sales:
        cause = Cause(
            rule="T-5", text=f"{target.name} was reached, the rest {text(rest)} at market"
        )
        return (regular(world, trade, role, quantity=rest, side=side, cause=cause),)
    slip = policy.max_slippage_pct * PERCENT
    if side is Side.SELL:
        price = instrument.ceil_price(world.quote.value.bid * (ONE - slip))
    else:
        price = instrument.floor_price(world.quote.value.ask * (ONE + slip))
    words = f"{target.name} is reached: {text(rest)} at {text(price)} or better"
    command = regular(
        world,
        trade,
        role,
        quantity=rest,
        side=side,
        cause=Cause(rule="T-5", text=words),
        price=price,
        time_in_force=TimeInForce.IOC,
    )
    return (command,)
