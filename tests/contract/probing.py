"""A probe in virtual time: whenever it waits, the clocks jump and the market moves a step.

The exchange is served over real sockets. Its market falls slowly and trembles, so that whatever waits near the mark is
soon reached; while a price-protected order waits, mark and last are driven apart.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.contract.wire import SYMBOL, Client, Json, exchange, manual

from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.probe import Outcome, Probe, Question, chosen
from jumar.exchange.binance.signing import Credentials
from jumar.exchange.simulated.core.readings import Readings
from jumar.exchange.simulated.core.text import text
from jumar.exchange.simulated.server.config import Routes, ServeConfig
from jumar.ports.clock import SystemClock

TOP, FALL, TREMBLE = Decimal(90900), Decimal("0.5"), Decimal(20)
APART = Decimal("0.93")
CAP = Decimal(20)


@dataclass
class Jumps:
    """How far virtual time is ahead of this machine's."""

    ms: int = 0


class JumpingClock(SystemClock):
    """This machine's clock and the jumps."""

    def __init__(self, jumps: Jumps) -> None:
        super().__init__()
        self._jumps = jumps

    def now_ms(self) -> int:
        """Exchange time."""
        return super().now_ms() + self._jumps.ms

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return super().monotonic() + self._jumps.ms / 1000


@dataclass
class World:
    """An exchange, its market and a probe's clock."""

    client: Client
    jumps: Jumps
    steps: int = 0
    protected: set[int] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def hear(self, event: Json) -> None:
        """Know whether a protected order waits."""
        body = event.get("o", {})
        if event["e"] == "ALGO_UPDATE" and body["pP"]:
            (self.protected.add if body["X"] == "NEW" else self.protected.discard)(body["aid"])

    async def pause(self, seconds: float) -> None:
        """Move the market a step, by a request that lets every socket have its turn, and jump."""
        self.steps += 1
        last = TOP - FALL * self.steps // 1 + TREMBLE * (self.steps % 2)
        mark = last * APART if self.protected else last
        await self.client.price(last=text(last), mark=text(mark))
        self.jumps.ms += round(seconds * 1000)

    def probe(self, *names: str, questions: Sequence[Question] = (), **changed: Any) -> Probe:
        """A probe that asks the named questions, or `questions`; all there are without either."""
        urls = self.client.urls
        terms = {
            "environment": "custom",
            "endpoints": Endpoints(
                rest_url=urls["rest"], stream_url=urls["stream"], ws_api_url=urls["ws_api"]
            ),
            "credentials": Credentials(key=urls["api_key"], secret=urls["api_secret"]),
            "symbol": SYMBOL,
            "questions": questions or chosen(names),
            "spend_cap": CAP,
            "clock": JumpingClock(self.jumps),
            "pause": self.pause,
        }
        return Probe(**{**terms, **changed})

    async def ask(self, *names: str, questions: Sequence[Question] = ()) -> Outcome:
        """Run a probe to its end."""
        return await self.probe(*names, questions=questions).run(self.said.append)

    async def one(self, name: str) -> Json:
        """The answer to one question, as the report has it; the exchange must be clean after it."""
        outcome = await self.ask(name)
        assert outcome.left == ()
        await self.is_clean()
        (answer,) = outcome.report["questions"]
        return dict(answer)

    async def is_clean(self) -> None:
        """The exchange itself knows no position and no order."""
        exchange = self.client.server.exchange
        assert exchange.position(SYMBOL) == 0
        assert (exchange.orders(SYMBOL), exchange.conditionals(SYMBOL)) == ((), ())
        assert exchange.triggering(SYMBOL) == ()


@asynccontextmanager
async def world(
    readings: Mapping[str, str | int] | None = None, *, routes: Routes = "production"
) -> AsyncIterator[World]:
    """A served exchange with these readings."""
    jumps = Jumps()
    config = ServeConfig(
        market=manual(),
        clock=JumpingClock(jumps),
        routes=routes,
        readings=Readings(**(readings or {})),  # type: ignore[arg-type]  # names and kinds come from the class itself
    )
    async with exchange(config) as client:
        found = World(client=client, jumps=jumps)
        client.server.exchange.subscribe(found.hear)
        yield found
