"""The adapter reads what the official SDK reads: samples made from its models, with equal values.

For every request the adapter sends and every event it hears: the whole sample, the sample with one field more or one
less, and every word of the SDK's lists. A request or an event without a sample fails.
"""

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import enums
from binance_sdk_derivatives_trading_usds_futures.websocket_api import models as api_models
from tests.peers import oracle, samples
from tests.peers.oracle import Model
from tests.peers.samples import Json

from jumar.exchange.binance import events, frames, instruments, translate, wire
from jumar.exchange.binance.wire import WireError

ADAPTER = Path(instruments.__file__).parent
SYMBOL, ASSET = "BTCUSDT", "USDT"
FILTERS = ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MIN_NOTIONAL", "PERCENT_PRICE")
type Shape = type[msgspec.Struct]
type Use = Callable[[Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One kind of message.

    Attributes:
        shape: what the adapter makes of it.
        model: what the SDK makes of it.
        use: how the adapter goes on with it.
    """

    shape: Shape
    model: Model
    use: Use

    @property
    def sample(self) -> Json:
        """The SDK's message with all fields, and the filters that every contract has."""
        found = samples.sample_of(self.model)
        for row in found.get("symbols", []):
            row["filters"] = [{**row["filters"][0], "filterType": name} for name in FILTERS]
        return found


def _instrument(info: wire.ExchangeInfo) -> object:
    brackets = wire.SymbolBrackets(symbol=SYMBOL, brackets=[])
    rate = Decimal("0.0002")
    fees = wire.CommissionRate(
        symbol=SYMBOL, maker_commission_rate=rate, taker_commission_rate=rate
    )
    return translate.instrument(info.symbols[0], brackets, fees)


def _heard(message: frames.Message) -> object:
    return events.events_of(message, ASSET)


def _itself(answer: object) -> object:
    return answer


REQUESTS: dict[tuple[str, str], tuple[Shape, Use]] = {
    ("GET", "/fapi/v1/time"): (wire.ServerTime, _itself),
    ("GET", "/fapi/v1/exchangeInfo"): (wire.ExchangeInfo, _instrument),
    ("GET", "/fapi/v1/leverageBracket"): (wire.SymbolBrackets, _itself),
    ("GET", "/fapi/v1/commissionRate"): (wire.CommissionRate, _itself),
    ("GET", "/fapi/v1/accountConfig"): (wire.AccountConfig, translate.account_settings),
    ("GET", "/fapi/v1/symbolConfig"): (
        wire.SymbolConfig,
        lambda row: translate.symbol_settings([row], SYMBOL),
    ),
    ("GET", "/fapi/v3/account"): (wire.Account, lambda row: translate.balance(row, ASSET)),
    ("GET", "/fapi/v3/positionRisk"): (
        wire.PositionRow,
        lambda row: translate.positions([row], [SYMBOL]),
    ),
    ("GET", "/fapi/v1/openOrders"): (wire.Order, translate.regular_order),
    ("GET", "/fapi/v1/allOrders"): (wire.Order, translate.regular_order),
    ("GET", "/fapi/v1/order"): (wire.Order, translate.regular_order),
    ("POST", "/fapi/v1/order"): (wire.Order, translate.regular_order),
    ("PUT", "/fapi/v1/order"): (wire.Order, translate.regular_order),
    ("DELETE", "/fapi/v1/order"): (wire.Order, translate.regular_order),
    ("GET", "/fapi/v1/forceOrders"): (wire.Order, translate.regular_order),
    ("GET", "/fapi/v1/openAlgoOrders"): (wire.AlgoOrder, translate.conditional_order),
    ("GET", "/fapi/v1/algoOrder"): (wire.AlgoOrder, translate.conditional_order),
    ("POST", "/fapi/v1/algoOrder"): (wire.AlgoOrder, translate.conditional_order),
    ("DELETE", "/fapi/v1/algoOrder"): (wire.Done, _itself),
    ("GET", "/fapi/v1/userTrades"): (wire.UserTrade, translate.fill),
    ("GET", "/fapi/v1/ticker/bookTicker"): (wire.BookTicker, translate.quote),
    ("GET", "/fapi/v1/income"): (wire.Income, _itself),
    ("POST", "/fapi/v1/countdownCancelAll"): (wire.CountdownSet, _itself),
    ("GET", "/fapi/v1/premiumIndex"): (wire.PremiumIndex, _itself),
    ("GET", "/fapi/v1/ticker/price"): (wire.TickerPrice, _itself),
    ("POST", "/fapi/v1/leverage"): (wire.LeverageSet, _itself),
    ("POST", "/fapi/v1/marginType"): (wire.Done, _itself),
    ("PUT", "/fapi/v1/listenKey"): (wire.ListenKey, _itself),
    ("POST", "/fapi/v1/listenKey"): (wire.ListenKey, _itself),
}
#: The WebSocket API's answers, whose `result` is read as the REST answer is.
FRAMES: dict[str, tuple[Model, Shape]] = {
    "order.place": (api_models.NewOrderResponse, wire.Order),
    "order.modify": (api_models.ModifyOrderResponse, wire.Order),
    "order.cancel": (api_models.CancelOrderResponse, wire.Order),
    "algoOrder.place": (api_models.NewAlgoOrderResponse, wire.AlgoOrder),
    "algoOrder.cancel": (api_models.CancelAlgoOrderResponse, wire.Done),
}
#: Shapes of refusals, which the SDK has as exceptions.
NO_MODEL = {wire.ErrorBody, wire.ErrorText}


def _messages() -> Iterator[tuple[str, Message]]:
    for (method, path), (shape, use) in REQUESTS.items():
        model = oracle.answers()[method, path]
        for number, variant in enumerate(oracle.variants(model) or [model]):
            name = f"{method} {path}" + (f" {number}" if number else "")
            yield name, Message(shape=shape, model=variant, use=use)
    for kind, shape in frames.EVENTS.items():
        event = oracle.event_model(kind)
        assert event is not None, f"the SDK has no {kind}"
        yield kind, Message(shape=shape, model=event, use=_heard)
    for method, (frame, _) in FRAMES.items():
        yield method, Message(shape=wire.ApiAnswer, model=frame, use=_itself)


MESSAGES = dict(_messages())


@pytest.fixture(params=MESSAGES)
def message(request: pytest.FixtureRequest) -> Message:
    """Each message once."""
    return MESSAGES[request.param]


def test_the_samples_are_the_sdks(message: Message) -> None:
    """Its own model has nothing against the sample."""
    assert oracle.held_against(message.model, message.sample) == []


def test_a_whole_sample_is_read_with_equal_values(message: Message) -> None:
    """Field by field, and what the adapter makes of it is made."""
    assert differences(read(message, message.sample), message.sample) == []
    assert used(message, message.sample) is None


def test_an_unknown_field_is_of_no_matter(message: Message) -> None:
    """At the top and wherever an object stands."""
    tops = {path[:-1] for path in samples.paths(message.sample)}
    for above in tops:
        more = samples.instead(message.sample, (*above, "newField"), {"a": [1]})
        assert differences(read(message, more), more) == []


def test_a_field_less_is_read_or_named(message: Message) -> None:
    """Without a field that the adapter needs the error names it; without another the rest is read as before."""
    for path in samples.paths(message.sample):
        less = samples.without(message.sample, path)
        if needs(message.shape, path):
            with pytest.raises(WireError, match=f"`{path[-1]}`"):
                read(message, less)
        else:
            assert differences(read(message, less), less) == []
            used(message, less)  # a value or WireError, nothing else


def test_every_word_of_the_sdks_lists_is_understood(message: Message) -> None:
    """Sides, times in force, working types, types of conditional orders and of margin."""
    for path in samples.paths(message.sample):
        for word in words_of(path):
            said = samples.instead(message.sample, path, word)
            assert differences(read(message, said), said) == []
            assert used(message, said) is None


@pytest.mark.parametrize("method", FRAMES)
def test_the_result_of_a_frame_is_read_like_the_answer(method: str) -> None:
    """The WebSocket API's result has the REST answer's shape."""
    sample = samples.sample_of(FRAMES[method][0])
    answer = wire.decode(json.dumps(sample), wire.ApiAnswer)
    result = wire.decode(bytes(answer.result), FRAMES[method][1])
    assert differences(result, sample["result"]) == []


@pytest.mark.parametrize("kind", frames.EVENTS)
def test_a_wrapped_event_is_the_bare_one(kind: str) -> None:
    """A combined stream's wrapping changes nothing."""
    event = {**MESSAGES[kind].sample, "e": kind}
    bare = frames.decode_frame(json.dumps(event))
    wrapped = frames.decode_frame(json.dumps({"stream": "some", "data": event}))
    assert bare is not None and wrapped == bare


def test_every_request_of_the_adapter_has_a_sample() -> None:
    """Each path in its source stands in the table, and no other."""
    asked = {path for file in ADAPTER.glob("*.py") for path in _paths_in(file)}
    assert asked == {path for _, path in REQUESTS}


def test_every_shape_of_the_adapter_has_a_sample() -> None:
    """Each one is read from a sample, or is named with its reason."""
    read_from = {shape for message in MESSAGES.values() for shape in structs(message.shape)}
    known = set(wire.Rest.__subclasses__()) | set(frames.Event.__subclasses__())
    assert known - read_from == NO_MODEL | {frames.Frame}


def test_a_difference_is_seen() -> None:
    """The comparison can fail: another number, another word, a field that was not read."""
    sample = MESSAGES["GET /fapi/v1/ticker/price"].sample
    assert differences(wire.TickerPrice(symbol="X", price=Decimal(3)), sample) == [
        "symbol: 'X' is not 'BTCUSDT'",
        "price: Decimal('3') is not '2.5'",
    ]


def read(message: Message, sample: Json) -> Any:
    """What the adapter reads."""
    return wire.decode(json.dumps(sample), message.shape)


def used(message: Message, sample: Json) -> type[Exception] | None:
    """How going on with it ends: without an error, or with the one that the adapter promises."""
    try:
        message.use(read(message, sample))
    except WireError:
        return WireError
    return None


def differences(found: Any, sample: Any, where: str = "") -> list[str]:
    """Where a value that was read is not the sample's."""
    match found:
        case msgspec.Raw():
            return [] if json.loads(bytes(found) or "null") == sample else [f"{where}: changed"]
        case msgspec.Struct():
            return [
                said
                for field in msgspec.structs.fields(found)
                if field.encode_name in sample
                for said in differences(
                    getattr(found, field.name), sample[field.encode_name], field.encode_name
                )
            ]
        case list():
            pairs = zip(found, sample, strict=True)
            return [said for one, other in pairs for said in differences(one, other, where)]
        case bool() | None:
            same = found is sample
        case Decimal() | int():
            same = Decimal(found) == Decimal(str(sample))
        case _:
            same = found == sample
    return [] if same else [f"{where}: {found!r} is not {sample!r}"]


def needs(shape: Shape, path: tuple[str, ...]) -> bool:
    """Whether the adapter cannot do without the field at a path."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    field = fields.get(path[0])
    if field is None:
        return False
    if len(path) == 1:
        return field.required
    return any(needs(inner, path[1:]) for inner in _within(field.type))


def structs(shape: Shape) -> Iterator[Shape]:
    """A shape and all that are in it."""
    yield shape
    for field in msgspec.structs.fields(shape):
        for inner in _within(field.type):
            yield from structs(inner)


def words_of(path: tuple[str, ...]) -> list[str]:
    """The SDK's words for a field."""
    lists: dict[str, Any] = {
        "side": enums.NewOrderSideEnum,
        "timeInForce": enums.NewOrderTimeInForceEnum,
        "workingType": enums.NewAlgoOrderWorkingTypeEnum,
        "orderType": enums.NewAlgoOrderTypeEnum,
        "marginType": enums.ChangeMarginTypeMarginTypeEnum,
        "o.S": enums.NewOrderSideEnum,
        "o.f": enums.NewOrderTimeInForceEnum,
        "o.wt": enums.NewAlgoOrderWorkingTypeEnum,
    }
    return [word.value for word in lists.get(".".join(path), ())]


def _within(annotation: Any) -> Iterator[Shape]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for argument in get_args(annotation):
        yield from _within(argument)


def _paths_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and str(node.value).startswith("/fapi/"):
            yield str(node.value)
