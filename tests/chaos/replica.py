"""A real `daftray serve` that dies, and whoever starts it anew."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_GUARD = """
import signal, subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
signal.signal(signal.SIGTERM, lambda *_: server.terminate())
def watch():
    sys.stdin.read()
    server.kill()
threading.Thread(target=watch, daemon=True).start()
sys.exit(server.wait())
"""
"""Kills the server when its own standard input ends: when the tests want it, or are dead themselves."""

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15
_LOOK_S = 0.05


class Replica:
    """A server of a data folder, at the same address in all its lives: runs report to it after each."""

    def __init__(
        self, folder: Path, *, port: int, options: Sequence[str], variables: Mapping[str, str]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "server.log"
        self.passed = folder / "passed"
        self._command = [
            *(sys.executable, "-I", "-S", "-c", _GUARD),
            *(sys.executable, "-m", "daftray", "serve", "--port", str(port)),
            *("--data-dir", str(folder / "data"), *options),
        ]
        self._variables = dict(variables)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def admin_key(self) -> str | None:
        """The key to it, once it was made."""
        path = self.folder / "data" / "admin-key"
        return path.read_text().strip() if path.exists() else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def reached_by(self, url: str) -> None:
        """Let runs report to another address than the server's own."""
        self._variables["DAFTRAY_PUBLIC_URL"] = url

    def start(self, failpoints: str) -> bool:
        """Start it, dead as it is; tell whether it came so far as to announce itself."""
        self.kill()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DAFTRAY_")}
        environment.update(self._variables)
        environment["DAFTRAY_FAILPOINTS"] = f"{failpoints};passed={self.passed}"
        with self.log.open("ab") as stderr:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                start_new_session=True,
            )
        timer = threading.Timer(START_TIMEOUT_S, self.kill)
        timer.start()
        try:
            announced = self._process.stdout.readline() if self._process.stdout else b""
        finally:
            timer.cancel()
            if self._process.stdout is not None:
                self._process.stdout.close()  # there is no second line
        return b"http" in announced

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def stop(self) -> None:
        """End it as its operator does, and for good."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            process.wait()
        self.kill()  # which closes what there is to close


UNDISTURBED = "rate=0"
"""No failpoint to meet, but what is passed is noted."""


@dataclass(frozen=True)
class Life:
    """One life of a server: its failpoints, and when it is killed from outside where none of them was met."""

    failpoints: str
    killed_after_s: float | None = None


@dataclass
class Keeper:
    """Starts a server again whenever it has died: with its next life, and with an undisturbed one at last."""

    replica: Replica
    lives: Sequence[Life]
    deaths: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._keep, name="keeper")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self.replica.stop()

    def _keep(self) -> None:
        for life in (*self.lives, Life(UNDISTURBED)):
            self.replica.start(life.failpoints)
            ends = None if life.killed_after_s is None else time.monotonic() + life.killed_after_s
            while self.replica.alive:
                if self._over.wait(_LOOK_S):
                    return
                if ends is not None and time.monotonic() > ends:
                    self.replica.kill()
            self.deaths += 1
