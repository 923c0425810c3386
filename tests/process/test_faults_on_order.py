"""A whole engine against an exchange that fails on order: it comes home, and both judges find every promise kept.

The engine is a process of its own on real sockets. What else goes wrong in a run is told in virtual time, in
`tests/simulation`; here the faults are the served exchange's own, set as a user would set them.
"""

from pathlib import Path
from typing import Any

import pytest
from tests.lives import LONG, Cast, assert_clean, cast, side_by_side
from typer.testing import CliRunner

from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.ops.cli.app import app

type Rules = list[dict[str, Any]]

#: Requests and answers are lost, late and unknown; every kind is met by an order that matters.
WIRE: Rules = [
    {"kind": "unknown_executed", "scope": {"role": "stop"}, "count": 1},
    {"kind": "unknown_not_executed", "scope": {"role": "entry"}, "count": 1, "form": "503"},
    {"kind": "lost_answer", "scope": {"role": "backstop"}, "count": 1},
    {"kind": "lost_request", "scope": {"role": "target"}, "count": 1, "how": "reset"},
    {
        "kind": "outage",
        "scope": {"role": "stop"},
        "form": "internal",
        "probability": 0.3,
        "count": 2,
    },
    {"kind": "unreadable_answer", "scope": {"role": "target"}, "form": "html", "count": 1},
    {"kind": "proxy_error", "scope": {"endpoint": "/fapi/v1/openAlgoOrders"}, "count": 2},
    {"kind": "late_answer", "probability": 0.1, "delay_ms": 150},
]
#: The exchange contradicts itself; its streams stammer.
TALK: Rules = [
    {"kind": "refuse", "code": -4509, "scope": {"role": "backstop"}, "after_fill_ms": 700},
    {"kind": "doubled_event", "probability": 0.3},
    {"kind": "late_event", "probability": 0.2, "delay_ms": 200},
    {"kind": "reordered_event", "probability": 0.2, "delay_ms": 100},
    {"kind": "lost_event", "probability": 0.1},
    {"kind": "lagging_list", "probability": 0.5, "for_ms": 600},
    {"kind": "forgetful_list", "scope": {"role": "stop"}, "count": 2, "for_ms": 700},
    {"kind": "lagging_position", "probability": 0.7, "for_ms": 600},
    {"kind": "empty_position", "probability": 0.3, "for_ms": 400},
    {"kind": "dropped_stream", "after_ms": 2500},
    {"kind": "expired_listen_key", "after_ms": 3000},
    {"kind": "crumbs", "quantity": "0.003", "for_ms": 3600000},
    {"kind": "cancelled_order", "scope": {"role": "stop"}, "after_ms": 3500},
]


async def met(company: Cast, rules: Rules) -> bool:
    """Whether every fault that is certain to come has come."""
    struck = {r["fault"] for r in await company.stage.ledger() if r["kind"] == "fault"}
    return {rule["kind"] for rule in rules if "probability" not in rule} <= struck


async def trade(company: Cast, rules: Rules) -> None:
    """A decision, its entry, everything that goes wrong, both targets, home."""
    await company.begin()
    await company.decide()
    await company.until_roles("ES")
    for _ in range(8):  # in crumbs an entry fills step by step
        await company.stage.price(LONG.enter)
    await company.until_roles("BPQS")
    await company.until(lambda: met(company, rules))
    await company.until_roles("BPQS")
    for _ in range(4):
        await company.stage.price(LONG.tp1)
    await company.until_roles("BQS")
    for _ in range(8):
        await company.stage.price(LONG.tp2)
    await company.until(company.idle)


async def play(folder: Path, rules: Rules, readings: Readings = DEFAULT_READINGS) -> None:
    """One engine, one exchange, one list of faults."""
    async with cast(folder, readings) as company:
        if rules:
            await company.stage.control("faults", rules)
        await trade(company, rules)
        verdict = await assert_clean(company, excused=True)
        assert (verdict["exits"]["tp1"], verdict["exits"]["tp2"]) == (1, 1)


@pytest.mark.rule("X-3", "X-4", "P-1", "P-4", "P-5", "P-8")
async def test_an_engine_comes_home_from_a_hostile_exchange(tmp_path: Path) -> None:
    """Everything that was ordered happened to it, and nothing of it broke a promise; nor did an exchange that tells no event."""
    plays = {}
    for name, rules in {"wire": WIRE, "talk": TALK}.items():
        (tmp_path / name).mkdir()
        plays[name] = play(tmp_path / name, rules)
    (tmp_path / "deaf").mkdir()
    plays["deaf"] = play(tmp_path / "deaf", [], Readings(user_events_default="none"))
    await side_by_side(plays)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ('[{"kind": "halted"}, {"kind": "lost_anser"}]', "rule 2: kind: 'lost_anser' is unknown"),
        ('{"kind": "halted", "scope": {"symbol": "XYZ"}}', "scope.symbol: 'XYZ' is not traded"),
    ],
)
def test_a_bad_file_is_one_message(tmp_path: Path, content: str, said: str) -> None:
    """File, number of the rule, field; exit code 2; a demo says so before it starts anything."""
    path = tmp_path / "faults.json"
    path.write_text(content)
    served = ["exchange", "serve", "--port", "0", "--market", "manual", "--faults", str(path)]
    shown = ["demo", "--seconds", "20", "--faults", str(path)]
    for arguments in [served] if "XYZ" in content else [served, shown]:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert f"{path}: {said}" in result.stderr
        assert result.stdout == ""  # nothing is announced that does not come to be


def test_a_file_that_is_not_there_and_virtual_time_are_refused(tmp_path: Path) -> None:
    """Each with the option's name."""
    absent = CliRunner().invoke(app, ["exchange", "serve", "--faults", str(tmp_path / "none")])
    assert (absent.exit_code, "none: No such file" in absent.stderr) == (2, True)
    path = tmp_path / "faults.json"
    path.write_text("[]")
    fast = CliRunner().invoke(app, ["demo", "--speed", "max", "--faults", str(path)])
    assert (fast.exit_code, "--faults: not in virtual time" in fast.stderr) == (2, True)
