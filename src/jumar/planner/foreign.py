"""Orders of somebody else on a managed symbol: left alone, unless the configuration wants them cancelled (Y-7).

Promises that only what has no name of ours is touched, only with `foreign_orders = "cancel"`, and that nothing which
may protect an open position is.
"""

from jumar.model.command import CancelOrder, Cause, Command
from jumar.model.ids import parse_client_id
from jumar.model.order import OrderReport
from jumar.model.policy import ForeignOrders, Policy
from jumar.model.world import World
from jumar.planner.position import is_read_as_flat


def foreign_orders(world: World) -> tuple[OrderReport, ...]:
    """Return what rests on the symbol and has no name of ours."""
    listed = (seen.value for seen in (world.open_orders, world.conditional_orders) if seen)
    return tuple(
        report
        for reports in listed
        for report in reports
        if parse_client_id(report.client_id) is None
    )


def foreign_cancels(world: World, policy: Policy) -> tuple[Command, ...]:
    """Cancel them by id where that is wanted; what only reduces stays while a position may be open."""
    if policy.foreign_orders is not ForeignOrders.CANCEL:
        return ()
    flat = is_read_as_flat(world, policy)
    return tuple(
        _cancel(report)
        for report in foreign_orders(world)
        if flat or not (report.reduce_only or report.close_position)
    )


def _cancel(report: OrderReport) -> Command:
    words = f'{report.client_id} is not ours, foreign_orders = "cancel"'
    return CancelOrder(
        symbol=report.symbol,
        channel=report.channel,
        client_id=report.client_id,
        cause=Cause(rule="Y-7", text=words),
        foreign=True,
    )
