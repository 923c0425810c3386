"""The control surface under `/sim/`: judge, ledger, the unknown, the manual market's price, a person's cancel, an ADL.

It is no part of the venue's wire and asks for no key: the server listens on loopback. Bad input is answered with 400
and one message that names the field and the fix.
"""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from aiohttp import web

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import MarketSource, MarketStep
from jumar.exchange.simulated.core.orders import PositionSide
from jumar.exchange.simulated.core.text import text
from jumar.exchange.simulated.judge import LedgerError, judge
from jumar.exchange.simulated.market import LiveMarket, ManualMarket
from jumar.exchange.simulated.server.rest import body_of
from jumar.exchange.simulated.server.unknown import Unknown
from jumar.ports.clock import Clock

PORTION = 2048  # records of the ledger that are written at a time
PRICES = ("last", "mark", "bid", "ask", "bid_quantity", "ask_quantity")


class BadInputError(ValueError):
    """A request of the control surface that makes no sense; the message names the field and the fix."""


class Control:
    """Handles everything under `/sim/`."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        market: MarketSource,
        apply: Callable[[MarketStep], None],
        unknown: Unknown,
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._manual = market if isinstance(market, ManualMarket) else None
        self._live = market if isinstance(market, LiveMarket) else None
        self._apply = apply
        self._unknown = unknown

    async def judge(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """GET /sim/judge: the verdict over everything so far; an error for a ledger that the judge does not judge."""
        records = self._exchange.ledger.records.until_now()
        try:
            verdict = await asyncio.to_thread(judge, records, until_ms=self._clock.now_ms())
        except LedgerError as error:
            return _json({"error": str(error)}, 409)
        return _json(verdict)

    async def ledger(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/ledger: JSON lines; `?after=SEQ` leaves out what was read before.

        A long one goes out in portions: it is never whole in memory.
        """
        after = request.query.get("after", "0")
        if not after.isdigit():
            return _json({"error": f"after: {after!r} is not a sequence number"}, 400)
        records = self._exchange.ledger.records.until_now()
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for first in range(int(after), len(records), PORTION):
            portion = records[first : first + PORTION]
            await response.write(msgspec.json.Encoder().encode_lines(portion))
        return response

    async def unknown(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """GET /sim/unknown: what clients asked for that this exchange does not have."""
        return _json(self._unknown.rows)

    async def market(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """GET /sim/market: what is traded, and for how long a live market's streams have been silent."""
        silent = {} if self._live is None else self._live.silent_s
        state = {"symbols": self._exchange.symbols, "live": self._live is not None}
        return _json({**state, "silent_s": silent})

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
            _only(fields, ("symbol", "quantity", "position_side"))
            quantity = None if wanted is None else _quantity(wanted)
            side = _position_side(fields)
        except BadInputError as error:
            return _json({"error": str(error)}, 400)
        taken = self._exchange.deleverage(symbol, quantity, self._clock.now_ms(), side)
        if not taken:
            return _json(
                {
                    "error": f"symbol: no position on {symbol!r} (position_side {side}), or less than a step of it asked for"
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


def _position_side(fields: dict[str, Any]) -> PositionSide:
    value = fields.get("position_side", PositionSide.BOTH)
    if not isinstance(value, str) or value not in PositionSide:
        raise BadInputError(f"position_side: {value!r} is none; give LONG, SHORT or BOTH")
    return PositionSide(value)


def _quantity(value: Any) -> Decimal:
    quantity = _price("quantity", value)
    if not quantity.is_finite() or quantity <= 0:
        raise BadInputError(f"quantity: {value!r} is not above zero; leave it out for all")
    return quantity


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
