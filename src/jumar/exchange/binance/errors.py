"""One table: what each of Binance's error codes means for the request that got it.

Promises that `NOT_EXECUTED` stands only where the venue's words leave no doubt that nothing was done. A code
without a row is *ask*. Source: Binance USDⓈ-M "Error Code" page (read 2026-05-28) and "General Info" (2026-09);
-4130 and -4509 are missing there and known from production logs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What to do with a request that got this code.

    RETRY: the same wish may be sent again, after a wait or a correction of the clock. ASK: read the truth, then
    decide. REFUSE: never again unchanged. SUCCESS: it was so already. HALT: stop, wait or call a person.
    """

    RETRY = "retry"
    ASK = "ask"
    REFUSE = "refuse"
    SUCCESS = "success"
    HALT = "halt"


class Remedy(StrEnum):
    """What the adapter itself does about a code."""

    MEASURE_CLOCK = "measure_clock"
    RELOAD_FILTERS = "reload_filters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One code's meaning.

    Attributes:
        not_executed: whether the code proves that the request did nothing.
    """

    code: int
    action: Action
    not_executed: bool
    meaning: str
    remedy: Remedy | None = None


NOT_SENT = 0
"""The code of a `Rejected` that never left this machine; the venue's own codes are never zero."""


def _rows(
    action: Action,
    meanings: dict[int, str],
    *,
    not_executed: bool = True,
    remedy: Remedy | None = None,
) -> dict[int, Row]:
    return {
        code: Row(code=code, action=action, not_executed=not_executed, meaning=text, remedy=remedy)
        for code, text in meanings.items()
    }


