"""Commands refuse to exist when they would be unsafe."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.model.test_fold import STOP

from jumar.model.command import Cause, PlaceOrder
from jumar.model.order import OrderType, Role, Side

CAUSE = Cause(rule="S-3", text="test")


@pytest.mark.rule("S-3", "P-2")
def test_a_looser_stop_does_not_construct() -> None:
    """The command type itself holds the ratchet; a short's is the mirror."""
    PlaceOrder(request=STOP, trade_key="a", attempt=1, cause=CAUSE, ratchet=Decimal(90380))
    with pytest.raises(ValueError, match="S-3"):
        PlaceOrder(request=STOP, trade_key="a", attempt=1, cause=CAUSE, ratchet=Decimal("90380.1"))
    short = replace(STOP, side=Side.BUY)
    with pytest.raises(ValueError, match="S-3"):
        PlaceOrder(request=short, trade_key="a", attempt=1, cause=CAUSE, ratchet=Decimal("90379.9"))


@pytest.mark.rule("P-5")
def test_an_exit_that_could_open_does_not_construct() -> None:
    """Only an entry may be without reduce-only; an entry may not be with it."""
    market = replace(
        STOP, role=Role.FULL_EXIT, type=OrderType.MARKET, reduce_only=False, trigger_price=None
    )
    with pytest.raises(ValueError, match="P-5"):
        PlaceOrder(request=market, trade_key="a", attempt=1, cause=CAUSE)
    with pytest.raises(ValueError, match="P-5"):
        PlaceOrder(
            request=replace(market, role=Role.ENTRY, reduce_only=True),
            trade_key="a",
            attempt=1,
            cause=CAUSE,
        )
