"""The whole life: decisions, refusals, notes and incidents around the orders, and the summary at its end."""

from collections.abc import Iterator
from dataclasses import replace

from jumar.model.decision import Decision
from jumar.model.journal import DecisionSeen, FillSeen, cancelled_in
from jumar.model.moments import clock
from jumar.model.order import STOP_ROLES, Role, Side
from jumar.model.trade import TradeSummary
from jumar.model.units import text
from jumar.ops.cli.asking import figure, signed
from jumar.ops.cli.story import orders
from jumar.ops.cli.story.lines import Kind, Line
from jumar.store.asked import TradeStory


def told(story: TradeStory) -> tuple[Line, ...]:
    """Return the lines of a trade in the order in which things happened."""
    lines = [
        *_decisions(story),
        *_records(story),
        *orders.placed(story),
        *orders.amended(story),
        *orders.triggered(story),
        *orders.filled(story),
        *orders.ended(story),
        *_trade(story),
    ]
    return tuple(sorted(lines, key=lambda line: line.place))


def time_to_protect_ms(story: TradeStory) -> int | None:
    """Exchange time from the first entry fill to a confirmed stop: zero when one rested before it.

    None without a fill, or when no stop was ever confirmed.
    """
    first = next(
        (seen.fill.time_ms for seen in story.fills if _role(story, seen) is Role.ENTRY), None
    )
    if first is None:
        return None
    waits = [
        max(confirmed - first, 0)
        for order in story.orders
        if order.role in STOP_ROLES
        and (confirmed := orders.confirmed_at(story, order)) is not None
        and (order.ended_ms is None or order.ended_ms >= first)
    ]
    return min(waits, default=None)


def _role(story: TradeStory, seen: FillSeen) -> Role | None:
    return next((o.role for o in story.orders if o.client_id == seen.client_id), None)


def _decisions(story: TradeStory) -> Iterator[Line]:
    own = story.row.trade.decision.id
    before: Decision | None = None
    for seen in story.decisions:
        rule = "D-4" if seen.outcome == "refused" else "D-7"
        words = _decision(seen, own=own)
        again = seen.outcome == "accepted" and _repeats(seen.decision, before)
        yield Line(at_ms=seen.at_ms, kind=Kind.DECISION, rule=rule, text=words, quiet=again)
        before = seen.decision if seen.outcome == "accepted" else None


def _repeats(decision: Decision | None, before: Decision | None) -> bool:
    """Whether nothing but its time differs from the one before."""
    if decision is None or before is None:
        return False
    return replace(decision, id=before.id, timestamp_ms=before.timestamp_ms) == before


def _decision(seen: DecisionSeen, *, own: str) -> str:
    reasons = f": {'; '.join(seen.reasons)}" if seen.reasons else ""
    if seen.decision is None:
        return f"a decision came, {seen.outcome}{reasons}"
    decision, levels = seen.decision, seen.decision.levels
    which = "decision" if decision.id == own else "another decision"
    words = f"{which} {decision.action} of {clock(decision.timestamp_ms)}"
    if decision.reason:
        words += f' "{decision.reason}"'
    if levels is not None:
        targets = ", ".join(text(each) for each in (levels.tp1, levels.tp2) if each is not None)
        words += (
            f": wants zone [{text(levels.zone_min)}, {text(levels.zone_max)}], stop {text(levels.stop)}, "
            f"targets {targets}, {text(decision.notional)} USDT at leverage {text(decision.leverage)}"
        )
    return f"{words}; {seen.outcome}{reasons}"


def _records(story: TradeStory) -> Iterator[Line]:
    for refusal in story.refusals:
        words = f"entry refused, {refusal.code}: {refusal.message}"
        yield Line(at_ms=refusal.at_ms, kind=Kind.REFUSAL, rule=refusal.rule, text=words)
    ours = {order.client_id for order in story.orders}
    for event in story.events:
        noted = cancelled_in(event)
        if noted is not None and noted[0] in ours:
            continue  # told with the end of its order
        quiet = event.rule == "D-10" or (event.rule == "E-9" and " guides " in event.message)
        words = event.message
        yield Line(at_ms=event.at_ms, kind=Kind.NOTE, rule=event.rule, text=words, quiet=quiet)
    for incident in story.incidents:
        words = f"INCIDENT ({incident.severity}) {incident.message}"
        yield Line(at_ms=incident.at_ms, kind=Kind.INCIDENT, rule=incident.rule, text=words)


def _trade(story: TradeStory) -> Iterator[Line]:
    trade = story.row.trade
    noted = {event.rule for event in story.events}
    if trade.adopted_price is not None and "Y-1" not in noted:
        words = f"found {text(trade.adopted_quantity)} at {text(trade.adopted_price)} without a trade of ours: adopted"
        yield Line(at_ms=trade.armed_ms, kind=Kind.NOTE, rule="Y-1", text=words)
    if trade.proven_flat_ms is not None and "Y-11" not in noted:
        yield Line(at_ms=trade.proven_flat_ms, kind=Kind.END, rule="Y-11", text="proven flat")
    if trade.ended_ms is None:
        return
    words = f"swept: every one of its {len(story.orders)} orders is proven ended"
    yield Line(at_ms=trade.ended_ms, kind=Kind.END, rule="X-9", text=words)
    yield Line(at_ms=trade.ended_ms, kind=Kind.SUMMARY, rule="T-4", text=_summary(story))


def _summary(story: TradeStory) -> str:
    summary, trade = story.row.summary, story.row.trade
    if summary is None:
        return f"it never filled{'' if trade.voided is None else f': {trade.voided}'}"
    side = "long" if trade.side is Side.BUY else "short"
    words = [
        f"{side} {text(summary.quantity)}, {figure(summary.average_entry)} to {figure(summary.average_exit)}",
        f"ended by {summary.exit_reason}",
        f"P&L {signed(summary.realized_pnl)}, fees {figure(summary.fees)}, {_funding(summary)}, net {signed(summary.net)}",
        f"{signed(summary.r_gross)} R gross, {signed(summary.r_net)} R net",
        f"stop moves {summary.stop_moves}, chases {summary.chases}",
        f"unprotected {summary.unprotected_ms} ms",
    ]
    if summary.slippage is not None:
        words.append(f"slippage {figure(summary.slippage)} per unit")
    protect = time_to_protect_ms(story)
    if protect is not None:
        words.append(f"time to protect {protect} ms")
    return "; ".join(words)


def _funding(summary: TradeSummary) -> str:
    return "funding not known" if summary.funding is None else f"funding {signed(summary.funding)}"
