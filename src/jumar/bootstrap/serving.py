"""The simulated exchange as the command line describes it: served, or in virtual time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from jumar.bootstrap.common import moment, run_async
from jumar.config import load_outline
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.core.readings import readings_from
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.core.text import ZERO
from jumar.exchange.simulated.market import (
    BarOrder,
    Companions,
    Link,
    NoPricesError,
    is_live,
    is_recorded,
    open_market,
)
from jumar.exchange.simulated.market.live import STREAMS_URL
from jumar.exchange.simulated.server.config import (
    BALANCE,
    PortInUseError,
    Routes,
    ServeConfig,
)
from jumar.exchange.simulated.server.faults.rule import Rule, RuleError, rules_from_file
from jumar.exchange.simulated.server.run import serve
from jumar.model.errors import ConfigError, VenueUnavailable
from jumar.ports.clock import SystemClock
from jumar.ports.observer import Observer
from jumar.simulation.demo import Course, DemoWorld

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT")
START_PRICES: Mapping[str, Decimal] = {
    "BTCUSDT": Decimal(90800),
    "ETHUSDT": Decimal(3100),
    "BNBUSDT": Decimal(890),
    "SOLUSDT": Decimal(139),
    "AVAXUSDT": Decimal(14),
    "DOGEUSDT": Decimal("0.146"),
}
"""Where drawn and manual markets begin: round figures near the prices of December 2025."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line says about a simulated exchange.

    Attributes:
        market: `manual`, `synthetic`, `synthetic:` and a scenario's name, or the path of a recorded file or of a folder of
            them.
        symbols: none means the recorded file's, or `DEFAULT_SYMBOLS`.
        begin, end: ISO times that cut a recorded file.
        bar_order: which extreme of a recorded bar comes first: `drawn`, `low-first` or `high-first`.
        mark, funding_file: recorded mark prices and funding rates beside a recorded file.
        live_url: where the real market's streams are, when `market` is `live`; by default Binance's.
        tell: gets one line about each thing that a person should know of the market, or of what clients ask in vain.
        start: ISO time that is the origin of the exchange clock; by default the wall clock is kept.
        speed: path seconds per second.
        balance: the account's wallet in USDT.
        limits: hold back whoever exceeds the request limits.
        routes: what un-routed stream paths deliver, as in `production` or as on the `demo` host.
        readings: `name=value` words, one for each choice that differs from the usual.
        funding: what longs pay shorts every eight hours, as a part of the notional; zero: no funding.
        liquidation: take a position whose margin is used up.
        bnb: BNB in the wallet; above zero, fees are paid in it.
        faults: a file of faults on order.
    """

    market: str = "synthetic"
    symbols: tuple[str, ...] = ()
    port: int = 0
    ready_file: Path | None = None
    seed: int = 1
    speed: float = 1.0
    start: str | None = None
    begin: str | None = None
    end: str | None = None
    bar_order: str = "drawn"
    mark: Path | None = None
    funding_file: Path | None = None
    live_url: str | None = None
    tell: Callable[[str], None] = lambda _line: None
    balance: Decimal = BALANCE
    limits: bool = False
    routes: Routes = "production"
    readings: tuple[str, ...] = ()
    funding: Decimal = ZERO
    liquidation: bool = False
    bnb: Decimal = ZERO
    faults: Path | None = None


def serve_exchange(options: ServeOptions, greet: Callable[[Mapping[str, object]], None]) -> None:
    """Serve a simulated exchange until SIGINT or SIGTERM; no event loop starts for options that cannot be used.

    Args:
        options: what is served.
        greet: is told addresses and keys once the exchange answers.

    Raises:
        ConfigError: an option that cannot be used; the message names it.
        VenueUnavailable: the real market, which it is to follow, says nothing.
    """
    ready = options.ready_file
    if ready is not None and not ready.parent.is_dir():
        raise ConfigError(f"--ready-file: the folder {ready.parent} does not exist; make it")
    try:
        config = ServeConfig(
            market=_open_market(options),
            port=options.port,
            ready_file=ready,
            speed=options.speed,
            start_ms=moment("--start", options.start),
            balance=options.balance,
            limits=options.limits,
            routes=options.routes,
            readings=readings_from(options.readings),
            tell=options.tell,
            terms=Terms(
                funding_rate=options.funding, liquidation=options.liquidation, bnb=options.bnb
            ),
            faults=() if options.faults is None else fault_rules(options.faults),
        )
        run_async(serve(config, greet))
    except (PortInUseError, ValueError) as error:
        raise ConfigError(str(error)) from error
    except NoPricesError as error:
        raise VenueUnavailable(str(error)) from error
    except OSError as error:
        place = error.filename or ready
        raise ConfigError(f"{place}: {error.strerror or error}") from error


def fault_rules(path: Path) -> tuple[Rule, ...]:
    """The faults on order of a file.

    Raises:
        ConfigError: the message names the file and, where a rule is wrong, its number and the field.
    """
    try:
        return tuple(rules_from_file(path))
    except RuleError as error:
        raise ConfigError(f"--faults: {error}") from error
    except OSError as error:
        raise ConfigError(f"--faults: {path}: {error.strerror or error}") from error


def open_course(options: ServeOptions) -> Course:
    """Open the prices of a run in virtual time; of the options only the market's count.

    Raises:
        ConfigError: an option or a recorded file that cannot be used; the message names it.
    """
    try:
        return Course(market=_open_market(options, virtual=True))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"{options.market}: {error.strerror or error}") from error


def virtual_demo(
    course: Course, *, seed: int, config: Path, observers: Sequence[Observer]
) -> DemoWorld:
    """Build exchange and engine of a run in virtual time; its files stand beside the configuration.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    policies = load_outline(config).policies
    return DemoWorld(
        course, seed=seed, policies=policies, folder=config.parent, observers=observers
    )


def is_recorded_market(market: str) -> bool:
    """Whether a command line means a recorded file or folder by its `--market`, rather than prices that are drawn or set.

    Raises:
        ConfigError: it names a scenario that does not exist; lists those there are.
    """
    try:
        return is_recorded(market)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _open_market(options: ServeOptions, *, virtual: bool = False) -> MarketSource:
    if is_live(options.market) and (options.speed != 1 or options.start is not None):
        raise ConfigError(
            "--market live is now, at its own pace: leave out --start, and --speed but 1"
        )
    if options.live_url is not None and not is_live(options.market):
        raise ConfigError("--live-url: it goes with --market live")
    link = Link(clock=SystemClock(), tell=options.tell, url=options.live_url or STREAMS_URL)
    return open_market(
        options.market,
        symbols=options.symbols,
        usual_symbols=DEFAULT_SYMBOLS,
        seed=options.seed,
        tick_sizes={symbol: row.tick_size for symbol, row in INSTRUMENTS.items()},
        start_prices=START_PRICES,
        bar_order=_bar_order(options.bar_order),
        window_from_ms=moment("--from", options.begin),
        window_to_ms=moment("--to", options.end),
        companions=Companions(mark=options.mark, funding=options.funding_file),
        link=None if virtual else link,
        tell=options.tell,
    )


def _bar_order(word: str) -> BarOrder:
    if word in tuple(BarOrder):
        return BarOrder(word)
    raise ConfigError(f"--bar-order: {word} is none of {', '.join(BarOrder)}")
