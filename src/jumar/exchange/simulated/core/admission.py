"""What an order must fulfil at the moment it reaches the book: time in force, price band, room to reduce.

Pure: books and steps in, refusals out. The filters of the instrument were checked before (`api/checks.py`).
"""

from collections.abc import Iterable
from decimal import Decimal

from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import opposite, priority, walk
from jumar.exchange.simulated.core.orders import Order, OrderType, Side, TimeInForce
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO, text


def terms(order: Order, wanted: Decimal, instrument: Instrument, step: MarketStep) -> None:
    """Check time in force and, of a market order, the price band; `wanted` is what may execute.

    Raises:
        Refusal: -4131, -5021.
    """
    if order.type is OrderType.MARKET:
        _price_band(order.side, instrument, step)
    elif order.time_in_force is TimeInForce.FOK:
        offered = walk(order.side, wanted, order.price, step)
        if sum((execution.quantity for execution in offered), ZERO) < wanted:
            raise Refusal(-5021)


def limit_band(order: Order, instrument: Instrument, mark: Decimal) -> None:
    """PERCENT_PRICE of a limit: not too far above the mark for a buyer (-4016), below it for a seller (-4024)."""
    highest, lowest = mark * instrument.price_up, mark * instrument.price_down
    if order.side is Side.BUY and order.price > highest:
        raise Refusal(-4016, limit=text(highest))
    if order.side is Side.SELL and order.price < lowest:
        raise Refusal(-4024, limit=text(lowest))


def _price_band(side: Side, instrument: Instrument, step: MarketStep) -> None:
    best = opposite(side, step)[0].price
    if side is Side.BUY and best > step.mark * instrument.price_up:
        raise Refusal(-4131)
    if side is Side.SELL and best < step.mark * instrument.price_down:
        raise Refusal(-4131)


def crowded_out(
    order: Order, resting: Iterable[Order], closable: Decimal, rule: str
) -> list[Order]:
    """Which resting reduce-only orders of the order's side must go for a new reduce-only order.

    Whoever has the better price and the older place stays; what is beyond the position goes. A market order needs no
    room: it executes now, and what it leaves without a position is swept away then. Alone, an order larger than the
    position is taken, and cut when it executes. Reduce-only orders of one side reduce one position in hedge mode too:
    sells LONG, buys SHORT. `rule` is a reading.

    Raises:
        Refusal: -4118, the new order is the one that must go.
    """
    rivals = [o for o in resting if o.reduce_only and o.side is order.side and o is not order]
    total = sum((rival.remaining for rival in rivals), order.remaining)
    if rule == "rest" or not rivals or total <= closable:
        return []
    if rule == "reject":
        raise Refusal(-4118)
    if order.type is OrderType.MARKET:
        return []
    going, used = list[Order](), ZERO
    for each in sorted([*rivals, order], key=lambda rival: (priority(rival)[0], rival is order)):
        if used and used + each.remaining > closable:
            going.append(each)
        else:
            used += each.remaining
    if order in going:
        raise Refusal(-4118)
    return going


def outgrown(reducing: Iterable[Order], closable: Decimal) -> list[Order]:
    """Those of a side's resting reduce-only orders for which nothing of the position is left by those before them."""
    going, used = list[Order](), ZERO
    for order in sorted(reducing, key=priority):
        if used >= closable:
            going.append(order)
        used += order.remaining
    return going
