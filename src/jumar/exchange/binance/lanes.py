"""Lanes: whose request goes when there is not room for all, and what each request costs (W-4). Pure.

Order: protect, exit, cancel, entry, read. A lane is closed once so much of a limit is used that the lanes above it need
the rest; what protects a position is never closed by a count. Weights as Binance's pages state them (USDⓈ-M, 2026-10);
a request that is not in the table costs `UNLISTED`.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from jumar.model.order import PROTECTIVE_ROLES, Role


class Lane(IntEnum):
    """What a request is for; the smaller, the more it matters.

    Attributes:
        PROTECT: a stop, its backstop, a full exit.
        EXIT: a target or a zone exit, and what exits need: the venue's clock.
        CANCEL: a cancel, and the countdown that cancels.
        ENTRY: an entry, its amendments and its set-up.
        READ: every question.
    """

    PROTECT = 0
    EXIT = 1
    CANCEL = 2
    ENTRY = 3
    READ = 4


#: Up to which share of the request weight, in percent, a lane may send; nothing closes the protective one.
WEIGHT_PERCENT: Mapping[Lane, int] = {
    Lane.EXIT: 100,
    Lane.CANCEL: 99,
    Lane.ENTRY: 95,
    Lane.READ: 90,
}
#: Up to which share the questions of one engine alone may go, whatever others of its address leave (section 11).
OWN_READS_PERCENT = 60
#: The same of the orders that may be placed; cancels and questions are no orders.
ORDERS_PERCENT: Mapping[Lane, int] = {
    Lane.EXIT: 80,
    Lane.CANCEL: 80,
    Lane.ENTRY: 60,
    Lane.READ: 60,
}


class Cost(NamedTuple):
    """What one request uses: request weight of the address, orders of the account."""

    weight: int
    orders: int = 0


UNLISTED = Cost(5)
#: A connection of the WebSocket API: five for the handshake, two for the logon.
SOCKET_OPENED = Cost(7)
_ORDER, _CANCEL = Cost(0, 1), Cost(1)
_ONE, _FIVE, _INCOME = Cost(1), Cost(5), Cost(30)
_COSTS: Mapping[tuple[str, str], Cost] = {
    ("POST", "/fapi/v1/order"): _ORDER,
    ("PUT", "/fapi/v1/order"): _ORDER,
    ("POST", "/fapi/v1/algoOrder"): _ORDER,
    ("DELETE", "/fapi/v1/order"): _CANCEL,
    ("DELETE", "/fapi/v1/algoOrder"): _CANCEL,
    ("POST", "/fapi/v1/countdownCancelAll"): Cost(10),
    ("POST", "/fapi/v1/leverage"): _ONE,
    ("POST", "/fapi/v1/marginType"): _ONE,
    ("POST", "/fapi/v1/listenKey"): _ONE,
    ("PUT", "/fapi/v1/listenKey"): _ONE,
    ("GET", "/fapi/v1/time"): _ONE,
    ("GET", "/fapi/v1/exchangeInfo"): _ONE,
    ("GET", "/fapi/v1/leverageBracket"): _ONE,
    ("GET", "/fapi/v1/premiumIndex"): _ONE,
    ("GET", "/fapi/v1/ticker/price"): _ONE,
    ("GET", "/fapi/v1/ticker/bookTicker"): Cost(2),
    ("GET", "/fapi/v1/order"): _ONE,
    ("GET", "/fapi/v1/algoOrder"): _ONE,
    ("GET", "/fapi/v1/openOrders"): _ONE,
    ("GET", "/fapi/v1/openAlgoOrders"): _ONE,
    ("GET", "/fapi/v1/allOrders"): _FIVE,
    ("GET", "/fapi/v1/userTrades"): _FIVE,
    ("GET", "/fapi/v3/positionRisk"): _FIVE,
    ("GET", "/fapi/v3/account"): _FIVE,
    ("GET", "/fapi/v1/accountConfig"): _FIVE,
    ("GET", "/fapi/v1/symbolConfig"): _FIVE,
    ("GET", "/fapi/v1/commissionRate"): Cost(20),
    ("GET", "/fapi/v1/forceOrders"): Cost(20),
    ("GET", "/fapi/v1/income"): _INCOME,
}
_SOCKET_COSTS: Mapping[str, Cost] = {
    "order.place": _ORDER,
    "order.modify": _ORDER,
    "algoOrder.place": _ORDER,
    "order.cancel": _CANCEL,
    "algoOrder.cancel": _CANCEL,
}
#: Their used weight is told wrongly (reports, 2026-05): it corrects nothing.
WRONG_WEIGHT_PATHS = frozenset({"/fapi/v1/ticker/bookTicker"})


def lane_of(role: Role) -> Lane:
    """Return the lane of an order's placement."""
    if role in PROTECTIVE_ROLES:
        return Lane.PROTECT
    return Lane.ENTRY if role is Role.ENTRY else Lane.EXIT


def cost_of(method: str, path: str) -> Cost:
    """Return what a request over HTTP costs; questions of order lists name their symbol."""
    return _COSTS.get((method, path), UNLISTED)


def socket_cost_of(method: str) -> Cost:
    """Return what a request of the WebSocket API costs."""
    return _SOCKET_COSTS.get(method, UNLISTED)
