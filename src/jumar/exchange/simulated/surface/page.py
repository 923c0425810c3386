"""The tables of requests, parameters, methods and streams as people read them."""

from collections.abc import Iterable
from decimal import Decimal

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.parameters import PARAMETERS, Parameter, Request
from jumar.exchange.simulated.core.routes import Route, Security
from jumar.exchange.simulated.server.gateway import LISTEN_KEY_PATH
from jumar.exchange.simulated.server.topics import forms
from jumar.exchange.simulated.server.ws_api import METHODS, SESSION_METHODS

COMMAND = "python -m jumar.exchange.simulated.surface > docs/reference/surface.md"
#: When each event of the user stream is sent.
EVENTS = {
    "ORDER_TRADE_UPDATE": "an order was accepted, executed, modified or ended",
    "TRADE_LITE": "an order executed: the short form, just before the long one; not of liquidations",
    "ALGO_UPDATE": "a conditional order was accepted or changed its status; a trailing stop began to follow",
    "ACCOUNT_UPDATE": (
        "a balance or a position changed: `ORDER`, `FUNDING_FEE`, `INSURANCE_CLEAR`, "
        "`MARGIN_TRANSFER`, `MARGIN_TYPE_CHANGE`; just before the event of its execution"
    ),
    "ACCOUNT_CONFIG_UPDATE": "leverage or the multi-assets mode was set",
    "MARGIN_CALL": "the maintenance margin has come to 80 % of the margin; once, until it was better",
    "listenKeyExpired": "the hour of a listen key is over",
}
#: Events of the real stream that this one never has, and why.
NEVER_SENT = {
    "CONDITIONAL_ORDER_TRIGGER_REJECT": "replaced by the reason in ALGO_UPDATE in December 2025",
    "STRATEGY_UPDATE": "of products that are not simulated",
    "GRID_UPDATE": "of products that are not simulated",
}
_INTRODUCTION = f"""\
# The surface of the simulated exchange

Written by `{COMMAND}`; change the tables in the code, not this page.

Every request the exchange answers. *Signed* requests take `timestamp`, `recvWindow` and `signature` besides. Weights
with two numbers are those with and without a symbol; *orders* is what a request adds to the order counts of ten seconds
and of a minute. **Bold** parameters are required: without one the answer is -1102 with its name. A parameter that is
not listed has no effect, as on the real exchange; `GET /sim/unknown` tells which ones clients sent."""


def page() -> str:
    """Return the whole page, with a line break at its end."""
    parts = (_INTRODUCTION, _requests(), _parameters(), _methods(), _streams(), _events())
    return "\n\n".join(parts) + "\n"


def _requests() -> str:
    exchange = Exchange(symbols=(), balance=Decimal(0), account="", now_ms=0)
    rows = [_row(exchange.route(*request), request) for request in PARAMETERS]
    rows += [
        (f"`{method} {LISTEN_KEY_PATH}`", "key only", "1", "", "")
        for method in ("POST", "PUT", "DELETE")
    ]
    return "## Requests\n\n" + _table(
        ("request", "access", "weight", "orders", "parameters"), sorted(rows, key=_by_path)
    )


def _by_path(row: tuple[str, ...]) -> tuple[str, ...]:
    method, path = row[0].strip("`").split()
    return path, method


def _row(route: Route | None, request: Request) -> tuple[str, ...]:
    if route is None:
        raise LookupError(f"{request}: no such route")
    return (
        f"`{request[0]} {request[1]}`",
        "signed" if route.security is Security.SIGNED else "public",
        _weight(route),
        f"{route.orders[0]} and {route.orders[1]}" if any(route.orders) else "",
        ", ".join(_sign(parameter) for parameter in PARAMETERS[request]),
    )


def _weight(route: Route) -> str:
    if route.weigh is not None:
        return "by `limit`"
    some, without = route.weights
    return str(some) if some == without else f"{some}, {without}"


def _sign(parameter: Parameter) -> str:
    return f"**`{parameter.name}`**" if parameter.required else f"`{parameter.name}`"


def _parameters() -> str:
    rows: dict[tuple[str, str], None] = {}
    for parameters in PARAMETERS.values():
        for each in parameters:
            words = ", ".join(f"`{word}`" for word in each.words)
            rows[f"`{each.name}`", words or each.kind.value] = None
    return "## Parameters\n\n" + _table(("parameter", "what it is"), sorted(rows))


def _methods() -> str:
    rows = [(f"`{name}`", f"`{method} {path}`") for name, (method, path) in METHODS.items()]
    rows += [(f"`{name}`", "") for name in SESSION_METHODS]
    return "## Methods of the WebSocket API\n\n" + _table(("method", "the same as"), rows)


def _streams() -> str:
    rows = [(f"`{name}`", f"`/{route}`", _pace(every_ms)) for name, route, every_ms in forms()]
    return "## Market streams\n\n" + _table(("stream", "route", "sent"), rows)


def _events() -> str:
    rows = [(f"`{name}`", when) for name, when in EVENTS.items()]
    rows += [(f"`{name}`", f"never: {why}") for name, why in NEVER_SENT.items()]
    return "## Events of the user stream\n\n" + _table(("event", "sent when"), rows)


def _pace(every_ms: int) -> str:
    return f"every {every_ms} ms" if every_ms else "as it happens"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
