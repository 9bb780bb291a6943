"""Files of a run's commit, as the run had them: what its tracebacks point into."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import msgspec

from daftray.domain.errors import DaftrayError, FileNotInSourceError, InvalidInputError, SourceTooLargeError
from daftray.domain.ports import GitMirrors, SourceChanges
from daftray.domain.problem import Frame, SourceLines
from daftray.domain.run import Run
from daftray.domain.weblink import web_link
from daftray.logs.masking import Mask
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.sources import RunSources

LARGEST_FILE = 2 * 1024**2
"""Bytes of a file that is shown."""
AROUND = 5
"""Lines that are shown before and after the one of a frame."""
MOST_FILES = 20
MOST_CHANGED = 50
"""Files that are named of those that two commits differ in."""
_LONGEST_LINE = 500
_PATIENCE_S = 5.0
"""How long code is waited for that is shown beside something else: a mirror may have to be made again."""

log = logging.getLogger(__name__)


class CommitsCompared(msgspec.Struct, frozen=True, kw_only=True):
    """What lies between the commits of two runs, or why nobody can tell now."""

    changes: SourceChanges | None = None
    trouble: str | None = None


class SourceFiles:
    """Reads from the mirrors of runs' remotes. Secret values are covered, as they are in logs."""

    def __init__(self, *, sources: RunSources, mirrors: GitMirrors, secrets: ProjectSecrets) -> None:
        self._sources = sources
        self._mirrors = mirrors
        self._secrets = secrets

    async def read(self, run: Run, path: str) -> bytes:
        """Return a file.

        Raises:
            FileNotInSourceError: the run has no commit (yet), or the commit no such file.
            SourceTooLargeError: it is larger than `LARGEST_FILE`.
            SourceError: the commit is not to be had any more.
        """
        if not _is_inside(path):
            raise InvalidInputError("Give the path of a file inside the repository, relative to its root.")
        found = await self._read(run, [path])
        if path not in found:
            raise FileNotInSourceError(
                f"The commit {run.commit} has no file {path}: look for its name as the repository has it."
            )
        data = found[path]
        if data is None:
            raise SourceTooLargeError(f"The file is larger than {LARGEST_FILE >> 20} MiB: get it by Git.")
        return data

    async def around(self, run: Run, frames: Sequence[Frame]) -> list[SourceLines | None]:
        """Return the code around each frame that is the user's, as far as it can be had at once."""
        paths = _paths(frames)
        found: dict[str, bytes | None] = {}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await self._read(run, paths) if paths else {}
        except (DaftrayError, TimeoutError) as exc:
            # A traceback without the lines around it is better than none.
            log.info("no source", extra={"action": "source", "run": run.id, "error": type(exc).__name__})
        lines = {path: _lines(data) for path, data in found.items() if data is not None}
        return [_excerpt(run, frame, lines.get(frame.file)) for frame in frames]

    async def between(self, before: Run, after: Run) -> CommitsCompared:
        """Return what lies between the commits of two runs, or why that is not to be had at once."""
        trouble = _incomparable(before, after)
        if trouble is not None:
            return CommitsCompared(trouble=trouble)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                commits = [await self._pinned(run) for run in (before, after)]
                repository = await self._sources.repository(after)
                changes = await self._mirrors.changes(repository, *commits, most=MOST_CHANGED)
                return CommitsCompared(changes=changes)
        except TimeoutError:
            return CommitsCompared(trouble="Git takes too long for it now: look again in a while.")
        except DaftrayError as exc:
            log.info("no changes", extra={"action": "source", "run": after.id, "error": type(exc).__name__})
            return CommitsCompared(trouble=exc.detail)

    async def _pinned(self, run: Run) -> str:
        # Costs no look at the remote where the mirror still has the commit.
        repository = await self._sources.repository(run)
        bundle = await self._sources.bundle(run)
        return await self._mirrors.pin(repository, commit=run.commit, bundle=bundle)

    async def _read(self, run: Run, paths: Sequence[str]) -> dict[str, bytes | None]:
        if run.source.git is None or run.commit is None:
            raise FileNotInSourceError(
                "The run has no commit whose files could be shown: it is not pinned yet, or runs a directory."
            )
        repository, patch = await asyncio.gather(self._sources.repository(run), self._sources.patch(run))
        commit = await self._pinned(run)
        found = await self._mirrors.files(repository, commit, paths, patch=patch, largest=LARGEST_FILE)
        secrets = await self._secrets.of_run(run)
        return await asyncio.to_thread(_covered, found, Mask(secrets.values()))


def _incomparable(before: Run, after: Run) -> str | None:
    """Return why two runs' commits cannot lie in one mirror, if that is so."""
    sources = before.source.git, after.source.git
    if sources[0] is None or sources[1] is None:
        return "A run that is not of a Git commit has nothing to compare."
    if before.commit is None or after.commit is None:
        return "A run's commit is not pinned, so there is nothing to compare."
    if sources[0].remote != sources[1].remote:
        return "The commits are of different remotes."
    return None


def _excerpt(run: Run, frame: Frame, lines: Sequence[str] | None) -> SourceLines | None:
    if not frame.user or lines is None or not 0 < frame.line <= len(lines):
        return None
    first = max(1, frame.line - AROUND)
    return SourceLines(
        file=frame.file,
        first=first,
        lines=[line[:_LONGEST_LINE] for line in lines[first - 1 : frame.line + AROUND]],
        link=_link(run, frame),
    )


def _link(run: Run, frame: Frame) -> str | None:
    git = run.source.git
    # A patch moves lines, and what a bundle brought is not on the remote: its page would show others or none.
    if git is None or git.patch or git.bundle or not git.remote or run.commit is None:
        return None
    return web_link(git.remote, run.commit, frame.file, frame.line)


def _covered(found: dict[str, bytes | None], mask: Mask) -> dict[str, bytes | None]:
    return {path: None if data is None else mask.whole(data) for path, data in found.items()}


def _paths(frames: Iterable[Frame]) -> list[str]:
    """Return the files of frames, those of the innermost first."""
    innermost = dict.fromkeys(frame.file for frame in reversed(list(frames)) if frame.user)
    return [path for path in innermost if _is_inside(path)][:MOST_FILES]


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts and path.isprintable()


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="replace").split("\n")
