"""What one symbol's loop has seen: the last REST snapshot with every later stream event applied.

Mutable, owned by one event loop, no I/O: reads and events are fed in, `world()` comes out. Changes to our own
orders, fills and trade collect as records until they are flushed to the store.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from jumar.model import fold
from jumar.model.account import AccountSettings, Balance, PositionReport, SymbolSettings
from jumar.model.ids import parse_client_id
from jumar.model.instrument import Instrument
from jumar.model.journal import (
    EventSeen,
    FillSeen,
    ModeChanged,
    OrderAdopted,
    OrderChanged,
    StopConfirmed,
    SymbolMemory,
    TradeChanged,
)
from jumar.model.levels import MarketLevels
from jumar.model.mode import Mode, ModeState
from jumar.model.order import (
    INVISIBLE_MS,
    STOP_ROLES,
    Channel,
    Fill,
    OrderReport,
    OrderState,
    OwnOrder,
    Role,
    Side,
)
from jumar.model.standing import NOTHING_KNOWN, Standing
from jumar.model.trade import Trade
from jumar.model.world import DecisionState, Observed, Source, World, newer, newest
from jumar.planner.ladder import strictest
from jumar.ports import exchange as venue
from jumar.reconciler.account import AccountState
from jumar.reconciler.dead_man import DeadMan
from jumar.reconciler.executions import Executions
from jumar.reconciler.funding import FundingBook
from jumar.reconciler.outbox import Outbox
from jumar.reconciler.prices import Prices
from jumar.reconciler.senses import Senses
from jumar.reconciler.watch import WatchList

#: How long a failed set-up (margin mode, leverage) keeps an entry from being tried again.
SETUP_ERROR_MS = 30_000
#: How long an accepted order may go without its event before the stream counts as silent.
MUTE_MS = 3000
#: How old the newest position read may be before the venue counts as out of reach.
UNREACHABLE_MS = 3000


class SymbolState:
    """Everything known about one symbol, fed by reads and events.

    Attributes:
        streaming: whether the user stream is up, as far as is known.
        reread_ms: when the user stream came up: what was asked before may lack what it did not tell.
        history_read: whether the exchange's own order history has been read since the start (Y-12).
        journal_fresh: the journal was empty at the start, or the history shows that it was replaced.
        entries_through_ms: time of the newest entry in that history that the journal does not know (Y-12).
        mode: what is kept of M-1, None for NORMAL.
        common: what the loops of one account share.
    """

    def __init__(
        self,
        *,
        account: str,
        store_id: str,
        memory: SymbolMemory,
        journal_fresh: bool = False,
        common: AccountState | None = None,
    ) -> None:
        self.account = account
        self.common = AccountState() if common is None else common
        self.senses = Senses()
        self.store_id = store_id
        self.symbol = memory.symbol
        self.ready = False
        self.history_read = False
        self.journal_fresh = journal_fresh
        self.entries_through_ms: int | None = None
        self.mode = memory.mode
        self.last_end_ms = memory.last_end_ms
        self.last_end_side: Side | None = None
        self._entry_ids = memory.entry_ids
        entries = (parse_client_id(client_id) for client_id in memory.entry_ids)
        self._known_keys = frozenset(entry.key for entry in entries if entry is not None)
        self._known_keys |= {order.trade_key for order in memory.orders}
        self.draining = False
        self.reread_ms = 0
        self.streaming = False
        self._told: set[str] = set()
        self.balance_due = True
        self.settings_due = True
        self.instrument: Instrument | None = None
        self.account_settings: Observed[AccountSettings] | None = None
        self.settings: Observed[SymbolSettings] | None = None
        self.balance: Observed[Balance] | None = None
        self.prices = Prices()
        self.funding = FundingBook()
        self.dead_man = DeadMan()
        self.position: Observed[PositionReport] | None = None
        self.position_event: Observed[PositionReport] | None = None
        self.open_orders: Observed[tuple[OrderReport, ...]] | None = None
        self.conditional_orders: Observed[tuple[OrderReport, ...]] | None = None
        self.decision: DecisionState | None = None
        self.levels: MarketLevels | None = None
        self.trade: Trade | None = memory.trade
        # What was in flight when the last process ended was perhaps sent: it is asked for and settled.
        self.orders: dict[str, OwnOrder] = {
            order.client_id: fold.mark_unknown(order) for order in memory.orders
        }
        self._watched = WatchList(memory.watched)
        self.executions = Executions(memory.fills)
        self.position_since_ms: int | None = None
        self.uncovered_ms: int | None = None
        self._bare_ms: int | None = None
        self._lists_since_ms = 0
        self._setup_error: tuple[str, int] | None = None
        self.outbox = Outbox()

    # events and reads in

    def apply(self, event: venue.VenueEvent, now_ms: int) -> bool:
        """Apply one stream event; say whether the loop should look at once."""
        match event:
            case venue.OrderEvent():
                self._told.add(event.report.client_id)
                self.saw_order(event.report, now_ms)
                if event.fill is not None:
                    self.saw_fill(event.fill)
                return True
            case venue.PositionEvent():
                self._saw_position_event(event)
                return True
            case venue.QuoteEvent():
                self.prices.saw_quote(_streamed(event.quote, event.at_ms))
            case venue.MarkEvent():
                self.prices.saw_mark(_streamed(event.mark, event.at_ms))
                self.funding.saw_next(event.next_funding_ms, now_ms)
            case venue.LastPriceEvent():
                self.prices.saw_last(_streamed(event.price, event.at_ms))
            case venue.SettingsEvent():
                self.settings_due = True
            case venue.StreamEvent():
                self.streaming = event.connected
                if event.connected:
                    self.reread_ms = now_ms
                    self._told.clear()
                return event.connected
            case venue.BalanceEvent():
                self.balance_due = True
            case venue.ClockEvent():
                self.common.clock_off_ms = event.off_ms
        return False

    def _saw_position_event(self, event: venue.PositionEvent) -> None:
        seen = _streamed(event.report, event.at_ms)
        self.position_event = newer(self.position_event, seen)

    def saw_position(self, seen: Observed[PositionReport]) -> None:
        """Take in a position read; what a newer read said is not taken back by a late answer."""
        before = self.position
        if before is not None and seen.at_ms <= before.at_ms:
            return
        if before is None or before.value.quantity != seen.value.quantity:
            self.position_since_ms = seen.at_ms
        self.position = seen
        self.senses.saw_position(seen)

    def saw_cover(self, *, uncovered: bool, now_ms: int) -> None:
        """Remember since when a position has no stop; while the venue cannot be reached nothing counts (S-7)."""
        self._bare_ms = now_ms if uncovered else None
        read = self.position
        reachable = read is not None and now_ms - read.at_ms <= UNREACHABLE_MS
        if not (uncovered and reachable):
            self.uncovered_ms = None
        elif self.uncovered_ms is None:
            self.uncovered_ms = now_ms

    def saw_history(self, reports: Iterable[OrderReport]) -> None:
        """Take in the exchange's own order history: entries of ours that the journal does not know (Y-12)."""
        for report in reports:
            parsed = parse_client_id(report.client_id)
            if parsed is None or parsed.role is not Role.ENTRY:
                continue
            if report.client_id in self._entry_ids or report.client_id in self.orders:
                continue
            self.journal_fresh = True
            self.entries_through_ms = max(self.entries_through_ms or 0, report.updated_ms)
        self.history_read = True

    def is_mute(self, now_ms: int) -> bool:
        """Whether the stream is up but silent: an accepted order of ours without its event within 3 s (section 11)."""
        return any(
            order.alive_or_unknown
            and order.acked_ms is not None
            and order.journaled_ms > self.reread_ms
            and now_ms - order.acked_ms > MUTE_MS
            and order.client_id not in self._told
            for order in self.orders.values()
        )

    def saw_order(self, report: OrderReport, now_ms: int) -> None:
        """Fold one observation into our own order, if it is one."""
        own = self._own(report)
        if own is None:
            return
        self.put(fold.fold(own, report, now_ms), now_ms)

    def saw_list(
        self, channel: Channel, reports: tuple[OrderReport, ...], asked_ms: int, now_ms: int
    ) -> None:
        """Take in one of the two order lists; what it lacks is no proof of anything."""
        for report in reports:
            self.saw_order(report, now_ms)
        if asked_ms < self._lists_since_ms:
            return
        seen = Observed(value=reports, at_ms=asked_ms, source=Source.REST)
        if channel is Channel.REGULAR:
            self.open_orders = seen
        else:
            self.conditional_orders = seen
        listed = {report.client_id for report in reports}
        for order in list(self.orders.values()):
            if order.request.channel is channel and order.client_id not in listed:
                self._unlisted(order, asked_ms, now_ms)

    def _unlisted(self, order: OwnOrder, asked_ms: int, now_ms: int) -> None:
        """A list lacks a stop that was acknowledged: the first and the last time are kept (S-13)."""
        if order.role not in STOP_ROLES or order.state is not OrderState.OPEN:
            return
        if order.acked_ms is None or asked_ms < order.acked_ms + INVISIBLE_MS:
            return
        times = (*order.unlisted[:1], asked_ms)
        if not order.invisible:
            self.put(replace(order, unlisted=times), now_ms)

    def saw_fill(self, fill: Fill) -> None:
        """Count an execution once, by trade id, whoever tells it, in any order (X-6)."""
        since_ms = 0 if self.trade is None else self._since_ms(self.trade)
        first = not self.executions.fills
        seen = self.executions.saw(fill, self._owner(fill), self.trade, since_ms)
        if seen is not None:
            self.outbox.add(seen)
            if first:
                self._got_position(fill.time_ms)

    def _got_position(self, at_ms: int) -> None:
        """From here on the trade's own best mark and funding count."""
        self.prices.follow()
        self.funding.begin(at_ms)

    @property
    def holds(self) -> bool:
        """Whether the open trade ever held something, as far as is known."""
        trade = self.trade
        return trade is not None and (bool(self.executions.fills) or trade.adopted_quantity > 0)

    def _own(self, report: OrderReport) -> OwnOrder | None:
        known = self.orders.get(report.client_id) or self._watched.get(report.client_id)
        if known is not None:
            return known
        if report.channel is Channel.REGULAR:
            return self._by_venue_id(report.venue_id)
        return None

    def _owner(self, fill: Fill) -> OwnOrder | None:
        named = self.orders.get(fill.client_id or "")
        if named is not None and named.request.side is fill.side:
            return named
        return self._by_venue_id(fill.venue_order_id)

    def _by_venue_id(self, venue_id: str) -> OwnOrder | None:
        """The order with that regular id: its own, or that of the child it became."""
        for order in self.orders.values():
            regular = order.request.channel is Channel.REGULAR and order.venue_id == venue_id
            if regular or order.child_venue_id == venue_id:
                return order
        return None

    # our own orders and trade

    def put(self, order: OwnOrder, now_ms: int) -> None:
        """Remember the present state of one of our orders."""
        before = self.orders.get(order.client_id) or self._watched.get(order.client_id)
        if before == order:
            return
        if before is not None and before.ended and not order.ended:
            self.note("X-4", f"{order.client_id} was presumed dead and is alive", now_ms)
        self._watched.rose(order.client_id)
        self.orders[order.client_id] = order
        self.outbox.add(OrderChanged(order=order))
        newly = before is None or not before.confirmed
        if order.role is Role.STOP and order.confirmed and newly:
            self.outbox.add(
                StopConfirmed(trade_key=order.trade_key, client_id=order.client_id, at_ms=now_ms)
            )
        for fill in list(self.executions.loose.values()):
            self.saw_fill(fill)

    def adopt(self, order: OwnOrder, now_ms: int) -> None:
        """Take an order that was found on the exchange into the trade (Y-1)."""
        trigger, sign = order.request.trigger_price, -1 if order.request.side is Side.BUY else 1
        stop = order.role is Role.STOP and trigger is not None
        tightness = trigger * sign if stop and trigger is not None else None
        self.orders[order.client_id] = order
        self._told.add(order.client_id)  # it rested before: no event of it is due
        self.outbox.add(OrderAdopted(order=order, tightness=tightness))
        if stop:
            self.outbox.add(
                StopConfirmed(trade_key=order.trade_key, client_id=order.client_id, at_ms=now_ms)
            )

    def set_mode(self, mode: ModeState) -> None:
        """Keep a mode from now on."""
        if mode != self.mode:
            self.mode = mode
            self.outbox.add(ModeChanged(symbol=self.symbol, state=mode))

    @property
    def kept_mode(self) -> Mode:
        """The stricter of the symbol's and the account's mode, as kept at this moment (M-1)."""
        return strictest(mode for mode in (self.mode, self.common.mode) if mode is not None)

    def set_account_mode(self, changed: ModeChanged | None) -> None:
        """Have a change of the account's mode written."""
        if changed is not None:
            self.outbox.add(changed)

    def set_trade(self, trade: Trade) -> None:
        """Remember the trade; the record is flushed before anything is sent."""
        if trade != self.trade:
            if trade.adopted and (self.trade is None or self.trade.key != trade.key):
                self._got_position(trade.armed_ms)
            self.trade = trade
            self._known_keys |= {trade.key}
            self.outbox.add(TradeChanged(trade=trade))

    def record_hands(self, fills: Iterable[Fill]) -> None:
        """Have the executions of no order of ours written too; only at the end is it sure whose they are (Y-3)."""
        for fill in fills:
            if self.trade is not None and fill.trade_id not in self.executions.fills:
                who = fill.client_id or ""
                self.outbox.add(FillSeen(trade_key=self.trade.key, client_id=who, fill=fill))

    def end_trade(self, key: str, *, filled_ms: int | None, ended_ms: int) -> None:
        """Forget the ended trade; orders of an unfilled set-up stay, so that attempts keep their numbers.

        They stay through a filled trade too (an adopted one may come between two attempts of one decision).

        Args:
            key: the trade's.
            filled_ms: exchange time of its last fill, None when it never had one.
            ended_ms: exchange time of its end; order lists that were asked before may still show its orders.
        """
        self._lists_since_ms = ended_ms
        if filled_ms is not None and self.trade is not None:
            self.last_end_ms, self.last_end_side = filled_ms, self.trade.side
        self.trade = None
        self.uncovered_ms = self._bare_ms = None
        self.executions.clear()
        self._told.clear()
        # What was listed before its orders ended is no sign of what is left now (Y-1); see `saw_list`.
        self.open_orders = self.conditional_orders = None
        filled = filled_ms is not None
        self._watched.keep(self.orders.values(), ended_ms)
        self.orders = {
            name: order
            for name, order in self.orders.items()
            if not order.ended or (order.trade_key != key) is filled
        }

    def setup_failed(self, why: str, now_ms: int) -> None:
        """Margin mode or leverage could not be set."""
        self._setup_error = (why, now_ms)

    def note(self, rule: str, message: str, now_ms: int) -> None:
        """Have a line of the story written with the next flush."""
        key = None if self.trade is None else self.trade.key
        self.outbox.add(
            EventSeen(symbol=self.symbol, trade_key=key, rule=rule, message=message, at_ms=now_ms)
        )

    # the world out

    def world(self, now_ms: int) -> World:
        """Return the world as one frozen value."""
        error = self._setup_error
        if error is not None and now_ms - error[1] > SETUP_ERROR_MS:
            error = self._setup_error = None
        key = None if self.trade is None else self.trade.key
        strays = [o for o in self.orders.values() if o.trade_key != key and not o.ended]
        return World(
            now_ms=now_ms,
            account=self.account,
            store_id=self.store_id,
            symbol=self.symbol,
            ready=self.ready,
            draining=self.draining,
            setup_error=None if error is None else error[0],
            instrument=self.instrument,
            account_settings=self.account_settings,
            settings=self.settings,
            balance=self.balance,
            quote=self.prices.quote,
            mark=self.prices.mark,
            last=self.prices.last,
            position=self.position,
            position_event=self.position_event,
            open_orders=self.open_orders,
            conditional_orders=self.conditional_orders,
            decision=self.decision,
            trade=self.trade,
            orders=self.present_orders(),
            fills=self.present_fills(now_ms),
            mode=self.mode,
            account_mode=self.common.mode,
            health=self.common.health(
                unanswered_ms=self.senses.unanswered_ms,
                hears=self.streaming and not self.is_mute(now_ms),
                now_ms=now_ms,
            ),
            liquidations=self.senses.liquidations,
            marks=self.prices.marks,
            uncovered_ms=self.uncovered_ms,
            strays=tuple(sorted(strays, key=_by_age)),
            position_since_ms=self.position_since_ms,
            fills_read_ms=self.executions.read_ms,
            forced_read_ms=self.executions.forced_read_ms,
            journal_fresh=self.journal_fresh,
            known_keys=self._known_keys,
            last_end_ms=self.last_end_ms,
            last_end_side=self.last_end_side,
            levels=self.levels,
            countdown=self.dead_man.asked,
            no_dead_man=self.dead_man.unproven,
            best_mark=self._best_mark() if self.holds else None,
            funding=self.funding.present(now_ms) if self.holds else None,
            bare_ms=self._bare_ms,
            standing=self._standing(now_ms),
        )

    def _standing(self, now_ms: int) -> Standing:
        standings = self.common.standings
        return (
            NOTHING_KNOWN if standings is None else standings.of(self.symbol, self.balance, now_ms)
        )

    def _best_mark(self) -> Decimal | None:
        sells = self.trade is not None and self.trade.side is Side.SELL
        return self.prices.low if sells else self.prices.high

    def _since_ms(self, trade: Trade) -> int:
        """From when on an execution may belong to a trade; the last fill of the one before is older, by any clock.

        An adopted position holds the execution that made it, which has the time of its event.
        """
        armed_ms = trade.armed_ms + (1 if trade.adopted else 0)
        return armed_ms if self.last_end_ms is None else max(armed_ms, self.last_end_ms + 1)

    def present_orders(self) -> tuple[OwnOrder, ...]:
        """The orders of the open trade, oldest first; without one, those of earlier set-ups still remembered."""
        key = None if self.trade is None else self.trade.key
        orders = [o for o in self.orders.values() if key is None or o.trade_key == key]
        return tuple(sorted(orders, key=_by_age))

    def present_fills(self, now_ms: int) -> tuple[Fill, ...]:
        """The executions of the open trade, those of a hand among them once nobody of ours claims them (Y-3)."""
        if self.trade is None:
            return ()
        doubtful = any(
            order.unresolved or (order.executing and order.child_venue_id is None)
            for order in self.orders.values()
        )
        return self.executions.present(
            self.trade,
            self._since_ms(self.trade),
            doubtful=doubtful,
            told=newest(self.position, self.position_event),
            now_ms=now_ms,
        )


def _by_age(order: OwnOrder) -> tuple[int, str]:
    return order.journaled_ms, order.client_id


def _streamed[T](value: T, at_ms: int) -> Observed[T]:
    return Observed(value=value, at_ms=at_ms, source=Source.STREAM)
