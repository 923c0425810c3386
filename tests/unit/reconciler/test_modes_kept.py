"""What keeps modes, hears requests and counts what goes wrong: each transition recorded and alerted once (M-1 … M-4)."""

from dataclasses import replace
from typing import Any, cast

import pytest
from tests.worlds import NOW, POLICY, D, decision, world

from jumar.model.account import Liquidation, PositionReport
from jumar.model.command import Plan
from jumar.model.errors import InvariantBroken
from jumar.model.journal import (
    DecisionSeen,
    EventSeen,
    Incident,
    ModeChanged,
    OperatorRequest,
    StoreIdentity,
    SymbolMemory,
)
from jumar.model.mode import Mode, ModeState
from jumar.model.order import Side
from jumar.model.world import DecisionState, Observed, Source
from jumar.planner import ladder
from jumar.reconciler.account import KEY_CODES, AccountState
from jumar.reconciler.decide import FLATTENED, DecisionDesk
from jumar.reconciler.loop import SymbolLoop
from jumar.reconciler.modes import ModeKeeper
from jumar.reconciler.requests import obey
from jumar.reconciler.senses import LIQUIDATIONS_KEPT, Senses
from jumar.reconciler.state import SymbolState


class Kept:
    """A keeper of one symbol and what it said."""

    def __init__(self, mode: ModeState | None = None, common: AccountState | None = None) -> None:
        self.said: list[Incident] = []
        memory = SymbolMemory(symbol="BTCUSDT", mode=mode)
        self.state = SymbolState(account="main", store_id="s", memory=memory, common=common)
        self.keeper = ModeKeeper(self.state, self.said.append)

    @property
    def mode(self) -> Mode:
        """What is kept."""
        return Mode.NORMAL if self.state.mode is None else self.state.mode.mode

    @property
    def words(self) -> list[str]:
        """What was alerted."""
        return [incident.message for incident in self.said]

    def records(self) -> tuple[Any, ...]:
        """What would be written."""
        return self.state.outbox.take()


def found(code: str, at_ms: int = NOW) -> ModeState:
    """A row of the ladder."""
    return ladder.state(code, "for 1 test", at_ms)


# transitions


@pytest.mark.rule("M-1")
def test_a_kept_mode_is_recorded_and_alerted_once() -> None:
    """However many plans lead to it; with the severity of its row."""
    one = Kept()
    for _ in range(3):
        one.keeper.follow(Plan(mode=found("emergency_close")), NOW)
    assert one.mode is Mode.FLATTENING
    assert [(i.rule, i.severity, i.message) for i in one.said] == [
        ("M-1", "critical", "mode FLATTENING: for 1 test")
    ]
    changed = [record for record in one.records() if isinstance(record, ModeChanged)]
    assert changed == [ModeChanged(symbol="BTCUSDT", state=found("emergency_close"))]


@pytest.mark.rule("M-1", "M-3")
def test_a_passing_mode_is_alerted_when_it_begins_and_noted_when_it_is_over() -> None:
    """Its numbers may move meanwhile; how long it lasted is written."""
    one = Kept()
    one.keeper.follow(Plan(passing=(found("unreachable"),)), NOW)
    moved = replace(found("unreachable", NOW + 1000), cause="another number 2")
    one.keeper.follow(Plan(passing=(moved,)), NOW + 1000)
    assert [(i.rule, i.severity) for i in one.said] == [("M-3", "warning")]
    assert [(s.since_ms, s.cause) for s in one.keeper.passing] == [(NOW, "another number 2")]
    assert one.state.mode is None
    one.keeper.follow(Plan(), NOW + 2500)
    (noted,) = [record for record in one.records() if isinstance(record, EventSeen)]
    assert (noted.rule, noted.message) == (
        "M-1",
        "unreachable is over after 2.5 s: NO_ENTRIES no longer holds",
    )
    assert one.keeper.passing == () and len(one.said) == 1


@pytest.mark.rule("S-13", "M-1")
def test_an_invisible_stop_is_alerted_by_its_own_alarm_only() -> None:
    """The mode that it leads to is written, not cried again."""
    one = Kept()
    one.keeper.follow(Plan(passing=(found("invisible_stop"),)), NOW)
    assert one.said == []
    assert any("mode NO_ENTRIES" in record.message for record in one.records())


