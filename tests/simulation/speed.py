"""How fast simulated time passes: `make sim-speed`, or with ARGS="--seed 7 --seconds 3600 --calm".

One symbol, a decision every five minutes, journal and tick record on; the judges' work at the end is counted, too.
A run counts that holds a position long enough: with faults many seeds are stopped out early and then kept from entering,
and simulate idle hours. Processor time is measured, so that other work on the machine says little. It prints numbers and
judges none.
"""

import argparse
import itertools
import time

from tests.simulation.sim import quiet

from jumar.simulation.faults import FaultPlan
from jumar.simulation.swarm import live

DECIDE_EVERY_S = (300.0, 300.0)


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(prog="make sim-speed", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--runs", type=int, default=8, help="how many that count")
    parser.add_argument("--held", type=float, default=0.4, help="least share with a position")
    parser.add_argument("--seconds", type=float, default=1200.0, help="virtual seconds of a run")
    parser.add_argument("--pace", type=float, default=0.2, help="of the market; slow ones hold on")
    parser.add_argument("--calm", action="store_true", help="without faults")
    options = parser.parse_args()
    quiet()
    planned = FaultPlan.calm if options.calm else FaultPlan.drawn
    live(FaultPlan.calm(0), seconds=1.0)  # imports and first compilations are nobody's speed
    simulated_s = held_s = spent_s = 0.0
    counted = 0
    for seed in itertools.count(options.seed):
        if counted == options.runs:
            break
        began = time.process_time()
        report = live(
            planned(seed),
            seconds=options.seconds,
            decide_every_s=DECIDE_EVERY_S,
            pace=options.pace,
        )
        if report.held_s < options.held * report.simulated_s:
            continue
        counted += 1
        spent_s += time.process_time() - began
        simulated_s += report.simulated_s
        held_s += report.held_s
    print(
        f"{counted} of the seeds {options.seed} to {seed - 1}: "
        f"{simulated_s:.0f} simulated seconds, {held_s / simulated_s:.0%} of them with a position, "
        f"in {spent_s:.1f} s of processor time: {simulated_s / spent_s:.0f} a second"
    )


if __name__ == "__main__":
    main()
