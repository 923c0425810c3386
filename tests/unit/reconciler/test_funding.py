"""The funding of the open trade: known, asked for at its time, counted once, never waited for."""

import pytest
from tests.worlds import NOW, D

from jumar.model.funding import FundingPayment, total
from jumar.reconciler.funding import (
    ASK_AGAIN_MS,
    EARLY_MS,
    FIRST_ASK_MS,
    LISTED_WITHIN_MS,
    SHORTEST_MS,
    FundingBook,
)

AT = NOW + 60_000


def paid(at_ms: int, number: int = 1) -> FundingPayment:
    """A payment of 0.5."""
    return FundingPayment(payment_id=number, amount=D("-0.5"), time_ms=at_ms)


def begun() -> FundingBook:
    """A position was taken now, the next funding is a minute away."""
    book = FundingBook()
    book.saw_next(AT, NOW)
    book.begin(NOW)
    return book


@pytest.mark.rule("T-3")
def test_before_the_first_funding_time_nothing_was_paid_and_nothing_is_asked() -> None:
    """Known without a request."""
    book = begun()
    assert book.present(AT - 1) == ()
    assert not book.is_due(AT - 1)


@pytest.mark.rule("T-3")
def test_at_the_funding_time_it_is_unknown_until_it_was_read() -> None:
    """Asked a few seconds after it, then known."""
    book = begun()
    assert book.present(AT) is None
    assert not book.is_due(AT + FIRST_ASK_MS - 1)
    assert book.is_due(AT + FIRST_ASK_MS)
    book.saw_next(AT + SHORTEST_MS, AT + 1000)
    book.saw_asked(AT + FIRST_ASK_MS)
    assert not book.is_due(AT + FIRST_ASK_MS + ASK_AGAIN_MS - 1)
    book.saw([paid(AT)], AT + FIRST_ASK_MS)
    assert book.present(AT + FIRST_ASK_MS + 1) == (paid(AT),)
    assert not book.is_due(AT + FIRST_ASK_MS + ASK_AGAIN_MS)


@pytest.mark.rule("T-3")
def test_a_payment_that_is_not_listed_yet_is_asked_for_again() -> None:
    """An empty list right after the time proves nothing; after five minutes it does."""
    book = begun()
    book.saw_next(AT + SHORTEST_MS, AT)
    asked = AT + FIRST_ASK_MS
    book.saw_asked(asked)
    book.saw([], asked)
    assert book.present(asked + 1) is None
    assert book.is_due(asked + ASK_AGAIN_MS)
    for late, known in ((LISTED_WITHIN_MS - 1, None), (LISTED_WITHIN_MS, ())):
        book.saw([], AT + late)
        assert book.present(AT + late) == known


@pytest.mark.rule("T-3")
@pytest.mark.parametrize(("early_ms", "known"), [(EARLY_MS, True), (EARLY_MS + 1, False)])
def test_an_older_payment_is_not_the_one_that_is_due(early_ms: int, known: bool) -> None:
    """A payment belongs to the funding time if it is at most a minute older."""
    book = begun()
    book.saw_next(AT + SHORTEST_MS, AT)
    book.saw([paid(AT - early_ms)], AT + FIRST_ASK_MS)
    assert (book.present(AT + FIRST_ASK_MS) is not None) is known


@pytest.mark.rule("T-4", "X-6")
def test_a_payment_counts_once() -> None:
    """Told twice, by two readings that overlap: one payment, oldest first."""
    book = begun()
    book.saw_next(AT + SHORTEST_MS, AT)
    book.saw([paid(AT, 2)], AT + 1)
    book.saw([paid(AT, 2), paid(AT - 5, 1)], AT + 2)
    found = book.present(AT + 3)
    assert found == (paid(AT - 5, 1), paid(AT, 2))
    assert total(found) == D("-1.0")


@pytest.mark.rule("T-4")
def test_after_a_restart_it_is_unknown_and_asked_for_at_once() -> None:
    """Nothing was told to this process; a failed question is repeated after a while."""
    book = FundingBook()
    assert book.present(NOW) is None
    assert book.is_due(NOW)
    book.saw_asked(NOW)
    assert not book.is_due(NOW + ASK_AGAIN_MS - 1)
    assert book.is_due(NOW + ASK_AGAIN_MS)
    book.saw_next(AT, NOW)
    book.saw([], NOW)
    assert book.present(NOW) == ()


@pytest.mark.rule("T-4")
def test_a_position_that_began_unseen_is_read() -> None:
    """The first fill is learnt late, and a funding time has passed since: nothing is assumed."""
    book = FundingBook()
    book.saw_next(AT, NOW)
    book.saw_next(AT + SHORTEST_MS, AT + 1)
    book.begin(AT - 10)
    assert book.present(AT + 2) is None
    unseen = FundingBook()
    unseen.begin(NOW)
    assert unseen.present(NOW) is None


@pytest.mark.rule("T-4")
def test_a_new_trade_does_not_inherit() -> None:
    """What the trade before it paid is forgotten with it."""
    book = begun()
    book.saw_next(AT + SHORTEST_MS, AT)
    book.saw([paid(AT)], AT + 1)
    book.begin(AT + 10)
    assert book.present(AT + 11) == ()


@pytest.mark.rule("T-4")
def test_without_a_next_time_a_reading_holds_for_an_hour() -> None:
    """The mark stream is silent: the venue's shortest interval is the most that is assumed."""
    book = FundingBook()
    book.saw([], NOW)
    assert book.present(NOW + SHORTEST_MS - 1) == ()
    assert book.present(NOW + SHORTEST_MS) is None
    assert book.is_due(NOW + SHORTEST_MS)


def test_a_next_time_that_is_over_is_no_next_time() -> None:
    """An old word does not make a funding due."""
    book = FundingBook()
    book.saw_next(NOW - 1, NOW)
    assert book.next_ms is None


@pytest.mark.rule("T-3")
def test_a_clock_behind_the_venues_misses_no_funding_time() -> None:
    """The stream names the time after the next one a moment before our clock says that the next one has come."""
    book = begun()
    book.saw_next(AT + SHORTEST_MS, AT - 3)
    assert book.present(AT) is None
    assert book.is_due(AT + FIRST_ASK_MS)
    changed = begun()
    changed.saw_next(AT + SHORTEST_MS, AT - EARLY_MS - 1)
    assert changed.present(AT) == ()
