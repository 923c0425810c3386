"""The wire by hand: signed HTTP requests with nothing but the standard library, and nothing of Jumar.

Every trial is one script: `python -m tests.process.trials.NAME READY_FILE`, run from the repository's root. It prints
one JSON object of what it did and ends with an error if the exchange refused anything.
"""

import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

SYMBOL = "BTCUSDT"
GROUP = "jm-trial00001"


class Wire:
    """One account on one exchange."""

    def __init__(self, ready: dict[str, str]) -> None:
        self._rest = ready["rest"]
        self._key = ready["api_key"]
        self._secret = ready["api_secret"].encode()
        self._did: list[dict[str, Any]] = []

    @classmethod
    def from_arguments(cls) -> "Wire":
        """Connect to the exchange whose ready file is the script's only argument."""
        return cls(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))

    def price(self, last: str, bid: str, ask: str) -> None:
        """Set the manual market; the mark price follows the last price."""
        body = {"symbol": SYMBOL, "last": last, "mark": last, "bid": bid, "ask": ask}
        self._send("POST", "/sim/price", json.dumps(body).encode())

    def order(self, role: str, side: str, quantity: str, **fields: str) -> None:
        """Send a market order, or what `fields` make of it."""
        wanted = {"type": "MARKET", "newClientOrderId": f"{GROUP}-{role}", **fields}
        self._signed("POST", "/fapi/v1/order", side=side, quantity=quantity, **wanted)

    def conditional(self, role: str, kind: str, trigger: str, quantity: str | None) -> None:
        """Place a selling conditional order on the mark price; without a quantity it is closePosition."""
        size = {"closePosition": "true"}
        if quantity is not None:
            size = {"quantity": quantity, "reduceOnly": "true"}
        self._signed(
            "POST",
            "/fapi/v1/algoOrder",
            algoType="CONDITIONAL",
            side="SELL",
            type=kind,
            triggerPrice=trigger,
            workingType="MARK_PRICE",
            clientAlgoId=f"{GROUP}-{role}",
            **size,
        )

    def stop(self, role: str, trigger: str, quantity: str | None) -> None:
        """Place a stop for a long position."""
        self.conditional(role, "STOP_MARKET", trigger, quantity)

    def cancel_conditional(self, role: str) -> None:
        """Cancel a conditional order by its client id."""
        self._signed("DELETE", "/fapi/v1/algoOrder", clientAlgoId=f"{GROUP}-{role}")

    def report(self) -> None:
        """Print what was done."""
        sys.stdout.write(json.dumps({"did": self._did}) + "\n")

    def _signed(self, method: str, path: str, **fields: str) -> None:
        server_time = self._send("GET", "/fapi/v1/time")["serverTime"]
        query = urlencode({"symbol": SYMBOL, **fields, "timestamp": server_time})
        signature = hmac.new(self._secret, query.encode(), hashlib.sha256).hexdigest()
        answer = self._send(method, f"{path}?{query}&signature={signature}")
        self._did.append({"request": f"{method} {path}", **fields, "answer": answer})

    def _send(self, method: str, target: str, body: bytes | None = None) -> dict[str, Any]:
        request = Request(
            self._rest + target, data=body, method=method, headers={"X-MBX-APIKEY": self._key}
        )
        try:
            with urlopen(request, timeout=40) as response:
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            sys.exit(f"{method} {target}: {error.code} {error.read().decode()}")
        return answer
