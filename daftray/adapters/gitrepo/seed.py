"""Makes a Git repository of a folder: for the demo, whose examples are not one of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import git

_AUTHOR = git.Actor("daftray demo", "demo@localhost")


def repository_of(folder: Path, target: Path) -> str:
    """Copy a folder to ``target``, commit all of it on branch ``main`` there, and return the commit."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    with git.Repo.init(target, initial_branch="main") as repository:
        repository.git.add("--all")
        commit = repository.index.commit("Label product reviews", author=_AUTHOR, committer=_AUTHOR)
        return commit.hexsha
