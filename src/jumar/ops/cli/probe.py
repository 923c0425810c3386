"""The options of `jumar exchange probe`; what it does stands in `probe_run.py`. Imports nothing heavy."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jumar.ops.cli.errors import told_plainly


class ProbedEnvironment(StrEnum):
    """Where a probe may trade: never for real money."""

    DEMO = "demo"
    CUSTOM = "custom"


def probe(
    *,
    environment: Annotated[
        ProbedEnvironment, typer.Option(help="demo, or custom for a simulated exchange")
    ] = ProbedEnvironment.DEMO,
    rest_url: Annotated[str | None, typer.Option(help="of a custom environment")] = None,
    stream_url: Annotated[str | None, typer.Option(help="of a custom environment")] = None,
    ws_api_url: Annotated[str | None, typer.Option(help="of a custom environment")] = None,
    key_env: Annotated[str, typer.Option(help="variable that holds the key")] = "JUMAR_KEY",
    secret_env: Annotated[str, typer.Option(help="that holds its secret")] = "JUMAR_SECRET",  # noqa: S107 - a name
    symbol: Annotated[
        str, typer.Option(help="traded in the smallest size; must be flat and without orders")
    ] = "BTCUSDT",
    only: Annotated[str, typer.Option(help="A,B: only these questions")] = "",
    spend_cap: Annotated[
        str, typer.Option(help="nothing more is asked once so much is lost, in the quote asset")
    ] = "20",
    listing: Annotated[bool, typer.Option("--list", help="show the questions and end")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="begin without asking")] = False,
    report: Annotated[
        Path | None, typer.Option(help="a new file; default jumar-probe-TIME.json here")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="the report on stdout too")] = False,
) -> None:
    """Ask an exchange for play money what Binance's documents leave open, with tiny orders."""
    with told_plainly():
        from jumar.ops.cli import probe_run

        if listing:
            probe_run.show_questions(as_json=json)
            raise typer.Exit
        command = probe_run.ProbeCommand(
            venue={
                "environment": environment.value,
                "rest_url": rest_url,
                "stream_url": stream_url,
                "ws_api_url": ws_api_url,
                "key_env": key_env,
                "secret_env": secret_env,
            },
            symbol=symbol.strip().upper(),
            only=tuple(part.strip() for part in only.split(",") if part.strip()),
            spend_cap=spend_cap,
            yes=yes,
            json=json,
            report=report,
        )
        raise typer.Exit(probe_run.probe(command))
