"""Killed at a named point and begun again: real processes, real SQLite, real sockets.

Every trial plays a story up to the point at which the engine kills itself, lets something happen while it is dead,
begins a second life, asks for protection within three ticks, brings the trade home and calls the judges.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.engines import Stage
from tests.lives import (
    LONG,
    SHORT,
    Cast,
    Road,
    assert_clean,
    cast,
    enters_no_second_time,
    side_by_side,
    stop_triggers,
)

from jumar.store import queries

type Act = Callable[[Cast, Road], Awaitable[None]]


async def _until(company: Cast, roles: str) -> bool:
    """Wait until these rest or the life is over; say whether it goes on."""

    async def holds() -> bool:
        return company.life.dead or await company.roles() == roles

    await company.until(holds)
    return not company.life.dead


async def decide(company: Cast, road: Road) -> None:
    """The decision appears."""
    await company.decide(**road.decision)


async def fill(company: Cast, road: Road) -> None:
    """The price comes to the entry."""
    if await _until(company, "ES"):
        await company.stage.price(road.enter)


async def first_target(company: Cast, road: Road) -> None:
    """The price reaches TP1."""
    if await _until(company, "BPQS"):
        await company.stage.price(road.tp1)


async def stop_out(company: Cast, road: Road) -> None:
    """The price runs through the stop."""
    if await _until(company, "BPQS"):
        await company.stage.price(road.stopped)


async def flatten(company: Cast, road: Road) -> None:
    """A flat decision under an open position."""
    if await _until(company, "BPQS"):
        await company.decide(action="flat", entry_zone=[])


async def withdraw(company: Cast, road: Road) -> None:
    """A flat decision while the entry rests."""
    if await _until(company, "ES"):
        await company.decide(action="flat", entry_zone=[])


# while nobody is there


async def nothing(stage: Stage, road: Road) -> None:
    """The market stands still."""


async def fills_alone(stage: Stage, road: Road) -> None:
    """The entry fills."""
    await stage.price(road.enter)


async def fills_and_stops(stage: Stage, road: Road) -> None:
    """One step through entry and stop."""
    await stage.price(road.stopped)


async def reaches_tp1(stage: Stage, road: Road) -> None:
    """The first target is hit."""
    await stage.price(road.tp1)


async def loses_its_stops(stage: Stage, road: Road) -> None:
    """Somebody cancels every stop."""
    for name, order in (await stage.alive()).items():
        if name[0] in "SB":
            await stage.control("cancel", {"symbol": "BTCUSDT", "client_id": order["client_id"]})


#: Where the second life takes the trade up.
RESTING, OPEN, RUNNER, ENDING, FORGOTTEN = "resting", "open", "runner", "ending", "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One point, the way to it, what happens meanwhile, and what the second life must find."""

    point: str
    acts: tuple[Act, ...]
    finds: str
    road: Road = LONG
    meanwhile: Callable[[Stage, Road], Awaitable[None]] = nothing
    excused: bool = False
    policy: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """`short-after-send:E1-fills_alone`."""
        side = "long" if self.road is LONG else "short"
        return f"{side}-{self.point}-{self.meanwhile.__name__}"


ENTERING = (decide,)
FILLING = (decide, fill)
MOVING = (decide, fill, first_target)
STOPPING = (decide, fill, stop_out)
CLOSING = (decide, fill, flatten)
WITHDRAWING = (decide, withdraw)
ON_FLAT = {"on_flat": "close"}

