"""A server in a process of its own: for the demo, and whoever wants one for a while."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daftray.domain.errors import DaftrayError
from daftray.server.data_dir import ADMIN_KEY

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 15


class ServerNotStartedError(DaftrayError):
    """The server did not start."""

    code = "server-not-started"


@dataclass(frozen=True, kw_only=True)
class ChildServer:
    """A running server. ``log`` is the file that holds what it says on stderr."""

    url: str
    api_key: str
    pid: int
    log: Path


@contextlib.contextmanager
def child_server(
    data_dir: Path, *, options: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> Generator[ChildServer]:
    """Run ``daftray serve`` on a free port of loopback, and end it, with all that it started, at the end.

    It gets this process's environment without its ``DAFTRAY_*``, and the variables on top.

    Raises:
        ServerNotStartedError: with the last lines of its log.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "server.log"
    command = [sys.executable, "-m", "daftray", "serve", "--port", "0", "--data-dir", str(data_dir), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAFTRAY_")}
    environment.update(variables or {})
    with log.open("wb") as stderr:
        # A session of its own: Ctrl-C goes to whoever started it, which then ends it in order.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, env=environment, start_new_session=True
        )
    try:
        url = _address(process, log)
        key = (data_dir / ADMIN_KEY).read_text().strip()
        yield ChildServer(url=url, api_key=key, pid=process.pid, log=log)
    finally:
        _end(process)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the line with the address, or for the process to end without one."""
    if process.stdout is None:
        raise ServerNotStartedError("The server has no output to read.")
    timer = threading.Timer(START_TIMEOUT_S, process.kill)
    timer.start()
    try:
        line = process.stdout.readline().decode()
    finally:
        timer.cancel()
    address = next((word for word in line.split() if word.startswith("http")), None)
    if address is None:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise ServerNotStartedError(f"The server did not start. The end of its log:\n{tail}")
    return address


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
