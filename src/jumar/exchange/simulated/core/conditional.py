"""Conditional orders ("algo orders" on the wire): when they fire, in which order, and the book that keeps them.

Trigger rules (Binance, New Algo Order): a stop fires when the price reaches the trigger against the position it
protects (SELL at or below, BUY at or above), a take profit the other way round. The price is the mark price or the
last price by `working_type`; for the last price every public trade of the step counts, not only the newest.
With `price_protect` an order does not fire while mark and last differ by more than the instrument's `trigger_protect`;
it stays NEW (what the real exchange does then is not documented). Knows nothing of positions or money.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import Side
from jumar.exchange.simulated.core.text import ZERO

FIRST_ALGO_ID = 1_000_000_000_000_001
OPEN_LIMIT = 200  # over all symbols: Binance derivatives change log, 2025-12-29


class ConditionalType(StrEnum):
    """The conditional types that execute at market."""

    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"


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


@dataclass(slots=True, kw_only=True)
class Conditional:
    """One conditional order. `quantity` is None for closePosition; times in ms.

    Attributes:
        child_order_id: the regular order it became, once triggered.
        executed, average: what that order did, filled in when it ended.
        reason: why it was rejected, else empty.
        spoiled: it will be rejected when it triggers.
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
    self_trade_prevention: str = "EXPIRE_MAKER"
    status: ConditionalStatus = ConditionalStatus.NEW
    triggered_ms: int = 0
    child_order_id: int | None = None
    executed: Decimal = ZERO
    average: Decimal = ZERO
    reason: str = ""
    spoiled: bool = False

    @property
    def close_position(self) -> bool:
        """Whether it closes whatever the position is when it fires."""
        return self.quantity is None

    @property
    def waiting(self) -> bool:
        """Whether it rests and may be cancelled."""
        return self.status is ConditionalStatus.NEW

    @property
    def fires_on_fall(self) -> bool:
        """Whether a falling price fires it: a selling stop or a buying take profit."""
        return (self.side is Side.SELL) == (self.type is ConditionalType.STOP_MARKET)


def fires(order: Conditional, step: MarketStep, trigger_protect: Decimal) -> bool:
    """Whether the step's prices fire the order."""
    low, high = _range(order, step)
    reached = low <= order.trigger if order.fires_on_fall else high >= order.trigger
    return reached and not (order.price_protect and _apart(step, trigger_protect))


def fires_at_once(order: Conditional, step: MarketStep) -> bool:
    """Whether the order would fire at the prices that hold now (-2021); trades of the past do not count."""
    price = step.mark if order.working_type is WorkingType.MARK_PRICE else step.last
    return price <= order.trigger if order.fires_on_fall else price >= order.trigger


def firing_order(order: Conditional) -> tuple[bool, Decimal, int]:
    """Sort key within one step: stops before take profits, the trigger reached first, then age."""
    reached = -order.trigger if order.fires_on_fall else order.trigger
    return (order.type is ConditionalType.TAKE_PROFIT_MARKET, reached, order.algo_id)


def _range(order: Conditional, step: MarketStep) -> tuple[Decimal, Decimal]:
    if order.working_type is WorkingType.MARK_PRICE:
        return step.mark, step.mark
    prices = [step.last, *(trade.price for trade in step.prints)]
    return min(prices), max(prices)


def _apart(step: MarketStep, trigger_protect: Decimal) -> bool:
    return abs(step.mark - step.last) > trigger_protect * step.mark


class ConditionalBook:
    """All conditional orders of the account, waiting and ended."""

    def __init__(self) -> None:
        self._all: dict[int, Conditional] = {}
        self._open: dict[str, dict[int, Conditional]] = {}
        self._by_client: dict[str, Conditional] = {}

    def next_id(self) -> int:
        """The id of the next conditional order."""
        return FIRST_ALGO_ID + len(self._all)

    def add(self, order: Conditional) -> None:
        """Take a new order into the book."""
        self._all[order.algo_id] = order
        self._open.setdefault(order.symbol, {})[order.algo_id] = order
        self._by_client[order.client_id] = order

    def retire(self, order: Conditional) -> None:
        """The order waits no longer: it stays known but is not listed as open."""
        self._open[order.symbol].pop(order.algo_id, None)

    def find(self, *, algo_id: int | None, client_id: str | None) -> Conditional | None:
        """By id, else by client id (the newest of that name)."""
        return (
            self._all.get(algo_id) if algo_id is not None else self._by_client.get(client_id or "")
        )

    def open(self, symbol: str | None = None) -> list[Conditional]:
        """Waiting orders, oldest first."""
        if symbol is not None:
            return list(self._open.get(symbol, {}).values())
        rows = [order for orders in self._open.values() for order in orders.values()]
        return sorted(rows, key=lambda order: order.algo_id)

    def all(self, symbol: str) -> Iterator[Conditional]:
        """Every conditional order of the symbol, oldest first."""
        return (order for order in self._all.values() if order.symbol == symbol)
