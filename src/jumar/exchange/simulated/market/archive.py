"""Files of Binance's public archive: a zip that holds one table, and beside it the checksum it was published with.

Promises that a file whose checksum lies beside it (the zip's name and `.CHECKSUM`, as `sha256sum` writes it) is read
only if it is the one that was published; a zip without one is read with a warning, since then the zip's own check sums
are all there is. Does not know what the table says: see formats.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

ZIP_MAGIC = b"PK\x03\x04"
"""The first bytes of a zip that holds anything."""
_HEX = frozenset("0123456789abcdef")


def checksum_of(path: Path) -> Path:
    """Where the checksum of a file lies."""
    return path.with_name(path.name + ".CHECKSUM")


def published_sum(checksum: str) -> str | None:
    """The SHA-256 that the text of a checksum file begins with, in lower case; None when it begins with none."""
    word = next(iter(checksum.split()), "").lower()
    return word if len(word) == 64 and _HEX.issuperset(word) else None


def sum_of(path: Path) -> str:
    """The SHA-256 of a file, in lower case."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def verify(path: Path) -> str | None:
    """Compare the file with the checksum beside it; a warning where a zip has none.

    Raises:
        ValueError: they differ, or the checksum cannot be read; names both files, or both sums.
    """
    beside = checksum_of(path)
    if not beside.is_file():
        if path.suffix.lower() != ".zip":
            return None
        return f"{path.name} has no {beside.name} beside it: whether it is what was published is not known"
    published = published_sum(beside.read_text(encoding="utf-8", errors="replace"))
    if published is None:
        raise ValueError(f"{beside.name} holds no SHA-256; fetch it again, or remove it")
    found = sum_of(path)
    if found != published:
        raise ValueError(
            f"{path.name} is not what {beside.name} says; fetch both again "
            f"(SHA-256 of the file {found}, published {published})"
        )
    return None


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open the one table that the zip holds.

    Raises:
        ValueError: no zip, more or less than one file in it, or one that cannot be unpacked; names the zip.
    """
    try:
        with ZipFile(path) as archive:
            names = [each.filename for each in archive.infolist() if not each.is_dir()]
            if len(names) != 1:
                raise ValueError(f"{path.name} holds {len(names)} files; one table belongs in it")
            with archive.open(names[0]) as table:
                yield table
    except (BadZipFile, RuntimeError) as error:  # the latter: encrypted, or packed in another way
        raise ValueError(f"{path.name}: broken zip data: {error}") from error
