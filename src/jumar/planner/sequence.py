"""The order in which commands leave: protect before cancel, reduce before add (P-1, S-1, S-4)."""

from collections.abc import Iterable

from jumar.model.command import AmendOrder, CancelOrder, Command, PlaceOrder
from jumar.model.ids import parse_client_id
from jumar.model.order import STOP_ROLES, Role


def in_sequence(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Sort one plan's commands; within a class their given order stays.

    First cancels of entries (S-1: before anything else when the armed stop is gone; C-2: the remainder goes
    before the exit), then stops, full exits, targets, other cancels, settings, and last what enters or re-prices an entry.
    """
    return tuple(sorted(commands, key=_rank))


def _rank(command: Command) -> int:
    if isinstance(command, CancelOrder):
        parsed = parse_client_id(command.client_id)
        return 0 if parsed is not None and parsed.role is Role.ENTRY else 4
    if isinstance(command, PlaceOrder):
        role = command.request.role
        if role in STOP_ROLES:
            return 1
        if role is Role.FULL_EXIT:
            return 2
        return 6 if role is Role.ENTRY else 3
    return 6 if isinstance(command, AmendOrder) else 5
