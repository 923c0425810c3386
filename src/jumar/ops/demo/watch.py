"""What the exchange says while the demo runs: its ledger, record by record, as a picture of every symbol.

Everything here is the exchange's own truth, so every stop and target shown is a confirmed one. Promises nothing
about what the engine believes. The ledger's records are described in docs/reference/ledger.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from jumar.model.errors import VenueUnavailable

ALIVE = frozenset({"NEW", "PARTIALLY_FILLED", "TRIGGERING", "TRIGGERED"})
TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrder:
    """An order that has not ended; `price` is its limit or trigger, None for a market order."""

    role: str
    price: str | None
    quantity: str | None


@dataclass(slots=True, kw_only=True)
class Picture:
    """One symbol as the exchange has it; prices and quantities are decimal text."""

    bid: str = ""
    mark: str = ""
    position: str = "0"
    entry_price: str = "0"
    orders: dict[tuple[str, int], LiveOrder] = field(default_factory=dict)

    @property
    def is_flat(self) -> bool:
        """Whether the position is zero."""
        return not self.position.strip("-0.")

    def prices(self, role: str) -> str:
        """The prices of the live orders of a role, the newest last."""
        found = [order.price for order in self.orders.values() if order.role == role]
        return " ".join(price for price in found if price)


class Pictures:
    """What the records of one exchange's ledger, one after the other, have made of its symbols.

    Attributes:
        entered: how many positions were opened.
    """

    def __init__(self) -> None:
        self.pictures: dict[str, Picture] = {}
        self.entered = 0

    @property
    def at_rest(self) -> bool:
        """Whether every position is zero and no order is left."""
        return all(each.is_flat and not each.orders for each in self.pictures.values())

    def apply(self, record: Mapping[str, Any]) -> None:
        """Take one record of the ledger into the picture."""
        symbol = record.get("symbol")
        if symbol is None:
            return
        picture = self.pictures.setdefault(symbol, Picture())
        match record["kind"]:
            case "market":
                picture.bid, picture.mark = record["bid"], record["mark"]
            case "position":
                was_flat = picture.is_flat
                picture.position = record["quantity"]
                picture.entry_price = record["entry_price"]
                self.entered += was_flat and not picture.is_flat
            case "order":
                _keep(picture, ("order", record["order_id"]), record, record["price"])
            case "conditional":
                _keep(picture, ("conditional", record["algo_id"]), record, record["trigger"])


class Watch(Pictures):
    """Follows one exchange over its control address."""

    def __init__(self, session: aiohttp.ClientSession, rest: str) -> None:
        super().__init__()
        self._session = session
        self._rest = rest
        self._seen = 0

    async def symbols(self) -> tuple[str, ...]:
        """The symbols that trade."""
        answer = await self._get("/fapi/v1/exchangeInfo")
        rows = json.loads(answer)["symbols"]
        return tuple(row["symbol"] for row in rows if row["status"] == "TRADING")

    async def verdict(self) -> dict[str, Any]:
        """The judge's verdict over everything so far."""
        verdict: dict[str, Any] = json.loads(await self._get("/sim/judge"))
        return verdict

    async def ledger(self) -> list[dict[str, Any]]:
        """Every record of the exchange so far."""
        return [json.loads(line) for line in (await self._get("/sim/ledger")).splitlines()]

    async def refresh(self) -> None:
        """Read what happened since the last time."""
        for line in (await self._get(f"/sim/ledger?after={self._seen}")).splitlines():
            record = json.loads(line)
            self._seen = record["seq"]
            self.apply(record)

    async def _get(self, path: str) -> str:
        try:
            async with self._session.get(f"{self._rest}{path}", timeout=TIMEOUT) as response:
                return await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VenueUnavailable(f"the exchange did not answer {path}: {error}") from error


def _keep(
    picture: Picture, name: tuple[str, int], record: Mapping[str, Any], price: str | None
) -> None:
    if record["status"] not in ALIVE:
        picture.orders.pop(name, None)
        return
    parts = str(record["client_id"]).split("-")
    role = parts[2][:1] if len(parts) == 3 else "?"
    picture.orders[name] = LiveOrder(role=role, price=price, quantity=record["quantity"])
