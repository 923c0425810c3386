"""What is sent: every flag stated, numbers as plain text, contradictions refused."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.binance.samples import BACKSTOP_REQUEST, ENTRY_REQUEST, STOP_REQUEST

from jumar.exchange.binance import params
from jumar.model.account import MarginMode
from jumar.model.order import (
    Channel,
    OrderRequest,
    OrderType,
    Role,
    TimeInForce,
)

# Numbers that would not be sent as they are written here.
STOP = replace(STOP_REQUEST, quantity=Decimal("0.0130"), trigger_price=Decimal("90380.0"))
BACKSTOP = replace(BACKSTOP_REQUEST, trigger_price=STOP.trigger_price)
ENTRY = replace(ENTRY_REQUEST, price=Decimal("9.0786E+4"))
EXIT = replace(
    ENTRY,
    role=Role.FULL_EXIT,
    type=OrderType.MARKET,
    price=None,
    time_in_force=None,
    reduce_only=True,
)


@pytest.mark.rule("S-11")
def test_a_stop_states_every_flag() -> None:
    """A quantity stop goes to the conditional endpoint with all its flags written out."""
    call = params.placement(STOP)
    assert (call.socket_method, call.path) == ("algoOrder.place", "/fapi/v1/algoOrder")
    assert call.params == {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "positionSide": "BOTH",
        "type": "STOP_MARKET",
        "triggerPrice": "90380",
        "workingType": "MARK_PRICE",
        "priceProtect": "false",
        "timeInForce": "GTC",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "clientAlgoId": "jm-abcdefghij-S1",
        "newOrderRespType": "RESULT",
        "quantity": "0.013",
        "reduceOnly": "true",
    }


@pytest.mark.rule("S-11")
def test_a_backstop_closes_the_position_and_nothing_beside() -> None:
    """A closePosition order carries neither quantity nor reduceOnly, which the venue refuses beside it."""
    sent = params.placement(BACKSTOP).params
    assert sent["closePosition"] == "true"
    assert not {"quantity", "reduceOnly"} & set(sent)


@pytest.mark.rule("D-1")
def test_an_entry_is_a_limit_order_with_plain_numbers() -> None:
    """A limit order carries price and time in force; no number is written with an exponent."""
    call = params.placement(ENTRY)
    assert (call.socket_method, call.path) == ("order.place", "/fapi/v1/order")
    assert call.params["price"] == "90786"
    assert call.params["timeInForce"] == "GTX"
    assert call.params["reduceOnly"] == "false"
    assert call.params["newClientOrderId"] == "jm-abcdefghij-E1"


@pytest.mark.rule("S-11")
def test_an_exit_is_a_market_order_that_only_reduces_and_waits_for_its_result() -> None:
    """A market order asks for its result and states reduceOnly."""
    sent = params.placement(EXIT).params
    assert sent["newOrderRespType"] == "RESULT"
    assert sent["reduceOnly"] == "true"
    assert "price" not in sent
    assert "timeInForce" not in sent


@pytest.mark.parametrize(
    "request_",
    [
        replace(STOP, trigger_price=None),
        replace(STOP, working_type=None),
        replace(STOP, quantity=None),
        replace(STOP, close_position=True),
        replace(BACKSTOP, reduce_only=True),
        replace(STOP, price=Decimal(1)),
        replace(STOP, time_in_force=TimeInForce.IOC),
        replace(ENTRY, price=None),
        replace(ENTRY, time_in_force=None),
        replace(ENTRY, quantity=None),
        replace(EXIT, price=Decimal(1)),
        replace(EXIT, close_position=True),
    ],
)
@pytest.mark.rule("S-11")
def test_a_request_that_contradicts_itself_is_never_sent(request_: OrderRequest) -> None:
    """Flags that exclude each other raise before anything leaves."""
    with pytest.raises(ValueError, match=":"):
        params.placement(request_)


def test_cancels_go_to_the_list_the_order_rests_in() -> None:
    """A conditional order is cancelled at its own endpoint, a child by its number."""
    regular = params.cancellation("BTCUSDT", Channel.REGULAR, "jm-abcdefghij-E1")
    conditional = params.cancellation("BTCUSDT", Channel.CONDITIONAL, "jm-abcdefghij-S1")
    child = params.cancellation_by_venue_id("BTCUSDT", "88937381063")
    assert regular.params == {"symbol": "BTCUSDT", "origClientOrderId": "jm-abcdefghij-E1"}
    assert (conditional.path, conditional.params) == (
        "/fapi/v1/algoOrder",
        {"clientAlgoId": "jm-abcdefghij-S1"},
    )
    assert child.params == {"symbol": "BTCUSDT", "orderId": 88937381063}


@pytest.mark.parametrize("venue_id", ["", "-1", "1.5", "abc", "\u0661"])
def test_a_venue_id_that_is_no_number_is_never_sent(venue_id: str) -> None:
    """An order number that the venue cannot have made raises before anything leaves."""
    with pytest.raises(ValueError, match="venue_id"):
        params.cancellation_by_venue_id("BTCUSDT", venue_id)


def test_settings_go_over_rest_only() -> None:
    """Leverage is an integer and the margin mode a word; the WebSocket API has neither."""
    leverage = params.leverage("BTCUSDT", 5)
    mode = params.margin_mode("BTCUSDT", MarginMode.ISOLATED)
    assert (leverage.socket_method, leverage.params["leverage"]) == (None, 5)
    assert (mode.socket_method, mode.params["marginType"]) == (None, "ISOLATED")
