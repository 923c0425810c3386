"""The chronicle: every change is told twice, to the ledger (the truth) and to the user stream (the wire).

One place writes both, so that they cannot disagree. The order is the ledger's: market before the first fill or
trigger of a step; for an execution fill, position, then the order. On the stream ACCOUNT_UPDATE precedes the
ORDER_TRADE_UPDATE of the same fill with the same time, as real records show. It decides nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.account import ASSET, Account, IncomeKind
from jumar.exchange.simulated.core.conditional import Conditional
from jumar.exchange.simulated.core.dialect import events
from jumar.exchange.simulated.core.dialect.money import bnb_row, moved, transferred
from jumar.exchange.simulated.core.ledger import Ledger, Value
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import (
    Cause,
    Order,
    OrderBook,
    PositionSide,
    Trade,
    notionals,
)
from jumar.exchange.simulated.core.position import Position
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import text

type Event = dict[str, Any]
MARKET_RECORD_MS = 1000


class Chronicle:
    """Writes records and sends events about changes that have happened.

    Attributes:
        market_record_ms: how old a symbol's last market record must be for another one that nothing asks for.
    """

    def __init__(self, ledger: Ledger, account: Account, book: OrderBook) -> None:
        self._ledger = ledger
        self._account = account
        self._book = book
        self._marked: dict[str, tuple[MarketStep, int]] = {}
        self.market_record_ms = MARKET_RECORD_MS
        self.listeners: list[Callable[[Event], None]] = []
        self._late: list[Event] | None = None

    @contextmanager
    def algo_last(self, *, on: bool) -> Iterator[None]:
        """Within it, events about conditional orders wait until its end; `on` false changes nothing."""
        if not on:
            yield
            return
        self._late = []
        try:
            yield
        finally:
            late, self._late = self._late, None
            for event in late:
                self.emit(event)

    def emit(self, event: Event) -> None:
        """Send an event to every listener of the user stream."""
        for listener in self.listeners:
            listener(event)

    def market_due(self, step: MarketStep, now_ms: int) -> None:
        """Record the market if the symbol's last record is old enough."""
        marked = self._marked.get(step.symbol)
        if marked is None or now_ms - marked[1] >= self.market_record_ms:
            self.market(step, now_ms)

    def market(self, step: MarketStep, now_ms: int) -> None:
        """Record the market of this step, once."""
        marked = self._marked.get(step.symbol)
        if marked is not None and marked[0] is step:
            return
        self._marked[step.symbol] = (step, now_ms)
        self._ledger.append(
            "market",
            now_ms,
            symbol=step.symbol,
            bid=text(step.bids[0].price),
            ask=text(step.asks[0].price),
            last=text(step.last),
            mark=text(step.mark),
        )

    def order(
        self, order: Order, execution: str, cause: Cause, now_ms: int, *, resting: bool = True
    ) -> None:
        """An order was accepted or ended without a further execution (`execution`: NEW or the end).

        Real records count an order that trades at once (not `resting`) among the open notionals only afterwards.
        """
        order.updated_ms = now_ms
        self._ledger.append("order", now_ms, **_order_fields(order, cause))
        notionals = self._notionals(order, counted=resting)
        self.emit(events.order_update(order, execution, notionals, now_ms))

    def amended(self, order: Order, modify_id: int | None, now_ms: int) -> None:
        """A client changed price or quantity of a resting order."""
        order.updated_ms = now_ms
        self._ledger.append("order", now_ms, **_order_fields(order, Cause.CLIENT))
        notionals = self._notionals(order)
        self.emit(events.order_update(order, "AMENDMENT", notionals, now_ms, modify_id=modify_id))

    def fill(self, order: Order, trade: Trade, mark: Decimal, now_ms: int) -> None:
        """An order executed: the order and the account already show the result."""
        order.updated_ms = now_ms
        position = self._account.position(order.symbol, order.position_side)
        self._ledger.append("fill", now_ms, **_fill_fields(order, trade))
        self._ledger.append(
            "position",
            now_ms,
            symbol=order.symbol,
            quantity=text(position.quantity),
            entry_price=text(position.entry_price),
            **_sided(position.side),
        )
        self._ledger.append("order", now_ms, **_order_fields(order, Cause.MARKET))
        update = events.account_update(self._account, position, mark, now_ms)
        if trade.fee_asset != ASSET:
            update["a"]["B"].append(bnb_row(self._account.bnb))
        self.emit(update)
        notionals = self._notionals(order)
        execution = "TRADE" if order.forced is None else "CALCULATED"
        self.emit(events.order_update(order, execution, notionals, now_ms, trade))

    def money(
        self,
        position: Position,
        kind: IncomeKind,
        amount: Decimal,
        mark: Decimal,
        now_ms: int,
    ) -> None:
        """The exchange moved USDT between the account and others; the account already shows the result."""
        self._ledger.append(
            "money",
            now_ms,
            symbol=position.symbol,
            income=kind.value,
            amount=text(amount),
            asset=ASSET,
            wallet=text(self._account.wallet),
            **_sided(position.side),
        )
        update = events.account_update(self._account, position, mark, now_ms)
        self.emit(moved(update, kind.value, amount, isolated=position.isolated))

    def transferred(self, amount: Decimal, now_ms: int) -> None:
        """The owner moved USDT into the account or out of it; the account already shows the result."""
        self._ledger.append(
            "money",
            now_ms,
            symbol=None,
            income=IncomeKind.TRANSFER.value,
            amount=text(amount),
            asset=ASSET,
            wallet=text(self._account.wallet),
        )
        self.emit(transferred(self._account, amount, now_ms))

    def conditional(self, order: Conditional, cause: Cause, now_ms: int) -> None:
        """A conditional order was accepted or changed its status."""
        order.updated_ms = now_ms
        self._ledger.append("conditional", now_ms, **_conditional_fields(order, cause))
        event = events.algo_update(order, now_ms)
        if self._late is None:
            self.emit(event)
        else:
            self._late.append(event)

    def refused(
        self,
        request: tuple[str, str],
        subject: tuple[str | None, str | None],
        why: Refusal,
        now_ms: int,
    ) -> None:
        """A request that would have changed something was refused.

        Args:
            request: method and path.
            subject: client id and symbol, as far as they were given.
            why: the refusal.
            now_ms: exchange time.
        """
        self._ledger.append(
            "refused",
            now_ms,
            method=request[0],
            path=request[1],
            client_id=subject[0],
            symbol=subject[1],
            code=why.code,
            message=why.message,
        )

    def _notionals(self, of: Order, *, counted: bool = True) -> tuple[Decimal, Decimal]:
        """Bids and asks that may add to the position of an order, which itself is one of them if `counted`."""
        orders = self._book.open(of.symbol)
        if not counted:
            orders = [order for order in orders if order is not of]
        return notionals(orders, of.position_side)


