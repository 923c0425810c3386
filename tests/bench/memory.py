"""What one virtual hour of a busy account leaves in memory: at its quarters, in a process of its own.

Two processes live the same hour at the same time: in one Python's own allocations are traced (only what the exchange
and its client allocated since their modules were loaded), the other tells what the system gave to the whole process.
"""

import gc
import multiprocessing
import os
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import process_time
from typing import NamedTuple

from tests.bench.figures import Figure, Findings
from tests.bench.hour import Hour

QUARTERS_MIN = (15, 30, 45, 60)
AIM = 1.1
MB = 1e6


class Lived(NamedTuple):
    """One hour: bytes at each quarter, and what happened."""

    held: list[int]
    cycles: int
    records: int
    cpu_s: float


def bench(findings: Findings) -> None:
    """Live the hour twice and compare its end with its first quarter."""
    findings.note("Memory: one virtual hour, 5 drawn markets, an order cycle a second, ledger on")
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawning) as pool:
        whole, traced = pool.map(live, (False, True))
    findings.add(
        Figure(
            name="the hour",
            values={
                "order cycles": whole.cycles,
                "ledger records": whole.records,
                "processor s": whole.cpu_s,
            },
        )
    )
    for name, lived in (("the process", whole), ("the exchange alone, traced", traced)):
        quarters = zip(QUARTERS_MIN, lived.held, strict=True)
        ratio = lived.held[-1] / lived.held[0]
        findings.add(
            Figure(
                name=name,
                values={
                    **{f"{minute} min MB": held / MB for minute, held in quarters},
                    "60 min of 15 min": ratio,
                },
                aim=f"at most {AIM}",
                reached=ratio <= AIM,
            )
        )


def live(traced: bool) -> Lived:
    """Live one hour in this process."""
    if traced:
        tracemalloc.start()
    began_s, held = process_time(), []
    hour = Hour()
    for minute in QUARTERS_MIN:
        hour.run(until_s=60 * minute)
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0] if traced else resident())
    records = len(hour.venue.core.ledger.records)
    return Lived(held, hour.cycles, records, process_time() - began_s)


def resident(process: int | str = "self") -> int:
    """What a process occupies, bytes; zero where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
