"""What the market looks like: where prices are, how fresh, how far apart (G-4, G-5, G-6, G-16)."""

from collections.abc import Iterator

from jumar.model.command import Refusal
from jumar.model.decision import Action, Decision
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, percent_of, text
from jumar.model.world import World
from jumar.planner.approve import refuse


def prices(world: World, decision: Decision, policy: Policy) -> Iterator[Refusal]:
    """G-4: neither last nor mark may be far from the zone or beyond the stop."""
    levels, side = decision.levels, decision.side
    if levels is None or side is None:
        return
    for name, seen in (("last", world.last), ("mark", world.mark)):
        if seen is None:
            continue
        price = seen.value
        distance = max(levels.zone_min - price, price - levels.zone_max, ZERO)
        limit = price * policy.max_zone_distance_pct * PERCENT
        beyond = price <= levels.stop if decision.action is Action.LONG else price >= levels.stop
        if beyond:
            yield refuse(
                "price_too_far",
                "G-4",
                f"{name} {text(price)} is beyond the stop {text(levels.stop)}",
            )
        elif distance > limit:
            yield refuse(
                "price_too_far",
                "G-4",
                f"{name} {text(price)} is {percent_of(distance, price)} % from the zone "
                f"[{text(levels.zone_min)}, {text(levels.zone_max)}], "
                f"{text(policy.max_zone_distance_pct)} % is allowed",
            )


def market_data(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-5 and G-6: fresh quote and mark, a tight spread, mark near last."""
    if world.last is None:
        yield refuse("market_data_stale", "G-6", "no last price has been received yet")
    for name, seen in (("quote", world.quote), ("mark", world.mark)):
        if seen is None:
            yield refuse("market_data_stale", "G-6", f"no {name} has been received yet")
        elif world.now_ms - seen.at_ms > policy.max_quote_age_s * 1000:
            age = (world.now_ms - seen.at_ms) / 1000
            yield refuse(
                "market_data_stale",
                "G-6",
                f"the {name} is {age:.1f} s old, {policy.max_quote_age_s} s are allowed",
            )
    if world.quote is not None:
        quote = world.quote.value
        spread = percent_of(quote.ask - quote.bid, quote.mid)
        if quote.ask - quote.bid > quote.mid * policy.max_spread_pct * PERCENT:
            yield refuse(
                "spread_too_wide",
                "G-5",
                f"spread {text(quote.bid)} / {text(quote.ask)} is {spread} %, "
                f"{text(policy.max_spread_pct)} % is allowed",
            )
    if world.mark is not None and world.last is not None:
        mark, last = world.mark.value, world.last.value
        divergence = percent_of(abs(mark - last), last)
        if abs(mark - last) > last * policy.max_mark_divergence_pct * PERCENT:
            yield refuse(
                "mark_diverged",
                "G-5",
                f"mark {text(mark)} and last {text(last)} are {divergence} % apart, "
                f"{text(policy.max_mark_divergence_pct)} % is allowed",
            )


def mark_near_stop(world: World, policy: Policy, trade: Trade) -> Refusal | None:
    """G-16: mark must be further from the stop than `arm_margin` of |limit price - initial stop|."""
    if world.mark is None:
        return None
    room = (world.mark.value - trade.initial_stop) * trade.sign
    needed = trade.stop_distance * policy.arm_margin_pct * PERCENT
    if room > needed:
        return None
    return refuse(
        "mark_near_stop",
        "G-16",
        f"mark {text(world.mark.value)} is {text(room)} from the stop {text(trade.initial_stop)}, "
        f"more than {text(needed)} is needed",
    )
