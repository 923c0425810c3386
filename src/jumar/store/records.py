"""Model values to rows and back, exactly: what was written is what is read.

Pure: no connection, no statement. A row is a mapping from column names (see `schema.py`) to values; enumerations
stand in it as their own words, small tuples as JSON.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from jumar.model.amendment import Amendment
from jumar.model.decision import Decision
from jumar.model.errors import InvariantBroken
from jumar.model.journal import (
    DecisionSeen,
    EquitySeen,
    EventSeen,
    FillSeen,
    Incident,
    Intent,
    ModeChanged,
    RefusalSeen,
    Snapshot,
)
from jumar.model.levels import BoundZone
from jumar.model.mode import Mode, ModeState
from jumar.model.order import (
    Fill,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.store.schema import TIGHTNESS_DECIMALS

type Row = Mapping[Any, Any]
type Values = dict[str, Any]

#: What stands in place of a symbol in the row of the account's mode.
ACCOUNT = "*"
_INT64_MAX = 2**63 - 1
_SUMMARY_COLUMNS = (
    "quantity",
    "average_entry",
    "average_exit",
    "exit_reason",
    "realized_pnl",
    "fees",
    "r_gross",
    "r_net",
    "slippage",
    "stop_moves",
    "first_fill_ms",
    "last_fill_ms",
    "funding",
    "chases",
    "unprotected_ms",
)
#: Columns that trades of an older version lack.
_LATER_COLUMNS = frozenset({"funding", "chases", "unprotected_ms"})


def decision_text(decision: Decision) -> str:
    """Return a decision as canonical JSON, amounts as text."""
    return msgspec.json.encode(decision, order="deterministic").decode()


def decision_from(text: str) -> Decision:
    """Read a decision written by `decision_text`."""
    return msgspec.json.decode(text, type=Decision)


def zone_text(zone: BoundZone | None) -> str | None:
    """Return a bound zone as JSON, prices as text."""
    return None if zone is None else msgspec.json.encode(zone).decode()


def zone_from(text: str | None) -> BoundZone | None:
    """Read a zone written by `zone_text`."""
    return None if text is None else msgspec.json.decode(text, type=BoundZone)


def trade_values(trade: Trade) -> Values:
    """Return the row of a trade, without its summary."""
    return {
        "key": trade.key,
        "symbol": trade.symbol,
        "side": trade.side.value,
        "decision_id": trade.decision.id,
        "decision": decision_text(trade.decision),
        "planned_quantity": trade.planned_quantity,
        "limit_price": trade.limit_price,
        "initial_stop": trade.initial_stop,
        "tp1": trade.tp1,
        "tp2": trade.tp2,
        "armed_ms": trade.armed_ms,
        "ratchet_price": trade.ratchet_price,
        "closing": None if trade.closing is None else trade.closing.value,
        "closed_by": trade.closed_by,
        "entry_over": trade.entry_over,
        "voided": trade.voided,
        "proven_flat_ms": trade.proven_flat_ms,
        "ended_ms": trade.ended_ms,
        "closing_rule": trade.closing_rule,
        "adopted_price": trade.adopted_price,
        "adopted_quantity": trade.adopted_quantity,
        "zone": zone_text(trade.zone),
        "left_zones": msgspec.json.encode(trade.left_zones).decode(),
        "origin_ms": trade.origin_ms,
        "unprotected_ms": trade.unprotected_ms,
        "guide_id": None if trade.guide is None else trade.guide.id,
        "guide": None if trade.guide is None else decision_text(trade.guide),
    }


def trade_from(row: Row) -> Trade:
    """Return the trade of a row."""
    return Trade(
        key=row["key"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        decision=decision_from(row["decision"]),
        planned_quantity=row["planned_quantity"],
        limit_price=row["limit_price"],
        initial_stop=row["initial_stop"],
        tp1=row["tp1"],
        tp2=row["tp2"],
        armed_ms=row["armed_ms"],
        ratchet_price=row["ratchet_price"],
        closing=None if row["closing"] is None else CloseReason(row["closing"]),
        closed_by=row["closed_by"],
        entry_over=row["entry_over"],
        voided=row["voided"],
        proven_flat_ms=row["proven_flat_ms"],
        ended_ms=row["ended_ms"],
        closing_rule=row["closing_rule"],
        adopted_price=row["adopted_price"],
        adopted_quantity=row["adopted_quantity"],
        zone=zone_from(row["zone"]),
        left_zones=msgspec.json.decode(row["left_zones"] or "[]", type=tuple[BoundZone, ...]),
        origin_ms=row["origin_ms"],
        guide=None if row["guide"] is None else decision_from(row["guide"]),
        unprotected_ms=row["unprotected_ms"] or 0,
    )


def summary_values(summary: TradeSummary) -> Values:
    """Return the columns that a trade gets when it ended after a fill."""
    return {column: getattr(summary, column) for column in _SUMMARY_COLUMNS}


def summary_from(row: Row) -> TradeSummary | None:
    """Return the summary of a trade's row, None when it has none."""
    if row["exit_reason"] is None:
        return None
    told = [c for c in _SUMMARY_COLUMNS if row[c] is not None or c not in _LATER_COLUMNS]
    return TradeSummary(key=row["key"], **{column: row[column] for column in told})


