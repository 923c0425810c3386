"""The demo's configuration of the engine, as a person would write it."""

from collections.abc import Mapping

from jumar.ops.demo.options import Files

KEY_ENV, SECRET_ENV = "JUMAR_DEMO_KEY", "JUMAR_DEMO_SECRET"
#: Nobody answers there: in virtual time the exchange is no further away than the next object.
NOWHERE = {"rest": "http://127.0.0.1:9", "stream": "ws://127.0.0.1:9", "ws_api": "ws://127.0.0.1:9"}
#: A demo is there to trade: what holds a careful account back for the rest of the day would end it after minutes.
BUSY = (
    "max_trades_per_day = 100",
    "cooldown_after_loss_s = 0",
    "daily_drawdown_pct = 20",
    "weekly_drawdown_pct = 40",
)
LOOP_INTERVAL_S = 3
"""Between ticks in virtual time: what suits decisions that come every five minutes; events wake the loop at once."""


def of_processes(ready: Mapping[str, str], files: Files, symbols: tuple[str, ...]) -> str:
    """Return the configuration of an engine beside an exchange that said where it is."""
    # in a minute of a demo no bar of a quarter of an hour is complete, however fast its prices go
    limits = ('structure_timeframe = "1m"',)
    return _text(ready, files, symbols, name="demo", limits=limits)


def of_virtual_time(files: Files, symbols: tuple[str, ...]) -> str:
    """Return the configuration of an engine in virtual time."""
    limits = (f"loop_interval_s = {LOOP_INTERVAL_S}",)
    return _text(NOWHERE, files, symbols, name="main", limits=limits)


def _text(
    addresses: Mapping[str, str],
    files: Files,
    symbols: tuple[str, ...],
    *,
    name: str,
    limits: tuple[str, ...] = (),
) -> str:
    lines = [
        "[account]",
        f'name = "{name}"',
        'environment = "custom"',
        f'rest_url = "{addresses["rest"]}"',
        f'stream_url = "{addresses["stream"]}"',
        f'ws_api_url = "{addresses["ws_api"]}"',
        f'key_env = "{KEY_ENV}"',
        f'secret_env = "{SECRET_ENV}"',
        "[store]",
        f'url = "sqlite:///{files.database.name}"',
        "[decision]",
        f'path = "{files.decision.name}"',
        "[levels]",
        f'path = "{files.levels.name}"',
        "[limits]",
        "max_notional_usdt = 2000",
        'on_flat = "close"',
        *BUSY,
        *limits,
        *(f"[symbols.{symbol}]" for symbol in symbols),
    ]
    return "\n".join(lines) + "\n"
