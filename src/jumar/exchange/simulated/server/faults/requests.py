"""What befalls requests: on the way there, instead of their execution, and to their answers. REST and WebSocket API alike.

Delays of several rules add up; of the rules that decide what becomes of a request, the first that strikes does. Holds
no sockets: whoever carries the request applies the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.refusal import TEXTS, Refusal
from jumar.exchange.simulated.core.text import text
from jumar.exchange.simulated.core.usage import Counts, banned
from jumar.exchange.simulated.server.faults import answers
from jumar.exchange.simulated.server.faults.answers import Cut, Outcome
from jumar.exchange.simulated.server.faults.kinds import Kind, Place
from jumar.exchange.simulated.server.faults.market import amount
from jumar.exchange.simulated.server.faults.register import Register, Standing
from jumar.exchange.simulated.server.faults.subject import Ask, ask_of, at_endpoint, in_scope
from jumar.exchange.simulated.server.faults.views import Views
from jumar.ports.clock import Clock

_PRICES = ("triggerPrice", "price")
_DELAYS = (Kind.LATE_REQUEST, Kind.LATE_ANSWER)
#: -1008 names these; conditional orders are not among them.
_THROTTLED = ("/fapi/v1/order", "/fapi/v1/order/test", "/fapi/v1/batchOrders")


class Execute(Protocol):
    """Executes the request: with some parameters changed, as if it had begun to arrive at a time (by default now)."""

    def __call__(self, *, changed: Mapping[str, str], arrived_ms: int | None) -> Reply:
        """The exchange's answer."""
        ...


@dataclass(slots=True)
class _Fate:
    """What the dice said of one request."""

    there_ms: int = 0
    back_ms: int = 0
    end: Standing | None = None


