"""The demo's decision writer as a process of its own, which hears the exchange's public streams over a socket.

Promises that a lost connection is made again for as long as the process runs. What is decided is `writer.py`'s.
"""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

import aiohttp

from jumar.ops.demo.writer import Listen, Take, Writer, WriterOptions, log
from jumar.ports.clock import Clock, SystemClock

RETRY_S = 0.5


def by_socket(stream: str, symbols: tuple[str, ...], clock: Clock) -> Listen:
    """Return what hears best bid and ask of these symbols at an exchange's stream address."""
    names = "/".join(f"{symbol.lower()}@bookTicker" for symbol in symbols)

    async def listen(take: Take) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.ws_connect(
                        f"{stream}/public/stream?streams={names}"
                    ) as socket:
                        async for message in socket:
                            if message.type is aiohttp.WSMsgType.TEXT:
                                take(message.data)
                except aiohttp.ClientError as error:
                    log.warning("stream lost: %s", error)
                await clock.sleep(RETRY_S)

    return listen


def _arguments() -> tuple[str, WriterOptions]:
    parser = argparse.ArgumentParser(prog="jumar.ops.demo.writer_process")
    parser.add_argument("--stream", required=True)
    parser.add_argument("--symbols", required=True, type=lambda text: tuple(text.split(",")))
    for name in ("--decision", "--levels", "--record"):
        parser.add_argument(name, required=True, type=Path)
    parser.add_argument("--seed", required=True, type=int)
    for name in ("--speed", "--interval-s", "--seconds", "--flat-s"):
        parser.add_argument(name, required=True, type=float)
    values = vars(parser.parse_args())
    return values.pop("stream"), WriterOptions(**values)


async def _main() -> None:
    clock = SystemClock()
    stream, options = _arguments()
    writer = Writer(options, clock=clock, listen=by_socket(stream, options.symbols, clock))
    running = asyncio.ensure_future(writer.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    await asyncio.gather(running, return_exceptions=True)
    if not running.cancelled() and running.exception() is not None:
        raise SystemExit(f"writer: {running.exception()}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(_main())
