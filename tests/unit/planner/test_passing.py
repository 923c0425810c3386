"""What holds entries back only as long as its cause lasts: senses, lost answers, strangers (M-3, S-13, Y-7)."""

from dataclasses import replace

import pytest
from tests.worlds import NOW, POLICY, Storyboard, codes, opened, roles, seen, world

from jumar.model.command import CancelOrder
from jumar.model.mode import Health, Mode
from jumar.model.order import Channel, OrderReport, OrderState, OrderStatus, Role, Side
from jumar.model.policy import ForeignOrders
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner import ladder
from jumar.planner.modes import in_force, passing
from jumar.planner.plan import plan


def found(seen: World) -> list[str]:
    """The causes that hold now."""
    return [state.code for state in passing(seen)]


def resting_entry() -> Storyboard:
    """An entry that rests behind its armed stop."""
    story = Storyboard(world=world())
    story.run(2)
    assert "E1" in story.alive()
    return story


def stranger(name: str = "web_1", **changes: object) -> OrderReport:
    """An order of somebody else on the symbol."""
    report = OrderReport(
        symbol="BTCUSDT",
        channel=Channel.REGULAR,
        client_id=name,
        venue_id="77",
        side=Side.BUY,
        type="LIMIT",
        status=OrderStatus.NEW,
        quantity=ZERO,
        price=ZERO,
        trigger_price=None,
        filled_quantity=ZERO,
        reduce_only=False,
        close_position=False,
        updated_ms=NOW,
        working_type=None,
        time_in_force=None,
        price_protect=False,
    )
    return replace(report, **changes)  # type: ignore[arg-type]  # a test states only what differs


@pytest.mark.rule("M-3")
@pytest.mark.parametrize(("silent_ms", "expected"), [(10_000, []), (10_001, ["unreachable"])])
def test_an_exchange_that_does_not_answer_for_more_than_ten_seconds(
    silent_ms: int, expected: list[str]
) -> None:
    """Counted from the first read without an answer; it heals with the next answer."""
    health = Health(unanswered_ms=NOW - silent_ms)
    assert found(world(health=health)) == expected
    assert found(world(health=Health())) == []


@pytest.mark.rule("M-3")
@pytest.mark.parametrize(
    ("hears", "unanswered_ms", "expected"),
    [(False, NOW - 1, ["deaf"]), (True, NOW - 1, []), (False, None, [])],
)
def test_a_silent_stream_and_failing_reads_together(
    hears: bool, unanswered_ms: int | None, expected: list[str]
) -> None:
    """Either alone is no reason: reads replace the stream, the stream replaces reads."""
    assert found(world(health=Health(unanswered_ms=unanswered_ms, hears=hears))) == expected


@pytest.mark.rule("M-3", "W-2")
@pytest.mark.parametrize(("off_ms", "expected"), [(1000, []), (1001, ["clock_off"])])
def test_a_clock_that_is_off_by_more_than_a_second(off_ms: int, expected: list[str]) -> None:
    """After it was measured again."""
    assert found(world(health=Health(clock_off_ms=off_ms))) == expected


@pytest.mark.rule("M-3")
@pytest.mark.parametrize(
    ("ages_ms", "expected"),
    [
        ((299_999, 1000, 0), ["unknown_outcomes"]),
        ((300_000, 1000, 0), []),
        ((1000, 0), []),
    ],
)
def test_three_unknown_outcomes_within_five_minutes(
    ages_ms: tuple[int, ...], expected: list[str]
) -> None:
    """The oldest of three counts until it is five minutes old."""
    moments = tuple(NOW - age for age in ages_ms)
    assert found(world(health=Health(unknown_ms=moments))) == expected


@pytest.mark.rule("X-7")
def test_a_database_that_was_replaced_refuses_entries_with_a_code_of_its_own() -> None:
    """Code `not_writer`, and the reason as it was found."""
    result = plan(world(health=Health(not_writer="jumar.db was replaced")), POLICY)
    assert codes(result) == ["not_writer"]
    assert "jumar.db was replaced" in result.refusals[0].message


@pytest.mark.rule("M-3", "X-5")
@pytest.mark.parametrize(("age_ms", "expected"), [(60_000, []), (60_001, ["unresolved"])])
@pytest.mark.parametrize("stray", [False, True])
def test_an_intent_without_an_outcome_for_more_than_a_minute(
    age_ms: int, expected: list[str], stray: bool
) -> None:
    """Whether it belongs to the open trade or to an earlier one."""
    story = opened()
    order = replace(
        next(o for o in story.journal.values() if o.role is Role.TP1),
        state=OrderState.UNKNOWN,
        journaled_ms=story.world.now_ms - age_ms,
    )
    orders = () if stray else (order,)
    strays = (order,) if stray else ()
    assert found(replace(story.world, orders=orders, strays=strays)) == expected


