"""Whether the exchange's state permits an entry: the symbol, the account's modes, a position of nobody's (G-15)."""

from collections.abc import Iterator
from decimal import Decimal

from jumar.model.account import MarginMode
from jumar.model.command import Refusal
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.position import told_positions

#: A trade may take so long: in the last day of a contract none is begun.
LAST_DAY_MS = 24 * 60 * 60 * 1000


def exchange_state(world: World, policy: Policy, own: Trade | None) -> Iterator[Refusal]:
    """G-15: the symbol trades, the modes are as needed, and nothing is held that is not ours."""
    instrument, account = world.instrument, world.account_settings
    if instrument is None:
        yield refuse("symbol_not_trading", "G-15", "the filters of the symbol are not known yet")
    elif instrument.status != "TRADING":
        yield refuse(
            "symbol_not_trading",
            "G-15",
            f"{world.symbol} has status {instrument.status}, not TRADING",
        )
    if instrument is not None and (left_ms := _until_delivery(world, policy)) is not None:
        yield refuse(
            "symbol_delisting",
            "G-15",
            f"{world.symbol} is delivered in {left_ms / 3_600_000:.1f} h, positions are closed "
            f"{policy.delist_close_before_s / 3600:.1f} h before: nothing is begun in its last "
            f"{_last_ms(policy) / 3_600_000:.0f} h",
        )
    if account is None:
        yield refuse("truth_incomplete", "G-13", "the account's modes have not been read yet")
    elif account.value.hedge_mode:
        yield refuse(
            "position_mode_hedge",
            "G-15",
            "the account is in hedge mode: switch Binance's position mode to one-way",
        )
    if account is not None and account.value.multi_assets:
        yield refuse(
            "multi_assets_mode",
            "G-15",
            "the account is in multi-assets mode: switch to single-asset",
        )
    if own is None and (held := _held(world, policy)) != ZERO:
        yield refuse(
            "foreign_position", "G-15", f"there is a position of {text(held)} that is not ours"
        )
    if world.setup_error is not None:
        yield refuse("margin_mode_mismatch", "G-15", world.setup_error)
    settings = world.settings
    if (
        own is not None
        and settings is not None
        and settings.value.margin_mode != policy.margin_mode
    ):
        wanted = "isolated" if policy.margin_mode is MarginMode.ISOLATED else "crossed"
        yield refuse("margin_mode_mismatch", "G-15", f"the margin mode is no longer {wanted}")


def _until_delivery(world: World, policy: Policy) -> int | None:
    """Milliseconds until the contract ends, None where that is far ahead or not known."""
    delivery_ms = None if world.instrument is None else world.instrument.delivery_ms
    if delivery_ms is None or delivery_ms - world.now_ms > _last_ms(policy):
        return None
    return delivery_ms - world.now_ms


def _last_ms(policy: Policy) -> int:
    """How long before the end of a contract nothing is begun any more: a day, and time enough to close."""
    return LAST_DAY_MS + policy.delist_close_before_s * 1000


def _held(world: World, policy: Policy) -> Decimal:
    """The largest position that any source tells that may be the truth."""
    told = (seen.value.quantity for seen in told_positions(world, policy))
    return max(told, key=abs, default=ZERO)
