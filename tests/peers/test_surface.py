"""A third opinion on the table of parameters: what the official SDK can send and must send, read in its source."""

import ast
import inspect
from collections.abc import Iterator

import pytest
from binance_sdk_derivatives_trading_usds_futures.websocket_streams.models.user_data_stream_events_response import (
    USERDATASTREAMEVENTSRESPONSE_EVENT_SCHEMA_MAP,
)
from tests.peers.oracle import APIS

from jumar.exchange.simulated.core.parameters import PARAMETERS, Request
from jumar.exchange.simulated.surface.page import EVENTS, NEVER_SENT

#: What the SDK may send and the exchange does not read, as its page says or as live answers show.
UNREAD = {
    ("POST", "/fapi/v1/order/test"): {
        *("stopPrice", "closePosition", "activationPrice", "callbackRate"),  # of before 2025-12
        *("workingType", "priceProtect"),
    },
}
#: Required by one of the two only.
DIFFERENTLY = {
    (
        "POST",
        "/fapi/v1/order",
        "quantity",
    ): "optional there since other types went, LIMIT and MARKET need it",
    ("POST", "/fapi/v1/order/test", "quantity"): "the same",
    ("PUT", "/fapi/v1/order", "price"): "not beside priceMatch",
}
#: What the exchange reads besides.
BESIDES = {
    ("GET", "/fapi/v1/income", "page"): "on the page of the request, missing in the SDK",
}

type Signature = dict[str, bool]


def sdk() -> Iterator[tuple[Request, Signature]]:
    """Each of the SDK's requests with its parameters and whether they are required."""
    for api in APIS:
        for function in ast.walk(ast.parse(inspect.getsource(api))):
            if isinstance(function, ast.FunctionDef):
                yield from ((request, _signature(function)) for request in _sent_by(function))


def _sent_by(function: ast.FunctionDef) -> Iterator[Request]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "send_request":
            terms = {term.arg: term.value for term in node.keywords}
            method, path = terms["method"], terms["path"]
            assert isinstance(method, ast.Constant) and isinstance(path, ast.Constant)
            yield str(method.value), str(path.value)


def _signature(function: ast.FunctionDef) -> Signature:
    names = [argument.arg for argument in function.args.args[1:]]
    required = len(names) - len(function.args.defaults)
    return {_camel(name): place < required for place, name in enumerate(names)}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


KNOWN = sorted((request, names) for request, names in sdk() if request in PARAMETERS)


def test_every_event_of_the_user_stream_is_sent_or_left_out_with_a_reason() -> None:
    """The SDK's list of events is ours."""
    assert not EVENTS.keys() & NEVER_SENT.keys()
    assert EVENTS.keys() | NEVER_SENT.keys() == USERDATASTREAMEVENTSRESPONSE_EVENT_SCHEMA_MAP.keys()


def test_most_of_the_table_is_known_to_the_sdk() -> None:
    """The comparison is about the whole surface but a handful of requests of other clients."""
    assert len(PARAMETERS) - len(KNOWN) < 10


@pytest.mark.parametrize(("request_", "theirs"), KNOWN, ids=[" ".join(r) for r, _ in KNOWN])
def test_the_table_and_the_sdk_name_the_same_parameters(
    request_: Request, theirs: Signature
) -> None:
    """Names and which are required, but for the written differences."""
    ours = {each.name: each.required for each in PARAMETERS[request_]}
    sent = theirs.keys() - {"recvWindow"} - UNREAD.get(request_, set())
    besides = {name for name in ours if (*request_, name) in BESIDES}
    assert ours.keys() - besides == sent
    differently = {name for name in sent if ours[name] is not theirs[name]}
    assert differently == {name for name in sent if (*request_, name) in DIFFERENTLY}