_UNKNOWN = _rows(
    Action.ASK,
    {
        -1000: "unknown error while processing",
        -1001: "internal error, disconnected",
        -1006: "unexpected answer from the message bus, execution unknown",
        -1007: "timeout inside the venue, execution unknown",
        -1008: "throttled by system protection; an order that existed all the same was reported",
        -2012: "batch cancel failed in part",
        -2020: "unable to fill",
        -4116: "client id duplicated: an order with this id is alive",
        -4117: "the stop is triggering",
    },
    not_executed=False,
)
_ASK = _rows(
    Action.ASK,
    {
        -2011: "unknown order: ended, or in the other list",
        -2013: "no such order, or not yet readable",
        -2022: "reduce-only refused: flat, or other orders hold the position",
        -2024: "position not sufficient",
        -4118: "reduce-only check failed with open orders",
        -4130: "a closePosition order of this type and direction exists",
    },
)
_CLOCK = _rows(
    Action.RETRY,
    {
        -1021: "timestamp outside the receive window",
        -5028: "timestamp outside the receive window at the matching engine",
    },
    remedy=Remedy.MEASURE_CLOCK,
)
_RETRY = _rows(
    Action.RETRY,
    {
        -1015: "too many new orders",
        -1125: "listen key gone",
        -4131: "best opposite price outside PERCENT_PRICE",
        -4509: "needs an open position, which may not be visible yet right after a fill",
        -5043: "another modification is pending",
    },
)
_HALT = _rows(
    Action.HALT,
    {
        -1003: "too many requests",
        -1022: "bad signature",
        -1099: "not found, authenticated or authorised",
        -2014: "bad key format",
        -2015: "key, permission or IP address refused",
        -2017: "keys are locked",
        -2023: "account is being liquidated",
        -4087: "only reduce-only orders allowed",
        -4088: "no orders allowed",
        -4105: "position risk control: side not allowed",
        -4106: "position risk control: reduce-only",
        -4107: "position risk control: not allowed",
        -4109: "inactive account",
        -4189: "only reduce-only orders allowed",
        -4192: "cooling-off period",
        -4400: "quantitative rules: reduce-only",
        -4401: "compliance: reduce-only",
    },
)
# Maintenance arrives as a server error as a rule: nothing says that a request on its way was dropped.
_MAINTENANCE = _rows(Action.HALT, {-1016: "service unavailable"}, not_executed=False)
_SUCCESS = _rows(
    Action.SUCCESS,
    {
        -4046: "margin type is so already",
        -4059: "position side mode is so already",
        -4171: "multi-assets mode is so already",
        -5027: "modification changes nothing",
    },
)
_FILTERS = _rows(
    Action.REFUSE,
    {
        -1111: "precision over the maximum",
        -1121: "invalid symbol",
        -1122: "invalid symbol status",
        -4003: "quantity not above zero",
        -4004: "quantity below the minimum",
        -4005: "quantity above the maximum",
        -4013: "price below the minimum",
        -4014: "price off the tick",
        -4016: "price above the cap",
        -4023: "quantity off the step",
        -4024: "price below the floor",
        -4140: "symbol not open for new positions",
        -4141: "symbol closed",
        -4164: "notional below the minimum",
        -4183: "limit price above the stop's cap",
        -4184: "limit price below the stop's floor",
        -4210: "trigger price above the cap",
        -4211: "trigger price below the floor",
        -5024: "symbol is not in a state that allows this",
        -5029: "notional below the minimum after a modification",
    },
    remedy=Remedy.RELOAD_FILTERS,
)
_REFUSE = _rows(
    Action.REFUSE,
    {
        -1102: "mandatory parameter missing or malformed",
        -1104: "too many parameters",
        -1106: "parameter not allowed here",
        -1116: "invalid order type",
        -1128: "invalid combination of parameters",
        -1130: "invalid parameter",
        -2010: "new order rejected",
        -2018: "balance insufficient",
        -2019: "margin insufficient",
        -2021: "would trigger immediately",
        -2025: "too many open orders",
        -2026: "order type not supported with reduce-only",
        -2027: "above the largest position at this leverage",
        -2028: "leverage too small for the margin",
        -4015: "client id not valid",
        -4028: "leverage not valid",
        -4045: "too many conditional orders",
        -4047: "margin type blocked by open orders",
        -4048: "margin type blocked by a position",
        -4061: "position side does not match the account's mode",
        -4062: "improper reduce-only",
        -4067: "position mode blocked by open orders",
        -4068: "position mode blocked by a position",
        -4120: "conditional order at the wrong endpoint",
        -4137: "quantity together with closePosition",
        -4138: "reduce-only together with closePosition",
        -4142: "would trigger immediately",
        -4161: "leverage cannot be lowered with an isolated position",
        -4167: "multi-assets mode conflicts with isolated symbols",
        -4168: "multi-assets mode forbids isolated margin",
        -4169: "multi-assets mode: margin insufficient",
        -4170: "multi-assets mode: open orders",
        -4172: "multi-assets mode: negative balance of a margin asset",
        -4531: "position mode blocked by COIN-M",
        -5021: "fill-or-kill cannot be filled",
        -5022: "post-only would take",
        -5025: "only limit orders can be modified",
        -5026: "modification limit reached",
        -5037: "price match not valid",
        -5038: "price match not allowed for this type",
        -5039: "self-trade prevention mode not valid",
        -5040: "good-till date not valid",
        -5041: "no depth for price match",
        -5047: "the order is not reduce-only",
    },
)

TABLE: dict[int, Row] = {
    **_UNKNOWN,
    **_ASK,
    **_CLOCK,
    **_RETRY,
    **_HALT,
    **_MAINTENANCE,
    **_SUCCESS,
    **_FILTERS,
    **_REFUSE,
}
KEY_CODES = frozenset({-1022, -1099, -2014, -2015, -2017})
"""The venue does not accept the keys: nobody but a person can help."""

TRANSIENT_CODES = frozenset({-1000, -1001, -1003, -1006, -1007, -1008, -1015, -1016, -1021, -5028})
"""A read refused with one of these may be asked again."""

_BANNED_UNTIL = re.compile(r"until (\d{13})\b")


def row_for(code: int) -> Row:
    """Return the code's row; an undocumented code is *ask* and proves nothing."""
    row = TABLE.get(code)
    if row is not None:
        return row
    return Row(code=code, action=Action.ASK, not_executed=False, meaning="undocumented code")


def banned_until_ms(message: str) -> int | None:
    """Return the moment named by a -1003 text ("IP banned until 1732320000000"), None when it names none."""
    match = _BANNED_UNTIL.search(message)
    return int(match[1]) if match else None
