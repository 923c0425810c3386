"""Breaks P-2: moves the stop away by cancel and place, while a backstop keeps the position covered."""

from tests.process.trials.wire import Wire

QUANTITY = "0.010"


def main() -> None:
    """Protect properly, then loosen the stop."""
    wire = Wire.from_arguments()
    wire.price("50000", "49999.9", "50000.1")
    wire.stop("S1", "49500", QUANTITY)
    wire.order("E1", "BUY", QUANTITY)
    wire.stop("B1", "49000", None)
    wire.cancel_conditional("S1")
    wire.stop("S2", "49200", QUANTITY)
    wire.report()


if __name__ == "__main__":
    main()
