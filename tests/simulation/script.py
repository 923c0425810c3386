"""Faults that a storyboard names: what befalls the next request of a kind, or all of them until the weather clears.

    script.next("POST /fapi/v1/order").answer_lost()
    script.every("POST /fapi/v1/algoOrder", of="S").refused(-4045, "Reach max stop order limit.")

A fault that was asked for once and never met anything is in `unmet`, so that no scenario passes without it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - delays on the way, with the scenario's seed
from typing import Any

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.usage import Counts
from jumar.model.ids import parse_client_id
from jumar.simulation.line import Fate, Request, Trip

#: Seconds that a request, an answer or an event is on its way.
FASTEST_S, SLOWEST_S = 0.002, 0.030
NOTHING_USED = Counts(weight_1m=0, orders_10s=0, orders_1m=0, ordered=False)
USER_EVENTS = frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ALGO_UPDATE", "TRADE_LITE"})

type Change = Callable[[Any], Any]


@dataclass
class Spell:
    """What befalls requests of one kind; say one of its words.

    Attributes:
        request: method and path; `GET *` for all reads.
        of: the order that it is about: a slot (`S2`), or the letters of roles (`SB`); empty for any.
        left: how many requests it still befalls; None for all until it is lifted.
        met: how many it befell.
        needed: whether a scenario without such a request has shown nothing.
        symbol: whose requests; empty for any, and for those that name none.
    """

    request: str
    of: str
    left: int | None
    met: int = 0
    needed: bool = True
    symbol: str = ""
    fate: Fate | None = None
    there_s: float | None = None
    back_s: float | None = None
    reply: Reply | None = None
    change: Change | None = None

    def lost(self) -> None:
        """The request never arrives."""
        self.fate = Fate.LOST

    def answer_lost(self) -> None:
        """Executed; nothing comes back."""
        self.fate = Fate.ANSWER_LOST

    def unknown(self, *, executed: bool) -> None:
        """The exchange answers -1007, having executed it or not."""
        self.fate = Fate.UNKNOWN_DONE if executed else Fate.UNKNOWN_UNDONE

    def late(self, *, there_s: float | None = None, back_s: float | None = None) -> None:
        """On its way for so long."""
        self.fate, self.there_s, self.back_s = Fate.ANSWERED, there_s, back_s

    def refused(self, code: int, message: str, *, status: int = 400) -> None:
        """Answered with an error instead of being executed."""
        body = {"code": code, "msg": message}
        self.reply = Reply(status=status, body=body, counts=NOTHING_USED)

    def answered_with(self, change: Change) -> None:
        """The true body, changed; None for an order that is not found."""
        self.change = change

    @property
    def travels(self) -> bool:
        """Whether it decides on the way rather than at the exchange."""
        return self.fate is not None

    def concerns(self, request: Request) -> bool:
        """Whether it befalls this request."""
        named = {f"{request.method} {request.path}", f"{request.method} *"}
        if self.left == 0 or self.request not in named:
            return False
        if self.symbol and request.params.get("symbol") != self.symbol:
            return False
        name = slot(request.client_id)
        return not self.of or self.of == name or (self.of.isalpha() and name[:1] in self.of)

    def use(self) -> None:
        """Befall one."""
        self.met += 1
        if self.left is not None:
            self.left -= 1


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that would change something: when it left (exchange time), method and path, and the slot."""

    at_ms: int
    request: str
    slot: str


@dataclass
class Script:
    """The weather of one scenario (see `jumar.simulation.line.Weather`).

    Attributes:
        mute: names of events that never arrive.
        event_delay_s: how much longer user events are on their way.
        sent: every request that would change something, oldest first.
    """

    dice: Random
    now_ms: Callable[[], int]
    spells: list[Spell] = field(default_factory=list)
    mute: frozenset[str] = frozenset()
    event_delay_s: float = 0.0
    sent: list[Sent] = field(default_factory=list)

    def next(self, request: str, *, of: str = "", times: int = 1) -> Spell:
        """What befalls the next request, or the next few."""
        return self._add(Spell(request, of, times))

    def every(self, request: str, *, of: str = "", needed: bool = True) -> Spell:
        """What befalls all of a kind until `clear`."""
        return self._add(Spell(request, of, None, needed=needed))

    def clear(self) -> None:
        """Nothing befalls anything any more."""
        for spell in self.spells:
            spell.left = 0
        self.mute, self.event_delay_s = frozenset(), 0.0

    @property
    def unmet(self) -> list[str]:
        """The faults that never met anything."""
        missing = [spell for spell in self.spells if spell.needed and not spell.met]
        return [f"{spell.request} {spell.of}".strip() for spell in missing]

    def _add(self, spell: Spell) -> Spell:
        self.spells.append(spell)
        return spell

    # what the line asks

    def trip(self, request: Request) -> Trip:
        """How a request travels."""
        if request.changes:
            named = f"{request.method} {request.path}", slot(request.client_id)
            self.sent.append(Sent(self.now_ms(), *named))
        there, back = self._delay(), self._delay()
        for spell in self.spells:
            if spell.travels and spell.concerns(request):
                spell.use()
                there = there if spell.there_s is None else spell.there_s
                back = back if spell.back_s is None else spell.back_s
                return Trip(there_s=there, back_s=back, fate=spell.fate or Fate.ANSWERED)
        return Trip(there_s=there, back_s=back)

    def refusal(self, request: Request) -> Reply | None:
        """What is answered instead of executing."""
        for spell in self.spells:
            if spell.reply is not None and spell.concerns(request):
                spell.use()
                return spell.reply
        return None

    def answer(self, request: Request, reply: Reply) -> Reply:
        """What is answered, given what is true."""
        for spell in self.spells:
            if spell.change is not None and spell.concerns(request):
                spell.use()
                return _changed(reply, spell.change)
        return reply

    def frame(self, event: str, *, private: bool) -> tuple[float, ...]:
        """When an event arrives."""
        if event in self.mute:
            return ()
        return (self._delay() + (self.event_delay_s if private else 0.0),)

    def position(self, waiting: int, *, private: bool) -> int:
        """In order."""
        return waiting

    def _delay(self) -> float:
        return self.dice.uniform(FASTEST_S, SLOWEST_S)


def slot(client_id: str | None) -> str:
    """`S1` of one of our client ids, empty for everybody else's."""
    named = parse_client_id(client_id or "")
    return "" if named is None else f"{named.role.value}{named.attempt}"


def _changed(reply: Reply, change: Change) -> Reply:
    body = change(reply.body)
    if body is None:
        missing = {"code": -2013, "msg": "Order does not exist."}
        return Reply(status=400, body=missing, counts=reply.counts)
    return Reply(status=200, body=body, counts=reply.counts)
