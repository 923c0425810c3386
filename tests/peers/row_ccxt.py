"""ccxt and ccxt.pro, pointed at the exchange through `urls` alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, ClassVar, Self

import ccxt.async_support
import ccxt.pro
from ccxt.base.errors import BaseError
from tests.peers import row as told
from tests.peers.row import Act, Foreign, maybe, number
from tests.peers.venue import Venue, credentials

from jumar.exchange.simulated.server.config import Ready

SYMBOL = "BTC/USDT:USDT"
STATUSES = {"open": "NEW", "closed": "FILLED", "canceled": "CANCELED", None: ""}


def pointed(urls: Ready, *, ed25519: bool) -> dict[str, Any]:
    """The configuration a user of ccxt writes."""
    key, secret = credentials(urls, ed25519=ed25519)
    futures = {
        f"fapi{access}{suffix}": f"{urls['rest']}/fapi/{version}"
        for access in ("Public", "Private")
        for suffix, version in (("", "v1"), ("V2", "v2"), ("V3", "v3"))
    }
    return {
        "apiKey": key,
        "secret": secret,
        "enableRateLimit": False,
        "options": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
        "urls": {
            "api": {
                **futures,
                "sapi": f"{urls['rest']}/sapi/v1",
                "ws": {
                    "linear": f"{urls['stream']}/ws",
                    "ws-api": {"linear": urls["ws_api"]},
                },
            }
        },
    }


def shown(order: Foreign) -> told.Shown:
    """The unified order."""
    trigger = order["triggerPrice"]
    return told.Shown(
        id=order["id"],
        side=(order["side"] or "").upper(),
        price=maybe(order["price"] if trigger is None else trigger),
        quantity=maybe(order["amount"]),
        status=STATUSES[order["status"]],
    )


class CcxtOrders:
    """What both surfaces do alike: `suffix` chooses between functions over REST and over the WebSocket API."""

    suffix: ClassVar[str]
    library: ClassVar[Foreign]

    def __init__(self, client: Foreign, venue: Venue) -> None:
        self._client = client
        self._venue = venue
        self._named = ""

    @classmethod
    @asynccontextmanager
    async def connected(cls, venue: Venue, *, ed25519: bool = False) -> AsyncIterator[Self]:
        """The client with its markets loaded."""
        client = cls.library.binance(pointed(venue.urls, ed25519=ed25519))
        try:
            await client.load_markets()
            yield cls(client, venue)
        finally:
            await client.close()

    async def call(self, name: str, *arguments: Foreign) -> Foreign:
        """One of ccxt's functions."""
        return await getattr(self._client, name + self.suffix)(*arguments)

    async def limit(self, quantity: str, price: str) -> told.Shown:
        """A resting buy."""
        order = await self.call(
            "create_order", SYMBOL, "limit", "buy", float(quantity), float(price)
        )
        return shown(order)

    async def modify(self, order_id: str, quantity: str, price: str) -> told.Shown:
        """Other terms for a resting buy."""
        order = await self.call(
            "edit_order", order_id, SYMBOL, "limit", "buy", float(quantity), float(price)
        )
        return shown(order)

    async def cancel(self, order_id: str) -> told.Shown:
        """No more of it."""
        return shown(await self.call("cancel_order", order_id, SYMBOL))

    async def buy(self, quantity: str) -> told.Shown:
        """A market order."""
        return shown(await self.call("create_order", SYMBOL, "market", "buy", float(quantity)))

    async def stop(self, quantity: str, trigger: str) -> told.Shown:
        """A selling stop."""
        return await self._conditional(quantity, stopLossPrice=float(trigger), reduceOnly=True)

    async def target(self, quantity: str, trigger: str) -> told.Shown:
        """A selling target."""
        return await self._conditional(quantity, takeProfitPrice=float(trigger), reduceOnly=True)

    async def close_at(self, trigger: str) -> told.Shown:
        """A selling stop of whatever there is."""
        order = await self.call(
            "create_order",
            SYMBOL,
            "STOP_MARKET",
            "sell",
            None,
            None,
            {"stopPrice": trigger, "closePosition": True},
        )
        return shown(order)

    async def position(self) -> told.ShownPosition:
        """The position."""
        (position,) = await self.call("fetch_positions", [SYMBOL])
        return _position(position)

    async def hedge(self) -> bool:
        """Hedge mode; whether the client takes it as done."""
        answer = await self._client.set_position_mode(True)
        return bool(answer["code"] == 200)

    async def open_side(self, side: str, quantity: str) -> told.Shown:
        """A market order that opens a side."""
        return await self._sided(told.OPENS[side], side, quantity)

    async def close_side(self, side: str, quantity: str) -> told.Shown:
        """A market order that closes a side."""
        return await self._sided(told.CLOSES[side], side, quantity)

    async def stop_side(self, side: str, trigger: str) -> told.Shown:
        """A stop of whatever a side is."""
        terms = {"stopPrice": trigger, "closePosition": True, "positionSide": side}
        way = told.CLOSES[side].lower()
        return shown(await self.call("create_order", SYMBOL, "STOP_MARKET", way, None, None, terms))

    async def sides(self) -> dict[str, told.ShownPosition]:
        """The positions by their side."""
        positions = await self.call("fetch_positions", [SYMBOL])
        return {each["side"].upper(): _position(each) for each in positions}

    async def balance(self) -> Decimal:
        """The wallet with what is unrealized, in USDT."""
        return number((await self.call("fetch_balance"))["USDT"]["total"])

    async def refused(self, what: str) -> int:
        """The code of a request that is refused."""
        match what:
            case "cancel of nothing":
                asked = self.call("cancel_order", "1", SYMBOL)
            case "query of nothing":
                asked = self.call("fetch_order", "1", SYMBOL)
            case "stop beyond the market":
                asked = self.stop("0.013", "99000")
            case "reduce of nothing":
                asked = self.call(
                    "create_order", SYMBOL, "market", "sell", 0.013, None, {"reduceOnly": True}
                )
            case _:
                asked = self.call(
                    "create_order", SYMBOL, "limit", "buy", 0.013, 91000, {"postOnly": True}
                )
        return await refusal(asked)

    async def _sided(self, way: str, side: str, quantity: str) -> told.Shown:
        # not by ccxt's own word `hedged`: over sockets it reaches the exchange, as does reduceOnly beside it (-1106)
        order = ("market", way.lower(), float(quantity), None, {"positionSide": side})
        return shown(await self.call("create_order", SYMBOL, *order))

    async def _conditional(self, quantity: str, **terms: Any) -> told.Shown:
        order = await self.call(
            "create_order", SYMBOL, "market", "sell", float(quantity), None, terms
        )
        self._named = order["clientOrderId"]
        return shown(order)


