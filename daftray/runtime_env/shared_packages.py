"""Packages that several servers share: what one has built the others find in the blob store."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec

from daftray.domain.cluster import Package
from daftray.domain.errors import BlobNotFoundError
from daftray.domain.ports import BlobStore, GitRepository
from daftray.runtime_env.packages import ZipPackages, package_key

PREFIX = "packages/"
"""Where packages lie in the blob store: notes by key, zips by content."""


async def blobs_of(blobs: BlobStore, key: str) -> set[str]:
    """Return the keys of the blobs that a package's key leads to, where it is shared."""
    try:
        note = msgspec.json.decode(await blobs.get(f"{PREFIX}{key}.json"), type=_Note)
    except BlobNotFoundError:
        return set()
    return {f"{PREFIX}{key}.json", PREFIX + note.name}


class _Note(msgspec.Struct, frozen=True):
    name: str
    size: int
    warnings: tuple[str, ...] = ()


class SharedPackages:
    """Implements the port `Packages` over a server's own, which stay its cache.

    A commit may be gone from its remote by the time that its run is prepared, and the server that pinned it
    may be gone, too: so a package is shared as soon as it is built.
    """

    def __init__(self, own: ZipPackages, blobs: BlobStore) -> None:
        self._own = own
        self._blobs = blobs

    async def build(self, repository: GitRepository, commit: str, *, patch: bytes | None = None) -> Package:
        """Return the package of a commit with a patch applied. Raises `SourceError`."""
        key = package_key(repository, commit, patch)
        found = await self._own.find(key) or await self._fetched(key)
        if found is not None:
            return found
        package = await self._own.build(repository, commit, patch=patch)
        await self._share(key, package)
        return package

    async def from_directory(self, path: Path) -> Package:
        """Return the package of a folder of the server's disk. Raises `SourceError`."""
        return await self._own.from_directory(path)

    async def empty(self) -> Package:
        """Return the package of a run that has no source."""
        return await self._own.empty()

    async def runner(self) -> Package:
        """Return the package of the runner itself."""
        return await self._own.runner()

    async def _fetched(self, key: str) -> Package | None:
        try:
            note = msgspec.json.decode(await self._blobs.get(f"{PREFIX}{key}.json"), type=_Note)
            with tempfile.TemporaryDirectory(prefix="daftray-") as folder:
                path = Path(folder) / note.name
                with await asyncio.to_thread(path.open, "wb") as file:
                    async for piece in self._blobs.stream(PREFIX + note.name):
                        await asyncio.to_thread(file.write, piece)
                return await self._own.adopt(path, key=key, warnings=note.warnings)
        except BlobNotFoundError:
            return None

    async def _share(self, key: str, package: Package) -> None:
        """Put the zip first: a note never names one that is not there."""
        if await self._blobs.size(PREFIX + package.name) != package.size:
            await self._blobs.put_file(PREFIX + package.name, package.path)
        note = _Note(package.name, package.size, package.warnings)
        await self._blobs.put(f"{PREFIX}{key}.json", msgspec.json.encode(note))
