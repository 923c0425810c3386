"""Answers to reads become model values: exact, complete, or a wire error."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.binance import samples

from jumar.exchange.binance import translate, wire
from jumar.model.account import AccountSettings, Balance, MarginMode, SymbolSettings
from jumar.model.instrument import Instrument
from jumar.model.order import FINAL_STATUSES, Channel, OrderStatus, Side


def _read[T](sample: object, shape: type[T]) -> T:
    return wire.decode(json.dumps(sample), shape)


def _filters(name: str, **changes: Any) -> dict[str, Any]:
    rows = [
        row | changes if row["filterType"] == name else row
        for row in samples.SYMBOL_INFO["filters"]
    ]
    return samples.SYMBOL_INFO | {"filters": rows}


def _instrument(info: dict[str, Any]) -> Instrument:
    return translate.instrument(
        _read(info, wire.SymbolInfo),
        _read(samples.BRACKETS, wire.SymbolBrackets),
        _read(samples.COMMISSION, wire.CommissionRate),
    )


def test_an_answer_without_an_average_price_is_read() -> None:
    """Immediate answers have no average price; zero prices mean "does not apply"."""
    report = translate.regular_order(_read(samples.ORDER_ANSWER, wire.Order))
    assert report.channel is Channel.REGULAR
    assert (report.venue_id, report.client_id) == ("22542179", samples.ENTRY_ID)
    assert (report.price, report.trigger_price) == (Decimal("90786.6"), None)
    assert report.average_price is None
    assert (report.side, report.status) == (Side.BUY, OrderStatus.NEW)


def test_a_finished_order_is_read_with_its_average() -> None:
    """A read by id carries the average price and the executed quantity."""
    report = translate.regular_order(_read(samples.ORDER_READ, wire.Order))
    assert report.status is OrderStatus.FILLED
    assert (report.filled_quantity, report.average_price) == (Decimal("0.013"), Decimal("90786.6"))


def test_an_expiry_by_self_trade_prevention_is_an_expiry() -> None:
    """EXPIRED_IN_MATCH ends an order like EXPIRED."""
    row = _read(samples.ORDER_READ | {"status": "EXPIRED_IN_MATCH"}, wire.Order)
    assert translate.regular_order(row).status is OrderStatus.EXPIRED


def test_a_conditional_order_is_read_with_its_flags() -> None:
    """The echo of a conditional order carries every flag that is compared with the request."""
    report = translate.conditional_order(_read(samples.ALGO_PLACED, wire.AlgoOrder))
    assert report.channel is Channel.CONDITIONAL
    assert (report.trigger_price, report.price) == (Decimal("90380.000"), None)
    assert (report.working_type, report.price_protect) == ("MARK_PRICE", False)
    assert (report.reduce_only, report.close_position) == (True, False)
    assert (report.child_venue_id, report.filled_quantity) == (None, Decimal(0))


@pytest.mark.rule("X-6")
def test_the_quantity_of_a_cancelled_stop_is_not_a_fill() -> None:
    """The field actualQty repeats the order's quantity while it has no child: nothing was filled."""
    report = translate.conditional_order(_read(samples.ALGO_READ, wire.AlgoOrder))
    assert report.status is OrderStatus.CANCELED
    assert report.filled_quantity == 0


@pytest.mark.rule("X-6")
def test_a_finished_stop_names_its_child() -> None:
    """A finished conditional order tells its child's number, quantity and price."""
    sample = samples.ALGO_READ | {
        "algoStatus": "FINISHED",
        "actualOrderId": "88937381063",
        "actualPrice": "90379.1",
    }
    report = translate.conditional_order(_read(sample, wire.AlgoOrder))
    assert report.child_venue_id == "88937381063"
    assert (report.filled_quantity, report.average_price) == (Decimal("0.013"), Decimal("90379.1"))


@pytest.mark.parametrize("quantity", ["", None, "0.000"])
def test_a_close_position_order_has_no_quantity(quantity: str | None) -> None:
    """A closePosition order without a quantity is read however the venue leaves it out."""
    sample = samples.ALGO_PLACED | {
        "quantity": quantity,
        "closePosition": True,
        "reduceOnly": False,
    }
    report = translate.conditional_order(_read(sample, wire.AlgoOrder))
    assert not report.quantity
    assert report.close_position


