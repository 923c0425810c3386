"""Choosing the market: manual, synthetic or a file, and every way to ask for none of them."""

from decimal import Decimal
from pathlib import Path

import pytest

from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.market import (
    SCENARIOS,
    ManualMarket,
    RecordedMarket,
    StagedMarket,
    SyntheticMarket,
    open_market,
)
from jumar.exchange.simulated.market.grid import quantity_unit

TICKS = {"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01")}
STARTS = {"BTCUSDT": Decimal(100000), "ETHUSDT": Decimal(2600)}


def _open(
    spec: str, *symbols: str, window_from_ms: int | None = None, window_to_ms: int | None = None
) -> MarketSource:
    return open_market(
        spec,
        symbols=symbols,
        seed=3,
        tick_sizes=TICKS,
        start_prices=STARTS,
        window_from_ms=window_from_ms,
        window_to_ms=window_to_ms,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A spot file of one trade at 1,000 s."""
    path = tmp_path / "spot_ETHUSDC.csv"
    path.write_text(
        "agg_id,ts_us,price,qty,n_trades,buyer_is_maker\n1,1000000000,2600.5,1,1,0\n",
        encoding="utf-8",
    )
    return path


def test_each_word_opens_its_market(file: Path) -> None:
    """`manual`, `synthetic`, and anything else is a path; all speak of their symbols."""
    manual = _open("manual", "BTCUSDT")
    synthetic = _open("synthetic", "ETHUSDT", "BTCUSDT")
    recorded = _open(str(file))
    assert isinstance(manual, ManualMarket)
    assert isinstance(synthetic, SyntheticMarket)
    assert isinstance(recorded, RecordedMarket)
    assert [source.symbols for source in (manual, synthetic, recorded)] == [
        ("BTCUSDT",),
        ("ETHUSDT", "BTCUSDT"),
        ("ETHUSDT",),
    ]
    assert next(iter(synthetic.steps())).symbol == "ETHUSDT"


def test_the_window_reaches_the_file(file: Path) -> None:
    """A window around the trade opens, one beside it is refused."""
    inside = _open(str(file), "ETHUSDT", window_from_ms=999_000, window_to_ms=1_001_000)
    assert len(list(inside.steps())) == 1
    with pytest.raises(ValueError, match="no records"):
        _open(str(file), window_from_ms=1_000_001)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_opens_its_market(name: str) -> None:
    """`synthetic:` and a scenario's name is a drawn market of its own path, for the symbols that were asked for."""
    market = _open(f"synthetic:{name}", "ETHUSDT", "BTCUSDT")
    assert isinstance(market, StagedMarket)
    assert market.symbols == ("ETHUSDT", "BTCUSDT")
    assert next(iter(market.steps())).symbol == "ETHUSDT"


@pytest.mark.parametrize("name", ["", "flash-crsh", "Calm", "calm "])
def test_an_unknown_scenario_is_answered_with_the_list(name: str) -> None:
    """Whoever misspells a scenario reads the names there are."""
    with pytest.raises(ValueError, match=r"--market synthetic:.*: there is no scenario") as refusal:
        _open(f"synthetic:{name}", "BTCUSDT")
    assert str(refusal.value).endswith(f"{name!r}; known: {', '.join(SCENARIOS)}")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_without_its_first_word_is_told_how_to_write_it(name: str) -> None:
    """It is not taken for a file that does not exist."""
    with pytest.raises(ValueError, match=f"--market {name}: .*; write synthetic:{name}$"):
        _open(name, "BTCUSDT")


@pytest.mark.parametrize("spec", ["manual", "synthetic", "synthetic:calm"])
def test_a_window_needs_a_file(spec: str) -> None:
    """A market without dates cannot be cut by dates."""
    with pytest.raises(ValueError, match="--from and --to cut a recorded file"):
        _open(spec, "BTCUSDT", window_from_ms=1)


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ((), "--symbols names no symbol"),
        (("BTCUSDT", "BTCUSDT"), "--symbols names a symbol twice"),
        (("LUNAUSDT",), "--symbols names LUNAUSDT, which is not listed; listed: BTCUSDT, ETHUSDT"),
    ],
)
def test_symbols_are_checked(symbols: tuple[str, ...], message: str) -> None:
    """None, doubled and unlisted symbols are told by option and fix."""
    with pytest.raises(ValueError, match=message):
        _open("synthetic", *symbols)


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        (("BTCUSDT",), "--symbols names BTCUSDT, but spot_ETHUSDC.csv holds ETHUSDT"),
        (("BTCUSDT", "ETHUSDT"), "--symbols names 2 symbols; a recorded file holds one"),
    ],
)
def test_a_file_is_not_played_as_something_else(
    file: Path, symbols: tuple[str, ...], message: str
) -> None:
    """A wrong symbol for a file that names its own is a mistake, not an override."""
    with pytest.raises(ValueError, match=message):
        _open(str(file), *symbols)


def test_a_word_that_is_no_market_is_told() -> None:
    """A misspelt word is taken for a path and named."""
    with pytest.raises(ValueError, match=r"market file syntetic does not exist; give .* synthetic"):
        _open("syntetic", "BTCUSDT")


@pytest.mark.parametrize(
    ("price", "unit"),
    [("120000", "0.001"), ("2600", "0.01"), ("600", "0.1"), ("200", "1"), ("0.2", "1")],
)
def test_the_unit_of_quantity_is_coarser_than_any_step(price: str, unit: str) -> None:
    """A power of ten worth at most 200 USDT, never above one whole coin."""
    assert quantity_unit(Decimal(price)) == Decimal(unit)
