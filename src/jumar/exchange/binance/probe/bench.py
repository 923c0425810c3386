"""What questions work with: requests that are noted, orders under the probe's own ids, and waiting for what happens.

Promises that every order it sends carries an id of this run, that what was sent and answered is noted without keys,
signatures or balances, and that no wait is endless. It takes nothing back by itself (`cleaning.py` does).
"""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from jumar.exchange.binance import params
from jumar.exchange.binance.caller import Security
from jumar.exchange.binance.outcomes import NoAnswer
from jumar.exchange.binance.probe.ear import FIRED, Ear
from jumar.exchange.binance.probe.lines import Lines
from jumar.exchange.binance.probe.saying import CannotTellError, Json, Said, said
from jumar.exchange.binance.probe.sizes import FAR, Sizes
from jumar.model.order import OrderRequest, OrderType, Role, Side, TimeInForce, WorkingType
from jumar.model.units import ZERO
from jumar.ports.clock import new_identity

PREFIX = "jmp-"
"""What every order id of a probe begins with."""

POLL_S = 0.1
ANSWER_MS = 5000
READ_TRIES = 3
AGREE_S = 5.0
"""How long positions that are asked for may be older than what the stream told."""

FLAG_REFUSED = -1106
NO_POSITION = -4509
SETTLED_S = 15.0
"""How long the exchange may take over what should be immediate."""

type Pause = Callable[[float], Awaitable[None]]


