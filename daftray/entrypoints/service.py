"""What of a project's commit can be run, for forms and completion."""

from __future__ import annotations

import asyncio
import re
from pathlib import PurePosixPath

from daftray.domain.errors import (
    FileNotInSourceError,
    InputIssue,
    InvalidInputError,
    SourceTooLargeError,
)
from daftray.domain.ports import GitMirrors, GitRepository
from daftray.domain.project import Project
from daftray.domain.signature import EntrypointListing, SourceListing
from daftray.entrypoints.callables import read_callables
from daftray.logs.masking import Mask
from daftray.projects.secrets import ProjectSecrets
from daftray.projects.service import Projects

LARGEST_FILE = 512 * 1024
"""Bytes of a file that is read: its tree takes a hundred times as many."""
MOST_FILES = 5000
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_AT_ONCE = 2
"""Files that are read at a time: it takes memory, and this process's attention."""


class Entrypoints:
    """Reads commits of projects' remotes. Secret values are covered, as they are in logs."""

    def __init__(self, *, projects: Projects, mirrors: GitMirrors, secrets: ProjectSecrets) -> None:
        self._projects = projects
        self._mirrors = mirrors
        self._secrets = secrets
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def files(self, project: Project, ref: str | None) -> SourceListing:
        """Return the Python files of a branch, tag or commit, by default of the project's branch.

        Raises:
            SourceError: one of its kinds.
        """
        repository, commit = await self._pinned(project, ref)
        found = await self._mirrors.names(repository, commit, suffix=".py", most=MOST_FILES + 1)
        return SourceListing(commit=commit, files=list(found[:MOST_FILES]), truncated=len(found) > MOST_FILES)

    async def callables(self, project: Project, ref: str | None, path: str) -> EntrypointListing:
        """Return the callables of a file, or of a module by its dotted name.

        Raises:
            InvalidInputError: the path names no file of Python, or one that is not valid Python.
            FileNotInSourceError: the commit has no such file.
            SourceTooLargeError: it is larger than `LARGEST_FILE`.
            SourceError: one of its kinds.
        """
        candidates = _candidates(path)
        repository, commit = await self._pinned(project, ref)
        found = await self._mirrors.files(repository, commit, candidates, largest=LARGEST_FILE)
        there = next((each for each in candidates if each in found), None)
        if there is None:
            raise FileNotInSourceError(
                f"The commit {commit} has no file {' or '.join(candidates)}: give the path from the "
                "repository's root, as the repository has it."
            )
        data = found[there]
        if data is None:
            raise SourceTooLargeError(f"The file is larger than {LARGEST_FILE >> 10} KiB, so it is not read.")
        mask = Mask((await self._secrets.of_project(project.id)).values())
        async with self._turns:
            callables, truncated = await asyncio.to_thread(read_callables, mask.whole(data), there)
        return EntrypointListing(commit=commit, path=there, callables=callables, truncated=truncated)

    async def _pinned(self, project: Project, ref: str | None) -> tuple[GitRepository, str]:
        own = project.source.remote
        repository = await self._projects.repository(project.id, own.remote)
        return repository, await self._mirrors.pin(repository, ref=ref or own.branch)


def _candidates(path: str) -> list[str]:
    """Return the files that a path or a dotted name may mean, the likelier first."""
    if _MODULE.fullmatch(path) and not path.endswith(".py"):
        inside = path.replace(".", "/")
        return [f"{inside}.py", f"{inside}/__init__.py"]
    parts = PurePosixPath(path).parts
    if not path.endswith(".py") or path.startswith("/") or ".." in parts or not path.isprintable():
        message = "give a .py file inside the repository, relative to its root, or a dotted module name"
        raise InvalidInputError(
            "The path names no file of Python.", issues=(InputIssue(path="path", message=message),)
        )
    return ["/".join(part for part in parts if part != ".")]
