"""Margin arithmetic over account, open orders and prices: what an order needs, what is free, where liquidation lies.

Formulas of Binance's USDⓈ-M documentation ("Leverage and Margin of USDⓈ-M Futures Contracts", liquidation
price FAQ 360033525271). In hedge mode each side of a symbol has its own margin and its own bracket. Pure: what follows from it is decided elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.account import Account
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import Order, notionals
from jumar.exchange.simulated.core.position import Position, money
from jumar.exchange.simulated.core.text import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One symbol's signed position notional at mark and the notionals of its open opening orders."""

    position: Decimal
    bids: Decimal
    asks: Decimal

    @property
    def largest(self) -> Decimal:
        """The largest position notional the open orders could lead to."""
        return max(
            abs(self.position), abs(self.position + self.bids), abs(self.position - self.asks)
        )


def exposure(position: Position, orders: Iterable[Order], mark: Decimal) -> Exposure:
    """The exposure of a position with its symbol's open orders; reduce-only orders add none."""
    bids, asks = notionals(orders, position.side)
    return Exposure(position=position.quantity * mark, bids=bids, asks=asks)


def order_margin(of: Exposure, leverage: int) -> Decimal:
    """Initial margin reserved for open orders."""
    return money((of.largest - abs(of.position)) / leverage)


def position_margin(position: Position, mark: Decimal, leverage: int | None = None) -> Decimal:
    """Initial margin of the position at the mark price, at its own leverage or another."""
    return money(abs(position.quantity) * mark / (leverage or position.leverage))


def maintenance_margin(position: Position, instrument: Instrument, mark: Decimal) -> Decimal:
    """Maintenance margin of the position at the mark price."""
    notional = abs(position.quantity) * mark
    row = instrument.bracket(notional)
    return money(notional * row.ratio - row.cum) if notional else ZERO


def liquidation_price(
    positions: Iterable[Position], instrument: Instrument, wallet: Decimal, mark: Decimal
) -> Decimal:
    """The mark price at which `wallet` no longer carries a symbol's `positions`, which share it; zero if none."""
    numerator, denominator = wallet, ZERO
    for position in positions:
        held = abs(position.quantity)
        row = instrument.bracket(held * mark)
        numerator += row.cum - position.quantity * position.entry_price
        denominator += held * row.ratio - position.quantity
    return max(ZERO, money(numerator / denominator)) if denominator else ZERO


def available(
    account: Account, orders: Mapping[str, list[Order]], markets: Mapping[str, MarketStep]
) -> Decimal:
    """What further orders may use: cross wallet and cross profit less margins of positions and orders."""
    free = account.cross_wallet
    for position in account.every():
        step = markets.get(position.symbol)
        if step is None:
            continue
        if position.quantity and not position.isolated:
            free += position.unrealized(step.mark) - position_margin(position, step.mark)
        open_orders = orders.get(position.symbol, [])
        if open_orders:
            free -= order_margin(exposure(position, open_orders, step.mark), position.leverage)
    return free
