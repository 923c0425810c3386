"""A real engine as a process of its own that can be made to kill itself at one named point.

It says `ready` once everything is imported, then waits on stdin for the path of a JSON file: `urls` of the exchange, `database`, `decision`, `policy` (field to text), and,
where it shall die, `point` and `marker`. A point is `when:what` or `when:what#occurrence`:

    before-journal after-journal    the intent of an order, `S1`: not yet durable; durable and nothing sent
    before-send after-send          an order, `E1`: about to leave; answered, the answer not yet looked at
    before-cancel after-cancel      the cancel of an order, `E1`, or of `any`
    before-fill after-fill          the event of an order's execution, `E1`: told to nobody; told to the loop
    before-commit after-commit      a transaction with such a record, `TradeEnded`

At its point it leaves the marker on the disk and dies of SIGKILL; nothing of it runs afterwards. On stdout stands
one JSON object per tick, so that ticks can be counted.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from jumar.decisions.file import FileDecisions
from jumar.exchange.binance.adapter import BinanceExchange
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.signing import Credentials
from jumar.model.command import CancelOrder, PlaceOrder
from jumar.model.ids import parse_client_id
from jumar.model.journal import Incident, Intent, Record
from jumar.model.order import Channel, OrderRequest
from jumar.model.outcome import Outcome
from jumar.model.policy import Policy
from jumar.ports.clock import SystemClock
from jumar.ports.exchange import EventSink, Exchange, OrderEvent, VenueEvent
from jumar.ports.observer import TickReport
from jumar.ports.store import Store
from jumar.reconciler.supervise import Engine
from jumar.reports.formats import LogFormat
from jumar.reports.logs import configure
from jumar.reports.recorder import TickRecorder
from jumar.store.journal import SqlStore
from jumar.store.lease import LeaseTerms
from jumar.store.place import parse

SYMBOL = "BTCUSDT"


def slot(client_id: str | None) -> str:
    """`S1` of one of our client ids, empty for everybody else's."""
    named = parse_client_id(client_id or "")
    return "" if named is None else f"{named.role.value}{named.attempt}"


class Killer:
    """Ends the process when its point is reached."""

    def __init__(self, point: str | None, marker: Path) -> None:
        place, _, occurrence = (point or "").partition("#")
        self._point = place
        self._left = int(occurrence or 1)
        self._marker = marker

    def reach(self, when: str, names: Iterable[str]) -> None:
        """Die here if this is the point."""
        if self._point not in {f"{when}:{name}" for name in names}:
            return
        self._left -= 1
        if self._left > 0:
            return
        with self._marker.open("w") as file:
            file.write(self._point)
            file.flush()
            os.fsync(file.fileno())
        os.kill(os.getpid(), signal.SIGKILL)


class MortalStore:
    """A real store around whose transactions the process may die."""

    def __init__(self, real: Store, killer: Killer) -> None:
        self._real = real
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Write; what returned is durable."""
        intents = {slot(r.order.client_id) for r in records if isinstance(r, Intent)}
        kinds = {type(record).__name__ for record in records}
        self._killer.reach("before-journal", intents)
        self._killer.reach("before-commit", kinds)
        await self._real.write(records)
        self._killer.reach("after-journal", intents)
        self._killer.reach("after-commit", kinds)


class MortalExchange:
    """A real adapter around whose requests and events the process may die."""

    def __init__(self, real: Exchange, killer: Killer) -> None:
        self._real = real
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def start(self, symbols: Sequence[str], sink: EventSink) -> None:
        """Start with a sink that the killer hears first."""

        def told(event: VenueEvent) -> None:
            filled = isinstance(event, OrderEvent) and event.fill is not None
            names = {slot(event.report.client_id)} if isinstance(event, OrderEvent) else set()
            if filled:
                self._killer.reach("before-fill", names)
            sink(event)
            if filled:
                self._killer.reach("after-fill", names)

        await self._real.start(symbols, told)

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Send one order; after the real answer the exchange surely has it."""
        names = {slot(request.client_id)}
        self._killer.reach("before-send", names)
        outcome = await self._real.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms)
        self._killer.reach("after-send", names)
        return outcome

    async def cancel(
        self,
        symbol: str,
        channel: Channel,
        client_id: str,
        *,
        timestamp_ms: int,
        timeout_ms: int,
    ) -> Outcome:
        """Cancel one order."""
        names = {slot(client_id), "any"}
        self._killer.reach("before-cancel", names)
        outcome = await self._real.cancel(
            symbol, channel, client_id, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms
        )
        self._killer.reach("after-cancel", names)
        return outcome


