"""What is held, by whose word (Y-11, Y-1): each source believed exactly as long as it may be the truth."""

import pytest
from tests.worlds import NOW, POLICY, D, world

from jumar.model.account import PositionReport
from jumar.model.order import Side
from jumar.model.world import Observed, Source, World
from jumar.planner.position import (
    is_read_as_flat,
    newest_position,
    position_of_nobody,
    told_positions,
)

ENDED = NOW - 10_000


def told(quantity: str, at_ms: int, source: Source) -> Observed[PositionReport]:
    """A position as one source tells it."""
    report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(90000))
    return Observed(value=report, at_ms=at_ms, source=source)


def read(quantity: str, at_ms: int) -> Observed[PositionReport]:
    """A list, by when it was asked for."""
    return told(quantity, at_ms, Source.REST)


def event(quantity: str, at_ms: int) -> Observed[PositionReport]:
    """An event, by its transaction time."""
    return told(quantity, at_ms, Source.STREAM)


def quantities(seen: World) -> list[str]:
    """What the sources that may be the truth say, the newest last."""
    return [str(each.value.quantity) for each in told_positions(seen, POLICY)]


@pytest.mark.rule("Y-11", "W-1")
@pytest.mark.parametrize(
    ("read_ms", "event_ms", "believed"),
    [
        (None, None, []),
        (0, None, ["1"]),
        (None, 0, ["2"]),
        (1999, 0, ["2", "1"]),  # the list may still lag behind the event
        (2000, 0, ["1"]),  # now it refutes it
        (0, 0, ["2"]),  # a list asked for in the event's millisecond may be older
        (1, 0, ["2", "1"]),
        (0, 1, ["2"]),
    ],
)
def test_a_list_refutes_an_event_after_the_margin(
    read_ms: int | None, event_ms: int | None, believed: list[str]
) -> None:
    """Two seconds after it; until then both may be the truth, and a newer event always is."""
    seen = world(
        position=None if read_ms is None else read("1", read_ms),
        position_event=None if event_ms is None else event("2", event_ms),
    )
    assert quantities(seen) == believed
    newest = newest_position(seen)
    assert (None if newest is None else str(newest.value.quantity)) == (
        believed[-1] if believed else None
    )


