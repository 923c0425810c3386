"""Conditional orders ("algo orders" on the wire): when they fire, in which order, and the book that keeps them.

Trigger rules (Binance, New Algo Order): a stop fires when the price reaches the trigger against the position it
protects (SELL at or below, BUY at or above), a take profit the other way round. The price is the mark price or the
last price by `working_type`; for the last price every public trade of the step counts, not only the newest.
A trailing stop is activated when the price reaches `activate_price` (BUY at or below, SELL at or above), follows the
best price since, and fires when the price comes back from it by `callback_rate` percent: its trigger moves.
With `price_protect` an order does not fire while mark and last differ by more than the instrument's `trigger_protect`.
Knows nothing of positions or money.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import (
    OrderType,
    PositionSide,
    SelfTrade,
    Side,
    TimeInForce,
)
from jumar.exchange.simulated.core.register import Register
from jumar.exchange.simulated.core.shelf import Packer
from jumar.exchange.simulated.core.text import ZERO

FIRST_ALGO_ID = 1_000_000_000_000_001
OPEN_LIMIT = 200  # over all symbols: Binance derivatives change log, 2025-12-29


class ConditionalType(StrEnum):
    """The types of conditional orders."""

    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    STOP = "STOP"
    TAKE_PROFIT = "TAKE_PROFIT"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"

    @property
    def takes_profit(self) -> bool:
        """Whether a price in the position's favour fires it."""
        return self in (ConditionalType.TAKE_PROFIT_MARKET, ConditionalType.TAKE_PROFIT)

    @property
    def child(self) -> OrderType:
        """What it becomes."""
        limits = (ConditionalType.STOP, ConditionalType.TAKE_PROFIT)
        return OrderType.LIMIT if self in limits else OrderType.MARKET


class WorkingType(StrEnum):
    """Which price the trigger watches."""

    MARK_PRICE = "MARK_PRICE"
    CONTRACT_PRICE = "CONTRACT_PRICE"


