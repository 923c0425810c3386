"""The storm breaker in words and numbers: what is left out, what a person is told, and what is counted (X-8, S-13)."""

import pytest
from tests.unit.planner.pieces import KEY, ended, own, trade_of
from tests.unit.planner.test_invariants import cancelled, placed
from tests.worlds import NOW, D, decision, world

from jumar.model.command import Alarm, PlaceOrder
from jumar.model.ids import trade_key
from jumar.model.order import OrderState, OwnOrder, Role
from jumar.model.trade import Trade
from jumar.model.world import DecisionState, World
from jumar.planner.storm import calmed, entry_storm

MINUTE_MS = 60_000


def tried(letter: str, count: int, ago_ms: int = 100, **changes: object) -> tuple[OwnOrder, ...]:
    """So many ended orders of one slot, journaled so long ago."""
    return tuple(
        ended(own(f"{letter}{number}", journaled_ms=NOW - ago_ms, **changes))  # type: ignore[arg-type]  # by name
        for number in range(1, count + 1)
    )


def told(orders: tuple[OwnOrder, ...], command: PlaceOrder) -> Alarm | None:
    """What a person hears of an order that is left out, None where it goes."""
    calm = calmed(world(trade=trade_of(), orders=orders), [command])
    assert calm.commands == ((command,) if not calm.alarms else ())
    return calm.alarms[0] if calm.alarms else None


@pytest.mark.rule("X-8", "H-3", "P-9")
@pytest.mark.parametrize(
    ("letter", "subject", "name"),
    [
        ("E", "entry", "entry"),
        ("P", "tp1", "tp1"),
        ("Q", "tp2", "tp2"),
        ("L", "zone_exit", "zone exit"),
    ],
)
def test_what_a_person_hears_of_an_entry_or_a_target(letter: str, subject: str, name: str) -> None:
    """A warning for the slot of this trade, with the order left out and both numbers."""
    lately = tried(letter, 7)
    alarm = told(lately, placed(own(f"{letter}8")))
    assert alarm == Alarm(
        rule="X-8",
        subject=f"{KEY} {subject}",
        text=f"jm-{KEY}-{letter}8 is left out: 7 {name} orders within a minute, 6 are allowed",
        severity="warning",
    )
    slowly = tried(letter, 31, MINUTE_MS)
    alarm = told(slowly, placed(own(f"{letter}32")))
    assert alarm is not None
    words = f"jm-{KEY}-{letter}32 is left out: 31 {name} orders in this trade, 30 are allowed"
    assert alarm.text == words


@pytest.mark.rule("X-8", "S-13", "H-3")
@pytest.mark.parametrize(("letter", "name"), [("S", "stop"), ("B", "backstop")])
def test_what_a_person_hears_of_a_stop(letter: str, name: str) -> None:
    """Twenty of its own slot within a minute, and when the next one goes."""
    alarm = told(tried(letter, 20), placed(own(f"{letter}21")))
    assert alarm == Alarm(
        rule="X-8",
        subject=f"{KEY} {name}",
        text=f"jm-{KEY}-{letter}21 is left out: 20 {name} orders within a minute: "
        "the next one a minute after the newest",
        severity="warning",
    )
    other = "B" if letter == "S" else "S"
    assert told(tried(letter, 20), placed(own(f"{other}1"))) is None