@pytest.mark.rule("Y-11")
@pytest.mark.parametrize(
    ("seen", "flat"),
    [
        (world(position=None), False),
        (world(position=None, position_event=event("0", NOW)), False),  # never read
        (world(position=read("0", NOW)), True),
        (world(position=read("-0.1", NOW)), False),
        (world(position=read("0", NOW), position_event=event("0.1", NOW - 1999)), False),
        (world(position=read("0", NOW), position_event=event("0.1", NOW - 2000)), True),
        (world(position=read("0.1", NOW - 1), position_event=event("0", NOW)), True),
    ],
)
def test_flat_is_what_every_source_that_may_be_right_says(seen: World, flat: bool) -> None:
    """One that may be the truth and says otherwise is enough to doubt it."""
    assert is_read_as_flat(seen, POLICY) is flat


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize(
    ("by_read", "by_event", "largest"),
    [
        ("0.2", "0.5", "0.5"),
        ("0.5", "0.2", "0.5"),
        ("-0.2", "-0.5", "-0.5"),
        ("0.2", "-0.5", "0.2"),  # they contradict each other on the side: the newest
        ("-0.2", "0.5", "-0.2"),
        ("0", "0.5", "0.5"),  # zero contradicts nothing
        ("0.5", "0", "0.5"),
    ],
)
def test_the_largest_that_may_be_true_is_taken_for_held(
    by_read: str, by_event: str, largest: str
) -> None:
    """Too much cover only reduces; a position that has turned is not covered as if it had not."""
    seen = world(position=read(by_read, NOW), position_event=event(by_event, NOW - 1000))
    held = position_of_nobody(seen, POLICY)
    assert held is not None and held.value.quantity == D(largest)


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("source", "after_ms", "side_of_end", "held"),
    [
        (read, 1999, "same", False),
        (read, 2000, "same", True),
        (read, 1999, None, False),
        (read, 2000, None, True),
        (event, 0, "same", False),
        (event, 1, "same", True),
        (event, 0, None, False),
        # the other side cannot be the trade's own: nothing is waited for
        (read, -1, "other", False),
        (read, 0, "other", True),
        (event, 0, "other", True),
    ],
)
def test_what_may_still_be_the_ended_trades_is_nobodys_yet(
    sign: str, source: object, after_ms: int, side_of_end: str | None, held: bool
) -> None:
    """A list within 2 s of the last fill, an event not after it; the other side at once."""
    side = Side.SELL if sign else Side.BUY
    quantity = f"{sign}0.5"
    end_side = {"same": side, "other": side.opposite, None: None}[side_of_end]
    at_ms = ENDED + after_ms
    by_read = read(quantity, at_ms) if source is read else read("0", ENDED - 5000)
    by_event = event(quantity, at_ms) if source is event else None
    found = world(
        last_end_ms=ENDED, last_end_side=end_side, position=by_read, position_event=by_event
    )
    assert (position_of_nobody(found, POLICY) is not None) is held


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize("side", [None, Side.BUY, Side.SELL])
@pytest.mark.parametrize(("after_ms", "known"), [(1999, False), (2000, True)])
def test_a_read_of_nothing_waits_for_the_margin_too(
    side: Side | None, after_ms: int, known: bool
) -> None:
    """Zero is on no side: only a list from 2 s after the last fill says that nobody holds anything."""
    seen = world(last_end_ms=ENDED, last_end_side=side, position=read("0", ENDED + after_ms))
    assert (position_of_nobody(seen, POLICY) is not None) is known


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize(
    ("since_ms", "read_ms", "believed"),
    [
        (3000, 4999, False),
        (3000, 5000, True),  # two looks, two seconds apart
        (0, 3999, False),  # what was read within the margin of the end does not count
        (0, 4000, True),
        (None, 2000, True),  # nothing is known of earlier looks: the margin alone counts
    ],
)
def test_a_list_against_the_event_of_the_end_needs_two_looks(
    since_ms: int | None, read_ms: int, believed: bool
) -> None:
    """The event that ended the trade says zero; a later list that shows a position may be late."""
    seen = world(
        last_end_ms=ENDED,
        position=read("0.5", ENDED + read_ms),
        position_since_ms=None if since_ms is None else ENDED + since_ms,
        position_event=event("0", ENDED),
    )
    held = position_of_nobody(seen, POLICY)
    assert (held is not None and held.value.quantity == D("0.5")) is believed


@pytest.mark.rule("Y-1", "Y-11")
@pytest.mark.parametrize(
    ("by_event", "event_ms"),
    [("0", ENDED - 1), ("0.5", ENDED)],
    ids=["from before the end", "of the position itself"],
)
def test_an_event_that_denies_nothing_makes_no_list_late(by_event: str, event_ms: int) -> None:
    """One from before the end, or one that shows a position: the first list past the margin is believed."""
    seen = world(
        last_end_ms=ENDED,
        position=read("0.5", ENDED + 2500),
        position_since_ms=ENDED + 2500,
        position_event=event(by_event, event_ms),
    )
    assert position_of_nobody(seen, POLICY) is not None


@pytest.mark.rule("Y-1", "Y-11")
def test_a_list_of_nothing_after_the_end_is_believed_at_once() -> None:
    """It says what the event of the end says: there is nothing to doubt."""
    seen = world(
        last_end_ms=ENDED,
        position=read("0", ENDED + 2500),
        position_since_ms=ENDED + 2500,
        position_event=event("0", ENDED),
    )
    held = position_of_nobody(seen, POLICY)
    assert held is not None and held.value.quantity == 0
