"""Readings: what Binance's documents leave open, one choice each, so that every answer can be tried.

A default is what the simulated exchange does when nobody chooses. Choices are made once, when the exchange opens;
`readings_from` takes them from words such as `oversize_stop=reject`. Pure; it decides nothing itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

_MILLISECONDS = re.compile(r"\d{1,9}")
LONGEST_MS = 3_600_000


class UnknownReading(ValueError):  # noqa: N818 - names the fault
    """A reading that does not exist or a word it does not allow; the message names the field and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """One choice for each open question.

    Fields that end in `_ms` are milliseconds; the others are words of `ALLOWED`.

    Attributes:
        dup_id_after_fill: a client id whose order executed may be used again. "Unique among open orders" (New Order).
        countdown_cancels_conditional: countdownCancelAll takes conditional orders too. Its page does not say.
        oversize_stop: a triggered reduce-only stop larger than the position is cut to it, or rejected. FAQ
            360039707291 gives both.
        closeposition_may_reverse: several closePosition orders fired by one step each close the position that the
            step began with. New Algo Order says "close-all" and no more.
        quantity_stop_beside_closeposition: a quantity order of the type and side of a closePosition order rests
            beside it, or is -4130 (as is the reverse). The code is not in the error list.
        closeposition_expiry_ms: time from flat to the expiry of closePosition and GTE_GTC orders. No page says.
        child_client_id: the triggered order carries the parent's client id or one of its own. No page says.
        event_order: ALGO_UPDATE TRIGGERED and FINISHED before the child's fills or after them. User reports give both.
        algo_reduce_only: reduceOnly on a conditional order in one-way mode. Documented as allowed, once reported as
            -1106.
        priceprotect: a protected order whose prices are too far apart waits on, or expires. No page says.
        gte_lag_ms: after a position opened, so long orders that need one are still -4509. User reports.
        triggering_ms: so long an order stays TRIGGERING before it reaches the engine. User reports of -4117.
        reduce_only_total: resting reduce-only orders together larger than the position: the lowest priority is
            knocked out (or refused when it is the new one), the new one is always refused, or all rest. FAQ
            360039707291, user reports of -4118, and what was simulated before.
        dup_algo_id: the code for a client id that a waiting conditional order has. Refused for certain, by which code
            no page says; code bases of clients expect these three.
        id_namespace: a client id of an open regular order may be one of a waiting conditional order too, or not. No
            page says.
        allopenorders_cancels_conditional: DELETE allOpenOrders takes conditional orders too. Its page does not say;
            there is a request of its own for them.
        algo_recv_window: the receive window of a new conditional order counts at the engine too (-5028), or only at
            the gateway. Documented for regular orders.
        conditional_counts_as_order: a waiting conditional order counts for MAX_NUM_ORDERS. The definitions say so;
            they are older than the orders' move to their own address.
        conditional_position_row: positionRisk v3 has a row for a symbol on which nothing but a conditional order
            waits. No page says.
        result_avg_price: the RESULT answer of a placed order still has avgPrice and cumQuote. Removed 2026-06-24 in a
            rollout called progressive.
        ws_weight: requests over the WebSocket API count on the same request weight as REST, or on one of their own.
            Orders count together for certain.
        reused_id_query: of orders with one client id a query tells the newest, or the oldest. No page says.
        user_events_default: a user stream that names no events delivers all of them, or none. The change notice shows
            addresses with events only; ccxt connects without.
    """

    dup_id_after_fill: str = "accept"
    countdown_cancels_conditional: str = "no"
    oversize_stop: str = "trim"
    closeposition_may_reverse: str = "no"
    quantity_stop_beside_closeposition: str = "accept"
    closeposition_expiry_ms: int = 0
    child_client_id: str = "same"
    event_order: str = "algo_first"
    algo_reduce_only: str = "accept"
    priceprotect: str = "wait"
    gte_lag_ms: int = 0
    triggering_ms: int = 0
    reduce_only_total: str = "knock_out"
    dup_algo_id: str = "-4116"
    id_namespace: str = "separate"
    allopenorders_cancels_conditional: str = "no"
    algo_recv_window: str = "check"
    conditional_counts_as_order: str = "no"
    conditional_position_row: str = "no"
    result_avg_price: str = "no"
    ws_weight: str = "shared"
    reused_id_query: str = "newest"
    user_events_default: str = "all"

    def __post_init__(self) -> None:
        """Check every choice.

        Raises:
            UnknownReading: a word that the field does not allow.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ALLOWED:
                if value not in ALLOWED[field.name]:
                    raise UnknownReading(_wrong(field.name, value))
            elif not 0 <= value <= LONGEST_MS:
                raise UnknownReading(_wrong(field.name, value))


ALLOWED: dict[str, tuple[str, ...]] = {
    "dup_id_after_fill": ("accept", "reject"),
    "countdown_cancels_conditional": ("no", "yes"),
    "oversize_stop": ("trim", "reject"),
    "closeposition_may_reverse": ("no", "yes"),
    "quantity_stop_beside_closeposition": ("accept", "reject"),
    "child_client_id": ("same", "own"),
    "event_order": ("algo_first", "trade_first"),
    "algo_reduce_only": ("accept", "-1106"),
    "priceprotect": ("wait", "expire"),
    "reduce_only_total": ("knock_out", "reject", "rest"),
    "dup_algo_id": ("-4116", "-4015", "-4045"),
    "id_namespace": ("separate", "shared"),
    "allopenorders_cancels_conditional": ("no", "yes"),
    "algo_recv_window": ("check", "ignore"),
    "conditional_counts_as_order": ("no", "yes"),
    "conditional_position_row": ("no", "yes"),
    "result_avg_price": ("no", "yes"),
    "ws_weight": ("shared", "separate"),
    "reused_id_query": ("newest", "oldest"),
    "user_events_default": ("all", "none"),
}


DEFAULT_READINGS = Readings()


def readings_from(words: Iterable[str]) -> Readings:
    """The readings that `name=value` words choose; what is not named keeps its default.

    Raises:
        UnknownReading: a word without `=`, an unknown name, a name twice, or a value that it does not allow.
    """
    chosen: dict[str, str | int] = {}
    for word in words:
        name, separator, value = word.strip().partition("=")
        if not separator:
            raise UnknownReading(f"reading {word!r} has no '='; write it as oversize_stop=reject")
        if name not in _NAMES:
            raise UnknownReading(f"reading {name!r} is unknown; choose among {', '.join(_NAMES)}")
        if name in chosen:
            raise UnknownReading(f"reading {name} is given twice; give it once")
        chosen[name] = _value(name, value)
    return Readings(**chosen)  # type: ignore[arg-type]  # names and kinds were checked one by one


def _value(name: str, value: str) -> str | int:
    if name in ALLOWED:
        return value
    if not _MILLISECONDS.fullmatch(value):
        raise UnknownReading(_wrong(name, value))
    return int(value)


def _wrong(name: str, value: object) -> str:
    allowed = ALLOWED.get(name)
    wanted = f"a whole number of ms up to {LONGEST_MS}" if allowed is None else " or ".join(allowed)
    return f"reading {name}: {value!r} is not allowed; give {wanted}"


_NAMES = tuple(field.name for field in fields(Readings))
