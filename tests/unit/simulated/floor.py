"""An exchange on the table for unit tests: one symbol, a book set by hand, time that steps by hand."""

import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.market import Level, MarketStep, Print
from jumar.exchange.simulated.core.readings import readings_from
from jumar.exchange.simulated.core.shelf import Packer
from jumar.exchange.simulated.core.terms import PLAIN_TERMS, Terms

SYMBOL = "BTCUSDT"
START_MS = 1_764_929_090_000

type Pair = tuple[str, str]


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at_ms = START_MS

    def now_ms(self) -> int:
        """The time that was set."""
        return self.at_ms

    def monotonic(self) -> float:
        """The same in seconds."""
        return self.at_ms / 1000

    def set_offset(self, offset_ms: int) -> None:
        """Nothing."""

    async def sleep(self, seconds: float) -> None:
        """Nothing."""


def in_new_processes(program: str, *hash_seeds: str) -> set[str]:
    """What a program prints in processes of their own, one for each hash seed."""
    return {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in hash_seeds
    }


def levels(*pairs: Pair) -> tuple[Level, ...]:
    """Book levels from (price, quantity) texts."""
    return tuple(
        Level(price=Decimal(price), quantity=Decimal(quantity)) for price, quantity in pairs
    )


def step(
    *,
    bids: tuple[Pair, ...] = (("90000.0", "100"),),
    asks: tuple[Pair, ...] = (("90000.1", "100"),),
    last: str = "90000.0",
    mark: str = "90000.0",
    prints: tuple[Pair, ...] = (),
    symbol: str = SYMBOL,
) -> MarketStep:
    """A market step; prints are (price, quantity) texts, sold by a taker."""
    return MarketStep(
        symbol=symbol,
        path_ms=0,
        bids=levels(*bids),
        asks=levels(*asks),
        last=Decimal(last),
        mark=Decimal(mark),
        prints=tuple(
            Print(price=Decimal(price), quantity=Decimal(quantity), taker_side="SELL")
            for price, quantity in prints
        ),
    )


def at(price: str) -> MarketStep:
    """A deep market around one price on the tick: last and mark there, bid a tick below, ask a tick above."""
    middle, tick = Decimal(price), Decimal("0.1")
    bids, asks = (str(middle - tick), "1000"), (str(middle + tick), "1000")
    return step(bids=(bids,), asks=(asks,), last=price, mark=price)


class Floor:
    """The exchange, its events and a clock; isolated margin at 3x unless told otherwise; `reading` as `name=value` words."""

    def __init__(
        self,
        *,
        balance: str = "10000",
        price: str = "90000.0",
        terms: Terms = PLAIN_TERMS,
        reading: str = "",
        pack: Packer | None = None,
    ) -> None:
        self.now_ms = START_MS
        self.exchange = Exchange(
            symbols=[SYMBOL, "ETHUSDT"],
            balance=Decimal(balance),
            account="t",
            now_ms=START_MS,
            terms=terms,
            readings=readings_from(reading.split()),
            pack=pack,
        )
        self.events: list[dict[str, Any]] = []
        self.exchange.subscribe(self.events.append)
        self.advance(at(price))
        self.ok("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
        self.ok("POST", "leverage", symbol=SYMBOL, leverage="3")
        self.events.clear()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The ledger so far."""
        return [dict(record) for record in self.exchange.ledger.records]

    def kinds(self, *kinds: str) -> list[dict[str, Any]]:
        """The ledger's records of these kinds."""
        return [record for record in self.records if record["kind"] in kinds]

    def advance(self, market: MarketStep, *, ms: int = 10) -> None:
        """Let time and market move."""
        self.now_ms += ms
        self.exchange.advance(market, self.now_ms)

    def request(self, method: str, name: str, /, **params: str) -> Reply:
        """Ask; `name` may leave out the usual `/fapi/v1/`."""
        self.now_ms += 1
        path = name if name.startswith("/") else f"/fapi/v1/{name}"
        return self.exchange.request(method, path, params, self.now_ms)

    def ok(self, method: str, name: str, /, **params: str) -> Any:
        """Ask and expect success."""
        reply = self.request(method, name, **params)
        assert reply.status == 200, reply.body
        return reply.body

    def code(self, method: str, name: str, /, **params: str) -> int:
        """Ask and expect a refusal; its code."""
        reply = self.request(method, name, **params)
        assert reply.status == 400, reply.body
        return int(reply.body["code"])

    def limit(self, side: str, quantity: str, price: str, /, **params: str) -> dict[str, str]:
        """Parameters of a limit order, GTC on BTCUSDT."""
        terms = {"timeInForce": "GTC", "quantity": quantity, "price": price}
        return {"symbol": SYMBOL, "side": side, "type": "LIMIT", **terms, **params}

    def market(self, side: str, quantity: str, /, **params: str) -> dict[str, str]:
        """Parameters of a market order on BTCUSDT."""
        return {"symbol": SYMBOL, "side": side, "type": "MARKET", "quantity": quantity, **params}

    def stop(self, side: str, trigger: str, /, **params: str) -> dict[str, str]:
        """Parameters of a mark-price stop on BTCUSDT; without a quantity it closes the position."""
        size = {"reduceOnly": "true"} if "quantity" in params else {"closePosition": "true"}
        kind = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "workingType": "MARK_PRICE"}
        return {"symbol": SYMBOL, "side": side, "triggerPrice": trigger, **kind, **size, **params}

    def buy(self, quantity: str) -> None:
        """Be long at market."""
        self.ok("POST", "order", **self.market("BUY", quantity))

    def wallet(self) -> Decimal:
        """The wallet balance."""
        return Decimal(self.ok("GET", "/fapi/v3/balance")[0]["balance"])

    def position(self) -> dict[str, Any]:
        """The BTCUSDT position as version 2 tells it."""
        row: dict[str, Any] = self.ok("GET", "/fapi/v2/positionRisk", symbol=SYMBOL)[0]
        return row


def statuses(floor: Floor, client_id: str) -> list[str]:
    """The statuses one conditional order went through, from the ledger."""
    rows = floor.kinds("conditional")
    return [str(row["status"]) for row in rows if row["client_id"] == client_id]
