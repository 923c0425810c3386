"""Whatever a client sends and the market does: the books agree, reduce-only never turns, and it can be replayed."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulated.floor import SYMBOL, Floor, step

from jumar.exchange.simulated.core.readings import ALLOWED
from jumar.exchange.simulated.judge import judge

type Act = tuple[str, int, int, int]

KINDS = ("limit", "market", "exit", "stop", "trail", "modify", "cancel", "step")
TERMS = ("GTC", "IOC", "FOK", "GTX", "RPI")
MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
STOPS = ("STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TAKE_PROFIT")
ACTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 7), st.integers(-9, 9), st.integers(1, 9)),
    max_size=30,
)


def act(floor: Floor, what: Act) -> None:
    """Do one thing; refusals are answers too."""
    kind, choice, place, size = what
    side, quantity = ("BUY", "SELL")[choice % 2], f"0.00{size}"
    price = f"{90000 + place}.0"
    limit = floor.limit(side, quantity, price, timeInForce=TERMS[choice % 5])
    trigger = floor.stop(side, price, quantity=quantity, type=STOPS[choice % 4], price=price)
    match kind:
        case "limit":
            mode = MODES[choice % 4]
            floor.request("POST", "order", **limit, selfTradePreventionMode=mode)
        case "market":
            floor.request("POST", "order", **floor.market(side, quantity))
        case "exit":
            floor.request("POST", "order", **{**limit, "reduceOnly": "true", "timeInForce": "GTC"})
        case "stop":
            floor.request("POST", "algoOrder", **trigger)
        case "trail":
            trail = {**trigger, "type": "TRAILING_STOP_MARKET", "callbackRate": "0.1"}
            floor.request("POST", "algoOrder", **{**trail, "triggerPrice": ""})
        case "modify" | "cancel":
            for row in floor.ok("GET", "openOrders")[:1]:
                wish = {"side": row["side"], "quantity": quantity, "price": price}
                method = "PUT" if kind == "modify" else "DELETE"
                floor.request(method, "order", symbol=SYMBOL, orderId=str(row["orderId"]), **wish)
        case _:
            middle, part = 90000 + place, f"0.00{choice + 1}"
            market = step(
                bids=((f"{middle - 1}.0", part), (f"{middle - 2}.0", "5")),
                asks=((f"{middle + 1}.0", part), (f"{middle + 2}.0", "5")),
                last=f"{middle}.0",
                mark=f"{middle}.0",
                prints=((f"{middle - 1}.0", part),),
            )
            floor.advance(market)


def played(acts: Sequence[Act], reading: str = "") -> Floor:
    """A floor on which all was done, its books checked after each act."""
    floor = Floor(reading=reading)
    for each in acts:
        act(floor, each)
        for order in floor.exchange.orders(SYMBOL):
            assert order.alive
            assert order.remaining > 0
        assert all(order.waiting for order in floor.exchange.conditionals(SYMBOL))
    return floor


def reduce_only_turned(floor: Floor) -> bool:
    """Whether a fill of a reduce-only order opened, added to or turned a position."""
    reducing = {r["order_id"] for r in floor.kinds("order") if r["reduce_only"]}
    held = Decimal(0)
    for fill in floor.kinds("fill"):
        moved = Decimal(fill["quantity"]) * (1 if fill["side"] == "BUY" else -1)
        if fill["order_id"] in reducing and not (held * moved < 0 and abs(moved) <= abs(held)):
            return True
        held += moved
    return False


@settings(max_examples=60)
@given(acts=ACTS)
def test_the_books_agree_whatever_happens(acts: list[Act]) -> None:
    """The position is the sum of the fills, reduce-only orders only reduce, and the judge can replay it."""
    floor = played(acts)
    signs = {"BUY": 1, "SELL": -1}
    moved = [Decimal(f["quantity"]) * signs[f["side"]] for f in floor.kinds("fill")]
    assert floor.exchange.position(SYMBOL) == sum(moved, Decimal(0))
    assert not reduce_only_turned(floor)
    judge(floor.exchange.ledger.records)


@settings(max_examples=15)
@given(acts=ACTS)
def test_the_same_acts_leave_the_same_ledger(acts: list[Act]) -> None:
    """Nothing is drawn: two runs are one."""
    assert played(acts).records == played(acts).records


@pytest.mark.parametrize(
    "reading", [f"{name}={word}" for name, words in ALLOWED.items() for word in words]
)
@settings(max_examples=6)
@given(acts=ACTS)
def test_reduce_only_never_turns_a_position_under_any_reading(
    reading: str, acts: list[Act]
) -> None:
    """A reading changes what is accepted and when it ends, never that reduce-only reduces."""
    assert not reduce_only_turned(played(acts, reading))
