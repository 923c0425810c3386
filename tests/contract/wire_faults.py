"""One scene for each kind of fault on order: set it, see from outside what it does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from tests.contract.wire import (
    Answer,
    Client,
    Json,
    limit_order,
    market_order,
    stop_order,
)

from jumar.exchange.simulated.server.faults.kinds import Kind

ORDER = "/fapi/v1/order"
SOON_S = 0.3
FAR = "80000"  # a bid that does not trade

type Scene = Callable[[Client], Awaitable[None]]

SCENES: dict[Kind, Scene] = {}


def scene(kind: Kind) -> Callable[[Scene], Scene]:
    """The scene of a kind."""

    def keep(function: Scene) -> Scene:
        SCENES[kind] = function
        return function

    return keep


async def fault(client: Client, kind: Kind, /, scope: Json | None = None, **fields: Any) -> int:
    """Set a rule; its number."""
    answer = await client.sim("faults", {"kind": kind, "scope": scope or {}, **fields})
    assert answer.status == 200, answer.body
    return int(answer.body["rules"][0]["id"])


async def place(client: Client, client_id: str = "e1", price: str = FAR) -> Answer:
    """A bid that rests."""
    return await client.signed("POST", "order", **limit_order(price, client_id, timeInForce="GTC"))


async def unanswered(request: Awaitable[Any]) -> str:
    """How a request remains without an answer: `silence` or `closed`."""
    try:
        async with asyncio.timeout(SOON_S):
            answer = await request
    except TimeoutError:
        return "silence"
    except aiohttp.ClientConnectionError:
        return "closed"
    raise AssertionError(f"answered: {answer}")


async def exists(client: Client, client_id: str = "e1") -> bool:
    """Whether an order of that id reached the exchange."""
    rows = await client.ledger()
    return any(row["kind"] == "order" and row["client_id"] == client_id for row in rows)


async def hold(client: Client, quantity: str = "0.013") -> None:
    """Have a long position."""
    await client.ok("POST", "order", **market_order("BUY", quantity))


async def stop(client: Client, client_id: str = "s1", trigger: str = "90380") -> Json:
    """Place a stop of a quantity."""
    answer: Json = await client.ok(
        "POST", "algoOrder", **stop_order(trigger, client_id, quantity="0.013")
    )
    return answer


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a state."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - the state is in the exchange's hands
            await asyncio.sleep(0.02)


async def listed(client: Client, path: str) -> bool:
    """Whether a list shows anything."""
    return bool(await client.ok("GET", path))
