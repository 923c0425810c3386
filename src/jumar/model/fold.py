"""Folding one observation into the life of one of our orders.

Promises: the result never goes backwards; a late, repeated or reordered observation changes nothing that is
already proven. An end that was only presumed is not proven. Pure.
"""

from dataclasses import replace
from decimal import Decimal

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.order import (
    DUPLICATE_ID,
    FINAL_STATUSES,
    TRANSITIONS,
    Channel,
    OrderReport,
    OrderRequest,
    OrderState,
    OrderStatus,
    OwnOrder,
)

_STATES = {
    OrderStatus.NEW: OrderState.OPEN,
    OrderStatus.PARTIALLY_FILLED: OrderState.OPEN,
    OrderStatus.TRIGGERING: OrderState.TRIGGERED,
    OrderStatus.TRIGGERED: OrderState.TRIGGERED,
}


def fold(own: OwnOrder, report: OrderReport, now_ms: int) -> OwnOrder:
    """Return the order after one observation.

    A regular report of a conditional order is about the child it became when it triggered.
    """
    if own.duplicate:
        return _fold_duplicate(own, report, now_ms)
    if own.request.channel is Channel.CONDITIONAL and report.channel is Channel.REGULAR:
        return _fold_child(own, report, now_ms)
    own = _risen(own)
    state = OrderState.ENDED if report.status in FINAL_STATUSES else _STATES[report.status]
    folded = _with(
        own,
        venue_id=own.venue_id or report.venue_id,
        child_venue_id=own.child_venue_id or report.child_venue_id,
        filled_quantity=max(own.filled_quantity, report.filled_quantity),
        updated_ms=max(own.updated_ms, report.updated_ms),
        acked_ms=_acked_ms(own, report, now_ms),
        echo_error=own.echo_error or echo_error(own.request, report, own.prices),
        amendments=_shown(own.amendments, report, now_ms),
        misses=(),
        unlisted=(),
        cancel_unknown_ms=own.cancel_unknown_ms if state is OrderState.ENDED else None,
    )
    if state is OrderState.TRIGGERED and own.triggered_ms is None:
        folded = replace(folded, triggered_ms=now_ms)
    return _advance(folded, state, report.status, report.reject_reason, now_ms)


def _risen(own: OwnOrder) -> OwnOrder:
    """Any word of the venue overrules an end that was only presumed: the order existed after all (X-4 c)."""
    if not own.end_presumed:
        return own
    back = OrderState.UNKNOWN
    return replace(own, state=back, end_reason=None, ended_ms=None, cancel_unknown_ms=None)


def _fold_duplicate(own: OwnOrder, report: OrderReport, now_ms: int) -> OwnOrder:
    """An order of this id, seen after the venue said that the id is taken: ours if its numbers are ours (X-4)."""
    error = echo_error(own.request, report)
    if error is None:
        return fold(replace(own, end_code=None), report, now_ms)
    return _end_taken(own, error, now_ms)


def _end_taken(own: OwnOrder, error: str, now_ms: int) -> OwnOrder:
    reason = f"its id is somebody else's order: {error}"
    ended = end_absent(own, reason, now_ms)
    return replace(ended, end_code=DUPLICATE_ID, echo_error=error)


def _with(own: OwnOrder, **values: object) -> OwnOrder:
    """The order with these values; itself if it has them: most observations say nothing new."""
    if all(getattr(own, name) == value for name, value in values.items()):
        return own
    return replace(own, **values)  # type: ignore[arg-type]  # names and types are the callers'


def _acked_ms(own: OwnOrder, report: OrderReport, now_ms: int) -> int | None:
    """When it was first seen; an order whose first word is REJECTED never rested."""
    if own.acked_ms is None and report.status is OrderStatus.REJECTED:
        return None
    return own.acked_ms if own.acked_ms is not None else now_ms


def _fold_child(own: OwnOrder, report: OrderReport, now_ms: int) -> OwnOrder:
    if report.side is not own.request.side:
        return own  # somebody else's order under the same id in the other list
    own = _risen(own)
    folded = replace(
        own,
        child_venue_id=report.venue_id,
        filled_quantity=max(own.filled_quantity, report.filled_quantity),
        updated_ms=max(own.updated_ms, report.updated_ms),
        triggered_ms=own.triggered_ms if own.triggered_ms is not None else now_ms,
    )
    if report.status in FINAL_STATUSES:
        return _advance(folded, OrderState.ENDED, OrderStatus.FINISHED, str(report.status), now_ms)
    return _advance(folded, OrderState.TRIGGERED, report.status, None, now_ms)


