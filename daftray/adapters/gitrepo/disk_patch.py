"""What is on disk against a commit, as a patch, without a trace in the user's repository."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from daftray.adapters.gitrepo.user_git import UserGit


def patch_of_disk(git: UserGit, commit: str) -> bytes:
    """Return what is on disk against a commit as a patch for ``git apply``; nothing where nothing changed.

    New files that are not ignored count, binary files too. Text that is not UTF-8 is sent in the form for
    binary files, so that the patch itself is always UTF-8.

    Raises:
        SourceError: Git cannot make it.
    """
    with _index_of_disk(git) as env:
        patch = _diff(git, commit, env=env)
        if _is_utf8(patch):
            return patch
        attributes = Path(env["GIT_INDEX_FILE"]).with_name("attributes")
        attributes.write_text("* -diff\n")
        return _diff(git, commit, "-c", f"core.attributesFile={attributes}", env=env)


def _diff(git: UserGit, commit: str, *settings: str, env: Mapping[str, str]) -> bytes:
    """Compare by the plumbing command: `git diff` obeys settings of colours, prefixes, external programs."""
    return git.must(
        *("-c", "core.quotePath=true", *settings, "diff-index", "--cached", "--patch", "--binary"),
        *("--full-index", "--find-renames", "--submodule=short", "--no-ext-diff", "--no-textconv", commit),
        env=env,
    )


@contextmanager
def _index_of_disk(git: UserGit) -> Generator[dict[str, str]]:
    """Give the variables of an index that holds what is on disk, for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="daftray-") as folder:
        index = _path_in_repository(git, "index")
        if index.is_file():  # a copy spares Git reading every unchanged file again
            shutil.copy2(index, Path(folder) / "index")
        (Path(folder) / "objects").mkdir()
        env = {
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": f"{folder}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(_path_in_repository(git, "objects")),
        }
        git.must("-c", "advice.addEmbeddedRepo=false", "add", "--all", "--", ":/", env=env)
        yield env


def _path_in_repository(git: UserGit, name: str) -> Path:
    """Return where a thing of the repository lies; with worktrees, not always below ``.git``."""
    found = git.must("rev-parse", "--git-path", name).decode(errors="surrogateescape").rstrip("\n")
    return (git.folder / found).resolve()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
