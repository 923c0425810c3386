"""How fast and how large the simulated exchange is: `make bench`, or with ARGS="requests --pairs 5000", ARGS=--json.

It prints figures, each beside its aim and beside what the same machine does in the same run without an exchange: a
loaded or a slow machine changes both. It judges none of them; the exit code says only whether it could measure.
"""

import argparse
import os
from pathlib import Path

from tests.bench import memory, requests, stream
from tests.bench.figures import Findings
from tests.conftest import DEFAULT_RECORDED

BENCHES = ("requests", "stream", "memory")


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("which", nargs="*", help=f"of {', '.join(BENCHES)}; all by default")
    parser.add_argument("--pairs", type=int, default=5000, help="orders placed and cancelled")
    parser.add_argument("--lanes", type=int, default=requests.LANES, help="requests under way")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    unknown = set(options.which) - set(BENCHES)
    if unknown:
        parser.error(
            f"{', '.join(sorted(unknown))}: there is no such bench; choose {', '.join(BENCHES)}"
        )
    findings = Findings(quiet=options.json)
    wanted = options.which or BENCHES
    if "requests" in wanted:
        requests.bench(findings, options.pairs, options.lanes)
    if "stream" in wanted:
        folder = Path(os.environ.get("JUMAR_RECORDED_DATA") or DEFAULT_RECORDED) / "data"
        stream.bench(findings, folder)
    if "memory" in wanted:
        memory.bench(findings)
    findings.finish()


if __name__ == "__main__":
    main()
