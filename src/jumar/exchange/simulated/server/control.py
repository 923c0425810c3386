"""The control surface under `/sim/`: the judge, the ledger, the manual market's price, a person's cancel, an ADL.

It is no part of the venue's wire and asks for no key: the server listens on loopback. Bad input is answered with 400
and one message that names the field and the fix.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from aiohttp import web

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.text import text
from jumar.exchange.simulated.judge import judge
from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.rest import body_of
from jumar.ports.clock import Clock

PRICES = ("last", "mark", "bid", "ask", "bid_quantity", "ask_quantity")


class BadInputError(ValueError):
    """A request of the control surface that makes no sense; the message names the field and the fix."""


class Control:
    """Handles everything under `/sim/`."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        manual: ManualMarket | None,
        apply: Callable[[MarketStep], None],
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._manual = manual
        self._apply = apply

    async def judge(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """GET /sim/judge: the verdict over everything so far."""
        records = list(self._exchange.ledger.records)
        verdict = await asyncio.to_thread(judge, records, until_ms=self._clock.now_ms())
        return _json(verdict)

    async def ledger(self, request: web.Request) -> web.Response:
        """GET /sim/ledger: JSON lines; `?after=SEQ` leaves out what was read before."""
        after = request.query.get("after", "0")
        if not after.isdigit():
            return _json({"error": f"after: {after!r} is not a sequence number"}, 400)
        records: Sequence[Any] = self._exchange.ledger.records[int(after) :]
        lines = msgspec.json.Encoder().encode_lines(records)
        return web.Response(body=lines, content_type="application/x-ndjson")

    async def price(self, request: web.Request) -> web.Response:
        """POST /sim/price: set the manual market."""
        try:
            step = self._set_price(_object(await body_of(request)))
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        self._apply(step)
        shown = {"bid": step.bids[0].price, "ask": step.asks[0].price}
        shown |= {"last": step.last, "mark": step.mark}
        prices = {name: text(value) for name, value in shown.items()}
        return _json({"symbol": step.symbol, **prices, "time": self._clock.now_ms()})

    async def cancel(self, request: web.Request) -> web.Response:
        """POST /sim/cancel: remove an open order as a person would."""
        try:
            fields = _object(await body_of(request))
            symbol, client_id = _name(fields, "symbol"), _name(fields, "client_id")
            _only(fields, ("symbol", "client_id"))
        except BadInputError as error:
            return _json({"error": str(error)}, 400)
        removed = self._exchange.remove(symbol, client_id, self._clock.now_ms())
        if removed is None:
            message = f"client_id: no open order {client_id!r} on {symbol}"
            return _json({"error": message}, 404)
        return _json({"symbol": symbol, "client_id": client_id, "cancelled": removed})

    async def deleverage(self, request: web.Request) -> web.Response:
        """POST /sim/adl: take a position, or a quantity of it, as auto-deleveraging does."""
        try:
            fields = _object(await body_of(request))
            symbol, wanted = _name(fields, "symbol"), fields.get("quantity")
            _only(fields, ("symbol", "quantity"))
            quantity = None if wanted is None else _quantity(wanted)
        except BadInputError as error:
            return _json({"error": str(error)}, 400)
        taken = self._exchange.deleverage(symbol, quantity, self._clock.now_ms())
        if not taken:
            return _json(
                {
                    "error": f"symbol: no position on {symbol!r}, or less than a step of it asked for"
                },
                404,
            )
        return _json({"symbol": symbol, "quantity": text(taken)})

    def _set_price(self, fields: dict[str, Any]) -> MarketStep:
        if self._manual is None:
            raise BadInputError(
                "market: this exchange plays a path; start it with the manual market"
            )
        symbol = _name(fields, "symbol")
        _only(fields, ("symbol", *PRICES))
        prices = {
            name: _price(name, fields[name]) for name in PRICES if fields.get(name) is not None
        }
        return self._manual.set_price(symbol, **prices)


def _object(body: bytes | None) -> dict[str, Any]:
    if body is None:
        raise BadInputError("body: incomplete; send it whole")
    try:
        fields = json.loads(body.decode(errors="replace"), parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        raise BadInputError(f"body: not JSON ({error.msg} at character {error.pos})") from None
    if not isinstance(fields, dict):
        raise BadInputError("body: not a JSON object")
    return fields


def _name(fields: dict[str, Any], field: str) -> str:
    value = fields.get(field)
    if not isinstance(value, str) or not value:
        raise BadInputError(f"{field}: missing; give it as text")
    return value


def _only(fields: dict[str, Any], known: tuple[str, ...]) -> None:
    for field in fields:
        if field not in known:
            raise BadInputError(f"{field}: unknown field; known are {', '.join(known)}")


def _price(field: str, value: Any) -> Decimal:
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadInputError(f"{field}: {value!r} is not a decimal number") from None


def _quantity(value: Any) -> Decimal:
    quantity = _price("quantity", value)
    if not quantity.is_finite() or quantity <= 0:
        raise BadInputError(f"quantity: {value!r} is not above zero; leave it out for all")
    return quantity


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
