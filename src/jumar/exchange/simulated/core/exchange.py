"""The simulated exchange as one object: requests in, replies out, market steps in, events and ledger out.

`request` takes what has already proven its key and signature (the server's work) and answers as the wire would;
`advance` moves the market of one symbol and whatever follows from it. Both take `now_ms`, exchange time; time
that seems to run backwards is held still. Nothing here waits, draws or opens a socket. It does not know
other traders: the market source's book is the other side.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.chronicle import Event
from jumar.exchange.simulated.core.conditional import Conditional
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import INSTRUMENTS, Instrument
from jumar.exchange.simulated.core.interference import Interference
from jumar.exchange.simulated.core.ledger import SCHEMA, Ledger, Value
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import Cause, Order, OrderStatus, PositionSide
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.routes import Route, routes
from jumar.exchange.simulated.core.shelf import Packer
from jumar.exchange.simulated.core.tape import Tape
from jumar.exchange.simulated.core.terms import PLAIN_TERMS, Terms
from jumar.exchange.simulated.core.text import ZERO, text
from jumar.exchange.simulated.core.treasury import Treasury
from jumar.exchange.simulated.core.triggers import Triggers
from jumar.exchange.simulated.core.usage import NO_ORDER, Counts, OrderCount, Usage


class UnknownSymbol(ValueError):  # noqa: N818 - names the fault
    """A symbol outside the instrument table."""

    def __init__(self, symbol: str) -> None:
        known = ", ".join(INSTRUMENTS)
        super().__init__(
            f"symbols: {symbol!r} is not in the instrument table; choose among {known}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: HTTP status, JSON body, and what the limiter counted."""

    status: int
    body: Any
    counts: Counts

    @property
    def headers(self) -> dict[str, str]:
        """The limiter's headers."""
        return self.counts.headers


