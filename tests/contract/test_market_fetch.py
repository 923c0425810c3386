"""`jumar market fetch` against a host with the archive's tree: what is kept, resumed, refused and said."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web
from tests.contract.hosting import hosted
from tests.unit.simulated.archives import TICKS, TRADES_HEADER, pack, trade
from typer.testing import CliRunner, Result

from jumar.exchange.simulated.market import RecordedMarket
from jumar.exchange.simulated.market.fetch import FetchError, Got, fetch, wanted_from
from jumar.ops.cli.app import app
from jumar.ports.clock import SystemClock

DAY = "2024-03-05"
FILE = f"data/futures/um/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{DAY}.zip"


class Host:
    """The archive's host: a folder of files, and what it does wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.asked: list[str] = []
        self.cut = 0
        self.status = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a file, from where it is asked for."""
        place = request.path.lstrip("/")
        wanted = request.headers.get("Range", "")
        self.asked.append(f"{place.rsplit('/', 1)[-1]} {wanted}".strip())
        path = self.folder / place
        if self.status and place.endswith(".zip"):
            return web.Response(status=self.status)
        if not path.is_file():
            return web.Response(status=404)
        data = path.read_bytes()
        if self.cut and place.endswith(".zip"):
            end, self.cut = self.cut, 0
            response = web.StreamResponse(headers={"Content-Length": str(len(data))})
            await response.prepare(request)
            await response.write(data[:end])
            assert request.transport is not None
            request.transport.close()
            return response
        return web.FileResponse(path)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host with one day of trades."""
    served = Host(tmp_path / "host")
    lines = [trade(n, f"6000{n % 10}.0") for n in range(2_000)]
    name = Path(FILE)
    pack(served.folder, name.stem, [TRADES_HEADER, *lines], tree=str(name.parent))
    async with hosted("/{place:.*}", served.handle) as place:
        served.url = f"http://{place}"
        yield served


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Where the files go; it does not exist."""
    return tmp_path / "into"


async def get(
    host: Host, into: Path, *, kinds: str = "aggTrades", tell: Callable[[str], None] = print
) -> list[Got]:
    """Fetch the day."""
    wanted = wanted_from(
        symbol="btcusdt", begin=DAY, end=None, kinds=kinds, into=into, base_url=host.url
    )
    return await fetch(wanted, SystemClock(), tell)


def outcomes(got: list[Got]) -> list[str]:
    """What became of each."""
    return [str(each.outcome) for each in got]


async def test_a_day_is_fetched_verified_and_playable(host: Host, into: Path) -> None:
    """The archive's tree, the published bytes, the checksum beside them; the folder is a market."""
    told: list[str] = []
    (got,) = await get(host, into, tell=told.append)
    path = into / FILE
    assert (got.outcome, got.size) == ("fetched", path.stat().st_size)
    assert path.read_bytes() == (host.folder / FILE).read_bytes()
    assert [each.name for each in sorted(path.parent.iterdir())] == [
        path.name,
        f"{path.name}.CHECKSUM",
    ]
    assert told[0].startswith(f"{path.name} [aggTrades]: fetched and verified (0.0")
    market = RecordedMarket(into, tick_sizes=TICKS)
    assert sum(len(step.prints) for step in market.steps()) == 2_000


async def test_what_is_there_and_verified_is_not_asked_for_again(host: Host, into: Path) -> None:
    """No request at all the second time; a file that changed since is fetched anew."""
    await get(host, into)
    host.asked.clear()
    assert outcomes(await get(host, into)) == ["kept"]
    assert host.asked == []
    (into / FILE).write_bytes(b"PK")
    assert outcomes(await get(host, into)) == ["fetched"]
    assert (into / FILE).read_bytes() == (host.folder / FILE).read_bytes()


async def test_a_file_without_its_checksum_is_verified_not_fetched(host: Host, into: Path) -> None:
    """Only the checksum is asked for."""
    await get(host, into)
    (into / f"{FILE}.CHECKSUM").unlink()
    host.asked.clear()
    assert outcomes(await get(host, into)) == ["fetched"]
    assert host.asked == [f"{Path(FILE).name}.CHECKSUM"]


async def test_a_download_that_broke_off_goes_on_where_it_ended(host: Host, into: Path) -> None:
    """In the same run after a pause, and in a later one from what lies there as .part."""
    host.cut = 1_000
    assert outcomes(await get(host, into)) == ["fetched"]
    assert host.asked[-1] == f"{Path(FILE).name} bytes=1000-"
    (into / FILE).rename(into / f"{FILE}.part")
    (into / f"{FILE}.part").write_bytes((host.folder / FILE).read_bytes()[:500])
    assert outcomes(await get(host, into)) == ["fetched"]
    assert host.asked[-1] == f"{Path(FILE).name} bytes=500-"
    assert (into / FILE).read_bytes() == (host.folder / FILE).read_bytes()


