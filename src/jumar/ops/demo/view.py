"""What a person sees: a live picture on a terminal, plain lines elsewhere, a summary at the end.

Promises that prices shown as stops and targets are those that rest on the exchange. Decides nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from jumar.ops.demo.options import DemoOptions
from jumar.ops.demo.result import holds
from jumar.ops.demo.watch import Picture

EXIT_BROKEN = 1
EXIT_INTERRUPTED = 130
PLAIN_EVERY_S = 5.0
ENGINE_LINES = 8
TAIL_BYTES = 16_384
ROLES = {"entry": "E", "stop": "S", "backstop": "B", "tp1": "P", "tp2": "Q"}
_SHADES = {"info": "", "warning": "yellow", "error": "red", "critical": "bold red"}


class View:
    """Shows one run; a context manager."""

    def __init__(self, options: DemoOptions, engine_log: Path, decision: Path) -> None:
        self._options = options
        self._engine_log = engine_log
        self._decision = decision
        self._console = Console(stderr=True, highlight=False)
        live = self._console.is_terminal and not options.json
        self._live = Live(console=self._console, refresh_per_second=4) if live else None
        self._said_s = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, message: str) -> None:
        """Say one thing."""
        self._console.print(message, markup=False, soft_wrap=True)

    def show(self, pictures: Mapping[str, Picture], elapsed_s: float, phase: str) -> None:
        """Show the present; plain lines come only every few seconds."""
        if self._live is not None:
            self._live.update(self._picture(pictures, elapsed_s, phase))
        elif elapsed_s - self._said_s >= PLAIN_EVERY_S:
            self._said_s = elapsed_s
            lines = (_plain(symbol, picture) for symbol, picture in sorted(pictures.items()))
            self.say(f"{elapsed_s:4.0f} s  {phase}  " + " | ".join(lines))

    def _picture(self, pictures: Mapping[str, Picture], elapsed_s: float, phase: str) -> Group:
        options = self._options
        head = Text.assemble(
            ("jumar demo", "bold"),
            f"  {elapsed_s:.0f} of {options.seconds:g} s  {phase}",
            f"  ·  {Path(options.market).name} at speed {options.speed:g}  ·  seed {options.seed}",
        )
        return Group(head, self._decided(), _table(pictures), self._engine_lines())

    def _decided(self) -> Text:
        try:
            decision = json.loads(self._decision.read_bytes())
        except (OSError, ValueError):
            return Text("no decision yet", style="dim")
        words = f"decision  {decision['symbol']} {decision['action']}"
        if decision["entry_zone"]:
            low, high = decision["entry_zone"]
            words += f"  zone {low} to {high}  stop {decision['sl']}  targets {decision['tp1']}, {decision['tp2']}"
        return Text(words)

    def _engine_lines(self) -> Panel:
        lines = (
            Text(_readable(line), style=_SHADES.get(line.get("level", ""), ""))
            for line in _tail(self._engine_log, ENGINE_LINES)
        )
        text = Text("\n", overflow="ellipsis", no_wrap=True).join(lines)
        return Panel(text, title="engine", title_align="left", border_style="dim")


def _table(pictures: Mapping[str, Picture]) -> Table:
    table = Table(border_style="dim")
    for name in ("symbol", "bid", "mark", "position", "at", *ROLES):
        table.add_column(name, justify="left" if name == "symbol" else "right", no_wrap=True)
    for symbol, picture in sorted(pictures.items()):
        position = "flat" if picture.is_flat else picture.position
        at = "" if picture.is_flat else picture.entry_price
        orders = (picture.prices(role) for role in ROLES.values())
        table.add_row(symbol, picture.bid, picture.mark[:12], position, at[:12], *orders)
    return table


def _plain(symbol: str, picture: Picture) -> str:
    words = [symbol, picture.bid]
    words.append("flat" if picture.is_flat else f"{picture.position} at {picture.entry_price[:10]}")
    words += [
        f"{name} {picture.prices(role)}" for name, role in ROLES.items() if picture.prices(role)
    ]
    return " ".join(words)


def _tail(log: Path, count: int) -> list[dict[str, Any]]:
    """The last whole JSON lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return []
    whole = [line for line in lines[-count - 2 :] if line.startswith("{") and line.endswith("}")]
    return [json.loads(line) for line in whole[-count:]]


def _readable(line: Mapping[str, Any]) -> str:
    shown = (
        "outcome",
        "code",
        "rule",
        "why",
        "side",
        "price",
        "quantity",
        "stop",
        "exit",
        "net",
        "r_net",
    )
    rest = "  ".join(f"{key}={line[key]}" for key in shown if key in line)
    symbol = str(line.get("tick", "")).partition("-")[0]
    said = (str(line.get("timestamp", ""))[11:19], symbol, str(line.get("event", "")), rest)
    return "  ".join(part for part in said if part)


PROMISES = {
    "P-1": "never without a full-size stop while in position",
    "P-2": "no stop ever made looser",
    "P-3": "no entry without room for the stop and twice the reward",
    "P-4": "one decision, one trade, never more than its quantity",
    "P-5": "nothing but an entry adds exposure",
    "P-6": "a restart finds the position and has it covered in three ticks",
    "P-7": "no entry on incomplete truth",
    "P-8": "no order outlives its trade",
    "P-9": "every order has its cause, every tick plans again to the same",
    "P-10": "side, zone and levels are the decision's",
}


def conclude(
    options: DemoOptions, result: Mapping[str, Any], found: list[Mapping[str, Any]]
) -> int:
    """Tell the result on stdout, as it was asked for; returns the exit code of the demo.

    Args:
        options: with the seed of the run.
        result: see result.py.
        found: what the judges found broken.
    """
    if options.json:
        # the keys of the result are a contract: what exactly was broken is told beside it
        for line in _broken(found):
            Console(stderr=True).print(line)
        print(json.dumps(result))  # noqa: T201 - the result of the command
    else:
        Console().print(summary(result, found), f"seed {options.seed}")
    return 0 if holds(result) else EXIT_BROKEN


def summary(result: Mapping[str, Any], violations: list[Mapping[str, Any]]) -> Group:
    """The judges' summary for people: what the exchange's own judge and the audit say together."""
    promises = Table(title="what the judges say", title_justify="left", border_style="dim")
    for name in ("promise", "", "verdict", "checks"):
        promises.add_column(name, justify="right" if name == "checks" else "left")
    for name, checks in result["checks"].items():
        verdict = {True: "[green]held", False: "[bold red]BROKEN", None: "not checked in this run"}
        promises.add_row(
            name, PROMISES.get(name, ""), verdict[result["promises"].get(name)], str(checks)
        )
    figures = Table(show_header=False, border_style="dim")
    skipped = {"checks", "promises"}
    for key, value in result.items():
        if key not in skipped:
            figures.add_row(key.replace("_", " "), _figure(value))
    return Group(promises, figures, *_broken(violations))


def _broken(violations: list[Mapping[str, Any]]) -> list[Text]:
    return [Text(f"{v['promise']} at {v['t']}: {v['message']}", style="red") for v in violations]


def _figure(value: Any) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{key} {number}" for key, number in value.items() if number) or "none"
    return str(value)
