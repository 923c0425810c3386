"""The replay: ledger records in, one `Step` out for each that changed a book.

Promises: fills move the position and the ledger's own `position` records must agree; a gap in `seq`, time
that runs backwards or an unknown kind is refused, because a verdict over a torn ledger is worth nothing. So is a
ledger of hedge mode: no promise is worded for two positions of one symbol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.judge.record import LedgerError, Record, flag, integer, money, text
from jumar.exchange.simulated.judge.registry import Registry
from jumar.exchange.simulated.judge.state import AnyOrder, Book, Order, Trade, sign_of

_SILENT = frozenset({"opened", "market", "refused", "money", "fault"})


def _fee_usdt(record: Record) -> Decimal:
    """The fee of a fill; one that was paid in another asset costs no USDT."""
    fee = money(record, "fee")
    return fee if text(record, "fee_asset") == "USDT" else Decimal(0)


class Clock:
    """Exchange time, and how much of it the server spent answering.

    It counts as answering from the first record until it says otherwise: in doubt, deadlines run.
    """

    def __init__(self) -> None:
        self.now = 0
        self.served = 0
        self._serving = True

    def advance(self, t: int) -> None:
        """Move to `t`, milliseconds of exchange time."""
        if self._serving:
            self.served += t - self.now
        self.now = t

    def serve(self, *, on: bool) -> None:
        """Note that the server answers from now on, or ceases to."""
        self._serving = on


@dataclass(slots=True, kw_only=True)
class Fill:
    """What one execution did to a position.

    Attributes:
        order: the regular order that filled (a child stands for its parent through `owner`).
        opened: the trade that it began, if any. ended: the trade that it ended, if any.
        trade: the trade that it belongs to; for a reversal the new one.
    """

    order: Order
    quantity: Decimal
    before: Decimal
    after: Decimal
    income: Decimal
    trade: Trade
    opened: Trade | None
    ended: Trade | None

    @property
    def reduces(self) -> bool:
        """It took something from a position."""
        return self.before * self.order.sign < 0

    @property
    def adds(self) -> bool:
        """It opened, added to or reversed a position."""
        return self.after * self.order.sign > 0


@dataclass(slots=True, kw_only=True)
class Step:
    """One change of one symbol's book.

    Attributes:
        by_client: a client's command is the change; never true for a fill.
        order: the order whose record this is; for a fill, the order that filled.
        accepted: the order is new to the book. ended: it left it just now.
        fill: None unless the record is a fill.
    """

    t: int
    seq: int
    book: Book
    order: AnyOrder
    by_client: bool
    accepted: bool
    ended: bool
    fill: Fill | None = None


class Replay:
    """Applies records one by one; the books are as the exchange had them after the last one applied."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.clock = Clock()
        self._registry = Registry(records)
        self._books: dict[str, Book] = {}
        self._seq = 0

    def advance(self, record: Record) -> None:
        """Move the clock to a record, which must be the next."""
        seq, t = integer(record, "seq"), integer(record, "t")
        if seq != self._seq + 1:
            raise LedgerError(f"ledger record {seq} follows {self._seq}: records are missing")
        if t < self.clock.now:
            raise LedgerError(
                f"ledger record {seq}: 't' runs backwards, from {self.clock.now} to {t}"
            )
        self._seq = seq
        self.clock.advance(t)

    def apply(self, record: Record) -> Step | None:
        """Apply a record; None if it changed no book."""
        kind = text(record, "kind")
        if kind in _SILENT:
            return None
        if "position_side" in record:
            raise LedgerError(
                f"ledger record {self._seq}: 'position_side' is {record['position_side']!r}: the account traded in hedge mode, and the judge judges one position a symbol only"
            )
        if kind == "order":
            return self._order(record)
        if kind == "conditional":
            return self._conditional(record)
        if kind == "fill":
            return self._fill(record)
        if kind == "position":
            self._check_position(record)
        elif kind == "serving":
            self.clock.serve(on=flag(record, "on"))
        elif kind == "closed":
            self.clock.serve(on=False)
        else:
            raise LedgerError(f"ledger record {self._seq}: unknown kind {kind!r}")
        return None

    def finish(self, until_ms: int | None) -> None:
        """Move the clock to the end, where open intervals are closed."""
        self.clock.advance(max(self.clock.now, until_ms or 0))

    def _order(self, record: Record) -> Step:
        order = self._registry.order(record)
        first, was_alive = not order.seen, order.owner.alive
        order.status = text(record, "status")
        order.quantity = money(record, "quantity")
        return self._step(record, order, first=first, was_alive=was_alive)

    def _conditional(self, record: Record) -> Step:
        order = self._registry.conditional(record)
        first, was_alive = not order.seen, order.alive
        order.status = text(record, "status")
        order.triggered = order.triggered or order.status not in {"NEW", "CANCELED", "EXPIRED"}
        return self._step(record, order, first=first, was_alive=was_alive)

    def _step(self, record: Record, order: AnyOrder, *, first: bool, was_alive: bool) -> Step:
        book = self._book(order.symbol)
        owner = order.owner
        book.refresh(owner)
        return Step(
            t=self.clock.now,
            seq=self._seq,
            book=book,
            order=order,
            by_client=text(record, "by") == "client",
            accepted=first and order is owner and order.status != "REJECTED",
            ended=was_alive and not owner.alive,
        )

    def _fill(self, record: Record) -> Step:
        order = self._registry.order(record)
        book = self._book(order.symbol)
        quantity = money(record, "quantity")
        order.filled += quantity
        before = book.position
        book.position += quantity * order.sign
        ended, opened = _turn(book, before, order)
        trade = book.trade or ended
        if trade is None:
            raise LedgerError(f"ledger record {self._seq}: 'quantity' of a fill must not be zero")
        fill = Fill(
            order=order,
            quantity=quantity,
            before=before,
            after=book.position,
            income=money(record, "realized_pnl") - _fee_usdt(record),
            trade=trade,
            opened=opened,
            ended=ended,
        )
        if order.group:
            trade.groups.add(order.group)
        return Step(
            t=self.clock.now,
            seq=self._seq,
            book=book,
            order=order,
            by_client=False,
            accepted=False,
            ended=False,
            fill=fill,
        )

    def _check_position(self, record: Record) -> None:
        book = self._book(text(record, "symbol"))
        quantity = money(record, "quantity")
        if quantity != book.position:
            raise LedgerError(
                f"ledger record {self._seq}: 'quantity' of the position of {book.symbol} is {quantity}, its fills sum to {book.position}"
            )

    def _book(self, symbol: str) -> Book:
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = Book(symbol=symbol)
        return book


def _turn(book: Book, before: Decimal, order: Order) -> tuple[Trade | None, Trade | None]:
    """End and begin trades where the position left its side; return (ended, opened)."""
    was, now = sign_of(before), book.sign
    if was == now:
        return None, None
    ended = book.trade
    book.trade = (
        Trade(symbol=book.symbol, sign=now, by_client=order.owner.by_client) if now else None
    )
    return ended, book.trade
