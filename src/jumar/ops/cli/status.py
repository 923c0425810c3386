"""`jumar status`: what the engine saw and did last, from the database alone.

Promises one picture for people and for programs; that it says whether an engine is running and how old the picture
is; that it answers while the engine runs, after it ended and after it was killed. Never asks the exchange.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.live import Live

from jumar.model.mode import Mode, ModeState
from jumar.model.moments import iso
from jumar.model.units import ZERO, percent_of, text
from jumar.ops.cli.asking import Asked
from jumar.ops.cli.status_screen import screen
from jumar.ports.clock import Clock
from jumar.store import asked as store
from jumar.store import pause, queries
from jumar.store.backends import holder
from jumar.store.records import ACCOUNT

WATCH_EVERY_S = 1.0
INCIDENTS_MS = 3_600_000
DAY_MS = 86_400_000
_ORDERS: tuple[str, ...] = ("stops", "orders", "wished")


def show(asked: Asked, clock: Clock, *, as_json: bool) -> None:
    """Print the present once: one JSON object, or one screen."""
    seen = look(asked, clock.now_ms())
    if as_json:
        print(json.dumps(seen))
    else:
        Console(highlight=False).print(screen(seen))


def watch(asked: Asked, clock: Clock) -> None:
    """Show the present and refresh it every second until Ctrl-C."""
    try:
        asyncio.run(_watch(asked, clock))
    except KeyboardInterrupt:
        return  # that is how watching ends


async def _watch(asked: Asked, clock: Clock) -> None:
    with Live(console=Console(highlight=False), auto_refresh=False, screen=False) as live:
        while True:
            live.update(screen(look(asked, clock.now_ms())), refresh=True)
            await clock.sleep(WATCH_EVERY_S)


def look(asked: Asked, now_ms: int) -> dict[str, Any]:
    """Return the present as plain values.

    Args:
        asked: where to look.
        now_ms: by which the age of the picture is told.

    Raises:
        ConfigError: the database has not the tables of this version.
        StoreUnavailable: it cannot be read.
    """
    present = store.present(asked.database)
    symbols = asked.symbols or tuple(sorted(present.snapshots))
    account = present.modes.get(ACCOUNT)
    if account is None or account.mode is Mode.NORMAL:
        account = pause.read(asked.database.base) or account
    seen = {symbol: _symbol(symbol, present, account, now_ms) for symbol in symbols}
    pictures = [present.snapshots[s].at_ms for s in symbols if s in present.snapshots]
    as_of = min(pictures, default=None)
    # Of an engine that ended, its last hour and its last day are what a person asks for.
    reference = now_ms if as_of is None else min(now_ms, max(pictures))
    return {
        "account": asked.account,
        "mode": _strictest(entry["mode"]["mode"] for entry in seen.values()),
        "account_mode": None if account is None else _mode(account),
        "engine": {"pid": holder(asked.database)},
        "as_of": None if as_of is None else iso(as_of),
        "age_s": None if as_of is None else _age_s(as_of, now_ms),
        "symbols": seen,
        "incidents": _incidents(asked, reference - INCIDENTS_MS),
        "today": _today(asked, reference),
        "requests": [
            {"symbol": request.symbol, "request": request.request, "asked_by": request.asked_by}
            for request in present.requests
        ],
    }


def _age_s(at_ms: int, now_ms: int) -> float:
    """This machine's clock may be a little behind the exchange's."""
    return max(now_ms - at_ms, 0) / 1000


def _symbol(
    symbol: str, present: store.Present, account: ModeState | None, now_ms: int
) -> dict[str, Any]:
    picture = present.snapshots.get(symbol)
    content = _nothing() if picture is None else json.loads(picture.content)
    if picture is not None:
        content |= {"as_of": iso(picture.at_ms), "age_s": _age_s(picture.at_ms, now_ms)}
    content["mode"] = _counting(content, present.modes.get(symbol), account)
    content.setdefault("dead_man", _nothing()["dead_man"])  # a picture of an older version
    mark = content["prices"].get("mark")
    for part in _ORDERS:
        for order in content[part]:
            order["distance_pct"] = _distance_pct(order, mark)
    content.pop("symbol", None)
    return content


def _nothing() -> dict[str, Any]:
    """A symbol of which no engine has written anything yet."""
    unknown = ("as_of", "age_s", "position", "protected", "unrealised", "decision", "outcome")
    return {
        **dict.fromkeys((*unknown, "trade", "equity")),
        "cover": "unknown",
        "mode": {"mode": Mode.NORMAL.value, "rule": None, "cause": None, "since": None},
        "dead_man": {"on": False, "why_not": None},
        "passing": [],
        "ages_s": {},
        "prices": {},
        **{part: [] for part in _ORDERS},
    }


def _counting(
    picture: Mapping[str, Any], kept: ModeState | None, account: ModeState | None
) -> dict[str, Any]:
    """The mode that counts: what is kept is newer than the picture, what heals by itself stands only there."""
    if kept is None and account is None:
        counting: dict[str, Any] = picture["mode"]
        return counting
    states = [_mode(state) for state in (kept, account) if state is not None]
    states += picture.get("passing", [])
    return max(states, key=lambda state: Mode(state["mode"]).strictness)


def _mode(kept: ModeState) -> dict[str, Any]:
    return {
        "mode": kept.mode.value,
        "rule": kept.rule,
        "cause": kept.cause,
        "since": iso(kept.since_ms),
    }


def _strictest(modes: Any) -> str:
    """The stricter counts for the account (M-1)."""
    return max(modes, key=lambda mode: Mode(mode).strictness, default=Mode.NORMAL.value)


def _distance_pct(order: Mapping[str, Any], mark: str | None) -> str | None:
    """How far an order's price or trigger lies from mark, % of mark; below is negative."""
    price = order.get("trigger") or order.get("price")
    if price is None or mark is None or Decimal(mark) == ZERO:
        return None
    return text(percent_of(Decimal(price) - Decimal(mark), Decimal(mark)))


def _incidents(asked: Asked, since_ms: int) -> list[dict[str, Any]]:
    return [
        {
            "at": iso(incident.at_ms),
            "symbol": incident.symbol,
            "severity": incident.severity,
            "rule": incident.rule,
            "message": incident.message,
        }
        for incident in store.incidents_since(asked.database, since_ms)
        if incident.symbol in {None, *asked.symbols} or not asked.symbols
    ]


def _today(asked: Asked, now_ms: int) -> dict[str, Any]:
    """The trades whose last fill belongs to this UTC day, and those that are open."""
    midnight = now_ms - now_ms % DAY_MS
    rows = queries.trades(asked.database, since_ms=midnight)
    rows = tuple(r for r in rows if not asked.symbols or r.trade.symbol in asked.symbols)
    ended = [row.summary for row in rows if row.summary is not None]
    net = sum((each.net for each in ended), start=ZERO)
    return {
        "date": iso(midnight)[:10],
        "ended": len(ended),
        "open": sum(row.trade.ended_ms is None for row in rows),
        "net_pnl": text(net),
        "fees": text(sum((each.fees for each in ended), start=ZERO)),
        "r_net": text(sum((each.r_net for each in ended), start=ZERO)),
    }
