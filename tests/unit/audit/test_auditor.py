"""An audit of a tick record that is read as it is written says what an audit of the whole says."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.audit.honest import Run, texts

from jumar.audit import Auditor, AuditVerdict, audit
from jumar.reports import ticks


@pytest.fixture
def told(tmp_path: Path) -> Run:
    """An honest run with one restart."""
    run = Run(tmp_path)
    run.play()
    asyncio.run(run.keep())
    return run


def in_parts(run: Run, lines: list[bytes], parts: int) -> AuditVerdict:
    """The verdict when every file is gone before the next one is written."""
    auditor = Auditor()
    length = -(-len(lines) // parts)
    for begin in range(0, len(lines), length):
        part = run.folder / "part.jsonl"
        part.write_bytes(b"\n".join(lines[begin : begin + length]) + b"\n")
        auditor.read_ticks([part])
        part.unlink()
    return auditor.verdict(run.ledger, texts(), run.database, [])


def test_parts_give_the_verdict_of_the_whole(told: Run) -> None:
    """Wherever the record was cut."""
    files = ticks.record_files(told.database)
    lines = [line for path in files for line in path.read_bytes().splitlines() if line]
    whole = audit(told.ledger, texts(), told.database, files)
    assert whole.promises and whole.violations == ()
    for parts in (1, 2, 3, len(lines)):
        assert in_parts(told, lines, parts) == whole


@pytest.mark.rule("P-9")
def test_what_a_part_showed_is_not_forgotten(told: Run) -> None:
    """A tick that plans otherwise breaks the promise, though its file is gone at the end."""
    (path,) = ticks.record_files(told.database)
    lines = [line for line in path.read_bytes().splitlines() if line]
    place = next(index for index, line in enumerate(lines) if b'"place":' in line)
    command = lines[place].partition(b'"place":')[2]
    lines[place] = lines[place].replace(command, command.replace(b'"SELL"', b'"BUY"', 1))
    verdict = in_parts(told, lines, len(lines))
    assert verdict.promises["P-9"] is False
    assert verdict.violations[0].what.startswith("tick BTCUSDT-")