class Ccxt(CcxtOrders):
    """ccxt over REST."""

    name: ClassVar[str] = "ccxt"
    suffix = ""
    library = ccxt.async_support

    async def time(self) -> int:
        """The exchange's time."""
        return int(await self._client.fetch_time())

    async def market(self) -> told.ShownMarket:
        """The contract."""
        precision = self._client.market(SYMBOL)["precision"]
        return told.ShownMarket(tick=number(precision["price"]), step=number(precision["amount"]))

    async def prices(self) -> told.ShownPrices:
        """Book, bars and the day's summary."""
        book = await self._client.fetch_order_book(SYMBOL)
        day = await self._client.fetch_ticker(SYMBOL)
        bar = (await self._client.fetch_ohlcv(SYMBOL, "1m"))[-1]
        assert number(bar[4]) == number(day["last"])
        return told.ShownPrices(
            bid=number(book["bids"][0][0]),
            ask=number(book["asks"][0][0]),
            last=number(day["last"]),
        )

    async def set_leverage(self, leverage: int) -> int:
        """Set it; what the client says it is."""
        answer = await self._client.set_leverage(leverage, SYMBOL)
        return int(answer["leverage"])

    async def set_margin_type(self) -> bool:
        """Isolate; whether the client takes it as done."""
        answer = await self._client.set_margin_mode("isolated", SYMBOL)
        return bool(answer["code"] == 200)

    async def fired(self, algo_id: str) -> told.Shown:
        """The order a conditional order became."""
        order = await self._client.fetch_order(algo_id, SYMBOL, {"trigger": True})
        return shown(await self._client.fetch_order(order["info"]["actualOrderId"], SYMBOL))

    async def open_orders(self) -> list[str]:
        """Ids of resting orders."""
        return [order["id"] for order in await self._client.fetch_open_orders(SYMBOL)]

    async def open_conditionals(self) -> list[str]:
        """Ids of waiting conditional orders."""
        orders = await self._client.fetch_open_orders(SYMBOL, None, None, {"trigger": True})
        return [order["id"] for order in orders]

    async def rest_both(self, quantity: str, prices: Sequence[str]) -> list[told.Shown]:
        """Resting buys, placed at once."""
        terms = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": float(quantity)}
        orders = [{**terms, "price": float(price)} for price in prices]
        return [shown(order) for order in await self._client.create_orders(orders)]

    async def cancel_both(self, ids: list[str]) -> list[told.Shown]:
        """No more of them, at once."""
        return [shown(order) for order in await self._client.cancel_orders(ids, SYMBOL)]

    async def trades(self) -> list[told.ShownTrade]:
        """Own executions."""
        return [_trade(trade) for trade in await self._client.fetch_my_trades(SYMBOL)]


