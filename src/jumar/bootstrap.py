"""Composition root: the only file that names concrete venues, stores and sources.

Promises that what it builds is complete or is refused with a `ConfigError`. Decides nothing about trading.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jumar.config import Settings
from jumar.decisions.file import FileDecisions
from jumar.exchange.binance import BinanceExchange, Credentials, Endpoints
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.market import open_market
from jumar.exchange.simulated.server.config import BALANCE, PortInUseError, ServeConfig
from jumar.exchange.simulated.server.run import serve
from jumar.model.errors import ConfigError
from jumar.ports.clock import SystemClock
from jumar.ports.observer import Observer
from jumar.reconciler.supervise import Engine
from jumar.store.journal import SqlStore

DRAWN_MARKETS = ("manual", "synthetic")
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


def build_engine(settings: Settings, observers: Sequence[Observer]) -> Engine:
    """Build the engine that the settings describe; nothing is opened or connected yet.

    Raises:
        ConfigError: an address, a key or a database that cannot be used.
    """
    clock = SystemClock()
    addresses, keys = settings.addresses, settings.keys
    exchange = BinanceExchange(
        endpoints=Endpoints(
            rest_url=addresses.rest_url,
            stream_url=addresses.stream_url,
            ws_api_url=addresses.ws_api_url,
        ),
        credentials=Credentials(key=keys.api_key, secret=keys.api_secret),
        clock=clock,
        recv_window_ms=settings.recv_window_ms,
    )
    source = FileDecisions(
        settings.decision_path, account=settings.account, symbols=tuple(settings.policies)
    )
    return Engine(
        account=settings.account,
        policies=settings.policies,
        exchange=exchange,
        store=SqlStore(settings.store_url),
        source=source,
        clock=clock,
        observers=observers,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line says about a simulated exchange.

    Attributes:
        market: `manual`, `synthetic` or the path of a recorded file.
        symbols: none means the recorded file's, or `DEFAULT_SYMBOLS`.
        begin, end: ISO times that cut a recorded file.
        start: ISO time that is the origin of the exchange clock; by default the wall clock is kept.
        speed: path seconds per second.
        balance: the account's wallet in USDT.
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
    balance: Decimal = BALANCE


def serve_exchange(options: ServeOptions) -> None:
    """Serve a simulated exchange until SIGINT or SIGTERM; no event loop starts for options that cannot be used.

    Raises:
        ConfigError: an option that cannot be used; the message names it.
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
            start_ms=_moment("--start", options.start),
            balance=options.balance,
        )
        run_async(serve(config))
    except (PortInUseError, ValueError) as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        place = error.filename or ready
        raise ConfigError(f"{place}: {error.strerror or error}") from error


def _open_market(options: ServeOptions) -> MarketSource:
    symbols = options.symbols
    if options.market in DRAWN_MARKETS:
        symbols = symbols or DEFAULT_SYMBOLS
    return open_market(
        options.market,
        symbols=symbols,
        seed=options.seed,
        tick_sizes={symbol: row.tick_size for symbol, row in INSTRUMENTS.items()},
        start_prices=START_PRICES,
        window_from_ms=_moment("--from", options.begin),
        window_to_ms=_moment("--to", options.end),
    )


def _moment(option: str, text: str | None) -> int | None:
    """An ISO time as milliseconds since 1970; without an offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        example = "2025-12-05T10:04:50Z"
        raise ConfigError(f"{option}: {text!r} is not a time; write it like {example}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def run_async[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where it is installed (Windows has none)."""
    try:
        from uvloop import new_event_loop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)
