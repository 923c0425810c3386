"""Every request the official SDK knows: answered and readable by its models, or left out for a reason that is written.

The SDK is generated from the exchange's specification, so its list of requests is the exchange's. The venue fixture
holds each answer against the SDK's model.
"""

import json

import pytest
from pydantic import BaseModel
from tests.peers import oracle
from tests.peers.row import Foreign
from tests.peers.row_sdk import SdkRest, SdkStreams, SdkWsApi
from tests.peers.venue import SYMBOL, Venue

type Arguments = dict[str, Foreign]

BTC: Arguments = {"symbol": SYMBOL}
MINE: Arguments = {**BTC, "orig_client_order_id": "hand-90000"}
STOP: Arguments = {"client_algo_id": "hand-89000-S"}
TERMS: Arguments = {**BTC, "side": "BUY", "type": "LIMIT", "quantity": 0.013, "price": 89500}
RESTING: Arguments = {**TERMS, "time_in_force": "GTC"}
IN_BATCH: Arguments = {**TERMS, "quantity": "0.013", "price": "89500", "timeInForce": "GTC"}
CHANGED = {"symbol": SYMBOL, "side": "BUY", "quantity": "0.014", "price": "90010"}

EXIT: Arguments = {
    **BTC,
    "algo_type": "CONDITIONAL",
    "side": "SELL",
    "quantity": 0.013,
    "reduce_only": "true",
}

