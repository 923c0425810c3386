"""Planted faults of the planner, as changes of its commands: what the judges of the swarm must notice.

Each takes one planned command and returns what leaves instead. The rule beside it is the one that a judge must
name in some life; the product's own checks are off meanwhile.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeGuard

from tests.worlds import D

from jumar.model.command import Approved, CancelOrder, Cause, Command, PlaceOrder, Plan
from jumar.model.order import Role, Side
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner.plan import plan

type Sabotage = Callable[[Command, World], list[Command]]


def bought_twice(command: Command, world: World) -> list[Command]:
    """Every entry goes out a second time, under the next id."""
    if not _places(command, Role.ENTRY):
        return [command]
    number = command.attempt + 1
    client_id = command.request.client_id.rstrip("0123456789") + str(number)
    again = replace(command.request, client_id=client_id)
    return [command, replace(command, request=again, attempt=number)]


def resized(command: Command, world: World, *, role: Role, times: str) -> list[Command]:
    """Orders of a role have another quantity than planned."""
    if not _places(command, role) or command.request.quantity is None:
        return [command]
    request = replace(command.request, quantity=command.request.quantity * D(times))
    return [replace(command, request=request)]


def loosened(command: Command, world: World) -> list[Command]:
    """Working stops of a position are placed one percent too far away."""
    if not _places(command, Role.STOP) or not world.fills or command.request.trigger_price is None:
        return [command]
    away = D("0.99") if command.request.side is Side.SELL else D("1.01")
    request = replace(command.request, trigger_price=command.request.trigger_price * away)
    return [replace(command, request=request, ratchet=None)]


def turned(command: Command, world: World) -> list[Command]:
    """Full exits have the side of the entry."""
    if not _places(command, Role.FULL_EXIT):
        return [command]
    return [replace(command, request=replace(command.request, side=command.request.side.opposite))]


def renamed(command: Command, world: World) -> list[Command]:
    """Every attempt has the number of the first."""
    if not isinstance(command, PlaceOrder):
        return [command]
    client_id = command.request.client_id.rstrip("0123456789") + "1"
    return [replace(command, request=replace(command.request, client_id=client_id), attempt=1)]


def bared(command: Command, world: World) -> list[Command]:
    """A new working stop of a position replaces the old one the wrong way round."""
    wrong = _places(command, Role.STOP) and world.fills
    return [*_stop_cancels(world), command] if wrong else [command]


def unarmed(command: Command, world: World) -> list[Command]:
    """The armed stop goes just before the entry."""
    return [*_stop_cancels(world), command] if _places(command, Role.ENTRY) else [command]


def disarmed(command: Command, world: World) -> list[Command]:
    """The armed stop goes just after the entry."""
    return [command, *_stop_cancels(world)] if _places(command, Role.ENTRY) else [command]


def mute(command: Command, world: World, *, role: Role) -> list[Command]:
    """Orders of a role are never placed."""
    return [] if _places(command, role) else [command]


def stuck(command: Command, world: World) -> list[Command]:
    """Nothing is ever cancelled."""
    return [] if isinstance(command, CancelOrder) else [command]


def abandoned(command: Command, world: World) -> list[Command]:
    """Once something has filled no stop is restored and nothing is closed."""
    protects = any(_places(command, role) for role in (Role.STOP, Role.BACKSTOP, Role.FULL_EXIT))
    return [] if protects and world.fills else [command]


def crowded(command: Command, world: World) -> list[Command]:
    """Every working stop of a position goes out eleven times."""
    if not _places(command, Role.STOP) or not world.fills:
        return [command]
    name = command.request.client_id.rstrip("0123456789")
    numbers = range(command.attempt, command.attempt + 11)
    requests = [(n, replace(command.request, client_id=f"{name}{n}")) for n in numbers]
    return [replace(command, request=request, attempt=n) for n, request in requests]


SABOTAGES: tuple[tuple[str, Sabotage], ...] = (
    ("P-4", bought_twice),
    ("P-4", partial(resized, role=Role.ENTRY, times="1.5")),
    ("S-4", partial(resized, role=Role.STOP, times="0.5")),
    ("S-1", unarmed),
    ("P-1", disarmed),
    ("T-2", partial(resized, role=Role.TP1, times="9")),
    ("W-3", partial(resized, role=Role.TP1, times="0")),
    ("S-3", loosened),
    ("P-5", turned),
    ("X-1", renamed),
    ("P-2", bared),
    ("P-1", abandoned),
    ("S-13", crowded),
    ("S-2", partial(mute, role=Role.BACKSTOP)),
    ("T-4", partial(mute, role=Role.FULL_EXIT)),
    ("T-4", stuck),
)


def _stop_cancels(world: World) -> list[CancelOrder]:
    return [
        CancelOrder(
            symbol=world.symbol,
            channel=order.request.channel,
            client_id=order.client_id,
            cause=Cause(rule="S-4", text="sabotage"),
        )
        for order in world.orders
        if order.role is Role.STOP and order.confirmed
    ]


def _places(command: Command, role: Role) -> TypeGuard[PlaceOrder]:
    return isinstance(command, PlaceOrder) and command.request.role is role


def sabotaged(sabotage: Sabotage, world: World, policy: Policy) -> Plan:
    """The plan of a planner that has the fault."""
    planned = plan(world, policy)
    commands = [new for old in planned.commands for new in sabotage(old.command, world)]
    return replace(planned, commands=tuple(Approved(command=new) for new in commands))