ARMING = (
    Trial(point="before-journal:S1", acts=ENTERING, finds=FORGOTTEN),
    Trial(point="after-journal:S1", acts=ENTERING, finds=RESTING),
    Trial(point="after-send:S1", acts=ENTERING, finds=RESTING),
    Trial(point="before-journal:E1", acts=ENTERING, finds=RESTING),
)
UNKNOWN_ENTRY = (
    Trial(point="after-journal:E1", acts=ENTERING, finds=RESTING),
    Trial(point="after-journal:E1", acts=ENTERING, finds=RESTING, road=SHORT),
    Trial(point="after-send:E1", acts=ENTERING, finds=RESTING),
    Trial(point="after-send:E1", acts=ENTERING, finds=ENDING, meanwhile=fills_and_stops),
)
FILLED = (
    Trial(point="after-send:E1", acts=ENTERING, finds=OPEN, meanwhile=fills_alone),
    Trial(point="after-send:E1", acts=ENTERING, finds=OPEN, meanwhile=fills_alone, road=SHORT),
    Trial(point="before-fill:E1", acts=FILLING, finds=OPEN),
    Trial(point="before-fill:E1", acts=FILLING, finds=OPEN, road=SHORT),
)
TOLD = (
    Trial(point="after-commit:FillSeen", acts=FILLING, finds=OPEN),
    Trial(point="after-commit:FillSeen", acts=FILLING, finds=ENDING, meanwhile=fills_and_stops),
    Trial(point="before-send:B1", acts=FILLING, finds=OPEN),
    Trial(point="after-send:B1", acts=FILLING, finds=OPEN, road=SHORT),
)
TARGETING = (
    Trial(point="after-send:P1", acts=FILLING, finds=OPEN),
    Trial(point="after-journal:Q1", acts=FILLING, finds=OPEN),
    Trial(point="after-send:Q1", acts=FILLING, finds=RUNNER, meanwhile=reaches_tp1),
    Trial(point="before-fill:P1", acts=MOVING, finds=RUNNER),
)
STOP_MOVE = (
    Trial(point="after-send:S2", acts=MOVING, finds=RUNNER),
    Trial(point="before-cancel:S1", acts=MOVING, finds=RUNNER),
    Trial(point="before-cancel:S1", acts=MOVING, finds=RUNNER, road=SHORT),
    Trial(point="after-cancel:S1", acts=MOVING, finds=RUNNER),
)
FULL_EXIT = (
    Trial(point="after-journal:X1", acts=CLOSING, finds=ENDING, policy=ON_FLAT),
    Trial(point="after-send:X1", acts=CLOSING, finds=ENDING, policy=ON_FLAT),
    Trial(point="after-send:X1", acts=CLOSING, finds=ENDING, policy=ON_FLAT, road=SHORT),
)
SWEEP = (
    Trial(point="after-cancel:any", acts=STOPPING, finds=ENDING),
    Trial(point="before-commit:TradeEnded", acts=STOPPING, finds=ENDING),
    Trial(point="after-commit:TradeEnded", acts=STOPPING, finds=ENDING),
    Trial(point="before-cancel:E1", acts=WITHDRAWING, finds=ENDING),
    Trial(point="after-cancel:E1", acts=WITHDRAWING, finds=ENDING),
)
#: Alone, so that nobody else's life takes the processor while the deadline runs.
STOPLESS = tuple(
    Trial(
        point="after-commit:FillSeen",
        acts=FILLING,
        finds=OPEN,
        meanwhile=loses_its_stops,
        excused=True,
        road=road,
    )
    for road in (LONG, SHORT)
)


async def go_home(company: Cast, road: Road, finds: str) -> None:
    """Take the trade up where the second life must have found it, and bring it home: by its stop, or by both targets."""
    if finds == FORGOTTEN:
        await company.until(lambda: company.refused("spent"))
        assert await company.roles() == ""
        await company.decide(**road.decision)
    if finds in {FORGOTTEN, RESTING}:
        await company.until_roles("ES")
        await company.stage.price(road.enter)
    if finds in {FORGOTTEN, RESTING}:
        await company.until_roles("BPQS")
        await company.stage.price(road.stopped)
    if finds == OPEN:
        await company.until_roles("BPQS")
        await company.stage.price(road.tp1)
    if finds in {OPEN, RUNNER}:
        await company.until(lambda: _moved(company, road))
        await company.stage.price(road.tp2)
    await company.until(company.idle)


async def _moved(company: Cast, road: Road) -> bool:
    """Whether one working stop rests beyond the entry, beside the backstop and TP2."""
    triggers = stop_triggers(await company.stage.alive())
    beyond = [trigger for trigger in triggers if (trigger - road.average) * road.sign > 0]
    return await company.roles() == "BQS" and len(beyond) == 1


async def play(folder: Path, trial: Trial) -> None:
    """One trial from the first life to the judges."""
    async with cast(folder, **trial.policy) as company:
        await company.stage.price(trial.road.quiet)
        first = await company.begin(trial.point)
        await company.foresee()
        for act in trial.acts:
            await act(company, trial.road)
        await first.killed()
        await company.stand_ready()
        await trial.meanwhile(company.stage, trial.road)
        await company.begin()
        await company.protected_in_three_ticks()
        await go_home(company, trial.road, trial.finds)
        if trial.acts is not WITHDRAWING and trial.acts is not CLOSING:
            await enters_no_second_time(company, trial.road)
        await assert_clean(company, excused=trial.excused)
        trades = [row for row in queries.trades(company.database) if row.entry_fills]
        assert len(trades) == (trial.acts is not WITHDRAWING)


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8", "X-1", "X-2", "X-4", "X-9", "Y-5", "Y-8")
@pytest.mark.parametrize(
    "trials",
    [
        pytest.param(ARMING, id="arming"),
        pytest.param(UNKNOWN_ENTRY, id="unknown-entry"),
        pytest.param(FILLED, id="filled"),
        pytest.param(TOLD, id="told"),
        pytest.param(TARGETING, id="targeting"),
        pytest.param(STOP_MOVE, id="stop-move"),
        pytest.param(FULL_EXIT, id="full-exit"),
        pytest.param(SWEEP, id="sweep"),
        pytest.param(STOPLESS[:1], id="stopless-long"),
        pytest.param(STOPLESS[1:], id="stopless-short"),
    ],
)
async def test_killed_and_begun_again(tmp_path: Path, trials: tuple[Trial, ...]) -> None:
    """Killed at the point, begun again: protected within three ticks, home once, nothing left or doubled."""
    plays = {}
    for number, trial in enumerate(trials):
        folder = tmp_path / str(number)
        folder.mkdir()
        plays[str(trial)] = play(folder, trial)
    await side_by_side(plays)
