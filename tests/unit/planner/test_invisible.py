"""Invisible is not dead: a stop that nobody tells of any more is replaced, never given up (S-13)."""

from dataclasses import replace

import pytest
from tests.worlds import D, Storyboard, cancels, codes, opened, places, roles, world

from jumar.model.command import Plan
from jumar.model.journal import SymbolMemory
from jumar.model.order import Channel, OrderState, OrderStatus, OwnOrder, Role
from jumar.reconciler.observe import missed
from jumar.reconciler.state import SymbolState


def forgotten(story: Storyboard, ms: int = 1000) -> Plan:
    """Time passes, every stop that is seen becomes invisible, one look."""
    story.later(ms)
    for name, order in story.alive().items():
        if order.role is Role.STOP and not order.invisible and order.confirmed:
            story.forgets(name)
    return story.tick()


def seen_again(story: Storyboard) -> Plan:
    """The lists tell every stop again; one look."""
    stops = [name for name, order in story.alive().items() if order.role is Role.STOP]
    story.lists(*(story.listed(name) for name in stops))
    return story.tick()


# when a stop is invisible


def acknowledged() -> OwnOrder:
    """A working stop acknowledged at the second zero of its life."""
    return replace(opened().alive()["S1"], acked_ms=0, journaled_ms=0)


@pytest.mark.rule("S-13")
@pytest.mark.parametrize(
    ("times", "invisible"),
    [
        ((2000, 4000), True),
        ((2000, 3999), False),
        ((1999, 4000), False),
        ((1999, 2000, 4000), True),
        ((5000,), False),
        ((), False),
    ],
)
@pytest.mark.parametrize("how", ["unlisted", "misses"])
def test_two_looks_make_a_stop_invisible(how: str, times: tuple[int, ...], invisible: bool) -> None:
    """Two lists, or two reads by id: asked 2 s after the acknowledgement and 2 s apart."""
    assert replace(acknowledged(), **{how: times}).invisible is invisible  # type: ignore[arg-type]  # a field by name


@pytest.mark.rule("S-13")
def test_one_list_and_one_read_by_id_are_not_two_of_a_kind() -> None:
    """Each kind of look counts for itself."""
    assert not replace(acknowledged(), unlisted=(2000,), misses=(5000,)).invisible


@pytest.mark.rule("S-13")
@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.TRIGGERED, OrderState.ENDED])
def test_only_an_acknowledged_resting_stop_can_be_invisible(state: OrderState) -> None:
    """An unknown one was never seen; a triggered or ended one need not rest."""
    assert not replace(acknowledged(), state=state, unlisted=(2000, 4000)).invisible


@pytest.mark.rule("S-13", "W-1")
def test_lists_and_reads_of_the_engine_lead_there_and_back() -> None:
    """Two lists without it make it invisible, one list with it ends that; it never leaves the state OPEN."""
    story = opened()
    stop = story.alive()["S1"]
    acked_ms = stop.acked_ms or 0
    report = story.listed("S1")
    memory = SymbolMemory(symbol="BTCUSDT", trade=story.trade, orders=(stop,))
    state = SymbolState(account="main", store_id="store", memory=memory)
    for after_ms in (1999, 2500, 4499):
        state.saw_list(Channel.CONDITIONAL, (), acked_ms + after_ms, acked_ms + after_ms)
        assert not state.orders[stop.client_id].invisible
    state.saw_list(Channel.CONDITIONAL, (), acked_ms + 4500, acked_ms + 4500)
    assert state.orders[stop.client_id].invisible
    assert state.orders[stop.client_id].confirmed
    state.saw_list(Channel.CONDITIONAL, (report,), acked_ms + 5000, acked_ms + 5000)
    assert not state.orders[stop.client_id].invisible


@pytest.mark.rule("S-13", "X-4")
def test_reads_by_id_that_miss_it_prove_nothing() -> None:
    """However often it is missed: without a cancel it stays presumed alive."""
    stop = acknowledged()
    for at_ms in range(2000, 60_000, 1000):
        stop = missed(stop, at_ms, at_ms)
    assert stop.invisible and stop.alive_or_unknown


# what is done about it


@pytest.mark.rule("S-13", "S-3")
def test_an_invisible_stop_is_replaced_once() -> None:
    """Alarmed; one of the same price and size beside it, which is no S-7; nothing is cancelled."""
    story = opened()
    found = forgotten(story, 10_000)
    (stop,) = (place for place in places(found))
    assert (stop.request.trigger_price, stop.request.quantity) == (D(90380), D("0.013"))
    assert stop.cause.rule == "S-13"
    assert [alarm.rule for alarm in found.alarms] == ["S-13"]
    assert not found.uncovered and cancels(found) == []
    assert [word for _ in range(10) for word in roles(story.later(1000).tick())] == []


@pytest.mark.rule("S-13")
def test_three_at_once_then_one_a_minute_at_most_eight() -> None:
    """Every replacement is forgotten too: three follow at once, then one per 60 s, eight presumed alive in all."""
    story = opened()
    for _ in range(3):
        assert roles(forgotten(story, 5000)) == ["+S"]
    assert roles(forgotten(story, 5000)) == []
    assert roles(story.later(54_900).tick()) == []
    assert roles(story.later(100).tick()) == ["+S"]
    for _ in range(3):
        assert roles(forgotten(story, 59_900)) == []
        assert roles(story.later(100).tick()) == ["+S"]
    assert len([name for name in story.alive() if name.startswith("S")]) == 8
    assert roles(forgotten(story, 60_000)) == []
    assert [word for _ in range(10) for word in roles(story.later(60_000).tick())] == []
    assert story.trade.closing is None


