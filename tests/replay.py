"""Plays the recorded minute bars from their first to their last in virtual time, in both orders of a bar's extremes.

51 days of BTCUSDT, and the days around the crash of ETHUSDT of 2025-02-03; each run in a process of its own. A seeded writer
beside the engine decides every five minutes of the path and writes the levels it sees; the engine is killed and started
again on the way. Then one table tells what both judges say, how the trades ended and what was refused. Exit code 0: every
promise was checked and held, there were enough decisions and trades, and every exit that the recorded prices allow was seen
often enough. 1: not so. 2: no recorded data. Run by `make replay`.

Exits that recorded prices do not lead to by themselves: `backstop` (fires only when the working stop in front of it
has failed), `emergency` (a position whose cover cannot be restored).
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table
from tests.conftest import DEFAULT_RECORDED

from jumar.ops.demo.options import MAX, WHOLE, DemoOptions, files_of
from jumar.ops.demo.virtual import Played, play
from jumar.store import queries

FILES = (
    "usdm_BTCUSDT_1m_20250504_20250603.csv.gz",
    "usdm_BTCUSDT_1m_20250603_20250624.csv.gz",
    "usdm_ETHUSDT_1m_20250131_20250205.csv.gz",
)
ORDERS = ("low-first", "high-first")
DECISIONS_MIN, TRADES_MIN, EXITS_MIN = 200, 60, 10
PROMISES = tuple(f"P-{number}" for number in range(1, 11))
EXITS = ("tp1", "tp2", "stop", "liq_zone", "opposite", "flat")
FIGURES = ("trades", "entries_armed", "orders_sent", "restarts", "orphan_orders", "unresolved_intents", "stop_widened", "cover_gap_events")  # fmt: skip
DAY_S = 86_400
JOBS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One file in one order.

    Attributes:
        decisions: how many were written.
        r_net: the result of each trade in units of its risk, net of fees and funding, in the order of the trades.
    """

    played: Played
    decisions: int
    r_net: tuple[Decimal, ...]

    @property
    def name(self) -> str:
        """What is played and how."""
        options = self.played.options
        name = Path(options.market).name.removeprefix("usdm_").removesuffix(".csv.gz")
        return f"{name.replace('_1m_', ' ')} {options.bar_order.partition('-')[0]}"


def main() -> int:
    """Play both files and print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make replay", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, help="only so many of each file, for a quick look")
    parser.add_argument("--restarts", type=int, default=20, help="kills of the engine in each run")
    parser.add_argument("--jobs", type=int, default=JOBS, help="runs at once")
    asked = parser.parse_args()
    folder = Path(os.environ.get("JUMAR_RECORDED_DATA") or DEFAULT_RECORDED) / "data"
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        print(f"replay: {missing[0]} not found in {folder}; set JUMAR_RECORDED_DATA", file=sys.stderr)  # fmt: skip
        return 2
    wanted = [
        DemoOptions(
            seconds=WHOLE if asked.days is None else asked.days * DAY_S,
            seed=asked.seed,
            market=str(folder / name),
            begin=None,
            end=None,
            bar_order=order,
            speed=MAX,
            symbols=(),
            restarts=asked.restarts,
            state_dir=None,
            json=True,
        )
        for order in ORDERS
        for name in FILES
    ]
    runs = _together(wanted, asked.jobs)
    return 130 if runs is None else _tell(runs, whole=asked.days is None)


def _together(wanted: Sequence[DemoOptions], jobs: int) -> list[Run] | None:
    """Play all, some at once; None when a person interrupted."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawning) as pool:
        try:
            runs = [each for each in pool.map(_lived, wanted) if each is not None]
        except KeyboardInterrupt:
            return None  # the processes were interrupted as well and end by themselves
    return runs if len(runs) == len(wanted) else None


def _lived(options: DemoOptions) -> Run | None:
    with files_of(options) as files:
        played = play(options, files, name="")
        if played is None:
            return None
        rows = queries.trades(files.database)
        run = Run(
            played=played,
            decisions=len(files.decisions.read_text(encoding="utf-8").splitlines()),
            r_net=tuple(row.summary.r_net for row in rows if row.summary is not None),
        )
    # said at once: another one may take much longer
    print(f"{run.name}  {json.dumps(played.result)}", file=sys.stderr)
    return run


