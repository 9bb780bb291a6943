"""Where code comes from, and what it is made into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from daftray.domain.cluster import Package


class GitRepository(msgspec.Struct, frozen=True, kw_only=True):
    """A remote as one project sees it: mirrors are not shared across projects, since access differs.

    ``credential`` is the secret's value in the clear: a token, or a private key in PEM form.
    """

    project: str
    remote: str
    credential: str | None = None

    def __repr__(self) -> str:
        """Leave the credential out: a repr ends up in logs."""
        return f"GitRepository(project={self.project!r}, remote={self.remote!r})"


class TreeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an archived tree. ``path`` is relative, with slashes; a link's ``target`` is its text."""

    path: str
    executable: bool = False
    target: str | None = None
    data: bytes = b""


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that two commits differ in, with lines that came and went; of one that is not text, neither."""

    path: str
    added: int | None = None
    removed: int | None = None


class SourceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What lies between two commits: how many files and lines in all, and the files that changed most."""

    files: int = 0
    added: int = 0
    removed: int = 0
    most_changed: tuple[ChangedFile, ...] = ()


class GitMirrors(Protocol):
    """Commits of Git remotes, kept in bare mirrors on the server's disk."""

    def check(self, remote: str) -> None:
        """Refuse a remote by its address alone. Raises `SourceRefusedError`."""
        ...

    async def pin(
        self,
        repository: GitRepository,
        *,
        ref: str | None = None,
        commit: str | None = None,
        bundle: bytes | None = None,
    ) -> str:
        """Return the full hash of a branch, tag or commit as it is on the remote now, and keep that commit.

        Raises:
            SourceError: one of its kinds.
        """
        ...

    async def archive(
        self, repository: GitRepository, commit: str, *, patch: bytes | None = None
    ) -> Sequence[TreeFile]:
        """Return the files of a pinned commit as ``git archive`` would, submodules included, by path.

        Raises:
            SourceError: one of its kinds.
        """
        ...

    async def files(
        self,
        repository: GitRepository,
        commit: str,
        paths: Sequence[str],
        *,
        patch: bytes | None = None,
        largest: int,
    ) -> dict[str, bytes | None]:
        """Return single files of a pinned commit, by path, as far as it has them.

        One of more than ``largest`` bytes is there without them. Submodules are not looked into.

        Raises:
            SourceError: one of its kinds.
        """
        ...

    async def names(self, repository: GitRepository, commit: str, *, suffix: str, most: int) -> Sequence[str]:
        """Return the paths of a pinned commit's files whose names end so, at most so many, in order.

        Submodules are not looked into.

        Raises:
            SourceError: one of its kinds.
        """
        ...

    async def changes(
        self, repository: GitRepository, before: str, after: str, *, most: int
    ) -> SourceChanges:
        """Return what lies between two pinned commits, and at most so many of the files that changed most.

        A file that was moved counts with what changed in it. Submodules are not looked into.

        Raises:
            SourceTooLargeError: they differ in more than can be counted.
            SourceError: one of its other kinds.
        """
        ...

    async def refresh(self, repository: GitRepository) -> bool:
        """Bring what is new on the remote into a mirror that is there; tell whether there is one.

        Raises:
            SourceError: one of its kinds.
        """
        ...

    async def close(self) -> None:
        """End what still runs: the server stops."""
        ...


class Packages(Protocol):
    """Runs' packages, built once per content."""

    async def build(self, repository: GitRepository, commit: str, *, patch: bytes | None = None) -> Package:
        """Return the package of a commit with a patch applied. Raises `SourceError`."""
        ...

    async def from_directory(self, path: Path) -> Package:
        """Return the package of a folder of the server's disk. Raises `SourceError`."""
        ...

    async def empty(self) -> Package:
        """Return the package of a run that has no source: one with nothing of anybody's in it."""
        ...

    async def runner(self) -> Package:
        """Return the package of the runner itself."""
        ...
