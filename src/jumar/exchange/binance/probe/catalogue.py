"""Every question, in the order in which they are asked (what needs no trade first), and what is asked of a probe."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from jumar.exchange.binance.probe.finding import Question
from jumar.exchange.binance.probe.questions import closing, firing, host, ids, resting, sweeps
from jumar.model.errors import ConfigError

FIRES_S = 120
"""The longest time until a stop has been reached and has ended."""

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="rests-flat",
        asks="Does a reduce-only stop rest while there is no position?",
        answer=resting.without_position,
        assumption="V-1",
        seconds=80,
    ),
    Question(
        name="countdown",
        asks="Does countdownCancelAll take conditional orders too?",
        answer=sweeps.countdown,
        decides=("countdown_cancels_conditional",),
        assumption="V-6",
        item="9.2",
        seconds=20,
    ),
    Question(
        name="cancel-all",
        asks="Does allOpenOrders take conditional orders too?",
        answer=sweeps.cancel_all,
        decides=("allopenorders_cancels_conditional",),
        item="9.2",
    ),
    Question(
        name="id-namespace",
        asks="May a conditional order have the client id of an open regular order?",
        answer=ids.namespace,
        decides=("id_namespace",),
        item="9.1",
    ),
    Question(
        name="position-row",
        asks="Does a waiting conditional order alone make a row in positionRisk v3?",
        answer=resting.position_row,
        decides=("conditional_position_row",),
        item="9.12",
    ),
    Question(
        name="order-limit",
        asks="Does a waiting conditional order count for the symbol's limit of open orders?",
        answer=resting.order_limit,
        decides=("conditional_counts_as_order",),
        item="9.12",
    ),
    Question(
        name="receive-window",
        asks="Does the receive window of a new conditional order count at the matching engine too?",
        answer=host.window,
        decides=("algo_recv_window",),
        item="9.10",
        seconds=20,
    ),
    Question(
        name="weight",
        asks="Do REST and the WebSocket API share one counter of request weight?",
        answer=host.weight,
        decides=("ws_weight",),
        item="9.11",
    ),
    Question(
        name="streams",
        asks="Which addresses of the user stream hear which events, and do two connections hear all?",
        answer=host.streams,
        decides=("user_events_default",),
        item="9.8",
        turnover=2,
        seconds=20,
    ),
    Question(
        name="average-price",
        asks="Does the RESULT answer of a market order still tell the average price?",
        answer=host.average_price,
        decides=("result_avg_price",),
        item="9.7",
        turnover=2,
    ),
    Question(
        name="duplicate-id",
        asks="May a client id be used again once its order has executed, and which order does a query then tell?",
        answer=ids.regular,
        decides=("dup_id_after_fill", "reused_id_query"),
        item="9.1",
        turnover=4,
    ),
    Question(
        name="reduce-only-flag",
        asks="Is reduceOnly taken on a conditional order in one-way mode?",
        answer=resting.flag,
        decides=("algo_reduce_only",),
        item="9.6",
        turnover=2,
    ),
    Question(
        name="beside",
        asks="Does a quantity stop rest beside a closePosition stop of its side?",
        answer=closing.matrix,
        decides=("quantity_stop_beside_closeposition",),
        assumption="V-3",
        item="9.5",
        turnover=2,
    ),
    Question(
        name="capacity",
        asks="Does a full-size reduce-only target rest beside full-size stops that have not fired?",
        answer=resting.capacity,
        assumption="V-5",
        turnover=2,
    ),
    Question(
        name="reduce-only-total",
        asks="What becomes of resting reduce-only orders that together exceed the position?",
        answer=resting.total,
        decides=("reduce_only_total",),
        turnover=2,
    ),
    Question(
        name="position-lag",
        asks="How long after a fill is a closePosition stop still refused?",
        answer=closing.lag,
        decides=("gte_lag_ms",),
        turnover=2,
        seconds=20,
    ),
    Question(
        name="expiry",
        asks="How long after flat does a closePosition stop expire?",
        answer=closing.expiry,
        decides=("closeposition_expiry_ms",),
        item="9.3",
        turnover=2,
        seconds=70,
    ),
    Question(
        name="reopening",
        asks="Does a closePosition stop survive a close and an immediate new position?",
        answer=closing.reopening,
        item="9.3",
        turnover=4,
        seconds=30,
    ),
    Question(
        name="duplicate-conditional-id",
        asks="Which code refuses the client id of a waiting conditional order, and when may it be used again?",
        answer=ids.conditional,
        decides=("dup_algo_id",),
        item="9.1",
        turnover=2,
        seconds=FIRES_S,
    ),
    Question(
        name="child-id",
        asks="Does the order that a stop becomes carry the stop's client id?",
        answer=firing.child_id,
        decides=("child_client_id",),
        item="9.4",
        turnover=2,
        seconds=FIRES_S,
    ),
    Question(
        name="event-order",
        asks="Which comes first, the news that a stop was triggered or its fill?",
        answer=firing.event_order,
        decides=("event_order",),
        item="9.4",
        turnover=2,
        seconds=FIRES_S,
    ),
    Question(
        name="triggering",
        asks="How long is an order on its way between its trigger and the book?",
        answer=firing.triggering,
        decides=("triggering_ms",),
        turnover=2,
        seconds=FIRES_S,
    ),
    Question(
        name="oversize",
        asks="Is a reduce-only stop larger than the position cut to it when it fires?",
        answer=firing.oversize,
        decides=("oversize_stop",),
        assumption="V-2",
        turnover=4,
        seconds=FIRES_S,
    ),
    Question(
        name="reversal",
        asks="Can a closePosition stop that fires together with another stop turn the position?",
        answer=firing.reversal,
        decides=("closeposition_may_reverse",),
        assumption="V-4",
        turnover=4 * firing.TRIALS,
        seconds=FIRES_S * firing.TRIALS,
    ),
    Question(
        name="price-protect",
        asks="Does a protected order wait or expire when mark and last are too far apart at its trigger?",
        answer=firing.protection,
        decides=("priceprotect",),
        item="9.9",
        turnover=2,
        seconds=70,
    ),
)


def chosen(names: Sequence[str]) -> tuple[Question, ...]:
    """The questions of these names in the order of the catalogue; all of them for none.

    Raises:
        ConfigError: a name that no question has.
    """
    known = {question.name for question in QUESTIONS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            f"--only: there is no question {', '.join(unknown)}; --list shows the names"
        )
    return tuple(question for question in QUESTIONS if not names or question.name in names)


def cap_of(written: str) -> Decimal:
    """The spend cap as it was written.

    Raises:
        ConfigError: not a number above 0.
    """
    try:
        cap = Decimal(written)
    except InvalidOperation:
        cap = Decimal(0)
    if not cap.is_finite() or cap <= 0:
        raise ConfigError(f"--spend-cap: {written!r} is not a number above 0; write it like 20")
    return cap
