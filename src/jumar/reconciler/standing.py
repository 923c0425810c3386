"""What the symbols of one account know of each other: trades of the days, losses, holdings, equity, the venue's counts.

Owned by the engine, fed by the symbols' loops, handed to each of their looks as one frozen `Standing`. A look and what
it plans are told here before anything else may look, so that two symbols never take the same last place (G-17).
"""

from collections.abc import Callable, Iterable

import structlog

from jumar.model.account import Balance, PositionReport
from jumar.model.journal import AccountMemory
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.standing import (
    DAY_MS,
    NOTHING_KNOWN,
    Holding,
    Standing,
    TradeBegun,
    TradeLost,
    VenueBudget,
)
from jumar.model.trade import Trade, TradeSummary
from jumar.model.units import ZERO
from jumar.model.world import Observed, World
from jumar.planner.holding import holding_of
from jumar.reconciler.equity import EquityBook

_log = structlog.get_logger("jumar.standing")

#: Trades that began longer ago count for no day any more.
BEGUN_KEPT_MS = 2 * DAY_MS


class Standings:
    """One account's.

    Args:
        symbols: what the engine manages.
        equity: the account's.
        budget: what the venue has said of its limits.
        positions: the newest list of the account's positions, None before the first.
    """

    def __init__(
        self,
        *,
        symbols: Iterable[str],
        equity: EquityBook,
        budget: Callable[[], VenueBudget],
        positions: Callable[[], Iterable[PositionReport]],
    ) -> None:
        self.equity = equity
        self._symbols = tuple(symbols)
        self._budget = budget
        self._positions = positions
        self._begun: dict[str, TradeBegun] = {}
        self._lost: TradeLost | None = None
        self._holdings: dict[str, Holding] = {}

    def restore(self, memory: AccountMemory, now_ms: int) -> None:
        """Take in what the store remembers."""
        self.equity.restore(memory.equity, now_ms)
        self._begun |= {trade.key: trade for trade in memory.begun}
        self._saw_loss(memory.lost)

    def of(self, symbol: str, balance: Observed[Balance] | None, now_ms: int) -> Standing:
        """Return how the account stands, seen from one symbol, which has read the balance.

        Nothing here may keep a position from being looked at (O-4): whatever fails leaves it unknown, which refuses.
        """
        try:
            return self._of(symbol, balance, now_ms)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("the account's standing is not known", symbol=symbol)
            return NOTHING_KNOWN

    def _of(self, symbol: str, balance: Observed[Balance] | None, now_ms: int) -> Standing:
        self.equity.saw_balance(balance, now_ms)
        others = [name for name in self._symbols if name != symbol]
        return Standing(
            equity=self.equity.value(),
            begun=tuple(self._begun.values()),
            lost=self._lost,
            others=tuple(self._holdings[name] for name in others if name in self._holdings),
            unseen=tuple(name for name in others if name not in self._holdings),
            outside=tuple(
                sorted(
                    report.symbol
                    for report in self._positions()
                    if report.quantity and report.symbol not in self._symbols
                )
            ),
            budget=self._budget(),
        )

    def looked(self, world: World, trade: Trade | None, policy: Policy) -> None:
        """A symbol was looked at, and its trade is this one from now on, None without."""
        if trade is not None and (first_ms := _first_fill_ms(world, trade)) is not None:
            self._saw_begin(trade, first_ms, world.now_ms)
        is_open = trade is not None and trade.ended_ms is None
        if len(self._symbols) > 1 and (is_open or world.position is not None):
            self._holdings[world.symbol] = holding_of(world, trade if is_open else None, policy)

    def ended(self, trade: Trade, summary: TradeSummary | None, now_ms: int) -> None:
        """A trade is over; None when it never had a fill."""
        if summary is None:
            return
        self._saw_begin(trade, summary.first_fill_ms, now_ms)
        net = summary.realized_pnl - summary.fees
        if net < ZERO:
            ended_ms = now_ms if trade.ended_ms is None else trade.ended_ms
            self._saw_loss(
                TradeLost(key=trade.key, symbol=trade.symbol, net=net, ended_ms=ended_ms)
            )

    def _saw_begin(self, trade: Trade, first_ms: int, now_ms: int) -> None:
        """Once it is known when a trade began that stays."""
        begun = TradeBegun(key=trade.key, symbol=trade.symbol, first_fill_ms=first_ms)
        self._begun.setdefault(trade.key, begun)
        self._begun = {
            key: each
            for key, each in self._begun.items()
            if now_ms - each.first_fill_ms < BEGUN_KEPT_MS
        }

    def _saw_loss(self, lost: TradeLost | None) -> None:
        """Only the newest end counts."""
        if lost is not None and (self._lost is None or lost.ended_ms >= self._lost.ended_ms):
            self._lost = lost


def _first_fill_ms(world: World, trade: Trade) -> int | None:
    """When a trade's first lot filled; what was found counts from its adoption, what is only reported from now."""
    if trade.adopted_quantity > ZERO:
        return trade.armed_ms
    times = [fill.time_ms for fill in world.fills]
    reported = any(o.role is Role.ENTRY and o.filled_quantity > ZERO for o in world.orders)
    return min(times, default=world.now_ms if reported else None)
