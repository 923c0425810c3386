"""The desk: books, account and market of one account, and what may be asked of them before an order moves.

It refuses, it never changes anything; `engine.py` moves orders. Knows no wire and no request.
"""

from decimal import Decimal

from jumar.exchange.simulated.core import admission
from jumar.exchange.simulated.core.account import Account, Entry, MarginMove
from jumar.exchange.simulated.core.amendments import Amendments
from jumar.exchange.simulated.core.chronicle import Chronicle
from jumar.exchange.simulated.core.conditional import Conditional, ConditionalBook
from jumar.exchange.simulated.core.deadlines import Deadlines
from jumar.exchange.simulated.core.funding import no_fundings
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.ledger import Ledger
from jumar.exchange.simulated.core.margin import available, exposure, order_margin
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import opposite, takes
from jumar.exchange.simulated.core.orders import (
    Order,
    OrderBook,
    OrderType,
    PositionSide,
    Side,
    Trade,
)
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.shelf import Packer, Shelf
from jumar.exchange.simulated.core.tape import Tape


class Desk:
    """What one account has and may do, at the current step of each market.

    Attributes:
        pieces: symbols whose orders fill in pieces of at most so much, each until a time.
    """

    def __init__(
        self,
        instruments: dict[str, Instrument],
        balance: Decimal,
        ledger: Ledger,
        readings: Readings = DEFAULT_READINGS,
        pack: Packer | None = None,
    ) -> None:
        self.instruments = instruments
        self.readings = readings
        self.account = Account(
            balance, journal=Shelf(Entry, pack), margin_moves=Shelf(MarginMove, pack)
        )
        for symbol in instruments:
            self.account.sides(symbol)
        self.orders = OrderBook(pack)
        self.amendments = Amendments(pack)
        self.conditionals = ConditionalBook(pack)
        self.deadlines = Deadlines()
        self.fundings = no_fundings()
        self.markets: dict[str, MarketStep] = {}
        self.tapes = {symbol: Tape() for symbol in instruments}
        self.trades: Shelf[Trade] = Shelf(Trade, pack)
        self.pieces: dict[str, tuple[Decimal, int]] = {}
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
        self.admit_one_more(order.symbol)
        if order.reduce_only:
            self.admit_reducing(order, order.quantity)
            self.crowded_out(order)
        step = self.market(order.symbol)
        if order.time_in_force.post_only and self.would_take(order):
            raise Refusal(-5022)
        admission.terms(order, self.wanted(order), self.instruments[order.symbol], step)
        if not order.reduce_only:
            self.afford(order, order.quantity, order.price)

    def admit_one_more(self, symbol: str) -> None:
        """Check that the symbol may have one more open order.

        Raises:
            Refusal: -2025.
        """
        count = len(self.orders.open(symbol))
        if self.readings.conditional_counts_as_order == "yes":
            count += len(self.conditionals.open(symbol))
        if count >= self.instruments[symbol].max_orders:
            raise Refusal(-2025)

    def admit_reducing(self, order: Order, quantity: Decimal) -> None:
        """Check that a reduce-only order finds something to reduce.

        In one-way mode a larger one is taken and cut when it executes; in hedge mode a client's is refused, and only
        one that a conditional order became is cut.

        Raises:
            Refusal: -2022.
        """
        closable = self.closable(order)
        hedged = order.position_side is not PositionSide.BOTH and order.parent_algo_id is None
        if not closable or (hedged and quantity > closable):
            raise Refusal(-2022)

    def closable(self, order: Order | Conditional) -> Decimal:
        """How much of its position an order may reduce."""
        position = self.account.position(order.symbol, order.position_side)
        return position.closable(order.side)

    def afford(
        self, order: Order, quantity: Decimal, price: Decimal, instead_of: Order | None = None
    ) -> None:
        """Check leverage bracket and margin of an order that may add exposure; price zero means market.

        Args:
            order: whose sides and symbol count.
            quantity: what it may still execute.
            price: its limit.
            instead_of: an open order that it would replace.

        Raises:
            Refusal: -2027 or -2019.
        """
        step, side = self.market(order.symbol), order.side
        notional = quantity * (price or opposite(side, step)[0].price)
        position = self.account.position(order.symbol, order.position_side)
        resting = self.orders.open(order.symbol)
        now = exposure(position, resting, step.mark)
        others = now
        if instead_of is not None:
            others = exposure(position, (o for o in resting if o is not instead_of), step.mark)
        bids = others.bids + notional if side is Side.BUY else others.bids
        asks = others.asks + notional if side is Side.SELL else others.asks
        then = type(now)(position=now.position, bids=bids, asks=asks)
        limit = self.instruments[order.symbol].max_notional(position.leverage)
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
        opposite_side = order.side.other
        makers = (o for o in self.orders.open(order.symbol) if o.side is opposite_side)
        return any(order.side.reaches(limit, maker.price) for maker in makers)

    def wanted(self, order: Order) -> Decimal:
        """What the order may execute now: all that is left of it, reduce-only no more than the position."""
        left = order.remaining if order.most is None else order.most - order.filled
        return min(left, self.closable(order)) if order.reduce_only else left

    def crowded_out(self, order: Order) -> list[Order]:
        """Which resting reduce-only orders must go for a new one (-4118: the new one must)."""
        rule = self.readings.reduce_only_total
        resting = self.orders.open(order.symbol)
        return admission.crowded_out(order, resting, self.closable(order), rule)

    def _admit_id(self, order: Order) -> None:
        if any(other.client_id == order.client_id for other in self.orders.open(order.symbol)):
            raise Refusal(-4116)
        if self.readings.id_namespace == "shared":
            waiting = self.conditionals.find(algo_id=None, client_id=order.client_id)
            if waiting is not None and waiting.waiting:
                raise Refusal(-4116)
        if self.readings.dup_id_after_fill == "reject" and order.parent_algo_id is None:
            before = self.orders.find(order.symbol, order_id=None, client_id=order.client_id)
            if before is not None and before.filled:
                raise Refusal(-4116)
