"""Lives of one engine as processes on a stage: begun, killed, begun again, and judged at the end.

The exchange lives in the test's loop and knows no deaths; the engine is `tests/process/victim.py`. What is asserted
here is the exchange's own record, never what an engine believes.
"""

import asyncio
import json
import sqlite3
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.engines import Stage, staged
from tests.life import Life, Understudy

from jumar.audit import audit
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.model.ids import parse_client_id
from jumar.reports import ticks
from jumar.store import queries

#: A short receive window, so that a lost request is dead soon.
POLICY: Mapping[str, str] = {
    "max_notional_usdt": "5000",
    "max_trades_per_day": "100",
    "cooldown_after_loss_s": "0",
    "loop_interval_s": "0.5",
    "recv_window_ms": "500",
    "clock_uncertainty_ms": "100",
}
OVER = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED", "FINISHED"})
ENTRY, STOP = "E", "S"
#: How client ids begin that people give.
HAND = "web_"
STOPS_ALIVE_MAX = 3
#: How far the engine's measured clock may be from the exchange's on one machine.
CLOCK_SLACK_MS = 50

type Ledger = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The prices of one side's story."""

    decision: dict[str, Any]
    quiet: str
    enter: str
    tp1: str
    tp2: str
    stopped: str
    average: Decimal
    sign: int


LONG = Road(
    decision={},
    quiet="90820.0",
    enter="90786.5",
    tp1="91600.0",
    tp2="92900.0",
    stopped="90370.0",
    average=Decimal("90786.6"),
    sign=1,
)
SHORT = Road(
    decision={"action": "short", "sl": 91220, "tp1": 90000, "tp2": 88700},
    quiet="90790.0",
    enter="90813.6",
    tp1="90000.0",
    tp2="88700.0",
    stopped="91230.0",
    average=Decimal("90813.4"),
    sign=-1,
)


@dataclass
class Cast:
    """A stage and every life on it, each with the same database.

    Deadlines run while nobody lives. So that they measure the engine and not how long this machine takes to start
    a process, the next life can stand ready before the present one ends: see `stand_ready`.

    Attributes:
        written: every decision as its writer wrote it, oldest first.
    """

    stage: Stage
    policy: Mapping[str, str] = field(default_factory=lambda: POLICY)
    lives: list[Life] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    _next: Understudy | None = None
    _stamped_ms: int = 0

    @property
    def folder(self) -> Path:
        """Where everything of this test lies."""
        return self.stage.folder

    @property
    def database(self) -> Path:
        """The journal in use."""
        return self.folder / "jumar.db"

    @property
    def life(self) -> Life:
        """The newest life."""
        return self.lives[-1]

    async def foresee(self) -> Understudy:
        """Have the process of the next life started; it goes on starting by itself."""
        if self._next is None:
            self._next = await Understudy.called(self.folder / f"life{len(self.lives)}.log")
        return self._next

    async def stand_ready(self) -> Understudy:
        """Have the next life ready to begin at once."""
        understudy = await self.foresee()
        await understudy.ready()
        return understudy

    async def end(self) -> None:
        """Kill whatever lives or stands ready."""
        for life in self.lives:
            await life.kill()
        if self._next is not None:
            await self._next.dismissed()

    async def begin(self, point: str | None = None) -> Life:
        """Begin a life, which dies at `point`, and wait for its first tick."""
        number = len(self.lives)
        marker, config = self.folder / f"marker{number}", self.folder / f"life{number}.json"
        config.write_text(
            json.dumps(
                {
                    "urls": dict(self.stage.server.urls),
                    "database": f"sqlite:///{self.database}",
                    "decision": str(self.folder / "decision.json"),
                    "policy": dict(self.policy),
                    "point": point,
                    "marker": str(marker),
                }
            )
        )
        understudy, self._next = await self.stand_ready(), None
        life = understudy.begin(config, point, marker)
        self.lives.append(life)
        await self.until(lambda: _true(bool(life.ticks) or life.dead))
        assert life.ticks or point, life.story()
        return life

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a state; a failure tells what exchange and engine saw."""
        try:
            await self.stage.until(holds)
        except AssertionError as error:
            told = self.lives[-1].story() if self.lives else "nobody lived"
            raise AssertionError(f"{error}\n{told}") from None

    async def ticked(self, more: int) -> None:
        """Wait until the newest life has ticked that many times more."""
        life, before = self.life, len(self.life.ticks)
        await self.until(lambda: _true(len(life.ticks) >= before + more))

    async def decide(self, *, ahead_ms: int = 0, **changes: Any) -> None:
        """Write a decision of this very moment on the exchange's clock, or of one ahead; newer than the one before."""
        stamp_ms = max(self.life.ticks[-1]["now_ms"] + ahead_ms, self._stamped_ms + 1)
        self._stamped_ms = stamp_ms
        moment = datetime.fromtimestamp(stamp_ms / 1000, tz=UTC).isoformat()
        self.stage.decide(**{"timestamp_iso": moment, **changes})
        self.written.append((self.folder / "decision.json").read_text())

    async def roles(self) -> str:
        """The letters of all that rests, sorted: `BPQS` for a position with stops and targets."""
        return "".join(sorted(name[0] for name in await self.stage.alive()))

    async def until_roles(self, roles: str) -> None:
        """Wait until exactly these roles rest."""

        async def holds() -> bool:
            return await self.roles() == roles

        await self.until(holds)

    async def idle(self) -> bool:
        """Whether nothing rests, no position is open, and a tick after the last change knows no trade."""
        tick = self.life.ticks[-1] if self.life.ticks else None
        if tick is None or tick["position"] is None or tick["trade"] is not None:
            return False
        changed_ms = max(r["t"] for r in await self.stage.ledger() if r["kind"] != "market")
        looked = tick["now_ms"] > changed_ms + CLOCK_SLACK_MS
        return looked and not await self.stage.alive() and await self.stage.position() == 0

    async def refused(self, code: str) -> bool:
        """Whether a guard of that code refused in a tick of the newest life."""
        return any(code in tick["refusals"] for tick in self.life.readable)

    async def protected_in_three_ticks(self) -> None:
        """P-6: by the end of the third tick that could read, the position is covered, and stays so."""
        life = self.life
        await self.until(lambda: _true(len(life.readable) >= 3))
        by_ms = life.readable[2]["done_ms"] + CLOCK_SLACK_MS
        bare = [look.t for look in looks(await self.stage.ledger()) if not look.covered]
        still = [t for t in bare if t >= by_ms]
        assert not still, f"bare at {still[:3]}, the third tick ended at {by_ms}\n{life.story()}"
        last = [look for look in looks(await self.stage.ledger()) if look.t <= by_ms][-1]
        assert last.covered, f"bare at the end of the third tick\n{life.story()}"


