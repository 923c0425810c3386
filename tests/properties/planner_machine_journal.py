"""What survives a crash of the machine's engine: the records that it wrote, and nothing else.

Promises the memory that a start would get from a store with these records: the open trade, its orders and executions,
what is not proven ended, what is spent. One client id is one intent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.properties.swarm_oracles import PromiseBroken
from tests.properties.swarm_venue import SYMBOL

from jumar.model.decision import Decision
from jumar.model.journal import (
    AmendIntent,
    DecisionSeen,
    FillSeen,
    Intent,
    ModeChanged,
    OrderAdopted,
    OrderChanged,
    Record,
    SymbolMemory,
    TradeChanged,
    TradeEnded,
)
from jumar.model.mode import ModeState
from jumar.model.order import Fill, OwnOrder, Role
from jumar.model.trade import CloseReason, Trade


@dataclass(slots=True, kw_only=True)
class Journal:
    """Records as a store keeps them: of each thing its newest state."""

    orders: dict[str, OwnOrder] = field(default_factory=dict)
    trades: dict[str, Trade] = field(default_factory=dict)
    ended: dict[str, TradeEnded] = field(default_factory=dict)
    fills: dict[str, dict[int, Fill]] = field(default_factory=dict)
    decisions: list[DecisionSeen] = field(default_factory=list)
    mode: ModeState | None = None

    def write(self, records: Iterable[Record]) -> None:
        """One transaction.

        Raises:
            PromiseBroken: X-1, a client id is used for a second order.
        """
        for record in records:
            match record:
                case Intent(order=order):
                    if order.client_id in self.orders:
                        raise PromiseBroken("X-1", f"{order.client_id} is journaled a second time")
                    self.orders[order.client_id] = order
                case AmendIntent(order=order):
                    if order.client_id not in self.orders:
                        raise PromiseBroken("X-2", f"{order.client_id} was never journaled")
                    self.orders[order.client_id] = order
                case OrderAdopted(order=order) | OrderChanged(order=order):
                    self.orders[order.client_id] = order
                case TradeChanged(trade=trade):
                    self.trades[trade.key] = trade
                    self.ended.pop(trade.key, None)  # a set-up that is made again
                case TradeEnded(trade=trade):
                    self.trades[trade.key] = trade
                    self.ended[trade.key] = record
                case FillSeen(trade_key=key, fill=fill):
                    self.fills.setdefault(key, {}).setdefault(fill.trade_id, fill)
                case DecisionSeen():
                    self.decisions.append(record)
                case ModeChanged(state=state):
                    self.mode = state
                case _:
                    pass  # told to people, needed by no start

    def memory(self) -> SymbolMemory:
        """What a start remembers."""
        trade = next((t for t in self.trades.values() if t.key not in self.ended), None)
        decision = self._newest_decision()
        filled = [end for end in self.ended.values() if end.summary is not None]
        last = max(filled, key=_last_fill_ms, default=None)
        opposite = last is not None and last.trade.closing is CloseReason.OPPOSITE
        return SymbolMemory(
            symbol=SYMBOL,
            trade=trade,
            orders=tuple(self._orders(trade, decision)),
            fills=() if trade is None else tuple(self.fills.get(trade.key, {}).values()),
            decision=decision,
            superseded_ms=self._superseded_ms(decision),
            last_end_ms=None if last is None else _last_fill_ms(last),
            ended_by=last.trade.closed_by if last is not None and opposite else None,
            spent=self._spent(),
            mode=self.mode,
            entry_ids=frozenset(n for n, own in self.orders.items() if own.role is Role.ENTRY),
        )

    def _orders(self, trade: Trade | None, decision: Decision | None) -> Iterable[OwnOrder]:
        """Those of the open trade, of unfilled set-ups of the decision, and all that may still be alive."""
        again = {
            end.trade.key
            for end in self.ended.values()
            if trade is None and decision is not None and _may_be_made_again(end, decision)
        }
        for own in self.orders.values():
            mine = trade is not None and own.trade_key == trade.key
            if mine or not own.ended or own.trade_key in again:
                yield own

    def _newest_decision(self) -> Decision | None:
        accepted = [
            seen
            for seen in self.decisions
            if seen.outcome == "accepted" and seen.decision is not None
        ]
        newest = max(accepted, key=lambda seen: seen.timestamp_ms or 0, default=None)
        return None if newest is None else newest.decision

    def _superseded_ms(self, decision: Decision | None) -> int | None:
        if decision is None:
            return None
        ids = [seen.decision_id for seen in self.decisions]
        later = self.decisions[ids.index(decision.id) + 1 :]
        stamps = [seen.timestamp_ms or 0 for seen in later if seen.outcome in {"refused", "spent"}]
        return max((stamp for stamp in stamps if stamp > decision.timestamp_ms), default=None)

    def _spent(self) -> frozenset[str]:
        by_trade = {
            end.trade.decision.id
            for end in self.ended.values()
            if end.summary is not None
            or end.trade.voided is not None
            or end.trade.closing is not None
        }
        by_verdict = {
            seen.decision_id
            for seen in self.decisions
            if seen.outcome == "spent" and seen.decision_id is not None
        }
        return frozenset(by_trade | by_verdict)


def _last_fill_ms(end: TradeEnded) -> int:
    return 0 if end.summary is None else end.summary.last_fill_ms


def _may_be_made_again(end: TradeEnded, decision: Decision) -> bool:
    return end.summary is None and end.trade.decision.id == decision.id
