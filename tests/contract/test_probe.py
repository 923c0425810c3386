"""The probe tells every reading of the exchange it asks, takes everything back, and refuses what it must not touch."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, replace
from decimal import Decimal

import pytest
from tests.contract.probing import World, world
from tests.contract.wire import SYMBOL, limit_order, market_order, stop_order

from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.outcomes import NoAnswer, Reply
from jumar.exchange.binance.probe import QUESTIONS, Question
from jumar.exchange.binance.probe.bench import PREFIX, Bench
from jumar.exchange.binance.probe.finding import Finding, measured
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.readings import ALLOWED, DEFAULT_READINGS, Readings
from jumar.exchange.simulated.server.config import Routes
from jumar.model.errors import ConfigError
from jumar.model.ids import parse_client_id
from jumar.model.order import Side

TIMES_MS = (0, 700, 1500)
POLLED_MS = 150
"""A probe looks ten times a second: so much later than it happened it may see something."""


def questions_of(reading: str) -> list[Question]:
    """The questions that decide a reading."""
    return [question for question in QUESTIONS if reading in question.decides]


def choices() -> Iterator[tuple[str, str | int]]:
    """Every reading with every value; of times some."""
    for field in fields(Readings):
        for value in ALLOWED.get(field.name, TIMES_MS):
            yield field.name, value


@pytest.mark.parametrize(("reading", "value"), choices())
async def test_every_reading_is_told(
    reading: str, value: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under each answer that the documents leave open the probe finds that answer."""
    few = replace(INSTRUMENTS[SYMBOL], max_orders=5)
    monkeypatch.setitem(INSTRUMENTS, SYMBOL, few)
    (question,) = questions_of(reading)
    async with world({reading: value}) as w:
        answer = await w.one(question.name)
    found = answer["readings"][reading]
    if isinstance(value, str):
        assert found == value
        usual = value == getattr(DEFAULT_READINGS, reading)
        assert answer["verdict"] == ("confirmed" if usual else "refuted")
    else:
        assert answer["verdict"] == "found"
        assert value <= found <= value + POLLED_MS


def test_every_reading_has_its_question() -> None:
    """A new reading of the simulated exchange needs a question; none is decided twice."""
    decided = [name for question in QUESTIONS for name in question.decides]
    assert sorted(decided) == sorted(field.name for field in fields(Readings))
    assumed = [question.assumption for question in QUESTIONS if question.assumption]
    assert sorted(assumed) == ["V-1", "V-2", "V-3", "V-4", "V-5", "V-6"]


@pytest.mark.rule("V-6")
@pytest.mark.parametrize(("value", "verdict"), [("no", "confirmed"), ("yes", "refuted")])
async def test_the_probe_tells_whether_a_countdown_takes_stops(value: str, verdict: str) -> None:
    """V-6 is told both ways, and the conclusion says what Jumar does then."""
    async with world({"countdown_cancels_conditional": value}) as w:
        outcome = await w.ask("countdown")
        (row,) = [r for r in outcome.report["assumptions"] if r["assumption"] == "V-6"]
    assert row["verdict"] == verdict
    assert any(line.strip().startswith(f"V-6 {verdict}") for line in w.said)
    assert any("It is never sent" in line for line in w.said) == (value == "yes")


@pytest.mark.parametrize(
    ("number", "question", "readings"),
    [
        ("V-1", "rests-flat", {"algo_reduce_only": "-1106"}),
        ("V-2", "oversize", {"oversize_stop": "reject"}),
        ("V-3", "beside", {"quantity_stop_beside_closeposition": "reject"}),
        ("V-4", "reversal", {"closeposition_may_reverse": "yes"}),
    ],
)
async def test_a_refuted_assumption_is_concluded_from(
    number: str, question: str, readings: dict[str, str | int]
) -> None:
    """Where the exchange behaves otherwise, the conclusion says so and what follows."""
    async with world(readings) as w:
        outcome = await w.ask(question)
    rows = {row["assumption"]: row["verdict"] for row in outcome.report["assumptions"]}
    assert rows.pop(number) == "refuted"
    assert set(rows.values()) == {"not asked"}
    told = next(index for index, line in enumerate(w.said) if f"{number} refuted" in line)
    assert w.said[told + 1].strip().startswith("so: ")


