"""Money that the owner moves: in the wallet, in the income history, on the user stream and in the ledger."""

from decimal import Decimal

import pytest
from tests.unit.simulated.floor import Floor


@pytest.mark.parametrize(("amount", "reason"), [("250.5", "DEPOSIT"), ("-40", "WITHDRAW")])
def test_a_transfer_changes_the_wallet_and_is_told_everywhere(amount: str, reason: str) -> None:
    """The wallet, one income row of no symbol, one ACCOUNT_UPDATE without positions, one record of the ledger."""
    floor = Floor()
    before = floor.wallet()
    floor.exchange.transfer(Decimal(amount), floor.now_ms)
    assert floor.wallet() - before == Decimal(amount)
    (row,) = floor.ok("GET", "income", incomeType="TRANSFER")
    assert (row["symbol"], row["income"], row["asset"]) == ("", amount, "USDT")
    update = floor.events[-1]["a"]
    assert (update["m"], update["B"][0]["bc"], update["P"]) == (reason, amount, [])
    (record,) = floor.kinds("money")
    assert (record["symbol"], record["amount"]) == (None, amount)