def order_values(order: OwnOrder) -> Values:
    """Return the row of an order of ours."""
    request = order.request
    return {
        "client_id": request.client_id,
        "trade_key": order.trade_key,
        "symbol": request.symbol,
        "role": request.role.value,
        "attempt": order.attempt,
        "side": request.side.value,
        "type": request.type.value,
        "quantity": request.quantity,
        "price": request.price,
        "trigger_price": request.trigger_price,
        "time_in_force": None if request.time_in_force is None else request.time_in_force.value,
        "reduce_only": request.reduce_only,
        "close_position": request.close_position,
        "working_type": None if request.working_type is None else request.working_type.value,
        "rule": order.rule,
        "cause": order.cause,
        "journaled_ms": order.journaled_ms,
        **order_changes(order),
    }


def order_changes(order: OwnOrder) -> Values:
    """Return the columns of an order that change during its life."""
    return {
        "timestamp_ms": order.timestamp_ms,
        "state": order.state.value,
        "venue_id": order.venue_id,
        "child_venue_id": order.child_venue_id,
        "acked_ms": order.acked_ms,
        "updated_ms": order.updated_ms,
        "filled_quantity": order.filled_quantity,
        "end_status": None if order.end_status is None else order.end_status.value,
        "end_code": order.end_code,
        "end_reason": order.end_reason,
        "ended_ms": order.ended_ms,
        "triggered_ms": order.triggered_ms,
        "echo_error": order.echo_error,
        "cancel_sent_ms": order.cancel_sent_ms,
        "cancel_unknown_ms": order.cancel_unknown_ms,
        "misses": msgspec.json.encode(order.misses).decode(),
        "unlisted": msgspec.json.encode(order.unlisted).decode(),
        "amendments": msgspec.json.encode(order.amendments).decode(),
    }


def order_from(row: Row) -> OwnOrder:
    """Return the order of a row."""
    return OwnOrder(
        trade_key=row["trade_key"],
        attempt=row["attempt"],
        request=_request_from(row),
        rule=row["rule"],
        cause=row["cause"],
        journaled_ms=row["journaled_ms"],
        timestamp_ms=row["timestamp_ms"],
        state=OrderState(row["state"]),
        venue_id=row["venue_id"],
        child_venue_id=row["child_venue_id"],
        acked_ms=row["acked_ms"],
        updated_ms=row["updated_ms"],
        filled_quantity=row["filled_quantity"],
        end_status=None if row["end_status"] is None else OrderStatus(row["end_status"]),
        end_code=row["end_code"],
        end_reason=row["end_reason"],
        ended_ms=row["ended_ms"],
        triggered_ms=row["triggered_ms"],
        echo_error=row["echo_error"],
        cancel_sent_ms=row["cancel_sent_ms"],
        cancel_unknown_ms=row["cancel_unknown_ms"],
        misses=msgspec.json.decode(row["misses"], type=tuple[int, ...]),
        unlisted=msgspec.json.decode(row["unlisted"], type=tuple[int, ...]),
        amendments=msgspec.json.decode(row["amendments"], type=tuple[Amendment, ...]),
    )


