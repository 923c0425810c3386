"""The named scenarios: the same seed the same path, always a valid market, and each what its name says."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import groupby, islice, pairwise, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulated.floor import in_new_processes

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import SCENARIOS, StagedMarket

LENGTH_MS = 1_800_000
SEEN_WITHIN_MS = 180_000
SEEDS = (1, 2)
TICKS = {"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01"), "DOGEUSDT": Decimal("0.00001")}
STARTS = {"BTCUSDT": Decimal(90800), "ETHUSDT": Decimal(3100), "DOGEUSDT": Decimal("0.146")}
EVENTFUL = ("flash-crash", "gap-through-stop", "mark-divergence", "liquidity-hole")

DIGEST = """
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from jumar.exchange.simulated.market import SCENARIOS, StagedMarket
for name in SCENARIOS:
    market = StagedMarket("synthetic:" + name, ["BTCUSDT", "ETHUSDT"], seed=7, tick_sizes={"BTCUSDT": Decimal("0.10"),
        "ETHUSDT": Decimal("0.01")}, start_prices={"BTCUSDT": Decimal(90800), "ETHUSDT": Decimal(3100)})
    print(sha256(repr(list(islice(market.steps(), 2000))).encode()).hexdigest())
"""


def _market(name: str, *symbols: str, seed: int = 7) -> StagedMarket:
    return StagedMarket(
        f"synthetic:{name}", symbols, seed=seed, start_prices=STARTS, tick_sizes=TICKS
    )


@cache
def _path(name: str, seed: int) -> tuple[MarketStep, ...]:
    steps = _market(name, "BTCUSDT", seed=seed).steps()
    return tuple(takewhile(lambda step: step.path_ms < LENGTH_MS, steps))


def _moments(name: str, seed: int) -> list[int]:
    """When in half an hour the scenario's event is on, in path milliseconds."""
    steps = _path(name, seed)
    if name == "gap-through-stop":
        return [after.path_ms for before, after in pairwise(steps) if _gap(before, after)]
    return [step.path_ms for step in steps if _happens(name, step)]


def _happens(name: str, step: MarketStep) -> bool:
    if name == "flash-crash":
        return step.last < STARTS["BTCUSDT"] * Decimal("0.97")
    if name == "mark-divergence":
        return _divergence(step) > Decimal("0.005")
    return _nearest(step) > Decimal("0.004")


def _gap(before: MarketStep, after: MarketStep) -> bool:
    return abs(_middle(after) / _middle(before) - 1) > Decimal("0.01")


def _middle(step: MarketStep) -> Decimal:
    return (step.bids[0].price + step.asks[0].price) / 2


def _divergence(step: MarketStep) -> Decimal:
    return abs(step.mark / step.last - 1)


def _nearest(step: MarketStep) -> Decimal:
    """How far from the last price the nearest order rests, as a share of it."""
    near = min(step.asks[0].price - step.last, step.last - step.bids[0].price)
    return near / step.last


