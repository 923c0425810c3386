"""Stream frames become events, in order and with the transaction's time."""

import copy
import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.binance import samples
from tests.unit.binance.samples import Json

from jumar.exchange.binance import events, frames, wire
from jumar.model.order import FINAL_STATUSES, Channel, OrderStatus, Side
from jumar.ports.exchange import (
    BalanceEvent,
    LastPriceEvent,
    MarkEvent,
    OrderEvent,
    PositionEvent,
    QuoteEvent,
    SettingsEvent,
    VenueEvent,
)


def _events(frame: Json | str) -> tuple[VenueEvent, ...]:
    message = frames.decode_frame(frame if isinstance(frame, str) else json.dumps(frame))
    assert message is not None
    return events.events_of(message, "USDT")


def _order(frame: Json | str) -> OrderEvent:
    (event,) = _events(frame)
    assert isinstance(event, OrderEvent)
    return event


def _changed(sample: Json, **changes: object) -> Json:
    frame = copy.deepcopy(sample)
    frame["o"] |= changes
    return frame


@pytest.mark.rule("X-6")
def test_an_execution_is_a_report_and_a_fill() -> None:
    """A TRADE event carries the order's state and the fill with its trade id."""
    event = _order(samples.ORDER_TRADE_UPDATE)
    assert event.at_ms == 1568879465650
    assert event.report.status is OrderStatus.PARTIALLY_FILLED
    assert event.report.filled_quantity == Decimal("0.003")
    assert event.fill is not None
    assert (event.fill.trade_id, event.fill.side) == (647533313, Side.SELL)
    assert (event.fill.quantity, event.fill.price) == (Decimal("0.003"), Decimal("90379.1"))
    assert (event.fill.fee, event.fill.realized_pnl) == (Decimal("0.10845492"), Decimal("-1.2225"))


def test_the_child_of_a_stop_is_a_regular_order_of_its_own() -> None:
    """The order that a triggered stop became keeps its own number and, mostly, the stop's client id."""
    report = _order(samples.ORDER_TRADE_UPDATE).report
    assert report.channel is Channel.REGULAR
    assert (report.venue_id, report.client_id) == ("8886774", samples.STOP_ID)


@pytest.mark.rule("X-6")
@pytest.mark.parametrize(
    "changes", [{"x": "NEW"}, {"t": 0}, {"l": "0"}, {"x": "EXPIRED", "X": "EXPIRED"}]
)
def test_other_changes_are_no_fill(changes: Json) -> None:
    """Without an execution, a trade id or a quantity there is no fill."""
    assert _order(_changed(samples.ORDER_TRADE_UPDATE, **changes)).fill is None


@pytest.mark.rule("X-6")
def test_a_liquidation_is_a_fill() -> None:
    """The venue's own liquidation execution is counted like every other."""
    assert _order(_changed(samples.ORDER_TRADE_UPDATE, x="CALCULATED", X="NEW_INSURANCE")).fill


@pytest.mark.rule("X-6")
@pytest.mark.parametrize("word", ["SUSPENDED", "NEW_ADL", "NEW_INSURANCE"])
def test_a_new_status_word_hides_no_fill(word: str) -> None:
    """An execution whose order has a word nobody knows is counted, and the order is still alive."""
    event = _order(_changed(samples.ORDER_TRADE_UPDATE, X=word))
    assert event.fill is not None
    assert event.report.status not in FINAL_STATUSES


def test_a_missing_commission_is_none_paid() -> None:
    """Commission fields are left out when there is none."""
    frame = copy.deepcopy(samples.ORDER_TRADE_UPDATE)
    del frame["o"]["n"], frame["o"]["N"]
    fill = _order(frame).fill
    assert fill is not None
    assert (fill.fee, fill.fee_asset) == (Decimal(0), "")


def test_an_execution_without_its_own_time_has_the_transactions() -> None:
    """A recorded event lacks the inner time; the fill still counts."""
    frame = copy.deepcopy(samples.ORDER_TRADE_UPDATE)
    del frame["o"]["T"]
    fill = _order(frame).fill
    assert fill is not None
    assert fill.time_ms == 1568879465650


def test_the_reason_of_an_expiry_is_kept() -> None:
    """A reduce-only order that the venue knocked out says so."""
    report = _order(_changed(samples.ORDER_TRADE_UPDATE, x="EXPIRED", X="EXPIRED", er="4")).report
    assert report.reject_reason == "expiry reason 4"
    assert _order(samples.ORDER_TRADE_UPDATE).report.reject_reason is None


def test_a_triggered_stop_names_its_child() -> None:
    """A conditional order's event is of the conditional list and links its child by number."""
    event = _order(samples.ALGO_UPDATE)
    assert event.report.channel is Channel.CONDITIONAL
    assert event.report.status is OrderStatus.TRIGGERED
    assert event.report.venue_id == "1000000033225453"
    assert event.report.child_venue_id == "88937381063"
    assert event.report.trigger_price == Decimal(90380)
    assert (event.at_ms, event.fill) == (1765431097030, None)


def test_a_triggering_stop_has_no_child_yet() -> None:
    """The child's number is empty while the order is on its way to the engine."""
    report = _order(_changed(samples.ALGO_UPDATE, X="TRIGGERING", ai="")).report
    assert (report.status, report.child_venue_id) == (OrderStatus.TRIGGERING, None)


