"""`jumar market`: recorded prices for the simulated exchange.

Promises progress on stderr, the result on stdout and an exit code: 0 only when everything that was asked for is there and
verified.
"""

import json as to_json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jumar.ops.cli.errors import EXIT_FAILED, told_plainly

market = typer.Typer(
    help="Recorded prices for the simulated exchange.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@market.callback()
def _market() -> None:
    """Keep `fetch` a word of its own: an application of one command would swallow it."""


@market.command("fetch")
def market_fetch(
    *,
    symbol: Annotated[str, typer.Option("--symbol", help="one contract, e.g. BTCUSDT")],
    begin: Annotated[str, typer.Option("--from", help="the first day, e.g. 2026-11-01")],
    end: Annotated[
        str | None, typer.Option("--to", help="the last day, included; default the first")
    ] = None,
    kinds: Annotated[
        str,
        typer.Option(
            "--kinds",
            help="with commas between: aggTrades, trades, bookTicker (until 2024-03-30), klines, markPriceKlines, "
            "fundingRate",
        ),
    ] = "aggTrades,markPriceKlines",
    into: Annotated[Path, typer.Option("--into", help="the folder; made where it is missing")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="another host with the archive's tree")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Fetch files of Binance's public archive and verify them; what is there already stays."""
    with told_plainly():
        from jumar.bootstrap.fetching import fetch_market

        got = fetch_market(
            symbol=symbol,
            begin=begin,
            end=end,
            kinds=kinds,
            into=into,
            base_url=base_url,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
        outcomes = Counter(str(each.outcome) for each in got)
        if json:
            files = [asdict(each) for each in got]
            print(to_json.dumps({"into": str(into), "files": files, "outcomes": outcomes}))
        else:
            counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
            print(f"{into}: {counted}")
        unmet = outcomes["missing"] + outcomes["broken"]
        raise typer.Exit(EXIT_FAILED if unmet else 0)