class CcxtPro(CcxtOrders):
    """ccxt.pro: orders over the WebSocket API, everything else heard from streams."""

    name: ClassVar[str] = "ccxt.pro"
    suffix = "_ws"
    library = ccxt.pro

    async def time(self) -> int:
        """The time of the first mark price it hears."""
        return int((await self._client.watch_mark_price(SYMBOL))["timestamp"])

    async def fired(self, algo_id: str) -> told.Shown:
        """The order a conditional order became, which bears its name."""
        named = {"origClientOrderId": self._named}
        return shown(await self._client.fetch_order_ws("", SYMBOL, named))

    async def hear_user(self, act: Act) -> told.Heard:
        """Orders of both kinds, positions and own trades, watched at once."""
        orders = asyncio.create_task(self._until_filled())
        position = asyncio.create_task(self._until_held())
        trades = asyncio.create_task(self._client.watch_my_trades(SYMBOL))
        await self._venue.listeners(1)
        await act()
        filled, armed = await orders
        assert [trade["order"] for trade in await trades] == [filled["id"]]
        return told.Heard(
            order_id=filled["id"],
            status=STATUSES[filled["status"]],
            position=await position,
            conditional=armed["id"],
        )

    async def hear_market(self, act: Act, mark: Decimal) -> told.Quotes:
        """Best bid and ask, mark price, book, bars and the day's summary."""
        heard = [
            asyncio.create_task(self._quoted(mark)),
            asyncio.create_task(self._marked(mark)),
            asyncio.create_task(self._client.watch_order_book(SYMBOL)),
            asyncio.create_task(self._client.watch_ohlcv(SYMBOL)),
            asyncio.create_task(self._client.watch_ticker(SYMBOL)),
        ]
        await self._venue.listeners(len(heard))
        await act()
        quote, marked, book, bars, day = await asyncio.gather(*heard)
        assert book["bids"] and book["asks"] and bars and day["last"]
        return told.Quotes(bid=number(quote["bid"]), ask=number(quote["ask"]), mark=marked)

    async def _until_filled(self) -> tuple[Foreign, Foreign]:
        """A filled order and the conditional order that was placed before it."""
        armed = None
        while True:
            for order in await self._client.watch_orders(SYMBOL):
                if order["triggerPrice"]:
                    armed = order
                elif order["status"] == "closed" and armed is not None:
                    return order, armed

    async def _until_held(self) -> Decimal:
        while True:
            for position in await self._client.watch_positions([SYMBOL]):
                if position["contracts"]:
                    return number(position["contracts"])

    async def _quoted(self, price: Decimal) -> Foreign:
        while True:
            quote = (await self._client.watch_bids_asks([SYMBOL]))[SYMBOL]
            if number(quote["ask"]) >= price:
                return quote

    async def _marked(self, price: Decimal) -> Decimal:
        while True:
            mark = number((await self._client.watch_mark_price(SYMBOL))["markPrice"])
            if mark >= price:
                return mark


async def refusal(asked: Foreign) -> int:
    """The exchange's code in ccxt's error; the number stands in its text.

    Raises:
        AssertionError: nothing was refused.
    """
    try:
        await asked
    except BaseError as error:
        return int(str(error).split('"code":')[1].split(",")[0])
    raise AssertionError("ccxt was not refused")


def _position(position: Foreign) -> told.ShownPosition:
    size = number(position["contracts"])
    return told.ShownPosition(
        quantity=size if position["side"] == "long" else -size,
        entry=number(position["entryPrice"]),
    )


def _trade(trade: Foreign) -> told.ShownTrade:
    return told.ShownTrade(
        order_id=trade["order"],
        price=number(trade["price"]),
        quantity=number(trade["amount"]),
        fee=number(trade["fee"]["cost"]),
    )
