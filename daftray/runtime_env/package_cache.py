"""Packages on disk: found again by what they were built from, bounded, the longest unused leaving first."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from daftray.domain.cluster import Package
from daftray.domain.ports import TreeFile
from daftray.runtime_env.zips import content_name, write_zip

_UNFINISHED = ".new-"
_STALE_S = 3600.0
"""Seconds after which what a killed server was packing is taken away."""


class _Note(msgspec.Struct, frozen=True):
    """What a key stands for. ``size`` tells a file that a crash has cut short."""

    name: str
    size: int
    warnings: tuple[str, ...] = ()


class PackageCache:
    """A folder of zips named by their content, and notes of which key led to which. Its calls block.

    ``limit_bytes`` bounds the zips; the newest is kept even when it alone is larger.
    """

    def __init__(self, root: Path, *, limit_bytes: int) -> None:
        self._zips = root / "zips"
        self._notes = root / "notes"
        self._limit_bytes = limit_bytes
        self._guard = threading.Lock()

    def find(self, key: str) -> Package | None:
        """Return the package that a key led to, and note that it was used now."""
        try:
            note = self._read(self._notes / key)
            path = self._zips / note.name
            if path.stat().st_size != note.size:
                return None
            os.utime(path)
        except FileNotFoundError:
            return None
        return Package(name=note.name, path=path, size=note.size, warnings=note.warnings)

    def keep(
        self, files: Sequence[TreeFile], *, key: str | None = None, warnings: Sequence[str] = ()
    ) -> Package:
        """Pack files, keep the zip, and let others go that were not used for longest.

        Raises:
            SourceError: the files cannot be packed.
        """
        return self._take_in(lambda fresh: write_zip(files, fresh), key=key, warnings=warnings)

    def adopt(self, zip_: Path, *, key: str, warnings: Sequence[str] = ()) -> Package:
        """Keep a copy of a zip that was packed elsewhere."""

        def copy(fresh: Path) -> None:
            shutil.copyfile(zip_, fresh)

        return self._take_in(copy, key=key, warnings=warnings)

    def _take_in(self, write: Callable[[Path], None], *, key: str | None, warnings: Sequence[str]) -> Package:
        for folder in (self._zips, self._notes):
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._zips, prefix=_UNFINISHED) as scratch:
            fresh = Path(scratch) / "package"
            write(fresh)
            size, path = fresh.stat().st_size, self._zips / content_name(fresh)
            fresh.replace(path)
            if key is not None:
                note = Path(scratch) / "note"
                note.write_bytes(msgspec.json.encode(_Note(path.name, size, tuple(warnings))))
                note.replace(self._notes / key)
        self._shrink(but=path)
        return Package(name=path.name, path=path, size=size, warnings=tuple(warnings))

    def _shrink(self, *, but: Path) -> None:
        with self._guard:
            found = [(path.stat(), path) for path in self._zips.glob("*.zip")]
            excess = sum(status.st_size for status, _ in found) - self._limit_bytes
            gone: set[str] = set()
            for status, path in sorted(found, key=lambda one: (one[0].st_mtime_ns, one[1].name)):
                if excess <= 0:
                    break
                if path != but:
                    path.unlink(missing_ok=True)
                    gone.add(path.name)
                    excess -= status.st_size
            for note in self._notes.iterdir() if gone else ():
                if self._read(note).name in gone:
                    note.unlink(missing_ok=True)
            for stale in self._zips.glob(f"{_UNFINISHED}*"):
                if stale.stat().st_mtime < but.stat().st_mtime - _STALE_S:
                    shutil.rmtree(stale, ignore_errors=True)

    @staticmethod
    def _read(note: Path) -> _Note:
        try:
            return msgspec.json.decode(note.read_bytes(), type=_Note)
        except msgspec.DecodeError:
            return _Note(name="unreadable", size=0)
