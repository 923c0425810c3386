"""The kinds of faults: what each does, where it strikes, which parameters and scopes it takes. Pure tables.

docs/reference/faults.md tells the same to people, and where each kind was seen on the real exchange.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum

LONGEST_MS = 86_400_000
ROLES = ("entry", "stop", "backstop", "target", "close")
SIDES = ("BUY", "SELL")
EVENTS = (
    "ORDER_TRADE_UPDATE",
    "ALGO_UPDATE",
    "ACCOUNT_UPDATE",
    "ACCOUNT_CONFIG_UPDATE",
    "TRADE_LITE",
    "MARGIN_CALL",
    "listenKeyExpired",
    "bookTicker",
    "markPriceUpdate",
    "aggTrade",
    "trade",
    "depthUpdate",
    "kline",
    "24hrTicker",
    "24hrMiniTicker",
    "forceOrder",
)


class Kind(StrEnum):
    """The kinds, by the name that a rule gives."""

    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"
    UNKNOWN_EXECUTED = "unknown_executed"
    UNKNOWN_NOT_EXECUTED = "unknown_not_executed"
    OUTAGE = "outage"
    LATE_REQUEST = "late_request"
    LATE_ANSWER = "late_answer"
    TOO_MANY_REQUESTS = "too_many_requests"
    BANNED = "banned"
    REFUSE = "refuse"
    UNREADABLE_ANSWER = "unreadable_answer"
    PROXY_ERROR = "proxy_error"
    WRONG_ECHO = "wrong_echo"
    ALTERED_ORDER = "altered_order"
    FORGETFUL_LIST = "forgetful_list"
    LAGGING_LIST = "lagging_list"
    LAGGING_POSITION = "lagging_position"
    EMPTY_POSITION = "empty_position"
    DOUBLED_EVENT = "doubled_event"
    LATE_EVENT = "late_event"
    REORDERED_EVENT = "reordered_event"
    LOST_EVENT = "lost_event"
    SILENT_STREAM = "silent_stream"
    DROPPED_STREAM = "dropped_stream"
    EXPIRED_LISTEN_KEY = "expired_listen_key"
    CANCELLED_ORDER = "cancelled_order"
    SPOILED_ORDER = "spoiled_order"
    PARTIAL_STOP = "partial_stop"
    CRUMBS = "crumbs"
    MARK_DIP = "mark_dip"
    PRICE_GAP = "price_gap"
    DELEVERAGED = "deleveraged"
    LIQUIDATED = "liquidated"
    HALTED = "halted"
    CHANGED_FILTERS = "changed_filters"


class Place(Enum):
    """When a rule is tried: at a request, at a row of an answer, at an event of a stream, or at moments of its own."""

    REQUEST = "request"
    VIEW = "view"
    EVENT = "event"
    MOMENT = "moment"


class Sort(Enum):
    """What a parameter holds."""

    MS = "a whole number of milliseconds"
    CODE = "an error code of the exchange, a whole number below zero"
    STATUS = "an HTTP status from 400 to 599"
    FLAG = "true or false"
    TEXT = "text"
    WORD = "one of its words"
    DECIMAL = "a decimal number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a kind.

    Attributes:
        default: what holds when it is not given; None: nothing.
        words: what a WORD may be.
        low, high: what a DECIMAL lies between, the ends excluded.
    """

    name: str
    sort: Sort
    default: str | int | bool | Decimal | None = None
    required: bool = False
    words: tuple[str, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a rule of a kind looks like.

    Attributes:
        scopes: the fields that its `scope` may have.
        count: how often it strikes when the rule does not say; None: without end.
    """

    place: Place
    scopes: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    count: int | None = None


def _ms(name: str, default: int) -> Parameter:
    return Parameter(name=name, sort=Sort.MS, default=default)


def _word(name: str, *words: str) -> Parameter:
    return Parameter(name=name, sort=Sort.WORD, default=words[0], words=words)


def _flag(name: str, *, default: bool) -> Parameter:
    return Parameter(name=name, sort=Sort.FLAG, default=default)


def _percent(low: int, high: int) -> Parameter:
    return Parameter(
        name="percent", sort=Sort.DECIMAL, required=True, low=Decimal(low), high=Decimal(high)
    )


def _decimal(name: str, *, required: bool = False) -> Parameter:
    return Parameter(name=name, sort=Sort.DECIMAL, required=required)


_ORDER = ("symbol", "side", "role")
_ALL = ("endpoint", *_ORDER)
_HOW = _word("how", "silence", "close", "reset")
_TOLD = _word("form", "408", "503")
_STREAM = _word("stream", "user", "market")


def _request(*parameters: Parameter) -> Form:
    return Form(place=Place.REQUEST, scopes=_ALL, parameters=parameters)


def _view(scopes: tuple[str, ...], *parameters: Parameter) -> Form:
    return Form(place=Place.VIEW, scopes=scopes, parameters=parameters)


def _event(*parameters: Parameter) -> Form:
    return Form(place=Place.EVENT, scopes=_ALL, parameters=parameters)


def _moment(scopes: tuple[str, ...], *parameters: Parameter) -> Form:
    every = (_ms("every_ms", 1000), *parameters)
    return Form(place=Place.MOMENT, scopes=scopes, parameters=every, count=1)


FORMS: dict[Kind, Form] = {
    Kind.LOST_REQUEST: _request(_HOW),
    Kind.LOST_ANSWER: _request(_HOW),
    Kind.UNKNOWN_EXECUTED: _request(_TOLD),
    Kind.UNKNOWN_NOT_EXECUTED: _request(_TOLD),
    Kind.OUTAGE: _request(_word("form", "unavailable", "internal", "throttled")),
    Kind.LATE_REQUEST: _request(_ms("delay_ms", 500)),
    Kind.LATE_ANSWER: _request(_ms("delay_ms", 500)),
    Kind.TOO_MANY_REQUESTS: _request(_ms("for_ms", 1000)),
    Kind.BANNED: _request(_ms("for_ms", 120_000)),
    Kind.REFUSE: _request(
        Parameter(name="code", sort=Sort.CODE, required=True),
        Parameter(name="message", sort=Sort.TEXT),
        Parameter(name="status", sort=Sort.STATUS),
        Parameter(name="after_fill_ms", sort=Sort.MS),
    ),
    Kind.UNREADABLE_ANSWER: _request(
        _word("form", "text", "html", "empty", "cut"),
        _flag("executed", default=True),
    ),
    Kind.PROXY_ERROR: _request(
        Parameter(name="status", sort=Sort.STATUS, default=502),
        _flag("executed", default=False),
    ),
    Kind.WRONG_ECHO: _request(_percent(-100, 100)),
    Kind.ALTERED_ORDER: _request(_percent(-100, 100)),
    Kind.FORGETFUL_LIST: _view(_ALL, _ms("for_ms", 2000)),
    Kind.LAGGING_LIST: _view(_ALL, _ms("for_ms", 1000)),
    Kind.LAGGING_POSITION: _view(("endpoint", "symbol"), _ms("for_ms", 1000)),
    Kind.EMPTY_POSITION: _view(("endpoint", "symbol"), _ms("for_ms", 1000)),
    Kind.DOUBLED_EVENT: _event(),
    Kind.LATE_EVENT: _event(_ms("delay_ms", 500)),
    Kind.REORDERED_EVENT: _event(_ms("delay_ms", 500)),
    Kind.LOST_EVENT: _event(),
    Kind.SILENT_STREAM: _moment((), _STREAM, _ms("for_ms", 5000)),
    Kind.DROPPED_STREAM: _moment((), _STREAM),
    Kind.EXPIRED_LISTEN_KEY: _moment(()),
    Kind.CANCELLED_ORDER: _moment(_ORDER),
    Kind.SPOILED_ORDER: _moment(_ORDER),
    Kind.PARTIAL_STOP: _moment(
        _ORDER,
        Parameter(
            name="part", sort=Sort.DECIMAL, default=Decimal("0.5"), low=Decimal(0), high=Decimal(1)
        ),
    ),
    Kind.CRUMBS: _moment(("symbol",), _decimal("quantity", required=True), _ms("for_ms", 60_000)),
    Kind.MARK_DIP: _moment(("symbol",), _percent(-100, 100), _ms("for_ms", 0)),
    Kind.PRICE_GAP: _moment(
        ("symbol",), _percent(-100, 100), Parameter(name="for_ms", sort=Sort.MS)
    ),
    Kind.DELEVERAGED: _moment(("symbol", "side"), _decimal("quantity")),
    Kind.LIQUIDATED: _moment(("symbol", "side")),
    Kind.HALTED: _moment(("symbol",), _flag("closing_allowed", default=True), _ms("for_ms", 5000)),
    Kind.CHANGED_FILTERS: _moment(
        ("symbol",), _decimal("tick_size"), _decimal("step_size"), _decimal("min_notional")
    ),
}
