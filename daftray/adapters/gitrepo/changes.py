"""What lies between two commits of a mirror: files, and lines that came and went."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from daftray.adapters.gitrepo.commands import GitCommands, TooMuchOutputError
from daftray.adapters.gitrepo.scrubbing import last_line
from daftray.domain.errors import SourceError, SourceTooLargeError
from daftray.domain.ports import ChangedFile, SourceChanges

TIMEOUT_S = 15.0
"""Somebody looks at a page meanwhile."""
_IN_MEMORY = 1 << 20
_LARGEST_LIST = 16 << 20
_MOST_MOVES = 200
"""Files that came and went among which Git looks for moved ones. It compares each with each."""


def count_changes(git: GitCommands, mirror: Path, after: str, *, before: str, most: int) -> SourceChanges:
    """Return what lies between two commits that are both there.

    Raises:
        SourceTooLargeError: they differ in too many files to be counted.
        SourceUnavailableError: it takes too long.
        SourceError: a commit cannot be read.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(git.scratch)) as spool:
        sink = cast("BinaryIO", spool)
        walk = ("diff-tree", "-r", "-z", "--numstat", "-M", f"-l{_MOST_MOVES}", "--no-ext-diff")
        commits = ("--no-textconv", before, after, "--")
        try:
            done = git.run_into(sink, *walk, *commits, at=mirror, limit=_LARGEST_LIST, timeout_s=TIMEOUT_S)
        except TooMuchOutputError:
            raise SourceTooLargeError("The commits differ in too many files to be counted.") from None
        if not done.ok:
            raise SourceError(f"The commits cannot be compared. Git says: {last_line(done.errors)}")
        sink.seek(0)
        files = list(_files(sink.read().decode(errors="replace")))
    files.sort(key=lambda file: (-(file.added or 0) - (file.removed or 0), file.path))
    return SourceChanges(
        files=len(files),
        added=sum(file.added or 0 for file in files),
        removed=sum(file.removed or 0 for file in files),
        most_changed=tuple(files[:most]),
    )


def _files(listed: str) -> Iterator[ChangedFile]:
    """Read ``ADDED TAB REMOVED TAB PATH NUL``; of a moved file the path is empty, and two follow it."""
    parts = iter(listed.split("\0"))
    for part in parts:
        if not part:
            continue
        added, removed, path = part.split("\t", 2)
        if not path:
            path = f"{next(parts)} \N{RIGHTWARDS ARROW} {next(parts)}"
        yield ChangedFile(path=path, added=_lines(added), removed=_lines(removed))


def _lines(text: str) -> int | None:
    return int(text) if text.isdigit() else None