def _tell(runs: Sequence[Run], *, whole: bool) -> int:
    console = Console(width=150)
    console.print(_table(runs))
    wrong = _broken(runs) + (_scarce(runs) if whole else [])
    for line in wrong:
        console.print(line, style="red", markup=False)
    return 1 if wrong else 0


def _broken(runs: Sequence[Run]) -> list[str]:
    """What the judges found, and what they did not look at."""
    wrong = []
    for run in runs:
        each = run.played
        wrong += [f"{run.name}: {v['promise']} at {v['t']}: {v['message']}" for v in each.broken]
        unchecked = [p for p in PROMISES if each.result["promises"].get(p) is not True]
        wrong += [f"{run.name}: {p} did not hold, or was not checked" for p in unchecked]
    return wrong


def _scarce(runs: Sequence[Run]) -> list[str]:
    """What there was too little of for a proof."""
    seen = {
        "decisions": (sum(run.decisions for run in runs), DECISIONS_MIN),
        "trades": (sum(run.played.result["trades"] for run in runs), TRADES_MIN),
    }
    for name in EXITS:
        seen[f"exits by {name}"] = (sum(r.played.result["exits"][name] for r in runs), EXITS_MIN)
    return [
        f"{count} {name}, at least {least} are wanted"
        for name, (count, least) in seen.items()
        if count < least
    ]


def _table(runs: Sequence[Run]) -> Table:
    played = [run.played for run in runs]
    table = Table(title="recorded bars at max", title_justify="left")
    table.add_column("")
    for run in runs:
        table.add_column(run.name, justify="right")
    table.add_column("all", justify="right")
    _counts(table, "decisions", [run.decisions for run in runs])
    for name in FIGURES:
        _counts(table, name.replace("_", " "), [each.result[name] for each in played])
    table.add_section()
    for part, label in (("exits", "exit"), ("entries_refused", "refused"), ("checks", "checks")):
        for name in dict.fromkeys(key for each in played for key in each.result[part]):
            _counts(table, f"{label} {name}", [each.result[part].get(name, 0) for each in played])
        table.add_section()
    for name in PROMISES:
        verdicts = [each.result["promises"].get(name) for each in played]
        words = [{True: "held", False: "BROKEN", None: "not checked"}[v] for v in verdicts]
        table.add_row(name, *words, "held" if all(verdicts) else "NOT HELD")
    table.add_section()
    _results(table, runs)
    virtual_s, wall_s = ([getattr(e, n) for e in played] for n in ("virtual_s", "wall_s"))
    _counts(table, "simulated seconds", [round(seconds) for seconds in virtual_s])
    table.add_row("wall seconds", *(f"{s:,.0f}" for s in wall_s), "")
    table.add_row("times real time", *(f"{v / w:,.0f}" for v, w in zip(virtual_s, wall_s, strict=True)), "")  # fmt: skip
    return table


def _results(table: Table, runs: Sequence[Run]) -> None:
    """What the trades came to: R net of fees and funding by its quartiles, money, and the longest time without cover."""
    every = [*(run.r_net for run in runs), tuple(r for run in runs for r in run.r_net)]
    table.add_row("R net, worst", *(f"{min(r):.2f}" if r else "" for r in every))
    for index, name in enumerate(("lower quartile", "median", "upper quartile")):
        cells = (f"{quantiles(r, n=4)[index]:.2f}" if len(r) > 1 else "" for r in every)
        table.add_row(f"R net, {name}", *cells)
    table.add_row("R net, best", *(f"{max(r):.2f}" if r else "" for r in every))
    table.add_row("R net, sum", *(f"{sum(r):.1f}" for r in every))
    results = [run.played.result for run in runs]
    money = [float(result["pnl_usdt"]) for result in results]
    table.add_row("P&L, USDT", *(f"{value:,.2f}" for value in money), f"{sum(money):,.2f}")
    bare_ms = [result["unprotected_ms_max"] for result in results]
    table.add_row("unprotected ms, most", *map(str, bare_ms), str(max(bare_ms)))


def _counts(table: Table, label: str, counts: Sequence[int]) -> None:
    table.add_row(label, *(f"{count:,}" for count in counts), f"{sum(counts):,}")


if __name__ == "__main__":
    sys.exit(main())
