"""What befalls orders and symbols by nobody's request, at the core: pieces, parts, filters, liquidation."""

from decimal import Decimal

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, statuses


def fills(floor: Floor) -> list[str]:
    """The quantities of all executions."""
    return [str(record["quantity"]) for record in floor.kinds("fill")]


def test_a_resting_order_fills_one_piece_a_step_until_the_time_is_over() -> None:
    """As long as it lasts a crossing step gives one piece; then all that is left."""
    floor = Floor()
    floor.ok("POST", "order", **floor.limit("BUY", "0.012", "89900"))
    floor.exchange.interference.crumble(SYMBOL, Decimal("0.0045"), floor.now_ms + 25)
    for _ in range(2):
        floor.advance(at("89800.0"))
    assert fills(floor) == ["0.004", "0.004"]
    floor.advance(at("89800.0"))
    assert fills(floor) == ["0.004", "0.004", "0.004"]
    floor.ok("POST", "order", **floor.limit("BUY", "0.012", "89700"))
    floor.advance(at("89600.0"))
    assert fills(floor)[3:] == ["0.012"]


@pytest.mark.parametrize(
    ("quantity", "piece", "count", "last"),
    [
        ("0.010", "0.004", 3, "0.002"),
        ("0.008", "0.004", 2, "0.004"),
        ("0.250", "0.0001", 100, "0.151"),
    ],
)
def test_a_taker_gets_pieces(quantity: str, piece: str, count: int, last: str) -> None:
    """At least a step of the symbol each; after a hundred the rest comes at once."""
    floor = Floor(balance="100000")
    floor.exchange.interference.crumble(SYMBOL, Decimal(piece), floor.now_ms + 1000)
    floor.buy(quantity)
    assert (len(fills(floor)), fills(floor)[-1]) == (count, last)
    assert sum(map(Decimal, fills(floor))) == Decimal(quantity)
    floor.exchange.interference.mend(SYMBOL)
    floor.buy("0.010")
    assert len(fills(floor)) == count + 1


@pytest.mark.parametrize(("part", "left"), [("0.5", "0.006"), ("0.01", "0.010"), ("1", "0")])
def test_a_starved_stop_executes_a_part_and_its_rest_expires(part: str, left: str) -> None:
    """At least a step; the conditional order is finished with what was executed."""
    floor = Floor()
    floor.buy("0.011")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89900", clientAlgoId="s", quantity="0.011"))
    assert floor.exchange.interference.starve(SYMBOL, "s", Decimal(part))
    floor.advance(at("89800.0"))
    assert floor.exchange.position(SYMBOL) == Decimal(left)
    assert statuses(floor, "s")[-1] == "FINISHED"
    child = [record for record in floor.kinds("order") if record["parent_algo_id"]][-1]
    assert child["status"] == ("FILLED" if part == "1" else "EXPIRED")


def test_only_a_waiting_order_can_be_starved() -> None:
    """Neither an unknown one, nor one of another symbol, nor one that is over."""
    floor = Floor()
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89900", clientAlgoId="s", quantity="0.011"))
    starve, half = floor.exchange.interference.starve, Decimal("0.5")
    assert not starve(SYMBOL, "t", half)
    assert not starve("ETHUSDT", "s", half)
    floor.ok("DELETE", "algoOrder", clientAlgoId="s")
    assert not starve(SYMBOL, "s", half)


def test_filters_change_on_whole_multiples_only() -> None:
    """What would cut through the old grid changes nothing; other exchanges keep theirs."""
    floor, other = Floor(), Floor()
    refit = floor.exchange.interference.refit
    assert not refit(SYMBOL, tick_size=Decimal("0.25"), min_notional=Decimal(500))
    assert not refit(SYMBOL, step_size=Decimal("0.0015"))
    assert floor.code("POST", "order", **floor.limit("BUY", "0.001", "45000")) == -4164
    assert refit(SYMBOL, tick_size=Decimal("0.5"), min_notional=Decimal(500))
    assert floor.code("POST", "order", **floor.limit("BUY", "0.012", "89900.7")) == -4014
    assert floor.code("POST", "order", **floor.limit("BUY", "0.005", "89900.5")) == -4164
    floor.ok("POST", "order", **floor.limit("BUY", "0.012", "89900.5"))
    assert refit(SYMBOL, step_size=Decimal("0.01"))
    assert floor.code("POST", "order", **floor.limit("BUY", "0.012", "89900.5")) == -4023
    other.ok("POST", "order", **other.limit("BUY", "0.005", "89900.7"))


def test_a_liquidation_without_need_takes_the_whole_position() -> None:
    """By an order of the exchange's own; flat, nothing happens."""
    floor = Floor()
    assert not floor.exchange.liquidate(SYMBOL, floor.now_ms)
    floor.buy("0.011")
    assert floor.exchange.liquidate(SYMBOL, floor.now_ms)
    assert not floor.exchange.holds(SYMBOL)
    order = floor.kinds("order")[-1]
    assert (str(order["client_id"])[:10], order["by"]) == ("autoclose-", "market")
    assert floor.kinds("money")[-1]["income"] == "INSURANCE_CLEAR"
