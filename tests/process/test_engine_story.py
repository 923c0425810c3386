"""The main path over real sockets: a whole engine, the simulated exchange, real SQLite, one event loop.

Every story ends with the judge's word on the exchange's own record.
"""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.engines import POLICY, Stage, staged

from jumar.model.account import AccountSettings
from jumar.model.errors import ConfigError
from jumar.model.policy import OnFlat
from jumar.ports.exchange import Exchange


async def armed(stage: Stage) -> None:
    """Start the engine, write the example, wait until the entry rests behind its stop."""
    await stage.start_engine()
    stage.decide()
    await stage.until_alive("S1", "E1")


async def held(stage: Stage) -> None:
    """Have the entry filled and wait until stops and targets rest."""
    await armed(stage)
    await stage.price("90786.5")
    await stage.until_alive("S1", "B1", "P1", "Q1")


async def idle(stage: Stage) -> bool:
    """Whether the engine has no trade and nothing rests."""
    return stage.idle() and not await stage.alive()


async def stop_at(stage: Stage, trigger: str) -> bool:
    """Whether exactly one working stop rests, at that price (marks are published once a second)."""
    stops = [r for name, r in (await stage.alive()).items() if name.startswith("S")]
    return [Decimal(stop["trigger"]) for stop in stops] == [Decimal(trigger)]


def all_held(verdict: dict[str, Any]) -> bool:
    """Whether every promise that was checked was kept, with no unprotected time."""
    kept = all(verdict["promises"].values()) and int(verdict["unprotected_ms_max"]) == 0
    assert kept, verdict
    return kept


@pytest.mark.rule("S-1", "E-2", "P-1")
async def test_the_armed_stop_is_confirmed_before_the_example_rests(tmp_path: Path) -> None:
    """The stop at 90380 first; then the entry at 90786.6, post-only, quantity 0.013."""
    async with staged(tmp_path) as stage:
        await armed(stage)
        acts = [r for r in await stage.ledger() if r["kind"] in {"conditional", "order"}]
        assert [(a["kind"], a["status"]) for a in acts] == [
            ("conditional", "NEW"),
            ("order", "NEW"),
        ]
        stop, entry = acts
        assert Decimal(stop["trigger"]) == Decimal(90380)
        assert (stop["reduce_only"], stop["working_type"]) == (True, "MARK_PRICE")
        assert Decimal(entry["price"]) == Decimal("90786.6")
        assert Decimal(entry["quantity"]) == Decimal("0.013")
        assert entry["time_in_force"] == "GTX"


@pytest.mark.rule("T-3", "T-4", "P-1", "P-2", "P-5", "P-8")
async def test_home_by_both_targets(tmp_path: Path) -> None:
    """TP1, stop to breakeven, TP2, swept; the judge finds every promise kept."""
    async with staged(tmp_path) as stage:
        await held(stage)
        await stage.price("91600.0")
        await stage.until(lambda: stop_at(stage, "90841.1"))
        assert len(await stage.alive()) == 3
        await stage.price("92900.0")
        await stage.until(lambda: idle(stage))
        verdict = await stage.verdict()
        assert all_held(verdict)
        assert (verdict["exits"]["tp1"], verdict["exits"]["tp2"]) == (1, 1)


@pytest.mark.rule("S-1", "S-9", "P-1", "P-8")
async def test_stopped_out(tmp_path: Path) -> None:
    """Mark falls through the stop: sold by the stop, targets and backstop swept, decision spent."""
    async with staged(tmp_path) as stage:
        await held(stage)
        await stage.price("90370.0")
        await stage.until(lambda: idle(stage))
        verdict = await stage.verdict()
        assert all_held(verdict)
        assert verdict["initial_stop_outs"] == 1
        await stage.price("90820.0")
        ticks = len(stage.watcher.ticks)

        async def looked_again() -> bool:
            return len(stage.watcher.ticks) > ticks + 4

        await stage.until(looked_again)
        assert [r.code for r in stage.watcher.ticks[-1].plan.refusals] == ["spent"]
        assert not await stage.alive()


@pytest.mark.rule("P-1")
async def test_a_gap_through_entry_and_stop_is_covered_from_the_first_lot(tmp_path: Path) -> None:
    """One step fills the entry and fires the stop: the position is never without cover."""
    async with staged(tmp_path) as stage:
        await armed(stage)
        await stage.price("90300.0")
        await stage.until(lambda: idle(stage))
        verdict = await stage.verdict()
        assert all_held(verdict)
        assert verdict["trades"] == 1


@pytest.mark.rule("C-1", "Y-11")
async def test_flat_closes_when_asked_to(tmp_path: Path) -> None:
    """on_flat = close: sold at market, swept after the proof of flat."""
    async with staged(tmp_path, replace(POLICY, on_flat=OnFlat.CLOSE)) as stage:
        await held(stage)
        stage.decide(action="flat", timestamp_iso="2025-12-05T10:04:53Z", entry_zone=[])
        await stage.until(lambda: idle(stage))
        verdict = await stage.verdict()
        assert all_held(verdict)
        assert await stage.position() == 0


