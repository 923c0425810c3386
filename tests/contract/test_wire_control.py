"""The control surface: prices by hand, a person's cancel, the ledger as lines, clear errors."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.wire import SYMBOL, Client, exchange, limit_order, manual, stop_order

from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.config import ServeConfig


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market at 90900."""
    async with exchange() as running:
        yield running


async def test_a_price_changes_what_it_names_and_keeps_the_rest(client: Client) -> None:
    """A mark alone moves the mark; the answer and the market requests agree."""
    shown = await client.price(mark="90500")
    assert (shown["mark"], shown["last"], shown["bid"]) == ("90500", "90900", "90899.9")
    mark = await client.send("GET", "/fapi/v1/premiumIndex", query=f"symbol={SYMBOL}")
    assert mark.body["markPrice"] == "90500.00000000"


async def test_numbers_are_taken_from_their_text(client: Client) -> None:
    """A JSON number is read as decimal text, not through a binary float."""
    answer = await client.sim("price", '{"symbol": "BTCUSDT", "mark": 90000.123456789012345678}')
    assert answer.body["mark"] == "90000.123456789012345678"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        ("[]", "body"),
        ("\xff", "body"),
        ('{"mark": "1"}', "symbol"),
        ('{"symbol": "XYZUSDT", "mark": "1"}', "symbol"),
        ('{"symbol": "BTCUSDT"}', "nothing to set"),
        ('{"symbol": "BTCUSDT", "mark": "high"}', "mark"),
        ('{"symbol": "BTCUSDT", "mark": [1]}', "mark"),
        ('{"symbol": "BTCUSDT", "mark": "-1"}', "mark"),
        ('{"symbol": "BTCUSDT", "mark": "NaN"}', "mark"),
        ('{"symbol": "BTCUSDT", "bid": "91000"}', "bid"),
        ('{"symbol": "BTCUSDT", "price": "91000"}', "price"),
    ],
)
async def test_a_bad_price_names_its_field_and_changes_nothing(
    client: Client, body: str, field: str
) -> None:
    """400, one message that begins with the field, the market as before."""
    answer = await client.sim("price", body)
    assert answer.status == 400
    assert answer.body["error"].startswith(field)
    mark = await client.send("GET", "/fapi/v1/premiumIndex", query=f"symbol={SYMBOL}")
    assert mark.body["markPrice"] == "90900.00000000"


async def test_a_person_cancels_either_kind_of_order(client: Client) -> None:
    """Removed by the fault's hand: the client hears of it, the ledger says who did it."""
    await client.ok("POST", "order", **limit_order("90786.6", "e1"))
    await client.ok("POST", "algoOrder", **stop_order("90380", "s1", quantity="0.013"))
    key = await client.listen_key()
    async with client.stream(f"/private/ws/{key}") as private:
        for name, kind in (("s1", "conditional"), ("e1", "order")):
            answer = await client.sim("cancel", {"symbol": SYMBOL, "client_id": name})
            assert answer.body["cancelled"] == kind
        events = [await private.next(), await private.next()]
    assert [event["o"]["X"] for event in events] == ["CANCELED", "CANCELED"]
    assert {row["by"] for row in await client.ledger() if row.get("status") == "CANCELED"} == {
        "fault"
    }


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"symbol": SYMBOL}, 400, "client_id"),
        ({"client_id": "x"}, 400, "symbol"),
        ({"symbol": SYMBOL, "client_id": "x", "why": "y"}, 400, "why"),
        ({"symbol": SYMBOL, "client_id": "x"}, 404, "client_id"),
    ],
)
async def test_a_bad_cancel_names_its_field(
    client: Client, fields: dict[str, Any], status: int, field: str
) -> None:
    """Missing, unknown and absent are told apart."""
    answer = await client.sim("cancel", fields)
    assert (answer.status, answer.body["error"].startswith(field)) == (status, True)


async def test_the_ledger_is_read_from_where_one_stopped(client: Client) -> None:
    """`after` leaves out what was read; nonsense is an error that names it."""
    whole = await client.ledger()
    assert await client.ledger(after=whole[0]["seq"]) == whole[1:]
    answer = await client.send("GET", "/sim/ledger", query="after=x")
    assert (answer.status, answer.body["error"].startswith("after")) == (400, True)
    assert answer.headers["Content-Type"].startswith("application/json")


@dataclass(frozen=True)
class Played:
    """A market source that is not the manual one."""

    inner: ManualMarket

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the path."""
        return self.inner.symbols

    def steps(self) -> Any:
        """The steps of the path."""
        return self.inner.steps()


async def test_a_played_path_refuses_prices_by_hand() -> None:
    """Only the manual market can be set; the message says how to get one."""
    source: MarketSource = Played(manual())
    async with exchange(ServeConfig(market=source)) as client:
        answer = await client.sim("price", {"symbol": SYMBOL, "mark": "1"})
    assert (answer.status, "manual" in answer.body["error"]) == (400, True)
