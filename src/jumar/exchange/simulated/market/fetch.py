"""Files of Binance's public archive, fetched into a folder that can be played.

Promises that a file stands under its own name only once it has the SHA-256 that was published for it; that what is there
and verified is not fetched again; that a download that broke off goes on where it ended (`.part`); that whatever is not
to be had is said, one line each. Addresses as in the README of github.com/binance/binance-public-data (commit 13ad8c5):
`data/futures/um/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2026-11-01.zip`, beside it `….zip.CHECKSUM`; the folder gets
the same tree. Knows nothing of what the files say.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import aiohttp

from jumar.exchange.simulated.market.archive import checksum_of, published_sum, sum_of
from jumar.ports.clock import Clock

BASE_URL = "https://data.binance.vision"
_TREE = "data/futures/um"
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
_PAUSES_S = (0.5, 2.0)
"""Before the second and the third try of a request that the network failed."""
_PIECE = 1 << 18
_SAY_EVERY = 25_000_000
_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")
_UNDERSTOOD = frozenset({200, 206, 404, 416})
_CHECKSUM_MAX = 1_000  # bytes: longer is an error page


class Kind(StrEnum):
    """What can be fetched; klines are those of one minute."""

    AGG_TRADES = "aggTrades"
    TRADES = "trades"
    BOOK_TICKER = "bookTicker"
    KLINES = "klines"
    MARK_PRICE_KLINES = "markPriceKlines"
    FUNDING_RATE = "fundingRate"


class FetchError(Exception):
    """Nothing more can be fetched now; the message is for a person."""


class Outcome(StrEnum):
    """What became of one file."""

    FETCHED = "fetched"
    KEPT = "kept"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One file: its place in the archive, what became of it, its size in bytes, and what is to be said about it."""

    file: str
    outcome: Outcome
    size: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to fetch.

    Attributes:
        first, last: the days, both included; of funding rates, which are published by the month, their months.
        into: the folder; it is made.
        base_url: another host with the same tree.
    """

    symbol: str
    first: date
    last: date
    kinds: Sequence[Kind]
    into: Path
    base_url: str = BASE_URL

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ValueError: the message names the option and the fix.
        """
        if not _SYMBOL.fullmatch(self.symbol):
            raise ValueError(f"--symbol: {self.symbol!r} is no symbol; write it like BTCUSDT")
        if self.last < self.first:
            raise ValueError(f"--to: {self.last} is before --from {self.first}")
        if not self.kinds:
            raise ValueError(f"--kinds: name at least one of {', '.join(Kind)}")
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(
                f"--base-url: {self.base_url!r} is no address; it begins with https://"
            )

    @property
    def files(self) -> Iterator[str]:
        """Their places in the archive, day by day."""
        days = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]
        months = dict.fromkeys(f"{day:%Y-%m}" for day in days)
        for kind in self.kinds:
            monthly = kind is Kind.FUNDING_RATE
            bars = kind in {Kind.KLINES, Kind.MARK_PRICE_KLINES}
            folder = f"{_TREE}/{'monthly' if monthly else 'daily'}/{kind}/{self.symbol}"
            folder, word = (f"{folder}/1m", "1m") if bars else (folder, kind)
            for each in months if monthly else map(str, days):
                yield f"{folder}/{self.symbol}-{word}-{each}.zip"


def wanted_from(
    *, symbol: str, begin: str, end: str | None, kinds: str, into: Path, base_url: str | None
) -> Wanted:
    """What a command line means: ISO dates, and the names of kinds with commas between.

    Raises:
        ValueError: an option cannot be used; the message names it and the fix.
    """
    return Wanted(
        symbol=symbol.upper(),
        first=_day("--from", begin),
        last=_day("--to", end or begin),
        kinds=_kinds(kinds),
        into=into,
        base_url=base_url or BASE_URL,
    )


