"""Listen keys: an hour of life, told once when it ends."""

import pytest

from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.server.listen_keys import LIFE_MS, ListenKeys


@pytest.fixture
def keys() -> ListenKeys:
    """Keys drawn from a list."""
    names = iter(["one", "two"])
    return ListenKeys(lambda: next(names))


def test_a_key_lives_an_hour_and_is_prolonged(keys: ListenKeys) -> None:
    """Valid until an hour after the last start or extension, not a millisecond longer."""
    assert keys.start(0) == "one"
    assert keys.extend(LIFE_MS - 1) == "one"
    assert keys.valid("one", 2 * LIFE_MS - 2)
    assert not keys.valid("one", 2 * LIFE_MS - 1)
    assert not keys.valid("other", 1)


def test_an_expiry_is_told_once(keys: ListenKeys) -> None:
    """Before its time there is none; afterwards exactly one; then a new key can start."""
    keys.start(0)
    assert keys.expired(LIFE_MS - 1) is None
    assert keys.expired(LIFE_MS) == "one"
    assert keys.expired(LIFE_MS) is None
    with pytest.raises(Refusal):
        keys.extend(LIFE_MS)
    assert keys.start(LIFE_MS) == "two"


def test_a_stopped_key_is_gone(keys: ListenKeys) -> None:
    """DELETE ends the key for everybody, silently."""
    keys.start(0)
    keys.stop()
    assert not keys.valid("one", 1)
    assert keys.expired(LIFE_MS) is None
