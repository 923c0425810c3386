"""`jumar decision`: what a decision system needs before it is connected.

Promises one result on stdout and an exit code: 0 accepted, 2 refused or unusable. Judges nothing itself.
"""

import json as to_json
from pathlib import Path
from typing import Annotated

import typer

from jumar.ops.cli.errors import EXIT_BAD_INPUT, told_plainly

decision = typer.Typer(
    help="Decisions: check a file, print the schema.", no_args_is_help=True, rich_markup_mode=None
)

Price = str | None


@decision.command("check")
def decision_check(
    *,
    file: Annotated[Path, typer.Argument(help="a decision, JSON")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="judge at this moment, ISO; default 1 s after the decision's own"
        ),
    ] = None,
    bid: Annotated[Price, typer.Option("--bid", help="best bid; assumed when absent")] = None,
    ask: Annotated[Price, typer.Option("--ask", help="best ask")] = None,
    last: Annotated[Price, typer.Option("--last", help="last price")] = None,
    mark: Annotated[Price, typer.Option("--mark", help="mark price")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="account and limits; no key is needed")
    ] = None,
    levels: Annotated[
        Path | None,
        typer.Option("--levels", help="where its liquidation zone is bound; default the config's"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Say offline whether a decision would be accepted, and which order it would lead to."""
    with told_plainly():
        from jumar.bootstrap.checking import CheckOptions, check_decision
        from jumar.reports.check import as_data, as_text

        options = CheckOptions(
            file=file,
            config=config,
            at=at,
            bid=bid,
            ask=ask,
            last=last,
            mark=mark,
            levels=levels,
        )
        checked = check_decision(options)
        print(to_json.dumps(as_data(checked), indent=2) if json else as_text(checked).rstrip("\n"))
        raise typer.Exit(0 if checked.accepted else EXIT_BAD_INPUT)


@decision.command("schema")
def decision_schema() -> None:
    """Print the JSON Schema (2020-12) of a decision."""
    with told_plainly():
        from jumar.decisions.schema import schema

        print(to_json.dumps(schema(), indent=2, ensure_ascii=False))
