"""The command line as a person meets it: real processes, bad input of every kind, an orderly end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import jumar
from jumar.ops.cli.app import app
from jumar.ops.cli.served import greeting

SECONDS = 45
PAUSE_S = 0.02
CONFIG = """
[account]
name = "main"
environment = "custom"
rest_url = "{rest}"
stream_url = "{stream}"
ws_api_url = "{ws_api}"
key_env = "JUMAR_KEY"
secret_env = "JUMAR_SECRET"
[store]
url = "sqlite:///jumar.db"
[decision]
path = "decision.json"
[limits]
max_notional_usdt = 1500
[symbols.BTCUSDT]
"""
NOWHERE = {"rest": "http://127.0.0.1:9", "stream": "ws://127.0.0.1:9", "ws_api": "ws://127.0.0.1:9"}
KEYS = {"JUMAR_KEY": "k" * 64, "JUMAR_SECRET": "hush" * 16}


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `jumar` to its end."""
    clean = {name: value for name, value in os.environ.items() if name not in KEYS}
    return subprocess.run(
        [sys.executable, "-m", "jumar", *arguments],
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def refused(result: subprocess.CompletedProcess[str] | Result, said: str) -> None:
    """Exit code 2, one message, no traceback, no secret."""
    code = result.exit_code if isinstance(result, Result) else result.returncode
    assert code == 2, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "hush" not in result.stderr
    assert result.stdout == ""


def inside(*arguments: str, **environ: str) -> Result:
    """Run `jumar` in this process: for what is refused before anything starts."""
    clean = dict.fromkeys(KEYS)
    return CliRunner().invoke(app, list(arguments), env=clean | environ)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A simulated exchange with a manual market; yields the content of its ready file."""
    ready = tmp_path_factory.mktemp("exchange") / "ready.json"
    serve = [sys.executable, "-m", "jumar", "exchange", "serve", "--market", "manual"]
    process = subprocess.Popen([*serve, "--port", "0", "--ready-file", str(ready)])
    try:
        wait_for(ready.exists, process)
        yield json.loads(ready.read_bytes())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def wait_for(state: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Wait for a state of the world, as long as the process lives."""
    deadline, pause = time.perf_counter() + SECONDS, threading.Event()
    while not state():
        assert process.poll() is None, f"ended with {process.returncode}"
        assert time.perf_counter() < deadline
        pause.wait(PAUSE_S)  # the processor is for the one who is waited for


def write(folder: Path, text: str) -> str:
    file = folder / "jumar.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_served_exchange_says_where_it_is(exchange: dict[str, str], tmp_path: Path) -> None:
    """Addresses and the way on, no key; without a ready file it says how to get keys."""
    said = greeting(exchange, "manual", tmp_path / "ready.json")
    for name in ("rest", "stream", "ws_api"):
        assert exchange[name] in said
    for name in ("api_key", "api_secret", "ed25519_api_key", "ed25519_private_key"):
        assert exchange[name] not in said
    assert "/sim/price" in said
    assert "/sim/price" not in greeting(exchange, "synthetic", None)
    assert "--ready-file" in greeting(exchange, "synthetic", None)


def test_help_and_version_answer() -> None:
    """Help names the commands, the version is the package's."""
    assert command("--version").stdout.strip() == jumar.__version__
    result = command("--help")
    assert result.returncode == 0
    for name in ("run", "demo", "exchange"):
        assert name in result.stdout


def test_help_imports_nothing_heavy() -> None:
    """`--help` stays quick because no network, database or logging library is loaded for it."""
    script = (
        "import sys\nfrom jumar.ops.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'aiohttp', 'sqlalchemy', 'alembic', 'structlog', 'cryptography', 'msgspec'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_notional_usdt", "max_notional_usd", "did you mean max_notional_usdt?"),
        ("1500", "'1500'", "wrong type; it must be a number"),
        ("1500", "1500\nmin_rr = 1.5", "min_rr = 1.5: outside the allowed range: 2.0 to 20"),
        (
            '"custom"',
            '"live"',
            '[account] live_confirmed: missing: environment = "live" trades real',
        ),
        ("[account]", "[account", "is not valid TOML"),
    ],
)
def test_a_bad_configuration_is_one_message(tmp_path: Path, old: str, new: str, said: str) -> None:
    """What is wrong with a file is said before anything starts."""
    config = write(tmp_path, CONFIG.format(**NOWHERE).replace(old, new))
    refused(inside("run", "--config", config, **KEYS), said)


def test_a_missing_variable_is_one_message(tmp_path: Path) -> None:
    """The variable that must be exported is named."""
    config = write(tmp_path, CONFIG.format(**NOWHERE))
    refused(inside("run", "--config", config), '"JUMAR_KEY" is not set')


def test_an_absent_file_is_one_message(tmp_path: Path) -> None:
    """A wrong path to the configuration is named."""
    refused(inside("run", "--config", str(tmp_path / "none.toml")), "none.toml: cannot be read")


