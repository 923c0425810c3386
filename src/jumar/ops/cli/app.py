"""The `jumar` command.

Promises that `--help` answers at once: whatever is heavy is imported inside the command that needs it. Knows
nothing of trading.
"""

import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jumar import __version__
from jumar.ops.cli.decision import decision
from jumar.ops.cli.errors import told_plainly
from jumar.ops.cli.levels import levels
from jumar.ops.cli.market import market as market_commands
from jumar.ops.cli.probe import probe
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
app.add_typer(decision, name="decision")
app.add_typer(levels, name="levels")
app.add_typer(market_commands, name="market")
exchange.command("probe")(probe)

Market = Annotated[
    str,
    typer.Option(
        "--market",
        help="synthetic, synthetic:SCENARIO (calm, trend, chop, flash-crash, gap-through-stop, "
        "mark-divergence, liquidity-hole), manual, live or live:A,B (the real market now), or the path of a recorded file or folder",
    ),
]
Symbols = Annotated[
    str, typer.Option("--symbols", help="A,B; default BTCUSDT,ETHUSDT, or the file's own")
]
Begin = Annotated[str | None, typer.Option("--from", help="first moment of a recorded file, ISO")]
End = Annotated[str | None, typer.Option("--to", help="where a recorded file ends, ISO")]
Mark = Annotated[
    Path | None, typer.Option("--mark", help="recorded mark prices, beside a recorded file")
]
FundingFile = Annotated[
    Path | None,
    typer.Option("--funding-file", help="recorded funding rates, beside a recorded file"),
]
BarOrder = Annotated[
    str,
    typer.Option(
        "--bar-order",
        help="inside recorded bars: drawn (by the seed), low-first or high-first",
    ),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="the configuration; default jumar.toml here")
]
Symbol = Annotated[str | None, typer.Option("--symbol", help="only this one")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


Faults = Annotated[
    Path | None,
    typer.Option("--faults", help="JSON file: what goes wrong by order (docs/reference/faults.md)"),
]


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class Routing(StrEnum):
    """Whose stream paths the simulated exchange has."""

    PRODUCTION = "production"
    DEMO = "demo"


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
    *,
    config: Annotated[Path, typer.Option("--config", help="the configuration, TOML")],
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", help="for people or for programs")
    ] = LogFormat.CONSOLE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="plan on live data, log every command, send nothing")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="with --dry-run: one JSON line a command on stdout")
    ] = False,
) -> None:
    """Run the engine until SIGINT or SIGTERM."""
    with told_plainly():
        from jumar.ops.cli import run as command

        raise typer.Exit(command.run(config, log_format, dry_run=dry_run, as_json=json))


@app.command()
def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="how long to trade: 60 s of wall time; at max virtual seconds, which are the path's: "
            "3600, or the whole of a recorded file"
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="drawn and printed when absent")] = None,
    market: Market = "synthetic",
    begin: Begin = None,
    end: End = None,
    mark: Mark = None,
    funding_file: FundingFile = None,
    bar_order: BarOrder = "drawn",
    speed: Annotated[
        str,
        typer.Option(
            help="path seconds per second; max: one process in virtual time, as fast as it can"
        ),
    ] = "60",
    symbols: Symbols = "",
    restarts: Annotated[
        int, typer.Option(help="kill the engine so often while it trades, and start it again")
    ] = 0,
    state_dir: Annotated[
        Path | None, typer.Option(help="keep logs and database in this folder")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    faults: Faults = None,
) -> None:
    """Watch decisions become protected positions on a simulated exchange."""
    with told_plainly():
        from jumar.ops.demo.options import DemoOptions, seconds_of, speed_of

        pace = speed_of(speed)
        options = DemoOptions(
            seconds=seconds_of(seconds, pace, market),
            seed=seed,
            market=market,
            begin=begin,
            end=end,
            mark=mark,
            funding_file=funding_file,
            bar_order=bar_order,
            speed=pace,
            symbols=_symbols(symbols),
            restarts=restarts,
            state_dir=state_dir,
            json=json,
            faults=faults,
        )
        if faults is not None:
            from jumar.bootstrap.serving import fault_rules

            fault_rules(faults)  # refused here, not by a process that has to be looked for
        if options.virtual:
            from jumar.ops.demo.virtual import run_virtual_demo

            raise typer.Exit(run_virtual_demo(options))
        from jumar.ops.demo.orchestrate import run_demo

        raise typer.Exit(run_demo(options))


@app.command()
def status(
    *,
    config: Config = None,
    symbol: Symbol = None,
    watch: Annotated[bool, typer.Option("--watch", help="refresh every second")] = False,
    json: Json = False,
    database: Annotated[
        str | None, typer.Option(help="ask this one, sqlite:///FILE, not the configuration's")
    ] = None,
) -> None:
    """What it is doing now: position, protection, orders, the last decision and its outcome."""
    with told_plainly():
        from jumar.ops.cli import status as command
        from jumar.ops.cli.asking import where
        from jumar.ports.clock import SystemClock

        if watch and json:
            from jumar.model.errors import ConfigError

            raise ConfigError("--json prints one object and ends; leave --watch out")
        asked = where(config, symbol=symbol, database=database)
        if watch:
            command.watch(asked, SystemClock())
        else:
            command.show(asked, SystemClock(), as_json=json)


@app.command()
def trades(
    *,
    config: Config = None,
    symbol: Symbol = None,
    last: Annotated[int | None, typer.Option(min=1, help="only the newest ones")] = None,
    json: Json = False,
) -> None:
    """Every trade with its result, and the sums."""
    with told_plainly():
        from jumar.ops.cli import trades as command
        from jumar.ops.cli.asking import where

        wanted = None if symbol is None else symbol.upper()
        command.show(where(config), symbol=wanted, last=last, as_json=json)


