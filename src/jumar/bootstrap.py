"""Composition root: the only file that names concrete venues, stores and sources.

Promises that what it builds is complete or is refused with a `ConfigError`. Decides nothing about trading.
"""

import asyncio
import json
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jumar.audit import AuditVerdict
from jumar.audit import audit as judge_run
from jumar.config import Outline, Settings, load_outline
from jumar.decisions.decode import decode
from jumar.decisions.fields import decimal_from
from jumar.decisions.file import FileDecisions
from jumar.decisions.parse import SIZE_MAX
from jumar.exchange.binance import BinanceExchange, Credentials, Endpoints, translate, wire
from jumar.exchange.simulated.core.account import MAKER_FEE, TAKER_FEE
from jumar.exchange.simulated.core.dialect.account import brackets
from jumar.exchange.simulated.core.dialect.market import exchange_info
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.core.readings import readings_from
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.core.text import ZERO
from jumar.exchange.simulated.market import is_recorded, open_market
from jumar.exchange.simulated.server.config import (
    BALANCE,
    PortInUseError,
    Routes,
    ServeConfig,
)
from jumar.exchange.simulated.server.run import serve
from jumar.model.decision import FieldError
from jumar.model.errors import ConfigError
from jumar.model.instrument import Instrument
from jumar.model.policy import Policy
from jumar.model.world import DecisionState, World
from jumar.planner.check import Prices, check, with_prices
from jumar.ports.clock import SystemClock
from jumar.ports.decisions import POLLS_PER_TICK, Received
from jumar.ports.observer import Observer
from jumar.reconciler.supervise import Engine
from jumar.reports import ticks
from jumar.reports.check import Checked
from jumar.reports.recorder import TickRecorder
from jumar.simulation.demo import Course, DemoWorld
from jumar.store.database import file_of
from jumar.store.journal import SqlStore

CHECK_ACCOUNT = "main"
"""The account's name in a decision's id when a check is given no configuration."""
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
        settings.decision_path,
        account=settings.account,
        symbols=tuple(settings.policies),
        polls_per_tick=POLLS_PER_TICK,
    )
    return Engine(
        account=settings.account,
        policies=settings.policies,
        exchange=exchange,
        store=SqlStore(settings.store_url),
        source=source,
        clock=clock,
        observers=(*observers, _recorder(settings)),
    )


def _recorder(settings: Settings) -> TickRecorder:
    return TickRecorder(
        file_of(settings.store_url), account=settings.account, policies=settings.policies
    )


def audit(
    ledger: Iterable[Mapping[str, Any]],
    decisions: Path,
    database: Path,
    gaps: Iterable[Mapping[str, Any]],
) -> AuditVerdict:
    """Judge a run by the exchange's ledger, the decisions as written, and the engine's database and tick record.

    Args:
        ledger: the exchange's records from the first one on.
        decisions: the record of the decision system, one decision a line; absent when it never wrote one.
        database: the engine's; its tick record lies beside it.
        gaps: of the verdict of the exchange's own judge on the same ledger.

    Raises:
        EvidenceError: some of it cannot be understood.
        StoreUnavailable: the database cannot be read.
    """
    written = decisions.read_text(encoding="utf-8").splitlines() if decisions.exists() else []
    return judge_run(ledger, written, database, ticks.record_files(database), gaps=gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line says about a simulated exchange.

    Attributes:
        market: `manual`, `synthetic`, `synthetic:` and a scenario's name, or the path of a recorded file.
        symbols: none means the recorded file's, or `DEFAULT_SYMBOLS`.
        begin, end: ISO times that cut a recorded file.
        start: ISO time that is the origin of the exchange clock; by default the wall clock is kept.
        speed: path seconds per second.
        balance: the account's wallet in USDT.
        limits: hold back whoever exceeds the request limits.
        routes: what un-routed stream paths deliver, as in `production` or as on the `demo` host.
        readings: `name=value` words, one for each choice that differs from the usual.
        funding: what longs pay shorts every eight hours, as a part of the notional; zero: no funding.
        liquidation: take a position whose margin is used up.
        bnb: BNB in the wallet; above zero, fees are paid in it.
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
    limits: bool = False
    routes: Routes = "production"
    readings: tuple[str, ...] = ()
    funding: Decimal = ZERO
    liquidation: bool = False
    bnb: Decimal = ZERO


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
            limits=options.limits,
            routes=options.routes,
            readings=readings_from(options.readings),
            terms=Terms(
                funding_rate=options.funding, liquidation=options.liquidation, bnb=options.bnb
            ),
        )
        run_async(serve(config))
    except (PortInUseError, ValueError) as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        place = error.filename or ready
        raise ConfigError(f"{place}: {error.strerror or error}") from error