class Teller:
    """Says every tick and incident on stdout."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def tick(self, report: TickReport) -> None:
        """One line; `done_ms` is the exchange time at which the tick was over."""
        world, position, trade = report.world, report.world.position, report.plan.trade
        open_trade = None if trade is None or trade.ended_ms is not None else trade.key
        self._say(
            {
                "tick": report.tick,
                "now_ms": world.now_ms,
                "done_ms": self._clock.now_ms(),
                "ready": world.ready,
                "position": None if position is None else str(position.value.quantity),
                "trade": open_trade,
                "mode": None if world.mode is None else world.mode.mode.value,
                "refusals": [refusal.code for refusal in report.plan.refusals],
                "commands": [_words(executed.command) for executed in report.executed],
                "outcomes": [str(executed.outcome) for executed in report.executed],
            }
        )

    def incident(self, incident: Incident) -> None:
        """One line."""
        self._say({"incident": incident.message, "rule": incident.rule, "why": incident.severity})

    def _say(self, news: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(news) + "\n")
        sys.stdout.flush()


def _words(command: object) -> str:
    match command:
        case PlaceOrder(request=request):
            return f"place {slot(request.client_id)}"
        case CancelOrder(client_id=client_id):
            return f"cancel {slot(client_id) or client_id}"
    return type(command).__name__


def _policy(texts: dict[str, str]) -> Policy:
    kinds: dict[str, Any] = {field.name: field.type for field in fields(Policy)}
    values: dict[str, Any] = {name: kinds[name](text) for name, text in texts.items()}
    return Policy(**values)


async def run(config: dict[str, Any]) -> None:
    """Run the engine until SIGTERM, or until its point; stdout is for its ticks alone, its log is stderr."""
    configure(LogFormat.JSON)
    clock, urls = SystemClock(), config["urls"]
    killer = Killer(config.get("point"), Path(config["marker"]))
    adapter = BinanceExchange(
        endpoints=Endpoints(
            rest_url=urls["rest"], stream_url=urls["stream"], ws_api_url=urls["ws_api"]
        ),
        credentials=Credentials(key=urls["api_key"], secret=urls["api_secret"]),
        clock=clock,
        recv_window_ms=config.get("recv_window_ms", 3000),
    )
    policies = {SYMBOL: _policy(config["policy"])}
    folder = Path(config["decision"]).parent
    place = parse(config["database"], folder)
    if place.base is None:
        raise SystemExit("the victim records its ticks beside a file")
    policy = policies[SYMBOL]
    terms = LeaseTerms(ttl_ms=policy.lease_ttl_s * 1000, recv_window_ms=policy.recv_window_ms)
    recorder = TickRecorder(place.base, account="main", policies=policies)
    engine = Engine(
        account="main",
        policies=policies,
        exchange=MortalExchange(adapter, killer),
        store=MortalStore(SqlStore(place, terms=terms), killer),
        source=FileDecisions(Path(config["decision"]), account="main", symbols=(SYMBOL,)),
        clock=clock,
        observers=(Teller(clock), recorder),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await engine.run(stop)


if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if told := sys.stdin.readline().strip():
        asyncio.run(run(json.loads(Path(told).read_text())))
