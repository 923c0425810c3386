"""python-binance, pointed at the exchange through class attributes."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import ClassVar, Self

from tests.peers import row as told
from tests.peers.row import Act, Foreign, maybe, number
from tests.peers.venue import SYMBOL, Venue, credentials

with warnings.catch_warnings():
    # it still imports a class under the name that websockets has given up
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance import AsyncClient, BinanceSocketManager
    from binance.exceptions import BinanceAPIException

SELL = {"symbol": SYMBOL, "side": "SELL"}
#: How long its reading of a socket goes on after it was told to end.
WAKE_S = 0.2
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.013"}
#: What each refused request asks for: what kind of call, and its parameters.
REFUSED: dict[str, tuple[str, dict[str, Foreign]]] = {
    "cancel of nothing": ("cancel", {"symbol": SYMBOL, "orderId": 1}),
    "query of nothing": ("query", {"symbol": SYMBOL, "orderId": 1}),
    "stop beyond the market": (
        "create",
        {**SELL, "type": "STOP_MARKET", "quantity": "0.013", "stopPrice": "99000"},
    ),
    "reduce of nothing": (
        "create",
        {**SELL, "type": "MARKET", "quantity": "0.013", "reduceOnly": "true"},
    ),
    "post-only that would take": ("create", {**LIMIT, "price": "91000", "timeInForce": "GTX"}),
}


def shown(order: Foreign) -> told.Shown:
    """The answer about an order of either kind."""
    if "algoId" in order:
        return told.Shown(
            id=str(order["algoId"]),
            side=order["side"],
            price=maybe(order["triggerPrice"]),
            quantity=maybe(order["quantity"] or None),
            status=order["algoStatus"],
        )
    return told.Shown(
        id=str(order["orderId"]),
        side=order["side"],
        price=maybe(order["price"]),
        quantity=maybe(order["origQty"]),
        status=order["status"],
    )


@asynccontextmanager
async def pointed(venue: Venue, *, ed25519: bool) -> AsyncIterator[Foreign]:
    """The client, the way its users point it elsewhere."""
    urls = venue.urls
    addresses = {
        "API_URL": f"{urls['rest']}/api",
        "FUTURES_URL": f"{urls['rest']}/fapi",
        "WS_FUTURES_URL": urls["ws_api"],
    }
    kind: Foreign = type("Client", (AsyncClient,), addresses)
    key, secret = credentials(urls, ed25519=ed25519)
    client = await kind.create(key, **{"private_key" if ed25519 else "api_secret": secret})
    try:
        yield client
    finally:
        await client.close_connection()


class PythonBinanceOrders:
    """What REST and the WebSocket API do alike: `names` are the client's functions for the same request."""

    names: ClassVar[dict[str, str]]

    def __init__(self, client: Foreign, venue: Venue) -> None:
        self._client = client
        self._venue = venue
        self._named = ""

    async def call(self, request: str, /, **params: Foreign) -> Foreign:
        """One of the client's functions."""
        return await getattr(self._client, self.names[request])(**params)

    async def limit(self, quantity: str, price: str) -> told.Shown:
        """A resting buy."""
        terms = {**LIMIT, "quantity": quantity, "price": price, "timeInForce": "GTC"}
        return shown(await self.call("create", **terms))

    async def modify(self, order_id: str, quantity: str, price: str) -> told.Shown:
        """Other terms for a resting buy."""
        order = await self.call(
            "modify", symbol=SYMBOL, side="BUY", quantity=quantity, price=price, orderId=order_id
        )
        return shown(order)

    async def cancel(self, order_id: str) -> told.Shown:
        """No more of it."""
        return shown(await self.call("cancel", symbol=SYMBOL, orderId=order_id))

    async def buy(self, quantity: str) -> told.Shown:
        """A market order."""
        order = await self.call(
            "create",
            symbol=SYMBOL,
            side="BUY",
            type="MARKET",
            quantity=quantity,
            newOrderRespType="RESULT",
        )
        return shown(order)

    async def stop(self, quantity: str, trigger: str) -> told.Shown:
        """A selling stop."""
        return await self._conditional("STOP_MARKET", trigger, quantity=quantity, reduceOnly="true")

    async def target(self, quantity: str, trigger: str) -> told.Shown:
        """A selling target."""
        return await self._conditional(
            "TAKE_PROFIT_MARKET", trigger, quantity=quantity, reduceOnly="true"
        )

    async def close_at(self, trigger: str) -> told.Shown:
        """A selling stop of whatever there is."""
        return await self._conditional("STOP_MARKET", trigger, closePosition="true")

    async def hedge(self) -> bool:
        """Hedge mode, by REST in either row; whether the client takes it as done."""
        answer = await self._client.futures_change_position_mode(dualSidePosition="true")
        return bool(answer["code"] == 200)

    async def open_side(self, side: str, quantity: str) -> told.Shown:
        """A market order that opens a side."""
        return await self._sided(told.OPENS, side, type="MARKET", quantity=quantity)

    async def close_side(self, side: str, quantity: str) -> told.Shown:
        """A market order that closes a side."""
        return await self._sided(told.CLOSES, side, type="MARKET", quantity=quantity)

    async def stop_side(self, side: str, trigger: str) -> told.Shown:
        """A stop of whatever a side is."""
        terms = {"type": "STOP_MARKET", "stopPrice": trigger, "closePosition": "true"}
        return await self._sided(told.CLOSES, side, **terms)

    async def sides(self) -> dict[str, told.ShownPosition]:
        """The positions by their side."""
        return {row["positionSide"]: _position(row) for row in await self.positions()}

    async def position(self) -> told.ShownPosition:
        """The position."""
        (row,) = await self.positions()
        return _position(row)

    async def positions(self) -> list[Foreign]:
        """What the client says is held."""
        rows: list[Foreign] = await self.call("positions", symbol=SYMBOL)
        return rows

    async def refused(self, what: str) -> int:
        """The code of a request that is refused."""
        kind, params = REFUSED[what]
        return await refusal(self.call(kind, **params))

    async def _sided(self, ways: dict[str, str], side: str, **terms: Foreign) -> told.Shown:
        sided = {"symbol": SYMBOL, "side": ways[side], "positionSide": side}
        return shown(await self.call("create", **sided, **terms))

    async def _conditional(self, kind: str, trigger: str, **terms: Foreign) -> told.Shown:
        order = await self.call("create", **SELL, type=kind, stopPrice=trigger, **terms)
        self._named = order["clientAlgoId"]
        return shown(order)


