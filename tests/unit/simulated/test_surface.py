"""The table of parameters says what the requests really read, and people can read it."""

from pathlib import Path

import pytest
from tests.unit.simulated.floor import START_MS, SYMBOL, Floor
from tests.unit.simulated.test_requests_malformed import PARAMETERS as SENSE

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.parameters import PARAMETERS, Kind, Parameter
from jumar.exchange.simulated.core.refusal import TEXTS
from jumar.exchange.simulated.server.unknown import CREDENTIALS, Read
from jumar.exchange.simulated.surface.page import COMMAND, page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "surface.md"
WITH_PARAMETERS = sorted(request for request, rows in PARAMETERS.items() if rows)
SENSIBLE = {**SENSE, "orderId": "8000000002"}
MEASURED = {Kind.DECIMAL, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME, Kind.LIST}
#: A limit's price, a stop's trigger: what some kinds of orders need and others do not.
NEEDED_BESIDE_OTHERS = {
    *("timeInForce", "quantity", "price", "triggerPrice", "callbackRate", "origClientOrderIdList")
}
#: Ways to ask, each over all that makes sense: together they lead through every branch that reads a parameter.
WAYS: tuple[dict[str, str], ...] = (
    {},
    {"type": "MARKET", "timeInForce": "", "price": ""},
    {"goodTillDate": str(START_MS + 700_000_000), "timeInForce": "GTD", "priceMatch": "QUEUE"},
    {"type": "STOP_MARKET", "triggerPrice": "85000.0", "side": "SELL"},
    {"type": "STOP_MARKET", "closePosition": "true", "reduceOnly": "", "side": "SELL"},
    {"type": "STOP", "triggerPrice": "85000.0", "price": "85000.0", "side": "SELL"},
    {"type": "TRAILING_STOP_MARKET", "side": "SELL", "reduceOnly": "true"},
    {"type": "TRAILING_STOP_MARKET", "side": "SELL", "reduceOnly": "true", "activatePrice": ""},
    {"type": "1", "amount": "1"},
    {"orderIdList": ""},
    {"startTime": "", "endTime": "", "orderId": ""},
)


def busy() -> Floor:
    """A floor with a position and an order of the name that `SENSIBLE` asks for."""
    floor = Floor()
    floor.buy("0.020")
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "88000.0", newClientOrderId="mine"))
    return floor


def test_every_request_has_its_row() -> None:
    """Routes and rows are the same requests."""
    assert PARAMETERS.keys() == Floor().exchange._routes.keys()


@pytest.mark.parametrize(("method", "path"), sorted(PARAMETERS))
def test_a_request_reads_its_parameters_and_no_others(method: str, path: str) -> None:
    """Over every way to ask, what handlers look at are the names of the row."""
    looked_at: set[str] = set()
    for way in WAYS:
        read = Read({**SENSIBLE, **way})
        floor = busy()
        floor.exchange.request(method, path, read, floor.now_ms)
        looked_at |= read._looked_at - CREDENTIALS
    # the record of a refused change names the order, whatever the request was about
    named = {"newClientOrderId", "clientAlgoId", "origClientOrderId", "symbol"}
    expected = {parameter.name for parameter in PARAMETERS[method, path]}
    assert looked_at - named == expected - named
    assert expected <= looked_at


@pytest.mark.parametrize(("method", "path"), WITH_PARAMETERS)
def test_a_required_parameter_is_missed_by_its_name(method: str, path: str) -> None:
    """Without it -1102 names it in lower case; without one that is not required nothing of the kind."""
    for parameter in PARAMETERS[method, path]:
        reply = busy().request(method, path, **{**right(method, path), parameter.name: ""})
        missed = names(reply, parameter)
        if parameter.required:
            assert missed, (parameter, reply.body)
        elif missed:
            assert parameter.name in NEEDED_BESIDE_OTHERS, (parameter, reply.body)


@pytest.mark.parametrize("value", ["x", "1e3", "NaN", "-1e9999", "\uff11", "[", "1.2.3", "\x00"])
@pytest.mark.parametrize(("method", "path"), WITH_PARAMETERS)
def test_a_malformed_parameter_is_refused_by_its_name(method: str, path: str, value: str) -> None:
    """What is no number, no time, no list and no true or false where one is read: -1102 names it."""
    for parameter in PARAMETERS[method, path]:
        if parameter.kind in MEASURED:
            sent = {**right(method, path), **way_to(path, parameter), parameter.name: value}
            reply = busy().request(method, path, **sent)
            assert names(reply, parameter), (parameter, sent, reply.body)


def right(method: str, path: str) -> dict[str, str]:
    """All that makes sense in one request."""
    types = next((p.words for p in PARAMETERS[method, path] if p.name == "type"), ("LIMIT",))
    return {**SENSIBLE, "type": types[0], "reduceOnly": "", "priceMatch": "", "side": "BUY"}


def way_to(path: str, parameter: Parameter) -> dict[str, str]:
    """What else must be sent for a parameter to be read at all."""
    match parameter.name:
        case "price" if path == "/fapi/v1/algoOrder":
            return {"type": "STOP"}
        case "goodTillDate":
            return {"timeInForce": "GTD", "type": "STOP" if "algo" in path else "LIMIT"}
        case "activatePrice" | "callbackRate":
            return {"type": "TRAILING_STOP_MARKET"}
        case "origClientOrderIdList":
            return {"orderIdList": ""}
    return {}


def names(reply: Reply, parameter: Parameter) -> bool:
    """Whether a refusal says that the parameter is missing or malformed."""
    if reply.status != 400 or reply.body["code"] != -1102:
        return False
    name = parameter.name.lower()
    return bool(reply.body["msg"] == TEXTS[-1102].format(name=name))


def test_words_and_kinds_belong_together() -> None:
    """A parameter has words when it is one of them, and only then."""
    for rows in PARAMETERS.values():
        for row in rows:
            assert bool(row.words) == (row.kind is Kind.WORD)


def test_the_page_shows_the_table_as_it_is() -> None:
    """docs/reference/surface.md is what the command writes."""
    assert PAGE.read_text(encoding="utf-8") == page(), f"the page is stale; run: {COMMAND}"


def test_the_page_names_every_request_once() -> None:
    """One line per request, with its path."""
    lines = [line for line in page().splitlines() if line.startswith("| `")]
    for method, path in PARAMETERS:
        assert len([line for line in lines if line.startswith(f"| `{method} {path}` |")]) == 1
    assert SYMBOL not in page()
