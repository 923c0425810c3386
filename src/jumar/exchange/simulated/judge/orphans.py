"""P-8: nothing outlives its trade by more than ten seconds of serving.

Judged from the moment the position returned to zero. A group that enters again on the symbol is judged from the
end of that trade instead. A trade whose deadline lies behind the end of the ledger counts as checked only if
nothing of it is alive any more.
"""

from collections import deque
from dataclasses import dataclass

from jumar.exchange.simulated.judge.replay import Clock, Fill, Step
from jumar.exchange.simulated.judge.state import ENTRY, AnyOrder
from jumar.exchange.simulated.judge.verdict import Verdicts

SWEEP_DEADLINE_MS = 10_000  # 2 to prove flat, 3 to reconcile, 5 to sweep

type _Place = tuple[str, str]  # symbol, group


@dataclass(slots=True, kw_only=True)
class _Ended:
    """A trade that ended: when, in serving milliseconds, and the groups that traded in it."""

    symbol: str
    served: int
    groups: set[str]


class OrphanWatch:
    """Keeps the live orders of every group, and the trades whose deadline is running."""

    def __init__(self, verdicts: Verdicts, clock: Clock) -> None:
        self._verdicts = verdicts
        self._clock = clock
        self._alive: dict[_Place, dict[AnyOrder, int]] = {}
        self._running: deque[_Ended] = deque()
        self._over: set[_Place] = set()
        self._orphans: set[AnyOrder] = set()

    @property
    def orphans(self) -> int:
        """How many orders outlived their trade."""
        return len(self._orphans)

    def see(self, step: Step) -> None:
        """Take one change into account."""
        if step.fill is not None:
            self._filled(step.fill)
            return
        owner = step.order.owner
        if not owner.group:
            return
        place = (step.book.symbol, owner.group)
        orders = self._alive.setdefault(place, {})
        if not owner.alive:
            orders.pop(owner, None)
            return
        orders[owner] = step.seq
        if place in self._over:
            self._orphaned(owner, t=step.t, seq=step.seq)

    def expire(self) -> None:
        """Judge every trade whose deadline the clock has passed."""
        while self._running and self._overdue_ms(self._running[0]) > 0:
            ended = self._running.popleft()
            if not ended.groups:
                continue
            self._verdicts.check("P-8")
            passed_at = self._clock.now - self._overdue_ms(ended)
            for group in sorted(ended.groups):
                self._expire(ended.symbol, group, passed_at)

    def finish(self) -> None:
        """Judge at the end of the ledger; what is still within its deadline only if it is swept."""
        self.expire()
        for ended in self._running:
            if ended.groups and not any(self._alive.get((ended.symbol, g)) for g in ended.groups):
                self._verdicts.check("P-8")

    def _overdue_ms(self, ended: _Ended) -> int:
        return self._clock.served - ended.served - SWEEP_DEADLINE_MS

    def _filled(self, fill: Fill) -> None:
        symbol, group = fill.order.symbol, fill.order.group
        if fill.ended is not None:
            groups = set(fill.ended.groups)
            self._running.append(_Ended(symbol=symbol, served=self._clock.served, groups=groups))
        if fill.order.role == ENTRY and fill.adds:
            self._over.discard((symbol, group))
            for ended in self._running:
                if ended.symbol == symbol:
                    ended.groups.discard(group)

    def _expire(self, symbol: str, group: str, t: int) -> None:
        place = (symbol, group)
        self._over.add(place)
        for order, seq in self._alive.get(place, {}).items():
            self._orphaned(order, t=t, seq=seq)

    def _orphaned(self, order: AnyOrder, *, t: int, seq: int) -> None:
        if order in self._orphans:
            return
        self._orphans.add(order)
        self._verdicts.broken(
            "P-8",
            t=t,
            seq=seq,
            symbol=order.symbol,
            client_id=order.client_id,
            message=f"{order.client_id} is alive more than {SWEEP_DEADLINE_MS} ms of serving after its trade ended",
        )
