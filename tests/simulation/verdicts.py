"""What is asked of a scenario at its end: the exchange's judge, the audit, and that the journals agree."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.lives import HAND, assert_never_doubled, entry_fills, fills_seen
from tests.simulation.acts import Acts

from jumar.model.ids import parse_client_id
from jumar.store import queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The figures of a scenario that was judged clean.

    Attributes:
        exits: how many trades each role of exit reduced, as the exchange saw it; only those that did.
        reasons: what ended each filled trade of the journal in use.
        checks: on how many things each promise was checked, by both judges.
        entries: how many entry orders the exchange has seen.
        incidents: how often each rule was alarmed about.
        gaps: intervals without cover.
        excused_ms: their length.
        pnl: realized profit and loss after fees, quote currency.
    """

    trades: int
    exits: dict[str, int]
    reasons: list[str]
    checks: Mapping[str, int]
    entries: int
    incidents: Mapping[str, int]
    gaps: int
    excused_ms: int
    pnl: Decimal


def judged(
    story: Acts,
    *checked: str,
    home: bool = True,
    bare_ms_max: int = 0,
    but: frozenset[str] = frozenset(),
) -> Verdict:
    """Ask every judge; fails unless all promises were kept.

    Args:
        story: the scenario.
        checked: promises that must really have been checked.
        home: whether everything must be flat, swept and ended.
        bare_ms_max: how long a position that a hand made or changed may have been bare before it was covered.
        but: promises that nobody could keep here, each said there with the reason.
    """
    records: Any = story.book.records
    word = story.world.judge()
    # An order that a hand placed looks to the exchange like a client's: what it breaks is no engine's fault.
    broken = [v for v in word["violations"] if not (v["client_id"] or "").startswith(HAND)]
    assert not [v for v in broken if v["promise"] not in but], broken
    assert word["unprotected_ms_max"] <= bare_ms_max, word["gaps"]
    assert word["orphan_orders"] == 0
    assert_never_doubled(records)
    _assert_journals_agree(story, home=home)
    checks = Counter(word["checks"])
    if (
        not story.past
    ):  # the audit reads one database: after a lost one it would miss the first half
        found = story.world.audit(word)
        assert not [v for v in found.violations if v.promise not in but], found.violations
        checks.update(found.checks)
    unchecked = [promise for promise in checked if not checks[promise]]
    assert not unchecked, f"never checked: {unchecked} of {dict(checks)}"
    summaries = [row.summary for row in queries.trades(story.database)]
    return Verdict(
        trades=word["trades"],
        exits={role: times for role, times in word["exits"].items() if times},
        reasons=[each.exit_reason for each in summaries if each is not None],
        checks=checks,
        entries=sum(len(book.entries()) for book in story.books.values()),
        incidents=Counter(incident.rule for incident in story.witness.incidents),
        gaps=word["cover_gap_events"],
        excused_ms=word["unprotected_excused_ms"],
        pnl=Decimal(word["pnl_usdt"]),
    )


def _assert_journals_agree(story: Acts, *, home: bool) -> None:
    """Every order is in a journal; every intent has its end; every decision has one trade within its plan; no fill is invented."""
    ledger: Any = story.book.records
    databases = [*story.past, story.database]
    known = {name for path in databases for name in queries.journaled_ids(path)}
    seen = {r["client_id"] for r in ledger if parse_client_id(r.get("client_id") or "")}
    assert seen <= known, f"not journaled: {seen - known}"
    rows = queries.trades(story.database)
    if home:
        assert queries.unresolved_intents(story.database) == 0
        assert all(row.trade.ended_ms is not None for row in rows)
    filled = [row.trade.decision.id for row in rows if row.entry_fills > 0]
    assert len(filled) == len(set(filled)), f"entered twice: {filled}"
    plans = {row.trade.key: row for path in databases for row in queries.trades(path)}
    for key, quantity in entry_fills(ledger).items():
        assert quantity <= plans[key].trade.planned_quantity, f"{key} filled {quantity}"
    kept = fills_kept(story)
    assert kept.items() <= fills_seen(ledger, hands=True).items(), "a fill was invented"
    if home and not story.past:
        assert kept.keys() >= fills_seen(ledger).keys(), "a fill is missing"


def fills_kept(story: Acts) -> dict[int, tuple[Decimal, Decimal]]:
    """Price and quantity of every execution in the journal in use, by trade id."""
    with closing(sqlite3.connect(story.database)) as database:
        rows = database.execute("select trade_id, price, quantity from fills").fetchall()
    return {int(number): (Decimal(str(p)), Decimal(str(q))) for number, p, q in rows}
