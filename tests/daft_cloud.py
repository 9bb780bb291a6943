"""Daft Cloud's own client, unmodified: the command ``ev`` in processes of its own, as its users start it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIMEOUT_S = 150
_TERMINAL = {"COLUMNS": "220", "TERM": "dumb", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
_RUN = re.compile(r"/~/(run_\w+)")


@dataclass
class Command:
    """A command that was started; what it prints goes to files, so that it never waits for a reader."""

    process: subprocess.Popen[str]
    out: Path
    err: Path

    @property
    def shown(self) -> str:
        """What it has printed so far."""
        return self.out.read_text()

    def until(self, pattern: str) -> str:
        """Return the first group of a pattern once it was printed."""
        deadline = time.monotonic() + TIMEOUT_S
        while (found := re.search(pattern, self.shown)) is None:
            ended = self.process.poll() is not None
            assert not ended or re.search(pattern, self.shown), self.told
            assert time.monotonic() < deadline, self.told
            time.sleep(0.05)
        return found[1]

    @property
    def run_id(self) -> str:
        """The run that it has submitted."""
        return self.until(_RUN.pattern)

    @property
    def told(self) -> str:
        """All that it printed, for a test that fails."""
        return f"{self.process.args}\n{self.shown}\n{self.err.read_text()}"

    def ended(self, code: int = 0) -> str:
        """Return what it printed, once it has ended with this exit code."""
        assert self.process.wait(TIMEOUT_S) == code, self.told
        return self.shown


@dataclass
class DaftCloudClient:
    """The client in a repository. ``home`` is its folder for settings and tokens."""

    home: Path
    repository: Path
    url: str
    started: list[Command] = field(default_factory=list[Command])

    def __post_init__(self) -> None:
        """Write the one line that changes when a user comes from Daft Cloud, and where runs are shown."""
        self.home.mkdir()
        lines = [
            "[profiles.default]",
            f"endpoint_url = {json.dumps(self.url)}",
            f"dashboard_url = {json.dumps(self.url)}",
        ]
        (self.home / "config.toml").write_text("\n".join(lines) + "\n")

    def start(self, *arguments: str, stdin: str = "") -> Command:
        """Start the command; it reads ``stdin``."""
        number = len(self.started)
        given, out, err = (self.home / f"{number}.{name}" for name in ("in", "out", "err"))
        given.write_text(stdin)
        with given.open() as read, out.open("w") as write, err.open("w") as complain:
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("ev")), *arguments],
                cwd=self.repository,
                env=self._variables(),
                stdin=read,
                stdout=write,
                stderr=complain,
                text=True,
            )
        command = Command(process, out, err)
        self.started.append(command)
        return command

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """Return what a command printed that ended with this exit code."""
        return self.start(*arguments, stdin=stdin).ended(code)

    def close(self) -> None:
        """End what is still there."""
        for command in self.started:
            if command.process.poll() is None:
                command.process.kill()
                command.process.wait()

    def _variables(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "VIRTUAL_ENV") if name in os.environ}
        return {
            **kept,
            **_TERMINAL,
            "HOME": str(self.home),
            "EV_HOME": str(self.home),
            "BROWSER": "true",  # the command that does nothing
            "PYTHONPATH": str(self.repository),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "DO_NOT_TRACK": "1",
        }

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens that it has kept."""
        return tomllib.loads((self.home / "credentials").read_text())["default"]

    def keep(self, tokens: dict[str, str]) -> None:
        """Put tokens in the place of those that it has kept."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in tokens.items()]
        (self.home / "credentials").write_text("\n".join(["[default]", *lines]) + "\n")

    @property
    def settings(self) -> dict[str, Any]:
        """What is in the repository's ``ev.toml``."""
        return tomllib.loads((self.repository / "ev.toml").read_text())


def about_to_expire(access_token: str, *, in_s: int) -> str:
    """Return a token that says so. The client reads its payload and looks at no signature."""
    head, payload, signature = access_token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["exp"] = int(time.time()) + in_s
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def approved(command: Command, decide: Callable[[str], object]) -> Command:
    """Let somebody decide about the code that ``ev login`` shows, and return the command."""
    decide(command.until(r"Confirm the code: (\S+)"))
    return command
