"""Which mode must be kept from now on (M-1, M-2): FLATTENING during an emergency close, NO_ENTRIES after it.

Promises that a normal stop-out, and a close that a decision asked for, change no mode. What heals by itself is not
kept: guards refuse with the code `mode` while it lasts.
"""

from dataclasses import replace

from jumar.model.mode import Mode, ModeState
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts

#: The closes that nobody asked for: a stop could not be restored, was missing or failed (M-2).
EMERGENCY_RULES = frozenset({"S-6", "S-7", "S-8"})


def mode_of(world: World, trade: Trade, facts: Facts) -> ModeState | None:
    """Return the mode that the trade leads to, None where it stays.

    FLATTENING while an emergency closes it, then NO_ENTRIES; NO_ENTRIES when somebody else trades the symbol.
    """
    rule, kept = trade.closing_rule, world.mode
    emergency = rule in EMERGENCY_RULES
    foreign = _foreign(world, trade, facts)
    if foreign is not None and not emergency and _never_set(kept, trade):
        return foreign
    if rule is None or not emergency:
        return None
    flat_ms = trade.proven_flat_ms
    over = flat_ms is not None
    mode = Mode.NO_ENTRIES if over else Mode.FLATTENING
    if flat_ms is not None and kept is not None and _resumed_since(kept, flat_ms):
        return None
    if kept is not None and kept.mode is mode and kept.rule == rule:
        return None
    if over and kept is not None and kept.mode is Mode.FLATTENING:
        return replace(kept, mode=mode)
    words = f"an emergency close of trade {trade.key} ({rule})"
    return ModeState(mode=mode, rule=rule, cause=words, since_ms=world.now_ms)


def _foreign(world: World, trade: Trade, facts: Facts) -> ModeState | None:
    """NO_ENTRIES because of a position made or added to by hand; None where all of it is ours (Y-1, Y-3)."""
    ours = any(order.rule == "Y-1" for order in world.orders)
    if trade.adopted_quantity > ZERO and not ours:
        held = text(trade.adopted_quantity)
        rule, words = "Y-1", f"a position of {held} that no order of ours explains was found"
    elif facts.foreign_size > ZERO:
        added = text(facts.foreign_size)
        rule, words = "Y-3", f"foreign_size: {added} were added to trade {trade.key} by hand"
    elif facts.flat and facts.oversold > ZERO:
        more = text(facts.oversold)
        rule, words = "Y-3", f"{more} more was sold than trade {trade.key} bought: a hand was there"
    else:
        return None
    return ModeState(mode=Mode.NO_ENTRIES, rule=rule, cause=words, since_ms=world.now_ms)


def _resumed_since(kept: ModeState, flat_ms: int) -> bool:
    """Whether an operator has looked since the position was flat, though its orders are still being swept."""
    return kept.mode is Mode.NORMAL and kept.since_ms >= flat_ms


def _never_set(kept: ModeState | None, trade: Trade) -> bool:
    """Whether the mode is NORMAL and not because an operator looked at this trade and ended it."""
    return kept is None or (kept.mode is Mode.NORMAL and kept.since_ms < trade.armed_ms)


def resting_mode(world: World) -> ModeState | None:
    """Return NO_ENTRIES when nothing is left to flatten, None where the mode stays."""
    kept = world.mode
    if kept is None or kept.mode is not Mode.FLATTENING:
        return None
    return replace(kept, mode=Mode.NO_ENTRIES)
