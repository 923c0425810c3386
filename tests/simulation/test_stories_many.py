"""Many symbols in one engine: found, covered and read again within the request weight (Y-1, W-4).

The symbols are copies of one contract: what is shown is how reads and orders of many share one budget.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.simulation.acts import QUIET
from tests.simulation.storyboard import Scene, scene

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.reconciler.pace import READ_SHARE, WEIGHT_A_MINUTE
from jumar.simulation.line import Request

#: Of 200 conditional orders of an account six are kept for each position.
MOST = 33
ALL_COVERED_S = 2.0
#: What an engine with five positions may use of the weight.
STEADY_SHARE = 0.40
MINUTE_S = 60
#: Books of thirty-three symbols are read every five seconds; a tick comes on top.
ONE_BACK_S = 6.2


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> dict[str, Decimal]:
    """So many further contracts, with their first prices."""
    model = INSTRUMENTS["BTCUSDT"]
    names = [f"C{number:02}USDT" for number in range(1, MOST)]
    for name in names:
        copy = replace(model, symbol=name, base=name.removesuffix("USDT"))
        monkeypatch.setitem(INSTRUMENTS, name, copy)
    return dict.fromkeys(names, QUIET)


class Weights:
    """The weight that was used, minute by minute of the exchange's time, as its answers tell it."""

    def __init__(self, s: Scene) -> None:
        self.most: Counter[int] = Counter()
        self._clock = s.world.clock
        self._execute = s.world.venue.execute
        s.world.venue.execute = self._heard  # type: ignore[method-assign]  # every answer passes here

    def _heard(self, request: Request) -> Reply:
        reply = self._execute(request)
        minute = self._clock.now_ms() // 60_000
        self.most[minute] = max(self.most[minute], reply.counts.weight_1m)
        return reply

    def of_whole_minutes(self) -> list[int]:
        """Of every minute but the first and the last."""
        return [self.most[minute] for minute in sorted(self.most)[1:-1]]


@contextmanager
def held(others: dict[str, Decimal]) -> Iterator[tuple[Scene, Weights]]:
    """Positions that somebody opened in every symbol; no engine runs yet."""
    with scene(1, engine=False, others=others) as s:
        for symbol in s.books:
            with s.on(symbol):
                s.by_hand("BUY", "0.002")
        yield s, Weights(s)


@pytest.mark.rule("Y-1", "W-4", "P-1")
def test_thirty_three_positions_are_found_and_covered_within_two_seconds(
    copies: dict[str, Decimal],
) -> None:
    """From the first read to the last stop; afterwards all are read on within their share of the weight."""
    with held(copies) as (s, weights):
        print(f"{MOST} positions nobody knew were covered in {covered_after(s):.2f} s")
        s.wait(3 * MINUTE_S)
        print(f"request weight of the minutes: {weights.most}")
        assert max(weights.most.values()) <= WEIGHT_A_MINUTE
        assert max(weights.of_whole_minutes()) <= WEIGHT_A_MINUTE * READ_SHARE


@pytest.mark.rule("Y-4", "Y-9", "P-1")
def test_thirty_three_stops_that_were_lost_meanwhile_are_back_two_seconds_after_a_restart(
    copies: dict[str, Decimal],
) -> None:
    """The journal knows the positions; every stop and backstop was taken while no engine ran."""
    with held(copies) as (s, _):
        covered_after(s)
        s.wait(10)
        s.kill()
        for symbol in s.books:
            with s.on(symbol):
                s.cancel_by_hand("S", "B")
        took_s = covered_after(s)
        print(f"{MOST} positions of the journal were covered again in {took_s:.2f} s")


def covered_after(s: Scene) -> float:
    """Start the engine; how many seconds later every position is covered, two at most."""
    began_s = s.world.now_s
    s.restart(after_s=0)
    while not all(book.covered for book in s.books.values()):
        s.wait(0.02)
        if s.world.now_s - began_s > ALL_COVERED_S:
            s.fail(f"all covered within {ALL_COVERED_S} s")
    return s.world.now_s - began_s


@pytest.mark.rule("W-4")
def test_five_positions_use_less_than_two_fifths_of_the_weight(copies: dict[str, Decimal]) -> None:
    """In the steady state, with everything found and covered."""
    with held(dict(list(copies.items())[:4])) as (s, weights):
        s.restart(after_s=0)
        s.wait(3 * MINUTE_S)
        assert all(book.covered for book in s.books.values())
        print(f"request weight of the minutes: {weights.of_whole_minutes()}")
        assert max(weights.of_whole_minutes()) <= WEIGHT_A_MINUTE * STEADY_SHARE


@pytest.mark.rule("S-7", "W-4", "P-1")
def test_a_stop_that_is_taken_in_silence_among_thirty_three_is_back(
    copies: dict[str, Decimal],
) -> None:
    """The books of so many are read more rarely than one position's alone, but not by much."""
    with held(copies) as (s, _):
        covered_after(s)
        s.wait(10)
        with s.on("C17USDT"):
            s.mute_stream()
            s.cancel_by_hand("S", "B")
            s.until("the stop is back", lambda: s.book.covered, within_s=ONE_BACK_S)
