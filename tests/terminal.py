"""A command in a process of its own, with somebody at a terminal who reads and answers."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

DEADLINE_S = 60


class Terminal:
    """Stdin and stderr of the process are the terminal; its stdout is a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self._process = process
        self._screen = screen
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Read the screen until a text is on it. What was there before does not count again."""
        deadline = time.monotonic() + DEADLINE_S
        start = len(self.seen)
        while text not in self.seen[start:]:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} is not in {self.seen!r}"
            if not self._read(left):
                raise AssertionError(f"{text!r} is not in {self.seen!r}, and the process has ended")

    def read_line(self) -> str:
        """Return the next line of stdout, once it is there."""
        assert self._process.stdout
        return self._process.stdout.readline().decode()

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Wait for the end of the process; return its exit code and what it printed on stdout."""
        while self._read(DEADLINE_S):
            pass
        out, _ = self._process.communicate(timeout=DEADLINE_S)
        return self._process.returncode, (out or b"").decode()

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], timeout_s)
        try:
            text = os.read(self._screen, 4096).decode(errors="replace") if ready else ""
        except OSError:  # Linux says so when nobody has the other end open any more
            return False
        self.seen += text.replace("\r\n", "\n")
        return text != ""


@contextmanager
def daftray_at_a_terminal(
    *words: str, cwd: Path, environ: Mapping[str, str], stdout_too: bool = False
) -> Generator[Terminal]:
    """Start ``daftray`` in a folder; it is ended with the block at the latest."""
    screen, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "daftray", *words],
        cwd=cwd,
        env={
            **scrubbed_environ(),
            "TERM": "dumb",
            "PYTHONPATH": str(Path(__file__).parent.parent),
            **environ,
        },
        stdin=other_end,
        stdout=other_end if stdout_too else subprocess.PIPE,
        stderr=other_end,
        start_new_session=True,
    )
    os.close(other_end)
    try:
        yield Terminal(process, screen)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=DEADLINE_S)
        os.close(screen)


def scrubbed_environ() -> dict[str, str]:
    """Return this process's environment without what it says of any daftray server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DAFTRAY_")}
