"""Starts runs as Ray does: the runner's package first on PYTHONPATH, then the run's folder, and there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_stub import TOKEN, ControlStub

REPOSITORY = Path(__file__).parent.parent
RUN = "run_01"


def unpack_runner(folder: Path) -> Path:
    """Lay the runner's package out as its zip does; return the folder."""
    source = REPOSITORY / "daftray"
    shutil.copytree(
        source / "runner", folder / "daftray" / "runner", ignore=shutil.ignore_patterns("site", "__pycache__")
    )
    shutil.copy(source / "__init__.py", folder / "daftray" / "__init__.py")
    for file in (source / "runner" / "site").glob("*.py"):
        shutil.copy(file, folder / file.name)
    return folder


@dataclass
class Runs:
    """Runs entrypoints in a folder, against a control plane."""

    control: ControlStub
    package: Path
    folder: Path
    python: str = sys.executable

    def write(self, files: Mapping[str, str]) -> None:
        """Write the run's source."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of a run's process."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": f"{self.package}{os.pathsep}{self.folder}",
            "PYTHONUNBUFFERED": "1",
            "DAFTRAY_RUN_ID": RUN,
            "DAFTRAY_ATTEMPT": "1",
            "DAFTRAY_REPORT_URL": self.control.url,
            "DAFTRAY_RUN_TOKEN": TOKEN,
            **more,
        }

    def run(
        self, entrypoint: dict[str, Any], *, timeout_s: float = 60, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run an entrypoint to its end, as a job of Ray's runs it."""
        self.control.entrypoint = entrypoint
        return subprocess.run(
            [self.python, "-P", "-m", "_daftray_boot"],
            cwd=self.folder,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a process of the run, by Python's own arguments."""
        return subprocess.Popen(
            [self.python, *arguments],
            cwd=self.folder,
            env=self.environ(**environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def file(path: str, *argv: str) -> dict[str, Any]:
    return {"file": {"file_path": path, "argv": list(argv)}}


def module(name: str, *argv: str) -> dict[str, Any]:
    return {"module": {"module": name, "argv": list(argv)}}


def function(where: str, symbol: str, *args: object, **kwargs: object) -> dict[str, Any]:
    return {"function": {"module": where, "symbol": symbol, "args": list(args), "kwargs": kwargs}}
