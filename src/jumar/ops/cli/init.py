"""`jumar init`: a folder to start from: a configuration with every limit, an example decision, names for the keys.

Promises that nothing is ever overwritten, that what is written can be used as it is once the keys are set, and that
the example is stale and not the watched file, so that no engine trades it.
"""

import json
from pathlib import Path

from jumar.config.limits import LIMITS, Limit
from jumar.model.errors import ConfigError

CONFIG, EXAMPLE, VARIABLES = "jumar.toml", "decision.example.json", ".env.example"
_HEAD = """\
# One engine, one account. Relative paths begin at this file's folder.

[account]
name = "main"                 # part of every order id: choose it once, never change it
environment = "demo"          # Binance's demo exchange; "custom" takes rest_url, stream_url and ws_api_url
                              # real money: environment = "live" and live_confirmed = "main", both by hand;
                              # docs/reference/config.md first: nothing here was ever run against Binance
key_env = "JUMAR_KEY"         # names of environment variables: the secrets themselves never stand here
secret_env = "JUMAR_SECRET"

[store]
url = "sqlite:///jumar.db"    # the journal; keep it: it knows which orders are ours

[decision]
path = "decision.json"        # the file that your system writes
                              # swings and liquidation zones: a section [levels] with path = "levels.json";
                              # docs/reference/levels.md

# Limits hold for every symbol; a symbol's own section may override them. Those that are commented out show
# their default and what is allowed.
[limits]
max_notional_usdt = 1500      # largest notional of one position, USDT: yours to say, it has no default
"""
_TAIL = """
[symbols.BTCUSDT]
"""
_ENVIRONMENT = """\
# Copy to .env (mode 0600), fill in, and load it before the start: set -a; . ./.env; set +a
JUMAR_KEY=
JUMAR_SECRET=
"""
_DECISION = {
    "symbol": "BTCUSDT",
    "timestamp_iso": "2025-12-05T10:05:00Z",
    "action": "long",
    "reason": "trend_up",
    "entry_zone": [90700, 90900],
    "sl": 90380,
    "tp1": 91600,
    "tp2": 92900,
    "risk_level": 2,
    "position_size_usdt": 1200,
    "leverage": 3,
    "confidence": 0.74,
    "risk_checks": {
        "daily_dd_ok": True,
        "weekly_dd_ok": True,
        "max_trades_per_day_ok": True,
        "session_ok": True,
        "no_major_news": True,
    },
    "position_management": {
        "tp1_fraction": 0.5,
        "enable_trailing": True,
        "trail_mode": "structure_plus_liq",
        "liq_tp_zone_id": "cluster_1",
    },
}


def init(folder: Path) -> None:
    """Write the three files and print the next three steps.

    Raises:
        ConfigError: one of them exists, or the folder cannot be written; nothing was written then.
    """
    contents = {
        CONFIG: configuration(),
        EXAMPLE: json.dumps(_DECISION, indent=2) + "\n",
        VARIABLES: _ENVIRONMENT,
    }
    for name in contents:
        if (folder / name).exists():
            raise ConfigError(f"{folder / name} exists and is not overwritten: name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(content)
    except OSError as error:
        place = error.filename or folder
        raise ConfigError(f"{place}: cannot be written: {error.strerror}") from error
    print(_next_steps(folder))


def configuration() -> str:
    """Return the configuration that is written: every limit with its meaning."""
    optional = [limit for limit in LIMITS if limit.default_text != "(none)"]
    return f"{_HEAD}{''.join(_commented(limit) for limit in optional)}{_TAIL}"


def _commented(limit: Limit) -> str:
    setting = f"# {limit.key} = {limit.default_text}"
    return f"{setting:<32}# {limit.meaning} ({limit.allowed_text})\n"


def _next_steps(folder: Path) -> str:
    return (
        f"wrote {CONFIG}, {EXAMPLE} and {VARIABLES} in {folder}\n"
        "\n"
        f"1. copy {VARIABLES} to .env, put your demo keys into it, load it: set -a; . ./.env; set +a\n"
        f"2. read {CONFIG}: your symbols, and how much money may be at work (max_notional_usdt)\n"
        f"3. jumar run --config {folder / CONFIG}; have your system write decision.json like {EXAMPLE};\n"
        "   jumar status --watch shows what is done with it"
    )
