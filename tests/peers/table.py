"""The table: clients down, capabilities across, and why a cell is empty."""

from tests.peers.capabilities import CAPABILITIES
from tests.peers.row import Foreign
from tests.peers.row_ccxt import Ccxt, CcxtPro
from tests.peers.row_python_binance import PythonBinance, PythonBinanceSockets
from tests.peers.row_sdk import SdkRest, SdkStreams, SdkWsApi

ROWS: tuple[Foreign, ...] = (
    Ccxt,
    CcxtPro,
    SdkRest,
    SdkWsApi,
    SdkStreams,
    PythonBinance,
    PythonBinanceSockets,
)

_BY_REST = "the client does this by REST; that row has it"
_STREAMS_ONLY = "a listening surface: it sends no requests"
_SOCKETS = "REST has no streams; the client's own streams row has it"

#: Cells that cannot be, with the reason.
ABSENT: dict[tuple[str, str], str] = {
    **dict.fromkeys(
        [
            (name, what)
            for name in ("ccxt", "sdk", "python-binance")
            for what in ("user stream", "market streams")
        ],
        _SOCKETS,
    ),
    **dict.fromkeys(
        [
            (name, what)
            for name in ("ccxt.pro", "sdk, WebSocket API", "python-binance, sockets")
            for what in (
                "markets",
                "leverage",
                "margin type",
                "order lists",
                "batch",
                "history",
            )
        ],
        "the exchange's WebSocket API for futures has no such method; " + _BY_REST,
    ),
    ("sdk, WebSocket API", "hedge mode"): "no such method there either, and no REST in this row",
    ("ccxt.pro", "prices"): "its ticker over the WebSocket API has no last price; its streams have",
    **dict.fromkeys(
        [("sdk, WebSocket API", what) for what in ("user stream", "market streams")],
        "the WebSocket API carries no events; the SDK's streams row has it",
    ),
    **dict.fromkeys(
        [
            ("sdk, streams", what)
            for what in CAPABILITIES
            if what not in {"connect", "user stream", "market streams"}
        ],
        _STREAMS_ONLY,
    ),
}


def has(row: Foreign, capability: str) -> bool:
    """Whether a row can do it."""
    return hasattr(row, CAPABILITIES[capability][1])


CELLS = [(row, what) for row in ROWS for what in CAPABILITIES if has(row, what)]


def as_markdown() -> str:
    """The table as the guide shows it: a mark where a cell is tried."""
    lines = [
        "| | " + " | ".join(row.name for row in ROWS) + " |",
        "|---" * (len(ROWS) + 1) + "|",
    ]
    for what in CAPABILITIES:
        marks = ("✓" if has(row, what) else "" for row in ROWS)
        lines.append(f"| {what} | " + " | ".join(marks) + " |")
    return "\n".join(lines)