@pytest.mark.rule("C-2", "X-9")
async def test_the_opposite_side_arms_only_after_the_old_trade_is_swept(tmp_path: Path) -> None:
    """Closed, proven flat, swept; then the short's stop is armed above."""
    async with staged(tmp_path) as stage:
        await held(stage)
        stage.decide(
            action="short",
            timestamp_iso="2025-12-05T10:04:53Z",
            entry_zone=[90700, 90900],
            sl=91220,
            tp1=90000,
            tp2=88700,
        )
        resting = await stage.until_alive("S1", "E1")
        assert resting["S1"]["side"] == "BUY"
        assert all_held(await stage.verdict())


@pytest.mark.rule("S-4", "S-13", "P-2")
async def test_a_stop_cancelled_by_a_person_is_restored(tmp_path: Path) -> None:
    """The working stop vanishes under an open position: it is back at the ratchet price."""
    async with staged(tmp_path) as stage:
        await held(stage)
        stop = (await stage.alive())["S1"]
        await stage.control("cancel", {"symbol": "BTCUSDT", "client_id": stop["client_id"]})
        resting = await stage.until_alive("S2", "B1", "P1", "Q1")
        assert Decimal(resting["S2"]["trigger"]) == Decimal(90380)
        assert all_held(await stage.verdict())


@pytest.mark.rule("X-2", "Q-1", "P-4")
async def test_a_restart_with_a_position_goes_on_where_it_was(tmp_path: Path) -> None:
    """Stopped and started again: the same orders rest, nothing is doubled, the trade comes home."""
    async with staged(tmp_path) as stage:
        await held(stage)
        before = await stage.alive()
        await stage.stop_engine()
        assert set(await stage.alive()) == set(before)
        await stage.start_engine()
        await stage.price("91600.0")
        await stage.until(lambda: stop_at(stage, "90841.1"))
        await stage.price("90700.0")
        await stage.until(lambda: idle(stage))
        assert all_held(await stage.verdict())


@pytest.mark.rule("E-7")
async def test_stopping_the_engine_takes_back_an_unfilled_entry(tmp_path: Path) -> None:
    """Entry cancelled, then the armed stop; nothing rests afterwards."""
    async with staged(tmp_path) as stage:
        await armed(stage)
        await stage.stop_engine()
        assert not await stage.alive()


@pytest.mark.rule("D-7")
async def test_a_decision_older_than_the_first_start_is_spent(tmp_path: Path) -> None:
    """With an empty journal a file that was there before never enters."""
    async with staged(tmp_path) as stage:
        stage.decide(timestamp_iso="2025-12-05T10:04:40Z")
        await stage.start_engine()

        async def judged() -> bool:
            return any(t.plan.refusals for t in stage.watcher.ticks)

        await stage.until(judged)
        assert [r.code for r in stage.watcher.ticks[-1].plan.refusals] == ["spent"]
        assert not await stage.alive()


@pytest.mark.rule("E-4", "G-15")
async def test_hedge_mode_is_refused_at_the_start_with_the_fix(tmp_path: Path) -> None:
    """One message that names the account and what to change; nothing was sent."""
    async with staged(tmp_path) as stage:
        await stage.signed("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"})
        with pytest.raises(ConfigError, match=r"\[account\] main: position mode is hedge.*one-way"):
            await stage.start_engine()
        assert not await stage.alive()


class Blocked:
    """A real venue that does not let the account trade."""

    def __init__(self, real: Exchange) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def account_settings(self) -> AccountSettings:
        """The real modes, without the permission."""
        return replace(await self._real.account_settings(), can_trade=False)


@pytest.mark.rule("E-4")
async def test_an_account_that_may_not_trade_is_refused_at_the_start(tmp_path: Path) -> None:
    """Said at once, instead of by refused stops later."""
    async with staged(tmp_path) as stage:
        with pytest.raises(ConfigError, match="canTrade = false"):
            await stage.start_engine(Blocked)


@pytest.mark.rule("D-4", "D-7", "P-1")
@pytest.mark.parametrize(
    "content",
    [
        "{half a file",
        "[]",
        '{"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:04:54Z", "action": "long"}',
        '{"symbol": "DOGEUSDT", "timestamp_iso": "2025-12-05T10:04:54Z", "action": "flat"}',
    ],
)
async def test_a_bad_file_never_touches_a_position(tmp_path: Path, content: str) -> None:
    """Half-written, no object, incomplete, a symbol of nobody: the position keeps every order."""
    async with staged(tmp_path) as stage:
        await held(stage)
        before = await stage.alive()
        (tmp_path / "decision.json").write_text(content)
        ticks = len(stage.watcher.ticks)

        async def looked_again() -> bool:
            return len(stage.watcher.ticks) > ticks + 4

        await stage.until(looked_again)
        assert await stage.alive() == before
        assert {incident.rule for incident in stage.watcher.incidents} <= {"D-5"}