@pytest.mark.rule("G-17")
def test_a_symbol_without_a_row_is_flat() -> None:
    """The list leaves out flat symbols; all managed ones come back, and others that hold something."""
    others = [{"symbol": "XRPUSDT"}, {"symbol": "BNBUSDT", "positionAmt": "0"}]
    rows = _read(
        [samples.POSITION, *(samples.POSITION | other for other in others)], list[wire.PositionRow]
    )
    found = translate.positions(rows, ["BTCUSDT", "ETHUSDT"])
    assert set(found) == {"BTCUSDT", "ETHUSDT", "XRPUSDT"}
    assert found["BTCUSDT"].quantity == Decimal("-0.013")
    assert found["BTCUSDT"].liquidation_price == Decimal("108000.5")
    assert found["ETHUSDT"].quantity == 0
    assert found["ETHUSDT"].liquidation_price is None


def test_a_hedge_mode_position_is_never_shown_as_flat() -> None:
    """Two sides of one symbol have no signed size: the read fails instead of guessing."""
    for word in ("LONG", "SHORT"):
        rows = _read([samples.POSITION | {"positionSide": word}], list[wire.PositionRow])
        with pytest.raises(wire.WireError, match="hedge"):
            translate.positions(rows, ["BTCUSDT"])
    empty = samples.POSITION | {"positionSide": "LONG", "positionAmt": "0"}
    found = translate.positions(_read([empty], list[wire.PositionRow]), ["BTCUSDT"])
    assert found["BTCUSDT"].quantity == 0


def test_account_values_are_read() -> None:
    """Balance of the quote asset, account modes and symbol settings come from their own answers."""
    account = _read(samples.ACCOUNT, wire.Account)
    assert translate.balance(account, "USDT") == Balance(
        wallet=Decimal("23.72"), equity=Decimal("22.72"), available=Decimal("20.5")
    )
    assert translate.balance(account, "FDUSD").wallet == 0
    assert translate.account_settings(
        _read(samples.ACCOUNT_CONFIG, wire.AccountConfig)
    ) == AccountSettings(hedge_mode=False, multi_assets=False, can_trade=True)
    rows = _read([samples.SYMBOL_CONFIG], list[wire.SymbolConfig])
    assert translate.symbol_settings(rows, "BTCUSDT") == SymbolSettings(
        leverage=21, margin_mode=MarginMode.ISOLATED
    )
    with pytest.raises(wire.WireError, match="no row for ETHUSDT"):
        translate.symbol_settings(rows, "ETHUSDT")
    with pytest.raises(wire.WireError, match="marginType"):
        translate.symbol_settings(
            _read([samples.SYMBOL_CONFIG | {"marginType": "NEW"}], list[wire.SymbolConfig]),
            "BTCUSDT",
        )


@pytest.mark.rule("X-6")
def test_an_execution_of_the_list_has_no_client_id() -> None:
    """A trade of the list is linked by the venue's order number only."""
    fill = translate.fill(_read(samples.USER_TRADE, wire.UserTrade))
    assert (fill.trade_id, fill.venue_order_id, fill.client_id) == (698759, "25851813", None)
    assert (fill.side, fill.quantity, fill.fee) == (
        Side.SELL,
        Decimal("0.002"),
        Decimal("0.07819010"),
    )


@pytest.mark.rule("W-3")
def test_filters_are_taken_by_name() -> None:
    """Grids, bounds and multipliers come from their filters; brackets are sorted."""
    found = _instrument(samples.SYMBOL_INFO)
    assert (found.tick_size, found.step_size) == (Decimal("0.10"), Decimal("0.001"))
    assert (found.min_price, found.max_price) == (Decimal("556.80"), Decimal(4529764))
    assert (found.max_quantity, found.market_max_quantity) == (Decimal(1000), Decimal(120))
    assert found.min_notional == Decimal(50)
    assert [row.bracket for row in found.brackets] == [1, 2]
    assert found.brackets[0].maintenance_margin_rate == Decimal("0.0065")
    assert (found.maker_fee, found.taker_fee) == (Decimal("0.0002"), Decimal("0.0004"))


@pytest.mark.rule("G-15", "M-2")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"deliveryDate": 4133404800000}, 4133404800000),
        ({"deliveryDate": 0}, None),
        ({}, None),
    ],
)
def test_the_end_of_a_contract_is_read(changes: dict[str, Any], expected: int | None) -> None:
    """Milliseconds; zero, or no word of it, is unknown."""
    assert _instrument({**samples.SYMBOL_INFO, **changes}).delivery_ms == expected


@pytest.mark.rule("W-3")
def test_a_zero_bound_is_disabled_and_the_coarser_step_counts() -> None:
    """A bound of zero is no bound; a market step coarser than the limit step is obeyed by both."""
    assert _instrument(_filters("PRICE_FILTER", minPrice="0")).min_price is None
    assert _instrument(_filters("MARKET_LOT_SIZE", stepSize="0.01")).step_size == Decimal("0.01")
    assert _instrument(_filters("MARKET_LOT_SIZE", stepSize="0")).step_size == Decimal("0.001")


