"""The lines of a chase: what was asked for, why, and what became of it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.journals import armed
from tests.unit.ops.test_explain import story
from tests.worlds import NOW

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.order import OrderState
from jumar.ops.cli import status_screen
from jumar.ops.cli.story.lines import Line

D = Decimal
PRICES = ("90786.6", "90790", "90795", "90800", "90810")


def asked(number: int, state: AmendmentState, code: int | None = None) -> Amendment:
    """One of them, answered after 40 ms."""
    at_ms = NOW + 10_000 * number
    return Amendment(
        number=number,
        price=D(PRICES[number]),
        quantity=D("0.013"),
        rule="E-5",
        cause=f"chase {number} of 5",
        timestamp_ms=at_ms,
        state=state,
        code=code,
        told_ms=None if state is AmendmentState.ASKED else at_ms + 40,
    )


async def lines_of(path: Path, *amendments: Amendment, ended: bool = False) -> list[Line]:
    """What is told of an entry with these."""
    life = armed()
    entry = replace(life.board.alive()["E1"], amendments=amendments)
    life.board._put(replace(entry, state=OrderState.ENDED) if ended else entry)
    return [line for line in await story(path, life) if line.rule == "E-5"]


@pytest.mark.rule("H-5", "H-6", "E-5")
async def test_each_change_is_told_from_the_last_confirmed_price(tmp_path: Path) -> None:
    """Confirmed ones move the price that the next one starts from, refused and lost ones do not."""
    told = await lines_of(
        tmp_path,
        asked(1, AmendmentState.DONE),
        asked(2, AmendmentState.REFUSED, -5026),
        asked(3, AmendmentState.ABSENT),
        asked(4, AmendmentState.ASKED),
    )
    assert [line.text for line in told] == [
        "entry 90786.6 -> 90790 (confirmed after 40 ms)",
        "entry 90790 -> 90795 (wished, refused: -5026)",
        "entry 90790 -> 90800 (wished, never executed)",
        "entry 90790 -> 90810 (wished, not confirmed)",
    ]
    assert [line.why for line in told] == [f"chase {number} of 5" for number in (1, 2, 3, 4)]
    assert [line.at_ms for line in told] == [NOW + 10_000 * number for number in (1, 2, 3, 4)]


@pytest.mark.rule("H-5", "E-5", "E-10")
async def test_an_order_that_ended_instead_is_told_so(tmp_path: Path) -> None:
    """The venue cancelled it, or our cancel came first: the wish has no other outcome."""
    (line,) = await lines_of(tmp_path, asked(1, AmendmentState.ASKED), ended=True)
    assert line.text == "entry 90786.6 -> 90790 (wished, the order ended instead)"


@pytest.mark.rule("H-6", "E-5")
def test_status_tells_a_price_that_is_only_asked_for_as_such() -> None:
    """Beside the confirmed one; a picture that knows nothing of it tells nothing."""
    order = {"side": "buy", "state": "open", "filled": "0.004"}
    assert status_screen._words(order) == "buy, open, 0.004 filled"
    assert status_screen._words({**order, "asked_price": None}) == "buy, open, 0.004 filled"
    told = status_screen._words({**order, "asked_price": "90780"})
    assert told == "buy, open, 0.004 filled, asked to stand at 90780, not confirmed"
