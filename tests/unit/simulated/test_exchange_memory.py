"""A long run: what lies far back takes little room and is answered as before."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at

from jumar.exchange.simulated.core import register, shelf
from jumar.exchange.simulated.core.deadlines import Deadlines
from jumar.exchange.simulated.judge import judge
from jumar.exchange.simulated.server.packing import InMemory, packer

CYCLES = 600
DAY_MS = 86_400_000


def busy(floor: Floor, cycles: int, first: int = 0) -> None:
    """Orders that rest, are modified, cancelled and filled; stops that are cancelled, fire and fail."""
    for number in range(first, first + cycles):
        floor.advance(at(f"{90_000 + number % 7}.0"), ms=50)
        resting = floor.limit("BUY", "0.002", "80000", newClientOrderId=f"r-{number}")
        floor.ok("POST", "order", **resting)
        name = {"symbol": SYMBOL, "origClientOrderId": f"r-{number}"}
        if number % 4 == 0:
            floor.ok("PUT", "order", side="BUY", quantity="0.003", price="80001", **name)
        floor.ok("DELETE", "order", **name)
        if number % 3 == 0:
            floor.ok("POST", "order", **floor.market("BUY", "0.002"))
            stop = floor.stop("SELL", "89999.5", quantity="0.002", clientAlgoId=f"s-{number}")
            floor.ok("POST", "algoOrder", **stop)
            if number % 2 == 0:
                floor.ok("DELETE", "algoOrder", clientAlgoId=f"s-{number}")
                floor.ok("POST", "order", **floor.market("SELL", "0.002", reduceOnly="true"))
            floor.advance(at("89000.0"))
        if number % 50 == 49:
            floor.request("POST", "order", **floor.limit("BUY", "0.002", "1e9"))


def answers(floor: Floor) -> Iterator[Any]:
    """What the exchange says about its past, however it is asked."""
    for number in (0, 1, 2, 3, 40, 99, 100, 117, 118, 119, 1000):
        order_id = str(8_000_000_001 + number)
        for by in ({"origClientOrderId": f"r-{number}"}, {"orderId": order_id}):
            asked = {"symbol": SYMBOL, **by}
            yield floor.request("GET", "order", **asked).body
            yield floor.request("DELETE", "order", **asked).body
            yield floor.request("GET", "orderAmendment", **asked).body
        for by in ({"clientAlgoId": f"s-{number}"}, {"algoId": str(10**15 + 1 + number)}):
            yield floor.request("GET", "algoOrder", **by).body
            yield floor.request("DELETE", "algoOrder", **by).body
    begin = floor.exchange.ledger.records[0]["t"]
    pages: tuple[dict[str, str], ...] = (
        {},
        {"limit": "3"},
        {"limit": "1000"},
        {"startTime": str(begin), "endTime": str(begin)},
        {"endTime": str(floor.now_ms - 1000), "limit": "7"},
    )
    for page in pages:
        for name in ("allOrders", "allAlgoOrders", "userTrades", "income", "forceOrders"):
            yield floor.request("GET", name, symbol=SYMBOL, **page).body
    for name, first in (
        ("allOrders", {"orderId": "8000000021"}),
        ("allAlgoOrders", {"algoId": str(10**15 + 5)}),
        ("userTrades", {"fromId": "700000011"}),
        ("userTrades", {"orderId": "8000000002"}),
    ):
        yield floor.request("GET", name, symbol=SYMBOL, limit="9", **first).body
    yield floor.request("GET", "allOrders", limit="1000").body
    yield floor.records
    yield judge(floor.exchange.ledger.records, until_ms=floor.now_ms)


def test_what_was_packed_is_answered_as_if_it_were_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries by every id and page, cancels of the dead, the ledger and the judge's verdict are the same."""
    monkeypatch.setattr(shelf, "BLOCK", 8)
    monkeypatch.setattr(register, "LINGERING", 8)
    plain, packed = Floor(), Floor(pack=InMemory())
    for floor in (plain, packed):
        busy(floor, 120)
        floor.buy("0.01")
        floor.exchange.deleverage(SYMBOL, None, floor.now_ms)
    told = list(answers(plain))
    assert list(answers(packed)) == told
    assert sum("orderId" in row for row in told if isinstance(row, dict)) >= 20
    for floor in (plain, packed):
        floor.advance(at("90000.0"), ms=4 * DAY_MS)
    assert list(answers(packed)) == list(answers(plain))


def test_memory_does_not_grow_with_the_length_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle leaves its numbers' places behind, a few bytes each; its orders and records, some 6,000 bytes, lie elsewhere."""
    monkeypatch.setattr(shelf, "BLOCK", 64)  # so that a short run has old rows, too
    monkeypatch.setattr(register, "LINGERING", 64)
    tracemalloc.start()
    try:
        floor = Floor(pack=packer())
        floor.exchange._engine.chronicle.listeners.clear()  # the floor's, which keeps every event
        held = []
        for begin, end in ((0, CYCLES), (CYCLES, 4 * CYCLES)):
            busy(floor, end - begin, begin)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(floor.exchange.ledger.records) > 20 * CYCLES
    assert held[1] - held[0] < 100 * 3 * CYCLES


def test_orders_good_till_a_far_date_leave_nothing_behind_when_they_are_cancelled() -> None:
    """Of a thousand that were cancelled none waits for its date; those that rest still expire then."""
    floor = Floor()
    date_ms = (floor.now_ms // 1000 + 10 * 86_400) * 1000
    till = {"timeInForce": "GTD", "goodTillDate": str(date_ms)}
    for number in range(1000):
        order = floor.limit("BUY", "0.002", "80000", newClientOrderId=f"g-{number}")
        floor.ok("POST", "order", **{**order, **till})
        if number % 200:
            floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId=f"g-{number}")
    assert len(floor.exchange._engine.deadlines) < 300
    assert len(floor.exchange.orders(SYMBOL)) == 5
    floor.advance(at("90000.0"), ms=date_ms - floor.now_ms)
    assert floor.exchange.orders(SYMBOL) == ()


def test_pointless_work_is_thrown_away_and_all_other_is_done_in_order() -> None:
    """Work without a word about it is done, too."""
    deadlines, done = Deadlines(), list[int]()

    def work(number: int) -> Callable[[int], None]:
        return lambda _now_ms: done.append(number)

    for number in range(5000):
        pointless = (lambda: True) if number % 7 else (lambda: False)
        deadlines.at(9000 - number, work(number), pointless if number % 3 else None)
    assert len(deadlines) < 5000
    deadlines.run(9000)
    needed = [number for number in range(5000) if number % 3 == 0 or number % 7 == 0]
    assert set(needed) <= set(done)
    assert done == sorted(done, reverse=True)
    assert len(done) < 5000
    assert len(deadlines) == 0
