"""The dead man's switch: while an entry is alive, the venue is to cancel it once it hears nothing of us (E-7).

Promises: it is asked for only where a probe has proven on this host that it leaves stops alone (V-6), and never beside a
regular order of somebody else, which would go with ours. What protects does not wait for it: it is asked for last.
"""

from jumar.model.command import Cause, Command, SetCountdown
from jumar.model.countdown import Countdown
from jumar.model.ids import parse_client_id
from jumar.model.order import OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.world import World

RULE = "E-7"
#: It is put off so often within its time.
SHARE = 3
#: After an answer that did not come.
RETRY_MS = 1000


def dead_man_commands(world: World, policy: Policy) -> tuple[Command, ...]:
    """Put the countdown off while an entry is alive and it may be used; take it away otherwise."""
    if world.no_dead_man is not None or policy.dead_man_s == 0:
        return ()
    asked, entries = world.countdown, _entries(world)
    alive = any(order.alive_or_unknown for order in entries)
    foreign = why_not(world)
    if alive and foreign is None:
        return _put_off(world, policy, asked)
    if not _may_run(world, policy, asked, entries) or _is_underway(world, asked):
        return ()
    why = "no entry is alive" if not alive else str(foreign)
    return (_command(world, 0, f"dead man's switch off: {why}"),)


def why_not(world: World) -> str | None:
    """Why the switch may not be used now, None where it may; whether an entry needs it is another question."""
    if world.no_dead_man is not None:
        return world.no_dead_man
    if world.open_orders is None:
        return "the order list has not been read yet"
    for report in world.open_orders.value:
        if parse_client_id(report.client_id) is None:
            return f"an order of somebody else rests here, {report.client_id}"
    return None


def _entries(world: World) -> tuple[OwnOrder, ...]:
    return tuple(o for o in (*world.orders, *world.strays) if o.role is Role.ENTRY)


def _put_off(world: World, policy: Policy, asked: Countdown | None) -> tuple[Command, ...]:
    """Renewed every third of its time; asked again after a second while the answer is missing."""
    lasts_ms = policy.dead_man_s * 1000
    if asked is not None and asked.ms > 0:
        answered = asked.accepted or asked.refused is not None
        wait_ms = lasts_ms // SHARE if answered else RETRY_MS
        if world.now_ms - asked.sent_ms < wait_ms:
            return ()
    words = f"dead man's switch: the venue cancels the entry after {policy.dead_man_s} s without us"
    return (_command(world, lasts_ms, words),)


def _may_run(
    world: World, policy: Policy, asked: Countdown | None, entries: tuple[OwnOrder, ...]
) -> bool:
    """Whether one may run out yet: of this process, or of one before it that had an entry so lately."""
    if asked is not None:
        return asked.until_ms > world.now_ms
    lasts_ms = policy.dead_man_s * 1000
    return any(
        order.acked_ms is not None
        and (order.ended_ms is None or world.now_ms - order.ended_ms < lasts_ms)
        for order in entries
    )


def _is_underway(world: World, asked: Countdown | None) -> bool:
    """Whether it was just taken away: the answer is waited for."""
    return asked is not None and asked.ms == 0 and world.now_ms - asked.sent_ms < RETRY_MS


def _command(world: World, lasts_ms: int, words: str) -> SetCountdown:
    return SetCountdown(
        symbol=world.symbol, countdown_ms=lasts_ms, cause=Cause(rule=RULE, text=words)
    )