@pytest.mark.rule("X-8", "S-13")
@pytest.mark.parametrize(
    ("ages_ms", "goes"),
    [
        ([0] * 19, True),
        ([0] * 20, False),
        ([0] * 19 + [MINUTE_MS - 1], False),
        ([0] * 19 + [MINUTE_MS], True),
        ([0] * 20 + [MINUTE_MS], False),  # the newest twenty count
        ([MINUTE_MS - 1] * 20, False),
        ([MINUTE_MS] * 20, True),
        ([1, *([MINUTE_MS] * 19)], False),
        ([0, *([MINUTE_MS] * 19)], True),  # a whole minute from the oldest to the newest
        ([MINUTE_MS, *([MINUTE_MS * 2 - 1] * 19)], True),
        ([], True),
    ],
)
def test_the_twenty_newest_stops_within_a_minute_and_the_minute_after(
    ages_ms: list[int], goes: bool
) -> None:
    """In whatever order they are listed."""
    orders = tuple(
        ended(own(f"S{number}", journaled_ms=NOW - ago_ms))
        for number, ago_ms in enumerate(ages_ms, 1)
    )
    for listed in (orders, orders[::-1]):
        assert (told(listed, placed(own("S99"))) is None) is goes


@pytest.mark.rule("X-8", "S-8")
def test_the_rest_of_a_plan_goes() -> None:
    """In its order; exits and cancels are never counted, whatever was left out before them."""
    seen = world(trade=trade_of(), orders=(*tried("P", 6), *tried("X", 40), *tried("S", 20)))
    exit_, target, cancel_ = placed(own("X41")), placed(own("Q1")), cancelled(own("S20"))
    calm = calmed(seen, [placed(own("P7")), exit_, placed(own("S21")), target, cancel_])
    assert calm.commands == (exit_, target, cancel_)
    assert [alarm.subject for alarm in calm.alarms] == [f"{KEY} tp1", f"{KEY} stop"]
    assert calmed(seen, ()).commands == ()


# whether an entry may come


def storm(
    orders: tuple[OwnOrder, ...], trade: Trade | None = None, **changes: object
) -> str | None:
    """Why no further entry may be placed now."""
    return entry_storm(world(**{"orders": orders, "trade": trade, **changes}))


@pytest.mark.rule("X-8", "M-3")
def test_why_no_further_entry_may_come() -> None:
    """With the numbers; what rests or has no answer is not disturbed, and a trade whose entry is over wants none."""
    orders, trade = tried("E", 6), trade_of()
    words = "6 entry orders within a minute, 6 are allowed"
    assert storm(orders, trade) == words
    assert storm(orders) == words
    assert storm(orders[:5], trade) is None
    assert storm(tried("P", 6), trade) is None
    for state in (OrderState.IN_FLIGHT, OrderState.UNKNOWN, OrderState.OPEN):
        assert storm((*orders, own("E7", state=state)), trade) is None
    assert storm((*orders, own("S1"), own("P1")), trade) == words
    assert storm(orders, trade_of(entry_over="expired")) is None


@pytest.mark.rule("X-8", "P-4", "D-7")
def test_the_count_of_a_trade_is_that_of_its_own_decision() -> None:
    """The open trade's, or that of the decision that would open one; without either nothing is counted for long."""
    key = trade_key(account="main", store_id="store", decision_id="d1")
    words = "30 entry orders in this trade, 30 are allowed"
    slowly = tried("E", 30, MINUTE_MS)
    of_decision = tried("E", 30, MINUTE_MS, trade_key=key)
    assert storm(slowly, trade_of()) == words
    assert storm(of_decision, trade_of()) is None
    assert storm(of_decision) == words
    assert storm(slowly) is None
    assert storm(of_decision, account="other") is None
    assert storm(of_decision, store_id="other") is None
    assert storm(of_decision, decision=None) is None
    assert storm(of_decision, decision=DecisionState(decision=decision(id="d2"))) is None
    assert storm(slowly, trade_of(), decision=None) == words


@pytest.mark.rule("X-8")
def test_the_number_of_one_slot_is_not_the_number_of_another() -> None:
    """Thirty of each are counted apart."""
    seen: World = world(
        trade=trade_of(), orders=(*tried("P", 29, MINUTE_MS), *tried("Q", 30, MINUTE_MS))
    )
    first, second = placed(own("P30")), placed(own("Q31", quantity=D("0.006")))
    assert calmed(seen, [first, second]).commands == (first,)
    assert first.request.role is Role.TP1
