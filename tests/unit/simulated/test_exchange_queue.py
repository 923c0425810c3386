"""Queue position: a resting order fills at its own price after the volume that stood before it has traded there."""

from decimal import Decimal

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, levels, step

from jumar.exchange.simulated.core.market import MarketStep, Print

BID = "89999.9"


@pytest.fixture
def floor() -> Floor:
    """An exchange whose best bid shows 3."""
    floor = Floor()
    floor.advance(book())
    return floor


def book(*prints: tuple[str, str, str], bid: str = "3") -> MarketStep:
    """A quiet book with `bid` at the best bid; prints are (price, quantity, taker side)."""
    return MarketStep(
        symbol=SYMBOL,
        path_ms=0,
        bids=levels((BID, bid), ("89990.0", "5")),
        asks=levels(("90000.1", "100")),
        last=Decimal(90000),
        mark=Decimal(90000),
        prints=tuple(
            Print(price=Decimal(price), quantity=Decimal(quantity), taker_side=side)
            for price, quantity, side in prints
        ),
    )


def rest(floor: Floor, price: str = BID, quantity: str = "0.010", name: str = "e") -> None:
    """Join the queue."""
    floor.ok("POST", "order", **floor.limit("BUY", quantity, price, newClientOrderId=name))


def filled(floor: Floor) -> list[tuple[str, str]]:
    """Who filled how much."""
    return [(row["client_id"], row["quantity"]) for row in floor.kinds("fill")]


def test_nothing_fills_until_the_volume_before_it_has_traded(floor: Floor) -> None:
    """3 stood before: prints of 2 and 1 fill nothing, the next one fills, partly and then whole."""
    rest(floor)
    floor.advance(book((BID, "2", "SELL")))
    floor.advance(book((BID, "1", "SELL")))
    assert filled(floor) == []
    floor.advance(book((BID, "0.004", "SELL")))
    assert filled(floor) == [("e", "0.004")]
    floor.advance(book((BID, "5", "SELL")))
    assert filled(floor) == [("e", "0.004"), ("e", "0.006")]
    assert {row["price"] for row in floor.kinds("fill")} == {BID}
    assert {row["maker"] for row in floor.kinds("fill")} == {True}


def test_one_print_may_serve_the_queue_and_the_order(floor: Floor) -> None:
    """What is left of a print after those before is the order's."""
    rest(floor)
    floor.advance(book((BID, "3.007", "SELL")))
    assert filled(floor) == [("e", "0.007")]


def test_trades_of_the_other_side_do_not_serve_a_queue(floor: Floor) -> None:
    """A buyer's trade at the bid's price took an ask, whatever its size."""
    rest(floor)
    floor.advance(book((BID, "50", "BUY")))
    assert filled(floor) == []


def test_a_queue_is_not_shortened_by_cancels_nor_lengthened_by_newcomers(floor: Floor) -> None:
    """The shown size may shrink or grow: only trades count."""
    rest(floor)
    floor.advance(book(bid="0.001"))
    floor.advance(book((BID, "2.999", "SELL"), bid="90"))
    assert filled(floor) == []
    floor.advance(book((BID, "0.011", "SELL"), bid="90"))
    assert filled(floor) == [("e", "0.01")]


def test_a_trade_through_the_price_fills_at_once(floor: Floor) -> None:
    """A trade below the bid's price went through the whole queue; what is left is then first in line."""
    rest(floor)
    floor.advance(book(("89999.8", "0.004", "SELL")))
    assert filled(floor) == [("e", "0.004")]
    floor.advance(book((BID, "0.001", "SELL")))
    assert filled(floor) == [("e", "0.004"), ("e", "0.001")]


def test_orders_of_one_price_share_a_queue_by_arrival(floor: Floor) -> None:
    """The public volume counts once for both: first it, then the older order, then the younger."""
    rest(floor, name="old")
    rest(floor, name="young")
    floor.advance(book((BID, "3.012", "SELL")))
    assert filled(floor) == [("old", "0.01"), ("young", "0.002")]


def test_a_younger_order_waits_for_the_volume_that_came_between(floor: Floor) -> None:
    """0.5 more stood before the second order: it fills only after that has traded too."""
    rest(floor, name="old")
    floor.advance(book(bid="3.5"))
    rest(floor, name="young")
    floor.advance(book((BID, "3.4", "SELL")))
    assert filled(floor) == [("old", "0.01")]
    floor.advance(book((BID, "0.2", "SELL")))
    assert filled(floor) == [("old", "0.01"), ("young", "0.01")]


def test_an_order_inside_the_spread_is_alone(floor: Floor) -> None:
    """Nobody stands before an order that is the best bid."""
    rest(floor, price="90000.0")
    floor.advance(book(("90000.0", "0.003", "SELL")))
    assert filled(floor) == [("e", "0.003")]


def test_a_price_deeper_than_the_book_joins_when_the_book_shows_it(floor: Floor) -> None:
    """Until then the queue is unknown and trades at the price fill nothing."""
    rest(floor, price="89980.0")
    floor.advance(book(("89980.0", "50", "SELL")))
    assert filled(floor) == []
    low = step(bids=(("89985.0", "1"), ("89980.0", "2")), asks=(("89985.1", "9"),))
    floor.advance(low)
    floor.advance(step(bids=(("89980.0", "2"),), prints=(("89980.0", "2.003"),)))
    assert filled(floor) == [("e", "0.003")]


def test_a_modified_order_queues_again(floor: Floor) -> None:
    """A new quantity at the old price goes behind what the book shows now."""
    rest(floor)
    floor.advance(book((BID, "3", "SELL")))
    wish = {"symbol": SYMBOL, "side": "BUY", "price": BID, "quantity": "0.012"}
    floor.ok("PUT", "order", origClientOrderId="e", **wish)
    floor.advance(book((BID, "2", "SELL")))
    assert filled(floor) == []


def test_a_sellers_queue_is_the_asks(floor: Floor) -> None:
    """The same for a seller: buyers' trades at its price, after the shown asks."""
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "90000.1", newClientOrderId="s"))
    floor.advance(book(("90000.1", "100", "BUY")))
    assert filled(floor) == []
    floor.advance(book(("90000.1", "0.002", "SELL"), ("90000.1", "0.003", "BUY")))
    assert filled(floor) == [("s", "0.003")]
