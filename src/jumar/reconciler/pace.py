"""How often the books of many symbols are read, so that reads keep to their share of the request weight (section 11).

Every symbol says at which interval it wants position and order lists. While all wishes fit they are granted. What does
not fit is stretched: first the symbols whose position stands behind its stops, or that are at rest; those with an entry
or something unknown last. What is dear and not pressing is rationed. Mutable, owned by one event loop, no I/O.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jumar.model.standing import VenueBudget

#: So much of the venue's weight may be used by reads.
READ_SHARE = 0.6
#: Of a venue that has not told its limit: USDⓈ-M futures allow 2,400 a minute and address (exchangeInfo, 2026-09).
WEIGHT_A_MINUTE = 2400
#: One list of one symbol's orders costs 1; all positions cost 5, and so does the balance.
LISTS_WEIGHT = 2
POSITIONS_WEIGHT = 5
#: The balance is read so many times less often than the positions.
BALANCE_EVERY = 3
#: What a symbol's slow reads cost a minute: its settings 5, the last price of a quiet market 6.
SLOW_WEIGHT = 11
#: Payments of one symbol, and of the account, in the venue's history of income.
INCOME_WEIGHT = 30
#: What may be used at once, and then a minute, for what is dear and not pressing.
RATION_WEIGHT = 150
#: Shorter intervals are an exit's, for a few seconds: no rate of a minute.
BURST_MS = 1000
#: However much others need, so much of the share is kept for symbols that want to be read less urgently.
CALM_SHARE = 0.25
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class _Wish:
    interval_ms: int
    urgent: bool

    @property
    def weight_per_s(self) -> float:
        return LISTS_WEIGHT * 1000 / self.interval_ms


class Pace:
    """One engine's.

    Args:
        budget: what the venue has said of its limits.
    """

    def __init__(self, budget: Callable[[], VenueBudget]) -> None:
        self._budget = budget
        self._wishes: dict[str, _Wish] = {}
        self._ration = float(RATION_WEIGHT)
        self._rationed_ms: int | None = None

    def interval_ms(self, symbol: str, wanted_ms: int, *, urgent: bool) -> int:
        """Return at which interval a symbol's books are read, given what all others wanted last.

        Args:
            symbol: whose books.
            wanted_ms: above zero.
            urgent: an entry is wanted or alive, or something is not known.
        """
        self._wishes[symbol] = _Wish(wanted_ms, urgent)
        return round(wanted_ms * self._stretch(urgent=urgent))

    def takes_ration(self, weight: int, now_ms: int) -> bool:
        """Take weight for a read that is dear and can wait; False while it has to."""
        gone_ms = 0 if self._rationed_ms is None else max(now_ms - self._rationed_ms, 0)
        self._rationed_ms = now_ms
        self._ration = min(self._ration + RATION_WEIGHT * gone_ms / _MINUTE_MS, RATION_WEIGHT)
        if self._ration < weight:
            return False
        self._ration -= weight
        return True

    def _stretch(self, *, urgent: bool) -> float:
        """Return by what the intervals of the urgent, or of the others, are multiplied: 1 while all fits."""
        wishes = self._wishes.values()
        for_urgent = sum(wish.weight_per_s for wish in wishes if wish.urgent)
        for_calm = sum(wish.weight_per_s for wish in wishes if not wish.urgent)
        shortest_ms = max(min(wish.interval_ms for wish in wishes), BURST_MS)
        together = POSITIONS_WEIGHT * (1 + 1 / BALANCE_EVERY) * 1000 / shortest_ms
        if for_urgent:
            for_urgent += together
        else:
            for_calm += together
        free = self._free_per_s()
        kept = min(for_calm, free * CALM_SHARE)
        if urgent:
            return max(for_urgent / (free - kept), 1.0)
        return max(for_calm / max(free - for_urgent, kept), 1.0)

    def _free_per_s(self) -> float:
        """Return the weight per second that looks may use: the share without what all symbols read slowly."""
        limits = [c.limit * _MINUTE_MS / c.window_ms for c in self._budget().reads if c.limit]
        share = min(limits, default=WEIGHT_A_MINUTE) * READ_SHARE
        slow = len(self._wishes) * SLOW_WEIGHT + INCOME_WEIGHT + RATION_WEIGHT
        return max(share - slow, share * CALM_SHARE) / 60
