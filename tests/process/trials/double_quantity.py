"""Breaks P-4: one decision's entry is sent twice under two ids, and both fill."""

from tests.process.trials.wire import Wire

QUANTITY, TWICE = "0.010", "0.020"


def main() -> None:
    """Enter twice under a stop for both, so that nothing but the quantity is wrong."""
    wire = Wire.from_arguments()
    wire.price("50000", "49999.9", "50000.1")
    wire.stop("S1", "49500", TWICE)
    wire.order("E1", "BUY", QUANTITY)
    wire.order("E2", "BUY", QUANTITY)
    wire.report()


if __name__ == "__main__":
    main()
