"""Single files of a commit, with a patch applied where there is one."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from daftray.adapters.gitrepo.commands import GitCommands, TooMuchOutputError
from daftray.adapters.gitrepo.scrubbing import last_line
from daftray.adapters.gitrepo.trees import patched
from daftray.domain.errors import SourceError, SourceTooLargeError

_IN_MEMORY = 8 << 20
_LARGEST_LIST = 64 << 20
_BLOB = re.compile(r"(?P<blob>[0-9a-f]{40}) blob (?P<size>\d+)")


def read_files(
    git: GitCommands, mirror: Path, commit: str, paths: Sequence[str], *, patch: bytes | None, largest: int
) -> dict[str, bytes | None]:
    """Return the files of those paths that a commit has; None for one of more than ``largest`` bytes.

    Of a link that is its target's path; a folder or a submodule is no file.

    Raises:
        SourceError: the patch does not apply.
    """
    asked = [path for path in paths if _is_plain(path)]
    plain: nullcontext[tuple[str, Mapping[str, str] | None]] = nullcontext((commit, None))
    opened = patched(git, mirror, commit, patch) if patch and patch.strip() else plain
    with opened as (tree, env):
        names = "".join(f"{tree}:{path}\n" for path in asked).encode(errors="surrogateescape")
        checked = git.run("cat-file", "--batch-check", at=mirror, env=env, stdin=names).output
        sizes = _sizes(asked, checked.splitlines())
        small = {path: blob for path, (blob, size) in sizes.items() if size <= largest}
        wanted = "".join(f"{blob}\n" for blob in small.values()).encode()
        content = git.run("cat-file", "--batch", at=mirror, env=env, stdin=wanted).output
    return {**dict.fromkeys(sizes), **_contents(list(small), content)}


def list_names(git: GitCommands, mirror: Path, commit: str, *, suffix: str, most: int) -> list[str]:
    """Return the paths of a commit's files whose names end so, at most so many.

    Raises:
        SourceError: the tree is too large to be listed, or cannot be read.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(git.scratch)) as spool:
        sink = cast("BinaryIO", spool)
        walk = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit)
        try:
            done = git.run_into(sink, *walk, at=mirror, limit=_LARGEST_LIST)
        except TooMuchOutputError:
            raise SourceTooLargeError("The commit has too many files to be listed.") from None
        if not done.ok:
            raise SourceError(f"The commit's files cannot be listed. Git says: {last_line(done.errors)}")
        sink.seek(0)
        names = sink.read().decode(errors="surrogateescape").split("\0")
    plain = (name for name in names if name.endswith(suffix) and name.isprintable())
    return list(islice(plain, most))


def _is_plain(path: str) -> bool:
    """Whether Git takes a path as one name of a file.

    It reads one name a line, and gives up altogether at one that is relative to a folder of its own.
    """
    return not set(path) & set("\n\r\0") and not {"", ".", ".."} & set(path.split("/"))


def _sizes(paths: Sequence[str], answers: Sequence[bytes]) -> dict[str, tuple[str, int]]:
    """Return the blobs among the answers, by path, with their sizes."""
    found: dict[str, tuple[str, int]] = {}
    for path, answer in zip(paths, answers, strict=False):
        # What is not there is answered with its own name, which is no hash: a commit's stands before it.
        if match := _BLOB.fullmatch(answer.decode(errors="replace")):
            found[path] = (match["blob"], int(match["size"]))
    return found


def _contents(paths: Sequence[str], batch: bytes) -> dict[str, bytes]:
    """Take the answers of ``git cat-file --batch`` apart: a heading with the size, the bytes, a newline."""
    found: dict[str, bytes] = {}
    start = 0
    for path in paths:
        heading_end = batch.index(b"\n", start)
        size = int(batch[start:heading_end].rsplit(b" ", 1)[1])
        start = heading_end + 1
        found[path] = batch[start : start + size]
        start += size + 1
    return found
