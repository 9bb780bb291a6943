"""Git commands of the server, over GitPython: isolated, with a time limit, each in its own process group."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import git

from daftray.adapters.gitrepo.settings import GitSettings
from daftray.domain.errors import SourceUnavailableError

MEMORY_BYTES = 2 << 30
"""A binary patch or a pack of some megabytes can ask Git to unpack gigabytes, all of it in memory."""
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended. ``errors`` is what it wrote to stderr: it may hold anything, so scrub it."""

    status: int
    output: bytes
    errors: str

    @property
    def ok(self) -> bool:
        """Whether the command did what it was asked."""
        return self.status == 0

    @property
    def text(self) -> str:
        """The output as text, without white space around it."""
        return self.output.decode(errors="replace").strip()


class TooMuchOutputError(Exception):
    """A command wrote more than its caller takes."""


class GitCommands:
    """Runs Git. ``root`` holds its settings and temporary files.

    ``timeout_s`` and ``memory_bytes`` bound each command. The latter works on Linux alone.
    """

    def __init__(self, root: Path, *, timeout_s: float, memory_bytes: int = MEMORY_BYTES) -> None:
        self.root = root
        self.timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._settings = GitSettings(root)
        self._running: set[int] = set()
        self._guard = threading.Lock()
        self._stopped = False

    def prepare(self) -> None:
        """Make the folders and the settings file, unless they are there as they should be."""
        for folder in (self.root, self.scratch):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._settings.prepare()

    def run(
        self, *args: str, at: Path, env: Mapping[str, str] | None = None, stdin: bytes | None = None
    ) -> Outcome:
        """Run a command in a repository, or in a plain folder, and return how it ended.

        Raises:
            SourceUnavailableError: it took too long, or the server stops.
        """
        with self._process(args, at, env) as process:
            try:
                output, errors = process.communicate(stdin, timeout=self.timeout_s)
            except subprocess.TimeoutExpired as exc:
                raise self._too_slow(args[0], self.timeout_s) from exc
        self._refuse_when_stopped()
        return Outcome(status=process.returncode, output=output, errors=errors.decode(errors="replace"))

    def run_into(
        self,
        sink: BinaryIO,
        *args: str,
        at: Path,
        env: Mapping[str, str] | None = None,
        limit: int,
        timeout_s: float | None = None,
    ) -> Outcome:
        """Run a command and copy what it writes, at most ``limit`` bytes, into a file.

        ``timeout_s`` bounds it where it may take less than others.

        Raises:
            TooMuchOutputError: it wrote more; what is in the file then is of no use.
            SourceUnavailableError: it took too long, or the server stops.
        """
        late, patience = threading.Event(), min(self.timeout_s, timeout_s or self.timeout_s)
        with self._process(args, at, env) as process:

            def end() -> None:
                late.set()
                _kill(process)

            timer = threading.Timer(patience, end)
            timer.start()
            try:
                _copy(process, sink, limit)
                _, errors = process.communicate()
            finally:
                timer.cancel()
        if late.is_set():
            raise self._too_slow(args[0], patience)
        self._refuse_when_stopped()
        return Outcome(status=process.returncode, output=b"", errors=errors.decode(errors="replace"))

    def stop(self) -> None:
        """End every command that still runs, and refuse new ones: the server stops."""
        with self._guard:
            self._stopped = True
            running = list(self._running)
        for group in running:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    @property
    def scratch(self) -> Path:
        """A folder for temporary files."""
        return self.root / "tmp"

    @contextmanager
    def _process(
        self, args: tuple[str, ...], at: Path, env: Mapping[str, str] | None
    ) -> Generator[subprocess.Popen[bytes]]:
        """Start a command, and make sure that it and its children are gone at the end."""
        with self._guard:
            self._check_running()
            started = git.Git(at).execute(
                [*self._settings.prefix(), "git", *args],
                istream=subprocess.PIPE,
                as_process=True,
                env=self._settings.environment() | {"TMPDIR": str(self.scratch)} | dict(env or {}),
                start_new_session=True,
            )
            process = _popen(started)
            _bound_memory(process.pid, self._memory_bytes)
            self._running.add(process.pid)
        try:
            yield process
        finally:
            _kill(process)
            with process:  # closes its pipes and reaps it
                pass
            with self._guard:
                self._running.discard(process.pid)

    def _check_running(self) -> None:
        if self._stopped:
            raise SourceUnavailableError("The server is stopping: try again when it runs.")

    def _refuse_when_stopped(self) -> None:
        with self._guard:
            self._check_running()

    def _too_slow(self, command: str, patience: float) -> SourceUnavailableError:
        return SourceUnavailableError(
            f"git {command} took longer than {patience:g} seconds: check that the remote answers, and "
            "that the repository is not too large for the server."
        )


def _popen(started: git.Git.AutoInterrupt) -> subprocess.Popen[bytes]:
    """Take the process out of GitPython's wrapper, which cannot wait with a time limit."""
    # GitPython leaves open what its Popen reads; without `universal_newlines` that is bytes.
    process = cast("subprocess.Popen[bytes] | None", started.proc)  # pyright: ignore[reportUnknownMemberType]
    if process is None:
        raise RuntimeError("GitPython started no process")
    return process


def _bound_memory(pid: int, most_bytes: int) -> None:
    """Bound what a process and its children to come may allocate each; files mapped for reading are free."""
    if sys.platform == "linux":
        with suppress(ProcessLookupError, PermissionError):  # it has ended, or has a lower bound already
            resource.prlimit(pid, resource.RLIMIT_DATA, (most_bytes, most_bytes))


def _copy(process: subprocess.Popen[bytes], sink: BinaryIO, limit: int) -> None:
    left = limit
    while process.stdout and (chunk := process.stdout.read(_CHUNK)):
        left -= len(chunk)
        if left < 0:
            raise TooMuchOutputError
        sink.write(chunk)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command with its children; one that has ended is fine."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
