"""What the venue says of its limits and what has been used of them, as read from its answers.

Promises only a faithful record of the latest counters and limits. Limits nothing. REST and WebSocket API weights are kept
apart because Binance's pages disagree on whether they share one counter (read 2026-05 and 2026-10).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jumar.exchange.binance.wire import RateLimit
from jumar.model.standing import Counter, VenueBudget

_HEADER = re.compile(r"^x-mbx-(used-weight|order-count)-(\d+[smhd])$", re.IGNORECASE)
_UNITS = {"SECOND": "s", "MINUTE": "m", "HOUR": "h", "DAY": "d"}
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ORDERS = "ORDERS"


@dataclass(slots=True, kw_only=True)
class Budget:
    """The latest counters by window, such as `{"1m": 40}` and `{"10s": 2, "1m": 5}`.

    Attributes:
        rest_weight, socket_weight: request weight used, per IP address.
        orders: orders placed, per account, over both ways.
        updated_ms: exchange time of the latest counter.
        order_limits, weight_limits: by window, as far as the venue has told them.
        told_ms: exchange time of each counter, by kind and window.
        banned_until_ms: exchange time before which the venue wants to hear nothing; 0 when never refused.
    """

    rest_weight: dict[str, int] = field(default_factory=dict)
    socket_weight: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    order_limits: dict[str, int] = field(default_factory=dict)
    weight_limits: dict[str, int] = field(default_factory=dict)
    told_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    updated_ms: int = 0
    banned_until_ms: int = 0

    def read_headers(self, headers: Mapping[str, str], now_ms: int) -> None:
        """Take the counters of a REST answer."""
        for name, value in headers.items():
            match = _HEADER.match(name)
            if match is None or not value.isdecimal():
                continue
            kind = "orders" if match[1].lower() == "order-count" else "rest_weight"
            self._count(kind, match[2].lower(), int(value), now_ms)

    def read_rate_limits(self, rows: Sequence[RateLimit], now_ms: int) -> None:
        """Take the counters of a WebSocket API answer."""
        for row in rows:
            kind = "orders" if row.rate_limit_type == _ORDERS else "socket_weight"
            if row.count is not None:
                self._count(kind, _window(row), row.count, now_ms)
        self.read_limits(rows)

    def read_limits(self, rows: Sequence[RateLimit]) -> None:
        """Take the limits that the venue states; a window without one keeps what was told before."""
        for row in rows:
            if row.limit is not None:
                limits = self.order_limits if row.rate_limit_type == _ORDERS else self.weight_limits
                limits[_window(row)] = row.limit

    def _count(self, kind: str, window: str, used: int, now_ms: int) -> None:
        counters: dict[str, int] = getattr(self, kind)
        counters[window] = used
        self.told_ms[kind, window] = self.updated_ms = now_ms

    def value(self) -> VenueBudget:
        """Return all of it as one frozen value."""
        return VenueBudget(
            orders=self._counters("orders", self.order_limits),
            reads=(
                *self._counters("rest_weight", self.weight_limits),
                *self._counters("socket_weight", self.weight_limits),
            ),
            silent_until_ms=self.banned_until_ms,
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

    def refused_until(self, until_ms: int) -> None:
        """Note a 429 or 418."""
        self.banned_until_ms = max(self.banned_until_ms, until_ms)


def _window(row: RateLimit) -> str:
    return f"{row.interval_num}{_UNITS.get(row.interval, row.interval)}"
