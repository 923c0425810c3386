"""The audit of what moves after the entry: each stop that nobody decided, each zone exit that nobody named, is found."""

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from tests.worlds import NOW, POLICY, D, opened

from jumar.audit.decisions import DecisionRecord
from jumar.audit.evidence import Evidence
from jumar.audit.flight import Flight, Life, SentZoneExit
from jumar.audit.journal import Journal
from jumar.audit.ledger import Execution, LedgerReading, Placed
from jumar.audit.moves import check_moves
from jumar.audit.verdict import Findings
from jumar.model.levels import BoundZone
from jumar.model.moments import iso
from jumar.model.order import OwnOrder, Role, Side
from jumar.model.policy import OnFlat, Policy

LOW, INSIDE, HIGH = D(91300), D(91350), D(91400)


@dataclass
class Case:
    """An honest trade with one moved stop and one zone exit, until a test falsifies something."""

    rule: str = "R-2"
    trails: bool = True
    mode: str = "structure_plus_liq"
    zone_id: str | None = "z"
    second: BoundZone | None = None
    used: bool = True
    used_then: bool = True
    guided: bool = False
    mark: Decimal = INSIDE
    low: Decimal = LOW
    recorded: bool = True
    exits: int = 0
    took: Role | None = None
    flat: bool = False
    policy: Policy = field(default_factory=lambda: POLICY)

    def __post_init__(self) -> None:
        """The trade of the example."""
        story = opened()
        self.trade = replace(
            story.trade, zone=BoundZone(id="z", low=self.low, high=HIGH, used=self.used)
        )
        if self.guided:
            self.trade = replace(self.trade, guide=replace(self.trade.decision, id="newer"))
        self.stop: OwnOrder = story.alive()["S1"]

    def _placed(self, role: Role, number: int) -> Placed:
        return Placed(
            seq=number,
            t=NOW + 1000,
            symbol="BTCUSDT",
            client_id=f"jm-{self.trade.key}-{role.value}{number}",
            key=self.trade.key,
            role=role,
            side=Side.SELL,
            quantity=D("0.006"),
            price=None,
            trigger=None,
        )

    def _fill(self, order: str, number: int, side: Side, price: Decimal) -> Execution:
        return Execution(
            t=NOW,
            symbol="BTCUSDT",
            trade_id=number,
            order=order,
            side=side,
            price=price,
            quantity=D("0.013"),
        )

    def _decisions(self) -> DecisionRecord:
        base: dict[str, Any] = {
            "symbol": "BTCUSDT",
            "timestamp_iso": iso(self.trade.decision.timestamp_ms),
            "action": "long",
            "entry_zone": [90700, 90900],
            "sl": 90380,
            "tp1": 91600,
            "position_size_usdt": 1200,
            "position_management": {
                "enable_trailing": self.trails,
                "trail_mode": self.mode,
                "liq_tp_zone_id": self.zone_id,
            },
        }
        at = {"timestamp_iso": iso(NOW - 1000), "position_management": None}
        flat = {**base, **at, "action": "flat"}
        return DecisionRecord([json.dumps(base), *([json.dumps(flat)] if self.flat else [])])

    def broken(self) -> list[str]:
        """The promises that are found broken."""
        zone_exits = [self._placed(Role.ZONE_EXIT, number) for number in range(1, self.exits + 1)]
        key = self.trade.key
        fills = [self._fill(f"jm-{key}-E1", 1, Side.BUY, D("90786.6"))]
        fills += [
            self._fill(each.client_id, each.seq + 1, Side.SELL, D(91350)) for each in zone_exits
        ]
        if self.took is not None:
            fills.append(self._fill(f"jm-{key}-{self.took.value}1", 9, Side.SELL, D(91600)))
        ledger = LedgerReading(
            placed=list(zone_exits), fills={("BTCUSDT", each.trade_id): each for each in fills}
        )
        zone = BoundZone(id="z", low=self.low, high=HIGH, used=self.used_then)
        wheres = [(zone, self.mark)] * 2
        if self.second is not None:
            wheres[1] = self.second, self.second.low
        sent = {
            each.client_id: SentZoneExit(mark=mark, zone=where)
            for each, (where, mark) in zip(zone_exits, wheres, strict=False)
        }
        flight = Flight(
            policies={"BTCUSDT": self.policy},
            lives={"BTCUSDT": [Life(first_ms=NOW)]},
            moments={"BTCUSDT": [(NOW, 1), (NOW + 5000, 1)]},
            zone_exits=sent if self.recorded else {},
        )
        moved = replace(self.stop, rule=self.rule, journaled_ms=NOW + 2000)
        journal = Journal(
            trades={key: self.trade},
            orders={moved.client_id: moved},
            fills={},
            refusals=(),
            stop_moves={},
            newest_ms=NOW + 5000,
        )
        findings = Findings()
        evidence = Evidence(
            ledger=ledger, decisions=self._decisions(), journal=journal, flight=flight, gaps=()
        )
        check_moves(evidence, findings)
        return [each.promise for each in findings.verdict().violations]


