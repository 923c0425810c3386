"""`jumar trades`: every trade of the journal on one line, with sums at the end.

Promises that an open trade is marked and never counted as a result. Reads the database alone.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from jumar.model.moments import iso
from jumar.model.order import Side
from jumar.model.units import ZERO, text
from jumar.ops.cli.asking import Asked, figure, signed
from jumar.store import asked as store
from jumar.store import queries
from jumar.store.queries import TradeRow

_SUMMED = (
    "pnl",
    "fees",
    "funding",
    "net",
    "r_gross",
    "r_net",
    "stop_moves",
    "chases",
    "unprotected_ms",
)
_COLUMNS = {
    "key": "key",
    "symbol": "symbol",
    "side": "side",
    "armed": "armed (UTC)",
    "first_fill": "first fill",
    "quantity": "quantity",
    "average_entry": "entry",
    "average_exit": "exit",
    "reason": "ended by",
    "r_gross": "R",
    "r_net": "R net",
    "pnl": "P&L",
    "fees": "fees",
    "funding": "funding",
    "slippage": "slippage",
    "stop_moves": "moves",
    "chases": "chases",
    "unprotected_ms": "bare ms",
}
_TEXTS = frozenset({"key", "symbol", "side", "armed", "first_fill", "reason"})
_ALWAYS = frozenset({"key", "symbol", "side", "armed", "reason", "r_net"})
_UNBOUNDED = 1000
_GAINS = frozenset({"pnl", "r_gross", "r_net", "funding"})


def show(asked: Asked, *, symbol: str | None, last: int | None, as_json: bool) -> None:
    """Print the trades of one symbol, or of all, the newest ones or all."""
    found = listed(asked, symbol=symbol, last=last)
    if as_json:
        print(json.dumps({"trades": found, "sum": summed(found)}))
    else:
        console = Console(highlight=False)
        whole = table(found)
        needed = console.measure(whole, options=console.options.update(width=_UNBOUNDED)).maximum
        console.print(whole if needed <= console.width else table(found, narrow=True))


def listed(asked: Asked, *, symbol: str | None, last: int | None) -> list[dict[str, Any]]:
    """Return the trades as plain values, oldest first; amounts are decimal text.

    Raises:
        ConfigError: the database has not the tables of this version.
        StoreUnavailable: it cannot be read.
    """
    rows = queries.trades(asked.database, symbol=symbol, last=last)
    return [values(asked, row) for row in rows]


def values(asked: Asked, row: TradeRow) -> dict[str, Any]:
    """Return one trade as plain values: its plan, and how it went or how far it is."""
    return {**_plan(row), **_course(asked, row)}


def summed(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over the trades that ended after a fill."""
    ended = [trade for trade in found if trade["r_net"] is not None]
    sums = {
        name: text(sum((Decimal(trade[name] or 0) for trade in ended), start=ZERO))
        for name in _SUMMED
    }
    return {
        "trades": len(ended),
        "open": sum(trade["open"] for trade in found),
        "never_filled": sum(trade["reason"] == "never filled" for trade in found),
        **sums,
    }


def _plan(row: TradeRow) -> dict[str, Any]:
    trade = row.trade
    return {
        "key": trade.key,
        "symbol": trade.symbol,
        "side": "long" if trade.side is Side.BUY else "short",
        "open": trade.ended_ms is None,
        "armed": iso(trade.armed_ms),
        "ended": None if trade.ended_ms is None else iso(trade.ended_ms),
    }


def _course(asked: Asked, row: TradeRow) -> dict[str, Any]:
    summary = row.summary
    if summary is None:
        return _unfinished(asked, row)
    return {
        "first_fill": iso(summary.first_fill_ms),
        "quantity": text(summary.quantity),
        "average_entry": text(summary.average_entry),
        "average_exit": text(summary.average_exit),
        "reason": summary.exit_reason,
        "r_gross": text(summary.r_gross),
        "r_net": text(summary.r_net),
        "pnl": text(summary.realized_pnl),
        "fees": text(summary.fees),
        "funding": None if summary.funding is None else text(summary.funding),
        "net": text(summary.net),
        "slippage": None if summary.slippage is None else text(summary.slippage),
        "stop_moves": summary.stop_moves,
        "chases": summary.chases,
        "unprotected_ms": summary.unprotected_ms,
    }


def _unfinished(asked: Asked, row: TradeRow) -> dict[str, Any]:
    """An open trade as far as it got, or one that ended without a fill."""
    trade = row.trade
    filled = store.entry_fills(asked.database, trade.key) if row.entry_fills else ()
    entries = [seen.fill for seen in filled]
    lots = [(fill.quantity, fill.price) for fill in entries]
    if trade.adopted_price is not None:
        lots.append((trade.adopted_quantity, trade.adopted_price))
    quantity = sum((lot for lot, _ in lots), start=ZERO)
    paid = sum((lot * price for lot, price in lots), start=ZERO)
    state = f"closing: {trade.closing}" if trade.closing is not None else "open"
    return {
        **dict.fromkeys(_COLUMNS.keys() - _plan(row).keys()),
        "net": None,
        "first_fill": iso(entries[0].time_ms) if entries else None,
        "quantity": text(quantity),
        "average_entry": text(paid / quantity) if quantity else None,
        "reason": state if trade.ended_ms is None else "never filled",
    }


def table(found: Sequence[dict[str, Any]], *, narrow: bool = False) -> Table:
    """Return the trades and their sums for people; a narrow one leaves out what fits nowhere."""
    sums = summed(found)
    columns = [name for name in _COLUMNS if not narrow or name in _ALWAYS]
    drawn = Table(border_style="dim", show_footer=True)
    for name in columns:
        text_column = name in _TEXTS
        drawn.add_column(
            _COLUMNS[name],
            _foot(name, sums),
            justify="left" if text_column else "right",
            no_wrap=True,
        )
    for trade in found:
        drawn.add_row(
            *(_cell(name, trade[name]) for name in columns),
            style="bold yellow" if trade["open"] else "dim" if trade["r_net"] is None else "",
        )
    return drawn


def _foot(name: str, sums: dict[str, Any]) -> str:
    if name == "key":
        return f"{sums['trades']} ended"
    if name == "reason":
        return f"net {signed(sums['net'])}"
    return _cell(name, sums[name]) if name in sums else ""


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in {"armed", "first_fill"}:
        return str(value)[:19].replace("T", " ") if name == "armed" else str(value)[11:19]
    if name in _TEXTS:
        return str(value)
    return signed(str(value)) if name in _GAINS else figure(str(value), 4)
