"""freqtrade's exchange class, pointed at the simulated exchange by its configuration: `make peers-freqtrade`.

It starts, places, cancels, enters; its stop on the exchange rests, triggers and is taken back. Each line of the table
is one thing that its own objects and the exchange's ledger both say.
"""

import sys
import tempfile
from pathlib import Path

from tests.peers import apart


def main() -> int:
    """Live the trial; 0 when everything was as it must be."""
    python = apart.python_of("tests.peers.freqtrade", __doc__)
    with tempfile.TemporaryDirectory() as name, apart.served(Path(name)) as rest:
        apart.headed("freqtrade")
        done = apart.lived([python, "-m", "tests.peers.freqtrade.trial"], Path(name))
        return 0 if not apart.asked_in_vain(rest) and done else 1


if __name__ == "__main__":
    sys.exit(main())
