"""Plays the recorded minute bars from their first to their last in virtual time, each file in a process of its own.

A seeded writer beside the engine decides every five minutes of the path; the engine is killed and started again on the
way. Then one table tells what both judges say. Exit code 0: every promise was checked and held, there were
enough trades, and every exit that the recorded prices allow was seen. 1: not so. 2: no recorded data. Run by `make replay`.

Exits that recorded prices do not lead to by themselves: `backstop` (fires only when the working stop in front of it
has failed), `emergency` (a position whose cover cannot be restored), `liq_zone` (no part of the engine yet).
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.conftest import DEFAULT_RECORDED

from jumar.ops.demo.options import MAX, WHOLE, DemoOptions, files_of
from jumar.ops.demo.virtual import Played, play

FILES = ("usdm_BTCUSDT_1m_20250504_20250603.csv.gz", "usdm_BTCUSDT_1m_20250603_20250624.csv.gz")
TRADES_MIN = 60
PROMISES = tuple(f"P-{number}" for number in range(1, 11))
EXITS = ("tp1", "tp2", "stop", "opposite", "flat")
FIGURES = ("trades", "entries_armed", "orders_sent", "restarts", "orphan_orders", "unresolved_intents", "stop_widened", "cover_gap_events")  # fmt: skip
DAY_S = 86_400


def main() -> int:
    """Play both files and print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make replay", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, help="only so many of each file, for a quick look")
    parser.add_argument("--restarts", type=int, default=20, help="kills of the engine in each file")
    asked = parser.parse_args()
    folder = Path(os.environ.get("JUMAR_RECORDED_DATA") or DEFAULT_RECORDED) / "data"
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        print(f"replay: {missing[0]} not found in {folder}; set JUMAR_RECORDED_DATA", file=sys.stderr)  # fmt: skip
        return 2
    runs = [
        DemoOptions(
            seconds=WHOLE if asked.days is None else asked.days * DAY_S,
            seed=asked.seed,
            market=str(folder / name),
            begin=None,
            end=None,
            speed=MAX,
            symbols=(),
            restarts=asked.restarts,
            state_dir=None,
            json=True,
        )
        for name in FILES
    ]
    played = _together(runs)
    if played is None:
        return 130
    return _tell(played)


def _together(runs: Sequence[DemoOptions]) -> list[Played] | None:
    """Play all runs at once; None when a person interrupted."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(runs), mp_context=spawning) as pool:
        try:
            played = [each for each in pool.map(_played, runs) if each is not None]
        except KeyboardInterrupt:
            return None  # the processes were interrupted as well and end by themselves
    return played if len(played) == len(runs) else None


def _played(options: DemoOptions) -> Played | None:
    name = f"{_named(options)}  "
    with files_of(options) as files:
        played = play(options, files, name=name)
    if played is not None:  # said at once: the other file may take much longer
        print(f"{name}{json.dumps(played.result)}", file=sys.stderr)
    return played


def _named(options: DemoOptions) -> str:
    return Path(options.market).name.removesuffix(".csv.gz").removeprefix("usdm_BTCUSDT_1m_")


def _tell(played: Sequence[Played]) -> int:
    console = Console(width=120)
    console.print(_table(played))
    wrong = _wrong(played)
    for line in wrong:
        console.print(line, style="red", markup=False)
    return 1 if wrong else 0


def _wrong(played: Sequence[Played]) -> list[str]:
    """What keeps the replay from being a proof."""
    wrong = []
    for each in played:
        name = _named(each.options)
        wrong += [f"{name}: {v['promise']} at {v['t']}: {v['message']}" for v in each.broken]
        unchecked = [p for p in PROMISES if each.result["promises"].get(p) is not True]
        wrong += [f"{name}: {p} did not hold, or was not checked" for p in unchecked]
    trades = sum(each.result["trades"] for each in played)
    if trades < TRADES_MIN:
        wrong.append(f"{trades} trades, at least {TRADES_MIN} are wanted")
    seen = {name: sum(each.result["exits"][name] for each in played) for name in EXITS}
    return wrong + [f"no exit by {name}" for name, count in seen.items() if not count]


def _table(played: Sequence[Played]) -> Table:
    table = Table(title="recorded BTCUSDT bars at max", title_justify="left")
    table.add_column("")
    for each in played:
        table.add_column(_named(each.options), justify="right")
    table.add_column("both", justify="right")
    for name in FIGURES:
        _counts(table, name.replace("_", " "), [each.result[name] for each in played])
    table.add_section()
    for part in ("exits", "entries_refused", "checks"):
        names = dict.fromkeys(key for each in played for key in each.result[part])
        for name in names:
            counts = [each.result[part].get(name, 0) for each in played]
            label = {"exits": "exit", "entries_refused": "refused", "checks": "checks"}[part]
            _counts(table, f"{label} {name}", counts)
        table.add_section()
    for name in PROMISES:
        verdicts = [each.result["promises"].get(name) for each in played]
        words = [{True: "held", False: "BROKEN", None: "not checked"}[v] for v in verdicts]
        table.add_row(name, *words, "held" if all(verdicts) else "NOT HELD")
    table.add_section()
    bare_ms = [each.result["unprotected_ms_max"] for each in played]
    table.add_row("unprotected ms, most", *(str(ms) for ms in bare_ms), str(max(bare_ms)))
    pnl = [f"{float(each.result['pnl_usdt']):,.2f}" for each in played]
    table.add_row("P&L, USDT", *pnl, f"{sum(float(each.result['pnl_usdt']) for each in played):,.2f}")  # fmt: skip
    virtual_s = [each.virtual_s for each in played]
    wall_s = [each.wall_s for each in played]
    _counts(table, "simulated seconds", [round(seconds) for seconds in virtual_s])
    table.add_row("wall seconds", *(f"{s:,.0f}" for s in wall_s), f"{max(wall_s):,.0f}")
    paces = [v / w for v, w in zip(virtual_s, wall_s, strict=True)]
    table.add_row("times real time", *(f"{p:,.0f}" for p in paces), f"{sum(virtual_s) / max(wall_s):,.0f}")  # fmt: skip
    return table


def _counts(table: Table, label: str, counts: Sequence[int]) -> None:
    table.add_row(label, *(f"{count:,}" for count in counts), f"{sum(counts):,}")


if __name__ == "__main__":
    sys.exit(main())
