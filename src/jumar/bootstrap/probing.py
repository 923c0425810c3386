"""The probe of an exchange for play money."""

from collections.abc import Sequence

from jumar.bootstrap.common import terms_of
from jumar.config import Venue
from jumar.exchange.binance.probe import QUESTIONS, Probe, Question, cap_of, chosen
from jumar.ports.clock import SystemClock


def probe_questions() -> tuple[Question, ...]:
    """Every question that a probe can ask."""
    return QUESTIONS


def open_probe(venue: Venue, *, symbol: str, only: Sequence[str], spend_cap: str) -> Probe:
    """Build a probe; nothing is connected yet.

    Raises:
        ConfigError: a name in `only`, the cap as it was written, an address or a key that cannot be used.
    """
    return Probe(
        **terms_of(venue),
        environment=venue.environment.value,
        symbol=symbol,
        questions=chosen(only),
        spend_cap=cap_of(spend_cap),
        clock=SystemClock(),
    )
