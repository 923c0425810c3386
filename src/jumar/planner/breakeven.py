"""Breakeven: the stop at which what is left loses nothing, fees and funding counted (T-3, C-1).

Knows no other reason to move a stop. Funding that is not known is left out, and the cause says so.
"""

from decimal import Decimal

from jumar.model.command import Cause
from jumar.model.decision import Action
from jumar.model.funding import FundingPayment
from jumar.model.instrument import Instrument
from jumar.model.order import Role
from jumar.model.policy import OnFlat, Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts, by_role
from jumar.planner.guards import is_fresh
from jumar.planner.moves import Move

#: Digits of a cost per unit in a cause: enough to check the price by hand.
_SHOWN = Decimal("0.0001")


def after_tp1(world: World, trade: Trade, facts: Facts, _: Policy) -> Move | None:
    """T-3: from the first fill of TP1, or of the zone exit that took its place."""
    if not facts.tp1_hit:
        return None
    return _move(world, trade, facts, "T-3", "after TP1")


def on_flat_decision(world: World, trade: Trade, facts: Facts, policy: Policy) -> Move | None:
    """C-1: a flat decision in force tightens, where `on_flat` says so; at a loss as near to mark as the gap allows."""
    if policy.on_flat is not OnFlat.TIGHTEN or not _is_flat_now(world, trade, policy):
        return None
    return _move(world, trade, facts, "C-1", "because of a flat decision, on_flat = tighten")


def breakeven_price(world: World, trade: Trade, facts: Facts) -> Decimal | None:
    """Return the price at which the average lot costs nothing: entry plus fees paid and expected, plus funding paid.

    Quote currency, not on the tick; None before the first fill and without the instrument's fees.
    """
    average, instrument = facts.average_entry, world.instrument
    if average is None or instrument is None:
        return None
    costs = _entry_fee_per_unit(world, instrument, average) + (
        funding_per_unit(world, trade) or ZERO
    )
    return (average + costs * trade.sign) / (ONE - instrument.taker_fee * trade.sign)


def funding_per_unit(world: World, trade: Trade) -> Decimal | None:
    """Return the net funding paid by one unit held through every payment, None where it is not known.

    Each payment counts for the size that was held at its time. What was received on balance is no reason for a looser
    stop: it is zero then.
    """
    if world.funding is None:
        return None
    return max(sum((_per_unit(world, trade, each) for each in world.funding), start=ZERO), ZERO)


def _per_unit(world: World, trade: Trade, payment: FundingPayment) -> Decimal:
    held = trade.adopted_quantity + trade.sign * sum(
        (fill.signed_quantity for fill in world.fills if fill.time_ms < payment.time_ms), start=ZERO
    )
    return -payment.amount / held if held > ZERO else ZERO


def _is_flat_now(world: World, trade: Trade, policy: Policy) -> bool:
    state = world.decision
    if state is None or state.refusals or state.decision.action is not Action.FLAT:
        return False
    knew_of_it = not trade.adopted or state.decision.timestamp_ms > trade.armed_ms
    return knew_of_it and is_fresh(state.decision, world, policy)


def _move(world: World, trade: Trade, facts: Facts, rule: str, why: str) -> Move | None:
    price, average = breakeven_price(world, trade, facts), facts.average_entry
    if price is None or average is None:
        return None
    funding = funding_per_unit(world, trade)
    fees = text((abs(price - average) - (funding or ZERO)).quantize(_SHOWN))
    paid = "funding not known" if funding is None else f"funding {text(funding.quantize(_SHOWN))}"
    words = f"breakeven, entry {text(average)} plus fees {fees} a unit, {paid}, {why}"
    return Move(price=price, cause=Cause(rule=rule, text=words), throttled=False)


def _entry_fee_per_unit(world: World, instrument: Instrument, average: Decimal) -> Decimal:
    """Fees paid per unit of the entry; fees in another asset are taken at the taker rate, the dearer guess."""
    entries = {order.client_id for order in by_role(world, Role.ENTRY)}
    fills = [fill for fill in world.fills if fill.client_id in entries]
    quantity = sum((fill.quantity for fill in fills), start=ZERO)
    if quantity == ZERO or any(fill.fee_asset != instrument.quote_asset for fill in fills):
        return average * instrument.taker_fee
    return sum((fill.fee for fill in fills), start=ZERO) / quantity
