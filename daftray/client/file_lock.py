"""A lock between processes: whoever holds it is alone, and who dies holds nothing any more.

The system's own locks are used, which need no library. The file itself stays where it is: a lock that is
removed while somebody waits for it would be two.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from daftray.client.errors import NotConfiguredError

LONGEST_WAIT_S = 60.0
"""Longer than anybody holds it: one call to a server, which has a timeout."""
RETRY_S = 0.05
_PRIVATE_FILE = 0o600

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """A lock that a file stands for. Each one is taken once at a time, in this process, too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def take(self) -> bool:
        """Take it, or return false at once where somebody has it.

        Raises:
            NotConfiguredError: the file cannot be made or locked.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        except OSError as exc:
            raise NotConfiguredError(f"{self._path} cannot be made: {exc.strerror}.") from exc
        try:
            _take(descriptor)
        except (BlockingIOError, PermissionError):  # the second is how Windows says it
            os.close(descriptor)
            return False
        except OSError as exc:
            os.close(descriptor)
            raise NotConfiguredError(f"{self._path} cannot be locked: {exc.strerror}.") from exc
        self._held = descriptor
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def refusal(self) -> NotConfiguredError:
        """Return the error of who has waited for long enough."""
        return NotConfiguredError(
            f"Another program has held {self._path} for {LONGEST_WAIT_S:g} s: try again."
        )


@contextmanager
def holding(path: Path) -> Generator[None]:
    """Hold the lock that a file stands for, waiting for it. Raises `NotConfiguredError`."""
    lock = FileLock(path)
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not lock.take():
        if time.monotonic() > deadline:
            raise lock.refusal()
        time.sleep(RETRY_S)
    try:
        yield
    finally:
        lock.release()
