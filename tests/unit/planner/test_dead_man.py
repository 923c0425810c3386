"""E-7: the dead man's switch is asked for while an entry is alive, where it is proven harmless, and taken away after."""

from dataclasses import replace

import pytest
from tests.worlds import D, Storyboard, opened, seen, world

from jumar.model.command import Cause, Command, SetCountdown
from jumar.model.countdown import Countdown
from jumar.model.order import Channel, OrderReport, OrderState, OrderStatus, Role, Side
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner.dead_man import dead_man_commands, why_not
from jumar.planner.plan import plan

POLICY = Policy(max_notional_usdt=D(5000))
RULE = pytest.mark.rule("E-7")


def armed() -> World:
    """The entry rests; V-6 is proven here; nothing was asked of the switch yet."""
    board = Storyboard(world=world(no_dead_man=None))
    board.run(2)
    return board.world


def asked(now: World, **changes: object) -> World:
    """Sixty seconds were asked for just now, and accepted."""
    base = Countdown(ms=60_000, sent_ms=now.now_ms, until_ms=now.now_ms + 65_000, accepted=True)
    return replace(now, countdown=replace(base, **changes))  # type: ignore[arg-type]  # a test states only what differs


def later(now: World, ms: int) -> World:
    """Time goes by."""
    return replace(now, now_ms=now.now_ms + ms)


def wants(now: World, policy: Policy = POLICY) -> int | None:
    """The countdown that is asked for, None for none."""
    commands = dead_man_commands(now, policy)
    assert len(commands) < 2
    for command in commands:
        assert isinstance(command, SetCountdown)
        assert command.cause.rule == "E-7"
        return command.countdown_ms
    return None


def without_entry(now: World, *, ended_ago_ms: int = 0) -> World:
    """The entry's end is proven."""
    orders = tuple(
        replace(o, state=OrderState.ENDED, ended_ms=now.now_ms - ended_ago_ms)
        if o.role is Role.ENTRY
        else o
        for o in now.orders
    )
    return replace(now, orders=orders)


def foreign() -> OrderReport:
    """A regular order of somebody else."""
    return OrderReport(
        symbol="BTCUSDT",
        channel=Channel.REGULAR,
        client_id="web_1",
        venue_id="77",
        side=Side.BUY,
        type="LIMIT",
        status=OrderStatus.NEW,
        quantity=D("0.01"),
        price=D(88000),
        trigger_price=None,
        filled_quantity=D(0),
        reduce_only=False,
        close_position=False,
        updated_ms=0,
    )


@RULE
def test_it_is_put_off_every_third_of_its_time() -> None:
    """Asked for once the entry is alive, then every twenty of sixty seconds."""
    now = armed()
    assert wants(now) == 60_000
    assert wants(later(asked(now), 19_999)) is None
    assert wants(later(asked(now), 20_000)) == 60_000
    assert wants(now, Policy(max_notional_usdt=D(5000), dead_man_s=90)) == 90_000


@RULE
def test_a_missing_answer_is_asked_for_again_soon_a_refusal_is_not() -> None:
    """An unknown outcome after a second; a refused one with the next renewal."""
    unknown = asked(armed(), accepted=False)
    assert wants(later(unknown, 999)) is None
    assert wants(later(unknown, 1000)) == 60_000
    refused = asked(armed(), accepted=False, refused="-1000 no")
    assert wants(later(refused, 19_999)) is None
    assert wants(later(refused, 20_000)) == 60_000


@RULE
def test_it_is_taken_away_when_the_entry_has_ended() -> None:
    """Once, until the venue has said yes; what has run out by itself is left."""
    over = without_entry(asked(armed()))
    assert wants(over) == 0
    assert wants(later(over, 64_999)) == 0
    assert wants(later(over, 65_000)) is None
    assert over.countdown is not None
    sent = replace(over.countdown, ms=0, accepted=False)
    assert wants(later(replace(over, countdown=sent), 999)) is None
    assert wants(later(replace(over, countdown=sent), 1000)) == 0
    done = replace(sent, until_ms=0, accepted=True)
    assert wants(later(replace(over, countdown=done), 1000)) is None


@pytest.mark.rule("E-7", "V-6")
@pytest.mark.parametrize(
    ("reason", "policy"),
    [("not probed", POLICY), (None, Policy(max_notional_usdt=D(5000), dead_man_s=0))],
)
def test_unproven_or_unwanted_it_is_never_asked_for(reason: str | None, policy: Policy) -> None:
    """Not to begin with, not to renew, not to take away."""
    now = replace(armed(), no_dead_man=reason)
    assert why_not(now) == reason
    assert wants(now, policy) is None
    assert wants(later(asked(now), 30_000), policy) is None
    assert wants(without_entry(asked(now)), policy) is None


