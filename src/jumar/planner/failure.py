"""Stops that are missing or have failed: when a position can only be closed (S-6, S-7, S-8), and whom it concerns.

Promises: an invisible stop is never a reason to close (S-13); what is closed here is closed because nothing at the
venue protects it, and the symbol enters nothing afterwards until a person says so (M-2).
"""

from dataclasses import replace
from decimal import Decimal

from jumar.model.command import Alarm, Cause
from jumar.model.order import STOP_ROLES, OrderStatus, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, ZERO, text
from jumar.model.world import World
from jumar.planner.facts import FILL_LAG_MS, Facts, by_role, filled_by, filled_of_role
from jumar.planner.slots import WOULD_TRIGGER, last
from jumar.planner.stop import covered_at_ratchet

BPS = Decimal("0.0001")


def is_uncovered(world: World, trade: Trade, facts: Facts) -> bool:
    """Whether there is a position and no stop presumed alive covers it at the ratchet price (S-7)."""
    held = facts.cover_size > ZERO and not facts.flat
    return held and not covered_at_ratchet(world, trade, facts)


def with_bare_time(world: World, trade: Trade) -> Trade:
    """Return the trade with the time since the last look counted, where that look found it without a stop (T-4)."""
    if world.bare_ms is None:
        return trade
    return replace(trade, unprotected_ms=trade.unprotected_ms + world.now_ms - world.bare_ms)


def why_emergency(world: World, trade: Trade, facts: Facts, policy: Policy) -> Cause | None:
    """Return why the position must be closed at market now, None while a stop does its work."""
    if facts.cover_size <= ZERO:
        return None
    return (
        _cannot_be_restored(world, trade, facts)
        or _missing_too_long(world, trade, facts, policy)
        or _mark_is_beyond(world, trade, policy)
    )


def _cannot_be_restored(world: World, trade: Trade, facts: Facts) -> Cause | None:
    """S-6 (c): the ratchet price can no longer be restored because it would trigger at once."""
    newest = last(world, Role.STOP)
    if newest is None or newest.end_code not in WOULD_TRIGGER:
        return None
    if covered_at_ratchet(world, trade, facts):
        return None
    if newest.request.trigger_price != trade.tightest(trade.ratchet_price):
        return None
    words = f"the stop at {text(newest.request.trigger_price)} would trigger immediately"
    return Cause(
        rule="S-6", text=f"{words} ({newest.end_code}): nothing rests at the ratchet price"
    )


def _missing_too_long(world: World, trade: Trade, facts: Facts, policy: Policy) -> Cause | None:
    """S-7: the venue can be reached and no stop could be confirmed within `protect_deadline_s`."""
    since_ms = world.uncovered_ms
    if since_ms is None or not is_uncovered(world, trade, facts):
        return None
    waited_ms = world.now_ms - since_ms
    if waited_ms < policy.protect_deadline_s * 1000:
        return None
    newest = last(world, Role.STOP)
    told = "" if newest is None or newest.end_code is None else f" (last refusal {newest.end_code})"
    words = f"no stop could be confirmed for {waited_ms / 1000:.1f} s{told}"
    return Cause(rule="S-7", text=f"{words}, {policy.protect_deadline_s} s are allowed")


def _mark_is_beyond(world: World, trade: Trade, policy: Policy) -> Cause | None:
    """S-8 (a): mark, read at least twice, has been beyond the stop for `stop_fail_s` and nothing closed."""
    stop = trade.tightest(trade.ratchet_price)
    limit = stop * (ONE - policy.stop_fail_bps * BPS * trade.sign)
    run: list[tuple[int, Decimal]] = []
    for mark in reversed(world.marks):
        if not trade.is_tighter(limit, than=mark.value):
            break
        run.append((mark.at_ms, mark.value))
    if len(run) < 2 or run[0][0] - run[-1][0] < policy.stop_fail_s * 1000:
        return None  # two readings close together, then silence, say nothing about now
    seconds = (run[0][0] - run[-1][0]) / 1000
    words = f"mark {text(run[0][1])} is beyond the stop {text(stop)} for {seconds:.1f} s"
    return Cause(rule="S-8", text=f"{words} in {len(run)} readings and the position is still there")


def ended_incompletely(world: World, trade: Trade, facts: Facts) -> OwnOrder | None:
    """S-8 (b): the triggered stop that ended and left a position, by its fills.

    What the entry bought after the trigger is not the stop's failure, and neither is a rejected twin of a stop
    that closed everything. Told when a full exit had to sell what the stop left, or when it is still there after
    the time that fills may lag behind.
    """
    sold = filled_of_role(world, Role.FULL_EXIT)
    for order in by_role(world, *STOP_ROLES):
        if order.triggered_ms is None or order.ended_ms is None:
            continue
        late = _bought_after(world, trade, _trigger_time(world, order, order.triggered_ms))
        settled = world.now_ms - order.ended_ms >= FILL_LAG_MS and not facts.fills_pending
        left = facts.remaining > late and settled and not facts.flat
        if left or sold > late:
            return order
    return None


def _trigger_time(world: World, order: OwnOrder, seen_ms: int) -> int:
    """When it triggered at the venue, as well as it is known: its first fill may be older than the news of it."""
    fills = [fill.time_ms for fill in world.fills if fill.client_id == order.client_id]
    return min([seen_ms, *fills])


def _bought_after(world: World, trade: Trade, since_ms: int) -> Decimal:
    late = [f for f in world.fills if f.side is trade.side and f.time_ms >= since_ms]
    return sum((fill.quantity for fill in late), start=ZERO)


def alarms(world: World, trade: Trade, facts: Facts, *, uncovered: bool) -> tuple[Alarm, ...]:
    """Return what a person must hear of the trade's protection now; `uncovered` is what `is_uncovered` says."""
    found = []
    if trade.closing is None and uncovered and not facts.fills_pending:
        words = f"no stop covers {text(facts.cover_size)} {trade.symbol}: restoring it"
        found.append(Alarm(rule="S-7", subject=trade.key, text=words))
    for order in by_role(world, *STOP_ROLES):
        if order.invisible:
            words = f"{order.client_id} is in no list and not found by its id; presumed alive"
            found.append(Alarm(rule="S-13", subject=order.client_id, text=words))
        elif _was_removed(order) and facts.had_fill and not facts.flat:
            words = f"{order.client_id} was removed by the exchange or a person"
            subject = order.client_id
            found.append(Alarm(rule="P-2", subject=subject, text=words, severity="warning"))
    if facts.foreign_size > ZERO:
        words = f"{text(facts.foreign_size)} were added by hand: covered, without targets"
        found.append(Alarm(rule="Y-3", subject=trade.key, text=words, severity="warning"))
    left = ended_incompletely(world, trade, facts)
    if left is not None:
        words = f"the triggered stop {left.client_id} filled {text(filled_by(world, left))}"
        left_over = text(facts.remaining)
        words += (
            f" and left {left_over}: closing at market" if not facts.flat else ": closed at market"
        )
        found.append(Alarm(rule="S-8", subject=left.client_id, text=words))
    return tuple(found)


def _was_removed(order: OwnOrder) -> bool:
    """Whether a stop that rested ended without a trigger and without a cancel of ours."""
    removed = order.end_status in {OrderStatus.CANCELED, OrderStatus.EXPIRED}
    ours = order.cancel_sent_ms is not None or order.triggered_ms is not None
    by_rule = (
        order.request.close_position and order.end_status is OrderStatus.EXPIRED
    )  # it went with its position
    return removed and not ours and not by_rule
