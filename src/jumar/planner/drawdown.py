"""How far the account's equity has fallen since the day and the week began, and what may be a loss (G-10, M-2).

Equity is compared less what was moved into the account since the base, so that a deposit is no gain and a withdrawal
no loss. Promises that nothing is called a loss before transfers were asked for after it showed.
"""

from collections.abc import Iterator
from decimal import Decimal

from jumar.model.command import Refusal
from jumar.model.moments import iso
from jumar.model.policy import Policy
from jumar.model.standing import AccountEquity, EquityBase
from jumar.model.units import PERCENT, percent_of, text
from jumar.model.world import World
from jumar.planner.approve import refuse

#: Money that left the account may show in its equity before it shows in the list of transfers.
TRANSFER_LAG_MS = 2000


def drawdown_refusals(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-10: equity has not fallen by more than the day's and the week's limit; exactly the limit passes.

    What looks like a loss but may be money that was moved out is `truth_incomplete` until the transfers are known.
    """
    equity = world.standing.equity
    if equity is None or equity.day is None or equity.week is None:
        yield refuse("truth_incomplete", "G-10", "the account's equity has not been recorded yet")
        return
    if equity.transfers_ms is None:
        words = "what was moved into and out of the account has not been read yet"
        yield refuse("truth_incomplete", "G-10", words)
        return
    for name, base, limit in (
        ("daily", equity.day, policy.daily_drawdown_pct),
        ("weekly", equity.week, policy.weekly_drawdown_pct),
    ):
        if not is_lower(equity.equity, base, limit):
            continue
        words = _drawdown_words(equity, base, limit)
        if is_proven(equity, base):
            yield refuse(f"{name}_drawdown", "G-10", words)
        else:
            words += "; whether that money was moved out is being asked"
            yield refuse("truth_incomplete", "G-10", words)


def is_lower(equity: Decimal, base: EquityBase, limit_pct: Decimal) -> bool:
    """Whether equity, less what was moved in since, fell by more than a share of what it was."""
    return base.equity + base.transferred - equity > base.equity * limit_pct * PERCENT


def is_proven(equity: AccountEquity, base: EquityBase) -> bool:
    """Whether transfers were asked for long enough after equity began to look lower than a base allows."""
    asked, lower = equity.transfers_ms, base.lower_ms
    return asked is not None and lower is not None and asked >= lower + TRANSFER_LAG_MS


def daily_loss(world: World, policy: Policy) -> Refusal | None:
    """Return the day's drawdown where it is proven, whatever else may be wrong (M-2); None where it is not reached."""
    equity = world.standing.equity
    base = None if equity is None else equity.day
    if equity is None or base is None or not is_proven(equity, base):
        return None
    if not is_lower(equity.equity, base, policy.daily_drawdown_pct):
        return None
    words = _drawdown_words(equity, base, policy.daily_drawdown_pct)
    return refuse("daily_drawdown", "G-10", words)


def _drawdown_words(equity: AccountEquity, base: EquityBase, limit_pct: Decimal) -> str:
    lost = base.equity + base.transferred - equity.equity
    moved = f" less {text(base.transferred)} moved in" if base.transferred else ""
    return (
        f"equity {text(equity.equity)}{moved} is {text(percent_of(lost, base.equity))} % below "
        f"{text(base.equity)} of {iso(base.at_ms)}, {text(limit_pct)} % is allowed"
    )
