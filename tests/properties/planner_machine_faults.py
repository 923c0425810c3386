"""Planted faults for the machine: one piece of the planner each is replaced by a plausible wrong one.

Each is plain to explain and was somebody's first version. Some are met by every search, others take a story that leads to
them. The product's own last checks are off meanwhile (`without_own_checks`), so that only the witness can notice.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.properties import planner_machine_stories as stories
from tests.properties.planner_machine_stories import Story

from jumar.model.command import AmendOrder, Cause, Command, PlaceOrder, Refusal
from jumar.model.order import OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner import (
    approve,
    chase,
    emergency,
    entry,
    facts,
    guards,
    invariants,
    lifecycle,
    moved_targets,
    moves,
    newer,
    slots,
    stop,
    trailing,
    zone,
)
from jumar.planner import plan as plan_module
from jumar.planner.backstop import backstop_commands
from jumar.planner.band import Band
from jumar.planner.facts import Facts
from jumar.planner.slots import alive, cancel, regular
from jumar.planner.stop import stop_commands

AN_HOUR_MS = 3_600_000

type Fault = Callable[[pytest.MonkeyPatch], None]


def without_own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the planner itself refuses to send is sent."""
    monkeypatch.setattr(invariants, "check", lambda *_: None)
    monkeypatch.setattr(approve, "_check_place", lambda *_: None)
    monkeypatch.setattr(approve, "_check_amend", lambda *_: None)


def ratchet_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost stop is restored where it began."""
    monkeypatch.setattr(Trade, "tightest", lambda self, *_: self.initial_stop)


def stop_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry leaves without asking whether its stop was confirmed, and stays when it is gone."""
    why_not = entry._why_not

    def careless(*known: Any) -> Cause | None:
        cause = why_not(*known)
        return None if cause is not None and cause.text.startswith("no armed stop") else cause

    monkeypatch.setattr(entry, "_why_not", careless)
    monkeypatch.setattr(entry, "armed_stop_confirmed", lambda *_: True)


def unknown_entry_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry without an answer counts as none."""

    def answered(world: World, role: Role) -> tuple[OwnOrder, ...]:
        return tuple(order for order in alive(world, role) if not order.unresolved)

    monkeypatch.setattr(entry, "alive", answered)


def filled_lots_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry asks for the whole plan."""
    place = entry._place

    def whole(
        world: World, trade: Trade, known: Facts, policy: Policy, band: Band
    ) -> tuple[Command, ...]:
        return place(world, trade, replace(known, entered=ZERO), policy, band)

    monkeypatch.setattr(entry, "_place", whole)


def flat_on_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """One position read of zero is the end, however late or empty."""

    def flat(world: World, *_: object) -> bool:
        return world.position is not None and world.position.value.quantity == ZERO

    monkeypatch.setattr(facts, "_flat", flat)


def numbers_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts are counted among what is alive."""
    monkeypatch.setattr(slots, "next_attempt", lambda world, role: len(alive(world, role)) + 1)


def swept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trade ends without waiting for the end of its orders."""
    monkeypatch.setattr(plan_module, "is_swept", lambda _: True)


def never_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cancelled when a trade is over."""
    monkeypatch.setattr(plan_module, "sweep_commands", lambda _: ())


def backstop_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backstop is placed at the ratchet."""

    def following(world: World, trade: Trade, known: Facts, policy: Policy) -> tuple[Command, ...]:
        moved = replace(trade, initial_stop=trade.tightest(trade.ratchet_price))
        return backstop_commands(world, moved, known, policy)

    monkeypatch.setattr(plan_module, "backstop_commands", following)


def cancelled_unconfirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old stop goes with the new one's request, not with its confirmation."""

    def hasty(world: World, *known: Any) -> tuple[Command, ...]:
        commands = stop_commands(world, *known)
        if not any(isinstance(command, PlaceOrder) for command in commands):
            return commands
        cause = Cause(rule="S-4", text="planted")
        old = (cancel(order, cause) for order in alive(world, Role.STOP))
        return (*commands, *old)

    monkeypatch.setattr(plan_module, "stop_commands", hasty)


def stop_of_what_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first fill the working stop is sized by it, not by the plan."""

    def sized(world: World, trade: Trade, known: Facts) -> Decimal:
        return known.cover_size if known.had_fill else trade.planned_quantity

    monkeypatch.setattr(stop, "_quantity", sized)


def old_decisions_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a decision is refused, stale or spent is not asked."""

    def nothing(*_: object) -> tuple[Refusal, ...]:
        return ()

    ends = lifecycle._entry_over

    def forgiving(*known: Any) -> Cause | None:
        over = ends(*known)
        return None if over is not None and over.rule in {"D-3", "D-7"} else over

    monkeypatch.setattr(guards, "standing_refusals", nothing)
    monkeypatch.setattr(lifecycle, "_entry_over", forgiving)


def truth_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry goes whatever has been read."""

    def nothing(*_: object) -> Iterator[Refusal]:
        return iter(())

    monkeypatch.setattr(guards, "truth_refusals", nothing)


def mode_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry goes in every mode."""

    def nothing(*_: object) -> Iterator[Refusal]:
        return iter(())

    monkeypatch.setattr(guards, "mode_refusals", nothing)
    monkeypatch.setattr(plan_module, "permitted", lambda _, commands, __: tuple(commands))