@pytest.mark.rule("S-13", "M-3")
def test_an_invisible_stop_holds_entries_back_while_it_is_invisible() -> None:
    """The mode names the stop and heals when a list shows it again."""
    story = opened().later(1000).forgets("S1")
    assert found(story.world) == ["invisible_stop"]
    assert "S1" in passing(story.world)[0].cause
    assert found(opened().world) == []


@pytest.mark.rule("M-1", "M-3", "G-12")
def test_a_passing_mode_refuses_names_its_rule_and_cancels_the_resting_entry() -> None:
    """Code `mode`; the entry goes, the armed stop and the trade stay, and it may come again."""
    story = resting_entry()
    story.world = replace(story.world, health=Health(unanswered_ms=story.world.now_ms - 11_000))
    result = story.tick()
    assert codes(result) == ["mode"] and result.refusals[0].rule == "M-3"
    assert "11.0 s" in result.refusals[0].message
    assert roles(result) == ["-E"]
    assert [state.code for state in result.passing] == ["unreachable"]
    assert story.trade.entry_over is None and story.world.mode is None
    story.world = replace(story.world, health=Health())
    story.later(2000)
    assert "+E" in story.run(2)


@pytest.mark.rule("M-1")
def test_every_mode_that_holds_is_told_and_the_strictest_counts() -> None:
    """Symbol, account and what passes; NORMAL is none."""
    kept = ladder.state("paused", "1", NOW)
    account = ladder.state("keys_rejected", "2", NOW)
    health = Health(unanswered_ms=NOW - 11_000)
    held = world(mode=kept, account_mode=account, health=health)
    assert [state.code for state in in_force(held)] == ["paused", "keys_rejected", "unreachable"]
    assert ladder.strictest(in_force(held)) is Mode.PROTECT_ONLY
    normal = replace(kept, mode=Mode.NORMAL)
    assert in_force(world(mode=normal, account_mode=normal)) == ()


@pytest.mark.rule("G-12", "M-6")
@pytest.mark.parametrize("code", ["paused", "all_paused", "flatten"])
def test_a_pause_has_a_code_of_its_own(code: str) -> None:
    """`paused`, with the words that say who and what ends it."""
    kept = replace(ladder.state(code, "paused by 1 person", NOW), mode=Mode.NO_ENTRIES)
    for held in (world(mode=kept), world(account_mode=kept)):
        result = plan(held, POLICY)
        assert codes(result) == ["paused"]
        assert "paused by 1 person" in result.refusals[0].message
        assert "jumar resume" in result.refusals[0].message


# somebody else's orders


@pytest.mark.rule("Y-7", "M-3")
def test_somebody_elses_order_is_left_alone_and_holds_entries_back() -> None:
    """In either list; nothing is sent to it, the entry that rests is taken back."""
    for name in ("open_orders", "conditional_orders"):
        story = resting_entry()
        report = stranger()
        listed = seen((report,))
        if name == "open_orders":
            story.world = replace(story.world, open_orders=listed)
        else:
            story.world = replace(story.world, conditional_orders=listed)
        result = story.tick()
        assert roles(result) == ["-E"]
        assert [(state.code, state.rule) for state in result.passing] == [("foreign_order", "Y-7")]
        assert "web_1" in result.refusals[0].message


@pytest.mark.rule("Y-7")
def test_somebody_elses_order_is_cancelled_only_where_that_is_wanted() -> None:
    """`foreign_orders = "cancel"`: by id, each one, flat or not; what only reduces stays beside a position."""
    policy = replace(POLICY, foreign_orders=ForeignOrders.CANCEL)
    entry, exit_ = stranger("web_1"), stranger("web_2", reduce_only=True)
    whole = stranger("web_3", close_position=True)
    regular, conditional = seen((entry, exit_)), seen((whole,))
    flat = world(decision=None, open_orders=regular, conditional_orders=conditional)

    def cancelled(asked: World) -> list[str]:
        sent = [each.command for each in plan(asked, policy).commands]
        return [each.client_id for each in sent if isinstance(each, CancelOrder) and each.foreign]

    assert cancelled(flat) == ["web_1", "web_2", "web_3"]
    held = opened(policy=policy).later(1000).world
    held = replace(held, open_orders=regular, conditional_orders=conditional)
    assert cancelled(held) == ["web_1"]
    assert plan(flat, POLICY).commands == ()


@pytest.mark.rule("Y-7")
def test_our_own_orders_are_nobody_elses() -> None:
    """A list that shows only ours holds nothing back."""
    story = opened().later(1000)
    story.lists(*(story.listed(name) for name in story.alive()))
    assert found(story.world) == []


@pytest.mark.rule("X-7", "M-1")
def test_while_an_earlier_engines_orders_may_arrive_nothing_is_entered() -> None:
    """By itself, and with how long it lasts."""
    result = plan(world(health=Health(lease_wait_ms=3900)), POLICY)
    assert codes(result) == ["mode"]
    assert "may have orders on their way for 3.9 s more" in result.refusals[0].message
    assert codes(plan(world(health=Health(lease_wait_ms=0)), POLICY)) == []
