"""Self trades: where an order of the account would meet another of its own, and which of them expires.

A taker passes the public levels and its own resting orders by price; at one price the public volume comes first,
because it usually stood there before. Pure. The modes are Binance's: the taker's decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.matching import Execution, priority
from jumar.exchange.simulated.core.orders import Order, SelfTrade, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A place on the taker's way at which an order of the account rests."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Who ends when two orders of the account meet; neither: they trade with each other."""

    maker_expires: bool
    taker_expires: bool

    @classmethod
    def of(cls, mode: SelfTrade) -> "Meeting":
        """What the taker's mode says."""
        return cls(
            maker_expires=mode in (SelfTrade.EXPIRE_MAKER, SelfTrade.EXPIRE_BOTH),
            taker_expires=mode in (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH),
        )


def stages(
    executions: Sequence[Execution], makers: Sequence[Order], side: Side, limit: Decimal | None
) -> Iterator[Execution | Maker]:
    """The taker's way: public executions and own makers, best price first.

    What the taker no longer needs is the caller's to leave out.
    """
    waiting = sorted(makers, key=priority)
    for execution in executions:
        while waiting and _before(side, waiting[0].price, execution.price):
            yield Maker(order=waiting.pop(0))
        yield execution
    for maker in waiting:
        if limit is None or side.reaches(limit, maker.price):
            yield Maker(order=maker)


def _before(side: Side, first: Decimal, second: Decimal) -> bool:
    return first < second if side is Side.BUY else first > second
