"""Building worlds for planner tests: small, explicit, one line per thing that differs.

The exchange's answers are folded in by the same pure functions that the reconciler uses; `Storyboard` plays a
venue that accepts everything, so that a test can tell a story tick by tick.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.standings import HARMLESS, MOMENT

from jumar.model import fold
from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
)
from jumar.model.amendment import AmendmentState
from jumar.model.command import AmendOrder, CancelOrder, PlaceOrder, Plan
from jumar.model.decision import Action, Decision, Levels
from jumar.model.instrument import Instrument, LeverageBracket
from jumar.model.order import (
    Channel,
    Fill,
    OrderReport,
    OrderStatus,
    OwnOrder,
    Role,
    Side,
)
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import DecisionState, Observed, Quote, Source, World
from jumar.planner import invariants
from jumar.planner.plan import plan

D = Decimal
#: Stands for amendments where a storyboard's venue refuses, or is silent, by role.
AMEND = "amend"
NOW = MOMENT
BTC = Instrument(
    symbol="BTCUSDT",
    status="TRADING",
    quote_asset="USDT",
    tick_size=D("0.10"),
    step_size=D("0.001"),
    min_price=D("556.80"),
    max_price=D("4529764"),
    min_quantity=D("0.001"),
    max_quantity=D("1000"),
    market_min_quantity=D("0.001"),
    market_max_quantity=D("120"),
    min_notional=D("50"),
    multiplier_up=D("1.05"),
    multiplier_down=D("0.95"),
    brackets=(
        LeverageBracket(
            bracket=1,
            max_leverage=125,
            notional_floor=D(0),
            notional_cap=D(50000),
            maintenance_margin_rate=D("0.004"),
            cumulative=D(0),
        ),
        LeverageBracket(
            bracket=2,
            max_leverage=100,
            notional_floor=D(50000),
            notional_cap=D(600000),
            maintenance_margin_rate=D("0.005"),
            cumulative=D(50),
        ),
    ),
    maker_fee=D("0.0002"),
    taker_fee=D("0.0004"),
)
POLICY = Policy(max_notional_usdt=D(5000))
CHECKS = tuple(
    (name, True)
    for name in (
        "daily_dd_ok",
        "weekly_dd_ok",
        "max_trades_per_day_ok",
        "session_ok",
        "no_major_news",
    )
)


def decision(**changes: object) -> Decision:
    """The specification's example, five seconds old at `NOW`."""
    base = Decision(
        id="d1",
        symbol="BTCUSDT",
        timestamp_ms=NOW - 5000,
        action=Action.LONG,
        reason="trend_up",
        levels=Levels(
            zone_min=D(90700), zone_max=D(90900), stop=D(90380), tp1=D(91600), tp2=D(92900)
        ),
        notional=D(1200),
        leverage=D(3),
        confidence=D("0.74"),
        risk_checks=CHECKS,
        enable_trailing=True,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def short_decision(**changes: object) -> Decision:
    """The example mirrored around 90 800."""
    levels = Levels(zone_min=D(90700), zone_max=D(90900), stop=D(91220), tp1=D(90000), tp2=D(88700))
    return decision(**{"action": Action.SHORT, "levels": levels, **changes})


def levels(**changes: Decimal | None) -> Levels:
    """The example's levels with some changed."""
    base = decision().levels
    assert base is not None
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def seen[T](value: T, age_ms: int = 100, source: Source = Source.REST) -> Observed[T]:
    """A value read a moment ago."""
    return Observed(value=value, at_ms=NOW - age_ms, source=source)


def world(**changes: object) -> World:
    """An idle world in which every guard holds for the example decision."""
    base = World(
        now_ms=NOW,
        account="main",
        store_id="store",
        symbol="BTCUSDT",
        ready=True,
        instrument=BTC,
        account_settings=seen(
            AccountSettings(hedge_mode=False, multi_assets=False, can_trade=True)
        ),
        settings=seen(SymbolSettings(leverage=3, margin_mode=MarginMode.ISOLATED)),
        balance=seen(Balance(wallet=D(10000), equity=D(10000), available=D(10000))),
        quote=seen(
            Quote(bid=D("90820"), ask=D("90820.1"), bid_quantity=D(5), ask_quantity=D(5)),
            source=Source.STREAM,
        ),
        mark=seen(D(90820), source=Source.STREAM),
        last=seen(D(90820), source=Source.STREAM),
        position=seen(PositionReport(symbol="BTCUSDT", quantity=ZERO, entry_price=ZERO)),
        open_orders=seen(()),
        conditional_orders=seen(()),
        decision=DecisionState(decision=decision()),
        funding=(),
        standing=HARMLESS,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def quote(bid: str, ask: str) -> Observed[Quote]:
    """Best bid and ask."""
    return seen(
        Quote(bid=D(bid), ask=D(ask), bid_quantity=D(5), ask_quantity=D(5)), source=Source.STREAM
    )


def codes(result: Plan) -> list[str]:
    """The codes of a plan's refusals."""
    return [refusal.code for refusal in result.refusals]


def places(result: Plan) -> list[PlaceOrder]:
    """The placements of a plan, in their order."""
    return [a.command for a in result.commands if isinstance(a.command, PlaceOrder)]


def cancels(result: Plan) -> list[CancelOrder]:
    """The cancels of a plan, in their order."""
    return [a.command for a in result.commands if isinstance(a.command, CancelOrder)]


def amends(result: Plan) -> list[AmendOrder]:
    """The amendments of a plan, in their order."""
    return [a.command for a in result.commands if isinstance(a.command, AmendOrder)]


def roles(result: Plan) -> list[str]:
    """What a plan does, in its order: `+S`, `~E`, `-E`."""
    words = []
    for approved in result.commands:
        command = approved.command
        if isinstance(command, PlaceOrder):
            words.append(f"+{command.request.role.value}")
        elif isinstance(command, AmendOrder):
            words.append("~E")
        elif isinstance(command, CancelOrder):
            words.append(f"-{command.client_id.split('-')[2][0]}")
        else:
            words.append(type(command).__name__)
    return words


@dataclass
class Storyboard:
    """A venue that does what it is told, one tick at a time.

    `tick()` plans, checks the invariants, journals and acknowledges; helpers fill, trigger, cancel and move time.
    """

    world: World
    policy: Policy = POLICY
    next_id: int = 1
    journal: dict[str, OwnOrder] = field(default_factory=dict)
    refuse: dict[Role | str, int] = field(default_factory=dict)
    silent: set[Role | str] = field(default_factory=set)

    def tick(self) -> Plan:
        """One pass of the loop against an obedient venue."""
        result = self.tick_only()
        self._remember(result)
        for approved in result.commands:
            command = approved.command
            if isinstance(command, PlaceOrder):
                self._place(command)
            elif isinstance(command, AmendOrder):
                self._amend(command)
            elif isinstance(command, CancelOrder):
                order = replace(self.journal[command.client_id], cancel_sent_ms=self.world.now_ms)
                self._put(fold.end_canceled(order, self.world.now_ms))
        self._sync()
        return result

    def tick_only(self) -> Plan:
        """What one pass would do; nothing comes of it."""
        result = plan(self.world, self.policy)
        invariants.check(self.world, result, self.policy)
        return result

    def _remember(self, result: Plan) -> None:
        """Keep what the engine keeps between two looks; a trade that has ended is forgotten."""
        since_ms = self.world.uncovered_ms
        since_ms = self.world.now_ms if since_ms is None else since_ms
        uncovered_ms = since_ms if result.uncovered else None
        bare_ms = self.world.now_ms if result.uncovered else None
        mode = self.world.mode if result.mode is None else result.mode
        self.world = replace(self.world, uncovered_ms=uncovered_ms, bare_ms=bare_ms, mode=mode)
        for order in result.adopted:
            self._put(order)
        if result.trade is None:
            return
        if result.trade.ended_ms is None:
            self.world = replace(self.world, trade=result.trade)
            return
        fills = self.world.fills
        ended_ms = max((fill.time_ms for fill in fills), default=self.world.last_end_ms)
        self.world = replace(self.world, trade=None, fills=(), last_end_ms=ended_ms)
        if fills:
            self.journal = {n: o for n, o in self.journal.items() if not o.ended}

    def run(self, ticks: int = 3) -> list[str]:
        """Several ticks; what they did, one after the other."""
        return [word for _ in range(ticks) for word in roles(self.tick())]

    def later(self, ms: int) -> "Storyboard":
        """Let time pass with fresh reads and prices, as the loop would have them."""
        now = self.world.now_ms + ms
        fresh = {
            name: replace(part, at_ms=now - 50)
            for name in ("quote", "mark", "last", "position", "open_orders", "conditional_orders")
            if (part := getattr(self.world, name)) is not None
        }
        self.world = replace(self.world, now_ms=now, **fresh)
        return self._mark_seen()

    def mark(self, price: str) -> "Storyboard":
        """Move mark, last and the quote."""
        value = D(price)
        at = self.world.now_ms
        self.world = replace(
            self.world,
            mark=Observed(value=value, at_ms=at, source=Source.STREAM),
            last=Observed(value=value, at_ms=at, source=Source.STREAM),
            quote=Observed(
                value=Quote(bid=value, ask=value + D("0.1"), bid_quantity=D(5), ask_quantity=D(5)),
                at_ms=at,
                source=Source.STREAM,
            ),
        )
        return self._mark_seen()

    def _mark_seen(self) -> "Storyboard":
        """Mark prices of the last seconds are kept by their own time (S-8)."""
        mark = self.world.mark
        if mark is not None:
            others = [seen for seen in self.world.marks if seen.at_ms != mark.at_ms]
            self.world = replace(self.world, marks=(*others, mark)[-10:])
        return self

    def reads(self, quantity: str, price: str = "90786.6") -> "Storyboard":
        """The position is read now, and says this; an unbroken run of such reads keeps its first time."""
        now, before = self.world.now_ms, self.world.position
        report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(price))
        since_ms = self.world.position_since_ms
        if before is None or before.value.quantity != report.quantity or since_ms is None:
            since_ms = now
        read = Observed(value=report, at_ms=now, source=Source.REST)
        self.world = replace(self.world, position=read, position_since_ms=since_ms)
        return self

    def asks(self) -> "Storyboard":
        """Executions and liquidations are asked for now, and tell nothing new (Y-2)."""
        now = self.world.now_ms
        self.world = replace(self.world, fills_read_ms=now, forced_read_ms=now)
        return self

    def lists(self, *reports: OrderReport) -> "Storyboard":
        """Both order lists are read now; what they tell of our orders is folded in."""
        now = self.world.now_ms
        lists = {
            channel: Observed(
                value=tuple(report for report in reports if report.channel is channel),
                at_ms=now,
                source=Source.REST,
            )
            for channel in Channel
        }
        self.world = replace(
            self.world,
            open_orders=lists[Channel.REGULAR],
            conditional_orders=lists[Channel.CONDITIONAL],
        )
        for report in reports:
            if report.client_id in self.journal:
                self._put(fold.fold(self.journal[report.client_id], report, now))
        self._sync()
        return self

    def listed(self, name: str) -> OrderReport:
        """What a list says of one of our orders, named by role and attempt, while it rests."""
        order = self.alive()[name]
        return self._report(order, OrderStatus.NEW, order.filled_quantity)

    def forgets(self, name: str) -> "Storyboard":
        """Two lists, two seconds apart and long after its acknowledgement, lack one of our orders (S-13)."""
        order = self.alive()[name]
        first_ms = (order.acked_ms or self.world.now_ms) + 2000
        self._put(replace(order, unlisted=(first_ms, first_ms + 2000)))
        self._sync()
        return self

    def by_hand(self, side: Side, quantity: str, price: str = "90800") -> "Storyboard":
        """A person trades on the same position: the execution and the event are told."""
        now = self.world.now_ms
        execution = Fill(
            symbol="BTCUSDT",
            trade_id=self._id(),
            venue_order_id=f"hand {self.next_id}",
            client_id=None,
            side=side,
            price=D(price),
            quantity=D(quantity),
            maker=False,
            fee=ZERO,
            fee_asset="USDT",
            realized_pnl=ZERO,
            time_ms=now,
        )
        before = self.world.position
        held = ZERO if before is None else before.value.quantity
        size = held + execution.signed_quantity
        report = PositionReport(symbol="BTCUSDT", quantity=size, entry_price=D(price))
        event = Observed(value=report, at_ms=now, source=Source.STREAM)
        fills = (*self.world.fills, execution) if self.world.trade is not None else ()
        self.world = replace(self.world, fills=fills, position_event=event)
        return self.reads(str(size), price)

    def fill(self, role: Role, quantity: str, price: str) -> "Storyboard":
        """An order of a role executes; the position follows."""
        order = next(
            o for o in reversed(self.journal.values()) if o.role is role and o.alive_or_unknown
        )
        return self._fill(order, D(quantity), D(price))

    def _fill(self, order: OwnOrder, quantity: Decimal, price: Decimal) -> "Storyboard":
        now = self.world.now_ms
        execution = Fill(
            symbol="BTCUSDT",
            trade_id=self._id(),
            venue_order_id=order.venue_id or "0",
            client_id=order.client_id,
            side=order.request.side,
            price=price,
            quantity=quantity,
            maker=True,
            fee=price * quantity * D("0.0002"),
            fee_asset="USDT",
            realized_pnl=ZERO,
            time_ms=now,
        )
        filled = order.filled_quantity + quantity
        whole = order.request.quantity is not None and filled >= order.request.quantity
        conditional = order.request.channel is Channel.CONDITIONAL
        done = OrderStatus.FINISHED if conditional else OrderStatus.FILLED
        partly = OrderStatus.TRIGGERED if conditional else OrderStatus.PARTIALLY_FILLED
        report = self._report(order, done if whole else partly, filled)
        self._put(fold.fold(order, report, now))
        fills = (*self.world.fills, execution)
        size = sum((fill.signed_quantity for fill in fills), start=ZERO)
        position = PositionReport(symbol="BTCUSDT", quantity=size, entry_price=price)
        self.world = replace(
            self.world,
            fills=fills,
            position_event=Observed(value=position, at_ms=now, source=Source.STREAM),
            position=Observed(value=position, at_ms=now, source=Source.REST),
        )
        self._sync()
        return self

    def trigger(self, role: Role, fill_price: str | None = None) -> "Storyboard":
        """A conditional order's trigger fires; with a price its child sells all of the position."""
        order = next(
            o for o in reversed(self.journal.values()) if o.role is role and o.alive_or_unknown
        )
        report = self._report(order, OrderStatus.TRIGGERED, ZERO)
        self._put(fold.fold(order, report, self.world.now_ms))
        self._sync()
        if fill_price is None:
            return self
        size = sum((fill.signed_quantity for fill in self.world.fills), start=ZERO)
        self._fill(self.journal[order.client_id], abs(size), D(fill_price))
        return self.end(role, OrderStatus.FINISHED)

    def end(self, role: Role, status: OrderStatus) -> "Storyboard":
        """An order of a role ends by the venue's or a person's hand."""
        for order in list(self.journal.values()):
            if order.role is role and order.alive_or_unknown:
                report = self._report(order, status, order.filled_quantity)
                self._put(fold.fold(order, report, self.world.now_ms))
        self._sync()
        return self

    def bare(self, code: int | None = None) -> "Storyboard":
        """Somebody takes both layers of stops away; new ones are refused with a code, if any."""
        roles = (Role.STOP, Role.BACKSTOP)
        self.refuse |= {} if code is None else dict.fromkeys(roles, code)
        self.end(Role.STOP, OrderStatus.CANCELED)
        return self.end(Role.BACKSTOP, OrderStatus.CANCELED)

    def decide(self, newer: Decision) -> "Storyboard":
        """A newer decision comes into force."""
        self.world = replace(self.world, decision=DecisionState(decision=newer))
        return self

    def alive(self) -> dict[str, OwnOrder]:
        """What rests now, by role and attempt."""
        return {
            f"{order.role.value}{order.attempt}": order
            for order in self.journal.values()
            if order.alive_or_unknown
        }

    @property
    def trade(self) -> Trade:
        """The open trade."""
        assert self.world.trade is not None
        return self.world.trade

    def _place(self, command: PlaceOrder) -> None:
        now = self.world.now_ms
        request = command.request
        own = command.journaled(now)
        if request.role in self.refuse:
            own = fold.end_refused(own, self.refuse[request.role], "refused", now)
        elif request.role in self.silent:
            own = fold.mark_unknown(own)
        else:
            own = fold.fold(own, self._report(own, OrderStatus.NEW, ZERO), now)
        self._put(own)

    def _amend(self, command: AmendOrder) -> None:
        """The venue does it; with `AMEND` in `refuse` it refuses, in `silent` nothing is heard."""
        now = self.world.now_ms
        own = fold.ask_amendment(self.journal[command.client_id], command.journaled(now))
        if AMEND in self.refuse:
            own = fold.settle_amendment(own, AmendmentState.REFUSED, now, self.refuse[AMEND])
        elif AMEND not in self.silent:
            own = fold.settle_amendment(own, AmendmentState.DONE, now)
        self._put(own)

    def _report(self, order: OwnOrder, status: OrderStatus, filled: Decimal) -> OrderReport:
        request = order.request
        return OrderReport(
            symbol=request.symbol,
            channel=request.channel,
            client_id=request.client_id,
            venue_id=order.venue_id or str(self._id()),
            side=request.side,
            type=request.type.value,
            status=status,
            quantity=request.quantity,
            price=order.price,
            trigger_price=request.trigger_price,
            filled_quantity=filled,
            reduce_only=request.reduce_only or request.close_position,
            close_position=request.close_position,
            updated_ms=self.world.now_ms,
            working_type=request.working_type,
            time_in_force=request.time_in_force,
            price_protect=False,
        )

    def _put(self, order: OwnOrder) -> None:
        self.journal[order.client_id] = order

    def _sync(self) -> None:
        self.world = replace(self.world, orders=tuple(self.journal.values()))

    def _id(self) -> int:
        self.next_id += 1
        return self.next_id


def opened(side: Side = Side.BUY, policy: Policy = POLICY) -> Storyboard:
    """A trade whose entry has wholly filled at 90 786.6 (short: 90 813.4), stops and targets resting."""
    chosen = decision() if side is Side.BUY else short_decision()
    board = Storyboard(world=world(decision=DecisionState(decision=chosen)), policy=policy)
    board.run(2)
    price = "90786.6" if side is Side.BUY else "90813.4"
    board.fill(Role.ENTRY, "0.013", price)
    board.run(2)
    return board
