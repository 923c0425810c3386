"""The account's arithmetic, against records of the real exchange where there are any."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.simulated.floor import SYMBOL, Floor, at, step

from jumar.exchange.simulated.core.account import Account
from jumar.exchange.simulated.core.orders import Side


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000."""
    return Floor()


def test_the_wallet_changes_by_profit_minus_fee_to_the_last_digit(floor: Floor) -> None:
    """The sum of all realized profit less all fees is the wallet's change, exactly."""
    before = floor.wallet()
    floor.advance(step(asks=(("90000.1", "0.003"), ("90001.3", "1"))))
    floor.buy("0.010")
    floor.advance(at("90777.7"))
    floor.ok("POST", "order", **floor.market("SELL", "0.007", reduceOnly="true"))
    floor.advance(at("90333.3"))
    floor.ok("POST", "order", **floor.market("SELL", "0.003", reduceOnly="true"))
    fills = floor.kinds("fill")
    change = sum(Decimal(fill["realized_pnl"]) - Decimal(fill["fee"]) for fill in fills)
    assert floor.wallet() - before == change
    updates = [event for event in floor.events if event["e"] == "ACCOUNT_UPDATE"]
    assert Decimal(updates[-1]["a"]["B"][0]["wb"]) == floor.wallet()


def test_an_isolated_fill_moves_margin_as_the_real_exchange_did() -> None:
    """Open 0.04 BNB at 403.99 with 2x and turn it at 404: every figure equals the 2022 record."""
    account = Account(Decimal("10.0"))
    position = account.position("BNBUSDT")
    position.isolated, position.leverage = True, 2
    account.settle("BNBUSDT", Side.BUY, Decimal("403.99"), Decimal("0.04"), maker=False, now_ms=1)
    assert account.wallet == Decimal("9.99353616")
    assert account.cross_wallet == Decimal("1.9202")
    assert position.isolated_wallet == Decimal("8.07333616")
    settled = account.settle(
        "BNBUSDT", Side.SELL, Decimal(404), Decimal("0.08"), maker=True, now_ms=2
    )
    assert settled.realized == Decimal("0.0004")
    assert settled.fee == Decimal("0.006464")
    assert account.wallet == Decimal("9.98747216")
    assert account.cross_wallet == Decimal("1.91070416")
    assert position.isolated_wallet == Decimal("8.076768")
    assert (position.quantity, position.entry_price) == (Decimal("-0.04"), Decimal(404))


def test_recorded_fills_replayed_give_the_recorded_wallets(recorded_payloads: Path) -> None:
    """Fills of the 2022 records run through the account end in the wallets the real exchange sent."""
    lines = (
        recorded_payloads / "user_stream" / "seq-2-futures-buy-sell-market-1BNB.jsonl"
    ).read_text()
    events = [json.loads(line) for line in lines.splitlines()]
    account = Account(Decimal(events[0]["a"]["B"][0]["wb"]))
    for earlier, event in pairwise(events):
        if event["e"] != "ORDER_TRADE_UPDATE" or event["o"]["x"] != "TRADE":
            continue
        order = event["o"]
        settled = account.settle(
            "BNBUSDT",
            Side(order["S"]),
            Decimal(order["L"]),
            Decimal(order["l"]),
            maker=False,
            now_ms=1,
        )
        assert settled.realized == Decimal(order["rp"])
        assert settled.fee == Decimal(order["n"])
        assert account.wallet == Decimal(earlier["a"]["B"][0]["wb"])


@given(
    trades=st.lists(
        st.tuples(
            st.sampled_from(list(Side)),
            st.integers(1, 5_000).map(lambda n: Decimal(n) / 1000),
            st.integers(10_000, 2_000_000).map(lambda n: Decimal(n) / 10),
        ),
        min_size=1,
        max_size=25,
    ),
    isolated=st.booleans(),
)
def test_any_sequence_of_fills_keeps_the_books(
    trades: list[tuple[Side, Decimal, Decimal]], *, isolated: bool
) -> None:
    """Wallet, quantity and isolated margin add up after any fills; a flat position owns nothing."""
    account = Account(Decimal(1_000_000))
    position = account.position(SYMBOL)
    position.isolated = isolated
    wallet, quantity = account.wallet, Decimal(0)
    for side, amount, price in trades:
        settled = account.settle(SYMBOL, side, price, amount, maker=False, now_ms=1)
        wallet += settled.realized - settled.fee
        quantity += amount * side.sign
        assert account.wallet == wallet
        assert position.quantity == quantity
        assert account.cross_wallet == account.wallet - position.isolated_wallet
        if not quantity:
            assert position.isolated_wallet == position.entry_price == 0


def test_a_short_earns_when_the_price_falls(floor: Floor) -> None:
    """Realized profit is mirrored for a short."""
    floor.ok("POST", "order", **floor.market("SELL", "0.010"))
    floor.advance(at("89000.0"))
    floor.ok("POST", "order", **floor.market("BUY", "0.010", reduceOnly="true"))
    assert [fill["realized_pnl"] for fill in floor.kinds("fill")] == ["0", "9.998"]


