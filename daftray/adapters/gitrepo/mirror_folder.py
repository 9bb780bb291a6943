"""The folder of the mirrors: what each takes and when it was used, and how one goes. Its calls block.

When a mirror was used is the time of an empty file beside it. One that goes is moved away first, in one step:
whoever looks for it finds it whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from daftray.domain.retention import StoredMirror

_MIRROR, _USED, _GONE = ".git", ".used", "gone-"


class MirrorFolder:
    """``root`` holds the mirrors, ``scratch`` what is on its way out, on the same disk."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root
        self._scratch = scratch

    def path(self, name: str) -> Path:
        """Return where a mirror lies, or would."""
        return self._root / f"{name}{_MIRROR}"

    def note_use(self, name: str) -> None:
        """Note that a mirror is used now, if it is there."""
        if self.path(name).is_dir():
            self._used(name).touch()

    def stored(self) -> list[StoredMirror]:
        """Return the mirrors that there are; what a server died over is removed before."""
        self.clear_away()
        found = [path for path in self._root.glob(f"*{_MIRROR}") if path.is_dir()]
        return [
            StoredMirror(name=name, size=sum(_sizes(path)), since=self.used_at(name))
            for path in found
            if (name := path.name.removesuffix(_MIRROR))
        ]

    def used_at(self, name: str) -> datetime:
        """Return when a mirror was used last; where nobody noted it, when its folder was changed."""
        for path in (self._used(name), self.path(name)):
            with suppress(FileNotFoundError):
                return datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return datetime.now(UTC)

    def take_away(self, name: str) -> bool:
        """Move a mirror out of the way; tell whether it is gone. One that is fetched into just now stays."""
        path = self.path(name)
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0):
                place = Path(tempfile.mkdtemp(dir=self._scratch, prefix=_GONE))
                path.rename(place / path.name)
                self._used(name).unlink(missing_ok=True)
        except (Timeout, FileNotFoundError):
            return False
        return True

    def clear_away(self) -> None:
        """Remove what was moved out of the way."""
        for path in self._scratch.glob(f"{_GONE}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _used(self, name: str) -> Path:
        return self._root / f"{name}{_USED}"


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the sizes of the files below a folder; those that go meanwhile count for nothing."""
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield os.lstat(Path(where) / name).st_size