async def test_a_whole_probe_asks_everything_and_leaves_nothing() -> None:
    """With the usual readings every question is answered, and the report can be sent as it is."""
    async with world() as w:
        outcome = await w.ask()
        await w.is_clean()
        urls = w.client.urls
        key = await w.client.listen_key()
    report = outcome.report
    assert (outcome.left, outcome.failed, report["clean"], report["left"]) == ((), (), True, [])
    told = {answer["question"]: answer["verdict"] for answer in report["questions"]}
    assert list(told) == [question.name for question in QUESTIONS]
    # The usual limit is 200 open orders: more than a probe places.
    assert [name for name, verdict in told.items() if verdict == "could not tell"] == [
        "order-limit"
    ]
    assert [name for name, verdict in told.items() if verdict == "refuted"] == []
    assert {row["verdict"] for row in report["assumptions"]} == {"confirmed"}
    usual = {
        field.name: getattr(DEFAULT_READINGS, field.name)
        for field in fields(Readings)
        if field.name != "conditional_counts_as_order"
    }
    assert report["readings"] == usual
    text = json.dumps(report)
    for secret in (urls["api_key"], urls["api_secret"], key, "signature"):
        assert secret not in text
    assert all(answer["evidence"] for answer in report["questions"] if answer["readings"])
    assert all(answer["steps"].endswith(".") for answer in report["questions"])
    assert report["filters"]["symbol"] == SYMBOL
    assert (report["environment"], report["rest_url"]) == ("custom", urls["rest"])
    assert Decimal(0) < Decimal(report["lost"]) < Decimal(20)
    assert w.said[-1] == f"clean: {SYMBOL} is flat and no order of the probe is left"


#: Everything otherwise than usual, as far as it leaves the other questions an answer.
UNUSUAL: dict[str, str | int] = {
    "dup_id_after_fill": "reject",
    "countdown_cancels_conditional": "yes",
    "oversize_stop": "reject",
    "closeposition_may_reverse": "yes",
    "closeposition_expiry_ms": 1500,
    "child_client_id": "own",
    "event_order": "trade_first",
    "priceprotect": "expire",
    "gte_lag_ms": 700,
    "triggering_ms": 400,
    "reduce_only_total": "reject",
    "dup_algo_id": "-4015",
    "id_namespace": "shared",
    "allopenorders_cancels_conditional": "yes",
    "algo_recv_window": "ignore",
    "conditional_position_row": "yes",
    "result_avg_price": "yes",
    "ws_weight": "separate",
    "reused_id_query": "oldest",
}


async def test_a_probe_of_an_unusual_exchange() -> None:
    """Many readings together do not confuse each other: each is told, and everything is taken back."""
    async with world(UNUSUAL) as w:
        outcome = await w.ask()
        await w.is_clean()
    assert (outcome.left, outcome.failed) == ((), ())
    found = outcome.report["readings"]
    for name, value in UNUSUAL.items():
        if isinstance(value, str):
            assert found[name] == value
        else:
            assert value <= found[name] <= value + POLLED_MS


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        ({}, "the old stop goes"),
        ({"closeposition_expiry_ms": 1500}, "the old stop stays"),
    ],
)
async def test_what_a_quick_new_position_does_to_the_old_stop(
    readings: dict[str, str | int], told: str
) -> None:
    """A stop whose end takes time finds a position again and lives on."""
    async with world(readings) as w:
        assert (await w.one("reopening"))["value"] == told


@pytest.mark.parametrize(
    ("routes", "unrouted"),
    [("production", "nothing"), ("demo", "ORDER_TRADE_UPDATE ALGO_UPDATE ACCOUNT_UPDATE")],
)
async def test_the_stream_addresses_are_told(routes: Routes, unrouted: str) -> None:
    """Un-routed user streams are silent in production and whole on the demo host; the routed ones are whole on both."""
    async with world(routes=routes) as w:
        answer = await w.one("streams")
    assert answer["verdict"] == "confirmed"
    assert answer["why"].endswith(f"/ws/KEY {unrouted}")
    assert "events= ORDER_TRADE_UPDATE;" in answer["why"]


