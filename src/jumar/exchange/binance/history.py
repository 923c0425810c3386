"""The account's executions, orders, funding and transfers over any span, page by page.

Promises every row since a moment, once, oldest first. Rules (Binance USDⓈ-M "Account Trade List", "All Orders",
"User's Force Orders", read 2026-09): a window of at most seven days, three months back; 1000 rows a page, 100 for
forced orders; `fromId` never together with times.

Which end of a window a full page leaves out is not documented, and what is read must not depend on it. A full page
of executions is continued in both directions; any other window that is too full is halved until each half fits.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from jumar.exchange.binance import translate, wire
from jumar.exchange.binance.signing import Params
from jumar.model.account import Transfer
from jumar.model.errors import VenueUnavailable
from jumar.model.funding import FundingPayment
from jumar.model.order import Fill, OrderReport

FILLS_PATH = "/fapi/v1/userTrades"
ORDERS_PATH = "/fapi/v1/allOrders"
FORCED_PATH = "/fapi/v1/forceOrders"
INCOME_PATH = "/fapi/v1/income"
DAY_MS = 24 * 60 * 60 * 1000
WINDOW_MS = 7 * DAY_MS - 1000
HISTORY_MS = 89 * DAY_MS
ROWS_MAX = 1000
FORCED_ROWS_MAX = 100
AHEAD_MS = 60_000
"""The last window ends a little in the future: our clock may be behind the venue's."""
PAGES_MAX = 100
"""Questions for one list; more than that is a venue that does not heed the times."""

HALVED_MS_MIN = 3
"""The shortest span whose halves both end after they start."""


