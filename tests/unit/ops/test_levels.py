"""`jumar levels`, and the zone in `jumar decision check`: what a person reads, exit codes, what cannot be used."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.hostile import EXAMPLE, changed
from tests.unit.ops.test_decision_check import CONFIG, as_json
from tests.unit.ops.test_decision_check import check as check_decision
from tests.unit.simulated.archives import BARS_HEADER, TRADES_HEADER, bar, pack, trade
from typer.testing import CliRunner, Result

from jumar.decisions.levels import decode_levels
from jumar.decisions.levels_schema import levels_schema
from jumar.ops.cli.app import app

NAME = "BTCUSDT-1m-2026-11-01"
#: Lows of bars of three minutes: 88 is a swing, 97 is one that nothing has confirmed yet.
LOWS = (99, 95, 88, 96, 98, 97)


def levels(*words: str, stdin: bytes | None = None) -> Result:
    """Run `jumar levels` with these words."""
    return CliRunner().invoke(app, ["levels", *words], input=stdin)


def rows(lows: tuple[int, ...] = LOWS, *, first: int = 0) -> list[str]:
    """Minutes, three to a bar."""
    return [
        bar(first + 3 * number + minute, f"100 110 {low} 100")
        for number, low in enumerate(lows)
        for minute in range(3)
    ]


@pytest.fixture
def bars(tmp_path: Path) -> str:
    """A day's file as the archive packs it."""
    return str(pack(tmp_path, NAME, [BARS_HEADER, *rows()]))


# from-klines


@pytest.mark.rule("D-10", "H-1")
def test_a_levels_file_on_stdout(bars: str) -> None:
    """Without --out the content itself is printed, and the engine's own decoder takes it."""
    result = levels("from-klines", bars, "--timeframe", "3m")
    assert result.exit_code == 0, result.output
    (received,) = decode_levels(result.stdout.encode(), symbols=("BTCUSDT", "ETHUSDT"))
    assert (received.symbol, received.errors) == ("BTCUSDT", ())
    assert received.levels is not None
    (swing,) = received.levels.swings
    assert (str(swing.price), swing.timeframe, swing.confirmed) == ("88", "3m", True)
    end = received.levels.as_of_ms
    assert end - swing.time_ms == 12 * 60_000


@pytest.mark.rule("D-10")
def test_what_was_not_over_is_not_looked_at(bars: str) -> None:
    """A swing that `--as-of` cuts off is not there, a millisecond later it is."""
    whole = json.loads(levels("from-klines", bars, "--timeframe", "3m").stdout)
    day = whole["as_of"][:11]
    for as_of, expected in ((f"{day}00:14:59.999Z", 0), (f"{day}00:15:00Z", 1)):
        cut = levels("from-klines", bars, "--timeframe", "3m", "--as-of", as_of)
        content = json.loads(cut.stdout)
        assert len(content["swings"]["3m"]["lows"]) == expected
        assert content["as_of"] == as_of.replace(":00Z", ":00.000Z")