def _advance(
    own: OwnOrder, state: OrderState, status: OrderStatus, reason: str | None, now_ms: int
) -> OwnOrder:
    if state not in TRANSITIONS[own.state]:
        return own
    if state is not OrderState.ENDED:
        return replace(own, state=state)
    return replace(own, state=state, end_status=status, end_reason=reason, ended_ms=now_ms)


def end_refused(own: OwnOrder, code: int, message: str, now_ms: int) -> OwnOrder:
    """The placement was refused with a code that means "not executed"."""
    if OrderState.ENDED not in TRANSITIONS[own.state]:
        return own
    return replace(own, state=OrderState.ENDED, end_code=code, end_reason=message, ended_ms=now_ms)


def end_absent(own: OwnOrder, reason: str, now_ms: int) -> OwnOrder:
    """It is proven, or for a conditional order presumed, that the order does not exist (X-4)."""
    if own.ended:
        return own
    return replace(own, state=OrderState.ENDED, end_reason=reason, ended_ms=now_ms)


def end_canceled(own: OwnOrder, now_ms: int) -> OwnOrder:
    """A cancel was answered with success: the end is proven."""
    return _advance(own, OrderState.ENDED, OrderStatus.CANCELED, "cancel succeeded", now_ms)


def mark_duplicate(own: OwnOrder, now_ms: int) -> OwnOrder:
    """The venue refused the id as taken: an order is there, and only its numbers tell whose it is (X-4).

    Events may have shown it already: what differs from the request was never ours.
    """
    if own.unresolved:
        return replace(mark_unknown(own), end_code=DUPLICATE_ID)
    if own.ended or own.echo_error is None:
        return own
    return _end_taken(own, own.echo_error, now_ms)


def mark_unknown(own: OwnOrder) -> OwnOrder:
    """No answer to the placement; an event that came first wins."""
    return replace(own, state=OrderState.UNKNOWN) if own.state is OrderState.IN_FLIGHT else own


def _shown(
    amendments: tuple[Amendment, ...], report: OrderReport, now_ms: int
) -> tuple[Amendment, ...]:
    """The amendments after an observation: the newest of the price that it shows was executed (X-4 e).

    A late observation of an older price takes nothing back.
    """
    for each in reversed(amendments):
        if each.price == report.price and each.state is not AmendmentState.REFUSED:
            return _settled(amendments, each, AmendmentState.DONE, now_ms)
    return amendments


def _settled(
    amendments: tuple[Amendment, ...],
    which: Amendment,
    state: AmendmentState,
    now_ms: int,
    code: int | None = None,
) -> tuple[Amendment, ...]:
    if which.state is state:
        return amendments
    told = replace(which, state=state, told_ms=now_ms, code=code)
    return tuple(told if each is which else each for each in amendments)


def ask_amendment(own: OwnOrder, amendment: Amendment) -> OwnOrder:
    """An amendment is about to be sent; until its outcome is known nothing but a cancel may follow."""
    return replace(own, amendments=(*own.amendments, amendment))


def settle_amendment(
    own: OwnOrder, state: AmendmentState, now_ms: int, code: int | None = None
) -> OwnOrder:
    """The outcome of the newest amendment is known, if it was not before; one that was shown stays done."""
    newest = own.amendments[-1] if own.amendments else None
    if newest is None or newest.state is not AmendmentState.ASKED:
        return own
    return replace(own, amendments=_settled(own.amendments, newest, state, now_ms, code))


def echo_error(
    request: OrderRequest, report: OrderReport, prices: frozenset[Decimal | None] = frozenset()
) -> str | None:
    """Compare the venue's echo with the request, field by field; None when equal (S-11).

    Fields that the observation does not carry are not compared; the quantity of a closePosition order is the
    venue's business. `prices` are others that an amended order may have by now.
    """
    pairs: list[tuple[str, object, object]] = [
        ("side", request.side, report.side),
        ("type", request.type, report.type),
        ("closePosition", request.close_position, report.close_position),
    ]
    if not request.close_position:
        pairs.append(("reduceOnly", request.reduce_only, report.reduce_only))
        pairs.append(("quantity", request.quantity, report.quantity))
    if request.channel is Channel.CONDITIONAL:
        pairs.append(("triggerPrice", request.trigger_price, report.trigger_price))
        pairs.append(("workingType", request.working_type, report.working_type))
        pairs.append(("priceProtect", False, report.price_protect))
    elif request.price is not None and report.price not in prices:
        pairs.append(("price", request.price, report.price))
    if request.time_in_force is not None:
        pairs.append(("timeInForce", request.time_in_force, report.time_in_force))
    wrong = [f"{name} asked {a}, got {b}" for name, a, b in pairs if b is not None and a != b]
    return "; ".join(wrong) or None
