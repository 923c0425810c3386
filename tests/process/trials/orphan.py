"""Breaks P-8: goes home properly and leaves the stop behind."""

from tests.process.trials.wire import Wire

QUANTITY = "0.010"


def main() -> None:
    """Close the position, sweep nothing."""
    wire = Wire.from_arguments()
    wire.price("50000", "49999.9", "50000.1")
    wire.stop("S1", "49500", QUANTITY)
    wire.order("E1", "BUY", QUANTITY)
    wire.order("X1", "SELL", QUANTITY, reduceOnly="true")
    wire.report()


if __name__ == "__main__":
    main()
