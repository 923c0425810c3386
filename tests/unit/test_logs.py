"""Logs: what is said, how often, and what must never be said."""

import io
import json
import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest
import structlog

from jumar.model.command import AmendOrder, AmendRequest, Cause, PlaceOrder, Plan, Refusal
from jumar.model.journal import Incident
from jumar.model.order import Fill, OrderRequest, OrderType, Role, Side, TimeInForce
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.model.world import World
from jumar.ports.observer import Executed, TickReport
from jumar.reports.formats import LogFormat
from jumar.reports.logs import LogObserver, configure, told_command

SECRET = "very-secret-text"
WORLD = World(now_ms=1, account="main", store_id="s", symbol="BTCUSDT", ready=True)
ENTRY = PlaceOrder(
    request=OrderRequest(
        symbol="BTCUSDT",
        client_id="jm-abcdefghij-E1",
        role=Role.ENTRY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal("0.0130"),
        price=Decimal("90786.60"),
        time_in_force=TimeInForce.GTX,
    ),
    trade_key="abcdefghij",
    attempt=1,
    cause=Cause(rule="E-2", text="limit 90786.6"),
)
FILL = Fill(
    symbol="BTCUSDT",
    trade_id=7,
    venue_order_id="1",
    client_id="jm-abcdefghij-E1",
    side=Side.BUY,
    price=Decimal("90786.6"),
    quantity=Decimal("0.013"),
    maker=True,
    fee=Decimal("0.2"),
    fee_asset="USDT",
    realized_pnl=Decimal(0),
    time_ms=1,
)


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(LogFormat.JSON, secrets=(SECRET, ""), stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def report(
    tick: int, plan: Plan, *, outcome: Outcome | None = None, fills: tuple[Fill, ...] = ()
) -> TickReport:
    world = World(**{**{f: getattr(WORLD, f) for f in WORLD.__slots__}, "fills": fills})
    executed = () if outcome is None else (Executed(command=ENTRY, outcome=outcome),)
    return TickReport(
        tick=tick, world=world, plan=plan, executed=executed, duration_ms=3, overrun=tick == 99
    )


def refused(code: str, message: str) -> Plan:
    return Plan(refusals=(Refusal(code=code, rule="G-5", message=message),))


def test_a_refusal_is_said_when_it_begins_and_when_it_ends(out: io.StringIO) -> None:
    """The same code with other numbers is not said again; its end is."""
    observer = LogObserver()
    observer.tick(report(1, refused("spread_too_wide", "0.06 %")))
    observer.tick(report(2, refused("spread_too_wide", "0.07 %")))
    observer.tick(report(3, Plan()))
    said = lines(out)
    assert [(line["event"], line["code"], line["tick"]) for line in said] == [
        ("entry refused", "spread_too_wide", "BTCUSDT-1"),
        ("entry no longer refused", "spread_too_wide", "BTCUSDT-3"),
    ]
    assert said[0]["why"] == "0.06 %"


@pytest.mark.parametrize(
    ("outcome", "level", "said"),
    [
        (Accepted(), "info", {"outcome": "accepted"}),
        (Rejected(code=-5022, message="post only"), "warning", {"outcome": "rejected", "code": -5022}),
        (Unknown(reason="timeout"), "warning", {"outcome": "unknown", "reason": "timeout"}),
    ],
)  # fmt: skip
def test_a_command_is_said_with_its_cause_and_outcome(
    out: io.StringIO, outcome: Outcome, level: str, said: dict[str, object]
) -> None:
    """Rule, sentence, order and what became of it stand on one line."""
    LogObserver().tick(report(1, Plan(), outcome=outcome))
    (line,) = lines(out)
    assert line["event"] == "place entry jm-abcdefghij-E1 0.013 at 90786.6"
    assert (line["rule"], line["why"], line["level"]) == ("E-2", "limit 90786.6", level)
    assert said.items() <= line.items()


def test_an_amendment_is_said_with_its_price() -> None:
    """Which order, its total quantity, and where it is to stand."""
    request = AmendRequest(
        symbol="BTCUSDT",
        client_id="jm-abcdefghij-E1",
        side=Side.BUY,
        price=Decimal("90780.10"),
        quantity=Decimal("0.013"),
        number=1,
    )
    amend = AmendOrder(request=request, trade_key="abcdefghij", cause=Cause(rule="E-5", text="1"))
    assert told_command(amend) == "amend entry jm-abcdefghij-E1 to 0.013 at 90780.1"


def test_a_fill_is_said_once(out: io.StringIO) -> None:
    """A fill stays in the world for the whole trade and in the log for one line."""
    observer = LogObserver()
    observer.tick(report(1, Plan(), fills=(FILL,)))
    observer.tick(report(2, Plan(), fills=(FILL,)))
    (line,) = lines(out)
    assert (line["event"], line["quantity"], line["price"]) == ("filled", "0.013", "90786.6")


@pytest.mark.rule("O-2")
def test_an_overrun_and_an_incident_are_said(out: io.StringIO) -> None:
    """A late tick and an incident are never silent."""
    observer = LogObserver()
    observer.tick(report(99, Plan()))
    observer.incident(
        Incident(symbol="BTCUSDT", severity="critical", rule="S-3", message="looser", at_ms=1)
    )
    late, incident = lines(out)
    assert (late["event"], late["rule"]) == ("tick overran", "O-2")
    assert (incident["event"], incident["level"]) == ("looser", "critical")


@pytest.mark.rule("W-7")
def test_a_secret_is_blotted_out_of_every_line(out: io.StringIO) -> None:
    """Neither our own lines nor a library's, nor the text of an exception, show a known secret."""
    structlog.get_logger("jumar").info("hello", url=f"http://x/?signature={SECRET}")
    logging.getLogger("aiohttp.client").warning("sent %s", SECRET)
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("asyncio").exception("broke")
    assert len(lines(out)) == 3
    assert SECRET not in out.getvalue()
    assert out.getvalue().count("[secret]") >= 3


def test_lines_can_have_the_time_of_another_clock() -> None:
    """In virtual time a log tells when a thing happened there, in milliseconds of UTC."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream, now_ms = io.StringIO(), 1_746_360_000_007
    try:
        configure(LogFormat.JSON, stream=stream, now_ms=lambda: now_ms)
        structlog.get_logger("jumar").info("ours")
        logging.getLogger("aiohttp").warning("a library's")
    finally:
        structlog.configure(**before)
        root.handlers[:], root.level = handlers, level
    assert [line["timestamp"] for line in lines(stream)] == ["2025-05-04T12:00:00.007Z"] * 2