class Exchange:
    """One account on one simulated exchange.

    Attributes:
        ledger: the record of the truth.
        interference: what befalls orders and symbols by nobody's request.
    """

    def __init__(
        self,
        *,
        symbols: Iterable[str],
        balance: Decimal,
        account: str,
        now_ms: int,
        limits: bool = False,
        terms: Terms = PLAIN_TERMS,
        readings: Readings = DEFAULT_READINGS,
        pack: Packer | None = None,
    ) -> None:
        """Open the exchange; the ledger's first record is `opened`.

        Args:
            symbols: what can be traded.
            balance: the wallet, USDT.
            account: the account's name.
            now_ms: exchange time.
            limits: hold back whoever exceeds the request limits.
            terms: what the account pays and what may befall it.
            readings: how open questions about the real exchange are answered.
            pack: keeps what lies far back in little room, for a run of many hours.

        Raises:
            UnknownSymbol: a symbol is not in the instrument table.
        """
        chosen = {symbol: _instrument(symbol) for symbol in symbols}
        self.ledger = Ledger(pack)
        self._now_ms = now_ms
        self._engine = Engine(chosen, balance, self.ledger, readings, pack)
        self._triggers = Triggers(self._engine)
        self._tapes = self._engine.tapes
        self._routes = routes(self._engine, self._triggers, account, self._tapes)
        self._usage = Usage(enforced=limits, separate=readings.ws_weight == "separate")
        self._engine.account.begin(terms, now_ms)
        self._treasury = Treasury(self._engine, now_ms)
        self.interference = Interference(self._engine)
        self.ledger.append(
            "opened",
            now_ms,
            schema=SCHEMA,
            account=account,
            balance=text(balance),
            symbols=list(chosen),
            origin_ms=now_ms,
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that can be traded."""
        return tuple(self._engine.instruments)

    def step(self, symbol: str) -> MarketStep | None:
        """The current market of a symbol, None before its first step."""
        return self._engine.markets.get(symbol)

    def tape(self, symbol: str) -> Tape:
        """What happened in the market of a symbol that can be traded; not to be changed."""
        return self._tapes[symbol]

    @property
    def funding_rate(self) -> Decimal:
        """The rate of the next funding."""
        return self._engine.account.terms.funding_rate

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """`listener` gets every further event of the user stream, ready to be sent."""
        self._engine.chronicle.listeners.append(listener)

    def record_market_every(self, ms: int) -> None:
        """Have the ledger hold fewer of the market's records than one a second, for a run of many days."""
        self._engine.chronicle.market_record_ms = ms

    def route(self, method: str, path: str) -> Route | None:
        """What is known of a request, None for an unknown path."""
        return self._routes.get((method, path))

    def advance(self, step: MarketStep, now_ms: int) -> None:
        """One step of one symbol's market: resting orders first, then conditional orders."""
        if step.symbol not in self._engine.instruments:
            raise UnknownSymbol(step.symbol)
        now_ms = self._at(now_ms)
        self._engine.markets[step.symbol] = step
        self._tapes[step.symbol].add(step, now_ms)
        self._engine.chronicle.market_due(step, now_ms)
        self._engine.match_resting(step, now_ms)
        self._triggers.run(step, now_ms)
        self._treasury.watch(step, now_ms)

    def request(self, method: str, path: str, params: Mapping[str, str], now_ms: int) -> Reply:
        """Answer a request whose credentials were checked."""
        now_ms, values = self._at(now_ms), Params(params)
        route = self._routes.get((method, path))
        if route is None:
            return self.refusal(
                method, path, params, Refusal(-5000, path=path, method=method, status=404), now_ms
            )
        try:
            body = route.handler(values, now_ms)
        except Refusal as refusal:
            return self.refusal(method, path, params, refusal, now_ms)
        counts = self._usage.count(route.weight(values), route.orders, now_ms)
        return Reply(status=200, body=body, counts=counts)

    def peek(self, path: str, params: Mapping[str, str], now_ms: int) -> Any:
        """What a read would answer now, for whoever stands beside the exchange: it is not counted.

        Raises:
            Refusal: the read would be refused.
        """
        return self._routes["GET", path].handler(Params(params), self._at(now_ms))

    def refusal(
        self, method: str, path: str, params: Mapping[str, str], refusal: Refusal, now_ms: int
    ) -> Reply:
        """Count and record a refused request and spell its answer."""
        now_ms, values = self._at(now_ms), Params(params)
        route = self._routes.get((method, path))
        if route is not None and route.changes:
            names = ("newClientOrderId", "clientAlgoId", "origClientOrderId")
            client_id = next((values.text(name) for name in names if values.has(name)), None)
            subject = (client_id, values.optional("symbol"))
            self._engine.chronicle.refused((method, path), subject, refusal, now_ms)
        weight, orders = (route.weight(values), route.orders) if route else (1, NO_ORDER)
        return Reply(
            status=refusal.status,
            body={"code": refusal.code, "msg": refusal.message},
            counts=self._usage.count(weight, orders, now_ms),
        )

    def held_back(self, weight: int, orders: OrderCount, now_ms: int) -> Reply | None:
        """The answer to a request that the limiter does not let through; None when it may be executed."""
        held = self._usage.held_back(weight, orders, self._at(now_ms))
        if held is None:
            return None
        body = {"code": held.refusal.code, "msg": held.refusal.message}
        return Reply(status=held.refusal.status, body=body, counts=held.counts)

    @contextmanager
    def over_socket(self) -> Iterator[None]:
        """What is asked inside comes over the WebSocket API."""
        self._usage.over(socket=True)
        try:
            yield
        finally:
            self._usage.over(socket=False)

    def count(self, weight: int, now_ms: int) -> Counts:
        """Count a request that the server answers itself (listen keys, session)."""
        return self._usage.count(weight, NO_ORDER, self._at(now_ms))

    def remove(self, symbol: str, client_id: str, now_ms: int) -> str | None:
        """Cancel an open order as a person or a fault would; says which kind it was, None if there is none."""
        now_ms = self._at(now_ms)
        order = self._engine.orders.find(symbol, order_id=None, client_id=client_id)
        if order is not None and order.alive:
            self._engine.end(order, OrderStatus.CANCELED, Cause.FAULT, now_ms)
            return "order"
        waiting = self._engine.conditionals.waiting(symbol, client_id)
        if waiting is not None:
            self._triggers.cancel(waiting, Cause.FAULT, now_ms)
            return "conditional"
        return None

    def spoil(self, symbol: str, client_id: str) -> bool:
        """Have a waiting conditional order be rejected when it triggers; says whether there is one."""
        order = self._engine.conditionals.waiting(symbol, client_id)
        if order is not None:
            order.spoiled = True
        return order is not None

    def deleverage(
        self,
        symbol: str,
        quantity: Decimal | None,
        now_ms: int,
        side: PositionSide = PositionSide.BOTH,
    ) -> Decimal:
        """Take (part of) a position as auto-deleveraging does; the quantity that was taken, zero when flat.

        `side` is LONG or SHORT in hedge mode.
        """
        return self._treasury.deleverage(symbol, quantity, self._at(now_ms), side)

    def liquidate(self, symbol: str, now_ms: int) -> bool:
        """Liquidate what is held of a symbol, whatever its margin; says whether anything was."""
        return self._treasury.liquidate(symbol, self._at(now_ms))

    def transfer(self, amount: Decimal, now_ms: int) -> None:
        """Move USDT into the account (above zero) or out of it, as its owner does elsewhere."""
        self._treasury.transfer(amount, self._at(now_ms))

    @property
    def fills(self) -> int:
        """How many executions there were."""
        return len(self._engine.trades)

    def filled_since(self, symbol: str | None, since_ms: int) -> bool:
        """Whether an order of a symbol (or of any) executed at or after a time."""
        for trade in reversed(self._engine.trades):
            if trade.time_ms < since_ms:
                return False
            if symbol in (None, trade.symbol):
                return True
        return False

    def named(self, params: Mapping[str, str]) -> Order | Conditional | None:
        """The order that the ids of a request name; None when they name none."""
        order_id, algo_id = _id(params.get("orderId")), _id(params.get("algoId"))
        client_id, algo_client = params.get("origClientOrderId"), params.get("clientAlgoId")
        if order_id is not None or client_id:
            symbol = params.get("symbol", "")
            return self._engine.orders.find(symbol, order_id=order_id, client_id=client_id)
        return self._engine.conditionals.find(algo_id=algo_id, client_id=algo_client)

    def injected(self, now_ms: int | None, **fields: Value) -> None:
        """Record a fault on order; without a time it stands amid a change and has the change's."""
        at_ms = self._now_ms if now_ms is None else self._at(now_ms)
        self.ledger.append("fault", at_ms, **fields)

    def holds(self, symbol: str) -> bool:
        """Whether there is a position of a symbol."""
        return any(each.quantity for each in self._engine.account.sides(symbol))

    def instrument(self, symbol: str) -> Instrument | None:
        """What is traded under a symbol; None for one that is not."""
        return self._engine.instruments.get(symbol)

    def serves(self, path: str) -> bool:
        """Whether any request goes to a path."""
        return any(path == known for _, known in self._routes)

    def orders(self, symbol: str) -> tuple[Order, ...]:
        """The open regular orders of a symbol, oldest first; not to be changed."""
        return tuple(self._engine.orders.open(symbol))

    def conditionals(self, symbol: str) -> tuple[Conditional, ...]:
        """The waiting conditional orders of a symbol, oldest first; not to be changed."""
        return tuple(self._engine.conditionals.open(symbol))

    def triggering(self, symbol: str) -> tuple[Conditional, ...]:
        """The conditional orders of a symbol that fired and are on their way to the book; not to be changed."""
        return tuple(self._engine.conditionals.triggering(symbol))

    def position(self, symbol: str) -> Decimal:
        """What a symbol's position comes to in base currency, long above zero; in hedge mode of both together."""
        return sum((p.quantity for p in self._engine.account.sides(symbol)), ZERO)

    def serving(self, *, on: bool, now_ms: int) -> None:
        """The server begins or ceases to answer."""
        self.ledger.append("serving", self._at(now_ms), on=on)

    def close(self, now_ms: int) -> None:
        """The orderly end."""
        self.ledger.append("closed", self._at(now_ms))

    def _at(self, now_ms: int) -> int:
        """The exchange's time, once all that is due by then has been done."""
        self._now_ms = max(self._now_ms, now_ms)
        self._engine.deadlines.run(self._now_ms)
        return self._now_ms


def _id(value: str | None) -> int | None:
    return int(value) if value and len(value) < 19 and value.isdecimal() else None


def _instrument(symbol: str) -> Instrument:
    try:
        return INSTRUMENTS[symbol]
    except KeyError:
        raise UnknownSymbol(symbol) from None
