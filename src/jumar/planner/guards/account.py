"""What the account can carry: equity, liquidation, trades of the day, a pause after a loss (G-8, G-9, G-11)."""

from collections.abc import Iterator

from jumar.model.command import Refusal
from jumar.model.moments import iso
from jumar.model.policy import Policy
from jumar.model.standing import DAY_MS, day_begin
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.holding import worst_entry
from jumar.planner.margin import Planned, liquidation_price, margin_of


def equity_refusals(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-8: equity is not below the least that is wanted."""
    if world.balance is None:
        yield refuse("truth_incomplete", "G-13", "the balance has not been read yet")
    elif world.balance.value.equity < policy.equity_min_usdt:
        yield refuse(
            "equity_below_min",
            "G-8",
            f"equity {text(world.balance.value.equity)} is below {text(policy.equity_min_usdt)}",
        )


# liquidation


def liquidation_refusals(
    world: World, policy: Policy, trade: Trade, leverage: int | None
) -> Iterator[Refusal]:
    """G-9: at the worst price of the band, liquidation would come beyond the stop, with a buffer.

    Args:
        world: with the balance and, for an entry that rests, margin mode and leverage as read back.
        policy: the symbol's limits.
        trade: planned, or with an entry that may rest.
        leverage: what the set-up will make it; None: as read back. Nothing is armed before both are the same (E-4).
    """
    instrument, balance, settings = world.instrument, world.balance, world.settings
    if instrument is None or balance is None or trade.planned_quantity <= 0:
        return
    mode = policy.margin_mode
    if leverage is None:
        if settings is None:
            words = "margin mode and leverage have not been read back yet"
            yield refuse("truth_incomplete", "G-13", words)
            return
        leverage, mode = settings.value.leverage, settings.value.margin_mode
    entry = worst_entry(world, trade, policy)
    planned = Planned(side=trade.side, quantity=trade.planned_quantity, entry=entry)
    margin = margin_of(
        planned,
        mode=mode,
        leverage=leverage,
        balance=balance.value,
        own=None if world.position is None else world.position.value,
        mark=entry if world.mark is None else world.mark.value,
        of=instrument,
    )
    price = liquidation_price(planned, margin, instrument.brackets)
    stop, sign = trade.initial_stop, trade.sign
    buffer = abs(entry - stop) * policy.liquidation_buffer_pct * PERCENT
    if price is None or (stop - price) * sign >= buffer:
        return
    yield refuse(
        "liquidation_inside_stop",
        "G-9",
        f"entered at {text(entry)} with {mode.value.lower()} margin and leverage {leverage} it would be liquidated at "
        f"{text(price.quantize(instrument.tick_size))}; it must be {text(buffer)} or more beyond the stop {text(stop)}",
    )


# trades


def trade_refusals(world: World, policy: Policy, own: Trade | None) -> Iterator[Refusal]:
    """G-11: trades of this UTC day by their first fill, over all symbols, and the pause after one that lost."""
    today, own_key = day_begin(world.now_ms), None if own is None else own.key
    begun = [t for t in world.standing.begun if t.first_fill_ms >= today and t.key != own_key]
    if len(begun) >= policy.max_trades_per_day:
        yield refuse(
            "max_trades_per_day",
            "G-11",
            f"{len(begun)} trades began this UTC day, {policy.max_trades_per_day} are allowed: "
            f"passes again at {iso(today + DAY_MS)}",
        )
    lost = world.standing.lost
    if lost is None:
        return
    passes_ms = lost.ended_ms + policy.cooldown_after_loss_s * 1000
    if world.now_ms < passes_ms:
        yield refuse(
            "cooldown",
            "G-11",
            f"trade {lost.key} ({lost.symbol}) ended at {iso(lost.ended_ms)} with {text(lost.net)} after fees: "
            f"passes again at {iso(passes_ms)}",
        )