class Bench:
    """One symbol of one account.

    Attributes:
        evidence: what was asked and answered since the question began, oldest first.
        placed: ids of conditional orders that were accepted since then.
        counting: whether a countdown may be running.
    """

    def __init__(self, lines: Lines, ear: Ear, sizes: Sizes, pause: Pause) -> None:
        self.lines = lines
        self.ear = ear
        self.sizes = sizes
        self.pause = pause
        self.evidence: list[Json] = []
        self.placed: list[str] = []
        self.counting = False
        self.run = f"{PREFIX}{new_identity()[:8]}-"
        self._count = 0

    @property
    def symbol(self) -> str:
        """The symbol that is traded."""
        return self.sizes.symbol

    def begin(self) -> None:
        """Begin a question: nothing noted, nothing heard."""
        self.evidence.clear()
        self.placed.clear()
        self.ear.forget()

    def new_id(self) -> str:
        """An id that was never used."""
        self._count += 1
        return f"{self.run}{self._count}"

    async def ask(
        self,
        method: str,
        path: str,
        values: Mapping[str, str | int] | None = None,
        *,
        security: Security = Security.SIGNED,
        note: bool = False,
        client_id: str = "",
    ) -> Said:
        """Send one request about the account or the market; a question without an answer is asked again.

        Raises:
            CannotTellError: no clear answer.
        """
        asked, call = dict(values or {}), self.lines.rest.call
        reply = await call(method, path, asked, security=security, timeout_ms=ANSWER_MS)
        again = READ_TRIES - 1 if method == "GET" else 0
        while isinstance(reply, NoAnswer) and again:
            again -= 1
            await self.pause(POLL_S)
            reply = await call(method, path, asked, security=security, timeout_ms=ANSWER_MS)
        answer = said(reply, f"{method} {path}", client_id)
        if note or method != "GET":
            self.note(f"{method} {path}", asked, answer.code, answer.body)
        return answer

    def note(self, request: str, sent: Mapping[str, Any], code: int, answer: Any) -> None:
        """Keep what was sent and answered."""
        self.evidence.append(
            {"request": request, "sent": dict(sent), "code": code, "answer": answer}
        )

    async def get(self, path: str, *, note: bool = False, **values: str | int) -> Any:
        """What a question about the account says.

        Raises:
            CannotTellError: it was refused, or no clear answer came.
        """
        return (await self.ask("GET", path, values, note=note)).need(f"GET {path}").body

    async def mark(self) -> Decimal:
        """The mark price; raises as `get`."""
        return Decimal((await self.get("/fapi/v1/premiumIndex", symbol=self.symbol))["markPrice"])

    async def last(self) -> Decimal:
        """The price of the latest trade; raises as `get`."""
        return Decimal((await self.get("/fapi/v1/ticker/price", symbol=self.symbol))["price"])

    async def position(self, *, note: bool = False) -> Decimal:
        """The position, long above zero, once the answer agrees with the stream; raises as `get`.

        Where they go on to disagree, it is the answer's.
        """
        began = self.lines.clock.monotonic()
        while True:
            rows = await self.get("/fapi/v3/positionRisk", note=note, symbol=self.symbol)
            held = sum((Decimal(row["positionAmt"]) for row in rows), ZERO)
            told, asked_s = self.ear.held, self.lines.clock.monotonic() - began
            if told in (None, held) or asked_s >= AGREE_S:
                return held
            await self.pause(POLL_S * 5)

    async def open_orders(self, *, note: bool = False) -> list[Json]:
        """The symbol's open regular orders; raises as `get`."""
        found: list[Json] = await self.get("/fapi/v1/openOrders", note=note, symbol=self.symbol)
        return found

    async def open_conditionals(self, *, note: bool = False) -> list[Json]:
        """The symbol's waiting conditional orders; raises as `get`."""
        path = "/fapi/v1/openAlgoOrders"
        found: list[Json] = await self.get(path, note=note, symbol=self.symbol)
        return found

    async def waits(self, client_id: str, *, note: bool = False) -> bool:
        """Whether a conditional order is listed as waiting; raises as `get`."""
        rows = await self.open_conditionals(note=note)
        return any(row["clientAlgoId"] == client_id for row in rows)

    async def market(self, side: Side, *, reduce_only: bool = False, client_id: str = "") -> Said:
        """Trade the smallest size at market."""
        request = self.request(side, OrderType.MARKET, client_id=client_id, reduce_only=reduce_only)
        return await self._place(request)

    async def limit(
        self, side: Side, price: Decimal, *, reduce_only: bool = False, client_id: str = ""
    ) -> Said:
        """Rest the smallest size, post-only."""
        request = self.request(
            side,
            OrderType.LIMIT,
            client_id=client_id,
            price=price,
            time_in_force=TimeInForce.GTX,
            reduce_only=reduce_only,
        )
        return await self._place(request)

    async def stop(
        self,
        trigger: Decimal,
        *,
        sizes: int = 1,
        kind: OrderType = OrderType.STOP_MARKET,
        client_id: str = "",
        changed: Mapping[str, str] | None = None,
    ) -> Said:
        """Place a selling conditional order that watches the mark price, as the engine would.

        Args:
            trigger: its price.
            sizes: how many smallest sizes, reduce-only; 0 makes it a closePosition order.
            kind: stop or take profit.
            client_id: an id of before; by default a new one.
            changed: parameters that differ from the engine's.
        """
        request = self.request(
            Side.SELL,
            kind,
            client_id=client_id,
            quantity=sizes * self.sizes.smallest if sizes else None,
            close_position=not sizes,
            reduce_only=bool(sizes),
            trigger_price=trigger,
            working_type=WorkingType.MARK_PRICE,
        )
        return await self._place(request, changed)

    async def any_stop(
        self, trigger: Decimal, *, client_id: str = "", changed: Mapping[str, str] | None = None
    ) -> Said:
        """A stop of the smallest size: reduce-only, or without that flag where it is refused (-1106)."""
        answer = await self.stop(trigger, client_id=client_id, changed=changed)
        if answer.code != FLAG_REFUSED:
            return answer
        plain = {**(changed or {}), "reduceOnly": ""}
        return await self.stop(trigger, client_id=client_id, changed=plain)

    async def far_stop(self) -> Said:
        """A stop with a quantity that will not be reached.

        Raises:
            CannotTellError: it was refused.
        """
        answer = await self.any_stop(self.sizes.below(await self.mark(), FAR))
        return answer.need("a conditional order far from the mark")

    async def closing_stop(self) -> Said:
        """A closePosition stop that will not be reached.

        Raises:
            CannotTellError: it was refused.
        """
        trigger = self.sizes.below(await self.mark(), FAR)
        return (await self.insist(trigger))[0].need("a closePosition stop")

    async def insist(self, trigger: Decimal) -> tuple[Said, int]:
        """Place a closePosition stop, again while the position is not seen yet (-4509); also says how often in vain."""
        began, refusals = self.lines.clock.monotonic(), 0
        answer = await self.stop(trigger, sizes=0)
        while answer.code == NO_POSITION and self.lines.clock.monotonic() - began < SETTLED_S:
            refusals += 1
            await self.pause(POLL_S)
            answer = await self.stop(trigger, sizes=0)
        return answer, refusals

    async def go_long(self) -> Json:
        """Buy the smallest size; raises as `trade`."""
        return await self.trade(Side.BUY)

    async def cancel(self, client_id: str) -> Said:
        """Cancel a regular order."""
        values = {"symbol": self.symbol, "origClientOrderId": client_id}
        return await self.ask("DELETE", "/fapi/v1/order", values)

    async def cancel_conditional(self, client_id: str) -> Said:
        """Cancel a conditional order."""
        return await self.ask("DELETE", "/fapi/v1/algoOrder", {"clientAlgoId": client_id})

    async def until[T](self, look: Callable[[], T], within_s: float = SETTLED_S) -> T:
        """Wait until `look` finds something; returns what it found, even nothing, when the time is over."""
        began = self.lines.clock.monotonic()
        while not (found := look()):
            if self.lines.clock.monotonic() - began >= within_s:
                return found
            await self.pause(POLL_S)
        return found

    async def trade(self, side: Side, *, reduce_only: bool = False, client_id: str = "") -> Json:
        """Trade the smallest size at market and wait for the fill; returns the order's last event.

        Raises:
            CannotTellError: it was refused, or no fill was heard of.
        """
        sent = await self.market(side, reduce_only=reduce_only, client_id=client_id)
        sent.need("a market order")
        event = await self.until(lambda: self.ear.ended(sent.client_id))
        if event is None or event["o"]["X"] != "FILLED":
            raise CannotTellError("a market order was accepted and its fill was not heard of")
        return event

    def fired(self, client_id: str) -> bool:
        """Whether a conditional order was heard to trigger."""
        return self.ear.status(client_id) in FIRED

    def request(
        self, side: Side, kind: OrderType, *, client_id: str = "", **terms: Any
    ) -> OrderRequest:
        """An order of the smallest size, if `terms` do not say otherwise."""
        return OrderRequest(
            symbol=self.symbol,
            client_id=client_id or self.new_id(),
            role=Role.STOP,  # never sent; a probe's ids say nothing of roles
            side=side,
            type=kind,
            **{"quantity": self.sizes.smallest, **terms},
        )

    async def _place(self, request: OrderRequest, changed: Mapping[str, str] | None = None) -> Said:
        call = params.placement(request)
        values = {**call.params, **(changed or {})}
        values = {name: value for name, value in values.items() if value != ""}
        answer = await self.ask(call.http_method, call.path, values, client_id=request.client_id)
        if answer.yes and request.trigger_price is not None:
            self.placed.append(request.client_id)
        return answer
