"""Readings of what surrounds conditional orders: their ids, what counts them, what takes them away."""

from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, statuses, step

from jumar.exchange.simulated.core.instruments import INSTRUMENTS


def stop(floor: Floor, name: str = "s") -> dict[str, str]:
    """Parameters of a stop below the market."""
    return floor.stop("SELL", "89500", quantity="0.010", clientAlgoId=name)


def resting(floor: Floor, name: str = "s") -> dict[str, str]:
    """Parameters of a limit order below the market."""
    return floor.limit("BUY", "0.010", "89000", newClientOrderId=name)


@pytest.mark.parametrize("code", [-4116, -4015, -4045])
def test_the_code_of_a_doubled_conditional_id_is_a_reading(code: int) -> None:
    """Refused while the first one waits, by one code or another; a regular order's double is always -4116."""
    floor = Floor(reading=f"dup_algo_id={code}")
    floor.ok("POST", "algoOrder", **stop(floor))
    assert floor.code("POST", "algoOrder", **stop(floor)) == code
    floor.ok("POST", "order", **resting(floor))
    assert floor.code("POST", "order", **resting(floor)) == -4116


@pytest.mark.parametrize("word", ["separate", "shared"])
@pytest.mark.parametrize("conditional_first", [True, False])
def test_whether_orders_share_their_ids_is_a_reading(word: str, *, conditional_first: bool) -> None:
    """One id, an open order and a waiting conditional one, in either order of placement."""
    floor = Floor(reading=f"id_namespace={word}")
    asked = [("algoOrder", stop(floor)), ("order", resting(floor))]
    first, second = asked if conditional_first else reversed(asked)
    floor.ok("POST", first[0], **first[1])
    if word == "separate":
        floor.ok("POST", second[0], **second[1])
        return
    assert floor.code("POST", second[0], **second[1]) == -4116
    cancel = {"clientAlgoId": "s"} if conditional_first else {"origClientOrderId": "s"}
    floor.ok("DELETE", first[0], symbol=SYMBOL, **cancel)
    floor.ok("POST", second[0], **second[1])


def test_a_triggered_order_may_carry_its_parents_id_where_ids_are_shared() -> None:
    """The parent waits no longer: its child is no double of it."""
    floor = Floor(reading="id_namespace=shared")
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **stop(floor))
    floor.advance(at("89499.9"))
    assert statuses(floor, "s")[-1] == "FINISHED"


@pytest.mark.parametrize(("word", "left"), [("no", ["s"]), ("yes", [])])
def test_whether_cancelling_all_takes_conditional_orders_is_a_reading(
    word: str, left: list[str]
) -> None:
    """Regular orders go either way; another symbol's conditional orders stay."""
    floor = Floor(reading=f"allopenorders_cancels_conditional={word}")
    floor.advance(step(symbol="ETHUSDT"))
    floor.ok("POST", "algoOrder", **stop(floor))
    floor.ok("POST", "algoOrder", **{**stop(floor, "e"), "symbol": "ETHUSDT"})
    floor.ok("POST", "order", **resting(floor))
    floor.ok("DELETE", "allOpenOrders", symbol=SYMBOL)
    rows = floor.ok("GET", "openAlgoOrders")
    assert [row["clientAlgoId"] for row in rows] == [*left, "e"]
    assert floor.ok("GET", "openOrders") == []


@pytest.mark.parametrize("word", ["no", "yes"])
def test_whether_conditional_orders_count_as_orders_is_a_reading(word: str) -> None:
    """One below the symbol's limit of open orders, a stop and then an order are asked for, and the other way round."""
    floor = Floor(reading=f"conditional_counts_as_order={word}", balance="10000000")
    for number in range(INSTRUMENTS[SYMBOL].max_orders - 1):
        floor.ok("POST", "order", **resting(floor, f"o{number}"))
    floor.ok("POST", "algoOrder", **stop(floor))
    if word == "yes":
        assert floor.code("POST", "order", **resting(floor, "one")) == -2025
        assert floor.code("POST", "algoOrder", **stop(floor, "t")) == -2025
        return
    floor.ok("POST", "order", **resting(floor, "one"))
    assert floor.code("POST", "order", **resting(floor, "two")) == -2025
    floor.ok("POST", "algoOrder", **stop(floor, "t"))


@pytest.mark.parametrize(("word", "rows"), [("no", []), ("yes", [SYMBOL])])
def test_whether_a_conditional_order_makes_a_position_row_is_a_reading(
    word: str, rows: list[str]
) -> None:
    """A flat symbol on which nothing but a stop waits."""
    floor = Floor(reading=f"conditional_position_row={word}")
    floor.ok("POST", "algoOrder", **stop(floor))
    shown = floor.ok("GET", "/fapi/v3/positionRisk")
    assert [row["symbol"] for row in shown] == rows


@pytest.mark.parametrize("word", ["no", "yes"])
def test_whether_the_result_has_a_price_is_a_reading(word: str) -> None:
    """RESULT of a market order, with the average it paid or without; an acknowledgement never has one."""
    floor = Floor(reading=f"result_avg_price={word}")
    done = floor.ok("POST", "order", **floor.market("BUY", "0.010", newOrderRespType="RESULT"))
    expected = {"avgPrice": "90000.1", "cumQuote": "900.001"} if word == "yes" else {}
    assert _prices(done) == expected
    assert _prices(floor.ok("POST", "order", **floor.market("BUY", "0.010"))) == {}


def _prices(answer: dict[str, Any]) -> dict[str, str]:
    return {name: answer[name] for name in ("avgPrice", "cumQuote") if name in answer}


@pytest.mark.parametrize(("word", "price"), [("newest", "88000"), ("oldest", "89000")])
def test_which_order_of_a_reused_id_is_told_is_a_reading(word: str, price: str) -> None:
    """One was cancelled, then the id was used again: a query by id tells one of them, a cancel finds the open one."""
    floor = Floor(reading=f"reused_id_query={word}")
    floor.ok("POST", "order", **resting(floor))
    floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="s")
    second = floor.ok("POST", "order", **floor.limit("BUY", "0.010", "88000", newClientOrderId="s"))
    found = floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="s")
    assert found["price"] == price
    by_number = floor.ok("GET", "order", symbol=SYMBOL, orderId=str(second["orderId"]))
    assert by_number["price"] == "88000"
    assert floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="s")["price"] == "88000"
