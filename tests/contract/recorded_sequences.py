"""Recorded user streams, played again: the recorded orders meet the recorded prices in the simulated exchange.

A replay is the opening (what the account held before), then each recorded order and each recorded execution at its
recorded time. Ids are the exchange's own choice: they are compared by the order in which they first appear.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.core.readings import Readings

SYMBOL = "BNBUSDT"
FAR = Decimal(20)
ISOLATED_LEVERAGE = "2"  # the recorded isolated wallet is half the notional, less the fee
ORDER_IDS = ("o.i", "o.t", "o.ai", "o.aid")

type Event = dict[str, Any]
type Flat = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One recorded stream.

    Attributes:
        wallet: USDT before the first order.
        realized: what the symbol had realized before the first order.
        isolated: whether the positions have margin of their own.
    """

    name: str
    events: list[Event]
    wallet: Decimal
    realized: Decimal
    isolated: bool


def sequences(folder: Path) -> Iterator[Sequence]:
    """Every recorded stream; a balance before the first order is the opening and no event of the story."""
    for path in sorted((folder / "user_stream").glob("seq-*.jsonl")):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        opening = None if "o" in events[0] else events.pop(0)
        account = next(event["a"] for event in events if "a" in event)
        fill = next(event["o"] for event in events if event.get("o", {}).get("x") == "TRADE")
        profit = Decimal(fill["rp"])
        wallet = Decimal(account["B"][0]["wb"]) - profit + Decimal(fill["n"])
        if opening is not None:
            assert Decimal(opening["a"]["B"][0]["wb"]) == wallet
        position = account["P"][0]
        yield Sequence(
            name="-".join(path.name.split("-")[:2]),
            events=events,
            wallet=wallet,
            realized=Decimal(position["cr"]) - profit,
            isolated=position["mt"] == "isolated",
        )


def market(
    symbol: str, *, bid: Decimal, ask: Decimal, mark: Decimal, offers: list[Level] | None = None
) -> MarketStep:
    """A book of one level a side; `offers` stand in place of the side whose price they have."""
    deep = Decimal(1_000_000)
    own = tuple(offers or ())
    bids = own if own and own[0].price == bid else (Level(price=bid, quantity=deep),)
    asks = own if own and own[0].price != bid else (Level(price=ask, quantity=deep),)
    return MarketStep(symbol=symbol, path_ms=0, bids=bids, asks=asks, last=mark, mark=mark)


class Replay:
    """The simulated exchange under one recorded stream; `events` is what it published."""

    def __init__(self, sequence: Sequence) -> None:
        self._sequence = sequence
        self._mark = Decimal(0)
        start_ms = sequence.events[0]["T"] - 1000
        self._exchange = Exchange(
            symbols=[SYMBOL],
            balance=sequence.wallet,
            account="recorded",
            now_ms=start_ms,
        )
        if sequence.isolated:
            self._ask("POST", "marginType", start_ms, marginType="ISOLATED")
            self._ask("POST", "leverage", start_ms, leverage=ISOLATED_LEVERAGE)
        self.events: list[Event] = []
        self._exchange.subscribe(self.events.append)

    def play(self) -> list[Event]:
        """All that was recorded; what the exchange published meanwhile."""
        for at_ms, moment in groupby(self._sequence.events, key=lambda event: int(event["T"])):
            self._moment(list(moment), at_ms)
        return self.events

    def _moment(self, events: list[Event], at_ms: int) -> None:
        orders = [event["o"] for event in events if "o" in event]
        fills = [order for order in orders if order["x"] == "TRADE"]
        first = orders[0]
        self._mark = _mark(events) or self._mark or Decimal(fills[0]["L"] if fills else first["p"])
        if fills:
            self._exchange.advance(_offered(fills, self._mark), at_ms)
        elif first["x"] == "NEW":
            self._exchange.advance(_away(first, self._mark), at_ms)
        if first["x"] == "NEW":
            self._place(first, at_ms)
        elif first["x"] == "CANCELED":
            self._ask("DELETE", "order", at_ms, origClientOrderId=first["c"])

    def _place(self, order: Event, at_ms: int) -> None:
        terms = {"timeInForce": order["f"], "price": order["p"]} if order["o"] == "LIMIT" else {}
        self._ask(
            "POST",
            "order",
            at_ms,
            side=order["S"],
            type=order["o"],
            quantity=order["q"],
            newClientOrderId=order["c"],
            **terms,
        )

    def _ask(self, method: str, name: str, at_ms: int, **params: str) -> None:
        values = {"symbol": SYMBOL, **params}
        reply = self._exchange.request(method, f"/fapi/v1/{name}", values, at_ms)
        assert reply.status == 200, reply.body


