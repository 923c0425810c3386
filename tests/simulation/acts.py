"""What may happen in a scenario: time, prices, decisions, hands, faults on the wire, deaths and new lives.

Everything happens to a `World` in virtual time; prices move only when the storyboard says so.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - the scenario's seed moves phases and delays
from types import MappingProxyType
from typing import Any

from tests.engines import EXAMPLE
from tests.lives import LONG as LONG_ROAD
from tests.lives import SHORT as SHORT_ROAD
from tests.simulation.book import Book, short
from tests.simulation.script import USER_EVENTS, Script, Spell

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import Print
from jumar.exchange.simulated.core.readings import readings_from
from jumar.exchange.simulated.market import ManualMarket
from jumar.model.journal import Incident
from jumar.model.policy import Policy
from jumar.ports.observer import TickReport
from jumar.simulation.world import ORIGIN_MS, World

SYMBOL = "BTCUSDT"
TICK = Decimal("0.1")
QUIET = Decimal(90820)
LOT = Decimal("0.001")
STEP_S = 0.1
#: Scenarios trade and lose more often than a day's limits allow; those limits have scenarios of their own.
LIMITS: dict[str, Any] = {
    "max_notional_usdt": Decimal(5000),
    "max_trades_per_day": 100,
    "cooldown_after_loss_s": 0,
}

LONG: dict[str, Any] = {**EXAMPLE, **LONG_ROAD.decision}
SHORT: dict[str, Any] = {**EXAMPLE, **SHORT_ROAD.decision}
FLAT: dict[str, Any] = {
    **EXAMPLE,
    "action": "flat",
    "entry_zone": [],
    "sl": None,
    "tp1": None,
    "tp2": None,
    "position_size_usdt": 0,
    "leverage": 0,
}


@dataclass(frozen=True, slots=True)
class Looked:
    """One tick: when it began and ended on the exchange's clock, and what the engine said of it."""

    began_ms: int
    ended_ms: int
    report: TickReport


