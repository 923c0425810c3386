"""How the account stands beside one symbol: its equity, its trades, what the other symbols hold, what may still be sent.

Frozen values that the engine assembles for every tick from all its symbols, the store and the venue's own counts, so
that the guards of one symbol can judge the account (G-10, G-11, G-14, G-17).
"""

from dataclasses import dataclass
from decimal import Decimal

DAY_MS = 24 * 60 * 60 * 1000
#: 1970-01-01 was a Thursday: the first ISO week with a Monday in that era began four days later.
_FIRST_MONDAY_MS = 4 * DAY_MS
#: Conditional orders that rest at once over all symbols of an account, and what a trade may need of them (W-5).
CONDITIONAL_ORDERS_MAX = 200
CONDITIONAL_ORDERS_OF_A_TRADE = 6


def day_begin(at_ms: int) -> int:
    """Return when the UTC day of a moment began."""
    return at_ms - at_ms % DAY_MS


def week_begin(at_ms: int) -> int:
    """Return when the ISO week of a moment began: Monday, midnight UTC."""
    return at_ms - (at_ms - _FIRST_MONDAY_MS) % (7 * DAY_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityBase:
    """What equity is compared with: the last one recorded before a period began, else the first after (G-10).

    Attributes:
        equity: quote currency, above zero.
        at_ms: for which exchange time it was recorded.
        transferred: what was moved into the account since then; below zero for what was moved out.
        lower_ms: since when, without a break, equity seems to have fallen by more than the limit allows; None while it
            does not. Only transfers that were asked for later can tell a loss from money that was moved out.
    """

    equity: Decimal
    at_ms: int
    transferred: Decimal
    lower_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEquity:
    """The account's equity now and what it was when the day and the week began.

    Attributes:
        equity: margin balance, quote currency; at_ms: when it was asked for.
        day, week: None until equity was recorded once.
        transfers_ms: when the transfers were last asked for, None before the first answer.
    """

    equity: Decimal
    at_ms: int
    day: EquityBase | None = None
    week: EquityBase | None = None
    transfers_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeBegun:
    """A trade of the account and the exchange time of its first fill."""

    key: str
    symbol: str
    first_fill_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLost:
    """A trade that ended with less than it began with: `net` is its result after fees, below zero."""

    key: str
    symbol: str
    net: Decimal
    ended_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a symbol holds, or would hold if its resting entry filled.

    Attributes:
        occupied: whether that is anything.
        risk: loss at its stop, fees included, quote currency, never below zero; None where it is not known.
        conditional: conditional orders that rest or that its trade may still need.
    """

    symbol: str
    occupied: bool
    risk: Decimal | None
    conditional: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What was used of one limit in its present window.

    Attributes:
        name: of the window, as the venue calls it: `10s`, `1m`.
        limit: None where the venue has not told it.
        at_ms: exchange time of the count; a window that began later has used nothing yet.
    """

    name: str
    window_ms: int
    used: int
    limit: int | None
    at_ms: int

    def left(self, now_ms: int) -> int | None:
        """Return how much is left of it now, None where the limit is not known. Windows begin at whole multiples."""
        if self.limit is None:
            return None
        same = now_ms // self.window_ms == self.at_ms // self.window_ms
        return self.limit - (self.used if same else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueBudget:
    """What the venue says of its limits.

    Attributes:
        orders: orders placed; reads: request weight. Empty where it has not told.
        silent_until_ms: exchange time before which it wants to hear nothing; zero when it never said so.
    """

    orders: tuple[Counter, ...] = ()
    reads: tuple[Counter, ...] = ()
    silent_until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the account stands, seen from one of its symbols.

    Attributes:
        equity: None until the balance was read.
        begun: the trades of the last days by their first fill, over all symbols.
        lost: the newest end of a trade that lost, None without one.
        others: every other symbol of the engine.
        unseen: other symbols that have not been looked at since the start: what they hold is not known.
        outside: symbols with a position that this engine does not manage.
        budget: None where the venue tells nothing.
    """

    equity: AccountEquity | None = None
    begun: tuple[TradeBegun, ...] = ()
    lost: TradeLost | None = None
    others: tuple[Holding, ...] = ()
    unseen: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    budget: VenueBudget | None = None


#: Of an account of which nothing is known yet: no entry.
NOTHING_KNOWN = Standing()