class RequestFaults:
    """The faults of requests.

    Attributes:
        active: whether requests must come here; while it is false nothing of this costs anything.
    """

    def __init__(self, register: Register, exchange: Exchange, views: Views, clock: Clock) -> None:
        self.active = False
        self._register = register
        self._exchange = exchange
        self._views = views
        self._clock = clock

    def ask(
        self, method: str, path: str, params: Mapping[str, str], name: str | None = None
    ) -> Ask:
        """Understand a request; `name` is the WebSocket API's."""
        return ask_of(self._exchange, method, path, params, name)

    async def carry(self, ask: Ask, execute: Execute, arrived_ms: int | None = None) -> Outcome:
        """Let a request meet its fate; what it is answered."""
        fate = self._fate(ask)
        if fate.there_ms:
            await self._clock.sleep(fate.there_ms / 1000)
            arrived_ms = None
        outcome = self._instead(ask, fate.end)
        if outcome is None:
            changed = self._altered(ask, fate.end)
            reply = execute(changed=changed, arrived_ms=arrived_ms)
            self._views.look()
            outcome = self._told(ask, fate.end, self._views.shown(ask, reply))
        if fate.back_ms:
            await self._clock.sleep(fate.back_ms / 1000)
        return outcome

    def _fate(self, ask: Ask) -> _Fate:
        fate = _Fate()
        for standing in self._register.at(Place.REQUEST):
            rule = standing.rule
            ends = rule.kind not in _DELAYS
            if (ends and fate.end is not None) or not self._befalls(standing, ask):
                continue
            if not self._register.throws(standing):
                continue
            self._register.strike(standing, ask=ask)
            if ends:
                fate.end = standing
            elif rule.kind is Kind.LATE_REQUEST:
                fate.there_ms += rule.whole("delay_ms")
            else:
                fate.back_ms += rule.whole("delay_ms")
        return fate

    def _befalls(self, standing: Standing, ask: Ask) -> bool:
        """Whether a request is in a rule's scope, and one that the kind can befall."""
        rule = standing.rule
        if not at_endpoint(rule, ask) or not any(in_scope(rule, each) for each in ask.subjects):
            return False
        match rule.kind:
            case Kind.WRONG_ECHO | Kind.ALTERED_ORDER:
                return _price(ask) is not None
            case Kind.OUTAGE if rule.word("form") == "throttled":
                exempt = all(each.closing for each in ask.subjects)
                return ask.method == "POST" and ask.path in _THROTTLED and not exempt
            case Kind.REFUSE if rule.parameters["after_fill_ms"] is not None:
                since_ms = self._register.now_ms - rule.whole("after_fill_ms")
                return self._exchange.filled_since(ask.subjects[0].symbol, since_ms)
        return True

    # instead of the execution

    def _instead(self, ask: Ask, end: Standing | None) -> Outcome | None:
        """The answer to a request that is not executed; None for one that is."""
        held = self._held(ask, end) or self._halted(ask)
        if held is not None or end is None:
            return held
        rule = end.rule
        match rule.kind:
            case Kind.LOST_REQUEST:
                return Cut(rule.word("how"))
            case Kind.UNKNOWN_NOT_EXECUTED:
                return answers.unknown(rule.word("form"), self._counts())
            case Kind.OUTAGE:
                return answers.outage(rule.word("form"), self._counts())
            case Kind.REFUSE:
                message = None if rule.parameters["message"] is None else rule.word("message")
                return self._refused(ask, rule.whole("code"), rule.whole("status"), message)
            case Kind.PROXY_ERROR | Kind.UNREADABLE_ANSWER if not rule.parameters["executed"]:
                return self._garbled(end, Reply(status=200, body={}, counts=self._counts()))
        return None

    def _held(self, ask: Ask, end: Standing | None) -> Outcome | None:
        """429 and 418, from the moment they fell until their time is over."""
        now_ms = self._register.now_ms
        if end is not None and end.rule.kind in (Kind.TOO_MANY_REQUESTS, Kind.BANNED):
            end.last("", now_ms + end.rule.whole("for_ms"), now_ms)
        for standing in self._register.of(Kind.BANNED, Kind.TOO_MANY_REQUESTS):
            until_ms = standing.lasting.get("", 0)
            if standing is not end and (until_ms <= now_ms or not self._befalls(standing, ask)):
                continue
            if standing.rule.kind is Kind.BANNED:
                refusal = banned(until_ms)
            else:
                refusal = Refusal(-1003, status=429, limit="2400")
            counts = answers.retry_after(self._counts(), until_ms - now_ms)
            body = {"code": refusal.code, "msg": refusal.message}
            return Reply(status=refusal.status, body=body, counts=counts)
        return None

    def _halted(self, ask: Ask) -> Outcome | None:
        """-4140 or -4141 for orders of a symbol that is halted."""
        if not ask.places:
            return None
        now_ms = self._register.now_ms
        for standing in self._register.of(Kind.HALTED):
            for subject in ask.subjects:
                if not standing.lasts(subject.symbol or "", now_ms):
                    continue
                if not standing.rule.parameters["closing_allowed"]:
                    return self._refused(ask, -4141)
                if not subject.closing:
                    return self._refused(ask, -4140)
        return None

    def _refused(self, ask: Ask, code: int, status: int = 0, message: str | None = None) -> Reply:
        """A refusal as the exchange's own: with the code's usual status and text where none are given."""
        refusal = Refusal(
            code,
            message=TEXTS[code] if message is None else message,
            status=status or answers.STATUSES.get(code, 400),
        )
        now_ms = self._register.now_ms
        return self._exchange.refusal(ask.method, ask.path, ask.params, refusal, now_ms)

    # what is executed, and what is told of it

    def _altered(self, ask: Ask, end: Standing | None) -> Mapping[str, str]:
        if end is None or end.rule.kind is not Kind.ALTERED_ORDER:
            return {}
        return self._moved(ask, end, ask.params)

    def _told(self, ask: Ask, end: Standing | None, reply: Reply) -> Outcome:
        """The answer to a request that was executed."""
        if end is None:
            return reply
        rule = end.rule
        match rule.kind:
            case Kind.LOST_ANSWER:
                return Cut(rule.word("how"))
            case Kind.UNKNOWN_EXECUTED:
                return answers.unknown(rule.word("form"), reply.counts)
            case Kind.UNREADABLE_ANSWER | Kind.PROXY_ERROR:
                return self._garbled(end, reply)
            case Kind.WRONG_ECHO if reply.status == 200:
                body = {**reply.body, **self._moved(ask, end, reply.body)}
                return Reply(status=200, body=body, counts=reply.counts)
        return reply

    def _garbled(self, end: Standing, reply: Reply) -> Outcome:
        if end.rule.kind is Kind.PROXY_ERROR:
            return answers.page(end.rule.whole("status"))
        whole = msgspec.json.encode(reply.body).decode()
        return answers.unreadable(end.rule.word("form"), reply.status, whole)

    def _moved(self, ask: Ask, end: Standing, values: Mapping[str, str]) -> dict[str, str]:
        """The price of an order, displaced by the rule's percent, on the tick."""
        name, percent = _price(ask), end.rule.decimal("percent")
        instrument = self._exchange.instrument(ask.subjects[0].symbol or "")
        if name is None or percent is None or instrument is None:
            return {}
        try:
            price = Params(values).decimal(name)
        except Refusal:  # the exchange says itself what is wrong with it
            return {}
        return {name: text(price + amount(price, percent, instrument.tick_size))}

    def _counts(self) -> Counts:
        return self._exchange.count(0, self._register.now_ms)


def _price(ask: Ask) -> str | None:
    """The parameter that is an order's price: its trigger, else its limit."""
    if ask.method not in ("POST", "PUT") or ask.path not in (
        "/fapi/v1/order",
        "/fapi/v1/algoOrder",
    ):
        return None
    return next((name for name in _PRICES if ask.params.get(name)), None)
