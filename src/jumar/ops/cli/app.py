"""The `jumar` command.

Promises that `--help` answers at once: whatever is heavy is imported inside the command that needs it. Knows
nothing of trading.
"""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from jumar import __version__
from jumar.ops.cli.errors import told_plainly
from jumar.reports.formats import LogFormat

app = typer.Typer(
    help="Jumar: a safety-first execution engine for Binance USDⓈ-M futures.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
exchange = typer.Typer(help="The simulated exchange.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(exchange, name="exchange")

Market = Annotated[
    str, typer.Option("--market", help="synthetic, manual, or the path of a recorded file")
]
Symbols = Annotated[
    str, typer.Option("--symbols", help="A,B; default BTCUSDT,ETHUSDT, or the file's own")
]
Begin = Annotated[str | None, typer.Option("--from", help="first moment of a recorded file, ISO")]
End = Annotated[str | None, typer.Option("--to", help="where a recorded file ends, ISO")]


def main() -> None:
    """Run the command line."""
    app()


def _say_version(*, wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def jumar(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            callback=lambda value: _say_version(wanted=value),
        ),
    ] = False,
) -> None:
    """Take a decision, arm a stop, enter, come home."""


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", help="the configuration, TOML")],
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", help="for people or for programs")
    ] = LogFormat.CONSOLE,
) -> None:
    """Run the engine until SIGINT or SIGTERM."""
    with told_plainly():
        from jumar.ops.cli.run import run_engine

        run_engine(config, log_format)


@app.command()
def demo(
    *,
    seconds: Annotated[float, typer.Option(help="how long to trade, wall time")] = 60,
    seed: Annotated[int | None, typer.Option(help="drawn and printed when absent")] = None,
    market: Market = "synthetic",
    begin: Begin = None,
    end: End = None,
    speed: Annotated[float, typer.Option(help="path seconds per second")] = 60,
    symbols: Symbols = "",
    state_dir: Annotated[
        Path | None, typer.Option(help="keep logs and database in this folder")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Watch decisions become protected positions on a simulated exchange."""
    with told_plainly():
        from jumar.ops.demo.options import DemoOptions
        from jumar.ops.demo.orchestrate import run_demo

        options = DemoOptions(
            seconds=seconds,
            seed=seed,
            market=market,
            begin=begin,
            end=end,
            speed=speed,
            symbols=_symbols(symbols),
            state_dir=state_dir,
            json=json,
        )
        raise typer.Exit(run_demo(options))


@exchange.command("serve")
def exchange_serve(
    *,
    ready_file: Annotated[
        Path | None, typer.Option(help="addresses and keys are written here once it answers")
    ] = None,
    port: Annotated[int, typer.Option(help="0 lets the system choose")] = 0,
    market: Market = "synthetic",
    begin: Begin = None,
    end: End = None,
    speed: Annotated[float, typer.Option(help="path seconds per second")] = 1,
    seed: Annotated[int, typer.Option(help="dice of the synthetic market")] = 1,
    symbols: Symbols = "",
    start: Annotated[
        str | None, typer.Option(help="origin of the exchange clock, ISO; default the wall clock")
    ] = None,
    balance: Annotated[str, typer.Option(help="the account's wallet, USDT")] = "10000",
) -> None:
    """Serve an exchange that speaks Binance's wire, until SIGINT or SIGTERM."""
    with told_plainly():
        from jumar.bootstrap import ServeOptions, serve_exchange

        options = ServeOptions(
            market=market,
            symbols=_symbols(symbols),
            port=port,
            ready_file=ready_file,
            seed=seed,
            speed=speed,
            start=start,
            begin=begin,
            end=end,
            balance=_money("--balance", balance),
        )
        serve_exchange(options)


def _symbols(text: str) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in text.split(",") if part.strip())


def _money(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        from jumar.model.errors import ConfigError

        raise ConfigError(f"{option}: {text!r} is not a number; write it like 10000") from None