def exits_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """That an exit has filled does not end the entry."""
    monkeypatch.setattr(facts, "_exit_filled", lambda *_: False)


def exits_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full exits have the side of the position."""

    def turned(world: World, trade: Trade, role: Role, **rest: Any) -> PlaceOrder:
        return regular(world, trade, role, **{**rest, "side": trade.side})

    monkeypatch.setattr(emergency, "regular", turned)


def passes_whatever_it_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order passes to a newer decision of its side without looking at its plan."""
    monkeypatch.setattr(newer, "_is_same_plan", lambda *_: True)


def passes_after_a_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """What guides a position takes it over: the older decision would be forgotten, and could trade again."""
    guided = newer._guided

    def taken(world: World, trade: Trade, *known: Any) -> newer.Followed:
        followed = guided(world, trade, *known)
        owner = followed.trade.guiding
        return replace(followed, trade=replace(followed.trade, decision=owner, guide=None))

    monkeypatch.setattr(newer, "_guided", taken)


def targets_move_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moved target need not be worth the risk."""
    monkeypatch.setattr(moved_targets, "_problem", lambda *_: None)


def gap_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop may move right up to mark."""
    monkeypatch.setattr(moves, "nearest_to_mark", lambda world, *_: world.mark.value)


def moves_never_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wish goes at once."""
    monkeypatch.setattr(moves, "_waits", lambda *_: False)


def levels_never_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the levels file said once is true for ever."""
    monkeypatch.setattr(trailing, "fresh_levels", lambda levels, *_: levels)


def zone_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exit in the zone is not remembered."""
    monkeypatch.setattr(zone, "_was_made", lambda *_: False)


def chase_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry has always waited long enough."""
    monkeypatch.setattr(chase, "unfilled_ms", lambda *_: AN_HOUR_MS)


def chase_leaves_the_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """The touch is followed wherever it goes."""
    follow = chase.chase

    def far(world: World, trade: Trade, policy: Policy, band: Band, order: OwnOrder) -> Any:
        wide = replace(band, low=band.low / 2, high=band.high * 2)
        return follow(world, trade, policy, wide, order)

    monkeypatch.setattr(entry, "chase", far)
    monkeypatch.setattr(chase, "is_worth_it", lambda *_: True)


def chase_names_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """An amendment asks for the rest of its order instead of the total."""
    follow = chase.chase

    def resized(
        world: World, trade: Trade, policy: Policy, band: Band, order: OwnOrder
    ) -> tuple[Command, ...]:
        found = follow(world, trade, policy, band, order)
        return tuple(
            replace(
                each,
                request=replace(
                    each.request, quantity=each.request.quantity - order.filled_quantity
                ),
            )
            for each in found
            if isinstance(each, AmendOrder)
        )

    monkeypatch.setattr(entry, "chase", resized)


#: Faults that every search meets soon.
COMMON: tuple[tuple[Fault, frozenset[str]], ...] = (
    (stop_not_awaited, frozenset({"S-1"})),
    (flat_on_one_read, frozenset({"P-1", "P-2", "S-1", "S-4"})),
    (numbers_reused, frozenset({"X-1"})),
    (swept_at_once, frozenset({"X-9"})),
    (never_swept, frozenset({"P-8", "T-4"})),
    (exits_turned, frozenset({"P-5"})),
    (passes_whatever_it_plans, frozenset({"E-9"})),
    (passes_after_a_fill, frozenset({"E-9"})),
    (targets_move_anywhere, frozenset({"E-9"})),
)

#: Faults that take a story, the rule that each breaks in it, and the story.
RARE: tuple[tuple[Fault, str, Story], ...] = (
    (ratchet_forgotten, "S-3", stories.stops_lost_after_tp1),
    (gap_forgotten, "R-4", stories.tightened_at_a_loss),
    (moves_never_wait, "S-5", stories.follows_by_percent),
    (levels_never_age, "R-5", stories.levels_of_yesterday),
    (zone_forgotten, "L-1", stories.sold_beyond_tp1),
    (unknown_entry_forgotten, "E-10", stories.entry_unanswered),
    (filled_lots_forgotten, "P-4", stories.entry_lost),
    (backstop_follows, "S-2", stories.backstop_lost_after_tp1),
    (cancelled_unconfirmed, "S-4", stories.move_lost_after_tp1),
    (stop_of_what_filled, "S-4", stories.hand_adds),
    (old_decisions_enter, "P-4", stories.stopped_out),
    (truth_not_asked, "P-7", stories.position_unread),
    (mode_not_asked, "M-1", stories.hand_was_there),
    (exits_not_noticed, "S-9", stories.partly_out),
    (chase_never_waits, "E-5", stories.chased_to_the_edge),
    (chase_leaves_the_band, "P-3", stories.chased_to_the_edge),
    (chase_names_what_is_left, "P-4", stories.chased_after_a_lot),
)