def _request_from(row: Row) -> OrderRequest:
    time_in_force, working_type = row["time_in_force"], row["working_type"]
    return OrderRequest(
        symbol=row["symbol"],
        client_id=row["client_id"],
        role=Role(row["role"]),
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        quantity=row["quantity"],
        price=row["price"],
        trigger_price=row["trigger_price"],
        time_in_force=None if time_in_force is None else TimeInForce(time_in_force),
        reduce_only=row["reduce_only"],
        close_position=row["close_position"],
        working_type=None if working_type is None else WorkingType(working_type),
    )


def fill_values(record: FillSeen) -> Values:
    """Return the row of a fill and of the order that it belongs to."""
    fill = record.fill
    return {
        "symbol": fill.symbol,
        "trade_id": fill.trade_id,
        "trade_key": record.trade_key,
        "order_client_id": record.client_id,
        "venue_order_id": fill.venue_order_id,
        "client_id": fill.client_id,
        "side": fill.side.value,
        "price": fill.price,
        "quantity": fill.quantity,
        "maker": fill.maker,
        "fee": fill.fee,
        "fee_asset": fill.fee_asset,
        "realized_pnl": fill.realized_pnl,
        "time_ms": fill.time_ms,
    }


def fill_from(row: Row) -> Fill:
    """Return the fill of a row."""
    return Fill(
        symbol=row["symbol"],
        trade_id=row["trade_id"],
        venue_order_id=row["venue_order_id"],
        client_id=row["client_id"],
        side=Side(row["side"]),
        price=row["price"],
        quantity=row["quantity"],
        maker=row["maker"],
        fee=row["fee"],
        fee_asset=row["fee_asset"],
        realized_pnl=row["realized_pnl"],
        time_ms=row["time_ms"],
    )


def decision_seen_values(record: DecisionSeen) -> Values:
    """Return the row of a decision file."""
    content = None if record.decision is None else decision_text(record.decision)
    return {
        "symbol": record.symbol,
        "decision_id": record.decision_id,
        "timestamp_ms": record.timestamp_ms,
        "outcome": record.outcome,
        "reasons": msgspec.json.encode(record.reasons).decode(),
        "raw": record.raw,
        "content": content,
        "zone": zone_text(record.zone),
        "at_ms": record.at_ms,
    }


def mode_values(record: ModeChanged) -> Values:
    """Return the row of a symbol's mode, or of the account's."""
    state = record.state
    return {
        "symbol": record.symbol or ACCOUNT,
        "mode": state.mode.value,
        "rule": state.rule,
        "cause": state.cause,
        "since_ms": state.since_ms,
        "code": state.code,
    }


def mode_from(row: Row) -> ModeState:
    """Return the mode of a row."""
    return ModeState(
        mode=Mode(row["mode"]),
        rule=row["rule"],
        cause=row["cause"],
        since_ms=row["since_ms"],
        code=row["code"],
    )


def plain_values(
    record: RefusalSeen | Incident | EquitySeen | EventSeen | Snapshot,
) -> Values:
    """Return the row of a record whose fields are the columns."""
    return {name: getattr(record, name) for name in record.__slots__}


def scaled(tightness: Decimal) -> int:
    """Return a tightness as the integer that the database compares.

    Raises:
        InvariantBroken: it does not fit, so that two of them could not be compared exactly (S-3).
    """
    numerator, denominator = tightness.as_integer_ratio()
    scale: int = 10**TIGHTNESS_DECIMALS
    value, rest = divmod(numerator * scale, denominator)
    if rest or abs(value) > _INT64_MAX:
        raise InvariantBroken("S-3", f"the database cannot compare a stop at {tightness} exactly")
    return value


def stop_move_values(intent: Intent) -> Values:
    """Return the row of a working stop's intent; its floor is computed by the database.

    Raises:
        InvariantBroken: `tightness` is not the trigger price times the trade's sign (S-3).
    """
    request = intent.order.request
    trigger = request.trigger_price
    signed = None if trigger is None else trigger if request.side is Side.SELL else -trigger
    if signed is None or intent.tightness is None or signed != intent.tightness:
        message = (
            f"{request.client_id}: tightness {intent.tightness} of a {request.side} at {trigger}"
        )
        raise InvariantBroken("S-3", message)
    return {
        "client_id": request.client_id,
        "trade_key": intent.order.trade_key,
        "symbol": request.symbol,
        "trigger_price": trigger,
        "tightness": scaled(intent.tightness),
        "asked_ms": intent.order.journaled_ms,
    }
