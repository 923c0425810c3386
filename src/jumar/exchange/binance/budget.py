"""What the venue says has been used of its limits, as read from its answers.

Promises only a faithful record of the latest counters. Limits nothing. REST and WebSocket API weights are kept
apart because Binance's pages disagree on whether they share one counter (read 2026-05 and 2026-10).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jumar.exchange.binance.wire import RateLimit

_HEADER = re.compile(r"^x-mbx-(used-weight|order-count)-(\d+[smhd])$", re.IGNORECASE)
_UNITS = {"SECOND": "s", "MINUTE": "m", "HOUR": "h", "DAY": "d"}


@dataclass(slots=True, kw_only=True)
class Budget:
    """The latest counters by window, such as `{"1m": 40}` and `{"10s": 2, "1m": 5}`.

    Attributes:
        rest_weight, socket_weight: request weight used, per IP address.
        orders: orders placed, per account, over both ways.
        updated_ms: exchange time of the latest counter.
        banned_until_ms: exchange time before which the venue wants to hear nothing; 0 when never refused.
    """

    rest_weight: dict[str, int] = field(default_factory=dict)
    socket_weight: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    updated_ms: int = 0
    banned_until_ms: int = 0

    def read_headers(self, headers: Mapping[str, str], now_ms: int) -> None:
        """Take the counters of a REST answer."""
        for name, value in headers.items():
            match = _HEADER.match(name)
            if match is None or not value.isdecimal():
                continue
            counters = self.orders if match[1].lower() == "order-count" else self.rest_weight
            counters[match[2].lower()] = int(value)
            self.updated_ms = now_ms

    def read_rate_limits(self, rows: Iterable[RateLimit], now_ms: int) -> None:
        """Take the counters of a WebSocket API answer."""
        for row in rows:
            window = f"{row.interval_num}{_UNITS.get(row.interval, row.interval)}"
            counters = self.orders if row.rate_limit_type == "ORDERS" else self.socket_weight
            counters[window] = row.count
            self.updated_ms = now_ms

    def refused_until(self, until_ms: int) -> None:
        """Note a 429 or 418."""
        self.banned_until_ms = max(self.banned_until_ms, until_ms)
