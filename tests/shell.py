"""Commands typed in this process, what they print, and the working copy that they are typed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from daftray.adapters.gitrepo.checkout import Checkout
from daftray.cli.app import app


class Shell:
    """Types commands. Nobody is there to answer, and stdout is no terminal."""

    def __init__(self) -> None:
        self.code = 0
        self.out = ""
        self.err = ""
        self.out_bytes = b""
        self.raised: BaseException | None = None

    def run(self, *words: str, stdin: str | None = None) -> int:
        done = CliRunner().invoke(app, list(words), input=stdin)
        self.code, self.raised = done.exit_code, done.exception
        self.out_bytes, self.err = done.stdout_bytes, done.stderr
        self.out = done.stdout_bytes.decode(errors="replace")
        return done.exit_code

    @property
    def json(self) -> Any:  # any JSON
        return msgspec.json.decode(self.out)


REMOTE = "https://git.example/acme/scoring.git"
HEAD = "0123456789abcdef0123456789abcdef01234567"


class Tree(Checkout):
    """A working copy that is clean, and of a pushed commit, unless a test says otherwise."""

    def __init__(
        self,
        root: Path = Path("/repo"),
        *,
        remote: str | None = REMOTE,
        pushed: bool = True,
        changes: bytes = b"",
    ) -> None:
        super().__init__(root)
        self.pushed = pushed
        self.changes = changes
        self.has(remote=remote, branch="trunk", head=HEAD)

    def has(self, **properties: str | None) -> None:
        """Give properties that are read from Git their values."""
        vars(self).update(properties)

    def is_head_on_remote(self) -> bool:
        return self.pushed

    def bundle(self) -> bytes:
        assert not self.pushed, "nothing to bundle"
        return b"# v2 git bundle\n\x00"

    def patch(self) -> bytes:
        return self.changes