def open_course(options: ServeOptions) -> Course:
    """Open the prices of a run in virtual time; of the options only the market's count.

    Raises:
        ConfigError: an option or a recorded file that cannot be used; the message names it.
    """
    try:
        return Course(market=_open_market(options))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What the command line says about a decision to be checked.

    Attributes:
        file: the decision.
        config: gives account and limits; without one the defaults hold.
        at: ISO time of the judgement; by default one second after the decision's own.
        bid, ask, last, mark: prices as written; what is not given is assumed.
    """

    file: Path
    config: Path | None = None
    at: str | None = None
    bid: str | None = None
    ask: str | None = None
    last: str | None = None
    mark: str | None = None


def check_decision(options: CheckOptions) -> Checked:
    """Judge a decision file offline, with the shipped filters; no key and no exchange is asked for (D-9).

    Raises:
        ConfigError: an option, the configuration or the file cannot be used; the message names it.
    """
    outline = None if options.config is None else load_outline(options.config)
    at_ms, prices = _moment("--at", options.at), _prices(options)
    received = _read_decision(options.file, outline)
    decision = received.decision
    if decision is None:
        return Checked(received=received, report=None, assumed=())
    if decision.symbol not in INSTRUMENTS:
        shipped = ", ".join(INSTRUMENTS)
        message = f"its filters are not shipped: only {shipped} can be checked offline"
        error = FieldError(field="symbol", value=decision.symbol, message=message, rule="D-9")
        return Checked(received=replace(received, errors=(error,)), report=None, assumed=())
    policy, assumed = _policy_of(decision.symbol, outline)
    world = World(
        now_ms=decision.timestamp_ms + 1000 if at_ms is None else at_ms,
        account=CHECK_ACCOUNT if outline is None else outline.account,
        store_id="",
        symbol=decision.symbol,
        ready=False,
        instrument=_shipped_instrument(decision.symbol),
        decision=DecisionState(decision=decision),
    )
    if at_ms is None:
        assumed.append("time: one second after the decision's own (--at)")
    if decision.levels is None:
        return Checked(received=received, report=check(world, policy), assumed=tuple(assumed))
    priced, guessed = with_prices(world, policy, prices)
    if guessed:
        assumed.append(f"prices: {', '.join(guessed)} (--bid, --ask, --last, --mark)")
    assumed.append("filters, brackets and fees: a shipped table; the engine reads the exchange's")
    return Checked(received=received, report=check(priced, policy), assumed=tuple(assumed))


def _prices(options: CheckOptions) -> Prices:
    found: dict[str, Decimal] = {}
    for name in ("bid", "ask", "last", "mark"):
        written = getattr(options, name)
        if written is None:
            continue
        price = decimal_from(written)
        if isinstance(price, str) or price <= 0:
            why = price if isinstance(price, str) else "must be above 0"
            raise ConfigError(f"--{name}: {written!r} {why}")
        found[name] = price
    if "bid" in found and "ask" in found and found["bid"] >= found["ask"]:
        raise ConfigError(f"--bid: {options.bid} must be below --ask {options.ask}")
    return Prices(**found)


def _read_decision(path: Path, outline: Outline | None) -> Received:
    """What the engine would receive from this file; without a configuration every symbol is managed."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {words}; name a decision file") from error
    account = CHECK_ACCOUNT if outline is None else outline.account
    managed = () if outline is None else tuple(outline.policies)
    received = decode(data, account=account, symbols=managed)
    if outline is None and received.symbol is not None:
        return decode(data, account=account, symbols=(received.symbol,))
    return received


def _policy_of(symbol: str, outline: Outline | None) -> tuple[Policy, list[str]]:
    if outline is not None:
        return outline.policies[symbol], []
    # No limit of notional is a default: what nobody set cannot refuse or cut.
    words = f"limits: the defaults, account {CHECK_ACCOUNT!r}, no max_notional_usdt (--config)"
    return Policy(max_notional_usdt=Decimal(10) ** 15), [words]


def _shipped_instrument(symbol: str) -> Instrument:
    """Read the simulated exchange's own answers as the engine reads an exchange's."""
    row = INSTRUMENTS[symbol]
    listed = exchange_info([(row, True)], 0)["symbols"][0]
    fees = {"symbol": symbol, "makerCommissionRate": MAKER_FEE, "takerCommissionRate": TAKER_FEE}
    return translate.instrument(
        wire.decode(json.dumps(listed), wire.SymbolInfo),
        wire.decode(json.dumps(brackets(row)), wire.SymbolBrackets),
        wire.decode(json.dumps(fees, default=str), wire.CommissionRate),
    )


def is_recorded_market(market: str) -> bool:
    """Whether a command line means a recorded file by its `--market`, rather than prices that are drawn or set.

    Raises:
        ConfigError: it names a scenario that does not exist; lists those there are.
    """
    try:
        return is_recorded(market)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _open_market(options: ServeOptions) -> MarketSource:
    symbols = options.symbols
    if not is_recorded(options.market):
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
