"""Build ``.venv``: the chosen interpreter, the locked packages, and this project in editable form.

A stamp inside the environment names what it was built from (the hash of pyproject.toml and
constraints.txt, the interpreter, the extras), so that a call with nothing to do costs a few milliseconds.
A mark stands beside it while packages go in: an environment whose set-up was killed is built anew.

Python 3.8 must be able to run this file (see bootstrap.py).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from interpreters import Interpreter, NoInterpreterError, UnusableError, candidates, choose, probe

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("pyproject.toml", "constraints.txt")
BUILD_BACKEND = ("hatchling", "editables")
"""What builds this project; installed from the lock like the rest, so that no build fetches anything else."""
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
"""Variables that would send packages elsewhere."""


class SetupError(Exception):
    """The environment cannot be set up; the message says why."""


class Environment:
    """The virtual environment of a checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self._stamp = self.folder / ".daftray-setup.json"
        self._unfinished = self.folder / ".daftray-unfinished"

    def interpreter(self, python: str | None) -> Interpreter:
        """Return the interpreter of that name, or the best there is.

        Raises:
            SetupError: it cannot be used, or there is none.
        """
        try:
            return probe(python) if python else choose(candidates(self.root))
        except UnusableError as exc:
            raise SetupError(f"PYTHON={python} {exc}") from exc
        except NoInterpreterError as exc:
            raise SetupError(str(exc)) from exc

    def ensure(self, extras: set[str], python: str | None) -> None:
        """Make the environment hold the extras at their locked versions.

        ``python`` names the interpreter to build with; without it one that works is kept, and the best is
        looked for only where there is none.

        Raises:
            SetupError: no interpreter can be used, or a package cannot be installed.
        """
        stamp = self._read_stamp()
        wanted = self.interpreter(python) if python else None
        if self._is_current(stamp, extras, wanted):
            return
        with self._alone():
            stamp = self._read_stamp()
            if self._is_current(stamp, extras, wanted):
                return
            installed = self._prepare(stamp, wanted)
            self._install(extras | installed)

    def _is_current(self, stamp: dict[str, str], extras: set[str], wanted: Interpreter | None) -> bool:
        present = set(stamp.get("extras", "").split(","))
        return (
            stamp.get("inputs") == self._inputs()
            and stamp.get("root") == str(self.root)
            and (extras <= present or "dev" in present)
            and (wanted is None or stamp.get("base") == _real(wanted))
            and self._has_pip()
        )

    def _prepare(self, stamp: dict[str, str], wanted: Interpreter | None) -> set[str]:
        """Create the environment unless the one there can be used; return the extras that it has."""
        # Scripts in an environment name their interpreter by its whole path: a moved checkout breaks them.
        moved = stamp.get("root", str(self.root)) != str(self.root)
        base = self._base()
        if base and not moved and (wanted is None or _real(wanted) == _real(base)):
            return {extra for extra in stamp.get("extras", "").split(",") if extra}
        interpreter = wanted or self.interpreter(None)
        say(f"creating .venv with Python {interpreter} ({interpreter.executable})")
        command = [interpreter.executable, "-m", "venv", "--clear", str(self.folder)]
        self._run(command, "The virtual environment cannot be created.")
        return set()

    def _install(self, extras: set[str]) -> None:
        self._unfinished.touch()
        names = ",".join(sorted(extras))
        say(f"installing the locked packages [{names}] (the first time takes a minute or more)")
        begun = time.monotonic()
        locked = ["-c", str(self.root / "constraints.txt")]
        try:
            self._run([*self._installer(), *locked, *BUILD_BACKEND], "The build backend cannot be installed.")
            project = ["--no-build-isolation", "-e", f"{self.root}[{names}]"]
            self._run([*self._installer(), *locked, *project], "The packages cannot be installed.")
        except SetupError:
            # An installer that says no has cleaned up after itself; only a killed one leaves the mark.
            self._unfinished.unlink()
            raise
        self._write_stamp(names)
        self._unfinished.unlink()
        say(f"installed in {time.monotonic() - begun:.0f} s")

    def _installer(self) -> list[str]:
        # uv is faster, but does not read pip's index settings: it is used only where it is asked for.
        if os.environ.get("INSTALLER") == "uv":
            return ["uv", "pip", "install", "--quiet", "--python", str(self.python)]
        flags = ["--quiet", "--disable-pip-version-check", "--no-input"]
        return [str(self.python), "-m", "pip", "install", *flags]

    def _run(self, command: Sequence[str], complaint: str) -> None:
        variables = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        result = subprocess.run(
            command,
            env={**variables, "PIP_USER": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise SetupError(f"{complaint}\n{result.stdout.strip()}")

    def _base(self) -> Interpreter | None:
        """Return what the environment was made with, if it is whole and can be used."""
        if self._unfinished.exists() or not self._has_pip():
            return None
        try:
            return probe(str(self.python))
        except UnusableError:
            return None

    def _has_pip(self) -> bool:
        command = [str(self.python), "-c", "import pip"]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _inputs(self) -> str:
        digest = hashlib.sha256()
        for name in INPUTS:
            digest.update((self.root / name).read_bytes())
        return digest.hexdigest()

    def _write_stamp(self, extras: str) -> None:
        base = _real(probe(str(self.python)))
        facts = {"inputs": self._inputs(), "root": str(self.root), "base": base, "extras": extras}
        self._stamp.write_text(json.dumps(facts), encoding="utf-8")

    def _read_stamp(self) -> dict[str, str]:
        if self._unfinished.exists():
            return {}
        try:
            return json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        """Hold off a second set-up of the same checkout; the lock ends with the process."""
        with (self.root / ".venv.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _real(interpreter: Interpreter) -> str:
    """Return the one path of an interpreter that goes by several names (python3, python3.11)."""
    return str(Path(interpreter.executable).resolve())


def say(text: str) -> None:
    """Tell the person at the terminal what goes on, in one line."""
    sys.stderr.write(f"daftray: {text}\n")
    sys.stderr.flush()


def run(arguments: Sequence[str]) -> int:
    """Do what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="tools/bootstrap.py", description="Set up .venv.")
    parser.add_argument("--extras", default="dev", help="the extras of pyproject.toml, separated by commas")
    parser.add_argument("--find", action="store_true", help="only print the interpreter that would be used")
    options = parser.parse_args(arguments)
    python = os.environ.get("PYTHON") or None
    environment = Environment(ROOT)
    try:
        if options.find:
            sys.stdout.write(f"{environment.interpreter(python).executable}\n")
        else:
            environment.ensure(set(options.extras.split(",")), python)
    except SetupError as exc:
        say(str(exc))
        return 1
    return 0
