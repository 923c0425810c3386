"""What the exchange's truth says at a moment, and which breaches of a deadline are the faults' doing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jumar.exchange.simulated.core.conditional import ConditionalType
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.orders import OrderType
from jumar.simulation.clock import VirtualClock
from jumar.simulation.storm import Window

COVER_S, SWEEP_S = 3.0, 10.0
#: How long the news of what a person did may take, streams and lists together.
NEWS_S = 3.5


def is_covered(core: Exchange, symbol: str) -> bool:
    """Whether one order covers all that is held, or nothing is held; a stop that fired and is on its way does."""
    position = core.position(symbol)
    if not position:
        return True
    side = "SELL" if position > 0 else "BUY"
    stops = any(
        order.type is ConditionalType.STOP_MARKET
        and order.side == side
        and (order.quantity is None or (order.reduce_only and order.quantity >= abs(position)))
        for order in (*core.conditionals(symbol), *core.triggering(symbol))
    )
    exits = any(
        order.type is OrderType.MARKET and order.reduce_only and order.remaining >= abs(position)
        for order in core.orders(symbol)
    )
    return stops or exits


def surplus_stops(core: Exchange, symbol: str) -> tuple[str, ...]:
    """The client ids of the stops that rest, where more than one working stop and its backstop do (S-2, S-4).

    A backstop that had to be one of a quantity may have been outgrown: it stays beside the larger one.
    """
    resting = [o for o in core.conditionals(symbol) if o.type is ConditionalType.STOP_MARKET]
    backstops = [o for o in resting if o.close_position or "-B" in o.client_id]
    outgrown = sum(not order.close_position for order in backstops[:-1])
    if len(resting) - len(backstops) <= 1 and len(backstops) - outgrown <= 1:
        return ()
    return tuple(order.client_id for order in resting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuses:
    """What a run knows that the exchange's judge does not.

    The judge gives 3 s to cover what others left bare (P-1), and 10 s to remove the orders of a trade that is over
    (P-8). Seconds in which no engine was running, or in which its requests were kept from their answers, do not count.
    A cancel that was on its way while a person took the stop that replaced it is the person's doing, and so is an
    entry that crossed the removal of its armed stop, or a backstop that is put back before the stop when both were
    taken (P-2). An interval without cover that nobody else
    began is never excused.

    Attributes:
        records: the exchange's ledger.
        gaps: the intervals without cover that its judge found.
        windows: when the engine could not act.
        cancels: when the newest cancel of an order was sent, by its client id.
        clock: the exchange's.
    """

    records: Sequence[Mapping[str, Any]]
    gaps: Sequence[Mapping[str, Any]]
    windows: Sequence[Window]
    cancels: Mapping[str, float]
    clock: VirtualClock

    def cover(self, violation: Mapping[str, Any]) -> bool:
        """Whether a breach is of a deadline only, and faults kept the engine from meeting it."""
        match violation["promise"]:
            case "P-1":
                return self._bare(violation)
            case "P-8":
                over_s = self.clock.seconds(violation["t"]) - SWEEP_S
                ended_s = self.clock.seconds(self._end(violation["client_id"]))
                return _free(over_s, ended_s, self.windows) <= SWEEP_S
            case "P-2":
                return self._overtaken(violation)
        return False

    def late(self, message: str) -> bool:
        """Whether faults kept a new life from covering in time what its death or others had left bare (P-6).

        Args:
            message: the audit's, which names the beginning of the interval without cover.
        """
        for gap in self.gaps:
            if str(gap["from_ms"]) in message:
                begin_s, end_s = (self.clock.seconds(gap[name]) for name in ("from_ms", "to_ms"))
                return _free(begin_s, end_s, self.windows) <= COVER_S
        return False

    def _overtaken(self, violation: Mapping[str, Any]) -> bool:
        """Whether the engine acted on a stop that a person had just taken, of which it could not know yet.

        A backstop may come before the stop because both were taken and the news of one was first: with the stop
        alive, as the engine had to believe, it loosens nothing. And a stop that was moved may be cancelled while the
        news of the removal of the one that took its place is on its way. The stop must be back, or the position
        gone, within the time in which cover must be.
        """
        client_id = str(violation["client_id"])
        trade, _, name = client_id.rpartition("-")
        at_s = self.clock.seconds(violation["t"])
        taken = name[:1] in {"B", "S"} and any(
            taken_s <= at_s and _free(taken_s, at_s, self.windows) <= NEWS_S
            for taken_s in self._taken(f"{trade}-S")
        )
        mended = (
            self.clock.seconds(record["t"])
            for record in self.records
            if record["seq"] > violation["seq"]
            and (
                (record["kind"] == "position" and record["quantity"] == "0")
                or (
                    record["kind"] == "conditional"
                    and str(record["client_id"]).startswith(f"{trade}-S")
                    and record["status"] == "NEW"
                )
            )
        )
        back_s = next(mended, None)
        return taken and back_s is not None and _free(at_s, back_s, self.windows) <= COVER_S

    def _bare(self, violation: Mapping[str, Any]) -> bool:
        for gap in self.gaps:
            if gap["from_ms"] == violation["t"] and gap["symbol"] == violation["symbol"]:
                begin_s, end_s = (self.clock.seconds(gap[name]) for name in ("from_ms", "to_ms"))
                others = gap["excused"] or self._crossed(violation["client_id"], begin_s)
                return bool(others) and _free(begin_s, end_s, self.windows) <= COVER_S
        return False

    def _crossed(self, client_id: str, at_s: float) -> bool:
        """Whether a person took a stop while what left the position bare was on its way.

        A cancel crosses what happens between its sending and its arrival; an entry, the removal of its armed stop as
        long as the news of that may take.
        """
        trade, _, name = client_id.rpartition("-")
        if name.startswith("E"):
            began_s = min(
                self.clock.seconds(r["t"]) for r in self.records if r.get("client_id") == client_id
            )
            return any(
                taken_s <= began_s and _free(taken_s, began_s, self.windows) <= NEWS_S
                for taken_s in self._taken(f"{trade}-S")
            )
        sent_s = self.cancels.get(client_id)
        return sent_s is not None and any(sent_s <= each <= at_s for each in self._taken(""))

    def _taken(self, beginning: str) -> Iterator[float]:
        """When others took conditional orders whose client id begins so."""
        for record in self.records:
            taken = record["kind"] == "conditional" and record["by"] == "fault"
            if taken and str(record["client_id"]).startswith(beginning):
                yield self.clock.seconds(record["t"])

    def _end(self, client_id: str) -> int:
        """Exchange time of the last word on an order."""
        return max(int(r["t"]) for r in self.records if r.get("client_id") == client_id)


def _free(begin_s: float, end_s: float, windows: Iterable[Window]) -> float:
    """How much of an interval lies outside all windows, in seconds."""
    free_s, at_s = 0.0, begin_s
    for window in sorted(windows, key=lambda each: each.from_s):
        if window.from_s > at_s:
            free_s += max(min(window.from_s, end_s) - at_s, 0.0)
        at_s = max(at_s, window.to_s)
        if at_s >= end_s:
            return free_s
    return free_s + max(end_s - at_s, 0.0)
