"""The exchange that third-party clients are pointed at: one server, its ledger, and a watch on all it is asked.

Whatever a client needs beforehand (a position, a resting order, a move of the price) is made here, by hand-signed
requests, so that a cell of the table shows one thing only.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
from tests.contract.wire import Client, Json, limit_order, market_order, stop_order
from tests.peers.watch import Watch

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.config import Ready, ServeConfig
from jumar.exchange.simulated.server.run import SimulatedServer

SYMBOL = "BTCUSDT"
START_PRICES = {"BTCUSDT": Decimal(90900), "ETHUSDT": Decimal(3000)}


class Venue:
    """A running exchange, seen from beside it."""

    def __init__(self, wire: Client, watch: Watch) -> None:
        self.wire = wire
        self.watch = watch
        self.server = wire.server
        self.urls = wire.urls

    def last(self, kind: str, **fields: object) -> Json:
        """The last record of a kind whose fields have these values (compared as text)."""
        for record in reversed(self.server.exchange.ledger.records):
            if record["kind"] == kind and _has(record, fields):
                return dict(record)
        raise AssertionError(f"the ledger has no {kind} record with {fields}")

    def order(self, order_id: object) -> Json:
        """The last record of a regular order."""
        return self.last("order", order_id=order_id)

    def conditional(self, algo_id: object) -> Json:
        """The last record of a conditional order."""
        return self.last("conditional", algo_id=algo_id)

    async def bought(self, quantity: str = "0.013") -> str:
        """A position, bought by hand; the order's id."""
        order = await self.wire.ok("POST", "order", **market_order("BUY", quantity))
        return str(order["orderId"])

    async def rested(self, price: str = "90000") -> str:
        """A resting order, placed by hand; its id."""
        order = await self.wire.ok("POST", "order", **limit_order(price, f"hand-{price}"))
        return str(order["orderId"])

    async def armed(self, trigger: str = "90000") -> str:
        """A waiting reduce-only stop of the whole position, placed by hand; its id."""
        terms = stop_order(trigger, f"hand-{trigger}-S", quantity="0.013")
        order = await self.wire.ok("POST", "algoOrder", **terms)
        return str(order["algoId"])

    async def moved(self, price: str) -> None:
        """Last and mark price go there at once, the quote around them."""
        await self.wire.price(last=price, mark=price)

    async def listeners(self, count: int) -> None:
        """Wait until clients have subscribed to so many streams."""
        await self.watch.heard(count)


def credentials(urls: Ready, *, ed25519: bool) -> tuple[str, str]:
    """An API key with its secret: the text for HMAC-SHA256, or an Ed25519 private key (PEM)."""
    if ed25519:
        return urls["ed25519_api_key"], urls["ed25519_private_key"]
    return urls["api_key"], urls["api_secret"]


def _has(record: Any, fields: dict[str, object]) -> bool:
    return all(str(record.get(name)) == str(value) for name, value in fields.items())


def _market() -> ManualMarket:
    ticks = {symbol: INSTRUMENTS[symbol].tick_size for symbol in START_PRICES}
    return ManualMarket(tuple(START_PRICES), start_prices=START_PRICES, tick_sizes=ticks)


@asynccontextmanager
async def running_venue() -> AsyncIterator[Venue]:
    """A fresh exchange on the machine's clock (the clients stamp their requests with it), watched."""
    server = SimulatedServer(ServeConfig(market=_market()))
    watch = Watch()
    watch.attach(server)
    async with server, aiohttp.ClientSession() as session:
        with watch.sockets():
            yield Venue(Client(session, server), watch)