class Witness:
    """Counts ticks and hears incidents."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.ticks: list[Looked] = []
        self.incidents: list[Incident] = []
        self._now_ms = now_ms

    def tick(self, report: TickReport) -> None:
        """Remember a tick."""
        ended_ms = self._now_ms()
        self.ticks.append(Looked(ended_ms - report.duration_ms, ended_ms, report))

    def incident(self, incident: Incident) -> None:
        """Remember an incident."""
        self.incidents.append(incident)


class Acts:
    """One scenario's world and what can be done to it.

    Attributes:
        symbol: what every act and expectation is about; see `on`.
        past: databases that were taken away.
        lives: how often an engine was started.
    """

    def __init__(
        self,
        seed: int,
        *,
        ahead_ms: int,
        drift: float,
        policy: dict[str, Any],
        readings: Sequence[str] = (),
        others: Mapping[str, Decimal] = MappingProxyType({}),
    ) -> None:
        prices = {SYMBOL: QUIET, **others}
        self.symbol = SYMBOL
        self.script = Script(Random(f"{seed}:way"), lambda: self.now_ms)
        self.market = ManualMarket(
            tuple(prices),
            tick_sizes={symbol: INSTRUMENTS[symbol].tick_size for symbol in prices},
            start_prices=prices,
        )
        self.witness = Witness(lambda: self.now_ms)
        self.world = World(
            seed=seed,
            market=self.market,
            policies=dict.fromkeys(prices, Policy(**{**LIMITS, **policy})),
            weather=self.script,
            ahead_ms=ahead_ms,
            drift=drift,
            observers=[self.witness],
            readings=readings_from(readings),
        )
        records = self.world.venue.core.ledger.records
        self.books = {symbol: Book(records, symbol) for symbol in prices}
        self.past: list[Path] = []
        self._lasts = dict(prices)
        self._begin_s = Random(f"{seed}:begin").random()
        self._hands = 0

    # symbols

    @property
    def book(self) -> Book:
        """What the exchange holds of the symbol, as fresh as the last act or expectation."""
        return self.books[self.symbol]

    @contextmanager
    def on(self, symbol: str) -> Iterator[None]:
        """Have acts and expectations be about another symbol for a while."""
        before, self.symbol = self.symbol, symbol
        self.book.refresh()
        try:
            yield
        finally:
            self.symbol = before
            self.book.refresh()

    # time

    @property
    def now_ms(self) -> int:
        """The exchange's time."""
        return self.world.clock.now_ms()

    @property
    def database(self) -> Path:
        """The journal in use."""
        return self.world.disk.database

    def moment(self, offset_s: float = 0.0) -> str:
        """Now, or a moment before or after, as ISO 8601."""
        at = datetime.fromtimestamp(self.now_ms / 1000 + offset_s, tz=UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def wait(self, seconds: float) -> None:
        """Let time go on."""
        self.world.run(seconds)
        self._refresh()

    def _refresh(self) -> None:
        for book in self.books.values():
            book.refresh()

    def at(self, time: str) -> None:
        """Let time go on until `10:05`, or `10:05:30.5`, of the scenario's day."""
        day = datetime.fromtimestamp(ORIGIN_MS / 1000, tz=UTC).date()
        clock = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)
        left_s = clock.timestamp() - self.now_ms / 1000
        assert left_s >= 0, f"{time} is over: it is {self.moment()}"
        self.wait(left_s)

    def note(self, words: str) -> None:
        """Have the failing storyboard tell what was done."""
        self.world.note(words)

    def do(self, work: Callable[[], object]) -> None:
        """Do something inside the world's loop, now."""
        done: list[object] = []

        def act() -> None:
            done.append(work())

        self.world.after(0, act)
        while not done:
            self.world.run(0)
        self._refresh()

    # the market

    def price_to(
        self, last: str | Decimal, *, over_s: float = 0.0, mark: str | None = None
    ) -> None:
        """Move every price: in one step, or in a straight line of steps; the mark may go elsewhere."""
        start, goal = self._last, Decimal(last)
        self.note(f"{self.symbol} price {goal} over {over_s} s, mark {mark or goal}")
        steps = max(round(over_s / STEP_S), 1)
        for number in range(1, steps + 1):
            if over_s:
                self.wait(STEP_S)
            price = (start + (goal - start) * number / steps).quantize(self._tick)
            self._show(price, mark=price if mark is None else Decimal(mark))

    def fill(self, quantity: str) -> None:
        """Let so much of the resting entry fill, from a level of just that size; prices are back at once."""
        (entry,) = self.book.resting("E")
        limit, buys = Decimal(entry["price"]), entry["side"] == "BUY"
        before, tick, symbol = self._last, self._tick, self.symbol
        depth = {("ask" if buys else "bid") + "_quantity": Decimal(quantity)}
        bid, ask = (limit - tick, limit) if buys else (limit, limit + tick)

        def touch() -> None:
            step = self.market.set_price(symbol, last=limit, mark=before, bid=bid, ask=ask, **depth)
            self.world.venue.set_market(step)

        self.note(f"fill {quantity}")
        self.do(touch)
        self._show(before, mark=before)

    def _show(self, last: Decimal, *, mark: Decimal) -> None:
        side = "BUY" if last >= self._last else "SELL"
        symbol, ask = self.symbol, last + self._tick
        self._lasts[symbol] = last

        def show() -> None:
            step = self.market.set_price(symbol, last=last, mark=mark, bid=last, ask=ask)
            traded = Print(price=last, quantity=LOT, taker_side=side)
            self.world.venue.set_market(replace(step, prints=(traded,)))

        self.do(show)

    # decisions

    def decision(self, content: dict[str, Any], *, dated_s: float = 0.0, **changes: Any) -> bytes:
        """Write a decision, dated now or so many seconds from now; returns what was written."""
        dated = {"symbol": self.symbol, "timestamp_iso": self.moment(dated_s)}
        whole = {**content, **dated, **changes}
        written = json.dumps(whole).encode()
        self.rewrite(written)
        return written

    def rewrite(self, written: bytes) -> None:
        """Write the same content again."""
        self.note(f"decision {written[:160].decode()}")
        self.world.decide(written)

    def rubbish(self, content: bytes) -> None:
        """Write something that is no decision."""
        self.note(f"rubbish {content[:60]!r}")
        self.world.decide(content, whole=False)

    # levels

    def levels(self, content: dict[str, Any], *, dated_s: float = 0.0) -> None:
        """Write a levels file, made now or so many seconds from now; `as_of` in the content counts before that."""
        written = json.dumps({"as_of": self.moment(dated_s), **content}).encode()
        self.note(f"levels {written[:160].decode()}")
        self.world.set_levels(written)

    def rubbish_levels(self, content: bytes) -> None:
        """Write something that is no levels file."""
        self.note(f"rubbish for levels {content[:60]!r}")
        self.world.set_levels(content, whole=False)

    # hands

    def by_hand(self, side: str, quantity: str) -> None:
        """Somebody trades at market past the engine."""
        order = {"side": side, "type": "MARKET", "quantity": quantity}
        self._order_by_hand("/fapi/v1/order", order, "newClientOrderId")

    def rest_by_hand(self, client_id: str = "") -> str:
        """Somebody lets a buy order rest far below the price."""
        order = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        order |= {"quantity": "0.010", "price": "88000"}
        return self._order_by_hand("/fapi/v1/order", order, "newClientOrderId", client_id)

    def stop_by_hand(self, side: str, trigger: str, quantity: str) -> str:
        """Somebody places a reduce-only stop; returns its name."""
        order = {"algoType": "CONDITIONAL", "side": side, "type": "STOP_MARKET"}
        order |= {"quantity": quantity, "triggerPrice": trigger, "reduceOnly": "true"}
        order |= {"workingType": "MARK_PRICE"}
        return self._order_by_hand("/fapi/v1/algoOrder", order, "clientAlgoId")

    def _order_by_hand(
        self, path: str, order: dict[str, str], id_field: str, client_id: str = ""
    ) -> str:
        self._hands += 1
        name = client_id or f"web_{self._hands}"
        self.request("POST", path, {**order, "symbol": self.symbol, id_field: name})
        return name

    def transfer(self, amount: str) -> None:
        """The account's owner moves USDT in, or with a minus out."""
        core = self.world.venue.core
        self.note(f"transfer {amount}")
        self.do(lambda: core.transfer(Decimal(amount), self.now_ms))

    def request(self, method: str, path: str, params: dict[str, str]) -> None:
        """A request of the account's owner, past the engine."""
        core = self.world.venue.core

        def send() -> None:
            reply = core.request(method, path, params, self.now_ms)
            assert reply.status == 200, reply.body

        self.note(f"by hand {method} {path} {params}")
        self.do(send)

    def cancel_by_hand(self, *slots: str) -> None:
        """Somebody cancels orders of the engine, named by slot or role."""
        orders = [order for slot in slots for order in self.book.resting(slot)]
        assert orders, f"nothing of {slots} rests: {self.book.slots}"
        core = self.world.venue.core
        for order in orders:
            client_id = order["client_id"]

            def remove(client_id: str = client_id) -> None:
                assert core.remove(self.symbol, client_id, self.now_ms)

            self.note(f"cancelled by hand: {client_id}")
            self.do(remove)

    def cancel_stop_by_hand(self) -> None:
        """Somebody cancels the working stop."""
        self.cancel_by_hand("S")

    def cancel_stops_by_hand(self) -> None:
        """Somebody cancels every stop: the backstop, then the working stop."""
        self.cancel_by_hand("B", "S")

    # faults on the wire

    def next(self, request: str, *, of: str = "", times: int = 1) -> Spell:
        """What befalls the next requests of a kind: `s.next("POST /fapi/v1/order", of="E").answer_lost()`."""
        return self.script.next(request, of=of, times=times)

    def every(self, request: str, *, of: str = "", needed: bool = True) -> Spell:
        """What befalls every request of a kind until the weather clears."""
        return self.script.every(request, of=of, needed=needed)

    def every_own(self, request: str, *, of: str = "") -> Spell:
        """What befalls every request of a kind that names the symbol, until the weather clears."""
        spell = self.script.every(request, of=of)
        spell.symbol = self.symbol
        return spell

    def clear_weather(self) -> None:
        """Nothing befalls the wire any more."""
        self.note("the weather clears")
        self.script.clear()

    def position_list_says(self, quantity: str) -> Spell:
        """The position list tells this instead of the truth."""
        spell = self.every("GET /fapi/v3/positionRisk")
        spell.answered_with(
            lambda rows: [{**row, "positionAmt": quantity, "entryPrice": "90786.6"} for row in rows]
        )
        return spell

    def conditional_orders_forgotten(self, *slots: str) -> Spell:
        """Neither the conditional list nor a read by id knows these orders; returns the list's fault."""
        names = {order["client_id"] for slot in slots for order in self.book.resting(slot)}
        assert names, f"nothing of {slots} rests: {self.book.slots}"
        listed = self.every("GET /fapi/v1/openAlgoOrders")
        listed.answered_with(lambda rows: [r for r in rows if r["clientAlgoId"] not in names])
        for slot in slots:
            read = self.every("GET /fapi/v1/algoOrder", of=slot, needed=False)
            read.answered_with(lambda _: None)
        return listed

    def stops_go_deaf(self) -> None:
        """Every read and list goes on showing stops that are gone: they rest, and do nothing."""
        core = self.world.venue.core
        query = {"algoType": "CONDITIONAL", "symbol": self.symbol}
        listed = core.request("GET", "/fapi/v1/openAlgoOrders", query, self.now_ms).body
        stops = [order for role in "SB" for order in self.book.resting(role)]
        names = {order["client_id"] for order in stops}
        ghosts = [row for row in listed if row["clientAlgoId"] in names]
        self.script.mute |= {"ALGO_UPDATE"}
        self.every("GET /fapi/v1/openAlgoOrders").answered_with(lambda rows: [*rows, *ghosts])
        for ghost in ghosts:
            self._haunt(short(ghost["clientAlgoId"]), ghost)
        self.cancel_stops_by_hand()

    def _haunt(self, slot: str, ghost: dict[str, Any]) -> None:
        """A read shows the order as it was, a cancel seems to succeed."""
        gone = {"algoId": ghost["algoId"], "clientAlgoId": ghost["clientAlgoId"]}
        gone |= {"code": "200", "msg": "success"}
        for method, told in (("GET", ghost), ("DELETE", gone)):
            spell = self.every(f"{method} /fapi/v1/algoOrder", of=slot, needed=False)
            spell.answered_with(lambda _, told=told: told)  # type: ignore[misc]  # a default that binds

    def mute_stream(self) -> None:
        """The user stream is up and says nothing of orders and positions."""
        self.note("the user stream is silent")
        self.script.mute = USER_EVENTS

    def drop_streams(self, *, away_s: float) -> None:
        """The stream connections break and come back after a while."""
        self.note(f"streams away for {away_s} s")
        self.world.host.drop_streams("reset by the storyboard", away_s)
        self.wait(0)

    # lives

    @property
    def alive(self) -> bool:
        """Whether an engine runs."""
        process = self.world.host.process
        return process is not None and not process.ended

    def start(self) -> None:
        """Start an engine."""
        self.note("start")
        self.world.host.start()

    def kill(self) -> None:
        """Kill the engine wherever it stands."""
        self.note("kill")
        self.world.host.kill()

    def restart(self, *, after_s: float = 1.0) -> None:
        """Start the next life after a while in which nobody is there."""
        assert not self.alive, "an engine is running"
        self.wait(after_s)
        self.start()

    def dies(self, point: str, *, of: str = "", nth: int = 1) -> None:
        """Have the engine die when it comes to a point for the nth time.

        Args:
            point: `before` or `after`, and what: `POST /fapi/v1/order`, `commit`.
            of: a record's type, for commits.
            nth: how often it must come there.
        """
        left = nth

        def reached(name: str) -> bool:
            nonlocal left
            left -= name.startswith(point) and of in name
            return left == 0

        self.world.on_point = reached

    def lose_database(self) -> None:
        """The database is gone, as if its disk had been replaced; it is kept for the judges."""
        self.note("the database is lost")
        past = self.world.disk.folder / f"past{len(self.past)}"
        past.mkdir()
        for path in sorted(self.world.disk.folder.glob(f"{self.database.name}*")):
            path.rename(past / path.name)
        self.past.append(past / self.database.name)

    @property
    def _last(self) -> Decimal:
        """The symbol's last price."""
        return self._lasts[self.symbol]

    @property
    def _tick(self) -> Decimal:
        """The symbol's price step."""
        return INSTRUMENTS[self.symbol].tick_size.normalize()

    def begin(self, *, engine: bool) -> None:
        """Open the exchange and start the first life somewhere within the first second."""
        self.world.venue.open()
        self.wait(self._begin_s)
        if engine:
            self.start()
            self.wait(0)
