"""The served exchange as clients of other environments see it from beside: its ledger, its price, and the comparison.

Nothing but the standard library: this runs wherever the client runs.
"""

import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

#: Everything the client's objects hold is untyped here: what they say is compared, not their types.
type Foreign = Any
type Record = dict[str, Any]


class Exchange:
    """The served exchange.

    Args:
        rest: the address of its REST side.
    """

    def __init__(self, rest: str) -> None:
        self._rest = rest

    def moved(self, price: str) -> None:
        """Last and mark price go there at once."""
        body = {"symbol": "BTCUSDT", "last": price, "mark": price}
        urllib.request.urlopen(f"{self._rest}/sim/price", json.dumps(body).encode()).close()

    def last(self, kind: str, **fields: object) -> Record:
        """The last record of a kind whose fields have these values (compared as text)."""
        found = [
            record
            for record in self._ledger()
            if record["kind"] == kind
            and all(str(record.get(name)) == str(value) for name, value in fields.items())
        ]
        return found[-1]

    def wallet(self) -> Decimal:
        """What the account began with, and what its fills brought and cost."""
        fills = [record for record in self._ledger() if record["kind"] == "fill"]
        sums = (Decimal(fill["realized_pnl"]) - Decimal(fill["fee"]) for fill in fills)
        return sum(sums, start=Decimal(self.last("opened")["balance"]))

    def _ledger(self) -> Iterator[Record]:
        with urllib.request.urlopen(f"{self._rest}/sim/ledger") as answer:
            for line in answer:
                yield json.loads(line)


def same(what: str, client: Foreign, ledger: Foreign) -> None:
    """Print a row of the table, `{"what", "client", "ledger"}`.

    Raises:
        AssertionError: the two do not say the same.
    """
    print(json.dumps({"what": what, "client": _said(client), "ledger": _said(ledger)}), flush=True)
    if client != ledger:
        raise AssertionError(f"{what}: {client} is not {ledger}")


def cents(price: Foreign) -> str:
    """A price to the cent; averages of clients are binary numbers."""
    return str(Decimal(str(price)).quantize(Decimal("0.01")))


def _said(value: Foreign) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
