"""Request weight and order counts in the fixed windows of the exchange's limiter, and who is held back for them.

Limits as answered by Binance's `exchangeInfo` (2400 weight a minute, 1200 orders a minute, 300 in ten seconds). Where
they are enforced, a request that would exceed one is not executed: 429 until the window ends; whoever keeps asking
meanwhile is banned: 418, for two minutes at first and twice as long each time, three days at most (general info).
After how many 429 a ban falls is not published; here after `PATIENCE`. Knows nothing of what a request did.
"""

from dataclasses import dataclass

from jumar.exchange.simulated.core.refusal import Refusal

WEIGHT_LIMIT = 2400
ORDER_LIMIT_10S = 300
ORDER_LIMIT_1M = 1200
RATE_LIMITS = (
    ("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_LIMIT),
    ("ORDERS", "MINUTE", 1, ORDER_LIMIT_1M),
    ("ORDERS", "SECOND", 10, ORDER_LIMIT_10S),
)
PATIENCE = 10
FIRST_BAN_MS = 120_000
LONGEST_BAN_MS = 3 * 86_400_000
NO_ORDER = (0, 0)

#: What a request adds to the order counts of ten seconds and of a minute.
type OrderCount = tuple[int, int]


class _Window:
    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._number = 0
        self._used = 0

    def add(self, amount: int, now_ms: int) -> int:
        """Count; what has been used in the window of `now_ms`."""
        number = now_ms // self._length_ms
        if number != self._number:
            self._number, self._used = number, 0
        self._used += amount
        return self._used

    def left_s(self, now_ms: int) -> int:
        """Whole seconds to the window's end, rounded up."""
        return _seconds(self._length_ms - now_ms % self._length_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has been used after one request.

    Attributes:
        ordered: whether the request counted as an order.
        retry_after_s: when to come back, for a request that was held back.
    """

    weight_1m: int
    orders_10s: int
    orders_1m: int
    ordered: bool
    retry_after_s: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an HTTP answer."""
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.weight_1m)}
        if self.ordered:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self.orders_10s)
            headers["X-MBX-ORDER-COUNT-1M"] = str(self.orders_1m)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return headers

    @property
    def rate_limits(self) -> list[dict[str, str | int]]:
        """The `rateLimits` of a WebSocket answer."""
        counts = (self.weight_1m, self.orders_1m, self.orders_10s)
        return [{**row, "count": count} for row, count in zip(_LISTED, counts, strict=True)]


def rate_limits() -> list[dict[str, str | int]]:
    """The limits as the exchange lists them."""
    names = ("rateLimitType", "interval", "intervalNum", "limit")
    return [dict(zip(names, row, strict=True)) for row in RATE_LIMITS]


_LISTED = tuple(rate_limits())


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Why a request was not executed, and what the limiter says beside it."""

    refusal: Refusal
    counts: Counts


class Usage:
    """What the one client has used.

    Args:
        enforced: whether anybody is held back; else it only counts and tells.
        separate: the WebSocket API has a request weight of its own.
    """

    def __init__(self, *, enforced: bool = False, separate: bool = False) -> None:
        self._enforced = enforced
        self._weight = self._rest_weight = _Window(60_000)
        self._socket_weight = _Window(60_000) if separate else self._rest_weight
        self._orders_10s = _Window(10_000)
        self._orders_1m = _Window(60_000)
        self._held_1m = _Window(60_000)
        self._banned_until_ms = 0
        self._next_ban_ms = FIRST_BAN_MS

    def over(self, *, socket: bool) -> None:
        """Say by which way the requests come that are counted from now on."""
        self._weight = self._socket_weight if socket else self._rest_weight

    def count(self, weight: int, orders: OrderCount, now_ms: int) -> Counts:
        """Count one request."""
        return self._counts(weight, orders, now_ms, ordered=orders != NO_ORDER)

    def held_back(self, weight: int, orders: OrderCount, now_ms: int) -> HeldBack | None:
        """Why a request of that weight must not be executed now; None when it may be.

        A request that is held back still costs its weight, but is no order.
        """
        if not self._enforced:
            return None
        if now_ms >= self._banned_until_ms:
            refusal = self._exceeded(weight, orders, now_ms)
            if refusal is None:
                return None
            if refusal.code != -1003 or self._held_1m.add(1, now_ms) <= PATIENCE:
                return self._held(refusal, weight, orders, now_ms)
            self._ban(now_ms)
        return self._held(banned(self._banned_until_ms), weight, orders, now_ms)

    def _exceeded(self, weight: int, orders: OrderCount, now_ms: int) -> Refusal | None:
        if weight and self._weight.add(0, now_ms) + weight > WEIGHT_LIMIT:
            return Refusal(-1003, status=429, limit=str(WEIGHT_LIMIT))
        for window, more, limit, per in (
            (self._orders_10s, orders[0], ORDER_LIMIT_10S, "10 SECONDS"),
            (self._orders_1m, orders[1], ORDER_LIMIT_1M, "1 MINUTE"),
        ):
            if more and window.add(0, now_ms) + more > limit:
                return Refusal(-1015, status=429, limit=str(limit), interval=per)
        return None

    def _ban(self, now_ms: int) -> None:
        self._banned_until_ms = now_ms + self._next_ban_ms
        self._next_ban_ms = min(2 * self._next_ban_ms, LONGEST_BAN_MS)

    def _held(self, refusal: Refusal, weight: int, orders: OrderCount, now_ms: int) -> HeldBack:
        if refusal.status == 418:
            wait_s = _seconds(self._banned_until_ms - now_ms)
        elif (
            refusal.code == -1003 or self._orders_10s.add(0, now_ms) + orders[0] <= ORDER_LIMIT_10S
        ):
            wait_s = self._weight.left_s(now_ms)
        else:
            wait_s = self._orders_10s.left_s(now_ms)
        ordered = orders != NO_ORDER
        counts = self._counts(weight, NO_ORDER, now_ms, ordered=ordered, wait_s=wait_s)
        return HeldBack(refusal=refusal, counts=counts)

    def _counts(
        self,
        weight: int,
        orders: OrderCount,
        now_ms: int,
        *,
        ordered: bool,
        wait_s: int | None = None,
    ) -> Counts:
        return Counts(
            weight_1m=self._weight.add(weight, now_ms),
            orders_10s=self._orders_10s.add(orders[0], now_ms),
            orders_1m=self._orders_1m.add(orders[1], now_ms),
            ordered=ordered,
            retry_after_s=wait_s,
        )


def _seconds(ms: int) -> int:
    return -(-ms // 1000)


def banned(until_ms: int) -> Refusal:
    """What a banned client is told: 418 until a time."""
    message = (
        f"Way too many requests; IP banned until {until_ms}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return Refusal(-1003, message=message, status=418)
