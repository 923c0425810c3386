"""Keys and signatures.

Promises that neither key nor secret appears in any text made from these objects (W-7). HMAC-SHA256 is described
in the Binance USDⓈ-M "General Info" page (read 2026-09); Ed25519 as the official connector's common library 4.6
implements it (base64 of the signature over the same payload).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from jumar.model.errors import ConfigError

PEM_START = "-----BEGIN"
type Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """An API key and its secret: the text of an HMAC secret, or an Ed25519 private key in PEM."""

    key: str
    secret: str

    def __repr__(self) -> str:
        """Show neither."""
        return "Credentials(***)"


class Signer:
    """Signs requests with one account's keys.

    Raises:
        ConfigError: an empty or non-ASCII key or secret, or a PEM that is no plain Ed25519 private key.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.api_key = _checked("key", credentials.key)
        secret = _checked("secret", credentials.secret)
        self._ed25519 = _load_ed25519(secret) if secret.startswith(PEM_START) else None
        self._hmac_secret = b"" if self._ed25519 else secret.encode()

    @property
    def can_log_on(self) -> bool:
        """Whether a socket session may be authenticated once; Binance offers it to Ed25519 keys only."""
        return self._ed25519 is not None

    def sign(self, payload: str) -> str:
        """Return the signature of exactly this text."""
        if self._ed25519 is not None:
            return base64.b64encode(self._ed25519.sign(payload.encode())).decode()
        return hmac.new(self._hmac_secret, payload.encode(), hashlib.sha256).hexdigest()

    def signed_query(self, params: Params) -> str:
        """Return the query string with its signature last, percent-encoded."""
        query = urlencode(params, quote_via=quote)
        return f"{query}&signature={quote(self.sign(query), safe='')}"

    def signed_frame(self, params: Params) -> dict[str, str | int]:
        """Return the parameters of a WebSocket API frame with key and signature; names sorted, not encoded."""
        full = {**params, "apiKey": self.api_key}
        payload = "&".join(f"{name}={full[name]}" for name in sorted(full))
        return {**full, "signature": self.sign(payload)}


def _checked(name: str, value: str) -> str:
    text = value.strip()
    if not text:
        raise ConfigError(f"API {name}: empty; set the environment variable that the config names")
    if not text.isascii():
        raise ConfigError(
            f"API {name}: contains characters that no Binance {name} has; copy it again"
        )
    return text


def _load_ed25519(pem: str) -> Ed25519PrivateKey:
    # Environment files often carry the line breaks of a PEM as two characters.
    text = pem.replace("\\n", "\n")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            "API secret: not an unencrypted Ed25519 private key in PEM; use one or HMAC"
        )
    return key
