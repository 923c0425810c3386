"""The exchange judge: reads the ledger, believes nobody, says which promises were kept.

    records ─► replay (books, trades, serving time) ─► steps ─► cover     P-1
                                                              ├► ratchet   P-2
                                                              ├► quantity  P-4
                                                              ├► exposure  P-5
                                                              ├► orphans   P-8
                                                              └► summary   figures

Pure and deterministic; standard library only; money is `Decimal`. It knows the ledger and nothing else: not
what the engine meant, believed or wrote down. What each verdict means is in docs/reference/ledger.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jumar.exchange.simulated.judge.cover import CoverWatch
from jumar.exchange.simulated.judge.exposure import ExposureWatch
from jumar.exchange.simulated.judge.orphans import OrphanWatch
from jumar.exchange.simulated.judge.quantity import QuantityWatch
from jumar.exchange.simulated.judge.ratchet import RatchetWatch
from jumar.exchange.simulated.judge.record import LedgerError
from jumar.exchange.simulated.judge.replay import Replay
from jumar.exchange.simulated.judge.summary import Summary
from jumar.exchange.simulated.judge.verdict import Verdicts

__all__ = ["LedgerError", "judge"]


def judge(records: Iterable[Mapping[str, Any]], *, until_ms: int | None = None) -> dict[str, Any]:
    """Judge one ledger, read from its first record.

    Args:
        records: the ledger's records in the order of `seq`, as docs/reference/ledger.md describes them.
        until_ms: exchange time in milliseconds at which open intervals end; by default, and whenever it lies
            before it, the time of the last record.

    Returns:
        The figures, `checks`, `promises` and `violations` of docs/reference/ledger.md, ready for JSON. A
        promise that had nothing to be checked on is absent from `promises`.

    Raises:
        LedgerError: the ledger is malformed or contradicts itself; the text names the record and the field.
    """
    # read three times; whoever unpacks a long ledger as it is read, need never have it whole
    ledger = records if isinstance(records, Sequence) else list(records)
    replay = Replay(ledger)
    verdicts = Verdicts()
    cover = CoverWatch(verdicts, replay.clock)
    ratchet = RatchetWatch(verdicts)
    quantity = QuantityWatch(verdicts)
    exposure = ExposureWatch(verdicts)
    orphans = OrphanWatch(verdicts, replay.clock)
    summary = Summary()
    for record in ledger:
        replay.advance(record)
        orphans.expire()  # before the record: what ends only now was alive until now
        step = replay.apply(record)
        if step is None:
            continue
        cover.see(step)
        ratchet.see(step)
        quantity.see(step)
        exposure.see(step)
        orphans.see(step)
        summary.see(step)
    replay.finish(until_ms)
    cover.finish()
    orphans.finish()
    return {
        **summary.figures(),
        **cover.figures(),
        "stop_widened": ratchet.widened,
        "orphan_orders": orphans.orphans,
        **verdicts.report(),
    }
