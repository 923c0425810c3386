"""What `jumar levels check` says: what an engine takes in of a levels file, for people and for programs.

Promises that a refusal names its field. Judges nothing.
"""

from collections.abc import Sequence
from typing import Any

from jumar.model.levels import in_words
from jumar.model.moments import iso
from jumar.model.units import text
from jumar.ports.levels import LevelsReceived

NOTHING = "nothing in it is for a managed symbol"


def all_accepted(found: Sequence[LevelsReceived]) -> bool:
    """Whether there was anything, and nothing was refused."""
    return bool(found) and all(each.levels is not None for each in found)


def as_text(found: Sequence[LevelsReceived]) -> str:
    """Return the result for people, a line or more for each symbol."""
    return "\n".join(line for each in found for line in _lines(each)) or f"refused: {NOTHING}"


def _lines(received: LevelsReceived) -> list[str]:
    name = received.symbol or "the file"
    if received.levels is not None:
        return [f"{name}: accepted: {in_words(received.levels)}"]
    return [f"{name}: refused", *(f"  {error}" for error in received.errors)]


def as_data(found: Sequence[LevelsReceived]) -> dict[str, Any]:
    """Return the result for programs: JSON values only, amounts as text."""
    return {"accepted": all_accepted(found), "levels": [_data(each) for each in found]}


def _data(received: LevelsReceived) -> dict[str, Any]:
    levels = received.levels
    return {
        "symbol": received.symbol,
        "accepted": levels is not None,
        "as_of": None if levels is None else iso(levels.as_of_ms),
        "swings": 0 if levels is None else len(levels.swings),
        "zones": [
            {
                "id": zone.id,
                "explicit": zone.explicit,
                "zone": [text(zone.low), text(zone.high)],
                "strength": text(zone.strength),
            }
            for zone in (() if levels is None else levels.zones)
        ],
        "errors": [
            {"field": e.field, "value": e.value, "rule": e.rule, "message": e.message}
            for e in received.errors
        ],
    }
