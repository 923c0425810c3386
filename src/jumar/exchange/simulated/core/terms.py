"""The terms of the one account: what it pays and what may befall it. Pure values; knows nothing of positions."""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.text import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for the account from the start; by default nothing befalls it.

    Attributes:
        funding_rate: what longs pay shorts at every funding time, as a part of the notional; zero: no funding.
        liquidation: whether a position whose margin is used up is taken away.
        bnb: BNB in the wallet at the start; above zero, fees are paid in it until it is used up.
        bnb_price: USDT for one BNB, as long as the exchange has no market of its own for it.
    """

    funding_rate: Decimal = ZERO
    liquidation: bool = False
    bnb: Decimal = ZERO
    bnb_price: Decimal = Decimal(600)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ValueError: the message names the setting and the fix.
        """
        if not self.funding_rate.is_finite() or abs(self.funding_rate) > 1:
            raise ValueError(f"funding: {self.funding_rate} is no rate; 0.0001 is one, 0 is none")
        if not self.bnb.is_finite() or self.bnb < 0:
            raise ValueError(f"bnb: {self.bnb} is below zero; give BNB, e.g. 1")
        if not self.bnb_price.is_finite() or self.bnb_price <= 0:
            raise ValueError(f"bnb price: {self.bnb_price} is not above zero; give USDT, e.g. 600")


PLAIN_TERMS = Terms()
USUAL_TERMS = Terms(funding_rate=Decimal("0.0001"), liquidation=True)
