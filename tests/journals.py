"""Journals for tests of what people ask: real lives of trades, written through the store as the engine writes them.

A `Storyboard` plays the venue; what it did is written with the venue's answer 35 ms after each order.
"""

import json
from dataclasses import dataclass, field, replace

from tests.worlds import NOW, Storyboard, decision, world

from jumar.model.command import CancelOrder, Plan
from jumar.model.decision import Decision
from jumar.model.journal import (
    DecisionSeen,
    EventSeen,
    FillSeen,
    Intent,
    OrderChanged,
    Record,
    Snapshot,
    StopConfirmed,
    TradeChanged,
    TradeEnded,
    cancel_note,
)
from jumar.model.order import OrderState, OwnOrder, Role, Side
from jumar.model.trade import Trade
from jumar.model.world import DecisionState, World
from jumar.planner.summary import summarize
from jumar.reconciler.snapshot import snapshot
from jumar.store.journal import SqlStore
from jumar.store.place import Named

ANSWER_MS = 35
CONFIG = """
[account]
name = "main"
environment = "demo"
[store]
url = "sqlite:///jumar.db"
[decision]
path = "decision.json"
[limits]
max_notional_usdt = 1500
[symbols.BTCUSDT]
[symbols.ETHUSDT]
"""
"""A configuration without keys: asking needs none."""


@dataclass
class Life:
    """A trade as far as it has been played, and the notes that were made on the way."""

    board: Storyboard
    trade: Trade
    notes: list[EventSeen]
    world: World
    orders: dict[str, OwnOrder] = field(default_factory=dict)

    def journal(self) -> dict[str, OwnOrder]:
        """Every order of the trade; the board itself forgets them with its end."""
        return self.orders | self.board.journal

    def ticks(self, count: int = 2) -> None:
        """Let the engine look; remember what it noted and how the trade stands."""
        for _ in range(count):
            now = self.board.world
            if now.trade is None and now.fills:
                return
            self.orders |= self.board.journal
            plan = self.board.tick()
            if plan.trade is not None:
                self.trade, self.world = plan.trade, now
            self.notes += [self._note(note.rule, note.text, now) for note in plan.notes]
            for approved in plan.commands:
                command = approved.command
                if isinstance(command, CancelOrder):
                    words = cancel_note(command.client_id, command.cause.text)
                    self.notes.append(self._note(command.cause.rule, words, now))

    def _note(self, rule: str, message: str, now: World) -> EventSeen:
        return EventSeen(
            symbol="BTCUSDT",
            trade_key=self.trade.key,
            rule=rule,
            message=message,
            at_ms=now.now_ms,
        )


def armed(chosen: Decision | None = None) -> Life:
    """The example with its stop armed and its entry resting, from `NOW` on."""
    board = Storyboard(world=world(decision=DecisionState(decision=chosen or decision())))
    plan = board.tick()
    assert plan.trade is not None
    life = Life(board=board, trade=plan.trade, notes=[], world=board.world)
    board.later(100)
    life.ticks()
    return life


def held(chosen: Decision | None = None) -> Life:
    """The example filled 400 ms after the entry, with stops and targets resting."""
    life = armed(chosen)
    life.board.later(400).fill(Role.ENTRY, "0.013", "90786.6")
    life.ticks()
    return life


def home() -> Life:
    """The example come home by both targets, its stop moved to breakeven on the way."""
    life = held()
    life.board.later(5000).mark("91600").fill(Role.TP1, "0.006", "91600")
    life.ticks()
    life.board.later(6000).mark("91800")
    life.ticks()
    life.board.later(5000).mark("92900").fill(Role.TP2, "0.007", "92900")
    life.ticks(4)
    assert life.trade.ended_ms is not None
    return life


def answered(order: OwnOrder) -> OwnOrder:
    """The order with the venue's answer a little after it left."""
    if order.acked_ms is None:
        return order
    ended = None if order.ended_ms is None else order.ended_ms + ANSWER_MS
    return replace(order, acked_ms=order.journaled_ms + ANSWER_MS, ended_ms=ended)


def records(life: Life) -> list[Record]:
    """What the engine would have written of a life, in its order."""
    trade, chosen = life.trade, life.trade.decision
    written: list[Record] = [
        DecisionSeen(
            symbol=chosen.symbol,
            decision_id=chosen.id,
            timestamp_ms=chosen.timestamp_ms,
            outcome="accepted",
            reasons=(),
            raw="{}",
            at_ms=NOW - 4000,
            decision=chosen,
        ),
        TradeChanged(trade=replace(trade, ended_ms=None)),
    ]
    for order in sorted(life.journal().values(), key=lambda each: each.journaled_ms):
        written += of_order(answered(order))
    written += [
        FillSeen(trade_key=trade.key, client_id=fill.client_id or "", fill=fill)
        for fill in life.world.fills
    ]
    if trade.ended_ms is not None:
        written.append(TradeEnded(trade=trade, summary=summarize(life.world, trade)))
    return [*written, *life.notes]


def of_order(order: OwnOrder) -> list[Record]:
    """An order's intent, its confirmation and its present state."""
    request = order.request
    tightness = None
    if order.role is Role.STOP and request.trigger_price is not None:
        tightness = request.trigger_price if request.side is Side.SELL else -request.trigger_price
    intent = replace(order, state=OrderState.IN_FLIGHT, acked_ms=None, ended_ms=None)
    written: list[Record] = [Intent(order=intent, tightness=tightness), OrderChanged(order=order)]
    if tightness is not None and order.acked_ms is not None and order.echo_error is None:
        confirmed = StopConfirmed(
            trade_key=order.trade_key, client_id=order.client_id, at_ms=order.acked_ms
        )
        written.insert(1, confirmed)
    return written


def picture(seen: World, plan: Plan | None = None) -> Snapshot:
    """What the engine writes for people."""
    content = json.dumps(snapshot(seen, plan or Plan()))
    return Snapshot(symbol=seen.symbol, content=content, at_ms=seen.now_ms)


async def write(database: Named, *written: Record) -> None:
    """Write records into a database, made where there is none, one transaction each."""
    store = SqlStore(database)
    await store.open()
    for record in written:
        await store.write([record])
    await store.close()
