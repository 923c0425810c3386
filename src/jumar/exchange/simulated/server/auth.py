"""Who may ask: API keys, signatures, the receive window.

HMAC-SHA256 (hexadecimal) and Ed25519 (base64) over the exact bytes that were sent, and the server's rule for time:
accepted if `timestamp < server + 1000` and `server - timestamp <= recvWindow` (Binance USDⓈ-M general info).
Knows nothing of what is asked.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.refusal import AHEAD, Refusal

AHEAD_MS = 1000
DEFAULT_WINDOW_MS = 5000
LARGEST_WINDOW_MS = 60_000


class Verifier(Protocol):
    """Checks signatures made with one key."""

    def verify(self, payload: str, signature: str) -> bool:
        """Whether `signature` was made over `payload`."""
        ...


class HmacVerifier:
    """HMAC-SHA256 with a shared secret, hexadecimal."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def verify(self, payload: str, signature: str) -> bool:
        """Whether `signature` was made over `payload`; upper and lower case count alike."""
        expected = hmac.digest(self._secret, payload.encode(), "sha256").hex()
        return hmac.compare_digest(expected.encode(), signature.lower().encode())


class Ed25519Verifier:
    """Ed25519 with a public key, base64."""

    def __init__(self, pem: str) -> None:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("ed25519_keys: a key is not an Ed25519 public key in PEM form")
        self._key = key

    def verify(self, payload: str, signature: str) -> bool:
        """Whether `signature` was made over `payload`."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), payload.encode())
        except (InvalidSignature, ValueError):  # ValueError: not base64, or not even ASCII
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """An Ed25519 key as clients are given it: PEM, the private half in PKCS#8."""

    private: str
    public: str


def key_pair(seed: str) -> KeyPair:
    """The key pair of a seed; the same seed gives the same pair."""
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private=private.decode(), public=public.decode())


class Gate:
    """The keys of the one account."""

    def __init__(self, verifiers: Mapping[str, Verifier]) -> None:
        self._verifiers = dict(verifiers)

    def verifier(self, api_key: str | None) -> Verifier:
        """The verifier of a key.

        Raises:
            Refusal: -2014 without a key, -2015 with an unknown one.
        """
        if not api_key:
            raise Refusal(-2014, status=401)
        verifier = self._verifiers.get(api_key)
        if verifier is None:
            raise Refusal(-2015, status=401)
        return verifier

    def check(self, api_key: str | None, params: Params, payload: str, now_ms: int) -> None:
        """Key, time and signature of one request.

        Raises:
            Refusal: -2014, -2015, -1102, -1131, -1021 or -1022.
        """
        verifier = self.verifier(api_key)
        check_time(params, now_ms)
        if not verifier.verify(payload, params.text("signature")):
            raise Refusal(-1022)


def check_time(params: Params, now_ms: int) -> None:
    """The receive window (-1102, -1131, -1021)."""
    timestamp = params.integer("timestamp")
    window = params.integer("recvWindow", DEFAULT_WINDOW_MS)
    if window > LARGEST_WINDOW_MS:
        raise Refusal(-1131)
    if timestamp >= now_ms + AHEAD_MS:
        raise Refusal(-1021, message=AHEAD)
    if now_ms - timestamp > window:
        raise Refusal(-1021)


def readable(raw: str) -> str:
    """What was sent, with what is no text replaced: such bytes must not fail later, where text is expected."""
    return raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def unsigned(raw: str) -> str:
    """A raw query string or form body without its signature, otherwise byte for byte as sent."""
    return "&".join(part for part in raw.split("&") if not part.startswith("signature="))


def sorted_payload(params: Mapping[str, str]) -> str:
    """What a WebSocket request signs: all parameters but the signature, by name."""
    return "&".join(
        f"{name}={value}" for name, value in sorted(params.items()) if name != "signature"
    )
