"""The exchange on the table in hedge mode, for clients that say which position they mean and for those that do not."""

from typing import Any

from tests.unit.simulated.floor import SYMBOL, Floor

from jumar.exchange.simulated.core.exchange import Reply

SIDED = ("order", "algoOrder", "positionMargin")


class HedgedFloor(Floor):
    """A floor in hedge mode."""

    def __init__(self, **account: Any) -> None:
        super().__init__(**account)
        self.ok("POST", "positionSide/dual", dualSidePosition="true")
        self.events.clear()

    def open(self, side: str, quantity: str) -> None:
        """Open or enlarge the LONG or the SHORT position at market."""
        taken = "BUY" if side == "LONG" else "SELL"
        self.ok("POST", "order", **self.market(taken, quantity, positionSide=side))

    def close(self, side: str, quantity: str) -> None:
        """Reduce the LONG or the SHORT position at market."""
        taken = "SELL" if side == "LONG" else "BUY"
        self.ok("POST", "order", **self.market(taken, quantity, positionSide=side))

    def sides(self) -> dict[str, dict[str, Any]]:
        """Both BTCUSDT positions as version 2 tells them."""
        rows = self.ok("GET", "/fapi/v2/positionRisk", symbol=SYMBOL)
        return {row["positionSide"]: row for row in rows}

    def held(self) -> dict[str, str]:
        """The quantities of both."""
        return {side: row["positionAmt"] for side, row in self.sides().items()}


class SidingFloor(HedgedFloor):
    """A floor in hedge mode that gives one-way orders a position side: what reduces says so, of the rest every third."""

    def __init__(self, **account: Any) -> None:
        self._orders = 0
        super().__init__(**account)

    def request(self, method: str, name: str, /, **params: str) -> Reply:
        """Ask, with a position side where one must be."""
        if method != "POST" or name not in SIDED:
            return super().request(method, name, **params)
        self._orders += 1
        reduces = params.pop("reduceOnly", "") or params.get("closePosition")
        closes = bool(reduces) or self._orders % 3 == 0
        bought = params.get("side", "BUY") == "BUY"
        return super().request(
            method, name, **params, positionSide="LONG" if bought != closes else "SHORT"
        )
