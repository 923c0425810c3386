"""The account's executions over any span, page by page.

Promises every execution since a moment, once, oldest first. Rules of userTrades (Binance USDⓈ-M "Account Trade
List", read 2026-09): a window of at most seven days, at most 1000 rows, three months back, `fromId` never
together with times.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from jumar.exchange.binance import translate, wire
from jumar.exchange.binance.signing import Params
from jumar.model.order import Fill

PATH = "/fapi/v1/userTrades"
DAY_MS = 24 * 60 * 60 * 1000
WINDOW_MS = 7 * DAY_MS - 1000
HISTORY_MS = 89 * DAY_MS
ROWS_MAX = 1000
AHEAD_MS = 60_000
"""The last window ends a little in the future: our clock may be behind the venue's."""


class Ask(Protocol):
    """The adapter's way to read a list."""

    def __call__[W, T](
        self, path: str, query: Params, shape: type[W], translated: Callable[[W], T], /
    ) -> Awaitable[T]:
        """Read `path` and translate the answer; raises as a read does."""
        ...


async def read_fills(ask: Ask, symbol: str, *, since_ms: int, now_ms: int) -> tuple[Fill, ...]:
    """Return all executions of `symbol` since `since_ms`, at most three months back; raises as a read does."""
    found: dict[int, Fill] = {}
    start_ms = max(since_ms, now_ms - HISTORY_MS, 0)
    last_ms = max(start_ms, now_ms + AHEAD_MS)
    while start_ms <= last_ms:
        end_ms = min(start_ms + WINDOW_MS, last_ms)
        page = await _page(ask, {"symbol": symbol, "startTime": start_ms, "endTime": end_ms})
        found |= {row.trade_id: row for row in page}
        if len(page) >= ROWS_MAX:
            # A full page: from here on by id, which knows no windows and ends at the present.
            found |= await _from_id(ask, symbol, max(row.trade_id for row in page) + 1)
            break
        start_ms = end_ms + 1
    return tuple(sorted(found.values(), key=lambda row: (row.time_ms, row.trade_id)))


async def _from_id(ask: Ask, symbol: str, first_id: int) -> dict[int, Fill]:
    found: dict[int, Fill] = {}
    page_full = True
    while page_full:
        page = await _page(ask, {"symbol": symbol, "fromId": first_id})
        fresh = {row.trade_id: row for row in page if row.trade_id >= first_id}
        found |= fresh
        page_full = len(page) >= ROWS_MAX and bool(fresh)
        first_id = max(fresh, default=first_id) + 1
    return found


async def _page(ask: Ask, query: dict[str, str | int]) -> list[Fill]:
    return await ask(
        PATH,
        {**query, "limit": ROWS_MAX},
        list[wire.UserTrade],
        lambda rows: [translate.fill(row) for row in rows],
    )
