"""What is held, by whose word: a list that lags behind the events, and one that still shows what an ended trade held.

Promises: nothing is believed to be flat while a source that may be the truth says otherwise.
"""

from jumar.model.account import PositionReport
from jumar.model.order import Side
from jumar.model.policy import Policy
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source, World, newest

#: How far apart two reads must be that prove, without fills, that a position is gone (Y-11).
TWO_READS_MS = 2000


def newest_position(world: World) -> Observed[PositionReport] | None:
    """Return the position as the newest of read and event says, None before either."""
    return newest(world.position, world.position_event)


def told_positions(world: World, policy: Policy) -> tuple[Observed[PositionReport], ...]:
    """Return every source of the position that may be the truth now, the newest last.

    A list may lag behind the events: a read requested less than `flat_margin_s` after an event does not refute it.
    """
    read, event, seen = world.position, world.position_event, newest_position(world)
    if seen is None or read is None or event is None or seen is event:
        return () if seen is None else (seen,)
    is_refuted = read.at_ms - event.at_ms >= policy.flat_margin_s * 1000
    return (read,) if is_refuted else (event, read)


def is_read_as_flat(world: World, policy: Policy) -> bool:
    """Whether the position was read, and every source that may be the truth says zero."""
    told = told_positions(world, policy)
    return world.position is not None and all(seen.value.quantity == ZERO for seen in told)


def position_of_nobody(world: World, policy: Policy) -> Observed[PositionReport] | None:
    """Return what is held apart from the symbol's last filled trade, None while no source is newer than its end.

    The largest that may be the truth, unless sources contradict each other on the side: then the newest.
    """
    if world.position is None:
        return None
    told = [
        seen for seen in told_positions(world, policy) if _is_after_the_end(world, policy, seen)
    ]
    if not told:
        return None
    largest = max(told, key=lambda seen: abs(seen.value.quantity))
    turned = largest.value.quantity * told[-1].value.quantity < ZERO
    return told[-1] if turned else largest


def _is_after_the_end(world: World, policy: Policy, seen: Observed[PositionReport]) -> bool:
    """Whether it cannot show what the symbol's last filled trade still held."""
    ended_ms = world.last_end_ms
    if ended_ms is None:
        return True
    if seen is world.position and _may_be_late(world, policy, ended_ms):
        return False
    return seen.at_ms >= ended_ms + _margin_ms(world, policy, seen)


def _may_be_late(world: World, policy: Policy, ended_ms: int) -> bool:
    """Whether a list still shows the ended position: the event of its end says zero, and no two reads apart deny it."""
    read, event, since_ms = world.position, world.position_event, world.position_since_ms
    if read is None or event is None or event.at_ms < ended_ms or event.value.quantity != ZERO:
        return False
    if read.value.quantity == ZERO or since_ms is None:
        return False
    first_ms = max(since_ms, ended_ms + policy.flat_margin_s * 1000)
    return read.at_ms - first_ms < TWO_READS_MS


def _margin_ms(world: World, policy: Policy, seen: Observed[PositionReport]) -> int:
    """How long after the last trade's last fill a source must be, because it may still show that trade's position.

    One that shows the other side cannot be older than that trade's end.
    """
    held, side = seen.value.quantity, world.last_end_side
    if side is not None and held != ZERO and (held > ZERO) is not (side is Side.BUY):
        return 0
    return 1 if seen.source is Source.STREAM else policy.flat_margin_s * 1000