@pytest.mark.rule("D-10")
def test_a_line_for_people_and_an_object_for_programs(bars: str, tmp_path: Path) -> None:
    """With --out the file is written whole, over what stood there."""
    out = tmp_path / "levels.json"
    out.write_text("old")
    words = ("from-klines", bars, "--timeframe", "3m", "--timeframe", "1m", "--out", str(out))
    said = levels(*words)
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith(f"{out}: BTCUSDT as of 20")
    assert ": 3m 6 bars, 1 lows, 0 highs; 1m 18 bars, " in said.stdout
    told: dict[str, Any] = json.loads(levels(*words, "--json").stdout)
    assert told["timeframes"]["3m"] == {"bars": 6, "lows": 1, "highs": 0}
    assert told["out"] == str(out)
    assert json.loads(out.read_text())["as_of"] == told["as_of"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.rule("D-10")
def test_several_files_and_stdin(tmp_path: Path, bars: str) -> None:
    """Files follow one another; what comes through stdin needs a symbol."""
    later = pack(tmp_path, f"{NAME}-later", [BARS_HEADER, *rows((90, 99, 100), first=18)])
    both = levels("from-klines", bars, str(later), "--timeframe", "3m")
    lows = json.loads(both.stdout)["swings"]["3m"]["lows"]
    assert [low["price"] for low in lows] == ["88", "90"]
    table = "\n".join([BARS_HEADER, *rows()]).encode()
    words = ("from-klines", "-", "--timeframe", "3m")
    piped = levels(*words, "--symbol", "ETHUSDT", stdin=table)
    assert piped.exit_code == 0, piped.output
    assert json.loads(piped.stdout)["symbol"] == "ETHUSDT"
    nameless = levels(*words, stdin=table)
    assert nameless.exit_code == 2
    assert "--symbol: no file's name says it" in nameless.stderr


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--timeframe", "7m"), "'7m' is no timeframe of bars; use one of 1m, 3m"),
        (("--left", "0"), "a swing needs a bar on either side"),
        (("--as-of", "yesterday"), "--as-of: 'yesterday' is not a time"),
        (("--as-of", "2020-01-01T00:00:00Z"), "no complete bar: give files that begin before"),
        (("--out", "/nowhere/levels.json"), "--out: /nowhere/levels.json: cannot be written"),
    ],
)
def test_what_cannot_be_used_is_named(bars: str, words: tuple[str, ...], says: str) -> None:
    """One message, exit code 2, no traceback."""
    result = levels("from-klines", bars, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.rule("D-10")
def test_files_that_are_no_bars_are_named(tmp_path: Path, bars: str) -> None:
    """Trades, nothing, and a file that does not follow the one before."""
    trades = pack(tmp_path, "BTCUSDT-aggTrades-2026-11-01", [TRADES_HEADER, trade(0, "60000.0")])
    for files, says in (
        ((str(trades),), "holds trades; bars of one minute are needed"),
        ((str(tmp_path / "none.csv"),), "does not exist"),
        ((bars, bars), "does not follow those before it"),
    ):
        result = levels("from-klines", *files)
        assert result.exit_code == 2
        assert says in result.stderr


# check and schema

GOOD = {
    "as_of": "2025-12-05T10:04:00Z",
    "liquidation_zones": [{"id": "cluster_1", "zone": [91500, 91650], "strength": 0.8}],
}


def written(folder: Path, content: object, name: str = "levels.json") -> Path:
    """A levels file."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.rule("D-10")
def test_good_levels_pass_the_check(tmp_path: Path) -> None:
    """One line a symbol; without a configuration every symbol in the file is managed."""
    two = {"symbols": {"BTCUSDT": GOOD, "SOLUSDT": GOOD}}
    result = levels("check", str(written(tmp_path, two)))
    assert result.exit_code == 0
    assert [line.split(":")[:2] for line in result.stdout.splitlines()] == [
        ["BTCUSDT", " accepted"],
        ["SOLUSDT", " accepted"],
    ]
    told = json.loads(levels("check", str(written(tmp_path, GOOD, "X.json")), "--json").stdout)
    assert told["accepted"] is True
    assert told["levels"][0]["zones"] == [
        {"id": "cluster_1", "explicit": True, "zone": ["91500", "91650"], "strength": "0.8"}
    ]


@pytest.mark.rule("D-10")
def test_wrong_levels_do_not(tmp_path: Path) -> None:
    """Every wrong field is named; so is a file that is for nobody, or not there."""
    wrong = written(tmp_path, {**GOOD, "as_of": "now", "swings": {"7m": {}}})
    result = levels("check", str(wrong))
    assert result.exit_code == 2
    assert "  as_of = " in result.stdout
    assert '  swings = "7m": has no such timeframe' in result.stdout
    told = json.loads(levels("check", str(wrong), "--json").stdout)
    assert [error["field"] for error in told["levels"][0]["errors"]] == ["as_of", "swings"]
    config = tmp_path / "jumar.toml"
    config.write_text(CONFIG)
    nobodys = written(tmp_path, {**GOOD, "symbol": "SOLUSDT"})
    result = levels("check", str(nobodys), "--config", str(config))
    assert (result.exit_code, result.stdout) == (
        2,
        "refused: nothing in it is for a managed symbol\n",
    )
    absent = levels("check", str(tmp_path / "none.json"))
    assert absent.exit_code == 2
    assert "none.json: cannot be read" in absent.stderr


def test_the_schema_is_printed() -> None:
    """As the library has it."""
    result = levels("schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == levels_schema()


# the zone of a checked decision


def zone_of(folder: Path, *words: str) -> dict[str, Any]:
    """What the check of the example says of its zone."""
    found: dict[str, Any] = as_json(folder, EXAMPLE, *words)["zone"]
    return found


@pytest.mark.rule("D-9", "L-3")
def test_the_check_says_where_the_zone_would_be_bound(tmp_path: Path) -> None:
    """By the levels file that is given; a decision that names none says nothing."""
    file = written(tmp_path, {**GOOD, "symbol": "BTCUSDT"})
    words = (
        f"cluster_1 is bound to [91500, 91650], by the levels of 2025-12-05T10:04:00.000Z ({file})"
    )
    assert zone_of(tmp_path, "--levels", str(file)) == {
        "id": "cluster_1",
        "zone": ["91500", "91650"],
        "because": words,
    }
    told = check_decision(tmp_path, EXAMPLE, "--levels", str(file))
    assert f"  zone         {words}\n" in told.stdout
    unnamed = changed(position_management=...)
    assert as_json(tmp_path, unnamed, "--levels", str(file))["zone"] is None


@pytest.mark.rule("D-9", "L-3")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({**GOOD, "as_of": "2025-12-05T09:35:00Z"}, "are too old"),
        ({**GOOD, "as_of": "2025-12-05T10:06:00Z"}, "is refused: as_of = "),
        ({**GOOD, "liquidation_zones": []}, "name no zone"),
        ({**GOOD, "symbol": "ETHUSDT"}, "no levels have come yet"),
        ({"symbols": {"ETHUSDT": GOOD}}, "no levels have come yet"),
        ("{", "is refused: (file) = "),
    ],
)
def test_the_check_says_why_it_stays_unbound(tmp_path: Path, content: object, says: str) -> None:
    """Too old, from the future, not in it, another symbol's, broken: the verdict on the entry stays."""
    file = written(tmp_path, content)
    found = zone_of(tmp_path, "--levels", str(file))
    assert found["zone"] is None
    assert found["because"].startswith("cluster_1 stays unbound: ")
    assert says in found["because"]
    assert check_decision(tmp_path, EXAMPLE, "--levels", str(file)).exit_code == 0


@pytest.mark.rule("D-9", "D-10")
@pytest.mark.parametrize("folder", [True, False])
def test_the_configurations_levels_are_looked_at(tmp_path: Path, *, folder: bool) -> None:
    """A file, or the symbol's file in a folder; one that is not there is no levels."""
    config = tmp_path / "jumar.toml"
    config.write_text(CONFIG + '[levels]\npath = "levels"\n')
    place = tmp_path / "levels"
    if folder:
        place.mkdir()
    words = ("--config", str(config))
    assert "no levels have come yet" in zone_of(tmp_path, *words)["because"]
    if not folder:
        written(tmp_path, GOOD, "levels")
        assert "symbol = (missing)" in zone_of(tmp_path, *words)["because"]
    content = GOOD if folder else {**GOOD, "symbol": "BTCUSDT"}
    written(place if folder else tmp_path, content, "BTCUSDT.levels.json" if folder else "levels")
    assert zone_of(tmp_path, *words)["zone"] == ["91500", "91650"]
