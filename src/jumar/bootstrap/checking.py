"""A decision judged offline: the shipped instruments, a configuration or the defaults."""

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from jumar.bootstrap.common import moment
from jumar.bootstrap.levels import name_in_folder, read_file
from jumar.config import Outline, load_outline
from jumar.decisions.decode import decode
from jumar.decisions.fields import decimal_from
from jumar.decisions.levels import decode_levels
from jumar.decisions.levels_file import file_in
from jumar.exchange.binance import translate, wire
from jumar.exchange.simulated.core.account import MAKER_FEE, TAKER_FEE
from jumar.exchange.simulated.core.dialect.account import brackets
from jumar.exchange.simulated.core.dialect.market import exchange_info
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.model.decision import Decision, FieldError
from jumar.model.errors import ConfigError
from jumar.model.instrument import Instrument
from jumar.model.levels import MarketLevels
from jumar.model.policy import Policy
from jumar.model.world import DecisionState, World
from jumar.planner.binding import bind
from jumar.planner.check import Prices, check, with_prices
from jumar.ports.decisions import Received
from jumar.reconciler.levels import ahead
from jumar.reports.check import Checked, ZoneFound

CHECK_ACCOUNT = "main"
"""The account's name in a decision's id when a check is given no configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What the command line says about a decision to be checked.

    Attributes:
        file: the decision.
        config: gives account and limits; without one the defaults hold.
        at: ISO time of the judgement; by default one second after the decision's own.
        bid, ask, last, mark: prices as written; what is not given is assumed.
        levels: the levels file; by default the configuration's.
    """

    file: Path
    config: Path | None = None
    at: str | None = None
    bid: str | None = None
    ask: str | None = None
    last: str | None = None
    mark: str | None = None
    levels: Path | None = None


def check_decision(options: CheckOptions) -> Checked:
    """Judge a decision file offline, with the shipped filters; no key and no exchange is asked for (D-9).

    Raises:
        ConfigError: an option, the configuration or the file cannot be used; the message names it.
    """
    outline = None if options.config is None else load_outline(options.config)
    at_ms, prices = moment("--at", options.at), _prices(options)
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
    zone = _zone(decision, options.levels, outline, world.now_ms, policy)
    priced, guessed = with_prices(world, policy, prices)
    if guessed:
        assumed.append(f"prices: {', '.join(guessed)} (--bid, --ask, --last, --mark)")
    assumed.append("filters, brackets and fees: a shipped table; the engine reads the exchange's")
    report = check(priced, policy)
    return Checked(received=received, report=report, assumed=tuple(assumed), zone=zone)


def _zone(
    decision: Decision, given: Path | None, outline: Outline | None, now_ms: int, policy: Policy
) -> ZoneFound | None:
    """What the zone that the decision names would be bound to, by the levels file as it is now (L-3)."""
    named = decision.liq_tp_zone_id
    if named is None:
        return None
    file = given or _levels_file(outline, decision.symbol)
    if file is None:
        words = (
            f"{named} is bound when the decision is accepted; no levels file was given (--levels)"
        )
        return ZoneFound(name=named, zone=None, because=words)
    levels, wrong = _levels_in(file, outline, decision.symbol, now_ms, policy)
    if wrong:
        words = f"{named} stays unbound: {file} is refused: {'; '.join(map(str, wrong))}"
        return ZoneFound(name=named, zone=None, because=words)
    bound = bind(decision, levels, now_ms, policy)
    words = "" if bound is None else bound.cause.text.removeprefix("liquidation zone ")
    zone = None if bound is None else bound.zone
    return ZoneFound(name=named, zone=zone, because=f"{words} ({file})")


def _levels_file(outline: Outline | None, symbol: str) -> Path | None:
    path = None if outline is None else outline.levels_path
    return file_in(path, symbol) if path is not None and path.is_dir() else path


def _levels_in(
    file: Path, outline: Outline | None, symbol: str, now_ms: int, policy: Policy
) -> tuple[MarketLevels | None, tuple[FieldError, ...]]:
    """The levels that a file holds for a symbol, or what is wrong with them; an absent file holds none."""
    if not file.exists():
        return None, ()
    symbols = (symbol,) if outline is None else tuple(outline.policies)
    name = None if outline is None else name_in_folder(outline, file)
    found = decode_levels(read_file(file, "a levels file"), symbols=symbols, name=name)
    for received in found:
        if received.symbol not in {symbol, None}:
            continue
        levels, errors = received.levels, received.errors
        late = () if levels is None else ahead(levels, now_ms, policy.future_skew_s)
        return levels, (*errors, *late)
    return None, ()


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
    data = read_file(path, "a decision file")
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
