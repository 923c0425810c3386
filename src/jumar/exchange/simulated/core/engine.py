"""The engine: regular orders from acceptance to their end, against the current step of the market.

Within one step resting limit orders are matched first; `triggers.py` then fires conditional orders through the same
engine. A reduce-only order is cut to the position when it executes; what is left of it expires (`er` 4). When the
position is gone or turned, resting reduce-only orders and closePosition orders of the old direction expire, in the
same step (`by: exchange`). Self trades cannot happen: our orders meet the market only. Knows no wire and no request.
"""

from decimal import Decimal

from jumar.exchange.simulated.core.account import Account
from jumar.exchange.simulated.core.chronicle import Chronicle
from jumar.exchange.simulated.core.conditional import ConditionalBook, ConditionalStatus
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.ledger import Ledger
from jumar.exchange.simulated.core.margin import available, exposure, order_margin
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import Liquidity, opposite, priority, takes, walk
from jumar.exchange.simulated.core.orders import (
    FIRST_TRADE_ID,
    Cause,
    Expiry,
    Order,
    OrderBook,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    Trade,
)
from jumar.exchange.simulated.core.refusal import Refusal


class Engine:
    """Books, account and market of one account; every method acts at the given exchange time."""

    def __init__(
        self, instruments: dict[str, Instrument], balance: Decimal, ledger: Ledger
    ) -> None:
        self.instruments = instruments
        self.account = Account(balance)
        for symbol in instruments:
            self.account.position(symbol)
        self.orders = OrderBook()
        self.conditionals = ConditionalBook()
        self.markets: dict[str, MarketStep] = {}
        self.trades: list[Trade] = []
        self.chronicle = Chronicle(ledger, self.account, self.orders)

    def market(self, symbol: str) -> MarketStep:
        """The current step of a symbol.

        Raises:
            Refusal: -1122, the symbol has no market yet.
        """
        step = self.markets.get(symbol)
        if step is None:
            raise Refusal(-1122)
        return step

    def available(self) -> Decimal:
        """The balance that further orders may use."""
        open_orders = {symbol: self.orders.open(symbol) for symbol in self.instruments}
        return available(self.account, open_orders, self.markets)

    def admit(self, order: Order) -> None:
        """Check what depends on the account and the book, right before acceptance.

        Raises:
            Refusal: -4116, -2025, -2022, -5022, -2027, -2019.
        """
        open_orders = self.orders.open(order.symbol)
        if any(other.client_id == order.client_id for other in open_orders):
            raise Refusal(-4116)
        if len(open_orders) >= self.instruments[order.symbol].max_orders:
            raise Refusal(-2025)
        if order.reduce_only and not self.account.position(order.symbol).closable(order.side):
            raise Refusal(-2022)
        step = self.market(order.symbol)
        if order.time_in_force is TimeInForce.GTX and takes(order.side, order.price, step):
            raise Refusal(-5022)
        if not order.reduce_only:
            self.afford(order.symbol, order.side, order.quantity, order.price)

    def afford(self, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> None:
        """Check leverage bracket and margin of an order that may add exposure; price zero means market.

        Raises:
            Refusal: -2027 or -2019.
        """
        step = self.market(symbol)
        notional = quantity * (price or opposite(side, step)[0].price)
        position = self.account.position(symbol)
        now = exposure(position, self.orders.open(symbol), step.mark)
        bids = now.bids + notional if side is Side.BUY else now.bids
        asks = now.asks + notional if side is Side.SELL else now.asks
        then = type(now)(position=now.position, bids=bids, asks=asks)
        limit = self.instruments[symbol].max_notional(position.leverage)
        if then.largest > limit and then.largest > now.largest:
            raise Refusal(-2027)
        needed = order_margin(then, position.leverage) - order_margin(now, position.leverage)
        if needed > 0 and needed > self.available():
            raise Refusal(-2019)

    def accept(self, order: Order, cause: Cause, now_ms: int) -> None:
        """Take an admitted order into the book."""
        if self._taker(order):
            self.chronicle.market(self.market(order.symbol), now_ms)
        self.orders.add(order)
        self.chronicle.order(order, "NEW", cause, now_ms)

    def execute(self, order: Order, now_ms: int) -> None:
        """Let a fresh order take what it may from the book; an IOC or market order ends here."""
        if self._taker(order):
            self._take(order, now_ms)
        if order.alive and order.type is OrderType.MARKET:
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        elif order.alive and order.time_in_force is TimeInForce.IOC:
            cut = order.reduce_only and not self.account.position(order.symbol).closable(order.side)
            reason = Expiry.REDUCE_ONLY if cut else Expiry.IOC_REMAINDER
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, reason)

    def end(
        self,
        order: Order,
        status: OrderStatus,
        cause: Cause,
        now_ms: int,
        expiry: Expiry = Expiry.NONE,
    ) -> None:
        """End an order that will execute no more."""
        order.status, order.expiry = status, expiry
        self.orders.retire(order)
        self.chronicle.order(order, status.value, cause, now_ms)

    def match_resting(self, step: MarketStep, now_ms: int) -> None:
        """Fill resting limit orders of the step's symbol."""
        resting = self.orders.open(step.symbol)
        if not resting:
            return
        liquidity = Liquidity(step)
        for side in Side:
            for order in sorted((o for o in resting if o.side is side), key=priority):
                if not order.alive:
                    continue
                quantity = liquidity.take(side, order.price, self._wanted(order))
                if quantity:
                    self.chronicle.market(step, now_ms)
                    self._fill(order, order.price, quantity, maker=True, now_ms=now_ms)
                    self.sweep(step.symbol, now_ms)

    def sweep(self, symbol: str, now_ms: int) -> None:
        """Expire what can no longer reduce: resting reduce-only orders and closePosition orders."""
        position = self.account.position(symbol)
        for order in self.orders.open(symbol):
            if order.reduce_only and not position.closable(order.side):
                self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        for conditional in self.conditionals.open(symbol):
            if conditional.close_position and not position.closable(conditional.side):
                conditional.status = ConditionalStatus.EXPIRED
                self.conditionals.retire(conditional)
                self.chronicle.conditional(conditional, Cause.EXCHANGE, now_ms)

    def _taker(self, order: Order) -> bool:
        if order.type is OrderType.MARKET:
            return True
        return takes(order.side, order.price, self.market(order.symbol))

    def _take(self, order: Order, now_ms: int) -> None:
        limit = None if order.type is OrderType.MARKET else order.price
        step = self.market(order.symbol)
        for execution in walk(order.side, self._wanted(order), limit, step):
            self._fill(order, execution.price, execution.quantity, maker=False, now_ms=now_ms)

    def _wanted(self, order: Order) -> Decimal:
        if not order.reduce_only:
            return order.remaining
        return min(order.remaining, self.account.position(order.symbol).closable(order.side))

    def _fill(
        self, order: Order, price: Decimal, quantity: Decimal, *, maker: bool, now_ms: int
    ) -> None:
        settled = self.account.settle(
            order.symbol, order.side, price, quantity, maker=maker, now_ms=now_ms
        )
        trade = Trade(
            trade_id=FIRST_TRADE_ID + len(self.trades),
            order_id=order.order_id,
            symbol=order.symbol,
            side=order.side,
            price=price,
            quantity=quantity,
            maker=maker,
            fee=settled.fee,
            realized=settled.realized,
            time_ms=now_ms,
        )
        self.trades.append(trade)
        order.filled += quantity
        order.paid += price * quantity
        order.status = OrderStatus.PARTIALLY_FILLED if order.remaining else OrderStatus.FILLED
        if not order.remaining:
            self.orders.retire(order)
        self.chronicle.fill(order, trade, self.market(order.symbol).mark, now_ms)
