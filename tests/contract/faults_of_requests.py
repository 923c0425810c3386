"""Scenes of faults on order: requests and answers, and reads that do not tell the truth."""

import asyncio

from tests.contract.wire import (
    SYMBOL,
    Client,
    limit_order,
    market_order,
    stop_order,
)
from tests.contract.wire_faults import (
    FAR,
    ORDER,
    exists,
    fault,
    hold,
    listed,
    place,
    scene,
    stop,
    unanswered,
    until,
)

from jumar.exchange.simulated.server.faults.kinds import Kind


@scene(Kind.LOST_REQUEST)
async def lost_request(client: Client) -> None:
    """Neither answered nor executed, in three ways."""
    for how, seen in (("silence", "silence"), ("close", "closed"), ("reset", "closed")):
        await fault(client, Kind.LOST_REQUEST, {"endpoint": ORDER}, how=how, count=1)
        assert await unanswered(place(client)) == seen
    assert not await exists(client)
    assert (await place(client)).status == 200


@scene(Kind.LOST_ANSWER)
async def lost_answer(client: Client) -> None:
    """Executed, and not answered."""
    await fault(client, Kind.LOST_ANSWER, {"endpoint": f"POST {ORDER}"}, how="reset", count=1)
    assert await unanswered(place(client)) == "closed"
    assert await exists(client)


@scene(Kind.UNKNOWN_EXECUTED)
async def unknown_executed(client: Client) -> None:
    """408 with -1007 although the order rests."""
    await fault(client, Kind.UNKNOWN_EXECUTED, {"role": "entry"})
    answer = await place(client)
    assert (answer.status, answer.code) == (408, -1007)
    assert await exists(client)


@scene(Kind.UNKNOWN_NOT_EXECUTED)
async def unknown_not_executed(client: Client) -> None:
    """503 of the first kind, and no order."""
    await fault(client, Kind.UNKNOWN_NOT_EXECUTED, {"role": "entry"}, form="503")
    answer = await place(client)
    assert answer.status == 503
    assert answer.body["msg"].startswith("Unknown error, please check your request")
    assert not await exists(client)


@scene(Kind.OUTAGE)
async def outage(client: Client) -> None:
    """The three kinds of 503 that mean "not executed"; -1008 lets through what closes."""
    for form, words in (("unavailable", "Service Unav"), ("internal", "Internal error; unable")):
        number = await fault(client, Kind.OUTAGE, {"endpoint": ORDER}, form=form, count=1)
        answer = await place(client)
        assert (answer.status, answer.body["msg"][: len(words)]) == (503, words)
        await client.send("DELETE", "/sim/faults", query=f"id={number}")
    await hold(client)
    await fault(client, Kind.OUTAGE, {"endpoint": ORDER}, form="throttled")
    answer = await place(client)
    assert (answer.status, answer.code) == (503, -1008)
    await client.ok("POST", "order", **market_order("SELL", reduceOnly="true"))
    assert not await exists(client)


@scene(Kind.LATE_REQUEST)
async def late_request(client: Client) -> None:
    """It arrives after its receive window."""
    await fault(client, Kind.LATE_REQUEST, {"endpoint": ORDER}, delay_ms=150)
    order = limit_order(FAR, "e1", timeInForce="GTC", recvWindow="100")
    answer = await client.signed("POST", "order", **order)
    assert (answer.status, answer.code) == (400, -1021)


@scene(Kind.LATE_ANSWER)
async def late_answer(client: Client) -> None:
    """The order rests before anybody says so."""
    await fault(client, Kind.LATE_ANSWER, {"endpoint": ORDER}, delay_ms=250)
    asked = asyncio.create_task(place(client))
    await until(lambda: exists(client))
    assert not asked.done()
    assert (await asked).status == 200


