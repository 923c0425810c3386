"""The engine that a configuration describes, and the audit of what it did."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jumar.audit import AuditVerdict
from jumar.audit import audit as judge_run
from jumar.bootstrap.common import emergency_of, journal_of, quota_of, store_of, terms_of
from jumar.config import Settings
from jumar.decisions.file import FileDecisions
from jumar.decisions.folder import FolderDecisions
from jumar.decisions.levels_file import FileLevels
from jumar.exchange.binance import BinanceExchange
from jumar.ports.clock import SystemClock
from jumar.ports.decisions import POLLS_PER_TICK, DecisionSource
from jumar.ports.observer import Observer
from jumar.reconciler.dry import (
    DryExecutor,
    ExchangeWithoutWrites,
    SilentSource,
    StoreOfNothing,
)
from jumar.reconciler.supervise import Engine
from jumar.reports import ticks
from jumar.reports.recorder import TickRecorder


def build_engine(settings: Settings, observers: Sequence[Observer]) -> Engine:
    """Build the engine that the settings describe; nothing is opened or connected yet.

    Raises:
        ConfigError: an address, a key or a database that cannot be used.
    """
    clock = SystemClock()
    return Engine(
        account=settings.account,
        policies=settings.policies,
        exchange=_exchange(settings, clock),
        store=store_of(settings, journal_of(settings)),
        emergency=emergency_of(journal_of(settings)),
        source=_source(settings),
        no_dead_man=settings.no_dead_man,
        levels=_levels(settings),
        clock=clock,
        observers=(*observers, *_recorder(settings)),
    )


def build_dry_engine(settings: Settings, observers: Sequence[Observer]) -> Engine:
    """Build an engine that reads and plans as the settings say, and can send nothing; it opens no database.

    Raises:
        ConfigError: an address or a key that cannot be used.
    """
    clock = SystemClock()
    return Engine(
        account=settings.account,
        policies=settings.policies,
        exchange=ExchangeWithoutWrites(_exchange(settings, clock)),
        store=StoreOfNothing(),
        source=SilentSource(_source(settings)),
        levels=_levels(settings),
        clock=clock,
        observers=observers,
        make_executor=DryExecutor,
    )


def _exchange(settings: Settings, clock: SystemClock) -> BinanceExchange:
    return BinanceExchange(
        **terms_of(settings),
        clock=clock,
        recv_window_ms=settings.recv_window_ms,
        host_quota=quota_of(settings),
    )


def _levels(settings: Settings) -> FileLevels | None:
    if settings.levels_path is None:
        return None
    return FileLevels(
        settings.levels_path, symbols=tuple(settings.policies), polls_per_tick=POLLS_PER_TICK
    )


def _source(settings: Settings) -> DecisionSource:
    kind = FolderDecisions if settings.decision_path.is_dir() else FileDecisions
    return kind(
        settings.decision_path,
        account=settings.account,
        symbols=tuple(settings.policies),
        polls_per_tick=POLLS_PER_TICK,
    )


def _recorder(settings: Settings) -> tuple[TickRecorder, ...]:
    base = journal_of(settings).base
    if base is None:
        return ()
    return (TickRecorder(base, account=settings.account, policies=settings.policies),)


def audit(
    ledger: Iterable[Mapping[str, Any]],
    decisions: Path,
    database: Path,
    gaps: Iterable[Mapping[str, Any]],
) -> AuditVerdict:
    """Judge a run by the exchange's ledger, the decisions as written, and the engine's database and tick record.

    Args:
        ledger: the exchange's records from the first one on.
        decisions: the record of the decision system, one decision a line; absent when it never wrote one.
        database: the engine's; its tick record lies beside it.
        gaps: of the verdict of the exchange's own judge on the same ledger.

    Raises:
        EvidenceError: some of it cannot be understood.
        StoreUnavailable: the database cannot be read.
    """
    written = decisions.read_text(encoding="utf-8").splitlines() if decisions.exists() else []
    return judge_run(ledger, written, database, ticks.record_files(database), gaps=gaps)
