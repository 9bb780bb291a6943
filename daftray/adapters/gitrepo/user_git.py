"""Git as a user runs it: in their working copy, with their settings."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import git

from daftray.adapters.gitrepo.scrubbing import last_line, scrub
from daftray.domain.errors import SourceError

_TIMEOUT_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a command ended: its exit code, what it wrote, and what it said of errors."""

    status: int
    output: bytes
    errors: str


class UserGit:
    """Runs Git in a folder. It never asks the user for a password: what needs one counts as failed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Answer:
        """Run a command and return how it ended."""
        with tempfile.TemporaryFile() as given:
            given.write(stdin or b"")
            given.seek(0)
            status, output, errors = git.Git(self.folder).execute(
                ["git", *args],
                istream=given,
                env={"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", **(env or {})},
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=None if sys.platform == "win32" else timeout_s,
            )
        return Answer(status=status, output=output, errors=errors)

    def must(self, *args: str, env: Mapping[str, str] | None = None, stdin: bytes | None = None) -> bytes:
        """Run a command that is not expected to fail, and return what it wrote.

        Raises:
            SourceError: it failed.
        """
        answer = self.run(*args, env=env, stdin=stdin)
        if answer.status:
            told = last_line(scrub(answer.errors, None))
            raise SourceError(f"Git cannot read the working copy {self.folder}: {told}")
        return answer.output

    def line(self, *args: str) -> str | None:
        """Run a command, and return what it wrote without white space around it; nothing where it failed."""
        answer = self.run(*args)
        text = answer.output.decode(errors="surrogateescape").strip()
        return text or None if answer.status == 0 else None