def test_a_database_that_is_none_is_one_message(tmp_path: Path, exchange: dict[str, str]) -> None:
    """Another file in the database's place is not overwritten."""
    (tmp_path / "jumar.db").write_text("these are my notes, not a database" * 99, encoding="utf-8")
    config = write(tmp_path, CONFIG.format(**exchange))
    refused(command("run", "--config", config, **KEYS), "is not an SQLite database")
    assert "my notes" in (tmp_path / "jumar.db").read_text(encoding="utf-8")


@pytest.mark.rule("W-7")
def test_wrong_keys_are_one_message(tmp_path: Path, exchange: dict[str, str]) -> None:
    """The venue's refusal of the keys ends the start and shows none of them."""
    config = write(tmp_path, CONFIG.format(**exchange))
    refused(command("run", "--config", config, **KEYS), "key")


@pytest.mark.rule("W-7")
def test_a_wrong_secret_is_one_message(tmp_path: Path, exchange: dict[str, str]) -> None:
    """A right key with a wrong secret is refused at the start as well."""
    config = write(tmp_path, CONFIG.format(**exchange))
    refused(
        command("run", "--config", config, **KEYS | {"JUMAR_KEY": exchange["api_key"]}), "ignature"
    )


def test_a_symbol_that_the_venue_does_not_list_is_one_message(
    tmp_path: Path, exchange: dict[str, str]
) -> None:
    """The message names the symbol."""
    config = write(tmp_path, CONFIG.format(**exchange).replace("BTCUSDT", "NOSUCHUSDT"))
    keys = {"JUMAR_KEY": exchange["api_key"], "JUMAR_SECRET": exchange["api_secret"]}
    refused(command("run", "--config", config, **keys), "NOSUCHUSDT")


def test_nobody_at_the_address_is_a_message(tmp_path: Path) -> None:
    """A venue that does not answer ends a start, or a probe, with exit code 1, since waiting may help."""
    with socket.socket() as taken:  # bound, never listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        urls = {
            "rest": f"http://{address}",
            "stream": f"ws://{address}",
            "ws_api": f"ws://{address}",
        }
        result = command("run", "--config", write(tmp_path, CONFIG.format(**urls)), **KEYS)
        addresses = [
            part for name in urls for part in (f"--{name.replace('_', '-')}-url", urls[name])
        ]
        asked = command("exchange", "probe", "--environment", "custom", *addresses, **KEYS)
    for each in (result, asked):
        assert each.returncode == 1, each.stderr
        assert "Traceback" not in each.stderr
        assert f"http://{address} does not answer" in each.stderr


def test_a_port_in_use_is_one_message() -> None:
    """The exchange names the port and the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = command("exchange", "serve", "--market", "manual", "--port", str(port))
    refused(result, f"{port} on 127.0.0.1 is in use")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--market", "nowhere.csv"), "nowhere.csv"),
        (("--market", "synthetic", "--from", "2025-10-10T21:05Z"), "--from"),
        (("--start", "yesterday"), "--start: 'yesterday' is not a time"),
        (("--symbols", "NOSUCH"), "NOSUCH"),
        (("--symbols", "BTCUSDT,BTCUSDT"), "names a symbol twice"),
        (("--balance", "much"), "--balance: 'much' is not a number"),
        (("--balance", "-1"), "balance: -1 is not above zero"),
        (("--funding", "much"), "--funding: 'much' is not a number"),
        (("--funding", "2"), "funding: 2 is no rate"),
        (("--bnb", "-1"), "bnb: -1 is below zero"),
        (("--limits", "maybe"), "'maybe' is not one of 'on', 'off'"),
        (("--routes", "both"), "'both' is not one of 'production', 'demo'"),
        (("--reading", "x=1"), "reading 'x' is unknown"),
        (("--speed", "0"), "speed: 0"),
        (("--port", "70000"), "port: 70000"),
        (
            ("--ready-file", "/nowhere/at/all/ready.json"),
            "--ready-file: the folder /nowhere/at/all does",
        ),
    ],
)
def test_a_bad_option_of_the_exchange_is_one_message(arguments: tuple[str, ...], said: str) -> None:
    """Each option that cannot be used is named."""
    refused(inside("exchange", "serve", "--port", "0", *arguments), said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_engine_in_order(
    tmp_path: Path, exchange: dict[str, str], number: signal.Signals
) -> None:
    """Exit code 0, JSON lines on stderr, nothing on stdout, no secret anywhere."""
    config = write(tmp_path, CONFIG.format(**exchange))
    keys = {"JUMAR_KEY": exchange["api_key"], "JUMAR_SECRET": exchange["api_secret"]}
    log = tmp_path / "engine.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jumar", "run", "--config", config, "--log-format", "json"],
            env=os.environ | keys,
            stdout=subprocess.PIPE,
            stderr=out,
        )
    try:
        wait_for(lambda: "starting" in log.read_text(encoding="utf-8"), process)
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait(SECONDS)
    assert process.returncode == 0
    assert stdout == b""
    events = [json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert events[0] == "starting"
    assert events[-1] == "stopped"
    written = b"".join(path.read_bytes() for path in tmp_path.glob("[!r]*"))
    assert not re.search(exchange["api_secret"].encode(), written)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`jumar decision schema | head -c 1` ends without a word on stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        process = subprocess.run(
            [sys.executable, "-m", "jumar", "decision", "schema"],
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    assert process.stderr == b""
    assert process.returncode == 141
