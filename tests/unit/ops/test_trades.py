"""The list of trades: each with its result, sums over those that ended, the open one marked."""

import json
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.journals import armed, held, home, records, write
from tests.worlds import decision

from jumar.model.journal import Record, TradeEnded
from jumar.model.trade import CloseReason, TradeSummary
from jumar.ops.cli import trades
from jumar.ops.cli.asking import Asked
from jumar.store.place import SqlitePlace


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """Where the tests look."""
    return Asked(account="main", database=SqlitePlace(tmp_path / "jumar.db"), symbols=("BTCUSDT",))


def ended(key: str, day: int, **changes: Any) -> list[Record]:
    """A trade with a result: two R gross by its first target."""
    trade = replace(home().trade, key=key, armed_ms=day * 86_400_000, ended_ms=day * 86_400_000 + 9)
    summary = TradeSummary(
        key=key,
        quantity=Decimal("0.013"),
        average_entry=Decimal("90786.6"),
        average_exit=Decimal(91600),
        exit_reason="tp1",
        realized_pnl=Decimal("10.5742"),
        fees=Decimal("0.8288"),
        r_gross=Decimal(2),
        r_net=Decimal("1.843"),
        slippage=None,
        stop_moves=1,
        first_fill_ms=day * 86_400_000 + 1,
        last_fill_ms=day * 86_400_000 + 8,
    )
    summary = replace(summary, **changes)
    return [TradeEnded(trade=trade, summary=summary)]


async def journal(asked: Asked) -> None:
    """A winner, a loser by its stop, one that never filled, and one that is open."""
    lost = ended(
        "bbbbbbbbbb",
        2,
        exit_reason="stop",
        realized_pnl=Decimal("-5.3"),
        r_gross=Decimal(-1),
        r_net=Decimal("-1.157"),
        slippage=Decimal("0.7"),
        stop_moves=0,
    )
    never = replace(armed(decision(id="d3")).trade, key="cccccccccc", armed_ms=3 * 86_400_000, ended_ms=3 * 86_400_000 + 5)  # fmt: skip
    still = held(decision(id="d4"))
    await write(
        asked.database,
        *ended("aaaaaaaaaa", 1),
        *lost,
        TradeEnded(trade=never, summary=None),
        *records(still),
    )


async def test_each_trade_is_told_with_its_result(asked: Asked) -> None:
    """Oldest first; the open one as far as it got; one without a fill has no result."""
    await journal(asked)
    won, lost, never, still = trades.listed(asked, symbol=None, last=None)
    assert (won["r_gross"], won["net"], won["armed"]) == ("2", "9.7454", "1970-01-02T00:00:00.000Z")
    assert (lost["reason"], lost["slippage"], lost["pnl"]) == ("stop", "0.7", "-5.3")
    assert (never["reason"], never["quantity"], never["r_net"]) == ("never filled", "0", None)
    assert (still["open"], still["reason"], still["r_net"]) == (True, "open", None)
    assert (still["quantity"], still["average_entry"]) == ("0.013", "90786.6")
    assert still["first_fill"] == "2025-12-05T10:05:05.500Z"


async def test_sums_count_only_what_ended_after_a_fill(asked: Asked) -> None:
    """An open trade is no result yet, and an unfilled one never is."""
    await journal(asked)
    assert trades.summed(trades.listed(asked, symbol=None, last=None)) == {
        "trades": 2,
        "open": 1,
        "never_filled": 1,
        "pnl": "5.2742",
        "fees": "1.6576",
        "net": "3.6166",
        "r_gross": "1",
        "r_net": "0.686",
        "stop_moves": "1",
        "funding": "0",
        "chases": "0",
        "unprotected_ms": "0",
    }


async def test_only_the_newest_or_one_symbol(asked: Asked) -> None:
    """`--last` keeps the newest, still oldest first; a symbol without trades has none."""
    await journal(asked)
    newest = trades.listed(asked, symbol="BTCUSDT", last=2)
    assert [(trade["key"][:3], trade["open"]) for trade in newest] == [
        ("ccc", False),
        (newest[1]["key"][:3], True),
    ]
    assert trades.listed(asked, symbol="ETHUSDT", last=None) == []


async def test_a_closing_trade_says_why(asked: Asked) -> None:
    """An open trade that is being closed is told with its reason."""
    life = held()
    life.trade = replace(life.trade, closing=CloseReason.OPPOSITE)
    await write(asked.database, *records(life))
    (still,) = trades.listed(asked, symbol=None, last=None)
    assert still["reason"] == "closing: opposite"


async def test_people_and_programs_are_told_the_same(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    """The JSON is one object; the table carries the same figures and the sums."""
    await journal(asked)
    trades.show(asked, symbol=None, last=None, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["trades"] == trades.listed(asked, symbol=None, last=None)
    file = StringIO()
    Console(file=file, width=200).print(trades.table(told["trades"]))
    text = file.getvalue()
    for words in ("aaaaaaaaaa", "never filled", "2 ended", "net +3.6166", "+1.843", "0.7"):
        assert words in text


async def test_a_narrow_terminal_gets_what_matters_whole(asked: Asked) -> None:
    """Eighty columns: key, symbol, side, time, what ended it and its net R, none of them cut."""
    await journal(asked)
    file = StringIO()
    found = trades.listed(asked, symbol=None, last=None)
    Console(file=file, width=80).print(trades.table(found, narrow=True))
    lines = file.getvalue().splitlines()
    (lost,) = [line for line in lines if "bbbbbbbbbb" in line]
    for words in ("BTCUSDT", "long", "1970-01-03 00:00:00", "stop", "-1.157"):
        assert words in lost
    assert "…" not in file.getvalue()


@pytest.mark.rule("T-4")
@pytest.mark.parametrize(
    ("funding", "told", "summed"), [("-0.5", "-0.5", "-0.5"), (None, None, "0")]
)
async def test_funding_counts_in_net_and_may_be_unknown(
    asked: Asked, funding: str | None, told: str | None, summed: str
) -> None:
    """Signed in its column and part of the net result; what is not known is empty and left out of the sums."""
    amount = None if funding is None else Decimal(funding)
    await write(
        asked.database, *ended("aaaaaaaaaa", 1, funding=amount, chases=2, unprotected_ms=40)
    )
    (value,) = trades.listed(asked, symbol=None, last=None)
    assert (value["funding"], value["chases"], value["unprotected_ms"]) == (told, 2, 40)
    without = Decimal(value["pnl"]) - Decimal(value["fees"])
    assert Decimal(value["net"]) == without + (amount or 0)
    assert trades.summed([value])["funding"] == summed
