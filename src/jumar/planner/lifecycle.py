"""How a trade's durable facts advance: ratchet, end of the entry, closing, void, proof of flat.

Each only ever moves one way, so that a restart in the middle resumes where it was. Nothing here sends.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from jumar.model.command import Cause, Refusal
from jumar.model.decision import Action
from jumar.model.order import OrderStatus, Role
from jumar.model.policy import OnFlat, OnOpposite, Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.binding import follow_levels
from jumar.planner.entry import entry_orders_used_up
from jumar.planner.facts import Facts
from jumar.planner.failure import ended_incompletely, why_emergency
from jumar.planner.flattening import asked_to_flatten, why_flatten
from jumar.planner.guards import is_fresh
from jumar.planner.newer import Stance, follow, remainder_ends, stance
from jumar.planner.position import newest_position, position_of_nobody
from jumar.planner.slots import attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """The trade as it is after this look, what changed and why, and refusals that follow from it."""

    trade: Trade
    notes: tuple[Cause, ...]
    refusals: tuple[Refusal, ...] = ()


def advance(world: World, trade: Trade, facts: Facts, policy: Policy) -> Advance:
    """Return the trade with every durable fact that the world proves by now."""
    notes: list[Cause] = []
    refusals: list[Refusal] = []
    if (ratchet := _ratchet(world, trade)) != trade.ratchet_price:
        trade = replace(trade, ratchet_price=ratchet)
    if trade.closing is None and (found := _closing(world, trade, facts, policy)) is not None:
        reason, cause = found
        trade = replace(
            trade, closing=reason, closing_rule=cause.rule, closed_by=_obeyed(world, reason)
        )
        notes.append(cause)
    if trade.closing_rule == "S-9" and (left := ended_incompletely(world, trade, facts)):
        words = f"{left.client_id} ended with {text(facts.remaining)} left: the rest is closed"
        trade = replace(trade, closing_rule="S-8")
        notes.append(Cause(rule="S-8", text=words))
    if trade.voided is None and (void := _void(world, trade, facts, policy)) is not None:
        code, cause = void
        trade = replace(trade, voided=code)
        notes.append(cause)
        refusals.append(refuse(code, cause.rule, cause.text))
    followed = follow(world, trade, facts, policy)
    trade = followed.trade
    notes += followed.notes
    trade, bound = follow_levels(world, trade, policy)
    notes += bound
    if trade.entry_over is None and (over := _entry_over(world, trade, facts, policy)) is not None:
        trade = replace(trade, entry_over=over.text)
        notes.append(over)
    if trade.proven_flat_ms is None and facts.had_fill and facts.flat:
        trade = replace(trade, proven_flat_ms=world.now_ms)
        notes.append(_proof(world, trade, facts))
    refusals += _held_out(world, trade, facts, policy)
    return Advance(trade=trade, notes=tuple(notes), refusals=tuple(refusals))


def _held_out(world: World, trade: Trade, facts: Facts, policy: Policy) -> tuple[Refusal, ...]:
    """C-2: why an opposite decision enters nothing while the position of the trade is held against it."""
    if trade.closing is not None or facts.remaining <= ZERO or world.decision is None:
        return ()
    if policy.on_opposite is OnOpposite.CLOSE or not _is_opposite(world, trade, policy):
        return ()
    held = f"a {trade.decision.action} position of {text(facts.remaining)} is held"
    return (refuse("position_held", "C-2", f"{held}: on_opposite = hold"),)


def _is_opposite(world: World, trade: Trade, policy: Policy) -> bool:
    """Whether the decision in force, fresh and readable, wants the other side, and knew of an adopted position."""
    state = world.decision
    if state is None or state.refusals or not is_fresh(state.decision, world, policy):
        return False
    knew_of_it = not trade.adopted or state.decision.timestamp_ms > trade.armed_ms
    return knew_of_it and state.decision.side is trade.side.opposite


def _proof(world: World, trade: Trade, facts: Facts) -> Cause:
    newest = newest_position(world)
    if newest is not None and newest.value.quantity * trade.sign < ZERO:
        held = text(newest.value.quantity)
        return Cause(rule="Y-3", text=f"the position is {held}, on the other side: ours is over")
    if facts.remaining <= ZERO:
        return Cause(rule="Y-11", text="fills sum to zero and the position is read as zero")
    words = f"{text(facts.remaining)} are gone without fills that explain it: two reads say so"
    return Cause(rule="Y-2", text=words)


def _ratchet(world: World, trade: Trade) -> Decimal | None:
    """The tightest working stop ever confirmed; echo errors never count (S-3, S-11)."""
    prices = [
        order.request.trigger_price
        for order in attempts(world, Role.STOP)
        if order.acked_ms is not None and order.echo_error is None
    ]
    known = [price for price in (*prices, trade.ratchet_price) if price is not None]
    return trade.tightest(*known) if known else None


def _closing(
    world: World, trade: Trade, facts: Facts, policy: Policy
) -> tuple[CloseReason, Cause] | None:
    if not facts.had_fill or facts.flat:
        return None
    if facts.stop_triggered:
        return CloseReason.STOP, Cause(rule="S-9", text="a stop was triggered: the rest is closed")
    emergency = why_emergency(world, trade, facts, policy)
    if emergency is not None:
        return CloseReason.EMERGENCY, emergency
    if (found := why_flatten(world, trade, policy)) is not None:
        return found
    return _closing_by_decision(world, trade, policy)


def _obeyed(world: World, reason: CloseReason) -> str | None:
    """The decision that a close obeys: the opposite one may still enter afterwards (D-7, C-2)."""
    by_decision = reason in {CloseReason.FLAT, CloseReason.OPPOSITE}
    return world.decision.decision.id if by_decision and world.decision is not None else None


def _closing_by_decision(
    world: World, trade: Trade, policy: Policy
) -> tuple[CloseReason, Cause] | None:
    state = world.decision
    if state is None or state.refusals or not is_fresh(state.decision, world, policy):
        return None
    decision = state.decision
    if trade.adopted and decision.timestamp_ms <= trade.armed_ms:
        return None  # it did not know of this position
    if decision.action is Action.FLAT and policy.on_flat is OnFlat.CLOSE:
        return CloseReason.FLAT, Cause(rule="C-1", text="flat decision, on_flat = close")
    if policy.on_opposite is OnOpposite.CLOSE and _is_opposite(world, trade, policy):
        words = f"{decision.action} decision against the {trade.decision.action} position"
        return CloseReason.OPPOSITE, Cause(rule="C-2", text=words)
    return None


def _void(world: World, trade: Trade, facts: Facts, policy: Policy) -> tuple[str, Cause] | None:
    """S-1: the armed stop triggered or was rejected before any fill, or cannot be placed."""
    if facts.had_fill or trade.adopted:
        return None
    stops = attempts(world, Role.STOP)
    hit = [
        order
        for order in stops
        if order.executing
        or order.triggered_ms is not None
        or order.end_status in {OrderStatus.FINISHED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
    ]
    if hit:
        words = f"the armed stop {hit[0].client_id} ended as {hit[0].end_status or 'triggered'} before a fill"
        return "stop_hit_before_entry", Cause(rule="S-1", text=words)
    if len(stops) > policy.max_rearms and all(order.ended for order in stops):
        newest = stops[-1]
        why = f"{newest.end_code}: {newest.end_reason}" if newest.end_code else newest.end_reason
        words = f"the armed stop could not be kept after {len(stops)} attempts ({why})"
        return "stop_not_placeable", Cause(rule="G-16", text=words)
    if entry_orders_used_up(world, policy):
        words = f"{policy.max_entry_orders} entry orders are used up without a fill"
        return "entry_orders_used_up", Cause(rule="E-5", text=words)
    return None


def _entry_over(world: World, trade: Trade, facts: Facts, policy: Policy) -> Cause | None:
    """Why the entry must never be placed again, None while it may (E-7, S-9, D-3, D-7)."""
    if trade.closing is not None:
        return Cause(rule="S-9", text=f"closing: {trade.closing}")
    if facts.exit_filled:
        return Cause(rule="S-9", text="an exit has filled")
    if trade.voided is not None:
        return Cause(rule="S-1", text=trade.voided)
    if (held := _held_against(world, trade, facts, policy)) is not None:
        return Cause(rule="Y-3", text=f"{text(held)} is held on the other side and is not ours")
    if world.draining:
        return Cause(rule="M-5", text="the engine is being stopped")
    if (asked := asked_to_flatten(world)) is not None:
        return Cause(rule=asked.rule, text=asked.cause)
    if facts.entered >= trade.planned_quantity > ZERO and not facts.entry_alive:
        return Cause(rule="E-8", text=f"the planned {text(trade.planned_quantity)} have filled")
    if (spent := _spent(world, trade)) is not None:
        return Cause(rule="D-7", text=f"spent: {spent}")
    if not is_fresh(trade.guiding, world, policy):
        return Cause(rule="D-3", text=f"stale: decision is older than {policy.max_age_s} s")
    if facts.had_fill and entry_orders_used_up(world, policy):
        return Cause(rule="E-5", text=f"{policy.max_entry_orders} entry orders are used up")
    return _superseded(world, trade, facts, policy) or remainder_ends(world, trade, policy)


def _held_against(world: World, trade: Trade, facts: Facts, policy: Policy) -> Decimal | None:
    """What a hand holds on the other side while nothing of ours has filled: the set-up makes room for it (Y-1)."""
    held = None if facts.had_fill else position_of_nobody(world, policy)
    against = held is not None and held.value.quantity * trade.sign < ZERO
    return held.value.quantity if held is not None and against else None


def _spent(world: World, trade: Trade) -> str | None:
    """Why the decision that the entry goes on for is spent by now, None while it is not (Y-12)."""
    state = world.decision
    own = state is not None and state.decision.id == trade.guiding.id
    return state.spent if own and state is not None else None


def _superseded(world: World, trade: Trade, facts: Facts, policy: Policy) -> Cause | None:
    """Why the decision in force ends the entry: refused, flat, of the other side, or with another plan (D-7, E-9)."""
    state = world.decision
    if state is None:
        return None
    if state.refusals:
        return Cause(rule="D-7", text=f"superseded by a refused decision: {state.refusals[0][0]}")
    if state.decision.id in {trade.decision.id, trade.guiding.id}:
        return None
    if state.decision.action is Action.FLAT:
        return Cause(rule="C-1" if facts.had_fill else "C-3", text="flat decision")
    if state.decision.side is not trade.side:
        rule = "C-2" if facts.had_fill else "D-7"
        return Cause(rule=rule, text=f"superseded by a newer decision: {state.decision.action}")
    if stance(world, trade, facts, policy) is Stance.REPLACES:
        return Cause(rule="E-9", text="superseded by a newer decision that starts anew")
    return None
