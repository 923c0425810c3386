"""Wishes are told when they begin, with rule and numbers, and not again while they last."""

from dataclasses import replace
from typing import Any

from tests.worlds import POLICY, world

from jumar.model.command import Cause, Command, Plan, SetLeverage
from jumar.model.world import World
from jumar.planner.approve import approve
from jumar.planner.plan import plan
from jumar.ports.observer import TickReport
from jumar.reports.wishes import WishObserver

WORLD = World(now_ms=1_764_929_100_000, account="main", store_id="s", symbol="BTCUSDT", ready=True)
LEVERAGE = SetLeverage(symbol="BTCUSDT", leverage=3, cause=Cause(rule="E-4", text="leverage 3"))


class Heard:
    """A wish observer and what it told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.ticks = 0
        self._observer = WishObserver(self.told.append)

    def tick(self, *commands: Command, of: World = WORLD) -> list[str]:
        """A tick that wants these; returns what was told of it."""
        return self.plan(Plan(commands=approve(commands, of, None)), of)

    def plan(self, wanted: Plan, of: World) -> list[str]:
        """A tick with this plan; returns what was told of it."""
        self.ticks += 1
        before = len(self.told)
        self._observer.tick(
            TickReport(
                tick=self.ticks, world=of, plan=wanted, executed=(), duration_ms=1, overrun=False
            )
        )
        return [each["would"] for each in self.told[before:]]


def test_a_wish_is_told_once_while_it_lasts() -> None:
    """Other numbers in its reason are no change; another value is; and once it had ended it is told anew."""
    heard = Heard()
    assert heard.tick(LEVERAGE) == ["set leverage 3"]
    assert heard.tick(replace(LEVERAGE, cause=Cause(rule="E-4", text="now with mark 90801"))) == []
    assert heard.tick(replace(LEVERAGE, leverage=4)) == ["set leverage 4"]
    assert heard.tick() == []
    assert heard.tick(LEVERAGE) == ["set leverage 3"]


def test_symbols_have_wishes_of_their_own() -> None:
    """The same wish for another symbol is another wish."""
    heard = Heard()
    heard.tick(LEVERAGE)
    other = replace(WORLD, symbol="ETHUSDT")
    assert heard.tick(replace(LEVERAGE, symbol="ETHUSDT"), of=other) == ["set leverage 3"]
    assert heard.tick(LEVERAGE) == []


def test_a_wish_is_told_with_everything() -> None:
    """Time, tick, symbol, rule, reason and what would follow."""
    heard = Heard()
    heard.tick(LEVERAGE)
    assert heard.told == [
        {
            "at_iso": "2025-12-05T10:05:00.000Z",
            "tick": "BTCUSDT-1",
            "symbol": "BTCUSDT",
            "would": "set leverage 3",
            "rule": "E-4",
            "why": "leverage 3",
            "then": "it is read back, then the stop is armed",
        }
    ]


def test_an_armed_stop_tells_what_would_follow() -> None:
    """Entry, backstop and targets as the trade has them; how much of it fills nobody knows."""
    heard, of = Heard(), world()
    (told,) = heard.plan(plan(of, POLICY), of)
    assert told.startswith("place stop jm-")
    assert told.endswith("-S1 0.013 at 90380")
    assert heard.told[0]["then"] == (
        "once it is confirmed: entry 0.013 at 90786.6, post-only; "
        "from its first fill on: backstop at 90380, TP1 at 91600, TP2 at 92900"
    )
