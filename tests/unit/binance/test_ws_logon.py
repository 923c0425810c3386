"""The session of the WebSocket API: one logon with an Ed25519 key, else every request signed."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.unit.binance import samples
from tests.unit.binance.venue import Frame, Listener, PatientClock, Venue

from jumar.exchange.binance import BinanceExchange, Credentials
from jumar.model.outcome import Accepted

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.rule("W-7")
@pytest.mark.parametrize("accepted", [True, False])
async def test_an_ed25519_session_is_logged_on_once(
    venue: Venue, clock: PatientClock, *, accepted: bool
) -> None:
    """After a logon requests carry no key; when it is refused each one is signed by itself."""

    def play(frame: Frame) -> Frame:
        if frame["method"] == "session.logon" and not accepted:
            return {"id": frame["id"], "status": 401, "error": {"code": -2015, "msg": "no"}}
        return {"id": frame["id"], "status": 200, "result": samples.ORDER_ANSWER}

    venue.on_frame = play
    keys = Credentials(key="k", secret=PEM)
    adapter = BinanceExchange(endpoints=venue.endpoints, credentials=keys, clock=clock)
    try:
        await adapter.start(["BTCUSDT"], Listener())
        outcome = await adapter.place(samples.ENTRY_REQUEST, timestamp_ms=5, timeout_ms=2000)
    finally:
        await adapter.close()
    assert isinstance(outcome, Accepted)
    logon, order = venue.frames
    stamp = logon["params"]["timestamp"]
    signed = f"apiKey=k&timestamp={stamp}".encode()
    PRIVATE.public_key().verify(base64.b64decode(logon["params"]["signature"]), signed)
    assert ("signature" in order["params"]) is not accepted
    assert ("apiKey" in order["params"]) is not accepted
    assert order["params"]["timestamp"] == 5
