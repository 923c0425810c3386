"""The desk: books, account and market of one account, and what may be asked of them before an order moves.

It refuses, it never changes anything; `engine.py` moves orders. Knows no wire and no request.
"""

from decimal import Decimal

from jumar.exchange.simulated.core import admission
from jumar.exchange.simulated.core.account import Account
from jumar.exchange.simulated.core.amendments import Amendments
from jumar.exchange.simulated.core.chronicle import Chronicle
from jumar.exchange.simulated.core.conditional import ConditionalBook
from jumar.exchange.simulated.core.deadlines import Deadlines
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.ledger import Ledger
from jumar.exchange.simulated.core.margin import available, exposure, order_margin
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import opposite, takes
from jumar.exchange.simulated.core.orders import Order, OrderBook, OrderType, Side, Trade
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.exchange.simulated.core.refusal import Refusal


class Desk:
    """What one account has and may do, at the current step of each market.

    Attributes:
        opened_ms: when a symbol's position last began.
    """

    def __init__(
        self,
        instruments: dict[str, Instrument],
        balance: Decimal,
        ledger: Ledger,
        readings: Readings = DEFAULT_READINGS,
    ) -> None:
        self.instruments = instruments
        self.readings = readings
        self.account = Account(balance)
        for symbol in instruments:
            self.account.position(symbol)
        self.orders = OrderBook()
        self.amendments = Amendments()
        self.conditionals = ConditionalBook()
        self.deadlines = Deadlines()
        self.markets: dict[str, MarketStep] = {}
        self.trades: list[Trade] = []
        self.opened_ms: dict[str, int] = {}
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
            Refusal: -4116, -2025, -2022, -4118, -4131, -5021, -5022, -2027, -2019.
        """
        self._admit_id(order)
        if len(self.orders.open(order.symbol)) >= self.instruments[order.symbol].max_orders:
            raise Refusal(-2025)
        if order.reduce_only:
            if not self.account.position(order.symbol).closable(order.side):
                raise Refusal(-2022)
            self.crowded_out(order)
        step = self.market(order.symbol)
        if order.time_in_force.post_only and self.would_take(order):
            raise Refusal(-5022)
        admission.terms(order, self.wanted(order), self.instruments[order.symbol], step)
        if not order.reduce_only:
            self.afford(order.symbol, order.side, order.quantity, order.price)

    def afford(
        self,
        symbol: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        instead_of: Order | None = None,
    ) -> None:
        """Check leverage bracket and margin of an order that may add exposure; price zero means market.

        Args:
            symbol: of the order.
            side: of the order.
            quantity: what it may still execute.
            price: its limit.
            instead_of: an open order that it would replace.

        Raises:
            Refusal: -2027 or -2019.
        """
        step = self.market(symbol)
        notional = quantity * (price or opposite(side, step)[0].price)
        position = self.account.position(symbol)
        resting = self.orders.open(symbol)
        now = exposure(position, resting, step.mark)
        others = exposure(position, (o for o in resting if o is not instead_of), step.mark)
        bids = others.bids + notional if side is Side.BUY else others.bids
        asks = others.asks + notional if side is Side.SELL else others.asks
        then = type(now)(position=now.position, bids=bids, asks=asks)
        limit = self.instruments[symbol].max_notional(position.leverage)
        if then.largest > limit and then.largest > now.largest:
            raise Refusal(-2027)
        needed = order_margin(then, position.leverage) - order_margin(now, position.leverage)
        if needed > 0 and needed > self.available():
            raise Refusal(-2019)

    def would_take(self, order: Order, at: Decimal | None = None) -> bool:
        """Whether the order would trade at once, with the public book or another of the account's; `at` a price."""
        if order.type is OrderType.MARKET:
            return True
        limit = order.price if at is None else at
        if takes(order.side, limit, self.market(order.symbol)):
            return True
        makers = (o for o in self.orders.open(order.symbol) if o.side is order.side.other)
        return any(order.side.reaches(limit, maker.price) for maker in makers)

    def wanted(self, order: Order) -> Decimal:
        """What the order may execute now: all that is left of it, reduce-only no more than the position."""
        if not order.reduce_only:
            return order.remaining
        return min(order.remaining, self.account.position(order.symbol).closable(order.side))

    def crowded_out(self, order: Order) -> list[Order]:
        """Which resting reduce-only orders must go for a new one (-4118: the new one must)."""
        closable = self.account.position(order.symbol).closable(order.side)
        rule = self.readings.reduce_only_total
        return admission.crowded_out(order, self.orders.open(order.symbol), closable, rule)

    def _admit_id(self, order: Order) -> None:
        if any(other.client_id == order.client_id for other in self.orders.open(order.symbol)):
            raise Refusal(-4116)
        if self.readings.dup_id_after_fill == "reject" and order.parent_algo_id is None:
            before = self.orders.find(order.symbol, order_id=None, client_id=order.client_id)
            if before is not None and before.filled:
                raise Refusal(-4116)
