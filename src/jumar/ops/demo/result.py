"""The result of a demo: the verdicts of both judges, with what only the engine's journal can add.

Promises exactly the keys of the contract, and that a promise that was not checked is absent. A promise that both
judges checked holds only if both say so, and its checks are those of both together. The journal adds refusals,
unresolved intents and the reason of full exits; every promise is the judges' alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jumar.audit import AuditVerdict
from jumar.store import queries

EXITS = ("tp1", "tp2", "stop", "backstop", "liq_zone", "opposite", "flat", "emergency")
FROM_JUDGE = (
    "trades",
    "entries_armed",
    "entries_filled",
    "unprotected_ms_max",
    "unprotected_excused_ms",
    "cover_gap_events",
    "stop_widened",
    "orders_sent",
    "orphan_orders",
    "pnl_usdt",
)


def combine(
    verdict: Mapping[str, Any], audited: AuditVerdict, database: Path, *, restarts: int
) -> dict[str, Any]:
    """Return the result.

    Args:
        verdict: the exchange judge's.
        audited: the audit's, on the same ledger.
        database: the engine's journal.
        restarts: how often the engine was killed and started again.

    Raises:
        StoreUnavailable: the journal cannot be read.
    """
    rows = queries.trades(database)
    explained = sum(row.trade.closing is not None for row in rows)
    result = {key: verdict[key] for key in FROM_JUDGE}
    result["entries_refused"] = dict(queries.refusal_counts(database))
    result["exits"] = _exits(verdict["exits"], queries.exit_counts(database), explained)
    result["unresolved_intents"] = queries.unresolved_intents(database)
    result["restarts"] = restarts
    result["checks"] = _checks(verdict["checks"], audited.checks)
    result["promises"] = _promises(verdict["promises"], audited.promises)
    return result


def violations(verdict: Mapping[str, Any], audited: AuditVerdict) -> list[Mapping[str, Any]]:
    """What both judges found broken, in the order of time: `promise`, `t` and `message` of each."""
    found = [
        {"promise": each.promise, "t": each.t, "message": f"{each.what}: {each.message}"}
        for each in audited.violations
    ]
    return sorted([*verdict["violations"], *found], key=lambda each: int(each["t"]))


def _checks(exchange: Mapping[str, int], audit: Mapping[str, int]) -> dict[str, int]:
    names = sorted(exchange.keys() | audit.keys(), key=_number)
    return {name: exchange.get(name, 0) + audit.get(name, 0) for name in names}


def _promises(exchange: Mapping[str, bool], audit: Mapping[str, bool]) -> dict[str, bool]:
    names = sorted(exchange.keys() | audit.keys(), key=_number)
    return {name: exchange.get(name, True) and audit.get(name, True) for name in names}


def _number(promise: str) -> int:
    return int(promise.removeprefix("P-"))


def _exits(
    judged: Mapping[str, int], journaled: Mapping[str, int], explained: int
) -> dict[str, int]:
    """The judge sees that a position was closed at market, the journal knows why."""
    exits = {name: int(judged.get(name, 0)) for name in EXITS}
    unexplained = max(0, exits["emergency"] - explained)
    for name in ("opposite", "flat", "emergency"):
        exits[name] = int(journaled.get(name, 0))
    exits["emergency"] += unexplained
    return exits


def holds(result: Mapping[str, Any]) -> bool:
    """Whether every promise that was checked held."""
    return all(result["promises"].values())