@pytest.mark.rule("O-4", "M-4")
@pytest.mark.parametrize(
    ("error", "mode", "rule"),
    [
        (ZeroDivisionError("x"), Mode.NO_ENTRIES, "O-4"),
        (InvariantBroken("P-5", "x"), Mode.PROTECT_ONLY, "P-5"),
    ],
)
def test_a_failing_planner_is_told_once_while_it_fails(
    error: Exception, mode: Mode, rule: str
) -> None:
    """Again after a look that succeeded; the mode is alerted the first time only."""
    one = Kept()
    for _ in range(3):
        one.keeper.failed(error, NOW)
    assert one.mode is mode
    assert [incident.rule for incident in one.said] == [rule, "M-1"]
    one.keeper.follow(Plan(), NOW)
    one.keeper.failed(error, NOW)
    assert [incident.rule for incident in one.said] == [rule, "M-1", rule]


@pytest.mark.rule("M-1", "O-4")
def test_a_failing_planner_does_not_soften_a_mode() -> None:
    """What is stricter stays."""
    one = Kept(found("flatten"))
    one.keeper.failed(ZeroDivisionError("x"), NOW)
    assert one.mode is Mode.FLATTENING


@pytest.mark.rule("M-1", "M-4")
def test_a_mode_of_the_account_is_alerted_once_by_whichever_symbol_looks_first() -> None:
    """With no symbol; NORMAL again is no alert."""
    common = AccountState()
    one, other = Kept(common=common), Kept(common=common)
    common.found(found("unwritable"))
    for each in (one, other, one):
        each.keeper.follow(Plan(), NOW)
    assert [(i.symbol, i.message) for i in (*one.said, *other.said)] == [
        (None, "mode PROTECT_ONLY: for 1 test")
    ]
    assert one.state.kept_mode is Mode.PROTECT_ONLY
    common.keep(replace(found("unwritable"), mode=Mode.NORMAL))
    one.keeper.tell_account()
    assert len(one.said) == 1


# the account and the senses


@pytest.mark.rule("M-4")
@pytest.mark.parametrize("code", sorted(KEY_CODES))
def test_refused_keys_leave_only_protection(code: int) -> None:
    """Once; any other refusal is nothing to the account."""
    common = AccountState()
    assert common.saw_refusal(-4045, "no room", NOW) is None and common.mode is None
    changed = common.saw_refusal(code, "refused", NOW)
    assert changed is not None and changed.symbol is None
    assert changed.state.mode is Mode.PROTECT_ONLY and str(code) in changed.state.cause
    assert common.saw_refusal(code, "refused", NOW) is None


@pytest.mark.rule("M-3")
def test_unknown_outcomes_are_forgotten_after_five_minutes() -> None:
    """Only the newest three are of any interest."""
    common = AccountState()
    for at_ms in (NOW, NOW + 1, NOW + 2, NOW + 3):
        common.saw_unknown(at_ms)
    asked = {"unanswered_ms": None, "hears": True}
    seen = common.health(**asked, now_ms=NOW + 300_001)  # type: ignore[arg-type]  # two kinds
    assert seen.unknown_ms == (NOW + 2, NOW + 3)
    assert common.health(**asked, now_ms=NOW + 300_003).unknown_ms == ()  # type: ignore[arg-type]  # two kinds


@pytest.mark.rule("M-3")
def test_silence_counts_from_its_first_read() -> None:
    """Until any read is answered."""
    senses = Senses()
    for at_ms in (NOW, NOW + 5000):
        senses.saw_silence(at_ms)
    assert senses.unanswered_ms == NOW
    senses.saw_answer()
    assert senses.unanswered_ms is None


