"""The mark price made for paths that have none: the median of last, middle and its 5 s average."""

from decimal import Decimal

import pytest

from jumar.exchange.simulated.market.mark import MarkPrice


def _update(mark: MarkPrice, path_ms: int, bid: str, ask: str, last: str) -> Decimal:
    return mark.update(path_ms=path_ms, bid=Decimal(bid), ask=Decimal(ask), last=Decimal(last))


def test_the_first_mark_is_the_middle() -> None:
    """Without a past the average is the middle, and two of three outvote the last price."""
    assert _update(MarkPrice(), 0, "99.9", "100.1", "107") == Decimal(100)


def test_the_average_is_the_one_computed_by_hand() -> None:
    """Middle 100, 5 s later middle 110: average 100 + 10 * 5/(5 + 5) = 105; last 120: mark = 110."""
    mark = MarkPrice()
    _update(mark, 0, "99.9", "100.1", "100")
    assert _update(mark, 5_000, "109.9", "110.1", "120") == Decimal(110)
    # 1.25 s later middle 130: 105 + 25 * 1250/6250 = 110, last 111 lies between: the mark.
    assert _update(mark, 6_250, "129.9", "130.1", "111") == Decimal(111)
    # No time passes: the average stays 110; middle 108, last 90: the middle is the median.
    assert _update(mark, 6_250, "107.9", "108.1", "90") == Decimal(108)


def test_the_average_is_the_mark_when_it_lies_between() -> None:
    """A quote that leaps one way while a print leaps the other leaves the average in the middle."""
    mark = MarkPrice()
    _update(mark, 0, "99.9", "100.1", "100")
    # 100 + 20 * 1000/6000 = 103.333…: between the last price 80 and the middle 120.
    assert _update(mark, 1_000, "119.9", "120.1", "80") == Decimal("103.33333333")


@pytest.mark.parametrize("last", ["0.01", "1000000"])
def test_one_wild_print_does_not_move_the_mark(last: str) -> None:
    """A last price far from a calm quote is outvoted."""
    mark = MarkPrice()
    _update(mark, 0, "99.9", "100.1", "100")
    assert _update(mark, 250, "99.9", "100.1", last) == Decimal(100)


def test_the_mark_has_eight_decimals() -> None:
    """The venue publishes the mark price with eight decimals."""
    assert str(_update(MarkPrice(), 0, "1.1", "1.2", "1.1")) == "1.15000000"
