"""Ways to a trade that a newer decision of its side meets, long and short (E-9)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import (
    D,
    Storyboard,
    decision,
    short_decision,
    world,
)

from jumar.model.decision import Decision
from jumar.model.order import Role, Side
from jumar.model.policy import Policy
from jumar.model.world import DecisionState

POLICY = Policy(max_notional_usdt=D(5000))
SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])


def mirrored(side: Side, price: str) -> Decimal:
    """A price of the long example, or its mirror image at 90 800."""
    return D(price) if side is Side.BUY else D(181600) - D(price)


def made(side: Side, **changes: object) -> Decision:
    """The example of a side."""
    return decision(**changes) if side is Side.BUY else short_decision(**changes)


def newer(board: Storyboard, side: Side = Side.BUY, **prices: str | None) -> Decision:
    """A decision of now; prices are those of the long example, whatever the side."""
    base = made(side).levels
    assert base is not None
    changed = {n: None if p is None else mirrored(side, p) for n, p in prices.items()}
    edges = changed.pop("low", None), changed.pop("high", None)
    low, high = sorted(
        edge or present for edge, present in zip(edges, (base.zone_min, base.zone_max), strict=True)
    )
    moved = replace(base, zone_min=low, zone_max=high, **changed)  # type: ignore[arg-type]  # a test states only what differs
    now = board.world.now_ms
    return made(side, id=f"d{now}", timestamp_ms=now, levels=moved)


def armed(side: Side = Side.BUY, policy: Policy = POLICY) -> Storyboard:
    """The entry rests behind its stop."""
    board = Storyboard(world=world(decision=DecisionState(decision=made(side))), policy=policy)
    if side is Side.SELL:
        board.mark("90780")
    assert board.run(2) == ["+S", "+E"]
    return board.later(5000)


def partly(side: Side = Side.BUY, policy: Policy = POLICY) -> Storyboard:
    """Some of the entry has filled at its price; stops and a target rest."""
    board = armed(side, policy)
    board.fill(Role.ENTRY, "0.005", str(mirrored(side, "90786.6")))
    board.run(3)
    assert {"E1", "S1", "B1", "P1"} <= board.alive().keys()
    return board.later(20_000)


def guide_of(board: Storyboard) -> Decision | None:
    """The decision that guides the trade."""
    return board.trade.guide


def told(board: Storyboard, chosen: Decision) -> list[str]:
    """The decision comes into force and is looked at; what is noted of it."""
    return [f"{note.rule} {note.text}" for note in board.decide(chosen).tick().notes]