async def test_a_host_that_looks_at_the_clock_only_at_the_end(planted: World) -> None:
    """Where late requests never pass the gateway, the window at the engine cannot be told."""

    async def late(seconds: float) -> None:
        planted.jumps.ms += round(seconds * 1000)
        await planted.client.time()

    outcome = await planted.probe("receive-window", pause=late).run(planted.said.append)
    (answer,) = outcome.report["questions"]
    assert answer["verdict"] == "could not tell"
    assert "-1021 -1021 -1021" in answer["why"]


async def test_an_interrupted_stream_makes_an_answer_doubtful(planted: World) -> None:
    """What was found while the user stream went down is not told as found."""

    async def interrupted(bench: Bench) -> Finding:
        await planted.client.server._hub.close()
        await bench.until(lambda: not bench.ear.up)
        return measured("triggering_ms", 1)

    outcome = await planted.ask(questions=(question(interrupted),))
    (answer,) = outcome.report["questions"]
    assert (answer["verdict"], answer["readings"]) == ("could not tell", {})
    assert "interrupted" in answer["why"]
    assert outcome.report["stream_interruptions"] == 1


async def test_every_order_carries_a_probes_id(planted: World) -> None:
    """Whoever looks at the account sees by the ids what a probe did."""
    await planted.ask("duplicate-id", "beside", "child-id")
    records = await planted.client.ledger()
    sent = [r for r in records if r["kind"] in ("order", "conditional")]
    assert sent and all(r["client_id"].startswith(PREFIX) for r in sent)
    assert not any(
        parse_client_id(r["client_id"]) for r in sent
    )  # the engine must not take one for its own


@pytest.fixture
async def planted() -> AsyncIterator[World]:
    """An exchange with the usual readings, for what goes wrong."""
    async with world() as found:
        yield found


def question(answer: object) -> Question:
    """A question that a test made up."""
    return Question(name="planted", asks="Does it hold?", answer=answer)  # type: ignore[arg-type]  # tests pass any


async def _messy(bench: Bench) -> None:
    await bench.go_long()
    await bench.far_stop()
    await bench.closing_stop()
    await bench.limit(Side.BUY, bench.sizes.below(await bench.mark(), Decimal("0.02")))
    values: dict[str, str | int] = {"symbol": bench.symbol, "countdownTime": 60_000}
    bench.counting = True
    await bench.ask("POST", "/fapi/v1/countdownCancelAll", values)


async def test_a_question_that_breaks_is_taken_back(planted: World) -> None:
    """A fault in the middle is named in the report, the next question is asked, nothing is left."""

    async def breaks(bench: Bench) -> Finding:
        await _messy(bench)
        raise KeyError("surprise")

    countdown = next(each for each in QUESTIONS if each.name == "countdown")
    outcome = await planted.ask(questions=(question(breaks), countdown))
    await planted.is_clean()
    broken, next_one = outcome.report["questions"]
    assert (outcome.failed, outcome.left) == (("planted",), ())
    assert broken["verdict"] == "could not tell"
    assert "KeyError: 'surprise'" in broken["why"]
    assert next_one["verdict"] == "confirmed"


async def test_an_interrupted_probe_takes_back_what_it_did(planted: World) -> None:
    """Whoever ends it in the middle of a question finds a clean account."""
    reached = asyncio.Event()

    async def waits(bench: Bench) -> Finding:
        await _messy(bench)
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(planted.ask(questions=(question(waits),)))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await planted.is_clean()