@pytest.mark.rule("M-2")
def test_only_an_unbroken_run_of_liquidation_prices_is_kept() -> None:
    """A flat position, or an answer without the price, begins anew."""
    senses = Senses()

    def read(quantity: str, price: str | None, at_ms: int) -> None:
        value = None if price is None else D(price)
        report = PositionReport(
            symbol="BTCUSDT", quantity=D(quantity), entry_price=D(1), liquidation_price=value
        )
        senses.saw_position(Observed(value=report, at_ms=at_ms, source=Source.REST))

    for number in range(LIQUIDATIONS_KEPT + 1):
        read("-0.013", "90500", NOW + number)
    assert len(senses.liquidations) == LIQUIDATIONS_KEPT
    assert senses.liquidations[-1].at_ms == NOW + LIQUIDATIONS_KEPT
    assert senses.liquidations[-1].value == Liquidation(side=Side.SELL, price=D("90500"))
    for quantity, price in (("0", "90500"), ("0.013", None)):
        read("0.013", "90500", NOW + 10)
        assert senses.liquidations
        read(quantity, price, NOW + 11)
        assert senses.liquidations == ()


# what people ask for


class Loop:
    """As much of a symbol's loop as a request touches."""

    def __init__(self, symbol: str, common: AccountState) -> None:
        self.kept = Kept(common=common)
        self.kept.state.symbol = symbol
        self.state, self.modes = self.kept.state, self.kept.keeper
        self.desk = DecisionDesk(symbol=symbol, ahead_ms=5000, spent=set())
        self.woken = 0

    def wake(self) -> None:
        """Look at once."""
        self.woken += 1


class Asking:
    """Two symbols of an account that somebody asks something of."""

    def __init__(self) -> None:
        self.common = AccountState()
        self.btc, self.eth = Loop("BTCUSDT", self.common), Loop("ETHUSDT", self.common)

    def ask(self, what: str, symbol: str | None = None) -> tuple[str, tuple[Any, ...]]:
        """Have it obeyed."""
        request = OperatorRequest(seq=1, symbol=symbol, request=what, asked_by="cli")
        loops = cast("dict[str, SymbolLoop]", {"BTCUSDT": self.btc, "ETHUSDT": self.eth})
        return obey(request, loops, self.common, NOW)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Account, BTCUSDT, ETHUSDT."""
        common = Mode.NORMAL if self.common.mode is None else self.common.mode.mode
        return common, self.btc.kept.mode, self.eth.kept.mode


NORMAL, NO_ENTRIES, FLATTENING = Mode.NORMAL, Mode.NO_ENTRIES, Mode.FLATTENING


@pytest.mark.rule("M-6")
def test_a_pause_of_everything_is_the_accounts() -> None:
    """Symbols that are added later are paused, too; each loop is woken; twice is once."""
    people = Asking()
    outcome, records = people.ask("pause")
    assert outcome == "account: paused"
    assert people.modes == (NO_ENTRIES, NORMAL, NORMAL)
    assert [record.symbol for record in records] == [None]
    assert (people.btc.woken, people.eth.woken) == (1, 1)
    assert "is NO_ENTRIES (paused by cli) already" in people.ask("pause")[0]


@pytest.mark.rule("M-6")
def test_a_pause_of_one_symbol_is_its_own() -> None:
    """The other one goes on, and is not woken."""
    people = Asking()
    outcome, records = people.ask("pause", "ETHUSDT")
    assert outcome == "ETHUSDT: paused" and people.modes == (NORMAL, NORMAL, NO_ENTRIES)
    assert [record.symbol for record in records] == ["ETHUSDT"] and people.btc.woken == 0
    assert "already" in people.ask("pause", "ETHUSDT")[0]


@pytest.mark.rule("M-6", "D-7")
def test_a_flatten_of_everything_flattens_each_and_pauses_the_account() -> None:
    """Every decision so far is spent, and the modes stand with the outcome."""
    people = Asking()
    people.btc.desk.state = DecisionState(decision=decision())
    outcome, records = people.ask("flatten")
    assert outcome == "account: paused; BTCUSDT: flattening; ETHUSDT: flattening"
    assert people.modes == (NO_ENTRIES, FLATTENING, FLATTENING)
    assert {r.symbol for r in records if isinstance(r, ModeChanged)} == {None, "BTCUSDT", "ETHUSDT"}
    (seen,) = [record for record in records if isinstance(record, DecisionSeen)]
    assert (seen.decision_id, seen.outcome) == (decision().id, "spent")
    assert people.btc.desk.state.spent is not None
    assert "is being flattened already" in people.ask("flatten")[0]


@pytest.mark.rule("M-6", "M-1")
def test_a_flatten_overrules_an_emergency_close() -> None:
    """What closes already goes on closing, and stays closed by the operator's word."""
    people = Asking()
    people.btc.state.mode = found("emergency_close")
    people.ask("flatten", "BTCUSDT")
    assert people.btc.state.mode.code == "flatten"
    assert people.modes == (NORMAL, FLATTENING, NORMAL)


