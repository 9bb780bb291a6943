"""`ZipPackages`: the port `Packages`. From a commit, a folder, or the runner itself to a zip for Ray."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from importlib.resources import files as resource_files
from pathlib import Path
from weakref import WeakValueDictionary

from daftray.domain.cluster import Package
from daftray.domain.ports import GitMirrors, GitRepository, TreeFile
from daftray.runtime_env.directory import read_directory
from daftray.runtime_env.links import without_links
from daftray.runtime_env.package_cache import PackageCache
from daftray.runtime_env.zips import unpackable

CACHE_BYTES = 2 << 30
"""Bytes of packages on disk: twenty of the largest that Ray takes."""
_LFS = b"version https://git-lfs.github.com/spec/"
_LONGEST_POINTER = 1024  # bytes, by the Git LFS specification
_SHOWN = 5


class ZipPackages:
    """Implements the port `Packages`. ``root`` is a folder of its own on the server's disk.

    A package is found again by project, commit and patch, so that a second run of a commit runs no Git at
    all. The remote does not count, but the project does: with its credential, another project's package of
    the same commit may hold submodules that this project may not read.
    """

    def __init__(self, root: Path, *, mirrors: GitMirrors, bound_bytes: int = CACHE_BYTES) -> None:
        self._mirrors = mirrors
        self._cache = PackageCache(root / "sources", limit_bytes=bound_bytes)
        self._own = PackageCache(root / "runner", limit_bytes=bound_bytes)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._runner: Package | None = None

    async def build(self, repository: GitRepository, commit: str, *, patch: bytes | None = None) -> Package:
        """Return the package of a commit with a patch applied.

        Raises:
            SourceError: one of its kinds.
        """
        key = package_key(repository, commit, patch)
        async with self._locks.setdefault(key, asyncio.Lock()):
            found = await asyncio.to_thread(self._cache.find, key)
            if found is not None:
                return found
            files = await self._mirrors.archive(repository, commit, patch=patch)
            return await asyncio.to_thread(self._pack, files, key)

    async def find(self, key: str) -> Package | None:
        """Return the package of a key, where it is on this disk."""
        return await asyncio.to_thread(self._cache.find, key)

    async def adopt(self, path: Path, *, key: str, warnings: Sequence[str]) -> Package:
        """Take over a package that was built elsewhere, under its key."""
        return await asyncio.to_thread(lambda: self._cache.adopt(path, key=key, warnings=warnings))

    async def from_directory(self, path: Path) -> Package:
        """Return the package of a folder of the server's disk, as it is now.

        Raises:
            SourceError: one of its kinds.
        """
        return await asyncio.to_thread(lambda: self._pack(read_directory(path), None))

    async def empty(self) -> Package:
        """Return the package of a run that has no source; Ray unpacks no zip that is empty."""
        note = TreeFile(path="README", data=b"This run has no source of its own.\n")
        return await asyncio.to_thread(lambda: self._own.keep([note]))

    async def runner(self) -> Package:
        """Return the package of the runner itself, made once of the installed files.

        At its root is what Python finds by name (`sitecustomize` and the program that starts the driver);
        beside it lies ``daftray`` with nothing in it but the runner.
        """
        async with self._locks.setdefault("runner", asyncio.Lock()):
            if self._runner is None or not self._runner.path.is_file():
                self._runner = await asyncio.to_thread(lambda: self._own.keep(_runner_files()))
            return self._runner

    def _pack(self, files: Sequence[TreeFile], key: str | None) -> Package:
        flat, warnings = without_links(files)
        usable = [file for file in flat if unpackable(file.path)]
        if len(usable) < len(flat):
            lost = [file.path for file in flat if not unpackable(file.path)]
            warnings.append(f"{_count(lost)} {_are(lost)} left out, since Ray cannot unpack: {_some(lost)}")
        if pointers := [file.path for file in usable if _is_lfs_pointer(file)]:
            warnings.append(
                f"{_count(pointers)} {_are(pointers)} Git LFS pointers, not the content, which runs do not "
                f"get: {_some(pointers)}. Keep such data in an object store, or commit it without LFS"
            )
        return self._cache.keep(usable, key=key, warnings=warnings)


def package_key(repository: GitRepository, commit: str, patch: bytes | None) -> str:
    """Return what a package is found by: the project, the commit and the changes to it."""
    return key_of(repository.project, commit, hashlib.sha256(patch).hexdigest() if patch else "")


def key_of(project: str, commit: str, changes: str) -> str:
    """Return the same where the changes are known by their SHA-256 alone; without any it is empty."""
    return hashlib.sha256(f"{project}\0{commit}\0{changes}".encode()).hexdigest()


def _runner_files() -> list[TreeFile]:
    package = Path(str(resource_files("daftray")))
    site = package / "runner" / "site"
    inside = [package / "__init__.py", *(package / "runner").rglob("*.py")]
    inside = [path for path in inside if site not in path.parents]
    paths = {f"daftray/{path.relative_to(package).as_posix()}": path for path in inside}
    paths |= {path.name: path for path in site.glob("*.py")}
    return [TreeFile(path=name, data=path.read_bytes()) for name, path in paths.items()]


def _is_lfs_pointer(file: TreeFile) -> bool:
    return len(file.data) <= _LONGEST_POINTER and file.data.startswith(_LFS)


def _count(paths: Sequence[str]) -> str:
    return "1 file" if len(paths) == 1 else f"{len(paths)} files"


def _are(paths: Sequence[str]) -> str:
    return "is" if len(paths) == 1 else "are"


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
