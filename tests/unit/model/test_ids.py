"""Names that survive a crash."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jumar.model.ids import client_id, parse_client_id, trade_key
from jumar.model.order import Role

words = st.text(min_size=1, max_size=60)


@pytest.mark.rule("X-1")
@given(words, words, words, st.sampled_from(Role), st.integers(1, 99_999))
def test_every_id_fits_the_venue_and_parses_back(
    account: str, store: str, decision: str, role: Role, attempt: int
) -> None:
    """At most 36 of the allowed characters, and it says what it was made from."""
    key = trade_key(account=account, store_id=store, decision_id=decision)
    name = client_id(key=key, role=role, attempt=attempt)
    assert re.fullmatch(r"[.A-Z:/a-z0-9_-]{1,36}", name)
    parsed = parse_client_id(name)
    assert parsed is not None
    assert (parsed.key, parsed.role, parsed.attempt) == (key, role, attempt)


@pytest.mark.rule("X-1")
def test_another_store_another_account_another_decision_is_another_key() -> None:
    """A replaced database never reuses the ids of the old one."""
    base = {"account": "main", "store_id": "s1", "decision_id": "d1"}
    keys = {trade_key(**base)} | {trade_key(**{**base, name: "other"}) for name in base}
    assert len(keys) == 4


@pytest.mark.parametrize(
    "text", ["", "jm-", "x-aaaaaaaaaa-E1", "jm-aaaaaaaaaa-Z1", "jm-aaaaaaaaaa-E0", "web_abc"]
)
def test_other_peoples_ids_are_not_ours(text: str) -> None:
    """Only the exact form is ours."""
    assert parse_client_id(text) is None