def _closes(name: str, seed: int) -> list[Decimal]:
    """The last price at the end of each minute."""
    minutes = groupby(_path(name, seed), lambda step: step.path_ms // 60_000)
    return [list(steps)[-1].last for _, steps in minutes]


def _efficiency(closes: list[Decimal]) -> Decimal:
    """How much of the way of these minutes was progress: 1 for a straight line."""
    way = sum((abs(after - before) for before, after in pairwise(closes)), Decimal(0))
    return abs(closes[-1] - closes[0]) / way


def _range(steps: tuple[MarketStep, ...]) -> Decimal:
    lasts = [step.last for step in steps]
    return max(lasts) / min(lasts) - 1


# All of them


def test_the_paths_are_the_same_in_every_process() -> None:
    """Byte for byte, whatever the hash seed of the process."""
    outputs = in_new_processes(DIGEST, "0", "4242")
    assert len(outputs) == 1
    assert len(set(outputs.pop().split())) == len(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_path_begins_anew_each_time_and_the_seed_decides(name: str) -> None:
    """A second listener hears the same path; another seed is another path."""
    market = _market(name, "BTCUSDT")
    path = tuple(islice(market.steps(), 1_000))
    assert tuple(islice(market.steps(), 1_000)) == path
    assert tuple(islice(_market(name, "BTCUSDT", seed=8).steps(), 1_000)) != path


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_symbol_keeps_its_path_in_company(name: str) -> None:
    """Adding symbols changes nothing for the others; path time never runs back."""
    together = list(islice(_market(name, "DOGEUSDT", "ETHUSDT", "BTCUSDT").steps(), 1_500))
    among = [step for step in together if step.symbol == "ETHUSDT"]
    assert list(islice(_market(name, "ETHUSDT").steps(), len(among))) == among
    assert all(before.path_ms <= after.path_ms for before, after in pairwise(together))


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(min_value=0, max_value=2**32), symbol=st.sampled_from(sorted(TICKS)))
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_step_is_a_market(name: str, seed: int, symbol: str) -> None:
    """Bids below asks, best first, prices on the tick and above zero, quantities above zero, whatever the seed."""
    tick = TICKS[symbol]
    for step in islice(_market(name, symbol, seed=seed).steps(), 1_500):
        bids, asks = [level.price for level in step.bids], [level.price for level in step.asks]
        assert bids[0] < asks[0]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        prices = [*bids, *asks, step.last, *(trade.price for trade in step.prints)]
        assert all(price > 0 and price % tick == 0 for price in prices)
        assert all(level.quantity > 0 for level in (*step.bids, *step.asks))
        assert all(trade.quantity > 0 for trade in step.prints)
        assert {trade.taker_side for trade in step.prints} <= {"BUY", "SELL"}
        assert not step.prints or step.last == step.prints[-1].price
        assert step.mark > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_path_starts_at_its_start_price_and_stays_in_sight(name: str) -> None:
    """The first quote stands at the start price, and half an hour does not lead far from it."""
    steps = _path(name, 1)
    assert abs(steps[0].bids[0].price - STARTS["BTCUSDT"]) <= TICKS["BTCUSDT"]
    away = [abs(step.last / STARTS["BTCUSDT"] - 1) for step in steps]
    assert max(away) < Decimal("0.08")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", EVENTFUL)
def test_it_happens_within_a_minute_and_again_every_three(name: str, seed: int) -> None:
    """Somebody who watches need not wait; nor is it on all the time."""
    moments = _moments(name, seed)
    assert moments[0] < 60_000
    assert all(after - before < SEEN_WITHIN_MS for before, after in pairwise([*moments, LENGTH_MS]))
    assert len(moments) < len(_path(name, seed)) / 2


# Each what its name says


@pytest.mark.parametrize("seed", SEEDS)
def test_calm_hardly_moves(seed: int) -> None:
    """Half an hour of calm ranges over less than 0.2 %, at one tick and with full levels throughout."""
    steps = _path("calm", seed)
    assert 0 < _range(steps) < Decimal("0.002")
    assert {step.asks[0].price - step.bids[0].price for step in steps} == {TICKS["BTCUSDT"]}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trend_gets_somewhere(seed: int) -> None:
    """Its first eight minutes are mostly progress, by over 1 %; later it has gone both ways."""
    closes = _closes("trend", seed)
    first = closes[:8]
    assert _efficiency(first) > Decimal("0.6")
    assert abs(first[-1] / first[0] - 1) > Decimal("0.01")
    legs = [after - before for before, after in zip(closes, closes[8:], strict=False)]
    assert min(legs) < 0 < max(legs)


@pytest.mark.parametrize("seed", SEEDS)
def test_chop_gets_nowhere(seed: int) -> None:
    """It crosses its start at least every minute and a half, by half a percent, and half an hour is no progress."""
    steps = _path("chop", seed)
    above = [step.last > STARTS["BTCUSDT"] for step in steps]
    crossings = sum(before != after for before, after in pairwise(above))
    assert crossings > 20
    assert Decimal("0.008") < _range(steps) < Decimal("0.016")
    assert _efficiency(_closes("chop", seed)) < Decimal("0.15")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flash_crash_falls_within_seconds_and_recovers(seed: int) -> None:
    """Over 3.5 % down within five seconds, and less than 1.9 % away fifteen seconds after the bottom."""
    steps = _path("flash-crash", seed)
    crashes = list(_crashes(steps))
    assert len(crashes) > 10
    for place in crashes:
        bottom = steps[place]
        before = [step for step in steps[:place] if bottom.path_ms - step.path_ms < 5_000]
        assert max(step.last for step in before) * Decimal("0.965") > bottom.last
        after = next(
            (step for step in steps[place:] if step.path_ms - bottom.path_ms > 15_000), None
        )
        assert after is None or after.last > STARTS["BTCUSDT"] * Decimal("0.981")


def _crashes(steps: tuple[MarketStep, ...]) -> Iterator[int]:
    """Where each crash has its lowest last price."""
    places = groupby(range(len(steps)), lambda place: _happens("flash-crash", steps[place]))
    for is_low, run in places:
        if is_low:
            yield min(run, key=lambda place: steps[place].last)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gap_has_no_trade_and_no_quote_in_between(seed: int) -> None:
    """From one step to the next everything stands over 1 % away, mark included, up and down, and stays there."""
    steps = _path("gap-through-stop", seed)
    gaps = [
        (place, before, after)
        for place, (before, after) in enumerate(pairwise(steps))
        if _gap(before, after)
    ]
    assert {_middle(after) > _middle(before) for _, before, after in gaps} == {True, False}
    for place, before, after in gaps:
        is_up = _middle(after) > _middle(before)
        low, high = (before, after) if is_up else (after, before)
        assert high.bids[-1].price / low.asks[-1].price - 1 > Decimal("0.01")
        assert all(
            abs(trade.price / _middle(after) - 1) < Decimal("0.001") for trade in after.prints
        )
        assert abs(after.mark / before.mark - 1) > Decimal("0.01")
        assert after.last == after.prints[-1].price
        later = steps[min(place + 40, len(steps) - 1)]  # ten seconds
        assert abs(_middle(later) / _middle(after) - 1) < Decimal("0.003")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mark_parts_from_the_last_price_and_comes_back(seed: int) -> None:
    """Over 0.5 % apart for over ten seconds, upwards and downwards, while the last price stays; then together."""
    steps = _path("mark-divergence", seed)
    runs = [
        list(run)
        for apart, run in groupby(steps, lambda step: _happens("mark-divergence", step))
        if apart
    ]
    assert {run[0].mark > run[0].last for run in runs} == {True, False}
    assert all(run[-1].path_ms - run[0].path_ms > 10_000 for run in runs[:-1])
    assert max(map(_divergence, steps)) < Decimal("0.017")
    assert _range(steps) < Decimal("0.004")
    together = sum(_divergence(step) < Decimal("0.001") for step in steps)
    assert together > len(steps) / 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hole_leaves_nothing_near_the_price(seed: int) -> None:
    """For seconds both sides are empty for 0.4 %, the first levels are crumbs and nobody trades; then all is back."""
    steps = _path("liquidity-hole", seed)
    holes = [
        list(run)
        for is_hole, run in groupby(steps, lambda step: _happens("liquidity-hole", step))
        if is_hole
    ]
    assert all(hole[-1].path_ms - hole[0].path_ms > 6_000 for hole in holes[:-1])
    for step in (step for hole in holes for step in hole):
        assert not step.prints
        crumbs = (*step.bids[:-1], *step.asks[:-1])
        assert all(level.price * level.quantity < 11_000 for level in crumbs)
    full = [step for step in steps if step.asks[0].price - step.bids[0].price == TICKS["BTCUSDT"]]
    assert len(full) > len(steps) / 2
