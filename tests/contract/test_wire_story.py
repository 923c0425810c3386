"""The main path over real sockets: arm, enter, protect, exit, sweep, as wire and ledger tell it."""

from collections.abc import AsyncIterator

import pytest
from tests.contract.wire import SYMBOL, Client, exchange, limit_order, market_order, stop_order


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market at 90900, isolated at 3x."""
    async with exchange() as running:
        await running.ok("POST", "marginType", symbol=SYMBOL, marginType="ISOLATED")
        await running.ok("POST", "leverage", symbol=SYMBOL, leverage="3")
        yield running


async def arm_and_enter(client: Client) -> None:
    """Stop at 90380, post-only entry at 90786.6, filled by the market coming to it."""
    await client.ok(
        "POST", "algoOrder", **stop_order("90380", "jm-0123456789-S1", quantity="0.013")
    )
    await client.ok("POST", "order", **limit_order("90786.6", "jm-0123456789-E1"))
    await client.price(last="90786.0", mark="90786.0")


async def test_a_trade_from_the_armed_stop_to_the_swept_book(client: Client) -> None:
    """The spec's example: armed, entered, backed, targeted, stopped out, swept; the judge agrees."""
    await arm_and_enter(client)
    await client.ok("POST", "algoOrder", **stop_order("90380", "jm-0123456789-B1"))
    target = stop_order("91600", "jm-0123456789-P1", quantity="0.006", type="TAKE_PROFIT_MARKET")
    await client.ok("POST", "algoOrder", **target)
    await client.price(last="90379.0", mark="90379.0")
    assert await client.ok("GET", "/fapi/v3/positionRisk") == []
    left = await client.ok("GET", "openAlgoOrders", symbol=SYMBOL)
    assert [row["clientAlgoId"] for row in left] == ["jm-0123456789-P1"]
    await client.ok("DELETE", "algoOrder", clientAlgoId="jm-0123456789-P1")
    verdict = await client.judge()
    assert verdict["promises"] == dict.fromkeys(("P-1", "P-2", "P-4", "P-5", "P-8"), True)
    assert (verdict["trades"], verdict["unprotected_ms_max"]) == (1, 0)
    assert verdict["exits"]["stop"] == 1


async def test_the_ledger_of_the_story_is_the_documents(client: Client) -> None:
    """Kinds, order and fields of the records are those of docs/reference/ledger.md."""
    await arm_and_enter(client)
    records = await client.ledger()
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    told = [record["kind"] for record in records if record["kind"] != "market"]
    assert told == ["opened", "serving", "conditional", "order", "fill", "position", "order"]
    fill, position, order = records[-3:]
    assert (fill["price"], fill["quantity"], fill["maker"]) == ("90786.6", "0.013", True)
    assert (fill["fee"], fill["fee_asset"]) == ("0.23604516", "USDT")
    assert (position["quantity"], position["entry_price"]) == ("0.013", "90786.6")
    assert (order["status"], order["filled"], order["by"]) == ("FILLED", "0.013", "market")
    assert records[-4]["kind"] == "market"
    assert await client.ledger(after=records[-2]["seq"]) == [order]


async def test_the_user_stream_of_the_story(client: Client) -> None:
    """Every change arrives as its event, the account before the order of the same fill."""
    key = await client.listen_key()
    async with client.stream(f"/private/ws/{key}") as private:
        await arm_and_enter(client)
        await client.price(last="90379.0", mark="90379.0")
        await private.until(lambda event: event.get("o", {}).get("X") == "FINISHED")
    told = [(event["e"], event.get("o", {}).get("X")) for event in private.heard]
    assert told == [
        ("ALGO_UPDATE", "NEW"),
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ACCOUNT_UPDATE", None),
        ("TRADE_LITE", None),
        ("ORDER_TRADE_UPDATE", "FILLED"),
        ("ALGO_UPDATE", "TRIGGERING"),
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ALGO_UPDATE", "TRIGGERED"),
        ("ACCOUNT_UPDATE", None),
        ("TRADE_LITE", None),
        ("ORDER_TRADE_UPDATE", "FILLED"),
        ("ALGO_UPDATE", "FINISHED"),
    ]
    fill, closed = private.heard[4]["o"], private.heard[10]["o"]
    assert (fill["n"], fill["N"], fill["m"], fill["rp"]) == ("0.23604516", "USDT", True, "0")
    lite = private.heard[3]
    assert (lite["t"], lite["L"], lite["l"]) == (fill["t"], fill["L"], fill["l"])
    assert closed["c"] == "jm-0123456789-S1"
    assert str(closed["i"]) == private.heard[7]["o"]["ai"] == private.heard[11]["o"]["ai"]
    assert private.heard[8]["a"]["P"][0]["pa"] == "0"


