"""The manual market: what is given changes, what is not stays, what makes no market is refused."""

from decimal import Decimal

import pytest

from jumar.exchange.simulated.market import ManualMarket

SYMBOL = "BTCUSDT"


@pytest.fixture
def market() -> ManualMarket:
    """BTCUSDT at 90,000 on a tick of 0.10."""
    return ManualMarket(
        [SYMBOL], start_prices={SYMBOL: Decimal(90000)}, tick_sizes={SYMBOL: Decimal("0.10")}
    )


def test_it_begins_one_tick_around_the_start_price(market: ManualMarket) -> None:
    """The first step of each symbol stands at its start price, then the source is silent."""
    (step,) = market.steps()
    assert (step.bids[0].price, step.last, step.asks[0].price) == (
        Decimal("89999.9"),
        Decimal(90000),
        Decimal("90000.1"),
    )
    assert (step.symbol, step.mark, step.path_ms, step.prints) == (SYMBOL, Decimal(90000), 0, ())


def test_the_symbols_keep_their_order() -> None:
    """Symbols and first steps come in the order they were named."""
    names = ["ETHUSDT", "BTCUSDT", "AVAXUSDT"]
    market = ManualMarket(
        names,
        start_prices=dict.fromkeys(names, Decimal(100)),
        tick_sizes=dict.fromkeys(names, Decimal("0.01")),
    )
    assert market.symbols == tuple(names)
    assert [step.symbol for step in market.steps()] == names


def test_a_last_price_alone_takes_the_quote_with_it(market: ManualMarket) -> None:
    """Only last given: bid and ask one tick around it, the mark as it was."""
    step = market.set_price(SYMBOL, last=Decimal("90786.6"))
    assert (step.bids[0].price, step.asks[0].price) == (Decimal("90786.5"), Decimal("90786.7"))
    assert (step.last, step.mark) == (Decimal("90786.6"), Decimal(90000))


def test_a_mark_price_alone_moves_nothing_else(market: ManualMarket) -> None:
    """A mark may dip through a stop while quote and last stand still, off the tick too."""
    before = market.set_price(SYMBOL, last=Decimal(90500), bid=Decimal(90490), ask=Decimal(90510))
    step = market.set_price(SYMBOL, mark=Decimal("90379.98765432"))
    assert step.mark == Decimal("90379.98765432")
    assert (step.bids, step.asks, step.last) == (before.bids, before.asks, before.last)


def test_a_given_quote_stands_beside_a_given_last(market: ManualMarket) -> None:
    """One side given leaves the other where it was; last does not rebuild a quote that was given."""
    step = market.set_price(SYMBOL, last=Decimal(89000), bid=Decimal(89500))
    assert (step.bids[0].price, step.asks[0].price) == (Decimal(89500), Decimal("90000.1"))
    assert step.last == Decimal(89000)


def test_quantities_are_deep_unless_given(market: ManualMarket) -> None:
    """The size at the touch decides nothing by default and can be made a crumb."""
    step = market.set_price(SYMBOL, ask=Decimal(90001), ask_quantity=Decimal("0.004"))
    assert step.asks[0].quantity == Decimal("0.004")
    assert step.bids[0].quantity == Decimal(1_000_000)


def test_a_change_is_kept(market: ManualMarket) -> None:
    """`steps()` tells the present state to whoever begins to listen later."""
    step = market.set_price(SYMBOL, last=Decimal(91000), mark=Decimal(91001))
    assert list(market.steps()) == [step]


@pytest.mark.parametrize("field", ["last", "mark", "bid", "ask", "bid_quantity", "ask_quantity"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_number_that_is_no_price_is_refused(market: ManualMarket, field: str, value: str) -> None:
    """Not finite or not above zero: the message names the field and nothing changes."""
    before = list(market.steps())
    with pytest.raises(ValueError, match=rf"^{field} \S+ is not a finite number above zero"):
        market.set_price(SYMBOL, **{field: Decimal(value)})
    assert list(market.steps()) == before


@pytest.mark.parametrize("field", ["last", "bid", "ask"])
def test_a_price_off_the_tick_is_refused(market: ManualMarket, field: str) -> None:
    """The message names the field and the two prices that would pass."""
    expected = f"{field} 90000.25 is not on the tick 0.10; use 90000.20 or 90000.30"
    with pytest.raises(ValueError, match=expected):
        market.set_price(SYMBOL, **{field: Decimal("90000.25")})


@pytest.mark.parametrize("quote", [{"bid": "90001"}, {"ask": "89000"}, {"bid": "5", "ask": "5"}])
def test_a_crossed_book_is_refused(market: ManualMarket, quote: dict[str, str]) -> None:
    """A bid at or above the ask, given or kept, is no market; nothing changes."""
    before = list(market.steps())
    with pytest.raises(ValueError, match=r"bid \S+ is not below ask"):
        market.set_price(SYMBOL, **{field: Decimal(text) for field, text in quote.items()})
    assert list(market.steps()) == before


def test_nothing_given_is_refused(market: ManualMarket) -> None:
    """A change without a value is a mistake of the caller, said so."""
    with pytest.raises(ValueError, match="nothing to set"):
        market.set_price(SYMBOL)


def test_an_unknown_symbol_is_refused(market: ManualMarket) -> None:
    """The message names the symbol and the known ones."""
    with pytest.raises(ValueError, match="ETHUSDT is not in this market; known: BTCUSDT"):
        market.set_price("ETHUSDT", last=Decimal(1))


def test_a_last_price_of_one_tick_leaves_no_room(market: ManualMarket) -> None:
    """There is no bid below the first tick."""
    with pytest.raises(ValueError, match=r"last 0\.10 leaves no room for a bid"):
        market.set_price(SYMBOL, last=Decimal("0.10"))
