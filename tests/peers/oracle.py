"""A third opinion on every answer: the official SDK's models, generated from the exchange's own specification.

For each of the SDK's REST methods the module finds the request it sends and the model it parses the answer into, and
holds the simulated exchange's answer against that model: every type strictly, and no declared field missing. Which
fields may be missing, and why, is said here. Events of the streams are held against the SDK's models of events.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, get_args

from binance_sdk_derivatives_trading_usds_futures.rest_api import models as rest_models
from binance_sdk_derivatives_trading_usds_futures.rest_api.api import (
    account_api,
    market_data_api,
    trade_api,
    user_data_streams_api,
)
from binance_sdk_derivatives_trading_usds_futures.websocket_streams import models as stream_models
from pydantic import BaseModel, ValidationError
from tests.peers.watch import Answered, Watch

APIS: tuple[ModuleType, ...] = (account_api, market_data_api, trade_api, user_data_streams_api)
type Model = type[BaseModel]
type Request = tuple[str, str]

_TRAILING = "trailing orders only"
_FILTER = "each kind of filter has its own fields"
#: Fields a model declares that an answer may lack.
MAY_LACK = {
    "activatePrice": _TRAILING,
    "priceRate": _TRAILING,
    "o.AP": _TRAILING,
    "o.cr": _TRAILING,
    "o.ia": _TRAILING,
    "o.rm": "only with a reason",
    "o.M": "only where the client numbered its change",
    "modifyId": "only where the client numbered its change",
    "o.N": "only with a commission",
    "o.n": "only with a commission",
    "a.S": "only for funding fees",
    "/fapi/v1/batchOrders code": "of an order that was refused",
    "/fapi/v1/batchOrders msg": "of an order that was refused",
    "/fapi/v1/order/test avgPrice": "answered like an order, without the price of a fill",
    "/fapi/v1/order/test cumQuote": "answered like an order, without the price of a fill",
    "order_book asks": "the SDK's model of the frame has them beside the result, not in it",
    "order_book bids": "the SDK's model of the frame has them beside the result, not in it",
    "account_information_v2 assets.marginAvailable": "of the frame only; one answer serves both ways",
    "adlQuantile.HEDGE": "in hedge mode only",
    "adlQuantile.BOTH": "in one-way mode only",
    **dict.fromkeys(
        (f"indicators.{name}" for name in ("ACCOUNT", "BTCUSDT", "ETHUSDT")),
        "of an account or a symbol that broke a rule",
    ),
    "symbols.settlePlan": "in the documents, not in live answers",
    **dict.fromkeys(
        (
            f"symbols.filters.{name}"
            for name in (
                "limit",
                "maxPrice",
                "maxQty",
                "minPrice",
                "minQty",
                "multiplierDecimal",
                "multiplierDown",
                "multiplierUp",
                "notional",
                "stepSize",
                "tickSize",
            )
        ),
        _FILTER,
    ),
}
MARKET_EVENTS: dict[str, Model] = {
    "24hrMiniTicker": stream_models.IndividualSymbolMiniTickerStreamResponse,
    "aggTrade": stream_models.AggregateTradeStreamsResponse,
    "continuous_kline": stream_models.ContinuousContractKlineCandlestickStreamsResponse,
    "bookTicker": stream_models.IndividualSymbolBookTickerStreamsResponse,
    "depthUpdate": stream_models.DiffBookDepthStreamsResponse,
    "kline": stream_models.KlineCandlestickStreamsResponse,
    "markPriceUpdate": stream_models.MarkPriceStreamResponse,
}


@cache
def answers() -> dict[Request, Model]:
    """The model of each request's answer."""
    found = (request for api in APIS for request in _requests(api))
    return {request: getattr(rest_models, name) for request, name in found}


def methods() -> set[str]:
    """The SDK's methods that send a request."""
    return {
        function.name
        for api in APIS
        for function in ast.walk(ast.parse(inspect.getsource(api)))
        if isinstance(function, ast.FunctionDef) and any(_sent_by(function))
    }


def _requests(api: ModuleType) -> Iterator[tuple[Request, str]]:
    for call in _sent_by(ast.parse(inspect.getsource(api))):
        terms = {term.arg: term.value for term in call.keywords}
        method, path, model = terms["method"], terms["path"], terms.get("response_model")
        if isinstance(model, ast.Name):
            assert isinstance(method, ast.Constant) and isinstance(path, ast.Constant)
            yield (str(method.value), str(path.value)), model.id


def _sent_by(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "send_request":
            yield node


def complaints(watch: Watch) -> list[str]:
    """What the SDK's models have against all that a server answered and sent; each complaint once."""
    said = [complaint for answer in watch.answered for complaint in _answer(answer)]
    said += [complaint for frame in watch.sent for complaint in _event(frame.get("data", frame))]
    return sorted(set(said))


def _answer(answer: Answered) -> Iterator[str]:
    model = answers().get((answer.method, answer.path))
    if model is not None and answer.status == 200:
        for complaint in held_against(model, answer.body, answer.path):
            yield f"{answer.method} {answer.path} {complaint}"


def _event(event: Any) -> Iterator[str]:
    kind = event.get("e") if isinstance(event, dict) else None
    if kind is None:
        return
    model = event_model(kind)
    if model is not None:
        yield from (f"{kind} {complaint}" for complaint in held_against(model, event))


def event_model(kind: str) -> Model | None:
    """The model of an event, by the name it bears."""
    name = kind.replace("_", "").lower()
    users = {each.lower(): each for each in dir(stream_models)}
    user: Model | None = getattr(stream_models, users[name]) if name in users else None
    return MARKET_EVENTS.get(kind, user)


def held_against(model: Model, body: Any, where: str = "") -> list[str]:
    """What is wrong with a body, by the best of a model's variants."""
    forms = variants(model) or [model]
    return min((_complaints(form, body, where) for form in forms), key=len)


def variants(model: Model) -> list[Model]:
    """What a model with several forms may be; nothing for one with a single form."""
    if "actual_instance" not in model.model_fields:
        return []
    return list(models_in(model.model_fields["actual_instance"].annotation))


def _complaints(model: Model, body: Any, where: str) -> list[str]:
    wrong = []
    rows = body if isinstance(body, list) else [body]
    for row in (row for row in rows if not isinstance(row, list)):  # bars are rows without names
        try:
            model.model_validate(row)
        except ValidationError as error:
            wrong += [f"{each['loc']}: {each['msg']}" for each in error.errors()]
        lacking = [name.removeprefix("result.") for name in _lacking(model, row)]
        wrong += [
            f"lacks {name}"
            for name in lacking
            if name not in MAY_LACK and f"{where} {name}" not in MAY_LACK
        ]
    return wrong


def _lacking(model: Model, body: Any) -> Iterator[str]:
    """The declared fields that are not there, with where they should be."""
    if not isinstance(body, dict):
        return
    declared = {
        field.alias or name: field.annotation
        for name, field in model.model_fields.items()
        if name != "additional_properties"
    }
    yield from sorted(declared.keys() - body.keys())
    for name in sorted(declared.keys() & body.keys()):
        rows = body[name] if isinstance(body[name], list) else [body[name]]
        for inner in models_in(declared[name]):
            yield from (f"{name}.{missing}" for row in rows for missing in _lacking(inner, row))


def models_in(annotation: Any) -> Iterator[Model]:
    """The models that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