class ConditionalStatus(StrEnum):
    """The life of a conditional order (Binance, Event: Algo Order Update)."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


_ENDED = frozenset(
    {
        ConditionalStatus.FINISHED,
        ConditionalStatus.CANCELED,
        ConditionalStatus.REJECTED,
        ConditionalStatus.EXPIRED,
    }
)


@dataclass(slots=True, kw_only=True)
class Conditional:
    """One conditional order. `quantity` is None for closePosition; times in ms.

    Attributes:
        trigger: the price that fires it; of a trailing stop zero until it is activated.
        price: the limit of a STOP or TAKE_PROFIT, else zero.
        callback_rate: percent, of a trailing stop, else zero.
        activate_price: of a trailing stop, zero when it is active from the start.
        active: whether a trailing stop follows the price; `best` is the best price since.
        closes: the position when it fired, for a closePosition order that must not look again.
        child_order_id: the regular order it became, once triggered.
        executed, average: what that order did, filled in when it ended.
        reason: why it was rejected, else empty.
        spoiled: it will be rejected when it triggers.
        part: how much of it will execute when it triggers, the rest expires; None for all.
        expiring: its expiry is on its way, because the position it needs is gone.
    """

    algo_id: int
    client_id: str
    symbol: str
    side: Side
    type: ConditionalType
    trigger: Decimal
    working_type: WorkingType
    quantity: Decimal | None
    reduce_only: bool
    price_protect: bool
    created_ms: int
    updated_ms: int
    position_side: PositionSide = PositionSide.BOTH
    time_in_force: TimeInForce = TimeInForce.GTC
    price: Decimal = ZERO
    price_match: str = "NONE"
    good_till_ms: int = 0
    activate_price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    active: bool = False
    best: Decimal = ZERO
    closes: Decimal | None = None
    self_trade_prevention: SelfTrade = SelfTrade.EXPIRE_MAKER
    status: ConditionalStatus = ConditionalStatus.NEW
    triggered_ms: int = 0
    child_order_id: int | None = None
    executed: Decimal = ZERO
    average: Decimal = ZERO
    reason: str = ""
    spoiled: bool = False
    part: Decimal | None = None
    expiring: bool = False

    @property
    def close_position(self) -> bool:
        """Whether it closes whatever the position is when it fires."""
        return self.quantity is None

    @property
    def waiting(self) -> bool:
        """Whether it rests and may be cancelled."""
        return self.status is ConditionalStatus.NEW

    @property
    def trails(self) -> bool:
        """Whether it is a trailing stop."""
        return self.type is ConditionalType.TRAILING_STOP_MARKET

    @property
    def needs_position(self) -> bool:
        """Whether it lives and dies with a position: closePosition and GTE_GTC orders."""
        return self.close_position or self.time_in_force is TimeInForce.GTE_GTC

    @property
    def ended_empty(self) -> bool:
        """Whether it was cancelled or expired before it fired."""
        return self.status in (ConditionalStatus.CANCELED, ConditionalStatus.EXPIRED)

    @property
    def fires_on_fall(self) -> bool:
        """Whether a falling price fires it: a selling stop or a buying take profit."""
        return (self.side is Side.SELL) != self.type.takes_profit


def reached(order: Conditional, step: MarketStep) -> bool:
    """Whether the step's prices reach the order's trigger."""
    if order.trails and not order.active:
        return False
    low, high = _range(order, step)
    return low <= order.trigger if order.fires_on_fall else high >= order.trigger


def held_back(order: Conditional, step: MarketStep, trigger_protect: Decimal) -> bool:
    """Whether price protection keeps the order from firing."""
    return order.price_protect and abs(step.mark - step.last) > trigger_protect * step.mark


def follow(order: Conditional, step: MarketStep) -> bool:
    """Move a trailing stop with the step's prices; says whether this step activated it.

    Within one step the best price is taken to come before the worst.
    """
    low, high = _range(order, step)
    selling = order.side is Side.SELL
    activated = not order.active and (
        high >= order.activate_price if selling else low <= order.activate_price
    )
    order.active = order.active or activated
    if order.active:
        activate(order, high if selling else low)
    return activated


def activate(order: Conditional, price: Decimal) -> None:
    """Let an active trailing stop take notice of a price: its trigger follows the best one."""
    selling = order.side is Side.SELL
    order.active = True
    if not order.best or (price > order.best if selling else price < order.best):
        order.best = price
    share = order.callback_rate / 100
    order.trigger = order.best * (1 - share if selling else 1 + share)


def price_now(order: Conditional, step: MarketStep) -> Decimal:
    """The price that the order watches, as it is now."""
    return step.mark if order.working_type is WorkingType.MARK_PRICE else step.last


def fires_at_once(order: Conditional, step: MarketStep) -> bool:
    """Whether the order would fire at the prices that hold now (-2021); trades of the past do not count."""
    price = price_now(order, step)
    return price <= order.trigger if order.fires_on_fall else price >= order.trigger


def firing_order(order: Conditional) -> tuple[bool, Decimal, int]:
    """Sort key within one step: stops before take profits, the trigger reached first, then age."""
    first = -order.trigger if order.fires_on_fall else order.trigger
    return (order.type.takes_profit, first, order.algo_id)


def _range(order: Conditional, step: MarketStep) -> tuple[Decimal, Decimal]:
    if order.working_type is WorkingType.MARK_PRICE:
        return step.mark, step.mark
    prices = [step.last, *(trade.price for trade in step.prints)]
    return min(prices), max(prices)


class ConditionalBook:
    """All conditional orders of the account, waiting and ended."""

    def __init__(self, pack: Packer | None = None) -> None:
        self._all = Register(
            Conditional,
            first=FIRST_ALGO_ID,
            name=lambda order: order.client_id,
            ended=lambda order: order.status in _ENDED,
            pack=pack,
        )
        self._open: dict[str, dict[int, Conditional]] = {}

    def next_id(self) -> int:
        """The id of the next conditional order."""
        return self._all.next_number

    def add(self, order: Conditional) -> None:
        """Take a new order into the book."""
        self._all.enter(order.algo_id, order)
        self._open.setdefault(order.symbol, {})[order.algo_id] = order

    def retire(self, order: Conditional) -> None:
        """The order waits no longer: it stays known but is not listed as open."""
        self._open[order.symbol].pop(order.algo_id, None)
        self._all.leave(order.algo_id)

    def find(self, *, algo_id: int | None, client_id: str | None) -> Conditional | None:
        """By id, else by client id (the newest of that name)."""
        return self._all.get(algo_id) if algo_id is not None else self._all.named(client_id or "")

    def waiting(self, symbol: str, client_id: str) -> Conditional | None:
        """The order of a client id on a symbol, if it waits."""
        order = self.find(algo_id=None, client_id=client_id)
        return order if order and order.waiting and order.symbol == symbol else None

    def get(self, algo_id: int) -> Conditional:
        """The order of an id that this book gave."""
        order = self._all.get(algo_id)
        if order is None:
            raise KeyError(algo_id)
        return order

    def triggering(self, symbol: str | None = None) -> list[Conditional]:
        """Orders that fired and are on their way to the engine, oldest first."""
        return [
            order
            for order in self._all.live()
            if order.status is ConditionalStatus.TRIGGERING and symbol in (None, order.symbol)
        ]

    def open(self, symbol: str | None = None) -> list[Conditional]:
        """Waiting orders, oldest first."""
        if symbol is not None:
            return list(self._open.get(symbol, {}).values())
        rows = [order for orders in self._open.values() for order in orders.values()]
        return sorted(rows, key=lambda order: order.algo_id)

    def since(self, algo_id: int) -> Iterator[Conditional]:
        """Every conditional order from an id on, oldest first."""
        return self._all.since(algo_id)

    def newest_first(self) -> Iterator[Conditional]:
        """Every conditional order, newest first."""
        return self._all.newest_first()
