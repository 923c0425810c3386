"""Which modes hold now: those that are kept, those that a trade leads to, those that last as long as their cause.

Promises that a normal stop-out, and a close that a decision asked for, change no mode; that what heals by itself is
found anew at every look, so that it needs no memory (M-1, M-2, M-3). What a mode may send is the ladder's.
"""

from collections.abc import Iterator

from jumar.model.mode import Mode, ModeState
from jumar.model.order import STOP_ROLES
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner import ladder
from jumar.planner.facts import Facts
from jumar.planner.foreign import foreign_orders
from jumar.planner.position import is_read_as_flat
from jumar.planner.storm import entry_storm
from jumar.planner.summary import forced_by

#: M-3: how long the exchange may give no answer, and an order's outcome may stay unknown.
UNREACHABLE_MS, UNRESOLVED_MS = 10_000, 60_000
#: M-3: so many unknown outcomes within so long.
UNKNOWN_MAX, UNKNOWN_WITHIN_MS = 3, 300_000
#: M-3: how far exchange time may be off after it was measured again.
CLOCK_OFF_MS = 1000

#: Which row of the ladder a close leads to, by the rule that demanded it; any other close changes no mode (M-2).
_CLOSES = {
    "S-6": "emergency_close",
    "S-7": "emergency_close",
    "S-8": "emergency_close",
    "M-2": "liquidation",
    "G-15": "delisting",
    "G-10": "daily_loss",
    "M-6": "flatten",
}


def in_force(world: World) -> tuple[ModeState, ...]:
    """Return every mode but NORMAL that holds now, each with its cause: symbol, account, and what heals by itself."""
    kept = (world.mode, world.account_mode)
    found = (state for state in kept if state is not None and state.mode is not Mode.NORMAL)
    return (*found, *passing(world))


def passing(world: World) -> tuple[ModeState, ...]:
    """Return the modes that last only as long as their cause (M-3)."""
    return (*_senses(world), *_outcomes(world), *_orders(world))


def _senses(world: World) -> Iterator[ModeState]:
    now, health = world.now_ms, world.health
    silent_ms = 0 if health.unanswered_ms is None else now - health.unanswered_ms
    if silent_ms > UNREACHABLE_MS:
        words = f"no read was answered for {silent_ms / 1000:.1f} s, {UNREACHABLE_MS // 1000} s are allowed"
        yield ladder.state("unreachable", words, now)
    elif health.unanswered_ms is not None and not health.hears:
        words = f"the stream is silent and the last read failed, {silent_ms / 1000:.1f} s ago"
        yield ladder.state("deaf", words, now)
    if health.clock_off_ms > CLOCK_OFF_MS:
        words = (
            f"exchange time may be off by {health.clock_off_ms} ms, {CLOCK_OFF_MS} ms are allowed"
        )
        yield ladder.state("clock_off", words, now)
    if health.not_writer is not None:
        yield ladder.state("not_writer", health.not_writer, now)
    if health.lease_wait_ms > 0:
        words = f"an engine before this one may have orders on their way for {health.lease_wait_ms / 1000:.1f} s more"
        yield ladder.state("lease_young", words, now)


def _outcomes(world: World) -> Iterator[ModeState]:
    now = world.now_ms
    lately = [at_ms for at_ms in world.health.unknown_ms if now - at_ms < UNKNOWN_WITHIN_MS]
    if len(lately) >= UNKNOWN_MAX:
        minutes = UNKNOWN_WITHIN_MS // 60_000
        words = f"{len(lately)} requests with an unknown outcome within {minutes} minutes"
        yield ladder.state("unknown_outcomes", words, now)
    for order in (*world.orders, *world.strays):
        waited_ms = now - order.journaled_ms
        if order.unresolved and waited_ms > UNRESOLVED_MS:
            words = f"the outcome of {order.client_id} is not known for {waited_ms / 1000:.0f} s"
            yield ladder.state("unresolved", words, now)
            return


