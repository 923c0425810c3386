"""What `jumar exchange serve` tells people, and the programs that `jumar exchange client` hands out.

The programs stand beside this file, one a client, as they are printed; the guide shows the same ones and the tests
run them. Nothing here knows a secret: programs read keys from the ready file.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from jumar.model.errors import ConfigError

CLIENTS: Mapping[str, str] = {
    "ccxt": "ccxt",
    "sdk": "the official SDK",
    "python-binance": "python-binance",
    "nautilus": "NautilusTrader",
}
READY = Path("ready.json")
_READY_WORDS = 'Path("ready.json")'


def program(name: str, ready_file: Path = READY) -> str:
    """A program that trades on a served exchange with a client; it reads addresses and keys from the ready file.

    Raises:
        ConfigError: there is none for that client.
    """
    if name not in CLIENTS:
        raise ConfigError(f"client: {name!r} is unknown; choose among {', '.join(CLIENTS)}")
    text = (files("jumar.ops.cli") / "clients" / f"{name}.txt").read_text(encoding="utf-8")
    return text.replace(_READY_WORDS, f"Path({json.dumps(str(ready_file))})")


def clients() -> str:
    """Which programs there are, a line each."""
    rows = [f"  {name:<16}{title}" for name, title in CLIENTS.items()]
    return "\n".join(["jumar exchange client NAME prints a program to begin with:", *rows, ""])


def greeting(urls: Mapping[str, object], market: str, ready_file: Path | None) -> str:
    """Where a served exchange answers and how clients are pointed at it; no secret."""
    rest = urls["rest"]
    keys = "start it with --ready-file FILE to get keys" if ready_file is None else str(ready_file)
    lines = [
        f"The exchange answers (market: {market}). Ctrl-C ends it.",
        f"  REST           {rest}",
        f"  streams        {urls['stream']}/public, /market, /private",
        f"  WebSocket API  {urls['ws_api']}",
        f"  keys           {keys}",
        f"  its own word   {rest}/sim/ledger, {rest}/sim/judge",
    ]
    if market == "manual":
        body = '\'{"symbol": "BTCUSDT", "last": "90000", "mark": "90000"}\''
        lines.append(f"  move the price curl {rest}/sim/price -d {body}")
    names = " | ".join(CLIENTS)
    return "\n".join([*lines, f"  your client    jumar exchange client {names}"])
