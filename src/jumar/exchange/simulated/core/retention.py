"""How long the queries remember an order: three days when it was cancelled or expired without a fill, else ninety.

Counted from the order's creation (Binance, Query Order and Query Algo Order). Pure; cancels do not ask it.
"""

DAY_MS = 86_400_000
EMPTY_MS = 3 * DAY_MS
LONGEST_MS = 90 * DAY_MS


def remembered(created_ms: int, now_ms: int, *, ended_empty: bool) -> bool:
    """Whether a query still finds an order; `ended_empty`: it was cancelled or expired without a fill."""
    return now_ms - created_ms <= (EMPTY_MS if ended_empty else LONGEST_MS)
