"""How an account may stand beside the world of a test: well, or so that nothing may be entered."""

from dataclasses import replace
from decimal import Decimal

from jumar.model.standing import AccountEquity, EquityBase, Holding, Standing

MOMENT = 1_764_929_105_000  # 2025-12-05T10:05:05Z


def equity(
    now: str = "10000",
    *,
    day: EquityBase | None = None,
    week: EquityBase | None = None,
    transfers_age_ms: int | None = 100,
) -> AccountEquity:
    """An account whose equity was 10 000 when day and week began, with the transfers known."""
    base = EquityBase(equity=Decimal(10000), at_ms=MOMENT - 36_000_000, transferred=Decimal(0))
    return AccountEquity(
        equity=Decimal(now),
        at_ms=MOMENT - 100,
        day=day or base,
        week=week or base,
        transfers_ms=None if transfers_age_ms is None else MOMENT - transfers_age_ms,
    )


HARMLESS = Standing(equity=equity())
_FALLEN = EquityBase(
    equity=Decimal(10300), at_ms=MOMENT - 1, transferred=Decimal(0), lower_ms=MOMENT - 10_000
)
#: Each keeps entries away for as long as it lasts, whatever the time.
REFUSING = {
    "equity not known": Standing(),
    "drawdown": Standing(equity=equity(day=_FALLEN)),
    "symbols not read": replace(HARMLESS, unseen=("ETHUSDT",)),
    "no place left": replace(HARMLESS, outside=("A", "B", "C")),
    "risk not known": replace(
        HARMLESS, others=(Holding(symbol="ETHUSDT", occupied=True, risk=None, conditional=6),)
    ),
}
