"""One screen of what `status.look` found.

Promises that an old picture is never shown as the present, that NAKED cannot be overlooked, and that what is only
wished is marked so (H-6). Computes nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jumar.ops.cli.asking import figure, lasting, signed

OLD_S = 15
"""An engine that runs writes its picture every 5 s; three times that says that something is wrong."""

_COVER = {
    "flat": ("flat", ""),
    "stop": ("PROTECTED", "bold green"),
    "closing": ("CLOSING: an exit is executing", "bold yellow"),
    "naked": ("NAKED: no confirmed stop covers it", "bold white on red"),
    "unknown": ("position not read yet", "yellow"),
}
_AGES = {
    "position": "position",
    "order_list": "orders",
    "conditional_list": "conditional orders",
    "quote": "quote",
    "mark": "mark",
    "last": "last",
    "levels": "levels",
}
_SEVERITY = {"critical": "bold red", "warning": "yellow"}


def screen(seen: Mapping[str, Any]) -> Group:
    """Return what to print."""
    parts: list[RenderableType] = [_head(seen)]
    for symbol, entry in seen["symbols"].items():
        parts += [Text(""), *_symbol(symbol, entry, running=seen["engine"]["pid"] is not None)]
    return Group(*parts, Text(""), *_today(seen["today"]), *_incidents(seen["incidents"]), *_requests(seen["requests"]))  # fmt: skip


def _head(seen: Mapping[str, Any]) -> Text:
    pid = seen["engine"]["pid"]
    engine = ("no engine is running", "bold yellow") if pid is None else f"engine: process {pid}"
    return Text("   ").join(
        [
            Text.assemble(("jumar", "bold"), f" {seen['account'] or ''}".rstrip()),
            Text(seen["mode"], "" if seen["mode"] == "NORMAL" else "bold red"),
            Text.assemble(engine),
            Text(_as_of(seen)),
        ]
    )


def _as_of(entry: Mapping[str, Any]) -> str:
    if entry["as_of"] is None:
        return "no picture yet"
    return f"as of {entry['as_of'][11:19]} UTC, {lasting(entry['age_s'])} ago"


def _symbol(symbol: str, entry: Mapping[str, Any], *, running: bool) -> Iterator[RenderableType]:
    old = entry["as_of"] is not None and (not running or entry["age_s"] > OLD_S)
    yield _position(symbol, entry, old=old)
    if old:
        yield _indented(Text(f"when last seen, {lasting(entry['age_s'])} ago", "yellow"))
    mode = entry["mode"]
    if mode["mode"] != "NORMAL":
        words = f"{mode['mode']} since {mode['since']}  {mode['rule']}: {mode['cause']}"
        yield _indented(Text(words, "bold red"))
    if entry["stops"] or entry["orders"] or entry["wished"]:
        yield _indented(_orders(entry))
    for line in _decision(entry):
        yield _indented(line)
    zone = (entry["trade"] or {}).get("zone")
    if zone is not None:
        used = ", an exit was made there" if zone["used"] else ""
        yield _indented(Text(f"leaves in {zone['id']}, {zone['min']} to {zone['max']}{used}"))
    no_dead_man = entry["dead_man"]["why_not"]
    if no_dead_man is not None:
        yield _indented(Text(f"no dead man's switch: {no_dead_man}", "dim"))
    ages = [
        f"{word} {lasting(entry['ages_s'][name])}"
        for name, word in _AGES.items()
        if entry["ages_s"].get(name) is not None
    ]
    if ages:
        yield _indented(Text(f"age when seen  {' · '.join(ages)}", "dim"))


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


def _position(symbol: str, entry: Mapping[str, Any], *, old: bool) -> Text:
    words, style = _COVER[entry["cover"]]
    position, prices = entry["position"], entry["prices"]
    parts = [Text(symbol, "bold")]
    if position is not None and position["side"] != "flat":
        held = f"{position['side'].upper()} {position['quantity']}"
        parts.append(Text(f"{held} at {figure(position['entry_price'])}", "bold"))
    parts.append(
        Text(f"was {words}" if old else words, "dim" if old and entry["protected"] else style)
    )
    if entry["unrealised"] is not None and entry["cover"] != "flat":
        parts.append(Text(f"unrealised {signed(entry['unrealised'])} at mark"))
    parts += [Text(f"{n} {prices[n]}") for n in ("mark", "bid", "ask") if prices.get(n)]
    return Text("   ").join(parts)


def _orders(entry: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "right", "left", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for stop in entry["stops"]:
        table.add_row(*_cells(stop, stop["price"]), _stop_words(stop))
    for order in entry["orders"]:
        table.add_row(*_cells(order, order["trigger"] or order["price"]), Text(_words(order)))
    for wish in entry["wished"]:
        price = wish["trigger"] or wish["price"]
        table.add_row(*_cells(wish, price), f"wished, not confirmed: {wish['why']}", style="dim")
    return table


def _cells(order: Mapping[str, Any], price: str | None) -> tuple[str, str, str, str]:
    distance = order["distance_pct"]
    return (
        order["role"].replace("_", " "),
        price or "market",
        "" if distance is None else f"{signed(distance, 2)} % from mark",
        order["quantity"] or "whole position",
    )


def _stop_words(stop: Mapping[str, Any]) -> Text:
    if not stop["visible"]:
        return Text("INVISIBLE: confirmed once, no list shows it", "bold yellow")
    return Text("confirmed", "green") if stop["confirmed"] else Text(stop["state"], "yellow")


def _words(order: Mapping[str, Any]) -> str:
    filled = "" if order["filled"] == "0" else f", {order['filled']} filled"
    asked = order.get("asked_price")
    wished = "" if asked is None else f", asked to stand at {asked}, not confirmed"
    return f"{order['side']}, {order['state']}{filled}{wished}"


def _decision(entry: Mapping[str, Any]) -> Iterator[Text]:
    decision, outcome = entry["decision"], entry["outcome"]
    if decision is None:
        return
    levels = ""
    if decision["zone"] is not None:
        targets = ", ".join(decision["targets"])
        levels = f"  wants zone {' to '.join(decision['zone'])}, stop {decision['stop']}, targets {targets}"
    style = "green" if outcome["outcome"] == "accepted" else "yellow"
    yield Text.assemble(
        f"decision {decision['action']} of {decision['timestamp']}: ",
        (outcome["outcome"], style),
        (levels, "dim"),
    )
    for reason in outcome["reasons"]:
        yield Text(f"  {reason['rule']} {reason['code']}: {reason['message']}", style)


def _today(today: Mapping[str, Any]) -> Iterator[Text]:
    yield Text(
        f"trades of {today['date']} (UTC): {today['ended']} ended, {today['open']} open, "
        f"net {signed(today['net_pnl'])} after fees {figure(today['fees'], 4)}, "
        f"{signed(today['r_net'], 3)} R"
    )


def _incidents(incidents: list[Mapping[str, Any]]) -> Iterator[Text]:
    yield Text(
        "incidents of the last hour: none" if not incidents else "incidents of the last hour"
    )
    for each in incidents:
        words = f"  {each['at'][11:19]}  {each['symbol'] or ''}  {each['rule']}: {each['message']}"
        yield Text(words, _SEVERITY.get(each["severity"], ""))


def _requests(requests: list[Mapping[str, Any]]) -> Iterator[Text]:
    for request in requests:
        words = f"asked, not yet obeyed: {request['request']} {request['symbol'] or 'all symbols'}"
        yield Text(words, "yellow")
