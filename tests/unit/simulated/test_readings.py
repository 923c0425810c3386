"""Readings: what they take from words, and what they say about a wrong one."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from jumar.exchange.simulated.core.readings import (
    ALLOWED,
    LONGEST_MS,
    Readings,
    UnknownReading,
    readings_from,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "readings.md"


def test_no_words_choose_the_defaults() -> None:
    """Nothing chosen is every default."""
    assert readings_from([]) == Readings()


@pytest.mark.parametrize("name", list(ALLOWED))
def test_every_allowed_word_can_be_chosen(name: str) -> None:
    """Each word of each field is taken, and the default is one of them."""
    for word in ALLOWED[name]:
        assert getattr(readings_from([f"{name}={word}"]), name) == word
    assert getattr(Readings(), name) in ALLOWED[name]


def test_times_are_milliseconds() -> None:
    """Fields that are no words are whole milliseconds, zero by default."""
    times = [field.name for field in fields(Readings) if field.name not in ALLOWED]
    assert times == ["closeposition_expiry_ms", "gte_lag_ms", "triggering_ms"]
    for name in times:
        assert getattr(readings_from([f"{name}=250"]), name) == 250
        assert getattr(Readings(), name) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["oversize_stop"], "'oversize_stop' has no '='"),
        (["oversize=trim"], r"'oversize' is unknown; choose among dup_id_after_fill, .*triggering"),
        (["oversize_stop=cut"], "oversize_stop: 'cut' is not allowed; give trim or reject"),
        (["oversize_stop="], "oversize_stop: '' is not allowed; give trim or reject"),
        (["gte_lag_ms=soon"], "gte_lag_ms: 'soon' is not allowed; give a whole number of ms"),
        (["gte_lag_ms=-1"], "gte_lag_ms: '-1' is not allowed"),
        ([f"gte_lag_ms={LONGEST_MS + 1}"], "gte_lag_ms: 3600001 is not allowed"),
        (["oversize_stop=trim", "oversize_stop=reject"], "oversize_stop is given twice"),
    ],
)
def test_a_wrong_word_is_named_with_what_is_allowed(words: list[str], message: str) -> None:
    """The message names the field and the allowed words."""
    with pytest.raises(UnknownReading, match=message):
        readings_from(words)


def test_the_page_tells_every_reading_with_its_values() -> None:
    """One row a field, in the order of the fields, the default first; times by their range."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", text, flags=re.MULTILINE)
    ranges = f"0 to {LONGEST_MS}"
    words = {name: ", ".join(f"`{word}`" for word in ALLOWED[name]) for name in ALLOWED}
    assert rows == [(f.name, words.get(f.name, ranges)) for f in fields(Readings)]
    assert all(getattr(Readings(), name) == ALLOWED[name][0] for name in ALLOWED)
