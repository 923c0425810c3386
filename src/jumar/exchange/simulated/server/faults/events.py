"""What befalls the streams: events twice, late, out of order, lost; streams that fall silent.

A stream is a queue: what is late holds up what follows it, as on one connection. Without an `endpoint` a rule is about
user events; with one about the events of that name, market events too. Holds no sockets.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jumar.exchange.simulated.server.faults.kinds import Kind, Place
from jumar.exchange.simulated.server.faults.register import Register, Standing
from jumar.exchange.simulated.server.faults.subject import event_subjects, in_scope
from jumar.ports.clock import Clock

USER = ""

type Event = dict[str, Any]
type Send = Callable[[], None]
type Disturb = Callable[[str, Event | list[Event], Send], None]


@dataclass(slots=True)
class _Waiting:
    """An event on its way; one that is held lets the next one pass."""

    due_s: float
    send: Send
    held: bool = False


class EventFaults:
    """The faults of events.

    Attributes:
        active: whether events must come here.
    """

    def __init__(self, register: Register, clock: Clock) -> None:
        self.active = False
        self._register = register
        self._clock = clock
        self._queues: dict[str, deque[_Waiting]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def busy(self) -> bool:
        """Whether events are on their way."""
        return bool(self._queues)

    def carry(self, stream: str, event: Event | list[Event], send: Send) -> None:
        """Send an event of a stream (`USER` for user events) as often, as late and in such an order as it befalls."""
        if self._silent(stream):
            return
        standing = self._struck(stream, event)
        kind = None if standing is None else standing.rule.kind
        if kind is Kind.LOST_EVENT:
            return
        delay_s = standing.rule.whole("delay_ms") / 1000 if standing and kind in _SLOW else 0.0
        self._queue(stream, send, delay_s, held=kind is Kind.REORDERED_EVENT)
        if kind is Kind.DOUBLED_EVENT:
            self._queue(stream, send, 0.0)
        self._flush(stream)

    def close(self) -> None:
        """Forget what is on its way."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._queues.clear()

    def _silent(self, stream: str) -> bool:
        now_ms = self._register.now_ms
        which = "user" if stream == USER else "market"
        return any(
            each.lasts("", now_ms) and each.rule.word("stream") == which
            for each in self._register.of(Kind.SILENT_STREAM)
        )

    def _struck(self, stream: str, event: Event | list[Event]) -> Standing | None:
        one = event if isinstance(event, dict) else event[0] if event else {}
        name = str(one.get("e", ""))
        for standing in self._register.at(Place.EVENT):
            wanted = standing.rule.scope.get("endpoint")
            if (wanted is None and stream != USER) or (wanted is not None and name != wanted):
                continue
            subject = next(
                (each for each in event_subjects(one) if in_scope(standing.rule, each)), None
            )
            if subject is not None and self._register.throws(standing):
                self._register.strike(standing, subject, event=name)
                return standing
        return None

    def _queue(self, stream: str, send: Send, delay_s: float, *, held: bool = False) -> None:
        queue = self._queues.setdefault(stream, deque())
        now_s = self._clock.monotonic()
        if queue and queue[-1].held:
            # The one that was held comes right behind this one.
            last = queue.pop()
            queue.append(_Waiting(now_s + delay_s, send))
            queue.append(_Waiting(now_s + delay_s, last.send))
            return
        due_s = max(now_s + delay_s, queue[-1].due_s if queue else 0.0)
        queue.append(_Waiting(due_s, send, held))

    def _flush(self, stream: str) -> None:
        timer = self._timers.pop(stream, None)
        if timer is not None:
            timer.cancel()
        queue = self._queues.get(stream, deque())
        while queue and queue[0].due_s <= self._clock.monotonic():
            queue.popleft().send()
        if not queue:
            self._queues.pop(stream, None)
            return
        wait_s = queue[0].due_s - self._clock.monotonic()
        loop = asyncio.get_running_loop()
        self._timers[stream] = loop.call_later(max(0.0, wait_s), self._flush, stream)


_SLOW = (Kind.LATE_EVENT, Kind.REORDERED_EVENT)
