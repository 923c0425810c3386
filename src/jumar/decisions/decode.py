"""A decision file's bytes become what was received: a `Decision`, or every reason why not (D-1, D-2, D-4, D-6).

Promises that no input raises, that the same content gives the same id whatever its spelling, and that symbol and
timestamp of a refused file are told as far as they can be read, for it still supersedes (D-7). Unknown fields are
kept in the raw text and otherwise ignored. Freshness needs a clock and is judged elsewhere.
"""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from jumar.decisions.fields import Reader, is_word, timestamp_from
from jumar.decisions.parse import WHOLE, JsonObject, Unparsed, kept, parse, shown
from jumar.decisions.shape import (
    ABOVE_ZERO,
    FRACTION,
    OF_ENTRY,
    OF_FLAT,
    PRICES,
    RISK_CHECKS_MAX,
    RISK_LEVEL,
    WORD_LENGTH_MAX,
)
from jumar.model.decision import (
    Action,
    Decision,
    FieldError,
    Levels,
    TrailMode,
    decision_id,
    geometry_errors,
)
from jumar.model.order import Side
from jumar.model.units import ZERO
from jumar.ports.decisions import Received

MALFORMED = "malformed"
NOT_MANAGED = "symbol_not_managed"
REASON_KEPT_MAX = 500


def decode(data: bytes, *, account: str, symbols: Collection[str]) -> Received:
    """Read one decision; never raises.

    Args:
        data: the file's bytes.
        account: the account's configured name, part of the decision's id.
        symbols: the configured symbols.
    """
    parsed = parse(data)
    if isinstance(parsed, Unparsed):
        return unreadable(parsed.error, raw=kept(data))
    return interpret(parsed.value, raw=kept(data), account=account, symbols=symbols)


def unreadable(error: FieldError, *, raw: str) -> Received:
    """Return what was received when nothing of it could be read."""
    return Received(
        raw=raw, symbol=None, timestamp_ms=None, decision=None, errors=(error,), code=MALFORMED
    )


def interpret(value: object, *, raw: str, account: str, symbols: Collection[str]) -> Received:
    """Return what a parsed content says, or everything that is wrong with it."""
    if not isinstance(value, JsonObject):
        error = FieldError(field=WHOLE, value=shown(value), message="must be a JSON object: {…}")
        return unreadable(error, raw=raw)
    reader = Reader(value, [])
    symbol = _symbol(reader)
    timestamp_ms = _timestamp(reader)
    decision = _decision(reader, account, symbol or "", timestamp_ms or 0)
    code = MALFORMED if reader.errors else None
    if symbol is not None and symbol not in symbols:
        reader.refuse("symbol", _not_managed(symbol, symbols))
        code = NOT_MANAGED
    return Received(
        raw=raw,
        symbol=symbol,
        timestamp_ms=timestamp_ms,
        decision=None if reader.errors else decision,
        errors=tuple(reader.errors),
        code=code,
    )


def _symbol(reader: Reader) -> str | None:
    value = reader.content.get("symbol")
    if is_word(value):
        return str(value)
    reader.refuse("symbol", "must be the name of a symbol, such as BTCUSDT")
    return None


def _not_managed(symbol: str, symbols: Collection[str]) -> str:
    if symbol.strip().upper() in symbols:
        return f"is not managed: write {symbol.strip().upper()}"
    managed = ", ".join(sorted(symbols)) or "none"
    return f"is not managed: add [symbols.{symbol}] to the config (managed: {managed})"


def _timestamp(reader: Reader) -> int | None:
    moment = timestamp_from(reader.content.get("timestamp_iso"))
    if isinstance(moment, str):
        reader.refuse("timestamp_iso", moment)
        return None
    return moment


def _decision(reader: Reader, account: str, symbol: str, timestamp_ms: int) -> Decision:
    """Read everything else; the result counts only when the reader found no error."""
    action = reader.choice("action", Action)
    flat = action is Action.FLAT
    absent = ZERO if flat else None
    reason, levels = _reason(reader), _levels(reader, action)
    amount = {
        name: reader.number(name, limit, default=absent)
        for name, limit in (OF_FLAT if flat else OF_ENTRY).items()
    }
    management = reader.block("position_management") or Reader(JsonObject([]), reader.errors)
    decision = Decision(
        id="",
        symbol=symbol,
        timestamp_ms=timestamp_ms,
        action=action or Action.FLAT,
        reason=reason,
        levels=levels,
        notional=amount["position_size_usdt"],
        leverage=amount["leverage"],
        confidence=amount["confidence"],
        risk_checks=_risk_checks(reader),
        tp1_fraction=management.number("tp1_fraction", FRACTION, default=Decimal("0.5")),
        enable_trailing=management.boolean("enable_trailing", default=False),
        trail_mode=_trail_mode(management),
        liq_tp_zone_id=management.word("liq_tp_zone_id"),
        risk_level=_risk_level(reader),
    )
    return replace(decision, id=decision_id(account, symbol, timestamp_ms, _content(decision)))


