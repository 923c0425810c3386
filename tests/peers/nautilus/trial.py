"""NautilusTrader trades on a served exchange; what its own cache says is compared with the exchange's ledger.

Run by the environment of this folder, once for each start of a node: `-m tests.peers.nautilus.trial PROGRAM
first|again`, in a folder with the ready file. PROGRAM is the guide's; a node is made as it is made there.
"""

import asyncio
import runpy
import sys
from collections.abc import Callable
from decimal import Decimal

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce, TriggerType
from nautilus_trader.model.objects import Currency
from nautilus_trader.trading.strategy import Strategy
from tests.peers.beside import Exchange, Foreign, cents, same

PATIENCE_S = 20
QUANTITY, ENTRY, TRIGGER = "0.013", "90000", "89000"
USDT = Currency.from_str("USDT")


class Trial(Strategy):  # type: ignore[misc]  # the client has no types in the environment of the checks
    """One start of a node: once it runs it lives a story, then it shuts the node down."""

    def __init__(self, guide: dict[str, Foreign], exchange: Exchange, story: str) -> None:
        super().__init__(StrategyConfig(external_order_claims=[guide["BTC"]]))
        self._instrument_id = guide["BTC"]
        self._exchange = exchange
        self._story = {"first": self._first, "again": self._again}[story]
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def on_start(self) -> None:
        """Begin the story beside the node."""
        self.msgbus.subscribe(topic="events.*", handler=lambda _event: self._news.set())
        self.subscribe_quote_ticks(self._instrument_id)
        self._task = asyncio.create_task(self._tell())

    def on_quote_tick(self, _tick: Foreign) -> None:
        """Look again at what is waited for."""
        self._news.set()

    def on_stop(self) -> None:
        """Leave everything as it is."""

    async def _tell(self) -> None:
        try:
            await self._story()
        finally:
            self.shutdown_system("the story is over")

    def verdict(self) -> None:
        """Raise what ended the story before its time.

        Raises:
            LookupError: the node never ran.
        """
        if self._task is None:
            raise LookupError("the node never ran: it could not connect or not reconcile")
        self._task.result()

    async def _first(self) -> None:
        """An account of its own: enter by limit, be stopped out, enter at market, leave position and stop."""
        same("it starts: the wallet", self._wallet(), self._exchange.wallet())
        order = self._send(self._limit())
        await self._until(lambda: order.status == OrderStatus.ACCEPTED)
        record = self._exchange.last("order", order_id=order.venue_order_id)
        told = (order.side_string(), str(order.price), str(order.quantity), "NEW")
        asked = (record["side"], cents(record["price"]), record["quantity"], record["status"])
        same("it enters: a limit order rests", told, asked)
        await self._moved("89999")
        await self._until(lambda: order.status == OrderStatus.FILLED and self._held())
        self._same_position("it enters: the position")
        stop = await self._stopped()
        await self._moved("89500")
        self._same_stop("the price comes near, the stop rests", stop)
        await self._triggered(stop)
        market = self._send(
            self.order_factory.market(self._instrument_id, OrderSide.BUY, self._quantity())
        )
        await self._until(lambda: market.status == OrderStatus.FILLED and self._held())
        self._same_position("it enters again, at market: the position")
        await self._stopped("88000")

    async def _again(self) -> None:
        """A node without a memory finds position and stop, and sees the stop trigger."""
        same("it starts again: the wallet", self._wallet(), self._exchange.wallet())
        self._same_position("it reconciles: the position")
        (stop,) = self.cache.orders_open()
        self._same_stop("it reconciles: the stop rests", stop)
        await self._triggered(stop, "87990")

    async def _stopped(self, trigger: str = TRIGGER) -> Foreign:
        """A stop of the whole position, resting."""
        stop = self._send(
            self.order_factory.stop_market(
                self._instrument_id,
                OrderSide.SELL,
                self._quantity(),
                self._price(trigger),
                TriggerType.MARK_PRICE,
                reduce_only=True,
            )
        )
        await self._until(lambda: stop.status == OrderStatus.ACCEPTED)
        self._same_stop("its stop rests", stop)
        return stop

    async def _triggered(self, stop: Foreign, price: str = "88990") -> None:
        """The price goes beyond the trigger."""
        algo_id = stop.venue_order_id
        await self._moved(price)
        await self._until(lambda: stop.status == OrderStatus.FILLED and not self._held())
        waiting = self._exchange.last("conditional", algo_id=algo_id)
        same("the stop triggers", stop.venue_order_id.value, str(waiting["child_order_id"]))
        fill = self._exchange.last("fill", order_id=stop.venue_order_id)
        child = self._exchange.last("order", parent_algo_id=algo_id)
        told = (child["status"], cents(fill["price"]), fill["quantity"])
        said = (stop.status_string(), cents(stop.avg_px), str(stop.filled_qty))
        same("it is filled", said, told)
        same("the position is closed", "0", self._exchange.last("position")["quantity"])
        await self._until(lambda: self._wallet() == self._exchange.wallet())
        same("the wallet afterwards", self._wallet(), self._exchange.wallet())

    def _same_position(self, what: str) -> None:
        (position,) = self.cache.positions_open()
        record = self._exchange.last("position")
        told = (str(position.signed_decimal_qty()), cents(position.avg_px_open))
        same(what, told, (record["quantity"], cents(record["entry_price"])))

    def _same_stop(self, what: str, stop: Foreign) -> None:
        record = self._exchange.last("conditional", algo_id=stop.venue_order_id)
        told = (stop.status_string(), stop.type_string(), cents(stop.trigger_price))
        more = (str(stop.quantity), stop.is_reduce_only)
        asked = ("ACCEPTED" if record["status"] == "NEW" else record["status"], record["type"])
        terms = (cents(record["trigger"]), record["quantity"], record["reduce_only"])
        same(what, told + more, asked + terms)

    def _limit(self) -> Foreign:
        return self.order_factory.limit(
            self._instrument_id,
            OrderSide.BUY,
            self._quantity(),
            self._price(ENTRY),
            TimeInForce.GTC,
        )

    def _send(self, order: Foreign) -> Foreign:
        self.submit_order(order)
        return order

    def _held(self) -> bool:
        return bool(self.cache.positions_open())

    def _wallet(self) -> Decimal:
        account = self.cache.account_for_venue(self._instrument_id.venue)
        return Decimal(account.balance_total(USDT).as_decimal())

    def _quantity(self) -> Foreign:
        return self.cache.instrument(self._instrument_id).make_qty(Decimal(QUANTITY))

    def _price(self, text: str) -> Foreign:
        return self.cache.instrument(self._instrument_id).make_price(Decimal(text))

    async def _moved(self, price: str) -> None:
        """Move the price and wait until the node has heard of it."""
        await asyncio.to_thread(self._exchange.moved, price)
        await self._until(lambda: self._near(Decimal(price)))

    def _near(self, price: Decimal) -> bool:
        tick = self.cache.quote_tick(self._instrument_id)
        return tick is not None and abs(tick.bid_price.as_decimal() - price) < 1

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not reached():
                self._news.clear()
                await self._news.wait()


def main(program: str, story: str) -> int:
    """Live one start of a node; 0, or an error that says where its story ended."""
    guide = runpy.run_path(program, run_name="guide")
    trial = Trial(guide, Exchange(guide["ready"]["rest"]), story)
    node = guide["node_with"](trial)
    node.run()
    node.dispose()
    trial.verdict()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