async def test_what_cannot_be_taken_back_is_said_and_ends_the_questions(planted: World) -> None:
    """A position larger than a probe ever makes is not touched: it is named, and nothing more is asked."""

    async def grows(bench: Bench) -> Finding:
        for _ in range(5):
            await bench.go_long()
        raise KeyError("enough")

    countdown = next(each for each in QUESTIONS if each.name == "countdown")
    outcome = await planted.ask(questions=(question(grows), countdown))
    assert outcome.left == (f"a position of 0.005 {SYMBOL}",)
    assert not outcome.report["clean"]
    assert outcome.report["questions"][1]["why"].startswith("not asked: something could not be")
    assert any("NOT TAKEN BACK" in line for line in planted.said)
    assert "LEFT at the exchange" in planted.said[-1]
    assert planted.client.server.exchange.position(SYMBOL) == Decimal("0.005")


async def test_the_orders_of_others_are_left_alone(planted: World) -> None:
    """An order that somebody placed meanwhile stays, is named at the end, and allOpenOrders is not sent over it."""

    async def meanwhile(bench: Bench) -> Finding:
        await planted.client.ok("POST", "order", **limit_order("80000.0", "theirs"))
        raise KeyError("enough")

    sweep = next(each for each in QUESTIONS if each.name == "cancel-all")
    outcome = await planted.ask(questions=(question(meanwhile), sweep))
    assert outcome.left == ("order theirs, which no probe placed",)
    assert "somebody else has orders" in outcome.report["questions"][1]["why"]
    assert [o.client_id for o in planted.client.server.exchange.orders(SYMBOL)] == ["theirs"]


async def test_nothing_more_is_asked_beyond_the_spend_cap(planted: World) -> None:
    """Fees and losses are counted by the wallet; the question that would begin beyond the cap does not."""
    names = ("average-price", "reduce-only-flag")
    probe = planted.probe(*names, spend_cap=Decimal("0.01"))
    outcome = await probe.run(planted.said.append)
    first, second = outcome.report["questions"]
    assert first["verdict"] == "confirmed"
    assert (second["verdict"], second["evidence"]) == ("could not tell", [])
    assert "the cap is 0.01" in second["why"]


async def test_a_price_that_does_not_come_ends_the_wait(planted: World) -> None:
    """Where the market stands still, the stop is laid a bounded number of times and the reason is told."""

    async def still(seconds: float) -> None:
        await planted.client.time()
        planted.jumps.ms += round(seconds * 1000)

    outcome = await planted.probe("event-order", pause=still).run(planted.said.append)
    (answer,) = outcome.report["questions"]
    assert (answer["verdict"], outcome.left) == ("could not tell", ())
    assert answer["why"] == "the price did not move to a stop that was laid 6 times for up to 15 s"
    await planted.is_clean()


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("order", market_order("BUY"), "a position of 0.013"),
        ("order", limit_order("80000.0", "theirs"), "order theirs"),
        ("algoOrder", stop_order("80000.0", "rests", quantity="0.013"), "conditional order rests"),
    ],
)
async def test_a_symbol_in_use_is_refused(
    planted: World, path: str, params: dict[str, str], named: str
) -> None:
    """Plan and run refuse a symbol with a position or an order, by name, and touch nothing."""
    await planted.client.ok("POST", path, **params)
    before = len(await planted.client.ledger())
    for attempt in (planted.probe().plan(), planted.probe().run(planted.said.append)):
        with pytest.raises(ConfigError, match=f"{SYMBOL} is in use: {named}"):
            await attempt
    after = await planted.client.ledger(before)
    assert [record for record in after if record["kind"] != "market"] == []


async def test_what_else_forbids_a_beginning(planted: World) -> None:
    """An unknown symbol, hedge mode and too little money are refused with their fix."""
    with pytest.raises(ConfigError, match="does not list NOSUCHUSDT"):
        await planted.probe(symbol="NOSUCHUSDT").plan()
    await planted.client.ok("POST", "leverage", symbol=SYMBOL, leverage="1")
    planted.client.server.exchange._engine.account.wallet = Decimal(50)
    with pytest.raises(ConfigError, match="50 USDT free and a probe of BTCUSDT needs"):
        await planted.probe().plan()
    await planted.client.ok("POST", "positionSide/dual", dualSidePosition="true")
    with pytest.raises(ConfigError, match="hedge mode"):
        await planted.probe().plan()


