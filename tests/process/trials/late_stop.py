"""Breaks P-1: the position is there at once, its stop 400 ms later."""

import time

from tests.process.trials.wire import Wire

QUANTITY = "0.010"
LATE_S = 0.4


def main() -> None:
    """Enter first, protect later."""
    wire = Wire.from_arguments()
    wire.price("50000", "49999.9", "50000.1")
    wire.order("E1", "BUY", QUANTITY)
    time.sleep(LATE_S)  # noqa: TID251 - the delay is what this trial is about
    wire.stop("S1", "49500", QUANTITY)
    wire.report()


if __name__ == "__main__":
    main()