def test_a_larger_opposite_fill_turns_the_position(floor: Floor) -> None:
    """Without reduce-only an order may close and reverse; the entry price is the new one."""
    floor.buy("0.010")
    floor.advance(at("90100.0"))
    floor.ok("POST", "order", **floor.market("SELL", "0.030"))
    position = floor.position()
    assert (position["positionAmt"], position["entryPrice"]) == ("-0.02", "90099.9")


def test_margin_bounds_what_may_be_opened(floor: Floor) -> None:
    """At 3x, 10000 USDT carry 0.333 BTC and not 0.334; resting orders reserve their margin."""
    assert floor.code("POST", "order", **floor.limit("BUY", "0.334", "90000.0")) == -2019
    floor.ok("POST", "order", **floor.limit("BUY", "0.333", "90000.0"))
    assert floor.ok("GET", "/fapi/v3/balance")[0]["availableBalance"] == "10"
    assert floor.code("POST", "order", **floor.limit("BUY", "0.001", "90000.0")) == -2019


def test_a_reduce_only_order_needs_no_margin(floor: Floor) -> None:
    """With everything bound in the position its exit is still accepted."""
    floor.buy("0.333")
    floor.ok("POST", "order", **floor.market("SELL", "0.333", reduceOnly="true"))
    assert floor.position()["positionAmt"] == "0"


def test_leverage_brackets_bound_the_notional() -> None:
    """At 125x BTCUSDT carries 50000 USDT and no more."""
    floor = Floor(balance="1000000")
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="125")
    assert floor.code("POST", "order", **floor.limit("BUY", "0.600", "90000.0")) == -2027
    floor.ok("POST", "order", **floor.limit("BUY", "0.500", "90000.0"))


def test_position_answers_agree_with_each_other(floor: Floor) -> None:
    """Versions 2 and 3, the account and the balance tell one story."""
    floor.buy("0.010")
    floor.advance(at("90100.0"))
    (third,) = floor.ok("GET", "/fapi/v3/positionRisk")
    second = floor.position()
    account = floor.ok("GET", "/fapi/v3/account")
    assert third["positionAmt"] == second["positionAmt"] == account["positions"][0]["positionAmt"]
    assert third["unRealizedProfit"] == account["totalUnrealizedProfit"] == "0.999"
    assert (second["marginType"], second["leverage"]) == ("isolated", "3")
    assert Decimal(account["totalMarginBalance"]) == floor.wallet() + Decimal("0.999")
    assert Decimal(third["liquidationPrice"]) < Decimal(61000)


def test_income_lists_profit_and_commission(floor: Floor) -> None:
    """Every fill shows its commission, a closing one also its profit."""
    floor.buy("0.010")
    floor.ok("POST", "order", **floor.market("SELL", "0.010", reduceOnly="true"))
    rows = [(row["incomeType"], row["income"]) for row in floor.ok("GET", "income")]
    assert rows == [
        ("COMMISSION", "-0.3600004"),
        ("REALIZED_PNL", "-0.002"),
        ("COMMISSION", "-0.3599996"),
    ]
    only = floor.ok("GET", "income", incomeType="REALIZED_PNL")
    assert [row["income"] for row in only] == ["-0.002"]


def test_a_new_account_is_crossed_at_20x_and_settings_are_idempotent_errors() -> None:
    """ETHUSDT was never touched; setting what is set is refused with its own code."""
    floor = Floor()
    (config,) = floor.ok("GET", "symbolConfig", symbol="ETHUSDT")
    assert (config["marginType"], config["leverage"]) == ("CROSSED", 20)
    assert floor.code("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED") == -4046
    assert floor.code("POST", "positionSide/dual", dualSidePosition="false") == -4059
    assert floor.code("POST", "leverage", symbol=SYMBOL, leverage="126") == -4028


def test_settings_are_locked_by_orders_and_positions(floor: Floor) -> None:
    """Margin mode waits for orders and position, position mode too; isolated leverage never falls."""
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0"))
    assert floor.code("POST", "marginType", symbol=SYMBOL, marginType="CROSSED") == -4047
    assert floor.code("POST", "positionSide/dual", dualSidePosition="true") == -4067
    floor.ok("DELETE", "allOpenOrders", symbol=SYMBOL)
    floor.buy("0.010")
    assert floor.code("POST", "marginType", symbol=SYMBOL, marginType="CROSSED") == -4048
    assert floor.code("POST", "positionSide/dual", dualSidePosition="true") == -4068
    assert floor.code("POST", "leverage", symbol=SYMBOL, leverage="2") == -4161


def test_a_client_of_one_way_mode_meets_hedge_mode(floor: Floor) -> None:
    """It finds it in the configuration, and its orders without a side are refused."""
    floor.ok("POST", "positionSide/dual", dualSidePosition="true")
    assert floor.ok("GET", "accountConfig")["dualSidePosition"] is True
    assert floor.ok("GET", "positionSide/dual") == {"dualSidePosition": True}
    assert floor.code("POST", "order", **floor.market("BUY", "0.010")) == -4061
