"""The files of a commit, as ``git archive`` gives them, with a patch applied where there is one."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from daftray.adapters.gitrepo.commands import GitCommands, Outcome, TooMuchOutputError
from daftray.adapters.gitrepo.scrubbing import last_line
from daftray.adapters.gitrepo.submodules import Submodule, read_submodules
from daftray.domain.errors import SourceError, SourceNotFoundError, SourceRefusedError, SourceTooLargeError
from daftray.domain.ports import TreeFile

_IN_MEMORY = 8 << 20
_SHOWN = 10
_MIB = 1 << 20


class Budget:
    """How many bytes of files may still be read."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.left = size

    def take(self, size: int) -> None:
        """Note that so many bytes were read."""
        self.left -= size


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The files of a tree, and the submodules that stand in it."""

    files: Sequence[TreeFile]
    submodules: Sequence[Submodule]


def read_tree(git: GitCommands, mirror: Path, commit: str, *, patch: bytes | None, budget: Budget) -> Tree:
    """Read the files of a commit that the mirror has.

    Raises:
        SourceTooLargeError: they are more bytes than the budget has.
        SourceError: the patch does not apply, or the tree cannot be used.
    """
    if not patch or not patch.strip():
        return _read(git, mirror, commit, env=None, budget=budget)
    with patched(git, mirror, commit, patch) as (tree, env):
        return _read(git, mirror, tree, env=env, budget=budget)


def _read(
    git: GitCommands, mirror: Path, tree: str, *, env: Mapping[str, str] | None, budget: Budget
) -> Tree:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(git.scratch)) as spool:
        sink = cast("BinaryIO", spool)
        try:
            done = git.run_into(sink, "archive", "--format=tar", tree, at=mirror, env=env, limit=budget.left)
        except TooMuchOutputError:
            raise _too_large(git, mirror, tree, env=env, budget=budget) from None
        if not done.ok:
            raise SourceError(f"The commit's files cannot be read. Git says: {last_line(done.errors)}")
        budget.take(spool.tell())
        spool.seek(0)
        files, folders = _unpacked(sink)
    submodules = read_submodules(git, mirror, tree, env=env)
    return Tree(files=files, submodules=[one for one in submodules if one.path in folders])


def _unpacked(archive: BinaryIO) -> tuple[list[TreeFile], set[str]]:
    """Return the files of a tar, and its folders: a submodule is an empty one, unless it is ignored."""
    files: list[TreeFile] = []
    folders: set[str] = set()
    with tarfile.open(fileobj=archive, mode="r:", encoding="utf-8", errors="surrogateescape") as opened:
        for member in opened:
            path = _checked(member.name.rstrip("/"))
            if member.isdir():
                folders.add(path)
            elif member.issym():
                files.append(TreeFile(path=path, target=member.linkname))
            elif content := opened.extractfile(member):
                files.append(TreeFile(path=path, executable=bool(member.mode & 0o100), data=content.read()))
    return files, folders


def _checked(path: str) -> str:
    """Refuse what only a crafted tree holds, before anybody joins it to a folder."""
    parts = path.split("/")
    if path.startswith("/") or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
        raise SourceRefusedError(f"The commit holds the path {path!r}, which leads out of it: remove it.")
    return path


@contextmanager
def patched(
    git: GitCommands, mirror: Path, commit: str, patch: bytes
) -> Generator[tuple[str, Mapping[str, str]]]:
    """Apply a patch to a commit's tree, in an index and an object store that last only for the block."""
    with tempfile.TemporaryDirectory(dir=git.scratch) as folder:
        (Path(folder) / "objects").mkdir()
        env = {
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": f"{folder}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(mirror / "objects"),
        }

        def step(*args: str, stdin: bytes | None = None) -> Outcome:
            return git.run(*args, at=mirror, env=env, stdin=stdin)

        if not step("read-tree", commit).ok:
            raise SourceNotFoundError(
                f"The commit {commit} is not in the server's mirror: create the run anew."
            )
        # A patch that came as text may have lost the newline, or empty line, at its end.
        applied = step("apply", "--cached", "--binary", "--whitespace=nowarn", "-", stdin=patch + b"\n\n")
        if not applied.ok:
            raise SourceError(
                f"The patch does not apply to the commit {commit}: make it by `git diff --binary "
                f"{commit[:12]}`. Git says: {last_line(applied.errors)}"
            )
        yield step("write-tree").text, env


def _too_large(
    git: GitCommands, mirror: Path, tree: str, *, env: Mapping[str, str] | None, budget: Budget
) -> SourceTooLargeError:
    listed = git.run("ls-tree", "-r", "-l", "-z", "--full-tree", tree, at=mirror, env=env)
    sizes: list[tuple[int, str]] = []
    for entry in listed.output.decode(errors="replace").split("\0"):
        kind, _, path = entry.partition("\t")
        size = kind.split(" ")[-1]
        if size.isdigit():
            sizes.append((int(size), path))
    largest = ", ".join(
        f"{path} ({size / _MIB:.1f} MiB)" for size, path in sorted(sizes, reverse=True)[:_SHOWN]
    )
    return SourceTooLargeError(
        f"The files of the run's source are more than {budget.size // _MIB} MiB. The largest are {largest}. "
        "Keep data in an object store, or mark it export-ignore in .gitattributes."
    )