@pytest.mark.rule("W-3")
@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("PRICE_FILTER", {"filterType": "OTHER"}, "no filter PRICE_FILTER"),
        ("PRICE_FILTER", {"tickSize": "0"}, "tickSize"),
        ("PRICE_FILTER", {"tickSize": None}, "does not state PRICE_FILTER.tickSize"),
        ("LOT_SIZE", {"stepSize": "0"}, "stepSize"),
        ("LOT_SIZE", {"maxQty": "many"}, "LOT_SIZE.maxQty"),
        ("MIN_NOTIONAL", {"notional": "NaN"}, "MIN_NOTIONAL.notional"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(
    name: str, changes: dict[str, Any], told: str
) -> None:
    """A missing filter, a missing field or a grid of zero is an error that names it."""
    with pytest.raises(wire.WireError, match=told):
        _instrument(_filters(name, **changes))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "1e99999", "0e999999", "", "1e"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    """Not-a-number, infinity, absurd exponents and negative quantities never enter the model."""
    with pytest.raises(wire.WireError):
        translate.regular_order(_read(samples.ORDER_READ | {"origQty": value}, wire.Order))


@pytest.mark.parametrize("executed", ["0", "0.005"])
@pytest.mark.parametrize(
    ("word", "ended"),
    [
        ("NEW_INSURANCE", False),
        ("NEW_ADL", False),
        ("REJECTED", True),
        ("EXPIRED_IN_MATCH", True),
        ("SUSPENDED", False),
        ("", False),
    ],
)
def test_rare_and_unknown_words_of_regular_orders(word: str, executed: str, *, ended: bool) -> None:
    """The venue's own orders are alive, refused and self-matched ones ended, and a new word is never an end."""
    row = _read(samples.ORDER_READ | {"status": word, "executedQty": executed}, wire.Order)
    report = translate.regular_order(row)
    alive = {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}
    assert report.status in (FINAL_STATUSES if ended else alive)
    assert report.filled_quantity == Decimal(executed)


def test_an_unknown_word_of_a_conditional_order_is_refused() -> None:
    """What protects a position is never guessed."""
    with pytest.raises(wire.WireError, match="SUSPENDED"):
        translate.conditional_order(
            _read(samples.ALGO_READ | {"algoStatus": "SUSPENDED"}, wire.AlgoOrder)
        )


@pytest.mark.rule("D-1")
def test_bare_numbers_stay_exact() -> None:
    """A bare JSON number becomes the decimal of its text, never of a binary float."""
    rows = wire.decode(b'[{"symbol":"S","brackets":[]}]', list[wire.SymbolBrackets])
    assert rows[0].brackets == []
    text = json.dumps(samples.BRACKETS).replace("0.0065", "0.1234567890123456789")
    found = wire.decode(text, wire.SymbolBrackets)
    assert found.brackets[1].maint_margin_ratio == Decimal("0.1234567890123456789")


@pytest.mark.rule("W-3")
@pytest.mark.parametrize(
    ("name", "tick"),
    [
        ("fapi_exchangeInfo_20251126_testnet_full.json.gz", Decimal("0.10")),
        ("fapi_exchangeInfo_20210721_mainnet_full.json.gz", Decimal("0.01")),
    ],
)
def test_a_recorded_exchange_info_is_read_whole(
    recorded_payloads: Path, name: str, tick: Decimal
) -> None:
    """Every symbol of a recorded answer becomes an instrument; the tick is not pricePrecision.

    Left out is OPENUSDT, which was not trading and had no tick at all.
    """
    payload = gzip.decompress((recorded_payloads / "exchange_info" / name).read_bytes())
    info = wire.decode(payload, wire.ExchangeInfo)
    fees = _read(samples.COMMISSION, wire.CommissionRate)
    brackets = _read(samples.BRACKETS, wire.SymbolBrackets)
    found = {
        row.symbol: translate.instrument(row, brackets, fees)
        for row in info.symbols
        if row.symbol != "OPENUSDT"
    }
    assert len(found) > 100
    assert found["BTCUSDT"].tick_size == tick


def test_recorded_leverage_brackets_are_read(recorded_payloads: Path) -> None:
    """Recorded rows, whose numbers a library turned into text, are read as well."""
    path = recorded_payloads / "binance_leverage_tiers_20241024.json.gz"
    tiers = json.loads(gzip.decompress(path.read_bytes()))
    rows = [row["info"] for row in tiers["BTC/USDT:USDT"]]
    found = _read({"symbol": "BTCUSDT", "brackets": rows}, wire.SymbolBrackets).brackets
    assert found[0].initial_leverage == 125
    assert found[0].notional_floor == 0
