"""The exchange's own Python SDK: REST, WebSocket API and streams, each pointed by its configuration."""

import asyncio
import warnings
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import ClassVar, Self

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import Error
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)
from tests.peers import row as told
from tests.peers.row import Act, Foreign, maybe, number
from tests.peers.venue import SYMBOL, Venue, credentials

SELL = {"algo_type": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL"}
#: What each refused request asks for: the SDK's method and its arguments, the same over REST and the WebSocket API.
REFUSED: dict[str, tuple[str, dict[str, Foreign]]] = {
    "cancel of nothing": ("cancel_order", {"symbol": SYMBOL, "order_id": 1}),
    "query of nothing": ("query_order", {"symbol": SYMBOL, "order_id": 1}),
    "stop beyond the market": (
        "new_algo_order",
        {**SELL, "type": "STOP_MARKET", "quantity": 0.013, "trigger_price": 99000},
    ),
    "reduce of nothing": (
        "new_order",
        {
            "symbol": SYMBOL,
            "side": "SELL",
            "type": "MARKET",
            "quantity": 0.013,
            "reduce_only": "true",
        },
    ),
    "post-only that would take": (
        "new_order",
        {
            "symbol": SYMBOL,
            "side": "BUY",
            "type": "LIMIT",
            "quantity": 0.013,
            "price": 91000,
            "time_in_force": "GTX",
        },
    ),
}


def shown(order: Foreign) -> told.Shown:
    """The SDK's model of a regular order."""
    return told.Shown(
        id=str(order.order_id),
        side=order.side,
        price=maybe(order.price),
        quantity=maybe(order.orig_qty),
        status=order.status,
    )


def shown_conditional(order: Foreign) -> told.Shown:
    """The SDK's model of a conditional order."""
    return told.Shown(
        id=str(order.algo_id),
        side=order.side,
        price=maybe(order.trigger_price),
        quantity=maybe(order.quantity),
        status=order.algo_status,
    )


def _position(row: Foreign) -> told.ShownPosition:
    return told.ShownPosition(quantity=number(row.position_amt), entry=number(row.entry_price))


def key_of(venue: Venue, *, ed25519: bool) -> dict[str, Foreign]:
    """The part of a configuration that says who asks."""
    key, secret = credentials(venue.urls, ed25519=ed25519)
    return {"api_key": key, ("private_key" if ed25519 else "api_secret"): secret}


class SdkOrders(ABC):
    """What REST and the WebSocket API do alike."""

    def __init__(self, client: Foreign) -> None:
        self._client = client
        self._named = ""

    @abstractmethod
    async def ask(self, name: str, /, **arguments: Foreign) -> Foreign:
        """One call; the model of its result."""

    async def limit(self, quantity: str, price: str) -> told.Shown:
        """A resting buy."""
        terms = {"type": "LIMIT", "time_in_force": "GTC", "price": float(price)}
        return await self._buy(quantity=float(quantity), **terms)

    async def modify(self, order_id: str, quantity: str, price: str) -> told.Shown:
        """Other terms for a resting buy."""
        terms = {"quantity": float(quantity), "price": float(price), "order_id": int(order_id)}
        return shown(await self.ask("modify_order", symbol=SYMBOL, side="BUY", **terms))

    async def cancel(self, order_id: str) -> told.Shown:
        """No more of it."""
        return shown(await self.ask("cancel_order", symbol=SYMBOL, order_id=int(order_id)))

    async def buy(self, quantity: str) -> told.Shown:
        """A market order."""
        return await self._buy(
            type="MARKET", quantity=float(quantity), new_order_resp_type="RESULT"
        )

    async def stop(self, quantity: str, trigger: str) -> told.Shown:
        """A selling stop."""
        terms = {"quantity": float(quantity), "reduce_only": "true"}
        return await self._conditional("STOP_MARKET", trigger, **terms)

    async def target(self, quantity: str, trigger: str) -> told.Shown:
        """A selling target."""
        terms = {"quantity": float(quantity), "reduce_only": "true"}
        return await self._conditional("TAKE_PROFIT_MARKET", trigger, **terms)

    async def close_at(self, trigger: str) -> told.Shown:
        """A selling stop of whatever there is."""
        return await self._conditional("STOP_MARKET", trigger, close_position="true")

    async def _buy(self, **terms: Foreign) -> told.Shown:
        return shown(await self.ask("new_order", symbol=SYMBOL, side="BUY", **terms))

    async def _conditional(self, kind: str, trigger: str, **terms: Foreign) -> told.Shown:
        order = await self.ask(
            "new_algo_order", **SELL, type=kind, trigger_price=float(trigger), **terms
        )
        self._named = order.client_algo_id
        return shown_conditional(order)


class SdkRest(SdkOrders):
    """The SDK over REST; it blocks, so its calls run in a thread."""

    name: ClassVar[str] = "sdk"

    @classmethod
    @asynccontextmanager
    async def connected(cls, venue: Venue, *, ed25519: bool = False) -> AsyncIterator[Self]:
        """The client."""
        configuration = ConfigurationRestAPI(
            **key_of(venue, ed25519=ed25519), base_path=venue.urls["rest"], timeout=10_000
        )
        client = DerivativesTradingUsdsFutures(config_rest_api=configuration).rest_api
        try:
            yield cls(client)
        finally:
            client._session.close()

    async def ask(self, name: str, /, **arguments: Foreign) -> Foreign:
        """One call; its model."""
        method: Callable[..., Foreign] = getattr(self._client, name)
        answer = await asyncio.to_thread(method, **arguments)
        return answer.data()

    async def time(self) -> int:
        """The exchange's time."""
        return int((await self.ask("check_server_time")).server_time)

    async def market(self) -> told.ShownMarket:
        """The contract."""
        information = await self.ask("exchange_information")
        (contract,) = (each for each in information.symbols if each.symbol == SYMBOL)
        filters = {each.filter_type: each for each in contract.filters}
        return told.ShownMarket(
            tick=number(filters["PRICE_FILTER"].tick_size),
            step=number(filters["LOT_SIZE"].step_size),
        )

    async def prices(self) -> told.ShownPrices:
        """Book, bars and the day's summary."""
        book = await self.ask("order_book", symbol=SYMBOL)
        day = await self.ask("ticker24hr_price_change_statistics", symbol=SYMBOL)
        bars = await self.ask("kline_candlestick_data", symbol=SYMBOL, interval="1m")
        last = number(day.actual_instance.last_price)
        assert number(bars[-1][4]) == last
        return told.ShownPrices(bid=number(book.bids[0][0]), ask=number(book.asks[0][0]), last=last)

    async def set_leverage(self, leverage: int) -> int:
        """Set it; what the client says it is."""
        answer = await self.ask("change_initial_leverage", symbol=SYMBOL, leverage=leverage)
        return int(answer.leverage)

    async def hedge(self) -> bool:
        """Hedge mode; whether the client takes it as done."""
        answer = await self.ask("change_position_mode", dual_side_position="true")
        return bool(answer.code == 200)

    async def open_side(self, side: str, quantity: str) -> told.Shown:
        """A market order that opens a side."""
        return await self._sided(told.OPENS[side], side, quantity)

    async def close_side(self, side: str, quantity: str) -> told.Shown:
        """A market order that closes a side."""
        return await self._sided(told.CLOSES[side], side, quantity)

    async def stop_side(self, side: str, trigger: str) -> told.Shown:
        """A stop of whatever a side is."""
        terms = {**SELL, "side": told.CLOSES[side], "position_side": side, "close_position": "true"}
        order = await self.ask(
            "new_algo_order", **terms, type="STOP_MARKET", trigger_price=float(trigger)
        )
        return shown_conditional(order)

    async def sides(self) -> dict[str, told.ShownPosition]:
        """The positions by their side."""
        rows = await self.ask("position_information_v3", symbol=SYMBOL)
        return {row.position_side: _position(row) for row in rows}

    async def _sided(self, way: str, side: str, quantity: str) -> told.Shown:
        terms = {"side": way, "position_side": side, "quantity": float(quantity)}
        return shown(await self.ask("new_order", symbol=SYMBOL, type="MARKET", **terms))

    async def set_margin_type(self) -> bool:
        """Isolate; whether the client takes it as done."""
        answer = await self.ask("change_margin_type", symbol=SYMBOL, margin_type="ISOLATED")
        return bool(answer.code == 200)

    async def fired(self, algo_id: str) -> told.Shown:
        """The order a conditional order became."""
        order = await self.ask("query_algo_order", algo_id=int(algo_id))
        child = await self.ask("query_order", symbol=SYMBOL, order_id=int(order.actual_order_id))
        return shown(child)

    async def open_orders(self) -> list[str]:
        """Ids of resting orders."""
        return [
            str(order.order_id)
            for order in await self.ask("current_all_open_orders", symbol=SYMBOL)
        ]

    async def open_conditionals(self) -> list[str]:
        """Ids of waiting conditional orders."""
        orders = await self.ask("current_all_algo_open_orders", symbol=SYMBOL)
        return [str(order.algo_id) for order in orders]

    async def position(self) -> told.ShownPosition:
        """The position."""
        (row,) = await self.ask("position_information_v3", symbol=SYMBOL)
        return _position(row)

    async def balance(self) -> Decimal:
        """The wallet with what is unrealized, in USDT."""
        account = await self.ask("account_information_v3")
        return number(account.total_margin_balance)

    async def rest_both(self, quantity: str, prices: Sequence[str]) -> list[told.Shown]:
        """Resting buys, placed at once."""
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        orders = [{**terms, "quantity": quantity, "price": price} for price in prices]
        return [
            shown(each) for each in await self.ask("place_multiple_orders", batch_orders=orders)
        ]

    async def cancel_both(self, ids: list[str]) -> list[told.Shown]:
        """No more of them, at once."""
        named = {"symbol": SYMBOL, "order_id_list": [int(order_id) for order_id in ids]}
        return [shown(each) for each in await self.ask("cancel_multiple_orders", **named)]

    async def trades(self) -> list[told.ShownTrade]:
        """Own executions."""
        trades = await self.ask("account_trade_list", symbol=SYMBOL)
        return [
            told.ShownTrade(
                order_id=str(trade.order_id),
                price=number(trade.price),
                quantity=number(trade.qty),
                fee=number(trade.commission),
            )
            for trade in trades
        ]

    async def refused(self, what: str) -> int:
        """The code of a request that is refused.

        Raises:
            AssertionError: nothing was refused.
        """
        name, arguments = REFUSED[what]
        try:
            await self.ask(name, **arguments)
        except Error as error:
            return int(error.args[0])
        raise AssertionError("the SDK was not refused")


class SdkWsApi(SdkOrders):
    """The SDK over the WebSocket API."""

    name: ClassVar[str] = "sdk, WebSocket API"

    @classmethod
    @asynccontextmanager
    async def connected(cls, venue: Venue, *, ed25519: bool = False) -> AsyncIterator[Self]:
        """The client with its connection."""
        configuration = ConfigurationWebSocketAPI(
            **key_of(venue, ed25519=ed25519), stream_url=venue.urls["ws_api"]
        )
        client: Foreign = DerivativesTradingUsdsFutures(config_ws_api=configuration).websocket_api
        with warnings.catch_warnings():
            # it gives aiohttp a number where that wants a ClientWSTimeout now
            warnings.simplefilter("ignore", DeprecationWarning)
            connection = await client.create_connection()
        try:
            yield cls(connection)
        finally:
            await connection.close_connection(close_session=True)

    async def answer(self, name: str, /, **arguments: Foreign) -> Foreign:
        """One call; its model, or a dict with the error."""
        return (await getattr(self._client, name)(**arguments)).data()

    async def ask(self, name: str, /, **arguments: Foreign) -> Foreign:
        """One call; the model of its result."""
        return (await self.answer(name, **arguments)).result

    async def time(self) -> int:
        """The time of its price."""
        answer = await self.answer("symbol_price_ticker", symbol=SYMBOL)
        return int(answer.actual_instance.result.time)

    async def prices(self) -> told.ShownPrices:
        """Quote and last price."""
        quote = (await self.answer("symbol_order_book_ticker", symbol=SYMBOL)).actual_instance
        last = (await self.answer("symbol_price_ticker", symbol=SYMBOL)).actual_instance
        return told.ShownPrices(
            bid=number(quote.result.bid_price),
            ask=number(quote.result.ask_price),
            last=number(last.result.price),
        )

    async def fired(self, algo_id: str) -> told.Shown:
        """The order a conditional order became, which bears its name."""
        order = await self.ask("query_order", symbol=SYMBOL, orig_client_order_id=self._named)
        return shown(order)

    async def position(self) -> told.ShownPosition:
        """The position."""
        (row,) = await self.ask("position_information_v2", symbol=SYMBOL)
        return _position(row)

    async def balance(self) -> Decimal:
        """The wallet with what is unrealized, in USDT."""
        account = await self.ask("account_information_v2")
        return number(account.total_margin_balance)

    async def refused(self, what: str) -> int:
        """The code of a request that is refused."""
        name, arguments = REFUSED[what]
        answer = await self.answer(name, **arguments)
        return int(answer["error"]["code"])


class SdkStreams:
    """The SDK's streams."""

    name: ClassVar[str] = "sdk, streams"

    def __init__(self, client: Foreign, venue: Venue) -> None:
        self._client = client
        self._venue = venue

    @classmethod
    @asynccontextmanager
    async def connected(cls, venue: Venue) -> AsyncIterator[Self]:
        """The client with its three connections."""
        configuration = ConfigurationWebSocketStreams(stream_url=f"{venue.urls['stream']}/stream")
        client: Foreign = DerivativesTradingUsdsFutures(
            config_ws_streams=configuration
        ).websocket_streams
        connection = await client.create_connection()
        try:
            yield cls(connection, venue)
        finally:
            await connection.close_connection(close_session=True)

    async def time(self) -> int:
        """The time of the first mark price it hears."""
        heard = await self._first("mark_price_stream", update_speed="1s")
        return int(heard.E)

    async def hear_user(self, act: Act) -> told.Heard:
        """Orders of both kinds and the account."""
        key = await self._venue.wire.listen_key()
        events: asyncio.Queue[Foreign] = asyncio.Queue()
        stream = await self._client.user_data(key)
        stream.on("message", lambda event: events.put_nowait(event.actual_instance))
        await self._venue.listeners(1)
        await act()
        armed: str | None = None
        position: Decimal | None = None
        while True:
            event = await events.get()
            match type(event).__name__:
                case "AlgoUpdate":
                    armed = str(event.o.aid)
                case "AccountUpdate":
                    position = number(event.a.P[0].pa)
                case "OrderTradeUpdate" if event.o.X == "FILLED":
                    return told.Heard(
                        order_id=str(event.o.i),
                        status=event.o.X,
                        position=position,
                        conditional=armed,
                    )

    async def hear_market(self, act: Act, mark: Decimal) -> told.Quotes:
        """Best bid and ask, mark price, book and bars."""
        heard = [
            asyncio.create_task(self._first("individual_symbol_book_ticker_streams", above=mark)),
            asyncio.create_task(self._first("mark_price_stream", above=mark, update_speed="1s")),
            asyncio.create_task(self._first("diff_book_depth_streams", update_speed="100ms")),
            asyncio.create_task(self._first("kline_candlestick_streams", interval="1m")),
        ]
        await self._venue.listeners(len(heard))
        await act()
        quote, marked, book, bar = await asyncio.gather(*heard)
        assert book.b and book.a and bar.k.c
        return told.Quotes(bid=number(quote.b), ask=number(quote.a), mark=number(marked.p))

    async def first_of(
        self,
        streams: Sequence[tuple[str, dict[str, Foreign]]],
        act: Callable[[], Awaitable[object]],
    ) -> list[Foreign]:
        """The first message of each stream, the last ones after something was done."""
        heard = [asyncio.create_task(self._first(name, **more)) for name, more in streams]
        await self._venue.listeners(len(streams))
        await act()
        return list(await asyncio.gather(*heard))

    async def _first(
        self, method: str, *, above: Decimal = Decimal(0), **arguments: Foreign
    ) -> Foreign:
        """The first message of a stream, or the first one with a price not below."""
        heard: asyncio.Queue[Foreign] = asyncio.Queue()
        named = arguments if "pair" in arguments else {"symbol": SYMBOL.lower(), **arguments}
        stream = await getattr(self._client, method)(**named)
        stream.on("message", heard.put_nowait)
        while True:
            message = await heard.get()
            if not above or number(getattr(message, "p", None) or message.a) >= above:
                return message
