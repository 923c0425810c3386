"""Its orders: what each asked for, what became of the wish, and how it ended."""

from collections.abc import Iterator
from decimal import Decimal

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.journal import cancelled_in
from jumar.model.order import STOP_ROLES, OrderStatus, OwnOrder, Role, Side
from jumar.model.units import ZERO, text
from jumar.ops.cli.asking import figure, lasting, signed
from jumar.ops.cli.story.lines import Kind, Line
from jumar.store.asked import TradeStory

_FILLED = frozenset({OrderStatus.FILLED, OrderStatus.FINISHED})


def placed(story: TradeStory) -> Iterator[Line]:
    """Each order where it was journaled, with what became of the wish."""
    before: Decimal | None = None
    for order in story.orders:
        confirmed = confirmed_at(story, order)
        words = _asked(story, order, before)
        yield Line(
            at_ms=order.journaled_ms,
            kind=Kind.ORDER,
            rule=order.rule,
            text=f"{words} ({_arrival(order, confirmed)})",
            why=order.cause,
        )
        if order.role is Role.STOP and confirmed is not None:
            before = order.request.trigger_price


def amended(story: TradeStory) -> Iterator[Line]:
    """Each change of an entry's price that was asked for, with what became of it (E-5)."""
    for order in story.orders:
        before = order.request.price or ZERO
        for each in order.amendments:
            words = f"{_name(order)} {text(before)} -> {text(each.price)} ({_became(order, each)})"
            yield Line(
                at_ms=each.timestamp_ms,
                kind=Kind.ORDER,
                rule=each.rule,
                text=words,
                why=each.cause,
            )
            before = each.price if each.state is AmendmentState.DONE else before


def _became(order: OwnOrder, amendment: Amendment) -> str:
    if amendment.state is AmendmentState.DONE and amendment.told_ms is not None:
        took_ms = max(amendment.told_ms - amendment.timestamp_ms, 0)
        return f"confirmed after {lasting(took_ms / 1000)}"
    if amendment.state is AmendmentState.REFUSED:
        return f"wished, refused: {amendment.code}"
    if amendment.state is AmendmentState.ABSENT:
        return "wished, never executed"
    return "wished, the order ended instead" if order.ended else "wished, not confirmed"


def confirmed_at(story: TradeStory, order: OwnOrder) -> int | None:
    """When the venue confirmed an order as asked; a wrong echo confirms nothing (S-11)."""
    if order.role is Role.STOP:
        return story.confirmed_ms.get(order.client_id)
    return order.acked_ms if order.echo_error is None else None


def _arrival(order: OwnOrder, confirmed_ms: int | None) -> str:
    if confirmed_ms is not None:
        return f"confirmed after {lasting(max(confirmed_ms - order.journaled_ms, 0) / 1000)}"
    if order.echo_error is not None:
        return f"wished, never confirmed: the echo differs: {order.echo_error}"
    if order.unresolved:
        return f"wished, not confirmed: {order.state.value.replace('_', ' ')}"
    code = "" if order.end_code is None else f"{order.end_code} "
    status = "" if order.end_status is None else order.end_status.value
    return f"wished, never confirmed: {code}{order.end_reason or status or 'no answer'}"


def _asked(story: TradeStory, order: OwnOrder, before: Decimal | None) -> str:
    """What an order asks for; `before` is the last confirmed price of the working stop."""
    request = order.request
    trigger, price = request.trigger_price, request.price
    size = "the whole position" if request.quantity is None else text(request.quantity)
    if order.role is Role.STOP and trigger is not None:
        return _stop(story, order, trigger, before)
    if order.role is Role.BACKSTOP and trigger is not None:
        return f"backstop {text(trigger)} for {size}"
    side = "buy" if request.side is Side.BUY else "sell"
    at = "at market" if price is None else f"at {text(price)}"
    if trigger is not None:
        at = f"when {_watched(order)} reaches {text(trigger)}"
    kind = f", {request.time_in_force.value}" if price is not None and request.time_in_force else ""
    return f"{_name(order)}: {side} {size} {at}{kind}"


def _stop(story: TradeStory, order: OwnOrder, trigger: Decimal, before: Decimal | None) -> str:
    size = text(order.request.quantity or ZERO)
    arming = not any(seen.fill.time_ms <= order.journaled_ms for seen in story.fills)
    if before is None or trigger == before:
        again = " again" if before is not None else ""
        return f"{'armed stop' if arming else 'stop'}{again} {text(trigger)} for {size}"
    return f"stop {text(before)} -> {text(trigger)} for {size}"