@pytest.mark.rule("M-1", "M-6")
def test_a_resume_ends_what_a_person_may_end() -> None:
    """The account and every symbol; what is being flattened goes on."""
    people = Asking()
    people.common.mode = found("keys_rejected")
    people.btc.state.mode = found("paused")
    people.eth.state.mode = found("flatten")
    outcome, _ = people.ask("resume")
    assert people.modes == (NORMAL, NORMAL, FLATTENING)
    assert "account: resumed by cli, after PROTECT_ONLY (for 1 test)" in outcome
    assert "BTCUSDT: resumed by cli, after NO_ENTRIES (for 1 test)" in outcome
    assert "ETHUSDT: is still being flattened" in outcome
    assert people.ask("resume")[0].count("was NORMAL already") == 1


@pytest.mark.rule("M-1", "M-6")
def test_a_resume_of_one_symbol_says_that_the_account_is_still_held() -> None:
    """Its own mode ends; the account's does not."""
    people = Asking()
    people.ask("pause")
    people.btc.state.mode = found("paused")
    outcome, _ = people.ask("resume", "BTCUSDT")
    assert people.modes == (NO_ENTRIES, NORMAL, NORMAL)
    assert "without --symbol" in outcome


@pytest.mark.rule("M-6")
@pytest.mark.parametrize(
    ("what", "symbol", "said"),
    [
        ("dance", None, "unknown request 'dance'"),
        ("flatten", "XRPUSDT", "XRPUSDT is not managed here"),
    ],
)
def test_what_cannot_be_done_is_said(what: str, symbol: str | None, said: str) -> None:
    """Nothing changes."""
    people = Asking()
    assert people.ask(what, symbol) == (said, ())
    assert people.modes == (NORMAL, NORMAL, NORMAL)


# what is spent


@pytest.mark.rule("D-7", "M-6")
@pytest.mark.parametrize(("dated_ms", "spent"), [(NOW, True), (NOW + 1, False)])
def test_decisions_up_to_a_flatten_are_spent_after_a_restart(dated_ms: int, spent: bool) -> None:
    """By their own time; what is dated later may enter."""
    memory = SymbolMemory(symbol="BTCUSDT", flattened_ms=NOW)
    identity = StoreIdentity(store_id="s", fresh=False)
    desk = DecisionDesk.restore(memory, identity, NOW + 9, ahead_ms=5000)
    assert (desk.why_spent(decision(timestamp_ms=dated_ms)) == FLATTENED) is spent


@pytest.mark.rule("D-7", "M-6")
def test_a_decision_that_is_dated_a_little_ahead_is_spent_by_its_id() -> None:
    """It was there when everything was closed."""
    desk = DecisionDesk(symbol="BTCUSDT", ahead_ms=5000, spent=set())
    early = decision(timestamp_ms=NOW + 3000)
    desk.state = DecisionState(decision=early)
    desk.flatten(NOW)
    assert desk.state.spent is not None
    assert desk.why_spent(early) is not None
    assert desk.why_spent(decision(id="d2", timestamp_ms=NOW + 3000)) is None


@pytest.mark.rule("M-1")
def test_the_world_tells_of_both_modes_and_of_its_health() -> None:
    """What a tick may know of the ladder."""
    one = Kept(found("paused"))
    one.state.common.keep(found("unwritable"))
    one.state.common.not_writer = "replaced"
    one.state.senses.saw_silence(NOW)
    seen = one.state.world(NOW)
    assert seen.mode == found("paused") and seen.account_mode == found("unwritable")
    assert (seen.health.unanswered_ms, seen.health.hears) == (NOW, False)
    assert seen.health.not_writer == "replaced"
    assert world().health.hears and POLICY is not None
