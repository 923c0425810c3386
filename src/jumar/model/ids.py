"""Names that survive a crash: decision ids, trade keys and client order ids.

Promises: the same content gives the same name in every process, whatever the spelling of the input; a name
fits the venue's pattern `^[.A-Z:/a-z0-9_-]{1,36}$` (Binance USDⓈ-M "New Order", read 2026-09).
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from jumar.model.order import Role

PREFIX = "jm-"
TRADE_KEY_LENGTH = 10
_CLIENT_ID = re.compile(r"^jm-([a-z2-7]{10})-([ESBPQLX])([1-9][0-9]{0,8})$")


def trade_key(*, account: str, store_id: str, decision_id: str) -> str:
    """Return the ten characters that all orders of one decision's trade share (X-1).

    Args:
        account: the account's configured name.
        store_id: the identity made with the database, so that a new database never reuses old ids.
        decision_id: see `jumar.model.decision`.
    """
    digest = hashlib.sha256(f"{account}\n{store_id}\n{decision_id}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:TRADE_KEY_LENGTH]


def client_id(*, key: str, role: Role, attempt: int) -> str:
    """Return the client order id of one attempt of one slot: one id, one order."""
    return f"{PREFIX}{key}-{role.value}{attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedId:
    """What a client order id of ours says."""

    key: str
    role: Role
    attempt: int


def parse_client_id(value: str) -> ParsedId | None:
    """Return what a client order id says, None when it is not one of ours."""
    match = _CLIENT_ID.match(value)
    if match is None:
        return None
    return ParsedId(key=match[1], role=Role(match[2]), attempt=int(match[3]))