class Ask(Protocol):
    """The adapter's way to read a list."""

    def __call__[W, T](
        self, path: str, query: Params, shape: type[W], translated: Callable[[W], T], /
    ) -> Awaitable[T]:
        """Read `path` and translate the answer; raises as a read does."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """A span of exchange time, both ends included; the venue wants the end after the start."""

    start_ms: int
    end_ms: int

    def halves(self) -> tuple["Span", ...]:
        """Return two adjoining spans that cover this one, nothing when it is too short for that."""
        if self.end_ms - self.start_ms < HALVED_MS_MIN:
            return ()
        middle_ms = (self.start_ms + self.end_ms) // 2
        return Span(self.start_ms, middle_ms), Span(middle_ms + 1, self.end_ms)


async def read_fills(ask: Ask, symbol: str, *, since_ms: int, now_ms: int) -> tuple[Fill, ...]:
    """Return all executions of `symbol` since `since_ms`, at most three months back; raises as a read does."""
    found: dict[int, Fill] = {}
    for span in _windows(since_ms, now_ms):
        page = await _window_of_fills(ask, symbol, span)
        found |= page
        if len(page) >= ROWS_MAX:
            # Backwards by time for what a full page may leave out before its first row, and from its last row on by
            # id, which knows no windows and ends at the present.
            found |= await _before(ask, symbol, span.start_ms, page)
            found |= await _from_id(ask, symbol, max(page) + 1)
            break
    return tuple(sorted(found.values(), key=lambda row: (row.time_ms, row.trade_id)))


async def read_orders(
    ask: Ask, symbol: str, *, since_ms: int, now_ms: int
) -> tuple[OrderReport, ...]:
    """Return the regular orders of `symbol` made since `since_ms`, at most three months back.

    Raises:
        VenueUnavailable: no usable answer, or no complete one.
        VenueRefused: the venue answered with a code.
    """
    spans = list(_windows(since_ms, now_ms))
    return await _orders(ask, ORDERS_PATH, symbol, spans, rows_max=ROWS_MAX)


async def read_forced_orders(
    ask: Ask, symbol: str, *, since_ms: int, now_ms: int
) -> tuple[OrderReport, ...]:
    """Return the liquidations and auto-deleveragings of `symbol`; span and errors as of `read_orders`."""
    spans = list(_windows(since_ms, now_ms))
    return await _orders(ask, FORCED_PATH, symbol, spans, rows_max=FORCED_ROWS_MAX)


async def read_funding(
    ask: Ask, symbol: str, *, quote_asset: str, since_ms: int, now_ms: int
) -> tuple[FundingPayment, ...]:
    """Return what the position of `symbol` paid at funding times since `since_ms`, at most three months back.

    One page a window is enough: a symbol is funded at most every hour.

    Raises:
        VenueUnavailable: no usable answer.
        VenueRefused: the venue answered with a code.
    """
    found: dict[int, FundingPayment] = {}
    for span in _windows(since_ms, now_ms):
        query: dict[str, str | int] = {"symbol": symbol, "incomeType": translate.FUNDING_FEE}
        times: dict[str, str | int] = {"startTime": span.start_ms, "endTime": span.end_ms}
        rows = await ask(
            INCOME_PATH,
            {**query, **times, "limit": ROWS_MAX},
            list[wire.Income],
            lambda rows: translate.funding(rows, symbol, quote_asset),
        )
        found |= {row.payment_id: row for row in rows}
    return tuple(sorted(found.values(), key=lambda row: (row.time_ms, row.payment_id)))


async def read_transfers(
    ask: Ask, *, quote_asset: str, since_ms: int, now_ms: int
) -> tuple[Transfer, ...]:
    """Return what was moved into or out of the account since `since_ms`, at most three months back.

    All income is asked for, because money moves under many names; what trading earned and cost is left out.

    Raises:
        VenueUnavailable: no usable answer, or no complete one.
        VenueRefused: the venue answered with a code.
    """

    async def page(span: Span) -> tuple[int, dict[str, Transfer]]:
        query = {"startTime": span.start_ms, "endTime": span.end_ms, "limit": ROWS_MAX}
        count, rows = await ask(
            INCOME_PATH,
            query,
            list[wire.Income],
            lambda rows: (len(rows), translate.transfers(rows, quote_asset)),
        )
        return count, {row.id: row for row in rows}

    found = await _complete(INCOME_PATH, page, list(_windows(since_ms, now_ms)), rows_max=ROWS_MAX)
    return tuple(sorted(found.values(), key=lambda row: (row.time_ms, row.id)))


def _windows(since_ms: int, now_ms: int) -> Iterator[Span]:
    """Yield adjoining windows from the moment to a little after now, oldest first."""
    start_ms = max(since_ms, now_ms - HISTORY_MS, 0)
    last_ms = max(start_ms, now_ms) + AHEAD_MS
    while start_ms < last_ms:
        end_ms = min(start_ms + WINDOW_MS, last_ms)
        yield Span(start_ms, end_ms)
        start_ms = end_ms + 1


async def _window_of_fills(ask: Ask, symbol: str, span: Span) -> dict[int, Fill]:
    times: dict[str, str | int] = {"startTime": span.start_ms, "endTime": span.end_ms}
    return {row.trade_id: row for row in await _fills(ask, {"symbol": symbol, **times})}


async def _before(ask: Ask, symbol: str, start_ms: int, page: dict[int, Fill]) -> dict[int, Fill]:
    found = dict(page)
    page_full = True
    while page_full:
        end_ms = min(row.time_ms for row in found.values())
        if end_ms <= start_ms:
            break
        earlier = await _window_of_fills(ask, symbol, Span(start_ms, end_ms))
        page_full = len(earlier) >= ROWS_MAX and not earlier.keys() <= found.keys()
        found |= earlier
    return found


async def _from_id(ask: Ask, symbol: str, first_id: int) -> dict[int, Fill]:
    found: dict[int, Fill] = {}
    page_full = True
    while page_full:
        page = await _fills(ask, {"symbol": symbol, "fromId": first_id})
        fresh = {row.trade_id: row for row in page if row.trade_id >= first_id}
        found |= fresh
        page_full = len(page) >= ROWS_MAX and bool(fresh)
        first_id = max(fresh, default=first_id) + 1
    return found


async def _fills(ask: Ask, query: dict[str, str | int]) -> list[Fill]:
    return await ask(
        FILLS_PATH,
        {**query, "limit": ROWS_MAX},
        list[wire.UserTrade],
        lambda rows: [translate.fill(row) for row in rows],
    )


async def _orders(
    ask: Ask, path: str, symbol: str, spans: list[Span], *, rows_max: int
) -> tuple[OrderReport, ...]:
    async def page(span: Span) -> tuple[int, dict[int, OrderReport]]:
        rows = await _orders_page(ask, path, symbol, span, rows_max)
        return len(rows), rows

    found = await _complete(path, page, spans, rows_max=rows_max)
    return tuple(found[number] for number in sorted(found))


async def _complete[K, V](
    path: str,
    page_of: Callable[[Span], Awaitable[tuple[int, dict[K, V]]]],
    spans: list[Span],
    *,
    rows_max: int,
) -> dict[K, V]:
    """Ask for one page of every span, and for both halves of each that may have left something out."""
    found: dict[K, V] = {}
    waiting = spans[::-1]
    for _ in range(PAGES_MAX):
        if not waiting:
            return found
        span = waiting.pop()
        rows, page = await page_of(span)
        found |= page
        if rows >= rows_max:
            halves = span.halves()
            if not halves:
                break
            waiting.extend(halves)
    raise VenueUnavailable(f"{path}: full pages without an end, the list cannot be completed")


async def _orders_page(
    ask: Ask, path: str, symbol: str, span: Span, rows_max: int
) -> dict[int, OrderReport]:
    """Ask for one page, by order id: the venue counts orders of a symbol upwards."""
    return await ask(
        path,
        {
            "symbol": symbol,
            "startTime": span.start_ms,
            "endTime": span.end_ms,
            "limit": rows_max,
        },
        list[wire.Order],
        lambda rows: {row.order_id: translate.regular_order(row) for row in rows},
    )
