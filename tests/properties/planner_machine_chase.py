"""What the machine's witness says of the prices of entries: P-3 at each of them, and E-5 of each amendment.

As the witness itself it uses what the venue saw and what the engine was told, never the planner's own reckoning.
"""

from decimal import Decimal

from tests.properties.planner_machine_ledger import Ledger, Setup, Told
from tests.properties.swarm_oracles import PromiseBroken

from jumar.model.command import AmendOrder
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.units import ZERO

#: P-3: the floors of distance and of reward to risk.
MIN_STOP, MIN_RR = Decimal("0.0035"), 2
#: recvWindow with its margins: a lost request is dead after so long, ms.
DEAD_MS = 4500


def check_worth(ledger: Ledger, price: Decimal | None, setup: Setup) -> None:
    """P-3: at a limit price the stop is far enough, and TP1 worth it; against the decision as it came."""
    levels = None if ledger.newest is None else ledger.newest.levels
    if price is None or levels is None:
        raise PromiseBroken("P-3", f"an entry at {price} without levels")
    risk = (price - setup.initial_stop) * setup.sign
    reward = (levels.tp1 - price) * setup.sign
    if risk < price * MIN_STOP or reward < MIN_RR * risk:
        raise PromiseBroken("P-3", f"at {price}: risk {risk}, reward {reward}")


def check_amendment(ledger: Ledger, command: AmendOrder, policy: Policy, now_ms: int) -> None:
    """E-5, P-4, X-4 (e): the entry that is known to rest, its total quantity, after its time, and not for ever."""
    asked, sent = command.request, ledger.orders[command.client_id]
    order, setup = ledger.venue.orders[command.client_id], ledger.setups[sent.key]
    if sent.request.role is not Role.ENTRY or sent.told is not Told.RESTS:
        raise PromiseBroken("X-4", f"{asked.client_id} is not known to rest")
    if (asked.side, asked.quantity) != (sent.request.side, sent.request.quantity):
        raise PromiseBroken("P-4", f"{asked.client_id} would become another order: {asked}")
    if sent.asked is not None and now_ms - sent.asked_ms <= DEAD_MS:
        raise PromiseBroken("X-4", f"{asked.client_id} again, {sent.asked} is unknown")
    waited_ms = now_ms - max(sent.at_ms, sent.asked_ms)
    if waited_ms < policy.chase_after_s * 1000:
        raise PromiseBroken("E-5", f"{asked.client_id} after {waited_ms} ms")
    standing = order.request.price or ZERO
    if order.alive and (asked.price - standing) * setup.sign <= ZERO:
        raise PromiseBroken("E-5", f"{asked.client_id} turns back, {standing} -> {asked.price}")
    check_worth(ledger, asked.price, setup)
    entries = ledger.venue.of_role(Role.ENTRY)
    moved = sum(each.moves for each in entries if each.trade_key == sent.key)
    if moved >= policy.max_chases:
        raise PromiseBroken("E-5", f"{asked.client_id} after {moved} chases")
    sent.asked, sent.asked_ms = asked.price, now_ms
