"""Which decision is in force: newest wins, older never returns, spent ones never enter (D-7).

Owns the memory of what is spent. Knows nothing of prices or guards.
"""

from dataclasses import dataclass, replace

from jumar.model.decision import Decision
from jumar.model.journal import (
    DecisionSeen,
    EventSeen,
    Record,
    RefusalSeen,
    StoreIdentity,
    SymbolMemory,
    ZoneBound,
)
from jumar.model.levels import MarketLevels
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.model.world import DecisionState
from jumar.planner.binding import Binding, fresh_levels, moved
from jumar.ports.decisions import Received

FLATTENED = "it is not newer than the last `jumar flatten`"


@dataclass(slots=True, kw_only=True)
class DecisionDesk:
    """The decisions of one symbol.

    Attributes:
        ahead_ms: how far ahead a decision's time may be (`future_skew_s`). One further ahead is a wrong clock: it is
            refused (D-3), and holds back nothing that comes after it.
        spent_before_ms: with an empty journal, decisions older than the engine's start are spent (D-7).
        spent_through_ms: decisions up to here are spent, because the exchange knows entries that we do not (Y-12).
        flattened_ms: decisions up to here are spent, because an operator had everything closed (M-6).
        last_end_ms: exchange time of the last fill of the last filled trade.
        ended_by: the opposite decision that ended it, which may still enter (C-2).
        newest_ms: newest timestamp of any readable decision, refused ones included; at most `ahead_ms` ahead.
    """

    symbol: str
    ahead_ms: int
    spent_before_ms: int | None = None
    spent_through_ms: int | None = None
    flattened_ms: int | None = None
    last_end_ms: int | None = None
    ended_by: str | None = None
    spent: set[str]
    newest_ms: int | None = None
    state: DecisionState | None = None

    @classmethod
    def restore(
        cls, memory: SymbolMemory, identity: StoreIdentity, start_ms: int, *, ahead_ms: int
    ) -> "DecisionDesk":
        """Resume from what the store remembers."""
        desk = cls(
            symbol=memory.symbol,
            ahead_ms=ahead_ms,
            spent_before_ms=start_ms if identity.fresh else None,
            flattened_ms=memory.flattened_ms,
            last_end_ms=memory.last_end_ms,
            ended_by=memory.ended_by,
            spent=set(memory.spent),
        )
        if memory.decision is not None:
            desk.state = DecisionState(
                decision=memory.decision,
                spent=desk.why_spent(memory.decision),
                zone=memory.zone,
            )
            desk._saw(memory.decision.timestamp_ms, start_ms)
        if desk.state is not None and memory.superseded_ms is not None:
            why = "before the restart a newer decision came that was not accepted"
            desk.state = replace(desk.state, refusals=(("superseded", why),))
            desk._saw(memory.superseded_ms, start_ms)
        return desk

    def _saw(self, timestamp_ms: int, now_ms: int) -> None:
        stamp = min(timestamp_ms, now_ms + self.ahead_ms)
        self.newest_ms = stamp if self.newest_ms is None else max(self.newest_ms, stamp)

    def receive(
        self, received: Received, now_ms: int, binding: Binding | None = None
    ) -> tuple[Record, ...]:
        """Take in one new content of the source; return what must be recorded.

        Args:
            received: what came.
            now_ms: exchange time.
            binding: where the zone that the decision names would be bound, were it accepted (L-3).
        """
        decision = received.decision
        if decision is None:
            return self._refused(received, now_ms)
        if self.newest_ms is not None and decision.timestamp_ms < self.newest_ms:
            reason = "an older decision never replaces a newer one (D-7)"
            return (_seen(received, "superseded", (reason,), now_ms),)
        if self.state is not None and decision.id == self.state.decision.id:
            return ()
        if self._conflicts(decision):
            reason = "same timestamp, other content: the first valid one stays (D-7)"
            return (
                _seen(received, "refused", (f"conflict: {reason}",), now_ms),
                _refusal(received, "conflict", "D-7", reason, now_ms),
            )
        return self._accept(received, decision, now_ms, binding)

    def _conflicts(self, decision: Decision) -> bool:
        return (
            self.state is not None
            and not self.state.refusals
            and decision.timestamp_ms == self.state.decision.timestamp_ms
        )

    def _accept(
        self, received: Received, decision: Decision, now_ms: int, binding: Binding | None
    ) -> tuple[Record, ...]:
        spent = self.why_spent(decision)
        self._saw(decision.timestamp_ms, now_ms)
        if spent is not None:
            self.state = DecisionState(decision=decision, spent=spent)
            return (_seen(received, "spent", (spent,), now_ms),)
        zone = None if binding is None else binding.zone
        self.state = DecisionState(decision=decision, zone=zone)
        seen = replace(_seen(received, "accepted", (), now_ms), zone=zone)
        return (seen,) if binding is None else (seen, self._told(binding, now_ms))

    def saw_levels(self, levels: MarketLevels, now_ms: int, policy: Policy) -> tuple[Record, ...]:
        """Let the zone of the decision in force follow explicit ids (L-3); return what must be recorded."""
        state = self.state
        if state is None or state.decision.side is None or state.spent is not None:
            return ()
        fresh = fresh_levels(levels, now_ms, policy)
        found = moved(state.decision.liq_tp_zone_id, state.zone, fresh)
        if found is None:
            return ()
        self.state = replace(state, zone=found.zone)
        record = ZoneBound(decision_id=state.decision.id, zone=found.zone)
        return (record, self._told(found, now_ms))

    def _told(self, binding: Binding, now_ms: int) -> EventSeen:
        cause = binding.cause
        return EventSeen(
            symbol=self.symbol, trade_key=None, rule=cause.rule, message=cause.text, at_ms=now_ms
        )

    def _refused(self, received: Received, now_ms: int) -> tuple[Record, ...]:
        """A readable newer decision that is refused still supersedes (D-7)."""
        code = received.code or "malformed"
        message = "; ".join(str(error) for error in received.errors) or "not readable"
        records: tuple[Record, ...] = (
            _seen(received, "refused", tuple(str(e) for e in received.errors), now_ms),
            _refusal(received, code, "D-4", message, now_ms),
        )
        stamp = received.timestamp_ms
        if received.symbol != self.symbol or stamp is None:
            return records
        if self.newest_ms is None or stamp > self.newest_ms:
            self._saw(stamp, now_ms)
            if self.state is not None:
                self.state = replace(self.state, refusals=((code, message),))
        return records

    def spend_through(self, entries_through_ms: int) -> None:
        """Spend what is not newer than an entry of ours that the journal does not know (Y-12).

        A decision may be a little ahead of the entry that it led to.
        """
        through_ms = entries_through_ms + self.ahead_ms
        if self.spent_through_ms is not None and self.spent_through_ms >= through_ms:
            return
        self.spent_through_ms = through_ms
        if self.state is not None:
            self.state = replace(self.state, spent=self.why_spent(self.state.decision))

    def flatten(self, at_ms: int) -> tuple[Record, ...]:
        """Spend every decision so far: an operator wants everything closed (D-7, M-6).

        Returns what must be recorded: of a decision that is dated a little ahead the time alone does not tell.
        """
        self.flattened_ms = max(at_ms, self.flattened_ms or 0)
        if self.state is None:
            return ()
        decision = self.state.decision
        self.spent.add(decision.id)
        self.state = replace(self.state, spent=self.why_spent(decision))
        seen = DecisionSeen(
            symbol=self.symbol,
            decision_id=decision.id,
            timestamp_ms=decision.timestamp_ms,
            outcome="spent",
            reasons=(FLATTENED,),
            raw="",
            at_ms=at_ms,
        )
        return (seen,)

    def why_spent(self, decision: Decision) -> str | None:
        """Why a decision may not enter any more, None while it may."""
        if decision.id in self.spent:
            return "its trade is over"
        if self.spent_before_ms is not None and decision.timestamp_ms < self.spent_before_ms:
            return "it is older than the engine's start and the journal was empty"
        through = self.spent_through_ms
        if through is not None and decision.timestamp_ms <= through:
            return "the exchange's history holds an entry of ours that is not older and not in the journal"
        flattened = self.flattened_ms
        if flattened is not None and decision.timestamp_ms <= flattened:
            return FLATTENED
        ended = self.last_end_ms
        if ended is not None and decision.timestamp_ms <= ended and decision.id != self.ended_by:
            return "it is not newer than the end of the last trade"
        return None

    def trade_ended(self, trade: Trade, summary: TradeSummary | None) -> None:
        """A trade with a fill, a closed or a voided one, spends its decision, and the one that guided it (E-9)."""
        if summary is not None or trade.voided is not None or trade.closing is not None:
            self.spent |= {trade.decision.id, trade.guiding.id}
        if summary is not None:
            self.last_end_ms = summary.last_fill_ms
            self.ended_by = trade.closed_by if trade.closing is CloseReason.OPPOSITE else None
        if self.state is not None:
            self.state = replace(self.state, spent=self.why_spent(self.state.decision))


def _seen(received: Received, outcome: str, reasons: tuple[str, ...], now_ms: int) -> DecisionSeen:
    decision = received.decision
    return DecisionSeen(
        symbol=received.symbol,
        decision_id=None if decision is None else decision.id,
        timestamp_ms=received.timestamp_ms,
        outcome=outcome,
        reasons=reasons,
        raw=received.raw,
        at_ms=now_ms,
        decision=decision,
    )


def _refusal(received: Received, code: str, rule: str, message: str, now_ms: int) -> RefusalSeen:
    decision = received.decision
    return RefusalSeen(
        symbol=received.symbol or "",
        decision_id="" if decision is None else decision.id,
        code=code,
        rule=rule,
        message=message,
        at_ms=now_ms,
    )
