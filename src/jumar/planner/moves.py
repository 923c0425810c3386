"""Moves of the working stop: what a candidate wishes, and what of it may be sent now (R-4, S-5, S-10).

Promises: no move comes nearer to mark than the gap, none is looser than the stop that is, and the tightest of those
that are due wins. Knows nothing of why a candidate wants its price.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from jumar.model.command import Cause
from jumar.model.instrument import Instrument
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, PERCENT, text
from jumar.model.world import World
from jumar.planner.slots import attempts, since_journaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where one candidate wants the working stop.

    Attributes:
        price: quote currency, neither cut to the gap nor rounded.
        cause: its rule, and the numbers that led to the price.
        throttled: whether it waits for a step and an interval (S-5). A move that only comes as near as the gap allows
            is throttled in any case, once a stop rested for its rule: it follows mark.
        cut: whether the gap to mark is what bounds the price.
    """

    price: Decimal
    cause: Cause
    throttled: bool = True
    cut: bool = False


def nearest_to_mark(world: World, trade: Trade, policy: Policy) -> Decimal | None:
    """Return the tightest price that a moved stop may have: mark less the gap (R-4); None without a mark."""
    if world.mark is None:
        return None
    return world.mark.value * (ONE - policy.min_stop_gap_pct * PERCENT * trade.sign)


def has_moved(world: World, rule: str) -> bool:
    """Whether a stop of the trade was confirmed for a rule: its next moves only follow the market."""
    return any(o.rule == rule and o.acked_ms is not None for o in attempts(world, Role.STOP))


def best_move(
    world: World, trade: Trade, policy: Policy, wishes: Iterable[Move | None]
) -> Move | None:
    """Return the tightest move that is due, at the price to place; None while the stop holds (R-4)."""
    nearest, instrument = nearest_to_mark(world, trade, policy), world.instrument
    if nearest is None or instrument is None:
        return None
    floor = trade.tightest(trade.ratchet_price)
    moves = (_placed(wish, nearest, trade, instrument) for wish in wishes if wish is not None)
    tighter = [move for move in moves if trade.is_tighter(move.price, than=floor)]
    due = [
        move for move in tighter if not _waits(world, move) or _is_large(world, move, floor, policy)
    ]
    best = max(due, key=lambda move: move.price * trade.sign, default=None)
    return None if best is None else _told(world, best, floor)


def _placed(wish: Move, nearest: Decimal, trade: Trade, instrument: Instrument) -> Move:
    """The move at the price that it may have: cut to the gap and on the tick."""
    cut = trade.is_tighter(wish.price, than=nearest)
    price = _rounded(nearest if cut else wish.price, nearest, trade, instrument)
    words = f"{wish.cause.text}, as near to mark as the gap allows" if cut else wish.cause.text
    cause = Cause(rule=wish.cause.rule, text=words)
    return Move(price=price, cause=cause, throttled=wish.throttled, cut=cut)


def _rounded(price: Decimal, nearest: Decimal, trade: Trade, instrument: Instrument) -> Decimal:
    """S-10: rounded tighter, unless that breaks the gap: then one tick looser."""
    tighter, looser = (
        (instrument.ceil_price, instrument.floor_price)
        if trade.sign > 0
        else (instrument.floor_price, instrument.ceil_price)
    )
    rounded = tighter(price)
    return looser(price) if trade.is_tighter(rounded, than=nearest) else rounded


def _waits(world: World, move: Move) -> bool:
    """Whether S-5 throttles it; the first step of a rule that is not throttled goes at once, even where it is cut."""
    return move.throttled or (move.cut and has_moved(world, move.cause.rule))


def _is_large(world: World, move: Move, floor: Decimal, policy: Policy) -> bool:
    """S-5: a step large enough, and long enough after the last one."""
    confirmed = [order for order in attempts(world, Role.STOP) if order.acked_ms is not None]
    interval_ms = policy.stop_interval_s * 1000
    waited = all(since_journaled(world, order) >= interval_ms for order in confirmed)
    return waited and abs(move.price - floor) >= floor * policy.stop_step_pct * PERCENT


def _told(world: World, move: Move, floor: Decimal) -> Move:
    """The move with both prices in its cause, and mark, which cuts and nearness are measured from."""
    mark = "" if world.mark is None else f"; mark {text(world.mark.value)}"
    words = f"stop {text(floor)} -> {text(move.price)}: {move.cause.text}{mark}"
    return replace(move, cause=Cause(rule=move.cause.rule, text=words))
