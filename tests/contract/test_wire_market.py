"""Market data over the wire: a book that is built from it, and the same answers by REST, WebSocket API and stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from tests.contract.wire import SYMBOL, Client, Listener, exchange, manual, market_order

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.market import SyntheticMarket
from jumar.exchange.simulated.server.config import ServeConfig

type Book = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Played:
    """So many steps of a drawn path."""

    count: int
    symbols: tuple[str, ...] = (SYMBOL,)

    def steps(self) -> Iterator[MarketStep]:
        """The steps."""
        drawn = SyntheticMarket(
            self.symbols,
            seed=7,
            start_prices={SYMBOL: Decimal(90_000)},
            tick_sizes={SYMBOL: INSTRUMENTS[SYMBOL].tick_size},
        )
        return islice(drawn.steps(), self.count)


async def follow(client: Client, listener: Listener, enough: int) -> tuple[Book, list[int]]:
    """Build a book by the published recipe until it has taken in `enough` ids; the book and its ids."""
    buffered = [await listener.next()]
    snapshot = await rest(client, "depth", symbol=SYMBOL, limit="1000")
    taken_id = snapshot["lastUpdateId"]
    book = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    ids: list[int] = []
    while not ids or ids[-1] < enough:
        event = buffered.pop() if buffered else await listener.next()
        if not ids and event["u"] < taken_id:
            continue
        if ids:
            assert event["pu"] == ids[-1]
        else:
            assert event["U"] <= taken_id <= event["u"]
        ids.append(event["u"])
        for side in ("b", "a"):
            for price, quantity in event[side]:
                if quantity == "0":
                    book[side].pop(price, None)
                else:
                    book[side][price] = quantity
    return book, ids


async def rest(client: Client, name: str, **params: str) -> Any:
    """A public request that succeeds."""
    query = "&".join(f"{key}={value}" for key, value in params.items())
    answer = await client.send("GET", f"/fapi/v1/{name}", query=query)
    assert answer.status == 200, answer.body
    return answer.body


async def test_a_book_built_by_the_recipe_is_the_servers() -> None:
    """Changes at 100 ms over a moving market, a snapshot in between: at the end every level is the server's."""
    steps = 150
    async with (
        exchange(ServeConfig(market=Played(steps), speed=25.0)) as client,
        client.stream("/public/ws/btcusdt@depth@100ms") as listener,
    ):
        book, ids = await follow(client, listener, enough=2 * steps)
        assert len(ids) > 3
        truth = await rest(client, "depth", symbol=SYMBOL)
        assert book == {"b": dict(truth["bids"]), "a": dict(truth["asks"])}


async def test_a_book_can_be_built_while_the_market_stands_still() -> None:
    """Repeats of the same quote are changes without a level: the recipe comes to its end all the same."""
    async with (
        exchange(ServeConfig(market=manual())) as client,
        client.stream("/public/ws/btcusdt@depth") as listener,
    ):
        book, _ = await follow(client, listener, enough=1)
        assert book["b"].keys() == {"90899.9"}


async def test_trades_have_the_same_ids_by_stream_and_request() -> None:
    """What was streamed is found again, field by field."""
    async with (
        exchange(ServeConfig(market=Played(10_000), speed=20.0)) as client,
        client.stream("/market/ws/btcusdt@aggTrade") as listener,
    ):
        event = await listener.next()
        (row,) = await rest(client, "aggTrades", symbol=SYMBOL, fromId=str(event["a"]), limit="1")
    assert row.items() <= event.items()
    assert event.keys() - row.keys() == {"e", "E", "s", "st"}


async def test_the_open_bar_has_the_same_fields_by_stream_and_request() -> None:
    """The streamed bar is the last row of the answer."""
    async with (
        exchange(ServeConfig(market=manual())) as client,
        client.stream("/market/ws/btcusdt@kline_1M") as listener,
    ):
        await client.price(last="90950.0")
        event = await listener.until(lambda message: message["k"]["c"] == "90950")
        (row,) = await rest(client, "klines", symbol=SYMBOL, interval="1M")
    order = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    assert [event["k"][name] for name in order] == row
    assert (event["k"]["x"], event["k"]["i"], event["k"]["h"]) == (False, "1M", "90950")


async def test_a_liquidation_is_public() -> None:
    """The order that closed the position, without its owner: what was asked, at which price it was filled."""
    async with (
        exchange(ServeConfig(market=manual(), terms=Terms(liquidation=True))) as client,
        client.stream("/market/ws/btcusdt@forceOrder") as listener,
    ):
        await client.ok("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="20")
        await client.ok("POST", "order", **market_order("BUY", "0.100"))
        await client.price(last="80000", mark="80000")
        order = (await listener.next())["o"]
    told = (order["s"], order["S"], order["o"], order["f"], order["q"], order["X"], order["z"])
    assert told == (SYMBOL, "SELL", "LIMIT", "IOC", "0.1", "FILLED", "0.1")
    assert (order["ap"], order["st"]) == ("79999.9", 1)


async def test_the_websocket_api_answers_as_rest() -> None:
    """Book, price and quote, without a key."""
    async with exchange(ServeConfig(market=manual())) as client, client.ws_api() as api:
        book = (await api.plain("depth", symbol=SYMBOL, limit=5))["result"]
        answer = await rest(client, "depth", symbol=SYMBOL, limit="5")
        assert (book["bids"], book["asks"]) == (answer["bids"], answer["asks"])
        assert (await api.plain("ticker.price", symbol=SYMBOL))["result"]["price"] == "90900"
        assert (await api.plain("ticker.book"))["result"][0]["bidPrice"] == "90899.9"
        assert (await api.plain("depth", symbol=SYMBOL, limit=7))["error"]["code"] == -4021


async def test_what_lies_beside_the_futures_api_answers_too() -> None:
    """Paths of spot and wallet that clients ask when they connect."""
    async with exchange(ServeConfig(market=manual())) as client:
        for path, body in (
            ("/api/v3/ping", {}),
            ("/sapi/v1/capital/config/getall", []),
            ("/sapi/v1/margin/allPairs", []),
        ):
            answer = await client.send("GET", path)
            assert (answer.status, answer.body) == (200, body)
        assert (await client.send("GET", "/api/v3/time")).body.keys() == {"serverTime"}


async def test_the_weight_of_a_book_is_counted_by_its_depth() -> None:
    """1000 levels weigh 20 (the header tells)."""
    async with exchange(ServeConfig(market=manual())) as client:
        used = []
        for limit in (5, 1000):
            answer = await client.send(
                "GET", "/fapi/v1/depth", query=f"symbol=BTCUSDT&limit={limit}"
            )
            used.append(int(answer.headers["X-MBX-USED-WEIGHT-1M"]))
    assert used in ([2, 22], [2, 20])  # the minute may have changed in between
