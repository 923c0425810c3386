"""Matching against the market source's book. Pure: levels and prints in, executions out.

A taker walks the levels it may reach; a market order finds the last level unlimited. A resting order fills at its own
price, from the levels that cross it and from prints strictly through it; within one step each level and each print
is used once, by price and then age. Between steps the book does not remember what our orders took: it is the
recorded or drawn one. Knows nothing of accounts.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.core.orders import Order, Side
from jumar.exchange.simulated.core.text import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A quantity at a price."""

    price: Decimal
    quantity: Decimal


def takes(side: Side, limit: Decimal, step: MarketStep) -> bool:
    """Whether a limit order would trade at once against the book."""
    return _reaches(side, limit, opposite(side, step)[0].price)


def opposite(side: Side, step: MarketStep) -> tuple[Level, ...]:
    """The levels an order of `side` trades against, best first."""
    return step.asks if side is Side.BUY else step.bids


def walk(side: Side, quantity: Decimal, limit: Decimal | None, step: MarketStep) -> list[Execution]:
    """What a taker gets; without a limit (market order) the last level is unlimited."""
    executions: list[Execution] = []
    levels = opposite(side, step)
    for position, level in enumerate(levels, start=1):
        if limit is not None and not _reaches(side, limit, level.price):
            break
        bottomless = limit is None and position == len(levels)
        taken = quantity if bottomless else min(quantity, level.quantity)
        if taken > 0:
            executions.append(Execution(price=level.price, quantity=taken))
        quantity -= taken
        if quantity <= 0:
            break
    return executions


def priority(order: Order) -> tuple[Decimal, int]:
    """Sort key of resting orders of one side: best price first, then age."""
    return (-order.price if order.side is Side.BUY else order.price, order.order_id)


class Liquidity:
    """What one step offers to resting orders; every unit is given once."""

    def __init__(self, step: MarketStep) -> None:
        self._levels = {
            side: [[level.price, level.quantity] for level in opposite(side, step)] for side in Side
        }
        self._prints = [[trade.price, trade.quantity] for trade in step.prints]

    def take(self, side: Side, limit: Decimal, wanted: Decimal) -> Decimal:
        """Up to `wanted` for a resting order of `side` at `limit`; what was given is gone."""
        given = ZERO
        for pool, strictly in ((self._levels[side], False), (self._prints, True)):
            for offer in pool:
                if given >= wanted:
                    return given
                if _reaches(side, limit, offer[0]) and not (strictly and offer[0] == limit):
                    part = min(offer[1], wanted - given)
                    offer[1] -= part
                    given += part
        return given


def _reaches(side: Side, limit: Decimal, price: Decimal) -> bool:
    return price <= limit if side is Side.BUY else price >= limit
