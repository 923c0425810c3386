"""Which decision is in force: the newest valid one, never an older, never a spent one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import NOW, D, decision, opened

from jumar.model.decision import Decision, FieldError
from jumar.model.journal import DecisionSeen, StoreIdentity, SymbolMemory
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.ports.decisions import Received
from jumar.reconciler.decide import DecisionDesk

EMPTY = SymbolMemory(symbol="BTCUSDT")


def desk(
    memory: SymbolMemory = EMPTY, *, fresh: bool = False, ahead_ms: int = 5000
) -> DecisionDesk:
    """The desk of a start at `NOW`."""
    identity = StoreIdentity(store_id="s", fresh=fresh)
    return DecisionDesk.restore(memory, identity, NOW, ahead_ms=ahead_ms)


def received(some: Decision) -> Received:
    """A file with a valid decision."""
    return Received(raw="{}", symbol=some.symbol, timestamp_ms=some.timestamp_ms, decision=some)


def refused(timestamp_ms: int | None) -> Received:
    """A file that could be read in part."""
    error = FieldError(field="sl", value="null", message="must be a number")
    return Received(
        raw="{}",
        symbol="BTCUSDT",
        timestamp_ms=timestamp_ms,
        decision=None,
        errors=(error,),
        code="malformed",
    )


def outcome(some: DecisionDesk, what: Received) -> str | None:
    """What was done with it, None when it changed nothing."""
    seen = [r for r in some.receive(what, NOW) if isinstance(r, DecisionSeen)]
    return seen[0].outcome if seen else None


def current(some: DecisionDesk) -> str | None:
    """The id of the decision in force."""
    return None if some.state is None else some.state.decision.id


def at(offset: int, name: str) -> Decision:
    """A decision some milliseconds after `NOW`."""
    return decision(id=name, timestamp_ms=NOW + offset)


@pytest.mark.rule("D-7")
def test_the_newest_wins_and_an_older_one_never_returns() -> None:
    """Newer replaces, older is superseded, the same again changes nothing."""
    some = desk()
    assert outcome(some, received(at(0, "a"))) == "accepted"
    assert outcome(some, received(at(10, "b"))) == "accepted"
    assert outcome(some, received(at(0, "a"))) == "superseded"
    assert outcome(some, received(at(10, "b"))) is None
    assert current(some) == "b"


@pytest.mark.rule("D-7", "G-1")
def test_the_same_timestamp_with_other_content_is_a_conflict() -> None:
    """The first valid one stays."""
    some = desk()
    outcome(some, received(at(0, "a")))
    assert outcome(some, received(at(0, "other"))) == "refused"
    assert current(some) == "a"


@pytest.mark.rule("D-7")
def test_a_refused_newer_file_supersedes_and_a_valid_one_of_its_time_replaces_it() -> None:
    """It ends the older entry; the valid content of the same timestamp is then accepted."""
    some = desk()
    outcome(some, received(at(0, "a")))
    assert outcome(some, refused(NOW + 10)) == "refused"
    assert some.state is not None
    assert some.state.refusals[0][0] == "malformed"
    assert outcome(some, received(at(10, "b"))) == "accepted"
    assert some.state.refusals == ()


@pytest.mark.rule("D-7")
def test_a_refused_file_without_a_time_or_an_older_one_changes_nothing() -> None:
    """Only a readable newer timestamp supersedes."""
    some = desk()
    outcome(some, received(at(0, "a")))
    for stamp in (None, NOW - 10, NOW):
        some.receive(refused(stamp), NOW)
        assert some.state is not None
        assert some.state.refusals == ()


@pytest.mark.rule("D-7")
def test_with_an_empty_journal_older_decisions_are_spent() -> None:
    """Before the engine's start on the exchange's clock: spent; after it: accepted."""
    some = desk(fresh=True)
    assert outcome(some, received(at(-1, "old"))) == "spent"
    assert outcome(some, received(at(1, "new"))) == "accepted"
    assert outcome(desk(), received(at(-1, "old"))) == "accepted"


def ended(closing: CloseReason | None, closed_by: str | None = None) -> tuple[Trade, TradeSummary]:
    """A filled trade that ended at `NOW`."""
    trade = replace(opened().trade, closing=closing, closed_by=closed_by)
    zero = Decimal(0)
    summary = TradeSummary(
        key=trade.key,
        quantity=D("0.013"),
        average_entry=D(90786),
        average_exit=D(90380),
        exit_reason="stop",
        realized_pnl=zero,
        fees=zero,
        r_gross=zero,
        r_net=zero,
        slippage=None,
        stop_moves=0,
        first_fill_ms=NOW - 1000,
        last_fill_ms=NOW,
    )
    return trade, summary


@pytest.mark.rule("D-7", "P-4")
def test_the_end_of_a_filled_trade_spends_every_decision_up_to_it() -> None:
    """Its own, and a newer same-side one that came before the end; one after the end may enter."""
    some = desk()
    outcome(some, received(decision()))
    outcome(some, received(at(-10, "during")))
    some.trade_ended(*ended(CloseReason.STOP))
    assert some.state is not None
    assert some.state.spent is not None
    assert outcome(some, received(at(1, "after"))) == "accepted"
    assert some.state.spent is None


@pytest.mark.rule("E-9", "D-7", "P-4")
def test_the_end_of_a_trade_spends_what_guided_it() -> None:
    """Dated a little ahead, it is newer than the end of the trade: it has had its trade all the same."""
    some = desk()
    ahead = at(4000, "guide")
    assert outcome(some, received(ahead)) == "accepted"
    trade, summary = ended(CloseReason.STOP)
    some.trade_ended(replace(trade, guide=ahead), summary)
    assert some.state is not None
    assert some.state.spent == "its trade is over"


@pytest.mark.rule("D-7", "C-2")
def test_the_opposite_decision_that_ended_the_trade_may_enter() -> None:
    """Its timestamp lies before the end it caused, and still it is not spent."""
    some = desk()
    outcome(some, received(at(-10, "opposite")))
    some.trade_ended(*ended(CloseReason.OPPOSITE, "opposite"))
    assert some.state is not None
    assert some.state.spent is None


@pytest.mark.rule("D-7")
def test_an_unfilled_end_spends_nothing_unless_it_was_voided() -> None:
    """Cancelled without a fill: the decision may be used again; voided: not."""
    some = desk()
    outcome(some, received(decision()))
    trade, _ = ended(None)
    some.trade_ended(trade, None)
    assert some.state is not None
    assert some.state.spent is None
    some.trade_ended(replace(trade, voided="stop_hit_before_entry"), None)
    assert some.state.spent is not None


@pytest.mark.rule("D-7")
def test_a_restart_remembers_what_is_spent() -> None:
    """The desk resumes from the store's memory."""
    memory = SymbolMemory(
        symbol="BTCUSDT", decision=decision(), last_end_ms=NOW, spent=frozenset({"x"})
    )
    some = desk(memory)
    assert some.state is not None
    assert some.state.spent is not None
    assert outcome(some, received(at(1, "x"))) == "spent"


