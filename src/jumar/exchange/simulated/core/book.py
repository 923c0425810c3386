"""The book's changes from one publication to the next. Pure.

Each stream has a chain of its own: an event names the ids it covers (`U` to `u`) and the end of the event before it
(`pu`). See `tape.py` for why a snapshot always falls inside the next event.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.core.tape import Tape
from jumar.exchange.simulated.core.text import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an event says: its ids, and per side the levels that changed; one that is gone has the quantity zero."""

    first_id: int
    final_id: int
    previous_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Chain:
    """The publications of one stream, beginning with the book as it is now."""

    def __init__(self, tape: Tape, step: MarketStep | None) -> None:
        self._tape = tape
        self._final_id = tape.final_id
        self._bids = _Side(() if step is None else step.bids)
        self._asks = _Side(() if step is None else step.asks)

    def note(self, step: MarketStep) -> None:
        """Follow one step of the market."""
        self._bids.note(step.bids)
        self._asks.note(step.asks)

    def advance(self) -> Change | None:
        """What has changed since the last call; None when the market has made no step."""
        final_id = self._tape.final_id
        if final_id == self._final_id:
            return None
        change = Change(
            first_id=self._final_id + 1,
            final_id=final_id,
            previous_id=self._final_id,
            bids=self._bids.take(),
            asks=self._asks.take(),
        )
        self._final_id = final_id
        return change


class _Side:
    """One side of the book with the prices that were touched: also those that are again what they were.

    A snapshot may have been taken in between; whoever starts from it has to hear of them.
    """

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self._levels = levels
        self._touched: dict[Decimal, None] = {}

    def note(self, levels: tuple[Level, ...]) -> None:
        if levels is self._levels:
            return
        old = {level.price: level.quantity for level in self._levels}
        for level in levels:
            if old.pop(level.price, None) != level.quantity:
                self._touched[level.price] = None
        self._touched.update(dict.fromkeys(old))
        self._levels = levels

    def take(self) -> tuple[Level, ...]:
        quantities = {level.price: level.quantity for level in self._levels}
        touched, self._touched = self._touched, {}
        return tuple(Level(price=price, quantity=quantities.get(price, ZERO)) for price in touched)