@scene(Kind.TOO_MANY_REQUESTS)
async def too_many_requests(client: Client) -> None:
    """429 for a while, with the time to come back."""
    await fault(client, Kind.TOO_MANY_REQUESTS, {"endpoint": ORDER}, count=1, for_ms=60_000)
    for _ in range(2):
        answer = await place(client)
        assert (answer.status, answer.code) == (429, -1003)
        assert 55 <= int(answer.headers["Retry-After"]) <= 60


@scene(Kind.BANNED)
async def banned(client: Client) -> None:
    """418 for everything until the time in its text; the rule taken away, the ban is over."""
    await fault(client, Kind.BANNED, count=1)
    answer = await client.send("GET", "/fapi/v1/ping")
    assert (answer.status, answer.code) == (418, -1003)
    assert "IP banned until" in answer.body["msg"]
    assert 115 <= int(answer.headers["Retry-After"]) <= 120
    assert (await client.send("GET", "/fapi/v1/time")).status == 418
    await client.send("DELETE", "/sim/faults")
    assert (await place(client)).status == 200
    await fault(client, Kind.BANNED, {"endpoint": ORDER}, count=1)
    assert (await place(client)).status == 418


@scene(Kind.REFUSE)
async def refuse(client: Client) -> None:
    """Any code with its text; -4509 only soon after a fill; -1021 where nothing is late."""
    await fault(client, Kind.REFUSE, {"role": "entry"}, code=-2019, count=1)
    answer = await place(client)
    assert (answer.status, answer.code, answer.body["msg"]) == (
        400,
        -2019,
        "Margin is insufficient.",
    )
    await fault(client, Kind.REFUSE, {"endpoint": ORDER}, code=-1021, count=1)
    assert (await place(client)).code == -1021
    for code, status in ((-1015, 429), (-2015, 401), (-9999, 400)):
        await fault(client, Kind.REFUSE, {"role": "entry"}, code=code, message="no", count=1)
        answer = await place(client)
        assert (answer.status, answer.code, answer.body["msg"]) == (status, code, "no")
    await fault(client, Kind.REFUSE, {"role": "backstop"}, code=-4509, after_fill_ms=60_000)
    refused = await client.signed("POST", "algoOrder", **stop_order("90380", "b0"))
    assert refused.code == -4509  # there is no position
    await hold(client)
    refused = await client.signed("POST", "algoOrder", **stop_order("90380", "b1"))
    assert refused.code == -4509
    await stop(client)


@scene(Kind.UNREADABLE_ANSWER)
async def unreadable_answer(client: Client) -> None:
    """Text, a page, nothing, half of it; executed all the same, or not."""
    seen = []
    for form in ("text", "html", "empty", "cut"):
        number = await fault(client, Kind.UNREADABLE_ANSWER, {"endpoint": ORDER}, form=form)
        async with client.session.post(
            await _signed(client, f"e-{form}"), headers=client.key
        ) as raw:
            seen.append((raw.status, (await raw.text())[:6]))
        await client.send("DELETE", "/sim/faults", query=f"id={number}")
        assert await exists(client, f"e-{form}")
    assert seen == [(200, "upstre"), (200, "<html>"), (200, ""), (200, '{"orde')]
    await fault(client, Kind.UNREADABLE_ANSWER, {"endpoint": ORDER}, form="text", executed=False)
    async with client.session.post(await _signed(client, "never"), headers=client.key) as raw:
        assert await raw.text() == "upstream said: ok"
    assert not await exists(client, "never")


async def _signed(client: Client, client_id: str) -> str:
    order = limit_order(FAR, client_id, timeInForce="GTC", timestamp=str(await client.time()))
    query = "&".join(f"{name}={value}" for name, value in order.items())
    return f"{client.urls['rest']}{ORDER}?{query}&signature={client.sign(query)}"