@pytest.mark.rule("S-13", "S-4")
def test_visible_again_is_tidied() -> None:
    """Of all that cover one stays, the newest of the tightest; nothing before they are seen."""
    story = opened()
    for _ in range(3):
        forgotten(story, 5000)
    seen_again(story)
    story.run(3)
    assert [name for name in story.alive() if name.startswith("S")] == ["S4"]


@pytest.mark.rule("S-13", "S-4", "T-3")
def test_stops_that_come_to_light_do_not_keep_a_better_one_out() -> None:
    """Three at the old price are seen again after TP1 filled: the doubles go, then the stop moves to breakeven."""
    story = opened()
    for _ in range(2):
        forgotten(story, 5000)
    story.later(1000).mark("91600")
    story.refuse[Role.STOP] = -1111
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.tick()
    story.refuse.clear()
    story.later(1000)
    words = [*roles(seen_again(story)), *story.run(4)]
    stops = {n: o.request.trigger_price for n, o in story.alive().items() if n.startswith("S")}
    assert list(stops.values()) == [D("90841.1")], words


@pytest.mark.rule("S-13", "S-4")
def test_a_stop_of_a_moved_trade_is_replaced_where_it_was() -> None:
    """Invisible at breakeven: its double rests at breakeven too."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    story.run(3)
    (stop,) = (place.request for place in places(forgotten(story, 10_000)))
    assert stop.trigger_price == D("90841.1")


@pytest.mark.rule("S-13", "S-4", "P-2")
@pytest.mark.parametrize("how", ["unlisted", "misses"])
def test_nothing_goes_on_the_strength_of_a_stop_that_the_newest_look_lacks(how: str) -> None:
    """The moved stop is missed once: the one before it stays, and goes when the moved one is seen again."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    assert "+S" in roles(story.tick())
    story.later(5000)
    _missed_once(story, "S2", how)
    assert [words for _ in range(3) for words in roles(story.later(100).tick())] == []
    assert {"S1", "S2"} <= set(story.alive())
    seen_again(story)
    story.run(2)
    assert [name for name in story.alive() if name.startswith("S")] == ["S2"]


@pytest.mark.rule("S-4", "P-2")
def test_nothing_goes_on_the_strength_of_a_stop_that_was_not_seen_lately() -> None:
    """A start after a crash, before the first list: a person may have taken the moved stop meanwhile."""
    story = opened().later(1000).mark("91600")
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    assert "+S" in roles(story.tick())
    story.later(3001)
    story.world = replace(story.world, conditional_orders=None)
    assert cancels(story.tick()) == []
    seen_again(story)
    story.run(2)
    assert [name for name in story.alive() if name.startswith("S")] == ["S2"]


def _missed_once(story: Storyboard, name: str, how: str) -> None:
    order = replace(story.alive()[name], **{how: (story.world.now_ms - 500,)})  # type: ignore[arg-type]  # a field by name
    story.journal[order.client_id] = order
    story._sync()


@pytest.mark.rule("S-13", "S-7")
def test_never_a_reason_to_close() -> None:
    """Replacements are refused for minutes; the position is kept, the invisible stop presumed alive."""
    story = opened()
    story.refuse[Role.STOP] = -4045
    forgotten(story, 10_000)
    words = {word for _ in range(120) for word in roles(story.later(1000).tick())}
    assert words <= {"+S"}
    assert story.trade.closing is None and story.world.mode is None


@pytest.mark.rule("S-13", "M-3", "S-1")
def test_no_entry_rests_while_a_stop_is_invisible() -> None:
    """The remainder is cancelled with the code `mode`; it comes back when the stop is seen again."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6").run(2)
    found = forgotten(story, 10_000)
    assert codes(found) == ["mode"]
    assert "-E" in roles(found)
    assert "+E" in [*roles(seen_again(story)), *story.run(2)]


@pytest.mark.rule("S-13", "M-1")
def test_an_invisible_stop_keeps_no_mode() -> None:
    """NO_ENTRIES heals by itself: no operator is needed."""
    story = opened()
    forgotten(story, 10_000)
    seen_again(story)
    story.run(3)
    assert story.world.mode is None


@pytest.mark.rule("S-13", "S-2")
def test_an_invisible_backstop_is_left_alone() -> None:
    """Presumed alive: no second closePosition stop, which the venue would refuse; it is alarmed."""
    story = opened().later(10_000).forgets("B1")
    found = story.tick()
    assert roles(found) == []
    assert [alarm.rule for alarm in found.alarms] == ["S-13"]


@pytest.mark.rule("S-13", "S-7")
def test_an_invisible_stop_that_is_proven_ended_is_missing() -> None:
    """A read by id says CANCELED: from then on it is S-7."""
    story = opened().later(10_000).forgets("S1")
    story.end(Role.STOP, OrderStatus.CANCELED)
    result = story.tick()
    assert [place.cause.rule for place in places(result)] == ["S-7"]


@pytest.mark.rule("S-13", "X-9")
def test_an_invisible_stop_is_swept_by_id() -> None:
    """When the trade is over it is cancelled like the rest: by the journal, not by a list."""
    story = opened()
    forgotten(story, 10_000)
    story.trigger(Role.TP1, "91600")
    story.later(100)
    swept = story.tick()
    names = {command.client_id[-2:] for command in cancels(swept)}
    assert {"S1", "S2", "B1"} <= names
