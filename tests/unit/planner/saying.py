"""Commands as a person would read them, one line each: for tests that assert the whole of what is sent."""

from collections.abc import Iterable

from jumar.model.command import CancelOrder, Command, PlaceOrder, Refusal
from jumar.model.order import OrderReport, OrderStatus, OwnOrder
from jumar.model.units import text


def said(commands: Iterable[Command]) -> list[str]:
    """`+S2 SELL 0.013 STOP_MARKET 90380 GTC | S-7: why` for an order, `-S1 | S-4: why` for a cancel."""
    return [_line(command) for command in commands]


def _line(command: Command) -> str:
    if isinstance(command, PlaceOrder):
        request = command.request
        price = request.trigger_price if request.price is None else request.price
        words = [
            f"+{request.role.value}{command.attempt}",
            request.side.value,
            "all" if request.quantity is None else text(request.quantity),
            request.type.value,
            *([] if price is None else [text(price)]),
            *([] if request.time_in_force is None else [request.time_in_force.value]),
        ]
        return f"{' '.join(words)} | {command.cause}"
    assert isinstance(command, CancelOrder)
    return f"-{command.client_id.split('-')[2]} | {command.cause}"


def row(order: OwnOrder) -> OrderReport:
    """The row of a resting order in its list."""
    request = order.request
    return OrderReport(
        symbol=request.symbol,
        channel=request.channel,
        client_id=order.client_id,
        venue_id=order.venue_id or "1",
        side=request.side,
        type=request.type.value,
        status=OrderStatus.NEW,
        quantity=request.quantity,
        price=request.price,
        trigger_price=request.trigger_price,
        filled_quantity=order.filled_quantity,
        reduce_only=request.reduce_only,
        close_position=request.close_position,
        updated_ms=order.updated_ms,
    )


def told(refusals: Iterable[Refusal]) -> list[tuple[str, str, str]]:
    """Code, rule and message of each refusal."""
    return [(each.code, each.rule, each.message) for each in refusals]