def _sided(side: PositionSide) -> dict[str, Value]:
    """The field that records have in hedge mode only."""
    return {} if side is PositionSide.BOTH else {"position_side": side.value}


def _order_fields(order: Order, cause: Cause) -> dict[str, Value]:
    return {
        "symbol": order.symbol,
        "order_id": order.order_id,
        "client_id": order.client_id,
        "side": order.side.value,
        "type": order.type.value,
        "time_in_force": order.time_in_force.value,
        "price": text(order.price) if order.price else None,
        "quantity": text(order.quantity),
        "filled": text(order.filled),
        "reduce_only": order.reduce_only,
        "close_position": order.close_position,
        "status": order.status.value,
        "parent_algo_id": order.parent_algo_id,
        "by": cause.value,
        **_sided(order.position_side),
    }


def _fill_fields(order: Order, trade: Trade) -> dict[str, Value]:
    return {
        "symbol": order.symbol,
        "trade_id": trade.trade_id,
        "order_id": order.order_id,
        "client_id": order.client_id,
        "side": order.side.value,
        "price": text(trade.price),
        "quantity": text(trade.quantity),
        "maker": trade.maker,
        "fee": text(trade.fee),
        "fee_asset": trade.fee_asset,
        "realized_pnl": text(trade.realized),
        **_sided(order.position_side),
    }


def _conditional_fields(order: Conditional, cause: Cause) -> dict[str, Value]:
    return {
        "symbol": order.symbol,
        "algo_id": order.algo_id,
        "client_id": order.client_id,
        "side": order.side.value,
        "type": order.type.value,
        "trigger": text(order.trigger),
        "working_type": order.working_type.value,
        "quantity": None if order.quantity is None else text(order.quantity),
        "reduce_only": order.reduce_only,
        "close_position": order.close_position,
        "status": order.status.value,
        "child_order_id": order.child_order_id,
        "reason": order.reason,
        "by": cause.value,
        **_sided(order.position_side),
    }
