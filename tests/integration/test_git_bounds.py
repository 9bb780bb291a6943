"""What a run's creator sends cannot make the server's Git take all memory, nor read the server's settings."""

from __future__ import annotations

import base64
import sys
import zlib
from pathlib import Path

import pytest
from git_repos import make_repo

from daftray.adapters.gitrepo.commands import GitCommands
from daftray.adapters.gitrepo.trees import Budget, read_tree
from daftray.domain.errors import SourceError

MIB = 1 << 20


def bomb(size: int) -> bytes:
    """Return a patch that adds a file of so many zero bytes, in the form of ``git diff --binary``."""
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])
    pieces = [packed[at : at + 52] for at in range(0, len(packed), 52)]
    lines = [
        bytes([64 + len(piece) if len(piece) <= 26 else 70 + len(piece)])
        + base64.b85encode(piece + bytes(-len(piece) % 4))
        for piece in pieces
    ]
    head = (
        "diff --git a/zeros b/zeros\nnew file mode 100644\n"
        f"index {'0' * 40}..{'1' * 40}\nGIT binary patch\nliteral {size}\n"
    )
    return head.encode() + b"\n".join(lines) + b"\n\nliteral 0\nHcmV?d00001\n\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no prlimit")
def test_a_patch_that_unpacks_to_more_than_the_bound_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    commit = repo.commit({"main.py": "pass\n"})
    git = GitCommands(tmp_path / "git", timeout_s=60, memory_bytes=64 * MIB)
    git.prepare()
    with pytest.raises(SourceError, match=r"(?i)memory"):
        read_tree(git, repo.path / ".git", commit, patch=bomb(256 * MIB), budget=Budget(512 * MIB))


def test_git_does_not_get_the_servers_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFTRAY_MASTER_KEY", "the-master-key")
    git = GitCommands(tmp_path / "git", timeout_s=60)
    git.prepare()
    shown = git.run("-c", "alias.shown=!env", "shown", at=git.scratch)
    assert "GIT_CONFIG_GLOBAL=" in shown.text
    assert "DAFTRAY_" not in shown.text
    assert "the-master-key" not in shown.text
