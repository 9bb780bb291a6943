"""Real Git repositories for tests, made by Git itself in a temporary folder.

They know nothing of the developer's own Git settings, and every commit has a fixed author and time, so
that the same steps give the same hashes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SETTINGS = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2030-01-02T03:04:05+00:00",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "2030-01-02T03:04:05+00:00",
    "PATH": os.environ.get("PATH", os.defpath),
    "LC_ALL": "C",
}


@dataclass(frozen=True)
class GitRepo:
    """A repository with a work tree. Its path is also a remote that daftray can use."""

    path: Path

    @property
    def url(self) -> str:
        return str(self.path)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        """Run a git command in the work tree and return what it prints, without the last newline."""
        return self.git_bytes(*args, stdin=stdin).decode().rstrip("\n")

    def git_bytes(self, *args: str, stdin: bytes | None = None) -> bytes:
        command = ["git", "-c", "protocol.file.allow=always", *args]
        done = subprocess.run(
            command, cwd=self.path, env=_SETTINGS, input=stdin, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{command} failed: {done.stderr.decode()}"
        return done.stdout

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the work tree, without a commit."""
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes] | None = None, message: str = "Change it") -> str:
        """Write files, commit everything that is in the work tree, and return the commit's hash."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    def branch(self, name: str, *, at: str = "HEAD") -> None:
        """Make a branch, or move it, and check it out."""
        self.git("checkout", "--quiet", "-B", name, at)

    def tag(self, name: str, *, at: str = "HEAD", annotated: bool = False) -> None:
        self.git("tag", *(["-a", "-m", name] if annotated else []), name, at)

    def symlink(self, name: str, target: str) -> None:
        link = self.path / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    def submodule(self, url: str, path: str) -> None:
        """Add a submodule, not committed yet. A relative URL is relative to the remote, as in Git."""
        self.git("submodule", "--quiet", "add", url, path)

    def rewrite(self, files: Mapping[str, str | bytes], message: str = "Rewritten") -> str:
        """Do to the branch what a force-push does: its last commit is replaced and lost."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--amend", "--message", message)
        self.git("reflog", "expire", "--expire=all", "--all")
        self.git("gc", "--quiet", "--prune=now")
        return self.head

    def bundle(self, *revisions: str) -> bytes:
        """Return a ``git bundle`` of these revisions."""
        return self.git_bytes("bundle", "create", "--quiet", "-", *revisions)

    def diff(self) -> bytes:
        """Return the work tree's changes against HEAD, binary ones too; new files must be added before."""
        return self.git_bytes("diff", "--binary", "HEAD")

    def clone(self, path: Path) -> GitRepo:
        """Clone it, as a user does who then works on the clone."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.git("clone", "--quiet", "--recurse-submodules", str(self.path), str(path))
        return GitRepo(path)


def make_repo(path: Path, files: Mapping[str, str | bytes] | None = None, *, branch: str = "main") -> GitRepo:
    """Make a repository with one commit of these files (a ``main.py`` where none are given)."""
    path.mkdir(parents=True)
    repo = GitRepo(path)
    repo.git("init", "--quiet", "--initial-branch", branch)
    repo.commit({"main.py": "print('hello')\n"} if files is None else files, "First")
    return repo
