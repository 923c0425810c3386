"""`jumar exchange probe`: the plan, a person's yes, the questions, the report.

Promises that nothing is sent that changes anything before somebody said yes, that an interrupted probe takes back what
it did, and exit code 1 whenever something is left at the exchange.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import typer

from jumar.bootstrap.common import run_async
from jumar.bootstrap.probing import open_probe, probe_questions
from jumar.config import load_venue
from jumar.model.errors import ConfigError
from jumar.ops.cli.errors import EXIT_BAD_INPUT, EXIT_FAILED, complain, naming
from jumar.ports.clock import SystemClock
from jumar.reports.formats import LogFormat
from jumar.reports.logs import configure


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCommand:
    """The options as they were typed.

    Attributes:
        venue: environment, addresses and names of key variables, named as in the account section.
        report: where the report goes; by default a dated file in the current folder.
    """

    venue: dict[str, str | None]
    symbol: str
    only: tuple[str, ...]
    spend_cap: str
    yes: bool
    json: bool
    report: Path | None


def show_questions(*, as_json: bool) -> None:
    """Print every question, what it asks and what it decides."""
    rows = [
        {
            "question": each.name,
            "asks": each.asks,
            "decides": [*each.decides, each.assumption] if each.assumption else list(each.decides),
        }
        for each in probe_questions()
    ]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        decides = f" ({', '.join(row['decides'])})" if row["decides"] else ""
        print(f"{row['question']:<26}{row['asks']}{decides}")


def probe(command: ProbeCommand) -> int:
    """Plan, ask for a yes, run, write the report; returns the exit code.

    Raises:
        ConfigError: an option, the account or the symbol forbids it, or nobody said yes.
        VenueUnavailable: the exchange does not answer.
    """
    venue = load_venue(command.venue, os.environ)
    configure(LogFormat.CONSOLE, secrets=(venue.keys.api_key, venue.keys.api_secret))
    running = open_probe(
        venue, symbol=command.symbol, only=command.only, spend_cap=command.spend_cap
    )
    out = sys.stderr if command.json else sys.stdout
    with naming(venue.addresses.rest_url):
        plan = run_async(running.plan())
    for line in plan.lines:
        print(line, file=out)
    _confirm(command)
    with _report_file(command.report) as file:
        outcome = _interruptible(running.run(lambda line: print(line, file=out, flush=True)))
        json.dump(outcome.report, file, indent=1)
        print(f"report: {file.name}", file=out)
    if command.json:
        print(json.dumps(outcome.report))
    for each in outcome.left:
        complain(f"left at the exchange: {each}")
    for name in outcome.failed:
        complain(f"the question {name} broke; please report this with the report")
    return EXIT_FAILED if outcome.left or outcome.failed else 0


def _confirm(command: ProbeCommand) -> None:
    if command.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nothing was sent: here is nobody to ask; add --yes to begin")
    if not typer.confirm("Begin?", err=command.json):
        complain("nothing was sent")
        raise typer.Exit(EXIT_BAD_INPUT)


@contextlib.contextmanager
def _report_file(asked: Path | None) -> Iterator[TextIO]:
    """A new file, opened before the first question so that the answers have somewhere to go."""
    path = asked or Path(_dated_name())
    try:
        file = path.open("x", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--report: {path}: {error.strerror}; name a new file") from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _dated_name() -> str:
    moment = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    return f"jumar-probe-{moment:%Y-%m-%dT%H%M%SZ}.json"


def _interruptible[T](work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; SIGTERM ends it as Ctrl-C does, with everything taken back."""

    async def guarded() -> T:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return run_async(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
