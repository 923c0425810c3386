"""X-8: the breaker between the steps and the wire, for every kind of slot."""

from dataclasses import replace

import pytest
from tests.worlds import Storyboard, decision, opened, roles, world

from jumar.model import fold
from jumar.model.command import Cause, PlaceOrder
from jumar.model.order import OwnOrder, Role
from jumar.planner.slots import cancel, conditional, regular
from jumar.planner.storm import A_MINUTE_MS, calmed, entry_storm
from jumar.planner.sweep import sweep_commands

WHY = Cause(rule="T-1", text="1")
A_TENTH = 100


def again(board: Storyboard, role: Role, ages_ms: list[int]) -> Storyboard:
    """The journal has so many ended orders of a role, so old."""
    now = board.world.now_ms
    others = [order for order in board.journal.values() if order.role is not role]
    board.journal = {order.client_id: order for order in others}
    for number, age_ms in enumerate(ages_ms, 1):
        ended = fold.end_refused(_order(board, role, number), -1, "refused", now)
        board._put(replace(ended, journaled_ms=now - age_ms))
    board._sync()
    return board


def _order(board: Storyboard, role: Role, number: int) -> OwnOrder:
    placed = _command(board, role).journaled(board.world.now_ms)
    name = f"jm-{board.trade.key}-{role.value}{number}"
    return replace(placed, attempt=number, request=replace(placed.request, client_id=name))


def _command(board: Storyboard, role: Role) -> PlaceOrder:
    trade = board.trade
    if role in {Role.ENTRY, Role.FULL_EXIT, Role.ZONE_EXIT}:
        side = trade.side if role is Role.ENTRY else trade.side.opposite
        return regular(
            board.world, trade, role, quantity=trade.planned_quantity, side=side, cause=WHY
        )
    return conditional(
        board.world,
        trade,
        role,
        quantity=trade.planned_quantity,
        trigger=trade.initial_stop,
        cause=WHY,
    )


def passes(board: Storyboard, role: Role) -> bool:
    """Whether one more of a role may go; when not, a person hears of it."""
    command = _command(board, role)
    calm = calmed(board.world, [command])
    left_out = calm.commands == ()
    assert len(calm.alarms) == left_out
    assert all(alarm.rule == "X-8" for alarm in calm.alarms)
    return not left_out


LIMITED = (Role.ENTRY, Role.TP1, Role.TP2, Role.ZONE_EXIT)
STOPS = (Role.STOP, Role.BACKSTOP)


@pytest.mark.rule("X-8")
@pytest.mark.parametrize("role", LIMITED)
@pytest.mark.parametrize(("count", "goes"), [(5, True), (6, False), (7, False)])
def test_six_a_minute(role: Role, count: int, goes: bool) -> None:
    """A sixth entry or target of one slot within a minute may go, a seventh may not."""
    board = again(opened(), role, [A_TENTH * n for n in range(count)])
    assert passes(board, role) is goes


@pytest.mark.rule("X-8")
@pytest.mark.parametrize("role", LIMITED)
def test_the_minute_goes_by(role: Role) -> None:
    """What is a whole minute old does not count any more; a millisecond less does."""
    assert not passes(again(opened(), role, [A_MINUTE_MS - 1] * 6), role)
    assert passes(again(opened(), role, [A_MINUTE_MS] + [A_MINUTE_MS - 1] * 5), role)


@pytest.mark.rule("X-8")
@pytest.mark.parametrize("role", LIMITED)
@pytest.mark.parametrize(("count", "goes"), [(29, True), (30, False)])
def test_thirty_a_trade(role: Role, count: int, goes: bool) -> None:
    """However slowly: a thirty-first never goes."""
    board = again(opened(), role, [A_MINUTE_MS * (n + 1) for n in range(count)])
    assert passes(board, role) is goes


@pytest.mark.rule("X-8", "S-13")
@pytest.mark.parametrize("role", STOPS)
def test_twenty_stops_a_minute_then_one_a_minute(role: Role) -> None:
    """The twenty-first waits until the newest is a minute old; then the count begins anew."""
    assert passes(again(opened(), role, [A_TENTH * n for n in range(19)]), role)
    assert not passes(again(opened(), role, [A_TENTH * n for n in range(20)]), role)
    waiting = [A_MINUTE_MS - 1 + A_TENTH * n for n in range(20)]
    assert not passes(again(opened(), role, waiting), role)
    over = [A_MINUTE_MS + A_TENTH * n for n in range(20)]
    assert passes(again(opened(), role, over), role)
    assert passes(again(opened(), role, [0, *over]), role)