async def test_a_plan_changes_nothing(planted: World) -> None:
    """The plan names questions, sizes, costs and settings, and nothing was sent for it."""
    before = len(await planted.client.ledger())
    plan = "\n".join((await planted.probe().plan()).lines)
    after = await planted.client.ledger(before)
    assert [record for record in after if record["kind"] != "market"] == []
    for word in (f"{len(QUESTIONS)} questions", "0.001", PREFIX, "leverage 20", "20 USDT are lost"):
        assert word in plan


@pytest.mark.parametrize(
    "host", ["fapi.binance.com", "binance.com", "fstream.binance.com:443", "api.binance.us"]
)
async def test_a_production_host_is_refused(planted: World, host: str) -> None:
    """No address of real money is taken, whichever of the three it stands in."""
    urls = {"rest_url": "http://h", "stream_url": "ws://h", "ws_api_url": "ws://h"}
    for name, url in urls.items():
        scheme = url.partition("://")[0]
        with pytest.raises(ConfigError, match="production host"):
            planted.probe(endpoints=Endpoints(**{**urls, name: f"{scheme}://{host}"}))


def test_the_demo_hosts_are_not_production() -> None:
    """The addresses of the demo environment may be probed."""
    from jumar.config.account import DEMO
    from jumar.exchange.binance.probe.entry import refuse_production

    refuse_production(
        Endpoints(rest_url=DEMO.rest_url, stream_url=DEMO.stream_url, ws_api_url=DEMO.ws_api_url)
    )


async def test_lost_answers_leave_nothing_behind(
    planted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order whose answer is lost is found by its id and cancelled, though some lists are lost as well."""
    probe = planted.probe("rests-flat")
    rest, lost = probe._lines.rest, list[str]()

    async def unsure(method: str, path: str, *args: object, **terms: object) -> Reply:
        reply = await real(method, path, *args, **terms)  # type: ignore[arg-type]  # passed on as they came
        if method == "POST" and path == "/fapi/v1/algoOrder":
            lost.append(path)
        if lost and path in ("/fapi/v1/algoOrder", "/fapi/v1/openAlgoOrders") and len(lost) < 5:
            lost.append(path)
            return NoAnswer(reason="no answer within 2 ms")
        return reply

    real = rest.call
    monkeypatch.setattr(rest, "call", unsure)
    outcome = await probe.run(planted.said.append)
    (answer,) = outcome.report["questions"]
    assert answer["why"] == "POST /fapi/v1/algoOrder: no answer within 2 ms"
    assert (answer["verdict"], outcome.left, len(lost)) == ("could not tell", (), 5)
    await planted.is_clean()


@pytest.mark.parametrize("every", [11, 13, 17, 23])
async def test_a_bad_line_never_makes_a_wrong_answer(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one answer in so many is lost, before or after the deed, what is told is true and all is taken back."""
    async with world(UNUSUAL) as w:
        probe = w.probe()
        rest, calls = probe._lines.rest, 0

        async def unsure(method: str, path: str, *args: object, **terms: object) -> Reply:
            nonlocal calls
            calls += bool(calls) or method != "GET"  # it begins in peace
            if calls % (2 * every) == every:
                return NoAnswer(reason="not sent")
            reply = await real(method, path, *args, **terms)  # type: ignore[arg-type]  # passed on as they came
            return NoAnswer(reason="lost") if calls % (2 * every) == 0 and calls else reply

        real = rest.call
        monkeypatch.setattr(rest, "call", unsure)
        outcome = await probe.run(w.said.append)
        await w.is_clean()
    assert (outcome.left, outcome.failed) == ((), ())
    found = outcome.report["readings"]
    assert found
    for name, value in found.items():
        right = UNUSUAL.get(name, getattr(DEFAULT_READINGS, name))
        if isinstance(right, str):
            assert (name, value) == (name, right)
        else:
            assert right <= value <= right + POLLED_MS
