"""The rows: every code that Binance documents for USDⓈ-M futures, and those known from logs.

Promises that "not executed" stands only where the venue's words leave no doubt that nothing was done. Sources:
Binance USDⓈ-M "Error Code" page (read 2026-05-28), "General Info" (2026-09), the numbers that public client
libraries carry, and production logs (-4130, -4509). Groups are by what is done; who claims a code twice is refused.
"""

import re

from jumar.exchange.binance.errors.rows import Action, Group, Remedy, Row, table_of

_UNKNOWN = Group(
    action=Action.ASK,
    not_executed=False,
    meanings={
        -1000: "unknown error while processing",
        -1001: "internal error, disconnected",
        -1006: "unexpected answer from the message bus, execution unknown",
        -1007: "timeout inside the venue, execution unknown",
        -1008: "throttled by system protection; an order that existed all the same was reported",
        -1010: "an error of the matching engine, which is not named",
        -1013: "message not valid, which is not explained",
        -2012: "batch cancel failed in part",
        -2020: "unable to fill",
        -3029: "transfer failed",
        -4000: "order is not in a state that allows this",
        -4078: "internal error of the options product",
        -4079: "options id not valid, or used before",
        -4083: "batch of orders failed",
        -4111: "transfer id duplicated: an earlier transfer carries it (number of COIN-M)",
        -4115: "transfer id duplicated: an earlier transfer carries it",
        -4116: "client id duplicated: an order with this id is alive",
        -4117: "the stop is triggering",
    },
)
_UNNAMED = Group(
    action=Action.ASK,
    not_executed=False,
    meanings=dict.fromkeys(
        (
            *range(-4043, -4033),
            *range(-4099, -4090),
            *range(-4103, -4100),
            -4108,
            -4119,
            *range(-4129, -4120),
            *range(-4134, -4131),
            -4143,
            *range(-4149, -4144),
        ),
        "known by its number only: no meaning was published",
    ),
)
_ASK = Group(
    action=Action.ASK,
    not_executed=True,
    meanings={
        -2011: "unknown order: ended, or in the other list",
        -2013: "no such order, or not yet readable",
        -2022: "reduce-only refused: flat, or other orders hold the position",
        -2024: "position not sufficient",
        -4112: "reduce-only check failed with open orders (number of COIN-M)",
        -4118: "reduce-only check failed with open orders",
        -4130: "a closePosition order of this type and direction exists",
    },
)
_CLOCK = Group(
    action=Action.RETRY,
    not_executed=True,
    meanings={
        -1021: "timestamp outside the receive window",
        -4188: "timestamp outside the receive window at the matching engine (number of COIN-M)",
        -5028: "timestamp outside the receive window at the matching engine",
    },
    remedy=Remedy.MEASURE_CLOCK,
)
_RETRY = Group(
    action=Action.RETRY,
    not_executed=True,
    meanings={
        -1015: "too many new orders",
        -1112: "the book is empty",
        -1125: "listen key gone",
        -4113: "best opposite price outside PERCENT_PRICE (number of COIN-M)",
        -4131: "best opposite price outside PERCENT_PRICE",
        -4509: "needs an open position, which may not be visible yet right after a fill",
        -5043: "another modification is pending",
    },
)
_KEYS = Group(
    action=Action.HALT,
    not_executed=True,
    meanings={
        -1002: "not authorised",
        -1011: "this IP address may not use this route",
        -1022: "bad signature",
        -1099: "not found, authenticated or authorised",
        -2014: "bad key format",
        -2015: "key, permission or IP address refused",
        -2017: "keys are locked",
        -4056: "kind of key not valid",
        -4057: "public key not valid",
    },
)
_HALT = Group(
    action=Action.HALT,
    not_executed=True,
    meanings={
        -1003: "too many requests",
        -1109: "account not valid",
        -2023: "account is being liquidated",
        -4087: "only reduce-only orders allowed",
        -4088: "no orders allowed",
        -4089: "only reduce-only orders allowed (number of COIN-M)",
        -4090: "no orders allowed (number of COIN-M)",
        -4105: "position risk control: side not allowed",
        -4106: "position risk control: reduce-only",
        -4107: "position risk control: not allowed",
        -4109: "inactive account",
        -4189: "only reduce-only orders allowed",
        -4192: "cooling-off period",
        -4400: "quantitative rules: reduce-only",
        -4401: "large position or compliance: reduce-only",
        -4402: "not available in the account's region",
    },
)
_MAINTENANCE = Group(
    action=Action.HALT,
    # It arrives as a server error as a rule: nothing says that a request on its way was dropped.
    not_executed=False,
    meanings={-1016: "service unavailable"},
)
_SUCCESS = Group(
    action=Action.SUCCESS,
    not_executed=True,
    meanings={
        -4046: "margin type is so already",
        -4052: "automatic margin is so already",
        -4059: "position side mode is so already",
        -4171: "multi-assets mode is so already",
        -4197: "modification changes nothing (number of COIN-M)",
        -5027: "modification changes nothing",
    },
)
_FILTERS = Group(
    action=Action.REFUSE,
    not_executed=True,
    meanings={
        -1111: "precision over the maximum",
        -1121: "invalid symbol",
        -1122: "invalid symbol status",
        -4001: "price below zero",
        -4002: "price above the maximum",
        -4003: "quantity not above zero",
        -4004: "quantity below the minimum",
        -4005: "quantity above the maximum",
        -4006: "trigger price below zero",
        -4007: "trigger price above the maximum",
        -4013: "price below the minimum",
        -4014: "price off the tick",
        -4016: "price above the cap",
        -4023: "quantity off the step",
        -4024: "price below the floor",
        -4140: "symbol not open for new positions",
        -4141: "symbol closed",
        -4151: "limit price above the stop's cap (number of COIN-M)",
        -4152: "limit price below the stop's floor (number of COIN-M)",
        -4154: "trigger price above the cap (number of COIN-M)",
        -4155: "trigger price below the floor (number of COIN-M)",
        -4164: "notional below the minimum",
        -4178: "notional below the minimum (number of COIN-M)",
        -4183: "limit price above the stop's cap",
        -4184: "limit price below the stop's floor",
        -4199: "symbol is not in a state that allows this (number of COIN-M)",
        -4210: "trigger price above the cap",
        -4211: "trigger price below the floor",
        -5024: "symbol is not in a state that allows this",
        -5029: "notional below the minimum after a modification",
    },
    remedy=Remedy.RELOAD_FILTERS,
)
_REQUESTS = Group(
    action=Action.REFUSE,
    not_executed=True,
    meanings={
        -1014: "combination of order fields not supported",
        -1020: "operation not supported",
        -1023: "start of the span after its end",
        -1100: "characters not allowed in a parameter",
        -1101: "too many or repeated parameters",
        -1102: "mandatory parameter missing or malformed",
        -1103: "unknown parameter",
        -1104: "parameters that were not read",
        -1105: "parameter empty",
        -1106: "parameter not allowed here",
        -1108: "asset not valid",
        -1110: "kind of symbol not valid",
        -1114: "time in force not allowed here",
        -1115: "time in force not valid",
        -1116: "invalid order type",
        -1117: "side not valid",
        -1118: "client id empty",
        -1119: "client id of the order to be found empty",
        -1120: "candle interval not valid",
        -1126: "asset not supported",
        -1127: "span of time too long",
        -1128: "invalid combination of parameters",
        -1129: "currency not valid",
        -1130: "invalid parameter",
        -1131: "receive window above 60 s",
        -1136: "kind of answer not valid",
        -4015: "client id not valid",
        -4019: "scale of a composite too large",
        -4020: "order type and reduce-only do not go together",
        -4021: "depth not valid",
        -4022: "market status not valid",
        -4031: "working type not valid",
        -4032: "too many orders to cancel at once",
        -4044: "kind of balance not valid",
        -4055: "amount not above zero",
        -4060: "position side not valid",
        -4082: "too many orders in a batch",
        -4084: "method not offered yet",
        -4104: "contract type not valid",
        -4120: "conditional order at the wrong endpoint",
        -4135: "activation price not valid",
        -4136: "trailing stop cannot close the position",
        -4137: "quantity together with closePosition",
        -4138: "reduce-only together with closePosition",
        -4139: "market order where it could not be cancelled",
        -4144: "pair not valid",
        -4165: "span of time not valid",
        -5037: "price match not valid",
        -5038: "price match not allowed for this type",
        -5039: "self-trade prevention mode not valid",
        -5040: "good-till date not valid",
        -5041: "no depth for price match",
    },
)
_ORDERS = Group(
    action=Action.REFUSE,
    not_executed=True,
    meanings={
        -2010: "new order rejected",
        -2018: "balance insufficient",
        -2019: "margin insufficient",
        -2021: "would trigger immediately",
        -2025: "too many open orders",
        -2026: "order type not supported with reduce-only",
        -2027: "above the largest position at this leverage",
        -2028: "leverage too small for the margin",
        -4045: "too many conditional orders",
        -4061: "position side does not match the account's mode",
        -4062: "improper reduce-only",
        -4142: "would trigger immediately",
        -4196: "only limit orders can be modified (number of COIN-M)",
        -4198: "modification limit reached (number of COIN-M)",
        -5021: "fill-or-kill cannot be filled",
        -5022: "post-only would take",
        -5025: "only limit orders can be modified",
        -5026: "modification limit reached",
        -5047: "the order is not reduce-only",
    },
)
_SETTINGS = Group(
    action=Action.REFUSE,
    not_executed=True,
    meanings={
        -4028: "leverage not valid",
        -4047: "margin type blocked by open orders",
        -4048: "margin type blocked by a position",
        -4049: "margin is added to isolated positions only",
        -4050: "crossed balance insufficient",
        -4051: "isolated balance insufficient",
        -4053: "automatic margin is for isolated positions only",
        -4054: "margin added without a position",
        -4067: "position mode blocked by open orders",
        -4068: "position mode blocked by a position",
        -4150: "leverage cannot be lowered with an isolated position (number of COIN-M)",
        -4161: "leverage cannot be lowered with an isolated position",
        -4167: "multi-assets mode conflicts with isolated symbols",
        -4168: "multi-assets mode forbids isolated margin",
        -4169: "multi-assets mode: margin insufficient",
        -4170: "multi-assets mode: open orders",
        -4172: "multi-assets mode: negative balance of a margin asset",
        -4194: "leverage above 20x needs verification (number of COIN-M)",
        -4195: "leverage above 20x: account younger than a month (number of COIN-M)",
        -4200: "leverage above 20x: account too young (number of COIN-M)",
        -4201: "leverage limited in the account's country (number of COIN-M)",
        -4202: "leverage above 20x needs verification",
        -4203: "leverage above 20x: account younger than a month",
        -4205: "leverage above 20x: account too young",
        -4206: "leverage limited in the account's country",
        -4208: "leverage above 20x conflicts with the adjusted position limit",
        -4209: "leverage above the symbol's maximum",
        -4403: "leverage limited in the account's region",
        -4531: "position mode blocked by COIN-M",
    },
)
_ELSEWHERE = Group(
    action=Action.REFUSE,
    not_executed=True,
    # Definitions of symbols, address lists, transfers and the options product: nothing here asks for them.
    meanings={
        -1004: "IP address listed already",
        -1005: "IP address not listed",
        -1113: "withdrawal not negative",
        -2016: "no trading window",
        -4008: "definition of a symbol: tick below zero",
        -4009: "definition of a symbol: maximum price below the minimum",
        -4010: "definition of a symbol: maximum quantity below the minimum",
        -4011: "definition of a symbol: step below zero",
        -4012: "definition of a symbol: number of orders below zero",
        -4017: "definition of a symbol: cap below zero",
        -4018: "definition of a symbol: floor below zero",
        -4025: "definition of a symbol: decimals of the cap below zero",
        -4026: "definition of a symbol: commission not valid",
        -4027: "kind of account not valid",
        -4029: "definition of a symbol: decimals of the tick not valid",
        -4030: "definition of a symbol: decimals of the step not valid",
        -4033: "insurance account not found",
        -4058: "definition of a symbol: maximum price too large",
        -4063: "options: kind of request not valid",
        -4064: "options: time frame not valid",
        -4065: "options: amount not valid",
        -4066: "options: kind of event not valid",
        -4069: "options: premium not valid",
        -4070: "options: client id not valid",
        -4071: "options: direction not valid",
        -4072: "options: premium is out of date",
        -4073: "options: premium below zero",
        -4074: "options: amount outside its bounds",
        -4075: "options: resulting premium below zero",
        -4076: "options: premium too far from the last",
        -4077: "options: limit of orders reached",
        -4080: "options: user not found",
        -4081: "options: not found",
        -4085: "notional limit coefficient not valid",
        -4086: "price spread threshold not valid",
        -4110: "transfer id not valid (number of COIN-M)",
        -4114: "transfer id not valid",
    },
)

TABLE: dict[int, Row] = table_of(
    (
        _UNKNOWN,
        _UNNAMED,
        _ASK,
        _CLOCK,
        _RETRY,
        _KEYS,
        _HALT,
        _MAINTENANCE,
        _SUCCESS,
        _FILTERS,
        _REQUESTS,
        _ORDERS,
        _SETTINGS,
        _ELSEWHERE,
    )
)
KEY_CODES = frozenset(_KEYS.meanings)
"""The venue does not accept the keys: nobody but a person can help."""

TRANSIENT_CODES = frozenset(_CLOCK.meanings) | {
    -1000,
    -1001,
    -1003,
    -1006,
    -1007,
    -1008,
    -1015,
    -1016,
}
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
