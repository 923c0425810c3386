"""One budget for request weight and orders: what was used, what is left for whom, how long the venue wants silence (W-4).

Promises that nothing is sent while the venue bans the address (418), only what protects while it asks for silence (429),
and nothing in a lane that the counts have closed. Counts are our own, corrected by every answer: the higher one counts.
The told REST and WebSocket API weights are kept apart because Binance's pages disagree on whether they share one counter
(read 2026-05 and 2026-10); what is held back is judged by the higher one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import structlog

from jumar.exchange.binance import errors
from jumar.exchange.binance.lanes import (
    ORDERS_PERCENT,
    OWN_READS_PERCENT,
    WEIGHT_PERCENT,
    Cost,
    Lane,
)
from jumar.exchange.binance.outcomes import RATE_STATUSES, TOO_MANY_REQUESTS, NotSent
from jumar.exchange.binance.wire import ErrorBody, RateLimit
from jumar.model.moments import iso
from jumar.model.standing import Counter, VenueBudget

_HEADER = re.compile(r"^x-mbx-(used-weight|order-count)-(\d+[smhd])$", re.IGNORECASE)
_UNITS = {"SECOND": "s", "MINUTE": "m", "HOUR": "h", "DAY": "d"}
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ORDERS = "ORDERS"
_WEIGHT = "REQUEST_WEIGHT"
_MINUTE_MS = 60_000
FIRST_SILENCE_MS, LONGEST_SILENCE_MS = 2000, 60_000
"""Of a 429 that says no time: doubled with each one that follows a silence, until a success."""

FIRST_BAN_MS, LONGEST_BAN_MS = 120_000, 3 * 24 * 3_600_000
"""Bans last from two minutes to three days (Binance "General Info", 2026-05): no text may silence us for longer."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Window:
    """What was used of one limit in its present window, and where each lane ends.

    Attributes:
        limit: None where the venue has not told it; nothing is held back then.
        own: what this engine sent; told: what the venue counts, by its counter; used: the highest of all.
    """

    length_ms: int
    percent: Mapping[Lane, int]
    limit: int | None = None
    ceilings: dict[Lane, int] = field(default_factory=dict)
    number: int = -1
    own: int = 0
    used: int = 0
    told: dict[str, int] = field(default_factory=dict)
    said: bool = False

    def limited(self, limit: int) -> None:
        """Take the limit that the venue states."""
        self.limit = limit
        self.ceilings = {lane: limit * share // 100 for lane, share in self.percent.items()}

    def turn(self, now_ms: int) -> None:
        """Begin anew when another window has begun."""
        number = now_ms // self.length_ms
        if number != self.number:
            self.number, self.own, self.used, self.said = number, 0, 0, False
            self.told.clear()

    def hear(self, counter: str, used: int, now_ms: int) -> None:
        """Take what the venue counts; what is on its way to it is in our own count.

        A low count of one way must not hide a high one of the other.
        """
        self.turn(now_ms)
        self.told[counter] = used
        self.used = max(self.own, *self.told.values())

    def add(self, amount: int) -> None:
        """Count what is sent now."""
        self.own += amount
        self.used += amount


class CommonCount(Protocol):
    """What all engines of this machine use together of their common address."""

    def take(self, weight: int, *, minute: int, known: int, ceiling: int | None) -> int | None:
        """Add a weight unless that passes the ceiling; what was used before, None where that cannot be had."""
        ...

    def close(self) -> None:
        """Let go of what is held; a later `take` takes hold again."""
        ...


@dataclass(slots=True, kw_only=True)
class Budget:
    """The latest counters by window, such as `{"1m": 40}` and `{"10s": 2, "1m": 5}`, and what they leave.

    Attributes:
        rest_weight, socket_weight: request weight used, per IP address.
        orders: orders placed, per account, over both ways.
        updated_ms: exchange time of the latest counter.
        order_limits, weight_limits: by window, as far as the venue has told them.
        told_ms: exchange time of each counter, by kind and window.
        silent_until_ms: exchange time before which only what protects may be sent (429); 0 when never refused.
        banned_until_ms: exchange time before which nothing may be sent (418); 0 when never banned.
        host: what all engines of this machine use together; None where nobody else is to be counted.
    """

    rest_weight: dict[str, int] = field(default_factory=dict)
    socket_weight: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    order_limits: dict[str, int] = field(default_factory=dict)
    weight_limits: dict[str, int] = field(default_factory=dict)
    told_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    updated_ms: int = 0
    silent_until_ms: int = 0
    banned_until_ms: int = 0
    host: CommonCount | None = None
    _weight: Window = field(default_factory=lambda: Window(_MINUTE_MS, WEIGHT_PERCENT))
    _orders: dict[str, Window] = field(default_factory=dict)
    _next_silence_ms: int = FIRST_SILENCE_MS

    def admit(self, lane: Lane, cost: Cost, now_ms: int) -> NotSent | None:
        """Count a request that is about to be sent; else say why it must not be."""
        if now_ms < self.banned_until_ms:
            return _silent("this address is banned", self.banned_until_ms, now_ms)
        if now_ms < self.silent_until_ms and lane is not Lane.PROTECT:
            return _silent("the exchange asked for silence", self.silent_until_ms, now_ms)
        weight, orders = cost
        if orders:
            for window in self._orders.values():
                window.turn(now_ms)
                if lane is not Lane.PROTECT and window.limit is not None:
                    ceiling = window.ceilings[lane]
                    if window.used + orders > ceiling:
                        used = window.used
                        return _closed(window, "orders", lane, ceiling, now_ms, used=used)
        if weight:
            closed = self._weigh(lane, weight, now_ms)
            if closed is not None:
                return closed
        if orders:
            for window in self._orders.values():
                window.add(orders)
        return None

    def _weigh(self, lane: Lane, weight: int, now_ms: int) -> NotSent | None:
        """Count weight, or say why there is no room: for anybody's share of the address, or for our engines' own."""
        window = self._weight
        window.turn(now_ms)
        ceiling = window.ceilings.get(lane)
        if ceiling is not None and window.used + weight > ceiling:
            return _closed(window, "request weight", lane, ceiling, now_ms, used=window.used)
        if lane is Lane.READ and window.limit is not None:
            ceiling = window.limit * OWN_READS_PERCENT // 100
        own = window.own
        if self.host is not None:
            common = self.host.take(weight, minute=window.number, known=own, ceiling=ceiling)
            own = own if common is None else common
        if ceiling is not None and own + weight > ceiling:
            return _closed(window, "request weight", lane, ceiling, now_ms, used=own)
        window.used = max(window.used, own)
        window.add(weight)
        return None

    def heard(
        self, status: int, error: ErrorBody | None, now_ms: int, wait_s: float | None = None
    ) -> float | None:
        """Note what an answer says of rate limits; returns for how many seconds it asks for silence, if it does.

        `wait_s` is its `Retry-After`, where it has one.
        """
        if 200 <= status < 300:
            if self._next_silence_ms != FIRST_SILENCE_MS and now_ms >= self.silent_until_ms:
                self._next_silence_ms = FIRST_SILENCE_MS
            return None
        code = None if error is None else error.code
        if status not in RATE_STATUSES and not (code == TOO_MANY_REQUESTS and status < 500):
            return None
        stated = _stated_until(error, now_ms, wait_s)
        if status == 418:
            until_ms = stated or now_ms + FIRST_BAN_MS
            self._ban(min(until_ms, now_ms + LONGEST_BAN_MS))
            until_ms = self.banned_until_ms
        else:
            until_ms = stated or self._doubled(now_ms)
            self._hush(min(until_ms, now_ms + LONGEST_BAN_MS))
            until_ms = self.silent_until_ms
        return max(0, until_ms - now_ms) / 1000

    def _doubled(self, now_ms: int) -> int:
        """The end of the next silence: of the present one, as long as it lasts; one storm is one refusal."""
        if now_ms < self.silent_until_ms:
            return self.silent_until_ms
        wait_ms = self._next_silence_ms
        self._next_silence_ms = min(2 * wait_ms, LONGEST_SILENCE_MS)
        return now_ms + wait_ms

    def _hush(self, until_ms: int) -> None:
        if until_ms > self.silent_until_ms:
            self.silent_until_ms = until_ms
            log.warning("exchange_asks_for_silence", until=iso(until_ms), sent="what protects")

    def _ban(self, until_ms: int) -> None:
        if until_ms > self.banned_until_ms:
            self.banned_until_ms = until_ms
            log.error("exchange_bans_this_address", until=iso(until_ms), sent="nothing")

    def read_headers(
        self, headers: Mapping[str, str], now_ms: int, *, asked_ms: int | None = None
    ) -> None:
        """Take the counters of a REST answer.

        `asked_ms` is when the request was sent: counts of the minute before say nothing of this one.
        """
        for name, value in headers.items():
            known = _header(name)
            if known is not None and value.isdecimal():
                self._count(*known, int(value), now_ms, now_ms if asked_ms is None else asked_ms)

    def read_rate_limits(self, rows: Sequence[RateLimit], now_ms: int) -> None:
        """Take the counters of a WebSocket API answer."""
        for row in rows:
            kind = "orders" if row.rate_limit_type == _ORDERS else "socket_weight"
            if row.count is not None:
                self._count(kind, _window(row), row.count, now_ms, now_ms)
        self.read_limits(rows)

    def read_limits(self, rows: Sequence[RateLimit]) -> None:
        """Take the limits that the venue states; a window without one keeps what was told before."""
        for row in rows:
            if row.limit is not None:
                self._limit(row.rate_limit_type, _window(row), row.limit)

    def _limit(self, kind: str, name: str, limit: int) -> None:
        limits = self.order_limits if kind == _ORDERS else self.weight_limits
        if limits.get(name) == limit:
            return
        limits[name] = limit
        length_ms = _length_ms(name)
        if kind == _ORDERS and length_ms is not None:
            window = self._orders.setdefault(name, Window(length_ms, ORDERS_PERCENT))
            window.limited(limit)
        elif kind == _WEIGHT and length_ms == _MINUTE_MS:
            self._weight.limited(limit)

    def _count(self, kind: str, name: str, used: int, now_ms: int, asked_ms: int) -> None:
        counters: dict[str, int] = getattr(self, kind)
        counters[name] = used
        self.told_ms[kind, name] = self.updated_ms = now_ms
        window = self._orders.get(name) if kind == "orders" else self._weight
        if window is None or (window is self._weight and name != "1m"):
            return
        if asked_ms // window.length_ms == now_ms // window.length_ms:
            window.hear(kind, used, now_ms)

    def value(self) -> VenueBudget:
        """Return all of it as one frozen value."""
        return VenueBudget(
            orders=self._counters("orders", self.order_limits),
            reads=(
                *self._counters("rest_weight", self.weight_limits),
                *self._counters("socket_weight", self.weight_limits),
            ),
            silent_until_ms=max(self.banned_until_ms, self.silent_until_ms),
        )

    def _counters(self, kind: str, limits: Mapping[str, int]) -> tuple[Counter, ...]:
        counters: dict[str, int] = getattr(self, kind)
        return tuple(
            Counter(
                name=window,
                window_ms=int(window[:-1]) * _UNIT_MS[window[-1]],
                used=used,
                limit=limits.get(window),
                at_ms=self.told_ms[kind, window],
            )
            for window, used in counters.items()
            if window[-1] in _UNIT_MS and window[:-1].isdecimal()
        )


def _silent(why: str, until_ms: int, now_ms: int) -> NotSent:
    return NotSent(reason=f"{why} until {iso(until_ms)}", retry_after_s=(until_ms - now_ms) / 1000)


def _closed(
    window: Window, what: str, lane: Lane, ceiling: int, now_ms: int, *, used: int
) -> NotSent:
    left_ms = window.length_ms - now_ms % window.length_ms
    if not window.said:
        window.said = True
        log.warning("lane_closed", lane=lane.name.lower(), what=what, used=used)
    return NotSent(
        reason=f"{used} of {window.limit} {what} are used in this window of "
        f"{window.length_ms // 1000} s, {lane.name.lower()} may use {ceiling}",
        retry_after_s=left_ms / 1000,
    )


def _stated_until(error: ErrorBody | None, now_ms: int, wait_s: float | None) -> int | None:
    """Return until when an answer asks for silence: by its header, else by its text; None for no time to come."""
    if wait_s:
        return now_ms + int(min(wait_s * 1000, LONGEST_BAN_MS))
    until_ms = None if error is None else errors.banned_until_ms(error.msg)
    return until_ms if until_ms is not None and until_ms > now_ms else None


@lru_cache(maxsize=256)
def _header(name: str) -> tuple[str, str] | None:
    """Return kind and window of the counter that a header carries, None for another header."""
    match = _HEADER.match(name)
    if match is None:
        return None
    return "orders" if match[1].lower() == "order-count" else "rest_weight", match[2].lower()


def _length_ms(name: str) -> int | None:
    """Return how long a window such as `10s` is, None for another name."""
    number, unit = name[:-1], _UNIT_MS.get(name[-1:])
    return int(number) * unit if unit is not None and number.isdecimal() else None


def _window(row: RateLimit) -> str:
    return f"{row.interval_num}{_UNITS.get(row.interval, row.interval)}"
