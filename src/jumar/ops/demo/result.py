"""The result of a demo: the exchange judge's verdict, with what only the engine's journal can add.

Promises exactly the keys of the contract, and that a promise that was not checked is absent. The journal adds
refusals, unresolved intents and the reason of full exits; every promise is the judge's alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    "checks",
    "promises",
)


def combine(verdict: Mapping[str, Any], database: Path) -> dict[str, Any]:
    """Return the result.

    Args:
        verdict: the judge's.
        database: the engine's journal.

    Raises:
        StoreUnavailable: the journal cannot be read.
    """
    rows = queries.trades(database)
    explained = sum(row.trade.closing is not None for row in rows)
    result = {key: verdict[key] for key in FROM_JUDGE}
    result["entries_refused"] = dict(queries.refusal_counts(database))
    result["exits"] = _exits(verdict["exits"], queries.exit_counts(database), explained)
    result["unresolved_intents"] = queries.unresolved_intents(database)
    return result


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
