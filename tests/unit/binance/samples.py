"""Answers and events as Binance's pages and logs show them, cut to what a test needs.

Sources: official SDK samples (17.2.0 and 18.0.1, 2026), the user data stream pages (read 2026-09) and a production
log of one triggered stop (2025-12-11).
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from jumar.model.order import OrderRequest, OrderType, Role, Side, TimeInForce, WorkingType

type Json = dict[str, Any]

ENTRY_ID = "jm-abcdefghij-E1"
STOP_ID = "jm-abcdefghij-S1"
ENTRY_REQUEST = OrderRequest(
    symbol="BTCUSDT",
    client_id=ENTRY_ID,
    role=Role.ENTRY,
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=Decimal("0.013"),
    price=Decimal("90786.6"),
    time_in_force=TimeInForce.GTX,
)
STOP_REQUEST = OrderRequest(
    symbol="BTCUSDT",
    client_id=STOP_ID,
    role=Role.STOP,
    side=Side.SELL,
    type=OrderType.STOP_MARKET,
    quantity=Decimal("0.013"),
    trigger_price=Decimal(90380),
    reduce_only=True,
    working_type=WorkingType.MARK_PRICE,
)
BACKSTOP_REQUEST = replace(
    STOP_REQUEST,
    client_id="jm-abcdefghij-B1",
    role=Role.BACKSTOP,
    quantity=None,
    reduce_only=False,
    close_position=True,
    trigger_price=Decimal(90300),
)
ORDER_ANSWER: Json = {
    "clientOrderId": ENTRY_ID,
    "cumQty": "0",
    "executedQty": "0",
    "orderId": 22542179,
    "origQty": "0.013",
    "price": "90786.6",
    "reduceOnly": False,
    "side": "BUY",
    "positionSide": "BOTH",
    "status": "NEW",
    "stopPrice": "0",
    "closePosition": False,
    "symbol": "BTCUSDT",
    "timeInForce": "GTX",
    "type": "LIMIT",
    "origType": "LIMIT",
    "updateTime": 1566818724722,
    "workingType": "CONTRACT_PRICE",
    "priceProtect": False,
    "priceMatch": "NONE",
    "selfTradePreventionMode": "EXPIRE_MAKER",
    "goodTillDate": 0,
}
ORDER_READ: Json = ORDER_ANSWER | {
    "avgPrice": "90786.60000",
    "cumQuote": "1180.22580",
    "executedQty": "0.013",
    "status": "FILLED",
    "time": 1566818724000,
}
ALGO_PLACED: Json = {
    "algoId": 2146760,
    "clientAlgoId": STOP_ID,
    "algoType": "CONDITIONAL",
    "orderType": "STOP_MARKET",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "positionSide": "BOTH",
    "timeInForce": "GTC",
    "quantity": "0.013",
    "algoStatus": "NEW",
    "triggerPrice": "90380.000",
    "price": "0.000",
    "icebergQuantity": None,
    "selfTradePreventionMode": "EXPIRE_MAKER",
    "workingType": "MARK_PRICE",
    "priceMatch": "NONE",
    "closePosition": False,
    "priceProtect": False,
    "reduceOnly": True,
    "activatePrice": "",
    "callbackRate": "",
    "createTime": 1750485492076,
    "updateTime": 1750485492076,
    "triggerTime": 0,
    "goodTillDate": 0,
}
ALGO_READ: Json = ALGO_PLACED | {
    "algoStatus": "CANCELED",
    "actualOrderId": "",
    "actualPrice": "0.00000",
    "actualType": "MARKET",
    "actualQty": "0.013",
    "tpOrderType": "",
}
SYMBOL_INFO: Json = {
    "symbol": "BTCUSDT",
    "contractType": "PERPETUAL",
    "status": "TRADING",
    "quoteAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "filters": [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "556.80",
            "maxPrice": "4529764",
            "tickSize": "0.10",
        },
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "50"},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": "1.0500",
            "multiplierDown": "0.9500",
            "multiplierDecimal": "4",
        },
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
    ],
}
BRACKETS: Json = {
    "symbol": "BTCUSDT",
    "notionalCoef": 1.5,
    "brackets": [
        {
            "bracket": 2,
            "initialLeverage": 50,
            "notionalCap": 100000,
            "notionalFloor": 10000,
            "maintMarginRatio": 0.01,
            "cum": 35.0,
        },
        {
            "bracket": 1,
            "initialLeverage": 75,
            "notionalCap": 10000,
            "notionalFloor": 0,
            "maintMarginRatio": 0.0065,
            "cum": 0,
        },
    ],
}
COMMISSION: Json = {
    "symbol": "BTCUSDT",
    "makerCommissionRate": "0.0002",
    "takerCommissionRate": "0.0004",
    "rpiCommissionRate": "0.00005",
}
ACCOUNT_CONFIG: Json = {
    "feeTier": 0,
    "canTrade": True,
    "canDeposit": True,
    "dualSidePosition": False,
    "updateTime": 0,
    "multiAssetsMargin": False,
    "tradeGroupId": -1,
}
SYMBOL_CONFIG: Json = {
    "symbol": "BTCUSDT",
    "marginType": "ISOLATED",
    "isAutoAddMargin": False,
    "leverage": 21,
    "maxNotionalValue": "1000000",
}
ACCOUNT: Json = {
    "totalWalletBalance": "126.72469206",
    "availableBalance": "126.72469206",
    "assets": [
        {
            "asset": "BNB",
            "walletBalance": "1",
            "marginBalance": "1",
            "availableBalance": "1",
            "updateTime": 1625474304765,
        },
        {
            "asset": "USDT",
            "walletBalance": "23.72",
            "unrealizedProfit": "-1.00",
            "marginBalance": "22.72",
            "availableBalance": "20.5",
            "updateTime": 1625474304765,
        },
    ],
    "positions": [],
}
POSITION: Json = {
    "symbol": "BTCUSDT",
    "positionSide": "BOTH",
    "positionAmt": "-0.013",
    "entryPrice": "90786.6",
    "breakEvenPrice": "90790",
    "markPrice": "90700.1",
    "liquidationPrice": "108000.5",
    "marginAsset": "USDT",
    "adl": 2,
    "updateTime": 1720736417660,
}
USER_TRADE: Json = {
    "buyer": False,
    "commission": "0.07819010",
    "commissionAsset": "USDT",
    "id": 698759,
    "maker": False,
    "orderId": 25851813,
    "price": "7819.01",
    "qty": "0.002",
    "quoteQty": "15.63802",
    "realizedPnl": "-0.91539999",
    "side": "SELL",
    "positionSide": "BOTH",
    "symbol": "BTCUSDT",
    "time": 1569514978020,
}
BOOK_TICKER: Json = {
    "symbol": "BTCUSDT",
    "bidPrice": "4.00000000",
    "bidQty": "431.00000000",
    "askPrice": "4.00000200",
    "askQty": "9.00000000",
    "time": 1589437530011,
}
ORDER_TRADE_UPDATE: Json = {
    "e": "ORDER_TRADE_UPDATE",
    "E": 1568879465651,
    "T": 1568879465650,
    "o": {
        "s": "BTCUSDT",
        "c": STOP_ID,
        "S": "SELL",
        "o": "MARKET",
        "f": "GTC",
        "q": "0.013",
        "p": "0",
        "ap": "90379.1",
        "sp": "0",
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "i": 8886774,
        "l": "0.003",
        "z": "0.003",
        "L": "90379.1",
        "N": "USDT",
        "n": "0.10845492",
        "T": 1568879465649,
        "t": 647533313,
        "b": "0",
        "a": "9.91",
        "m": False,
        "R": True,
        "wt": "CONTRACT_PRICE",
        "ot": "MARKET",
        "ps": "BOTH",
        "cp": False,
        "AP": None,
        "cr": None,
        "pP": False,
        "rp": "-1.2225",
        "V": "EXPIRE_TAKER",
        "gtd": 0,
        "er": "0",
    },
}
ALGO_UPDATE: Json = {
    "e": "ALGO_UPDATE",
    "T": 1765431097030,
    "E": 1765431097037,
    "o": {
        "caid": STOP_ID,
        "aid": 1000000033225453,
        "at": "CONDITIONAL",
        "o": "STOP_MARKET",
        "s": "BTCUSDT",
        "S": "SELL",
        "ps": "BOTH",
        "f": "GTC",
        "q": "0.013",
        "X": "TRIGGERED",
        "ai": "88937381063",
        "ap": "0",
        "aq": "0",
        "act": "MARKET",
        "tp": "90380",
        "p": "0",
        "V": "EXPIRE_MAKER",
        "wt": "MARK_PRICE",
        "pm": "NONE",
        "cp": False,
        "pP": False,
        "R": True,
        "tt": 1765431097019,
        "gtd": 0,
    },
}
ACCOUNT_UPDATE: Json = {
    "e": "ACCOUNT_UPDATE",
    "E": 1564745798939,
    "T": 1564745798938,
    "a": {
        "m": "ORDER",
        "B": [
            {"a": "BNB", "wb": "1", "cw": "1", "bc": "0"},
            {"a": "USDT", "wb": "122624.12345678", "cw": "100.12345678", "bc": "50.12345678"},
        ],
        "P": [
            {
                "s": "BTCUSDT",
                "pa": "-0.013",
                "ep": "90786.60000",
                "cr": None,
                "up": "0",
                "mt": "isolated",
                "iw": "0.00000000",
                "ps": "BOTH",
            }
        ],
    },
}
LEVERAGE_UPDATE: Json = {
    "e": "ACCOUNT_CONFIG_UPDATE",
    "E": 1611646737479,
    "T": 1611646737476,
    "ac": {"s": "BTCUSDT", "l": 25},
}
KEY_EXPIRED: Json = {"e": "listenKeyExpired", "E": "1736996475556", "listenKey": "gone"}
BOOK_EVENT: Json = {
    "stream": "btcusdt@bookTicker",
    "data": {
        "e": "bookTicker",
        "u": 400900217,
        "E": 1568014460893,
        "T": 1568014460891,
        "s": "BTCUSDT",
        "ps": "BTCUSDT",
        "b": "25.35190000",
        "B": "31.21000000",
        "a": "25.36520000",
        "A": "40.66000000",
        "st": 1,
    },
}
MARK_EVENT: Json = {
    "stream": "btcusdt@markPrice@1s",
    "data": {
        "e": "markPriceUpdate",
        "E": 1562305380000,
        "s": "BTCUSDT",
        "p": "11794.15000000",
        "ap": "11794.15000000",
        "i": "11784.62659091",
        "r": "0.00038167",
        "T": 1562306400000,
        "st": 1,
    },
}
TRADE_EVENT: Json = {
    "stream": "btcusdt@aggTrade",
    "data": {
        "e": "aggTrade",
        "E": 123456789,
        "s": "BTCUSDT",
        "a": 5933014,
        "p": "0.001",
        "q": "100",
        "f": 100,
        "l": 105,
        "T": 123456785,
        "m": True,
        "st": 1,
    },
}
EVENTS: tuple[Json, ...] = (
    ORDER_TRADE_UPDATE,
    ALGO_UPDATE,
    ACCOUNT_UPDATE,
    LEVERAGE_UPDATE,
    KEY_EXPIRED,
    BOOK_EVENT,
    MARK_EVENT,
    TRADE_EVENT,
)
