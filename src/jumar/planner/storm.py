"""The storm breaker: how often one slot may be placed, whatever the steps want (X-8).

Promises: an entry or a target is placed at most 6 times a minute and 30 times a trade, a stop or backstop at most 20
times a minute and then, as S-13 says, once a minute; full exits are not counted, S-8 has a rhythm of its own.
Everything is told by the journaled orders, so that a restart does not begin a new count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from jumar.model.command import Alarm, Command, PlaceOrder
from jumar.model.ids import trade_key
from jumar.model.order import STOP_ROLES, Role
from jumar.model.world import World
from jumar.planner.facts import by_role
from jumar.planner.slots import since_journaled

A_MINUTE_MS = 60_000
#: Entries and targets: so many placements of one slot within a minute, and in one trade.
A_MINUTE_MAX, A_TRADE_MAX = 6, 30
#: Stops: so many of one slot within a minute; the next one a minute after the newest.
STOPS_A_MINUTE_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """What of a plan's commands may be sent, and what a person must hear of the rest."""

    commands: tuple[Command, ...]
    alarms: tuple[Alarm, ...]


def calmed(world: World, commands: Iterable[Command]) -> Calm:
    """Leave out what a slot has had too much of."""
    kept: list[Command] = []
    alarms = []
    for command in commands:
        why = _excess(world, command)
        if why is None:
            kept.append(command)
        elif isinstance(command, PlaceOrder):
            words = f"{command.request.client_id} is left out: {why}"
            subject = f"{command.trade_key} {command.request.role.name.lower()}"
            alarms.append(Alarm(rule="X-8", subject=subject, text=words, severity="warning"))
    return Calm(commands=tuple(kept), alarms=tuple(alarms))


def entry_storm(world: World) -> str | None:
    """Why no further entry may be placed now, None while one may; one that rests is not disturbed (X-8)."""
    over = world.trade is not None and world.trade.entry_over is not None
    resting = any(order.alive_or_unknown for order in by_role(world, Role.ENTRY))
    return None if over or resting else _beyond(world, Role.ENTRY)


def _excess(world: World, command: Command) -> str | None:
    """Why a command is one too many, None when it is not."""
    if not isinstance(command, PlaceOrder) or command.request.role is Role.FULL_EXIT:
        return None
    role = command.request.role
    return _stops_beyond(world, role) if role in STOP_ROLES else _beyond(world, role)


def _beyond(world: World, role: Role) -> str | None:
    placed, key = by_role(world, role), _key(world)
    lately = [order for order in placed if since_journaled(world, order) < A_MINUTE_MS]
    mine = [order for order in placed if order.trade_key == key]
    name = role.name.lower().replace("_", " ")
    if len(lately) >= A_MINUTE_MAX:
        return f"{len(lately)} {name} orders within a minute, {A_MINUTE_MAX} are allowed"
    if len(mine) >= A_TRADE_MAX:
        return f"{len(mine)} {name} orders in this trade, {A_TRADE_MAX} are allowed"
    return None


def _key(world: World) -> str | None:
    """The key of the open trade, or of the one that the present decision would open."""
    if world.trade is not None or world.decision is None:
        return None if world.trade is None else world.trade.key
    decision = world.decision.decision
    return trade_key(account=world.account, store_id=world.store_id, decision_id=decision.id)


def _stops_beyond(world: World, role: Role) -> str | None:
    placed = sorted(order.journaled_ms for order in by_role(world, role))
    newest = placed[-STOPS_A_MINUTE_MAX:]
    if len(newest) < STOPS_A_MINUTE_MAX or newest[-1] - newest[0] >= A_MINUTE_MS:
        return None
    if world.now_ms - newest[-1] >= A_MINUTE_MS:
        return None
    name = role.name.lower()
    return f"{len(newest)} {name} orders within a minute: the next one a minute after the newest"
