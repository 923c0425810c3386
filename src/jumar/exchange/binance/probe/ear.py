"""The user stream as it arrived: every event about the symbol, raw and in order.

Promises the order of the frames. Knows no meaning beyond the names of fields.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from jumar.exchange.binance import frames
from jumar.exchange.binance.probe.saying import Json
from jumar.exchange.binance.streams import FrameReader
from jumar.ports.exchange import PositionEvent, StreamEvent, VenueEvent

ENDED = frozenset({"FINISHED", "CANCELED", "REJECTED", "EXPIRED"})
FIRED = frozenset({"TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED"})


class Ear(FrameReader):
    """Keeps what the user stream says about one symbol.

    Attributes:
        events: the raw events of orders and conditional orders, oldest first.
        up: whether the stream is connected.
        held: the position as last told, None before the first word and after an interruption.
        interruptions: how often it went down.
    """

    def __init__(self, symbol: str, quote_asset: str) -> None:
        super().__init__(self.hear, symbols=(symbol,), quote_asset=quote_asset)
        self.events: list[Json] = []
        self.up = False
        self.held: Decimal | None = None
        self.interruptions = 0
        self._symbol = symbol

    def hear(self, event: VenueEvent) -> None:
        """Take note of connection and position; orders are kept as they were written."""
        if isinstance(event, PositionEvent):
            self.held = event.report.quantity
        elif isinstance(event, StreamEvent):
            self.interruptions += self.up and not event.connected
            self.up, self.held = event.connected, None

    def take(self, text: str) -> frames.Message | None:
        """Keep the frame, then read it as the engine's stream does."""
        message = super().take(text)
        found = msgspec.json.decode(text) if message is not None else {}
        event = found.get("data", found)
        if isinstance(event.get("o"), dict) and event["o"].get("s") == self._symbol:
            self.events.append(event)
        return message

    def forget(self) -> None:
        """Begin anew: what was heard belongs to another question."""
        self.events.clear()

    def conditional(self, client_id: str) -> list[Json]:
        """Events of a conditional order."""
        return [
            event
            for event in self.events
            if event["e"] == "ALGO_UPDATE" and event["o"]["caid"] == client_id
        ]

    def status(self, client_id: str) -> str:
        """The last status heard of a conditional order, empty for none."""
        heard = self.conditional(client_id)
        return str(heard[-1]["o"]["X"]) if heard else ""

    def child(self, client_id: str) -> list[Json]:
        """Events of the regular order that a conditional order became, by the order id that its events name."""
        numbers = {event["o"].get("ai") for event in self.conditional(client_id)} - {"", None}
        return [event for event in self._orders() if str(event["o"]["i"]) in numbers]

    def order(self, client_id: str) -> list[Json]:
        """Events of a regular order."""
        return [event for event in self._orders() if event["o"]["c"] == client_id]

    def ended(self, client_id: str) -> Json | None:
        """The last event of a regular order that has ended."""
        alive = ("NEW", "PARTIALLY_FILLED")
        return next((e for e in self.order(client_id) if e["o"]["X"] not in alive), None)

    def place_of(self, event: Json) -> int:
        """Its place in the order of arrival."""
        return next(number for number, each in enumerate(self.events) if each is event)

    def _orders(self) -> Iterator[Json]:
        return (event for event in self.events if event["e"] == "ORDER_TRADE_UPDATE")
