"""Breaks P-5: leaves by an order that is not reduce-only and only happens to have the right size."""

from tests.process.trials.wire import Wire

QUANTITY = "0.010"


def main() -> None:
    """Close with an order that could as well open."""
    wire = Wire.from_arguments()
    wire.price("50000", "49999.9", "50000.1")
    wire.stop("S1", "49500", QUANTITY)
    wire.order("E1", "BUY", QUANTITY)
    wire.order("X1", "SELL", QUANTITY)
    wire.cancel_conditional("S1")
    wire.report()


if __name__ == "__main__":
    main()
