"""Files of Binance's public archive: a zip that holds one table, and beside it the checksum it was published with.

Promises that a file whose checksum lies beside it (the zip's name and `.CHECKSUM`) is read only if it is the one that
was published; without one the zip's own check sums are all there is. Does not know what the table says: see formats.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

ZIP_MAGIC = b"PK\x03\x04"
"""The first bytes of a zip that holds anything."""


def verify(path: Path) -> None:
    """Compare the file with the checksum beside it, if there is one.

    Raises:
        ValueError: they differ, or the checksum cannot be read; names both files.
    """
    beside = path.with_name(path.name + ".CHECKSUM")
    if not beside.is_file():
        return
    words = beside.read_text(encoding="utf-8", errors="replace").split()
    if not words or len(words[0]) != 64:
        raise ValueError(f"{beside.name} holds no SHA-256; fetch it again, or remove it")
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != words[0].lower():
        raise ValueError(f"{path.name} is not what {beside.name} says; fetch both again")


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
