"""Request weight and order counts in the fixed windows of the exchange's limiter.

Limits as answered by Binance's `exchangeInfo` (2400 weight a minute, 1200 orders a minute, 300 in ten seconds).
It counts and tells; nobody is refused for it. Knows nothing of what a request did.
"""

from dataclasses import dataclass

WEIGHT_LIMIT = 2400
ORDER_LIMIT_10S = 300
ORDER_LIMIT_1M = 1200
RATE_LIMITS = (
    ("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_LIMIT),
    ("ORDERS", "MINUTE", 1, ORDER_LIMIT_1M),
    ("ORDERS", "SECOND", 10, ORDER_LIMIT_10S),
)


class _Window:
    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._number = 0
        self._used = 0

    def add(self, amount: int, now_ms: int) -> int:
        number = now_ms // self._length_ms
        if number != self._number:
            self._number, self._used = number, 0
        self._used += amount
        return self._used


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has been used after one request; `ordered` says whether the request counted as an order."""

    weight_1m: int
    orders_10s: int
    orders_1m: int
    ordered: bool

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an HTTP answer."""
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.weight_1m)}
        if self.ordered:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self.orders_10s)
            headers["X-MBX-ORDER-COUNT-1M"] = str(self.orders_1m)
        return headers

    @property
    def rate_limits(self) -> list[dict[str, str | int]]:
        """The `rateLimits` of a WebSocket answer."""
        counts = (self.weight_1m, self.orders_1m, self.orders_10s)
        return [
            {
                "rateLimitType": kind,
                "interval": unit,
                "intervalNum": number,
                "limit": limit,
                "count": count,
            }
            for (kind, unit, number, limit), count in zip(RATE_LIMITS, counts, strict=True)
        ]


class Usage:
    """What the one client has used."""

    def __init__(self) -> None:
        self._weight = _Window(60_000)
        self._orders_10s = _Window(10_000)
        self._orders_1m = _Window(60_000)

    def count(self, weight: int, orders: int, now_ms: int) -> Counts:
        """Count one request."""
        return Counts(
            weight_1m=self._weight.add(weight, now_ms),
            orders_10s=self._orders_10s.add(orders, now_ms),
            orders_1m=self._orders_1m.add(orders, now_ms),
            ordered=orders > 0,
        )
