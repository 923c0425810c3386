"""Signatures and keys: the venue's own vector, and silence about secrets."""

import base64
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jumar.exchange.binance.signing import Credentials, Signer
from jumar.model.errors import ConfigError

SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
VECTOR: dict[str, str | int] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": 1,
    "price": 9000,
    "timeInForce": "GTC",
    "recvWindow": 5000,
    "timestamp": 1591702613943,
}
SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def _pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.rule("W-7")
def test_the_documented_vector_is_signed_as_documented() -> None:
    """HMAC-SHA256 over the query string gives the signature of Binance's General Info page."""
    query = Signer(Credentials(key="k", secret=SECRET)).signed_query(VECTOR)
    assert query.endswith(f"&timestamp=1591702613943&signature={SIGNATURE}")


def test_a_frame_is_signed_over_its_sorted_parameters() -> None:
    """A WebSocket API frame carries the key and a signature over all other parameters by name."""
    signer = Signer(Credentials(key="k", secret=SECRET))
    frame = signer.signed_frame({"timestamp": 5, "symbol": "BTCUSDT"})
    assert frame == {
        "symbol": "BTCUSDT",
        "timestamp": 5,
        "apiKey": "k",
        "signature": signer.sign("apiKey=k&symbol=BTCUSDT&timestamp=5"),
    }


@pytest.mark.rule("W-7")
@pytest.mark.parametrize("flat", [False, True], ids=["lines", "escaped"])
def test_an_ed25519_key_signs_what_its_public_half_verifies(*, flat: bool) -> None:
    """An Ed25519 PEM signs in base64, also when its line breaks came as two characters."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem = _pem(private).replace("\n", "\\n") if flat else _pem(private)
    signer = Signer(Credentials(key="k", secret=pem))
    assert signer.can_log_on
    private.public_key().verify(base64.b64decode(signer.sign("a=1")), b"a=1")
    assert "signature=" in signer.signed_query({"a": 1})
    assert not set("+/=") & set(signer.signed_query({"a": 1}).partition("signature=")[2])


@pytest.mark.rule("W-7")
def test_nothing_shows_the_keys() -> None:
    """Neither text of the credentials nor of the signer contains key or secret."""
    credentials = Credentials(key="visible-key", secret=SECRET)
    shown = f"{credentials!r} {credentials} {Signer(credentials)!r}"
    assert "visible-key" not in shown
    assert SECRET not in shown


@pytest.mark.rule("W-7")
@pytest.mark.parametrize(
    "secret",
    [
        "",
        "  ",
        "gehei\u00fcm",
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----",
        generate_private_key(SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
    ],
    ids=["empty", "blank", "not ascii", "broken pem", "other kind of key"],
)
def test_an_unusable_secret_is_refused_without_showing_it(secret: str) -> None:
    """A secret that cannot sign is a configuration error that names the field and keeps it quiet."""
    with pytest.raises(ConfigError, match="API secret") as caught:
        Signer(Credentials(key="k", secret=secret))
    shown = "".join(traceback.format_exception(caught.value))
    assert (
        not secret.strip() or secret.strip().splitlines()[-2 if "\n" in secret else 0] not in shown
    )
