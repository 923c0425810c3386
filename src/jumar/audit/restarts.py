"""P-6: after a crash the next start finds the position and has it covered within three ticks of being able to read.

Judged for every start but a symbol's first that met a position. Cover is the exchange judge's word: a gap that was
open when the position could first be read must be over by the end of the third tick after that. A start that did
not live for three such ticks is not judged: the one after it is.
"""

from jumar.audit.evidence import Evidence
from jumar.audit.flight import FIRST_TICKS, Life, Tick
from jumar.audit.verdict import Findings
from jumar.model.units import ZERO, text


def check_restarts(evidence: Evidence, findings: Findings) -> None:
    """Look at every restart with a position."""
    for symbol, lives in evidence.flight.lives.items():
        for life in lives[1:]:
            met = evidence.ledger.holding_at(symbol, life.first_ms).quantity != ZERO
            if met and len(life.readable) == FIRST_TICKS:
                findings.check("P-6")
                _covered(symbol, life, evidence, findings)
                _found(symbol, life.readable[-1], evidence, findings)


def _covered(symbol: str, life: Life, evidence: Evidence, findings: Findings) -> None:
    first, last = life.readable[0], life.readable[-1]
    for gap in evidence.gaps:
        if gap.symbol == symbol and gap.from_ms <= first.now_ms and gap.to_ms > last.end_ms:
            message = (
                f"bare from {gap.from_ms} to {gap.to_ms}: the position was readable from {first.now_ms} on, "
                f"the third tick was over at {last.end_ms}"
            )
            findings.broken("P-6", t=last.end_ms, what=symbol, message=message)


def _found(symbol: str, tick: Tick, evidence: Evidence, findings: Findings) -> None:
    """The trade that owns the position is the one that goes on; adopted only where the journal has none."""
    holding = evidence.ledger.holding_at(symbol, tick.now_ms)
    if ZERO in {holding.quantity, tick.held}:
        return
    known = holding.keys & evidence.journal.trades.keys()
    if tick.key in known or (tick.adopted and not known):
        return
    went_on = "no trade" if tick.key is None else f"trade {tick.key}"
    owner = ", ".join(sorted(known)) or "nobody in the journal"
    message = f"position {text(holding.quantity)} belongs to {owner}, {went_on} went on with it"
    findings.broken("P-6", t=tick.now_ms, what=symbol, message=message)
