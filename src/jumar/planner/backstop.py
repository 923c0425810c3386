"""The backstop: a closePosition stop, or one of a quantity, at the initial stop, behind the working stop (S-2).

It never moves and decides nothing while the working stop is confirmed. A refused one is tried again in its own
rhythm; a foreign closePosition stop is left alone and stood in for.
"""

from jumar.model.command import Cause, Command
from jumar.model.order import OwnOrder, Role
from jumar.model.policy import BackstopKind, Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts
from jumar.planner.failure import is_uncovered
from jumar.planner.slots import alive, attempts, conditional, last, on_step, since_journaled

#: "TIF GTE can only be used with open positions": the position has not reached the conditional service yet.
NO_POSITION_YET = -4509
#: A closePosition stop of that direction exists.
CLOSE_POSITION_EXISTS = -4130
#: How long a lost working stop is tried alone, where it is tighter than the backstop.
STOP_FIRST_MS = 1000
BACKSTOP_RETRY_MS, BACKSTOP_QUICK_TRIES, BACKSTOP_SLOW_MS = 250, 8, 5000


def backstop_commands(
    world: World, trade: Trade, facts: Facts, policy: Policy
) -> tuple[Command, ...]:
    """S-2: a closePosition stop at the initial stop as soon as a fill is known; it never moves.

    Of a quantity where the policy asks for it (V-3, V-4).
    """
    if not facts.had_fill or facts.cover_size <= ZERO or facts.flat:
        return ()
    resting = [order for order in alive(world, Role.BACKSTOP) if not order.executing]
    if any(_backs(order, facts) for order in resting):
        return ()
    if (
        facts.stop_triggered
        or not _backstop_is_due(world)
        or _stop_comes_first(world, trade, facts)
    ):
        return ()
    beside = any(
        order.end_code == CLOSE_POSITION_EXISTS for order in attempts(world, Role.BACKSTOP)
    )
    by_quantity = beside or policy.backstop is BackstopKind.QUANTITY
    quantity = on_step(world, facts.cover_size + facts.may_fill) if by_quantity else None
    what = "closePosition" if quantity is None else f"of {text(quantity)}"
    words = f"backstop {what}{' beside a foreign one' if beside else ''} at the initial stop {text(trade.initial_stop)}"
    command = conditional(
        world,
        trade,
        Role.BACKSTOP,
        quantity=quantity,
        trigger=trade.initial_stop,
        cause=Cause(rule="S-2", text=words),
    )
    return (command,)


def _stop_comes_first(world: World, trade: Trade, facts: Facts) -> bool:
    """Lost cover is restored at the ratchet price before the looser backstop, as long as that may succeed (P-2)."""
    moved = trade.tightest(trade.ratchet_price) != trade.initial_stop
    if not moved or not is_uncovered(world, trade, facts):
        return False
    return world.uncovered_ms is None or world.now_ms - world.uncovered_ms < STOP_FIRST_MS


def _backs(order: OwnOrder, facts: Facts) -> bool:
    request = order.request
    return order.echo_error is None and (
        request.close_position or (request.quantity or ZERO) >= facts.cover_size
    )


def backstop_wait_ms(world: World) -> int:
    """How long until a refused backstop may be tried again: 250 ms, 8 times, then every 5 s."""
    newest = last(world, Role.BACKSTOP)
    if newest is None or newest.alive_or_unknown:
        return 0
    refused = 0
    for order in reversed(attempts(world, Role.BACKSTOP)):
        if order.end_code != NO_POSITION_YET:
            break
        refused += 1
    quick = 0 < refused <= BACKSTOP_QUICK_TRIES or newest.end_code == CLOSE_POSITION_EXISTS
    pause = BACKSTOP_RETRY_MS if quick else BACKSTOP_SLOW_MS
    return max(pause - since_journaled(world, newest), 0)


def _backstop_is_due(world: World) -> bool:
    return backstop_wait_ms(world) == 0