def test_a_rejected_trigger_tells_why() -> None:
    """The reason of a refusal at the trigger is kept."""
    report = _order(
        _changed(samples.ALGO_UPDATE, X="REJECTED", ai="", rm="Reduce Only reject")
    ).report
    assert (report.status, report.reject_reason) == (OrderStatus.REJECTED, "Reduce Only reject")


def test_other_algo_kinds_are_left_alone() -> None:
    """Only conditional orders are of interest."""
    assert _events(_changed(samples.ALGO_UPDATE, at="VP")) == ()


def test_an_account_update_gives_positions_and_the_quote_asset() -> None:
    """Positions come first, then the wallet of the quote asset; other assets are left out."""
    position, balance = _events(samples.ACCOUNT_UPDATE)
    assert isinstance(position, PositionEvent)
    assert (position.report.quantity, position.at_ms) == (Decimal("-0.013"), 1564745798938)
    assert balance == BalanceEvent(wallet=Decimal("122624.12345678"), at_ms=1564745798938)


def test_a_hedge_mode_event_is_refused() -> None:
    """A one-sided size is never taken for the whole position."""
    frame = copy.deepcopy(samples.ACCOUNT_UPDATE)
    frame["a"]["P"][0]["ps"] = "SHORT"
    with pytest.raises(wire.WireError, match="hedge"):
        _events(frame)


def test_settings_and_prices_are_events() -> None:
    """Leverage, best prices, mark price and last price, each at its own time."""
    assert _events(samples.LEVERAGE_UPDATE) == (
        SettingsEvent(symbol="BTCUSDT", leverage=25, at_ms=1611646737476),
    )
    (quote,) = _events(samples.BOOK_EVENT)
    assert isinstance(quote, QuoteEvent)
    assert (quote.quote.bid, quote.quote.ask_quantity) == (Decimal("25.3519"), Decimal("40.66"))
    assert _events(samples.MARK_EVENT) == (
        MarkEvent(
            symbol="BTCUSDT",
            mark=Decimal("11794.15"),
            at_ms=1562305380000,
            next_funding_ms=1562306400000,
        ),
    )
    (undated,) = _events({"data": {**samples.MARK_EVENT["data"], "T": 0}})
    assert isinstance(undated, MarkEvent)
    assert undated.next_funding_ms is None
    assert _events(samples.TRADE_EVENT) == (
        LastPriceEvent(symbol="BTCUSDT", price=Decimal("0.001"), at_ms=123456785),
    )


def test_account_wide_settings_are_left_to_the_slow_path() -> None:
    """A change of multi-assets mode is no event."""
    assert _events({"e": "ACCOUNT_CONFIG_UPDATE", "E": 1, "T": 1, "ai": {"j": True}}) == ()


def test_an_expired_key_is_a_message_without_events() -> None:
    """The expiry of the listen key is recognised, also with a time in text."""
    message = frames.decode_frame(json.dumps(samples.KEY_EXPIRED))
    assert isinstance(message, frames.ListenKeyExpired)
    assert events.events_of(message, "USDT") == ()


@pytest.mark.parametrize(
    "frame", ['{"e":"TRADE_LITE","s":"BTCUSDT"}', '{"result":null,"id":1}', "{}", '{"data":null}']
)
def test_events_of_no_use_are_passed_over(frame: str) -> None:
    """What is not known is nothing, not an error."""
    assert frames.decode_frame(frame) is None


@pytest.mark.parametrize(
    ("sample", "changes"),
    [
        (samples.ORDER_TRADE_UPDATE, {"S": "HOLD"}),
        (samples.ORDER_TRADE_UPDATE, {"z": "NaN"}),
        (samples.ORDER_TRADE_UPDATE, {"L": "0"}),
        (samples.ORDER_TRADE_UPDATE, {"n": "much"}),
        (samples.ALGO_UPDATE, {"X": "SLEEPING"}),
        (samples.ALGO_UPDATE, {"tp": "high"}),
        (samples.ALGO_UPDATE, {"aid": -1}),
    ],
)
def test_a_word_nobody_knows_is_a_wire_error(sample: Json, changes: Json) -> None:
    """Unknown words and broken numbers are refused, never guessed."""
    with pytest.raises(wire.WireError):
        _events(_changed(sample, **changes))


@pytest.mark.rule("X-6")
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_recorded_user_streams_add_up(recorded_payloads: Path, number: int) -> None:
    """In recorded streams the fills of every order sum to the filled quantity it reports."""
    (path,) = (recorded_payloads / "user_stream").glob(f"seq-{number}-*")
    reported: dict[str, Decimal] = {}
    counted: dict[str, Decimal] = {}
    for line in path.read_text().splitlines():
        for event in _events(line):
            if isinstance(event, OrderEvent):
                reported[event.report.venue_id] = event.report.filled_quantity
                filled = event.fill.quantity if event.fill else Decimal(0)
                counted[event.report.venue_id] = (
                    counted.get(event.report.venue_id, Decimal(0)) + filled
                )
    assert reported
    assert counted == reported


def test_a_recorded_trigger_is_read(recorded_payloads: Path) -> None:
    """One recorded stop: its child appears with TRIGGERED, its filled quantity with FINISHED."""
    folder = recorded_payloads / "algo_update"
    names = ("triggering", "triggered", "finished")
    reports = [
        _order((folder / f"ws_futures_algo_update_{name}.json").read_text()).report
        for name in names
    ]
    assert [report.child_venue_id for report in reports] == [None, "88937381063", "88937381063"]
    assert [report.filled_quantity for report in reports] == [0, 0, 38]
    assert reports[-1].status is OrderStatus.FINISHED
