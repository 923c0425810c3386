"""Where the watches write down what they checked and what they found broken."""

from typing import Any

PROMISES = ("P-1", "P-2", "P-4", "P-5", "P-8")


class Verdicts:
    """Checks and violations of every promise; a promise without a check has no verdict."""

    def __init__(self) -> None:
        self._checks = dict.fromkeys(PROMISES, 0)
        self._violations: list[dict[str, Any]] = []

    def check(self, promise: str) -> None:
        """Count one thing that the promise was checked on."""
        self._checks[promise] += 1

    def broken(
        self, promise: str, *, t: int, seq: int, symbol: str, client_id: str | None, message: str
    ) -> None:
        """Write down that a promise was broken at `t` (exchange milliseconds), with the numbers."""
        self._violations.append(
            {
                "promise": promise,
                "t": t,
                "seq": seq,
                "symbol": symbol,
                "client_id": client_id,
                "message": message,
            }
        )

    def report(self) -> dict[str, Any]:
        """`checks`, `promises` and `violations`, the last in the order of the ledger."""
        broken = {violation["promise"] for violation in self._violations}
        return {
            "checks": dict(self._checks),
            "promises": {p: p not in broken for p, n in self._checks.items() if n or p in broken},
            "violations": sorted(self._violations, key=_place),
        }


def _place(violation: dict[str, Any]) -> tuple[int, int]:
    return violation["t"], violation["seq"]
