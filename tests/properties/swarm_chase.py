"""Amendments in the swarm: sent to its venue, lost, late or refused as everything else is."""

from typing import TYPE_CHECKING

from tests.properties.swarm_faults import Delivery

from jumar.model import fold
from jumar.model.amendment import AmendmentState
from jumar.model.command import AmendOrder
from jumar.model.order import Role

if TYPE_CHECKING:
    from tests.properties.swarm_shell import Shell

MODIFY_LIMIT = -5026


def send_amendment(shell: "Shell", command: AmendOrder) -> None:
    """Journal, send, journal; the order's price tells what became of it (X-4 e)."""
    shell.judge.check_amend(command)
    now, name = shell.now_ms, command.client_id
    shell.state.put(fold.ask_amendment(shell.state.orders[name], command.journaled(now)), now)
    delivery = shell.delivery(Role.ENTRY)
    refused = shell.unlucky(shell.faults.refused)
    words = "refused" if refused else str(delivery)
    shell.note(f"~ {name} to {command.request.price}, {words}: {command.cause}")
    shell.seen[f"amendment {words}"] += 1
    if refused:
        own = shell.state.orders[name]
        settled = fold.settle_amendment(own, AmendmentState.REFUSED, now, MODIFY_LIMIT)
        shell.state.put(settled, now)
    elif delivery is Delivery.LATE:
        late_ms = shell.chance.randrange(1, shell.policy.recv_window_ms)
        shell.amending.append((now + late_ms, command))
    elif delivery is not Delivery.LOST:
        order = shell.venue.amend(command.request)
        if order is not None and delivery is Delivery.ANSWERED:
            shell.tell(order)


def amendments_arrive(shell: "Shell") -> None:
    """Those that were on their way until now."""
    due = [command for at_ms, command in shell.amending if at_ms <= shell.now_ms]
    shell.amending = [late for late in shell.amending if late[0] > shell.now_ms]
    for command in due:
        shell.venue.amend(command.request)
        shell.seen["amendment arrived late"] += 1