@pytest.mark.rule("D-7")
def test_a_superseded_decision_does_not_return_with_its_file() -> None:
    """Written again after a refused newer one, it is still the older: its entry stays away."""
    some = desk()
    outcome(some, received(at(0, "a")))
    outcome(some, refused(NOW + 10))
    assert outcome(some, received(at(0, "a"))) == "superseded"
    assert some.state is not None
    assert some.state.refusals[0][0] == "malformed"


@pytest.mark.rule("D-3", "D-7")
@pytest.mark.parametrize("valid", [True, False])
def test_a_timestamp_from_the_future_holds_back_nothing_that_comes_after(valid: bool) -> None:
    """A wrong clock is refused for entry; the next decision with a right one is in force again."""
    some = desk()
    outcome(some, received(at(0, "a")))
    year = 365 * 24 * 3600 * 1000
    outcome(some, received(at(year, "b")) if valid else refused(NOW + year))
    assert some.receive(received(at(300_000, "c")), NOW + 300_000)
    assert current(some) == "c"


@pytest.mark.rule("D-7")
def test_a_restart_remembers_that_the_decision_was_superseded() -> None:
    """A newer one that was refused holds it back still; a newer valid one is accepted."""
    some = desk(SymbolMemory(symbol="BTCUSDT", decision=at(-10, "a"), superseded_ms=NOW - 5))
    assert some.state is not None
    assert some.state.refusals[0][0] == "superseded"
    assert outcome(some, received(at(-10, "a"))) == "superseded"
    assert outcome(some, received(at(0, "b"))) == "accepted"
    assert some.state.refusals == ()


@pytest.mark.rule("Y-12", "P-4")
def test_a_decision_as_far_ahead_as_it_may_be_is_spent_by_its_entry() -> None:
    """An entry that the journal lost spends the decision behind it, however far ahead that may have been dated."""
    young = decision(id="of the future", timestamp_ms=NOW + 55_000)
    for ahead_ms, spent in ((60_000, True), (5000, False)):
        some = desk(fresh=True, ahead_ms=ahead_ms)
        some.spend_through(NOW)
        assert (some.why_spent(young) is not None) is spent
