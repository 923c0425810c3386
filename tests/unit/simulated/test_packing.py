"""Packed rows: equal to the last digit, wherever they lie."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from jumar.exchange.simulated.core.account import Entry, IncomeKind
from jumar.exchange.simulated.core.amendments import Amendment
from jumar.exchange.simulated.core.conditional import Conditional, ConditionalType, WorkingType
from jumar.exchange.simulated.core.orders import Order, OrderType, Side, TimeInForce, Trade
from jumar.exchange.simulated.core.shelf import Packer
from jumar.exchange.simulated.server.packing import InMemory, Spill

PRICE, SIZE = Decimal("90000.10"), Decimal("0.002")
ORDER = Order(
    order_id=8_000_000_001,
    client_id="ä",
    symbol="BTCUSDT",
    side=Side.BUY,
    type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTC,
    price=PRICE,
    quantity=SIZE,
    reduce_only=False,
    created_ms=1,
    updated_ms=2,
    ahead=Decimal("1E-7"),
)
CONDITIONAL = Conditional(
    algo_id=1_000_000_000_000_001,
    client_id="x",
    symbol="BTCUSDT",
    side=Side.SELL,
    type=ConditionalType.STOP_MARKET,
    trigger=PRICE,
    working_type=WorkingType.MARK_PRICE,
    quantity=None,
    reduce_only=True,
    price_protect=False,
    created_ms=1,
    updated_ms=2,
)
TRADE = Trade(
    trade_id=1,
    order_id=2,
    symbol="BTCUSDT",
    side=Side.BUY,
    price=PRICE,
    quantity=SIZE,
    maker=True,
    fee=Decimal("0.00000001"),
    realized=Decimal("-0.1"),
    time_ms=3,
)
ENTRY = Entry(
    number=1,
    time_ms=2,
    symbol="BTCUSDT",
    kind=IncomeKind.COMMISSION,
    amount=SIZE,
    asset="USDT",
    fill=None,
)
AMENDMENT = Amendment(
    amendment_id=5001,
    symbol="BTCUSDT",
    order_id=1,
    client_id="x",
    time_ms=2,
    price=(PRICE, SIZE),
    quantity=(SIZE, PRICE),
    count=1,
    modify_id=None,
    price_match="NONE",
)
RECORD = {"seq": 1, "t": 2, "kind": "opened", "symbols": ["BTCUSDT"], "on": True, "x": None}


@pytest.fixture(params=["memory", "file"])
def pack(request: pytest.FixtureRequest) -> Packer:
    """Both ways."""
    return InMemory() if request.param == "memory" else Spill()


@pytest.mark.parametrize(
    "row",
    [ORDER, CONDITIONAL, TRADE, ENTRY, AMENDMENT, RECORD],
    ids=lambda row: type(row).__name__,
)
def test_rows_come_back_equal_to_the_last_digit(pack: Packer, row: object) -> None:
    """Values, types, trailing zeros, what is absent, and the order of a record's fields."""
    (back,) = pack.find(pack.keep([row]), type(row))
    assert back == row
    assert repr(back) == repr(row)


def test_blocks_are_told_apart_and_read_as_often_as_asked(pack: Packer) -> None:
    """Each block gives its own rows, also in other threads at the same time."""
    blocks = [[replace(ORDER, order_id=block * 100 + n) for n in range(50)] for block in range(20)]
    numbers = [pack.keep(block) for block in blocks]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            assert list(threads.map(lambda number: pack.find(number, Order), numbers)) == blocks


def test_the_file_has_no_name_and_ends_with_its_packer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind, however the process ends."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spill = Spill()
    number = spill.keep([ORDER])
    file = spill._file
    assert file is not None
    assert not list(tmp_path.iterdir())
    assert os.fstat(file).st_size > 0
    assert spill.find(number, Order) == [ORDER]
    del spill
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_a_full_disk_costs_memory_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written, or not whole, is kept in memory; what was written before is still found."""
    spill = Spill()
    rows = [replace(ORDER, order_id=number) for number in range(5)]

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    numbers = [spill.keep([rows[0]])]
    for writes in (full, lambda *_: 3):
        monkeypatch.setattr(os, "pwrite", writes)
        numbers.append(spill.keep([rows[len(numbers)]]))
    monkeypatch.undo()
    numbers += [spill.keep([rows[3]]), spill.keep([rows[4]])]
    assert [spill.find(number, Order) for number in numbers] == [[row] for row in rows]
