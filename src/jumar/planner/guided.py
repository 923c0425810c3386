"""What a newer decision of the same side allows and wishes while a trade has fills: entry prices, and a stop (E-9).

Promises: the plan of the trade's owner is never left; the newer decision only takes prices away from it, and its stop
is a wish like any other: never looser, and no nearer to mark than the gap.
"""

from dataclasses import replace

from jumar.model.command import Cause
from jumar.model.instrument import Instrument
from jumar.model.moments import iso
from jumar.model.policy import MinStopPolicy, Policy
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.model.world import World
from jumar.planner.band import Band, EmptyBand, compute_band
from jumar.planner.facts import Facts
from jumar.planner.moves import Move


def entry_band(trade: Trade, instrument: Instrument, policy: Policy) -> Band | EmptyBand:
    """Return the prices at which the trade's entry may rest: its owner's band and, once there is one, the guide's.

    P-3 counts from the initial stop to TP1 as decided and as it stands by now, and for the guide from the stop as it
    stands, too: a farther target makes no price enterable that the plan left out.
    """
    levels, guide = trade.decision.levels, trade.guide
    if levels is None:
        return EmptyBand(code="rr_below_min", message="a trade without a plan has no entry")
    tp1 = min(levels.tp1, trade.tp1, key=lambda price: price * trade.sign)
    own = compute_band(replace(levels, tp1=tp1), trade.side, instrument, policy)
    if isinstance(own, EmptyBand) or guide is None or guide.levels is None:
        return own
    # nothing is widened for the guide: its stop is where it says, or where the ratchet has it
    policy = replace(policy, min_stop_policy=MinStopPolicy.REFUSE)
    stop = trade.tightest(trade.ratchet_price, guide.levels.stop)
    for allowed in (guide.levels, replace(guide.levels, stop=stop)):
        newer = compute_band(allowed, trade.side, instrument, policy)
        if isinstance(newer, EmptyBand):
            return newer
        low, high = max(own.low, newer.low), min(own.high, newer.high)
        if low > high:
            words = (
                f"[{text(own.low)}, {text(own.high)}] and [{text(newer.low)}, {text(newer.high)}]"
            )
            return EmptyBand(code="rr_below_min", message=f"no price is in both bands, {words}")
        own = replace(own, low=low, high=high)
    return own


def tightened_stop(_: World, trade: Trade, facts: Facts, __: Policy) -> Move | None:
    """E-9: the stop of the newest decision of the same side; what is looser than the ratchet price moves nothing."""
    guide = trade.guide
    if guide is None or guide.levels is None or not facts.had_fill:
        return None
    words = f"the stop {text(guide.levels.stop)} of the newer decision of {iso(guide.timestamp_ms)}"
    return Move(price=guide.levels.stop, cause=Cause(rule="E-9", text=words), throttled=False)