def _orders(world: World) -> Iterator[ModeState]:
    now = world.now_ms
    for order in world.orders:
        if order.role in STOP_ROLES and order.invisible:
            words = f"the stop {order.client_id} is invisible"
            yield ladder.state("invisible_stop", words, now)
            break
    storm = entry_storm(world)
    if storm is not None:
        yield ladder.state("entry_storm", storm, now)
    strange = [report.client_id for report in foreign_orders(world)]
    if strange:
        words = f"an order of somebody else rests here, {', '.join(strange[:3])}"
        yield ladder.state("foreign_order", words, now)


def mode_of(world: World, trade: Trade, facts: Facts) -> ModeState | None:
    """Return the mode that the trade leads to, None where it stays.

    FLATTENING while an emergency closes it, then NO_ENTRIES; NO_ENTRIES when somebody else trades the symbol.
    """
    code = _CLOSES.get(trade.closing_rule or "")
    if code is not None:
        return _of_close(world, trade, code)
    found = _foreign(world, trade, facts)
    if found is None or not _never_set(world.mode, trade):
        return None
    return ladder.stricter(world.mode, found)


def _of_close(world: World, trade: Trade, code: str) -> ModeState | None:
    kept, flat_ms, rule = world.mode, trade.proven_flat_ms, trade.closing_rule or ""
    says = ladder.rung(code).says
    state = ladder.state(
        code, f"{says}: trade {trade.key} is closed ({rule})", world.now_ms, rule=rule
    )
    if flat_ms is None:
        return ladder.stricter(kept, state)
    if kept is not None and kept.mode is Mode.FLATTENING:
        return ladder.settled(kept)
    if kept is not None and kept.mode is Mode.NORMAL and kept.since_ms >= flat_ms:
        return None  # an operator has looked since it was flat, though its orders are still being swept
    return ladder.stricter(kept, ladder.settled(state))


def _foreign(world: World, trade: Trade, facts: Facts) -> ModeState | None:
    """NO_ENTRIES because somebody else had a hand in the trade; None where all of it is ours (X-7, Y-1, Y-3)."""
    now = world.now_ms
    if (taken := next((order for order in world.orders if order.taken), None)) is not None:
        words = f"{taken.client_id} is an order of somebody else: {taken.echo_error}"
        return ladder.state("foreign_writer", words, now)
    if (forced := forced_by(world)) is not None:
        words = f"{forced.client_id} took {text(forced.quantity)} of trade {trade.key}"
        return ladder.state("forced", words, now)
    ours = any(order.rule == "Y-1" for order in world.orders)
    if trade.adopted_quantity > ZERO and not ours:
        held = text(trade.adopted_quantity)
        words = f"a position of {held} that no order of ours explains was found"
        return ladder.state("foreign_position", words, now)
    if facts.foreign_size > ZERO:
        added = text(facts.foreign_size)
        words = f"foreign_size: {added} were added to trade {trade.key} by hand"
        return ladder.state("foreign_size", words, now)
    if facts.flat and facts.oversold > ZERO:
        more = text(facts.oversold)
        words = f"{more} more was sold than trade {trade.key} bought: a hand was there"
        return ladder.state("foreign_size", words, now)
    return None


def _never_set(kept: ModeState | None, trade: Trade) -> bool:
    """Whether the mode is NORMAL and not because an operator looked at this trade and ended it."""
    return kept is None or (kept.mode is Mode.NORMAL and kept.since_ms < trade.armed_ms)


def resting_mode(world: World, policy: Policy) -> ModeState | None:
    """Return NO_ENTRIES when nothing is left to flatten, None where the mode stays."""
    kept = world.mode
    if kept is None or kept.mode is not Mode.FLATTENING:
        return None
    done = world.ready and is_read_as_flat(world, policy) and not world.strays
    return ladder.settled(kept) if done else None
