"""The demo's picture of the exchange: what is shown as resting is what rests."""

from typing import Any

import aiohttp
import pytest

from jumar.ops.demo.watch import Pictures, Watch


@pytest.fixture
async def watch() -> Any:
    async with aiohttp.ClientSession() as session:
        yield Watch(session, "http://127.0.0.1:1")


def stop(status: str) -> dict[str, Any]:
    return {
        "kind": "conditional",
        "symbol": "BTCUSDT",
        "algo_id": 5,
        "client_id": "jm-abcdefghij-S1",
        "trigger": "90380",
        "quantity": "0.013",
        "status": status,
    }


async def test_a_stop_is_shown_while_it_rests(watch: Watch) -> None:
    """A confirmed stop appears with its trigger and disappears with its end."""
    watch.apply(stop("NEW"))
    assert watch.pictures["BTCUSDT"].prices("S") == "90380"
    assert not watch.at_rest
    watch.apply(stop("CANCELED"))
    assert watch.pictures["BTCUSDT"].prices("S") == ""
    assert watch.at_rest


async def test_a_position_keeps_the_run_open(watch: Watch) -> None:
    """Flat and swept means position zero and no order left."""
    record = {"kind": "position", "symbol": "BTCUSDT", "entry_price": "1"}
    watch.apply({**record, "quantity": "-0.013"})
    assert not watch.at_rest
    watch.apply({**record, "quantity": "0.000"})
    assert watch.at_rest


def test_positions_are_counted_as_they_are_opened() -> None:
    """Fills that add to one, reduce it or end it open none; a symbol of its own does."""
    pictures = Pictures()
    record = {"kind": "position", "entry_price": "1"}
    for symbol, quantity, entered in (
        ("BTCUSDT", "0.005", 1),
        ("BTCUSDT", "0.013", 1),
        ("ETHUSDT", "-0.40", 2),
        ("BTCUSDT", "0.000", 2),
        ("BTCUSDT", "-0.013", 3),
    ):
        pictures.apply({**record, "symbol": symbol, "quantity": quantity})
        assert pictures.entered == entered
