"""Matching against the market source's book. Pure: levels and prints in, executions out.

A taker walks the levels it may reach; a market order finds the last level unlimited (no source has the whole book).
A resting order fills at its own price: from the levels that cross it, from prints strictly through it, and from
prints at its price by takers of the other side once the public volume that stood before it has traded in such prints.
That volume is what the book showed at its price when it came or, when the price lay deeper than the book, when the
book first showed it; cancels of others never shorten the queue. Within one step each level and each print is used
once, by price and then arrival. Between steps the book does not remember what our orders took: it is the recorded or
drawn one. Knows nothing of accounts.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.core.orders import Order, Side
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO

PIECES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A quantity at a price."""

    price: Decimal
    quantity: Decimal


def takes(side: Side, limit: Decimal, step: MarketStep) -> bool:
    """Whether a limit order would trade at once against the book."""
    return side.reaches(limit, opposite(side, step)[0].price)


def opposite(side: Side, step: MarketStep) -> tuple[Level, ...]:
    """The levels an order of `side` trades against, best first."""
    return step.asks if side is Side.BUY else step.bids


def walk(side: Side, quantity: Decimal, limit: Decimal | None, step: MarketStep) -> list[Execution]:
    """What a taker gets; without a limit (market order) the last level is unlimited."""
    executions: list[Execution] = []
    levels = opposite(side, step)
    for position, level in enumerate(levels, start=1):
        if limit is not None and not side.reaches(limit, level.price):
            break
        bottomless = limit is None and position == len(levels)
        taken = quantity if bottomless else min(quantity, level.quantity)
        if taken > 0:
            executions.append(Execution(price=level.price, quantity=taken))
        quantity -= taken
        if quantity <= 0:
            break
    return executions


def in_pieces(executions: list[Execution], most: Decimal | None) -> list[Execution]:
    """The same, each cut into pieces of at most so much; after `PIECES_MAX` of one its rest comes at once."""
    if most is None:
        return executions
    pieces = []
    for whole in executions:
        left = whole.quantity
        for _ in range(PIECES_MAX - 1):
            if left > most:
                pieces.append(Execution(price=whole.price, quantity=most))
                left -= most
        pieces.append(Execution(price=whole.price, quantity=left))
    return pieces


def matched_price(side: Side, mode: str, step: MarketStep) -> Decimal:
    """The price that a `priceMatch` mode means: OPPONENT is the other side's best, QUEUE the own side's, _5 its fifth.

    Raises:
        Refusal: -5041, the book has no such level.
    """
    name, _, depth = mode.partition("_")
    levels = opposite(side if name == "OPPONENT" else side.other, step)
    place = int(depth or 1)
    if place > len(levels):
        raise Refusal(-5041)
    return levels[place - 1].price


def priority(order: Order) -> tuple[Decimal, int]:
    """Sort key of resting orders of one side: best price first, then arrival."""
    return (-order.price if order.side is Side.BUY else order.price, order.rank)


def within_reach(resting: list[Order], step: MarketStep) -> list[Order]:
    """The resting orders that a step may concern.

    For the others no level and no print comes to their price, nor does the book show it: most orders, at most steps.
    """
    bids, asks = _nearest(Side.BUY, step), _nearest(Side.SELL, step)
    return [
        order
        for order in resting
        if (order.price >= bids if order.side is Side.BUY else order.price <= asks)
    ]


def _nearest(side: Side, step: MarketStep) -> Decimal:
    """The price that an order of a side must reach to be concerned by a step."""
    shown, offered = opposite(side.other, step)[-1].price, opposite(side, step)[0].price
    prices = (shown, offered, *(each.price for each in step.prints))
    return min(prices) if side is Side.BUY else max(prices)


def join_queue(order: Order, step: MarketStep) -> None:
    """Have an order that rests learn what stands before it, if the book shows its price."""
    shown = opposite(order.side.other, step)
    if order.ahead is None and order.side.reaches(order.price, shown[-1].price):
        at_price = (level.quantity for level in shown if level.price == order.price)
        order.ahead = sum(at_price, ZERO)


@dataclass(slots=True)
class _Print:
    """One public trade: what of it is left, and what of it the public queue before our orders took."""

    price: Decimal
    left: Decimal
    hits: Side
    queued: Decimal = ZERO


class Liquidity:
    """What one step offers to resting orders; every unit is given once.

    Attributes:
        untold: what of the last giving came from levels that crossed, so that no print tells of it.
    """

    untold = ZERO

    def __init__(self, step: MarketStep) -> None:
        self._levels = {
            side: [[level.price, level.quantity] for level in opposite(side, step)] for side in Side
        }
        self._prints = [
            _Print(each.price, each.quantity, Side(each.taker_side).other) for each in step.prints
        ]

    def take(self, order: Order, wanted: Decimal) -> Decimal:
        """Up to `wanted` for a resting order; what was given is gone, and the queue before it moves on."""
        given = self._through(order, wanted)
        if given:
            order.ahead = ZERO  # whoever stood before it at its price is gone
        for trade in self._prints:
            if trade.price == order.price and trade.hits is order.side and order.ahead is not None:
                given += self._queue(order, trade, wanted - given)
        return given

    def _through(self, order: Order, wanted: Decimal) -> Decimal:
        given = ZERO
        for offer in self._levels[order.side]:
            if given < wanted and order.side.reaches(order.price, offer[0]):
                part = min(offer[1], wanted - given)
                offer[1] -= part
                given += part
        self.untold = given
        for trade in self._prints:
            through = trade.price != order.price and order.side.reaches(order.price, trade.price)
            if through and given < wanted:
                part = min(trade.left, wanted - given)
                trade.left -= part
                given += part
        return given

    def _queue(self, order: Order, trade: _Print, wanted: Decimal) -> Decimal:
        before = order.ahead or ZERO
        # What an older order of ours let the public queue take was before this one too.
        before -= min(before, trade.queued)
        part = min(before, trade.left)
        order.ahead = before - part
        trade.queued += part
        trade.left -= part
        given = min(wanted, trade.left)
        trade.left -= given
        return given
