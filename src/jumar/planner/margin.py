"""Where the exchange would liquidate a planned position, estimated before it exists (G-9).

Formula: Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" (FAQ 360033525271, read 2026-10),
for one position in one-way mode. Liquidation begins where the margin is no more than the maintenance margin:

    W + s · q · (p - e)  <=  q · p · r - c,    so    p = (s · q · e - W - c) / (q · (s - r))

with s plus one for a long and minus one for a short, q the quantity, e the entry price, r and c the maintenance rate
and the cumulative amount of the bracket, and W what carries the position: isolated, its own margin e · q / leverage
less the fee of the entry (taken as a taker's); crossed, the cross wallet with the unrealised profit of other positions
less their maintenance margin. The bracket is the one in which the notional at p lies. Maintenance margin is continuous
and convex over the brackets, so that it is the largest that any of them asks for: the price that comes first counts.

Not in it: funding to come, the liquidation fee, and losses that other crossed positions make later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from jumar.model.account import Balance, MarginMode, PositionReport
from jumar.model.instrument import Instrument, LeverageBracket
from jumar.model.order import Side
from jumar.model.units import ONE, ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A position that would be held: base currency, average entry in quote currency."""

    side: Side
    quantity: Decimal
    entry: Decimal

    @property
    def sign(self) -> Decimal:
        """Plus one for a long, minus one for a short."""
        return ONE if self.side is Side.BUY else -ONE


def isolated_margin(planned: Planned, leverage: int, taker_fee: Decimal) -> Decimal:
    """What belongs to an isolated position alone right after its entry, quote currency."""
    notional = planned.entry * planned.quantity
    return notional / leverage - notional * taker_fee


def crossed_margin(
    balance: Balance, planned: Planned, own: PositionReport | None, mark: Decimal, of: Instrument
) -> Decimal:
    """What carries a crossed position, quote currency: as if nothing of it were there yet (section 2).

    Args:
        balance: where it does not tell the cross wallet, what is available counts, which is never more.
        planned: its entry will cost a taker's fee at most.
        own: what of it is there already; its own profit and its own maintenance margin are taken out again.
        mark: at which that profit is counted.
        of: whose brackets ask for that maintenance margin.
    """
    fee = planned.entry * planned.quantity * of.taker_fee
    if balance.cross_wallet is None:
        return balance.available - fee
    others = (balance.cross_unrealized or ZERO) - (balance.maintenance or ZERO)
    if own is not None and own.quantity:
        notional = abs(own.quantity) * mark
        others += maintenance(of.brackets, notional) - (mark - own.entry_price) * own.quantity
    return balance.cross_wallet + others - fee


def maintenance(brackets: Sequence[LeverageBracket], notional: Decimal) -> Decimal:
    """The maintenance margin of a notional, quote currency: the largest that any bracket asks for."""
    asked = (notional * row.maintenance_margin_rate - row.cumulative for row in brackets)
    return max(asked, default=ZERO)


def liquidation_price(
    planned: Planned, margin: Decimal, brackets: Sequence[LeverageBracket]
) -> Decimal | None:
    """Return the mark price at which liquidation begins, not below zero.

    None when it never does: a long whose margin is worth more than itself. Without brackets no maintenance margin
    is asked for.
    """
    sign, quantity = planned.sign, planned.quantity
    rows = [(row.maintenance_margin_rate, row.cumulative) for row in brackets] or [(ZERO, ZERO)]
    prices = [
        (sign * quantity * planned.entry - margin - cumulative) / (quantity * (sign - rate))
        for rate, cumulative in rows
        if rate < ONE
    ]
    first = max(prices) if planned.side is Side.BUY else min(prices)
    if planned.side is Side.BUY and first <= ZERO:
        return None
    return max(first, ZERO)


def margin_of(
    planned: Planned,
    *,
    mode: MarginMode,
    leverage: int,
    balance: Balance,
    own: PositionReport | None,
    mark: Decimal,
    of: Instrument,
) -> Decimal:
    """What carries the position in a margin mode, quote currency."""
    if mode is MarginMode.ISOLATED:
        return isolated_margin(planned, leverage, of.taker_fee)
    return crossed_margin(balance, planned, own, mark, of)
