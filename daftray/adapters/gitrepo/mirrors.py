"""`BareMirrors`: the port `GitMirrors` over bare mirrors on disk, one for each project and remote.

Mirrors are not shared across projects: who may read a remote is decided by a project's credential. Asking a
remote what a ref is needs no lock, so many runs of one branch pin at the same time; only a fetch is done by
one at a time, under an asyncio lock in this process and a file lock across processes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec

from daftray.adapters.gitrepo import credentials, refnames, transport
from daftray.adapters.gitrepo.changes import count_changes
from daftray.adapters.gitrepo.commands import GitCommands
from daftray.adapters.gitrepo.files import list_names, read_files
from daftray.adapters.gitrepo.mirror import Mirror, Wanted
from daftray.adapters.gitrepo.mirror_folder import MirrorFolder
from daftray.adapters.gitrepo.opening import open_remote
from daftray.adapters.gitrepo.place import Place
from daftray.adapters.gitrepo.remote_refs import RemoteAccess
from daftray.adapters.gitrepo.trees import Budget, read_tree
from daftray.domain.errors import SourceNotFoundError, SourceRefusedError
from daftray.domain.ports import GitRepository, SourceChanges, TreeFile
from daftray.domain.retention import StoredMirror

T = TypeVar("T")
TIMEOUT_S = 300.0
"""How long one Git command may take, and how long a fetch is waited for that somebody else does."""
LARGEST_TREE = 512 << 20
"""Bytes of a tree's files, unpacked. Ray takes packages of at most 100 MiB, packed."""
MAX_SUBMODULE_DEPTH = 8


