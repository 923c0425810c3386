"""Scenarios that read like a storyboard, in virtual time.

    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.fill("0.004")
        s.cancel_stop_by_hand()
        s.expect_protected(within_ticks=1)
        s.kill()
        s.restart(after_s=2)
        …
        s.verdict("P-1", "P-4")

What may happen stands in `acts.py`. What is expected is asked of the exchange's own record, of the database or of
`outcome.json`, never of an engine's memory; "within a tick" means: at the latest when the first tick has ended that
began when the news of it could have arrived. Whatever fails tells the scenario so far.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NoReturn

import structlog
from tests.simulation.acts import FLAT, LONG, SHORT, Acts
from tests.simulation.book import Order, spoken
from tests.simulation.script import SLOWEST_S
from tests.simulation.verdicts import Verdict, judged

from jumar.model.mode import Mode
from jumar.store import asked, queries

__all__ = ["FLAT", "LONG", "SEEDS", "SHORT", "Scene", "scene"]

#: Each draws another order of callbacks, other delays on the wire and another phase of the ticks.
SEEDS = (1, 2, 3)
#: How finely is looked whether an expectation has come true, in seconds.
SLICE_S = 0.005
WITHIN_S = 10.0


class Scene(Acts):
    """One scenario."""

    # waiting

    def until(
        self,
        what: str,
        holds: Callable[[], bool],
        *,
        within_ticks: int | None = None,
        within_s: float = WITHIN_S,
    ) -> None:
        """Let time go on until something holds; fails when it does not in time."""
        since_ms, last_s = self.now_ms, self.world.now_s + within_s
        first, seen = len(self.witness.ticks), -1
        self._refresh()
        while not holds():
            looked = self._looks(first, since_ms)
            if within_ticks is not None and looked >= within_ticks:
                self.fail(f"{what} within {within_ticks} ticks")
            if self.world.now_s >= last_s:
                self.fail(f"{what} within {within_s} s")
            news = False
            while not news and self.world.now_s < last_s:
                self.world.run(SLICE_S)
                ticks, seen = len(self.witness.ticks) != seen, len(self.witness.ticks)
                news = self.book.refresh() or ticks
        self.note(f"  {what}")

    def ticks(self, count: int) -> None:
        """Let the engine look so many times more, from the beginning of a tick on."""
        since_ms, first = self.now_ms, len(self.witness.ticks)
        self.until(f"{count} ticks", lambda: self._looks(first, since_ms) >= count, within_s=60)

    def _looks(self, first: int, since_ms: int) -> int:
        """How many ticks have ended that could know of what happened at a moment."""
        known_ms = since_ms + SLOWEST_S * 1000
        own = (t for t in self.witness.ticks[first:] if t.report.world.symbol == self.symbol)
        return sum(tick.began_ms > known_ms for tick in own)

    def always(self, what: str, holds: Callable[[], bool], *, for_s: float) -> None:
        """Let time go on; fails as soon as something does not hold any more."""
        last_s = self.world.now_s + for_s
        while self.world.now_s < last_s:
            if not holds():
                self.fail(f"{what} for {for_s} s")
            self.wait(SLICE_S)
        self.note(f"  {what} for {for_s} s")

    # the exchange

    def expect_armed(self, **within: Any) -> Order:
        """An entry rests behind a reduce-only stop of at least its size; returns the entry."""
        self.expect_roles("ES", **within)
        (stop,), (entry,) = self.book.resting("S"), self.book.resting("E")
        sized = Decimal(stop["quantity"]) >= Decimal(entry["quantity"])
        if not (sized and stop["reduce_only"] and stop["side"] != entry["side"]):
            self.fail("the armed stop to cover the entry")
        return entry

    def expect_held(self, quantity: str = "0.013", **within: Any) -> None:
        """So much is held, behind a stop, a backstop and both targets, and nothing else rests."""
        self.expect_position(quantity, **within)
        self.expect_roles("BPQS", **within)

    def expect_roles(self, roles: str, **within: Any) -> None:
        """Exactly these roles of ours rest: `BPQS`."""
        self.until(f"{roles or 'nothing'} rests", lambda: self.book.roles == roles, **within)

    def expect_rests(self, slots: str, **within: Any) -> None:
        """Exactly these rest: `B1 P1 Q1 S2`; orders of hands by their name."""
        self.until(f"{slots or 'nothing'} rests", lambda: self.book.slots == slots, **within)

    def expect_position(self, quantity: str, **within: Any) -> None:
        """The exchange holds so much, signed."""
        self.until(
            f"position {quantity}", lambda: self.book.position == Decimal(quantity), **within
        )

    def expect_protected(self, *, within_ticks: int = 1, **within: Any) -> None:
        """There is a position, and one live stop of its full size."""
        self.book.refresh()
        if not self.book.position:
            self.fail("a position to protect")
        self.until("protected", lambda: self.book.covered, within_ticks=within_ticks, **within)

    def expect_recovered(self) -> None:
        """P-6: at the end of the third tick of a new life the position is covered."""
        self.ticks(3)
        if not self.book.position:
            self.fail("a position to find")
        if not self.book.covered:
            self.fail("protected in three ticks")

    def expect_stays_protected(self, *, for_s: float) -> None:
        """At no moment the position is bare."""
        self.always("protected", lambda: self.book.covered, for_s=for_s)

    def expect_stop_at(self, trigger: str, **within: Any) -> Order:
        """Exactly one working stop rests, at that price; returns it."""
        price = Decimal(trigger)
        self.until(f"one stop at {trigger}", lambda: self.book.stops() == [price], **within)
        return self.book.resting("S")[0]

    def expect_flat(self, **within: Any) -> None:
        """The exchange holds nothing."""
        self.expect_position("0", **within)

    def expect_home(self, *, within_s: float = WITHIN_S) -> None:
        """Nothing is held, nothing of ours rests, and the journal knows every trade's end."""
        self.until("home", self._home, within_s=within_s)

    def _home(self) -> bool:
        self._refresh()
        left = any(book.position or book.roles for book in self.books.values())
        return not left and self._all_ended()

    def _all_ended(self) -> bool:
        rows = queries.trades(self.database) if self.database.exists() else ()
        return all(row.trade.ended_ms is not None for row in rows)

    def expect_no_entry(self, *, for_ticks: int = 4) -> None:
        """No entry is sent, and none rests."""
        before = self.book.entries()
        self.ticks(for_ticks)
        if self.book.entries() != before or self.book.resting("E"):
            self.fail(f"no entry for {for_ticks} ticks")

    # the engine's machine

    def expect_dead(self, **within: Any) -> None:
        """The engine has died at the point that `dies` named."""
        self.until("dead", lambda: not self.alive, **within)
        self.world.on_point = lambda _: False

    def expect_stopped(self, *, within_s: float = 5.0) -> None:
        """Asked to stop, the engine ends in an orderly way."""
        self.note("asked to stop")
        self.world.host.ask_to_stop()
        last_s = self.world.now_s + within_s
        while self.alive:
            if self.world.now_s >= last_s:
                self.fail(f"the engine to end within {within_s} s")
            self.wait(SLICE_S)

    # the database and the answer

    def outcome(self) -> dict[str, Any]:
        """What stands in `outcome.json`."""
        path = self.world.disk.folder / "outcome.json"
        if not path.is_file():
            return {"outcome": None, "reasons": []}
        answer: dict[str, Any] = json.loads(path.read_text())
        return answer

    def expect_outcome(self, outcome: str, *codes: str, **within: Any) -> dict[str, Any]:
        """The decision's writer is told this, with exactly these codes."""

        def told() -> bool:
            answer = self.outcome()
            reasons = [reason["code"] for reason in answer["reasons"]]
            return (answer["outcome"], reasons) == (outcome, list(codes))

        self.until(" ".join(["told", outcome, *codes]), told, **within)
        return self.outcome()

    def expect_mode(self, mode: Mode, **within: Any) -> None:
        """The database keeps this mode for the symbol."""

        def kept() -> bool:
            kept = asked.present(self.database).modes.get(self.symbol)
            return (Mode.NORMAL if kept is None else kept.mode) is mode

        self.until(f"mode {mode.value}", kept, **within)

    def incidents(self, rule: str) -> list[str]:
        """The messages of the incidents of one rule in the journal in use."""
        return [i.message for i in asked.incidents_since(self.database, 0) if i.rule == rule]

    # judgement

    def verdict(self, *checked: str, **leave: Any) -> Verdict:
        """Come home and be judged: every promise kept, these really checked; see `verdicts.judged`."""
        if leave.get("home", True):
            self.expect_home(within_s=30)
        try:
            return judged(self, *checked, **leave)
        except AssertionError as error:
            self.fail(f"a clean verdict: {error}")

    def fail(self, expected: str) -> NoReturn:
        """Fail, telling the scenario."""
        raise AssertionError(f"expected {expected}; at {self.moment()}")

    def tale(self, said: list[Any]) -> str:
        """Everything that somebody who reads a failure wants to know first."""
        orders = [spoken(order) for order in self.book.alive.values()]
        news = [spoken(r) for r in self.book.records if r["kind"] not in {"market", "serving"}]
        alarms = [f"{i.severity} {i.rule} {i.message}" for i in self.witness.incidents]
        looks = [
            f"{tick.began_ms}-{tick.ended_ms} {[r.code for r in tick.report.plan.refusals]} "
            f"{[(type(e.command).__name__, str(e.outcome)[:80]) for e in tick.report.executed]}"
            for tick in self.witness.ticks
        ]
        lines = [str(each) for each in said if each.get("log_level") != "debug"]
        parts = {
            "storyboard": self.world.log[-25:],
            f"position {self.book.position}; resting": orders,
            "ledger": news[-14:],
            "ticks": looks[-4:],
            "incidents": alarms[-6:],
            "log": lines[-8:],
        }
        return "\n".join(f"{head}:\n  " + "\n  ".join(body) for head, body in parts.items())


@contextmanager
def scene(
    seed: int,
    *,
    ahead_ms: int = 0,
    drift: float = 0.0,
    engine: bool = True,
    readings: Sequence[str] = (),
    others: Mapping[str, Decimal] = MappingProxyType({}),
    **policy: Any,
) -> Iterator[Scene]:
    """A scenario at 10:04:50 with a quiet price of 90 820 and an engine that has just been started.

    Args:
        seed: of the order of callbacks, the delays on the wire and the phase of the ticks.
        ahead_ms: how far the engine's clock is ahead.
        drift: how much faster it runs, as a share.
        engine: whether one is started at once.
        readings: how the exchange answers what is left open, such as `oversize_stop=reject`.
        others: further symbols that the engine manages, each with its first price.
        policy: fields of the engine's policy.
    """
    with structlog.testing.capture_logs() as said:
        story = Scene(
            seed,
            ahead_ms=ahead_ms,
            drift=drift,
            policy=policy,
            readings=readings,
            others=others,
        )
        with story.world:
            try:
                story.begin(engine=engine)
                yield story
                assert not story.script.unmet, f"faults that met nothing: {story.script.unmet}"
            except Exception as error:
                error.add_note(f"seed {seed}\n{story.tale(said)}")
                raise