def replayed_stop(states: list[Event]) -> list[Event]:
    """What the exchange publishes about the recorded stop from its trigger on; `states` are the recorded events."""
    order, done = states[0]["o"], states[-1]["o"]
    symbol, fired_ms = order["s"], int(states[0]["T"])
    trigger, paid = Decimal(order["tp"]), Decimal(done["ap"])
    exchange = Exchange(
        symbols=[symbol],
        balance=Decimal(100),
        account="recorded",
        now_ms=fired_ms - 1000,
        readings=Readings(triggering_ms=int(states[1]["T"]) - fired_ms),
    )
    tick = Decimal("0.00001")
    below = trigger - tick
    exchange.advance(market(symbol, bid=below - tick, ask=below, mark=below), fired_ms - 1000)
    asked = {
        "algoType": order["at"],
        "symbol": symbol,
        "side": order["S"],
        "type": order["o"],
        "quantity": order["q"],
        "triggerPrice": order["tp"],
        "workingType": order["wt"],
        "clientAlgoId": order["caid"],
    }
    reply = exchange.request("POST", "/fapi/v1/algoOrder", asked, fired_ms - 1000)
    assert reply.status == 200, reply.body
    events: list[Event] = []
    exchange.subscribe(events.append)
    exchange.advance(market(symbol, bid=trigger, ask=paid, mark=trigger), fired_ms)
    for state in states[1:]:
        exchange.peek("/fapi/v1/time", {}, int(state["T"]))
    return [event for event in events if event["e"] == "ALGO_UPDATE"]


def flat(event: Event) -> Flat:
    """Every value by its path; lists by their place."""
    found: Flat = {}
    _flatten(event, "", found)
    return found


def by_appearance(events: list[Event]) -> list[Flat]:
    """The events flattened, each id replaced by how many different ones came before it."""
    seen: dict[str, dict[Any, int]] = {name: {} for name in ORDER_IDS}
    rows = [flat(event) for event in events]
    for row in rows:
        for name, known in seen.items():
            if row.get(name):  # nothing yet is 0 or empty, which stays as it is
                row[name] = f"number {known.setdefault(row[name], len(known))}"
    return rows


def _flatten(value: Any, path: str, found: Flat) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in pairs:
        deeper = f"{path}.{name}" if path else str(name)
        if isinstance(inner, dict | list) and inner:
            _flatten(inner, deeper, found)
        else:
            found[deeper] = inner


def _mark(events: list[Event]) -> Decimal | None:
    """The mark price that the largest recorded position of a moment tells, None when all are flat."""
    rows = [event["a"]["P"][0] for event in events if "a" in event]
    largest = max(rows, key=lambda row: abs(Decimal(row["pa"])), default=None)
    if largest is None or not Decimal(largest["pa"]):
        return None
    return Decimal(largest["ep"]) + Decimal(largest["up"]) / Decimal(largest["pa"])


def _offered(fills: list[Event], mark: Decimal) -> MarketStep:
    """The book that these executions took from, level by level."""
    levels = [Level(price=Decimal(f["L"]), quantity=Decimal(f["l"])) for f in fills]
    price = levels[0].price
    if fills[0]["S"] == "BUY":
        return market(SYMBOL, bid=price - FAR, ask=price, mark=mark, offers=levels)
    return market(SYMBOL, bid=price, ask=price + FAR, mark=mark, offers=levels)


def _away(order: Event, mark: Decimal) -> MarketStep:
    """A book that does not reach a resting order."""
    price = Decimal(order["p"])
    return market(SYMBOL, bid=price - 1, ask=price + 1, mark=mark)