@pytest.mark.rule("X-8")
@pytest.mark.parametrize("role", STOPS)
def test_stops_have_no_cap_per_trade(role: Role) -> None:
    """A long life may need many: twenty within more than a minute never hold one back."""
    slow = [3200 * n for n in range(100)]
    assert passes(again(opened(), role, slow), role)
    edge = [0, *([1000] * 18), A_MINUTE_MS]
    assert passes(again(opened(), role, edge), role)
    assert not passes(again(opened(), role, [*edge[:-1], A_MINUTE_MS - 1]), role)


@pytest.mark.rule("X-8", "S-8")
def test_full_exits_are_not_counted() -> None:
    """S-8 has a rhythm of its own."""
    board = again(opened(), Role.FULL_EXIT, [A_TENTH * n for n in range(60)])
    assert passes(board, Role.FULL_EXIT)


@pytest.mark.rule("X-8")
def test_slots_do_not_share_a_count() -> None:
    """What TP1 used up is still TP2's, and a cancel is never held back."""
    board = again(opened(), Role.TP1, [A_TENTH * n for n in range(6)])
    assert not passes(board, Role.TP1)
    assert passes(board, Role.TP2)
    cancels = sweep_commands(board.world)
    assert cancels
    assert calmed(board.world, cancels).commands == cancels
    one = cancel(board.alive()["S1"], WHY)
    assert calmed(board.world, [one]).commands == (one,)


@pytest.mark.rule("X-8")
def test_a_target_left_out_is_told() -> None:
    """The plan goes on without it: the rest is sent, a person hears of it."""
    board = again(opened(), Role.TP1, [A_TENTH * n + 6000 for n in range(6)])
    result = board.tick()
    assert "+P" not in roles(result)
    (alarm,) = (alarm for alarm in result.alarms if alarm.rule == "X-8")
    assert "tp1" in alarm.subject
    assert "6 tp1 orders within a minute" in alarm.text


@pytest.mark.rule("X-8", "M-3")
def test_an_entry_storm_is_no_entries_until_it_is_over() -> None:
    """Six entries within a minute: no seventh, the reason is told; the minute over, the entry is placed."""
    board = Storyboard(world=world())
    board.run(2)
    again(board, Role.ENTRY, [A_TENTH * n + 2000 for n in range(6)])
    result = board.tick()
    assert "+E" not in roles(result)
    assert [(each.code, each.rule) for each in result.refusals] == [("mode", "X-8")]
    board.later(A_MINUTE_MS)
    assert "+E" in board.run(1)


@pytest.mark.rule("X-8")
def test_the_sixth_entry_rests_undisturbed() -> None:
    """The breaker holds back what comes next, it does not cancel what rests."""
    board = Storyboard(world=world())
    board.run(2)
    resting = board.alive()["E1"]
    again(board, Role.ENTRY, [A_TENTH * n for n in range(5)])
    board._put(
        replace(
            resting,
            attempt=6,
            request=replace(resting.request, client_id=resting.client_id[:-1] + "6"),
        )
    )
    board._sync()
    assert entry_storm(board.world) is None
    assert board.tick().commands == ()


@pytest.mark.rule("X-8", "P-4")
def test_an_earlier_set_up_uses_up_nothing_of_another_decision() -> None:
    """Thirty entries are counted for the decision that they were made for, not for the next one."""
    board = Storyboard(world=world())
    board.run(2)
    again(board, Role.ENTRY, [A_MINUTE_MS * (n + 1) for n in range(30)])
    board.world = replace(board.world, trade=None)
    assert entry_storm(board.world) is not None
    board.decide(decision(id="d2"))
    assert entry_storm(board.world) is None
    again_lately = [replace(order, journaled_ms=board.world.now_ms) for order in board.world.orders]
    board.world = replace(board.world, orders=tuple(again_lately))
    assert entry_storm(board.world) is not None


@pytest.mark.rule("X-8")
def test_where_no_entry_is_wanted_there_is_no_storm() -> None:
    """A trade whose entry is over needs none: nothing is said."""
    board = Storyboard(world=world())
    board.run(1)
    again(board, Role.ENTRY, [A_TENTH * n for n in range(6)])
    assert entry_storm(board.world) is not None
    board.world = replace(board.world, trade=replace(board.trade, entry_over="planned"))
    assert entry_storm(board.world) is None
