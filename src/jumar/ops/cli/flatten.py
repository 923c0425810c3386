"""`jumar flatten`: close everything now, with a running engine or without one, and stay out until `resume` (M-6).

Promises to ask before it acts unless told not to, to report only what the exchange has confirmed, and to say so
plainly when it could not confirm it. How positions are closed is the engine's.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jumar.bootstrap.common import journal_of, run_async
from jumar.bootstrap.flatten import Outcome
from jumar.bootstrap.flatten import flatten as flatten_alone
from jumar.config import Outline, load_outline, load_settings
from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.moments import iso
from jumar.model.units import ZERO, text
from jumar.ops.cli.errors import complain, naming
from jumar.ports.clock import Clock, SystemClock
from jumar.reports.formats import LogFormat
from jumar.reports.logs import LogObserver, configure
from jumar.store import asked as store
from jumar.store import requests
from jumar.store.backends import holder
from jumar.store.place import Place

FLAT, UNCONFIRMED = 0, 3
LOOK_EVERY_S = 0.25
ASKED_BY = "jumar flatten"

type Row = Mapping[str, str]


def flatten(config: Path, *, symbol: str | None, yes: bool, wait_s: float) -> int:
    """Flatten and return the exit code: 0 confirmed flat, 3 not confirmed in time.

    Raises:
        ConfigError: the configuration, the keys or the options forbid it; nothing was done.
        VenueUnavailable: the venue does not answer.
    """
    outline = load_outline(config)
    symbols = _chosen(outline, symbol)
    if not yes:
        _confirm(outline, symbols)
    pid = _engine_of(outline)
    if pid is not None:
        return run_async(_by_engine(outline, symbol, symbols, pid, wait_s))
    return _alone(config, symbol, wait_s)


def _engine_of(outline: Outline) -> int | None:
    """The process of the engine that runs; None without one, and where a server does not answer who it is."""
    try:
        return holder(journal_of(outline))
    except StoreUnavailable as error:
        _say(f"who holds the database cannot be asked ({error}): going on without an engine")
        return None


def _chosen(outline: Outline, symbol: str | None) -> tuple[str, ...]:
    if symbol is not None and symbol not in outline.policies:
        known = ", ".join(outline.policies)
        raise ConfigError(f"--symbol: {symbol} is not configured; known here: {known}")
    return tuple(outline.policies) if symbol is None else (symbol,)


def _confirm(outline: Outline, symbols: Iterable[str]) -> None:
    """Ask on a terminal; without one nothing is done that nobody confirmed."""
    what = f"close every position of {', '.join(symbols)} at market on account {outline.account}"
    if not sys.stdin.isatty():
        raise ConfigError(f"this would {what}: add --yes to do it without a terminal")
    print(f"This will {what},\ncancel what rests, and enter nothing more until `jumar resume`.")
    if input("Type yes: ").strip().lower() != "yes":
        raise ConfigError("not confirmed: nothing was done")


# without an engine


def _alone(config: Path, symbol: str | None, wait_s: float) -> int:
    settings = load_settings(config, os.environ)
    configure(LogFormat.CONSOLE, secrets=(settings.keys.api_key, settings.keys.api_secret))
    _say("no engine is running: connecting to the exchange")
    with naming(settings.addresses.rest_url):
        outcome = flatten_alone(
            settings,
            symbol=symbol,
            asked_by=ASKED_BY,
            wait_s=wait_s,
            observers=(LogObserver(),),
            tell=_say,
        )
    _show(_rows(outcome))
    return _end(done=outcome.done, paused=outcome.paused, wait_s=wait_s)


def _rows(outcome: Outcome) -> list[Row]:
    return [
        {
            "symbol": each.symbol,
            "before": _amount(each.before),
            "now": _amount(each.now),
            "ours": _count(each.ours),
            "others": _count(each.others),
            "read at": "" if each.read_ms is None else iso(each.read_ms),
        }
        for each in outcome.confirmed
    ]


def _amount(quantity: Decimal | None) -> str:
    if quantity is None:
        return "not read"
    return "flat" if quantity == ZERO else text(quantity)


def _count(orders: int | None) -> str:
    return "not read" if orders is None else str(orders)


# by the engine that runs


async def _by_engine(
    outline: Outline, symbol: str | None, symbols: tuple[str, ...], pid: int, wait_s: float
) -> int:
    """Leave the request and watch what the engine records of the exchange until all is confirmed flat."""
    database, clock = journal_of(outline), SystemClock()
    try:
        before = _positions(database, symbols)
        number = requests.ask(
            database, request="flatten", symbol=symbol, asked_by=ASKED_BY, at_ms=clock.now_ms()
        )
    except (ConfigError, StoreUnavailable) as error:
        raise ConfigError(
            f"the engine (process {pid}) cannot be asked ({error}): end that process and run the "
            "same command again, it works without one"
        ) from error
    _say(f"asked the engine (process {pid}) to flatten {', '.join(symbols)}")
    done, gone = await _watched(database, number, symbols, clock, wait_s)
    _show(_recorded(database, symbols, before))
    if gone:
        complain("the engine has ended meanwhile: run the same command again, it works without one")
    return _end(done=done, paused=True, wait_s=wait_s)


async def _watched(
    database: Place, number: int, symbols: tuple[str, ...], clock: Clock, wait_s: float
) -> tuple[bool, bool]:
    """Look until all is confirmed, the engine has ended or the time is over: whether done, whether it is gone."""
    deadline = clock.monotonic() + wait_s
    while clock.monotonic() < deadline:
        obeyed_ms = store.obeyed_ms(database, number)
        if obeyed_ms is not None and _is_flat(database, symbols, obeyed_ms):
            return True, False
        if holder(database) is None:
            return False, True
        await clock.sleep(LOOK_EVERY_S)
    return False, False


def _is_flat(database: Place, symbols: Iterable[str], since_ms: int) -> bool:
    pictures = store.present(database).snapshots
    return all(
        symbol in pictures
        and pictures[symbol].at_ms > since_ms
        and _comes_home(json.loads(pictures[symbol].content))
        for symbol in symbols
    )


def _comes_home(picture: dict[str, Any]) -> bool:
    """Whether the engine saw zero after it had been told to flatten, nothing of ours rests, and no trade is open."""
    position = picture["position"]
    rests = any(picture[part] for part in ("stops", "orders", "wished"))
    flat = position is not None and position["side"] == "flat"
    return (
        flat and not rests and picture["trade"] is None and picture["mode"]["mode"] != "FLATTENING"
    )


def _positions(database: Place, symbols: Iterable[str]) -> dict[str, str]:
    pictures = store.present(database).snapshots
    told = {symbol: pictures.get(symbol) for symbol in symbols}
    return {
        symbol: "not read" if picture is None else _position(json.loads(picture.content))
        for symbol, picture in told.items()
    }


def _position(picture: dict[str, Any]) -> str:
    position = picture["position"]
    if position is None:
        return "not read"
    sign = "-" if position["side"] == "short" else ""
    return "flat" if position["side"] == "flat" else f"{sign}{position['quantity']}"


def _recorded(database: Place, symbols: Iterable[str], before: Mapping[str, str]) -> list[Row]:
    rows: list[Row] = []
    pictures = store.present(database).snapshots
    for symbol in symbols:
        seen = pictures.get(symbol)
        picture: dict[str, Any] = {} if seen is None else json.loads(seen.content)
        rests = sum(len(picture.get(part, ())) for part in ("stops", "orders", "wished"))
        rows.append(
            {
                "symbol": symbol,
                "before": before[symbol],
                "now": _position(picture) if picture else "not read",
                "ours": str(rests) if picture else "not read",
                "read at": "" if seen is None else iso(seen.at_ms),
            }
        )
    return rows


# the word of it


def _show(rows: Iterable[Row]) -> None:
    table = Table(title="what the exchange confirms", title_justify="left")
    columns = ("symbol", "before", "now", "ours", "others", "read at")
    listed = list(rows)
    shown = [name for name in columns if any(name in row for row in listed)]
    for name in shown:
        table.add_column({"ours": "our orders", "others": "others' orders"}.get(name, name))
    for row in listed:
        table.add_row(*(row.get(name, "") for name in shown))
    Console(highlight=False).print(table)


def _end(*, done: bool, paused: bool, wait_s: float) -> int:
    if not done:
        complain(
            f"NOT confirmed flat within {wait_s:g} s: look at the exchange; "
            "what rests there keeps resting, and the same command may be run again"
        )
        return UNCONFIRMED
    print("flat: confirmed by the exchange")
    if paused:
        print("nothing is entered until `jumar resume`")
    return FLAT


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