async def test_a_full_exit_ends_the_backstop_and_orphans_the_stop(client: Client) -> None:
    """After a market exit the closePosition order is gone, the quantity stop waits for its sweep."""
    await arm_and_enter(client)
    await client.ok("POST", "algoOrder", **stop_order("90380", "jm-0123456789-B1"))
    await client.ok("POST", "order", **market_order("SELL", reduceOnly="true"))
    row = await client.ok("GET", "algoOrder", clientAlgoId="jm-0123456789-B1")
    assert row["algoStatus"] == "EXPIRED"
    assert len(await client.ok("GET", "openAlgoOrders", symbol=SYMBOL)) == 1
    await client.ok("DELETE", "algoOpenOrders", symbol=SYMBOL)
    assert await client.ok("GET", "openAlgoOrders", symbol=SYMBOL) == []


async def test_the_judge_sees_an_order_that_opens_a_position_outside_the_plan(
    client: Client,
) -> None:
    """An exit without reduce-only breaks P-5; nothing else is said to be broken by it."""
    await client.ok("POST", "order", **market_order("SELL", newClientOrderId="jm-0123456789-X1"))
    promises = (await client.judge())["promises"]
    assert promises["P-5"] is False


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("order", limit_order("90900.1", "e"), -5022),
        ("order", market_order("SELL", reduceOnly="true"), -2022),
        ("order", market_order("BUY", quantity="1"), -2019),
        ("order", limit_order("90786.65", "e"), -4014),
        ("order", limit_order("90786.6", "e", quantity="0.0001"), -1111),
        ("order", {**limit_order("90786.6", "e"), "type": "STOP_MARKET"}, -4120),
        ("algoOrder", stop_order("90380", "b"), -4509),
        ("algoOrder", stop_order("90900", "s", quantity="0.013"), -2021),
        ("algoOrder", stop_order("90380", "b", reduceOnly="true"), -1106),
    ],
)
async def test_refusals_arrive_as_the_exchange_sends_them(
    client: Client, name: str, params: dict[str, str], code: int
) -> None:
    """HTTP 400 with code and msg, one `refused` record, counted by the limiter."""
    answer = await client.signed("POST", name, **params)
    assert (answer.status, answer.body.keys(), answer.code) == (400, {"code", "msg"}, code)
    assert "X-MBX-USED-WEIGHT-1M" in answer.headers
    (refused,) = [row for row in await client.ledger() if row["kind"] == "refused"]
    assert (refused["code"], refused["path"]) == (code, f"/fapi/v1/{name}")


async def test_duplicates_and_second_backstops_are_refused(client: Client) -> None:
    """-4116 for either kind of id while it is open, -4130 for a second closePosition stop."""
    entry = limit_order("90786.6", "same")
    await client.ok("POST", "order", **entry)
    assert (await client.signed("POST", "order", **entry)).code == -4116
    await client.ok("POST", "order", **market_order("BUY"))
    backstop = stop_order("90380", "b1")
    await client.ok("POST", "algoOrder", **backstop)
    assert (await client.signed("POST", "algoOrder", **backstop)).code == -4116
    other = {**backstop, "clientAlgoId": "b2"}
    assert (await client.signed("POST", "algoOrder", **other)).code == -4130
    assert (
        await client.signed("DELETE", "order", symbol=SYMBOL, origClientOrderId="no")
    ).code == -2011
    assert (
        await client.signed("GET", "order", symbol=SYMBOL, origClientOrderId="no")
    ).code == -2013