@pytest.mark.rule("R-1", "P-10")
@pytest.mark.parametrize(
    ("rule", "mode", "clean"),
    [
        ("R-2", "structure", True),
        ("R-2", "structure_plus_liq", True),
        ("R-2", "percent", False),
        ("R-3", "structure_plus_liq", True),
        ("R-3", "structure", False),
        ("R-5", "percent", True),
        ("R-5", "structure", False),
        ("L-2", "percent", True),
        ("L-2", "none", False),
        ("S-7", "none", True),
    ],
)
def test_a_stop_trails_only_as_decided(rule: str, mode: str, clean: bool) -> None:
    """The written mode allows the rule; without permission to trail none does."""
    assert Case(rule=rule, mode=mode).broken() == ([] if clean else ["P-10"])
    refused = rule != "S-7"
    assert Case(rule=rule, mode=mode, trails=False).broken() == (["P-10"] if refused else [])


@pytest.mark.rule("T-3", "L-1", "P-10")
@pytest.mark.parametrize(
    ("took", "clean"), [(Role.TP1, True), (Role.ZONE_EXIT, True), (Role.TP2, False), (None, False)]
)
def test_breakeven_needs_an_executed_tp1(took: Role | None, clean: bool) -> None:
    """TP1 or the zone exit in its place, by the exchange's own record."""
    assert Case(rule="T-3", took=took).broken() == ([] if clean else ["P-10"])


@pytest.mark.rule("C-1", "P-10")
@pytest.mark.parametrize(
    ("flat", "on_flat", "clean"),
    [(True, OnFlat.TIGHTEN, True), (False, OnFlat.TIGHTEN, False), (True, OnFlat.HOLD, False)],
)
def test_tightening_needs_a_flat_decision_and_the_limit(
    flat: bool, on_flat: OnFlat, clean: bool
) -> None:
    """Written by the decision system, asked for by the configuration."""
    case = Case(rule="C-1", flat=flat, policy=replace(POLICY, on_flat=on_flat))
    assert case.broken() == ([] if clean else ["P-10"])


@pytest.mark.rule("L-1", "P-10")
@pytest.mark.parametrize(
    "lie",
    [
        {"zone_id": None},
        {"used": False},
        {"used_then": False},
        {"used": False, "used_then": False, "guided": True},
        {"mark": D("91299.9")},
        {"mark": D("91400.1")},
        {"low": D("90786.6")},
        {"recorded": False},
    ],
)
def test_a_zone_exit_that_nobody_decided_is_found(lie: dict[str, Any]) -> None:
    """No zone named, none used, mark outside it, the zone not beyond the entry, or no tick that sent it."""
    assert Case(rule="S-7", exits=1).broken() == []
    assert Case(rule="S-7", exits=1, **lie).broken() == ["P-10"]


@pytest.mark.rule("L-3", "E-9", "P-10")
def test_the_zone_of_a_newer_decision_hides_no_exit_of_the_older_one() -> None:
    """A guide brought another zone after the exit: the tick that sent it tells which one was used."""
    assert Case(rule="S-7", exits=1, used=False, guided=True).broken() == []


@pytest.mark.rule("L-1", "P-4")
def test_a_second_exit_in_one_zone_is_found() -> None:
    """Both executed in the same zone: one of them is one too many."""
    assert Case(rule="S-7", exits=2).broken() == ["P-4"]


@pytest.mark.rule("L-3", "E-9", "P-4")
@pytest.mark.parametrize(
    ("name", "low", "explicit", "broken"),
    [
        ("cluster_2", "91390", False, ["P-4"]),
        ("z", "91400.1", False, []),
        ("z", "91400.1", True, []),
    ],
)
def test_a_zone_is_known_by_its_prices(
    name: str, low: str, explicit: bool, broken: list[str]
) -> None:
    """A derived name says nothing: a newer decision's zone of that name may be another one, or the same under a new one."""
    second = BoundZone(id=name, low=D(low), high=D(91500), used=True, explicit=explicit)
    assert Case(rule="S-7", exits=2, second=second, mark=D("91400")).broken() == broken
