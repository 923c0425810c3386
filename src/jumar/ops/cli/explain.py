"""`jumar explain TRADE`: one trade's life as a timeline, each line with its rule and its numbers (H-5).

Promises that everything comes from the journal, so that it answers while the trade is open and years afterwards.
"""

import difflib
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jumar.model.errors import ConfigError
from jumar.model.moments import iso
from jumar.model.order import Side
from jumar.model.rules import RULES
from jumar.ops.cli import trades
from jumar.ops.cli.asking import Asked
from jumar.ops.cli.story.life import time_to_protect_ms, told
from jumar.ops.cli.story.lines import Kind, Line, folded
from jumar.store import asked as store
from jumar.store.asked import TradeStory

NAMED_MAX = 5
_STYLES = {
    Kind.REFUSAL: "yellow",
    Kind.FILL: "bold",
    Kind.TRIGGER: "bold yellow",
    Kind.INCIDENT: "bold red",
    Kind.SUMMARY: "bold green",
}


def show(asked: Asked, wanted: str, *, whole: bool, as_json: bool) -> None:
    """Print the story of a trade: its key, the beginning of one, a client order id, or `last`.

    Args:
        asked: where to look.
        wanted: the trade.
        whole: tell every line, also those that repeat what was in force.
        as_json: as one object, always whole.

    Raises:
        ConfigError: nothing, or more than one trade, is meant by it; the message names the nearest keys.
        StoreUnavailable: the database cannot be read.
    """
    story = store.trade_story(asked.database, the_one(asked, wanted))
    lines = told(story)
    if as_json:
        print(json.dumps(values(asked, story, lines)))
        return
    console = Console(highlight=False)
    console.print(_head(story))
    shown = lines if whole else folded(lines)
    console.print(timeline(shown))
    if len(shown) < len(lines):
        console.print(
            f"{len(lines) - len(shown)} lines that changed nothing are told in short: --all",
            style="dim",
        )
    console.print()
    console.print(legend(lines))


def the_one(asked: Asked, wanted: str) -> str:
    """Return the key that is meant.

    Raises:
        ConfigError: none, or more than one.
    """
    keys = store.keys_meant(asked.database, wanted)
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise ConfigError(f"TRADE: {wanted} may be {_named(keys)}: write more of it")
    known = store.trade_keys(asked.database)
    if not known:
        raise ConfigError(f"TRADE: {wanted}: there is no trade in {asked.database} yet")
    near = difflib.get_close_matches(wanted, known, n=NAMED_MAX, cutoff=0.3)
    advice = f"the nearest are {_named(near)}" if near else f"the newest are {_named(known)}"
    raise ConfigError(f"TRADE: there is no trade {wanted}: {advice}")


def _named(keys: Sequence[str]) -> str:
    more = len(keys) - NAMED_MAX
    return ", ".join(keys[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def values(asked: Asked, story: TradeStory, lines: Sequence[Line]) -> dict[str, Any]:
    """Return the story as plain values."""
    return {
        "trade": trades.values(asked, story.row),
        "time_to_protect_ms": time_to_protect_ms(story),
        "rules": _said(lines),
        "timeline": [
            {
                "at": iso(line.at_ms),
                "kind": line.kind.name.lower(),
                "rule": line.rule,
                "text": line.text,
                "why": line.why or None,
            }
            for line in lines
        ],
    }


def _said(lines: Sequence[Line]) -> dict[str, str]:
    """The sentences of the rules that the story names, in the order of the rules."""
    named = {line.rule for line in lines}
    return {rule: sentence for rule, sentence in RULES.items() if rule in named}


def legend(lines: Sequence[Line]) -> Table:
    """Return what the rules of a story say, one line each."""
    table = Table.grid(padding=(0, 2))
    table.add_column(vertical="top")
    table.add_column(overflow="fold")
    for rule, sentence in _said(lines).items():
        table.add_row(Text(rule, "cyan"), Text(sentence, "dim"))
    return table


def _head(story: TradeStory) -> Text:
    trade = story.row.trade
    side = "long" if trade.side is Side.BUY else "short"
    state = "" if trade.ended_ms is not None else "   OPEN"
    return Text.assemble(
        (f"{trade.key}   {trade.symbol} {side}", "bold"),
        f"   armed {iso(trade.armed_ms)}",
        (state, "bold yellow"),
    )


def timeline(lines: Sequence[Line]) -> Table:
    """Return the lines for people: time of day, rule, what happened, why."""
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(vertical="top", overflow="fold")
    for line in lines:
        words = Text(line.text, _STYLES.get(line.kind, ""))
        if line.why:
            words.append(f"\n{line.why}", "dim")
        table.add_row(Text(iso(line.at_ms)[11:23], "dim"), Text(line.rule, "cyan"), words)
    return table
