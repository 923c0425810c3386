"""What must hold for any ledger: the judge against a second, simpler reckoning and against itself.

Histories are drawn as moves of one symbol, a millisecond or more apart; the story turns them into records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulated.judge_ledger import GROUP, Fields, Placed, Story

FAR = Decimal(100_000)  # a mirror for prices: long at p is short at FAR - p


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One thing that happens; `pick` chooses among the stops alive, `after_ms` before it."""

    kind: str
    after_ms: int
    quantity: int
    price: int
    pick: int
    by: str


def moves(
    kinds: Sequence[str], *, quantities: st.SearchStrategy[int], by: Sequence[str]
) -> st.SearchStrategy[list[Move]]:
    """Histories of up to a dozen moves."""
    move = st.builds(
        Move,
        kind=st.sampled_from(kinds),
        after_ms=st.integers(1, 4000),
        quantity=quantities,
        price=st.integers(48_000, 49_900),
        pick=st.integers(0, 9),
        by=st.sampled_from(by),
    )
    return st.lists(move, max_size=12)


class Player:
    """Plays moves into a story and keeps a naive account of cover: a flag per millisecond span."""

    def __init__(self, *, mirrored: bool = False, crumbs: int = 1) -> None:
        self.story = Story()
        self.stops: list[Placed] = []
        self.bare_ms = 0
        self._since: int | None = None
        self._mirrored = mirrored
        self._crumbs = crumbs
        self._count = 0

    def play(self, history: Sequence[Move]) -> Fields:
        """Play all moves and one last second; returns the verdict."""
        for move in history:
            self.story.wait(move.after_ms)
            getattr(self, move.kind)(move)
            self._note()
        self.story.wait(1000)
        self._note()
        return self.story.verdict(self.story.t)

    def enter(self, move: Move) -> None:
        """An entry fills, perhaps in crumbs."""
        placed = self.story.order(self._id("E"), self._side("BUY"), str(move.quantity))
        self._fill(placed, Decimal(move.quantity))

    def stop(self, move: Move) -> None:
        """A reduce-only stop is placed."""
        price = FAR - move.price if self._mirrored else move.price
        placed = self.story.stop(self._id("S"), self._side("SELL"), str(move.quantity), str(price))
        self.stops.append(placed)

    def cancel(self, move: Move) -> None:
        """A stop is cancelled."""
        if self.stops:
            self.story.cancel(self.stops.pop(move.pick % len(self.stops)), move.by)

    def fire(self, move: Move) -> None:
        """A stop fires and closes what it can."""
        if not self.stops:
            return
        placed = self.stops.pop(move.pick % len(self.stops))
        if not self.story.position:
            self.story.cancel(placed, "market", "TRIGGERING")
            self.story.cancel(placed, "exchange", "REJECTED")
            return
        child = self.story.trigger(placed)
        left = min(Decimal(placed.fields["quantity"]), abs(self.story.position))
        self._fill(child, left)
        self.story.finish(placed)

    def exit(self, _move: Move) -> None:
        """The position is closed at market."""
        if self.story.position:
            size = abs(self.story.position)
            side = self._side("SELL")
            placed = self.story.order(
                self._id("X"), side, str(size), kind="MARKET", reduce_only=True
            )
            self._fill(placed, size)

    def _fill(self, placed: Placed, quantity: Decimal) -> None:
        parts = [quantity / self._crumbs] * self._crumbs
        self.story.fill(placed, *(str(part) for part in parts))

    def _side(self, side: str) -> str:
        return {"BUY": "SELL", "SELL": "BUY"}[side] if self._mirrored else side

    def _id(self, role: str) -> str:
        self._count += 1
        return f"{GROUP}-{role}{self._count}"

    def _note(self) -> None:
        size = abs(self.story.position)
        bare = size > 0 and not any(Decimal(s.fields["quantity"]) >= size for s in self.stops)
        if self._since is not None:
            self.bare_ms = max(self.bare_ms, self.story.t - self._since)
        if not bare:
            self._since = None
        elif self._since is None:
            self._since = self.story.t


KINDS = ("enter", "stop", "cancel", "fire", "exit")
own_doing = moves(("enter", "stop", "cancel", "exit"), quantities=st.integers(1, 20), by=["client"])
anything = moves(KINDS, quantities=st.sampled_from([1, 5, 20]), by=["client", "fault", "exchange"])


def figures(verdict: Fields) -> Fields:
    """The verdict without its texts: what two tellings of one history must share."""
    bare = {key: value for key, value in verdict.items() if key != "violations"}
    bare["broken"] = {(v["promise"], v["client_id"]) for v in verdict["violations"]}
    return bare


@pytest.mark.rule("P-1")
@settings(max_examples=200, deadline=None)
@given(own_doing)
def test_bare_time_is_what_a_naive_reckoning_finds(history: list[Move]) -> None:
    """Where only the client acts, the longest gap is that of a simple flag, and it alone decides."""
    player = Player()
    verdict = player.play(history)
    assert verdict["unprotected_ms_max"] == player.bare_ms
    assert verdict["unprotected_excused_ms"] == 0
    assert verdict["promises"].get("P-1", True) is (player.bare_ms == 0)


@pytest.mark.rule("P-1", "P-2", "P-4", "P-5", "P-8")
@settings(max_examples=200, deadline=None)
@given(anything)
def test_a_short_is_the_mirror_of_a_long(history: list[Move]) -> None:
    """The same history mirrored gets the same verdict in every figure."""
    assert figures(Player().play(history)) == figures(Player(mirrored=True).play(history))


class Ample(Player):
    """Places only stops that no crumb of a position can outgrow or shrink to."""

    def stop(self, move: Move) -> None:
        super().stop(replace(move, quantity=10_000))


@pytest.mark.rule("P-1", "P-2", "P-4", "P-5", "P-8")
@settings(max_examples=100, deadline=None)
@given(anything, st.sampled_from([2, 4, 8]))
def test_crumbs_change_no_verdict(history: list[Move], crumbs: int) -> None:
    """A fill in one piece or in several of the same moment is judged alike."""
    assert figures(Ample().play(history)) == figures(Ample(crumbs=crumbs).play(history))


@pytest.mark.rule("P-1")
@settings(max_examples=200, deadline=None)
@given(anything, st.integers(0, 12))
def test_one_more_full_stop_never_makes_cover_worse(history: list[Move], place: int) -> None:
    """A further stop of ample size, placed anywhere and left alone, shortens gaps or leaves them."""
    ample = Move(kind="stop", after_ms=1, quantity=10_000, price=1, pick=0, by="client")

    class Careful(Player):
        """Leaves the ample stop alone."""

        def stop(self, move: Move) -> None:
            super().stop(move)
            if move is ample:
                self.stops.pop()

    without = Careful().play(history)
    more = Careful().play([*history[:place], ample, *history[place:]])
    assert more["unprotected_ms_max"] <= without["unprotected_ms_max"] + 1
    assert more["promises"].get("P-1", True) >= without["promises"].get("P-1", True)
    if place == 0:
        assert more["cover_gap_events"] == 0


@pytest.mark.rule("P-2")
@settings(max_examples=200, deadline=None)
@given(anything)
def test_who_never_cancels_never_widens_what_stands(history: list[Move]) -> None:
    """Without a cancel by anybody and without a fired stop nothing can become looser."""
    placing = [move for move in history if move.kind in {"enter", "stop", "exit"}]
    assert Ample().play(placing)["stop_widened"] == 0
