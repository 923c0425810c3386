"""The parameters of every request: which it reads, of what kind they are, and which it cannot do without.

One table for three readers: people (docs/reference/surface.md is made from it), whoever makes up requests, and whoever
asks whether a client's parameter means anything here. It checks nothing: that is the handlers' work. Credentials
(`timestamp`, `recvWindow`, `signature`) belong to every signed request and are not listed.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from jumar.exchange.simulated.core.api.checks import PRICE_MATCHES
from jumar.exchange.simulated.core.candles import INTERVALS
from jumar.exchange.simulated.core.conditional import ConditionalType, WorkingType
from jumar.exchange.simulated.core.dialect.history import PERPETUAL
from jumar.exchange.simulated.core.orders import Forced, OrderType, SelfTrade, Side, TimeInForce

type Request = tuple[str, str]


class Kind(StrEnum):
    """What the text of a parameter has to be."""

    SYMBOL = "symbol"
    WORD = "one of the words"
    TEXT = "text"
    DECIMAL = "decimal number"
    INTEGER = "whole number"
    BOOLEAN = "true or false"
    TIME = "time, Unix ms"
    CLIENT_ID = "client's id"
    LIST = "list in JSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of one request.

    Attributes:
        required: whether the request is refused without it whatever else was sent (-1102).
        words: what it may be, of a parameter of kind `WORD`.
    """

    name: str
    kind: Kind
    required: bool = False
    words: tuple[str, ...] = ()


