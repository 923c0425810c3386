"""What `jumar decision check` says: one result, for people and for programs.

Promises that a refusal names its field or its guard, that what was assumed is said, and that amounts keep their
digits. Judges nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jumar.model.decision import Decision
from jumar.model.levels import BoundZone
from jumar.model.moments import iso
from jumar.model.units import text
from jumar.planner.check import EntryReport, Report
from jumar.planner.judgements import Judgement
from jumar.ports.decisions import Received

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFound:
    """The liquidation zone that a decision names, and what it would be bound to.

    Attributes:
        zone: None when it would stay unbound.
        because: by which levels, or why not.
    """

    name: str
    zone: BoundZone | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One checked file.

    Attributes:
        report: None when the file holds no decision that could be judged.
        assumed: in words, what the check took for granted.
        zone: None when the decision names none.
    """

    received: Received
    report: Report | None
    assumed: tuple[str, ...]
    zone: ZoneFound | None = None

    @property
    def accepted(self) -> bool:
        """Whether the decision is accepted as far as that can be judged offline."""
        return self.report is not None and self.report.accepted


def as_text(checked: Checked) -> str:
    """Return the result for people."""
    return "\n".join(_lines(checked)) + "\n"


def as_data(checked: Checked) -> dict[str, Any]:
    """Return the result for programs: JSON values only, amounts as text."""
    received, report = checked.received, checked.report
    errors = [
        {"field": e.field, "value": e.value, "rule": e.rule, "message": e.message}
        for e in received.errors
    ]
    refused = () if report is None else report.refused
    return {
        "accepted": checked.accepted,
        "reasons": [{"code": c, "rule": r, "message": m} for c, r, m in _reasons(checked)],
        "fixes": [judgement.fix for judgement in refused if judgement.fix is not None],
        "errors": errors,
        "symbol": received.symbol,
        "decision_id": None if received.decision is None else received.decision.id,
        "timestamp_iso": _iso(received.timestamp_ms),
        "judged_at_iso": None if report is None else _iso(report.now_ms),
        "action": None if received.decision is None else received.decision.action.value,
        "guards": [] if report is None else [_guard(each) for each in report.judgements],
        "band": None if report is None else _band_data(report),
        "order": None if report is None or report.order is None else _order_data(report.order),
        "zone": None if checked.zone is None else _zone_data(checked.zone),
        "assumed": list(checked.assumed),
    }


def _reasons(checked: Checked) -> Iterator[tuple[str, str, str]]:
    """Code, rule and message of everything that refuses."""
    received = checked.received
    for error in received.errors:
        yield (
            received.code or "malformed",
            error.rule,
            f"{error.field} = {error.value}: {error.message}",
        )
    for judgement in () if checked.report is None else checked.report.refused:
        yield ", ".join(judgement.codes), judgement.rule, judgement.text


# for programs


def _guard(judgement: Judgement) -> dict[str, Any]:
    return {
        "rule": judgement.rule,
        "codes": list(judgement.codes),
        "verdict": judgement.verdict.value,
        "text": judgement.text,
        "would_pass": judgement.fix,
    }


def _zone_data(found: ZoneFound) -> dict[str, Any]:
    zone = found.zone
    bounds = None if zone is None else [text(zone.low), text(zone.high)]
    return {"id": found.name, "zone": bounds, "because": found.because}


def _band_data(report: Report) -> dict[str, str] | None:
    band = report.band
    if band is None:
        return None
    return {
        "low": text(band.low),
        "high": text(band.high),
        "low_because": band.low_because,
        "high_because": band.high_because,
    }


def _order_data(order: EntryReport) -> dict[str, Any]:
    amounts = {
        "limit_price": order.limit_price,
        "quantity": order.quantity,
        "notional": order.notional,
        "margin": order.margin.quantize(_CENT),
        "stop": order.stop,
        "stop_pct": order.stop_pct,
        "tp1": order.tp1,
        "tp1_quantity": order.tp1_quantity,
        "tp2_quantity": order.tp2_quantity,
        "reward_to_risk_gross": order.gross,
        "reward_to_risk_net": order.net,
        "loss_at_stop": order.loss.quantize(_CENT),
    }
    return {
        "side": order.side.value,
        "price": None if order.price is None else text(order.price),
        "price_because": order.price_because,
        "quantity_because": order.quantity_because,
        "leverage": order.leverage,
        "tp2": None if order.tp2 is None else text(order.tp2),
        "cuts": list(order.cuts),
        **{name: text(amount) for name, amount in amounts.items()},
    }


