"""Lives seeds of the general swarm on one copy of the engine until a run reports failures; `copies.tried` starts it.

Arguments: the folder of the copy's sources, the first seed, how many at most. Prints one JSON object. Ends with an
error when the engine that was imported is not the copy's: a verdict on another one would be worthless.
"""

import json
import sys
import time
from pathlib import Path

import structlog

import jumar
from jumar.simulation.faults import FaultPlan
from jumar.simulation.swarm import live


def main() -> None:
    """Live them and tell."""
    copy, base, count = Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3])
    used = Path(jumar.__file__).resolve()
    if not used.is_relative_to(copy):
        raise SystemExit(f"the engine of {copy} was to be tried, imported was {used}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    began = time.process_time()
    found: dict[str, object] = {"seed": None, "tried": count, "failures": []}
    for seed in range(base, base + count):
        failures = live(FaultPlan.drawn(seed)).failures
        if failures:
            found = {"seed": seed, "tried": seed - base + 1, "failures": failures}
            break
    print(json.dumps({**found, "cpu_s": time.process_time() - began}))


if __name__ == "__main__":
    main()
