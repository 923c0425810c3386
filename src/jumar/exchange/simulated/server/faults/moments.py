"""What happens at moments of its own: people who cancel, stops that fail, prices that jump, symbols that are halted.

A rule is tried when it begins and then every `every_ms` of exchange time, if there is anything in its scope to strike;
which one it strikes its dice say.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.orders import OrderType, PositionSide
from jumar.exchange.simulated.server.faults.kinds import Kind, Place
from jumar.exchange.simulated.server.faults.market import (
    FOR_EVER_MS,
    ONE_STEP_MS,
    Displacement,
    Shift,
    amount,
)
from jumar.exchange.simulated.server.faults.register import Register, Standing
from jumar.exchange.simulated.server.faults.subject import Subject, in_scope, order_subject
from jumar.ports.clock import Clock

SHORTEST_MS = 10


class Streams(Protocol):
    """What moments do to stream connections."""

    def cut(self, *, private: bool) -> int:
        """Reset the connections of user streams or of market streams; how many there were."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What moments reach beside the exchange.

    Attributes:
        streams: all stream connections.
        expire_key: have the listen key run out; says whether there was one.
        again: have a symbol's market step come once more.
        jump: move for good the prices of a symbol that are set by hand; says whether they are.
    """

    streams: Streams
    expire_key: Callable[[], bool]
    again: Callable[[str], None]
    jump: Callable[[str, Decimal], bool]


type _Targets = Sequence[Subject]


class Moments:
    """Tries the rules of moments when they are due."""

    def __init__(
        self,
        register: Register,
        exchange: Exchange,
        clock: Clock,
        displacement: Displacement,
        hands: Hands,
    ) -> None:
        self._register = register
        self._exchange = exchange
        self._clock = clock
        self._displacement = displacement
        self._hands = hands
        self._news = asyncio.Event()
        self._acts: dict[Kind, Callable[[Standing, Subject], bool]] = {
            Kind.SILENT_STREAM: self._silence,
            Kind.DROPPED_STREAM: self._drop,
            Kind.EXPIRED_LISTEN_KEY: self._expire,
            Kind.CANCELLED_ORDER: self._cancel,
            Kind.SPOILED_ORDER: self._spoil,
            Kind.PARTIAL_STOP: self._starve,
            Kind.CRUMBS: self._crumble,
            Kind.MARK_DIP: self._displace,
            Kind.PRICE_GAP: self._displace,
            Kind.DELEVERAGED: self._deleverage,
            Kind.LIQUIDATED: self._liquidate,
            Kind.HALTED: self._halt,
            Kind.CHANGED_FILTERS: self._refit,
        }

    def turn(self) -> None:
        """Try what is due now."""
        for standing in self._register.at(Place.MOMENT):
            targets = self._targets(standing)
            if targets and self._register.throws(standing):
                target = standing.dice.choice(targets)
                if self._acts[standing.rule.kind](standing, target):
                    self._register.strike(standing, target)
            # Counted from the strike's own record, which may be a millisecond later than the beginning of this turn.
            pause_ms = max(SHORTEST_MS, standing.rule.whole("every_ms"))
            standing.due_ms = self._register.now_ms + pause_ms
        self._news.set()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            self._news.clear()
            dues = [
                each.due_ms
                for each in self._register.standing
                if each.rule.place is Place.MOMENT and not each.spent
            ]
            wait_s = max(0, min(dues) - self._register.now_ms) / 1000 if dues else None
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
                    continue
            self.turn()

    def end(self, standing: Standing) -> None:
        """Take back what lasts of a rule that is gone."""
        self._displacement.end(standing.number)
        if standing.rule.kind is Kind.CRUMBS:
            for symbol in standing.lasting:
                self._exchange.interference.mend(symbol)

    # what there is to strike

    def _targets(self, standing: Standing) -> _Targets:
        rule = standing.rule
        match rule.kind:
            case Kind.SILENT_STREAM | Kind.DROPPED_STREAM | Kind.EXPIRED_LISTEN_KEY:
                return (Subject(),)
            case Kind.CANCELLED_ORDER:
                found = [*self._orders(), *self._waiting()]
            case Kind.SPOILED_ORDER | Kind.PARTIAL_STOP:
                found = self._waiting(market_only=rule.kind is Kind.PARTIAL_STOP)
            case Kind.DELEVERAGED | Kind.LIQUIDATED:
                found = [
                    each for each in self._symbols() if self._exchange.holds(each.symbol or "")
                ]
            case _:
                found = [
                    each
                    for each in self._symbols()
                    if self._exchange.step(each.symbol or "") is not None
                ]
        return [each for each in found if in_scope(rule, each)]

    def _symbols(self) -> list[Subject]:
        return [Subject(symbol=symbol) for symbol in self._exchange.symbols]

    def _orders(self) -> list[Subject]:
        symbols = self._exchange.symbols
        return [order_subject(o) for symbol in symbols for o in self._exchange.orders(symbol)]

    def _waiting(self, *, market_only: bool = False) -> list[Subject]:
        """Conditional orders to which nothing was done yet."""
        return [
            order_subject(order)
            for symbol in self._exchange.symbols
            for order in self._exchange.conditionals(symbol)
            if not order.spoiled and order.part is None
            if not market_only or order.type.child is OrderType.MARKET
        ]

    # what is done

    def _silence(self, standing: Standing, target: Subject) -> bool:
        self._last(standing, target)
        return True

    def _drop(self, standing: Standing, _target: Subject) -> bool:
        return self._hands.streams.cut(private=standing.rule.word("stream") == "user") > 0

    def _expire(self, _standing: Standing, _target: Subject) -> bool:
        return self._hands.expire_key()

    def _cancel(self, _standing: Standing, target: Subject) -> bool:
        symbol, client_id = target.symbol or "", target.client_id or ""
        return self._exchange.remove(symbol, client_id, self._register.now_ms) is not None

    def _spoil(self, _standing: Standing, target: Subject) -> bool:
        return self._exchange.spoil(target.symbol or "", target.client_id or "")

    def _starve(self, standing: Standing, target: Subject) -> bool:
        part = standing.rule.decimal("part")
        symbol, client_id = target.symbol or "", target.client_id or ""
        return part is not None and self._exchange.interference.starve(symbol, client_id, part)

    def _crumble(self, standing: Standing, target: Subject) -> bool:
        quantity, symbol = standing.rule.decimal("quantity"), target.symbol or ""
        until_ms = self._last(standing, target)
        if quantity is not None:
            self._exchange.interference.crumble(symbol, quantity, until_ms)
        return quantity is not None

    def _displace(self, standing: Standing, target: Subject) -> bool:
        rule, symbol = standing.rule, target.symbol or ""
        step, instrument = self._exchange.step(symbol), self._exchange.instrument(symbol)
        percent = rule.decimal("percent")
        if step is None or instrument is None or percent is None:
            return False
        by = amount(step.mark, percent, instrument.tick_size)
        lasting = rule.parameters["for_ms"]
        if lasting is None and self._hands.jump(symbol, by):
            return True
        until_ms = FOR_EVER_MS if lasting is None else self._register.now_ms + rule.whole("for_ms")
        shift = Shift(
            mark=by,
            price=by if rule.kind is Kind.PRICE_GAP else by * 0,
            until_ms=until_ms if lasting != 0 else ONE_STEP_MS,
        )
        self._displacement.set(symbol, standing.number, shift)
        self._hands.again(symbol)
        return True

    def _deleverage(self, standing: Standing, target: Subject) -> bool:
        symbol, wanted = target.symbol or "", standing.rule.decimal("quantity")
        now_ms = self._register.now_ms
        # In one-way mode there is one side, in hedge mode there may be two: the first that holds something.
        return any(self._exchange.deleverage(symbol, wanted, now_ms, side) for side in PositionSide)

    def _liquidate(self, _standing: Standing, target: Subject) -> bool:
        return self._exchange.liquidate(target.symbol or "", self._register.now_ms)

    def _halt(self, standing: Standing, target: Subject) -> bool:
        self._last(standing, target)
        return True

    def _refit(self, standing: Standing, target: Subject) -> bool:
        rule = standing.rule
        return self._exchange.interference.refit(
            target.symbol or "",
            tick_size=rule.decimal("tick_size"),
            step_size=rule.decimal("step_size"),
            min_notional=rule.decimal("min_notional"),
        )

    def _last(self, standing: Standing, target: Subject) -> int:
        """Have it last as long as the rule says; until when."""
        now_ms = self._register.now_ms
        until_ms = now_ms + standing.rule.whole("for_ms")
        standing.last(target.symbol or "", until_ms, now_ms)
        return until_ms
