"""One honest run, told by the planner's storyboard, written as the exchange, the engine and the writer would.

Every act of the story goes where it belongs: orders and fills into the ledger, intents into a real database, ticks
through the real recorder, decisions into the record. Tests take a copy, change one thing and ask the audit.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.worlds import NOW, POLICY, Storyboard, decision, world

from jumar.model.command import Plan
from jumar.model.decision import Action
from jumar.model.journal import (
    FillSeen,
    Intent,
    OrderChanged,
    Record,
    RefusalSeen,
    TradeChanged,
    TradeEnded,
)
from jumar.model.order import Channel, OwnOrder, Role
from jumar.model.policy import OnFlat
from jumar.model.world import World
from jumar.planner.summary import summarize
from jumar.ports.observer import TickReport
from jumar.reports.recorder import TickRecorder
from jumar.store.journal import SqlStore

CLOSING = replace(POLICY, on_flat=OnFlat.CLOSE)
LONG = {
    "symbol": "BTCUSDT",
    "timestamp_iso": "2025-12-05T10:05:00Z",
    "action": "long",
    "entry_zone": [90700, 90900],
    "sl": 90380,
    "tp1": 91600,
    "tp2": 92900,
    "position_size_usdt": 1200,
}
FLAT = {
    "symbol": "BTCUSDT",
    "timestamp_iso": "2025-12-05T10:05:20Z",
    "action": "flat",
    "entry_zone": [],
    "position_size_usdt": 0,
}
FLAT_MS = NOW + 15_000


@dataclass
class Run:
    """The story so far."""

    folder: Path
    board: Storyboard = field(
        default_factory=lambda: Storyboard(world=world(position=None), policy=CLOSING)
    )
    ledger: list[dict[str, Any]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    restarted_ms: int = 0
    position: Decimal = Decimal(0)
    ticks: int = 0

    def __post_init__(self) -> None:
        """Begin with the first start of an engine."""
        self.write("opened", schema=1)
        self.start()

    @property
    def database(self) -> Path:
        """Where the journal is."""
        return self.folder / "jumar.db"

    def start(self) -> None:
        """A process of the engine begins."""
        self.recorder = TickRecorder(
            self.database, account="main", policies={"BTCUSDT": self.board.policy}
        )
        self.ticks = 0

    def write(self, kind: str, **fields: Any) -> None:
        """Append a record of the ledger."""
        self.ledger.append(
            {"seq": len(self.ledger) + 1, "t": self.board.world.now_ms, "kind": kind, **fields}
        )

    def tick(self, times: int = 1) -> None:
        """Look, plan, record and send."""
        for _ in range(times):
            self.board.later(200)
            seen, known = self.board.world, set(self.board.journal)
            planned = self.board.tick()
            self._journal(seen, planned, known)
            self.ticks += 1
            self.recorder.tick(
                TickReport(
                    tick=self.ticks,
                    world=seen,
                    plan=planned,
                    executed=(),
                    duration_ms=5,
                    overrun=False,
                )
            )

    def _journal(self, seen: World, planned: Plan, known: set[str]) -> None:
        for refusal in planned.refusals:
            self.records.append(
                RefusalSeen(
                    symbol="BTCUSDT",
                    decision_id="d1",
                    code=refusal.code,
                    rule=refusal.rule,
                    message=refusal.message,
                    at_ms=seen.now_ms,
                )
            )
        trade = planned.trade
        if trade is not None and trade.ended_ms is not None:
            self.records.append(TradeEnded(trade=trade, summary=summarize(seen, trade)))
        elif trade is not None:
            self.records.append(TradeChanged(trade=trade))
        for client_id, order in self.board.journal.items():
            if client_id not in known:
                trigger = order.request.trigger_price if order.role is Role.STOP else None
                self.records.append(Intent(order=order, tightness=trigger))
                self._accepted(order)
            self.records.append(OrderChanged(order=order))

    def _accepted(self, order: OwnOrder) -> None:
        request = order.request
        fields: dict[str, Any] = {
            "symbol": request.symbol,
            "client_id": request.client_id,
            "side": request.side.value,
            "quantity": None if request.quantity is None else str(request.quantity),
            "status": "NEW",
            "by": "client",
        }
        if request.channel is Channel.CONDITIONAL:
            number = {"algo_id": int(order.venue_id or 0)}
            self.write("conditional", **fields, **number, trigger=str(request.trigger_price))
        else:
            price = None if request.price is None else str(request.price)
            number = {"order_id": int(order.venue_id or 0)}
            self.write("order", **fields, **number, price=price, parent_algo_id=None)

    def fill(self, role: Role, quantity: str, price: str) -> None:
        """An order executes: the ledger's fill, the position, and the engine's own record of it."""
        self.board.later(200).fill(role, quantity, price)
        execution = self.board.world.fills[-1]
        assert execution.client_id is not None
        self.position += execution.signed_quantity
        common = {"symbol": "BTCUSDT", "quantity": str(execution.quantity)}
        self.write(
            "fill",
            **common,
            trade_id=execution.trade_id,
            order_id=int(execution.venue_order_id),
            side=execution.side.value,
            price=price,
        )
        self.write("position", **common | {"quantity": str(self.position)})
        self.records.append(
            FillSeen(trade_key=self.board.trade.key, client_id=execution.client_id, fill=execution)
        )

    def play(self) -> None:
        """Refused, armed, filled, protected; killed and begun again; closed because the decision says flat."""
        self.tick()
        position = world().position
        self.board.world = replace(self.board.world, position=position)
        self.tick(2)
        self.fill(Role.ENTRY, "0.013", "90786.6")
        self.tick(4)
        self.restart()
        self.tick(5)
        self.board.decide(decision(id="d2", action=Action.FLAT, levels=None, timestamp_ms=FLAT_MS))
        self.board.later(FLAT_MS - self.board.world.now_ms)
        self.tick()
        self.fill(Role.FULL_EXIT, "0.013", "90800")
        self.board.later(3000)
        self.tick(4)
        assert self.board.world.trade is None, "the story has no end"

    def restart(self) -> None:
        """Killed and begun again: what was read is forgotten until it is read once more."""
        self.restarted_ms = self.board.world.now_ms
        self.start()

    async def keep(self) -> None:
        """Write the database."""
        store = SqlStore(f"sqlite:///{self.database}")
        await store.open()
        try:
            for record in self.records:
                await store.write((record,))
        finally:
            await store.close()


def texts(decisions: Iterable[dict[str, Any]] = (LONG, FLAT)) -> list[str]:
    """Decisions as they were written."""
    return [json.dumps(each) for each in decisions]
