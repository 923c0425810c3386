"""Requests made up by seed from the table of parameters: some right, some wrong in one thing, some in everything.

`Forge` draws a request as text, the way it would stand on the wire, so that a case that failed can be read and sent
again. What makes sense is drawn from what the exchange has at that moment: its orders, prices and times.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random  # noqa: TID251 - every draw comes from the test's seed
from urllib.parse import quote, urlencode

from tests.unit.simulated.test_requests_malformed import ODD

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.parameters import PARAMETERS, Kind, Parameter, Request
from jumar.exchange.simulated.core.text import text
from jumar.exchange.simulated.server.auth import sorted_payload
from jumar.exchange.simulated.server.ws_api import METHODS

KEY, SECRET = "key", "secret"
LISTEN_KEY = "/fapi/v1/listenKey"
WHOLE = re.compile(r"0|[1-9][0-9]{0,16}")  # what JSON may say without quotes just as well
NAMES = sorted({each.name for rows in PARAMETERS.values() for each in rows})
VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW")
ODDER = (
    *ODD,
    *(
        "1e9999",
        "-Infinity",
        "+1",
        "0x10",
        "1,5",
        "1_000",
        "\uff11\uff12",
        "½",
        "\u202e1",
        "\u200b",
        "ﬃ",
    ),
    *("undefined", "None", "TRUE", "False", "[null]", '{"a":{"b":[]}}', '"0.01"', "-0.001"),
    *("0.0000000000000000000000001", "00000000000000000001", "18446744073709551616", "\r\n", "%00"),
)
WAYS = ("right", "one thing", "several things", "raw text", "address", "credentials")
SHARES = (38, 26, 12, 6, 6, 12)
#: Requests that move the story on are drawn more often than those that only ask.
STORY: tuple[tuple[Request, int], ...] = (
    (("POST", "/fapi/v1/order"), 260),
    (("POST", "/fapi/v1/algoOrder"), 200),
    (("PUT", "/fapi/v1/order"), 60),
    (("DELETE", "/fapi/v1/order"), 60),
    (("DELETE", "/fapi/v1/algoOrder"), 60),
    (("POST", "/fapi/v1/batchOrders"), 60),
    (("PUT", "/fapi/v1/batchOrders"), 20),
    (("DELETE", "/fapi/v1/batchOrders"), 20),
    (("POST", "/fapi/v1/leverage"), 10),
    (("POST", "/fapi/v1/positionMargin"), 20),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it was sent: by REST, or as a frame of the WebSocket API.

    A frame has the method and path of the request it stands for, and none when it is no whole frame.
    """

    way: str
    method: str
    path: str
    query: str = ""
    body: str = ""
    api_key: str | None = KEY
    frame: str = ""


def signature(payload: str) -> str:
    """HMAC-SHA256 of a payload, hexadecimal."""
    return hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()