#: Method of the SDK, and what it is called with. The account holds a position, a resting order and a waiting stop.
CALLS: list[tuple[str, Arguments]] = [
    ("test_connectivity", {}),
    ("check_server_time", {}),
    ("exchange_information", {}),
    ("order_book", BTC),
    ("kline_candlestick_data", {**BTC, "interval": "5m", "limit": 10}),
    (
        "continuous_contract_kline_candlestick_data",
        {"pair": SYMBOL, "contract_type": "PERPETUAL", "interval": "5m"},
    ),
    ("get_funding_rate_history", BTC),
    ("get_funding_rate_info", {}),
    ("compressed_aggregate_trades_list", BTC),
    ("recent_trades_list", BTC),
    ("mark_price", BTC),
    ("mark_price", {}),
    ("ticker24hr_price_change_statistics", BTC),
    ("ticker24hr_price_change_statistics", {}),
    ("symbol_price_ticker", BTC),
    ("symbol_price_ticker", {}),
    ("symbol_price_ticker_v2", BTC),
    ("symbol_order_book_ticker", BTC),
    ("symbol_order_book_ticker", {}),
    ("adl_risk", BTC),
    ("new_order", RESTING),
    ("test_order", RESTING),
    ("query_order", MINE),
    ("query_current_open_order", MINE),
    ("current_all_open_orders", BTC),
    ("current_all_open_orders", {}),
    ("all_orders", BTC),
    ("modify_order", {**CHANGED, "orig_client_order_id": "hand-90000"}),
    ("get_order_modify_history", BTC),
    ("cancel_order", MINE),
    ("cancel_all_open_orders", BTC),
    ("auto_cancel_all_open_orders", {**BTC, "countdown_time": 120000}),
    ("place_multiple_orders", {"batch_orders": [IN_BATCH]}),
    ("modify_multiple_orders", {"batch_orders": [{**CHANGED, "origClientOrderId": "hand-90000"}]}),
    ("cancel_multiple_orders", {**BTC, "orig_client_order_id_list": ["hand-90000"]}),
    ("account_trade_list", BTC),
    (
        "new_algo_order",
        {
            **BTC,
            "algo_type": "CONDITIONAL",
            "side": "SELL",
            "type": "STOP_MARKET",
            "trigger_price": 88000,
            "close_position": "true",
            "working_type": "MARK_PRICE",
        },
    ),
    ("new_algo_order", {**EXIT, "type": "STOP", "trigger_price": 88000, "price": 87990}),
    ("new_algo_order", {**EXIT, "type": "TAKE_PROFIT", "trigger_price": 93000, "price": 92990}),
    (
        "new_algo_order",
        {**EXIT, "type": "TRAILING_STOP_MARKET", "activate_price": 92000, "callback_rate": 1},
    ),
    ("query_algo_order", STOP),
    ("current_all_algo_open_orders", BTC),
    ("current_all_algo_open_orders", {}),
    ("query_all_algo_orders", BTC),
    ("cancel_algo_order", STOP),
    ("cancel_all_algo_open_orders", BTC),
    ("account_information_v2", {}),
    ("account_information_v3", {}),
    ("futures_account_balance_v2", {}),
    ("futures_account_balance_v3", {}),
    ("position_information_v2", BTC),
    ("position_information_v3", {}),
    ("futures_account_configuration", {}),
    ("symbol_configuration", BTC),
    ("user_commission_rate", BTC),
    ("query_user_rate_limit", {}),
    ("notional_and_leverage_brackets", BTC),
    ("notional_and_leverage_brackets", {}),
    ("get_income_history", {}),
    ("users_force_orders", BTC),
    ("position_adl_quantile_estimation", {}),
    ("get_current_position_mode", {}),
    ("get_current_multi_assets_mode", {}),
    ("change_initial_leverage", {**BTC, "leverage": 5}),
    ("change_margin_type", {"symbol": "ETHUSDT", "margin_type": "ISOLATED"}),
    ("get_bnb_burn_status", {}),
    ("futures_trading_quantitative_rules_indicators", {}),
    ("start_user_data_stream", {}),
    ("keepalive_user_data_stream", {}),
    ("close_user_data_stream", {}),
]
#: What is refused while there is a position, on an account without one.
EMPTY_HANDED: list[tuple[str, Arguments]] = [
    ("change_position_mode", {"dual_side_position": "true"}),
    ("change_multi_assets_mode", {"multi_assets_margin": "true"}),
    ("toggle_bnb_burn_on_futures_trade", {"fee_burn": "true"}),
]
#: What needs an isolated position.
ISOLATED: list[tuple[str, Arguments]] = [
    ("modify_isolated_position_margin", {**BTC, "amount": 10, "type": "1"}),
    ("get_position_margin_change_history", BTC),
]
_STATISTICS = "statistics about other traders: there are none"
_DOWNLOADS = "files to download: the whole history can be asked for"
_OTHER_PRODUCTS = "another product"
#: Requests the simulated exchange does not have.
NOT_SERVED = {
    **dict.fromkeys(
        (
            "basis",
            "long_short_ratio",
            "open_interest",
            "open_interest_statistics",
            "query_insurance_fund_balance_snapshot",
            "taker_buy_sell_volume",
            "top_trader_long_short_ratio_accounts",
            "top_trader_long_short_ratio_positions",
        ),
        _STATISTICS,
    ),
    **dict.fromkeys(
        (
            f"get_{what}"
            for what in (
                "download_id_for_futures_order_history",
                "download_id_for_futures_trade_history",
                "download_id_for_futures_transaction_history",
                "futures_order_history_download_link_by_id",
                "futures_trade_download_link_by_id",
                "futures_transaction_history_download_link_by_id",
            )
        ),
        _DOWNLOADS,
    ),
    **dict.fromkeys(
        (
            "asset_index",
            "composite_index_symbol_information",
            "futures_tradfi_perps_contract",
            "quarterly_contract_settlement_price",
            "query_index_price_constituents",
            "trading_schedule",
        ),
        _OTHER_PRODUCTS,
    ),
    **dict.fromkeys(
        (
            "index_price_kline_candlestick_data",
            "mark_price_kline_candlestick_data",
            "premium_index_kline_data",
            "old_trades_lookup",
            "rpi_order_book",
        ),
        "no client of the table asks for it",
    ),
}


def named(call: tuple[str, Arguments]) -> str:
    """The name of a call."""
    name, arguments = call
    return name if arguments else f"{name} (all)"


async def prepared(venue: Venue) -> None:
    """A position, a resting order, a waiting stop, a listen key."""
    await venue.bought()
    await venue.rested()
    await venue.armed("89000")
    await venue.wire.listen_key()


@pytest.mark.parametrize("call", CALLS, ids=named)
async def test_the_sdk_reads_the_answer(call: tuple[str, Arguments], venue: Venue) -> None:
    """The request succeeds, and its answer is the SDK's model."""
    await prepared(venue)
    async with SdkRest.connected(venue) as client:
        answer = await client.ask(call[0], **call[1])
    assert answer is not None