class BareMirrors:
    """Implements the ports `GitMirrors` and `MirrorCache`.

    Everything is below ``root``, which belongs to the server's user. ``allow_local`` lets remotes be paths of
    this machine, ``file://`` and ``http://``, on any host.
    """

    def __init__(self, root: Path, *, allow_local: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._root = root
        self._allow_local = allow_local
        self._git = GitCommands(root, timeout_s=timeout_s)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._folder = MirrorFolder(root / "mirrors", self._git.scratch)
        self._in_use: Counter[str] = Counter()
        self._prepared = False

    def check(self, remote: str) -> None:
        """Refuse a remote by its address alone.

        Raises:
            SourceRefusedError: it may not be used, and the text says what to do instead.
        """
        transport.parse(remote, allow_local=self._allow_local)

    async def pin(
        self,
        repository: GitRepository,
        *,
        ref: str | None = None,
        commit: str | None = None,
        bundle: bytes | None = None,
    ) -> str:
        """Return the full hash of a branch, tag or commit as it is on the remote now, and keep that commit.

        With neither ref nor commit, the remote's HEAD is meant. A ref that no branch and no tag has may also
        be a commit's hash. A commit that is pinned already costs no look at the remote.

        Raises:
            SourceError: one of its kinds.
        """
        place = self._place(repository)
        if commit is not None:
            return await self._pin(place, Wanted(commit=refnames.commit_hash(commit)), bundle=bundle)
        wanted = Wanted(ref=ref or "HEAD")
        try:
            return await self._pin(place, wanted, bundle=bundle)
        except SourceNotFoundError:
            if not refnames.looks_like_hash(wanted.ref):
                raise
            return await self._pin(place, Wanted(commit=refnames.commit_hash(wanted.ref)), bundle=bundle)

    async def archive(
        self, repository: GitRepository, commit: str, *, patch: bytes | None = None
    ) -> Sequence[TreeFile]:
        """Return the files of a pinned commit as ``git archive`` would, submodules included, by path.

        ``export-ignore`` and ``export-subst`` of the tree's ``.gitattributes`` count, the latter only without
        a patch, since a changed tree has no commit to tell of. A submodule that ``.gitmodules`` does not
        describe stays an empty folder, as in a clone.

        Raises:
            SourceError: one of its kinds.
        """
        place, full = self._place(repository), refnames.commit_hash(commit)
        files = await self._tree(place, full, patch=patch, budget=Budget(LARGEST_TREE))
        return sorted(files, key=lambda file: file.path)

    async def files(
        self,
        repository: GitRepository,
        commit: str,
        paths: Sequence[str],
        *,
        patch: bytes | None = None,
        largest: int,
    ) -> dict[str, bytes | None]:
        """Return single files of a pinned commit, as the port says. Raises `SourceError`."""
        return await self._read(
            repository, commit, partial(read_files, paths=paths, patch=patch, largest=largest)
        )

    async def names(self, repository: GitRepository, commit: str, *, suffix: str, most: int) -> Sequence[str]:
        """Return the paths of files whose names end so, at most so many. Raises `SourceError`."""
        return await self._read(repository, commit, partial(list_names, suffix=suffix, most=most))

    async def changes(
        self, repository: GitRepository, before: str, after: str, *, most: int
    ) -> SourceChanges:
        """Return what lies between two commits, as the port says. Raises `SourceError`."""
        earlier = await self.pin(repository, commit=before)
        return await self._read(repository, after, partial(count_changes, before=earlier, most=most))

    async def refresh(self, repository: GitRepository) -> bool:
        """Bring what is new into a mirror that is there; tell whether it is. Raises `SourceError`."""
        place = self._place(repository)
        credentials.check_fits(place.remote, place.credential)
        with self._using(place):
            if not self._folder.path(place.name).is_dir():
                return False
            async with self._locks.setdefault(place.name, asyncio.Lock()):
                return await asyncio.to_thread(self._refresh, place)

    async def close(self) -> None:
        """End what still runs: the server stops."""
        self._git.stop()

    def name(self, repository: GitRepository) -> str | None:
        """Return the name of a remote's mirror; nothing where such a remote is not used (any more)."""
        try:
            return self._place(repository).name
        except SourceRefusedError:
            return None

    async def stored(self) -> list[StoredMirror]:
        """Return the mirrors that there are."""
        return await asyncio.to_thread(self._folder.stored)

    async def drop(self, name: str, *, unused_since: datetime) -> bool:
        """Remove a mirror, unless somebody uses it now or has since then; tell whether it is gone."""
        # No other task comes in between these two looks and the move: nothing is awaited here.
        if self._in_use[name] or self._folder.used_at(name) > unused_since:
            return False
        gone = self._folder.take_away(name)
        await asyncio.to_thread(self._folder.clear_away)
        return gone

    @contextmanager
    def _using(self, place: Place) -> Generator[None]:
        """Keep a mirror from being dropped."""
        self._in_use[place.name] += 1
        try:
            yield
        finally:
            self._in_use[place.name] -= 1
            if not self._in_use[place.name]:
                del self._in_use[place.name]

    async def _read(
        self, repository: GitRepository, commit: str, reader: Callable[[GitCommands, Path, str], T]
    ) -> T:
        place = self._place(repository)
        with self._using(place):
            full = await self._pin(place, Wanted(commit=refnames.commit_hash(commit)))
            return await asyncio.to_thread(reader, self._git, self._folder.path(place.name), full)

    async def _pin(self, place: Place, wanted: Wanted, *, bundle: bytes | None = None) -> str:
        credentials.check_fits(place.remote, place.credential)
        with self._using(place):
            found = await asyncio.to_thread(self._find, place, wanted)
            if found is not None:
                return found
            async with self._locks.setdefault(place.name, asyncio.Lock()):
                return await asyncio.to_thread(self._bring, place, wanted, bundle)

    async def _tree(
        self, place: Place, commit: str, *, patch: bytes | None, budget: Budget, depth: int = 0
    ) -> list[TreeFile]:
        if depth > MAX_SUBMODULE_DEPTH:
            raise SourceRefusedError(
                f"The repository's submodules are nested deeper than {MAX_SUBMODULE_DEPTH}: remove some."
            )
        with self._using(place):
            full = await self._pin(place, Wanted(commit=commit))
            path = self._folder.path(place.name)
            tree = await asyncio.to_thread(read_tree, self._git, path, full, patch=patch, budget=budget)
        files = list(tree.files)
        for module in tree.submodules:
            inside = place.of_submodule(module)
            inner = await self._tree(inside, module.commit, patch=None, budget=budget, depth=depth + 1)
            files += [msgspec.structs.replace(file, path=f"{module.path}/{file.path}") for file in inner]
        return files

    def _place(self, repository: GitRepository) -> Place:
        return Place.of(repository, allow_local=self._allow_local)

    def _mirror(self, place: Place) -> Mirror:
        return Mirror(self._folder.path(place.name), self._git)

    def _find(self, place: Place, wanted: Wanted) -> str | None:
        self._prepare()
        self._folder.note_use(place.name)
        mirror = self._mirror(place)
        if wanted.commit is not None:
            return wanted.commit if mirror.is_pinned(wanted.commit) else None
        with self._access(place) as access:
            return mirror.find(wanted.ref, access)

    def _bring(self, place: Place, wanted: Wanted, bundle: bytes | None) -> str:
        with self._access(place) as access:
            return self._mirror(place).bring(wanted, access, bundle=bundle)

    def _refresh(self, place: Place) -> bool:
        self._prepare()
        with self._access(place) as access:
            return self._mirror(place).refresh(access)

    def _access(self, place: Place) -> AbstractContextManager[RemoteAccess]:
        return open_remote(place, self._git, secrets=self._root / "credentials")

    def _prepare(self) -> None:
        if not self._prepared:
            self._git.prepare()
            credentials.sweep(self._root / "credentials")
            self._prepared = True
