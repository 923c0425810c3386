"""A trade's life as a person reads it: in order, with rules and numbers, confirmed apart from wished."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.journals import CONFIG, Life, answered, armed, held, home, of_order, records, write
from tests.worlds import NOW
from typer.testing import CliRunner

from jumar.model.journal import DecisionSeen, EventSeen, Incident, Record, RefusalSeen
from jumar.model.order import OrderState, OrderStatus, OwnOrder, Role
from jumar.model.rules import RULES
from jumar.ops.cli import explain
from jumar.ops.cli.app import app
from jumar.ops.cli.asking import Asked
from jumar.ops.cli.story.life import time_to_protect_ms, told
from jumar.ops.cli.story.lines import Line, folded
from jumar.store import asked as store
from jumar.store.place import SqlitePlace

D = Decimal


async def story(path: Path, life: Life, *more: Record) -> tuple[Line, ...]:
    """The lines of a life."""
    await write(path / "jumar.db", *records(life), *more)
    return told(store.trade_story(path / "jumar.db", life.trade.key))


def said(lines: Iterable[Line]) -> list[str]:
    """Rule and text of each line."""
    return [f"{line.rule} {line.text}" for line in lines]


async def test_what_repeats_is_told_in_short(tmp_path: Path) -> None:
    """Decisions like the one before and files of levels become one line; what changes anything stays as it is."""
    life = home()
    own = records(life)[0]
    assert isinstance(own, DecisionSeen)
    chosen = life.trade.decision

    def again(number: int, **changes: Any) -> list[Record]:
        at_ms = NOW + 300_000 * number
        newer = replace(chosen, id=f"d{number}", timestamp_ms=at_ms, **changes)
        seen = replace(own, decision_id=newer.id, timestamp_ms=at_ms, at_ms=at_ms, decision=newer)
        told_levels = EventSeen(
            symbol="BTCUSDT", trade_key=life.trade.key, rule="D-10", message="levels", at_ms=at_ms
        )
        guides = replace(told_levels, rule="E-9", message=f"the decision of {number} guides 0.013")
        return [seen, told_levels, guides]

    open_life = held()
    others = [*again(1), *again(2), *again(3, notional=D(1300)), *again(4, notional=D(1300))]
    lines = await story(tmp_path, open_life, *others)
    short = said(folded(lines))
    assert len(lines) == len(short) + 5 + 4
    assert "D-7 2 decisions repeated the one before, 2 levels files came, until 10:15:05" in short
    assert short[-2].startswith("D-7 another decision long") and "1300 USDT" in short[-2]
    until = "until 10:25:05"
    assert short[-1] == f"D-7 1 decision repeated the one before, 2 levels files came, {until}"


def test_all_of_it_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    """`--all`; otherwise it is said how many lines were told in short."""
    asyncio.run(write(tmp_path / "jumar.db", *records(held()), *_levels(held().trade.key, 3)))
    (tmp_path / "jumar.toml").write_text(CONFIG, encoding="utf-8")
    asked = ["explain", "last", "--config", str(tmp_path / "jumar.toml")]
    short = CliRunner().invoke(app, asked, env={"COLUMNS": "200"}).stdout
    assert "3 levels files came" in short
    assert "2 lines that changed nothing are told in short: --all" in short
    whole = CliRunner().invoke(app, [*asked, "--all"], env={"COLUMNS": "200"}).stdout
    assert whole.count("levels of ") == 3
    assert "told in short" not in whole


def _levels(key: str, count: int) -> list[Record]:
    return [
        EventSeen(
            symbol="BTCUSDT",
            trade_key=key,
            rule="D-10",
            message=f"levels of {n}",
            at_ms=NOW + 60_000 + n,
        )
        for n in range(count)
    ]


@pytest.mark.rule("H-5")
async def test_a_life_is_told_in_order_with_rules_and_numbers(tmp_path: Path) -> None:
    """From the decision to the summary, one line each, nothing left out and nothing twice."""
    life = home()
    cancelled = f"jm-{life.trade.key}"
    assert said(await story(tmp_path, life)) == [
        (
            'D-7 decision long of 10:05:00 "trend_up": wants zone [90700, 90900], stop 90380, '
            "targets 91600, 92900, 1200 USDT at leverage 3; accepted"
        ),
        "S-1 armed stop 90380 for 0.013 (confirmed after 35 ms)",
        "E-2 entry: buy 0.013 at 90786.6, GTX (confirmed after 35 ms)",
        "E-2 entry: bought 0.013 at 90786.6 (maker, fee 0.23604516 USDT)",
        "E-8 the planned 0.013 have filled",
        "S-2 backstop 90380 for the whole position (confirmed after 35 ms)",
        "T-1 tp1: sell 0.006 when last reaches 91600 (confirmed after 35 ms)",
        "T-1 tp2: sell 0.007 when last reaches 92900 (confirmed after 35 ms)",
        "T-1 tp1: sold 0.006 at 91600 (maker, fee 0.10992 USDT)",
        "T-3 stop 90380 -> 90841.1 for 0.007 (confirmed after 35 ms)",
        f"S-4 cancelled stop {cancelled}-S1 (proven ended after 35 ms)",
        "T-1 tp2: sold 0.007 at 92900 (maker, fee 0.13006 USDT)",
        "Y-11 fills sum to zero and the position is read as zero",
        f"X-9 cancelled backstop {cancelled}-B1 (proven ended after 35 ms)",
        f"X-9 cancelled stop {cancelled}-S2 (proven ended after 35 ms)",
        "X-9 swept: every one of its 6 orders is proven ended",
        (
            "T-4 long 0.013, 90786.6 to 92300; ended by tp2; P&L 0, fees 0.47602516, funding 0, net -0.476; "
            "0 R gross, -0.09 R net; stop moves 1, chases 0; unprotected 0 ms; time to protect 0 ms"
        ),
    ]


async def test_each_order_says_why_it_was_placed(tmp_path: Path) -> None:
    """The cause that was recorded before it left."""
    lines = await story(tmp_path, held())
    entry = next(line for line in lines if line.text.startswith("entry: buy"))
    assert entry.why.startswith("entry 0.013 at 90786.6, band [90700, 90786.6]")
    assert entry.at_ms == NOW + 100


def moved(life: Life, **changes: Any) -> OwnOrder:
    """A second working stop at 90840, journaled a second after the fill."""
    first = next(o for o in life.board.journal.values() if o.role is Role.STOP)
    request = replace(
        first.request, client_id=f"jm-{life.trade.key}-S2", trigger_price=D("90840.0")
    )
    base = replace(
        first,
        attempt=2,
        request=request,
        rule="T-3",
        journaled_ms=NOW + 2000,
        state=OrderState.UNKNOWN,
        acked_ms=None,
    )
    return replace(base, **changes)


@pytest.mark.rule("H-6")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "wished, not confirmed: unknown"),
        ({"state": OrderState.IN_FLIGHT}, "wished, not confirmed: in flight"),
        (
            {
                "state": OrderState.ENDED,
                "end_code": -2021,
                "end_reason": "Order would immediately trigger.",
                "ended_ms": NOW + 2030,
            },
            "wished, never confirmed: -2021 Order would immediately trigger.",
        ),
        (
            {"state": OrderState.OPEN, "acked_ms": NOW + 2030, "echo_error": "side asked SELL"},
            "wished, never confirmed: the echo differs: side asked SELL",
        ),
    ],
)
async def test_a_stop_that_was_never_confirmed_is_told_as_a_wish(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    """A later stop moves from the last confirmed price, never from the wished one."""
    life = held()
    third = moved(life, attempt=3, journaled_ms=NOW + 9000, state=OrderState.OPEN)
    request = replace(
        third.request, client_id=f"jm-{life.trade.key}-S3", trigger_price=D("90850.0")
    )
    third = answered(replace(third, request=request, acked_ms=NOW + 9001))
    lines = said(await story(tmp_path, life, *of_order(moved(life, **changes)), *of_order(third)))
    assert f"T-3 stop 90380 -> 90840 for 0.013 ({words})" in lines
    assert "T-3 stop 90380 -> 90850 for 0.013 (confirmed after 35 ms)" in lines


async def test_refusals_and_incidents_stand_between(tmp_path: Path) -> None:
    """Both are told where they happened; those of another symbol or of later are not."""
    life = home()
    refusal = RefusalSeen(
        symbol="BTCUSDT",
        decision_id="d1",
        code="mark_near_stop",
        rule="G-16",
        message="mark 90400 is near the stop 90380",
        at_ms=NOW - 1000,
    )
    late = replace(refusal, code="spent", rule="D-7", at_ms=NOW + 60_000)
    incident = Incident(
        symbol="BTCUSDT", severity="critical", rule="S-7", message="no stop", at_ms=NOW + 2000
    )
    elsewhere = replace(incident, symbol="ETHUSDT", message="elsewhere")
    lines = said(await story(tmp_path, life, refusal, late, incident, elsewhere))
    assert lines[1] == "G-16 entry refused, mark_near_stop: mark 90400 is near the stop 90380"
    assert lines.index("S-7 INCIDENT (critical) no stop") == 9
    assert not [line for line in lines if "spent" in line or "elsewhere" in line]


async def test_a_stop_that_others_ended_is_told_as_such(tmp_path: Path) -> None:
    """A cancel by hand is no cancel of ours: S-7, the missing stop."""
    life = held()
    life.board.later(3000).end(Role.STOP, OrderStatus.CANCELED)
    lines = said(await story(tmp_path, life))
    assert f"S-7 stop jm-{life.trade.key}-S1 ended without our asking: canceled" in lines


async def test_time_to_protect_counts_from_the_first_lot(tmp_path: Path) -> None:
    """Zero behind an armed stop; otherwise until the first stop that was confirmed; None when none ever was."""
    life = held()
    await write(tmp_path / "jumar.db", *records(life))
    kept = store.trade_story(tmp_path / "jumar.db", life.trade.key)
    assert time_to_protect_ms(kept) == 0
    gone = tuple(replace(o, ended_ms=NOW + 200) if o.role is Role.STOP else o for o in kept.orders)
    assert time_to_protect_ms(replace(kept, orders=gone)) == 35  # the backstop's answer
    entries = tuple(o for o in kept.orders if o.role is Role.ENTRY)
    assert time_to_protect_ms(replace(kept, orders=entries)) is None
    assert time_to_protect_ms(replace(kept, fills=())) is None


async def test_an_execution_never_comes_before_its_order(tmp_path: Path) -> None:
    """The exchange's clock may be some milliseconds behind the engine's idea of it."""
    life = home()
    target = next(f for f in life.world.fills if f.price == D(91600))
    early = replace(target, time_ms=NOW + 490)
    life.world = replace(
        life.world, fills=tuple(early if f is target else f for f in life.world.fills)
    )
    lines = said(await story(tmp_path, life))
    placed = lines.index("T-1 tp1: sell 0.006 when last reaches 91600 (confirmed after 35 ms)")
    assert lines.index("T-1 tp1: sold 0.006 at 91600 (maker, fee 0.10992 USDT)") > placed


async def test_a_trade_is_found_by_what_a_person_has_at_hand(tmp_path: Path) -> None:
    """Its key, the beginning of it, a client order id, or `last`."""
    life = armed()
    path = tmp_path / "jumar.db"
    await write(path, *records(life))
    asked = Asked(account="main", database=SqlitePlace(path), symbols=())
    key = life.trade.key
    for wanted in (key, key[:3], f"jm-{key}-E1", "last"):
        assert explain.the_one(asked, wanted) == key


def test_a_trade_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """Exit code 2, one message, the keys that may have been meant."""
    life = home()
    key = life.trade.key
    asyncio.run(write(tmp_path / "jumar.db", *records(life)))
    (tmp_path / "jumar.toml").write_text(CONFIG)
    runner = CliRunner()
    config = ["--config", str(tmp_path / "jumar.toml")]
    result = runner.invoke(app, ["explain", f"{key[:8]}zz", *config])
    assert result.exit_code == 2
    assert f"there is no trade {key[:8]}zz: the nearest are {key}" in result.stderr
    result = runner.invoke(app, ["explain", "!", *config])
    assert (result.exit_code, f"the newest are {key}" in result.stderr) == (2, True)
    result = runner.invoke(app, ["explain", key, *config])
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{key}   BTCUSDT long" in result.stdout


@pytest.mark.rule("H-5")
async def test_the_story_ends_with_what_its_rules_say(tmp_path: Path) -> None:
    """Every rule that a line names is explained once, below and in `--json`, and no other one."""
    life = home()
    lines = await story(tmp_path, life)
    configuration = tmp_path / "jumar.toml"
    configuration.write_text(CONFIG)
    asked = ["explain", life.trade.key, "--config", str(configuration)]
    shown = CliRunner().invoke(app, asked, env={"COLUMNS": "200"}).stdout
    told_rules = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)["rules"]
    assert told_rules == {rule: RULES[rule] for rule in RULES if rule in {x.rule for x in lines}}
    assert "S-1" in told_rules and "R-2" not in told_rules
    for sentence in told_rules.values():
        assert shown.count(sentence) == 1
