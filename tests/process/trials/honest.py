"""The honest twin: a trade armed, entered, protected twice, half sold at its target, trailed, stopped and swept."""

from tests.process.trials.wire import Wire

QUANTITY, HALF = "0.010", "0.005"


def main() -> None:
    """Keep every promise."""
    wire = Wire.from_arguments()
    wire.price("50000", "49999.9", "50000.1")
    wire.stop("S1", "49500", QUANTITY)
    wire.order("E1", "BUY", QUANTITY, type="LIMIT", price="49990", timeInForce="GTX")
    wire.price("49990", "49989.8", "49989.9")
    wire.stop("B1", "49500", None)
    wire.conditional("P1", "TAKE_PROFIT_MARKET", "50500", HALF)
    wire.price("50510", "50509.9", "50510.1")
    wire.stop("S2", "50100", QUANTITY)
    wire.cancel_conditional("S1")
    wire.price("50090", "50089.9", "50090.1")
    wire.report()


if __name__ == "__main__":
    main()
