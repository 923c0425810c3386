"""The figures of a run: what was traded, how each trade left, what it earned.

Counts only; it judges nothing. An exit is counted once per trade and role, at its first fill; the role is read
from the client id, so that an exit of orders that are not of the client's form is counted nowhere.
"""

from typing import Any

from jumar.exchange.simulated.judge.replay import Fill, Step
from jumar.exchange.simulated.judge.state import ENTRY, ZERO, Conditional, Trade

STOP, BACKSTOP, FIRST_TARGET = "S", "B", "P"

_EXITS = {
    FIRST_TARGET: "tp1",
    "Q": "tp2",
    STOP: "stop",
    BACKSTOP: "backstop",
    "L": "liq_zone",
    "X": "emergency",
}
_EXIT_NAMES = ("tp1", "tp2", "stop", "backstop", "liq_zone", "opposite", "flat", "emergency")


class Summary:
    """Adds up one ledger."""

    def __init__(self) -> None:
        self._trades = 0
        self._stopped_out = 0
        self._sent = 0
        self._armed: set[str] = set()
        self._filled: set[str] = set()
        self._exits = dict.fromkeys(_EXIT_NAMES, 0)
        self._counted: dict[Trade, set[str]] = {}
        self._income = ZERO

    def see(self, step: Step) -> None:
        """Take one change into account."""
        if step.fill is not None:
            self._fill(step.fill)
        elif step.accepted:
            self._accepted(step)

    def figures(self) -> dict[str, Any]:
        """The figures under the names of docs/reference/ledger.md."""
        return {
            "trades": self._trades,
            "entries_armed": len(self._armed),
            "entries_filled": len(self._filled),
            "exits": dict(self._exits),
            "initial_stop_outs": self._stopped_out,
            "orders_sent": self._sent,
            "pnl_usdt": f"{self._income:f}",
        }

    def _accepted(self, step: Step) -> None:
        order = step.order.owner
        self._sent += order.by_client
        armed = isinstance(order, Conditional) and order.is_stop and order.role == STOP
        if armed and step.book.trade is None:
            self._armed.add(order.group)

    def _fill(self, fill: Fill) -> None:
        order = fill.order
        self._income += fill.income
        if fill.opened is not None:
            self._trades += 1
        if order.role == ENTRY:
            self._filled.add(order.group)
        if fill.reduces:
            self._exit(fill.ended or fill.trade, order.role)
        if fill.ended is not None:
            self._end(fill.ended, order.role)

    def _exit(self, trade: Trade, role: str) -> None:
        counted = self._counted.setdefault(trade, set())
        if role in _EXITS and role not in counted:
            counted.add(role)
            self._exits[_EXITS[role]] += 1

    def _end(self, trade: Trade, role: str) -> None:
        exits = self._counted.pop(trade, set())
        self._stopped_out += role in {STOP, BACKSTOP} and FIRST_TARGET not in exits
