"""The weather of a run with faults: what befalls requests, answers and frames, by the run's plan and its dice.

Promises that each kind of fault draws from dice of its own, and that `visits` counts what really happened.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed
from typing import Any

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.refusal import TEXTS
from jumar.exchange.simulated.core.usage import Counts
from jumar.simulation.faults import Fault, FaultPlan
from jumar.simulation.line import Fate, Request, Trip
from jumar.simulation.venue import Venue

_QUICK_S = (0.001, 0.03)
_FATES = (
    (Fault.LOST_REQUEST, Fate.LOST),
    (Fault.LOST_ANSWER, Fate.ANSWER_LOST),
    (Fault.UNKNOWN_DONE, Fate.UNKNOWN_DONE),
    (Fault.UNKNOWN_UNDONE, Fate.UNKNOWN_UNDONE),
)
_LISTS = frozenset({"/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"})
_CONDITIONAL_LIST = "/fapi/v1/openAlgoOrders"
_POSITIONS = "/fapi/v3/positionRisk"
_NO_POSITION = {"code": -4509, "msg": TEXTS[-4509]}
_NO_COUNTS = Counts(weight_1m=0, orders_10s=0, orders_1m=0, ordered=False)
_TOO_LATE = -1021
_LAG_S = (0.05, 1.5)
_FORGETS_S = (1.0, 6.0)
#: How long after it was sent a disturbed request may keep its sender waiting or in doubt.
_DISTURBS_S = 5.0


@dataclass(frozen=True, slots=True)
class Window:
    """A span of virtual time in seconds."""

    from_s: float
    to_s: float


class Storm:
    """Faults on the wire (see `jumar.simulation.line.Weather`).

    Attributes:
        visits: how often each kind of fault happened.
        weight_max: the most request weight that was used within a minute.
        befell: the kind of fault that befell each request for a change, with that request.
        cancels: when the newest cancel of an order was sent, in virtual seconds, by its client id.
        disturbed: when requests were kept from their answers: an engine that protects late then is not to blame.
        muted: when the user stream was silent: an engine that knows late then is not to blame.
    """

    def __init__(
        self, plan: FaultPlan, *, now_s: Callable[[], float], note: Callable[[str], None]
    ) -> None:
        self.visits: Counter[Fault] = Counter()
        self.weight_max = 0
        self.befell: list[tuple[Fault, Request]] = []
        self.cancels: dict[str, float] = {}
        self.disturbed: list[Window] = []
        self.muted: list[Window] = []
        self._plan = plan
        self._now_s = now_s
        self._note = note
        self._dice: dict[Fault | str, Random] = {}
        self._outage = self._mute_user = self._mute_market = Window(0, 0)
        self._fill_s = -1e9
        self._lag_s = 0.0
        self._before: Any = None
        self._before_s = -2e9
        self._forgotten: dict[str, Window] = {}
        self._born: dict[str, Window] = {}

    def watch(self, venue: Venue) -> None:
        """Notice fills and new orders at the exchange, by which lists and positions lag."""
        venue.core.ledger.subscribe(self._noticed)
        if self._plan.strength(Fault.LAGGING_POSITION):
            venue.on_step(lambda _: self._remember(venue))

    # what the run's mishaps begin

    def outage(self, seconds: float) -> None:
        """No request arrives for a while."""
        self._outage = self._from_now(seconds)
        self.disturbed.append(Window(self._outage.from_s, self._outage.to_s + _DISTURBS_S))

    def mute(self, seconds: float, *, private: bool) -> None:
        """A stream says nothing for a while, and nobody is told."""
        window = self._from_now(seconds)
        if private:
            self._mute_user = window
            self.muted.append(window)
        else:
            self._mute_market = window

    def forget(self, client_id: str) -> None:
        """The list of conditional orders leaves one out for a while."""
        seconds = self._of(Fault.FORGETFUL_LIST).uniform(*_FORGETS_S)
        self._forgotten[client_id] = self._from_now(seconds)

    # what befalls the wire

    def trip(self, request: Request) -> Trip:
        """How a request travels."""
        if request.method == "DELETE" and request.client_id is not None:
            self.cancels[request.client_id] = self._now_s()
        quick = self._of("latency").uniform
        trip = Trip(quick(*_QUICK_S), quick(*_QUICK_S))
        if self._within(self._outage):
            self.visits[Fault.OUTAGE] += 1
            return Trip(fate=Fate.LOST)
        for fault, fate in _FATES:
            if self._happens(fault):
                self._count(fault, request)
                return replace(trip, fate=fate)
        if self._happens(Fault.SLOW_REQUEST):
            self._count(Fault.SLOW_REQUEST, request)
            trip = replace(trip, there_s=self._of(Fault.SLOW_REQUEST).uniform(0.3, 4.0))
        if self._happens(Fault.SLOW_ANSWER):
            self._count(Fault.SLOW_ANSWER, request)
            trip = replace(trip, back_s=self._of(Fault.SLOW_ANSWER).uniform(0.1, 1.6))
        return trip

    def refusal(self, request: Request) -> Reply | None:
        """-4509 for a closePosition order soon after a fill: the venue does not know of the position yet."""
        if request.params.get("closePosition") != "true" or not self._after_fill():
            return None
        if not self._happens(Fault.CLOSE_REFUSED):
            return None
        self._count(Fault.CLOSE_REFUSED, request)
        return Reply(status=400, body=_NO_POSITION, counts=_NO_COUNTS)

    def answer(self, request: Request, reply: Reply) -> Reply:
        """Lists that forget and lag, positions that lag or are missing."""
        self.weight_max = max(self.weight_max, reply.counts.weight_1m)
        if reply.status != 200 and reply.body["code"] == _TOO_LATE:
            self._disturb()
        if request.method != "GET" or reply.status != 200:
            return reply
        if request.path in _LISTS:
            return self._listed(request, reply)
        if request.path == _POSITIONS:
            return self._position(request, reply)
        return reply

    def frame(self, event: str, *, private: bool) -> tuple[float, ...]:
        """When a frame arrives."""
        if self._within(self._mute_user if private else self._mute_market):
            self.visits[Fault.SILENT_USER_STREAM if private else Fault.SILENT_MARKET_STREAM] += 1
            return ()
        delay_s = self._of("frames").uniform(*_QUICK_S)
        if self._happens(Fault.LATE_EVENT):
            self.visits[Fault.LATE_EVENT] += 1
            delay_s += self._of(Fault.LATE_EVENT).uniform(0.1, 1.5)
        if private and self._happens(Fault.DOUBLED_EVENT):
            self.visits[Fault.DOUBLED_EVENT] += 1
            self._note(f"{event} comes twice")
            return (delay_s, delay_s)
        return (delay_s,)

    def position(self, waiting: int, *, private: bool) -> int:
        """Where a frame stands among those on their way."""
        if waiting and private and self._happens(Fault.REORDERED_EVENT):
            self.visits[Fault.REORDERED_EVENT] += 1
            return self._of(Fault.REORDERED_EVENT).randrange(waiting)
        return waiting

    # parts

    def _listed(self, request: Request, reply: Reply) -> Reply:
        conditional = request.path == _CONDITIONAL_LIST
        name = "clientAlgoId" if conditional else "clientOrderId"
        rows = []
        for row in reply.body:
            client_id = row[name]
            if conditional and self._within(self._forgotten.get(client_id)):
                self._count(Fault.FORGETFUL_LIST, request, client_id)
            elif self._within(self._born.get(client_id)):
                self._count(Fault.LAGGING_LIST, request, client_id)
            else:
                rows.append(row)
        return replace(reply, body=rows)

    def _position(self, request: Request, reply: Reply) -> Reply:
        if not self._after_fill():
            return reply
        if self._happens(Fault.EMPTY_POSITION):
            self._count(Fault.EMPTY_POSITION, request)
            return replace(reply, body=[])
        if self._before is not None and self._happens(Fault.LAGGING_POSITION):
            self._count(Fault.LAGGING_POSITION, request)
            return replace(reply, body=self._before)
        return reply

    def _remember(self, venue: Venue) -> None:
        """Keep what the position list says once no fill is younger than it may lag: only a fill changes it."""
        if self._before_s < self._fill_s + self._lag_s < self._now_s():
            self._before_s = self._now_s()
            self._before = venue.core.peek(_POSITIONS, {}, venue.clock.now_ms())

    def _noticed(self, record: dict[str, Any]) -> None:
        now_s = self._now_s()
        if record["kind"] == "fill":
            self._fill_s = now_s
            self._lag_s = self._of("lag").uniform(*_LAG_S)
            return
        born = record["kind"] in {"order", "conditional"} and record["status"] == "NEW"
        if born and self._happens(Fault.LAGGING_LIST):
            seconds = self._of(Fault.LAGGING_LIST).uniform(*_LAG_S)
            self._born[record["client_id"]] = self._from_now(seconds)

    def _after_fill(self) -> bool:
        return self._now_s() < self._fill_s + self._lag_s

    def _of(self, what: Fault | str) -> Random:
        dice = self._dice.get(what)
        if dice is None:
            dice = self._dice[what] = self._plan.dice(str(what))
        return dice

    def _happens(self, fault: Fault) -> bool:
        strength = self._plan.strengths.get(fault)
        return strength is not None and self._of(fault).random() < strength

    def _count(self, fault: Fault, request: Request, client_id: str | None = None) -> None:
        self.visits[fault] += 1
        self._disturb()
        if request.changes:
            self.befell.append((fault, request))
        subject = client_id or request.client_id or ""
        self._note(f"{fault}: {request.method} {request.path} {subject}")

    def _disturb(self) -> None:
        self.disturbed.append(self._from_now(_DISTURBS_S))

    def _from_now(self, seconds: float) -> Window:
        now_s = self._now_s()
        return Window(now_s, now_s + seconds)

    def _within(self, window: Window | None) -> bool:
        return window is not None and window.from_s <= self._now_s() < window.to_s