class PythonBinance(PythonBinanceOrders):
    """python-binance over REST."""

    name: ClassVar[str] = "python-binance"

    names: ClassVar[dict[str, str]] = {
        "create": "futures_create_order",
        "modify": "futures_modify_order",
        "cancel": "futures_cancel_order",
        "query": "futures_get_order",
        "positions": "futures_position_information",
    }

    @classmethod
    @asynccontextmanager
    async def connected(cls, venue: Venue, *, ed25519: bool = False) -> AsyncIterator[Self]:
        """The client."""
        async with pointed(venue, ed25519=ed25519) as client:
            yield cls(client, venue)

    async def time(self) -> int:
        """The exchange's time."""
        return int((await self._client.futures_time())["serverTime"])

    async def market(self) -> told.ShownMarket:
        """The contract."""
        information = await self._client.futures_exchange_info()
        (contract,) = (each for each in information["symbols"] if each["symbol"] == SYMBOL)
        filters = {each["filterType"]: each for each in contract["filters"]}
        return told.ShownMarket(
            tick=number(filters["PRICE_FILTER"]["tickSize"]),
            step=number(filters["LOT_SIZE"]["stepSize"]),
        )

    async def prices(self) -> told.ShownPrices:
        """Book, bars and the day's summary."""
        book = await self._client.futures_order_book(symbol=SYMBOL)
        day = await self._client.futures_ticker(symbol=SYMBOL)
        bars = await self._client.futures_klines(symbol=SYMBOL, interval="1m")
        last = number(day["lastPrice"])
        assert number(bars[-1][4]) == last
        return told.ShownPrices(
            bid=number(book["bids"][0][0]), ask=number(book["asks"][0][0]), last=last
        )

    async def set_leverage(self, leverage: int) -> int:
        """Set it; what the client says it is."""
        answer = await self._client.futures_change_leverage(symbol=SYMBOL, leverage=leverage)
        return int(answer["leverage"])

    async def set_margin_type(self) -> bool:
        """Isolate; whether the client takes it as done."""
        answer = await self._client.futures_change_margin_type(symbol=SYMBOL, marginType="ISOLATED")
        return bool(answer["code"] == 200)

    async def fired(self, algo_id: str) -> told.Shown:
        """The order a conditional order became."""
        order = await self._client.futures_get_order(algoId=algo_id)
        child = await self._client.futures_get_order(symbol=SYMBOL, orderId=order["actualOrderId"])
        return shown(child)

    async def open_orders(self) -> list[str]:
        """Ids of resting orders."""
        orders = await self._client.futures_get_open_orders(symbol=SYMBOL)
        return [str(order["orderId"]) for order in orders]

    async def open_conditionals(self) -> list[str]:
        """Ids of waiting conditional orders."""
        orders = await self._client.futures_get_open_orders(symbol=SYMBOL, conditional=True)
        return [str(order["algoId"]) for order in orders]

    async def balance(self) -> Decimal:
        """The wallet with what is unrealized, in USDT."""
        return number((await self._client.futures_account())["totalMarginBalance"])

    async def rest_both(self, quantity: str, prices: Sequence[str]) -> list[told.Shown]:
        """Resting buys, placed at once."""
        terms = {**LIMIT, "quantity": quantity, "timeInForce": "GTC"}
        orders = [{**terms, "price": price} for price in prices]
        placed = await self._client.futures_place_batch_order(batchOrders=orders)
        return [shown(order) for order in placed]

    async def cancel_both(self, ids: list[str]) -> list[told.Shown]:
        """No more of them, at once."""
        numbers = [int(order_id) for order_id in ids]
        gone = await self._client.futures_cancel_orders(symbol=SYMBOL, orderidlist=numbers)
        return [shown(order) for order in gone]

    async def trades(self) -> list[told.ShownTrade]:
        """Own executions."""
        return [
            told.ShownTrade(
                order_id=str(trade["orderId"]),
                price=number(trade["price"]),
                quantity=number(trade["qty"]),
                fee=number(trade["commission"]),
            )
            for trade in await self._client.futures_account_trades(symbol=SYMBOL)
        ]


