"""Scenes of faults on order: people, stops that fail, prices, symbols."""

from tests.contract.wire import SYMBOL, Client, market_order
from tests.contract.wire_faults import fault, hold, listed, place, scene, stop, until

from jumar.exchange.simulated.server.faults.kinds import Kind


@scene(Kind.CANCELLED_ORDER)
async def cancelled_order(client: Client) -> None:
    """A person takes away the stop, and nothing else."""
    await place(client)
    await stop(client)
    await fault(client, Kind.CANCELLED_ORDER, {"role": "stop"})
    assert await client.ok("GET", "openAlgoOrders") == []
    assert await listed(client, "openOrders")
    ended = [row for row in await client.ledger() if row.get("status") == "CANCELED"]
    assert [(row["client_id"], row["by"]) for row in ended] == [("s1", "fault")]


@scene(Kind.SPOILED_ORDER)
async def spoiled_order(client: Client) -> None:
    """The stop triggers and is rejected."""
    await hold(client)
    await stop(client)
    await fault(client, Kind.SPOILED_ORDER, {"role": "stop"})
    await client.price(mark="90000")
    assert (await client.ok("GET", "algoOrder", clientAlgoId="s1"))["algoStatus"] == "REJECTED"


@scene(Kind.PARTIAL_STOP)
async def partial_stop(client: Client) -> None:
    """The stop executes a part, the rest expires, the rest of the position stays."""
    await hold(client)
    await stop(client)
    await fault(client, Kind.PARTIAL_STOP, part="0.4")
    await client.price(mark="90000")
    (row,) = await client.ok("GET", "/fapi/v3/positionRisk")
    assert row["positionAmt"] == "0.008"
    (child,) = [row for row in await client.ok("GET", "allOrders") if row["side"] == "SELL"]
    assert (child["status"], child["executedQty"]) == ("EXPIRED", "0.005")


@scene(Kind.CRUMBS)
async def crumbs(client: Client) -> None:
    """Many small executions instead of one, for a while."""
    await fault(client, Kind.CRUMBS, quantity="0.004")
    await hold(client)
    fills = [row["quantity"] for row in await client.ledger() if row["kind"] == "fill"]
    assert fills == ["0.004", "0.004", "0.004", "0.001"]
    await client.send("DELETE", "/sim/faults")
    await hold(client)
    assert len([row for row in await client.ledger() if row["kind"] == "fill"]) == 5


@scene(Kind.MARK_DIP)
async def mark_dip(client: Client) -> None:
    """The mark alone falls through the stop and is back with the next step."""
    await hold(client)
    await stop(client)
    await fault(client, Kind.MARK_DIP, {"symbol": SYMBOL}, percent=-3)
    assert (await client.ok("GET", "algoOrder", clientAlgoId="s1"))["algoStatus"] == "FINISHED"
    seen = (await client.send("GET", "/fapi/v1/ticker/price", query=f"symbol={SYMBOL}")).body
    assert seen["price"] == "90900"

    async def back() -> bool:
        query = f"symbol={SYMBOL}"
        shown = await client.send("GET", "/fapi/v1/premiumIndex", query=query)
        return bool(shown.body["markPrice"] == "90900.00000000")

    await until(back)


@scene(Kind.PRICE_GAP)
async def price_gap(client: Client) -> None:
    """Everything jumps: through the stop, which fills beyond its trigger; for good, or for a while."""
    await hold(client)
    await stop(client)
    await fault(client, Kind.PRICE_GAP, percent=-5)
    (sold,) = [row for row in await client.ledger() if row["kind"] == "fill"][1:]
    assert sold["price"] == "86354.9"
    await fault(client, Kind.PRICE_GAP, percent="1.5", for_ms=1)
    query = f"symbol={SYMBOL}"

    async def back() -> bool:
        seen = (await client.send("GET", "/fapi/v1/ticker/price", query=query)).body["price"]
        assert seen in ("86355", "87650.3")
        return bool(seen == "86355")

    await until(back)


@scene(Kind.DELEVERAGED)
async def deleveraged(client: Client) -> None:
    """A part of the position is taken by an order that nobody sent."""
    await hold(client)
    await fault(client, Kind.DELEVERAGED, quantity="0.003")
    (row,) = await client.ok("GET", "/fapi/v3/positionRisk")
    assert row["positionAmt"] == "0.01"
    assert [row["clientOrderId"] for row in await client.ok("GET", "allOrders")][
        -1
    ] == "adl_autoclose"


@scene(Kind.LIQUIDATED)
async def liquidated(client: Client) -> None:
    """The whole position is gone, whatever its margin."""
    await fault(client, Kind.LIQUIDATED, every_ms=20)
    await hold(client)
    await until(lambda: _flat(client))
    names = [row["clientOrderId"] for row in await client.ok("GET", "allOrders")]
    assert names[-1].startswith("autoclose-")


async def _flat(client: Client) -> bool:
    return not await listed(client, "/fapi/v3/positionRisk")


@scene(Kind.HALTED)
async def halted(client: Client) -> None:
    """Nothing may be opened, what closes may; closed altogether, nothing may."""
    await hold(client)
    number = await fault(client, Kind.HALTED, {"symbol": SYMBOL}, for_ms=60_000)
    assert (await place(client)).code == -4140
    assert await _status(client) == "PRE_SETTLE"
    await stop(client)
    await client.send("DELETE", "/sim/faults", query=f"id={number}")
    assert await _status(client) == "TRADING"
    await fault(client, Kind.HALTED, closing_allowed=False, for_ms=60_000)
    answer = await client.signed("POST", "order", **market_order("SELL", reduceOnly="true"))
    assert answer.code == -4141
    assert await _status(client) == "CLOSE"
    await client.ok("DELETE", "algoOrder", clientAlgoId="s1")


async def _status(client: Client) -> str:
    about = await client.send("GET", "/fapi/v1/exchangeInfo")
    return next(str(row["status"]) for row in about.body["symbols"] if row["symbol"] == SYMBOL)


@scene(Kind.CHANGED_FILTERS)
async def changed_filters(client: Client) -> None:
    """A coarser tick from now on: told by exchangeInfo, enforced on orders."""
    assert (await place(client, "fine", "80000.5")).status == 200
    await fault(client, Kind.CHANGED_FILTERS, tick_size="1", min_notional=100)
    assert (await place(client, "e2", "80000.5")).code == -4014
    await fault(client, Kind.CHANGED_FILTERS, {"symbol": SYMBOL}, step_size="0.01")
    assert (await place(client, "e3")).code == -4023
    about = await client.send("GET", "/fapi/v1/exchangeInfo")
    (row,) = [row for row in about.body["symbols"] if row["symbol"] == SYMBOL]
    shown = {each["filterType"]: each for each in row["filters"]}
    assert shown["PRICE_FILTER"]["tickSize"] == "1"
    assert shown["LOT_SIZE"]["stepSize"] == "0.01"
