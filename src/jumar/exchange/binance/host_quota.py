"""One address, several engines: the request weight that all of them used in the present exchange minute (W-4).

A small file that every engine of one user on this machine adds to before it sends, under a lock, so that two engines
never pass the limit of their common address together. Promises to stop nothing: whatever is wrong with the file, each
engine goes on by its own count and says so once. Knows no wall clock: the minute is the exchange's.
"""

import errno
import fcntl
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Self

import structlog
from yarl import URL

#: A line of fixed width, written at one stroke: the minute since 1970 and the weight used in it.
_LINE = re.compile(rb"(\d{12}) (\d{9})\n")
_MOST = 999_999_999
_MODE = 0o600
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
log = structlog.get_logger(__name__)


class HostQuota:
    """The common count in one file.

    Args:
        path: the same for every engine that asks the same host; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._owed = 0
        self._warned = False

    @classmethod
    def of_address(cls, rest_url: str) -> Self:
        """Return what all engines of this user on this machine use that ask the same host.

        The file lies in `XDG_RUNTIME_DIR`, or where there is none in a folder of the user's own among the temporary ones.
        """
        place = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        folder = Path(place) / f"jumar-{os.getuid()}"
        url = URL(rest_url)
        quota = cls(folder / f"weight-{url.host}-{url.port}")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            quota._warn(error.strerror or type(error).__name__)
        return quota

    def take(self, weight: int, *, minute: int, known: int, ceiling: int | None) -> int | None:
        """Add a weight unless that passes the ceiling, which None never does.

        Args:
            weight: of the request that is about to be sent.
            minute: of the exchange, since 1970.
            known: what this engine knows to be used; a common count below it is raised to it.
            ceiling: up to which the minute may be used.

        Returns:
            What was used before, so that `result + weight > ceiling` tells that nothing was added; None where the common
            count cannot be had.
        """
        try:
            return self._take(weight, minute, known, ceiling)
        except BlockingIOError:
            # Never wait: an engine that stands still with the lock in its hand must not stop this one.
            self._owed += weight
            return None
        except OSError as error:
            self.close()
            self._warn(error.strerror or type(error).__name__)
            return None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self, weight: int, minute: int, known: int, ceiling: int | None) -> int:
        file = self._opened()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            at, common = self._read(file)
            if at not in {minute, minute + 1}:  # the other engine's clock may be a little ahead
                at, common, self._owed = minute, 0, 0
            used = max(common + self._owed, known)
            passes = ceiling is not None and used + weight > ceiling
            after = min(used if passes else used + weight, _MOST)
            os.pwrite(file, b"%012d %09d\n" % (at, after), 0)
            self._owed = 0
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
        return used

    def _opened(self) -> int:
        if self._file is not None and os.fstat(self._file).st_nlink == 0:
            self.close()  # somebody tidied up: the others will make a new one
        if self._file is None:
            file = os.open(self.path, _FLAGS, _MODE)
            try:
                self._check(file)
            except OSError:
                os.close(file)
                raise
            self._file = file
        return self._file

    @staticmethod
    def _check(file: int) -> None:
        """Refuse what is no file of this user alone: a common folder is anybody's to prepare."""
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it is no file of this user")
        os.fchmod(file, _MODE)

    def _read(self, file: int) -> tuple[int, int]:
        """Return the minute and what was used in it; -1 and 0 for a file that is new or says something else."""
        content = os.pread(file, 64, 0)
        match = _LINE.fullmatch(content)
        if match is not None:
            return int(match[1]), int(match[2])
        if content:
            os.ftruncate(file, 0)
            self._warn("its content cannot be read and is replaced")
        return -1, 0

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("common_weight_not_counted", path=str(self.path), reason=why)