@pytest.mark.parametrize("call", EMPTY_HANDED, ids=named)
async def test_the_sdk_changes_the_account(call: tuple[str, Arguments], venue: Venue) -> None:
    """What only an account without a position may change, changes."""
    async with SdkRest.connected(venue) as client:
        answer = await client.ask(call[0], **call[1])
    assert answer.code == 200


@pytest.mark.parametrize("call", ISOLATED, ids=named)
async def test_the_sdk_moves_margin(call: tuple[str, Arguments], venue: Venue) -> None:
    """The margin of an isolated position, and what was moved before."""
    await venue.wire.ok("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
    await venue.bought()
    await venue.wire.ok("POST", "positionMargin", symbol=SYMBOL, amount="5", type="1")
    async with SdkRest.connected(venue) as client:
        answer = await client.ask(call[0], **call[1])
    assert answer


def test_every_request_of_the_sdk_is_tried_or_left_out_for_a_reason() -> None:
    """Nothing the SDK can ask is forgotten."""
    tried = {name for name, _ in (*CALLS, *EMPTY_HANDED, *ISOLATED)}
    assert not tried & NOT_SERVED.keys()
    assert tried | NOT_SERVED.keys() == oracle.methods()


#: Methods of the SDK's WebSocket API that the table does not use.
FRAMES: list[tuple[str, Arguments]] = [
    ("account_information", {}),
    ("account_information_v2", {}),
    ("futures_account_balance", {}),
    ("futures_account_balance_v2", {}),
    ("position_information", BTC),
    ("position_information_v2", BTC),
    ("order_book", BTC),
    ("symbol_order_book_ticker", BTC),
    ("symbol_price_ticker", BTC),
    ("query_order", MINE),
    ("cancel_algo_order", STOP),
    ("start_user_data_stream", {}),
    ("keepalive_user_data_stream", {}),
    ("close_user_data_stream", {}),
]


@pytest.mark.parametrize("call", FRAMES, ids=named)
async def test_the_sdk_reads_the_frame(call: tuple[str, Arguments], venue: Venue) -> None:
    """The request over the WebSocket API succeeds, and its answer is the SDK's model with nothing missing."""
    await prepared(venue)
    async with SdkWsApi.connected(venue) as client:
        model = await client.answer(call[0], **call[1])
    assert isinstance(model, BaseModel)
    assert oracle.held_against(type(model), venue.watch.sent[-1], call[0]) == []


PERPETUAL = {"pair": SYMBOL.lower(), "contract_type": "perpetual", "interval": "1m"}
#: Not the trades of others: the manual market has none.
STREAMS: list[tuple[str, Arguments]] = [
    ("individual_symbol_book_ticker_streams", {}),
    ("mark_price_stream", {"update_speed": "1s"}),
    ("diff_book_depth_streams", {"update_speed": "100ms"}),
    ("partial_book_depth_streams", {"levels": 5, "update_speed": "100ms"}),
    ("kline_candlestick_streams", {"interval": "1m"}),
    ("continuous_contract_kline_candlestick_streams", PERPETUAL),
    ("individual_symbol_mini_ticker_stream", {}),
    ("individual_symbol_ticker_streams", {}),
]


async def test_the_sdk_hears_its_streams(venue: Venue) -> None:
    """Each stream of one symbol sends what the SDK's model of it holds."""
    async with SdkStreams.connected(venue) as client:
        heard = await client.first_of(STREAMS, venue.bought)
    assert [type(message).__name__ for message in heard] == [
        "IndividualSymbolBookTickerStreamsResponse",
        "MarkPriceStreamResponse",
        "DiffBookDepthStreamsResponse",
        "PartialBookDepthStreamsResponse",
        "KlineCandlestickStreamsResponse",
        "ContinuousContractKlineCandlestickStreamsResponse",
        "IndividualSymbolMiniTickerStreamResponse",
        "IndividualSymbolTickerStreamsResponse",
    ]
    assert json.dumps([message.to_dict() for message in heard])
