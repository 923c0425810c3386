"""The watch list: orders of ended trades whose end is only presumed (X-4 c, X-9).

Promises that such an order is known by its id for 24 h of exchange time, over the end of its trade and, as the store
remembers it, over restarts; what shows up alive is ours to cancel then, like any order that fits no open trade (Y-6).
"""

from collections.abc import Iterable

from jumar.model.order import OwnOrder


class WatchList:
    """What one symbol watches for."""

    def __init__(self, remembered: Iterable[OwnOrder]) -> None:
        self._orders = {order.client_id: order for order in remembered}

    def get(self, client_id: str) -> OwnOrder | None:
        """Return the order of that id, None when it is not watched."""
        return self._orders.get(client_id)

    def rose(self, client_id: str) -> None:
        """It was heard of again: from here on it is an order like any other."""
        self._orders.pop(client_id, None)

    def keep(self, orders: Iterable[OwnOrder], now_ms: int) -> None:
        """Add what must be watched of these; forget what has been watched for long enough."""
        known = self._orders | {order.client_id: order for order in orders}
        self._orders = {name: order for name, order in known.items() if order.is_watched(now_ms)}