def _content(decision: Decision) -> dict[str, object]:
    """Return the fields that matter to execution (D-2): not why it was taken nor how risky it was called."""
    levels = decision.levels
    checks = decision.risk_checks
    return {
        "action": decision.action.value,
        "entry_zone": None if levels is None else [levels.zone_min, levels.zone_max],
        "sl": None if levels is None else levels.stop,
        "tp1": None if levels is None else levels.tp1,
        "tp2": None if levels is None else levels.tp2,
        "position_size_usdt": decision.notional,
        "leverage": decision.leverage,
        "confidence": decision.confidence,
        "risk_checks": None if checks is None else dict(checks),
        "position_management": {
            "tp1_fraction": decision.tp1_fraction,
            "enable_trailing": decision.enable_trailing,
            "trail_mode": decision.trail_mode.value,
            "liq_tp_zone_id": decision.liq_tp_zone_id,
        },
    }


def _levels(reader: Reader, action: Action | None) -> Levels | None:
    if action is Action.FLAT:
        _check_unused_levels(reader)
        return None
    before = len(reader.errors)
    zone_min, zone_max = _zone(reader)
    levels = Levels(
        zone_min=zone_min,
        zone_max=zone_max,
        stop=reader.number("sl", ABOVE_ZERO),
        tp1=reader.number("tp1", ABOVE_ZERO),
        tp2=_second_target(reader),
    )
    if len(reader.errors) == before and action is not None:
        side = Side.BUY if action is Action.LONG else Side.SELL
        reader.errors.extend(geometry_errors(levels, side))
    return levels


def _zone(reader: Reader) -> tuple[Decimal, Decimal]:
    zone = reader.content.get("entry_zone")
    if not isinstance(zone, list) or len(zone) != 2:
        reader.refuse("entry_zone", "must be two prices: [min, max]")
        return ZERO, ZERO
    low, high = (
        reader.as_number(f"entry_zone[{index}]", price, ABOVE_ZERO)
        for index, price in enumerate(zone)
    )
    return low, high


def _second_target(reader: Reader) -> Decimal | None:
    if "tp2" not in reader.content:
        reader.refuse("tp2", "must be a price, or null for a single target")
    return reader.number("tp2", ABOVE_ZERO) if reader.given("tp2") else None


def _check_unused_levels(reader: Reader) -> None:
    """Check the shape of the prices that a flat decision may carry; they mean nothing (D-1)."""
    zone = reader.content.get("entry_zone")
    if zone is not None and zone != []:
        _zone(reader)
    for name in PRICES:
        reader.number(name, None, default=ZERO)


def _risk_checks(reader: Reader) -> tuple[tuple[str, bool], ...] | None:
    """Read the checks, by name; an empty block checked nothing and counts as missing (D-6)."""
    block = reader.block("risk_checks")
    if block is None or not block.content:
        return None
    if len(block.content) > RISK_CHECKS_MAX:
        reader.refuse("risk_checks", f"must not have more than {RISK_CHECKS_MAX} checks", "D-6")
        return None
    for name, verdict in block.content.items():
        if not is_word(name):
            message = f"has a name that is no word of at most {WORD_LENGTH_MAX} characters"
            reader.refuse("risk_checks", message, "D-6")
        elif not isinstance(verdict, bool):
            block.refuse(name, "must be true or false", "D-6")
    return tuple(sorted((name, verdict is True) for name, verdict in block.content.items()))


def _trail_mode(management: Reader) -> TrailMode:
    chosen = management.choice("trail_mode", TrailMode) if management.given("trail_mode") else None
    return chosen or TrailMode.NONE


def _reason(reader: Reader) -> str:
    reason = reader.content.get("reason")
    if reason is None:
        return ""
    if type(reason) is not str:
        reader.refuse("reason", "must be text")
        return ""
    # It is shown on terminals and kept in a database: control characters and broken text stay outside.
    return "".join(c if c.isprintable() else " " for c in reason[:REASON_KEPT_MAX])


def _risk_level(reader: Reader) -> int | None:
    return int(reader.number("risk_level", RISK_LEVEL)) if reader.given("risk_level") else None
