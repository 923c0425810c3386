"""Which resting orders a step may concern: leaving the others out changes nothing."""

from dataclasses import replace
from decimal import Decimal
from random import Random  # noqa: TID251 - books and orders are drawn from the test's seed

from tests.unit.simulated.floor import SYMBOL

from jumar.exchange.simulated.core.market import Level, MarketStep, Print
from jumar.exchange.simulated.core.matching import Liquidity, join_queue, within_reach
from jumar.exchange.simulated.core.orders import Order, OrderType, Side, TimeInForce

ROUNDS = 3000
ONE = Decimal(1)


def drawn_step(dice: Random) -> MarketStep:
    """A book of one to three levels around a hundred, and up to three trades near it."""
    best = dice.randint(95, 105)
    bids = [best - away for away in range(dice.randint(1, 3))]
    asks = [best + 1 + away for away in range(dice.randint(1, 3))]
    trades = [(dice.randint(90, 110), dice.choice(("BUY", "SELL"))) for _ in range(dice.choice((0, 0, 1, 3)))]  # fmt: skip
    return MarketStep(
        symbol=SYMBOL,
        path_ms=0,
        bids=tuple(Level(price=Decimal(price), quantity=ONE) for price in bids),
        asks=tuple(Level(price=Decimal(price), quantity=ONE) for price in asks),
        last=Decimal(best),
        mark=Decimal(best),
        prints=tuple(
            Print(price=Decimal(price), quantity=ONE, taker_side=side) for price, side in trades
        ),
    )


def drawn_order(dice: Random, number: int) -> Order:
    """An order near the book, which knows its queue or not yet."""
    return Order(
        order_id=number,
        client_id=str(number),
        symbol=SYMBOL,
        side=dice.choice(list(Side)),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        price=Decimal(dice.randint(85, 115)),
        quantity=ONE,
        reduce_only=False,
        created_ms=0,
        updated_ms=0,
        rank=number,
        ahead=dice.choice((None, Decimal(0), ONE)),
    )


def test_a_step_does_nothing_to_an_order_beyond_its_reach() -> None:
    """It gets nothing, and learns nothing of a queue; some orders are beyond reach and some are not."""
    dice, beyond, concerned = Random(11), 0, 0
    for number in range(ROUNDS):
        step, order = drawn_step(dice), drawn_order(dice, number)
        before = replace(order)
        if within_reach([order], step):
            concerned += 1
            continue
        beyond += 1
        assert not Liquidity(step).take(order, ONE)
        join_queue(order, step)
        assert order == before
    assert beyond > ROUNDS / 10
    assert concerned > ROUNDS / 10


def test_it_keeps_the_order_of_those_within() -> None:
    """Oldest first, as they were given."""
    dice = Random(12)
    orders = [drawn_order(dice, number) for number in range(50)]
    within = [order.order_id for order in within_reach(orders, drawn_step(dice))]
    assert within == sorted(within)
    assert 0 < len(within) < 50