class PythonBinanceSockets(PythonBinanceOrders):
    """python-binance over sockets: orders by the WebSocket API, the rest heard from streams."""

    name: ClassVar[str] = "python-binance, sockets"

    names: ClassVar[dict[str, str]] = {
        "create": "ws_futures_create_order",
        "modify": "ws_futures_edit_order",
        "cancel": "ws_futures_cancel_order",
        "query": "ws_futures_get_order",
        "positions": "ws_futures_v2_account_position",
    }

    def __init__(self, client: Foreign, venue: Venue) -> None:
        super().__init__(client, venue)
        address = {"FSTREAM_URL": f"{venue.urls['stream']}/"}
        self._sockets = type("Sockets", (BinanceSocketManager,), address)(client)

    @classmethod
    @asynccontextmanager
    async def connected(cls, venue: Venue, *, ed25519: bool = False) -> AsyncIterator[Self]:
        """The client."""
        async with pointed(venue, ed25519=ed25519) as client:
            try:
                yield cls(client, venue)
            finally:
                await _closed(client.ws_future)

    async def time(self) -> int:
        """The time of its quote."""
        answer = await self._client.ws_futures_get_order_book_ticker(symbol=SYMBOL)
        return int(answer["time"])

    async def prices(self) -> told.ShownPrices:
        """Book and last price."""
        book = await self._client.ws_futures_get_order_book(symbol=SYMBOL)
        last = await self._client.ws_futures_get_all_tickers(symbol=SYMBOL)
        return told.ShownPrices(
            bid=number(book["bids"][0][0]),
            ask=number(book["asks"][0][0]),
            last=number(last["price"]),
        )

    async def fired(self, algo_id: str) -> told.Shown:
        """The order a conditional order became, which bears its name."""
        return shown(await self.call("query", symbol=SYMBOL, origClientOrderId=self._named))

    async def balance(self) -> Decimal:
        """The wallet with what is unrealized, in USDT."""
        return number((await self._client.ws_futures_v2_account_status())["totalMarginBalance"])

    async def hear_user(self, act: Act) -> told.Heard:
        """Orders of both kinds and the account."""
        async with _brisk(self._sockets.futures_user_socket()) as socket:
            await self._venue.listeners(1)
            await act()
            armed: str | None = None
            position: Decimal | None = None
            while True:
                event = await socket.recv()
                match event["e"]:
                    case "ALGO_UPDATE":
                        armed = str(event["o"]["aid"])
                    case "ACCOUNT_UPDATE":
                        position = number(event["a"]["P"][0]["pa"])
                    case "ORDER_TRADE_UPDATE" if event["o"]["X"] == "FILLED":
                        return told.Heard(
                            order_id=str(event["o"]["i"]),
                            status="FILLED",
                            position=position,
                            conditional=armed,
                        )

    async def hear_market(self, act: Act, mark: Decimal) -> told.Quotes:
        """Best bid and ask, mark price, book and bars."""
        manager = self._sockets
        async with (
            _brisk(manager.symbol_ticker_futures_socket(SYMBOL)) as quotes,
            _brisk(manager.symbol_mark_price_socket(SYMBOL)) as marks,
            _brisk(manager.futures_depth_socket(SYMBOL, depth="10")) as books,
            _brisk(manager.futures_multiplex_socket([f"{SYMBOL.lower()}@kline_1m"])) as bars,
        ):
            await self._venue.listeners(4)
            await act()
            quote = await _heard(quotes, "a", mark)
            marked = await _heard(marks, "p", mark)
            book, bar = await books.recv(), await bars.recv()
        assert book["data"]["b"] and bar["data"]["k"]["c"]
        return told.Quotes(bid=number(quote["b"]), ask=number(quote["a"]), mark=number(marked["p"]))


def _position(row: Foreign) -> told.ShownPosition:
    return told.ShownPosition(quantity=number(row["positionAmt"]), entry=number(row["entryPrice"]))


def _brisk(socket: Foreign) -> Foreign:
    """A socket that does not go on waiting for a message when it is told to end."""
    socket.TIMEOUT = WAKE_S
    return socket


async def _closed(socket: Foreign) -> None:
    """Close the WebSocket API's connection: its reader ends with the next message, so one is asked for."""
    closing = asyncio.create_task(socket.close())
    await asyncio.sleep(0)
    if socket.ws is not None:
        await socket.ws.send('{"id":"last","method":"ticker.price","params":{"symbol":"BTCUSDT"}}')
    await closing


async def _heard(socket: Foreign, price: str, above: Decimal) -> Foreign:
    """The first message of a combined stream whose price is not below."""
    while True:
        message = (await socket.recv())["data"]
        if number(message[price]) >= above:
            return message


async def refusal(asked: Foreign) -> int:
    """The code in python-binance's error.

    Raises:
        AssertionError: nothing was refused.
    """
    try:
        await asked
    except BinanceAPIException as error:
        return int(error.code)
    raise AssertionError("python-binance was not refused")
