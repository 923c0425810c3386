"""Targets that a newer decision moves while something is held (E-9).

Promises: only a target that was not reached moves, and only to where it still is one: beyond mark by the gap, worth the
initial risk, TP1 not behind TP2. One that may not stays where it is, with the numbers why; none is added or removed.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from jumar.model.command import Cause
from jumar.model.decision import Decision
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, text
from jumar.model.world import World
from jumar.planner.band import round_levels
from jumar.planner.facts import Facts
from jumar.planner.targets import is_reached

RULE = "E-9"
#: Digits of an average in a cause.
_SHOWN = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """One target that the newer decision wants elsewhere."""

    name: str
    present: Decimal
    wanted: Decimal


def move_targets(
    world: World, trade: Trade, facts: Facts, newer: Decision, policy: Policy
) -> tuple[Trade, tuple[Cause, ...]]:
    """Return the trade with the targets that may move, and for each wish what became of it and why."""
    notes = []
    allowed: dict[str, Decimal] = {}
    wishes = _wishes(world, trade, facts, newer)
    for wish in wishes:
        problem = _problem(world, trade, facts, policy, wish.wanted)
        if problem is None:
            allowed[wish.name] = wish.wanted
        else:
            notes.append(_refused(wish, problem))
    tp1, tp2 = allowed.get("tp1", trade.tp1), allowed.get("tp2", trade.tp2)
    if tp2 is not None and (tp1 - tp2) * trade.sign > ZERO:
        crossing = f"tp1 {text(tp1)} would lie beyond tp2 {text(tp2)}"
        notes += [_refused(wish, crossing) for wish in wishes if wish.name in allowed]
        return trade, tuple(notes)
    for wish in wishes:
        if wish.name in allowed:
            words = f"{wish.name} {text(wish.present)} -> {text(wish.wanted)}"
            notes.append(Cause(rule=RULE, text=f"{words}, as the newer decision says"))
    return replace(trade, tp1=tp1, tp2=tp2), tuple(notes)


def _wishes(world: World, trade: Trade, facts: Facts, newer: Decision) -> tuple[_Wish, ...]:
    if newer.levels is None or world.instrument is None:
        return ()
    rounded = round_levels(newer.levels, trade.side, world.instrument)
    tp1 = _Wish(name="tp1", present=trade.tp1, wanted=rounded.tp1)
    hit = facts.tp1_hit or is_reached(world, Role.TP1)
    found = [] if hit else [tp1]
    if trade.tp2 is not None and rounded.tp2 is not None and not is_reached(world, Role.TP2):
        found.append(_Wish(name="tp2", present=trade.tp2, wanted=rounded.tp2))
    return tuple(wish for wish in found if wish.wanted != wish.present)


def _problem(
    world: World, trade: Trade, facts: Facts, policy: Policy, wanted: Decimal
) -> str | None:
    """Why a target may not stand there, None when it may."""
    average, mark = facts.average_entry, world.mark
    if average is None or mark is None:
        return "neither mark nor the average entry is known"
    gap = mark.value * policy.min_stop_gap_pct * PERCENT
    if (wanted - mark.value) * trade.sign < gap:
        least = text(mark.value + gap * trade.sign)
        return f"mark is {text(mark.value)}, {least} or beyond is a target"
    needed = average + policy.min_rr * (average - trade.initial_stop)
    if (wanted - needed) * trade.sign < ZERO:
        ratio = text(policy.min_rr)
        from_entry = f"from the average entry {text(average.quantize(_SHOWN))}"
        return f"{ratio} times the initial risk {from_entry} is {text(needed.quantize(_SHOWN))}"
    return None


def _refused(wish: _Wish, why: str) -> Cause:
    words = f"{wish.name} {text(wish.wanted)} is refused: {why}; {text(wish.present)} stays"
    return Cause(rule=RULE, text=words)
