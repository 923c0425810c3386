"""The chase: an entry that nobody hits follows the touch, at most `max_chases` times, inside the band (E-5).

Promises: an amendment asks for the order's total quantity, so that chasing never resizes; its price lies inside the
band and does not cross the touch as seen; nothing is asked for while an earlier amendment's outcome is not known.
Everything is told by the orders themselves, so that a restart goes on counting where it was.
"""

from decimal import Decimal

from jumar.model.amendment import WITHOUT_EFFECT
from jumar.model.command import AmendOrder, AmendRequest, Cause, Command
from jumar.model.instrument import Instrument
from jumar.model.order import OwnOrder, Role, Side
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, percent_of, text
from jumar.model.world import Quote, World
from jumar.planner.band import Band, entry_price, is_worth_it
from jumar.planner.facts import by_role

#: Amendments of one trade, refused ones included: a venue that refuses them is not asked for ever (X-8).
ASKED_MAX = 30


def chases_of(world: World) -> int:
    """How often the trade's entries were re-priced, or ended by the venue instead; for the summary (T-4)."""
    return sum(order.chases for order in by_role(world, Role.ENTRY))


def unfilled_ms(world: World, order: OwnOrder) -> int:
    """How long an entry has rested, or had when it ended, at one price without a fill."""
    fills = [fill.time_ms for fill in world.fills if fill.client_id == order.client_id]
    asked = [each.timestamp_ms for each in order.amendments]
    since_ms = max([order.acked_ms or order.journaled_ms, *asked, *fills])
    until_ms = world.now_ms if order.ended_ms is None else order.ended_ms
    return until_ms - since_ms


def chase(
    world: World, trade: Trade, policy: Policy, band: Band, order: OwnOrder
) -> tuple[Command, ...]:
    """Re-price a resting entry toward the touch when it is due."""
    price = order.price
    if world.quote is None or price is None or order.request.quantity is None:
        return ()
    if not _may_be_amended(world, policy, order):
        return ()
    touch = touch_of(world.quote.value, trade.side)
    away = (touch - price) * trade.sign
    goal = min(max(touch, band.low), band.high)
    near, far = price * policy.chase_min_pct * PERCENT, price * policy.chase_max_pct * PERCENT
    if not near <= away <= far or (goal - price) * trade.sign <= 0:
        return ()
    if not is_worth_it(goal, trade, policy):
        return ()
    done = chases_of(world)
    words = (
        f"chase {done + 1} of {policy.max_chases}: {order.client_id} {text(price)} -> {text(goal)}, "
        f"unfilled for {unfilled_ms(world, order) / 1000:.1f} s, the touch {text(touch)} is "
        f"{text(percent_of(away, price))} % away, band [{text(band.low)}, {text(band.high)}]"
    )
    request = AmendRequest(
        symbol=trade.symbol,
        client_id=order.client_id,
        side=trade.side,
        price=goal,
        quantity=order.request.quantity,
        number=len(order.amendments) + 1,
    )
    return (AmendOrder(request=request, trade_key=trade.key, cause=Cause(rule="E-5", text=words)),)


def _may_be_amended(world: World, policy: Policy, order: OwnOrder) -> bool:
    """Whether it rests as read, has waited long enough, and chases are left."""
    rests = order.confirmed and order.cancel_sent_ms is None and order.amending is None
    asked = sum(len(each.amendments) for each in by_role(world, Role.ENTRY))
    left = chases_of(world) < policy.max_chases and asked < ASKED_MAX
    return rests and left and unfilled_ms(world, order) >= policy.chase_after_s * 1000


def touch_of(quote: Quote, side: Side) -> Decimal:
    """The best price of the side that an entry rests on."""
    return quote.bid if side is Side.BUY else quote.ask


def joining_price(
    world: World, trade: Trade, band: Band, quote: Quote, instrument: Instrument
) -> Decimal | None:
    """The price of a new post-only entry: E-2's, or as far toward the touch as this decision has chased (E-10).

    What a chase has won is kept when the venue cancels instead of amending, or a guard cancels for a moment.
    """
    price = entry_price(band, quote, instrument)
    chased = [
        each.price
        for order in by_role(world, Role.ENTRY)
        for each in order.amendments
        if each.state not in WITHOUT_EFFECT
    ]
    touch = touch_of(quote, trade.side)
    best = max if trade.side is Side.BUY else min
    worst = min if trade.side is Side.BUY else max
    won = [worst(each, touch) for each in chased if band.low <= worst(each, touch) <= band.high]
    found = [each for each in (price, *won) if each is not None]
    return best(found) if found else None