def _kinds(text: str) -> tuple[Kind, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {kind.lower(): kind for kind in Kind}
    for name in names:
        if name.lower() not in known:
            raise ValueError(f"--kinds: there is no {name!r}; known are {', '.join(Kind)}")
    return tuple(dict.fromkeys(known[name.lower()] for name in names))


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        said = f"{option}: {text!r} is not a day; write it like 2026-11-01"
        raise ValueError(said) from None


async def fetch(wanted: Wanted, clock: Clock, tell: Callable[[str], None]) -> list[Got]:
    """Fetch what is wanted and not there yet, file by file.

    Args:
        wanted: the files.
        clock: for the pauses between tries.
        tell: hears one line about each file and about the progress of a long one.

    Raises:
        FetchError: the host cannot be reached or does not work, or the disk cannot take it.
    """
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
        work = _Fetch(wanted, session, clock, tell)
        got = []
        for file in wanted.files:
            try:
                got.append(await work.get(file))
            except OSError as error:
                where, why = error.filename or wanted.into / file, error.strerror or error
                raise FetchError(f"{where} cannot be written: {why}; {_GOES_ON}") from error
            tell(_line(got[-1]))
    return got


_GOES_ON = "what is complete stays, and the same command goes on from there"


@dataclass(slots=True)
class _Fetch:
    wanted: Wanted
    session: aiohttp.ClientSession
    clock: Clock
    tell: Callable[[str], None]

    async def get(self, file: str) -> Got:
        """Have one file."""
        path = self.wanted.into / file
        beside = checksum_of(path)
        known = _read_sum(beside)
        if known is not None and path.is_file() and await asyncio.to_thread(sum_of, path) == known:
            return Got(file=file, outcome=Outcome.KEPT, size=path.stat().st_size)
        checksum = await self._checksum(file)
        if checksum is None:
            return Got(file=file, outcome=Outcome.MISSING, said=_missing(file))
        published = published_sum(checksum)
        if published is None:
            said = f"its checksum holds no SHA-256: {checksum[:60]!r}"
            return Got(file=file, outcome=Outcome.BROKEN, said=said)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or await asyncio.to_thread(sum_of, path) != published:
            part = path.with_name(path.name + ".part")
            if not await self._download(file, part):
                return Got(file=file, outcome=Outcome.MISSING, said=_missing(file))
            found = await asyncio.to_thread(sum_of, part)
            if found != published:
                part.unlink()
                said = f"not what was published, removed (SHA-256 {found}, published {published}); try again"
                return Got(file=file, outcome=Outcome.BROKEN, said=said)
            part.replace(path)
        beside.write_text(checksum, encoding="utf-8")
        return Got(file=file, outcome=Outcome.FETCHED, size=path.stat().st_size)

    async def _checksum(self, file: str) -> str | None:
        """The text of its checksum file; None when there is none."""

        async def take(answer: aiohttp.ClientResponse) -> str | None:
            if answer.status == 404:
                return None
            return (await answer.content.read(_CHECKSUM_MAX)).decode(errors="replace")

        return await self._ask(f"{file}.CHECKSUM", take, dict)

    async def _download(self, file: str, part: Path) -> bool:
        """Write the file to `part`, from where an earlier try ended; false when there is none."""

        def there() -> int:
            return part.stat().st_size if part.is_file() else 0

        async def take(answer: aiohttp.ClientResponse) -> bool:
            if answer.status in {200, 206}:
                await self._write(answer, part, there() if answer.status == 206 else 0)
            return answer.status != 404  # 416: nothing is missing behind what is there

        def headers() -> dict[str, str]:
            return {"Range": f"bytes={there()}-"} if there() else {}

        return await self._ask(file, take, headers)

    async def _write(self, answer: aiohttp.ClientResponse, part: Path, done: int) -> None:
        total = done + (answer.content_length or 0)
        due = done + _SAY_EVERY
        with part.open("r+b" if done else "wb") as out:
            out.seek(done)
            out.truncate()
            async for piece in answer.content.iter_chunked(_PIECE):
                out.write(piece)
                done += len(piece)
                if done >= due:
                    due += _SAY_EVERY
                    self.tell(f"  {part.stem}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

    async def _ask[T](
        self,
        file: str,
        take: Callable[[aiohttp.ClientResponse], Awaitable[T]],
        headers: Callable[[], dict[str, str]],
    ) -> T:
        """What `take` makes of the host's answer; asked again after a pause where that may help.

        Raises:
            FetchError: it does not help, or the host refuses.
        """
        base, failed = self.wanted.base_url.rstrip("/"), ""
        for pause_s in (*_PAUSES_S, None):
            try:
                async with self.session.get(f"{base}/{file}", headers=headers()) as answer:
                    if answer.status in _UNDERSTOOD:
                        return await take(answer)
                    failed = f"{base}/{file} was answered with {answer.status} {answer.reason}"
                    if answer.status < 500 and answer.status != 429:
                        break
            except (aiohttp.ClientError, TimeoutError) as error:
                words = str(error) or "no answer in time"
                failed = f"{base} cannot be reached ({words}); is there internet? {_GOES_ON}"
            if pause_s is None:
                break
            await self.clock.sleep(pause_s)
        raise FetchError(failed)


def _read_sum(beside: Path) -> str | None:
    if not beside.is_file():
        return None
    return published_sum(beside.read_text(encoding="utf-8", errors="replace"))


def _missing(file: str) -> str:
    if f"/{Kind.BOOK_TICKER}/" in file:
        return "not published: bookTicker of USDⓈ-M ended on 2024-03-30 (binance-public-data, issues 334 and 372)"
    if f"/{Kind.FUNDING_RATE}/" in file:
        return "not published: a month is published when it is over"
    return "not published: a day is published on the day after; or the symbol did not trade then"


def _line(got: Got) -> str:
    size = f" ({got.size / 1e6:.1f} MB)" if got.size else ""
    words = {
        Outcome.FETCHED: "fetched and verified",
        Outcome.KEPT: "already there and verified",
        Outcome.MISSING: "missing",
        Outcome.BROKEN: "broken",
    }[got.outcome]
    name = got.file.rsplit("/", 1)[-1]
    kind = next(kind for kind in Kind if f"/{kind}/" in got.file)
    return f"{name} [{kind}]: {words}{size}{': ' if got.said else ''}{got.said}"
