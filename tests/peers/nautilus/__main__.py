"""NautilusTrader, pointed at the simulated exchange as the guide says: `make peers-nautilus`.

It starts, reconciles, enters; its stop rests and triggers; a second start without a memory finds the position and the
stop. Each line of the table is one thing that the client's cache and the exchange's ledger both say. Then the guide's
own program is run.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.peers import apart

from jumar.ops.cli.served import program

STORIES = ("first", "again")
ROUTES = ("--routes", "demo")
LEFT = [("conditional", "CANCELED"), ("order", "CANCELED")]


def guided(python: str, guide: Path) -> bool:
    """Run the guide's own program; whether it placed an order and a stop and cancelled both."""
    with apart.served(guide.parent, *ROUTES) as rest:
        code, lines = apart.told([python, str(guide)], guide.parent)
        records = [json.loads(line) for line in apart.got(f"{rest}/sim/ledger").splitlines()]
        vain = apart.asked_in_vain(rest)
    statuses = sorted((each["kind"], each["status"]) for each in records if "status" in each)
    done = code == 0 and not vain and [each for each in statuses if each[1] != "NEW"] == LEFT
    print(f"the guide's program: {'runs' if done else 'fails'}")
    if not done:
        print("\n".join(lines), file=sys.stderr)
    return done


def main() -> int:
    """Live both starts and run the guide's program; 0 when everything was as it must be."""
    python = apart.python_of("tests.peers.nautilus", __doc__)
    trial = [python, "-m", "tests.peers.nautilus.trial"]
    with tempfile.TemporaryDirectory() as name:
        guide = Path(name) / "guide.py"
        guide.write_text(program("nautilus"), encoding="utf-8")
        apart.headed("the cache of NautilusTrader")
        with apart.served(guide.parent, *ROUTES) as rest:
            done = all(apart.lived([*trial, str(guide), each], guide.parent) for each in STORIES)
            vain = apart.asked_in_vain(rest)
        return 0 if guided(python, guide) and done and not vain else 1


if __name__ == "__main__":
    sys.exit(main())