@scene(Kind.PROXY_ERROR)
async def proxy_error(client: Client) -> None:
    """A page of a machine before the exchange."""
    await fault(client, Kind.PROXY_ERROR, {"endpoint": ORDER}, count=1)
    answer = await place(client)
    assert (answer.status, answer.body[:6]) == (502, "<html>")
    assert not await exists(client)
    await fault(client, Kind.PROXY_ERROR, {"endpoint": ORDER}, status=504, executed=True)
    assert (await place(client)).status == 504
    assert await exists(client)


@scene(Kind.WRONG_ECHO)
async def wrong_echo(client: Client) -> None:
    """The answer names another trigger than the one that is stored."""
    await fault(client, Kind.WRONG_ECHO, {"role": "stop"}, percent=-1)
    assert (await stop(client))["triggerPrice"] == "89476.2"
    (listed,) = await client.ok("GET", "openAlgoOrders")
    assert listed["triggerPrice"] == "90380"


@scene(Kind.ALTERED_ORDER)
async def altered_order(client: Client) -> None:
    """Another trigger is stored, and told."""
    await fault(client, Kind.ALTERED_ORDER, {"role": "stop"}, percent=-1)
    assert (await stop(client))["triggerPrice"] == "89476.2"
    (listed,) = await client.ok("GET", "openAlgoOrders")
    assert listed["triggerPrice"] == "89476.2"
    await fault(client, Kind.ALTERED_ORDER, {"role": "entry"}, percent="0.0001")
    assert (await place(client)).body["price"] == "80000.1"


@scene(Kind.FORGETFUL_LIST)
async def forgetful_list(client: Client) -> None:
    """A conditional order is not in the list for a while, though it rests."""
    await stop(client)
    await fault(client, Kind.FORGETFUL_LIST, {"role": "stop"}, count=1, for_ms=200)
    assert await client.ok("GET", "openAlgoOrders") == []
    assert (await client.ok("GET", "algoOrder", clientAlgoId="s1"))["algoStatus"] == "NEW"
    await until(lambda: listed(client, "openAlgoOrders"))


@scene(Kind.LAGGING_LIST)
async def lagging_list(client: Client) -> None:
    """A new order is not in the list yet; an old one is."""
    await place(client, "old")
    await fault(client, Kind.LAGGING_LIST, {"endpoint": "/fapi/v1/openOrders"}, for_ms=1)
    await until(lambda: listed(client, "openOrders"))
    await client.send("DELETE", "/sim/faults")
    await fault(client, Kind.LAGGING_LIST, {"role": "entry"}, for_ms=500)
    await place(client, "new")
    first = await client.ok("GET", "openOrders")
    assert "new" not in [row["clientOrderId"] for row in first]

    async def both() -> bool:
        return len(await client.ok("GET", "openOrders")) == 2

    await until(both)


@scene(Kind.LAGGING_POSITION)
async def lagging_position(client: Client) -> None:
    """The position before the fill, by every request that shows positions; then the truth."""
    await hold(client)
    await fault(client, Kind.LAGGING_POSITION, for_ms=1500)
    await client.price(last="90950")
    await hold(client, "0.010")
    for path in ("v3/positionRisk", "v2/positionRisk"):
        rows = await client.ok("GET", f"/fapi/{path}", symbol=SYMBOL)
        assert [row["positionAmt"] for row in rows] == ["0.013"]
    account = await client.ok("GET", "/fapi/v3/account")
    assert [row["positionAmt"] for row in account["positions"]] == ["0.013"]

    async def told() -> bool:
        rows = await client.ok("GET", "/fapi/v3/positionRisk")
        return [row["positionAmt"] for row in rows] == ["0.023"]

    await until(told)


@scene(Kind.EMPTY_POSITION)
async def empty_position(client: Client) -> None:
    """No position right after the fill that made it."""
    await fault(client, Kind.EMPTY_POSITION, {"symbol": SYMBOL}, for_ms=300)
    await hold(client)
    assert await client.ok("GET", "/fapi/v3/positionRisk") == []
    await until(lambda: listed(client, "/fapi/v3/positionRisk"))
