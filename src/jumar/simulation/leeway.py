"""What Binance's documents leave open, answered anew by every seed: the promises must hold under each answer.

Half of the runs keep the answers that the simulated exchange gives by itself, so that these stay the best tried. Under
one answer Jumar cannot arm a stop and refuses to enter (`algo_reduce_only=-1106`); it has a story of its own.
"""

from dataclasses import fields
from random import Random  # noqa: TID251 - every draw comes from the run's seed

from jumar.exchange.simulated.core.readings import ALLOWED, DEFAULT_READINGS, Readings

SHARE, EACH = 0.5, 0.3
#: The longest times that are drawn, milliseconds.
LONGEST_MS = {"closeposition_expiry_ms": 5000, "gte_lag_ms": 1500, "triggering_ms": 400}
NO_ENTRIES = ("algo_reduce_only", "-1106")


def drawn_readings(dice: Random) -> Readings:
    """The answers of one run."""
    if dice.random() >= SHARE:
        return DEFAULT_READINGS
    chosen: dict[str, str | int] = {}
    for field in fields(Readings):
        drawn, share = dice.random(), dice.random()
        if drawn >= EACH:
            continue
        if field.name in LONGEST_MS:
            chosen[field.name] = int(LONGEST_MS[field.name] * share)
            continue
        words = [w for w in ALLOWED[field.name] if (field.name, w) != NO_ENTRIES]
        chosen[field.name] = words[int(share * len(words))]
    return Readings(**chosen)  # type: ignore[arg-type]  # names and kinds come from the class itself


def told_readings(readings: Readings) -> dict[str, str | int]:
    """Those that differ from what the simulated exchange does by itself, by name."""
    return {
        field.name: getattr(readings, field.name)
        for field in fields(readings)
        if getattr(readings, field.name) != getattr(DEFAULT_READINGS, field.name)
    }
