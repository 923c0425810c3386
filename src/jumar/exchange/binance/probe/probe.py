"""One probe from its plan to its report.

Promises that every question is followed by taking back what it did, a broken or interrupted one too, that nothing more
is asked once something could not be taken back, and that the report is whole as far as it went.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from jumar import __version__
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.probe.bench import PREFIX, Bench, Pause
from jumar.exchange.binance.probe.cleaning import LARGEST, clean, strangers, unclear
from jumar.exchange.binance.probe.entry import Situation, look, refuse_production
from jumar.exchange.binance.probe.finding import Finding, Question, untold
from jumar.exchange.binance.probe.lines import Lines
from jumar.exchange.binance.probe.report import (
    SCHEMA,
    Answered,
    answered_json,
    assumptions_of,
    blotted,
    conclusion,
    readings_of,
    trimmed,
    verdict_line,
)
from jumar.exchange.binance.probe.saying import CannotTellError, Json
from jumar.exchange.binance.signing import Credentials
from jumar.model.errors import ConfigError, VenueError, VenueRefused
from jumar.model.units import text
from jumar.ports.clock import Clock

FEE = Decimal("0.0005")
"""What a taker pays on most accounts, for the estimate."""

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a probe is about to do.

    Attributes:
        lines: for people.
    """

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a probe ends with.

    Attributes:
        report: the whole report.
        left: what could not be taken back, in words.
        failed: questions that broke.
    """

    report: Json
    left: tuple[str, ...]
    failed: tuple[str, ...]


class Probe:
    """Asks the chosen questions of one account and symbol.

    Args:
        environment: its name, for the report.
        endpoints: the addresses.
        credentials: the account's keys.
        symbol: what is traded.
        questions: what is asked.
        spend_cap: no question begins once so much of the quote asset is lost to fees and prices.
        clock: set to the exchange's time.
        pause: how to wait; by default the clock's way.

    Raises:
        ConfigError: a production address, or keys that cannot be used.
    """

    def __init__(
        self,
        *,
        environment: str,
        endpoints: Endpoints,
        credentials: Credentials,
        symbol: str,
        questions: Sequence[Question],
        spend_cap: Decimal,
        clock: Clock,
        pause: Pause | None = None,
    ) -> None:
        refuse_production(endpoints)
        self._environment = environment
        self._endpoints = endpoints
        self._symbol = symbol
        self._questions = tuple(questions)
        self._spend_cap = spend_cap
        self._clock = clock
        self._pause = pause or clock.sleep
        self._lines = Lines(endpoints=endpoints, credentials=credentials, clock=clock)
        self._secrets = [credentials.key.strip(), credentials.secret.strip()]

    async def plan(self) -> Plan:
        """Read account and symbol; nothing is sent that changes anything.

        Raises:
            ConfigError: the probe must not begin.
            VenueUnavailable: no answer.
        """
        try:
            await self._lines.open()
            return Plan(lines=self._plan(await self._look()))
        except VenueRefused as error:
            raise ConfigError(f"the exchange refuses the account: {error}") from None
        finally:
            await self._lines.close()

    async def run(self, say: Say) -> Outcome:
        """Ask everything; `say` gets a line for each answer and the conclusion.

        Raises:
            ConfigError: the probe must not begin.
            VenueUnavailable: no answer before the first question.
        """
        try:
            await self._lines.open()
            situation = await self._look()
            ear = await self._lines.listen(self._symbol, situation.sizes.quote_asset)
            self._secrets.append(await self._lines.listen_key())
            bench = Bench(self._lines, ear, situation.sizes, self._pause)
            return await self._ask(bench, situation, say)
        except VenueRefused as error:
            raise ConfigError(f"the exchange refuses the account: {error}") from None
        finally:
            await self._lines.close()

    async def _look(self) -> Situation:
        return await look(self._lines.rest, self._symbol)

    def _plan(self, now: Situation) -> tuple[str, ...]:
        size, quote = text(now.sizes.smallest), now.sizes.quote_asset
        minutes = sum(question.seconds for question in self._questions) // 60 + 1
        turned = sum(q.turnover for q in self._questions) * now.sizes.smallest * now.mark
        many = f"{len(self._questions)} questions on {self._symbol} at {_host(self._endpoints)}"
        fees = f"about {turned * FEE:.2f} {quote} of fees"
        cap = f"nothing more is asked once {text(self._spend_cap)} {quote} are lost"
        settings = f"margin {now.margin_type.lower()}, leverage {now.leverage}"
        return (
            f"{many}, one after the other, {minutes} min at most",
            f"orders: {size} at a time, ids begin with {PREFIX}; at most {LARGEST} times that is held",
            f"turnover: {turned:.0f} {quote} at most, {fees}; {cap}",
            f"settings: nothing is changed; {settings}",
            "cancelled and closed again after every question; leave the symbol alone meanwhile",
        )

    async def _ask(self, bench: Bench, begun: Situation, say: Say) -> Outcome:
        began_ms = self._clock.now_ms()
        answers: list[Answered] = []
        left: list[str] = []
        for number, question in enumerate(self._questions, start=1):
            reason = _stopped(left) or await self._overspent(bench, begun)
            if reason:
                answer = Answered(question=question, finding=untold(reason), seconds=0)
            else:
                answer = await self._one(bench, question, say)
                left = list(answer.left)
            answers.append(answer)
            say(f"[{number}/{len(self._questions)}] {verdict_line(answer)}")
        left = left or await self._proof(bench)
        for line in (*conclusion(answers), "", *_ending(left, self._symbol)):
            say(line)
        report = {
            **self._head(begun, began_ms),
            "lost": await self._lost_text(bench, begun),
            "stream_interruptions": bench.ear.interruptions,
            "clean": not left,
            "left": left,
            "readings": readings_of(answers),
            "assumptions": assumptions_of(answers),
            "questions": [answered_json(answer) for answer in answers],
        }
        failed = tuple(each.question.name for each in answers if each.finding.failed)
        hidden = blotted(report, self._secrets)
        return Outcome(report=hidden, left=tuple(left), failed=failed)

    async def _one(self, bench: Bench, question: Question, say: Say) -> Answered:
        began = self._clock.monotonic()
        left: list[str] = []
        bench.begin()
        try:
            finding = await self._answer(bench, question)
            evidence = self._evidence(bench)
        finally:
            left = await clean(bench)
            for each in left:
                say(f"NOT TAKEN BACK after {question.name}: {each}")
        seconds = self._clock.monotonic() - began
        return Answered(
            question=question, finding=finding, seconds=seconds, evidence=evidence, left=left
        )

    async def _answer(self, bench: Bench, question: Question) -> Finding:
        await bench.until(lambda: bench.ear.up)
        interruptions = bench.ear.interruptions
        try:
            finding = await question.answer(bench)
        except (CannotTellError, VenueError) as error:
            return untold(str(error))
        except Exception as error:  # noqa: BLE001 - one broken question must not end the others, nor the report
            return untold(f"the question broke: {type(error).__name__}: {error}", failed=True)
        if bench.ear.up and interruptions == bench.ear.interruptions:
            return finding
        return untold("the user stream was interrupted: what it told is not whole")

    def _evidence(self, bench: Bench) -> list[Json]:
        events = [{"event": event} for event in bench.ear.events]
        return trimmed([*bench.evidence, *events])

    async def _overspent(self, bench: Bench, begun: Situation) -> str:
        try:
            lost = await _lost(bench, begun)
        except CannotTellError as error:
            return f"not asked: the balance could not be read ({error})"
        if lost < self._spend_cap:
            return ""
        return f"not asked: {text(lost)} are lost, the cap is {text(self._spend_cap)}"

    async def _lost_text(self, bench: Bench, begun: Situation) -> str:
        try:
            return text(await _lost(bench, begun))
        except CannotTellError:
            return "unknown"

    async def _proof(self, bench: Bench) -> list[str]:
        """Look once more at the end, at everybody's orders too: a probe began where there were none."""
        left = await clean(bench)
        if left:
            return left
        try:
            return [f"{each}, which no probe placed" for each in await strangers(bench)]
        except CannotTellError as error:
            return [unclear(error)]

    def _head(self, begun: Situation, began_ms: int) -> Json:
        endpoints = self._endpoints
        return {
            "schema": SCHEMA,
            "environment": self._environment,
            "rest_url": endpoints.rest_url,
            "stream_url": endpoints.stream_url,
            "ws_api_url": endpoints.ws_api_url,
            "symbol": self._symbol,
            "began": _iso(began_ms),
            "ended": _iso(self._clock.now_ms()),
            "jumar": __version__,
            "python": platform.python_version(),
            "margin_type": begun.margin_type,
            "leverage": begun.leverage,
            "order_size": text(begun.sizes.smallest),
            "filters": begun.sizes.row,
        }


def _stopped(left: Sequence[str]) -> str:
    return "not asked: something could not be taken back before" if left else ""


def _ending(left: Sequence[str], symbol: str) -> list[str]:
    if not left:
        return [f"clean: {symbol} is flat and no order of the probe is left"]
    return [f"LEFT at the exchange, see to it yourself: {each}" for each in left]


async def _lost(bench: Bench, begun: Situation) -> Decimal:
    rows = await bench.get("/fapi/v3/balance")
    wallet = sum(Decimal(row["balance"]) for row in rows if row["asset"] == begun.sizes.quote_asset)
    return begun.wallet - wallet


def _host(endpoints: Endpoints) -> str:
    return urlsplit(endpoints.rest_url).netloc


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
