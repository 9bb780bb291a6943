"""Write constraints.txt: one version of every package, for all supported Pythons and platforms.

    make lock                      keep what still fits, add what is new
    make lock ARGS=--upgrade       choose the newest allowed version of everything

uv resolves, since pip can only resolve for the interpreter it runs in. It is installed in a folder that is
thrown away, and told to leave out everything but names, versions and markers: a lock that names a registry
would work for its writer alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from environment import BUILD_BACKEND, ROOT, say

OLDEST_PYTHON = "3.11"


def compile_lock(uv: Path, arguments: list[str]) -> str:
    """Return the lock's lines, resolved from pyproject.toml and its build requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = {*project["build-system"]["requires"], *BUILD_BACKEND}
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "build.in"
        requirements.write_text("\n".join(sorted(build)) + "\n", encoding="utf-8")
        command = [str(uv), "pip", "compile", "--quiet", "--universal", "--all-extras"]
        command += ["--python-version", OLDEST_PYTHON, "--no-annotate", "--no-header", "--no-emit-index-url"]
        command += ["--output-file", "constraints.txt", *arguments, "pyproject.toml", str(requirements)]
        subprocess.run(command, cwd=ROOT, check=True)
    return (ROOT / "constraints.txt").read_text(encoding="utf-8")


def main() -> None:
    """Install uv in a temporary place and lock."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        scripts = Path(folder) / "bin"
        subprocess.run([scripts / "pip", "install", "--quiet", "uv"], check=True)
        text = compile_lock(scripts / "uv", sys.argv[1:])
    say(f"constraints.txt holds {len(text.splitlines())} lines")


if __name__ == "__main__":
    main()