@app.command()
def explain(
    trade: Annotated[
        str, typer.Argument(help="a key or its beginning, a client order id, or `last`")
    ],
    *,
    whole: Annotated[
        bool, typer.Option("--all", help="also every line that changed nothing")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """One trade's life, line by line, with rules and numbers."""
    with told_plainly():
        from jumar.ops.cli import explain as command
        from jumar.ops.cli.asking import where

        command.show(where(config), trade, whole=whole, as_json=json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where to write")] = Path(),
) -> None:
    """Write a configuration, an example decision and the names of the keys; overwrite nothing."""
    with told_plainly():
        from jumar.ops.cli import init as command

        command.init(folder)


@app.command()
def pause(*, config: Config = None, symbol: Symbol = None) -> None:
    """Enter nothing more until `resume`; positions keep their stops and targets."""
    with told_plainly():
        from jumar.ops.cli import resume as command
        from jumar.ops.cli.asking import where
        from jumar.ports.clock import SystemClock

        command.pause(where(config, symbol=symbol), SystemClock(), symbol=symbol)


@app.command()
def flatten(
    *,
    config: Config = None,
    symbol: Symbol = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    wait: Annotated[float, typer.Option(min=1, help="how long it may take, seconds")] = 60,
) -> None:
    """Cancel entries and close every position at market now, with or without an engine; then stay out."""
    with told_plainly():
        from jumar.ops.cli import flatten as command
        from jumar.ops.cli.asking import CONFIG

        wanted = None if symbol is None else symbol.upper()
        raise typer.Exit(command.flatten(config or CONFIG, symbol=wanted, yes=yes, wait_s=wait))


@app.command()
def resume(*, config: Config = None, symbol: Symbol = None) -> None:
    """Ask the engine to trade again after a mode that only a person may end."""
    with told_plainly():
        from jumar.ops.cli import resume as command
        from jumar.ops.cli.asking import where
        from jumar.ports.clock import SystemClock

        command.resume(where(config, symbol=symbol), SystemClock(), symbol=symbol)


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
    mark: Mark = None,
    funding_file: FundingFile = None,
    bar_order: BarOrder = "drawn",
    live_url: Annotated[
        str | None, typer.Option(help="with --market live: another host of the real streams")
    ] = None,
    speed: Annotated[float, typer.Option(help="path seconds per second")] = 1,
    seed: Annotated[int, typer.Option(help="dice of drawn prices: synthetic, and inside bars")] = 1,
    symbols: Symbols = "",
    start: Annotated[
        str | None, typer.Option(help="origin of the exchange clock, ISO; default the wall clock")
    ] = None,
    balance: Annotated[str, typer.Option(help="the account's wallet, USDT")] = "10000",
    bnb: Annotated[str, typer.Option(help="BNB in the wallet; fees are paid in it")] = "0",
    funding: Annotated[str, typer.Option(help="the funding rate; 0 for none")] = "0.0001",
    limits: Annotated[
        Switch, typer.Option(help="hold back whoever exceeds the request limits")
    ] = Switch.ON,
    routes: Annotated[
        Routing, typer.Option(help="which host's stream paths: production's, or the demo's")
    ] = Routing.PRODUCTION,
    reading: Annotated[
        list[str] | None,
        typer.Option(help="name=value: choose where the documents leave a choice; may be repeated"),
    ] = None,
    faults: Faults = None,
) -> None:
    """Serve an exchange that speaks Binance's wire, until SIGINT or SIGTERM.

    A first look: `jumar exchange serve --market manual --symbols BTCUSDT --ready-file ready.json` serves one contract
    whose price you set; addresses are printed, keys stand in the ready file. `jumar exchange client ccxt` prints a
    program that trades there. Hostile: `--faults` makes it fail on order, `--reading` changes what Binance's documents
    leave open, `--limits on` holds back who asks too much. What really happened is at /sim/ledger, what it means for the promises at /sim/judge.
    """
    with told_plainly():
        from jumar.bootstrap.serving import ServeOptions, serve_exchange
        from jumar.ops.cli.served import greeting

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
            mark=mark,
            funding_file=funding_file,
            bar_order=bar_order,
            live_url=live_url,
            tell=_tell,
            balance=_money("--balance", balance),
            bnb=_money("--bnb", bnb),
            funding=_money("--funding", funding),
            liquidation=True,
            limits=limits is Switch.ON,
            routes=routes.value,
            readings=tuple(reading or ()),
            faults=faults,
        )

        def greet(urls: Mapping[str, object]) -> None:
            _say_unusual(limits, faults)
            print(greeting(urls, market, ready_file), file=sys.stderr, flush=True)

        serve_exchange(options, greet)


@exchange.command("client")
def exchange_client(
    client: Annotated[
        str | None,
        typer.Argument(help="ccxt, sdk, python-binance, nautilus; left out: which there are"),
    ] = None,
    *,
    ready_file: Annotated[Path, typer.Option(help="where the program finds addresses and keys")] = (
        Path("ready.json")
    ),
) -> None:
    """Print a program that points a third-party client at a served exchange."""
    with told_plainly():
        from jumar.ops.cli import served

        print(served.clients() if client is None else served.program(client, ready_file), end="")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say_unusual(limits: Switch, faults: Path | None) -> None:
    """What somebody who looks at the exchange should know of how it was started."""
    if limits is Switch.OFF:
        print("limits: off; requests are counted and nobody is held back", flush=True)
    if faults is not None:
        print(f"faults: by {faults}; how often they struck is at /sim/faults", flush=True)


def _symbols(text: str) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in text.split(",") if part.strip())


def _money(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        from jumar.model.errors import ConfigError

        raise ConfigError(f"{option}: {text!r} is not a number; write it like 10000") from None
