"""The executions of one symbol's open trade: counted once by trade id, and those that nobody's order explains.

Promises: an execution counts once, whoever tells it, in any order (X-6); one without a known order is kept apart
until it is sure that a hand made it (Y-3).
"""

from collections.abc import Iterable
from dataclasses import replace

from jumar.model.account import PositionReport
from jumar.model.journal import FillSeen
from jumar.model.order import Fill, OrderReport, OwnOrder
from jumar.model.trade import Trade
from jumar.model.world import Observed

#: How long an execution without a known order is kept apart before it counts as somebody else's.
LOOSE_FILL_GRACE_MS = 500
#: The same while an order of ours may be the one: its outcome, or the child it became, is not known yet.
LOOSE_FILL_PATIENCE_MS = 10_000


class Executions:
    """What has been executed since the trade was armed.

    Attributes:
        fills: those of our orders, by trade id.
        loose: those without a known order.
        read_ms, forced_read_ms: when executions, and liquidations, were last asked for; zero for never (Y-2).
    """

    def __init__(self, fills: Iterable[Fill]) -> None:
        self.fills: dict[int, Fill] = {fill.trade_id: fill for fill in fills}
        self.loose: dict[int, Fill] = {}
        self.read_ms = 0
        self.forced_read_ms = 0
        self._forced: dict[str, str] = {}

    def saw(
        self, fill: Fill, own: OwnOrder | None, trade: Trade | None, since_ms: int
    ) -> FillSeen | None:
        """Take in an execution; return what must be recorded of it, None for nothing.

        `own` is the order of ours that it belongs to, None where none is known; what is older than `since_ms`
        cannot belong to the trade.
        """
        if fill.trade_id in self.fills:
            return None
        if own is None:
            if trade is not None and fill.time_ms >= since_ms:
                self.loose[fill.trade_id] = fill
            return None
        self.loose.pop(fill.trade_id, None)
        if trade is None or own.trade_key != trade.key:
            return None
        linked = replace(fill, client_id=own.client_id)
        self.fills[fill.trade_id] = linked
        return FillSeen(trade_key=own.trade_key, client_id=own.client_id, fill=linked)

    def saw_forced(self, reports: Iterable[OrderReport], asked_ms: int) -> None:
        """Take in liquidations: they name who made the executions that nobody of ours explains (Y-2)."""
        self.forced_read_ms = asked_ms
        self._forced |= {report.venue_id: report.client_id for report in reports}

    def present(
        self,
        trade: Trade,
        since_ms: int,
        *,
        doubtful: bool,
        told: Observed[PositionReport] | None,
        now_ms: int,
    ) -> tuple[Fill, ...]:
        """Our fills, and executions by a hand since the trade was armed once nobody of ours claims them.

        Where the position is told (by the newest word) to be on the other side a hand was there, and nothing is
        waited for (Y-3). Longer is waited while it is doubtful whether an order of ours explains one.
        """
        grace_ms = LOOSE_FILL_PATIENCE_MS if doubtful else LOOSE_FILL_GRACE_MS
        if told is not None and told.value.quantity * trade.sign < 0:
            grace_ms = 0
        by_hand = [
            replace(fill, client_id=fill.client_id or self._forced.get(fill.venue_order_id))
            for fill in self.loose.values()
            if fill.time_ms >= since_ms and now_ms - fill.time_ms > grace_ms
        ]
        return tuple(
            sorted([*self.fills.values(), *by_hand], key=lambda f: (f.time_ms, f.trade_id))
        )

    def clear(self) -> None:
        """Forget those of an ended trade."""
        self.fills.clear()
        self.loose.clear()