# for people


def _lines(checked: Checked) -> Iterator[str]:
    received, report = checked.received, checked.report
    if report is None:
        yield f"refused: {received.code or 'malformed'}"
        yield from (f"  {error}" for error in received.errors)
        return
    yield from _verdict(report)
    if report.band is not None or report.order is not None:
        yield ""
        yield "entry" if report.accepted else "entry, if nothing else refused it"
        yield from _entry(report)
    if checked.zone is not None:
        yield _line("zone", checked.zone.because)
    if report.judgements:
        yield ""
        yield "guards"
        yield from (_row(each) for each in report.judgements)
    yield ""
    yield "assumed"
    yield from (f"  {words}" for words in checked.assumed)


def _verdict(report: Report) -> Iterator[str]:
    decision = report.decision
    codes = ", ".join(code for judgement in report.refused for code in judgement.codes)
    yield "accepted" if report.accepted else f"refused: {codes}"
    for judgement in report.refused:
        yield f"  {judgement.text} ({judgement.rule})"
        if judgement.fix is not None:
            yield f"    would pass: {judgement.fix}"
    yield f"  {_title(decision)}, judged at {_iso(report.now_ms)}"
    yield f"  decision id {decision.id}"
    if decision.levels is None:
        yield f'  flat: an unfilled entry is cancelled, a position is treated as on_flat = "{report.policy.on_flat}" says'


def _title(decision: Decision) -> str:
    return f"{decision.symbol} {decision.action.value} of {_iso(decision.timestamp_ms)}"


def _entry(report: Report) -> Iterator[str]:
    band, order = report.band, report.order
    if band is not None:
        yield _line("band", f"[{text(band.low)}, {text(band.high)}]")
        yield _line("", f"lower end: {band.low_because}")
        yield _line("", f"upper end: {band.high_because}")
    if order is None:
        return
    price = "none now" if order.price is None else f"{text(order.price)}, LIMIT post-only (GTX)"
    yield _line("order", f"{order.side.value} {text(order.quantity)} at {price}")
    yield _line("price", order.price_because)
    yield _line("quantity", order.quantity_because)
    yield from (_line("", words) for words in order.cuts)
    money = (
        f"notional {text(order.notional)}, leverage {order.leverage}, margin {_cents(order.margin)}"
    )
    yield _line("", money)
    yield _line(
        "stop", f"{text(order.stop)}, {text(order.stop_pct)} % away, armed before the entry"
    )
    yield _line("targets", _targets(order))
    net = f"{text(order.net)} net of fees ({_fees(report)})"
    yield _line(
        "reward:risk", f"{text(order.gross)} gross, {net}, at {text(order.limit_price)} to tp1"
    )
    yield _line("at the stop", f"a loss of {_cents(order.loss)}, fees included")


def _targets(order: EntryReport) -> str:
    first = f"tp1 {text(order.tp1)} for {text(order.tp1_quantity)}"
    if order.tp2 is None or not order.tp2_quantity:
        return first
    return f"{first}, tp2 {text(order.tp2)} for {text(order.tp2_quantity)}"


def _fees(report: Report) -> str:
    maker, taker = report.instrument.maker_fee * 100, report.instrument.taker_fee * 100
    return f"in {text(maker)} %, out {text(taker)} %"


def _row(judgement: Judgement) -> str:
    verdict = judgement.verdict.value
    return f"  {verdict:<11} {judgement.rule:<5} {', '.join(judgement.codes)}: {judgement.text}"


def _line(name: str, words: str) -> str:
    return f"  {name:<12} {words}"


def _cents(amount: Decimal) -> str:
    return format(amount.quantize(_CENT), "f")


def _iso(moment_ms: int | None) -> str | None:
    try:
        return None if moment_ms is None else iso(moment_ms)
    except OverflowError:
        return None  # beyond the calendar
