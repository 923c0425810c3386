"""Reading the truth: what is due by REST, own orders by id, fills that reports promise (section 11, W-1, Y-8).

Promises: one failed read never hides another; a part that could not be read just grows old, and the guards
see its age. A slow read never delays protection: it is waited for a moment and then goes on beside the loop.
Nothing here sends anything that changes the account.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import structlog

from jumar.model import fold
from jumar.model.amendment import AmendmentState
from jumar.model.errors import VenueError, VenueRefused
from jumar.model.order import Channel, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source, World, newest
from jumar.planner.emergency import EXIT_QUICK_TRIES, EXIT_REPEAT_MS, HALTED
from jumar.planner.sweep import request_dead_ms
from jumar.ports.clock import Clock
from jumar.ports.exchange import Exchange
from jumar.reconciler.pace import INCOME_WEIGHT
from jumar.reconciler.shared import SharedReads
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.observe")

ASK_AGAIN_MS = 1000
ASK_FIRST_MS = 300
FILLS_AGAIN_MS = 1000
#: Liquidations are asked for until an answer is so much younger than the first read that found nothing.
FORCED_AFTER_MS = 2500
PRICE_FALLBACK_MS = 2500
LAST_FALLBACK_MS = 10_000
HISTORY_MS = 7 * 24 * 60 * 60 * 1000
HISTORY_AGAIN_MS = 1000
SLOW_READ_MS = 60_000
PRESUMED_DEAD_MS = 2000
READS_WAIT_S = 1.0
#: The account is in hedge mode, or was when it refused.
WRONG_POSITION_SIDE = -4061
REPEAT = 0.9  # a tick that comes a little early must not skip its read


type Reads = list[tuple[str, Callable[[], Awaitable[None]]]]


class Observer:
    """Reads for one symbol."""

    def __init__(
        self,
        *,
        state: SymbolState,
        policy: Policy,
        exchange: Exchange,
        shared: SharedReads,
        clock: Clock,
    ) -> None:
        self._state = state
        self._policy = policy
        self._exchange = exchange
        self._shared = shared
        self._clock = clock
        self._asked: dict[str, int] = {}
        self._fills_asked_ms = 0
        self._history_asked_ms = 0
        self._instrument_ms = 0
        self._instrument_due = True
        self._running: dict[str, asyncio.Task[None]] = {}

    async def observe(self, *, entry_wanted: bool) -> World:
        """Read what is due, all at once, and return the world, after `READS_WAIT_S` with what is there."""
        until = self._clock.monotonic() + READS_WAIT_S
        await self._read(self._due(self._clock.now_ms(), entry_wanted=entry_wanted), until)
        await self._read(self._by_id(self._clock.now_ms()), until)
        await self._read(self._missing_fills(self._clock.now_ms()), until)
        self._note_ready()
        return self._state.world(self._clock.now_ms())

    async def look_again(self) -> None:
        """Read position and both order lists now, however young the last reads are."""
        until = self._clock.monotonic() + READS_WAIT_S
        lists = [(f"{each} once more", partial(self._read_list, each)) for each in Channel]
        reads: Reads = [("position once more", partial(self._read_position, 0)), *lists]
        await self._read(reads, until)

    async def close(self) -> None:
        """End the reads that are still under way."""
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def refresh_instrument(self) -> None:
        """Have the filters read again before the next plan (W-3)."""
        self._instrument_due = True

    async def _read(self, reads: Reads, until: float) -> None:
        """Start reads and wait for them, no longer than `until`.

        One that is under way has been waited for by an earlier tick: it is neither asked again nor waited for again,
        so that whatever hangs delays one tick and not all that follow (O-3).
        """
        started = [(name, read) for name, read in reads if name not in self._running]
        tasks = {name: asyncio.create_task(self._try(name, read)) for name, read in started}
        self._running |= tasks
        if tasks:
            timeout = max(until - self._clock.monotonic(), 0)
            await asyncio.wait(tasks.values(), timeout=timeout)

    async def _try(self, name: str, read: Callable[[], Awaitable[None]]) -> None:
        try:
            await read()
            self._state.senses.saw_answer()
        except VenueError as error:
            self._saw_failure(error)
            _log.warning("read failed", symbol=self._state.symbol, part=name, error=str(error))
        except Exception:  # noqa: BLE001 - one part stays unread, planning goes on
            _log.exception("read failed", symbol=self._state.symbol, part=name)
        finally:
            del self._running[name]

    def _saw_failure(self, error: VenueError) -> None:
        """M-3, M-4: silence counts from its first read; keys that are refused concern the account."""
        state, now = self._state, self._clock.now_ms()
        if isinstance(error, VenueRefused):
            state.senses.saw_answer()
            state.set_account_mode(state.common.saw_refusal(error.code, error.message, now))
        else:
            state.senses.saw_silence(now)

    # what is due

    def _interval_ms(self, *, entry_wanted: bool) -> int:
        """How old the books may grow: what this symbol wants, or more where the wishes of all do not fit (section 11)."""
        wanted_ms, urgent = self._wanted_ms(entry_wanted=entry_wanted)
        return self._shared.pace.interval_ms(self._state.symbol, wanted_ms, urgent=urgent)

    def _wanted_ms(self, *, entry_wanted: bool) -> tuple[int, bool]:
        """Every tick while something could be added or is not known, which is urgent, else slower."""
        state, policy = self._state, self._policy
        tick = int(policy.loop_interval_s * 1000)
        unresolved = any(order.unresolved for order in state.orders.values())
        silent = not state.streaming or state.is_mute(self._clock.now_ms())
        if entry_wanted or unresolved or silent or not state.ready:
            return tick, True
        if state.trade is None:
            unexplained = self._is_unexplained()
            return (tick, True) if unexplained else (policy.reconcile_interval_s * 1000, False)
        if state.trade.closing is not None and self._tries_exits():
            return EXIT_REPEAT_MS, True
        held = bool(state.executions.fills) or state.trade.adopted_quantity > ZERO
        uncovered = state.uncovered_ms is not None
        settled = held and not uncovered and state.trade.closing is None and not self._ending()
        if not settled:
            return tick, True
        # A stop that nobody told was taken must be back in `protect_deadline_s`: no read may grow older than that.
        return max(policy.reconcile_open_s * 1000 - tick, tick), False

    def _is_unexplained(self) -> bool:
        """Whether the newest word is that something is held, though no trade is open (Y-1)."""
        seen = newest(self._state.position, self._state.position_event)
        return seen is not None and seen.value.quantity != ZERO

    def _tries_exits(self) -> bool:
        """Whether full exits are being tried, for a while in S-8's quick rhythm."""
        exits = [o for o in self._state.orders.values() if o.role is Role.FULL_EXIT]
        halted = bool(exits) and exits[-1].end_code in HALTED
        return len(exits) < EXIT_QUICK_TRIES and not halted and not self._ending()

    def _ending(self) -> bool:
        trade = self._state.trade
        return trade is not None and trade.proven_flat_ms is not None

    def _due(self, now: int, *, entry_wanted: bool) -> Reads:
        state = self._state
        max_age = int(self._interval_ms(entry_wanted=entry_wanted) * REPEAT)
        # What was asked before the stream came up is old, whatever its age.
        book_age = max(min(max_age, now - state.reread_ms - 1), 0)
        reads: Reads = []
        if not state.history_read and now - self._history_asked_ms > HISTORY_AGAIN_MS:
            reads.append(("order history", self._read_history))
        if self._instrument_due or now - self._instrument_ms > SLOW_READ_MS * 15:
            reads.append(("instrument", self._read_instrument))
        if self._modes_are_doubted():
            reads.append(("account modes", partial(self._read_modes, 0)))
        elif _older(state.account_settings, now, SLOW_READ_MS):
            reads.append(("account modes", partial(self._read_modes, SLOW_READ_MS // 2)))
        if state.settings_due or _older(state.settings, now, SLOW_READ_MS):
            reads.append(("symbol settings", self._read_settings))
        if _older(state.position, now, book_age):
            reads.append(("position", lambda: self._read_position(book_age)))
        if _older(state.open_orders, now, book_age):
            reads.append(("order list", lambda: self._read_list(Channel.REGULAR)))
        if _older(state.conditional_orders, now, book_age):
            reads.append(("conditional order list", lambda: self._read_list(Channel.CONDITIONAL)))
        if state.balance_due or _older(state.balance, now, max_age * 3):
            reads.append(("balance", lambda: self._read_balance(max_age)))
        if state.holds and state.funding.is_due(now) and self._affords_income(now):
            reads.append(("funding", self._read_funding))
        return [*reads, *self._due_prices(now)]

    def _affords_income(self, now: int) -> bool:
        """Payments can wait: when many symbols ask at once, they take turns."""
        return self._shared.pace.takes_ration(INCOME_WEIGHT, now)

    def _modes_are_doubted(self) -> bool:
        """Whether the venue refused an order for its position side since the modes were read (G-15)."""
        read = self._state.account_settings
        orders = self._state.orders.values()
        refused = (o.ended_ms or 0 for o in orders if o.end_code == WRONG_POSITION_SIDE)
        return read is not None and max(refused, default=0) >= read.at_ms

    def _due_prices(self, now: int) -> Reads:
        """What the market stream has not told for a while."""
        state = self._state
        reads: Reads = []
        if _older(state.prices.quote, now, PRICE_FALLBACK_MS):
            reads.append(("quote", self._read_quote))
        if _older(state.prices.mark, now, PRICE_FALLBACK_MS):
            reads.append(("mark", self._read_mark))
        if _older(state.prices.last, now, LAST_FALLBACK_MS):
            reads.append(("last price", self._read_last))
        return reads

    # the reads

    async def _read_instrument(self) -> None:
        instruments = await self._exchange.instruments()
        self._state.instrument = instruments[self._state.symbol]
        self._instrument_ms = self._clock.now_ms()
        self._instrument_due = False

    async def _read_history(self) -> None:
        """Y-12: what we sent before is read from the exchange, so that a lost database cannot double a trade."""
        self._history_asked_ms = now = self._clock.now_ms()
        reports = await self._exchange.orders_since(self._state.symbol, now - HISTORY_MS)
        self._state.saw_history(reports)

    async def _read_modes(self, max_age_ms: int) -> None:
        self._state.account_settings = await self._shared.modes.get(max_age_ms=max_age_ms)

    async def _read_settings(self) -> None:
        self._state.settings_due = False
        try:
            asked = self._clock.now_ms()
            value = await self._exchange.symbol_settings(self._state.symbol)
        except VenueError:
            self._state.settings_due = True
            raise
        self._state.settings = Observed(value=value, at_ms=asked, source=Source.REST)

    async def _read_position(self, max_age_ms: int) -> None:
        seen = await self._shared.positions.get(max_age_ms=max_age_ms)
        report = seen.value[self._state.symbol]
        self._state.saw_position(Observed(value=report, at_ms=seen.at_ms, source=seen.source))

    async def _read_list(self, channel: Channel) -> None:
        symbol, asked = self._state.symbol, self._clock.now_ms()
        if channel is Channel.REGULAR:
            reports = await self._exchange.open_orders(symbol)
        else:
            reports = await self._exchange.open_conditional_orders(symbol)
        self._state.saw_list(channel, reports, asked, self._clock.now_ms())

    async def _read_balance(self, max_age_ms: int) -> None:
        due, self._state.balance_due = self._state.balance_due, False
        try:
            fresh = 0 if due else max_age_ms
            self._state.balance = await self._shared.balance.get(max_age_ms=fresh)
        except VenueError:
            self._state.balance_due = True
            raise

    async def _read_funding(self) -> None:
        """What the open trade's position paid since it was armed (T-3); what fails leaves it unknown."""
        state, asked = self._state, self._clock.now_ms()
        trade = state.trade
        if trade is None:
            return
        state.funding.saw_asked(asked)
        payments = await self._exchange.funding(state.symbol, trade.armed_ms)
        if state.trade is not None and state.trade.key == trade.key:
            state.funding.saw(payments, asked)

    async def _read_quote(self) -> None:
        asked = self._clock.now_ms()
        value = await self._exchange.quote(self._state.symbol)
        seen = Observed(value=value, at_ms=asked, source=Source.REST)
        self._state.prices.saw_quote(seen)

    async def _read_mark(self) -> None:
        asked = self._clock.now_ms()
        value = await self._exchange.mark(self._state.symbol)
        self._state.prices.saw_mark(Observed(value=value, at_ms=asked, source=Source.REST))

    async def _read_last(self) -> None:
        asked = self._clock.now_ms()
        value = await self._exchange.last(self._state.symbol)
        seen = Observed(value=value, at_ms=asked, source=Source.REST)
        self._state.prices.saw_last(seen)

    def _note_ready(self) -> None:
        state = self._state
        parts = (state.position, state.open_orders, state.conditional_orders)
        if state.history_read and all(part is not None for part in parts):
            state.ready = True

    # own orders by id

    def _by_id(self, now: int) -> Reads:
        """Ask for every order of ours whose truth is open (X-4): both endpoints know only their own."""
        orders = self._state.orders
        self._asked = {name: at_ms for name, at_ms in self._asked.items() if name in orders}
        asks = [order for order in orders.values() if self._must_ask(order, now)]
        return [(order.client_id, partial(self._ask, order)) for order in asks]

    def _must_ask(self, order: OwnOrder, now: int) -> bool:
        if order.ended or now - self._asked.get(order.client_id, 0) < ASK_AGAIN_MS:
            return False
        if order.unresolved:
            return now - order.journaled_ms >= ASK_FIRST_MS
        if order.amending is not None:
            return now - order.amending.timestamp_ms >= ASK_FIRST_MS
        if order.executing or order.cancel_unknown_ms is not None:
            return True
        return self._missing_in_list(order)

    def _missing_in_list(self, order: OwnOrder) -> bool:
        state = self._state
        regular = order.request.channel is Channel.REGULAR
        listed = state.open_orders if regular else state.conditional_orders
        if listed is None or order.acked_ms is None:
            return False
        # Lists lag behind new orders. What was acknowledged before the stream came up may have ended unheard.
        lag_ms = 0 if order.acked_ms < state.reread_ms else ASK_AGAIN_MS
        if listed.at_ms < order.acked_ms + lag_ms:
            return False
        return all(report.client_id != order.client_id for report in listed.value)

    async def _ask(self, order: OwnOrder) -> None:
        state, request = self._state, order.request
        self._asked[order.client_id] = asked = self._clock.now_ms()
        report = await self._exchange.order(request.symbol, request.channel, order.client_id)
        if report is None and _may_be_absent(state.orders.get(order.client_id)):
            await self._look_elsewhere(order)
        now = self._clock.now_ms()
        current = state.orders.get(order.client_id)
        if current is None:
            return  # its trade ended while the answer was on its way
        if report is not None:
            state.put(self._settled(fold.fold(current, report, now), asked, now), now)
        else:
            state.put(missed(current, asked, now), now)

    async def _look_elsewhere(self, order: OwnOrder) -> None:
        """X-4 b: what no read by id finds is looked for among open orders and executions before it counts as missed.

        An execution that nobody of ours explains may be the order's: the history says whose it is.
        """
        state, request = self._state, order.request
        await self._read_list(Channel.REGULAR)
        signed_ms = order.timestamp_ms or order.journaled_ms
        since_ms = signed_ms - self._policy.clock_uncertainty_ms - 1
        for fill in await self._exchange.fills(request.symbol, since_ms):
            state.saw_fill(fill)
        loose = state.executions.loose.values()
        if any(fill.side is request.side and fill.time_ms >= since_ms for fill in loose):
            for report in await self._exchange.orders_since(request.symbol, since_ms):
                state.saw_order(report, self._clock.now_ms())

    def _settled(self, order: OwnOrder, asked_ms: int, now_ms: int) -> OwnOrder:
        """An amendment too old to be executed, that a read by id does not show, never was (X-4 e)."""
        amending = order.amending
        if amending is None or asked_ms <= request_dead_ms(amending.timestamp_ms, self._policy):
            return order
        return fold.settle_amendment(order, AmendmentState.ABSENT, now_ms)

    # fills that reports promise but nobody has told

    def _missing_fills(self, now: int) -> Reads:
        trade = self._state.trade
        if trade is None or now - self._fills_asked_ms < FILLS_AGAIN_MS:
            return []
        if not self._fills_are_missing(now):
            return []
        self._fills_asked_ms = now
        # What an adopted entry filled is older than its adoption.
        since_ms = trade.armed_ms - (HISTORY_MS if self._adopted_a_fill() else 1000)
        reads: Reads = [("fills", partial(self._read_fills, since_ms))]
        if self._may_be_forced(now):
            reads.append(("liquidations", partial(self._read_forced, since_ms)))
        return reads

    def _adopted_a_fill(self) -> bool:
        trade, orders = self._state.trade, self._state.orders.values()
        entries = [order for order in orders if order.role is Role.ENTRY and order.filled_quantity]
        return trade is not None and trade.adopted and bool(entries)

    def _may_be_forced(self, now: int) -> bool:
        """Whether nothing of the trade's side is held and liquidations were not asked for late enough since (Y-2)."""
        state = self._state
        trade, read, since = state.trade, state.position, state.position_since_ms
        if trade is None or read is None or since is None:
            return False
        gone = read.value.quantity * trade.sign <= ZERO
        last_ms = max((fill.time_ms for fill in state.present_fills(now)), default=trade.armed_ms)
        counts_from = last_ms + self._policy.flat_margin_s * 1000
        return gone and state.executions.forced_read_ms < max(since + FORCED_AFTER_MS, counts_from)

    async def _read_fills(self, since_ms: int) -> None:
        asked = self._clock.now_ms()
        for fill in await self._exchange.fills(self._state.symbol, since_ms):
            self._state.saw_fill(fill)
        self._state.executions.read_ms = asked

    async def _read_forced(self, since_ms: int) -> None:
        asked = self._clock.now_ms()
        reports = await self._exchange.forced_orders(self._state.symbol, since_ms)
        self._state.executions.saw_forced(reports, asked)

    def _fills_are_missing(self, now: int) -> bool:
        """An order reports more than its fills, or the position read differs from their sum for a while."""
        state = self._state
        trade, read, fills = state.trade, state.position, state.present_fills(now)
        for order in state.present_orders():
            name = order.client_id
            told = sum([fill.quantity for fill in fills if fill.client_id == name], start=ZERO)
            lag = now - max(order.updated_ms, order.ended_ms or 0)
            if order.filled_quantity > told and lag > ASK_FIRST_MS:
                return True
        newest = max((fill.time_ms for fill in fills), default=0)
        if read is None or trade is None:
            return False
        turned = read.value.quantity * trade.sign < ZERO  # never a fill that is just late
        if read.at_ms < newest + (0 if turned else ASK_AGAIN_MS):
            return False
        adopted = trade.adopted_quantity * trade.sign
        by_fills = sum((fill.signed_quantity for fill in fills), start=adopted)
        return read.at_ms > trade.armed_ms and read.value.quantity != by_fills


def missed(order: OwnOrder, asked_ms: int, now_ms: int) -> OwnOrder:
    """A read by id did not find it. Only after a cancel answered "unknown order" does that prove anything (X-4)."""
    misses = (*order.misses, asked_ms)[-8:]
    missed = replace(order, misses=misses)
    if order.duplicate:
        return _missed_duplicate(missed, now_ms)
    cancelled = order.cancel_unknown_ms
    if cancelled is None:
        return missed
    after = [at for at in misses if at >= cancelled]
    if order.request.channel is Channel.CONDITIONAL:
        if now_ms - cancelled >= PRESUMED_DEAD_MS:
            return fold.end_absent(missed, "cancelled by id, unseen for 2 s: presumed dead", now_ms)
        return missed
    if len(after) >= 2 and after[-1] - after[0] >= ASK_AGAIN_MS:
        return fold.end_absent(missed, "cancel and two reads by id find nothing", now_ms)
    return missed


def _missed_duplicate(order: OwnOrder, now_ms: int) -> OwnOrder:
    """An id that was refused as taken, and that nobody finds: the refused request is no order either (X-4)."""
    if order.misses[-1] - order.misses[0] < PRESUMED_DEAD_MS:
        return order
    return fold.end_absent(
        order, "refused as a duplicate, and two reads by id find nothing", now_ms
    )


def _may_be_absent(order: OwnOrder | None) -> bool:
    """Whether the next read that misses it may prove that a regular order does not exist (X-4 b)."""
    regular = order is not None and order.request.channel is Channel.REGULAR
    return regular and order is not None and order.cancel_unknown_ms is not None and not order.ended


def _older[T](seen: Observed[T] | None, now_ms: int, max_age_ms: int) -> bool:
    return seen is None or now_ms - seen.at_ms >= max_age_ms
