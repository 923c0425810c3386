"""`jumar levels`: swings and liquidation zones, made of recorded bars, checked, described.

Promises one result on stdout and an exit code: 0 when it can be used, 2 when not. Finds and judges nothing itself.
"""

import json as to_json
from pathlib import Path
from typing import Annotated

import typer

from jumar.ops.cli.errors import EXIT_BAD_INPUT, told_plainly

levels = typer.Typer(
    help="Levels: make a file of recorded bars, check one, print the schema.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@levels.command("from-klines")
def levels_from_klines(
    *,
    files: Annotated[
        list[str], typer.Argument(help="recorded bars of 1m, in order of time; - is stdin")
    ],
    timeframe: Annotated[
        list[str] | None, typer.Option("--timeframe", help="of the swings; may be repeated")
    ] = None,
    left: Annotated[int, typer.Option("--left", help="bars before a swing that confirm it")] = 2,
    right: Annotated[int, typer.Option("--right", help="bars after it")] = 2,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="default: as the file's name says")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="look at nothing later, ISO; default the end of the last bar"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="write here, in one move; default stdout")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="with --out: one JSON object on stdout about it")
    ] = False,
) -> None:
    """Find confirmed swings in recorded bars and write a levels file."""
    with told_plainly():
        from jumar.bootstrap.levels import KlinesOptions, levels_from_klines

        options = KlinesOptions(
            files=files,
            timeframes=tuple(timeframe or ["15m"]),
            left=left,
            right=right,
            symbol=symbol,
            as_of=as_of,
            out=out,
        )
        derived = levels_from_klines(options)
        if out is None:
            print(to_json.dumps(derived.content, indent=2))
        elif json:
            print(to_json.dumps(derived.as_data() | {"out": str(out)}))
        else:
            print(f"{out}: {derived.in_words()}")


@levels.command("check")
def levels_check(
    *,
    file: Annotated[Path, typer.Argument(help="a levels file, JSON")],
    config: Annotated[
        Path | None, typer.Option("--config", help="the managed symbols; no key is needed")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Say what an engine would take in of a levels file, or every field that is wrong."""
    with told_plainly():
        from jumar.bootstrap.levels import check_levels
        from jumar.reports.levels import all_accepted, as_data, as_text

        found = check_levels(file, config)
        print(to_json.dumps(as_data(found), indent=2) if json else as_text(found))
        raise typer.Exit(0 if all_accepted(found) else EXIT_BAD_INPUT)


@levels.command("schema")
def levels_schema() -> None:
    """Print the JSON Schema (2020-12) of a levels file."""
    with told_plainly():
        from jumar.decisions.levels_schema import levels_schema as schema

        print(to_json.dumps(schema(), indent=2, ensure_ascii=False))
