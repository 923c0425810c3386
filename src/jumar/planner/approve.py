"""The last gate of the planner: the only place that makes an `Approved` command or a `Refusal`.

Promises: a command that contradicts P-4, P-5 or S-3 in the world it was planned for is never approved; it
raises `InvariantBroken`, and nothing of that plan is sent.
"""

from collections.abc import Iterable

from jumar.model.command import AmendOrder, Approved, Command, PlaceOrder, Refusal
from jumar.model.errors import InvariantBroken
from jumar.model.order import Role
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.model.world import World
from jumar.planner.facts import by_role, filled_of, filled_of_role


def refuse(code: str, rule: str, message: str) -> Refusal:
    """Say why an entry is refused."""
    return Refusal(code=code, rule=rule, message=message)


def approve(
    commands: Iterable[Command], world: World, trade: Trade | None
) -> tuple[Approved[Command], ...]:
    """Approve the commands of one plan.

    Raises:
        InvariantBroken: one of them would add exposure beyond the plan or loosen the stop.
    """
    approved = []
    for command in commands:
        if isinstance(command, PlaceOrder):
            _check_place(command, world, trade)
        elif isinstance(command, AmendOrder):
            _check_amend(command, world, trade)
        approved.append(Approved(command=command))
    return tuple(approved)


def _check_place(command: PlaceOrder, world: World, trade: Trade | None) -> None:
    request = command.request
    if trade is None or command.trade_key != trade.key:
        raise InvariantBroken("P-5", f"{request.client_id} belongs to no open trade")
    if request.role is Role.ENTRY:
        _check_entry(command, world, trade)
    elif not request.only_reduces:
        raise InvariantBroken("P-5", f"{request.client_id} could open a position")
    if request.role is Role.ZONE_EXIT:
        _check_zone_exit(command, world, trade)
    if request.role is Role.STOP and request.trigger_price is not None:
        floor = trade.tightest(trade.ratchet_price)
        if trade.is_tighter(floor, than=request.trigger_price):
            raise InvariantBroken(
                "P-2", f"stop at {text(request.trigger_price)} is looser than {text(floor)}"
            )


def _check_zone_exit(command: PlaceOrder, world: World, trade: Trade) -> None:
    """X-4 (d): while one is alive or unknown, or TP1 whose place it takes, there is no second; L-1: recorded first."""
    if trade.zone is None or not trade.zone.used:
        raise InvariantBroken(
            "L-1", f"{command.request.client_id} is not recorded as the zone's exit"
        )
    if any(order.alive_or_unknown for order in by_role(world, Role.ZONE_EXIT, Role.TP1)):
        raise InvariantBroken("L-1", "TP1 or an earlier zone exit may still execute")


def _check_entry(command: PlaceOrder, world: World, trade: Trade) -> None:
    request = command.request
    if any(order.alive_or_unknown for order in by_role(world, Role.ENTRY)):
        raise InvariantBroken("P-4", "an entry is alive or unknown: a second one is never sent")
    _check_goes_on(trade)
    filled = filled_of_role(world, Role.ENTRY)
    wanted = request.quantity
    if wanted is None or filled + wanted > trade.planned_quantity:
        raise InvariantBroken(
            "P-4",
            f"entry of {wanted} with {filled} filled exceeds the planned {trade.planned_quantity}",
        )


def _check_goes_on(trade: Trade) -> None:
    if trade.closing is not None or trade.entry_over is not None or trade.voided is not None:
        raise InvariantBroken("P-4", "the entry of this trade is over")


def _check_amend(command: AmendOrder, world: World, trade: Trade | None) -> None:
    """An amendment moves the price of the one entry that rests; what it asks for stays within the plan."""
    request, entries = command.request, by_role(world, Role.ENTRY)
    own = next((order for order in entries if order.client_id == request.client_id), None)
    if trade is None or command.trade_key != trade.key or own is None:
        raise InvariantBroken("P-5", f"{request.client_id} is no entry of the open trade")
    _check_goes_on(trade)
    if not own.confirmed or own.amending is not None:
        raise InvariantBroken("X-4", f"{request.client_id} is not known to rest as read")
    if (request.side, request.quantity) != (own.request.side, own.request.quantity):
        raise InvariantBroken("P-4", f"{request.client_id} would become another order")
    by_others = filled_of_role(world, Role.ENTRY) - filled_of(world, own)
    if by_others + request.quantity > trade.planned_quantity:
        raise InvariantBroken(
            "P-4",
            f"{request.quantity} with {by_others} filled by others exceeds the planned {trade.planned_quantity}",
        )