@asynccontextmanager
async def cast(
    folder: Path, readings: Readings = DEFAULT_READINGS, /, **policy: str
) -> AsyncIterator[Cast]:
    """An exchange and the means to live on it; whatever still lives at the end is killed."""
    async with staged(folder, readings=readings) as stage:
        company = Cast(stage, policy={**POLICY, **policy})
        try:
            yield company
        finally:
            await company.end()


async def side_by_side(plays: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Play what mostly waits beside each other, each on an exchange of its own; all failures are told by name."""
    ends = await asyncio.gather(*plays.values(), return_exceptions=True)
    failures = []
    for name, end in zip(plays, ends, strict=True):
        if isinstance(end, Exception):
            end.add_note(f"this was: {name}")
            failures.append(end)
        elif isinstance(end, BaseException):
            raise end
    if failures:
        raise ExceptionGroup("lives side by side", failures)


async def _true(value: bool) -> bool:
    return value


# the exchange's record, step by step


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The book after one record: the position and what is alive by client id (children left out)."""

    t: int
    position: Decimal
    alive: Mapping[str, dict[str, Any]]

    @property
    def covered(self) -> bool:
        """Whether there is no position, or one live stop of its full size against it."""
        return not self.position or any(_covers(o, self.position) for o in self.alive.values())


def looks(ledger: Iterable[dict[str, Any]]) -> Iterator[Look]:
    """The book after each record that changed it, records of one moment taken together."""
    position, alive, at_ms = Decimal(0), dict[str, dict[str, Any]](), 0
    for record in ledger:
        if record["t"] != at_ms:
            yield Look(t=at_ms, position=position, alive=dict(alive))
            at_ms = record["t"]
        if record["kind"] == "position":
            position = Decimal(record["quantity"])
        elif record["kind"] in {"order", "conditional"} and record.get("parent_algo_id") is None:
            alive.pop(record["client_id"], None)
            if record["status"] not in OVER:
                alive[record["client_id"]] = record
    yield Look(t=at_ms, position=position, alive=dict(alive))


def _covers(order: dict[str, Any], position: Decimal) -> bool:
    against = "SELL" if position > 0 else "BUY"
    if order.get("type") != "STOP_MARKET" or order["side"] != against:
        return False
    sized = order["quantity"] is not None and Decimal(order["quantity"]) >= abs(position)
    return order["close_position"] or (order["reduce_only"] and sized)


def entries_seen(ledger: Iterable[dict[str, Any]]) -> list[str]:
    """The client ids of all entry orders that the exchange has seen."""
    ours = {r["client_id"] for r in ledger if r["kind"] == "order" and _role(r) == ENTRY}
    return sorted(ours)


def entry_fills(ledger: Iterable[dict[str, Any]]) -> dict[str, Decimal]:
    """What the entries of each trade filled, by trade key."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for record in ledger:
        named = parse_client_id(record.get("client_id") or "")
        if record["kind"] == "fill" and named is not None and named.role.value == ENTRY:
            filled[named.key] += Decimal(record["quantity"])
    return dict(filled)


def stop_triggers(alive: Mapping[str, dict[str, Any]]) -> list[Decimal]:
    """The triggers of the working stops that rest."""
    return [Decimal(order["trigger"]) for name, order in alive.items() if name.startswith(STOP)]


def _role(record: dict[str, Any]) -> str:
    named = parse_client_id(record.get("client_id") or "")
    return "" if named is None else named.role.value


async def enters_no_second_time(company: Cast, road: Road) -> None:
    """The price is where the spent decision would enter, and looked at: no entry follows."""
    before = entries_seen(await company.stage.ledger())
    await company.stage.price(road.quiet)
    await company.ticked(2)
    assert "spent" in company.life.ticks[-1]["refusals"], company.life.story()
    assert entries_seen(await company.stage.ledger()) == before


# the judges


def assert_never_doubled(ledger: Ledger) -> None:
    """At no moment two orders of one slot; of stops no more than a move needs."""
    for look in looks(ledger):
        slots: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name in look.alive:
            if (named := parse_client_id(name)) is not None:
                slots[named.key, named.role.value].append(name)
        for (_, role), names in slots.items():
            most = STOPS_ALIVE_MAX if role == STOP else 1
            assert len(names) <= most, f"at {look.t} alive together: {names}"


async def assert_clean(company: Cast, *, excused: bool = False) -> dict[str, Any]:
    """Home, nothing left, nothing doubled, every promise kept, nothing unresolved, nothing unknown to a journal.

    Args:
        company: the stage and its lives, all of which came home.
        excused: whether time without protection that others caused is part of the test.

    Returns:
        The exchange judge's word.
    """
    stage = company.stage
    ledger = await stage.ledger()
    assert await stage.position() == 0
    assert await stage.alive() == {}
    assert_never_doubled(ledger)
    verdict = await stage.verdict()
    ours = [v for v in verdict["violations"] if parse_client_id(v["client_id"] or "")]
    assert not ours
    assert verdict["unprotected_ms_max"] == 0
    assert excused or verdict["unprotected_excused_ms"] == 0, verdict
    assert verdict["orphan_orders"] == 0
    assert_journals_agree(company, ledger)
    record = ticks.record_files(company.database)
    found = audit(ledger, company.written, company.database, record, gaps=verdict["gaps"])
    assert not found.violations
    assert found.checks.get("P-9", 0) > 0
    return verdict


def assert_journals_agree(company: Cast, ledger: Ledger) -> None:
    """Every order is in a journal, every intent has its end, every decision at most one trade within its plan."""
    known = set(queries.journaled_ids(company.database))
    seen = {r["client_id"] for r in ledger if parse_client_id(r.get("client_id") or "")}
    assert seen <= known, seen - known
    assert queries.unresolved_intents(company.database) == 0
    rows = queries.trades(company.database)
    assert all(row.trade.ended_ms is not None for row in rows)
    filled = [row.trade.decision.id for row in rows if row.entry_fills > 0]
    assert len(filled) == len(set(filled)), filled
    plans = {row.trade.key: row for row in rows}
    for key, quantity in entry_fills(ledger).items():
        assert quantity <= plans[key].trade.planned_quantity
    assert fills_kept(company).keys() >= fills_seen(ledger).keys()


def fills_seen(ledger: Ledger, *, hands: bool = False) -> dict[int, tuple[Decimal, Decimal]]:
    """Price and quantity of every execution of an engine at the exchange, and of hands where wanted, by trade id."""
    fills = [r for r in ledger if r["kind"] == "fill"]
    fills = [r for r in fills if hands or not r["client_id"].startswith(HAND)]
    return {int(f["trade_id"]): (Decimal(f["price"]), Decimal(f["quantity"])) for f in fills}


def fills_kept(company: Cast) -> dict[int, tuple[Decimal, Decimal]]:
    """Price and quantity of every execution in the journal in use, by trade id."""
    with closing(sqlite3.connect(company.database)) as database:
        rows = database.execute("select trade_id, price, quantity from fills").fetchall()
    return {int(number): (Decimal(str(p)), Decimal(str(q))) for number, p, q in rows}
