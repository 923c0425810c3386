"""The account's limits over time: money that is moved, lives that end, places that are taken (G-10, G-11, G-17)."""

from decimal import Decimal
from typing import Any

import pytest
from tests.simulation.storyboard import FLAT, LONG, SEEDS, SHORT, Scene, scene
from tests.simulation.test_stories_guards import reasons, recorded, trades_and_loses
from tests.simulation.test_stories_symbols import ETH, HELD, OF_ETH, QUIET, hold_eth

from jumar.store import queries

many = pytest.mark.parametrize("seed", SEEDS)
TIGHT: dict[str, Any] = {"daily_drawdown_pct": Decimal("0.02"), "weekly_drawdown_pct": Decimal(40)}


def goes_home(s: Scene) -> None:
    """Nothing is wanted any more, and every judge is asked."""
    s.decision(FLAT)
    s.verdict()


@pytest.mark.rule("G-10", "P-7")
@many
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
@pytest.mark.parametrize("amount", ["-500", "500"])
def test_money_that_is_moved_is_neither_loss_nor_gain(
    seed: int, amount: str, *, told: bool
) -> None:
    """The entry rests on, or again within seconds; no drawdown is ever recorded, whether an event told it or not."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        if not told:
            s.script.mute = frozenset({"ACCOUNT_UPDATE"})
        s.transfer(amount)
        s.wait(8)
        s.expect_armed()
        assert recorded(s, "daily_drawdown") == 0
        assert reasons(s) == []
        goes_home(s)


@pytest.mark.rule("G-10")
@many
def test_a_deposit_hides_no_loss_and_a_restart_forgets_none(seed: int) -> None:
    """0.05 % are lost, 10 % are paid in: the next decision is refused, in this life and in the next one."""
    with scene(seed, **TIGHT) as s:
        s.at("10:05")
        trades_and_loses(s)
        s.transfer("1000")
        s.wait(5)
        s.decision(LONG)
        s.expect_outcome("refused", "daily_drawdown")
        s.expect_no_entry()
        s.kill()
        s.restart(after_s=2)
        s.wait(5)
        s.decision(LONG)
        told = s.expect_outcome("refused", "daily_drawdown")
        assert "less 1000 moved in" in told["reasons"][0]["message"]
        s.expect_no_entry()
        goes_home(s)


@pytest.mark.rule("G-10")
@many
def test_a_withdrawal_over_a_restart_is_no_loss(seed: int) -> None:
    """Money leaves while no engine runs: what equity was stands in the database, what was moved at the exchange."""
    with scene(seed) as s:
        s.at("10:05")
        s.kill()
        s.transfer("-3000")
        s.restart(after_s=5)
        s.wait(5)
        s.decision(LONG)
        s.expect_armed()
        assert recorded(s, "daily_drawdown") == 0
        goes_home(s)


@pytest.mark.rule("G-11", "P-6")
@many
@pytest.mark.parametrize(
    ("code", "policy"),
    [
        ("max_trades_per_day", {"max_trades_per_day": 1}),
        ("cooldown", {"cooldown_after_loss_s": 900}),
    ],
)
def test_a_restart_forgets_no_trade_and_no_loss(
    seed: int, code: str, policy: dict[str, Any]
) -> None:
    """Both stand in the database: the decision after the restart is refused."""
    with scene(seed, **policy) as s:
        s.at("10:05")
        trades_and_loses(s)
        s.kill()
        s.restart(after_s=2)
        s.wait(1)
        s.decision(LONG)
        s.expect_outcome("refused", code)
        s.expect_no_entry()
        goes_home(s)


@pytest.mark.rule("G-11")
@many
def test_a_partly_filled_trade_counts_over_a_restart_and_not_against_itself(seed: int) -> None:
    """The one trade of the day is open with a remainder that rests: killed and started, it rests again."""
    with scene(seed, max_trades_per_day=1) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.fill("0.004")
        s.expect_roles("BEPQS")
        s.kill()
        s.restart(after_s=1)
        s.wait(3)
        s.expect_roles("BEPQS")
        assert recorded(s, "max_trades_per_day") == 0
        s.decision(FLAT)
        s.price_to("90370")
        s.verdict("P-1")


@pytest.mark.rule("G-11", "C-2")
@many
def test_the_pause_after_a_loss_ends_by_itself(seed: int) -> None:
    """Closed by the opposite decision at a loss: that one waits out the pause, and then it enters."""
    with scene(seed, cooldown_after_loss_s=20) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90750")
        s.decision(SHORT)
        s.expect_flat()
        s.expect_outcome("refused", "cooldown")
        s.expect_no_entry(for_ticks=10)
        s.expect_armed(within_s=12)
        found = queries.trades(s.database)
        ended_ms = found[0].trade.ended_ms
        assert ended_ms is not None
        assert found[1].trade.armed_ms >= ended_ms + 20_000
        goes_home(s)


@pytest.mark.rule("G-11")
@many
def test_a_trade_that_won_is_followed_by_no_pause(seed: int) -> None:
    """Both targets hit: the next decision enters at once."""
    with scene(seed, cooldown_after_loss_s=900) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("91600", over_s=3)
        s.expect_position("0.007")
        s.price_to("92900", over_s=3)
        s.expect_home()
        s.price_to("90820")
        s.decision(LONG)
        s.expect_armed()
        goes_home(s)


@pytest.mark.rule("G-17", "O-3")
@many
def test_the_last_place_is_taken_once(seed: int) -> None:
    """Two decisions within a tick, room for one position: the second symbol is refused until the first is home."""
    with scene(seed, others={ETH: QUIET}, max_open_positions=1) as s:
        s.at("10:05")
        s.decision(LONG)
        s.wait(0.6)  # what is overwritten before a poll is never read
        with s.on(ETH):
            s.decision(OF_ETH)
            s.expect_outcome("refused", "max_open_positions")
            s.expect_no_entry()
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370")
        s.expect_flat()
        with s.on(ETH):
            s.expect_armed()
            s.decision(FLAT)
        s.verdict("P-1")


@pytest.mark.rule("G-17", "P-6")
@many
def test_after_a_restart_a_position_elsewhere_still_counts(seed: int) -> None:
    """Nothing is entered before every symbol was looked at, and what was found is in the way."""
    with scene(seed, others={ETH: QUIET}, max_open_positions=1) as s:
        s.at("10:05")
        hold_eth(s)
        s.kill()
        s.decision(LONG)
        s.restart(after_s=1)
        s.expect_outcome("refused", "max_open_positions")
        s.expect_no_entry()
        with s.on(ETH):
            s.expect_held(HELD)
            s.decision(FLAT)
            s.price_to("3080")
            s.expect_flat()
        s.decision(FLAT)
        s.verdict("P-1")
