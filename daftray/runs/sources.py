"""What a run brings along beside its commit, and the Git remote it may draw on.

A bundle and a patch can be megabytes: they go to the blob store under their SHA-256, and the run keeps
``blob:<sha256>`` in their place, so that lists of runs stay small and a rerun finds them again.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import PurePosixPath

from msgspec.structs import replace

from daftray.domain.errors import InputIssue, InvalidInputError, SourceRefusedError
from daftray.domain.ports import BlobStore, GitMirrors, GitRepository
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, GitSource, Source
from daftray.projects.service import Projects

KEPT = "blob:"
_DIGEST = re.compile(r"[0-9a-f]{64}")
LARGEST_BUNDLE = 64 * 1024 * 1024
LARGEST_PATCH = 16 * 1024 * 1024


class RunSources:
    """Checks and keeps the source of a run, and gives it to the steps that need it."""

    def __init__(
        self, *, projects: Projects, blobs: BlobStore, mirrors: GitMirrors, allow_directories: bool
    ) -> None:
        self._projects = projects
        self._blobs = blobs
        self._mirrors = mirrors
        self._allow_directories = allow_directories

    async def accept(self, project: Project, source: Source) -> Source:
        """Return the source in the form in which a run keeps it.

        Raises:
            SourceRefusedError: daftray does not use such a source.
            InvalidInputError: it is malformed.
        """
        if source.directory is not None:
            if not self._allow_directories:
                raise SourceRefusedError(
                    "This server does not run directories: commit the code and name a Git source, or ask "
                    "its operator for DAFTRAY_ALLOW_LOCAL_REMOTES=1."
                )
            return source
        git = source.git or GitSource()
        remote = git.remote or project.source.remote.remote
        self._mirrors.check(remote)
        bundle, patch = git.bundle, git.patch
        if bundle and not await self._is_kept(project, "source.git.bundle", bundle):
            bundle = await self._keep(project, _decoded(bundle), LARGEST_BUNDLE)
        if patch and not await self._is_kept(project, "source.git.patch", patch):
            patch = await self._keep(project, patch.encode(), LARGEST_PATCH)
        return Source(git=replace(git, remote=remote, bundle=bundle or None, patch=patch or None))

    async def repository(self, run: Run) -> GitRepository:
        """Return the run's remote, with the credential that opens it."""
        return await self._projects.repository(run.project, _git(run).remote)

    async def default_branch(self, run: Run) -> str | None:
        """Return the project's branch where the run uses the project's remote, else nothing: its HEAD."""
        own = (await self._projects.by_id(run.project)).source.remote
        return own.branch if own.remote == _git(run).remote else None

    async def bundle(self, run: Run) -> bytes | None:
        """Return the commits that the remote lacks."""
        return await self._kept(run, _git(run).bundle)

    async def patch(self, run: Run) -> bytes | None:
        """Return the diff against the commit."""
        return await self._kept(run, _git(run).patch)

    async def _is_kept(self, project: Project, where: str, text: str) -> bool:
        """Tell whether a text names what a run of the same project has brought along before."""
        if not text.startswith(KEPT):
            return False
        digest = text.removeprefix(KEPT)
        if _DIGEST.fullmatch(digest) and await self._blobs.size(_key(project.id, digest)) is not None:
            return True
        raise InvalidInputError(
            "The source names something that no run of this project has brought along.",
            issues=(InputIssue(path=where, message="send the content itself"),),
        )

    async def _keep(self, project: Project, data: bytes, largest: int) -> str:
        if len(data) > largest:
            raise InvalidInputError(
                f"What the remote lacks is {len(data) >> 20} MiB; at most {largest >> 20} MiB can come "
                "with a run: push the branch first, or keep large files out of Git."
            )
        digest = hashlib.sha256(data).hexdigest()
        await self._blobs.put(_key(project.id, digest), data)
        return KEPT + digest

    async def _kept(self, run: Run, text: str | None) -> bytes | None:
        return await self._blobs.get(_key(run.project, text.removeprefix(KEPT))) if text else None


def check_entrypoint(entrypoint: Entrypoint) -> list[InputIssue]:
    """Return what is wrong with the paths of an entrypoint: they stay inside the repository."""
    paths = {
        "entrypoint.file.file_path": entrypoint.file.file_path if entrypoint.file else "",
        "entrypoint.function.module": entrypoint.function.module if entrypoint.function else "",
    }
    return [
        InputIssue(path=where, message="give a path inside the repository, relative to its root")
        for where, path in paths.items()
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path
    ]


def pinned(run: Run) -> Source:
    """Return the source of a run with the commit that it ran, wherever its branch is now."""
    git = run.source.git
    if git is None or run.commit is None:
        return run.source
    return Source(git=GitSource(remote=git.remote, hash=run.commit, bundle=git.bundle, patch=git.patch))


def _git(run: Run) -> GitSource:
    if run.source.git is None:
        raise ValueError(f"run {run.id} has no Git source")
    return run.source.git


def _key(project_id: str, digest: str) -> str:
    return f"projects/{project_id}/sources/{digest}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as exc:  # binascii's own error, or the one for text that is not ASCII
        raise InvalidInputError(
            "The bundle is not base64.",
            issues=(InputIssue(path="source.git.bundle", message="send base64 of `git bundle create`"),),
        ) from exc
