"""A decision judged offline: the shipped instruments, a configuration or the defaults."""

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from jumar.bootstrap.common import moment
from jumar.config import Outline, load_outline
from jumar.decisions.decode import decode
from jumar.decisions.fields import decimal_from
from jumar.decisions.parse import SIZE_MAX
from jumar.exchange.binance import translate, wire
from jumar.exchange.simulated.core.account import MAKER_FEE, TAKER_FEE
from jumar.exchange.simulated.core.dialect.account import brackets
from jumar.exchange.simulated.core.dialect.market import exchange_info
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.model.decision import FieldError
from jumar.model.errors import ConfigError
from jumar.model.instrument import Instrument
from jumar.model.policy import Policy
from jumar.model.world import DecisionState, World
from jumar.planner.check import Prices, check, with_prices
from jumar.ports.decisions import Received
from jumar.reports.check import Checked

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