@RULE
def test_beside_a_foreign_regular_order_it_is_not_used() -> None:
    """It would go with ours: nothing is asked for, and what runs is taken away; a conditional one does not matter."""
    now = replace(armed(), open_orders=seen((foreign(),)))
    assert why_not(now) == "an order of somebody else rests here, web_1"
    assert wants(asked(now)) == 0
    assert wants(replace(now, open_orders=None)) == 0
    (beside,) = dead_man_commands(asked(now), POLICY)
    assert beside.cause.text == f"dead man's switch off: {why_not(now)}"
    (over,) = dead_man_commands(without_entry(asked(now)), POLICY)
    assert over.cause.text == "dead man's switch off: no entry is alive"
    ours = replace(foreign(), client_id=armed().orders[-1].client_id)
    for harmless in (
        replace(now, open_orders=seen((ours,))),
        replace(now, open_orders=seen(()), conditional_orders=seen((foreign(),))),
    ):
        assert why_not(harmless) is None
        assert wants(harmless) == 60_000


@RULE
def test_after_a_restart_one_that_may_still_run_is_taken_away() -> None:
    """Nothing is remembered: an entry that ended within the time may have left one."""
    now = armed()
    assert wants(without_entry(now, ended_ago_ms=59_999)) == 0
    assert wants(without_entry(now, ended_ago_ms=60_000)) is None
    ended = without_entry(now)
    unseen = tuple(replace(order, acked_ms=None) for order in ended.orders)
    assert wants(replace(ended, orders=unseen)) is None


@RULE
def test_a_stray_entry_counts() -> None:
    """One that belongs to no open trade is as dangerous."""
    now = armed()
    entries = tuple(o for o in now.orders if o.role is Role.ENTRY)
    assert wants(replace(now, trade=None, orders=(), strays=entries)) == 60_000


@RULE
def test_it_leaves_last_and_only_while_an_entry_is_alive() -> None:
    """Whatever else is planned goes first; a position without an entry needs none."""
    board = Storyboard(world=world(no_dead_man=None))
    kinds = [_kinds(plan(board.world, POLICY).commands)]
    for _ in range(3):
        board.tick()
        kinds.append(_kinds(plan(board.world, POLICY).commands))
    assert kinds[:3] == [["PlaceOrder"], ["PlaceOrder"], ["SetCountdown"]]
    held = replace(opened().world, no_dead_man=None, orders=(), trade=None)
    assert wants(held) is None


def _kinds(commands: tuple[object, ...]) -> list[str]:
    found: list[Command] = [each.command for each in commands]  # type: ignore[attr-defined]  # approved commands
    return [type(command).__name__ for command in found]


@RULE
def test_an_entry_after_one_that_was_taken_back_is_guarded_at_once() -> None:
    """The answer to the taking away is not waited for: the new entry has no countdown yet."""
    now = armed()
    off = Countdown(ms=0, sent_ms=now.now_ms, until_ms=0, accepted=True)
    for accepted in (True, False):
        assert wants(replace(now, countdown=replace(off, accepted=accepted))) == 60_000


@RULE
def test_a_time_that_three_does_not_divide_is_put_off_a_moment_early() -> None:
    """Ten seconds are put off after 3333 ms."""
    policy = Policy(max_notional_usdt=D(5000), dead_man_s=10)
    now = asked(armed(), ms=10_000)
    assert wants(later(now, 3332), policy) is None
    assert wants(later(now, 3333), policy) == 10_000


@RULE
@pytest.mark.parametrize(
    ("seconds", "policy"), [(60, POLICY), (90, replace(POLICY, dead_man_s=90))]
)
def test_what_is_asked_for_says_so(seconds: int, policy: Policy) -> None:
    """The symbol, the time in milliseconds, and words that a person understands."""
    words = f"dead man's switch: the venue cancels the entry after {seconds} s without us"
    assert dead_man_commands(armed(), policy) == (
        SetCountdown(
            symbol="BTCUSDT",
            countdown_ms=seconds * 1000,
            cause=Cause(rule="E-7", text=words),
        ),
    )


@RULE
def test_what_is_taken_away_says_so() -> None:
    """Zero, for the symbol, and why: nothing to guard, or nothing known of what else it would take."""
    off = SetCountdown(
        symbol="BTCUSDT",
        countdown_ms=0,
        cause=Cause(rule="E-7", text="dead man's switch off: no entry is alive"),
    )
    assert dead_man_commands(without_entry(asked(armed())), POLICY) == (off,)
    unread = "the order list has not been read yet"
    assert why_not(replace(armed(), open_orders=None)) == unread
    (unknown,) = dead_man_commands(replace(asked(armed()), open_orders=None), POLICY)
    assert unknown.cause.text == f"dead man's switch off: {unread}"


@RULE
def test_after_a_restart_only_entries_may_have_left_one() -> None:
    """Stops that were acknowledged and ended lately say nothing; an entry that has not ended does."""
    now = armed()
    assert any(order.role is Role.STOP and order.acked_ms is not None for order in now.orders)
    stops = tuple(order for order in without_entry(now).orders if order.role is not Role.ENTRY)
    assert wants(replace(now, orders=stops)) is None
    beside = replace(now, open_orders=seen((foreign(),)))
    assert wants(beside) == 0