class Forge:
    """Draws requests to one exchange.

    Args:
        seed: decides everything.
    """

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self._exchange = exchange
        self._dice = Random(seed)
        self._requests: list[Request] = [*PARAMETERS, *((v, LISTEN_KEY) for v in VERBS[:4])]
        self._weights = [dict(STORY).get(request, 6) for request in self._requests]
        self._names = 0

    def draw(self, now_ms: int) -> Asked:
        """The next request, for a clock that shows `now_ms`."""
        dice = self._dice
        (method, path) = dice.choices(self._requests, self._weights)[0]
        (way,) = dice.choices(WAYS, SHARES)
        params = self.sense((method, path), now_ms)
        if way in ("one thing", "several things", "credentials"):
            for _ in range(1 if way == "one thing" else dice.randint(2, 6)):
                params = self._spoiled(params)
        if way == "address":
            method, path = self._elsewhere(method, path)
        stamped = {**params, "timestamp": str(now_ms - dice.choice((0, 0, 3, 900, 4000)))}
        if dice.random() < 0.3:
            stamped["recvWindow"] = dice.choice(("5000", "60000", "1", "4000"))
        if way == "credentials":
            stamped |= self._unbelievable(now_ms)
        frames = [name for name, target in METHODS.items() if target == (method, path)]
        if frames and dice.random() < 0.3:
            return self._frame(way, dice.choice(frames), stamped)
        return self._rest(way, (method, path), stamped)

    def sense(self, request: Request, now_ms: int) -> dict[str, str]:
        """Parameters with which the request is likely to succeed."""
        match request:
            case ("POST", "/fapi/v1/order" | "/fapi/v1/order/test"):
                return self._sided(self._order(now_ms))
            case ("POST", "/fapi/v1/algoOrder"):
                return self._sided(self._conditional(now_ms))
            case ("PUT", "/fapi/v1/order"):
                return self._modification()
            case ("POST", "/fapi/v1/batchOrders"):
                orders = [self._order(now_ms) for _ in range(self._dice.randint(1, 5))]
                return self._batch([self._sided(order) for order in orders])
            case ("PUT", "/fapi/v1/batchOrders"):
                return self._batch([self._modification() for _ in range(self._dice.randint(1, 5))])
            case ("DELETE" | "GET", "/fapi/v1/order" | "/fapi/v1/openOrder"):
                return self._named_order()
        params = {
            each.name: self._value(request[1], each, now_ms)
            for each in PARAMETERS.get(request, ())
            if each.required or self._dice.random() < 0.3
        }
        if request[0] == "DELETE" and "orderIdList" in params:
            del params["orderIdList"]
        return params

    def _order(self, now_ms: int) -> dict[str, str]:
        dice, symbol = self._dice, self._symbol()
        base = {"symbol": symbol, "side": dice.choice(("BUY", "SELL")), "type": "LIMIT"}
        base |= {"quantity": self._quantity(symbol), "newClientOrderId": self._new_name()}
        if dice.random() < 0.3:
            base["newOrderRespType"] = "RESULT"
        if dice.random() < 0.25:
            base["reduceOnly"] = "true"
        if dice.random() < 0.3:
            return {**base, "type": "MARKET"}
        life = dice.choice(("GTC", "GTC", "GTC", "IOC", "FOK", "GTX", "GTD", "RPI"))
        base["timeInForce"] = life
        if life == "GTD":
            base["goodTillDate"] = str(now_ms + dice.choice((601_000, 900_000)))
        if dice.random() < 0.1:
            return {**base, "priceMatch": dice.choice(("QUEUE", "OPPONENT", "QUEUE_5"))}
        modes = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
        if dice.random() < 0.4:
            base["selfTradePreventionMode"] = dice.choice(modes)
        return {**base, "price": self._price(symbol, 0.003)}

    def _conditional(self, now_ms: int) -> dict[str, str]:
        dice, symbol = self._dice, self._symbol()
        side, falls = dice.choice(("BUY", "SELL")), dice.random() < 0.5
        kind = "STOP" if falls == (side == "SELL") else "TAKE_PROFIT"
        trigger = self._price(symbol, 0.004, below=falls)
        base = {"symbol": symbol, "side": side, "algoType": "CONDITIONAL"}
        base |= {"clientAlgoId": self._new_name(), "quantity": self._quantity(symbol)}
        base["workingType"] = dice.choice(("MARK_PRICE", "CONTRACT_PRICE"))
        if dice.random() < 0.4:
            base["reduceOnly"] = "true"
        if dice.random() < 0.15:
            rate = dice.choice(("0.1", "0.5", "1"))
            return {**base, "type": "TRAILING_STOP_MARKET", "callbackRate": rate}
        if dice.random() < 0.3:
            life = dice.choice(("GTC", "GTD", "IOC"))
            till = {"goodTillDate": str(now_ms + 700_000)} if life == "GTD" else {}
            limit = {"price": trigger, "triggerPrice": trigger, "timeInForce": life}
            return {**base, "type": kind, **limit, **till}
        base |= {"type": f"{kind}_MARKET", "triggerPrice": trigger}
        if dice.random() < 0.35:
            base = {name: base[name] for name in base if name not in ("quantity", "reduceOnly")}
            base["closePosition"] = "true"
        return base

    def _sided(self, order: dict[str, str]) -> dict[str, str]:
        """The order as it must be in the account's position mode."""
        if not self._exchange.peek("/fapi/v1/positionSide/dual", {}, 0)["dualSidePosition"]:
            return order
        if self._dice.random() < 0.9:
            order = {name: order[name] for name in order if name != "reduceOnly"}
        return {**order, "positionSide": self._dice.choice(("LONG", "SHORT"))}

    def _modification(self) -> dict[str, str]:
        symbol = self._symbol()
        known = self._exchange.orders(symbol)
        order = self._dice.choice(known) if known else None
        side = self._dice.choice(("BUY", "SELL")) if order is None else order.side.value
        number = "1" if order is None else str(order.order_id)
        wish = {"quantity": self._quantity(symbol), "price": self._price(symbol, 0.003)}
        return {"symbol": symbol, "side": side, "orderId": number, **wish}

    def _named_order(self) -> dict[str, str]:
        symbol = self._symbol()
        known = self._exchange.orders(symbol)
        if not known:
            return {"symbol": symbol, "orderId": str(8_000_000_001 + self._dice.randint(0, 40))}
        order = self._dice.choice(known)
        if self._dice.random() < 0.5:
            return {"symbol": symbol, "orderId": str(order.order_id)}
        return {"symbol": symbol, "origClientOrderId": order.client_id}

    def _batch(self, rows: list[dict[str, str]]) -> dict[str, str]:
        wanted: list[object] = list(rows)
        if self._dice.random() < 0.25:
            wanted[0] = self._dice.choice(({}, {"symbol": 1}, {**rows[0], "quantity": -1}, rows))
        return {"batchOrders": json.dumps(wanted)}

    def _value(self, path: str, of: Parameter, now_ms: int) -> str:
        dice = self._dice
        match of.kind:
            case Kind.SYMBOL:
                return self._symbol()
            case Kind.WORD:
                return dice.choice(of.words)
            case Kind.BOOLEAN:
                # the rarer, the longer an account stays one that can trade
                return dice.choice(("true", *["false"] * 5))
            case Kind.TIME:
                return str(now_ms - dice.randint(0, 100_000_000))
            case Kind.LIST:
                names = [order.client_id for order in self._exchange.orders(self._symbol())]
                return json.dumps(names[:3] or ["nobody"])
            case Kind.CLIENT_ID:
                return self._old_name()
            case Kind.DECIMAL:
                return str(dice.randint(1, 9))
            case Kind.TEXT:
                return dice.choice(("COMMISSION", "REALIZED_PNL", "FUNDING_FEE", "TRANSFER"))
            case Kind.INTEGER:
                return self._integer(of.name)

    def _integer(self, name: str) -> str:
        if name == "algoId":
            waiting = self._exchange.conditionals(self._symbol())
            return str(self._dice.choice(waiting).algo_id) if waiting else "1000000000000001"
        most = {"limit": 1000, "page": 3, "leverage": 125, "countdownTime": 100_000}.get(name, 50)
        return str(self._dice.choice((1, 5, 20, 50, self._dice.randint(1, most))))

    def _spoiled(self, params: dict[str, str]) -> dict[str, str]:
        """The parameters with one thing wrong."""
        dice = self._dice
        names = list(params) or ["symbol"]
        name = dice.choice(names)
        value = params.get(name, "")
        match dice.randint(0, 7):
            case 0:
                return {other: params[other] for other in params if other != name}
            case 1:
                return {**params, name: ""}
            case 2:
                return {**params, name: value.swapcase()}
            case 3:
                others = {other: params[other] for other in params if other != name}
                return {**others, name.swapcase(): value}
            case 4:
                return {**params, dice.choice(NAMES): dice.choice(ODDER)}
            case 5:
                return {**params, dice.choice(("", "x", "\uff04", name + " ")): dice.choice(ODDER)}
            case 6 if value.isdecimal() or value.replace(".", "", 1).isdecimal():
                before, behind = dice.choice(("-", "", "0", "1e")), dice.choice(("0" * 9, "e5", ""))
                return {**params, name: f"{before}{value}{behind}"}
        return {**params, name: dice.choice(ODDER)}

    def _elsewhere(self, method: str, path: str) -> Request:
        dice = self._dice
        odd = (
            path.upper(),
            path + "/",
            path.replace("v1", "v9"),
            "/fapi/v1/",
            "//",
            path[1:],
            "/é",
        )
        return dice.choice(((dice.choice(VERBS), path), (method, dice.choice(odd))))

    def _unbelievable(self, now_ms: int) -> dict[str, str]:
        dice = self._dice
        times = (now_ms + 1000, now_ms + 999, now_ms - 5001, now_ms - 60_001, 0, -1, 10**17)
        return dice.choice(
            (
                {"timestamp": str(dice.choice(times))},
                {"timestamp": dice.choice(ODDER)},
                {"recvWindow": dice.choice((*ODDER, "60001"))},
                {"signature": dice.choice(ODDER)},
                {"apiKey": dice.choice(ODDER)},
            )
        )

    def _rest(self, way: str, request: Request, params: dict[str, str]) -> Asked:
        dice = self._dice
        spoiled = params.pop("signature", None)
        api_key = params.pop("apiKey", KEY) or None
        raw = urlencode(params) if dice.random() < 0.9 else urlencode(params, quote_via=quote)
        if way == "raw text":
            raw = self._torn(raw)
        sign = signature(raw) if spoiled is None else quote(spoiled)
        asked = Asked(way=way, method=request[0], path=request[1], api_key=api_key)
        if dice.random() < 0.3:
            return replace(asked, body=f"{raw}&signature={sign}")
        if dice.random() < 0.1 and "&" in raw:
            head, _, tail = raw.partition("&")
            both = signature(head + tail) if spoiled is None else sign
            return replace(asked, query=head, body=f"{tail}&signature={both}")
        return replace(asked, query=f"{raw}&signature={sign}")

    def _torn(self, raw: str) -> str:
        """A query that no encoder would write."""
        dice, parts = self._dice, raw.split("&")
        match dice.randint(0, 5):
            case 0:
                return "&".join([*parts, dice.choice(parts)])
            case 1:
                return raw.replace("=", dice.choice(("", "==", "%3D", ";")), 1)
            case 2:
                return raw + dice.choice(("&%GG=%", "&&&", "&=", "&=1", "&a", "#x", "&\u20ac=1"))
            case 3:
                return raw.replace("&", dice.choice((";", "&&", "%26", " ")), 1)
            case 4:
                return "&".join(dice.sample(parts, len(parts)))
            case _:
                return raw[: dice.randint(0, len(raw))]

    def _frame(self, way: str, method: str, params: dict[str, str]) -> Asked:
        dice = self._dice
        params = {"apiKey": KEY, **params}
        params.setdefault("signature", signature(sorted_payload(params)))
        sent: dict[str, object] = dict(params)
        if dice.random() < 0.3:
            sent |= {n: int(value) for n, value in params.items() if WHOLE.fullmatch(value)}
        if way == "address":
            method = dice.choice((method.upper(), method + ".", "", "order", "session.guess"))
        number = dice.choice((1, "a", None, 10**15, -1))
        text_of = json.dumps({"id": number, "method": method, "params": sent})
        if way == "raw text":
            text_of = dice.choice(
                (text_of[:-1], text_of + text_of, f"[{text_of}]", "null", "", "{}")
            )
        target = METHODS.get(method, ("", method)) if way != "raw text" else ("", "")
        return Asked(way=way, method=target[0], path=target[1], frame=text_of or " ")

    def _symbol(self) -> str:
        return self._dice.choice(self._exchange.symbols)

    def _quantity(self, symbol: str) -> str:
        smallest = Decimal("0.001") if symbol == "BTCUSDT" else Decimal("0.010")
        return text(smallest * self._dice.choice((1, 1, 2, 3, 5, 8, 30)))

    def _price(self, symbol: str, share: float, *, below: bool | None = None) -> str:
        step = self._exchange.step(symbol)
        assert step is not None
        least, most = {None: (-share, share), True: (-share, 0.0), False: (0.0, share)}[below]
        away = Decimal(self._dice.uniform(least, most))
        return text((step.last * (1 + away)).quantize(Decimal("0.1")))

    def _new_name(self) -> str:
        self._names += 1
        return f"made-{self._names}" if self._dice.random() < 0.97 else self._old_name()

    def _old_name(self) -> str:
        return f"made-{self._dice.randint(1, self._names + 1)}"