async def test_a_wrong_download_is_removed_and_told(host: Host, into: Path) -> None:
    """Nothing stands under the file's name, both sums are said."""
    (host.folder / f"{FILE}.CHECKSUM").write_text("ab" * 32)
    (got,) = await get(host, into)
    found = sha256((host.folder / FILE).read_bytes()).hexdigest()
    assert got.outcome == "broken"
    assert got.said.startswith(
        f"not what was published, removed (SHA-256 {found}, published {'ab' * 32})"
    )
    assert list((into / FILE).parent.iterdir()) == []
    (host.folder / f"{FILE}.CHECKSUM").write_text("<html>")
    assert (await get(host, into))[0].said == "its checksum holds no SHA-256: '<html>'"


async def test_what_was_not_published_is_told_and_the_rest_fetched(host: Host, into: Path) -> None:
    """Each kind with its own reason."""
    got = await get(host, into, kinds="bookTicker,fundingRate,klines,aggTrades")
    assert outcomes(got) == ["missing", "missing", "missing", "fetched"]
    assert "ended on 2024-03-30" in got[0].said
    assert got[1].file.endswith("monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-03.zip")
    assert "a month is published when it is over" in got[1].said
    assert got[2].file.endswith(f"daily/klines/BTCUSDT/1m/BTCUSDT-1m-{DAY}.zip")
    assert "on the day after" in got[2].said


async def test_a_host_that_refuses_is_named(host: Host, into: Path) -> None:
    """Asking again does not help against 403."""
    host.status = 403
    with pytest.raises(
        FetchError, match=r"aggTrades-2024-03-05\.zip was answered with 403 Forbidden"
    ):
        await get(host, into)
    assert host.asked.count(Path(FILE).name) == 1


async def test_a_disk_that_cannot_take_it_is_named(host: Host, into: Path) -> None:
    """A file where the folder should be."""
    await asyncio.to_thread(into.write_text, "in the way")
    with pytest.raises(
        FetchError, match=r"into.* cannot be written: Not a directory; what is complete stays"
    ):
        await get(host, into)


def run(*arguments: str) -> Result:
    """The command line."""
    return CliRunner().invoke(app, ["market", "fetch", *arguments])


def test_no_host_is_one_plain_sentence(into: Path) -> None:
    """Nobody listens: exit code 1, no traceback."""
    result = run(
        "--symbol",
        "BTCUSDT",
        "--from",
        DAY,
        "--into",
        str(into),
        "--base-url",
        "http://127.0.0.1:1",
    )
    assert result.exit_code == 1
    assert "http://127.0.0.1:1 cannot be reached" in result.stderr
    assert "is there internet?" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--symbol", "BTC/USDT"], "--symbol: 'BTC/USDT' is no symbol; write it like BTCUSDT"),
        (["--from", "yesterday"], "--from: 'yesterday' is not a day; write it like 2026-11-01"),
        (["--to", "2024-03-04"], "--to: 2024-03-04 is before --from 2024-03-05"),
        (["--kinds", "depth"], "--kinds: there is no 'depth'; known are aggTrades, trades,"),
        (["--kinds", ","], "--kinds: name at least one of aggTrades,"),
        (["--base-url", "data.binance.vision"], "--base-url: 'data.binance.vision' is no address"),
    ],
)
def test_options_that_cannot_be_meant_are_named(into: Path, changed: list[str], said: str) -> None:
    """Option and fix, exit code 2, before anything is asked for."""
    usual = {"--symbol": "BTCUSDT", "--from": DAY, "--into": str(into)}
    options = usual | dict(zip(changed[::2], changed[1::2], strict=True))
    result = run(*(word for pair in options.items() for word in pair))
    assert (result.exit_code, result.stderr.startswith(f"jumar: {said}")) == (2, True), (
        result.stderr
    )


def test_the_json_names_every_file(into: Path, tmp_path: Path) -> None:
    """All there and verified: nobody is asked, exit code 0, one object on stdout."""
    name = Path(FILE)
    pack(into, name.stem, [TRADES_HEADER, trade(0, "1.0")], tree=str(name.parent))
    arguments = ["--symbol", "BTCUSDT", "--from", DAY, "--into", str(into), "--kinds", "aggTrades"]
    result = run(*arguments, "--json", "--base-url", "http://127.0.0.1:1")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["outcomes"] == {"kept": 1}
    assert said["files"] == [
        {"file": FILE, "outcome": "kept", "size": (into / FILE).stat().st_size, "said": ""}
    ]
