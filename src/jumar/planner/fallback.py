"""The bounded fallback: chases used up, one limit order that takes at once and never rests (E-6).

Promises: at most one per decision reaches the book; its limit lies inside the band and at most `max_slippage_pct`
beyond the touch that it takes; the resting entry is proven ended first; an entry is never a market order.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.command import Cause, Command
from jumar.model.instrument import Instrument
from jumar.model.order import OwnOrder, Role, Side, TimeInForce
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, PERCENT, text
from jumar.model.world import Quote, World
from jumar.planner.band import Band
from jumar.planner.chase import chases_of, unfilled_ms
from jumar.planner.slots import attempts, cancel, last, may_cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """An entry that takes: its limit, and why."""

    price: Decimal
    cause: Cause


def give_way(
    world: World, trade: Trade, policy: Policy, band: Band, order: OwnOrder
) -> tuple[Command, ...]:
    """Cancel the resting entry when the fallback may follow it."""
    taking = taking_price(world, trade, policy, band)
    if taking is None or order.amending is not None or not may_cancel(world, order):
        return ()
    return (cancel(order, Cause(rule="E-6", text=f"gives way: {taking.cause.text}")),)


def taking_price(world: World, trade: Trade, policy: Policy, band: Band) -> Taking | None:
    """The limit of an entry that takes, None when none may be sent now (E-6).

    G-5, as every guard, was asked before: without it no entry is alive or placed at all.
    """
    newest, instrument = last(world, Role.ENTRY), world.instrument
    if newest is None or instrument is None or world.quote is None or fallback_is_spent(world):
        return None
    chases, waited_ms = chases_of(world), unfilled_ms(world, newest)
    if chases < policy.max_chases or waited_ms < policy.chase_after_s * 1000:
        return None
    # a newer decision that guides the rest of the entry must be as sure as its owner (E-9)
    confidence = min(trade.decision.confidence, trade.guiding.confidence)
    if not newest.acked_ms or confidence < policy.fallback_confidence:
        return None
    touch = _far_touch(world.quote.value, trade.side)
    if not band.low <= touch <= band.high:
        return None
    price = _limit(touch, trade.side, band, instrument, policy)
    words = (
        f"{chases} chases are used up, unfilled for {waited_ms / 1000:.1f} s, confidence "
        f"{text(confidence)} of {text(policy.fallback_confidence)}: takes {text(touch)} up to "
        f"{text(price)}, band [{text(band.low)}, {text(band.high)}]"
    )
    return Taking(price=price, cause=Cause(rule="E-6", text=words))


def fallback_is_spent(world: World) -> bool:
    """Whether a fallback was refused, or may have come to the book; one that never left spends nothing."""
    return any(
        order.request.time_in_force is TimeInForce.IOC
        and (order.alive_or_unknown or order.acked_ms is not None or order.end_code is not None)
        for order in attempts(world, Role.ENTRY)
    )


def _far_touch(quote: Quote, side: Side) -> Decimal:
    """The best price of the other side, that an entry would take."""
    return quote.ask if side is Side.BUY else quote.bid


def _limit(
    touch: Decimal, side: Side, band: Band, instrument: Instrument, policy: Policy
) -> Decimal:
    """min(band edge, ask + max_slippage_pct), mirrored for a short; rounded toward the touch."""
    slip = policy.max_slippage_pct * PERCENT
    if side is Side.BUY:
        return min(band.high, max(instrument.floor_price(touch * (ONE + slip)), touch))
    return max(band.low, min(instrument.ceil_price(touch * (ONE - slip)), touch))
