"""Clients with an environment of their own: an exchange is served for them, and what they tell becomes a table.

Whatever the exchange was asked in vain fails the run.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.watch import faults_of

ROOT = Path(__file__).resolve().parents[2]
START_S, STORY_S, PAUSE_S = 30, 60, 0.05
WIDTH = 42


def python_of(prog: str, about: str | None) -> str:
    """The interpreter that the command line names."""
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=about)
    parser.add_argument("--python", required=True, help="of the environment with the client")
    return str(Path(parser.parse_args().python).absolute())


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    """`jumar exchange serve` as the guide starts it; the ready file in a folder, the address of its REST side."""
    ready, log = folder / "ready.json", folder / "serve.log"
    serve = [sys.executable, "-m", "jumar", "exchange", "serve", "--market", "manual"]
    more = ["--symbols", "BTCUSDT", "--ready-file", str(ready), *options]
    with log.open("wb") as file:
        process = subprocess.Popen([*serve, *more], stdout=file, stderr=file)
    try:
        _wait_for(ready, process, log)
        yield json.loads(ready.read_bytes())["rest"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)
        ready.unlink(missing_ok=True)


def told(command: list[str], folder: Path) -> tuple[int, list[str]]:
    """Run a client in a folder, for a minute at most; its exit code and what it said, line by line."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    leash = threading.Timer(STORY_S, process.kill)
    leash.start()
    lines = process.communicate()[0].splitlines()
    leash.cancel()
    return process.returncode, lines


def headed(client: str) -> None:
    """Print the head of the table."""
    print(f"{'':<{WIDTH}}  {client:<{WIDTH}}  the exchange's ledger")


def lived(command: list[str], folder: Path) -> bool:
    """Run a client that tells rows (`tests.peers.beside.same`); whether it came to its end."""
    code, lines = told(command, folder)
    for line in lines:
        if line.startswith('{"what"'):
            row = json.loads(line)
            print(f"{row['what']:<{WIDTH}}  {row['client']:<{WIDTH}}  {row['ledger']}")
        else:
            print(f"    {line}", file=sys.stderr)
    return code == 0


def asked_in_vain(rest: str) -> bool:
    """Print what the exchange does not know and was asked for; whether there was anything."""
    faults = faults_of(json.loads(got(f"{rest}/sim/unknown")))
    for fault in faults:
        print(f"asked in vain: {fault}")
    return bool(faults)


def got(address: str) -> Any:
    """The body of an answer."""
    with urllib.request.urlopen(address) as answer:
        return answer.read()


def _wait_for(file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the ready file, as long as the process lives and for half a minute."""
    pause = threading.Event()
    for _ in range(int(START_S / PAUSE_S)):
        if file.exists():
            return
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8")
            raise SystemExit(f"the exchange ended with {process.returncode}: {said}")
        pause.wait(PAUSE_S)
    raise SystemExit(f"the exchange wrote no {file}")