_NAMES = {
    Kind.SYMBOL: "symbol pair",
    Kind.TEXT: "incomeType",
    Kind.DECIMAL: "quantity price triggerPrice activatePrice callbackRate amount",
    Kind.INTEGER: "orderId algoId modifyId fromId limit page leverage countdownTime",
    Kind.BOOLEAN: (
        "reduceOnly closePosition priceProtect dualSidePosition multiAssetsMargin feeBurn"
    ),
    Kind.TIME: "startTime endTime goodTillDate",
    Kind.CLIENT_ID: "newClientOrderId origClientOrderId clientAlgoId",
    Kind.LIST: "batchOrders orderIdList origClientOrderIdList",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_WORDS: dict[str, tuple[str, ...]] = {
    "side": tuple(Side),
    "positionSide": ("BOTH", "LONG", "SHORT"),
    "timeInForce": tuple(TimeInForce),
    "newOrderRespType": ("ACK", "RESULT"),
    "priceMatch": ("NONE", *PRICE_MATCHES),
    "selfTradePreventionMode": tuple(SelfTrade),
    "algoType": ("CONDITIONAL",),
    "workingType": tuple(WorkingType),
    "marginType": ("ISOLATED", "CROSSED"),
    "autoCloseType": tuple(Forced),
    "interval": INTERVALS,
    "contractType": (PERPETUAL,),
}
#: `type` means something else by request.
_TYPES: dict[str, tuple[str, ...]] = {
    "/fapi/v1/order": tuple(OrderType),
    "/fapi/v1/order/test": tuple(OrderType),
    "/fapi/v1/algoOrder": tuple(ConditionalType),
    "/fapi/v1/positionMargin": ("1", "2"),
    "/fapi/v1/positionMargin/history": ("1", "2"),
}
_PLACE = (
    "symbol! side! type! positionSide timeInForce quantity! price reduceOnly newClientOrderId "
    "newOrderRespType priceMatch selfTradePreventionMode goodTillDate"
)
_PAGE = "startTime endTime limit"
#: A name with `!` is required.
_ROWS = {
    "GET /fapi/v1/ping": "",
    "GET /fapi/v1/time": "",
    "GET /fapi/v1/exchangeInfo": "",
    "GET /fapi/v1/premiumIndex": "symbol",
    "GET /fapi/v1/ticker/bookTicker": "symbol",
    "GET /fapi/v1/ticker/price": "symbol",
    "GET /fapi/v2/ticker/price": "symbol",
    "GET /fapi/v1/ticker/24hr": "symbol",
    "GET /fapi/v1/depth": "symbol! limit",
    "GET /fapi/v1/klines": f"symbol! interval! {_PAGE}",
    "GET /fapi/v1/continuousKlines": f"pair! contractType! interval! {_PAGE}",
    "GET /fapi/v1/fundingRate": f"symbol {_PAGE}",
    "GET /fapi/v1/fundingInfo": "",
    "GET /fapi/v1/trades": "symbol! limit",
    "GET /fapi/v1/historicalTrades": "symbol! fromId limit",
    "GET /fapi/v1/aggTrades": f"symbol! fromId {_PAGE}",
    "GET /fapi/v1/symbolAdlRisk": "symbol",
    "GET /api/v3/ping": "",
    "GET /api/v3/time": "",
    "GET /sapi/v1/capital/config/getall": "",
    "GET /sapi/v1/margin/allPairs": "",
    "GET /sapi/v1/system/status": "",
    "POST /fapi/v1/order": _PLACE,
    "POST /fapi/v1/order/test": _PLACE,
    "PUT /fapi/v1/order": (
        "symbol! side! orderId origClientOrderId quantity! price priceMatch modifyId reduceOnly"
    ),
    "DELETE /fapi/v1/order": "symbol! orderId origClientOrderId",
    "GET /fapi/v1/order": "symbol! orderId origClientOrderId",
    "GET /fapi/v1/openOrder": "symbol! orderId origClientOrderId",
    "GET /fapi/v1/openOrders": "symbol",
    "DELETE /fapi/v1/allOpenOrders": "symbol!",
    "POST /fapi/v1/countdownCancelAll": "symbol! countdownTime!",
    "GET /fapi/v1/allOrders": f"symbol orderId {_PAGE}",
    "GET /fapi/v1/orderAmendment": f"symbol! orderId origClientOrderId {_PAGE}",
    "GET /fapi/v1/userTrades": f"symbol! orderId fromId {_PAGE}",
    "POST /fapi/v1/batchOrders": "batchOrders!",
    "PUT /fapi/v1/batchOrders": "batchOrders!",
    "DELETE /fapi/v1/batchOrders": "symbol! orderIdList origClientOrderIdList",
    "POST /fapi/v1/algoOrder": (
        "algoType! symbol! side! type! positionSide timeInForce quantity price triggerPrice "
        "workingType priceMatch closePosition priceProtect reduceOnly activatePrice callbackRate "
        "clientAlgoId newOrderRespType selfTradePreventionMode goodTillDate"
    ),
    "DELETE /fapi/v1/algoOrder": "algoId clientAlgoId",
    "GET /fapi/v1/algoOrder": "algoId clientAlgoId",
    "DELETE /fapi/v1/algoOpenOrders": "symbol!",
    "GET /fapi/v1/openAlgoOrders": "algoType symbol algoId",
    "GET /fapi/v1/allAlgoOrders": f"symbol! algoId {_PAGE}",
    "GET /fapi/v1/positionRisk": "symbol",
    "GET /fapi/v2/positionRisk": "symbol",
    "GET /fapi/v3/positionRisk": "symbol",
    "GET /fapi/v2/account": "",
    "GET /fapi/v3/account": "",
    "GET /fapi/v2/balance": "",
    "GET /fapi/v3/balance": "",
    "GET /fapi/v1/commissionRate": "symbol!",
    "GET /fapi/v1/adlQuantile": "symbol",
    "GET /fapi/v1/income": f"symbol incomeType page {_PAGE}",
    "GET /fapi/v1/forceOrders": f"symbol autoCloseType {_PAGE}",
    "GET /fapi/v1/positionMargin/history": f"symbol! type {_PAGE}",
    "POST /fapi/v1/leverage": "symbol! leverage!",
    "POST /fapi/v1/marginType": "symbol! marginType!",
    "POST /fapi/v1/positionMargin": "symbol! amount! type! positionSide",
    "GET /fapi/v1/positionSide/dual": "",
    "POST /fapi/v1/positionSide/dual": "dualSidePosition!",
    "GET /fapi/v1/multiAssetsMargin": "",
    "POST /fapi/v1/multiAssetsMargin": "multiAssetsMargin!",
    "GET /fapi/v1/feeBurn": "",
    "POST /fapi/v1/feeBurn": "feeBurn!",
    "GET /fapi/v1/accountConfig": "",
    "GET /fapi/v1/symbolConfig": "symbol",
    "GET /fapi/v1/leverageBracket": "symbol",
    "GET /fapi/v1/rateLimit/order": "",
    "GET /fapi/v1/apiTradingStatus": "symbol",
}


def _parameter(path: str, sign: str) -> Parameter:
    name = sign.removesuffix("!")
    words = _TYPES[path] if name == "type" else _WORDS.get(name, ())
    kind = Kind.WORD if words else _KINDS[name]
    return Parameter(name=name, kind=kind, required=sign != name, words=words)


def _table() -> dict[Request, tuple[Parameter, ...]]:
    table: dict[Request, tuple[Parameter, ...]] = {}
    for row, signs in _ROWS.items():
        method, path = row.split()
        table[method, path] = tuple(_parameter(path, sign) for sign in signs.split())
    return table


#: The parameters of every request of the table of routes, in the order in which people know them.
PARAMETERS = MappingProxyType(_table())