def _watched(order: OwnOrder) -> str:
    working = order.request.working_type
    return "mark" if working is not None and working.value == "MARK_PRICE" else "last"


def _name(order: OwnOrder) -> str:
    return order.role.name.lower().replace("_", " ")


def triggered(story: TradeStory) -> Iterator[Line]:
    """Conditional orders whose trigger fired."""
    for order in story.orders:
        trigger = order.request.trigger_price
        if order.triggered_ms is None or trigger is None:
            continue
        # Its executions may have been told before the trigger itself was.
        fills = [seen.fill.time_ms for seen in story.fills if seen.client_id == order.client_id]
        price = "" if confirmed_at(story, order) is None else f" {text(trigger)}"
        yield Line(
            at_ms=min([order.triggered_ms, *fills]),
            kind=Kind.TRIGGER,
            rule="S-9" if order.role in STOP_ROLES else order.rule,
            text=f"{_name(order)}{price} triggered",
        )


def filled(story: TradeStory) -> Iterator[Line]:
    """Each execution, by the order it belongs to."""
    orders = {order.client_id: order for order in story.orders}
    for seen in story.fills:
        fill, order = seen.fill, orders.get(seen.client_id)
        who = "by a hand or the exchange" if order is None else _name(order)
        did = "bought" if fill.side is Side.BUY else "sold"
        maker = "maker" if fill.maker else "taker"
        words = f"{who}: {did} {text(fill.quantity)} at {text(fill.price)} ({maker}, fee {figure(fill.fee)} {fill.fee_asset}"
        gain = "" if fill.realized_pnl == ZERO else f", P&L {signed(fill.realized_pnl)}"
        rule = "Y-3" if order is None else order.rule
        yield Line(
            at_ms=fill.time_ms,
            kind=Kind.FILL,
            rule=rule,
            text=f"{words}{gain})",
            after_ms=None if order is None else order.journaled_ms,
        )


def ended(story: TradeStory) -> Iterator[Line]:
    """Cancels by us, and ends that nobody of us asked for; what filled is told by its fills."""
    for order in story.orders:
        name = f"{_name(order)} {order.client_id}"
        sent, end_ms = order.cancel_sent_ms, order.ended_ms
        if sent is not None and end_ms is not None and order.end_status not in _FILLED:
            rule, why = _cancel_cause(story, order)
            took = lasting(max(end_ms - sent, 0) / 1000)
            words = f"cancelled {name} (proven ended after {took})"
            yield Line(at_ms=sent, kind=Kind.CANCEL, rule=rule, text=words, why=why)
        elif sent is not None and end_ms is None:
            words = f"cancel of {name} sent, its end is not proven"
            yield Line(at_ms=sent, kind=Kind.CANCEL, rule="X-4", text=words)
        elif end_ms is not None and order.acked_ms is not None and _ended_by_others(order):
            home = _is_flat(story, end_ms)
            how = "ended with the position" if home else "ended without our asking"
            rule = "X-9" if home else _lost_rule(order)
            words = f"{name} {how}: {_end(order)}"
            yield Line(at_ms=end_ms, kind=Kind.CANCEL, rule=rule, text=words)


def _ended_by_others(order: OwnOrder) -> bool:
    return order.end_status in {OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}


def _is_flat(story: TradeStory, at_ms: int) -> bool:
    """Whether the fills up to a moment sum to zero: the venue itself ends closePosition orders then."""
    until = [seen.fill for seen in story.fills if seen.fill.time_ms <= at_ms]
    trade = story.row.trade
    found = trade.adopted_quantity * trade.sign
    return bool(until) and sum((fill.signed_quantity for fill in until), start=found) == ZERO


def _end(order: OwnOrder) -> str:
    status = "" if order.end_status is None else order.end_status.value.lower()
    return f"{status} {order.end_reason or ''}".strip()


def _lost_rule(order: OwnOrder) -> str:
    if order.role in STOP_ROLES:
        return "S-7"
    return "E-10" if order.role is Role.ENTRY else "T-2"


def _cancel_cause(story: TradeStory, order: OwnOrder) -> tuple[str, str]:
    """The rule and the cause as they were journaled with the first cancel."""
    for event in story.events:
        noted = cancelled_in(event)
        if noted is not None and noted[0] == order.client_id:
            return event.rule, noted[1]
    return "X-9", ""
