"""The synthetic market: the same seed the same path, always a valid market, as lively as documented."""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from itertools import islice, pairwise, takewhile
from math import log, sqrt
from statistics import fmean, median

import pytest
from tests.unit.simulated.floor import in_new_processes

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import SyntheticMarket

HOUR_MS = 3_600_000
TICKS = {"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01"), "DOGEUSDT": Decimal("0.00001")}
STARTS = {"BTCUSDT": Decimal(100000), "ETHUSDT": Decimal(2600), "DOGEUSDT": Decimal("0.2")}

DRAWN_BY_SEED_7 = "c5b130310edd8fd061b51c6b7df49494179badbd1c5c0498eba1c0e5b2cb3c9f"

DIGEST = """
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from jumar.exchange.simulated.market import SyntheticMarket
market = SyntheticMarket(["BTCUSDT", "ETHUSDT"], seed=7, start_prices={"BTCUSDT": Decimal(100000), "ETHUSDT": Decimal(2600)},
                         tick_sizes={"BTCUSDT": Decimal("0.10"), "ETHUSDT": Decimal("0.01")})
print(sha256(repr(list(islice(market.steps(), 5000))).encode()).hexdigest())
"""


def _market(*symbols: str, seed: int = 7) -> SyntheticMarket:
    return SyntheticMarket(symbols, seed=seed, start_prices=STARTS, tick_sizes=TICKS)


def _hours(seed: int, hours: int) -> Iterator[MarketStep]:
    steps = _market("BTCUSDT", seed=seed).steps()
    return takewhile(lambda step: step.path_ms <= hours * HOUR_MS, steps)


def test_the_path_is_the_same_in_every_process() -> None:
    """Byte for byte, whatever the hash seed of the process."""
    assert len(in_new_processes(DIGEST, "0", "1", "4242")) == 1


def test_the_path_is_that_of_earlier_versions() -> None:
    """A seed that somebody wrote down draws the same prices tomorrow."""
    path = repr(list(islice(_market("BTCUSDT", "ETHUSDT", "DOGEUSDT").steps(), 30_000)))
    path = path.replace(", funding_rate=None", "")  # which the earliest version did not name
    assert sha256(path.encode()).hexdigest() == DRAWN_BY_SEED_7


def test_the_path_begins_anew_each_time() -> None:
    """A second listener of one source hears the same path from its beginning."""
    market = _market("BTCUSDT")
    assert list(islice(market.steps(), 2_000)) == list(islice(market.steps(), 2_000))


def test_another_seed_is_another_path() -> None:
    """The seed decides."""
    paths = {tuple(islice(_market("BTCUSDT", seed=seed).steps(), 200)) for seed in range(5)}
    assert len(paths) == 5


def test_a_symbol_keeps_its_path_in_company() -> None:
    """Adding symbols changes nothing for the others."""
    alone = list(islice(_market("ETHUSDT").steps(), 500))
    together = (step for step in _market("DOGEUSDT", "ETHUSDT", "BTCUSDT").steps())
    among = list(islice((step for step in together if step.symbol == "ETHUSDT"), 500))
    assert alone == among


def test_symbols_have_dice_of_their_own() -> None:
    """Two symbols of one seed do not move in step."""
    btc, eth = (
        [step.path_ms for step in islice(_market(symbol).steps(), 50)]
        for symbol in ("BTCUSDT", "ETHUSDT")
    )
    assert btc != eth


@pytest.mark.parametrize("symbol", TICKS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_step_is_a_market(symbol: str, seed: int) -> None:
    """Bids below asks, best first, prices on the tick, quantities above zero, a sane mark."""
    tick = TICKS[symbol]
    for step in islice(_market(symbol, seed=seed).steps(), 5_000):
        bids, asks = [level.price for level in step.bids], [level.price for level in step.asks]
        assert bids[0] < asks[0]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        prices = [*bids, *asks, step.last, *(trade.price for trade in step.prints)]
        assert all(price > 0 and price % tick == 0 for price in prices)
        assert all(level.quantity > 0 for level in (*step.bids, *step.asks))
        assert all(trade.quantity > 0 for trade in step.prints)
        assert abs(step.mark / step.last - 1) < Decimal("0.003")
        assert {trade.taker_side for trade in step.prints} <= {"BUY", "SELL"}
        assert not step.prints or step.last == step.prints[-1].price


def test_several_symbols_come_in_the_order_of_path_time() -> None:
    """Path time begins at 0, never runs back, and each symbol steps about every 250 ms."""
    steps = list(islice(_market("BTCUSDT", "ETHUSDT", "DOGEUSDT").steps(), 12_000))
    assert [step.path_ms for step in steps[:3]] == [0, 0, 0]
    assert all(before.path_ms <= after.path_ms for before, after in pairwise(steps))
    assert 4_000 * 240 < steps[-1].path_ms < 4_000 * 260


def test_the_path_starts_at_its_start_price() -> None:
    """The first quote stands at the start price."""
    first = next(_market("BTCUSDT").steps())
    assert first.bids[0].price == STARTS["BTCUSDT"]


def test_the_book_holds_crumbs_and_walls() -> None:
    """An order of 2,000 USDT is filled in parts at times and at one stroke most times."""
    values = [step.asks[0].price * step.asks[0].quantity for step in _hours(1, 1)]
    crumbs = sum(value < 2_000 for value in values) / len(values)
    assert 0.03 < crumbs < 0.25
    assert max(values) > 1_000_000


def test_the_spread_is_mostly_one_tick_and_widens_at_times() -> None:
    """As documented: one tick more than nine tenths of the time, never over 0.2 % of the price."""
    spreads = [(step.asks[0].price - step.bids[0].price) for step in _hours(2, 2)]
    assert sum(spread == TICKS["BTCUSDT"] for spread in spreads) / len(spreads) > 0.95
    assert Decimal(2) < max(spreads) < Decimal(200)


def _minute_moves(seed: int, hours: int) -> list[float]:
    closes: dict[int, float] = {}
    for step in _hours(seed, hours):
        closes[step.path_ms // 60_000] = float(step.last)
    return [log(after / before) for before, after in pairwise(closes.values())]


def test_the_path_is_as_lively_as_documented() -> None:
    """Sigma of a minute near 0.115 %, tails fatter than the normal's, moves cluster (seeds 1 to 5, 2 h)."""
    moves = [move for seed in range(1, 6) for move in _minute_moves(seed, 2)]
    variance = fmean(move * move for move in moves)
    assert 0.0009 < sqrt(variance) < 0.0014
    assert fmean(move**4 for move in moves) / variance**2 > 4.0


def test_an_hour_holds_a_trade() -> None:
    """The first hours of seeds 1 to 8 range over 0.6 % each and over 1 % in the median."""
    ranges = []
    for seed in range(1, 9):
        lasts = [step.last for step in _hours(seed, 1)]
        ranges.append(max(lasts) / min(lasts) - 1)
    assert min(ranges) > Decimal("0.006")
    assert Decimal("0.01") < median(ranges) < Decimal("0.025")
